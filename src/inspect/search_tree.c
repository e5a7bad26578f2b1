/* Sets of one size, where scores add up: branch and bound. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/search_parts.h"
#include "linalg/topk.h"

enum { CLOCK_EVERY = 1 << 14 };

/* An element to try, and how much it does for the rivals that are hardest to beat. */
struct trial {
    uint32_t element;
    float help;
};

/* The tree: what is chosen is a path. Rivals that no set of this size can change are left out. */
struct tree {
    struct hunt *h;
    size_t size, nopen, spare;
    bool hiding;          /* chosen elements take rivals away */
    float *value;         /* (size + 1) x nopen: along the path */
    float *reach;         /* (size + 1) x nopen: at most what so many elements add */
    float *gain;          /* nelements x nopen */
    uint32_t *own;        /* nelements: open rival, or NO_RIVAL */
    bool *closed;         /* nelements: chosen, or all sets with it and the path are ruled out */
    uint32_t *path;
    struct trial *trials; /* size x nelements */
    float *hardness;      /* nopen */
    struct scored *hard;  /* nopen */
    size_t work;          /* elements looked at since the clock was */
};

/* ---- the rivals that count ---- */

enum fate { LOST, SAFE, OPEN };

/* What sets of so many elements can do about rival i. */
static enum fate fate_of(const struct hunt *h, size_t size, size_t i)
{
    float v = h->value[i];
    if (!(h->all[i] > 0) && !(h->low[i] < 0))
        return v < 0 ? LOST : SAFE;
    if (v + hunt_reach(h, size, i) < -h->slack)
        return LOST;
    return v + (float)size * h->low[i] > h->slack ? SAFE : OPEN;
}

static int by_index(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return x->score < y->score ? -1 : x->score > y->score ? 1 : x->index < y->index ? -1 : x->index > y->index;
}

/* Open rivals into t->hard, the hardest first; false when too many are lost for any set of this size. */
static bool find_open(struct tree *t)
{
    const struct hunt *h = t->h;
    size_t lost = 0, hidden = t->hiding ? t->size : 0;
    t->nopen = 0;
    for (size_t i = 0; i < h->s->nrivals; i++) {
        enum fate fate = fate_of(h, t->size, i);
        lost += fate == LOST;
        if (fate == OPEN || (fate == LOST && t->hiding))
            t->hard[t->nopen++] = (struct scored){(uint32_t)i, h->value[i] + hunt_reach(h, t->size, i)};
    }
    if (lost > h->spare + hidden)
        return false;
    t->spare = t->hiding ? h->spare : h->spare - lost;
    qsort(t->hard, t->nopen, sizeof *t->hard, by_index);
    return true;
}

/* Gains and bounds of the open rivals side by side, so that the loops below run over few and close numbers. */
static enum status pack(struct tree *t, struct error *err)
{
    static const char what[] = "a search for the smallest set";
    const struct hunt *h = t->h;
    size_t n = t->nopen, elements = h->s->nelements;
    uint32_t *place = mem_new_raw(h->s->nrivals, sizeof *place, what, err);
    t->value = mem_new_raw((t->size + 1) * n, sizeof *t->value, what, err);
    t->reach = mem_new_raw((t->size + 1) * n, sizeof *t->reach, what, err);
    t->gain = mem_new_raw(elements * n, sizeof *t->gain, what, err);
    t->own = mem_new_raw(elements, sizeof *t->own, what, err);
    t->closed = mem_new(elements, sizeof *t->closed, what, err);
    t->path = mem_new(t->size, sizeof *t->path, what, err);
    t->trials = mem_new_raw(t->size * elements, sizeof *t->trials, what, err);
    t->hardness = mem_new_raw(n, sizeof *t->hardness, what, err);
    enum status st =
        place && t->value && t->reach && t->gain && t->own && t->closed && t->path && t->trials && t->hardness
            ? ST_OK
            : ST_NOMEM;
    if (st)
        goto out;
    memset(place, 0xff, h->s->nrivals * sizeof *place);
    for (size_t j = 0; j < n; j++) {
        size_t i = t->hard[j].index;
        place[i] = (uint32_t)j;
        t->value[j] = h->value[i];
        for (size_t r = 0; r <= t->size; r++)
            t->reach[r * n + j] = hunt_reach(h, r, i);
    }
    for (size_t e = 0; e < elements; e++) {
        for (size_t j = 0; j < n; j++)
            t->gain[e * n + j] = hunt_gain(h, e, t->hard[j].index);
        t->own[e] = t->hiding && h->s->own[e] != NO_RIVAL ? place[h->s->own[e]] : NO_RIVAL;
    }
out:
    mem_free(place);
    return st;
}

static void tree_clear(struct tree *t)
{
    mem_free(t->value);
    mem_free(t->reach);
    mem_free(t->gain);
    mem_free(t->own);
    mem_free(t->closed);
    mem_free(t->path);
    mem_free(t->trials);
    mem_free(t->hardness);
    mem_free(t->hard);
}

/* ---- the path ---- */

