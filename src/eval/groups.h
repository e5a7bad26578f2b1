/* How fairly groups fare: means of a metric by group of users, and the exposure that lists give to groups of items.
 *
 * An item may be in several groups, as a film has several genres: it counts in parts then, which add up to one. A user
 * in several groups counts in each. */
#ifndef TAILOR_EVAL_GROUPS_H
#define TAILOR_EVAL_GROUPS_H

#include "eval/cohorts.h"

/* A metric in one group of users: over the warm ones that have a value. */
struct group_mean {
    size_t users;
    double mean; /* NaN: nobody has a value */
};
/* out[0..c->n) of the values that evaluation_users gave; c as of cohorts_of_evaluation. */
void group_means(const struct evaluation *e, const double *value, const struct cohorts *c, struct group_mean *out);

/* What one group of items has of everything; each of the shares adds up to 1 over the groups. */
struct group_exposure {
    double items;     /* how many it has, in parts */
    double catalogue; /* share of the items */
    double relevant;  /* share of what was right */
    double exposure;  /* share of the places in lists, place r counting 1 / log2(r + 1): Singh and Joachims, KDD 2018 */
};
/* out[0..c->n) for lists cut at k; all lists, items in no group left out. NaN where there is nothing to share. */
MUST_CHECK enum status group_exposures(const struct evaluation *e, const struct cohorts *c, size_t k,
                                       struct group_exposure *out, struct error *err);

/* The two ends of some values, NaN left out: where they are and how far apart. */
struct group_gap {
    size_t lowest, highest; /* n: there are none */
    double gap;             /* highest - lowest */
    double ratio;           /* lowest / highest; NaN where the highest is 0 */
};
struct group_gap group_gap_of(const double *value, size_t n);

#endif
