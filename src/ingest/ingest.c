#include "ingest/ingest.h"

#include <string.h>

#include "base/mem.h"
#include "ingest/load.h"
#include "ingest/paths.h"

/* ---- reading ---- */

static enum status unknown_folder(const char *path, struct error *err)
{
    error_set(err, ST_FORMAT, "%s is a folder of no layout that is known", path);
    static const char *const endings[] = {".csv", ".tsv", ".jsonl", ".csv.gz", ".txt", ".dat"};
    static const char known[] =
        "known: MovieLens, LightGCN, Last.fm, Book-Crossing, RetailRocket, Deskdrop, RecBole, Open Bandit, and "
        "events.csv with items.csv";
    char found[4096];
    size_t i = 0, n = sizeof endings / sizeof *endings;
    while (i < n && !folder_find(path, endings[i], found, sizeof found))
        i++;
    if (i < n)
        error_hint(err, "%s; else name the file, such as `preview '%s'`", known, found);
    else
        error_hint(err, "%s", known);
    return ST_FORMAT;
}

const struct reader *ingest_pick(const struct ingest *in, const char *path, const char *head, size_t n)
{
    const struct reader *best = NULL;
    int most = 0;
    bool told = in->form.format || in->form.delimiter || in->form.header;
    if (told && n)
        return in->form.format && text_same(in->form.format, "jsonl") ? &reader_jsonl : &reader_csv;
    const char *user = ingest_mapped(in, "user"), *item = ingest_mapped(in, "item");
    bool mapped = item || (user && strcmp(user, "row") != 0);
    for (size_t i = 0; readers[i]; i++) {
        if (readers[i]->fixed && mapped)
            continue;
        int score = readers[i]->recognise(path, head, n);
        if (score > most) {
            most = score;
            best = readers[i];
        }
    }
    return best;
}

static enum status read_path(struct ingest *in, const char *path, struct error *err)
{
    enum { HEAD = 64 << 10 };
    const struct reader *reader;
    if (path_is_folder(path)) {
        reader = ingest_pick(in, path, NULL, 0);
        if (!reader)
            return unknown_folder(path, err);
    } else {
        enum status st = ingest_feed(in, path, &in->opened, err);
        if (st)
            return st;
        const struct feed *f = in->opened;
        size_t n = f->end - f->at;
        reader = ingest_pick(in, path, f->data + f->at, n < HEAD ? n : HEAD);
    }
    in->report->reader = reader->name;
    enum status st = reader->read(in, path, err);
    feed_close(in->opened);
    in->opened = NULL;
    return st;
}

static enum status read_all(struct ingest *in, const struct paths *paths, struct error *err)
{
    bool parts = paths_say_parts(paths);
    enum status st = ST_OK;
    if (parts)
        ingest_note(in, "the names of the files say train and test: `split given` uses that");
    for (size_t i = 0; i < paths->n && !st; i++) {
        st = ingest_set_part(in, parts ? path_part(paths->path[i]) : NULL, err);
        if (!st)
            st = read_path(in, paths->path[i], err);
    }
    return st;
}

static enum status nothing_kept(const struct ingest *in, const char *source, struct error *err)
{
    const struct dataset *d = in->data;
    if (d->rows_rejected) {
        error_set(err, ST_FORMAT, "%s: none of %llu row%s could be used; the first: %s", source,
                  (unsigned long long)d->rows_read, d->rows_read == 1 ? "" : "s", in->first_reject);
        error_hint(err, "`preview FILE` shows what the columns are taken for and proposes the line to load it");
    } else {
        error_set(err, ST_FORMAT, "%s holds no rows", source);
        error_hint(err, "events are rows of at least a user and an item");
    }
    return ST_FORMAT;
}

