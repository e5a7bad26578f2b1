#include "tests/fuzz/load.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "ingest/sheet.h"
#include "tests/fuzz/fuzz.h"

static enum status hash_reject(void *context, const char *file, uint64_t line, const char *reason, const char *text,
                               size_t n, struct error *err)
{
    struct outcome *o = context;
    (void)file;
    (void)err;
    MUST(reason && reason[0]);
    o->rejects++;
    o->rejects_hash = hash_bytes(&line, sizeof line, o->rejects_hash);
    o->rejects_hash = hash_bytes(reason, strlen(reason), o->rejects_hash);
    o->rejects_hash = hash_bytes(text, n, o->rejects_hash);
    return ST_OK;
}

struct piped {
    int fd;
    const uint8_t *data;
    size_t n;
};

/* Ends early when the reader has seen enough. */
static void *write_pipe(void *context)
{
    const struct piped *p = context;
    for (size_t at = 0; at < p->n;) {
        ssize_t wrote = write(p->fd, p->data + at, p->n - at);
        if (wrote <= 0)
            break;
        at += (size_t)wrote;
    }
    close(p->fd);
    return NULL;
}

static void load_fd(int fd, const struct mapping *mapping, size_t nmapping, struct outcome *out)
{
    struct reject_sink sink = {out, hash_reject};
    char path[64];
    const char *paths[] = {path};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    out->st = ingest_events(paths, 1, mapping, nmapping, "fuzz", &sink, NULL, &out->data, &out->report, &out->err);
}

int fuzz_file(const uint8_t *data, size_t n, char path[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, data, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

void fuzz_load(const uint8_t *data, size_t n, bool piped, const struct mapping *mapping, size_t nmapping,
               struct outcome *out)
{
    memset(out, 0, sizeof *out);
    if (piped) {
        pthread_t writer;
        int ends[2];
        MUST(pipe(ends) == 0);
        struct piped p = {ends[1], data, n};
        MUST(pthread_create(&writer, NULL, write_pipe, &p) == 0);
        load_fd(ends[0], mapping, nmapping, out);
        close(ends[0]);
        pthread_join(writer, NULL);
    } else {
        char path[64];
        int fd = fuzz_file(data, n, path);
        load_fd(fd, mapping, nmapping, out);
        close(fd);
    }
}

static void check_text(const struct dict *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        MUST(utf8_valid(dict_text(d, i), dict_length(d, i)));
}

static void check_fields(const struct fields *set, size_t rows)
{
    for (size_t i = 0; i < set->n; i++) {
        MUST(set->field[i].n == rows);
        check_text(&set->field[i].levels);
    }
}

void fuzz_check(struct outcome *o)
{
    const struct dataset *d = o->data;
    if (o->st) {
        MUST(!d && o->err.message[0]);
        return;
    }
    MUST(d->rows_read == d->rows_kept + d->rows_rejected && d->rows_rejected == o->rejects);
    MUST(d->events.n > 0 && d->user_begin[d->users.n] == d->events.n);
    check_text(&d->users);
    check_text(&d->items);
    check_text(&d->types);
    check_fields(&d->events.context, d->events.n);
    check_fields(&d->item_fields, d->items.n);
    check_fields(&d->user_fields, d->users.n);
    dataset_release(o->data);
    o->data = NULL;
}

static void same_dict(const struct dict *a, const struct dict *b)
{
    MUST(a->n == b->n);
    for (uint32_t i = 0; i < a->n; i++)
        MUST(dict_length(a, i) == dict_length(b, i) && strcmp(dict_text(a, i), dict_text(b, i)) == 0);
}

void fuzz_same(const struct outcome *a, const struct outcome *b, bool whole)
{
    MUST(a->st == b->st);
    MUST(a->rejects == b->rejects && a->rejects_hash == b->rejects_hash);
    if (a->st)
        return;
    const struct events *x = &a->data->events, *y = &b->data->events;
    MUST(a->data->rows_read == b->data->rows_read && x->n == y->n);
    same_dict(&a->data->users, &b->data->users);
    same_dict(&a->data->items, &b->data->items);
    same_dict(&a->data->types, &b->data->types);
    MUST(!memcmp(x->user, y->user, x->n * sizeof *x->user) && !memcmp(x->item, y->item, x->n * sizeof *x->item));
    MUST(!memcmp(x->type, y->type, x->n * sizeof *x->type));
    MUST(!x->time == !y->time && (!x->time || !memcmp(x->time, y->time, x->n * sizeof *x->time)));
    MUST(!whole || a->data->fingerprint == b->data->fingerprint);
}

/* The rows of the sheet, one after the other: as many as the loader read, and what cannot be cut it refused. */
static void check_rows(const uint8_t *data, size_t n, const char *format, const struct outcome *o)
{
    const struct sheet_form form = {.format = format};
    struct feed *feed = NULL;
    struct sheet t;
    uint64_t rows = 0, bad = 0;
    char path[64];
    int fd = fuzz_file(data, n, path);
    MUST(feed_open(path, NULL, &feed, NULL) == ST_OK && sheet_open(feed, &form, &t, NULL) == ST_OK);
    for (bool more = true; more;) {
        MUST(sheet_next(&t, &more, NULL) == ST_OK);
        rows += more;
        bad += more && t.bad;
    }
    MUST(rows == o->data->rows_read && bad <= o->rejects);
    sheet_close(&t);
    close(fd);
}

void fuzz_each_way(const uint8_t *data, size_t n, const char *format)
{
    struct outcome chunked, piped, rows;
    const struct mapping mapping = {"format", format};
    fuzz_load(data, n, false, &mapping, 1, &chunked);
    fuzz_load(data, n, true, &mapping, 1, &piped);
    fuzz_same(&chunked, &piped, true);
    if (!chunked.st)
        check_rows(data, n, format, &chunked);
    if (!chunked.st && !chunked.rejects && chunked.data->types.n == 1 && dict_length(&chunked.data->types, 0)) {
        char type[64];
        const struct mapping computed[] = {mapping, {"type", type}};
        snprintf(type, sizeof type, "=%.50s", dict_text(&chunked.data->types, 0));
        if (utf8_valid(type, strlen(type)) && strlen(type) == dict_length(&chunked.data->types, 0) + 1) {
            fuzz_load(data, n, false, computed, 2, &rows);
            fuzz_same(&chunked, &rows, false);
            fuzz_check(&rows);
        }
    }
    fuzz_check(&chunked);
    fuzz_check(&piped);
}
