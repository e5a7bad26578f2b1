#include "store/segments.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/grow.h"
#include "store/transfer.h"

/* Content of segment `id` stands in t_columns and t_chunks under -id, where no data set can be. */

/* What the whole was before: the numbers of a struct data_stage, as they are stored. */
enum { WAS_EVENTS, WAS_SEQUENCE, WAS_USERS, WAS_ITEMS, WAS_TYPES, WAS_FINGERPRINT, BEFORES };

#define BEFORE_COLUMNS "was_events, was_sequence, was_users, was_items, was_types, was_fingerprint"

enum { MERGE = 8 }; /* so many small segments become one */

struct segment {
    int64_t id, folded, sum;
    int64_t after[NUMBERS], before[BEFORES];
};

struct segments {
    struct segment *at;
    size_t n, capacity;
};

static enum status damaged(struct error *err, const char *what)
{
    return error_set(err, ST_CORRUPT, "the data set is damaged: %s", what);
}

void segments_count(const struct dataset *d, uint64_t bytes, int64_t *v)
{
    v[EVENTS] = (int64_t)d->events.n;
    v[USERS] = d->users.n;
    v[ITEMS] = d->items.n;
    v[READ] = (int64_t)d->rows_read;
    v[KEPT] = (int64_t)d->rows_kept;
    v[REJECTS] = (int64_t)d->rows_rejected;
    v[BYTES] = (int64_t)bytes;
    v[FINGERPRINT] = (int64_t)d->fingerprint;
    v[OLDEST] = v[NEWEST] = NO_TIME;
    v[LOADED] = clock_now_us();
    (void)dataset_time_range(d, &v[OLDEST], &v[NEWEST]);
}

/* Over the record, and over the one before it: none can be missing. The content's columns are added by those who put or
 * get them. */
static uint64_t record_sum(const struct segment *s, int64_t dataset, int64_t sum_before)
{
    const int64_t about[] = {s->id, dataset, s->folded, sum_before};
    uint64_t h = hash_bytes(about, sizeof about, 0);
    h = hash_bytes(s->after, sizeof s->after, h);
    return hash_bytes(s->before, sizeof s->before, h);
}

/* ---- records ---- */

static enum status list_segments(sqlite3 *db, int64_t dataset, struct segments *out, struct error *err)
{
    sqlite3_stmt *s = NULL;
    enum status st = sql_query(db, &s, err,
                               "SELECT id, folded, sum, " NUMBER_COLUMNS ", " BEFORE_COLUMNS
                               " FROM t_segments WHERE dataset = ? ORDER BY id",
                               "i", dataset);
    for (bool row = true; !st && row;) {
        st = sql_step(s, &row, err);
        if (!st && row)
            st = mem_grow(&out->at, &out->capacity, out->n + 1, sizeof *out->at, err);
        if (st || !row)
            break;
        struct segment *x = &out->at[out->n++];
        x->id = sqlite3_column_int64(s, 0);
        x->folded = sqlite3_column_int64(s, 1);
        x->sum = sqlite3_column_int64(s, 2);
        for (int i = 0; i < NUMBERS; i++)
            x->after[i] = sqlite3_column_int64(s, 3 + i);
        for (int i = 0; i < BEFORES; i++)
            x->before[i] = sqlite3_column_int64(s, 3 + NUMBERS + i);
    }
    sqlite3_finalize(s);
    return st;
}

static enum status keep_sum(sqlite3 *db, struct segment *s, int64_t dataset, uint64_t sum, struct error *err)
{
    s->sum = (int64_t)sum;
    enum status st =
        sql_do(db, err, "UPDATE t_segments SET folded = ?, sum = ? WHERE id = ?", "iii", s->folded, s->sum, s->id);
    return st ? st
              : sql_do(db, err, "INSERT OR REPLACE INTO t_tails (dataset, sum) VALUES (?, ?)", "ii", dataset, s->sum);
}

static enum status drop_content(sqlite3 *db, int64_t id, struct error *err)
{
    enum status st = sql_do(db, err, "DELETE FROM t_chunks WHERE dataset = ?", "i", -id);
    return st ? st : sql_do(db, err, "DELETE FROM t_columns WHERE dataset = ?", "i", -id);
}

