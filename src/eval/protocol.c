#include "eval/protocol_parts.h"

#include "base/mem.h"

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

/* user: the one who is asked about; NO_USER: all of them. */
static enum status nothing_to_ask(const struct test_set *t, const struct dataset *d, uint32_t user, struct error *err)
{
    char all[32];
    if (user != NO_USER)
        return error_set(err, ST_STATE, "%s has nothing in this part that is not seen before",
                         dict_text(&d->users, user));
    text_count(all, sizeof all, (int64_t)t->events);
    error_set(err, ST_STATE, "there is nothing to judge: all %s test event%s what the user has seen before", all,
              t->events == 1 ? " repeats" : "s repeat");
    error_hint(err, "seen=show asks for repeats too");
    return ST_STATE;
}

/* Of one user, or with NO_USER of all. */
static enum status make(const struct dataset *d, const struct split *s, const struct protocol *p, uint32_t user,
                        struct test_set **out, struct error *err)
{
    const struct selection trained = {.data = d, .split = s, .parts = PART_TRAIN, .until = NO_TIME};
    enum status st = check_protocol(s, p, err);
    if (st)
        return st;
    struct test_set *t = mem_new(1, sizeof *t, "a test set", err);
    if (!t)
        return ST_NOMEM;
    t->protocol = *p;
    t->nitems = d->items.n;
    struct gathering g = {.d = d, .s = s, .t = t, .hides = split_hides(s, d), .moment = selection_moment(&trained)};
    g.first = user == NO_USER ? 0 : user;
    g.end = user == NO_USER ? d->users.n : user + 1;
    st = protocol_gather(&g, err);
    if (!st && !t->nqueries)
        st = nothing_to_ask(t, d, user, err);
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
