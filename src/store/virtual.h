/* SQLite's side of sql_table.h; for the files of the store only. */
#ifndef TAILOR_STORE_VIRTUAL_H
#define TAILOR_STORE_VIRTUAL_H

#include <sqlite3.h>

#include "base/text.h"
#include "store/select.h"

/* A connection and what its tables share. */
struct virtual_space {
    const struct sql_scope *scope;
    sqlite3 *db;
    struct error failed; /* what a table or a function said last, whole; SQLite passes on the message only */
    bool inexact;        /* a fast count met what it cannot decide */
    bool declaring;      /* SQLite is being told the columns of a table, which is no statement of anybody */
};

/* Begins the names of the modules that count only; their one column with a value. */
#define COUNT_PREFIX "count of "
#define COUNT_COLUMN "number of rows"

/* Makes all tables and functions known. Returns an SQLite code. */
int virtual_register(struct virtual_space *space);
/* The type of a column by its declaration; false when it is none of ours. */
bool virtual_type(const char *declared, enum sql_type *type);

/* Bytes of the name, number, quoted text or sign that begins at text[at]; at least 1. */
size_t virtual_token(const char *text, size_t n, size_t at);
/* Of a plain count(*) over one table, appends the statement that asks the table for it: quick.c. False: it is another.
 */
bool virtual_quick_count(const struct sql_scope *scope, const char *text, size_t n, struct str *out);

/* A value of SQLite as ours. Text stays SQLite's. */
struct sql_value virtual_value(sqlite3_value *v);

#endif
