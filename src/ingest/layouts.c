/* Well-known logs that differ only in names: one row of the table below is one layout, with what its columns mean and
 * the files of items and users that lie beside it. */
#include <stdio.h>
#include <string.h>

#include "ingest/load.h"

enum { MOST_MAPPED = 10, MOST_NAMES = 12, MOST_BULKY = 16, MOST_BESIDE = 2 };

struct beside {
    const char *file;
    enum attribute_target target;
    const char *names[MOST_NAMES]; /* of a file without a header */
    struct mapping mapping[MOST_MAPPED];
};

struct layout {
    const char *name;
    const char *file, *also;                            /* in a folder; `also` must lie there too */
    const char *header;                                 /* how the first line begins, without quotes */
    bool (*looks)(const char *head, size_t n);          /* where there is no header */
    const char *names[MOST_NAMES];                      /* columns of a file without a header */
    const char *delimiter, *type;                       /* or NULL */
    struct mapping mapping[MOST_MAPPED];                /* of the events */
    const char *bulky[MOST_BULKY];                      /* left out unless keep= names them */
    struct beside beside[MOST_BESIDE];
    enum status (*after)(struct ingest *in, const char *path, struct error *err);
    const char *note;
};

/* ---- what has no header ---- */

/* Cell i of the first line, or NULL. */
static const char *first_cell(const char *head, size_t n, char delimiter, size_t i, size_t *length)
{
    const char *end = memchr(head, '\n', n);
    const char *p = head, *stop = end ? end : head + n;
    for (; i; i--) {
        p = memchr(p, delimiter, (size_t)(stop - p));
        if (!p)
            return NULL;
        p++;
    }
    const char *next = memchr(p, delimiter, (size_t)(stop - p));
    *length = (size_t)((next ? next : stop) - p);
    while (*length && (p[*length - 1] == '\r' || p[*length - 1] == ' '))
        --*length;
    return p;
}

static bool all_of(const char *p, size_t n, const char *allowed)
{
    for (size_t i = 0; i < n; i++)
        if (!strchr(allowed, p[i]) || !p[i])
            return false;
    return n > 0;
}

#define DIGITS "0123456789"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A product of Amazon: B0... or an ISBN, ten characters. */
static bool is_asin(const char *p, size_t n)
{
    return p && n == 10 && all_of(p, n, DIGITS CAPITALS) && (p[0] == 'B' || all_of(p, 9, DIGITS));
}

/* A reviewer of Amazon: A..., 10 to 28 characters. */
static bool is_reviewer(const char *p, size_t n)
{
    return p && n >= 10 && n <= 30 && p[0] == 'A' && all_of(p, n, DIGITS CAPITALS);
}

static bool is_rating_line(const char *head, size_t n, size_t user, size_t item)
{
    size_t nu = 0, ni = 0, nr = 0, nt = 0;
    const char *u = first_cell(head, n, ',', user, &nu), *i = first_cell(head, n, ',', item, &ni);
    const char *r = first_cell(head, n, ',', 2, &nr), *t = first_cell(head, n, ',', 3, &nt);
    return is_reviewer(u, nu) && is_asin(i, ni) && r && nr && nr < 4 && strchr("12345", r[0]) && t && nt >= 9 &&
           all_of(t, nt, DIGITS);
}

static bool looks_amazon(const char *head, size_t n)
{
    return is_rating_line(head, n, 0, 1);
}

static bool looks_amazon_item_first(const char *head, size_t n)
{
    return is_rating_line(head, n, 1, 0);
}

/* JSON of the reviews of 2014 and 2018 (reviewerID, asin) or of 2023 (user_id, parent_asin). */
static bool looks_amazon_json(const char *head, size_t n)
{
    const char *end = memchr(head, '\n', n);
    size_t line = end ? (size_t)(end - head) : n;
    bool old = memmem(head, line, "\"reviewerID\"", 12) && memmem(head, line, "\"asin\"", 6);
    return head[0] == '{' &&
           (old || (memmem(head, line, "\"parent_asin\"", 13) && memmem(head, line, "\"user_id\"", 9)));
}

/* user-sha1 TAB artist-mbid TAB artist TAB plays */
static bool looks_lastfm_360k(const char *head, size_t n)
{
    size_t nu = 0, ni = 0, na = 0, np = 0;
    const char *u = first_cell(head, n, '\t', 0, &nu), *i = first_cell(head, n, '\t', 1, &ni);
    const char *a = first_cell(head, n, '\t', 2, &na), *p = first_cell(head, n, '\t', 3, &np);
    return u && nu == 40 && all_of(u, nu, DIGITS "abcdef") && i && (ni == 36 || ni == 0) && a && p &&
           all_of(p, np, DIGITS);
}

