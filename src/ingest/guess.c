/* What the columns of a sample are: by what was said, by their names, then by what they hold. */
#include "ingest/sample.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static bool is_taken(const struct sample *s, uint32_t column)
{
    for (int i = 0; i < ROLES; i++)
        if (s->roles.column[i] == column)
            return true;
    return false;
}

static bool name_says(const struct sample *s, uint32_t column, const char *const *words)
{
    for (; *words; words++)
        if (text_find(sample_name(s, column), *words))
            return true;
    return false;
}

/* Does the column hold what users do? */
static bool holds_actions(const struct look *l)
{
    static const char *const words[] = {"view",        "click",  "cart",   "purchase", "buy",
                                        "transaction", "play",   "like",   "share",    "order",
                                        "impression",  "listen", "rating", "favorite", "bookmark"};
    bool any = false;
    for (uint32_t k = 0; k < l->levels.n && l->levels.n <= SAMPLE_TYPES; k++)
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            any |= text_find(dict_text(&l->levels, k), words[w]) != NULL;
    return any && l->levels.n > 1;
}

/* Could it be the id of something: many values that come again, neither fractions nor prose? */
static bool may_be_id(const struct sample *s, uint32_t c)
{
    const struct look *l = &s->look[c];
    bool fraction = l->reals == l->texts && l->whole != l->texts;
    return !is_taken(s, c) && l->texts * 10 >= s->rows * 9 && l->levels.n > 1 && !fraction &&
           !sample_mostly(l->times, l->texts);
}

static bool is_id(const struct sample *s, uint32_t c)
{
    const struct look *l = &s->look[c];
    return may_be_id(s, c) && !(l->spaces * 2 > l->texts) && (l->levels.n * 20 >= s->rows || l->levels.n > 50);
}

static bool is_unique(const struct sample *s, uint32_t c)
{
    return s->rows >= 20 && s->look[c].levels.n == s->rows;
}

static void guess(struct sample *s, enum role role, uint32_t column)
{
    s->roles.column[role] = column;
    s->guessed[role] = true;
}

/* ---- events ---- */

/* How much more often than by chance the value is that of the row before: files are mostly sorted by user. */
static enum status runs(const struct look *l, size_t rows, double *out, struct error *err)
{
    double same = 0, chance = 0;
    uint32_t *count = mem_new(l->levels.n + 1, sizeof *count, "a look at columns", err);
    if (!count)
        return ST_NOMEM;
    for (size_t r = 0; r < rows; r++) {
        count[l->code[r] == NO_CODE ? l->levels.n : l->code[r]]++;
        same += r && l->code[r] != NO_CODE && l->code[r] == l->code[r - 1];
    }
    for (uint32_t k = 0; k < l->levels.n; k++)
        chance += (double)count[k] * count[k] / (double)rows;
    mem_free(count);
    *out = same - chance;
    return ST_OK;
}

/* User and item among the columns that look like ids. */
static enum status guess_ids(struct sample *s, struct error *err)
{
    static const char *const users[] = {"user",     "cust",     "client", "visit",   "member", "person",
                                        "account",  "device",   "buyer",  "shopper", "kund",   "nutzer",
                                        "besucher", "utilisat", "usuari", "utent",   NULL};
    static const char *const items[] = {"item",  "prod",  "sku",   "article", "movie", "song",   "book",
                                        "game",  "page",  "asin",  "title",   "track", "artist", "goods",
                                        "offer", "ad_id", "artik", "articul", "ware",  NULL};
    for (int role = ROLE_USER; role <= ROLE_ITEM; role++)
        for (uint32_t c = 0; c < s->n && !roles_has(&s->roles, (enum role)role); c++)
            if (may_be_id(s, c) && name_says(s, c, role == ROLE_USER ? users : items))
                guess(s, (enum role)role, c);
    uint32_t found[2], n = 0;
    for (uint32_t c = 0; c < s->n && n < 2; c++)
        if (is_id(s, c) && !is_unique(s, c))
            found[n++] = c;
    bool user = roles_has(&s->roles, ROLE_USER), item = roles_has(&s->roles, ROLE_ITEM);
    if (user && !item && n)
        guess(s, ROLE_ITEM, found[0]);
    else if (!user && item && n)
        guess(s, ROLE_USER, found[0]);
    else if (!user && !item && n == 2) {
        double a, b;
        if (runs(&s->look[found[0]], s->rows, &a, err) || runs(&s->look[found[1]], s->rows, &b, err))
            return ST_NOMEM;
        bool swap = b > a + fabs(a) / 2 + (double)s->rows / 20;
        guess(s, ROLE_USER, found[swap]);
        guess(s, ROLE_ITEM, found[!swap]);
        preview_doubt(s->out, "user and item are guessed: %s has %u value%s, %s has %u; swap them where that is wrong",
              sample_name(s, found[swap]), s->look[found[swap]].levels.n,
              s->look[found[swap]].levels.n == 1 ? "" : "s", sample_name(s, found[!swap]),
              s->look[found[!swap]].levels.n);
    }
    return ST_OK;
}

