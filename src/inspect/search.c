#include "inspect/search.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "inspect/search_parts.h"
#include "linalg/topk.h"

/* Sums of float32 in any order differ by less than this share of the sum of absolute values. */
static const double rounding = 1e-5;

/* ---- asking ---- */

/* Without a limit a cancel is what ends the search, and is no loss of what was found or proved. */
enum status hunt_check(struct hunt *h, struct error *err)
{
    if (h->s->seconds <= 0 && job_cancelled(h->s->job) && (h->out->found || h->out->at_least > 1)) {
        job_stopped(h->s->job);
        h->out->late = true;
    }
    h->out->late = h->out->late || clock_seconds() > h->until;
    return job_check(h->s->job, err);
}

enum status hunt_ask(struct hunt *h, size_t n, size_t size, struct error *err)
{
    enum status st = hunt_check(h, err);
    h->out->asked += n;
    return st ? st : h->s->ask(h->s->context, h->sets, n, size, h->far, err);
}

enum status hunt_keep(struct hunt *h, const uint32_t *set, size_t n, struct error *err)
{
    uint32_t *copy = mem_new_raw(n, sizeof *copy, "a set", err);
    if (!copy)
        return ST_NOMEM;
    memcpy(copy, set, n * sizeof *copy);
    mem_free(h->out->set);
    h->out->set = copy;
    h->out->n = n;
    h->out->found = true;
    return ST_OK;
}

/* ---- a set in ascending order ---- */

static void put_in(uint32_t *set, size_t n, uint32_t e)
{
    size_t at = n;
    for (; at > 0 && set[at - 1] > e; at--)
        set[at] = set[at - 1];
    set[at] = e;
}

static bool has(const uint32_t *set, size_t n, uint32_t e)
{
    for (size_t i = 0; i < n; i++)
        if (set[i] == e)
            return true;
    return false;
}

/* The next set of `size` out of 0 .. n - 1 in the order of words; false after the last. */
static bool next_set(uint32_t *set, size_t size, size_t n)
{
    size_t i = size;
    while (i > 0 && set[i - 1] == n - size + i - 1)
        i--;
    if (i == 0)
        return false;
    for (uint32_t e = set[i - 1] + 1; i <= size; i++)
        set[i - 1] = e++;
    return true;
}

/* ---- greedily ---- */

/* Drops elements of the good set in h->out that are not needed: what was chosen first may have become needless. */
static enum status drop_needless(struct hunt *h, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < h->out->n && h->out->n > 1 && !h->out->late && !st;) {
        size_t n = h->out->n - 1;
        memcpy(h->sets, h->out->set, i * sizeof *h->sets);
        memcpy(h->sets + i, h->out->set + i + 1, (n - i) * sizeof *h->sets);
        st = hunt_ask(h, 1, n, err);
        if (!st && h->far[0] <= 0)
            st = hunt_keep(h, h->sets, n, err);
        else
            i++;
    }
    return st;
}

/* What is missing in all: over those rivals that must be beaten and are nearest to it. */
static double missing(const struct hunt *h, const float *value, uint32_t hidden, float *room, struct scored *list)
{
    size_t n = h->s->nrivals, wanted = n > h->spare ? n - h->spare : 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        room[i] = i != hidden && value[i] < h->slack ? value[i] - h->slack : 0;
    if (wanted < h->spare) { /* list: the nearest to being beaten */
        size_t listed = topk(room, n, wanted, list);
        for (size_t i = 0; i < listed; i++)
            sum -= (double)list[i].score;
        return sum;
    }
    for (size_t i = 0; i < n; i++) {
        sum -= (double)room[i];
        room[i] = -room[i];
    }
    size_t listed = topk(room, n, h->spare, list);
    for (size_t i = 0; i < listed; i++)
        sum -= (double)list[i].score;
    return sum;
}

/* Room of the greedy search where scores add up. */
struct greedy {
    float *value, *next, *room; /* nrivals */
    struct scored *list;        /* nrivals */
    uint32_t *set;              /* most */
    size_t n;
};

static void greedy_clear(struct greedy *g)
{
    mem_free(g->value);
    mem_free(g->next);
    mem_free(g->room);
    mem_free(g->list);
    mem_free(g->set);
}

static enum status greedy_new(struct greedy *g, const struct hunt *h, struct error *err)
{
    static const char what[] = "a search for a small set";
    size_t n = h->s->nrivals;
    *g = (struct greedy){0};
    g->value = mem_new_raw(n, sizeof *g->value, what, err);
    g->next = mem_new_raw(n, sizeof *g->next, what, err);
    g->room = mem_new_raw(n, sizeof *g->room, what, err);
    g->list = mem_new_raw(n, sizeof *g->list, what, err);
    g->set = mem_new_raw(h->most, sizeof *g->set, what, err);
    if (!g->value || !g->next || !g->room || !g->list || !g->set)
        return ST_NOMEM;
    memcpy(g->value, h->value, n * sizeof *g->value);
    return ST_OK;
}

