/* Statements of users: SQL that only reads, over the tables and functions of a context.
 *
 * Each statement has a connection of its own to an empty database in memory; there is nothing else it could reach. An
 * authorizer lets it read and call functions, and nothing more: no ATTACH, no PRAGMA, no writing, no extension.
 * Lengths, depth and columns are limited; what does not fit into memory while sorting goes to nameless temporary files.
 *
 * $NAME in a statement is a bound parameter, never part of its text. */
#ifndef TAILOR_STORE_SELECT_H
#define TAILOR_STORE_SELECT_H

#include "base/job.h"
#include "store/sql_table.h"

/* What a statement may ask. All of it outlives the statement. */
struct sql_scope {
    const struct sql_table *const *tables;
    size_t ntables;
    const struct sql_function *const *functions;
    size_t nfunctions;
    void *context; /* handed to tables and functions */
    /* The value of $NAME, or NULL. May be NULL: there are no variables. */
    const char *(*variable)(void *context, const char *name);
    struct job *job; /* a cancel ends the statement */
};

struct select;

/* One statement, text[0..n), without its `;`. Errors mark their place in the text and say what name was meant. */
MUST_CHECK enum status select_open(const struct sql_scope *scope, const char *text, size_t n, struct select **out,
                                   struct error *err);
void select_close(struct select *s); /* NULL is fine */
size_t select_columns(const struct select *s);
const char *select_name(const struct select *s, size_t column);
/* The declared type of a column that is one of a table; false for an expression. */
bool select_type(const struct select *s, size_t column, enum sql_type *type);
/* The next row; *row = false at the end. */
MUST_CHECK enum status select_next(struct select *s, bool *row, struct error *err);
/* A cell of the present row; its text is valid until the next call of select_next. */
struct sql_value select_value(struct select *s, size_t column);
/* Back to before the first row. */
void select_rewind(struct select *s);

#endif
