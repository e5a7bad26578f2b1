#include "models/snapshot.h"

#include <string.h>

#include "base/mem.h"

static enum status append(void *context, const void *bytes, size_t n, struct error *err)
{
    struct snapshot *s = context;
    enum status st = mem_grow(&s->bytes, &s->capacity, s->n + n, 1, err);
    if (st || !n)
        return st;
    memcpy(s->bytes + s->n, bytes, n);
    s->n += n;
    return ST_OK;
}

static enum status take(void *context, void *bytes, size_t n, struct error *err)
{
    struct snapshot *s = context;
    if (n > s->n - s->at)
        return error_set(err, ST_CORRUPT, "the blob ends after %zu bytes; %zu more were expected", s->n, n);
    if (n)
        memcpy(bytes, s->bytes + s->at, n);
    s->at += n;
    return ST_OK;
}

struct blob_writer snapshot_writer(struct snapshot *s)
{
    return (struct blob_writer){s, append};
}

struct blob_reader snapshot_reader(struct snapshot *s)
{
    return (struct blob_reader){s, take};
}

void snapshot_empty(struct snapshot *s)
{
    s->n = s->at = 0;
}

void snapshot_cut(struct snapshot *s)
{
    if (s->at)
        memmove(s->bytes, s->bytes + s->at, s->n - s->at);
    s->n -= s->at;
    s->at = 0;
}

void snapshot_clear(struct snapshot *s)
{
    mem_free(s->bytes);
    *s = (struct snapshot){0};
}
