/* What cohorts are made of: shared by cohorts.c (attributes) and cohorts_built_in.c (all else). */
#ifndef TAILOR_EVAL_COHORTS_PARTS_H
#define TAILOR_EVAL_COHORTS_PARTS_H

#include "eval/cohorts.h"

/* Who is to be grouped, and what is known of them. */
struct asking {
    const struct dataset *d;
    const struct split *s;
    enum part on;
    const struct selection *selection; /* not NULL: what it has is known, whatever the split */
    size_t n;
    const uint32_t *row;    /* n: users or items of the data; NULL: 0 to n - 1 */
    const uint8_t *counted; /* n: who is in segments of attributes; NULL: all */
};

static inline uint32_t asking_row(const struct asking *a, size_t i)
{
    return a->row ? a->row[i] : (uint32_t)i;
}

static inline bool asking_counts(const struct asking *a, size_t i)
{
    return !a->counted || a->counted[i];
}

/* Empty segments of these names, and one behind them for who fits none. */
MUST_CHECK enum status cohorts_add_all(struct cohorts *s, const char *const *names, size_t n, const char *none,
                                       struct error *err);
/* Segment i holds x from bound[i] on, to below the next; the one after the last holds what is NaN or below all. Only
 * those with only[i], NULL: all. Empty segments go. */
MUST_CHECK enum status cohorts_deal(struct cohorts *s, const double *x, size_t n, const double *bound, size_t count,
                                    const uint8_t *only, struct error *err);
/* `by` is one of cohorts_built_in. */
MUST_CHECK enum status cohorts_by_built_in(const struct asking *a, const char *by, struct cohorts *s,
                                           struct error *err);
/* Items in head, mid and tail. */
MUST_CHECK enum status cohorts_by_popularity(struct dataset *d, const struct split *s, const struct protocol *p,
                                             struct cohorts *out, struct error *err);
/* Ascending, for qsort. */
int number_order(const void *a, const void *b);

#endif
