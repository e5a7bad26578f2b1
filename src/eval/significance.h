/* Can a difference between two models be chance? Tests of paired differences, how large they are, and what several
 * tests at once may claim.
 *
 * All tests are two-sided and take the differences d[0..n) of the same users under two models. They ask different
 * things:
 *
 *   randomization  are the two models' values exchangeable within each user? By the mean, without a distribution
 * (Fisher 1935; Smucker, Allan and Carterette 2007) t              is the mean zero? As if means were normal wilcoxon
 * are differences as often and as far above zero as below, by ranks (Wilcoxon 1945)?
 *
 * Numbers agree with R's t.test, wilcox.test and p.adjust: tests/unit/significance.R. */
#ifndef TAILOR_EVAL_SIGNIFICANCE_H
#define TAILOR_EVAL_SIGNIFICANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* In the order of the choices of `compare test=` and `adjust=`. */
enum paired_test { TEST_RANDOMIZATION, TEST_T, TEST_WILCOXON };
enum adjustment { ADJUST_HOLM, ADJUST_BH, ADJUST_NONE };

enum {
    RANDOMIZATIONS = 20000, /* rounds, */
    RANDOMIZATION_FAR =
        100, /* and more while fewer sums than these are as far: p is known to a tenth of itself then, */
    RANDOMIZATIONS_MOST = 320000,      /* up to so many rounds */
    RANDOMIZATION_TOSSES = 2000000000, /* and so many tosses; with very many users the bound says enough */
    RANDOMIZATION_EXACT = 20,          /* up to so many differences that are not 0 all signs are gone through */
    WILCOXON_EXACT = 50 /* below so many the distribution of ranks is counted out, without ties and zeros */
};

/* p of one of the tests; seed is for the randomization test alone. NaN with too few differences to ask, 1 when none
 * differs from 0. */
MUST_CHECK enum status paired_test(enum paired_test test, const double *d, size_t n, uint64_t seed, double *p,
                                   struct error *err);

/* How often are sums as far from 0 as this one, or farther, when each difference gets its sign by the toss of a coin?
 * All ways to toss when at most RANDOMIZATION_EXACT differ from 0; else (1 + as far) / (1 + rounds), with `least`
 * rounds, and while fewer than RANDOMIZATION_FAR are as far with more, up to `most`. Where p is proved to be below all
 * that so many rounds can say, it is that bound (Bentkus and Dzindzalieta, A tight Gaussian bound for weighted sums of
 * Rademacher random variables, Bernoulli 2015). */
MUST_CHECK enum status paired_randomization(const double *d, size_t n, size_t least, size_t most, uint64_t seed,
                                            double *p, struct error *err);
/* Student's, with n - 1 degrees of freedom. NaN when n < 2. */
double paired_t(const double *d, size_t n);
/* Signed ranks, zeros left out. Exact below WILCOXON_EXACT without ties and zeros, else normal with both corrected for:
 * wilcox.test(d), and what it does by itself where exact ranks will not do. */
MUST_CHECK enum status paired_wilcoxon(const double *d, size_t n, double *p, struct error *err);

/* How large a difference is, beside how sure. */
struct effect {
    double d;             /* Cohen's d_z: mean over standard deviation; NaN when n < 2 or all are the same */
    double
        rank_biserial; /* (ranks above - ranks below 0) / all ranks, -1..1; NaN when none differs from 0 (Kerby 2014) */
    double above, below, equal; /* shares of the users; NaN without any */
};
MUST_CHECK enum status effect_of(const double *d, size_t n, struct effect *out, struct error *err);

/* adjusted[0..n): the smallest level at which each of p[0..n) may be called significant among `family` tests, of which
 * those that were not made count as not significant: Holm (1979) bounds the chance of any false claim, Benjamini and
 * Hochberg (1995) the share of false ones. family < n: n. NaN is no test, and stays. p.adjust(p, method, family). */
MUST_CHECK enum status adjust_p(enum adjustment how, const double *p, size_t n, size_t family, double *adjusted,
                                struct error *err);

#endif
