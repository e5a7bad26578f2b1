/* Notes: small documents kept under a data set. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/space.h"

enum { LARGEST_NOTE = 256 << 20 };

static int64_t note_sum(int64_t dataset, const char *kind, const char *name, const void *value, size_t n)
{
    uint64_t h = hash_bytes(kind, strlen(kind) + 1, (uint64_t)dataset);
    return (int64_t)hash_bytes(value, n, hash_bytes(name, strlen(name), h));
}

enum status workspace_put_note(struct workspace *w, const char *dataset, const char *kind, const char *name,
                               const void *value, size_t n, struct error *err)
{
    sqlite3 *db;
    int64_t id;
    if (n > LARGEST_NOTE)
        return error_set(err, ST_UNSUPPORTED, "the %s %s is too large to be kept", kind, name);
    enum status st = space_write(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, dataset, &id, err);
    if (!st)
        st = sql_do(db, err,
                    "INSERT INTO t_notes (dataset, kind, name, sum, value) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (dataset, kind, name) DO UPDATE SET sum = excluded.sum, value = excluded.value",
                    "ittib", id, kind, name, note_sum(id, kind, name, value, n), value, n);
    return space_end(w, db, st, err);
}

/* The row (name, sum, value) as a note whose sum holds. */
static enum status read_note(sqlite3_stmt *s, int64_t dataset, const char *kind, const char **name, const void **value,
                             size_t *n, struct error *err)
{
    *name = sql_text(s, 0);
    enum status st = sql_bytes(s, 2, value, n, err);
    if (st)
        return st;
    if (note_sum(dataset, kind, *name, *value, *n) != sqlite3_column_int64(s, 1))
        return error_set(err, ST_CORRUPT, "the %s %s in the workspace is damaged", kind, *name);
    return ST_OK;
}

enum status workspace_get_note(struct workspace *w, const char *dataset, const char *kind, const char *name,
                               void **value, size_t *n, struct error *err)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    int64_t id;
    bool row = false;
    const char *found;
    const void *bytes;
    *value = NULL;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, dataset, &id, err);
    if (!st)
        st = sql_query(db, &s, err, "SELECT name, sum, value FROM t_notes WHERE dataset = ? AND kind = ? AND name = ?",
                       "itt", id, kind, name);
    if (!st)
        st = sql_step(s, &row, err);
    if (!st && !row)
        st = error_set(err, ST_NOT_FOUND, "there is no %s %s", kind, name);
    if (!st)
        st = read_note(s, id, kind, &found, &bytes, n, err);
    /* One zero byte more, so that a text can be used as it comes. */
    if (!st && !(*value = mem_strndup(*n ? bytes : "", *n, err)))
        st = ST_NOMEM;
    sqlite3_finalize(s);
    st = space_end(w, db, st, err);
    if (st) {
        mem_free(*value);
        *value = NULL;
    }
    return st;
}

enum status workspace_list_notes(struct workspace *w, const char *dataset, const char *kind,
                                 enum status (*each)(void *context, const char *name, const void *value, size_t n,
                                                     struct error *err),
                                 void *context, struct error *err)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    int64_t id;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, dataset, &id, err);
    if (!st)
        st = sql_query(db, &s, err, "SELECT name, sum, value FROM t_notes WHERE dataset = ? AND kind = ? ORDER BY id",
                       "it", id, kind);
    for (bool row = true; !st && row;) {
        const char *name;
        const void *value;
        size_t n;
        st = sql_step(s, &row, err);
        if (!st && row)
            st = read_note(s, id, kind, &name, &value, &n, err);
        if (!st && row)
            st = each(context, name, n ? value : "", n, err);
    }
    sqlite3_finalize(s);
    return space_end(w, db, st, err);
}

enum status workspace_drop_note(struct workspace *w, const char *dataset, const char *kind, const char *name,
                                struct error *err)
{
    sqlite3 *db;
    int64_t id;
    enum status st = space_write(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, dataset, &id, err);
    if (!st)
        st = sql_do(db, err, "DELETE FROM t_notes WHERE dataset = ? AND kind = ? AND name = ?", "itt", id, kind, name);
    if (!st && sqlite3_changes(db) == 0)
        st = error_set(err, ST_NOT_FOUND, "there is no %s %s", kind, name);
    return space_end(w, db, st, err);
}

enum status workspace_drop_notes(struct workspace *w, const char *dataset, const char *kind, struct error *err)
{
    sqlite3 *db;
    int64_t id;
    enum status st = space_write(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, dataset, &id, err);
    if (!st)
        st = sql_do(db, err, "DELETE FROM t_notes WHERE dataset = ? AND kind = ?", "it", id, kind);
    return space_end(w, db, st, err);
}

enum status space_verify_notes(struct workspace *w, struct error *err)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = sql_query(db, &s, err, "SELECT name, sum, value, dataset, kind FROM t_notes ORDER BY id", "");
    for (bool row = true; !st && row;) {
        const char *name;
        const void *value;
        size_t n;
        st = sql_step(s, &row, err);
        if (!st && row)
            st = read_note(s, sqlite3_column_int64(s, 3), sql_text(s, 4), &name, &value, &n, err);
    }
    sqlite3_finalize(s);
    return space_end(w, db, st, err);
}
