/* Two models side by side: the lists that they make of the same histories.
 *
 * Lists are compared as a whole by rank-biased overlap (topk_overlap in linalg/topk.h), which minds the top most, and
 * by how many of their items both have. One user's lists, item by item, are whatif_between of the two models. */
#ifndef TAILOR_INSPECT_DIFF_H
#define TAILOR_INSPECT_DIFF_H

#include "ranking/ranking.h"

/* The weight that falls off from rank to rank: the first ten ranks hold about 86 % of it. */
#define DIFF_PERSISTENCE .9

struct diff_user {
    uint32_t user;
    uint32_t length; /* of the longer list; below k only where little may be listed */
    uint32_t shared; /* items in both lists */
    float rbo;
    bool same;       /* the same items in the same order */
};

/* How many of the lists an item is in. */
struct diff_item {
    uint32_t item, lists_a, lists_b;
};

struct diff {
    size_t k;
    struct diff_user *users; /* those who differ most first: by rbo, then by shared, then by index */
    size_t nusers;           /* who has both lists: the others are left out of everything here */
    size_t without[2];       /* users for whom a, and for whom b lists nothing, as where production served nothing */
    struct diff_item *items; /* of any list; most gained from a to b first, ties by index */
    size_t nitems;
};

/* What is common to the lists of some users. */
struct diff_summary {
    size_t users, same, apart; /* apart: nothing in common */
    double rbo, overlap;       /* means; overlap: shared / length; NaN without users */
};

/* Overlap of two lists: the shared items, and the rank-biased overlap. */
struct diff_user diff_lists(const struct scored *a, size_t na, const struct scored *b, size_t nb);

/* Lists of k by a and b, of users[0..n) by what the selection has of them. The job is stepped once a user and may
 * cancel. */
MUST_CHECK enum status diff_make(const struct model *a, const struct model *b, const struct selection *s,
                                 const uint32_t *users, size_t n, size_t k, enum seen seen, struct job *job,
                                 struct diff *out, struct error *err);
void diff_clear(struct diff *d);

/* Of the users u with chosen[u] != 0; NULL: all. */
struct diff_summary diff_summarize(const struct diff *d, const uint8_t *chosen);
/* count[0..k]: users whose lists share so many items. */
void diff_shared(const struct diff *d, size_t *count);

#endif