/* dates= where the time needs it and it was not said: by a day past 12, or as spreadsheets of the USA have it. */
static void guess_dates(struct sample *s)
{
    uint32_t time = s->roles.column[ROLE_TIME];
    if (time == NO_CODE || ingest_mapped(s->in, "dates") || !sample_mostly(s->look[time].dates, s->look[time].texts))
        return;
    const struct look *l = &s->look[time];
    const char *text = dict_text(&l->levels, 0);
    if (sample_is_moment(text, strlen(text), false))
        return;
    s->dates = l->days_first > l->months_first ? "dmy" : "mdy";
    if (!l->days_first == !l->months_first)
        preview_doubt(s->out, "does %s begin with the day or the month? dates=mdy is guessed, dates=dmy the other way",
                      sample_name(s, time));
}

/* Does it say where an item stood in a list, by the names that `import` goes by? More is no liking then. */
static bool holds_places(const struct sample *s, uint32_t c)
{
    static const char *const names[] = {"rank", "position", "pos", "place"};
    const struct look *l = &s->look[c];
    bool named = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && s->t.header; i++)
        named |= text_same(sample_name(s, c), names[i]);
    return named && l->reals == l->texts && l->least >= 0;
}

static void guess_rest(struct sample *s)
{
    for (uint32_t c = 0; c < s->n; c++) {
        const struct look *l = &s->look[c];
        if (is_taken(s, c) || l->texts == 0)
            continue;
        if (!roles_has(&s->roles, ROLE_TIME) && sample_mostly(l->times, l->texts))
            guess(s, ROLE_TIME, c);
        else if (!roles_has(&s->roles, ROLE_TYPE) && l->reals == 0 && holds_actions(l))
            guess(s, ROLE_TYPE, c);
        else if (holds_places(s, c))
            preview_doubt(
                s->out,
                "%s looks like places in lists that were shown, which are no events: `import FILE as prod` reads them",
                sample_name(s, c));
        else if (!roles_has(&s->roles, ROLE_VALUE) && l->reals == l->texts && l->levels.n > 2 && l->levels.n <= 20 &&
                 l->least >= 0 && l->most <= 10)
            guess(s, ROLE_VALUE, c);
    }
}

/* ---- tables of users and of items ---- */

static bool has_times(const struct sample *s)
{
    for (uint32_t c = 0; c < s->n; c++)
        if (sample_mostly(s->look[c].times, s->look[c].texts))
            return true;
    return false;
}

/* Does it look like things that are shown to people: titles, prices and such? */
static bool names_say_items(const struct sample *s)
{
    static const char *const words[] = {"title",   "price",  "genre",  "categor", "brand",
                                        "product", "author", "artist", NULL};
    bool any = false;
    for (uint32_t c = 0; c < s->n; c++) {
        const struct look *l = &s->look[c];
        bool prose = l->spaces * 2 > l->texts && l->levels.n * 2 > s->rows;
        any |= s->t.header ? name_says(s, c, words) : prose;
    }
    return any;
}

