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
