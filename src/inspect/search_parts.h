/* What the two files of the search share: how asking is counted, and the tree of sets of one size. */
#ifndef TAILOR_INSPECT_SEARCH_PARTS_H
#define TAILOR_INSPECT_SEARCH_PARTS_H

#include "inspect/search.h"

struct hunt {
    const struct search *s;
    struct found_set *out;
    double until;    /* clock_seconds; INFINITY: no limit */
    size_t most;
    uint32_t *sets;  /* room for ASKED sets of `most` elements */
    double *far;     /* ASKED */
    /* Where scores add up, with the signs of GOAL_IN: a rival is beaten when its value is not below 0. */
    size_t spare;    /* good sets leave so many rivals unbeaten */
    float *value;    /* nrivals: with nothing chosen */
    float *top;      /* REACH x nrivals: largest positive gains, the largest first */
    float *all;      /* nrivals: sum of positive gains */
    float *low;      /* nrivals: most negative gain, or 0 */
    float slack;     /* values nearer to 0 may have the other sign in truth */
};

enum { REACH = 16, ASKED = 256 };

/* Asks about n sets of a size that stand in h->sets; h->far tells. */
MUST_CHECK enum status hunt_ask(struct hunt *h, size_t n, size_t size, struct error *err);
/* Keeps a good set. */
MUST_CHECK enum status hunt_keep(struct hunt *h, const uint32_t *set, size_t n, struct error *err);
/* Is time over? A cancel is a failure. */
MUST_CHECK enum status hunt_check(struct hunt *h, struct error *err);

/* At most what r elements add to the lead over rival i. */
static inline float hunt_reach(const struct hunt *h, size_t r, size_t i)
{
    float sum = 0;
    size_t n = h->s->nrivals, listed = r < REACH ? r : REACH;
    for (size_t j = 0; j < listed; j++)
        sum += h->top[j * n + i];
    sum += (float)(r - listed) * h->top[(REACH - 1) * n + i];
    return sum < h->all[i] ? sum : h->all[i];
}

/* Gain of element e on rival i, with the sign of GOAL_IN. */
static inline float hunt_gain(const struct hunt *h, size_t e, size_t i)
{
    float gain = h->s->gain[e * h->s->nrivals + i];
    return h->s->goal == GOAL_IN ? gain : -gain;
}

/* Looks for a good set of `size` elements among all there are; keeps the first. Nothing is said when time is over. */
MUST_CHECK enum status hunt_tree(struct hunt *h, size_t size, struct error *err);

#endif
