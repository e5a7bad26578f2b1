/* For which goods is a model better? Two models of a comparison in groups of items: the recall of each user among the
 * right items that belong to the group, over the users who have such. Recall alone can be told apart like that: what is
 * in the list beside a right item of the group is no fault of the group. */
#ifndef TAILOR_EVAL_ITEM_SEGMENTS_H
#define TAILOR_EVAL_ITEM_SEGMENTS_H

#include "eval/cohorts.h"

struct item_segments {
    struct metric_at at;           /* the recall */
    struct cohorts users; /* a segment for each group of items in which somebody has a right one: warm users who do */
    size_t *right;                 /* of each segment: right items of these users that belong to it */
    double *mean;                  /* segment after segment, for each entry of the comparison: recall over its users */
    struct difference *difference; /* x less y in each segment, by recall; adjusted for all of them together */
};

/* The recall that segments of items go by: the first among the measures of the comparison; NULL: there is none. */
const struct metric_at *item_segments_measure(const struct comparison *c);

/* Entry x less entry y in the groups of items that `by` makes (cohorts_of_items), for lists that were judged by
 * protocol p. An item of several groups counts in each. ST_USAGE where no recall is among the measures, ST_STATE where
 * it is cut deeper than lists are kept. */
MUST_CHECK enum status item_segments_make(struct dataset *d, const struct split *s, const struct protocol *p,
                                          const struct comparison *c, size_t x, size_t y, const char *by,
                                          struct item_segments *out, struct error *err);
void item_segments_clear(struct item_segments *s);

#endif
