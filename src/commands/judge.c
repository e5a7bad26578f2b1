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

/* What is kept under a name, or NULL; damaged is as good as none: it is made again. `before` looks for that of the previous
 * training. */
static struct evaluation *recall(const struct judge *j, const struct model *m, bool before)
{
    char name[128], whole[136];
    void *bytes = NULL;
    size_t n = 0;
    struct evaluation *e = NULL;
    note_name(j, m, name, sizeof name);
    snprintf(whole, sizeof whole, "%s%s", name, before ? " before" : "");
    if (workspace_get_note(j->wb->space, j->d->name, note_kind, whole, &bytes, &n, NULL))
        return NULL;
    struct snapshot blob = {.bytes = bytes, .n = n};
    struct blob_reader r = snapshot_reader(&blob);
    if (evaluation_load(&r, &e, NULL))
        e = NULL;
    mem_free(bytes);
    return e;
}

static enum status keep(const struct judge *j, const struct model *m, const struct evaluation *e, bool before, struct error *err)
{
    char name[128], whole[136];
    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    if (j->wb->readonly)
        return ST_OK;
    note_name(j, m, name, sizeof name);
    snprintf(whole, sizeof whole, "%s%s", name, before ? " before" : "");
    enum status st = evaluation_save(e, &w, err);
    if (!st)
        st = workspace_put_note(j->wb->space, j->d->name, note_kind, whole, blob.bytes, blob.n, err);
    snapshot_clear(&blob);
    return st;
}

enum status judge_questions(struct judge *j, struct error *err)
{
    return j->set ? ST_OK : test_set_new(j->d, j->s, &j->protocol, &j->set, err);
}

/* Asks the model. What was kept of an earlier one of its name steps back when it was asked the same; `old` is NULL or that. */
static enum status ask(struct judge *j, const struct model *m, const struct evaluation *old, struct evaluation **out, struct error *err)
{
    struct evaluation *e = NULL;
    enum status st = judge_questions(j, err);
    if (!st)
        st = evaluation_run(m, j->set, j->s->fingerprint, j->depth, &j->wb->job, &e, err);
    if (!st && old && old->model_created != e->model_created && evaluation_alike(old, e))
        st = keep(j, m, old, true, err);
    if (!st)
        st = keep(j, m, e, false, err);
    if (st)
        evaluation_free(e);
    else
        *out = e;
    return st;
}

static enum status make_ready(struct judge *j, const struct model *m, struct evaluation *e, struct error *err)
{
    enum status st = ST_OK;
    if (j->needs & NEEDS_PAIRS && !e->won) {
        st = judge_questions(j, err);
        if (!st)
            st = evaluation_add_pairs(e, m, j->set, &j->wb->job, err);
        if (!st)
            st = keep(j, m, e, false, err);
    }
    if (!st && j->needs & NEEDS_FACTS && !j->facts)
        st = item_facts_new(j->d, j->s, &j->protocol, &j->facts, err);
    if (!st && j->needs & NEEDS_BEFORE)
        e->before = recall(j, m, true);
    if (e->before && (e->before->model_created == e->model_created || !evaluation_alike(e->before, e))) {
        evaluation_free(e->before);
        e->before = NULL;
    }
    e->facts = j->facts;
    return st;
}

enum status judge_model(struct judge *j, const struct model *m, struct evaluation **out, struct error *err)
{
    struct evaluation *kept = recall(j, m, false), *e = NULL;
    enum status st = ST_OK;
    if (kept && fits(j, m, kept)) {
        e = kept;
        kept = NULL;
    } else {
        st = ask(j, m, kept, &e, err);
    }
    if (!st)
        st = make_ready(j, m, e, err);
    evaluation_free(kept);
    if (st)
        evaluation_free(e);
    else
        *out = e;
    return st;
}

void judge_clear(struct judge *j)
{
    test_set_free(j->set);
    item_facts_free(j->facts);
    j->set = NULL;
    j->facts = NULL;
}
