/* A comparison: models judged by the same questions, and what may be said of their differences.
 *
 * Made of evaluations alone, so no model is asked again. Everything is kept user by user for the first measure, the one
 * that decides: the same function compares two models over all users, over those of a segment, or over any others.
 * Models stand best first. Each is compared with one of them, the reference: the best, or the one that was named (the
 * baseline).
 *
 * The best is chosen by the values that are tested, and the more models there are, the better the best one of several
 * equal ones looks. So p-values against the best are adjusted as if all pairs of models had been tested; against a
 * baseline, for the tests that are made.
 *
 * A metric of ratings over all ratings together (rmse) is no mean of users' values. A user's part in the difference of
 * two models is that in the difference of the two mean errors: s_a / N_a - s_b / N_b times the number of users, s the
 * sum of the user's errors, N all ratings; these parts are what is tested. Their mean is 0 exactly where the metrics
 * agree. */
#ifndef TAILOR_EVAL_COMPARISON_H
#define TAILOR_EVAL_COMPARISON_H

#include "eval/bootstrap.h"
#include "eval/evaluation.h"
#include "eval/significance.h"

enum { MEASURES_MAX = 64 };

/* A metric, and where it stands. */
struct measure {
    struct metric_at at;
    bool shown;    /* people see it; programs always do */
    size_t column; /* of the values that are resampled; of metrics of users only */
};

/* Model x less model y by the first measure, over users who have a value under both. */
struct difference {
    size_t users;
    double x, y, value;       /* the two means, x - y; NaN without users */
    double share;             /* x / y - 1; NaN where y is not above 0 */
    struct interval interval; /* 95 % of `value`; NaN where there is none */
    struct interval share_interval;
    double p, adjusted;       /* `adjusted` is the asker's to fill: it depends on what else is tested */
    struct effect effect;     /* above: users with x > y */
};

struct compared {
    const char *name;            /* of the model; borrowed */
    const struct evaluation *e;  /* borrowed */
    size_t given;                /* place among the evaluations handed in */
    double mean[MEASURES_MAX], cold[MEASURES_MAX]; /* of warm users, of cold ones; NaN: none */
    struct interval interval[MEASURES_MAX];        /* 95 % of the mean */
    struct difference to; /* from the reference; users 0 for the reference itself, and where the metric has no users */
};

struct comparison {
    struct measure measures[MEASURES_MAX];
    size_t nmeasures, ncolumns;
    struct compared *entries; /* best first */
    size_t n;
    size_t reference;         /* index of the entry that the others are compared with */
    bool best;                /* it is the best one, chosen by the data */
    enum paired_test test;
    enum adjustment adjust;
    size_t resamples; /* for intervals: BOOTSTRAP_RESAMPLES; 0: none are wanted, and all are NaN */
    uint64_t seed;
    size_t nusers, nwarm, ncold;
    const uint32_t *user;     /* nusers: in the data set; of the first evaluation */
    const uint8_t *warm;      /* nusers */
    double *sum, *count; /* n x nusers, entries in order: sums of the first measure's values and over how many: 0 or 1;
                            of pooled metrics errors and ratings. All 0 for a metric without users */
};

/* Adds a metric by name once; ST_USAGE when it is none or there are too many. */
MUST_CHECK enum status comparison_measure(struct comparison *c, const char *text, size_t k, bool shown,
                                          struct error *err);

/* Compares n evaluations, all of the same test set, by the measures that were added; the first decides. test, adjust,
 * resamples and seed are as the caller set them. baseline: place of the one that the others are compared with, or n:
 * the best. names and evaluations stay alive as long as the comparison. */
MUST_CHECK enum status comparison_make(struct comparison *c, const struct evaluation *const *e,
                                       const char *const *names, size_t n, size_t baseline, struct job *job,
                                       struct error *err);
void comparison_clear(struct comparison *c);

/* Has the measure that decides a value a user? */
bool comparison_of_users(const struct comparison *c);
/* The first measure of one user; NaN: none. For scatters and lists of users. */
double comparison_user(const struct comparison *c, size_t entry, size_t user);
/* The first measure over users[0..n), indices below nusers. */
double comparison_mean(const struct comparison *c, size_t entry, const uint32_t *users, size_t n);
/* Entry x less entry y over users[0..n); users NULL: the warm ones. Without a test p is NaN. */
MUST_CHECK enum status comparison_difference(const struct comparison *c, size_t x, size_t y, const uint32_t *users,
                                             size_t n, struct difference *out, struct error *err);
/* +1: a difference above 0 means that x is better; -1: worse; 0: the metric says nothing of better. */
int comparison_sign(const struct comparison *c);
/* Is x better (1), worse (-1), or can it not be told (0), after adjustment? */
int difference_verdict(const struct comparison *c, const struct difference *x);

/* Adjusts x[0..n) for each other, as tests made together. */
MUST_CHECK enum status differences_adjust(const struct comparison *c, struct difference *x, size_t n,
                                          struct error *err);

/* Users ordered by difference x - y, largest loss of x first: for the lists of who loses and who wins. out[0..nusers)
 * gets indices of users with values under both; returns how many. */
MUST_CHECK enum status comparison_order_users(const struct comparison *c, size_t x, size_t y, uint32_t *out, size_t *n,
                                              struct error *err);

#endif
