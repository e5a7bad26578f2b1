/* Tables of sql_table.h as virtual tables of SQLite, and their functions.
 *
 * What xBestIndex takes over goes to xFilter as a line of text: the columns used as hexadecimal bits and ":", then one
 * piece a constraint, "COLUMN OPERATOR FLAGS;", in the order of the values. Functions need their arguments: a plan without them is refused. */
#include "store/virtual.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static const char time_type[] = "TIME TEXT", moment_collation[] = "MOMENT";

/* A table as it is registered: `counting` gives one row with the number of rows, for select.c's fast count. */
struct module {
    struct virtual_space *space;
    const struct sql_table *table;
    bool counting;
};

struct vtab {
    sqlite3_vtab base;
    const struct module *module;
    struct sql_columns columns;
};

struct cursor {
    sqlite3_vtab_cursor base;
    void *own; /* the table's */
    bool row;  /* there is a present row */
    uint64_t count;
    sqlite3_value **arguments; /* a column, NULL where it is none: what a function was called with */
};

/* ---- columns ---- */

static bool taken(const struct sql_columns *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++)
        if (text_same(set->column[i].name, name))
            return true;
    return false;
}

enum status sql_columns_add(struct sql_columns *set, const char *name, enum sql_type type, unsigned flags, double share,
                            const char *doc, struct error *err)
{
    struct str own = {0};
    str_puts(&own, *name ? name : "column");
    size_t stem = own.length;
    for (int i = 2; !own.failed && taken(set, str_text(&own)); i++) {
        own.length = stem;
        str_printf(&own, "_%d", i);
    }
    enum status st = own.failed ? error_nomem(err, stem, "a column") : mem_grow(&set->column, &set->capacity, set->n + 1, sizeof *set->column, err);
    char *copy = st ? NULL : mem_strdup(str_text(&own), err);
    str_free(&own);
    if (!copy)
        return st ? st : ST_NOMEM;
    set->column[set->n++] = (struct sql_column){copy, type, flags, share, doc};
    return ST_OK;
}

void sql_columns_clear(struct sql_columns *set)
{
    for (size_t i = 0; i < set->n; i++)
        mem_free(set->column[i].name);
    mem_free(set->column);
    *set = (struct sql_columns){0};
}

const struct sql_test *sql_test_of(const struct sql_test *tests, size_t n, size_t column)
{
    for (size_t i = 0; i < n; i++)
        if (tests[i].column == column)
            return &tests[i];
    return NULL;
}

bool virtual_type(const char *declared, enum sql_type *type)
{
    static const char *const names[] = {[SQL_TEXT] = "TEXT", [SQL_INT] = "INTEGER", [SQL_REAL] = "REAL", [SQL_TIME] = time_type};
    for (size_t i = 0; declared && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], declared) == 0) {
            *type = (enum sql_type)i;
            return true;
        }
    return false;
}

/* ---- values ---- */

static sqlite3_context *context_of(struct sql_cell *cell)
{
    return (sqlite3_context *)cell;
}

void sql_put_null(struct sql_cell *cell)
{
    sqlite3_result_null(context_of(cell));
}

