/* The placebo: items dealt out anew among the events that are known. Users and items keep their numbers of events, no
 * user a taste; so whoever knows a user's future better than the future of another user with as long a history has seen
 * what it should not. (Better than the most popular items is no sign of it: who is more popular in the test part, or
 * with longer histories, is no secret.) */
#include "eval/model_checks_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/significance.h"
#include "ranking/ranking.h"

/* ---- dealing ---- */

/* Deals the items of the events of one part out anew among them. */
static enum status shuffle_part(const struct split *s, enum part part, struct rng *r, struct dataset *d,
                                struct error *err)
{
    uint32_t *item = mem_new_raw(d->events.n, sizeof *item, "shuffled items", err);
    size_t n = 0;
    if (!item)
        return ST_NOMEM;
    for (size_t e = 0; e < d->events.n; e++)
        if (s->part[e] == part)
            item[n++] = d->events.item[e];
    rng_shuffle(r, item, n);
    n = 0;
    for (size_t e = 0; e < d->events.n; e++)
        if (s->part[e] == part)
            d->events.item[e] = item[n++];
    mem_free(item);
    return ST_OK;
}

static enum status shuffled(const struct model_checks *k, struct dataset **out, struct error *err)
{
    static const enum part known[] = {PART_TRAIN, PART_VALID, PART_HISTORY};
    struct rng r = rng_stream(k->c->seed, "placebo", 0);
    enum status st = dataset_again(k->d, out, err);
    for (size_t i = 0; i < 3 && !st; i++)
        if (known[i] != k->set->protocol.on)
            st = shuffle_part(k->s, known[i], &r, *out, err);
    return st;
}

/* ---- strangers ---- */

/* A user of the test set, to be put beside one with as long a history. */
struct stranger {
    size_t length, at;
    uint64_t lot;
};

static int by_length(const void *pa, const void *pb)
{
    const struct stranger *a = pa, *b = pb;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return (a->lot > b->lot) - (a->lot < b->lot);
}

/* other[u]: who stands beside user u in the order of lengths, ties by lot; the last of an odd number stands alone,
 * beside itself. */
static enum status pair_users(const struct test_set *t, uint64_t seed, size_t *other, struct error *err)
{
    struct rng r = rng_stream(seed, "strangers", 0);
    struct stranger *all = mem_new_raw(t->nusers, sizeof *all, "test users", err);
    if (!all)
        return ST_NOMEM;
    for (size_t u = 0; u < t->nusers; u++)
        all[u] = (struct stranger){t->query[t->query_begin[u]].n, u, rng_next(&r)};
    qsort(all, t->nusers, sizeof *all, by_length);
    for (size_t i = 0; i < t->nusers; i++)
        other[all[i].at] = all[(i ^ 1) < t->nusers ? i ^ 1 : i].at;
    mem_free(all);
    return ST_OK;
}

/* The query of user `other` whose answers are asked of the j-th of another user. */
static size_t query_of(const struct test_set *t, size_t other, size_t j)
{
    return t->query_begin[other] + j % (t->query_begin[other + 1] - t->query_begin[other]);
}

/* Right items as they were, while they change hands. */
struct futures {
    size_t *begin;
    uint32_t *right;
    float *grade;
};

static void futures_clear(struct futures *f)
{
    mem_free(f->begin);
    mem_free(f->right);
    mem_free(f->grade);
}

static enum status swap_futures(struct test_set *t, const size_t *other, struct error *err)
{
    size_t nright = 0;
    float **grades = t->rating ? &t->rating : &t->weight;
    for (size_t u = 0; u < t->nusers; u++)
        for (size_t q = t->query_begin[u]; q < t->query_begin[u + 1]; q++) {
            size_t from = query_of(t, other[u], q - t->query_begin[u]);
            nright += t->right_begin[from + 1] - t->right_begin[from];
        }
    struct futures f = {mem_new_raw(t->nqueries + 1, sizeof *f.begin, "right items", err),
                        mem_new_raw(nright, sizeof *f.right, "right items", err),
                        mem_new_raw(nright, sizeof *f.grade, "right items", err)};
    if (!f.begin || !f.right || !f.grade) {
        futures_clear(&f);
        return ST_NOMEM;
    }
    size_t at = 0;
    for (size_t u = 0; u < t->nusers; u++)
        for (size_t q = t->query_begin[u]; q < t->query_begin[u + 1]; q++) {
            size_t from = query_of(t, other[u], q - t->query_begin[u]), begin = t->right_begin[from],
                   n = t->right_begin[from + 1] - begin;
            f.begin[q] = at;
            memcpy(f.right + at, t->right + begin, n * sizeof *f.right);
            memcpy(f.grade + at, *grades + begin, n * sizeof *f.grade);
            at += n;
        }
    f.begin[t->nqueries] = at;
    struct futures mine = {t->right_begin, t->right, *grades};
    t->right_begin = f.begin;
    t->right = f.right;
    *grades = f.grade;
    futures_clear(&mine);
    return ST_OK;
}

/* Can the query be answered with the item? What is hidden is not asked for. */
static bool answerable(void *context, size_t q, uint32_t item)
{
    const struct test_set *t = context;
    const struct query *query = &t->query[q];
    for (size_t e = 0; t->protocol.hide_seen && e < query->n; e++)
        if (query->events[e].item == item && rank_hides(query, e))
            return false;
    return true;
}

