/* Gathering the questions of a test set, on all threads, block by block of users: first how many there may be, which
 * makes room for all; then the questions themselves, each block in a room of its own; then the gaps are closed that
 * events without a question have left. */
#include "eval/protocol_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"
#include "models/history.h"

enum { BLOCK = 256 };

/* So many there are of each; or, where those of a block begin, how many stand before them. */
struct tally {
    size_t users, queries, known, right, events, repeats;
};

/* What a thread remembers of each item: 1 + the user who has it in the history so far, and who was asked for it. */
struct desk {
    uint32_t *seen, *asked;
};

struct pass {
    const struct gathering *g;
    struct desk *desks;        /* one a thread */
    struct tally *begin, *end; /* one a block: its room, and how far it is filled */
};

/* A block on its way. */
struct walk {
    const struct gathering *g;
    struct desk *desk;
    struct tally at;
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
    g->t->known[w->at.known++] = history_event(g->d, e, g->moment);
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
    t->query[w->at.queries] = (struct query){
        .events = t->known + begin, .n = w->at.known - begin, .user = user, .as_of = as_of, .hides = w->g->hides};
    t->right_begin[w->at.queries++] = right;
}

static void add_right(struct walk *w, uint32_t item)
{
    struct test_set *t = w->g->t;
    if (t->rating)
        t->rating[w->at.right] = NAN;
    else
        t->weight[w->at.right] = 0;
    t->right[w->at.right++] = item;
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
    if (t->rating && !isfinite(d->events.value[e]))
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

/* What there is of a user: the first event that is judged, or the end of the run; how many are; how many make the
 * history before them all. */
struct judged {
    size_t first, n, history;
};

static struct judged judged_of(const struct gathering *g, uint32_t user)
{
    size_t end = g->d->user_begin[user + 1];
    struct judged j = {.first = end};
    unsigned history = split_history(g->s, user, g->t->protocol.on);
    for (size_t e = g->d->user_begin[user]; e < end; e++) {
        unsigned part = g->s->part[e];
        j.history += (part & history) != 0;
        if (part != g->t->protocol.on)
            continue;
        j.first = e < j.first ? e : j.first;
        j.n++;
    }
    return j;
}

/* The most that a block may have. */
static void bound_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct pass *p = context;
    const struct gathering *g = p->g;
    bool rolling = g->t->protocol.rolling;
    struct tally most = {0};
    for (size_t i = begin; i < end; i++) {
        uint32_t user = g->first + (uint32_t)i;
        struct judged j = judged_of(g, user);
        if (!j.n)
            continue;
        most.users++;
        most.queries += rolling ? j.n : 1;
        most.known += rolling ? g->d->user_begin[user + 1] - g->d->user_begin[user] : j.history;
        most.right += j.n;
    }
    p->begin[block] = most;
}

/* The questions of one user, if there are any. */
static void ask_user(struct walk *w, uint32_t user)
{
    const struct gathering *g = w->g;
    struct test_set *t = g->t;
    struct judged j = judged_of(g, user);
    struct tally before = w->at;
    if (!j.n)
        return;
    if (t->protocol.rolling)
        ask_each(w, user, j.first);
    else
        ask_once(w, user, j.first);
    if (w->at.queries == before.queries) {
        w->at.known = before.known;
        return;
    }
    t->user[w->at.users] = user;
    t->warm[w->at.users] = j.history > 0;
    t->query_begin[w->at.users++] = before.queries;
}

static void ask_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct pass *p = context;
    struct walk w = {p->g, &p->desks[parallel_thread()], p->begin[block]};
    for (size_t i = begin; i < end; i++)
        ask_user(&w, p->g->first + (uint32_t)i);
    p->end[block] = w.at;
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
    }
    return sum;
}

/* *array[from .. from + n) -> [to ..), of elements of `size` bytes; NULL: there is none. */
static void move(void *array, size_t size, size_t to, size_t from, size_t n)
{
    if (array && to != from)
        memmove((char *)array + to * size, (char *)array + from * size, n * size);
}