/* Takes the content of segment i away; its sum, and with it those after, are the caller's. */
static enum status fold_one(sqlite3 *db, struct segments *list, size_t i, int64_t dataset, struct error *err)
{
    struct segment *s = &list->at[i];
    s->folded = 1;
    enum status st = drop_content(db, s->id, err);
    return st ? st : keep_sum(db, s, dataset, record_sum(s, dataset, i ? list->at[i - 1].sum : 0), err);
}

/* ---- content ---- */

static uint64_t bytes_of(const struct columns *c)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < c->n; i++)
        bytes += c->column[i].count * element_size(c->column[i].element);
    return bytes;
}

/* The batch of a segment, finished but for its own name and fingerprint; *sum goes on over its columns. */
static enum status get_batch(sqlite3 *db, const struct segment *s, struct dataset **out, uint64_t *sum, struct job *job,
                             struct error *err)
{
    struct columns c = {0};
    struct dataset *d = dataset_new("", err);
    enum status st = d ? columns_get(db, -s->id, d, &c, sum, err) : ST_NOMEM;
    if (!st) {
        for (size_t i = 0; i < c.n; i++)
            if (c.column[i].owner == OWNER_EVENT)
                d->events.n = c.column[i].count;
        job_begin(job, bytes_of(&c), "B", "opening what was appended");
        st = transfer_get(db, -s->id, &c, job, err);
    }
    if (!st)
        st = columns_settle(d, &c, err);
    columns_clear(&c);
    if (st)
        dataset_release(d);
    else
        *out = d;
    return st;
}

/* Replaces *d by itself grown by the batch; takes over the batch. NULL *d becomes the batch. */
static enum status grow_by(struct dataset **d, struct dataset *batch, struct error *err)
{
    struct dataset *next = batch;
    enum status st = *d ? dataset_grow(*d, batch, &next, err) : ST_OK;
    if (*d)
        dataset_release(batch);
    if (st)
        return st;
    dataset_release(*d);
    *d = next;
    return ST_OK;
}

/* ---- reading ---- */

static enum status take_stages(const struct segments *list, struct dataset *d, struct error *err)
{
    mem_free(d->stages);
    d->nstages = 0;
    d->stages = mem_new_raw(list->n, sizeof *d->stages, "the stages of a data set", err);
    if (!d->stages)
        return ST_NOMEM;
    for (size_t i = 0; i < list->n; i++) {
        const int64_t *was = list->at[i].before;
        d->stages[i] = (struct data_stage){.fingerprint = (uint64_t)was[WAS_FINGERPRINT],
                                      .events = (uint64_t)was[WAS_EVENTS],
                                      .sequence = (uint64_t)was[WAS_SEQUENCE],
                                      .users = (uint32_t)was[WAS_USERS],
                                      .items = (uint32_t)was[WAS_ITEMS],
                                      .types = (uint32_t)was[WAS_TYPES]};
    }
    d->nstages = list->n;
    return ST_OK;
}

static enum status check_grown(const struct dataset *d, const int64_t *after, struct error *err)
{
    for (size_t i = 0; i < d->nstages; i++) {
        const struct data_stage *s = &d->stages[i];
        if (s->events > d->events.n || s->users > d->users.n || s->items > d->items.n || s->types > d->types.n)
            return damaged(err, "one of its stages makes no sense");
    }
    if (d->events.n != (size_t)after[EVENTS] || d->users.n != (uint64_t)after[USERS] ||
        d->items.n != (uint64_t)after[ITEMS])
        return damaged(err, "what was appended is not what it says");
    return ST_OK;
}