/* The questions of t, each with what another user with as long a history took. */
static enum status ask_for_strangers(struct test_set *t, uint64_t seed, struct error *err)
{
    size_t *other = mem_new_raw(t->nusers, sizeof *other, "test users", err);
    enum status st = other ? pair_users(t, seed, other, err) : ST_NOMEM;
    if (!st)
        st = swap_futures(t, other, err);
    if (!st)
        test_set_keep(t, answerable, t);
    mem_free(other);
    return st;
}

/* ---- the check ---- */

/* Shuffled events, and the two sets of questions about them. */
struct placebo {
    struct dataset *d;
    struct test_set *own, *strangers;
    double pop; /* the metric of the most popular items */
};

/* The most popular items, by defaults. */
static enum status judge_pop(const struct model_checks *k, struct placebo *x, struct error *err)
{
    const struct model_class *class = model_class_find("pop");
    struct param_value *values = mem_new(class->nparams, sizeof *values, "parameters", err);
    struct model *m = NULL;
    struct evaluation *e = NULL;
    enum status st = values ? param_defaults(class->params, class->nparams, values, err) : ST_NOMEM;
    if (!st)
        st = checks_train(k, class, values, x->d, k->c->seed, &m, err);
    if (!st)
        st = checks_judge(k, m, x->own, &e, err);
    if (!st)
        x->pop = checks_mean(k, e);
    if (values)
        param_values_free(values, class->nparams);
    mem_free(values);
    evaluation_free(e);
    model_release(m);
    return st;
}

/* How much better a model is for each user's own future: the mean over the warm users whom both ask about, and p of its
 * being 0. */
struct knowing {
    double own, strangers, p;
};

static enum status compare_futures(const struct model_checks *k, const struct evaluation *own,
                                   const struct evaluation *strangers, struct knowing *out, struct error *err)
{
    const struct metric_at *at = &k->c->measures[0].at;
    double *value = mem_new_raw(own->nusers + strangers->nusers, sizeof *value, "values of users", err),
           *other = value + own->nusers;
    double *d = mem_new_raw(own->nusers, sizeof *d, "values of users", err);
    size_t n = 0;
    enum status st = value && d ? ST_OK : ST_NOMEM;
    *out = (struct knowing){0, 0, NAN};
    if (!st) {
        evaluation_users(own, at, value);
        evaluation_users(strangers, at, other);
        for (size_t u = 0, s = 0; u < own->nusers && s < strangers->nusers; u++) {
            if (own->user[u] != strangers->user[s])
                continue;
            if (own->warm[u] && isfinite(value[u]) && isfinite(other[s])) {
                out->own += value[u];
                out->strangers += other[s];
                d[n++] = value[u] - other[s];
            }
            s++;
        }
        out->own /= (double)n;
        out->strangers /= (double)n;
        out->p = paired_t(d, n);
    }
    mem_free(value);
    mem_free(d);
    return st;
}

static enum status placebo_of(struct model_checks *k, size_t entry, const struct placebo *x, struct error *err)
{
    const struct compared *compared = &k->c->entries[entry];
    const struct model *m = k->models[compared->given];
    struct model *again = NULL;
    struct evaluation *own = NULL, *strangers = NULL;
    struct knowing knows;
    struct str s = {0};
    if (!checks_trainable(m))
        return checks_add_untrained(k, "placebo", m, err);
    enum status st = checks_train(k, m->class, m->values, x->d, m->record.seed, &again, err);
    if (!st)
        st = checks_judge(k, again, x->own, &own, err);
    if (!st)
        st = checks_judge(k, again, x->strangers, &strangers, err);
    if (!st)
        st = compare_futures(k, own, strangers, &knows, err);
    model_release(again);
    evaluation_free(own);
    evaluation_free(strangers);
    if (st)
        return st;
    bool knowing = knows.own > knows.strangers && knows.p * (double)k->c->n < .05; /* for so many models */
    str_printf(
        &s,
        "%.4f becomes %.4f on shuffled events, %.4f by the futures of others with as long a history%s; most popular "
        "items: %.4f",
        compared->mean[0], knows.own, knows.strangers, knowing ? ": it knows more than it can" : "", x->pop);
    return checks_add(k, "placebo", m->name, knowing ? CHECK_DOUBT : CHECK_HOLDS, &s, err);
}

static enum status placebo_new(const struct model_checks *k, struct placebo *x, struct error *err)
{
    *x = (struct placebo){.pop = NAN};
    enum status st = shuffled(k, &x->d, err);
    if (!st)
        st = test_set_new(x->d, k->s, &k->set->protocol, &x->own, err);
    if (!st)
        st = test_set_new(x->d, k->s, &k->set->protocol, &x->strangers, err);
    if (!st)
        st = ask_for_strangers(x->strangers, k->c->seed, err);
    return st ? st : judge_pop(k, x, err);
}

enum status checks_placebo(struct model_checks *k, struct error *err)
{
    struct placebo x;
    if (!metric_of_ranks(k->c->measures[0].at.metric)) {
        struct str s = {0};
        str_puts(&s, "the metric is not one of ranks");
        return checks_add(k, "placebo", NULL, CHECK_NOTHING, &s, err);
    }
    enum status st = placebo_new(k, &x, err);
    for (size_t i = 0; i < k->c->n && !st; i++)
        st = placebo_of(k, i, &x, err);
    test_set_free(x.own);
    test_set_free(x.strangers);
    dataset_release(x.d);
    return st;
}
