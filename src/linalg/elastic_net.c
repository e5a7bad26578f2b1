#include "linalg/elastic_net.h"

#include <math.h>
#include <string.h>

#include "linalg/kernel.h"

/* The new weight of coordinate c when all others stand still. An item nobody has keeps 0. */
static float best_weight(const float *gram, const float *rest, const float *w, size_t n, size_t c, float l1, float l2)
{
    float square = gram[c * n + c], pull = rest[c] + square * w[c] - l1;
    return pull > 0 && square + l2 > 0 ? pull / (square + l2) : 0;
}

/* One sweep: weights that stand at 0 and want to stay there cost one comparison. Returns the largest move. */
static inline __attribute__((always_inline)) float sweep(const float *gram, size_t n, float l1, float l2, float *w,
                                                         float *rest)
{
    float largest = 0;
    for (size_t c = 0; c < n; c++) {
        if (!(w[c] > 0) && !(rest[c] > l1))
            continue;
        float to = best_weight(gram, rest, w, n, c, l1, l2), move = to - w[c];
        if (!(move < 0) && !(move > 0))
            continue;
        const float *row = gram + c * n;
        for (size_t i = 0; i < n; i++)
            rest[i] -= move * row[i];
        w[c] = to;
        largest = fmaxf(largest, fabsf(move));
    }
    return largest;
}

static inline __attribute__((always_inline)) size_t descend(const float *gram, const float *b, size_t n, float l1,
                                                            float l2, float tolerance, size_t sweeps, float *w,
                                                            float *rest)
{
    if (!n)
        return 1;
    memcpy(rest, b, n * sizeof *rest);
    for (size_t c = 0; c < n; c++)
        if (w[c] > 0)
            for (size_t i = 0; i < n; i++)
                rest[i] -= w[c] * gram[c * n + i];
    size_t done = 0;
    while (done < sweeps && (done++, sweep(gram, n, l1, l2, w, rest) > tolerance))
        ;
    return done;
}

#define TARGETS(TARGET, NAME)                                                                                          \
    TARGET static size_t descend_##NAME(const float *gram, const float *b, size_t n, float l1, float l2,               \
                                        float tolerance, size_t sweeps, float *w, float *rest)                         \
    {                                                                                                                  \
        return descend(gram, b, n, l1, l2, tolerance, sweeps, w, rest);                                                \
    }
TARGETS(TARGET_AVX512, avx512)
TARGETS(TARGET_AVX2, avx2)
TARGETS(, base)
#undef TARGETS

size_t elastic_net_from(const float *gram, const float *b, size_t n, float l1, float l2, float tolerance, size_t sweeps,
                        float *w, float *rest)
{
    static typeof(elastic_net_from) *const targets[] = {
        [SIMD_BASE] = descend_base, [SIMD_AVX2] = descend_avx2, [SIMD_AVX512] = descend_avx512};
    return targets[kernel_simd()](gram, b, n, l1, l2, tolerance, sweeps, w, rest);
}

size_t elastic_net(const float *gram, const float *b, size_t n, float l1, float l2, float tolerance, size_t sweeps,
                   float *w, float *rest)
{
    memset(w, 0, n * sizeof *w);
    return elastic_net_from(gram, b, n, l1, l2, tolerance, sweeps, w, rest);
}

size_t elastic_net_reference(const float *gram, const float *b, size_t n, float l1, float l2, float tolerance,
                             size_t sweeps, float *w)
{
    memset(w, 0, n * sizeof *w);
    for (size_t done = 0; done < sweeps; done++) {
        double largest = 0;
        for (size_t c = 0; c < n; c++) {
            double pull = (double)b[c] - (double)l1, square = (double)gram[c * n + c];
            for (size_t i = 0; i < n; i++)
                pull -= i == c ? 0 : (double)gram[c * n + i] * (double)w[i];
            double to = pull > 0 && square + (double)l2 > 0 ? pull / (square + (double)l2) : 0;
            largest = fmax(largest, fabs(to - (double)w[c]));
            w[c] = (float)to;
        }
        if (!(largest > (double)tolerance))
            return done + 1;
    }
    return sweeps;
}