/* Chooses the element that leaves least missing; false when none makes it less. */
static enum status greedy_step(struct hunt *h, struct greedy *g, bool *better, struct error *err)
{
    size_t n = h->s->nrivals, best = 0;
    double least = missing(h, g->value, NO_RIVAL, g->room, g->list);
    enum status st = ST_OK;
    *better = false;
    for (size_t e = 0; e < h->s->nelements && !st && !h->out->late; e++) {
        if (has(g->set, g->n, (uint32_t)e))
            continue;
        for (size_t i = 0; i < n; i++)
            g->next[i] = g->value[i] + hunt_gain(h, e, i);
        double left = missing(h, g->next, h->s->own ? h->s->own[e] : NO_RIVAL, g->room, g->list);
        if (left < least) {
            least = left;
            best = e;
            *better = true;
        }
        if (e % 16 == 15)
            st = hunt_check(h, err);
    }
    if (!*better || st)
        return st;
    for (size_t i = 0; i < n; i++)
        g->value[i] += hunt_gain(h, best, i);
    if (h->s->own && h->s->own[best] != NO_RIVAL)
        g->value[h->s->own[best]] = INFINITY;
    put_in(g->set, g->n++, (uint32_t)best);
    return ST_OK;
}

static bool may_be_good(const struct hunt *h, const float *value)
{
    size_t unbeaten = 0;
    for (size_t i = 0; i < h->s->nrivals; i++)
        unbeaten += value[i] < -h->slack;
    return unbeaten <= h->spare;
}

static enum status add_greedily(struct hunt *h, struct error *err)
{
    struct greedy g;
    bool better = true;
    enum status st = greedy_new(&g, h, err);
    while (!st && better && !h->out->late && !h->out->found && g.n < h->most) {
        st = greedy_step(h, &g, &better, err);
        if (st || !better || !may_be_good(h, g.value))
            continue;
        memcpy(h->sets, g.set, g.n * sizeof *g.set);
        st = hunt_ask(h, 1, g.n, err);
        if (!st && h->far[0] <= 0)
            st = hunt_keep(h, g.set, g.n, err);
    }
    greedy_clear(&g);
    return st;
}

/* The best set that has one element more than set[0..n), by asking about each; *far: how far it is off. */
static enum status ask_greedily(struct hunt *h, uint32_t *set, size_t n, double *far, struct error *err)
{
    uint32_t best = NO_RIVAL, batch[ASKED];
    enum status st = ST_OK;
    for (size_t e = 0; e < h->s->nelements && !st && !h->out->late;) {
        size_t got = 0;
        for (; e < h->s->nelements && got < ASKED; e++) {
            if (has(set, n, (uint32_t)e))
                continue;
            uint32_t *room = h->sets + got * (n + 1);
            memcpy(room, set, n * sizeof *set);
            put_in(room, n, (uint32_t)e);
            batch[got++] = (uint32_t)e;
        }
        st = got ? hunt_ask(h, got, n + 1, err) : ST_OK;
        for (size_t i = 0; i < got && !st; i++) {
            if (h->far[i] < *far) {
                *far = h->far[i];
                best = batch[i];
            }
        }
    }
    if (best != NO_RIVAL)
        put_in(set, n, best);
    return st;
}

static enum status grow_by_asking(struct hunt *h, struct error *err)
{
    double far = INFINITY;
    size_t n = 0;
    uint32_t *set = mem_new_raw(h->most, sizeof *set, "a set", err);
    enum status st = set ? ST_OK : ST_NOMEM;
    while (!st && n < h->most && far > 0 && !h->out->late) {
        double before = far;
        st = ask_greedily(h, set, n, &far, err);
        if (!(far < before))
            break;
        n++;
    }
    if (!st && far <= 0)
        st = hunt_keep(h, set, n, err);
    mem_free(set);
    return st;
}

/* ---- all sets of a size ---- */

static uint64_t count_sets(size_t n, size_t size)
{
    double all = 1;
    for (size_t i = 0; i < size; i++)
        all *= (double)(n - i) / (double)(i + 1);
    return all < 1e15 ? (uint64_t)(all + .5) : 0; /* more cannot be awaited */
}

