#include "ingest/preview.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/load.h"
#include "ingest/number.h"
#include "store/foreign.h"

enum { ROWS_MOST = 20000, FEW_TYPES = 12, REPEATS = 5 };

/* What the sample says about a column. */
struct look {
    struct dict levels;
    uint32_t *code; /* one a row, NO_CODE: missing */
    size_t texts, reals, whole, times, spaces;
    size_t dates, days_first, months_first; /* 3/1/2026; of these, those that can only be 13/1 or 1/13 */
    double least, most;
};

struct sample {
    struct ingest *in;
    struct sheet t;
    struct look *look;
    size_t n, rows;
    struct roles roles;
    bool guessed[ROLES];
    bool no_item; /* events, but of what? */
    const char *dates; /* the value of dates= that is guessed, or NULL */
    struct preview *out;
};

static void doubt(struct preview *p, const char *format, ...) PRINTF_LIKE(2, 3);

static void doubt(struct preview *p, const char *format, ...)
{
    va_list args;
    if (p->ndoubts == PREVIEW_DOUBTS)
        return;
    va_start(args, format);
    vsnprintf(p->doubt[p->ndoubts++].text, sizeof p->doubt[0].text, format, args);
    va_end(args);
}

/* ---- the sample ---- */

static bool is_moment(const char *text, size_t n, bool number)
{
    int64_t us;
    return time_parse(text, n, 0, &us) && (!number || n == 8 || n >= 9) && (!number || us > INT64_C(315532800) * US_PER_SECOND);
}

/* Dates such as 3/1/2026, and whether they tell which of the two is the month. */
static bool look_at_date(struct look *l, const struct cell *cell)
{
    int64_t us;
    bool day = time_parse_dates(cell->text, cell->n, DATES_DMY, 0, &us), month = time_parse_dates(cell->text, cell->n, DATES_MDY, 0, &us);
    l->dates += day || month;
    l->days_first += day && !month;
    l->months_first += month && !day;
    return day || month;
}

static enum status look_at(struct look *l, size_t row, const struct cell *cell, struct error *err)
{
    double value = 0;
    int64_t whole;
    l->code[row] = NO_CODE;
    if (cell_untimed(cell)) /* the usual marks of a missing value */
        return ST_OK;
    bool code = cell->n > 1 && cell->text[0] == '0' && cell->text[1] >= '0' && cell->text[1] <= '9';
    bool number = !code && number_real(cell->text, cell->n, &value);
    bool first = l->texts == 0;
    l->texts++;
    l->reals += number;
    l->whole += number_int(cell->text, cell->n, &whole);
    l->times += is_moment(cell->text, cell->n, number) || (!number && look_at_date(l, cell));
    l->spaces += memchr(cell->text, ' ', cell->n) != NULL;
    l->least = first ? value : fmin(l->least, value);
    l->most = first ? value : fmax(l->most, value);
    return dict_add(&l->levels, cell->text, cell->n, &l->code[row], err);
}

static enum status take_sample(struct sample *s, struct error *err)
{
    struct sheet_mark mark = sheet_look(&s->t);
    bool more = true;
    enum status st = ST_OK;
    s->n = s->t.names.n < PREVIEW_COLUMNS ? s->t.names.n : PREVIEW_COLUMNS;
    s->look = mem_new(s->n, sizeof *s->look, "a look at columns", err);
    if (!s->look)
        st = ST_NOMEM;
    for (size_t c = 0; c < s->n && !st; c++) {
        s->look[c].code = mem_new_raw(ROWS_MOST, sizeof *s->look[c].code, "a look at columns", err);
        st = s->look[c].code ? ST_OK : ST_NOMEM;
    }
    while (!st && s->rows < ROWS_MOST) {
        st = sheet_next(&s->t, &more, err);
        if (st || !more)
            break;
        if (s->t.bad)
            continue;
        for (size_t c = 0; c < s->n && !st; c++)
            st = look_at(&s->look[c], s->rows, &s->t.row.cells[c], err);
        s->rows++;
    }
    s->out->whole = !more && s->out->whole;
    sheet_rewind(&s->t, &mark);
    return st;
}

