/* Tables of sql_table.h as virtual tables of SQLite, and their functions. */
#include "store/virtual.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/virtual_parts.h"

/* ---- connecting ---- */

static void put_name(sqlite3_str *s, const char *name)
{
    sqlite3_str_appendf(s, "\"%w\"", name);
}

static int declare(sqlite3 *db, const struct vtab *tab)
{
    static const char *const types[] = {"TEXT", "INTEGER", "REAL", TIME_TYPE};
    sqlite3_str *s = sqlite3_str_new(db);
    sqlite3_str_appendall(s, "CREATE TABLE x(");
    for (size_t i = 0; i < tab->columns.n; i++) {
        const struct sql_column *c = &tab->columns.column[i];
        sqlite3_str_appendall(s, i ? ", " : "");
        put_name(s, c->name);
        sqlite3_str_appendf(s, " %s%s%s", types[c->type], c->flags & (SQL_HIDDEN | SQL_ARGUMENT) ? " HIDDEN" : "",
                            c->type == SQL_TIME ? " COLLATE " MOMENT_COLLATION : "");
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
    int rc = st ? virtual_fail(m->space, NULL, st, &err) : declare(db, tab);
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
    virtual_forget_plans(tab);
    sql_columns_clear(&tab->columns);
    sqlite3_free(tab);
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 2,
    .xConnect = connect_table,
    .xBestIndex = virtual_best_index,
    .xDisconnect = disconnect_table,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_at_end,
    .xColumn = cursor_column,
    .xRowid = cursor_row,
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
    sqlite3_result_error_code(out, virtual_fail(call->space, NULL, st, &err));
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
    return sqlite3_create_function_v2(space->db, function->name, -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, call,
                                      call_function, NULL, NULL, sqlite3_free);
}

int virtual_register(struct virtual_space *space)
{
    const struct sql_scope *scope = space->scope;
    int rc = sqlite3_create_collation_v2(space->db, MOMENT_COLLATION, SQLITE_UTF8, NULL, compare_moments, NULL);
    for (size_t i = 0; i < scope->ntables && rc == SQLITE_OK; i++) {
        rc = register_table(space, scope->tables[i], false);
        if (rc == SQLITE_OK && scope->tables[i]->count)
            rc = register_table(space, scope->tables[i], true);
    }
    for (size_t i = 0; i < scope->nfunctions && rc == SQLITE_OK; i++)
        rc = register_function(space, scope->functions[i]);
    return rc;
}
