#include "linalg/steps.h"

#include <math.h>

#include "linalg/kernel.h"

typedef float eight __attribute__((vector_size(32)));
typedef int ints __attribute__((vector_size(64)));
typedef float four __attribute__((vector_size(16)));

size_t step_width(size_t k)
{
    return whole_vectors(k);
}

/* Halves are added to halves: four steps instead of a chain of sixteen. */
static inline __attribute__((always_inline)) float total(const floats *sum)
{
    eight half = __builtin_shufflevector(*sum, *sum, 0, 1, 2, 3, 4, 5, 6, 7) +
                 __builtin_shufflevector(*sum, *sum, 8, 9, 10, 11, 12, 13, 14, 15);
    four rest = __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
    return (rest[0] + rest[2]) + (rest[1] + rest[3]);
}

static inline __attribute__((always_inline)) float dot(const float *x, const float *y, size_t width)
{
    floats sum = {0};
    for (size_t f = 0; f < width; f += LANES)
        sum += *(const floats *)(x + f) * *(const floats *)(y + f);
    return total(&sum);
}

static inline __attribute__((always_inline)) float lead(const float *x, const float *a, const float *b, size_t width)
{
    floats sum = {0};
    for (size_t f = 0; f < width; f += LANES)
        sum += *(const floats *)(x + f) * (*(const floats *)(a + f) - *(const floats *)(b + f));
    return total(&sum);
}

/* *e = exp(*x) for |x| <= 87: 2^n exp(r) with |r| <= log(2) / 2, and the series of exp to r^7. */
static inline __attribute__((always_inline)) void exponential(const floats *x, floats *e)
{
    const floats shift = (floats){0} + 12582912.f; /* 1.5 * 2^23: adding it rounds to whole numbers */
    floats n = *x * 1.44269504f + shift;
    ints whole = (ints)n - (ints)shift;
    n -= shift;
    floats r = *x - n * .693359375f + n * 2.12194440e-4f; /* log(2) in two parts */
    floats p =
        (((((r * (1 / 5040.f) + 1 / 720.f) * r + 1 / 120.f) * r + 1 / 24.f) * r + 1 / 6.f) * r + .5f) * r * r + r + 1;
    *e = (floats)((ints)p + (whole << 23));
}

/* *log = log(1 + *e) for *e >= 0: the exponent of 1 + e, and 2 atanh of what is left of it, which lies in [1/sqrt(2),
 * sqrt(2)]. */
static inline __attribute__((always_inline)) void logarithm1(const floats *e, floats *log)
{
    floats one = (floats){0} + 1, x = *e + one;
    ints bits = (ints)x - 0x3f3504f3, n = bits >> 23;
    floats m = (floats)(bits - (n << 23) + 0x3f3504f3), s = (m - 1) / (m + 1), q = s * s;
    *log = __builtin_convertvector(n, floats) * .69314718f +
           2 * s * (1 + q * (1 / 3.f + q * (.2f + q * (1 / 7.f + q * (1 / 9.f)))));
    *log += (*e - (x - one)) / x; /* what the addition of 1 rounded off */
}

static inline __attribute__((always_inline)) void logistic(const float *d, float *slope, float *loss)
{
    floats x = -*(const floats_anywhere *)d, most = (floats){0} + 80, e, log;
    ints above = x > most, below = x < -most;
    x = (floats)(((ints)x & ~above & ~below) | ((ints)most & above) | ((ints)-most & below));
    exponential(&x, &e);
    logarithm1(&e, &log);
    *(floats_anywhere *)slope = e / (1 + e);
    *(floats_anywhere *)loss = log;
}

static inline __attribute__((always_inline)) void pair(float *restrict x, float *restrict a, float *restrict b,
                                                       size_t width, float step, float keep)
{
    for (size_t f = 0; f < width; f += LANES) {
        floats *px = (floats *)(x + f), *pa = (floats *)(a + f), *pb = (floats *)(b + f), old = *px;
        *px = keep * old + step * (*pa - *pb);
        *pa = keep * *pa + step * old;
        *pb = keep * *pb - step * old;
    }
}

static inline __attribute__((always_inline)) void point(float *restrict x, float *restrict y, size_t width, float step,
                                                        float keep)
{
    for (size_t f = 0; f < width; f += LANES) {
        floats *px = (floats *)(x + f), *py = (floats *)(y + f), old = *px;
        *px = keep * old + step * *py;
        *py = keep * *py + step * old;
    }
}

/* ---- one of each for every target ---- */

#define TARGETS(TARGET, NAME)                                                                              \
    TARGET static float dot_##NAME(const float *x, const float *y, size_t width)                           \
    {                                                                                                      \
        return dot(x, y, width);                                                                           \
    }                                                                                                      \
    TARGET static float lead_##NAME(const float *x, const float *a, const float *b, size_t width)          \
    {                                                                                                      \
        return lead(x, a, b, width);                                                                       \
    }                                                                                                      \
    TARGET static void logistic_##NAME(const float *d, float *slope, float *loss)                          \
    {                                                                                                      \
        logistic(d, slope, loss);                                                                          \
    }                                                                                                      \
    TARGET static void pair_##NAME(float *x, float *a, float *b, size_t width, float step, float keep)     \
    {                                                                                                      \
        pair(x, a, b, width, step, keep);                                                                  \
    }                                                                                                      \
    TARGET static void point_##NAME(float *x, float *y, size_t width, float step, float keep)              \
    {                                                                                                      \
        point(x, y, width, step, keep);                                                                    \
    }
TARGETS(TARGET_AVX512, avx512)
TARGETS(TARGET_AVX2, avx2)
TARGETS(, base)
#undef TARGETS

const struct step_kernels *step_kernels(void)
{
    static const struct step_kernels targets[] = {
        [SIMD_BASE] = {dot_base, lead_base, logistic_base, pair_base, point_base},
        [SIMD_AVX2] = {dot_avx2, lead_avx2, logistic_avx2, pair_avx2, point_avx2},
        [SIMD_AVX512] = {dot_avx512, lead_avx512, logistic_avx512, pair_avx512, point_avx512},
    };
    return &targets[kernel_simd()];
}

/* ---- the reference ---- */

static float dot_plain(const float *x, const float *y, size_t width)
{
    double sum = 0;
    for (size_t f = 0; f < width; f++)
        sum += (double)x[f] * (double)y[f];
    return (float)sum;
}

static float lead_plain(const float *x, const float *a, const float *b, size_t width)
{
    double sum = 0;
    for (size_t f = 0; f < width; f++)
        sum += (double)x[f] * ((double)a[f] - (double)b[f]);
    return (float)sum;
}

static void logistic_plain(const float *d, float *slope, float *loss)
{
    for (size_t l = 0; l < LANES; l++) {
        double e = exp(-(double)d[l]);
        slope[l] = (float)(e / (1 + e));
        loss[l] = (float)log1p(e);
    }
}

static void pair_plain(float *x, float *a, float *b, size_t width, float step, float keep)
{
    for (size_t f = 0; f < width; f++) {
        float old = x[f];
        x[f] = keep * old + step * (a[f] - b[f]);
        a[f] = keep * a[f] + step * old;
        b[f] = keep * b[f] - step * old;
    }
}

static void point_plain(float *x, float *y, size_t width, float step, float keep)
{
    for (size_t f = 0; f < width; f++) {
        float old = x[f];
        x[f] = keep * old + step * y[f];
        y[f] = keep * y[f] + step * old;
    }
}

const struct step_kernels step_reference = {dot_plain, lead_plain, logistic_plain, pair_plain, point_plain};
