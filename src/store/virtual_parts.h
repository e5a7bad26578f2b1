/* What the files of virtual tables share: virtual.c registers them, virtual_plan.c says to the planner what a table
 * takes over, virtual_tests.c makes tests of the values compared with, virtual_cursor.c goes through the rows,
 * virtual_values.c has the columns, the values and the errors between SQLite and a table. */
#ifndef TAILOR_STORE_VIRTUAL_PARTS_H
#define TAILOR_STORE_VIRTUAL_PARTS_H

#include "store/virtual.h"

/* The declared type of times, and the collation that compares them. */
#define TIME_TYPE "TIME TEXT"
#define MOMENT_COLLATION "MOMENT"

/* A table as it is registered: `counting` gives one row with the number of rows, for select.c's fast count. */
struct module {
    struct virtual_space *space;
    const struct sql_table *table;
    bool counting;
};

/* One constraint that xBestIndex took over. */
struct planned {
    size_t column;
    char op;      /* = < > and, or equal, l g */
    bool in;      /* with any of a list */
    bool literal; /* with a value that stands in the statement */
};

/* What xFilter is told: SQLite carries only the plan's place in the list of its table. (It loses texts of plans when
 * memory runs out.) The tests stand in the order of the values. */
struct plan {
    uint64_t used; /* columns, as of sql_table.filter */
    struct planned *tests;
    size_t n, capacity;
    struct str text; /* for EXPLAIN QUERY PLAN */
};

struct vtab {
    sqlite3_vtab base;
    const struct module *module;
    struct sql_columns columns;
    struct plan *plans;
    size_t nplans, capacity;
};

/* Keeps the whole error; SQLite carries its sentence. Returns SQLite's code of it. */
int virtual_fail(struct virtual_space *space, sqlite3_vtab *tab, enum status st, const struct error *err);

/* ---- plans ---- */

int virtual_best_index(sqlite3_vtab *base, sqlite3_index_info *info);
void virtual_forget_plans(struct vtab *tab);

/* ---- tests ---- */

/* Tests being put together. Texts of IN lists are copied: SQLite forgets each for the next. */
struct gather {
    struct sql_test *tests;
    size_t n;
    struct sql_text *texts;
    size_t ntexts, capacity;
    struct str copies;
    bool impossible; /* no row can pass */
    const struct vtab *tab;
    struct error *err;
};

/* The tests of a plan with these values, with their texts; valid until the values are gone. Clear also after an error.
 */
MUST_CHECK enum status gather_tests(struct gather *g, const struct plan *plan, sqlite3_value **values);
void gather_clear(struct gather *g);

/* ---- cursors ---- */

int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out);
int cursor_close(sqlite3_vtab_cursor *base);
int cursor_filter(sqlite3_vtab_cursor *base, int plan, const char *text, int n, sqlite3_value **values);
int cursor_next(sqlite3_vtab_cursor *base);
int cursor_at_end(sqlite3_vtab_cursor *base);
int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column);
int cursor_row(sqlite3_vtab_cursor *base, sqlite3_int64 *out);

#endif
