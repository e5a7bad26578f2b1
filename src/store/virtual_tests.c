/* The values that a statement compares with, made into tests that must hold exactly. */
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/virtual_parts.h"

static struct sql_test *range_test(struct gather *g, size_t column)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->tests[i].column == column)
            return &g->tests[i];
    g->tests[g->n] = (struct sql_test){
        .column = column, .low = INT64_MIN + 1, .high = INT64_MAX, .real_low = -INFINITY, .real_high = INFINITY};
    return &g->tests[g->n++];
}

static enum status add_text(struct gather *g, sqlite3_value *v, bool copy)
{
    if (sqlite3_value_type(v) == SQLITE_NULL || sqlite3_value_type(v) == SQLITE_BLOB)
        return ST_OK;
    const char *text = (const char *)sqlite3_value_text(v);
    size_t n = (size_t)sqlite3_value_bytes(v);
    if (!text)
        return error_nomem(g->err, n, "a condition");
    enum status st = mem_grow(&g->texts, &g->capacity, g->ntexts + 1, sizeof *g->texts, g->err);
    if (st)
        return st;
    g->texts[g->ntexts++] =
        (struct sql_text){copy ? NULL : text, n}; /* the place of a copy is known when all are made */
    if (copy)
        str_append(&g->copies, text, n + 1);
    return g->copies.failed ? error_nomem(g->err, n, "a condition") : ST_OK;
}

/* A test of text: its texts are found by number until all are gathered. */
static enum status gather_text(struct gather *g, const struct planned *plan, sqlite3_value *v)
{
    size_t first = g->ntexts;
    enum status st = ST_OK;
    int type = sqlite3_value_type(v);
    if (plan->in) {
        sqlite3_value *one;
        int rc = sqlite3_vtab_in_first(v, &one);
        for (; rc == SQLITE_OK && one && !st; rc = st ? rc : sqlite3_vtab_in_next(v, &one))
            st = add_text(g, one, true);
        if (rc == SQLITE_NOMEM)
            st = error_nomem(g->err, 0, "a condition");
    } else if (!plan->literal && (type == SQLITE_INTEGER || type == SQLITE_FLOAT)) {
        /* Whether text or numbers are compared depends on where the number comes from; SQLite knows. */
        g->tab->module->space->inexact |= g->tab->module->counting;
        return ST_OK;
    } else {
        st = add_text(g, v, false);
    }
    g->tests[g->n++] = (struct sql_test){.column = plan->column, .low = (int64_t)first, .ntexts = g->ntexts - first};
    g->impossible |= g->ntexts == first;
    return st;
}

static void settle_texts(struct gather *g)
{
    const char *copy = str_text(&g->copies);
    for (size_t i = 0; i < g->ntexts; i++)
        if (!g->texts[i].text) {
            g->texts[i].text = copy;
            copy += g->texts[i].length + 1;
        }
    for (size_t i = 0; i < g->n; i++)
        if (g->tab->columns.column[g->tests[i].column].type == SQL_TEXT)
            g->tests[i].texts = g->texts + g->tests[i].low;
}

static void narrow(struct sql_test *t, char op, int64_t below, int64_t at_most, int64_t at_least, int64_t above)
{
    if (op == '<' || op == 'l' || op == '=') {
        int64_t high = op == '<' ? below : at_most;
        t->high = high < t->high ? high : t->high;
    }
    if (op == '>' || op == 'g' || op == '=') {
        int64_t low = op == '>' ? above : at_least;
        t->low = low > t->low ? low : t->low;
    }
}

static void narrow_real(struct sql_test *t, char op, double below, double at_most, double at_least, double above)
{
    if (op == '<' || op == 'l' || op == '=')
        t->real_high = fmin(t->real_high, op == '<' ? below : at_most);
    if (op == '>' || op == 'g' || op == '=')
        t->real_low = fmax(t->real_low, op == '>' ? above : at_least);
}

static void narrow_whole(struct gather *g, struct sql_test *t, char op, int64_t i)
{
    g->impossible |= (i == INT64_MIN && op == '<') || (i == INT64_MAX && op == '>');
    narrow(t, op, i == INT64_MIN ? i : i - 1, i, i, i == INT64_MAX ? i : i + 1);
}