/* user_000001 TAB 2009-05-04T23:08:57Z TAB artist-mbid TAB artist TAB track-mbid TAB track */
static bool looks_lastfm_1k(const char *head, size_t n)
{
    size_t nu = 0, nt = 0, nl = 0;
    const char *u = first_cell(head, n, '\t', 0, &nu), *t = first_cell(head, n, '\t', 1, &nt);
    return u && nu > 5 && memcmp(u, "user_", 5) == 0 && t && nt == 20 && t[10] == 'T' &&
           first_cell(head, n, '\t', 5, &nl);
}

/* ---- several files of one shop ---- */

static enum status read_steam_plays(struct ingest *in, const char *path, struct error *err)
{
    static const struct mapping mapping[] = {{"value", "Hours"}};
    char file[4096];
    if (!path_is_folder(path) || !path_beside(path, "game_play.dat", file, sizeof file))
        return ST_OK;
    in->default_type = "play";
    return events_as(in, file, NULL, mapping, 1, err);
}

/* ---- the table ---- */

static const struct layout layouts[] = {
    {.name = "amazon",
     .looks = looks_amazon_json,
     .type = "rating",
     .mapping = {{"user", "reviewerID"}, {"user", "user_id"}, {"item", "parent_asin"}, {"item", "asin"},
                 {"value", "overall"}, {"value", "rating"}, {"time", "unixReviewTime"}, {"time", "timestamp"}},
     .bulky = {"reviewText", "summary", "text", "title", "reviewerName", "reviewTime", "image", "images*", "style*"},
     .note = "Amazon reviews: the words and pictures are left out (keep=all keeps them, keep=summary one)"},
    {.name = "amazon-ratings",
     .looks = looks_amazon,
     .names = {"user", "item", "rating", "time"},
     .note = "Amazon ratings without a header: user, item, rating, time"},
    {.name = "amazon-ratings",
     .looks = looks_amazon_item_first,
     .names = {"item", "user", "rating", "time"},
     .note = "Amazon ratings without a header: the item comes first, then user, rating, time"},
    {.name = "lastfm-360k",
     .file = "usersha1-artmbid-artname-plays.tsv",
     .looks = looks_lastfm_360k,
     .names = {"user", "artist_id", "artist", "plays"},
     .delimiter = "tab",
     .type = "listen",
     .mapping = {{"item", "artist_id|artist"}, {"value", "plays"}, {"item.title", "artist"}},
     .bulky = {"artist_id"},
     .beside = {{"usersha1-profile.tsv",
                 ATTRIBUTES_OF_USERS,
                 {"user", "gender", "age", "country", "signup"},
                 {{"id", "user"}}}},
     .note = "artists without a MusicBrainz id are known by their names"},
    {.name = "lastfm-1k",
     .file = "userid-timestamp-artid-artname-traid-traname.tsv",
     .looks = looks_lastfm_1k,
     .names = {"user", "time", "artist_id", "artist", "track_id", "track"},
     .delimiter = "tab",
     .type = "listen",
     .mapping = {{"item", "track_id|artist+track"}, {"item.title", "track"}, {"item.artist", "artist"}},
     .bulky = {"artist_id", "track_id"},
     .beside = {{"userid-profile.tsv", ATTRIBUTES_OF_USERS, {NULL}, {{"id", "#id"}}}},
     .note = "items are tracks; item='artist_id|artist' item.title=artist makes them artists"},
    {.name = "lastfm-2k",
     .file = "user_artists.dat",
     .header = "userID\tartistID\tweight",
     .delimiter = "tab",
     .type = "listen",
     .beside = {{"artists.dat", ATTRIBUTES_OF_ITEMS, {NULL}, {{"id", "id"}, {"title", "name"}}}},
     .note = "the value counts how often the user listened to the artist"},
    {.name = "retailrocket",
     .file = "events.csv",
     .also = "category_tree.csv",
     .header = "timestamp,visitorid,event,itemid",
     .after = retailrocket_properties},
    {.name = "deskdrop",
     .file = "users_interactions.csv",
     .header = "timestamp,eventType,contentId,personId,sessionId",
     .beside = {{"shared_articles.csv",
                 ATTRIBUTES_OF_ITEMS,
                 {NULL},
                 {{"id", "contentId"}, {"shared", "timestamp"}, {"status", "eventType"}, {"keep",
                   "timestamp,eventType,contentType,url,title,text,lang,authorPersonId"}}}}},
    {.name = "steam",
     .file = "game_purchase.dat",
     .header = "User_ID\tGame_ID\tPurchase",
     .delimiter = "tab",
     .type = "purchase",
     .bulky = {"Purchase"},
     .beside = {{"item_info.dat", ATTRIBUTES_OF_ITEMS, {NULL}, {{"id", "Game_ID"}, {"title", "Game Name"}}},
                {"user_info.dat", ATTRIBUTES_OF_USERS, {NULL}, {{"id", "New_ID"}, {"steam_id", "Real_ID"}}}},
     .after = read_steam_plays},
    {.name = "steam",
     .header = "User_ID\tGame_ID\tHours",
     .delimiter = "tab",
     .type = "play",
     .mapping = {{"value", "Hours"}},
     .beside = {{"item_info.dat", ATTRIBUTES_OF_ITEMS, {NULL}, {{"id", "Game_ID"}, {"title", "Game Name"}}}}},
    {.name = "movielens-tags",
     .header = "userId,movieId,tag,timestamp",
     .type = "tag",
     .beside = {{"movies.csv", ATTRIBUTES_OF_ITEMS, {NULL}, {{"id", "movieId"}}}},
     .note = "each tag is an event of the type tag; `load items tags.csv` makes them a field of the items"},
};

enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static const struct layout *find_layout(const char *path, const char *head, size_t n)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct layout *l = &layouts[i];
        if (n == 0 && l->file && folder_holds(path, l->file) && (!l->also || folder_holds(path, l->also)))
            return l;
        if (n && ((l->header && head_starts(head, n, l->header)) || (l->looks && l->looks(head, n))))
            return l;
    }
    return NULL;
}

static int recognise(const char *path, const char *head, size_t n)
{
    return find_layout(path, head, n) ? 28 : 0;
}

static size_t count_mapping(const struct mapping *m)
{
    size_t n = 0;
    while (n < MOST_MAPPED && m[n].key)
        n++;
    return n;
}

static struct sheet_form form_of(const struct ingest *in, const char *delimiter, const char *const *names)
{
    return (struct sheet_form){.delimiter = names[0] && !delimiter ? "," : delimiter,
                               .encoding = in->form.encoding,
                               .names = names[0] ? names : NULL,
                               .no_quotes = delimiter != NULL};
}

static enum status read_beside(struct ingest *in, const char *path, const struct layout *l, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < MOST_BESIDE && l->beside[i].file && !st; i++) {
        const struct beside *b = &l->beside[i];
        struct sheet_form form = form_of(in, l->delimiter, b->names);
        st = attributes_as(in, path, b->file, b->target, &form, b->mapping, count_mapping(b->mapping), err);
    }
    return st;
}

static enum status read_layout(struct ingest *in, const char *path, struct error *err)
{
    enum { HEAD = 64 << 10 };
    char file[4096];
    const struct feed *f = in->opened;
    size_t n = f ? f->end - f->at : 0;
    const struct layout *l = find_layout(path, f ? f->data + f->at : NULL, n < HEAD ? n : HEAD);
    if (!l)
        return error_set(err, ST_NOT_FOUND, "%s is not what it was a moment ago", path);
    path_in(path, l->file ? l->file : "", file, sizeof file);
    struct sheet_form form = form_of(in, l->delimiter, l->names);
    size_t nbulky = 0;
    while (nbulky < MOST_BULKY && l->bulky[nbulky])
        nbulky++;
    in->report->reader = l->name;
    in->default_type = l->type;
    in->known = true;
    in->bulky = l->bulky;
    in->nbulky = nbulky;
    enum status st = events_as(in, file, &form, l->mapping, count_mapping(l->mapping), err);
    if (!st && l->note && !(nbulky && ingest_mapped(in, "keep")))
        ingest_note(in, "%s", l->note);
    in->bulky = NULL;
    in->nbulky = 0;
    if (!st)
        st = read_beside(in, file, l, err);
    if (!st && l->after)
        st = l->after(in, path, err);
    in->default_type = NULL;
    in->known = false;
    return st;
}

const struct reader reader_layouts = {
    "layouts", "Amazon, Last.fm, RetailRocket, Deskdrop, Steam, MovieLens tags", recognise, read_layout, false};
