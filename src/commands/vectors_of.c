/* Rows of vectors that a model has of items, or folds users into. */
#include "commands/vectors_of.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum status vectors_pick(const struct call *call, const struct question *q, bool users, const struct model **out,
                         struct error *err)
{
    enum status st;
    *out = NULL;
    for (size_t i = 0; i < q->nmodels && !*out; i++) {
        size_t width;
        if (users ? model_projects(q->models[i]) : model_vectors(q->models[i], &width) != NULL)
            *out = q->models[i];
    }
    if (call->nmodels > 1) {
        st = error_set(err, ST_USAGE, "models have spaces of their own: name one");
        return error_at_word(st, err, &call->models[1]);
    }
    if (*out)
        return ST_OK;
    st = error_set(err, ST_UNSUPPORTED, "%s %s no vectors of %s",
                   call->nmodels ? call->models[0].text : "the models in use", call->nmodels ? "has" : "have",
                   users ? "users" : "items");
    error_hint(err, "models of factors do: `train ials`, then `%s ... with ials`", call->command->name);
    return call->nmodels ? error_at_word(st, err, &call->models[0]) : st;
}

void vectors_clear(struct vectors *p)
{
    mem_free(p->who);
    mem_free(p->x);
}

static bool has_history(const struct selection *s, uint32_t user)
{
    for (size_t e = s->data->user_begin[user]; e < s->data->user_begin[user + 1]; e++)
        if (selection_has(s, e))
            return true;
    return false;
}

/* A component that is the same for everybody (1, where items have a bias) says nothing of anybody. */
static void drop_constants(struct vectors *p)
{
    for (size_t f = 0; f < p->width; f++) {
        bool same = p->n > 1;
        for (size_t i = 1; i < p->n && same; i++)
            same = p->x[i * p->width + f] == p->x[f];
        for (size_t i = 0; i < p->n && same; i++)
            p->x[i * p->width + f] = 0;
    }
}

enum { FOLD_BLOCK = 1024 };

/* Folds the histories of p->who[0..p->n) in. */
static enum status fold_users(const struct model *m, const struct selection *s, struct vectors *p, struct job *job,
                              struct error *err)
{
    enum status st = ST_OK;
    model_vectors(m, &p->width);
    p->x = mem_new_raw(p->n * p->width, sizeof *p->x, "vectors of users", err);
    if (!p->x)
        return ST_NOMEM;
    job_begin(job, p->n, "users", "%s: vectors of users", m->name);
    for (size_t from = 0; from < p->n && !st; from += FOLD_BLOCK) {
        size_t n = p->n - from < FOLD_BLOCK ? p->n - from : FOLD_BLOCK;
        struct histories h;
        st = histories_of_users(s, p->who + from, n, &h, err);
        if (st)
            break;
        st = model_project(m, h.queries, n, p->x + from * p->width, err);
        histories_clear(&h);
        job_step(job, n);
        if (!st)
            st = job_check(job, err);
    }
    return st;
}

enum status vectors_of_users(const struct model *m, const struct selection *s, size_t most, struct vectors *p,
                             size_t *all, struct job *job, struct error *err)
{
    size_t n = 0;
    p->who = mem_new_raw(s->data->users.n, sizeof *p->who, "users", err);
    if (!p->who)
        return ST_NOMEM;
    for (uint32_t u = 0; u < s->data->users.n; u++)
        if (has_history(s, u))
            p->who[n++] = u;
    *all = n;
    p->n = n < most ? n : most;
    for (size_t i = 0; i < p->n; i++)
        p->who[i] = p->who[i * n / p->n];
    enum status st = fold_users(m, s, p, job, err);
    if (!st)
        drop_constants(p);
    return st;
}

static int by_events(const void *pa, const void *pb, void *events)
{
    const size_t *n = events;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    return n[a] != n[b] ? (n[a] > n[b] ? -1 : 1) : (a > b) - (a < b);
}

enum status vectors_of_items(const struct model *m, const size_t *events, struct vectors *p, struct error *err)
{
    const struct model *known = model_trained(m);
    const float *y = model_vectors(m, &p->width);
    p->who = mem_new_raw(known->nitems, sizeof *p->who, "items", err);
    if (!p->who)
        return ST_NOMEM;
    for (uint32_t i = 0; i < known->nitems; i++) {
        bool any = false;
        for (size_t f = 0; f < p->width && events[i] && !any; f++)
            any = fabsf(y[i * p->width + f]) > 0;
        if (any)
            p->who[p->n++] = i;
    }
    union {
        const void *in;
        void *out;
    } counts = {events};
    qsort_r(p->who, p->n, sizeof *p->who, by_events, counts.out);
    p->x = mem_new_raw(p->n * p->width, sizeof *p->x, "vectors of items", err);
    for (size_t i = 0; p->x && i < p->n; i++)
        memcpy(p->x + i * p->width, y + (size_t)p->who[i] * p->width, p->width * sizeof *p->x);
    return p->x ? ST_OK : ST_NOMEM;
}

enum status vectors_scale(const struct model *m, struct vectors *p, struct error *err)
{
    const struct model *known = model_trained(m);
    if (!known->class->scale)
        return ST_OK;
    float *scale = mem_new(p->width, sizeof *scale, "vectors of items", err);
    enum status st = scale ? known->class->scale(known, scale, err) : ST_NOMEM;
    for (size_t i = 0; i < p->n * p->width && !st; i++)
        p->x[i] *= scale[i % p->width];
    mem_free(scale);
    return st;
}
