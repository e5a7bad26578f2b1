/* Lists of many histories: those of everybody, and those that an evaluation looks at.
 *
 * A ranker is one model made ready for lists of one length. There are four ways, which give the same lists to the bit
 * as scoring each history and taking the best (rank_list):
 *
 *   vectors   a class with vectors of items and of histories: no scores are ever written down (linalg/lists.h)
 *   rows      a class whose scores are sums of sparse rows: by what they reach (linalg/sparse_lists.h)
 *   apart     a class whose scores of a history cost the same alone as among others: a row of scores for each thread
 *   batches   all others: a matrix of scores for a few histories at a time */
#ifndef TAILOR_RANKING_LISTS_H
#define TAILOR_RANKING_LISTS_H

#include "linalg/lists.h"
#include "linalg/sparse_lists.h"
#include "ranking/ranking.h"

struct ranker {
    const struct model *m; /* borrowed */
    size_t k;
    enum seen seen;
    const struct csr *rows;  /* NULL: another way */
    size_t width;            /* of the vectors; 0: another way */
    struct dots_lists lists; /* of the vectors */
};

/* For lists of k (of all items when there are fewer). `expected`: about how many histories; few are not worth preparing
 * for. */
MUST_CHECK enum status ranker_new(struct ranker *r, const struct model *m, size_t k, enum seen seen, size_t expected,
                                  struct error *err);
void ranker_clear(struct ranker *r);

/* out[i * r->k ..] holds the counts[i] <= r->k best for queries[i]. wanted: NULL, or for each query the items whose
 * places are all that is asked: a list may then end anywhere behind the last of them that stands in it. The job is
 * stepped once a query and may cancel. */
MUST_CHECK enum status ranker_lists(const struct ranker *r, const struct query *queries, size_t n,
                                    const struct item_sets *wanted, struct job *job, struct scored *out, size_t *counts,
                                    struct error *err);
/* Whole lists of users[0..n), whose histories are made piece by piece. */
MUST_CHECK enum status ranker_users(const struct ranker *r, const struct selection *s, const uint32_t *users, size_t n,
                                    struct job *job, struct scored *out, size_t *counts, struct error *err);

/* A ranker for one question. k is that of the room in `out`: at most the number of items. */
MUST_CHECK enum status rank_users(const struct model *m, const struct selection *s, const uint32_t *users, size_t n,
                                  size_t k, enum seen seen, struct job *job, struct scored *out, size_t *counts,
                                  struct error *err);

#endif
