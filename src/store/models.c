/* Models: a stream of bytes, kept in pieces of 4 MiB.
 *
 * Each piece is a transaction of its own, under a record that says "pending": memory and log stay small however large
 * the model is. One last transaction makes the record whole and takes the old model of that name away. Whoever is
 * killed before that leaves only pending pieces, which the next writer removes. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/space.h"

enum { PIECE = 4 << 20 };

static int64_t piece_sum(int64_t model, int64_t piece, const void *data, size_t n)
{
    return (int64_t)hash_bytes(data, n, (uint64_t)model * 1000003 + (uint64_t)piece);
}

enum status space_drop_models(sqlite3 *db, int64_t dataset, struct error *err)
{
    enum status st = sql_do(db, err, "DELETE FROM t_pieces WHERE model IN (SELECT id FROM t_models WHERE dataset = ?)",
                            "i", dataset);
    if (!st)
        st = sql_do(db, err, "DELETE FROM t_models WHERE dataset = ?", "i", dataset);
    return st;
}

/* The whole model of this name, or ST_NOT_FOUND. */
static enum status find_model(sqlite3 *db, const char *dataset, const char *name, int64_t *owner, int64_t *id,
                              struct error *err)
{
    bool found;
    enum status st = space_dataset(db, dataset, owner, err);
    if (!st)
        st = sql_int(db, id, &found, err, "SELECT id FROM t_models WHERE dataset = ? AND name = ? AND state = 1", "it",
                     *owner, name);
    if (!st && !found)
        st = error_set(err, ST_NOT_FOUND, "there is no model %s", name);
    return st;
}

static enum status drop_model(sqlite3 *db, int64_t id, struct error *err)
{
    enum status st = sql_do(db, err, "DELETE FROM t_pieces WHERE model = ?", "i", id);
    return st ? st : sql_do(db, err, "DELETE FROM t_models WHERE id = ?", "i", id);
}

/* ---- writing ---- */

struct model_writer {
    struct workspace *space;
    int64_t id, pieces;
    uint64_t bytes;
    char *buffer; /* PIECE bytes */
    size_t filled;
};

static enum status flush_piece(struct model_writer *m, struct error *err)
{
    sqlite3 *db;
    if (m->filled == 0)
        return ST_OK;
    enum status st = space_write(m->space, &db, err);
    if (st)
        return st;
    st = sql_do(db, err, "INSERT INTO t_pieces (model, piece, sum, data) VALUES (?, ?, ?, ?)", "iiib", m->id, m->pieces,
                piece_sum(m->id, m->pieces, m->buffer, m->filled), m->buffer, m->filled);
    st = space_end(m->space, db, st, err);
    m->pieces++;
    m->bytes += m->filled;
    m->filled = 0;
    return st;
}

static enum status write_model(void *context, const void *bytes, size_t n, struct error *err)
{
    struct model_writer *m = context;
    enum status st = ST_OK;
    for (size_t at = 0; !st && at < n;) {
        size_t room = PIECE - m->filled, take = n - at < room ? n - at : room;
        memcpy(m->buffer + m->filled, (const char *)bytes + at, take);
        m->filled += take;
        at += take;
        if (m->filled == PIECE)
            st = flush_piece(m, err);
    }
    return st;
}

/* The pending record. */
static enum status begin_model(struct model_writer *m, const char *dataset, const char *name, const char *class,
                               bool replace, struct error *err)
{
    sqlite3 *db;
    int64_t owner, old;
    enum status st = space_write(m->space, &db, err);
    if (st)
        return st;
    st = find_model(db, dataset, name, &owner, &old, err);
    if (!st && !replace) {
        st = error_set(err, ST_USAGE, "there is a model %s already", name);
        error_hint(err, "choose another name, or say replace=yes");
    } else if (st == ST_NOT_FOUND) {
        st = space_dataset(db, dataset, &owner, err);
    }
    if (!st)
        st = sql_do(db, err,
                    "INSERT INTO t_models (dataset, name, class, bytes, created, state) VALUES (?, ?, ?, 0, ?, 0)",
                    "itti", owner, name, class, clock_now_us());
    if (!st)
        m->id = sqlite3_last_insert_rowid(db);
    return space_end(m->space, db, st, err);
}

