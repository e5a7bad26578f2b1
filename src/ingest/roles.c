#include <string.h>

#include "base/clock.h"
#include "ingest/load.h"
#include "ingest/number.h"

const char *const role_names[ROLES] = {"user", "item", "time", "value", "type", "session", "price", "quantity"};

/* What people call the columns, folded (name_fold), the surest first. */
static const char *const known[ROLES][40] = {
    [ROLE_USER] = {"user",      "userid",   "uid",           "customerid", "customer",  "personid",
                   "visitorid", "memberid", "clientid",      "accountid",  "profileid", "subscriberid",
                   "shopperid", "buyerid",  "reviewerid",    "person",     "visitor",   "member",
                   "account",   "username", "fullvisitorid", "cookieid",   "userhash",  "useridx"},
    [ROLE_ITEM] = {"item",      "itemid",    "iid",      "product",   "productid", "sku",    "movieid",
                   "movie",     "contentid", "asin",     "articleid", "article",   "bookid", "trackid",
                   "songid",    "artistid",  "gameid",   "videoid",   "newsid",    "isbn",   "businessid",
                   "listingid", "offerid",   "recipeid", "hotelid",   "placeid",   "poiid",  "venueid",
                   "goodsid",   "courseid",  "content",  "itemidx",   "adid"},
    [ROLE_TIME] = {"timestamp",    "time",           "ts",          "eventtime",  "eventtimestamp",
                   "datetime",     "date",           "createdat",   "occurredat", "eventdate",
                   "unixtime",     "unixreviewtime", "servertime",  "ratedat",    "visitedat",
                   "purchasedate", "orderdate",      "invoicedate", "day",        "epoch",
                   "when"},
    [ROLE_VALUE] = {"rating", "value", "score", "stars", "overall", "ratingvalue", "weight", "playcount", "plays",
                    "listens", "hours"},
    [ROLE_TYPE] = {"eventtype", "type", "event", "action", "eventname", "behavior", "behaviour", "behaviortype",
                   "behaviourtype", "interaction", "interactiontype", "actiontype", "activity", "activitytype"},
    [ROLE_SESSION] = {"session", "sessionid", "visitid", "visit", "usersession", "sid"},
    [ROLE_PRICE] = {"price", "unitprice", "itemprice", "saleprice"},
    [ROLE_QUANTITY] = {"quantity", "qty", "units"},
};

static bool is_taken(const struct roles *r, uint32_t column)
{
    for (int i = 0; i < ROLES; i++)
        if (r->column[i] == column)
            return true;
    return false;
}

bool roles_has(const struct roles *r, enum role role)
{
    return r->column[role] != NO_CODE || r->computed[role].kind != COMPUTED_NOT;
}

enum status roles_compute(struct roles *r, struct ingest *in, const struct sheet *t, struct error *err)
{
    enum status st = ST_OK;
    in->row_number++;
    for (int i = 0; i < ROLES && !st; i++)
        if (r->computed[i].kind)
            st = computed_cell(&r->computed[i], t, in->row_number, &r->made[i], err);
    return st;
}

void roles_clear(struct roles *r)
{
    for (int i = 0; i < ROLES; i++)
        computed_clear(&r->computed[i]);
}

enum status roles_missing(const struct sheet *t, const char *key, const char *column, struct error *err)
{
    enum { LOOK = 512 };
    const char *names[LOOK];
    size_t n = 0;
    for (; n < LOOK && n < t->names.n; n++)
        names[n] = dict_text(&t->names, (uint32_t)n);
    const char *near = column ? text_nearest(column, names, n) : NULL;
    struct str columns = {0};
    sheet_columns(t, &columns);
    if (column)
        error_set(err, ST_USAGE, "%s has no column \"%s\" (%s=%s)", t->feed->path, column, key, column);
    else
        error_set(err, ST_USAGE, "%s: no column looks like the %s", t->feed->path, key);
    if (near)
        error_hint(err, "did you mean %s=%s? the columns are: %s", key, near, str_text(&columns));
    else if (t->header)
        error_hint(err, "`preview FILE` proposes what to say, as %s=COLUMN; the columns are: %s%s", key,
                   str_text(&columns), t->json ? "" : " (header=no if that is the first row of data)");
    else
        error_hint(
            err,
            "say it by number, user=1 item=2 ... (`preview FILE` proposes it); the file has %u column%s and no header",
            t->names.n, t->names.n == 1 ? "" : "s");
    str_free(&columns);
    return ST_USAGE;
}

