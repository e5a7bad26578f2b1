/* Sums in double over rows in float, for each kind of processor. */
#include "linalg/wide_sums.h"

#include <string.h>

#include "linalg/kernel.h"

typedef double doubles __attribute__((vector_size(64)));
typedef double doubles_anywhere __attribute__((vector_size(64), aligned(8)));
typedef float half_anywhere __attribute__((vector_size(32), aligned(4)));
enum { WIDE = 8 };

/* Columns whose sums are held in registers together. */
enum { SUMS = 4 };

static inline __attribute__((always_inline)) void sum_columns(double *out, const float *z, size_t k,
                                                              const uint32_t *index, const double *times, size_t n,
                                                              const size_t vectors)
{
    doubles total[SUMS] = {{0}};
    for (size_t j = 0; j < n; j++) {
        const float *row = z + index[j] * k;
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            total[v] += times[j] * __builtin_convertvector(*(const half_anywhere *)(row + v * WIDE), doubles);
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++)
        *(doubles_anywhere *)(out + v * WIDE) = total[v];
}

static inline __attribute__((always_inline)) void sum(double *out, const float *z, size_t k, const uint32_t *index,
                                                      const double *times, size_t n)
{
    size_t c = 0;
    for (; c + SUMS * WIDE <= k; c += SUMS * WIDE)
        sum_columns(out + c, z + c, k, index, times, n, SUMS);
    for (; c + WIDE <= k; c += WIDE)
        sum_columns(out + c, z + c, k, index, times, n, 1);
    memset(out + c, 0, (k - c) * sizeof *out);
    for (size_t j = 0; j < n && c < k; j++)
        for (size_t f = c; f < k; f++)
            out[f] += times[j] * z[index[j] * k + f];
}

static inline __attribute__((always_inline)) void dot(double *out, const float *z, size_t k, const uint32_t *index,
                                                      const double *x, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        const float *row = z + index[j] * k;
        doubles lanes = {0};
        double rest = 0;
        size_t c = 0;
        for (; c + WIDE <= k; c += WIDE)
            lanes += __builtin_convertvector(*(const half_anywhere *)(row + c), doubles) *
                     *(const doubles_anywhere *)(x + c);
        for (; c < k; c++)
            rest += row[c] * x[c];
        for (size_t l = 0; l < WIDE; l++)
            rest += lanes[l];
        out[j] = rest;
    }
}

static inline __attribute__((always_inline)) void gather(float *out, const float *z, size_t k, const uint32_t *index,
                                                         const double *times, size_t n, const float *scale)
{
    size_t w = whole_vectors(k);
    for (size_t j = 0; j < n; j++, out += w) {
        const float *row = z + index[j] * k, time = (float)times[j];
        size_t c = 0;
        for (; c + LANES <= k; c += LANES)
            *(floats *)(out + c) = time * *(const floats *)(scale + c) * *(const floats_anywhere *)(row + c);
        for (; c < w; c++)
            out[c] = c < k ? time * scale[c] * row[c] : 0;
    }
}

typedef void gather_function(float *out, const float *z, size_t k, const uint32_t *index, const double *times, size_t n,
                             const float *scale);
typedef void rows_function(double *out, const float *z, size_t k, const uint32_t *index, const double *by, size_t n);

TARGET_AVX512 static void sum_avx512(double *out, const float *z, size_t k, const uint32_t *index, const double *times,
                                     size_t n)
{
    sum(out, z, k, index, times, n);
}

TARGET_AVX512 static void gather_avx512(float *out, const float *z, size_t k, const uint32_t *index,
                                        const double *times, size_t n, const float *scale)
{
    gather(out, z, k, index, times, n, scale);
}

TARGET_AVX512 static void dot_avx512(double *out, const float *z, size_t k, const uint32_t *index, const double *x,
                                     size_t n)
{
    dot(out, z, k, index, x, n);
}

TARGET_AVX2 static void sum_avx2(double *out, const float *z, size_t k, const uint32_t *index, const double *times,
                                 size_t n)
{
    sum(out, z, k, index, times, n);
}

TARGET_AVX2 static void gather_avx2(float *out, const float *z, size_t k, const uint32_t *index, const double *times,
                                    size_t n, const float *scale)
{
    gather(out, z, k, index, times, n, scale);
}

TARGET_AVX2 static void dot_avx2(double *out, const float *z, size_t k, const uint32_t *index, const double *x,
                                 size_t n)
{
    dot(out, z, k, index, x, n);
}

static void sum_base(double *out, const float *z, size_t k, const uint32_t *index, const double *times, size_t n)
{
    sum(out, z, k, index, times, n);
}

static void gather_base(float *out, const float *z, size_t k, const uint32_t *index, const double *times, size_t n,
                        const float *scale)
{
    gather(out, z, k, index, times, n, scale);
}

static void dot_base(double *out, const float *z, size_t k, const uint32_t *index, const double *x, size_t n)
{
    dot(out, z, k, index, x, n);
}

static const struct {
    rows_function *sum, *dot;
    gather_function *gather;
} targets[] = {
    [SIMD_BASE] = {sum_base, dot_base, gather_base},
    [SIMD_AVX2] = {sum_avx2, dot_avx2, gather_avx2},
    [SIMD_AVX512] = {sum_avx512, dot_avx512, gather_avx512},
};

void wide_sum(double *out, const float *z, size_t k, const uint32_t *index, const double *times, size_t n)
{
    targets[kernel_simd()].sum(out, z, k, index, times, n);
}

void wide_dot(double *out, const float *z, size_t k, const uint32_t *index, const double *x, size_t n)
{
    targets[kernel_simd()].dot(out, z, k, index, x, n);
}

void wide_gather(float *out, const float *z, size_t k, const uint32_t *index, const double *times, size_t n,
                 const float *scale)
{
    targets[kernel_simd()].gather(out, z, k, index, times, n, scale);
}