/* Whole numbers against a fraction: the nearest whole ones on either side. */
static void narrow_to_real(struct gather *g, struct sql_test *t, char op, double x)
{
    const double limit = 9223372036854775808.0;
    bool above = x >= limit, below = x < -limit;
    if (isnan(x) || (op == '=' && (above || below || x != floor(x))) || (above && (op == '>' || op == 'g')) ||
        (below && (op == '<' || op == 'l')))
        g->impossible = true;
    else if (!above && !below) {
        int64_t down = (int64_t)floor(x), up = ceil(x) >= limit ? INT64_MAX : (int64_t)ceil(x);
        narrow(t, op, (double)down == x ? (down > INT64_MIN ? down - 1 : down) : down, down, up,
               (double)up == x ? (up < INT64_MAX ? up + 1 : up) : up);
    }
}

/* Reals against a whole number, exactly: 2^53 + 1 lies between two doubles. */
static void real_against_whole(struct gather *g, struct sql_test *t, char op, int64_t i)
{
    double near = (double)i;
    long double off = (long double)near - (long double)i;
    double at_most = off > 0 ? nextafter(near, -INFINITY) : near, at_least = off < 0 ? nextafter(near, INFINITY) : near;
    g->impossible |= op == '=' && off != 0;
    narrow_real(t, op, off >= 0 ? nextafter(near, -INFINITY) : near, at_most, at_least,
                off <= 0 ? nextafter(near, INFINITY) : near);
}

static void gather_number(struct gather *g, size_t column, enum sql_type type, char op, sqlite3_value *v)
{
    struct sql_test *t = range_test(g, column);
    switch (sqlite3_value_numeric_type(v)) {
    case SQLITE_INTEGER:
        if (type == SQL_INT)
            narrow_whole(g, t, op, sqlite3_value_int64(v));
        else
            real_against_whole(g, t, op, sqlite3_value_int64(v));
        break;
    case SQLITE_FLOAT: {
        double x = sqlite3_value_double(v);
        if (type == SQL_INT)
            narrow_to_real(g, t, op, x);
        else
            narrow_real(t, op, nextafter(x, -INFINITY), x, x, nextafter(x, INFINITY));
        break;
    }
    case SQLITE_NULL:
        g->impossible = true;
        break;
    default: /* every number is less than any text */
        g->impossible |= op == '=' || op == '>' || op == 'g';
    }
    g->impossible |= type == SQL_INT ? t->low > t->high : t->real_low > t->real_high;
}

static enum status gather_time(struct gather *g, size_t column, char op, sqlite3_value *v)
{
    struct sql_test *t = range_test(g, column);
    int64_t us;
    if (sqlite3_value_type(v) == SQLITE_NULL) {
        g->impossible = true;
        return ST_OK;
    }
    const char *text = (const char *)sqlite3_value_text(v);
    if (!text)
        return error_nomem(g->err, 0, "a condition");
    if (!time_parse(text, (size_t)sqlite3_value_bytes(v), 0, &us)) {
        enum status st = error_set(g->err, ST_USAGE, "%s is compared with \"%s\", which is no time",
                                   g->tab->columns.column[column].name, text);
        error_hint(g->err,
                   "write times as '2025-03-01', '2025-03-01 14:30', '2025-03-01T14:30:00Z', or as seconds since 1970");
        return st;
    }
    narrow_whole(g, t, op, us);
    g->impossible |= t->low > t->high;
    return ST_OK;
}


enum status gather_tests(struct gather *g, const struct plan *plan, sqlite3_value **values)
{
    enum status st = ST_OK;
    g->tests = mem_new(plan->n, sizeof *g->tests, "a condition", g->err);
    if (!g->tests)
        return ST_NOMEM;
    for (size_t i = 0; i < plan->n && !st; i++) {
        const struct planned *p = &plan->tests[i];
        enum sql_type type = g->tab->columns.column[p->column].type;
        if (type == SQL_TEXT)
            st = gather_text(g, p, values[i]);
        else if (type == SQL_TIME)
            st = gather_time(g, p->column, p->op, values[i]);
        else
            gather_number(g, p->column, type, p->op, values[i]);
    }
    if (!st)
        settle_texts(g);
    return st;
}

void gather_clear(struct gather *g)
{
    mem_free(g->tests);
    mem_free(g->texts);
    str_free(&g->copies);
}
