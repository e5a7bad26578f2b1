/* What metrics ask about items, and about what users had before: computed once from the data and the split, the same
 * for all models. Nothing of the judged part is in it. */
#ifndef TAILOR_EVAL_FACTS_H
#define TAILOR_EVAL_FACTS_H

#include "eval/protocol.h"

/* The head of the catalogue: its most popular items, which together have this share of all (user, item) pairs of the
 * train part. The others are its tail. */
#define FACTS_HEAD_SHARE .8

struct item_facts {
    struct dataset *data; /* held */
    size_t nitems, nusers;
    bool hide_seen;       /* the lists leave out what the history has */
    size_t learners;      /* users with an event in the train part */
    uint32_t *popularity; /* nitems: users who have it in the train part */
    uint32_t *place;      /* nitems: where the item stands by popularity, 0 for the most popular, ties by index */
    uint8_t *tail;        /* nitems: 1 outside the head */

    /* Items before what is judged: history[history_begin[u] .. [u + 1]) of user u, distinct, ascending; and the users
     * of an item. */
    size_t *history_begin;
    uint32_t *history;
    size_t *users_begin; /* nitems + 1 */
    uint32_t *users;     /* ascending */
    size_t words;        /* of a set of all users, 64 to a word */
    uint64_t **sets;     /* nitems: the users as a set where they are many, else NULL */
    uint64_t *set_words;

    /* Categories of items, as the data's category field has them, distinct, ascending; category is NULL when there is
     * no such field. */
    const struct field *category;
    size_t ncategories;
    size_t *category_begin; /* nitems + 1 */
    uint32_t *categories;
    /* The mix of categories of each user's history, an item counting 1 in all: only those that it has. Sums to 1. */
    size_t *taste_begin; /* nusers + 1 */
    uint32_t *taste;
    double *taste_share;

    double *price;          /* nitems, NaN: unknown; NULL: the data has no price of items */
    const char *price_name; /* of that field */
};

/* The facts for judging part p->on of split s. One pass over the events and some over (user, item) pairs. */
MUST_CHECK enum status item_facts_new(struct dataset *d, const struct split *s, const struct protocol *p,
                                      struct item_facts **out, struct error *err);
void item_facts_free(struct item_facts *f); /* NULL is fine */

/* Share of the learners who have it, counting somebody for an item that nobody has: never 0 while anybody learnt. */
double item_share(const struct item_facts *f, uint32_t item);
/* Is it among what the user had before? */
bool item_known(const struct item_facts *f, uint32_t user, uint32_t item);
/* Would a list of the k most popular items show it to the user, without what they had where the lists hide that? */
bool item_expected(const struct item_facts *f, uint32_t user, uint32_t item, size_t k);
/* How unlike two items are, 0 to 1: one minus the share of common categories (Jaccard) where items have categories, NaN
 * when one of the two has none; else one minus the cosine of the sets of their users. */
double item_distance(const struct item_facts *f, uint32_t a, uint32_t b);

#endif
