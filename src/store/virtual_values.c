#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/virtual_parts.h"

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
    enum status st = own.failed ? error_nomem(err, stem, "a column")
                                : mem_grow(&set->column, &set->capacity, set->n + 1, sizeof *set->column, err);
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
    static const char *const names[] = {
        [SQL_TEXT] = "TEXT", [SQL_INT] = "INTEGER", [SQL_REAL] = "REAL", [SQL_TIME] = TIME_TYPE};
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

int virtual_fail(struct virtual_space *space, sqlite3_vtab *tab, enum status st, const struct error *err)
{
    space->failed = *err;
    space->failed.code = st;
    if (tab) {
        sqlite3_free(tab->zErrMsg);
        tab->zErrMsg = sqlite3_mprintf("%s", err->message);
    }
    return code_of(st);
}
