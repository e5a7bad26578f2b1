#include "base/rng.h"

#include <gsl/gsl_randist.h>
#include <string.h>

#include "base/text.h"

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t rng_purpose(uint64_t seed, const char *purpose)
{
    uint64_t x = hash_bytes(purpose, strlen(purpose), seed);
    return splitmix(&x);
}

struct rng rng_nth(uint64_t purpose, uint64_t index)
{
    uint64_t x = purpose ^ index * 0x9e3779b97f4a7c15u;
    struct rng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix(&x);
    return r;
}

struct rng rng_stream(uint64_t seed, const char *purpose, uint64_t index)
{
    return rng_nth(rng_purpose(seed, purpose), index);
}

double rng_real(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *r)
{
    gsl_rng g = rng_gsl(r);
    return gsl_ran_gaussian_ziggurat(&g, 1.0);
}

uint32_t rng_weighted(struct rng *r, const double *sum, uint32_t n)
{
    double u = rng_real(r) * sum[n - 1];
    uint32_t low = 0, high = n - 1;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (sum[mid] > u)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

void rng_shuffle(struct rng *r, uint32_t *a, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = rng_below(r, i);
        uint32_t t = a[i - 1];
        a[i - 1] = a[j];
        a[j] = t;
    }
}

static void gsl_set(void *state, unsigned long seed)
{
    struct rng r = rng_stream(seed, "gsl", 0);
    memcpy(state, &r, sizeof r);
}

static unsigned long gsl_get(void *state)
{
    return rng_next(state);
}

static double gsl_get_double(void *state)
{
    return rng_real(state);
}

gsl_rng rng_gsl(struct rng *r)
{
    static const gsl_rng_type type = {"xoshiro256++", UINT64_MAX,    0, sizeof(struct rng), gsl_set,
                                      gsl_get,        gsl_get_double};
    return (gsl_rng){&type, r};
}
