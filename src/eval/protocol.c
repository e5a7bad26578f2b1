#include "eval/protocol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "models/history.h"

/* The questions are gathered twice: counted first, then written where they belong. */
struct gathering {
    const struct dataset *d;
    const struct split *s;
    struct test_set *t;
    uint32_t only;       /* the user who is asked about; NO_USER: all */
    uint32_t *last_seen; /* per item: user + 1 who has it in the history so far */
    size_t nknown, nright;
    size_t room; /* most of nknown at any time: the history of a user with nothing to ask is taken back */
    uint32_t hides; /* as in a query */
    int64_t moment; /* that weights of histories decay from: that of training */
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
static void know(struct gathering *g, uint32_t user, size_t e)
{
    if (!g->hides || g->d->events.type[e] == g->hides - 1)
        g->last_seen[g->d->events.item[e]] = user + 1;
    if (g->write)
        g->t->known[g->nknown] = history_event(g->d, e, g->moment);
    g->nknown++;
    if (g->nknown > g->room)
        g->room = g->nknown;
}

static bool wanted(struct gathering *g, uint32_t user, size_t e)
{
    bool repeat = g->t->protocol.hide_seen && g->last_seen[g->d->events.item[e]] == user + 1;
    if (!g->write) {
        g->t->events++;
        g->t->repeats += repeat;
    }
    return !repeat;
}

/* Adds a query: the history is known[begin .. now), the right items stand from `right` on. */
static void ask(struct gathering *g, uint32_t user, size_t begin, size_t right, int64_t as_of)
{
    struct test_set *t = g->t;
    if (g->write) {
        t->query[t->nqueries] = (struct query){
            .events = t->known + begin, .n = g->nknown - begin, .user = user, .as_of = as_of, .hides = g->hides};
        t->right_begin[t->nqueries] = right;
    }
    t->nqueries++;
}

static void add_right(struct gathering *g, uint32_t item)
{
    if (g->write)
        g->t->right[g->nright] = item;
    g->nright++;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Distinct and ascending, from `begin` on. */
static void order_right(struct gathering *g, size_t begin)
{
    uint32_t *right = g->t->right + begin;
    size_t n = g->nright - begin, kept = 0;
    if (!g->write)
        return;
    numbers_sort(right, n);
    for (size_t i = 0; i < n; i++)
        if (!kept || right[i] != right[kept - 1])
            right[kept++] = right[i];
    g->nright = begin + kept;
}

/* Notes the rating of event e beside its item among right[begin ..], where a later one replaces it; or the weight of
 * its type. */
static void add_grade(struct gathering *g, size_t begin, size_t e)
{
    struct test_set *t = g->t;
    if (!g->write || (t->rating && !isfinite(g->d->events.value[e])))
        return;
    const uint32_t *at = bsearch(&g->d->events.item[e], t->right + begin, g->nright - begin, sizeof *at, by_number);
    if (!at)
        return;
    size_t i = (size_t)(at - t->right);
    if (t->rating)
        t->rating[i] = g->d->events.value[e];
    else
        t->weight[i] = fmaxf(t->weight[i], g->d->type_weight[g->d->events.type[e]]);
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
static void ask_once(struct gathering *g, uint32_t user, size_t first)
{
    const struct dataset *d = g->d;
    unsigned history = split_history(g->s, user, g->t->protocol.on);
    size_t end = d->user_begin[user + 1], known = g->nknown, right = g->nright;
    for (size_t e = d->user_begin[user]; e < end; e++)
        if (g->s->part[e] & history)
            know(g, user, e);
    for (size_t e = first; e < end; e++)
        if (g->s->part[e] == g->t->protocol.on && wanted(g, user, e))
            add_right(g, d->events.item[e]);
    if (g->nright == right) {
        g->nknown = known;
        return;
    }
    order_right(g, right);
    for (size_t e = first; e < end; e++)
        if (g->s->part[e] == g->t->protocol.on)
            add_grade(g, right, e);
    ask(g, user, known, right, moment(g, first));
}

/* One query an event: known are the history and, after it, all events of earlier instants (of earlier places, without
 * times), judged or not. */
static void ask_each(struct gathering *g, uint32_t user, size_t first)
{
    const struct dataset *d = g->d;
    unsigned history = split_history(g->s, user, g->t->protocol.on);
    size_t end = d->user_begin[user + 1], known = g->nknown, queries = g->t->nqueries;
    size_t next = first; /* events from here on are not known yet */
    for (size_t e = d->user_begin[user]; e < first; e++)
        if (g->s->part[e] & history)
            know(g, user, e);
    for (size_t e = first; e < end; e++) {
        if (g->s->part[e] != g->t->protocol.on)
            continue;
        for (; next < e && (time_of(d, e) == NO_TIME || time_of(d, next) < time_of(d, e)); next++)
            if (is_feedback(d, next))
                know(g, user, next);
        if (!wanted(g, user, e))
            continue;
        ask(g, user, known, g->nright, time_of(d, e));
        add_right(g, d->events.item[e]);
        add_grade(g, g->nright - 1, e);
    }
    if (g->t->nqueries == queries)
        g->nknown = known;
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

static void gather(struct gathering *g)
{
    struct test_set *t = g->t;
    memset(g->last_seen, 0, t->nitems * sizeof *g->last_seen);
    t->nusers = t->nqueries = g->nknown = g->nright = 0;
    uint32_t end = g->only == NO_USER ? g->d->users.n : g->only + 1;
    for (uint32_t u = g->only == NO_USER ? 0 : g->only; u < end; u++) {
        bool warm;
        size_t first = first_judged(g, u, &warm), before = t->nqueries;
        if (first == g->d->user_begin[u + 1])
            continue;
        if (t->protocol.rolling)
            ask_each(g, u, first);
        else
            ask_once(g, u, first);
        if (t->nqueries == before)
            continue;
        if (g->write) {
            t->user[t->nusers] = u;
            t->warm[t->nusers] = warm;
            t->query_begin[t->nusers] = before;
        }
        t->nusers++;
    }
    if (g->write) {
        t->query_begin[t->nusers] = t->nqueries;
        t->right_begin[t->nqueries] = g->nright;
    }
}

static enum status make_room(struct gathering *g, struct error *err)
{
    struct test_set *t = g->t;
    t->user = mem_new_raw(t->nusers, sizeof *t->user, "test users", err);
    t->warm = mem_new_raw(t->nusers, sizeof *t->warm, "test users", err);
    t->query_begin = mem_new_raw(t->nusers + 1, sizeof *t->query_begin, "test users", err);
    t->query = mem_new_raw(t->nqueries, sizeof *t->query, "test queries", err);
    t->known = mem_new_raw(g->room, sizeof *t->known, "test histories", err);
    t->right_begin = mem_new_raw(t->nqueries + 1, sizeof *t->right_begin, "test queries", err);
    t->right = mem_new_raw(g->nright, sizeof *t->right, "test items", err);
    return t->user && t->warm && t->query_begin && t->query && t->known && t->right_begin && t->right ? ST_OK
                                                                                                      : ST_NOMEM;
}

/* The range of the ratings in the train part, and room for those that are asked for; for weights where there are none.
 */
static enum status prepare_grades(const struct gathering *g, struct error *err)
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
        t->weight = mem_new(g->nright, sizeof *t->weight, "weights of right items", err);
        return t->weight ? ST_OK : ST_NOMEM;
    }
    t->rating = mem_new_raw(g->nright, sizeof *t->rating, "test ratings", err);
    for (size_t i = 0; t->rating && i < g->nright; i++)
        t->rating[i] = NAN;
    return t->rating ? ST_OK : ST_NOMEM;
}

static enum status check_protocol(const struct split *s, const struct protocol *p, struct error *err)
{
    if (p->on == PART_VALID && !s->nvalid) {
        error_set(err, ST_STATE, "the split (%s) has no validation part", s->description);
        error_hint(err, "carve one out of train: split last 1 valid=yes, split time test=20%% valid=10%%");
        return ST_STATE;
    }
    if (p->rolling == ROLLING_IN_ORDER && !split_in_order(s)) {
        error_set(err, ST_USAGE,
                  "history=rolling needs test events that come after the others; this split (%s) promises no order",
                  s->description);
        error_hint(err, "split by last, time or users, or leave history=fixed; leak=allow goes on");
        return ST_USAGE;
    }
    return ST_OK;
}

static enum status nothing_to_ask(const struct gathering *g, struct error *err)
{
    const struct test_set *t = g->t;
    if (g->only != NO_USER)
        return error_set(err, ST_STATE, "%s has nothing in this part that is not seen before",
                         dict_text(&g->d->users, g->only));
    char all[32];
    text_count(all, sizeof all, (int64_t)t->events);
    error_set(err, ST_STATE, "there is nothing to judge: all %s test events repeat what the user has seen before", all);
    error_hint(err, "seen=show asks for repeats too");
    return ST_STATE;
}

static enum status make(const struct dataset *d, const struct split *s, const struct protocol *p, uint32_t only,
                        struct test_set **out, struct error *err)
{
    const struct selection trained = {.data = d, .split = s, .parts = PART_TRAIN, .until = NO_TIME};
    struct gathering g = {
        .d = d, .s = s, .only = only, .moment = selection_moment(&trained), .hides = split_hides(s, d)};
    enum status st = check_protocol(s, p, err);
    if (st)
        return st;
    struct test_set *t = g.t = mem_new(1, sizeof *t, "a test set", err);
    if (!t)
        return ST_NOMEM;
    t->protocol = *p;
    t->nitems = d->items.n;
    g.last_seen = mem_new_raw(d->items.n, sizeof *g.last_seen, "item marks", err);
    if (!g.last_seen) {
        st = ST_NOMEM;
        goto out;
    }
    gather(&g);
    if (!t->nqueries) {
        st = nothing_to_ask(&g, err);
        goto out;
    }
    st = make_room(&g, err);
    if (!st)
        st = prepare_grades(&g, err);
    if (st)
        goto out;
    g.write = true;
    gather(&g);
out:
    mem_free(g.last_seen);
    if (st)
        test_set_free(t);
    else
        *out = t;
    return st;
}

enum status test_set_new(const struct dataset *d, const struct split *s, const struct protocol *p,
                         struct test_set **out, struct error *err)
{
    return make(d, s, p, NO_USER, out, err);
}

enum status test_set_of_user(const struct dataset *d, const struct split *s, const struct protocol *p, uint32_t user,
                             struct test_set **out, struct error *err)
{
    return make(d, s, p, user, out, err);
}

/* Right items of query q that are kept stand from `to` on; how many. */
static size_t keep_right(struct test_set *t, size_t q, size_t to, bool (*keeps)(void *context, size_t q, uint32_t item),
                         void *context)
{
    size_t kept = to;
    for (size_t r = t->right_begin[q]; r < t->right_begin[q + 1]; r++) {
        if (!keeps(context, q, t->right[r]))
            continue;
        t->right[kept] = t->right[r];
        if (t->rating)
            t->rating[kept] = t->rating[r];
        if (t->weight)
            t->weight[kept] = t->weight[r];
        kept++;
    }
    return kept - to;
}

void test_set_keep(struct test_set *t, bool (*keeps)(void *context, size_t q, uint32_t item), void *context)
{
    size_t nusers = 0, nqueries = 0, nright = 0; /* never ahead of what is read */
    for (size_t u = 0; u < t->nusers; u++) {
        size_t first = nqueries, begin = t->query_begin[u], end = t->query_begin[u + 1];
        for (size_t q = begin; q < end; q++) {
            size_t kept = keep_right(t, q, nright, keeps, context);
            if (!kept)
                continue;
            t->query[nqueries] = t->query[q];
            t->right_begin[nqueries++] = nright;
            nright += kept;
        }
        if (nqueries == first)
            continue;
        t->user[nusers] = t->user[u];
        t->warm[nusers] = t->warm[u];
        t->query_begin[nusers++] = first;
    }
    t->nusers = nusers;
    t->query_begin[nusers] = t->nqueries = nqueries;
    t->right_begin[nqueries] = nright;
}

void test_set_free(struct test_set *t)
{
    if (!t)
        return;
    mem_free(t->user);
    mem_free(t->warm);
    mem_free(t->query_begin);
    mem_free(t->query);
    mem_free(t->known);
    mem_free(t->right_begin);
    mem_free(t->right);
    mem_free(t->rating);
    mem_free(t->weight);
    mem_free(t->among_begin);
    mem_free(t->among);
    mem_free(t);
}
