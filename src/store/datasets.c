/* Data sets: the catalogue, and one transaction that stores or replaces a whole one. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/segments.h"
#include "store/transfer.h"

enum status space_check_name(const char *what, const char *name, struct error *err)
{
    size_t n = strlen(name);
    if (n > 0 && n < sizeof((struct dataset_info *)0)->name)
        return ST_OK;
    return error_set(err, ST_USAGE, "the name of a %s has 1 to %zu bytes", what,
                     sizeof((struct dataset_info *)0)->name - 1);
}

enum status space_dataset(sqlite3 *db, const char *name, int64_t *id, struct error *err)
{
    bool found;
    *id = 0;
    if (!name || !*name)
        return ST_OK;
    enum status st = sql_int(db, id, &found, err, "SELECT id FROM t_datasets WHERE name = ?", "t", name);
    if (st || found)
        return st;
    error_set(err, ST_NOT_FOUND, "there is no data set %s in the workspace", name);
    error_hint(err, "`datasets` lists those that are there");
    return ST_NOT_FOUND;
}

static uint64_t row_sum(int64_t id, const char *name, const char *source, const int64_t *numbers)
{
    uint64_t h = hash_bytes(numbers, NUMBERS * sizeof *numbers, (uint64_t)id);
    h = hash_bytes(name, strlen(name), h);
    return hash_bytes(source, strlen(source), h);
}

/* ---- storing ---- */

/* A field is found by its name, so a set cannot have the same twice. */
static enum status check_fields(const struct fields *set, struct error *err)
{
    for (size_t i = 0; i < set->n; i++)
        if (fields_find(set, set->field[i].name) != &set->field[i])
            return error_set(err, ST_FORMAT, "there are two columns with the name %s", set->field[i].name);
    return ST_OK;
}

/* The columns of the row itself, without its segments. */
static enum status drop_columns(sqlite3 *db, int64_t id, struct error *err)
{
    enum status st = sql_do(db, err, "DELETE FROM t_chunks WHERE dataset = ?", "i", id);
    return st ? st : sql_do(db, err, "DELETE FROM t_columns WHERE dataset = ?", "i", id);
}

static enum status drop_content(sqlite3 *db, int64_t id, struct error *err)
{
    enum status st = drop_columns(db, id, err);
    if (!st)
        st = segments_drop(db, id, err);
    return st ? st : space_drop_models(db, id, err);
}

/* The row of the data set, its number for life: a new one, or that of the old content, which goes. */
static enum status take_row(sqlite3 *db, const struct dataset *d, bool replace, int64_t *id, struct error *err)
{
    bool found;
    enum status st = sql_int(db, id, &found, err, "SELECT id FROM t_datasets WHERE name = ?", "t", d->name);
    if (st)
        return st;
    if (found && !replace) {
        error_set(err, ST_USAGE, "there is a data set %s already", d->name);
        error_hint(err, "choose another name with `as NAME`, or say replace=yes");
        return ST_USAGE;
    }
    if (found)
        return drop_content(db, *id, err);
    st = sql_do(db, err,
                "INSERT INTO t_datasets (name, source, " NUMBER_COLUMNS
                ", sum) VALUES (?, '', 0,0,0,0,0,0,0,0,0,0,0, 0)",
                "t", d->name);
    *id = sqlite3_last_insert_rowid(db);
    return st;
}

static enum status fill_row(sqlite3 *db, const struct dataset *d, int64_t id, const struct columns *c, uint64_t bytes,
                            struct error *err)
{
    int64_t v[NUMBERS];
    segments_count(d, bytes, v);
    uint64_t sum = row_sum(id, d->name, d->source, v);
    enum status st = columns_put(db, id, c, &sum, err);
    if (st)
        return st;
    return sql_do(db, err,
                  "UPDATE t_datasets SET source = ?, (" NUMBER_COLUMNS
                  ", sum) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?",
                  "tiiiiiiiiiiiii", d->source, v[EVENTS], v[USERS], v[ITEMS], v[READ], v[KEPT], v[REJECTS], v[BYTES],
                  v[FINGERPRINT], v[OLDEST], v[NEWEST], v[LOADED], (int64_t)sum, id);
}

static enum status put_content(struct workspace *w, sqlite3 *db, const struct dataset *d, bool replace,
                               const struct columns *c, struct job *job, struct error *err)
{
    int64_t id;
    uint64_t bytes;
    enum status st = take_row(db, d, replace, &id, err);
    w->large = true;
    if (!st)
        st = transfer_put(db, id, c, job, &bytes, err);
    if (!st)
        st = fill_row(db, d, id, c, bytes, err);
    return st ? st : space_keep_rejects(w, db, id, d->rows_rejected, err);
}