/* ---- what a column is ---- */

static bool mostly(size_t part, size_t all)
{
    return all > 0 && part * 10 >= all * 9;
}

static const char *type_of(const struct look *l)
{
    if (mostly(l->times, l->texts))
        return "time";
    if (l->texts && l->whole == l->texts)
        return "int";
    return l->texts && l->reals == l->texts ? "real" : "text";
}

static bool is_taken(const struct sample *s, uint32_t column)
{
    for (int i = 0; i < ROLES; i++)
        if (s->roles.column[i] == column)
            return true;
    return false;
}

static const char *name_of(const struct sample *s, uint32_t column)
{
    return dict_text(&s->t.names, column);
}

static bool name_says(const struct sample *s, uint32_t column, const char *const *words)
{
    for (; *words; words++)
        if (text_find(name_of(s, column), *words))
            return true;
    return false;
}

/* Does the column hold what users do? */
static bool holds_actions(const struct look *l)
{
    static const char *const words[] = {"view",  "click", "cart",  "purchase", "buy",    "transaction", "play", "like",
                                        "share", "order", "impression", "listen",   "rating", "favorite",    "bookmark"};
    bool any = false;
    for (uint32_t k = 0; k < l->levels.n && l->levels.n <= FEW_TYPES; k++)
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            any |= text_find(dict_text(&l->levels, k), words[w]) != NULL;
    return any && l->levels.n > 1;
}

/* Could it be the id of something: many values that come again, neither fractions nor prose? */
static bool may_be_id(const struct sample *s, uint32_t c)
{
    const struct look *l = &s->look[c];
    bool fraction = l->reals == l->texts && l->whole != l->texts;
    return !is_taken(s, c) && l->texts * 10 >= s->rows * 9 && l->levels.n > 1 && !fraction && !mostly(l->times, l->texts);
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
    static const char *const users[] = {"user", "cust", "client", "visit", "member", "person", "account", "device", "buyer",
                                        "shopper", "kund", "nutzer", "besucher", "utilisat", "usuari", "utent", NULL};
    static const char *const items[] = {"item", "prod", "sku", "article", "movie", "song", "book", "game", "page",
                                        "asin", "title", "track", "artist", "goods", "offer", "ad_id", "artik", "articul",
                                        "ware", NULL};
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
        doubt(s->out, "user and item are guessed: %s has %u values, %s has %u; swap them where that is wrong",
              name_of(s, found[swap]), s->look[found[swap]].levels.n, name_of(s, found[!swap]),
              s->look[found[!swap]].levels.n);
    }
    return ST_OK;
}

/* dates= where the time needs it and it was not said: by a day past 12, or as spreadsheets of the USA have it. */
static void guess_dates(struct sample *s)
{
    uint32_t time = s->roles.column[ROLE_TIME];
    if (time == NO_CODE || ingest_mapped(s->in, "dates") || !mostly(s->look[time].dates, s->look[time].texts))
        return;
    const struct look *l = &s->look[time];
    const char *text = dict_text(&l->levels, 0);
    if (is_moment(text, strlen(text), false))
        return;
    s->dates = l->days_first > l->months_first ? "dmy" : "mdy";
    if (!l->days_first == !l->months_first)
        doubt(s->out, "does %s begin with the day or the month? dates=mdy is guessed, dates=dmy the other way", name_of(s, time));
}

static void guess_rest(struct sample *s)
{
    for (uint32_t c = 0; c < s->n; c++) {
        const struct look *l = &s->look[c];
        if (is_taken(s, c) || l->texts == 0)
            continue;
        if (!roles_has(&s->roles, ROLE_TIME) && mostly(l->times, l->texts))
            guess(s, ROLE_TIME, c);
        else if (!roles_has(&s->roles, ROLE_TYPE) && l->reals == 0 && holds_actions(l))
            guess(s, ROLE_TYPE, c);
        else if (!roles_has(&s->roles, ROLE_VALUE) && l->reals == l->texts && l->levels.n > 2 && l->levels.n <= 20 &&
                 l->least >= 0 && l->most <= 10)
            guess(s, ROLE_VALUE, c);
    }
}

