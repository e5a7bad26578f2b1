#include "store/transfer.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"

enum { BATCH = 32 };

/* One chunk under way. */
struct parcel {
    int64_t number, chunk;
    enum element element;
    char *data; /* n elements of the array */
    size_t n;
    unsigned char *packed; /* chunk_room() bytes */
    size_t size;
    struct extent extent;
    int64_t sum;
    enum status st;
    struct error error;
};

struct batch {
    int64_t dataset;
    struct codec **codecs; /* one a thread */
    size_t ncodecs;
    struct parcel parcel[BATCH];
    size_t n;
};

static void batch_free(struct batch *b)
{
    if (!b)
        return;
    for (size_t i = 0; b->codecs && i < b->ncodecs; i++)
        codec_free(b->codecs[i]);
    for (size_t i = 0; i < BATCH; i++)
        mem_free(b->parcel[i].packed);
    mem_free(b->codecs);
    mem_free(b);
}

static struct batch *batch_new(int64_t dataset, struct error *err)
{
    struct batch *b = mem_new(1, sizeof *b, "packing columns", err);
    if (!b)
        return NULL;
    b->dataset = dataset;
    b->ncodecs = (size_t)parallel_threads();
    b->codecs = mem_new(b->ncodecs, sizeof(struct codec *), "packing columns", err);
    bool good = b->codecs != NULL;
    for (size_t i = 0; i < b->ncodecs && good; i++)
        good = (b->codecs[i] = codec_new(err)) != NULL;
    for (size_t i = 0; i < BATCH && good; i++)
        good = (b->parcel[i].packed = mem_new_raw(chunk_room(), 1, "packing columns", err)) != NULL;
    if (good)
        return b;
    batch_free(b);
    return NULL;
}

/* Over the bytes, over whose chunk this is, and over what is said about its values. */
static int64_t sum_of(int64_t dataset, const struct parcel *p)
{
    int64_t about[] = {dataset, p->number, p->chunk, (int64_t)p->element, (int64_t)p->n, p->extent.any, 0, 0};
    if (p->extent.any && p->extent.real) {
        memcpy(&about[6], &p->extent.real_low, sizeof about[6]);
        memcpy(&about[7], &p->extent.real_high, sizeof about[7]);
    } else if (p->extent.any) {
        about[6] = p->extent.low;
        about[7] = p->extent.high;
    }
    return (int64_t)hash_bytes(p->packed, p->size, hash_bytes(about, sizeof about, 0));
}

/* First failure of a batch, in the order of its parcels. */
static enum status batch_status(const struct batch *b, struct error *err)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->parcel[i].st) {
            if (err)
                *err = b->parcel[i].error;
            return b->parcel[i].st;
        }
    }
    return ST_OK;
}

/* ---- writing ---- */

static void pack_one(void *context, size_t i, size_t begin, size_t end)
{
    struct batch *b = context;
    struct parcel *p = &b->parcel[i];
    (void)begin;
    (void)end;
    p->st = chunk_encode(b->codecs[parallel_thread()], p->element, p->data, p->n, p->packed, &p->size, &p->extent,
                         &p->error);
    p->sum = sum_of(b->dataset, p);
}

static enum status insert_one(sqlite3_stmt *s, int64_t dataset, const struct parcel *p, struct error *err)
{
    bool row;
    enum status st = sql_bind(s, err, "iiiib", dataset, p->number, p->chunk, p->sum, p->packed, p->size);
    int rc = SQLITE_OK;
    if (!st && p->extent.any && p->extent.real) {
        rc = sqlite3_bind_double(s, 6, p->extent.real_low);
        if (rc == SQLITE_OK)
            rc = sqlite3_bind_double(s, 7, p->extent.real_high);
    } else if (!st && p->extent.any) {
        rc = sqlite3_bind_int64(s, 6, p->extent.low);
        if (rc == SQLITE_OK)
            rc = sqlite3_bind_int64(s, 7, p->extent.high);
    } else if (!st) {
        rc = sqlite3_bind_null(s, 6);
        if (rc == SQLITE_OK)
            rc = sqlite3_bind_null(s, 7);
    }
    if (!st && rc != SQLITE_OK)
        st = sql_error(sqlite3_db_handle(s), rc, err);
    if (!st)
        st = sql_step(s, &row, err);
    sqlite3_reset(s);
    return st;
}

/* Packs what is in the batch, stores it in order, empties it. */
static enum status flush_batch(struct batch *b, sqlite3_stmt *s, struct job *job, uint64_t *bytes, struct error *err)
{
    parallel_blocks(b->n, 1, pack_one, b);
    enum status st = batch_status(b, err);
    for (size_t i = 0; i < b->n && !st; i++) {
        const struct parcel *p = &b->parcel[i];
        st = insert_one(s, b->dataset, p, err);
        *bytes += p->size;
        job_step(job, p->n * element_size(p->element));
    }
    b->n = 0;
    return st ? st : job_check(job, err);
}

static enum status put_column(struct batch *b, sqlite3_stmt *s, const struct column *c, int64_t number, struct job *job,
                              uint64_t *bytes, struct error *err)
{
    enum status st = ST_OK;
    size_t step = chunk_elements(c->element);
    char *data = column_data(c);
    for (size_t at = 0; at < c->count && !st; at += step) {
        struct parcel *p = &b->parcel[b->n++];
        p->number = number;
        p->chunk = (int64_t)(at / step);
        p->element = c->element;
        p->data = data + at * element_size(c->element);
        p->n = c->count - at < step ? c->count - at : step;
        if (b->n == BATCH)
            st = flush_batch(b, s, job, bytes, err);
    }
    return st;
}

