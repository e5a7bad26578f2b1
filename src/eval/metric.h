/* Metrics of a ranked list against the items that were right, of all lists together, and of predicted ratings.
 *
 * Those of relevance follow trec_eval's definitions, cut at rank k. A metric of lists is a function of one judged list:
 * the ranks (from 0, ascending) at which its right items stand, its items, and facts about items that are the same for
 * all lists (eval/facts.h). What it looks at beyond the ranks it says in `needs`. An evaluation (eval/evaluation.h)
 * keeps all of this, so every metric at every k can be taken later without asking a model again. */
#ifndef TAILOR_EVAL_METRIC_H
#define TAILOR_EVAL_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct item_facts;

/* What a metric of ratings adds up: rating less prediction, squared or without its sign. */
enum errors { ERRORS_NONE, ERRORS_SQUARED, ERRORS_ABSOLUTE };

/* Which way is better? For some neither is: they tell models apart, not good from bad. */
enum direction { HIGHER_IS_BETTER, LOWER_IS_BETTER, NEITHER_IS_BETTER };

/* What a metric looks at beyond the ranks of the right items. */
enum metric_needs {
    NEEDS_ITEMS = 1,      /* the items of the list: only as deep as an evaluation keeps them */
    NEEDS_GRADES = 2,     /* how much each right item was worth to the user */
    NEEDS_FACTS = 4,      /* item_facts: what is known of items from the train part */
    NEEDS_CATEGORIES = 8, /* a category of the items, among the facts */
    NEEDS_AMOUNTS = 16,   /* a price among the facts, or a value of the events */
    NEEDS_PAIRS = 32,     /* places of all right items among all candidates: asks the model once more */
    NEEDS_BEFORE = 64,    /* the list that the previous training gave */
};

/* One list and what is known of it. What the metric did not ask for may be NULL. */
struct judged_list {
    size_t k;             /* where it is cut */
    double parameter;     /* of the metric: the p of rbp */
    const uint32_t *rank; /* nhits: ranks below k of its right items, from 0, ascending */
    size_t nhits;
    size_t relevant;       /* right items there are, > 0 */
    const uint32_t *right; /* relevant: which, ascending */
    const float *grade;    /* relevant, beside right: NaN where unknown */
    const float *ideal;    /* relevant: gains of the grades, highest first (metric_gain) */
    const uint32_t *item;  /* n <= k: the list, best first; NO_ITEM: unknown to the data */
    size_t n;
    const uint32_t *before; /* nbefore <= k: the one it is compared with */
    size_t nbefore;
    const struct item_facts *facts;
    uint32_t user; /* index in the data set */
    size_t catalogue; /* items there are */
    double won;    /* share of pairs won, NaN: there was no pair */
    bool valued;   /* grades are values of events (ratings, amounts), not weights */
};

struct metric {
    const char *name;    /* "ndcg" */
    const char *summary; /* one line */
    const char *doc;     /* the definition */
    const char *source;  /* who defined it, where; NULL: everybody's */
    /* Of one list; NaN: it has none. NULL: of ratings, or of all lists together. */
    double (*of_list)(const struct judged_list *l);
    /* Of all lists together: how often each item stands in one; may change the order of count. NULL: coverage, and all
     * others. */
    double (*of_counts)(uint32_t *count, size_t nitems);
    /* The arithmetic of of_list with the numbers of this list, in words: "1/log2(3) + 1/log2(8) = .96 of ...". Of a
     * metric of all lists together: what it would be if this were the only one. NULL: none. */
    void (*work)(const struct judged_list *l, struct str *out);
    unsigned needs;
    double parameter, parameter_low, parameter_high; /* rbp:.8: the usual one, and between what; 0: it has none */
    enum errors errors; /* of ratings */
    bool pooled;        /* over all ratings together, not the mean over users of what each has */
    bool lower;         /* a smaller value is a better one */
    bool neutral;       /* neither way is better */
    bool partial;       /* some users may have no value of it */
    bool common;        /* people see it without asking */
};

static inline enum direction metric_direction(const struct metric *m)
{
    return m->neutral ? NEITHER_IS_BETTER : m->lower ? LOWER_IS_BETTER : HIGHER_IS_BETTER;
}
/* Has each user a value of it? */
static inline bool metric_of_users(const struct metric *m)
{
    return m->of_list || m->errors;
}
/* Is it a function of nothing but the ranks of right items? */
static inline bool metric_of_ranks(const struct metric *m)
{
    return m->of_list && !m->needs;
}
/* Does it take whole lists, not only where right items stand in them? */
static inline bool metric_of_lists(const struct metric *m)
{
    return m->needs & NEEDS_ITEMS || !metric_of_users(m);
}
/* Does it cost as much as making all lists anew? */
static inline bool metric_costly(const struct metric *m)
{
    return (m->needs & NEEDS_PAIRS) != 0;
}
/* Is it taken over everything, not over the first k of a list? */
static inline bool metric_uncut(const struct metric *m)
{
    return m->errors || m->needs & NEEDS_PAIRS;
}
/* A metric of ratings out of a sum of errors over so many; NaN over none. */
double metric_of_errors(const struct metric *m, double sum, double n);
/* Is value x better than y? NaN is worse than any. Where neither way is better the larger one comes first. */
bool metric_better(const struct metric *m, double x, double y);
/* What a right item is worth: its grade, 1 when that is unknown, never below 0. */
double metric_gain(float grade);

/* In the order of `help`; NULL-terminated. */
extern const struct metric *const metrics[];
const struct metric *metric_find(const char *name); /* in any case of letters; or NULL */

/* A metric cut at a rank: ndcg@20, rbp:.5@20. Those of ratings and of all pairs are not cut, and k is 1. */
struct metric_at {
    const struct metric *metric;
    size_t k;
    char name[32]; /* "ndcg@20", "rmse" */
    double parameter;
};

enum { METRIC_K_MAX = 100000 };

/* Reads "ndcg@20", or "ndcg" with k taken from `k`, or "rbp:.5@20". ST_USAGE names the metrics there are. */
MUST_CHECK enum status metric_parse(const char *text, size_t k, struct metric_at *out, struct error *err);

/* A metric of ranks (metric_of_ranks) of one list, for those who have nothing else: `metric` is a struct metric_at. */
double metric_at_ranks(const void *metric, const uint32_t *rank, size_t nhits, size_t relevant);

#endif
