/* Tables that SQL can ask and that lie somewhere else: in columns in memory, in models, in notes of the workspace.
 *
 * A room below fills in a `struct sql_table` and lists it; select.h runs statements over them. SQLite stays in here.
 *
 * What a statement compares is handed down where a column says that it can take it, as tests that must hold exactly:
 *
 *   TEXT columns   equal to one of some texts            (=, IN)
 *   INT, TIME      low <= x <= high                      (=, <, <=, >, >=, BETWEEN)
 *   REAL           real_low <= x <= real_high
 *
 * Times are microseconds inside and ISO 8601 text in SQL. Wherever a time column is compared, pushed down or not, the
 * other side is read as a time (ISO 8601, a date, epoch) and moments are compared.
 *
 * Columns with COLUMN_ARGUMENT make a function of the table: `select * from similar('ease', 'tent')`. */
#ifndef TAILOR_STORE_SQL_TABLE_H
#define TAILOR_STORE_SQL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum sql_type { SQL_TEXT, SQL_INT, SQL_REAL, SQL_TIME };

enum sql_column_flags {
    SQL_PUSH = 1,      /* comparisons are handed to the cursor */
    SQL_SEEK = 2,      /* and only the rows that fit are touched */
    SQL_HIDDEN = 4,    /* not part of `*` */
    SQL_ARGUMENT = 8,  /* of a function: hidden, must be given as = */
    SQL_OPTIONAL = 16, /* an argument that may be left out */
};

struct sql_column {
    char *name;
    enum sql_type type;
    unsigned flags;
    double share;    /* of the rows that one value has, for the planner: 1 / users; 0: not known */
    const char *doc; /* what it means; static, or as long-lived as the context */
};

struct sql_columns {
    struct sql_column *column;
    size_t n, capacity;
};

/* Appends a column. SQL does not tell `Age` from `age`: a name that is taken gets "_2", "_3", ... */
MUST_CHECK enum status sql_columns_add(struct sql_columns *set, const char *name, enum sql_type type, unsigned flags,
                                       double share, const char *doc, struct error *err);
void sql_columns_clear(struct sql_columns *set);

struct sql_text {
    const char *text;
    size_t length;
};

/* One thing that every row must fulfil. Texts live until filter returns. */
struct sql_test {
    size_t column;
    const struct sql_text *texts; /* TEXT: any of these, distinct or not */
    size_t ntexts;
    int64_t low, high;            /* INT, TIME; low <= high */
    double real_low, real_high;   /* REAL; not NaN */
};

/* Where column() puts the value of a cell. One call each; none is null. */
struct sql_cell;
void sql_put_null(struct sql_cell *cell);
void sql_put_text(struct sql_cell *cell, const char *text, size_t n); /* copied */
void sql_put_fixed(struct sql_cell *cell, const char *text, size_t n); /* lives as long as the context: not copied */
void sql_put_int(struct sql_cell *cell, int64_t v);
void sql_put_real(struct sql_cell *cell, double v); /* NaN is null */
void sql_put_time(struct sql_cell *cell, int64_t us); /* NO_TIME is null */

/* One way through the rows. `context` is that of the statement (select.h) and outlives the cursor. */
struct sql_table {
    const void *own; /* whatever the table's functions want to know about it */
    const char *name, *summary; /* in one line, what a row is */
    bool function;              /* its columns include arguments */
    bool few;                   /* counting its rows by going through them takes no time */
    /* Appends the columns, in the order of `*`. */
    enum status (*columns)(void *context, const struct sql_table *table, struct sql_columns *out, struct error *err);
    /* Rows without any test: exact for a table, expected for one call of a function. */
    double (*rows)(void *context, const struct sql_table *table);
    enum status (*open)(void *context, const struct sql_table *table, void **cursor, struct error *err);
    /* Goes before the first row that passes all tests. `used` has a bit for each column that may be asked for, the last
     * for all from 63 on. May be called again. */
    enum status (*filter)(void *cursor, const struct sql_test *tests, size_t n, uint64_t used, struct error *err);
    /* To the next row; *row = false when there is none. */
    enum status (*next)(void *cursor, bool *row, struct error *err);
    enum status (*column)(void *cursor, size_t column, struct sql_cell *out, struct error *err);
    /* The number of the present row, the same however it was come by. */
    int64_t (*row)(void *cursor);
    void (*close)(void *cursor);
    /* How many rows are left behind filter, without going through them; NULL: nobody knows better. */
    enum status (*count)(void *cursor, uint64_t *rows, struct error *err);
};

/* The value of an argument of a function, or of a cell of a result. */
enum sql_kind { SQL_NULL, SQL_IS_INT, SQL_IS_REAL, SQL_IS_TEXT, SQL_IS_BYTES };
struct sql_value {
    enum sql_kind kind;
    int64_t integer;
    double real;
    const char *text; /* TEXT (with its end mark; NULL when there was no memory for it), BYTES */
    size_t length;
};

/* A scalar function: score('ease', user, item). */
struct sql_function {
    const char *name, *usage, *summary;
    int min, max; /* arguments */
    enum status (*call)(void *context, const struct sql_value *args, size_t n, struct sql_cell *out, struct error *err);
};

/* The test of a column, or NULL. */
const struct sql_test *sql_test_of(const struct sql_test *tests, size_t n, size_t column);

#endif
