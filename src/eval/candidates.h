/* Candidates: what the lists of a test set are ranked among, where that is not everything.
 *
 * Either so many items drawn for each query, with its right ones (the protocol of NCF, SASRec and many papers; the
 * figures say little about lists of all items: Krichene, Rendle: On sampled metrics for item recommendation, KDD 2020),
 * or the items that lists hold which were served: which model puts what people took from them on top? */
#ifndef TAILOR_EVAL_CANDIDATES_H
#define TAILOR_EVAL_CANDIDATES_H

#include "eval/protocol.h"
#include "linalg/topk.h"

/* What protocol.among is; never 0. */
uint64_t candidates_drawn_mark(size_t n, uint64_t seed);
uint64_t candidates_listed_mark(const struct model *served);

/* n items for each query, drawn without putting any back from those that are neither right nor, with hide_seen, in the
 * history; all of them where there are no more. Equal scores stand by item, as in lists of all. t->protocol.among
 * becomes the mark. */
MUST_CHECK enum status candidates_draw(struct test_set *t, size_t n, uint64_t seed, struct error *err);

/* What lists cannot be asked about. */
struct candidates_left_out {
    size_t users; /* without a list by then, or with nothing right in it */
    size_t right; /* right items that the list does not hold */
};
/* The items of the list that each user had been served last by the time of asking; equal scores stand as there. Right
 * items that the list does not hold are taken out of the test set, and so are users that have none left. ST_STATE when
 * none of them is left. */
MUST_CHECK enum status candidates_of_lists(struct test_set *t, const struct model *served,
                                           struct candidates_left_out *out, struct error *err);

/* As ranker_lists of a ranker of the test set's candidates: the depth best of query first + i at lists[i * depth ..],
 * counts[i] of them. NaN and -inf never enter a list. */
MUST_CHECK enum status candidates_rank(const struct test_set *t, const struct model *m, size_t first, size_t n,
                                       size_t depth, struct job *job, struct scored *lists, size_t *counts,
                                       struct error *err);

#endif