/* Makes the record whole; the model it replaces goes in the same moment. */
static enum status finish_model(struct model_writer *m, const char *dataset, const char *name, struct error *err)
{
    sqlite3 *db;
    int64_t owner, old;
    enum status st = space_write(m->space, &db, err);
    if (st)
        return st;
    st = find_model(db, dataset, name, &owner, &old, err);
    if (!st)
        st = drop_model(db, old, err);
    else if (st == ST_NOT_FOUND)
        st = ST_OK;
    if (!st)
        st = sql_do(db, err, "UPDATE t_models SET bytes = ?, state = 1 WHERE id = ?", "ii", (int64_t)m->bytes, m->id);
    if (!st && sqlite3_changes(db) != 1)
        st = error_set(err, ST_NOT_FOUND, "the data set of %s was dropped while it was being saved", name);
    return space_end(m->space, db, st, err);
}

static void abandon_model(struct model_writer *m)
{
    sqlite3 *db;
    if (m->id == 0 || space_write(m->space, &db, NULL))
        return;
    /* What cannot be removed now is removed when the workspace is opened again. */
    (void)!space_end(m->space, db, drop_model(db, m->id, NULL), NULL);
}

enum status workspace_put_model(struct workspace *w, const char *dataset, const char *name, const char *class,
                                enum status (*write)(void *context, struct blob_writer *out, struct error *err),
                                void *context, bool replace, struct error *err)
{
    struct model_writer m = {.space = w};
    struct blob_writer out = {&m, write_model};
    enum status st = space_check_name("model", name, err);
    if (st)
        return st;
    m.buffer = mem_new_raw(PIECE, 1, "saving a model", err);
    st = m.buffer ? begin_model(&m, dataset, name, class, replace, err) : ST_NOMEM;
    if (!st)
        st = write(context, &out, err);
    if (!st)
        st = flush_piece(&m, err);
    if (!st)
        st = finish_model(&m, dataset, name, err);
    if (st)
        abandon_model(&m);
    mem_free(m.buffer);
    return st;
}

/* ---- reading ---- */

struct model_reader {
    struct workspace *space;
    int64_t id, piece;
    char *buffer; /* PIECE bytes */
    size_t filled, at;
};

static enum status piece_damaged(struct error *err)
{
    enum status st = error_set(err, ST_CORRUPT, "the model in the workspace is damaged");
    error_hint(err, "train it again");
    return st;
}

/* A row (piece, sum, data), checked. */
static enum status read_piece(sqlite3_stmt *s, int64_t model, const void **data, size_t *n, struct error *err)
{
    enum status st = sql_bytes(s, 2, data, n, err);
    if (!st && (*n > PIECE || piece_sum(model, sqlite3_column_int64(s, 0), *data, *n) != sqlite3_column_int64(s, 1)))
        st = piece_damaged(err);
    return st;
}

static enum status next_piece(struct model_reader *m, struct error *err)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    bool row = false;
    const void *data;
    size_t n;
    enum status st = space_read(m->space, &db, err);
    if (st)
        return st;
    st = sql_query(db, &s, err, "SELECT piece, sum, data FROM t_pieces WHERE model = ? AND piece = ?", "ii", m->id,
                   m->piece);
    if (!st)
        st = sql_step(s, &row, err);
    if (!st)
        st = row ? read_piece(s, m->id, &data, &n, err) : piece_damaged(err);
    if (!st) {
        memcpy(m->buffer, data, n);
        m->filled = n;
        m->at = 0;
        m->piece++;
    }
    sqlite3_finalize(s);
    return space_end(m->space, db, st, err);
}

static enum status read_model(void *context, void *bytes, size_t n, struct error *err)
{
    struct model_reader *m = context;
    for (size_t at = 0; at < n;) {
        if (m->at == m->filled) {
            enum status st = next_piece(m, err);
            if (st)
                return st;
            if (m->filled == 0)
                return piece_damaged(err);
        }
        size_t left = m->filled - m->at, take = n - at < left ? n - at : left;
        memcpy((char *)bytes + at, m->buffer + m->at, take);
        m->at += take;
        at += take;
    }
    return ST_OK;
}

enum status workspace_get_model(struct workspace *w, const char *dataset, const char *name,
                                enum status (*read)(void *context, struct blob_reader *in, struct error *err),
                                void *context, struct error *err)
{
    struct model_reader m = {.space = w};
    struct blob_reader in = {&m, read_model};
    sqlite3 *db;
    int64_t owner;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = space_end(w, db, find_model(db, dataset, name, &owner, &m.id, err), err);
    if (st)
        return st;
    m.buffer = mem_new_raw(PIECE, 1, "loading a model", err);
    st = m.buffer ? read(context, &in, err) : ST_NOMEM;
    mem_free(m.buffer);
    return st;
}

