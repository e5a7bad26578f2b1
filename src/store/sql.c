#include "store/sql.h"

#include <stdarg.h>

static enum status status_of(int rc, int extended)
{
    if (extended == SQLITE_IOERR_NOMEM)
        return ST_NOMEM;
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return ST_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ST_BUSY;
    case SQLITE_INTERRUPT:
        return ST_CANCELLED;
    case SQLITE_TOOBIG:
        return ST_UNSUPPORTED;
    case SQLITE_NOTADB:
        return ST_FORMAT;
    /* All statements are ours: one that does not fit the file says that the file's schema was altered. */
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_CORRUPT:
        return ST_CORRUPT;
    default:
        return ST_IO;
    }
}

/* A file may not grow: of a limit or a quota SQLite says less than of a full disk. */
static bool write_failed(int extended)
{
    return extended == SQLITE_IOERR_WRITE || extended == SQLITE_IOERR_SHMSIZE || extended == SQLITE_IOERR_TRUNCATE ||
           extended == SQLITE_IOERR_FSYNC;
}

enum status sql_error(sqlite3 *db, int rc, struct error *err)
{
    enum status st = status_of(rc, sqlite3_extended_errcode(db));
    const char *file = sqlite3_db_filename(db, "main");
    if (st == ST_NOMEM)
        return error_set(err, st, "not enough memory for the workspace");
    error_set(err, st, "the workspace cannot be used: %s", sqlite3_errmsg(db));
    if (file && *file)
        error_source(err, "%s", file);
    if (st == ST_CORRUPT)
        error_hint(err, "the file is damaged; go back to a copy of it, or load the data again into a new workspace");
    else if ((rc & 0xff) == SQLITE_FULL || write_failed(sqlite3_extended_errcode(db)))
        error_hint(err, "make room on the disk and try again; what was there before is unharmed");
    else if ((rc & 0xff) == SQLITE_CANTOPEN)
        error_hint(
            err,
            "a workspace that was not closed needs a folder that can be written to: copy it there, and its -wal file");
    else if (st == ST_BUSY)
        error_hint(err, "another program holds the file; try again when it is done");
    return st;
}

enum status sql_run(sqlite3 *db, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ST_OK : sql_error(db, rc, err);
}

static enum status bind(sqlite3_stmt *s, struct error *err, const char *types, va_list args)
{
    for (int i = 1; *types; i++, types++) {
        int rc = SQLITE_OK;
        if (*types == 'i') {
            rc = sqlite3_bind_int64(s, i, va_arg(args, int64_t));
        } else if (*types == 't') {
            rc = sqlite3_bind_text(s, i, va_arg(args, const char *), -1, SQLITE_STATIC);
        } else {
            const void *bytes = va_arg(args, const void *);
            size_t n = va_arg(args, size_t);
            rc = n ? sqlite3_bind_blob64(s, i, bytes, n, SQLITE_STATIC) : sqlite3_bind_zeroblob(s, i, 0);
        }
        if (rc != SQLITE_OK)
            return sql_error(sqlite3_db_handle(s), rc, err);
    }
    return ST_OK;
}

enum status sql_bind(sqlite3_stmt *s, struct error *err, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    enum status st = bind(s, err, types, args);
    va_end(args);
    return st;
}

static enum status query(sqlite3 *db, sqlite3_stmt **out, struct error *err, const char *sql, const char *types,
                         va_list args)
{
    *out = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, out, NULL);
    if (rc != SQLITE_OK)
        return sql_error(db, rc, err);
    enum status st = bind(*out, err, types, args);
    if (st) {
        sqlite3_finalize(*out);
        *out = NULL;
    }
    return st;
}

enum status sql_query(sqlite3 *db, sqlite3_stmt **out, struct error *err, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    enum status st = query(db, out, err, sql, types, args);
    va_end(args);
    return st;
}

enum status sql_step(sqlite3_stmt *s, bool *row, struct error *err)
{
    int rc = sqlite3_step(s);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ST_OK : sql_error(sqlite3_db_handle(s), rc, err);
}

enum status sql_do(sqlite3 *db, struct error *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *s;
    va_list args;
    va_start(args, types);
    enum status st = query(db, &s, err, sql, types, args);
    va_end(args);
    for (bool row = true; !st && row;)
        st = sql_step(s, &row, err);
    sqlite3_finalize(s);
    return st;
}

enum status sql_int(sqlite3 *db, int64_t *out, bool *found, struct error *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *s;
    bool row = false;
    va_list args;
    va_start(args, types);
    enum status st = query(db, &s, err, sql, types, args);
    va_end(args);
    if (!st)
        st = sql_step(s, &row, err);
    *out = row ? sqlite3_column_int64(s, 0) : 0;
    if (found)
        *found = row;
    sqlite3_finalize(s);
    return st;
}

const char *sql_text(sqlite3_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s, column);
    return text ? (const char *)text : "";
}

enum status sql_bytes(sqlite3_stmt *s, int column, const void **bytes, size_t *n, struct error *err)
{
    *bytes = sqlite3_column_blob(s, column);
    *n = (size_t)sqlite3_column_bytes(s, column);
    if (!*bytes && sqlite3_errcode(sqlite3_db_handle(s)) == SQLITE_NOMEM)
        return sql_error(sqlite3_db_handle(s), SQLITE_NOMEM, err);
    if (!*bytes)
        *n = 0;
    return ST_OK;
}

enum status sql_begin(sqlite3 *db, bool write, struct error *err)
{
    if (!sqlite3_get_autocommit(db)) {
        enum status st = sql_run(db, "ROLLBACK", err);
        if (st)
            return st;
    }
    return sql_run(db, write ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

enum status sql_end(sqlite3 *db, enum status st, struct error *err)
{
    if (!st)
        st = sql_run(db, "COMMIT", err);
    if (st && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}
