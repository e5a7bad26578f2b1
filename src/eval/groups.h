/* Groups of users or items, and how fairly they fare: means of a metric by group of users, and the exposure that lists give to groups
 * of items.
 *
 * A row (a user or an item) may be in several groups, as a film has several genres: it counts in parts then, which add up to one. */
#ifndef TAILOR_EVAL_GROUPS_H
#define TAILOR_EVAL_GROUPS_H

#include "eval/evaluation.h"

struct grouping {
    size_t rows, n;  /* users or items; groups */
    char (*name)[64];
    size_t *begin;   /* rows + 1 */
    uint32_t *group; /* those of each row */
};

enum { GROUPS_MAX = 1000, GROUP_VALUES = 8 };

/* Groups by an attribute: its words; its numbers when they are at most GROUP_VALUES different ones, else four groups of about the
 * same size, cut at the quartiles. Rows without a value are in no group. ST_USAGE for more than GROUPS_MAX words. */
MUST_CHECK enum status grouping_of_field(const struct field *f, size_t rows, struct grouping *out, struct error *err);
/* Users by how many events they have before what is judged: 0, 1 to 4, 5 to 19, 20 to 99, 100 and more. */
MUST_CHECK enum status grouping_of_histories(const struct dataset *d, const struct split *s, enum part on, struct grouping *out,
                                             struct error *err);
void grouping_clear(struct grouping *g);

/* A metric in one group of users: over the warm ones that have a value. */
struct group_mean {
    size_t users;
    double mean; /* NaN: nobody has a value */
};
/* out[0..g->n) of the values that evaluation_users gave. A user in several groups counts in each. */
void group_means(const struct evaluation *e, const double *value, const struct grouping *g, struct group_mean *out);

/* What one group of items has of everything; each of the shares adds up to 1 over the groups. */
struct group_exposure {
    double items;     /* how many it has, in parts */
    double catalogue; /* share of the items */
    double relevant;  /* share of what was right */
    double exposure;  /* share of the places in lists, place r counting 1 / log2(r + 1): Singh and Joachims, KDD 2018 */
};
/* out[0..g->n) for lists cut at k; all lists, items in no group left out. NaN where there is nothing to share. */
void group_exposures(const struct evaluation *e, const struct grouping *g, size_t k, struct group_exposure *out);

/* The two ends of some values, NaN left out: where they are and how far apart. */
struct group_gap {
    size_t lowest, highest; /* n: there are none */
    double gap;             /* highest - lowest */
    double ratio;           /* lowest / highest; NaN where the highest is 0 */
};
struct group_gap group_gap_of(const double *value, size_t n);

#endif