static void note_rejects(struct ingest *in, uint64_t read, uint64_t rejected)
{
    if (in->untimed)
        ingest_note(in, "%llu row%s no time: kept, and taken for older than all others",
                    (unsigned long long)in->untimed, in->untimed == 1 ? " has" : "s have");
    if (rejected > in->staged && in->rejects)
        ingest_note(in, "only the first %llu rejected rows are kept for `rejects`", (unsigned long long)in->staged);
    if (rejected * 10 > read)
        ingest_note(in, "%.0f%% of the rows were rejected; the first: %.120s", 100. * (double)rejected / (double)read,
                    in->first_reject);
}

static enum status settle(struct ingest *in, struct error *err)
{
    struct dataset *d = in->data;
    job_begin(in->job, 0, "", "load: sorting %llu events", (unsigned long long)d->events.n);
    enum status st = raw_columns_settle(&in->context, d->events.n, &d->events.context, err);
    if (!st)
        st = raw_columns_settle(&in->item_columns, d->items.n, &d->item_fields, err);
    if (!st)
        st = raw_columns_settle(&in->user_columns, d->users.n, &d->user_fields, err);
    if (!st)
        st = job_check(in->job, err);
    return st ? st : dataset_finish_job(d, in->job, err);
}

static enum status finish(struct ingest *in, enum status st, struct dataset **out)
{
    feed_close(in->opened);
    raw_columns_clear(&in->context);
    raw_columns_clear(&in->item_columns);
    raw_columns_clear(&in->user_columns);
    if (st)
        dataset_release(in->data);
    else
        *out = in->data;
    return st;
}

/* The ids of base, if any, come first. */
static enum status start_data(struct ingest *in, const struct dataset *base, const char *name, struct error *err)
{
    in->data = dataset_new(base ? base->name : name, err);
    enum status st = in->data ? ST_OK : ST_NOMEM;
    if (!st && base)
        st = dict_copy(&in->data->users, &base->users, err);
    if (!st && base)
        st = dict_copy(&in->data->items, &base->items, err);
    if (!st && base)
        st = dict_copy(&in->data->types, &base->types, err);
    return st;
}

static enum status read_events(const struct dataset *base, bool head, const char *const *paths, size_t npaths,
                               const struct mapping *mapping, size_t nmapping, const char *name,
                               struct reject_sink *rejects, struct job *job, struct dataset **out,
                               struct ingest_report *report, struct error *err)
{
    struct ingest in = {.job = job,
                        .rejects = rejects,
                        .report = report,
                        .mapping = mapping,
                        .nmapping = nmapping,
                        .head = head};
    struct paths all = {0};
    struct str source = {0};
    memset(report, 0, sizeof *report);
    report->reader = "none";
    enum status st = ingest_options(&in, true, err);
    for (size_t i = 0; i < npaths && !st; i++) {
        st = paths_expand(paths[i], &all, err);
        str_printf(&source, "%s%s", i ? " " : "", paths[i]);
    }
    if (!st)
        st = start_data(&in, base, name, err);
    if (!st) {
        in.bytes_total = paths_size(&all);
        job_begin(job, in.bytes_total, "B", "load %s", str_text(&source));
        st = read_all(&in, &all, err);
    }
    if (!st && in.data->events.n == 0)
        st = nothing_kept(&in, str_text(&source), err);
    if (!st) {
        mem_free(in.data->source);
        in.data->source = mem_strdup(str_text(&source), err);
        st = in.data->source ? settle(&in, err) : ST_NOMEM;
    }
    if (!st)
        note_rejects(&in, in.data->rows_read, in.data->rows_rejected);
    str_free(&source);
    paths_clear(&all);
    return finish(&in, st, out);
}

enum status ingest_check_mapping(const struct mapping *mapping, size_t nmapping, struct error *err)
{
    struct ingest in = {.mapping = mapping, .nmapping = nmapping};
    return ingest_options(&in, true, err);
}

enum status ingest_head(const char *path, const struct mapping *mapping, size_t nmapping, struct job *job,
                        struct dataset **out, struct ingest_report *report, struct error *err)
{
    return read_events(NULL, true, &path, 1, mapping, nmapping, "head", NULL, job, out, report, err);
}