void sql_put_text(struct sql_cell *cell, const char *text, size_t n)
{
    sqlite3_result_text64(context_of(cell), text, n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void sql_put_fixed(struct sql_cell *cell, const char *text, size_t n)
{
    sqlite3_result_text64(context_of(cell), text, n, SQLITE_STATIC, SQLITE_UTF8);
}

void sql_put_int(struct sql_cell *cell, int64_t v)
{
    sqlite3_result_int64(context_of(cell), v);
}

void sql_put_real(struct sql_cell *cell, double v)
{
    sqlite3_result_double(context_of(cell), v);
}

void sql_put_time(struct sql_cell *cell, int64_t us)
{
    char text[40];
    if (us == NO_TIME) {
        sql_put_null(cell);
        return;
    }
    int n = time_iso(text, sizeof text, us);
    sql_put_text(cell, text, (size_t)n);
}

struct sql_value virtual_value(sqlite3_value *v)
{
    struct sql_value out = {0};
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER:
        out.kind = SQL_IS_INT;
        out.integer = sqlite3_value_int64(v);
        out.real = (double)out.integer;
        break;
    case SQLITE_FLOAT:
        out.kind = SQL_IS_REAL;
        out.real = sqlite3_value_double(v);
        break;
    case SQLITE_TEXT:
        out.kind = SQL_IS_TEXT;
        out.text = (const char *)sqlite3_value_text(v);
        out.length = (size_t)sqlite3_value_bytes(v);
        break;
    case SQLITE_BLOB:
        out.kind = SQL_IS_BYTES;
        out.text = sqlite3_value_blob(v);
        out.length = (size_t)sqlite3_value_bytes(v);
        break;
    default:
        break;
    }
    return out;
}

/* ---- errors ---- */

static int code_of(enum status st)
{
    return st == ST_NOMEM ? SQLITE_NOMEM : st == ST_CANCELLED ? SQLITE_INTERRUPT : SQLITE_ERROR;
}

/* Keeps the whole error; SQLite carries its sentence. */
static int fail(struct virtual_space *space, sqlite3_vtab *tab, enum status st, const struct error *err)
{
    space->failed = *err;
    space->failed.code = st;
    if (tab) {
        sqlite3_free(tab->zErrMsg);
        tab->zErrMsg = sqlite3_mprintf("%s", err->message);
    }
    return code_of(st);
}

/* ---- connecting ---- */

static void put_name(sqlite3_str *s, const char *name)
{
    sqlite3_str_appendf(s, "\"%w\"", name);
}

static int declare(sqlite3 *db, const struct vtab *tab)
{
    static const char *const types[] = {"TEXT", "INTEGER", "REAL", "TIME TEXT COLLATE MOMENT"};
    sqlite3_str *s = sqlite3_str_new(db);
    sqlite3_str_appendall(s, "CREATE TABLE x(");
    for (size_t i = 0; i < tab->columns.n; i++) {
        const struct sql_column *c = &tab->columns.column[i];
        sqlite3_str_appendall(s, i ? ", " : "");
        put_name(s, c->name);
        sqlite3_str_appendf(s, " %s%s", types[c->type], c->flags & (SQL_HIDDEN | SQL_ARGUMENT) ? " HIDDEN" : "");
    }
    sqlite3_str_appendall(s, tab->module->counting ? ", \"" COUNT_COLUMN "\" INTEGER HIDDEN)" : ")");
    char *text = sqlite3_str_finish(s);
    tab->module->space->declaring = true;
    int rc = text ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;
    tab->module->space->declaring = false;
    sqlite3_free(text);
    return rc;
}

static int connect_table(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **message)
{
    const struct module *m = aux;
    struct error err = {0};
    (void)argc;
    (void)argv;
    struct vtab *tab = sqlite3_malloc(sizeof *tab);
    if (!tab)
        return SQLITE_NOMEM;
    *tab = (struct vtab){.module = m};
    enum status st = m->table->columns(m->space->scope->context, m->table, &tab->columns, &err);
    int rc = st ? fail(m->space, NULL, st, &err) : declare(db, tab);
    if (st)
        *message = sqlite3_mprintf("%s", err.message);
    if (rc != SQLITE_OK) {
        sql_columns_clear(&tab->columns);
        sqlite3_free(tab);
        return rc;
    }
    *out = &tab->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *base)
{
    struct vtab *tab = (struct vtab *)base;
    sql_columns_clear(&tab->columns);
    sqlite3_free(tab);
    return SQLITE_OK;
}

/* ---- planning ---- */

enum plan_flags { PLAN_IN = 1, PLAN_LITERAL = 2 };

struct plan {
    sqlite3_index_info *info;
    const struct vtab *tab;
    sqlite3_str *text;
    double rows, touched;
    int taken;
    uint64_t arguments; /* given */
};

static char operator_of(unsigned char op)
{
    switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return '=';
    case SQLITE_INDEX_CONSTRAINT_LT:
        return '<';
    case SQLITE_INDEX_CONSTRAINT_LE:
        return 'l';
    case SQLITE_INDEX_CONSTRAINT_GT:
        return '>';
    case SQLITE_INDEX_CONSTRAINT_GE:
        return 'g';
    default:
        return 0;
    }
}

