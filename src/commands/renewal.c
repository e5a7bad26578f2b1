#include "commands/renewal.h"

#include <string.h>

#include "base/mem.h"
#include "commands/parts.h"
#include "commands/publish.h"
#include "models/update.h"

/* ---- the models there are ---- */

enum status renewal_open(struct renewal *r, struct workbench *wb, struct error *err)
{
    *r = (struct renewal){.wb = wb, .d = workbench_data(wb), .s = workbench_split(wb)};
    pthread_mutex_lock(&wb->lock);
    r->old = mem_new(wb->nmodels, sizeof(struct model *), "models", err);
    for (; r->old && r->n < wb->nmodels; r->n++)
        r->old[r->n] = model_hold(wb->models[r->n]);
    pthread_mutex_unlock(&wb->lock);
    r->new = r->old ? mem_new(r->n, sizeof(struct model *), "models", err) : NULL;
    r->seen = r->new ? mem_new(r->n, sizeof *r->seen, "models", err) : NULL;
    r->risen = r->seen ? mem_new(r->n, sizeof *r->risen, "models", err) : NULL;
    return r->risen ? ST_OK : ST_NOMEM;
}

void renewal_close(struct renewal *r)
{
    for (size_t i = 0; i < r->n; i++) {
        model_release(r->old[i]);
        model_release(r->new ? r->new[i] : NULL);
    }
    mem_free(r->old);
    mem_free(r->new);
    mem_free(r->seen);
    mem_free(r->risen);
    dataset_release(r->d);
    split_release(r->s);
    *r = (struct renewal){0};
}

size_t renewal_find(const struct renewal *r, const char *name)
{
    size_t i = 0;
    while (i < r->n && strcmp(r->old[i]->name, name) != 0)
        i++;
    return i;
}

void renewal_mark(const struct renewal *r, size_t at, bool *marks)
{
    if (at == r->n || marks[at])
        return;
    const struct model *m = model_trained(r->old[at]);
    marks[at] = true;
    for (size_t p = 0; p < m->nparts; p++)
        renewal_mark(r, renewal_find(r, m->parts[p].name), marks);
}

/* ---- the ensembles above ---- */

/* Weights and lists of models that were judged by a split say nothing of models that have seen its test part. */
static enum status check_alike(const struct model *m, struct model *const *parts, struct error *err)
{
    size_t n = model_trained(m)->nparts;
    for (size_t p = 1; p < n; p++) {
        uint64_t first = parts[0]->record.split_fingerprint, other = parts[p]->record.split_fingerprint;
        if (first == other)
            continue;
        error_set(err, ST_STATE, "%s is made of both: %s would know %s and %s %s", m->name, parts[0]->name,
                  first ? "the train part" : "all events", parts[p]->name, other ? "the train part" : "all events");
        error_hint(err, "update %s on=%s", m->name, m->record.split_fingerprint ? "all" : "train");
        return ST_STATE;
    }
    return ST_OK;
}

/* The ensemble at `at` over what its models are now. */
static enum status stand_anew(struct renewal *r, size_t at, struct error *err)
{
    const struct model *m = model_trained(r->old[at]);
    struct model **parts = mem_new(m->nparts, sizeof(struct model *), "the models of an ensemble", err);
    struct selection selection = {.data = r->d, .parts = PART_TRAIN, .until = NO_TIME};
    enum status st = parts ? ST_OK : ST_NOMEM;
    for (size_t p = 0; p < m->nparts && !st; p++) {
        size_t i = renewal_find(r, m->parts[p].name);
        parts[p] = r->new[i] ? r->new[i] : r->old[i];
    }
    if (!st)
        st = check_alike(m, parts, err);
    if (!st && parts[0]->record.split_fingerprint)
        selection.split = r->s;
    if (!st)
        st = model_stand_on(m, parts, &selection, &r->new[at], err);
    r->risen[at] = !st;
    mem_free(parts);
    return st;
}

static enum status rise(struct renewal *r, size_t at, struct error *err)
{
    const struct model *m = model_trained(r->old[at]);
    enum status st = ST_OK;
    bool moved = false;
    if (r->seen[at])
        return ST_OK;
    r->seen[at] = true;
    for (size_t p = 0; p < m->nparts && !st; p++) {
        size_t i = renewal_find(r, m->parts[p].name);
        if (i == r->n)
            return error_set(err, ST_STATE, "%s is made of %s, which is not there", m->name, m->parts[p].name);
        st = rise(r, i, err);
        moved |= r->new[i] != NULL;
    }
    return !st && moved && !r->new[at] ? stand_anew(r, at, err) : st;
}

