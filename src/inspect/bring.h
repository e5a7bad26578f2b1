/* The smallest change of a history that brings an item into the first k of its list, or (GOAL_OUT) takes it out of
 * them: items of the history to take out (with all their events), or items of the catalogue to add (an event each, as
 * `history_add` makes it, in the order of items).
 *
 * The list is the one that the history had, and what is hidden stays hidden: an item that is taken out does not come
 * back as a rival, and one that is added leaves the list, as seen. When everything is shown (`shown`) neither moves.
 * The item itself is never added, and items of the history are not added a second time. Added are only items that the
 * model knows.
 *
 * Where scores add up (ADDS_UP) what each item adds alone proves the answer: search.h. So it does where that is nothing
 * (IGNORES_HISTORY). Elsewhere the model is asked about every set of a size. */
#ifndef TAILOR_INSPECT_BRING_H
#define TAILOR_INSPECT_BRING_H

#include "inspect/search.h"
#include "ranking/ranking.h"

enum bring_by { BY_REMOVING, BY_ADDING };

/* Seconds that are left to a search after one without a limit was stopped by hand. */
#define BRING_AFTER_STOP .2

struct bring {
    const struct model *m;
    const struct query *q;
    uint32_t item;             /* the model has a score for it */
    size_t k;
    enum search_goal goal;
    bool shown;                /* nothing is hidden */
    struct query_event made_up; /* what an added event is like */
    size_t most;               /* sets of at most so many; 0: any */
    double seconds;            /* then take what there is; 0: no limit */
    struct job *job;
};

struct brought {
    uint32_t *items; /* ascending; owned */
    size_t n;
    bool found;
    size_t rank;     /* of the item after the change */
    size_t at_least; /* no smaller set does it: proved */
    bool none;       /* no set (of at most `most`) does it: proved */
    bool late;       /* time was over first */
    bool additive;   /* proved by bounds, not by trying all */
    size_t tried;    /* items that could be part of a set */
    uint64_t asked;  /* lists made */
};

/* The item is not among the first k yet; with GOAL_OUT, which is for removing, it is. Clear it in every case. */
MUST_CHECK enum status bring_in(const struct bring *b, enum bring_by by, struct brought *out, struct error *err);
void brought_clear(struct brought *b);

/* Do the scores of this history add up? */
bool bring_additive(const struct model *m, const struct query *q);

/* Is the set proved to be a smallest one? */
static inline bool brought_smallest(const struct brought *b)
{
    return b->found && b->at_least == b->n;
}

/* Items that the list never has: hidden[0..nitems), as long as it is `shown` none. */
void bring_hidden(const struct query *q, bool shown, bool *hidden);
/* The place that an item has among what is not hidden, and the score of the k-th of the others (-inf when there are
 * fewer); room: k. */
size_t bring_rank(const float *scores, const bool *hidden, size_t n, uint32_t item, size_t k, struct scored *room,
                  float *kth);

#endif
