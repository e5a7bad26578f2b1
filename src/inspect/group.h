/* Why so many of them: a group of items in one list, and what in the history speaks for it. */
#ifndef TAILOR_INSPECT_GROUP_H
#define TAILOR_INSPECT_GROUP_H

#include "data/interactions.h"
#include "inspect/why.h"

struct group_item {
    uint32_t item;
    size_t rank;
    float score;
};

/* What the history's items of one category say, taken together. */
struct group_pull {
    const char *category; /* a level of the category field; lives as long as the data set */
    double value;
    size_t items;         /* of the history */
};

struct why_group {
    size_t items;             /* of the group, in the catalogue */
    size_t k, listed;         /* the list asked for; how long it is */
    struct group_item *found; /* of the group in the list, best first; owned */
    size_t nfound;
    struct group_item next;   /* best of the group that is not in the list; item NO_ITEM: none may be */
    /* Sums over `found` and nothing else. */
    double score, base;       /* of their scores; of what is owed to no item of the history */
    const struct model *
        fused; /* an ensemble of which no item of the history can be told: its models have the reasons; NULL: no such */
    bool exact;
    struct why_part *parts;   /* an item of the history each, by |value|; rank_without is not known; owned */
    size_t nparts;
    struct group_pull
        *pulls; /* by |value|; a history item of several categories counts for each in equal parts; owned */
    size_t npulls;
    /* How usual the group is. Shares are of weights of events; NaN where there are none. */
    double of_history, of_everybody;
    size_t history_items;     /* distinct items of the history that are of the group */
    double of_lists;          /* its share of what is in the lists of `lists` users; NaN: not asked */
    size_t lists;
};

/* chosen[0..nitems): 1 for the items of the group. Clear it in every case. */
MUST_CHECK enum status why_group_make(const struct dataset *d, const struct model *m, const struct query *q,
                                      const uint8_t *chosen, size_t k, enum seen seen, struct why_group *out,
                                      struct error *err);
/* Fills of_lists: lists of at most `most` users with a history, evenly taken from all of them. */
MUST_CHECK enum status why_group_lists(struct why_group *g, const struct model *m, const struct selection *s,
                                       const uint8_t *chosen, size_t most, enum seen seen, struct job *job,
                                       struct error *err);
void why_group_clear(struct why_group *g);

/* "4 of 10 items are baby food, mostly because of Diapers (2025-03-02) and Bottle warmer." Appends. `what`: "baby
 * food". */
void why_group_sentence(const struct why_group *g, const struct dataset *d, const char *what, struct str *out);

#endif