static bool has_times(const struct sample *s)
{
    for (uint32_t c = 0; c < s->n; c++)
        if (mostly(s->look[c].times, s->look[c].texts))
            return true;
    return false;
}

/* Does it look like things that are shown to people: titles, prices and such? */
static bool names_say_items(const struct sample *s)
{
    static const char *const words[] = {"title", "price", "genre", "categor", "brand", "product", "author", "artist", NULL};
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
        any |= s->t.header && (name_says(s, c, words) || text_same(name_of(s, c), "age"));
    return any;
}

/* Its column called id has another value in every row, and the others or the file's name say what of: NULL where they do not. */
static const char *table_by_id(const struct sample *s, const char *path)
{
    uint32_t id = dict_find_text(&s->t.names, "id");
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    if (id == NO_CODE || id >= s->n || !s->rows || s->look[id].levels.n < s->rows)
        return NULL;
    bool items = names_say_items(s) || text_starts(file, "items."), users = names_say_users(s) || text_starts(file, "users.");
    return items ? "items" : users ? "users" : NULL;
}

/* A table of one thing a row, with nobody who does anything to it: its id goes to where a user stands, whose column it is then. */
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
        if (text_same(name_of(s, c), "id") && is_unique(s, c)) {
            guess(s, ROLE_USER, c);
            return names_say_items(s) ? "items" : "users";
        }
    size_t ids = 0;
    for (uint32_t c = 0; c < s->n; c++)
        ids += is_id(s, c);
    return ids < 2 || s->n > 30 ? "users" : NULL;
}

/* Is the column a function of the role's ids, by rows that have the same id? Constants prove nothing. */
static bool depends(const struct sample *s, uint32_t c, enum role role)
{
    const struct look *key = &s->look[s->roles.column[role]], *l = &s->look[c];
    if (l->levels.n < 2 || key->levels.n < 2 || l->levels.n > key->levels.n)
        return false;
    uint32_t *first = mem_new_raw(key->levels.n, sizeof *first, "a look at columns", NULL);
    size_t repeats = 0;
    bool holds = first != NULL;
    for (uint32_t k = 0; first && k < key->levels.n; k++)
        first[k] = NO_CODE;
    for (size_t r = 0; r < s->rows && holds; r++) {
        uint32_t k = key->code[r];
        if (k == NO_CODE || l->code[r] == NO_CODE)
            continue;
        repeats += first[k] != NO_CODE;
        holds = first[k] == NO_CODE || first[k] == l->code[r];
        first[k] = l->code[r];
    }
    mem_free(first);
    return holds && repeats >= REPEATS;
}

/* ---- what is told ---- */

static void put_pair(struct str *out, const char *key, const char *value, void (*quote)(struct str *, const char *))
{
    if (out->length)
        str_putc(out, ' ');
    str_printf(out, "%s=", key);
    quote(out, value);
}

static void tell_column(struct sample *s, uint32_t c, struct str *mapping, void (*quote)(struct str *, const char *))
{
    struct preview_column *p = &s->out->column[c];
    const struct look *l = &s->look[c];
    snprintf(p->name, sizeof p->name, "%s", name_of(s, c));
    p->type = type_of(l);
    p->by = "";
    p->seen = s->rows;
    p->missing = s->rows - l->texts;
    p->distinct = l->levels.n;
    for (uint32_t k = 0; k < PREVIEW_EXAMPLES && k < l->levels.n; k++)
        snprintf(p->example[k], sizeof p->example[k], "%.*s", (int)text_fit(dict_text(&l->levels, k), dict_length(&l->levels, k), 40),
                 dict_text(&l->levels, k));
    char number[24];
    snprintf(number, sizeof number, "%u", c + 1);
    const char *called = s->t.header ? p->name : number;
    for (int i = 0; i < ROLES; i++) {
        if (s->roles.column[i] != c || (s->out->table && i != ROLE_USER))
            continue;
        snprintf(p->role, sizeof p->role, "%s", s->out->table ? "id" : role_names[i]);
        p->by = s->guessed[i] ? "content" : ingest_mapped(s->in, role_names[i]) ? "said" : s->t.header ? "name" : "place";
        if (s->guessed[i])
            put_pair(mapping, p->role, called, quote);
    }
    if (p->role[0] || s->out->table || !s->t.header)
        return;
    for (int role = ROLE_USER; role <= ROLE_ITEM; role++)
        if (!text_starts(p->name, role == ROLE_USER ? "item." : "user.") && s->roles.column[role] != NO_CODE && depends(s, c, (enum role)role)) {
            const char *name = name_of(s, c);
            bool prefixed = text_starts(name, role == ROLE_USER ? "user." : "item.");
            snprintf(p->role, sizeof p->role, "%s.%s", role_names[role], prefixed ? name + 5 : name);
            p->by = "content";
            put_pair(mapping, p->role, called, quote);
            return;
        }
}

