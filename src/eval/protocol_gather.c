/* Gathering the questions of a test set, on all threads: block by block of users they are counted first, then written
 * where they belong. */
#include "eval/protocol_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"
#include "models/history.h"

enum { BLOCK = 256 };

/* What a block of users has of each; then, where the first of them is. */
struct tally {
    size_t users, queries, known, right, events, repeats;
};

/* What a thread remembers of each item: 1 + the user who has it in the history so far, and who was asked for it. */
struct desk {
    uint32_t *seen, *asked;
};

struct pass {
    const struct gathering *g;
    struct desk *desks;    /* one a thread */
    struct tally *tallies; /* one a block */
    bool *asks;            /* per user: is there a question? */
    bool write;
};

/* A block on its way. */
struct walk {
    const struct gathering *g;
    struct desk *desk;
    struct tally at;
    bool write;
};

static bool is_feedback(const struct dataset *d, size_t e)
{
    return d->type_weight[d->events.type[e]] > 0;
}

static int64_t time_of(const struct dataset *d, size_t e)
{
    return d->events.time ? d->events.time[e] : NO_TIME;
}

/* Adds e to the history of the user at hand. */
static void know(struct walk *w, uint32_t user, size_t e)
{
    const struct gathering *g = w->g;
    if (!g->hides || g->d->events.type[e] == g->hides - 1)
        w->desk->seen[g->d->events.item[e]] = user + 1;
    if (w->write)
        g->t->known[w->at.known] = history_event(g->d, e, g->moment);
    w->at.known++;
}

static bool wanted(struct walk *w, uint32_t user, size_t e)
{
    const struct gathering *g = w->g;
    bool repeat = g->t->protocol.hide_seen && w->desk->seen[g->d->events.item[e]] == user + 1;
    w->at.events++;
    w->at.repeats += repeat;
    return !repeat;
}

/* Adds a query: the history is known[begin .. now), the right items stand from `right` on. */
static void ask(struct walk *w, uint32_t user, size_t begin, size_t right, int64_t as_of)
{
    struct test_set *t = w->g->t;
    if (w->write) {
        t->query[w->at.queries] = (struct query){
            .events = t->known + begin, .n = w->at.known - begin, .user = user, .as_of = as_of, .hides = w->g->hides};
        t->right_begin[w->at.queries] = right;
    }
    w->at.queries++;
}

static void add_right(struct walk *w, uint32_t item)
{
    if (w->write)
        w->g->t->right[w->at.right] = item;
    w->at.right++;
}