/* Moves the questions of a block up to those before it, `at`, which it is added to. Histories stay where they are. */
static void move_up(struct test_set *t, struct tally *at, const struct tally *begin, const struct tally *end)
{
    size_t users = end->users - begin->users, queries = end->queries - begin->queries,
           right = end->right - begin->right;
    for (size_t u = begin->users; u < end->users; u++)
        t->query_begin[u] -= begin->queries - at->queries;
    for (size_t q = begin->queries; q < end->queries; q++)
        t->right_begin[q] -= begin->right - at->right;
    move(t->user, sizeof *t->user, at->users, begin->users, users);
    move(t->warm, sizeof *t->warm, at->users, begin->users, users);
    move(t->query_begin, sizeof *t->query_begin, at->users, begin->users, users);
    move(t->query, sizeof *t->query, at->queries, begin->queries, queries);
    move(t->right_begin, sizeof *t->right_begin, at->queries, begin->queries, queries);
    move(t->right, sizeof *t->right, at->right, begin->right, right);
    move(t->rating, sizeof *t->rating, at->right, begin->right, right);
    move(t->weight, sizeof *t->weight, at->right, begin->right, right);
    at->users += users;
    at->queries += queries;
    at->right += right;
    at->events += end->events - begin->events;
    at->repeats += end->repeats - begin->repeats;
}

/* *array (T **) holds n of the elements that it has room for: where that is far more, it moves, if there is memory. */
static void trim(void *array, size_t size, size_t room, size_t n)
{
    void *old, *fitting;
    memcpy(&old, array, sizeof old);
    if (!old || n > room / 2 || !(fitting = mem_new_raw(n, size, "a test set", NULL)))
        return;
    memcpy(fitting, old, n * size);
    memcpy(array, &fitting, sizeof fitting);
    mem_free(old);
}

static void close_gaps(struct test_set *t, const struct pass *p, size_t blocks, const struct tally *most)
{
    struct tally at = {0};
    for (size_t b = 0; b < blocks; b++)
        move_up(t, &at, &p->begin[b], &p->end[b]);
    t->nusers = at.users;
    t->nqueries = at.queries;
    t->events = at.events;
    t->repeats = at.repeats;
    t->query_begin[at.users] = at.queries;
    t->right_begin[at.queries] = at.right;
    trim(&t->query, sizeof *t->query, most->queries, at.queries);
    trim(&t->right_begin, sizeof *t->right_begin, most->queries + 1, at.queries + 1);
    trim(&t->right, sizeof *t->right, most->right, at.right);
    trim(&t->rating, sizeof *t->rating, most->right, at.right);
    trim(&t->weight, sizeof *t->weight, most->right, at.right);
}

static enum status make_room(struct test_set *t, const struct tally *most, struct error *err)
{
    t->user = mem_new_raw(most->users, sizeof *t->user, "test users", err);
    t->warm = mem_new_raw(most->users, sizeof *t->warm, "test users", err);
    t->query_begin = mem_new_raw(most->users + 1, sizeof *t->query_begin, "test users", err);
    t->query = mem_new_raw(most->queries, sizeof *t->query, "test queries", err);
    t->known = mem_new_raw(most->known, sizeof *t->known, "test histories", err);
    t->right_begin = mem_new_raw(most->queries + 1, sizeof *t->right_begin, "test queries", err);
    t->right = mem_new_raw(most->right, sizeof *t->right, "test items", err);
    return t->user && t->warm && t->query_begin && t->query && t->known && t->right_begin && t->right ? ST_OK
                                                                                                      : ST_NOMEM;
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
    bool rated = t->lowest <= t->highest;
    float **grade = rated ? &t->rating : &t->weight;
    *grade = mem_new_raw(nright, sizeof **grade, rated ? "test ratings" : "weights of right items", err);
    return *grade ? ST_OK : ST_NOMEM;
}

enum status protocol_gather(const struct gathering *g, struct error *err)
{
    size_t users = g->end - g->first, blocks = parallel_count(users, BLOCK), items = g->d->items.n;
    size_t threads = blocks > 1 ? (size_t)parallel_threads() : (size_t)parallel_thread() + 1;
    struct pass p = {.g = g};
    uint32_t *marks = mem_new(2 * threads * items, sizeof *marks, "item marks", err);
    struct tally *tallies = mem_new_raw(2 * blocks, sizeof *tallies, "test users", err);
    p.desks = mem_new_raw(threads, sizeof *p.desks, "item marks", err);
    enum status st = marks && tallies && p.desks ? ST_OK : ST_NOMEM;
    for (size_t t = 0; t < threads && !st; t++)
        p.desks[t] = (struct desk){marks + 2 * t * items, marks + (2 * t + 1) * items};
    struct tally most = {0};
    if (!st) {
        p.begin = tallies;
        p.end = tallies + blocks;
        parallel_blocks(users, BLOCK, bound_block, &p);
        most = add_up(p.begin, blocks);
        st = make_room(g->t, &most, err);
        if (!st)
            st = prepare_grades(g, most.right, err);
    }
    if (!st) {
        parallel_blocks(users, BLOCK, ask_block, &p);
        close_gaps(g->t, &p, blocks, &most);
    }
    mem_free(marks);
    mem_free(tallies);
    mem_free(p.desks);
    return st;
}
