/* The smallest set that makes a list what one wants it to be.
 *
 * A set is made of elements: events of a history to take out, items to put in. It is good when a wanted item then
 * stands among the first k of its list (GOAL_IN), or no longer does (GOAL_OUT). Whether a set is good is always decided
 * by asking: the list is made anew. What makes the search quick, and its answer a proof, is this:
 *
 * - Where scores add up, each element adds a fixed amount to the lead of the item over each rival. Sets are tried by
 * size, by branch and bound: what the r best elements together add to a lead bounds what any r of them can; and of any
 * spare + 1 rivals one must change sides, for which one of the elements has to make good an r-th part of its lead. A
 * set that these bounds rule out is never asked about. Bounds leave room for the rounding of scores; ties are decided
 * by asking.
 * - Where they do not, all sets of a size are asked about.
 *
 * A set found greedily says beforehand how far to search. When time is over first, the answer is that set and the least
 * size that is not ruled out: "found 3; at least 2 are needed". */
#ifndef TAILOR_INSPECT_SEARCH_H
#define TAILOR_INSPECT_SEARCH_H

#include <float.h>

#include "base/job.h"

enum search_goal { GOAL_IN, GOAL_OUT };

/* How far each of n sets is from being good: far[i] <= 0: it is good. Set i is sets[i * size .. (i + 1) * size),
 * ascending element numbers. Larger numbers are farther off, by whatever measure. */
typedef enum status search_ask(void *context, const uint32_t *sets, size_t n, size_t size, double *far,
                               struct error *err);

struct search {
    size_t nelements; /* likeliest first, where that is known */
    size_t most;      /* sets of at most so many elements; 0: any */
    double seconds;   /* then take what there is; 0: no limit */
    struct job *job;  /* may be NULL; a cancel is ST_CANCELLED, unless there is no limit and something was found or
                         proved: then the search is `late` */
    search_ask *ask;
    void *context;
    /* Where scores add up; lead NULL: they do not. */
    enum search_goal goal;
    size_t k;
    size_t nrivals; /* all that may stand above the item, or those that matter: good sets must be good among them too */
    const float *lead;    /* nrivals: search_lead with nothing chosen */
    const float *gain;    /* nelements x nrivals: what choosing the element adds to the lead */
    const uint32_t
        *own; /* nelements: the rival that leaves the list when the element is chosen, else NO_RIVAL; NULL: none does */
    double size; /* of the scores: sums of absolute contributions are about so large; rounding is measured by it */
};

#define NO_RIVAL UINT32_MAX

struct found_set {
    uint32_t *set;    /* ascending; owned */
    size_t n;         /* 0: none found, or none needed */
    bool found;
    size_t at_least;  /* no smaller set is good; n when `found` and proved */
    bool none;        /* proved: no set at all is good (of at most `most`) */
    bool late;        /* time was over before the proof */
    uint64_t asked;   /* lists made */
};

/* Is the set proved to be a smallest one? */
static inline bool found_smallest(const struct found_set *f)
{
    return f->found && f->at_least == f->n;
}

/* The lead of an item over a rival; at a tie the one with the smaller index is ahead. */
static inline float search_lead(float item, float rival, bool rival_first)
{
    float lead = item - rival;
    return item == rival && rival_first ? -FLT_TRUE_MIN : lead;
}

/* Clear it in every case. */
MUST_CHECK enum status search_smallest(const struct search *s, struct found_set *out, struct error *err);
void found_set_clear(struct found_set *f);

#endif