/* Is it the first time that the user is asked for it? */
static bool is_new(struct walk *w, uint32_t user, uint32_t item)
{
    bool new = w->desk->asked[item] != user + 1;
    w->desk->asked[item] = user + 1;
    return new;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Notes the rating of event e beside its item among right[begin ..], where a later one replaces it; or the weight of
 * its type. */
static void add_grade(struct walk *w, size_t begin, size_t e)
{
    const struct dataset *d = w->g->d;
    struct test_set *t = w->g->t;
    if (!w->write || (t->rating && !isfinite(d->events.value[e])))
        return;
    const uint32_t *at = bsearch(&d->events.item[e], t->right + begin, w->at.right - begin, sizeof *at, by_number);
    if (!at)
        return;
    size_t i = (size_t)(at - t->right);
    if (t->rating)
        t->rating[i] = d->events.value[e];
    else
        t->weight[i] = fmaxf(t->weight[i], d->type_weight[d->events.type[e]]);
}

/* When the question is asked: at the cut when there is one for all, else when the first event that is judged happened.
 */
static int64_t moment(const struct gathering *g, size_t first)
{
    const struct split *s = g->s;
    int64_t cut = g->t->protocol.on == PART_TEST ? s->test_from : s->valid_from;
    return cut != NO_TIME ? cut : split_in_order(s) ? time_of(g->d, first) : NO_TIME;
}

/* One query: everything judged is right, from the history before it. */
static void ask_once(struct walk *w, uint32_t user, size_t first)
{
    const struct dataset *d = w->g->d;
    const struct split *s = w->g->s;
    const struct test_set *t = w->g->t;
    unsigned history = split_history(s, user, t->protocol.on);
    size_t end = d->user_begin[user + 1], known = w->at.known, right = w->at.right;
    for (size_t e = d->user_begin[user]; e < end; e++)
        if (s->part[e] & history)
            know(w, user, e);
    for (size_t e = first; e < end; e++)
        if (s->part[e] == t->protocol.on && wanted(w, user, e) && is_new(w, user, d->events.item[e]))
            add_right(w, d->events.item[e]);
    if (w->at.right == right)
        return;
    if (w->write)
        numbers_sort(t->right + right, w->at.right - right);
    for (size_t e = first; e < end; e++)
        if (s->part[e] == t->protocol.on)
            add_grade(w, right, e);
    ask(w, user, known, right, moment(w->g, first));
}

/* One query an event: known are the history and, after it, all events of earlier instants (of earlier places, without
 * times), judged or not. */
static void ask_each(struct walk *w, uint32_t user, size_t first)
{
    const struct dataset *d = w->g->d;
    const struct split *s = w->g->s;
    unsigned history = split_history(s, user, w->g->t->protocol.on);
    size_t end = d->user_begin[user + 1], known = w->at.known;
    size_t next = first; /* events from here on are not known yet */
    for (size_t e = d->user_begin[user]; e < first; e++)
        if (s->part[e] & history)
            know(w, user, e);
    for (size_t e = first; e < end; e++) {
        if (s->part[e] != w->g->t->protocol.on)
            continue;
        for (; next < e && (time_of(d, e) == NO_TIME || time_of(d, next) < time_of(d, e)); next++)
            if (is_feedback(d, next))
                know(w, user, next);
        if (!wanted(w, user, e))
            continue;
        ask(w, user, known, w->at.right, time_of(d, e));
        add_right(w, d->events.item[e]);
        add_grade(w, w->at.right - 1, e);
    }
}

/* First event of the user that is judged, or the end of the run; *warm: something is known before. */
static size_t first_judged(const struct gathering *g, uint32_t user, bool *warm)
{
    size_t e = g->d->user_begin[user], end = g->d->user_begin[user + 1], first = end;
    unsigned history = split_history(g->s, user, g->t->protocol.on);
    *warm = false;
    for (; e < end; e++) {
        *warm |= (g->s->part[e] & history) != 0;
        if (first == end && g->s->part[e] == g->t->protocol.on)
            first = e;
    }
    return first;
}

/* The questions of one user; false when there are none: then nothing is known either. */
static bool ask_user(struct walk *w, uint32_t user)
{
    const struct gathering *g = w->g;
    struct test_set *t = g->t;
    struct tally before = w->at;
    bool warm;
    size_t first = first_judged(g, user, &warm);
    if (first == g->d->user_begin[user + 1])
        return false;
    if (t->protocol.rolling)
        ask_each(w, user, first);
    else
        ask_once(w, user, first);
    if (w->at.queries == before.queries) {
        w->at.known = before.known;
        return false;
    }
    if (w->write) {
        t->user[w->at.users] = user;
        t->warm[w->at.users] = warm;
        t->query_begin[w->at.users] = before.queries;
    }
    w->at.users++;
    return true;
}

static void walk_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct pass *p = context;
    struct tally *tally = &p->tallies[block];
    struct walk w = {.g = p->g, .desk = &p->desks[parallel_thread()], .write = p->write};
    if (p->write)
        w.at = *tally;
    for (size_t u = begin; u < end; u++)
        if (!p->write || p->asks[u])
            p->asks[u] = ask_user(&w, p->g->first + (uint32_t)u);
    if (!p->write)
        *tally = w.at;
}

/* What comes before each block; returns the sum of all. */
static struct tally add_up(struct tally *tallies, size_t n)
{
    struct tally sum = {0};
    for (size_t b = 0; b < n; b++) {
        struct tally here = tallies[b];
        tallies[b] = sum;
        sum.users += here.users;
        sum.queries += here.queries;
        sum.known += here.known;
        sum.right += here.right;
        sum.events += here.events;
        sum.repeats += here.repeats;
    }
    return sum;
}