/* Is the comparison the one that the column makes by itself? */
static bool plain_collation(const struct plan *p, int i, enum sql_type type)
{
    const char *name = sqlite3_vtab_collation(p->info, i);
    if (type == SQL_INT || type == SQL_REAL)
        return true;
    return sqlite3_stricmp(name, type == SQL_TIME ? moment_collation : "BINARY") == 0;
}

static void estimate(struct plan *p, const struct sql_column *c, char op, bool in)
{
    double all = p->tab->module->table->rows(p->tab->module->space->scope->context, p->tab->module->table), share = op == '=' ? c->share : 1.0 / 4;
    if (share <= 0)
        share = op == '=' ? .1 : 1.0 / 4;
    if (in)
        share = fmin(share * 8, .5);
    p->rows *= share;
    if (c->flags & SQL_SEEK && p->touched > all * share)
        p->touched = all * share;
}

static void take(struct plan *p, int i)
{
    const struct sqlite3_index_constraint *k = &p->info->aConstraint[i];
    char op = operator_of(k->op);
    if (!k->usable || !op || k->iColumn < 0 || (size_t)k->iColumn >= p->tab->columns.n)
        return;
    const struct sql_column *c = &p->tab->columns.column[k->iColumn];
    bool argument = c->flags & SQL_ARGUMENT;
    if (!(c->flags & (SQL_PUSH | SQL_ARGUMENT)) || (c->type == SQL_TEXT && op != '=') || (argument && op != '='))
        return;
    if (argument && (p->arguments >> k->iColumn & 1))
        return;
    if (!argument && !plain_collation(p, i, c->type))
        return;
    sqlite3_value *literal = NULL;
    bool in = !argument && c->type == SQL_TEXT && sqlite3_vtab_in(p->info, i, 1);
    bool known = sqlite3_vtab_rhs_value(p->info, i, &literal) == SQLITE_OK && literal;
    sqlite3_str_appendf(p->text, "%d%c%d;", k->iColumn, op, (in ? PLAN_IN : 0) | (known ? PLAN_LITERAL : 0));
    p->info->aConstraintUsage[i].argvIndex = ++p->taken;
    p->info->aConstraintUsage[i].omit = argument || c->type != SQL_TEXT || known || in || p->tab->module->counting;
    if (argument)
        p->arguments |= UINT64_C(1) << k->iColumn;
    else
        estimate(p, c, op, in);
}

/* A function without an argument that it needs: SQLITE_CONSTRAINT when another plan may have it, else an error. */
static int check_arguments(const struct plan *p)
{
    for (size_t i = 0; i < p->tab->columns.n; i++) {
        const struct sql_column *c = &p->tab->columns.column[i];
        bool later = false;
        if (!(c->flags & SQL_ARGUMENT) || (p->arguments >> i & 1))
            continue;
        for (int j = 0; j < p->info->nConstraint; j++)
            later |= p->info->aConstraint[j].iColumn == (int)i && p->info->aConstraint[j].op == SQLITE_INDEX_CONSTRAINT_EQ;
        if (later)
            return SQLITE_CONSTRAINT;
        if (!(c->flags & SQL_OPTIONAL)) {
            struct error err = {0};
            const struct sql_table *t = p->tab->module->table;
            error_set(&err, ST_USAGE, "%s() needs %s", t->name, c->name);
            error_hint(&err, "`describe %s` shows how it is called", t->name);
            return fail(p->tab->module->space, &((struct vtab *)(uintptr_t)p->tab)->base, ST_USAGE, &err);
        }
    }
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    struct vtab *tab = (struct vtab *)base;
    const struct sql_table *t = tab->module->table;
    struct plan p = {.info = info, .tab = tab, .rows = t->rows(tab->module->space->scope->context, t)};
    p.touched = p.rows;
    p.text = sqlite3_str_new(tab->module->space->db);
    sqlite3_str_appendf(p.text, "%llx:", (unsigned long long)info->colUsed);
    for (int i = 0; i < info->nConstraint; i++)
        take(&p, i);
    info->idxStr = sqlite3_str_finish(p.text);
    info->needToFreeIdxStr = info->idxStr != NULL;
    if (!info->idxStr)
        return SQLITE_NOMEM;
    /* A row that is tested costs a nanosecond or two, one that is handed over a hundred; a call of a function much more. */
    double rows = fmax(p.rows, 1);
    info->estimatedRows = (sqlite3_int64)fmin(rows, 1e15);
    info->estimatedCost = (t->function ? 1e5 : 10) + rows + p.touched / 64;
    int rc = check_arguments(&p);
    if (rc != SQLITE_OK && rc != SQLITE_CONSTRAINT) { /* then SQLite does not free it */
        sqlite3_free(info->idxStr);
        info->idxStr = NULL;
        info->needToFreeIdxStr = 0;
    }
    return rc;
}

