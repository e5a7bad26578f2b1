/* Ranking: from a history to the list a user would see. Score, mask what was seen, take the best.
 *
 * Lists are ordered by score, ties by item index. NaN and -inf never enter a list. SEEN_HIDE does not touch lists that
 * were served (models/served.h): they stand as they were. */
#ifndef TAILOR_RANKING_RANKING_H
#define TAILOR_RANKING_RANKING_H

#include "linalg/topk.h"
#include "models/history.h"

enum seen { SEEN_HIDE, SEEN_SHOW };

struct ranked {
    uint32_t item;
    float score;
    bool seen;         /* what the history holds hides it: only with SEEN_SHOW */
    int64_t seen_at;   /* its latest time there, NO_TIME when unknown */
    uint32_t seen_times;
};

struct ranked_list {
    struct ranked *entries; /* best first */
    size_t n;               /* <= k */
};

/* The k best for one history. */
MUST_CHECK enum status rank_list(const struct model *m, const struct query *q, size_t k, enum seen seen,
                                 struct ranked_list *out, struct error *err);
void ranked_list_clear(struct ranked_list *l);

/* Scores of one history with what was seen masked by -inf (SEEN_HIDE), scores[0..nitems). */
MUST_CHECK enum status rank_scores(const struct model *m, const struct query *q, enum seen seen, float *scores,
                                   struct error *err);
/* Place of an item, 1 for the best, by the order of lists; 0 when it is masked. */
size_t rank_of(const float *scores, size_t n, uint32_t item);
/* Does event i of the history hide its item? */
bool rank_hides(const struct query *q, size_t i);
/* What SEEN_HIDE does: masks by -inf. */
void rank_hide(const struct query *q, float *scores);
/* Latest time and number of the item's events in the history, of those that hide it; false when there are none. */
bool rank_seen(const struct query *q, uint32_t item, int64_t *at, uint32_t *times);

/* Called once a query with its masked scores (nitems of them, valid during the call), from any thread, in any order. */
typedef void rank_visit(void *context, size_t i, const struct query *q, const float *scores);

/* Scores queries[0..n) in batches of bounded memory and visits each. The job is stepped once a query and may cancel. */
MUST_CHECK enum status rank_each(const struct model *m, const struct query *queries, size_t n, enum seen seen,
                                 struct job *job, rank_visit *visit, void *context, struct error *err);

#endif