static enum status make_room(struct test_set *t, const struct tally *all, struct error *err)
{
    t->nusers = all->users;
    t->nqueries = all->queries;
    t->events = all->events;
    t->repeats = all->repeats;
    t->user = mem_new_raw(t->nusers, sizeof *t->user, "test users", err);
    t->warm = mem_new_raw(t->nusers, sizeof *t->warm, "test users", err);
    t->query_begin = mem_new_raw(t->nusers + 1, sizeof *t->query_begin, "test users", err);
    t->query = mem_new_raw(t->nqueries, sizeof *t->query, "test queries", err);
    t->known = mem_new_raw(all->known, sizeof *t->known, "test histories", err);
    t->right_begin = mem_new_raw(t->nqueries + 1, sizeof *t->right_begin, "test queries", err);
    t->right = mem_new_raw(all->right, sizeof *t->right, "test items", err);
    if (!t->user || !t->warm || !t->query_begin || !t->query || !t->known || !t->right_begin || !t->right)
        return ST_NOMEM;
    t->query_begin[t->nusers] = t->nqueries;
    t->right_begin[t->nqueries] = all->right;
    return ST_OK;
}

/* The range of the ratings in the train part, and room for those that are asked for; for weights where there are none.
 */
static enum status prepare_grades(const struct gathering *g, size_t nright, struct error *err)
{
    struct test_set *t = g->t;
    const float *value = g->d->events.value;
    t->lowest = INFINITY;
    t->highest = -INFINITY;
    for (size_t e = 0; value && e < g->d->events.n; e++) {
        if (g->s->part[e] != PART_TRAIN || !is_feedback(g->d, e) || !isfinite(value[e]))
            continue;
        t->lowest = fminf(t->lowest, value[e]);
        t->highest = fmaxf(t->highest, value[e]);
    }
    if (!(t->lowest <= t->highest)) {
        t->weight = mem_new(nright, sizeof *t->weight, "weights of right items", err);
        return t->weight ? ST_OK : ST_NOMEM;
    }
    t->rating = mem_new_raw(nright, sizeof *t->rating, "test ratings", err);
    for (size_t i = 0; t->rating && i < nright; i++)
        t->rating[i] = NAN;
    return t->rating ? ST_OK : ST_NOMEM;
}

enum status protocol_gather(const struct gathering *g, struct error *err)
{
    size_t users = g->end - g->first, blocks = parallel_count(users, BLOCK), items = g->d->items.n;
    size_t threads = blocks > 1 ? (size_t)parallel_threads() : (size_t)parallel_thread() + 1;
    struct pass p = {.g = g};
    uint32_t *marks = mem_new(2 * threads * items, sizeof *marks, "item marks", err);
    p.desks = mem_new_raw(threads, sizeof *p.desks, "item marks", err);
    p.tallies = mem_new_raw(blocks, sizeof *p.tallies, "test users", err);
    p.asks = mem_new_raw(users, sizeof *p.asks, "test users", err);
    enum status st = marks && p.desks && p.tallies && p.asks ? ST_OK : ST_NOMEM;
    for (size_t t = 0; t < threads && !st; t++)
        p.desks[t] = (struct desk){marks + 2 * t * items, marks + (2 * t + 1) * items};
    if (!st) {
        parallel_blocks(users, BLOCK, walk_block, &p);
        struct tally all = add_up(p.tallies, blocks);
        st = make_room(g->t, &all, err);
        if (!st)
            st = prepare_grades(g, all.right, err);
    }
    if (!st && g->t->nqueries) {
        memset(marks, 0, 2 * threads * items * sizeof *marks);
        p.write = true;
        parallel_blocks(users, BLOCK, walk_block, &p);
    }
    mem_free(marks);
    mem_free(p.desks);
    mem_free(p.tallies);
    mem_free(p.asks);
    return st;
}