static enum status ask_all(struct hunt *h, size_t size, struct error *err)
{
    struct job *job = h->s->seconds > 0 ? NULL : h->s->job; /* how far it is matters where it may take long */
    uint32_t *set = mem_new_raw(size, sizeof *set, "a set", err);
    enum status st = set ? ST_OK : ST_NOMEM;
    bool more = true;
    for (uint32_t i = 0; set && i < size; i++)
        set[i] = i;
    job_enter(job);
    job_begin(job, count_sets(h->s->nelements, size), "sets", "all sets of %zu", size);
    while (!st && more && !h->out->late && !(h->out->found && h->out->n <= size)) {
        size_t n = 0;
        for (; n < ASKED && more; n++) {
            memcpy(h->sets + n * size, set, size * sizeof *set);
            more = next_set(set, size, h->s->nelements);
        }
        st = hunt_ask(h, n, size, err);
        for (size_t i = 0; i < n && !st; i++) {
            if (h->far[i] <= 0) {
                st = hunt_keep(h, h->sets + i * size, size, err);
                break;
            }
        }
        job_step(job, n);
    }
    job_leave(job);
    mem_free(set);
    return st;
}

/* ---- by size ---- */

/* Signs of GOAL_IN, and for every rival the gains that bound what sets can do. */
static enum status measure(struct hunt *h, struct error *err)
{
    static const char what[] = "bounds of a search";
    const struct search *s = h->s;
    size_t n = s->nrivals;
    h->value = mem_new_raw(n, sizeof *h->value, what, err);
    h->top = mem_new(REACH * n, sizeof *h->top, what, err);
    h->all = mem_new(n, sizeof *h->all, what, err);
    h->low = mem_new(n, sizeof *h->low, what, err);
    if (!h->value || !h->top || !h->all || !h->low)
        return ST_NOMEM;
    h->slack = (float)(rounding * s->size);
    h->spare = s->goal == GOAL_IN ? s->k - 1 : n > s->k ? n - s->k : 0;
    for (size_t i = 0; i < n; i++) /* with the other sign a tie is no longer on the right side */
        h->value[i] = s->goal == GOAL_IN ? s->lead[i] : s->lead[i] >= 0 ? -s->lead[i] - FLT_TRUE_MIN : -s->lead[i];
    for (size_t e = 0; e < s->nelements; e++) {
        for (size_t i = 0; i < n; i++) {
            float gain = hunt_gain(h, e, i);
            if (!(gain > 0)) {
                h->low[i] = gain < h->low[i] ? gain : h->low[i];
                continue;
            }
            h->all[i] += gain;
            size_t at = REACH;
            for (; at > 0 && h->top[(at - 1) * n + i] < gain; at--)
                if (at < REACH)
                    h->top[at * n + i] = h->top[(at - 1) * n + i];
            if (at < REACH)
                h->top[at * n + i] = gain;
        }
    }
    return ST_OK;
}

/* Is it plain that no set of at most h->most elements is good? */
static bool plainly_none(const struct hunt *h)
{
    size_t lost = 0, hidden = h->s->own ? h->most : 0;
    if (!h->s->lead)
        return false;
    if (h->s->goal == GOAL_OUT && h->s->nrivals < h->s->k)
        return true;
    for (size_t i = 0; i < h->s->nrivals; i++)
        lost += h->value[i] + h->all[i] < (h->all[i] > 0 || h->low[i] < 0 ? -h->slack : 0);
    return lost > h->spare + hidden;
}

static enum status hunt(struct hunt *h, struct error *err)
{
    struct found_set *out = h->out;
    enum status st = ST_OK;
    if (plainly_none(h))
        out->at_least = h->most + 1;
    for (size_t size = out->at_least; size <= h->most && !(out->found && out->n <= size) && !st; size++) {
        st = h->s->lead ? hunt_tree(h, size, err) : ask_all(h, size, err);
        if (st || out->late || (out->found && out->n <= size))
            break;
        out->at_least = size + 1;
        if (size > 1)
            continue;
        st = h->s->lead ? add_greedily(h, err) : grow_by_asking(h, err);
        if (!st && out->found)
            st = drop_needless(h, err);
    }
    return st;
}

enum status search_smallest(const struct search *s, struct found_set *out, struct error *err)
{
    size_t most = s->most && s->most < s->nelements ? s->most : s->nelements;
    *out = (struct found_set){.at_least = 1};
    struct hunt h = {
        .s = s, .out = out, .most = most, .until = s->seconds > 0 ? clock_seconds() + s->seconds : INFINITY};
    h.sets = mem_new_raw(ASKED * most, sizeof *h.sets, "sets", err);
    h.far = mem_new_raw(ASKED, sizeof *h.far, "sets", err);
    enum status st = h.sets && h.far ? ST_OK : ST_NOMEM;
    if (!st && s->lead)
        st = measure(&h, err);
    if (!st)
        st = hunt(&h, err);
    out->none = !st && !out->found && out->at_least > most;
    mem_free(h.sets);
    mem_free(h.far);
    mem_free(h.value);
    mem_free(h.top);
    mem_free(h.all);
    mem_free(h.low);
    if (st)
        found_set_clear(out);
    return st;
}

void found_set_clear(struct found_set *f)
{
    mem_free(f->set);
    *f = (struct found_set){0};
}