static void tell_form(struct sample *s)
{
    const struct dialect *d = &s->t.dialect;
    const char *between = d->delimiter == '\t' ? "tabs" : d->delimiter == ' ' ? "blanks" : d->delimiter == ',' ? "commas" : NULL;
    char own[4] = {d->delimiter, d->twice ? d->delimiter : 0, 0, 0};
    const char *encoding = s->t.feed->converted ? "Latin-1" : s->t.feed->plain ? "ASCII" : "UTF-8";
    if (s->t.json)
        snprintf(s->out->form, sizeof s->out->form, "one JSON object a line, %s", encoding);
    else
        snprintf(s->out->form, sizeof s->out->form, "%s between columns, %s, %s", between ? between : own,
                 s->t.header ? "a header" : "no header", encoding);
}

static void find_doubts(struct sample *s)
{
    struct preview *p = s->out;
    if (p->table)
        doubt(p, strcmp(p->table, "users") == 0 ? "nothing says which item: taken for a table of users (item==NAME makes events of its rows)"
                                                : "nothing says who: taken for a table of items (user=COLUMN makes events of its rows)");
    for (uint32_t c = 0; c < s->n && !roles_has(&s->roles, ROLE_TYPE) && !p->table; c++)
        if (!p->column[c].role[0] && s->look[c].reals == 0 && s->look[c].levels.n > 1 && s->look[c].levels.n <= FEW_TYPES &&
            s->rows >= 50) {
            doubt(p, "%s has %u values: type=%s where it says what the user did", name_of(s, c), s->look[c].levels.n,
                  name_of(s, c));
            return;
        }
}

/* Finds the roles by what was said, by names, then by content. */
static enum status find_roles(struct sample *s, const char *path, struct error *err)
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

static enum status tell_all(struct sample *s, void (*quote)(struct str *, const char *), struct error *err)
{
    struct str mapping = {0};
    struct preview *p = s->out;
    for (size_t i = 0; i < s->in->nmapping; i++)
        put_pair(&mapping, s->in->mapping[i].key, s->in->mapping[i].value, quote);
    tell_form(s);
    p->ncolumns = s->n;
    p->rows = s->rows;
    for (uint32_t c = 0; c < s->n; c++)
        tell_column(s, c, &mapping, quote);
    if (p->table && s->roles.column[ROLE_USER] == NO_CODE)
        put_pair(&mapping, "id", "row", quote);
    if (s->dates)
        put_pair(&mapping, "dates", s->dates, quote);
    s->no_item = !p->table && roles_has(&s->roles, ROLE_USER) && !roles_has(&s->roles, ROLE_ITEM);
    if (s->no_item) {
        put_pair(&mapping, "item", "=item", quote);
        doubt(p, "no column looks like the item: all rows are of one item, \"item\"");
    }
    find_doubts(s);
    snprintf(p->mapping, sizeof p->mapping, "%s", str_text(&mapping));
    enum status st = mapping.failed ? error_nomem(err, mapping.length, "a mapping") : ST_OK;
    str_free(&mapping);
    return st;
}

