/* An evaluation: what each model answered and what would have been right, query by query.
 *
 * Kept are lists and ranks, not metrics: every metric at every k comes out of them without asking the model again.
 * Ranks of right items are known up to `depth`; the items of the lists up to `listed`, which is less where there are
 * very many queries (evaluation_listed). Of a model that predicts ratings the sums of its errors are kept too, user by
 * user. */
#ifndef TAILOR_EVAL_EVALUATION_H
#define TAILOR_EVAL_EVALUATION_H

#include "eval/facts.h"
#include "eval/metric.h"
#include "eval/protocol.h"
#include "store/blob.h"

enum {
    EVALUATION_DEPTH = 100,          /* lists are at least this long, so that other k can be asked for later */
    EVALUATION_ENTRIES = 8 << 20,    /* entries of lists that are kept in all (32 MiB), */
    EVALUATION_LISTED_LEAST = 10,    /* but so many of each list in any case */
};

struct evaluation {
    struct protocol protocol;
    uint64_t split_fingerprint; /* of the split, which holds that of the data */
    uint64_t model_created;     /* of the model's record: a model trained anew is another model */
    size_t depth;               /* ranks below this are known */
    size_t listed;              /* items of the lists below this rank are kept */
    size_t nitems, nusers, nqueries;
    size_t events, repeats; /* test events there are, and those left out as seen before */
    uint32_t *user;         /* nusers, as in the test set */
    uint8_t *warm;
    size_t *query_begin;  /* nusers + 1 */
    size_t *right_begin;  /* nqueries + 1 */
    uint32_t *right;      /* right items, ascending within a query */
    float *
        grade; /* beside them: the rating, NaN where there is none; the weight of the type where no ratings are known */
    float *ideal;         /* gains of the grades, highest first within a query */
    bool valued;          /* grades are ratings (values of events) */
    size_t *hit_begin;    /* nqueries + 1 */
    uint32_t *hit_rank;   /* ranks of right items from 0, ascending within a query */
    uint32_t *length;     /* nqueries: items of the list that are kept, at most `listed` */
    uint32_t *list; /* nqueries x listed: the items, best first; NO_ITEM behind them, and in foreign lists for items
                       that the data lacks */
    uint32_t *first_rank; /* nitems: best rank in any list, UINT32_MAX: in none; NULL: no lists were kept */
    double *won;          /* nqueries: share of pairs won (auc), NaN: no pair; NULL: not asked yet */
    double *squared,
        *absolute; /* nusers: sums over the user's ratings of the errors of predictions; NULL: none predicted */
    uint32_t *rated;            /* nusers: ratings summed over */

    /* Not saved. */
    uint32_t
        *count; /* nitems: scratch for metrics of all lists, so an evaluation is looked at by one thread at a time */
    const struct item_facts *facts; /* borrowed: for metrics that need them, set by who has them */
    struct evaluation *before; /* owned: of the previous training of a model of this name, same questions; NULL: none */
};

/* Ranks all items for every query of the test set: highest score first, ties by smaller index, history masked when the
 * protocol hides it. The same bits with any number of threads. Cancelled: ST_CANCELLED. */
MUST_CHECK enum status evaluation_run(const struct model *m, const struct test_set *t, uint64_t split_fingerprint,
                                      size_t depth, struct job *job, struct evaluation **out, struct error *err);
/* The same for metrics of ranks, of ratings and of all pairs, in less time: no lists are kept (`listed` is 0), and not
 * even all of each is made (ranking/lists.h). Not to be saved. */
MUST_CHECK enum status evaluation_ranks(const struct model *m, const struct test_set *t, uint64_t split_fingerprint,
                                        size_t depth, struct job *job, struct evaluation **out, struct error *err);
/* As evaluation_run, of lists that somebody else made: item[begin[q] .. begin[q + 1]) for query q, best first,
 * distinct, below nitems or NO_ITEM (one that the data does not have: it takes its place and is never right); cut at
 * depth. A query without a list has found nothing. model_created is 0. */
MUST_CHECK enum status evaluation_of_lists(const struct test_set *t, uint64_t split_fingerprint, size_t depth,
                                           const size_t *begin, const uint32_t *item, struct evaluation **out,
                                           struct error *err);
/* Asks the model once more, for the places of all right items among all candidates (auc): fills `won` when it is NULL.
 * Of the same model and test set as before. */
MUST_CHECK enum status evaluation_add_pairs(struct evaluation *e, const struct model *m, const struct test_set *t,
                                            struct job *job, struct error *err);
void evaluation_free(struct evaluation *e); /* NULL is fine */

/* How many items of each list are kept. */
size_t evaluation_listed(size_t depth, size_t nqueries);
/* Do both ask the same questions: same split, protocol and users? Then their lists can be set side by side. */
bool evaluation_alike(const struct evaluation *a, const struct evaluation *b);
/* Why the metric cannot be taken of it: "the items have no categories"; NULL when it can. Values are NaN then. */
const char *evaluation_lacks(const struct evaluation *e, const struct metric_at *metric);

static inline size_t evaluation_relevant(const struct evaluation *e, size_t q)
{
    return e->right_begin[q + 1] - e->right_begin[q];
}
/* The list of query q of user u (an index among nusers) as metrics see it; it points into e. */
struct judged_list evaluation_list(const struct evaluation *e, const struct metric_at *metric, size_t u, size_t q);

/* value[0..nusers): the metric of each user, of lists the mean over the user's queries that have a value; NaN where
 * there are none. Not for metrics of all lists together. On all threads, the same bits with any number. */
void evaluation_users(const struct evaluation *e, const struct metric_at *metric, double *value);
/* Share of all items that stand in the first k of any list. */
double evaluation_coverage(const struct evaluation *e, size_t k);
/* The metric of all: of the warm users (or the cold ones) the mean, or over all their ratings; coverage and its like of
 * all lists. NaN when there is nothing to take it over. */
double evaluation_value(const struct evaluation *e, const struct metric_at *metric, bool warm);
/* Sum of the errors that a metric of ratings takes for user u, and how many; 0 where there are none. */
double evaluation_errors(const struct evaluation *e, const struct metric *metric, size_t u, double *n);
/* Mean over the warm users, or over the cold ones, that have a value; NaN when there are none. The number of them in *n
 * when not NULL. */
double evaluation_mean(const struct evaluation *e, const double *value, bool warm, size_t *n);
/* value[0..nusers): how alike the lists of two models are for each user, cut at k: rank-biased overlap (extrapolated)
 * with persistence p, the mean over the user's queries. Of evaluations that are alike; k is at most what both keep. */
void evaluation_overlap(const struct evaluation *a, const struct evaluation *b, size_t k, double p, double *value);

MUST_CHECK enum status evaluation_save(const struct evaluation *e, struct blob_writer *w, struct error *err);
MUST_CHECK enum status evaluation_load(struct blob_reader *r, struct evaluation **out, struct error *err);

#endif
