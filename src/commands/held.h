/* Tables of SQL that are made in pieces: a function fills one piece after the other with rows, and what a statement
 * compares is tested here. A table with a piece for each user makes those of the users asked about only. */
#ifndef TAILOR_COMMANDS_HELD_H
#define TAILOR_COMMANDS_HELD_H

#include "commands/pinned.h"
#include "result/result.h"

struct held_column {
    const char *name;
    enum sql_type type;
    unsigned flags;
    const char *doc;
};

struct held_cursor;

struct held {
    const struct held_column *columns;
    size_t ncolumns;
    double rows; /* expected; 0: as many as events */
    bool needs_data;
    /* The column that holds the user: a piece is one user's rows, its number the user. SIZE_MAX: pieces are counted
     * from 0. */
    size_t user_column;
    /* Makes ready for a statement's tests; *pieces is 1. May be NULL. */
    enum status (*begin)(struct held_cursor *c, size_t *pieces, struct error *err);
    /* Appends the rows of a piece. */
    enum status (*fill)(struct held_cursor *c, size_t piece, struct table *out, struct error *err);
    /* Frees what begin left in `own`. May be NULL. */
    void (*end)(struct held_cursor *c);
};

struct held_cursor {
    struct pinned *pinned;
    const struct held *held;
    struct sql_test *tests; /* of this statement, owned */
    size_t ntests;
    struct sql_text *texts;
    struct str copies;
    uint32_t *users;        /* asked about; NULL: all */
    size_t pieces, next_piece;
    struct result *rows;    /* of the present piece */
    struct table *table;
    size_t at, row;
    void *own;
};

/* The slots of a sql_table whose `own` is a struct held. */
enum status held_columns(void *context, const struct sql_table *table, struct sql_columns *out, struct error *err);
double held_rows(void *context, const struct sql_table *table);
enum status held_open(void *context, const struct sql_table *table, void **out, struct error *err);
enum status held_filter(void *cursor, const struct sql_test *tests, size_t n, uint64_t used, struct error *err);
enum status held_next(void *cursor, bool *row, struct error *err);
enum status held_column(void *cursor, size_t column, struct sql_cell *out, struct error *err);
int64_t held_row(void *cursor);
void held_close(void *cursor);

#define HELD_SLOTS                                                                                                     \
    .columns = held_columns, .rows = held_rows, .open = held_open, .filter = held_filter, .next = held_next,           \
    .column = held_column, .row = held_row, .close = held_close

/* The text that a column is compared with, or NULL: any. With several, the first. */
const char *held_text(const struct held_cursor *c, size_t column);
/* Can rows with this text in the column pass? */
bool held_wants(const struct held_cursor *c, size_t column, const char *text);
/* The whole number a column must be, else `otherwise`. */
int64_t held_int(const struct held_cursor *c, size_t column, int64_t otherwise);

#endif