/* ---- what xFilter is told ---- */

/* Tests being put together. Texts of IN lists are copied: SQLite forgets each for the next. */
struct gather {
    struct sql_test *tests;
    size_t n;
    struct sql_text *texts;
    size_t ntexts, capacity;
    struct str copies;
    bool impossible;
    uint64_t used;
    const struct vtab *tab;
    struct error *err;
};

static struct sql_test *range_test(struct gather *g, size_t column)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->tests[i].column == column)
            return &g->tests[i];
    g->tests[g->n] = (struct sql_test){.column = column, .low = INT64_MIN + 1, .high = INT64_MAX, .real_low = -INFINITY, .real_high = INFINITY};
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
    g->texts[g->ntexts++] = (struct sql_text){copy ? NULL : text, n}; /* the place of a copy is known when all are made */
    if (copy)
        str_append(&g->copies, text, n + 1);
    return g->copies.failed ? error_nomem(g->err, n, "a condition") : ST_OK;
}

/* A test of text: its texts are found by number until all are gathered. */
static enum status gather_text(struct gather *g, size_t column, sqlite3_value *v, int flags)
{
    size_t first = g->ntexts;
    enum status st = ST_OK;
    int type = sqlite3_value_type(v);
    if (flags & PLAN_IN) {
        sqlite3_value *one;
        int rc = sqlite3_vtab_in_first(v, &one);
        for (; rc == SQLITE_OK && one && !st; rc = st ? rc : sqlite3_vtab_in_next(v, &one))
            st = add_text(g, one, true);
        if (rc == SQLITE_NOMEM)
            st = error_nomem(g->err, 0, "a condition");
    } else if (!(flags & PLAN_LITERAL) && (type == SQLITE_INTEGER || type == SQLITE_FLOAT)) {
        /* Whether text or numbers are compared depends on where the number comes from; SQLite knows. */
        g->tab->module->space->inexact |= g->tab->module->counting;
        return ST_OK;
    } else {
        st = add_text(g, v, false);
    }
    g->tests[g->n++] = (struct sql_test){.column = column, .low = (int64_t)first, .ntexts = g->ntexts - first};
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
    narrow_real(t, op, off >= 0 ? nextafter(near, -INFINITY) : near, at_most, at_least, off <= 0 ? nextafter(near, INFINITY) : near);
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
        enum status st = error_set(g->err, ST_USAGE, "%s is compared with \"%s\", which is no time", g->tab->columns.column[column].name, text);
        error_hint(g->err, "write times as '2025-03-01', '2025-03-01 14:30', '2025-03-01T14:30:00Z', or as seconds since 1970");
        return st;
    }
    narrow_whole(g, t, op, us);
    g->impossible |= t->low > t->high;
    return ST_OK;
}

/* Reads the plan and the values into tests. */
static enum status gather_tests(struct gather *g, struct cursor *c, const char *plan, sqlite3_value **values)
{
    enum status st = ST_OK;
    char *end;
    g->used = strtoull(plan, &end, 16);
    plan = end + 1;
    for (size_t i = 0; *plan && !st; i++) {
        size_t column = strtoul(plan, &end, 10);
        char op = *end;
        int flags = end[1] - '0';
        plan = end + 3;
        const struct sql_column *k = &g->tab->columns.column[column];
        if (k->flags & SQL_ARGUMENT) {
            c->arguments[column] = sqlite3_value_dup(values[i]);
            if (!c->arguments[column])
                return error_nomem(g->err, 0, "an argument");
        }
        if (k->type == SQL_TEXT)
            st = gather_text(g, column, values[i], k->flags & SQL_ARGUMENT ? PLAN_LITERAL : flags);
        else if (k->type == SQL_TIME)
            st = gather_time(g, column, op, values[i]);
        else
            gather_number(g, column, k->type, op, values[i]);
    }
    if (!st)
        settle_texts(g);
    return st;
}