enum status transfer_put(sqlite3 *db, int64_t dataset, const struct columns *c, struct job *job, uint64_t *bytes,
                         struct error *err)
{
    sqlite3_stmt *s = NULL;
    int64_t number = 0;
    *bytes = 0;
    struct batch *b = batch_new(dataset, err);
    enum status st = b ? ST_OK : ST_NOMEM;
    if (!st)
        st = sql_query(
            db, &s, err,
            "INSERT INTO t_chunks (dataset, number, chunk, sum, data, min, max) VALUES (?, ?, ?, ?, ?, ?, ?)", "");
    for (size_t i = 0; i < c->n && !st; i++)
        if (c->column[i].there)
            st = put_column(b, s, &c->column[i], number++, job, bytes, err);
    if (!st)
        st = flush_batch(b, s, job, bytes, err);
    sqlite3_finalize(s);
    batch_free(b);
    return st;
}

/* ---- reading ---- */

static void unpack_one(void *context, size_t i, size_t begin, size_t end)
{
    struct batch *b = context;
    struct parcel *p = &b->parcel[i];
    (void)begin;
    (void)end;
    if (sum_of(b->dataset, p) != p->sum)
        p->st = error_set(&p->error, ST_CORRUPT, "the data set is damaged: the checksum of a chunk does not hold");
    else
        p->st = chunk_decode(b->codecs[parallel_thread()], p->element, p->packed, p->size, p->data, p->n, &p->error);
}

static enum status unpack_batch(struct batch *b, struct job *job, struct error *err)
{
    parallel_blocks(b->n, 1, unpack_one, b);
    enum status st = batch_status(b, err);
    for (size_t i = 0; i < b->n; i++)
        job_step(job, b->parcel[i].n * element_size(b->parcel[i].element));
    b->n = 0;
    return st ? st : job_check(job, err);
}

static struct extent read_extent(sqlite3_stmt *s)
{
    struct extent x = {.any = sqlite3_column_type(s, 4) != SQLITE_NULL};
    x.real = sqlite3_column_type(s, 4) == SQLITE_FLOAT;
    x.low = sqlite3_column_int64(s, 4);
    x.high = sqlite3_column_int64(s, 5);
    x.real_low = sqlite3_column_double(s, 4);
    x.real_high = sqlite3_column_double(s, 5);
    return x;
}

/* A row (number, chunk, sum, data, min, max), which must be the next chunk of column `c`, joins the batch. */
static enum status take_row(struct batch *b, sqlite3_stmt *s, const struct column *c, int64_t number, size_t at,
                            struct error *err)
{
    size_t step = chunk_elements(c->element);
    const void *bytes;
    struct parcel *p = &b->parcel[b->n];
    enum status st = sql_bytes(s, 3, &bytes, &p->size, err);
    if (st)
        return st;
    if (sqlite3_column_int64(s, 0) != number || sqlite3_column_int64(s, 1) != (int64_t)(at / step) ||
        p->size > chunk_room() || p->size == 0)
        return error_set(err, ST_CORRUPT, "the data set is damaged: a chunk is missing");
    memcpy(p->packed, bytes, p->size);
    p->number = number;
    p->chunk = (int64_t)(at / step);
    p->sum = sqlite3_column_int64(s, 2);
    p->extent = read_extent(s);
    p->element = c->element;
    p->data = (char *)column_data(c) + at * element_size(c->element);
    p->n = c->count - at < step ? c->count - at : step;
    b->n++;
    return ST_OK;
}

/* As many chunks as a column of that length has. */
static enum status make_room(sqlite3 *db, int64_t dataset, struct columns *c, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < c->n && !st; i++) {
        int64_t chunks;
        size_t step = chunk_elements(c->column[i].element);
        st = sql_int(db, &chunks, NULL, err, "SELECT count(*) FROM t_chunks WHERE dataset = ? AND number = ?", "ii",
                     dataset, (int64_t)i);
        if (!st && (size_t)chunks != c->column[i].count / step + (c->column[i].count % step != 0))
            st = error_set(err, ST_CORRUPT, "the data set is damaged: chunks are missing");
        if (!st)
            st = column_make_room(&c->column[i], err);
    }
    return st;
}

enum status transfer_get(sqlite3 *db, int64_t dataset, struct columns *c, struct job *job, struct error *err)
{
    sqlite3_stmt *s = NULL;
    struct batch *b = batch_new(dataset, err);
    enum status st = b ? make_room(db, dataset, c, err) : ST_NOMEM;
    if (!st)
        st = sql_query(db, &s, err,
                       "SELECT number, chunk, sum, data, min, max FROM t_chunks WHERE dataset = ? ORDER BY number, "
                       "chunk",
                       "i", dataset);
    for (size_t i = 0; i < c->n && !st; i++) {
        for (size_t at = 0; at < c->column[i].count && !st; at += chunk_elements(c->column[i].element)) {
            bool row;
            st = sql_step(s, &row, err);
            if (!st)
                st = row ? take_row(b, s, &c->column[i], (int64_t)i, at, err)
                         : error_set(err, ST_CORRUPT, "the data set is damaged: a chunk is missing");
            if (!st && b->n == BATCH)
                st = unpack_batch(b, job, err);
        }
    }
    if (!st)
        st = unpack_batch(b, job, err);
    sqlite3_finalize(s);
    batch_free(b);
    return st;
}
