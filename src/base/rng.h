/* Random numbers: one master seed, and a stream of its own for every (purpose, index).
 *
 * A stream depends on nothing but (seed, purpose, index), so work that is cut into indexed pieces
 * gives the same bits with 1 thread or 16. The generator is xoshiro256++ (Blackman & Vigna 2021)
 * seeded through splitmix64. Distributions come from GSL: gsl_ran_*(&g.gsl, ...). */
#ifndef TAILOR_BASE_RNG_H
#define TAILOR_BASE_RNG_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

struct rng rng_stream(uint64_t seed, const char *purpose, uint64_t index);
/* The same for many indices of one purpose: rng_stream(s, p, i) is rng_nth(rng_purpose(s, p), i). */
uint64_t rng_purpose(uint64_t seed, const char *purpose);
struct rng rng_nth(uint64_t purpose, uint64_t index);
static inline uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s, sum = s[0] + s[3], result = (sum << 23 | sum >> 41) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}
/* Uniform in [0, 1) with 53 bits. */
double rng_real(struct rng *r);
/* Uniform in [0, n) without bias; n > 0. A multiplication, and a rare second draw against bias (Lemire 2019). */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
    for (;;) {
        __extension__ unsigned __int128 p = (unsigned __int128)rng_next(r) * n;
        if ((uint64_t)p >= n || (uint64_t)p >= -n % n)
            return (uint64_t)(p >> 64);
    }
}
/* An index in [0, n), drawn with weights whose running sums are sum[0..n); n > 0. */
uint32_t rng_weighted(struct rng *r, const double *sum, uint32_t n);
/* Standard normal (GSL's ziggurat). */
double rng_normal(struct rng *r);
/* Fisher-Yates over a[0..n). */
void rng_shuffle(struct rng *r, uint32_t *a, size_t n);
/* A view of r as a GSL generator; it draws from r and owns nothing. */
gsl_rng rng_gsl(struct rng *r);

#endif