enum status ingest_events(const char *const *paths, size_t npaths, const struct mapping *mapping, size_t nmapping,
                          const char *name, struct reject_sink *rejects, struct job *job, struct dataset **out,
                          struct ingest_report *report, struct error *err)
{
    return read_events(NULL, false, paths, npaths, mapping, nmapping, name, rejects, job, out, report, err);
}

enum status ingest_more(const struct dataset *base, const char *const *paths, size_t npaths,
                        const struct mapping *mapping, size_t nmapping, struct reject_sink *rejects, struct job *job,
                        struct dataset **out, struct ingest_report *report, struct error *err)
{
    return read_events(base, false, paths, npaths, mapping, nmapping, NULL, rejects, job, out, report, err);
}

/* ---- attributes of a data set that is there already ---- */

/* Rows of which the file says nothing keep what they had; then the old field goes. */
static enum status keep_old(struct fields *set, struct raw_columns *columns, struct error *err)
{
    enum status st = ST_OK;
    struct str text = {0};
    for (size_t i = 0; i < columns->n && !st; i++) {
        struct raw_column *c = &columns->column[i];
        struct field *f = fields_find(set, c->name);
        if (!f)
            continue;
        c->lists |= f->type == FIELD_LIST;
        c->quoted |= f->type == FIELD_TEXT;
        for (size_t r = 0; r < f->n && !st; r++) {
            if ((r < c->n && c->code[r] != NO_CODE) || field_missing(f, r))
                continue;
            str_clear(&text);
            field_format(f, r, &text);
            st = text.failed ? error_nomem(err, text.length, "an attribute")
                             : raw_column_set(c, r, &(struct cell){.text = str_text(&text), .n = text.length}, err);
        }
        field_clear(f);
        size_t at = (size_t)(f - set->field);
        memmove(f, f + 1, (set->n - at - 1) * sizeof *f);
        set->n--;
    }
    str_free(&text);
    return st;
}

enum status ingest_attributes(const struct dataset *base, enum attribute_target target, const char *path,
                              const struct mapping *mapping, size_t nmapping, struct reject_sink *rejects,
                              struct job *job, struct dataset **out, struct ingest_report *report, struct error *err)
{
    struct ingest in = {.job = job, .rejects = rejects, .report = report, .mapping = mapping, .nmapping = nmapping};
    struct paths all = {0};
    bool items = target == ATTRIBUTES_OF_ITEMS;
    memset(report, 0, sizeof *report);
    report->reader = "attributes";
    enum status st = ingest_options(&in, false, err);
    if (!st)
        st = paths_expand(path, &all, err);
    if (!st)
        st = dataset_copy(base, base->name, &in.data, err);
    uint64_t kept = st ? 0 : in.data->rows_kept, rejected = st ? 0 : in.data->rows_rejected;
    if (!st)
        job_begin(job, paths_size(&all), "B", "load %s %s", items ? "items" : "users", path);
    for (size_t i = 0; i < all.n && !st; i++) {
        bool mine;
        struct sheet t;
        st = known_attributes(&in, all.path[i], target, &mine, err);
        if (st || mine)
            continue;
        st = ingest_open(&in, all.path[i], NULL, &t, err);
        if (!st)
            st = attributes_read(&in, &t, target, err);
    }
    if (!st) {
        kept = in.data->rows_kept - kept;
        rejected = in.data->rows_rejected - rejected;
        if (kept == 0) {
            st = error_set(err, ST_FORMAT, "%s: no row could be used%s%s", path, rejected ? "; the first: " : "",
                           in.first_reject);
            error_hint(err, "id=COLUMN says which column holds the %s", items ? "item" : "user");
        }
    }
    if (!st)
        st = keep_old(items ? &in.data->item_fields : &in.data->user_fields,
                      items ? &in.item_columns : &in.user_columns, err);
    if (!st)
        st = settle(&in, err);
    if (!st)
        note_rejects(&in, kept + rejected, rejected);
    paths_clear(&all);
    return finish(&in, st, out);
}