static uint64_t bytes_of(const struct columns *c)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < c->n; i++)
        bytes += c->column[i].there ? c->column[i].count * element_size(c->column[i].element) : 0;
    return bytes;
}

/* After a data set was kept. The log of a large load is as large as the load: fold it in now. A reader may be in the
 * way; then later. */
static void settle(struct workspace *w)
{
    workspace_unstage_rejects(w);
    if (w->large)
        sqlite3_exec(w->writer.db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    w->large = false;
}

enum status workspace_put_dataset(struct workspace *w, const struct dataset *d, bool replace, struct job *job,
                                  struct error *err)
{
    sqlite3 *db;
    struct columns c = {0};
    bool alone = true;
    enum status st = space_check_name("data set", d->name, err);
    if (!st)
        st = check_fields(&d->events.context, err);
    if (!st)
        st = check_fields(&d->user_fields, err);
    if (!st)
        st = check_fields(&d->item_fields, err);
    /* The list of columns serves both ways, so it does not say that writing leaves them alone. */
    if (!st)
        st = columns_of((struct dataset *)d, &c, err);
    if (!st) {
        job_begin(job, bytes_of(&c), "B", "keeping %s", d->name);
        st = space_write(w, &db, err);
    }
    if (!st) {
        alone = w->writer.depth == 1;
        st = space_end(w, db, put_content(w, db, d, replace, &c, job, err), err);
    }
    columns_clear(&c);
    if (!st && alone)
        settle(w);
    return st;
}

enum status workspace_begin(struct workspace *w, struct error *err)
{
    sqlite3 *db;
    return space_write(w, &db, err);
}

enum status workspace_end(struct workspace *w, enum status st, struct error *err)
{
    bool alone = w->writer.depth == 1;
    st = space_end(w, w->writer.db, st, err);
    if (!st && alone)
        settle(w);
    return st;
}

/* ---- growing ---- */

static enum status append_content(struct workspace *w, sqlite3 *db, const struct dataset *batch,
                                  const struct dataset *grown, struct job *job, struct error *err)
{
    int64_t id;
    enum status st = space_dataset(db, grown->name, &id, err);
    if (!st)
        st = segments_add(db, id, batch, grown, job, err);
    return st ? st : space_add_rejects(w, db, id, err);
}

enum status workspace_append(struct workspace *w, const struct dataset *batch, const struct dataset *grown,
                             struct job *job, struct error *err)
{
    sqlite3 *db;
    enum status st = check_fields(&batch->events.context, err);
    if (!st)
        st = space_write(w, &db, err);
    if (st)
        return st;
    bool alone = w->writer.depth == 1;
    st = space_end(w, db, append_content(w, db, batch, grown, job, err), err);
    if (!st && alone)
        workspace_unstage_rejects(w);
    return st;
}

/* The whole as the content of the row, none in the segments. */
static enum status fold_content(struct workspace *w, sqlite3 *db, const struct dataset *d, int64_t id, struct job *job,
                                struct error *err)
{
    struct columns c = {0};
    uint64_t bytes;
    enum status st = drop_columns(db, id, err);
    w->large = true;
    if (!st)
        st = columns_of((struct dataset *)d, &c, err);
    if (!st) {
        job_begin(job, bytes_of(&c), "B", "keeping %s", d->name);
        st = transfer_put(db, id, &c, job, &bytes, err);
    }
    if (!st)
        st = fill_row(db, d, id, &c, bytes, err);
    columns_clear(&c);
    return st ? st : segments_fold(db, id, err);
}

enum status workspace_fold(struct workspace *w, const struct dataset *d, bool always, struct job *job,
                           struct error *err)
{
    enum { FEW = 16 };
    sqlite3 *db;
    int64_t id, n = 0, events = 0;
    enum status st = space_write(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, d->name, &id, err);
    if (!st)
        st = segments_measure(db, id, &n, &events, err);
    bool due = n > FEW || (size_t)events > d->events.n / 4;
    bool fold = n > 0 && (always || due);
    if (!st && fold)
        st = fold_content(w, db, d, id, job, err);
    st = space_end(w, db, st, err);
    if (!st && fold)
        settle(w);
    return st;
}

/* ---- reading ---- */

#define SELECT_DATASETS "SELECT id, name, source, sum, " NUMBER_COLUMNS " FROM t_datasets"
enum { FIRST_NUMBER = 4 };

static void read_numbers(sqlite3_stmt *s, int64_t *numbers)
{
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = sqlite3_column_int64(s, FIRST_NUMBER + i);
}

/* The row and the columns of a data set into an empty one; *id for its chunks. */
static enum status get_outline(sqlite3 *db, const char *name, struct dataset **out, int64_t *id, struct columns *c,
                               int64_t *numbers, struct error *err)
{
    sqlite3_stmt *s = NULL;
    bool row = false;
    int64_t stored = 0;
    uint64_t sum = 0;
    enum status st = space_dataset(db, name, id, err);
    if (!st && *id == 0)
        st = error_set(err, ST_NOT_FOUND, "a data set has a name");
    if (!st)
        st = sql_query(db, &s, err, SELECT_DATASETS " WHERE id = ?", "i", *id);
    if (!st)
        st = sql_step(s, &row, err);
    if (!st && row) {
        const char *source = sql_text(s, 2);
        read_numbers(s, numbers);
        stored = sqlite3_column_int64(s, 3);
        sum = row_sum(*id, name, source, numbers);
        *out = dataset_new(name, err);
        if (*out)
            mem_free((*out)->source);
        if (!*out || !((*out)->source = mem_strdup(source, err)))
            st = ST_NOMEM;
    }
    sqlite3_finalize(s);
    if (!st)
        st = row ? columns_get(db, *id, *out, c, &sum, err) : ST_CORRUPT;
    if (!st && (int64_t)sum != stored)
        st = error_set(err, ST_CORRUPT, "the data set is damaged: the checksum of its record does not hold");
    return st;
}

static enum status get_content(sqlite3 *db, const char *name, struct dataset **out, struct job *job, struct error *err)
{
    int64_t id, v[NUMBERS];
    struct columns c = {0};
    enum status st = get_outline(db, name, out, &id, &c, v, err);
    if (!st) {
        struct dataset *d = *out;
        job_begin(job, bytes_of(&c), "B", "opening %s", name);
        d->events.n = (size_t)v[EVENTS];
        d->rows_read = (uint64_t)v[READ];
        d->rows_kept = (uint64_t)v[KEPT];
        d->rows_rejected = (uint64_t)v[REJECTS];
        d->fingerprint = (uint64_t)v[FINGERPRINT];
        st = transfer_get(db, id, &c, job, err);
        if (!st)
            st = columns_settle(d, &c, err);
    }
    columns_clear(&c);
    return st ? st : segments_read(db, id, out, job, err);
}

enum status workspace_get_dataset(struct workspace *w, const char *name, struct dataset **out, struct job *job,
                                  struct error *err)
{
    sqlite3 *db;
    struct dataset *d = NULL;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = space_end(w, db, get_content(db, name, &d, job, err), err);
    if (st == ST_CORRUPT) {
        error_source(err, "%s, data set %s", w->path ? w->path : "temporary workspace", name);
        error_hint(err, "drop it and load it again; what else is in the workspace may be unharmed");
    }
    if (st) {
        dataset_release(d);
        return st;
    }
    *out = d;
    return ST_OK;
}

/* The numbers after the last append, all bytes, one row a data set. */
#define SELECT_GROWN                                                                                                   \
    "SELECT d.id, d.name, d.source, d.sum, coalesce(s.events, d.events), coalesce(s.users, d.users),"                  \
    " coalesce(s.items, d.items), coalesce(s.read, d.read), coalesce(s.kept, d.kept), coalesce(s.rejects, d.rejects)," \
    " d.bytes + (SELECT coalesce(sum(bytes), 0) FROM t_segments WHERE dataset = d.id AND folded = 0),"                 \
    " coalesce(s.fingerprint, d.fingerprint), coalesce(s.oldest, d.oldest), coalesce(s.newest, d.newest),"             \
    " coalesce(s.loaded, d.loaded) FROM t_datasets d LEFT JOIN t_segments s"                                           \
    " ON s.id = (SELECT max(id) FROM t_segments WHERE dataset = d.id) ORDER BY d.id"

static void fill_info(sqlite3_stmt *s, struct dataset_info *info)
{
    int64_t v[NUMBERS];
    read_numbers(s, v);
    memset(info, 0, sizeof *info);
    sqlite3_snprintf(sizeof info->name, info->name, "%s", sql_text(s, 1));
    sqlite3_snprintf(sizeof info->source, info->source, "%s", sql_text(s, 2));
    info->events = (uint64_t)v[EVENTS];
    info->users = (uint64_t)v[USERS];
    info->items = (uint64_t)v[ITEMS];
    info->rejects = (uint64_t)v[REJECTS];
    info->bytes = (uint64_t)v[BYTES];
    info->fingerprint = (uint64_t)v[FINGERPRINT];
    info->oldest = v[OLDEST];
    info->newest = v[NEWEST];
    info->loaded = v[LOADED];
}

enum status workspace_list_datasets(struct workspace *w, struct dataset_info **out, size_t *n, struct error *err)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    size_t capacity = 0;
    *out = NULL;
    *n = 0;
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = sql_query(db, &s, err, SELECT_GROWN, "");
    for (bool row = true; !st && row;) {
        st = sql_step(s, &row, err);
        if (!st && row)
            st = mem_grow(out, &capacity, *n + 1, sizeof **out, err);
        if (!st && row)
            fill_info(s, &(*out)[(*n)++]);
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

/* ---- changing ---- */

enum status workspace_drop_dataset(struct workspace *w, const char *name, struct error *err)
{
    sqlite3 *db;
    int64_t id;
    enum status st = space_write(w, &db, err);
    if (st)
        return st;
    st = space_dataset(db, name, &id, err);
    if (!st && id == 0)
        st = error_set(err, ST_NOT_FOUND, "a data set has a name");
    if (!st)
        st = drop_content(db, id, err);
    if (!st)
        st = sql_do(db, err, "DELETE FROM t_rejects WHERE dataset = ?", "i", id);
    if (!st)
        st = sql_do(db, err, "DELETE FROM t_notes WHERE dataset = ?", "i", id);
    if (!st)
        st = sql_do(db, err, "DELETE FROM t_datasets WHERE id = ?", "i", id);
    return space_end(w, db, st, err);
}

/* The name is part of the sum, so the old one is checked and a new one made. */
static enum status rename_row(sqlite3 *db, const char *from, const char *to, struct error *err)
{
    struct dataset *d = NULL;
    struct columns c = {0};
    int64_t id, v[NUMBERS];
    enum status st = get_outline(db, from, &d, &id, &c, v, err);
    if (!st) {
        uint64_t sum = row_sum(id, to, d->source, v);
        st = sql_do(db, err, "DELETE FROM t_columns WHERE dataset = ?", "i", id);
        if (!st)
            st = columns_put(db, id, &c, &sum, err);
        if (!st)
            st = sql_do(db, err, "UPDATE t_datasets SET name = ?, sum = ? WHERE id = ?", "tii", to, (int64_t)sum, id);
    }
    columns_clear(&c);
    dataset_release(d);
    return st;
}

enum status workspace_rename_dataset(struct workspace *w, const char *from, const char *to, struct error *err)
{
    sqlite3 *db;
    int64_t taken;
    bool found = false;
    enum status st = space_check_name("data set", to, err);
    if (st)
        return st;
    st = space_write(w, &db, err);
    if (st)
        return st;
    if (strcmp(from, to) != 0)
        st = sql_int(db, &taken, &found, err, "SELECT id FROM t_datasets WHERE name = ?", "t", to);
    if (!st && found)
        st = error_set(err, ST_USAGE, "there is a data set %s already", to);
    if (!st)
        st = rename_row(db, from, to, err);
    return space_end(w, db, st, err);
}

/* ---- checking ---- */

static enum status verify_datasets(struct workspace *w, struct job *job, struct error *err)
{
    struct dataset_info *info;
    size_t n;
    enum status st = workspace_list_datasets(w, &info, &n, err);
    for (size_t i = 0; i < n && !st; i++) {
        struct dataset *d = NULL;
        st = workspace_get_dataset(w, info[i].name, &d, job, err);
        dataset_release(d);
    }
    mem_free(info);
    return st;
}

static enum status integrity(sqlite3 *db, struct error *err)
{
    sqlite3_stmt *s;
    bool row = false;
    enum status st = sql_query(db, &s, err, "PRAGMA integrity_check(1)", "");
    if (!st)
        st = sql_step(s, &row, err);
    if (!st && (!row || strcmp(sql_text(s, 0), "ok") != 0))
        st = error_set(err, ST_CORRUPT, "the workspace is damaged: %s", row ? sql_text(s, 0) : "it cannot be checked");
    sqlite3_finalize(s);
    return st;
}

enum status workspace_verify(struct workspace *w, struct job *job, struct error *err)
{
    sqlite3 *db;
    job_begin(job, 0, "", "checking the workspace");
    enum status st = space_read(w, &db, err);
    if (st)
        return st;
    st = space_end(w, db, integrity(db, err), err);
    if (!st)
        st = verify_datasets(w, job, err);
    if (!st)
        st = space_verify_models(w, job, err);
    return st ? st : space_verify_notes(w, err);
}
