#include "linalg/dense.h"

#include <string.h>

#include "linalg/kernel.h"

/* Rows taken together, so that the sums are loaded and stored once for all of them. Does not change the order. */
enum { TOGETHER = 4 };

/* `rows` is a constant where this is inlined. The entries past the last whole vector see the same operations. */
static inline __attribute__((always_inline)) void add_rows(float *restrict out, size_t k, const float *const *y,
                                                           const float *w, const size_t rows)
{
    size_t c = 0;
    for (; c + LANES <= k; c += LANES) {
        floats sum = *(const floats_anywhere *)(out + c);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++)
            sum += w[r] * *(const floats_anywhere *)(y[r] + c);
        *(floats_anywhere *)(out + c) = sum;
    }
    for (; c < k; c++)
        for (size_t r = 0; r < rows; r++)
            out[c] += w[r] * y[r][c];
}

static inline __attribute__((always_inline)) void sum_rows(float *out, size_t k, const float *y, size_t stride,
                                                           const uint32_t *index, const float *weight, size_t n)
{
    memset(out, 0, k * sizeof *out);
    for (size_t j = 0; j < n; j += TOGETHER) {
        const float *row[TOGETHER];
        float w[TOGETHER];
        size_t rows = n - j < TOGETHER ? n - j : TOGETHER;
        for (size_t r = 0; r < rows; r++) {
            row[r] = y + (size_t)index[j + r] * stride;
            w[r] = weight ? weight[j + r] : 1;
        }
        if (rows == TOGETHER)
            add_rows(out, k, row, w, TOGETHER);
        else
            for (size_t r = 0; r < rows; r++)
                add_rows(out, k, &row[r], &w[r], 1);
    }
}

TARGET_AVX512 static void sum_rows_avx512(float *out, size_t k, const float *y, size_t stride, const uint32_t *index,
                                          const float *weight, size_t n)
{
    sum_rows(out, k, y, stride, index, weight, n);
}

TARGET_AVX2 static void sum_rows_avx2(float *out, size_t k, const float *y, size_t stride, const uint32_t *index,
                                      const float *weight, size_t n)
{
    sum_rows(out, k, y, stride, index, weight, n);
}

void rows_sum_stride(float *out, size_t k, const float *y, size_t stride, const uint32_t *index, const float *weight,
                     size_t n)
{
    switch (kernel_simd()) {
    case SIMD_AVX512:
        sum_rows_avx512(out, k, y, stride, index, weight, n);
        break;
    case SIMD_AVX2:
        sum_rows_avx2(out, k, y, stride, index, weight, n);
        break;
    case SIMD_BASE:
        sum_rows(out, k, y, stride, index, weight, n);
        break;
    }
}

/* ---- many sums over the same columns ---- */

/* The sums of PANEL columns stay in registers, and what the rows have there in the second-level cache. */
enum { PANEL = SUM_PANEL / LANES, AHEAD = 6 };

static inline __attribute__((always_inline)) void sum_panel(float *out, const float *y, size_t stride,
                                                            const uint32_t *index, const float *weight, size_t n)
{
    floats sum[PANEL] = {{0}};
    for (size_t j = 0; j < n; j++) {
        const float *row = y + (size_t)index[j] * stride;
        float w = weight ? weight[j] : 1;
        const float *ahead = y + (size_t)index[j + AHEAD < n ? j + AHEAD : n - 1] * stride;
#pragma GCC unroll 8
        for (size_t c = 0; c < PANEL; c++)
            __builtin_prefetch(ahead + c * LANES);
#pragma GCC unroll 8
        for (size_t c = 0; c < PANEL; c++)
            sum[c] += w * *(const floats_anywhere *)(row + c * LANES);
    }
#pragma GCC unroll 8
    for (size_t c = 0; c < PANEL; c++)
        *(floats_anywhere *)(out + c * LANES) = sum[c];
}

TARGET_AVX512 static void sum_panel_avx512(float *out, const float *y, size_t stride, const uint32_t *index,
                                           const float *weight, size_t n)
{
    sum_panel(out, y, stride, index, weight, n);
}

TARGET_AVX2 static void sum_panel_avx2(float *out, const float *y, size_t stride, const uint32_t *index,
                                       const float *weight, size_t n)
{
    sum_panel(out, y, stride, index, weight, n);
}

void rows_sum_panel(float *out, const float *y, size_t stride, const uint32_t *index, const float *weight, size_t n)
{
    switch (kernel_simd()) {
    case SIMD_AVX512:
        sum_panel_avx512(out, y, stride, index, weight, n);
        break;
    case SIMD_AVX2:
        sum_panel_avx2(out, y, stride, index, weight, n);
        break;
    case SIMD_BASE:
        sum_panel(out, y, stride, index, weight, n);
        break;
    }
}

/* ---- products with one vector ---- */

typedef float half_floats __attribute__((vector_size(32)));
typedef float quarter_floats __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) quarter_floats fold_lanes(const floats *v)
{
    half_floats h = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
    return __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
}