static enum status by_mapping(struct ingest *in, const struct sheet *t, struct roles *out, struct error *err)
{
    for (int i = 0; i < ROLES; i++) {
        const char *column = ingest_mapped(in, role_names[i]);
        if (!column)
            continue;
        enum status st = computed_find(t, role_names[i], column, &out->computed[i], err);
        if (st)
            return st;
        if (out->computed[i].kind && i >= ROLE_SESSION) /* these are stored as columns of the file */
            return roles_missing(t, role_names[i], column, err);
        out->any_computed |= out->computed[i].kind != COMPUTED_NOT;
        out->counts_rows |= out->computed[i].kind == COMPUTED_ROW;
        out->column[i] = sheet_column(t, column);
        if (!roles_has(out, (enum role)i))
            return roles_missing(t, role_names[i], column, err);
    }
    for (size_t i = 0; i < in->nmapping; i++) {
        const char *key = in->mapping[i].key;
        if ((text_starts(key, "item.") || text_starts(key, "user.")) &&
            sheet_column(t, in->mapping[i].value) == NO_CODE)
            return roles_missing(t, key, in->mapping[i].value, err);
    }
    return ST_OK;
}

static uint32_t by_name(const struct sheet *t, const struct roles *taken, enum role role)
{
    for (size_t k = 0; k < sizeof known[role] / sizeof *known[role] && known[role][k]; k++)
        for (uint32_t c = 0; c < t->names.n; c++) {
            char folded[64];
            name_fold(dict_text(&t->names, c), folded, sizeof folded);
            if (strcmp(folded, known[role][k]) == 0 && !is_taken(taken, c))
                return c;
        }
    return NO_CODE;
}

/* ---- no header: by position and look ---- */

enum { SAMPLE = 200, MOST_GUESSED = 8 };

struct look {
    size_t rows;
    bool times, reals, small;
};

static bool looks_like_time(const struct ingest *in, const struct cell *c)
{
    int64_t us;
    double number;
    if (in->time_form)
        return time_parse_as(in->time_form, c->text, c->n, 0, &us);
    bool is_number = number_real(c->text, c->n, &number);
    /* A number counts as a moment from 1980 on: smaller ones are ids and counts. */
    return time_parse_dates(c->text, c->n, in->dates, 0, &us) &&
           (!is_number || c->n == 8 || us > INT64_C(315532800) * US_PER_SECOND);
}

static enum status sample_columns(const struct ingest *in, struct sheet *t, struct look *look, struct error *err)
{
    for (uint32_t c = 0; c < t->names.n; c++)
        look[c] = (struct look){.times = true, .reals = true, .small = true};
    bool more = true;
    enum status st = ST_OK;
    for (size_t i = 0; i < SAMPLE && !st && more; i++) {
        st = sheet_next(t, &more, err);
        if (st || !more || t->bad)
            continue;
        for (uint32_t c = 0; c < t->names.n; c++) {
            const struct cell *cell = &t->row.cells[c];
            double v = 0;
            look[c].rows++;
            look[c].times &= looks_like_time(in, cell);
            look[c].reals &= cell->n == 0 || (in->comma ? number_real_comma : number_real)(cell->text, cell->n, &v);
            look[c].small &= v >= -10 && v <= 10;
        }
    }
    return st;
}

