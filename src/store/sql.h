/* SQLite as the store uses it: statements with typed parameters, transactions, and SQLite's word turned into an error.
 */
#ifndef TAILOR_STORE_SQL_H
#define TAILOR_STORE_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* SQLite's last error on this connection as ours: memory, disk, damage, busy. `rc` is what the call returned. */
enum status sql_error(sqlite3 *db, int rc, struct error *err);

/* Runs statements without parameters. */
MUST_CHECK enum status sql_run(sqlite3 *db, const char *sql, struct error *err);

/* Prepares one statement and binds its parameters in order. `types` has a letter for each:
 *   i  int64_t      t  const char * (NULL: null)      b  const void *, size_t
 * Text and bytes must live until the statement is finalized or bound anew. */
MUST_CHECK enum status sql_query(sqlite3 *db, sqlite3_stmt **out, struct error *err, const char *sql, const char *types,
                                 ...);
/* Binds anew, after a reset. */
MUST_CHECK enum status sql_bind(sqlite3_stmt *s, struct error *err, const char *types, ...);
/* The next row, or *row = false at the end. */
MUST_CHECK enum status sql_step(sqlite3_stmt *s, bool *row, struct error *err);
/* sql_query, stepped to the end, finalized. */
MUST_CHECK enum status sql_do(sqlite3 *db, struct error *err, const char *sql, const char *types, ...);
/* The first column of the first row; *found (may be NULL) tells whether there is one. */
MUST_CHECK enum status sql_int(sqlite3 *db, int64_t *out, bool *found, struct error *err, const char *sql,
                               const char *types, ...);

/* Text of a column, "" for null; valid until the next step. */
const char *sql_text(sqlite3_stmt *s, int column);
/* Bytes of a column; ST_NOMEM when SQLite could not read them whole. */
MUST_CHECK enum status sql_bytes(sqlite3_stmt *s, int column, const void **bytes, size_t *n, struct error *err);

/* Begins a transaction; `write` takes the write lock at once. A transaction that a failed rollback left open is ended
 * first. */
MUST_CHECK enum status sql_begin(sqlite3 *db, bool write, struct error *err);
/* Commits when st is ST_OK, else rolls back. Returns st, or why the commit failed. */
MUST_CHECK enum status sql_end(sqlite3 *db, enum status st, struct error *err);

#endif
