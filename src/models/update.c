#include "models/update.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/grow.h"
#include "models/served.h"

/* Do both matrices say the same of user u? Past the end nothing is said. */
static bool same_row(const struct interactions *a, const struct interactions *b, size_t u)
{
    const struct csr *x = &a->matrix, *y = &b->matrix;
    size_t i = u < x->rows ? x->begin[u] : 0, j = u < y->rows ? y->begin[u] : 0;
    size_t n = u < x->rows ? x->begin[u + 1] - i : 0, m = u < y->rows ? y->begin[u + 1] - j : 0;
    return n == m && (!n || (memcmp(x->index + i, y->index + j, n * sizeof *x->index) == 0 &&
                             memcmp(x->value + i, y->value + j, n * sizeof *x->value) == 0 &&
                             memcmp(a->time + i, b->time + j, n * sizeof *a->time) == 0));
}

static enum status find_changed(struct update *u, uint32_t **users, struct error *err)
{
    const struct interactions *a = u->before->interactions, *b = u->after->interactions;
    size_t n = b->matrix.rows;
    *users = mem_new_raw(n, sizeof **users, "changed users", err);
    if (!*users)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (!same_row(a, b, i))
            (*users)[u->nusers++] = (uint32_t)i;
    u->users = *users;
    return ST_OK;
}

static void fill_report(const struct update *u, struct update_report *report)
{
    report->users = u->nusers;
    report->new_items = u->after->interactions->matrix.cols - u->before->interactions->matrix.cols;
    report->events_before = u->before->interactions->events;
    report->events = u->after->interactions->events;
    for (size_t i = 0; i < u->nusers; i++)
        report->new_users += u->users[i] >= u->before->interactions->matrix.rows;
}

/* Events of a split that has been carried to grown data are those of before, but the rows and columns are those of now.
 */
static void as_it_was(struct interactions *x, const struct model *from)
{
    x->matrix.rows = x->matrix.rows < from->nusers ? x->matrix.rows : from->nusers;
    x->matrix.cols = x->matrix.cols < from->nitems ? x->matrix.cols : from->nitems;
}

/* The class's part; m without a state when it is not worth it, or the class has none. */
static enum status update(struct model *m, struct update *u, struct update_report *report, struct error *err)
{
    uint32_t *users = NULL;
    bool worth = m->class->update != NULL;
    double started = clock_seconds();
    size_t bytes = 0;
    enum status st = driver_check(m, u->after, &bytes, err);
    if (!st && worth)
        driver_say_memory(m, u->after, bytes, 0);
    if (!st)
        st = find_changed(u, &users, err);
    if (!st) {
        fill_report(u, report);
        if (worth)
            st = m->class->update(m, u, &worth, err);
    }
    mem_free(users);
    report->trained = !st && !worth;
    return st || !worth ? st : driver_fill_record(m, u->after, started, err);
}

enum status model_train_hint(const struct model *m, enum status st, struct error *err)
{
    struct str parameters = {0};
    model_describe(m, true, &parameters);
    error_hint(err, "train %s %s%sas %s replace=yes", m->class->name, str_text(&parameters),
               parameters.length ? " " : "", m->name);
    str_free(&parameters);
    return st;
}

uint64_t model_events_since(const struct model *m, const struct dataset *d)
{
    const struct model *trained = model_trained(m);
    uint64_t most = model_is_served(m) ? 0 : dataset_events_since(d, m->record.data_fingerprint);
    for (size_t p = 0; p < trained->nparts; p++) {
        uint64_t since = trained->parts[p].model ? model_events_since(trained->parts[p].model, d) : 0;
        most = since > most ? since : most;
    }
    return most;
}

enum status model_learnt_from(const struct model *m, const struct dataset *d, const struct split *s,
                              struct dataset **early, struct selection *out, struct error *err)
{
    const struct model_record *r = &m->record;
    const struct data_stage *stage = dataset_stage(d, r->data_fingerprint);
    *early = NULL;
    *out = (struct selection){.data = d, .until = NO_TIME};
    if (m->later && r->trained_until != NO_TIME) /* a model of the past: of the same data, and nothing since */
        out->until = r->trained_until + 1;
    if (r->split_fingerprint && !(s && s->fingerprint == r->split_fingerprint)) {
        error_set(err, ST_STATE,
                  "%s was trained on another split than the present one, so what it knows cannot be told", m->name);
        return model_train_hint(m, ST_STATE, err);
    }
    if (r->split_fingerprint) { /* events that came since are in no part of it */
        out->split = s;
        out->parts = PART_TRAIN;
        return ST_OK;
    }
    enum status st = stage ? dataset_at_stage(d, stage, early, err) : ST_OK;
    if (*early)
        out->data = *early;
    return st;
}

enum status model_update(const struct model *from, const struct selection *before, const struct selection *after,
                         struct job *job, struct update_report *report, struct model **out, struct error *err)
{
    const struct dataset *d = after->data;
    struct interactions old = {0}, new = {0};
    struct training t = {.selection = before, .interactions = &old, .seed = from->record.seed, .job = job};
    struct training now = {.selection = after, .interactions = &new, .seed = from->record.seed, .job = job};
    *report = (struct update_report){0};
    if (from->class->capabilities & OF_MODELS)
        return error_set(err, ST_UNSUPPORTED, "%s is made of models: it stands on what they are", from->name);
    struct model *m = model_new(from->class, from->name, from->values, d->users.n, d->items.n, err);
    enum status st = m ? interactions_build(before, &old, err) : ST_NOMEM;
    if (!st)
        st = interactions_build(after, &new, err);
    if (!st)
        as_it_was(&old, from);
    struct update u = {.from = from, .before = &t, .after = &now};
    if (!st)
        st = update(m, &u, report, err);
    interactions_clear(&old);
    if (!st && report->trained)
        st = driver_train_like(from, &now, out, err);
    else if (!st)
        *out = m;
    interactions_clear(&new);
    if (st || report->trained)
        model_release(m);
    return st;
}

/* ---- ensembles ---- */

/* What `from` has learnt, by writing it down and reading it back. */
static enum status copy_state(const struct model *from, struct model *m, struct error *err)
{
    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    enum status st = from->class->save(from, &w, err);
    struct blob_reader in = snapshot_reader(&blob);
    if (!st)
        st = m->class->load(m, &in, err);
    snapshot_clear(&blob);
    return st;
}

enum status model_over(const struct model *from, struct model *const *parts, size_t nusers, size_t nitems,
                       struct model **out, struct error *err)
{
    struct model *m = model_new(from->class, from->name, from->values, nusers, nitems, err);
    enum status st = m ? model_set_parts(m, parts, from->nparts, err) : ST_NOMEM;
    if (!st)
        st = copy_state(from, m, err);
    if (st)
        model_release(m);
    else
        *out = m;
    return st;
}

enum status model_stand_on(const struct model *from, struct model *const *parts, const struct selection *selection,
                           struct model **out, struct error *err)
{
    const struct dataset *d = selection->data;
    struct interactions x = {0};
    struct training t = {.selection = selection, .interactions = &x, .seed = from->record.seed};
    double started = clock_seconds();
    struct model *m = NULL;
    enum status st = model_over(from, parts, d->users.n, d->items.n, &m, err);
    if (!st)
        st = interactions_build(selection, &x, err);
    if (!st)
        st = driver_fill_record(m, &t, started, err);
    interactions_clear(&x);
    if (st)
        model_release(m);
    else
        *out = m;
    return st;
}