static void forget_arguments(struct cursor *c, size_t ncolumns)
{
    for (size_t i = 0; i < ncolumns; i++) {
        sqlite3_value_free(c->arguments[i]);
        c->arguments[i] = NULL;
    }
}

/* ---- cursors ---- */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    const struct vtab *tab = (struct vtab *)base;
    const struct module *m = tab->module;
    struct error err = {0};
    struct cursor *c = sqlite3_malloc(sizeof *c);
    if (!c)
        return SQLITE_NOMEM;
    *c = (struct cursor){0};
    c->arguments = mem_new(tab->columns.n, sizeof *c->arguments, "arguments", &err);
    enum status st = c->arguments ? m->table->open(m->space->scope->context, m->table, &c->own, &err) : ST_NOMEM;
    if (st) {
        mem_free(c->arguments);
        sqlite3_free(c);
        return fail(m->space, base, st, &err);
    }
    *out = &c->base;
    return SQLITE_OK;
}

static const struct vtab *table_of(const sqlite3_vtab_cursor *base)
{
    return (const struct vtab *)base->pVtab;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    const struct vtab *tab = table_of(base);
    tab->module->table->close(c->own);
    forget_arguments(c, tab->columns.n);
    mem_free(c->arguments);
    sqlite3_free(c);
    return SQLITE_OK;
}

static enum status begin_rows(struct cursor *c, const struct vtab *tab, const struct gather *g, struct error *err)
{
    const struct sql_table *t = tab->module->table;
    c->row = tab->module->counting;
    c->count = 0;
    if (g->impossible)
        return ST_OK;
    enum status st = t->filter(c->own, g->tests, g->n, tab->module->counting ? 0 : g->used, err);
    if (st)
        return st;
    return tab->module->counting ? t->count(c->own, &c->count, err) : t->next(c->own, &c->row, err);
}

static int filter_cursor(sqlite3_vtab_cursor *base, int plan, const char *text, int n, sqlite3_value **values)
{
    struct cursor *c = (struct cursor *)base;
    const struct vtab *tab = table_of(base);
    struct error err = {0};
    struct gather g = {.tab = tab, .err = &err};
    (void)plan;
    forget_arguments(c, tab->columns.n);
    g.tests = mem_new((size_t)n, sizeof *g.tests, "a condition", &err);
    enum status st = g.tests ? gather_tests(&g, c, text, values) : ST_NOMEM;
    if (!st)
        st = begin_rows(c, tab, &g, &err);
    mem_free(g.tests);
    mem_free(g.texts);
    str_free(&g.copies);
    return st ? fail(tab->module->space, base->pVtab, st, &err) : tab->module->space->inexact ? SQLITE_ABORT : SQLITE_OK;
}

static int next_row(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    const struct module *m = table_of(base)->module;
    struct error err;
    if (m->counting) {
        c->row = false;
        return SQLITE_OK;
    }
    enum status st = m->table->next(c->own, &c->row, &err);
    return st ? fail(m->space, base->pVtab, st, &err) : SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
    return !((struct cursor *)base)->row;
}

static int put_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
    struct cursor *c = (struct cursor *)base;
    const struct vtab *tab = table_of(base);
    const struct module *m = tab->module;
    if (m->counting) {
        if ((size_t)column == tab->columns.n) {
            sqlite3_result_int64(out, (sqlite3_int64)c->count);
            return SQLITE_OK;
        }
        m->space->inexact = true;
        return SQLITE_ABORT;
    }
    if (c->arguments[column]) {
        sqlite3_result_value(out, c->arguments[column]);
        return SQLITE_OK;
    }
    struct error err;
    enum status st = m->table->column(c->own, (size_t)column, (struct sql_cell *)out, &err);
    return st ? fail(m->space, base->pVtab, st, &err) : SQLITE_OK;
}

