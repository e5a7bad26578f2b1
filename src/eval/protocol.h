/* The protocol: what is asked of a model, and what would have been right.
 *
 * A test set holds the questions of one split, for all models alike:
 *
 *   users      those with something to find, in the order of the data set
 *   queries    query_begin[u] .. query_begin[u + 1] of user u: one, or with rolling history one for each test event
 *   history    known[known_begin[u] .. + length[q]), oldest first: rolling queries of a user share one run
 *   right      right[right_begin[q] .. right_begin[q + 1]), distinct items, ascending
 *   rating     beside each of them the user's latest rating of it in this part, for models that predict ratings
 *   candidates among[among_begin[q] .. among_begin[q + 1]), where not all items are ranked (eval/candidates.h)
 *
 * With hide_seen what the history holds is not recommended, so it is not asked for either: such test events are
 * left out and counted in `repeats`. When only events of one type are judged (the target of the split), only those
 * hide: who is asked what somebody will buy may answer with what they looked at, not with what they have bought. */
#ifndef TAILOR_EVAL_PROTOCOL_H
#define TAILOR_EVAL_PROTOCOL_H

#include <stdbool.h>

#include "data/split.h"
#include "models/model.h"

/* Before each test event, all of the user's events before it are folded in: when the split promises an order, or in any
 * case. */
enum rolling { ROLLING_NOT, ROLLING_IN_ORDER, ROLLING_ANYHOW };

struct protocol {
    enum part on;   /* PART_TEST or PART_VALID */
    bool hide_seen; /* items of the history do not come back */
    enum rolling rolling;
    uint64_t among; /* 0: all items are ranked; else what tells the candidates of this test set from others
                       (eval/candidates.h) */
};

struct test_set {
    struct protocol protocol;
    size_t nitems, nusers, nqueries;
    uint32_t *user;      /* nusers: index in the data set */
    uint8_t *warm;       /* nusers: has a history before the first test event */
    size_t *query_begin; /* nusers + 1 */
    struct query *query; /* nqueries; events point into `known` */
    struct query_event *known;
    size_t *right_begin; /* nqueries + 1 */
    uint32_t *right;
    float *rating; /* NaN: none; NULL: none at all */
    float *weight; /* where there are no ratings, beside each right item: the largest weight of a type of its events;
                      else NULL */
    size_t *among_begin; /* nqueries + 1; NULL: all items */
    uint32_t *among;     /* distinct; equal scores stand in this order */
    float lowest, highest; /* of the ratings in the train part, which predictions are cut to */
    size_t events;  /* test events there are */
    size_t repeats; /* of them left out: seen before */
};

/* ST_STATE when the split has no such part; ST_USAGE for rolling history when the split is not in order. */
MUST_CHECK enum status test_set_new(const struct dataset *d, const struct split *s, const struct protocol *p,
                                    struct test_set **out, struct error *err);
/* The same of one user alone; ST_STATE too when there is nothing to ask about them. */
MUST_CHECK enum status test_set_of_user(const struct dataset *d, const struct split *s, const struct protocol *p,
                                        uint32_t user, struct test_set **out, struct error *err);
void test_set_free(struct test_set *t); /* NULL is fine */

/* Takes right items out, and the queries and users that have none left; keeps(context, q, item) for the items of query
 * after query. */
void test_set_keep(struct test_set *t, bool (*keeps)(void *context, size_t q, uint32_t item), void *context);

#endif