static uint64_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
}

static enum status look_at_file(struct sample *s, const char *path, void (*quote)(struct str *, const char *),
                                struct error *err)
{
    s->out->whole = !s->in->opened->cut;
    size_t window = foreign_mine(path) ? 0 : s->in->opened->end - s->in->opened->at;
    enum status st = ingest_open(s->in, path, NULL, &s->t, err);
    if (st)
        return st;
    st = take_sample(s, err);
    if (!st)
        st = find_roles(s, path, err);
    if (!st)
        st = tell_all(s, quote, err);
    if (!s->out->whole && s->rows && s->rows < ROWS_MOST && window)
        s->out->rows_guessed = (uint64_t)((double)size_of(path) / (double)window * (double)s->rows);
    for (size_t c = 0; s->look && c < s->n; c++) {
        dict_clear(&s->look[c].levels);
        mem_free(s->look[c].code);
    }
    mem_free(s->look);
    roles_clear(&s->roles);
    ingest_close(s->in, &s->t);
    return st;
}

/* The mapping that is proposed, as keys and values, from what was said and what was guessed. */
static enum status read_head(const struct sample *s, const char *path, struct job *job, struct error *err)
{
    struct preview *p = s->out;
    struct mapping *all = mem_new(s->in->nmapping + p->ncolumns + 2, sizeof *all, "a mapping", err);
    struct error trouble = {0};
    size_t n = 0;
    char (*number)[8] = mem_new(p->ncolumns + 1, sizeof *number, "a mapping", err);
    if (!all || !number) {
        mem_free(all);
        mem_free(number);
        return ST_NOMEM;
    }
    for (size_t i = 0; i < s->in->nmapping; i++)
        all[n++] = s->in->mapping[i];
    for (size_t c = 0; c < p->ncolumns; c++) {
        if (strcmp(p->column[c].by, "content") != 0)
            continue;
        snprintf(number[c], sizeof *number, "%u", (unsigned)(c + 1) % 1000000);
        all[n++] = (struct mapping){p->column[c].role, strstr(p->form, "no header") ? number[c] : p->column[c].name};
    }
    if (s->dates)
        all[n++] = (struct mapping){"dates", s->dates};
    if (s->no_item)
        all[n++] = (struct mapping){"item", "=item"};
    enum status st = ingest_head(path, all, n, job, &p->head, &p->report, &trouble);
    if (st == ST_NOMEM || st == ST_CANCELLED) {
        if (err)
            *err = trouble;
    } else if (st) {
        snprintf(p->trouble, sizeof p->trouble, "%s", trouble.message);
        st = ST_OK;
    }
    mem_free(all);
    mem_free(number);
    return st;
}

enum status ingest_preview(const char *path, const struct mapping *mapping, size_t nmapping,
                           void (*quote)(struct str *out, const char *text), struct job *job, struct preview *out,
                           struct error *err)
{
    enum { HEAD = 64 << 10 };
    memset(out, 0, sizeof *out);
    struct ingest_report scratch = {0};
    struct ingest in = {
        .job = job, .report = &scratch, .mapping = mapping, .nmapping = nmapping, .head = true};
    struct sample s = {.in = &in, .out = out};
    const struct reader *reader = NULL;
    in.data = dataset_new("head", err);
    enum status st = in.data ? ingest_options(&in, true, err) : ST_NOMEM;
    if (!st && !path_is_folder(path)) {
        st = ingest_feed(&in, path, &in.opened, err);
        if (!st) {
            size_t n = in.opened->end - in.opened->at;
            reader = ingest_pick(&in, path, in.opened->data + in.opened->at, n < HEAD ? n : HEAD);
        }
        if (!st && (reader == &reader_csv || reader == &reader_jsonl))
            st = look_at_file(&s, path, quote, err);
    }
    feed_close(in.opened);
    dataset_release(in.data);
    in.opened = NULL;
    if (!st && !out->table)
        st = read_head(&s, path, job, err);
    out->reader = out->head ? out->report.reader : reader ? reader->name : "folder";
    return st;
}