/* ---- the catalogue ---- */

static void fill_info(sqlite3_stmt *s, const char *dataset, struct model_info *m)
{
    memset(m, 0, sizeof *m);
    sqlite3_snprintf(sizeof m->name, m->name, "%s", sql_text(s, 0));
    sqlite3_snprintf(sizeof m->class, m->class, "%s", sql_text(s, 1));
    sqlite3_snprintf(sizeof m->dataset, m->dataset, "%s", dataset);
    m->bytes = (uint64_t)sqlite3_column_int64(s, 2);
    m->created = sqlite3_column_int64(s, 3);
}

enum status workspace_list_models(struct workspace *w, const char *dataset, struct model_info **out, size_t *n,
                                  struct error *err)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    int64_t owner;
    size_t capacity = 0;
    *out = NULL;
    *n = 0;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, dataset, &owner, err);
    if (!st)
        st = sql_query(db, &s, err,
                       "SELECT name, class, bytes, created FROM t_models WHERE dataset = ? AND state = 1 ORDER BY id",
                       "i", owner);
    for (bool row = true; !st && row;) {
        st = sql_step(s, &row, err);
        if (!st && row)
            st = mem_grow(out, &capacity, *n + 1, sizeof **out, err);
        if (!st && row)
            fill_info(s, dataset, &(*out)[(*n)++]);
    }
    sqlite3_finalize(s);
    st = space_end(w, db, st, err);
    if (st) {
        mem_free(*out);
        *out = NULL;
        *n = 0;
    }
    return st;
}

enum status workspace_drop_model(struct workspace *w, const char *dataset, const char *name, struct error *err)
{
    sqlite3 *db;
    int64_t owner, id;
    enum status st = space_write(w, &db, err);
    if (st)
        return st;
    st = find_model(db, dataset, name, &owner, &id, err);
    if (!st)
        st = drop_model(db, id, err);
    return space_end(w, db, st, err);
}

enum status workspace_rename_model(struct workspace *w, const char *dataset, const char *from, const char *to,
                                   struct error *err)
{
    sqlite3 *db;
    int64_t owner, id, other;
    enum status st = space_check_name("model", to, err);
    if (st)
        return st;
    st = space_write(w, &db, err);
    if (st)
        return st;
    st = find_model(db, dataset, from, &owner, &id, err);
    if (!st && strcmp(from, to) != 0) {
        st = find_model(db, dataset, to, &owner, &other, NULL);
        st = st ? ST_OK : error_set(err, ST_USAGE, "there is a model %s already", to);
    }
    if (!st)
        st = sql_do(db, err, "UPDATE t_models SET name = ? WHERE id = ?", "ti", to, id);
    return space_end(w, db, st, err);
}

/* ---- checking ---- */

/* Pieces 0, 1, ... with their sums, and as many bytes as the record says. */
static enum status verify_model(sqlite3 *db, int64_t model, uint64_t bytes, struct error *err)
{
    sqlite3_stmt *s;
    uint64_t sum = 0;
    int64_t piece = 0;
    enum status st =
        sql_query(db, &s, err, "SELECT piece, sum, data FROM t_pieces WHERE model = ? ORDER BY piece", "i", model);
    for (bool row = true; !st && row; piece++) {
        const void *data;
        size_t n;
        st = sql_step(s, &row, err);
        if (st || !row)
            break;
        st = sqlite3_column_int64(s, 0) == piece ? read_piece(s, model, &data, &n, err) : piece_damaged(err);
        if (!st)
            sum += n;
    }
    sqlite3_finalize(s);
    return st ? st : sum == bytes ? ST_OK : piece_damaged(err);
}

enum status space_verify_models(struct workspace *w, struct job *job, struct error *err)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = sql_query(db, &s, err, "SELECT id, bytes, name FROM t_models WHERE state = 1", "");
    for (bool row = true; !st && row;) {
        st = sql_step(s, &row, err);
        if (!st && row)
            st = verify_model(db, sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1), err);
        if (st == ST_CORRUPT)
            error_source(err, "model %s", sql_text(s, 2));
        if (!st)
            st = job_check(job, err);
    }
    sqlite3_finalize(s);
    return space_end(w, db, st, err);
}