/* The segments as one batch, NULL when none has content; sums are checked on the way. */
static enum status read_batches(sqlite3 *db, int64_t dataset, const struct segments *list, struct dataset **batch,
                                struct job *job, struct error *err)
{
    int64_t before = 0, tail = 0;
    enum status st = sql_int(db, &tail, NULL, err, "SELECT sum FROM t_tails WHERE dataset = ?", "i", dataset);
    for (size_t i = 0; i < list->n && !st; i++) {
        const struct segment *s = &list->at[i];
        struct dataset *d = NULL;
        uint64_t sum = record_sum(s, dataset, before);
        if (!s->folded)
            st = get_batch(db, s, &d, &sum, job, err);
        if (!st && (int64_t)sum != s->sum) {
            dataset_release(d);
            return damaged(err, "the checksum of what was appended does not hold");
        }
        if (!st && d)
            st = grow_by(batch, d, err);
        before = s->sum;
    }
    return !st && before != tail ? damaged(err, "something that was appended is missing") : st;
}

enum status segments_read(sqlite3 *db, int64_t dataset, struct dataset **d, struct job *job, struct error *err)
{
    struct segments list = {0};
    struct dataset *batch = NULL;
    enum status st = list_segments(db, dataset, &list, err);
    if (!st)
        st = read_batches(db, dataset, &list, &batch, job, err);
    if (!st && batch) {
        st = grow_by(d, batch, err);
        batch = NULL;
    }
    if (!st && list.n) {
        const int64_t *after = list.at[list.n - 1].after;
        st = take_stages(&list, *d, err);
        if (!st)
            st = check_grown(*d, after, err);
        (*d)->rows_read = (uint64_t)after[READ];
        (*d)->rows_kept = (uint64_t)after[KEPT];
        (*d)->rows_rejected = (uint64_t)after[REJECTS];
        (*d)->fingerprint = (uint64_t)after[FINGERPRINT];
    }
    dataset_release(batch);
    mem_free(list.at);
    return st;
}

/* ---- writing ---- */

/* Those at the end that are no larger than all after them, when they are many; so each event is written again only
 * when the segment it is in has at least doubled. */
static size_t first_to_merge(const struct segments *list, size_t events)
{
    size_t first = list->n, many = 0;
    while (first > 0) {
        const struct segment *s = &list->at[first - 1];
        size_t own = (size_t)(s->after[EVENTS] - s->before[WAS_EVENTS]);
        if (!s->folded && own > events)
            break;
        events += s->folded ? 0 : own;
        many += !s->folded;
        first--;
    }
    return many >= MERGE ? first : list->n;
}

/* *whole = the segments from `first` on, and the batch. */
static enum status merge(sqlite3 *db, struct segments *list, size_t first, int64_t dataset, const struct dataset *batch,
                         struct dataset **whole, struct error *err)
{
    enum status st = ST_OK;
    struct dataset *grown = NULL;
    for (size_t i = first; i < list->n && !st; i++) {
        struct dataset *d = NULL;
        uint64_t sum = record_sum(&list->at[i], dataset, i ? list->at[i - 1].sum : 0);
        if (list->at[i].folded)
            continue;
        st = get_batch(db, &list->at[i], &d, &sum, NULL, err);
        if (!st && (int64_t)sum != list->at[i].sum)
            st = damaged(err, "the checksum of what was appended does not hold");
        if (st)
            dataset_release(d);
        else
            st = grow_by(whole, d, err);
    }
    for (size_t i = first; i < list->n && !st; i++)
        st = fold_one(db, list, i, dataset, err);
    if (!st && *whole)
        st = dataset_grow(*whole, batch, &grown, err);
    if (grown) {
        dataset_release(*whole);
        *whole = grown;
    }
    return st;
}

static enum status put_record(sqlite3 *db, int64_t dataset, const struct dataset *grown, struct segment *s,
                              struct error *err)
{
    const struct data_stage *was = &grown->stages[grown->nstages - 1];
    segments_count(grown, 0, s->after);
    s->before[WAS_EVENTS] = (int64_t)was->events;
    s->before[WAS_SEQUENCE] = (int64_t)was->sequence;
    s->before[WAS_USERS] = was->users;
    s->before[WAS_ITEMS] = was->items;
    s->before[WAS_TYPES] = was->types;
    s->before[WAS_FINGERPRINT] = (int64_t)was->fingerprint;
    const int64_t *a = s->after, *b = s->before;
    enum status st =
        sql_do(db, err,
               "INSERT INTO t_segments (dataset, folded, " NUMBER_COLUMNS ", " BEFORE_COLUMNS ", sum)"
               " VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
               "iiiiiiiiiiiiiiiiii", dataset, a[EVENTS], a[USERS], a[ITEMS], a[READ], a[KEPT], a[REJECTS], a[BYTES],
               a[FINGERPRINT], a[OLDEST], a[NEWEST], a[LOADED], b[WAS_EVENTS], b[WAS_SEQUENCE], b[WAS_USERS],
               b[WAS_ITEMS], b[WAS_TYPES], b[WAS_FINGERPRINT]);
    s->id = sqlite3_last_insert_rowid(db);
    return st;
}

