#include "commands/judge.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "models/snapshot.h"

static const char note_kind[] = "evaluation";

static void note_name(const struct judge *j, const struct model *m, char *out, size_t size)
{
    snprintf(out, size, "%s %s %s %s", m->name, j->protocol.on == PART_TEST ? "test" : "valid",
             j->protocol.hide_seen ? "hide" : "show", j->protocol.rolling ? "rolling" : "fixed");
}

/* Is it of this very model and split, and are its lists long enough? */
static bool fits(const struct judge *j, const struct model *m, const struct evaluation *e)
{
    size_t depth = j->depth < j->d->items.n ? j->depth : j->d->items.n;
    return e->split_fingerprint == j->s->fingerprint && e->model_created == (uint64_t)m->record.created &&
           e->nitems == j->d->items.n && e->depth >= depth && e->protocol.on == j->protocol.on &&
           e->protocol.hide_seen == j->protocol.hide_seen && e->protocol.rolling == j->protocol.rolling;
}

/* The kept evaluation, or NULL. One that is damaged or of another model is as good as none: it is made again. */
static struct evaluation *recall(const struct judge *j, const struct model *m)
{
    char name[128];
    void *bytes = NULL;
    size_t n = 0;
    struct evaluation *e = NULL;
    note_name(j, m, name, sizeof name);
    if (workspace_get_note(j->wb->space, j->d->name, note_kind, name, &bytes, &n, NULL))
        return NULL;
    struct snapshot blob = {.bytes = bytes, .n = n};
    struct blob_reader r = snapshot_reader(&blob);
    if (evaluation_load(&r, &e, NULL))
        e = NULL;
    mem_free(bytes);
    if (e && fits(j, m, e))
        return e;
    evaluation_free(e);
    return NULL;
}

static enum status keep(const struct judge *j, const struct model *m, const struct evaluation *e, struct error *err)
{
    char name[128];
    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    if (j->wb->readonly)
        return ST_OK;
    note_name(j, m, name, sizeof name);
    enum status st = evaluation_save(e, &w, err);
    if (!st)
        st = workspace_put_note(j->wb->space, j->d->name, note_kind, name, blob.bytes, blob.n, err);
    snapshot_clear(&blob);
    return st;
}

enum status judge_model(struct judge *j, const struct model *m, struct evaluation **out, struct error *err)
{
    enum status st = ST_OK;
    struct evaluation *e = recall(j, m);
    if (e) {
        *out = e;
        return ST_OK;
    }
    if (!j->set)
        st = test_set_new(j->d, j->s, &j->protocol, &j->set, err);
    if (!st)
        st = evaluation_run(m, j->set, j->s->fingerprint, j->depth, &j->wb->job, &e, err);
    if (!st)
        st = keep(j, m, e, err);
    if (st)
        evaluation_free(e);
    else
        *out = e;
    return st;
}

void judge_clear(struct judge *j)
{
    test_set_free(j->set);
    j->set = NULL;
}