static inline __attribute__((always_inline)) quarter_floats add_pairs(quarter_floats a, quarter_floats b)
{
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
}

/* TOGETHER rows at a time; past the end the last one again, so that all see the same operations. */
static inline __attribute__((always_inline)) void dot_rows(float *restrict out, size_t k, const float *y, size_t stride,
                                                           const uint32_t *index, size_t n, const float *restrict x)
{
    for (size_t j = 0; j < n; j += TOGETHER) {
        const float *row[TOGETHER];
        floats sum[TOGETHER] = {{0}};
        size_t c = 0;
        for (size_t r = 0; r < TOGETHER; r++)
            row[r] = y + (size_t)index[j + r < n ? j + r : n - 1] * stride;
        for (; c + LANES <= k; c += LANES)
#pragma GCC unroll 4
            for (size_t r = 0; r < TOGETHER; r++)
                sum[r] += *(const floats_anywhere *)(row[r] + c) * *(const floats_anywhere *)(x + c);
        quarter_floats all = add_pairs(add_pairs(fold_lanes(&sum[0]), fold_lanes(&sum[1])),
                                       add_pairs(fold_lanes(&sum[2]), fold_lanes(&sum[3])));
        for (; c < k; c++)
            for (size_t r = 0; r < TOGETHER; r++)
                all[r] += row[r][c] * x[c];
        if (n - j >= TOGETHER)
            memcpy(out + j, &all, sizeof all);
        else
            for (size_t r = 0; j + r < n; r++)
                out[j + r] = all[r];
    }
}

TARGET_AVX512 static void dot_rows_avx512(float *out, size_t k, const float *y, size_t stride, const uint32_t *index,
                                          size_t n, const float *x)
{
    dot_rows(out, k, y, stride, index, n, x);
}

TARGET_AVX2 static void dot_rows_avx2(float *out, size_t k, const float *y, size_t stride, const uint32_t *index,
                                      size_t n, const float *x)
{
    dot_rows(out, k, y, stride, index, n, x);
}

void rows_dot(float *out, size_t k, const float *y, size_t stride, const uint32_t *index, size_t n, const float *x)
{
    switch (kernel_simd()) {
    case SIMD_AVX512:
        dot_rows_avx512(out, k, y, stride, index, n, x);
        break;
    case SIMD_AVX2:
        dot_rows_avx2(out, k, y, stride, index, n, x);
        break;
    case SIMD_BASE:
        dot_rows(out, k, y, stride, index, n, x);
        break;
    }
}

/* ---- all products of some rows ---- */

/* The 4 x 4 products of rows of a with rows of b, over whole vectors. */
static inline __attribute__((always_inline)) void product_block(float *out, size_t ld, const float *a, const float *b,
                                                                size_t stride)
{
    floats sum[TOGETHER][TOGETHER];
#pragma GCC unroll 4
    for (size_t i = 0; i < TOGETHER; i++)
#pragma GCC unroll 4
        for (size_t j = 0; j < TOGETHER; j++)
            sum[i][j] = (floats){0};
    for (size_t c = 0; c < stride; c += LANES)
#pragma GCC unroll 4
        for (size_t i = 0; i < TOGETHER; i++)
#pragma GCC unroll 4
            for (size_t j = 0; j < TOGETHER; j++)
                sum[i][j] += *(const floats *)(a + i * stride + c) * *(const floats *)(b + j * stride + c);
#pragma GCC unroll 4
    for (size_t i = 0; i < TOGETHER; i++) {
        quarter_floats all = add_pairs(add_pairs(fold_lanes(&sum[i][0]), fold_lanes(&sum[i][1])),
                                       add_pairs(fold_lanes(&sum[i][2]), fold_lanes(&sum[i][3])));
        memcpy(out + i * ld, &all, sizeof all);
    }
}

static inline __attribute__((always_inline)) void product_rows(float *out, size_t ld, const float *v, size_t n,
                                                               size_t stride)
{
    for (size_t i = 0; i < n; i += TOGETHER)
        for (size_t j = 0; j <= i; j += TOGETHER)
            product_block(out + i * ld + j, ld, v + i * stride, v + j * stride, stride);
}

TARGET_AVX512 static void product_rows_avx512(float *out, size_t ld, const float *v, size_t n, size_t stride)
{
    product_rows(out, ld, v, n, stride);
}

TARGET_AVX2 static void product_rows_avx2(float *out, size_t ld, const float *v, size_t n, size_t stride)
{
    product_rows(out, ld, v, n, stride);
}

void rows_products(float *out, size_t ld, const float *v, size_t n, size_t stride)
{
    switch (kernel_simd()) {
    case SIMD_AVX512:
        product_rows_avx512(out, ld, v, n, stride);
        break;
    case SIMD_AVX2:
        product_rows_avx2(out, ld, v, n, stride);
        break;
    case SIMD_BASE:
        product_rows(out, ld, v, n, stride);
        break;
    }
}
