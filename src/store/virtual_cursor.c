/* Going through the rows of a table for SQLite. */
#include "base/mem.h"
#include "store/virtual_parts.h"

struct cursor {
    sqlite3_vtab_cursor base;
    void *own; /* the table's */
    bool row;  /* there is a present row */
    uint64_t count;
    sqlite3_value **arguments; /* a column, NULL where it is none: what a function was called with */
};

static void forget_arguments(struct cursor *c, size_t ncolumns)
{
    for (size_t i = 0; i < ncolumns; i++) {
        sqlite3_value_free(c->arguments[i]);
        c->arguments[i] = NULL;
    }
}

/* Arguments are columns, too: SQLite asks for them. */
static enum status keep_arguments(struct cursor *c, const struct vtab *tab, const struct plan *plan,
                                  sqlite3_value **values, struct error *err)
{
    forget_arguments(c, tab->columns.n);
    for (size_t i = 0; i < plan->n; i++) {
        size_t column = plan->tests[i].column;
        if (!(tab->columns.column[column].flags & SQL_ARGUMENT))
            continue;
        c->arguments[column] = sqlite3_value_dup(values[i]);
        if (!c->arguments[column])
            return error_nomem(err, 0, "an argument");
    }
    return ST_OK;
}

int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
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
        return virtual_fail(m->space, base, st, &err);
    }
    *out = &c->base;
    return SQLITE_OK;
}

static const struct vtab *table_of(const sqlite3_vtab_cursor *base)
{
    return (const struct vtab *)base->pVtab;
}

int cursor_close(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    const struct vtab *tab = table_of(base);
    tab->module->table->close(c->own);
    forget_arguments(c, tab->columns.n);
    mem_free(c->arguments);
    sqlite3_free(c);
    return SQLITE_OK;
}

static enum status begin_rows(struct cursor *c, const struct vtab *tab, const struct gather *g, uint64_t used,
                              struct error *err)
{
    const struct sql_table *t = tab->module->table;
    c->row = tab->module->counting;
    c->count = 0;
    if (g->impossible)
        return ST_OK;
    enum status st = t->filter(c->own, g->tests, g->n, tab->module->counting ? 0 : used, err);
    if (st)
        return st;
    return tab->module->counting ? t->count(c->own, &c->count, err) : t->next(c->own, &c->row, err);
}

int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int n, sqlite3_value **values)
{
    struct cursor *c = (struct cursor *)base;
    const struct vtab *tab = table_of(base);
    const struct plan *plan = &tab->plans[number];
    struct error err = {0};
    struct gather g = {.tab = tab, .err = &err};
    (void)text;
    (void)n;
    enum status st = keep_arguments(c, tab, plan, values, &err);
    if (!st)
        st = gather_tests(&g, plan, values);
    if (!st)
        st = begin_rows(c, tab, &g, plan->used, &err);
    gather_clear(&g);
    return st                            ? virtual_fail(tab->module->space, base->pVtab, st, &err)
           : tab->module->space->inexact ? SQLITE_ABORT
                                         : SQLITE_OK;
}

int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    const struct module *m = table_of(base)->module;
    struct error err;
    if (m->counting) {
        c->row = false;
        return SQLITE_OK;
    }
    enum status st = m->table->next(c->own, &c->row, &err);
    return st ? virtual_fail(m->space, base->pVtab, st, &err) : SQLITE_OK;
}

int cursor_at_end(sqlite3_vtab_cursor *base)
{
    return !((struct cursor *)base)->row;
}

int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
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
    return st ? virtual_fail(m->space, base->pVtab, st, &err) : SQLITE_OK;
}

int cursor_row(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const struct module *m = table_of(base)->module;
    m->space->inexact |= m->counting;
    *out = m->counting ? 0 : m->table->row(((struct cursor *)base)->own);
    return m->counting ? SQLITE_ABORT : SQLITE_OK;
}