enum status renewal_rise(struct renewal *r, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < r->n && !st; i++)
        st = rise(r, i, err);
    return st;
}

/* What an ensemble is made of cannot be made of it. */
static enum status check_no_circle(const struct renewal *r, const char *name, struct model *const *parts, size_t nparts,
                                   struct error *err)
{
    size_t at = renewal_find(r, name), first = nparts;
    bool *marks = mem_new(r->n + 1, sizeof *marks, "models", err);
    if (!marks)
        return ST_NOMEM;
    for (size_t p = 0; p < nparts && first == nparts; p++) {
        renewal_mark(r, renewal_find(r, parts[p]->name), marks);
        first = at < r->n && marks[at] ? p : first;
    }
    mem_free(marks);
    if (first == nparts)
        return ST_OK;
    if (strcmp(parts[first]->name, name) == 0)
        error_set(err, ST_USAGE, "%s cannot be made of the %s whose place it takes", name, name);
    else
        error_set(err, ST_USAGE, "%s is made of %s, so %s cannot be made of %s", parts[first]->name, name, name,
                  parts[first]->name);
    error_hint(err, "give the new one another name");
    return ST_USAGE;
}

enum status renewal_check(struct workbench *wb, const char *name, struct model *const *parts, size_t nparts,
                          const struct split *s, struct error *err)
{
    struct renewal r;
    enum status st = renewal_open(&r, wb, err);
    if (!st)
        st = check_no_circle(&r, name, parts, nparts, err);
    for (size_t i = 0; i < r.n && !st; i++) {
        const struct model *m = model_trained(r.old[i]);
        for (size_t p = 0; p < m->nparts && !st; p++) {
            if (strcmp(m->parts[p].name, name) != 0 || m->record.split_fingerprint == (s ? s->fingerprint : 0))
                continue;
            st = error_set(err, ST_BUSY, "%s is made of %s and of others that have learnt from other events than these",
                           m->name, name);
            error_hint(err, "drop %s first", m->name);
        }
    }
    renewal_close(&r);
    return st;
}

/* ---- what came of it ---- */

static bool is_new(const struct renewal *r, size_t at, bool risen)
{
    return r->new[at] && r->risen[at] == risen;
}

/* Is one of the ensembles that rose made of it? */
static bool bears(const struct renewal *r, size_t at)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t p = 0; is_new(r, i, true) && p < r->new[i]->nparts; p++)
            if (strcmp(r->new[i]->parts[p].name, r->new[at]->name) == 0)
                return true;
    return false;
}

/* Is it named: an ensemble that rose, or what is new and beneath one? */
static bool is_said(const struct renewal *r, size_t at, bool risen)
{
    return is_new(r, at, risen) && (risen || bears(r, at));
}

/* The names of what is new, risen or beneath. Returns how many. */
static size_t put_new(const struct renewal *r, bool risen, struct str *out)
{
    size_t total = 0, n = 0;
    for (size_t i = 0; i < r->n; i++)
        total += is_said(r, i, risen);
    for (size_t i = 0; i < r->n; i++)
        if (is_said(r, i, risen))
            str_printf(out, "%s%s", !n++ ? "" : n == total ? " and " : ", ", r->new[i]->name);
    return total;
}

static bool weighs(const struct renewal *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (is_new(r, i, true) && r->new[i]->class->part_weights)
            return true;
    return false;
}

void renewal_say(const struct renewal *r, struct result *out)
{
    struct str above = {0}, below = {0};
    size_t n = put_new(r, true, &above);
    if (n && put_new(r, false, &below))
        result_message(out, MESSAGE_INFO, "%s stand%s on the new %s now%s", str_text(&above), n == 1 ? "s" : "",
                       str_text(&below),
                       !weighs(r) ? ""
                       : n == 1   ? "; its weights are as they were"
                                  : "; their weights are as they were");
    str_free(&above);
    str_free(&below);
}

enum status renewal_publish(struct renewal *r, struct result *out, struct error *err)
{
    struct model **list = mem_new(r->n, sizeof(struct model *), "models", err);
    size_t n = 0;
    enum status st = list ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < r->n && !st; i++)
        if (r->new[i])
            list[n++] = r->new[i];
    if (!st)
        st = publish_models(r->wb, r->d, list, n, out, err);
    mem_free(list);
    return st;
}