/* User, item, then value and time as they look, as in every known file of ratings. */
static enum status by_position(struct ingest *in, struct sheet *t, struct roles *out, struct error *err)
{
    struct look look[MOST_GUESSED];
    if (t->names.n < 2 || t->names.n > MOST_GUESSED)
        return ST_OK;
    struct sheet_mark mark = sheet_look(t);
    enum status st = sample_columns(in, t, look, err);
    sheet_rewind(t, &mark);
    if (st || look[0].rows == 0)
        return st;
    out->column[ROLE_USER] = 0;
    out->column[ROLE_ITEM] = 1;
    struct str note = {0};
    str_printf(&note, "no header: column 1 is taken for user, 2 for item");
    for (uint32_t c = 2; c < t->names.n; c++) {
        if (look[c].times && out->column[ROLE_TIME] == NO_CODE) {
            out->column[ROLE_TIME] = c;
            str_printf(&note, ", %u for time", c + 1);
        } else if (look[c].reals && out->column[ROLE_VALUE] == NO_CODE) {
            out->column[ROLE_VALUE] = c;
            out->ratings = look[c].small;
            str_printf(&note, ", %u for value", c + 1);
        }
    }
    ingest_note(in, "%s", str_text(&note));
    str_free(&note);
    return ST_OK;
}

enum status roles_known(struct ingest *in, struct sheet *t, struct roles *out, struct error *err)
{
    *out = (struct roles){.ratings = false};
    for (int i = 0; i < ROLES; i++)
        out->column[i] = NO_CODE;
    enum status st = by_mapping(in, t, out, err);
    if (st)
        return st;
    bool told = roles_has(out, ROLE_USER) || roles_has(out, ROLE_ITEM);
    if (t->named) {
        for (int i = 0; i < ROLES; i++)
            if (!roles_has(out, (enum role)i))
                out->column[i] = by_name(t, out, (enum role)i);
    } else if (!told) {
        st = by_position(in, t, out, err);
        if (st)
            return st;
    }
    return ST_OK;
}

enum status roles_find(struct ingest *in, struct sheet *t, struct roles *out, struct error *err)
{
    static const char *const rating_names[] = {"rating", "score", "stars", "overall", "ratingvalue"};
    enum status st = roles_known(in, t, out, err);
    if (st)
        return st;
    if (!roles_has(out, ROLE_USER))
        return roles_missing(t, "user", NULL, err);
    if (!roles_has(out, ROLE_ITEM))
        return roles_missing(t, "item", NULL, err);
    if (out->column[ROLE_VALUE] != NO_CODE) {
        char folded[64];
        name_fold(dict_text(&t->names, out->column[ROLE_VALUE]), folded, sizeof folded);
        for (size_t i = 0; i < sizeof rating_names / sizeof *rating_names; i++)
            out->ratings |= strcmp(folded, rating_names[i]) == 0;
    }
    return ST_OK;
}

enum status roles_find_key(struct ingest *in, struct sheet *t, enum attribute_target target, uint32_t *out,
                           struct error *err)
{
    const char *said = ingest_mapped(in, "id");
    struct roles none;
    for (int i = 0; i < ROLES; i++)
        none.column[i] = NO_CODE;
    if (said) {
        *out = sheet_column(t, said);
        return *out == NO_CODE ? roles_missing(t, "id", said, err) : ST_OK;
    }
    *out = by_name(t, &none, target == ATTRIBUTES_OF_ITEMS ? ROLE_ITEM : ROLE_USER);
    if (*out == NO_CODE)
        *out = dict_find_text(&t->names, "id") != NO_CODE ? dict_find_text(&t->names, "id") : sheet_column(t, "id");
    if (*out == NO_CODE && !t->named && t->names.n)
        *out = 0;
    return *out == NO_CODE ? roles_missing(t, "id", NULL, err) : ST_OK;
}