static bool names_say_users(const struct sample *s)
{
    static const char *const words[] = {"gender", "birth", "joined", "signup", "sign_up", "email", "occupation", NULL};
    bool any = false;
    for (uint32_t c = 0; c < s->n; c++)
        any |= s->t.header && (name_says(s, c, words) || text_same(sample_name(s, c), "age"));
    return any;
}

/* Its column called id has another value in every row, and the others or the file's name say what of: NULL where they
 * do not. */
static const char *table_by_id(const struct sample *s, const char *path)
{
    uint32_t id = dict_find_text(&s->t.names, "id");
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    if (id == NO_CODE || id >= s->n || !s->rows || s->look[id].levels.n < s->rows)
        return NULL;
    bool items = names_say_items(s) || text_starts(file, "items."),
         users = names_say_users(s) || text_starts(file, "users.");
    return items ? "items" : users ? "users" : NULL;
}

/* A table of one thing a row, with nobody who does anything to it: its id goes to where a user stands, whose column it
 * is then. */
static const char *table_by(struct sample *s, uint32_t key, const char *what)
{
    for (int i = 0; i < ROLES; i++)
        s->roles.column[i] = NO_CODE;
    s->roles.column[ROLE_USER] = key;
    return what;
}

/* A table of users or of items: every row has another one, and nothing says who did what. */
static const char *table_of(struct sample *s, const char *path)
{
    uint32_t user = s->roles.column[ROLE_USER], item = s->roles.column[ROLE_ITEM];
    bool said = ingest_mapped(s->in, "user") || ingest_mapped(s->in, "item");
    if (said && roles_has(&s->roles, ROLE_USER) && roles_has(&s->roles, ROLE_ITEM))
        return NULL;
    for (int of_users = 0; of_users < 2 && !said; of_users++)
        if (known_attributes_mine(path, of_users ? ATTRIBUTES_OF_USERS : ATTRIBUTES_OF_ITEMS))
            return table_by(s, 0, of_users ? "users" : "items");
    if (!s->t.header && user == 0 && is_unique(s, 0) && !has_times(s))
        return table_by(s, 0, names_say_items(s) ? "items" : "users");
    if (item != NO_CODE && !roles_has(&s->roles, ROLE_USER) && is_unique(s, item))
        return table_by(s, item, "items");
    if (user == NO_CODE && item == NO_CODE && !said && !roles_has(&s->roles, ROLE_TIME) && table_by_id(s, path))
        return table_by(s, dict_find_text(&s->t.names, "id"), table_by_id(s, path));
    if (roles_has(&s->roles, ROLE_ITEM) || roles_has(&s->roles, ROLE_TIME))
        return NULL;
    if (user != NO_CODE)
        return is_unique(s, user) ? "users" : NULL;
    if (s->roles.computed[ROLE_USER].kind || has_times(s))
        return NULL;
    for (uint32_t c = 0; c < s->n; c++)
        if (text_same(sample_name(s, c), "id") && is_unique(s, c)) {
            guess(s, ROLE_USER, c);
            return names_say_items(s) ? "items" : "users";
        }
    size_t ids = 0;
    for (uint32_t c = 0; c < s->n; c++)
        ids += is_id(s, c);
    return ids < 2 || s->n > 30 ? "users" : NULL;
}

enum status sample_guess(struct sample *s, const char *path, struct error *err)
{
    enum status st = roles_known(s->in, &s->t, &s->roles, err);
    if (st)
        return st;
    for (int i = 0; i < ROLES; i++)
        if (s->roles.column[i] != NO_CODE && s->roles.column[i] >= s->n)
            s->roles.column[i] = NO_CODE;
    s->out->table = table_of(s, path);
    if (s->out->table)
        return ST_OK;
    guess_rest(s);
    if (!roles_has(&s->roles, ROLE_USER) || !roles_has(&s->roles, ROLE_ITEM))
        st = guess_ids(s, err);
    guess_dates(s);
    return st;
}
