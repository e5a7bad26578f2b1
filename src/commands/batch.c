#include "commands/batch.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum status batch_take(struct tail *t, struct batch_text *b, struct error *err)
{
    return tail_take(t, &b->rows, &b->line, &b->header, err);
}

/* Rejects under the name and the line of the source. */
struct relay {
    struct workbench *wb;
    const struct batch_text *text;
    uint64_t rejected;
};

static enum status relay_reject(void *context, const char *file, uint64_t line, const char *reason, const char *text,
                                size_t n, struct error *err)
{
    struct relay *r = context;
    const struct batch_text *b = r->text;
    (void)file;
    const struct reject reject = {.file = b->source,
                                  .line = b->line + line - 1 - (b->header ? 1 : 0),
                                  .reason = reason,
                                  .text = text,
                                  .text_length = n};
    r->rejected++;
    return workspace_stage_reject(r->wb->space, &reject, err);
}

/* No row could be used, which is no failure of a source that goes on. */
static enum status only_rejects(const struct relay *r, struct dataset **out, struct error *err)
{
    struct dataset *d = dataset_new("batch", err);
    enum status st = d ? dataset_finish(d, err) : ST_NOMEM;
    if (st) {
        dataset_release(d);
        return st;
    }
    d->rows_read = d->rows_rejected = r->rejected;
    *out = d;
    return ST_OK;
}

enum status mapping_join(const struct mapping *more, size_t nmore, const struct mapping *all, size_t nall,
                         struct mapping **out, size_t *n, struct error *err)
{
    struct mapping *m = mem_new(nmore + nall, sizeof *m, "a mapping", err);
    if (!m)
        return ST_NOMEM;
    for (*n = 0; *n < nmore; ++*n)
        m[*n] = more[*n];
    for (size_t i = 0; i < nall; i++) {
        bool said = false;
        for (size_t k = 0; k < nmore; k++)
            said |= strcmp(more[k].key, all[i].key) == 0;
        if (!said)
            m[(*n)++] = all[i];
    }
    *out = m;
    return ST_OK;
}

enum status batch_read(struct workbench *wb, const struct batch_text *b, const struct mapping *mapping,
                       size_t nmapping, struct dataset **out, struct ingest_report *report, struct error *err)
{
    struct relay relay = {.wb = wb, .text = b};
    struct reject_sink sink = {&relay, relay_reject};
    const struct mapping header = {"header", b->header ? "yes" : "no"};
    bool json = b->rows.length && str_text(&b->rows)[0] == '{';
    struct mapping *all = NULL;
    size_t n = 0;
    char path[48];
    const char *paths[] = {path};
    int fd;
    enum status st = mapping_join(&header, json ? 0 : 1, mapping, nmapping, &all, &n, err);
    if (!st)
        st = text_as_file(str_text(&b->rows), b->rows.length, &fd, path, err);
    if (st) {
        mem_free(all);
        return st;
    }
    st = ingest_events(paths, 1, all, n, "batch", &sink, &wb->job, out, report, err);
    close(fd);
    mem_free(all);
    return st == ST_FORMAT && relay.rejected ? only_rejects(&relay, out, err) : st;
}