static enum status put_batch(sqlite3 *db, struct segment *s, int64_t dataset, int64_t sum_before,
                             const struct dataset *batch, struct job *job, struct error *err)
{
    struct columns c = {0};
    uint64_t bytes, sum;
    /* The list of columns serves both ways, so it does not say that writing leaves them alone. */
    enum status st = columns_of((struct dataset *)batch, &c, err);
    if (!st) {
        job_begin(job, bytes_of(&c), "B", "keeping what is new");
        st = transfer_put(db, -s->id, &c, job, &bytes, err);
    }
    if (!st) {
        s->after[BYTES] = (int64_t)bytes;
        sum = record_sum(s, dataset, sum_before);
        st = columns_put(db, -s->id, &c, &sum, err);
    }
    if (!st)
        st = sql_do(db, err, "UPDATE t_segments SET bytes = ? WHERE id = ?", "ii", s->after[BYTES], s->id);
    columns_clear(&c);
    return st ? st : keep_sum(db, s, dataset, sum, err);
}

enum status segments_add(sqlite3 *db, int64_t dataset, const struct dataset *batch, const struct dataset *grown,
                         struct job *job, struct error *err)
{
    struct segments list = {0};
    struct segment s = {0};
    struct dataset *merged = NULL;
    enum status st = list_segments(db, dataset, &list, err);
    size_t first = st ? 0 : first_to_merge(&list, batch->events.n);
    if (!st && first < list.n)
        st = merge(db, &list, first, dataset, batch, &merged, err);
    if (!st)
        st = put_record(db, dataset, grown, &s, err);
    if (!st)
        st = put_batch(db, &s, dataset, list.n ? list.at[list.n - 1].sum : 0, merged ? merged : batch, job, err);
    dataset_release(merged);
    mem_free(list.at);
    return st;
}

enum status segments_measure(sqlite3 *db, int64_t dataset, int64_t *n, int64_t *events, struct error *err)
{
    enum status st =
        sql_int(db, n, NULL, err, "SELECT count(*) FROM t_segments WHERE dataset = ? AND folded = 0", "i", dataset);
    return st ? st
              : sql_int(db, events, NULL, err,
                        "SELECT coalesce((SELECT events FROM t_segments WHERE dataset = ?1 ORDER BY id DESC LIMIT 1)"
                        " - (SELECT events FROM t_datasets WHERE id = ?1), 0)",
                        "i", dataset);
}

enum status segments_fold(sqlite3 *db, int64_t dataset, struct error *err)
{
    struct segments list = {0};
    enum status st = list_segments(db, dataset, &list, err);
    for (size_t i = 0; i < list.n && !st; i++)
        st = fold_one(db, &list, i, dataset, err);
    mem_free(list.at);
    return st;
}

enum status segments_drop(sqlite3 *db, int64_t dataset, struct error *err)
{
    enum status st = sql_do(
        db, err, "DELETE FROM t_chunks WHERE dataset IN (SELECT -id FROM t_segments WHERE dataset = ?)", "i", dataset);
    if (!st)
        st = sql_do(db, err, "DELETE FROM t_columns WHERE dataset IN (SELECT -id FROM t_segments WHERE dataset = ?)",
                    "i", dataset);
    if (!st)
        st = sql_do(db, err, "DELETE FROM t_segments WHERE dataset = ?", "i", dataset);
    return st ? st : sql_do(db, err, "DELETE FROM t_tails WHERE dataset = ?", "i", dataset);
}