static int row_number(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const struct module *m = table_of(base)->module;
    m->space->inexact |= m->counting;
    *out = m->counting ? 0 : m->table->row(((struct cursor *)base)->own);
    return m->counting ? SQLITE_ABORT : SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 2,
    .xConnect = connect_table,
    .xBestIndex = best_index,
    .xDisconnect = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter_cursor,
    .xNext = next_row,
    .xEof = at_end,
    .xColumn = put_column,
    .xRowid = row_number,
};

/* ---- functions ---- */

enum { MOST_ARGUMENTS = 8 };

struct call {
    struct virtual_space *space;
    const struct sql_function *function;
};

static void call_function(sqlite3_context *out, int n, sqlite3_value **values)
{
    const struct call *call = sqlite3_user_data(out);
    const struct sql_function *f = call->function;
    struct sql_value args[MOST_ARGUMENTS];
    struct error err = {0};
    enum status st = ST_OK;
    if (n < f->min || n > f->max)
        st = error_set(&err, ST_USAGE, "it is %s", f->usage);
    for (int i = 0; i < n && !st; i++) {
        args[i] = virtual_value(values[i]);
        if (args[i].kind == SQL_IS_TEXT && !args[i].text)
            st = error_nomem(&err, args[i].length, "an argument");
    }
    if (!st)
        st = f->call(call->space->scope->context, args, (size_t)n, (struct sql_cell *)out, &err);
    if (!st)
        return;
    sqlite3_result_error_code(out, fail(call->space, NULL, st, &err));
    if (st != ST_NOMEM)
        sqlite3_result_error(out, err.message, -1);
}

/* Two texts as moments. Times come before what is none, and what is none goes by its bytes. */
static int compare_moments(void *context, int na, const void *a, int nb, const void *b)
{
    enum { CANONICAL = 20 }; /* 2025-03-01T14:30:00Z */
    const char *x = a, *y = b;
    int64_t tx, ty;
    (void)context;
    if (na == CANONICAL && nb == CANONICAL && x[10] == 'T' && y[10] == 'T' && x[19] == 'Z' && y[19] == 'Z')
        return memcmp(x, y, CANONICAL);
    bool is_x = time_parse(x, (size_t)na, 0, &tx), is_y = time_parse(y, (size_t)nb, 0, &ty);
    if (is_x && is_y)
        return (tx > ty) - (tx < ty);
    if (is_x != is_y)
        return is_x ? -1 : 1;
    int order = memcmp(x, y, (size_t)(na < nb ? na : nb));
    return order ? order : (na > nb) - (na < nb);
}

static int register_table(struct virtual_space *space, const struct sql_table *table, bool counting)
{
    char *name = sqlite3_mprintf("%s%s", counting ? COUNT_PREFIX : "", table->name);
    struct module *m = sqlite3_malloc(sizeof *m);
    int rc = SQLITE_NOMEM;
    if (name && m) {
        *m = (struct module){space, table, counting};
        rc = sqlite3_create_module_v2(space->db, name, &module, m, sqlite3_free); /* frees m when it fails, too */
        m = NULL;
    }
    sqlite3_free(m);
    sqlite3_free(name);
    return rc;
}

static int register_function(struct virtual_space *space, const struct sql_function *function)
{
    struct call *call = sqlite3_malloc(sizeof *call);
    if (!call)
        return SQLITE_NOMEM;
    *call = (struct call){space, function};
    return sqlite3_create_function_v2(space->db, function->name, -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, call, call_function, NULL, NULL, sqlite3_free);
}

int virtual_register(struct virtual_space *space)
{
    const struct sql_scope *scope = space->scope;
    int rc = sqlite3_create_collation_v2(space->db, moment_collation, SQLITE_UTF8, NULL, compare_moments, NULL);
    for (size_t i = 0; i < scope->ntables && rc == SQLITE_OK; i++) {
        rc = register_table(space, scope->tables[i], false);
        if (rc == SQLITE_OK && scope->tables[i]->count)
            rc = register_table(space, scope->tables[i], true);
    }
    for (size_t i = 0; i < scope->nfunctions && rc == SQLITE_OK; i++)
        rc = register_function(space, scope->functions[i]);
    return rc;
}
