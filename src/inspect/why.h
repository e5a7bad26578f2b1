/* Why: one recommendation taken apart. */
#ifndef TAILOR_INSPECT_WHY_H
#define TAILOR_INSPECT_WHY_H

#include "inspect/made_of.h"

/* A part of the score, and what would become of the item without it. */
struct why_part {
    struct contribution what;
    bool tried;          /* rank_without is known: the part is a history item among the largest */
    size_t rank_without; /* exact: the model asked again without the events of this item */
    int64_t time;        /* latest event of the history item */
};

struct why {
    uint32_t item;
    float score;
    double base;             /* owed to no history item */
    double own;              /* of base: what sets the item apart for everybody */
    const char *own_is;      /* what that is: "everybody rates it highly"; NULL: nothing of that kind */
    bool exact;
    const char *method;
    size_t rank, ranked;     /* place among the `ranked` items that may be listed; with everything when `shown` */
    size_t tied;             /* others of the same score */
    bool blank;              /* there is no history */
    bool seen, shown;        /* in the history; everything is shown: as asked, or because it was seen */
    int64_t seen_at;
    uint32_t above, below;   /* neighbours in the list, NO_ITEM at an end */
    float score_above, score_below;
    struct why_part *parts;  /* largest |value| first; owned */
    size_t nparts;
    struct made_of made_of;  /* of an ensemble */
};

/* Takes apart the score of `item` for this history. With SEEN_HIDE items of the history are left out of the ranking,
 * unless `item` is one itself. For the first `tries` parts the list is made again without them. */
MUST_CHECK enum status why_make(const struct model *m, const struct query *q, uint32_t item, enum seen seen,
                                size_t tries, struct why *out, struct error *err);
void why_clear(struct why *w);
/* Of an ensemble of which no item of the history can be told, as where lists are fused: its models are all there is to
 * say. */
bool why_only_models(const struct why *w);

/* What one could tell a customer: "Recommended mostly because of Kolya and Fargo. Without Kolya it would be 9th." Of
 * what is far down "It is 48th. What speaks for it most: Kolya." Appends. */
void why_sentence(const struct why *w, const struct dataset *d, struct str *out);

/* The positive history items, largest first, that make up half of what speaks for it; three at most. Returns how many.
 */
size_t why_main_reasons(const struct why_part *parts, size_t nparts, const struct why_part *reason[3]);
/* Appends "Kolya (1996-03-02), Fargo and Heat": `dated`: the day of the first. */
void put_reasons(const struct why_part *const *reason, size_t n, bool dated, const struct dataset *d, struct str *out);
/* Appends a title as one says it: "Princess Bride, The (1987)" is The Princess Bride. One with a comma left is quoted.
 */
void put_spoken_title(const struct dataset *d, uint32_t item, struct str *out);
/* Appends "1st", "2nd", "11th", "1,203rd". */
void put_ordinal(struct str *out, size_t n);

#endif
