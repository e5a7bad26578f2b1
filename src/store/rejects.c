/* Rejected rows. While a file is read they go to a temporary table of the writer's own, which SQLite keeps in memory
 * or in a nameless file: a million of them cost no memory, and a killed process leaves none behind. When the data set
 * is stored they move into t_rejects in the same transaction. */
#include <string.h>

#include "base/text.h"
#include "store/space.h"

static int64_t reject_sum(int64_t number, const char *file, int64_t line, const char *reason, const void *text,
                          size_t n)
{
    uint64_t h = hash_bytes(file, strlen(file), (uint64_t)number);
    h = hash_bytes(reason, strlen(reason), h ^ (uint64_t)line);
    return (int64_t)hash_bytes(text, n, h);
}

enum status space_settle_staging(struct workspace *w, struct error *err)
{
    sqlite3 *db = w->writer.db;
    if (!w->stage || sqlite3_get_autocommit(db) || w->writer.depth)
        return ST_OK;
    return sql_run(db, "COMMIT", err);
}

/* One transaction for many rows; any other write ends it first. */
static enum status open_staging(struct workspace *w, struct error *err)
{
    sqlite3 *db = w->writer.db;
    if (w->stage && !sqlite3_get_autocommit(db))
        return ST_OK;
    enum status st = sql_begin(db, false, err);
    if (!st && !w->stage) {
        st = sql_run(db,
                     "CREATE TEMP TABLE IF NOT EXISTS staged (number INTEGER PRIMARY KEY, file TEXT, line INTEGER, "
                     "reason TEXT, text BLOB)",
                     err);
        if (!st)
            st = sql_query(db, &w->stage, err, "INSERT INTO staged (file, line, reason, text) VALUES (?, ?, ?, ?)", "");
        if (st)
            return sql_end(db, st, err);
    }
    return st;
}

enum status workspace_stage_reject(struct workspace *w, const struct reject *r, struct error *err)
{
    bool row;
    if (w->readonly)
        return error_set(err, ST_STATE, "the workspace is open for reading only");
    pthread_mutex_lock(&w->writer.lock);
    enum status st = open_staging(w, err);
    if (!st)
        st = sql_bind(w->stage, err, "titb", r->file, (int64_t)r->line, r->reason, (const void *)r->text,
                      r->text_length);
    if (!st)
        st = sql_step(w->stage, &row, err);
    if (w->stage)
        sqlite3_reset(w->stage);
    pthread_mutex_unlock(&w->writer.lock);
    return st;
}

void workspace_unstage_rejects(struct workspace *w)
{
    pthread_mutex_lock(&w->writer.lock);
    if (w->stage) {
        sqlite3_finalize(w->stage);
        w->stage = NULL;
        if (!sqlite3_get_autocommit(w->writer.db))
            sqlite3_exec(w->writer.db, "ROLLBACK", NULL, NULL, NULL);
        sqlite3_exec(w->writer.db, "DROP TABLE IF EXISTS temp.staged", NULL, NULL, NULL);
    }
    pthread_mutex_unlock(&w->writer.lock);
}

static enum status keep_one(sqlite3_stmt *from, sqlite3_stmt *to, int64_t dataset, int64_t number, struct error *err)
{
    const char *file = sql_text(from, 0), *reason = sql_text(from, 2);
    int64_t line = sqlite3_column_int64(from, 1);
    const void *text;
    size_t n;
    bool row;
    enum status st = sql_bytes(from, 3, &text, &n, err);
    if (!st)
        st = sql_bind(to, err, "iititbi", dataset, number, file, line, reason, text, n,
                      reject_sum(number, file, line, reason, text, n));
    if (!st)
        st = sql_step(to, &row, err);
    sqlite3_reset(to);
    return st;
}

static enum status count_rejects(sqlite3 *db, int64_t dataset, int64_t *n, struct error *err)
{
    return sql_int(db, n, NULL, err, "SELECT count(*) FROM t_rejects WHERE dataset = ?", "i", dataset);
}

enum status space_add_rejects(struct workspace *w, sqlite3 *db, int64_t dataset, struct error *err)
{
    sqlite3_stmt *from = NULL, *to = NULL;
    int64_t number;
    if (!w->stage)
        return ST_OK;
    enum status st = count_rejects(db, dataset, &number, err);
    if (!st)
        st = sql_query(db, &from, err, "SELECT file, line, reason, text FROM staged ORDER BY number", "");
    if (!st)
        st = sql_query(
            db, &to, err,
            "INSERT INTO t_rejects (dataset, number, file, line, reason, text, sum) VALUES (?, ?, ?, ?, ?, ?, ?)", "");
    for (bool row = true; !st && row;) {
        st = sql_step(from, &row, err);
        if (!st && row)
            st = keep_one(from, to, dataset, number++, err);
    }
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    return st;
}

enum status space_keep_rejects(struct workspace *w, sqlite3 *db, int64_t dataset, uint64_t total, struct error *err)
{
    int64_t kept, staged = 0;
    enum status st = count_rejects(db, dataset, &kept, err);
    if (!st && w->stage)
        st = sql_int(db, &staged, NULL, err, "SELECT count(*) FROM staged", "");
    if (!st && kept && (uint64_t)(kept + staged) != total)
        st = sql_do(db, err, "DELETE FROM t_rejects WHERE dataset = ?", "i", dataset);
    return st ? st : space_add_rejects(w, db, dataset, err);
}

/* The row (number, file, line, reason, text, sum) as a reject whose sum holds. */
static enum status read_reject(sqlite3_stmt *s, struct reject *r, struct error *err)
{
    const void *text;
    size_t n;
    r->file = sql_text(s, 1);
    r->line = (uint64_t)sqlite3_column_int64(s, 2);
    r->reason = sql_text(s, 3);
    enum status st = sql_bytes(s, 4, &text, &n, err);
    if (st)
        return st;
    r->text = n ? text : "";
    r->text_length = n;
    if (reject_sum(sqlite3_column_int64(s, 0), r->file, (int64_t)r->line, r->reason, text, n) !=
        sqlite3_column_int64(s, 5))
        return error_set(err, ST_CORRUPT, "a rejected row in the workspace is damaged");
    return ST_OK;
}

enum status workspace_each_reject(struct workspace *w, const char *dataset, uint64_t offset, uint64_t limit,
                                  enum status (*each)(void *context, const struct reject *r, struct error *err),
                                  void *context, struct error *err)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    int64_t id;
    int64_t first = offset > INT64_MAX ? INT64_MAX : (int64_t)offset,
            most = limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, dataset, &id, err);
    if (!st)
        st = sql_query(db, &s, err,
                       "SELECT number, file, line, reason, text, sum FROM t_rejects WHERE dataset = ? AND number >= ?"
                       " ORDER BY number LIMIT ?",
                       "iii", id, first, most);
    for (bool row = true; !st && row;) {
        struct reject r;
        st = sql_step(s, &row, err);
        if (!st && row)
            st = read_reject(s, &r, err);
        if (!st && row)
            st = each(context, &r, err);
    }
    sqlite3_finalize(s);
    return space_end(w, db, st, err);
}
