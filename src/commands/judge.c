#include "commands/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/grow.h"
#include "models/served.h"
#include "models/snapshot.h"

static const char note_kind[] = "evaluation";

static void note_name(const struct judge *j, const struct model *m, char *out, size_t size)
{
    int n = snprintf(out, size, "%s %s %s %s", m->name, j->protocol.on == PART_TEST ? "test" : "valid",
                     j->protocol.hide_seen ? "hide" : "show", j->protocol.rolling ? "rolling" : "fixed");
    if (j->protocol.among && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, " among %016" PRIx64, j->protocol.among);
}

/* Is it of this very model and split, and are its lists long enough? */
static bool fits(const struct judge *j, const struct model *m, const struct evaluation *e)
{
    size_t depth = j->depth < j->d->items.n ? j->depth : j->d->items.n;
    return e->split_fingerprint == j->s->fingerprint && e->model_created == (uint64_t)m->record.created &&
           e->nitems == j->d->items.n && e->depth >= depth && e->protocol.on == j->protocol.on &&
           e->protocol.hide_seen == j->protocol.hide_seen && e->protocol.rolling == j->protocol.rolling &&
           e->protocol.among == j->protocol.among;
}

/* What is kept under a name, or NULL; damaged is as good as none: it is made again. `before` looks for that of the
 * previous training. */
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

static enum status keep(const struct judge *j, const struct model *m, const struct evaluation *e, bool before,
                        struct error *err)
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

struct protocol judge_protocol(const struct workbench *wb, const struct call *call, enum part on)
{
    struct protocol p = {.on = on, .hide_seen = call_given(call, "seen") ? call_int(call, "seen") == 0 : wb->hide_seen};
    if (call_int(call, "history") != 0)
        p.rolling = call_int(call, "leak") == 0 ? ROLLING_IN_ORDER : ROLLING_ANYHOW;
    return p;
}

enum status judge_questions(struct judge *j, struct error *err)
{
    if (j->set)
        return ST_OK;
    enum status st = test_set_new(j->d, j->s, &j->protocol, &j->set, err);
    if (!st && j->drawn)
        st = candidates_draw(j->set, j->drawn, j->wb->seed, err);
    if (!st && j->listed)
        st = candidates_of_lists(j->set, j->listed, &j->left_out, err);
    if (st) {
        test_set_free(j->set);
        j->set = NULL;
    }
    return st;
}

/* Asks the model. What was kept of an earlier one of its name steps back when it was asked the same; `old` is NULL or
 * that. */
static enum status ask(struct judge *j, const struct model *m, const struct evaluation *old, struct evaluation **out,
                       struct error *err)
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

static void recall_before(const struct judge *j, const struct model *m, struct evaluation *e)
{
    e->before = recall(j, m, true);
    if (e->before && (e->before->model_created == e->model_created || !evaluation_alike(e->before, e))) {
        evaluation_free(e->before);
        e->before = NULL;
    }
}

struct evaluation *judge_kept_twice(struct judge *j, const struct model *m)
{
    struct evaluation *e = recall(j, m, false);
    if (e && fits(j, m, e))
        recall_before(j, m, e);
    if (e && e->before)
        return e;
    evaluation_free(e);
    return NULL;
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
        recall_before(j, m, e);
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

/* ---- which models ---- */

bool judge_can(const struct dataset *d, const struct split *s, const struct model *m)
{
    return dataset_descends(d, m->record.data_fingerprint) &&
           (model_is_served(m) || m->record.split_fingerprint == s->fingerprint);
}

/* "ease (all events, so the test part too), pop (another split)" */
static void list_others(const struct dataset *d, const struct split *s, struct model *const *models, size_t n,
                        struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct model *m = models[i];
        if (judge_can(d, s, m))
            continue;
        const char *why = !dataset_descends(d, m->record.data_fingerprint) ? "other data"
                          : m->record.split_fingerprint                 ? "another split"
                                                                        : "all events, test events too";
        str_printf(out, "%s%s (%s)", out->length ? ", " : "", m->name, why);
    }
}

/* Models named by the user must fit; of all there are, those that do not are left out with a warning. */
static enum status keep_comparable(const struct call *call, bool named, const struct dataset *d, const struct split *s,
                                   struct model **models, size_t *n, struct result *out, struct error *err)
{
    struct str others = {0};
    size_t kept = 0;
    enum status st = ST_OK;
    list_others(d, s, models, *n, &others);
    for (size_t i = 0; i < *n; i++)
        kept += judge_can(d, s, models[i]);
    if (others.length && (named || !kept)) {
        st = error_set(err, ST_STATE, "not trained on the train part of this split (%s): %s", s->description,
                       str_text(&others));
        error_hint(err, "train again, then %s: models are comparable when they learnt from the same events",
                   call->command->name);
    } else if (others.length) {
        result_message(out, MESSAGE_WARNING, "left out, trained otherwise: %s", result_str(out, &others));
    }
    str_free(&others);
    kept = 0;
    for (size_t i = 0; i < *n && !st; i++) {
        if (judge_can(d, s, models[i]))
            models[kept++] = models[i];
        else
            model_release(models[i]);
    }
    if (!st)
        *n = kept;
    return st;
}

enum status judge_models(struct workbench *wb, const struct call *call, const struct dataset *d, const struct split *s,
                         struct model ***models, size_t *n, struct result *out, struct error *err)
{
    const char **names = mem_new(call->nmodels, sizeof *names, "names of models", err);
    enum status st = names ? ST_OK : ST_NOMEM;
    struct metric_at metric;
    for (size_t i = 0; i < call->nmodels && !st; i++) {
        struct model *m = workbench_model(wb, call->models[i].text);
        names[i] = call->models[i].text;
        st = m ? ST_OK : workbench_models(wb, &names[i], 1, models, n, err);
        if (st && !metric_parse(names[i], 10, &metric, NULL))
            error_hint(err, "it is a metric, and stands before `with`: %s %s with ...", call->command->name, names[i]);
        if (st)
            error_span(err, call->models[i].offset, call->models[i].length);
        model_release(m);
    }
    if (!st)
        st = workbench_models(wb, names, call->nmodels, models, n, err);
    mem_free(names);
    return st ? st : keep_comparable(call, call->nmodels || wb->nused, d, s, *models, n, out, err);
}