static enum status ask_path(struct tree *t, struct error *err)
{
    struct hunt *h = t->h;
    for (size_t i = 0; i < t->size; i++) { /* in ascending order */
        size_t at = i;
        for (; at > 0 && h->sets[at - 1] > t->path[i]; at--)
            h->sets[at] = h->sets[at - 1];
        h->sets[at] = t->path[i];
    }
    enum status st = hunt_ask(h, 1, t->size, err);
    return st || h->far[0] > 0 ? st : hunt_keep(h, h->sets, t->size, err);
}

static bool stopped(const struct tree *t)
{
    return t->h->out->late || (t->h->out->found && t->h->out->n <= t->size);
}

/* Would so many more elements leave too many rivals unbeaten, whatever they are? */
static bool hopeless(const struct tree *t, const float *value, size_t left)
{
    const float *reach = t->reach + left * t->nopen;
    size_t most = t->spare + (t->hiding ? left : 0), lost = 0;
    for (size_t j = 0; j < t->nopen && lost <= most; j++)
        lost += value[j] + reach[j] < -t->h->slack;
    return lost > most;
}

static bool beaten_by(const struct tree *t, const float *value, size_t e)
{
    const float *gain = t->gain + e * t->nopen;
    size_t left = 0;
    for (size_t j = 0; j < t->nopen && left <= t->spare; j++)
        left += value[j] + gain[j] < -t->h->slack && j != t->own[e];
    return left <= t->spare;
}

static enum status try_last(struct tree *t, const float *value, struct error *err)
{
    enum status st = ST_OK;
    for (size_t e = 0; e < t->h->s->nelements && !st && !stopped(t); e++) {
        if (t->closed[e] || !beaten_by(t, value, e))
            continue;
        t->path[t->size - 1] = (uint32_t)e;
        st = ask_path(t, err);
    }
    return st;
}

static int by_help(const void *a, const void *b)
{
    const struct trial *x = a, *y = b;
    return x->help > y->help ? -1 : x->help < y->help ? 1 : x->element < y->element ? -1 : x->element > y->element;
}

/* The elements one of which a good set must have: of any spare + 1 unbeaten rivals one must be beaten, and then one of
 * `left` elements makes good a left-th part of what is missing. */
static size_t find_trials(struct tree *t, const float *value, size_t left, struct trial *out)
{
    size_t wanted = t->spare + (t->hiding ? left : 0) + 1, n = t->nopen, found = 0;
    const float *reach = t->reach + left * n;
    for (size_t j = 0; j < n; j++)
        t->hardness[j] = value[j] < -t->h->slack ? -(value[j] + reach[j]) : -INFINITY;
    size_t hard = wanted <= n ? topk(t->hardness, n, wanted, t->hard) : 0;
    bool any = hard < wanted; /* so few may stay */
    for (size_t e = 0; e < t->h->s->nelements; e++) {
        struct trial trial = {(uint32_t)e, 0};
        bool helps = any;
        if (t->closed[e])
            continue;
        for (size_t j = 0; j < hard; j++) {
            size_t i = t->hard[j].index;
            float gain = t->gain[e * n + i], missing = -value[i];
            helps |= gain * (float)left >= missing - t->h->slack;
            trial.help += gain < missing ? gain : missing;
        }
        if (helps)
            out[found++] = trial;
    }
    qsort(out, found, sizeof *out, by_help);
    return found;
}

static enum status descend(struct tree *t, size_t depth, struct error *err)
{
    size_t n = t->nopen, left = t->size - depth;
    const float *value = t->value + depth * n;
    enum status st = ST_OK;
    t->work += t->h->s->nelements;
    if (t->work >= CLOCK_EVERY) {
        t->work = 0;
        st = hunt_check(t->h, err);
    }
    if (st || stopped(t) || hopeless(t, value, left))
        return st;
    if (left == 1)
        return try_last(t, value, err);
    struct trial *trials = t->trials + depth * t->h->s->nelements;
    size_t ntrials = find_trials(t, value, left, trials), tried = 0;
    for (; tried < ntrials && !st && !stopped(t); tried++) {
        uint32_t e = trials[tried].element;
        float *next = t->value + (depth + 1) * n;
        for (size_t j = 0; j < n; j++)
            next[j] = value[j] + t->gain[e * n + j];
        if (t->own[e] != NO_RIVAL)
            next[t->own[e]] = INFINITY;
        t->path[depth] = e;
        t->closed[e] = true; /* and stays so: its sets have been looked through */
        st = descend(t, depth + 1, err);
    }
    while (tried > 0)
        t->closed[trials[--tried].element] = false;
    return st;
}

enum status hunt_tree(struct hunt *h, size_t size, struct error *err)
{
    struct tree t = {.h = h, .size = size, .hiding = h->s->own};
    t.hard = mem_new_raw(h->s->nrivals, sizeof *t.hard, "a search for the smallest set", err);
    enum status st = t.hard ? ST_OK : ST_NOMEM;
    if (!st && find_open(&t)) {
        st = pack(&t, err);
        if (!st)
            st = descend(&t, 0, err);
    }
    tree_clear(&t);
    return st;
}
