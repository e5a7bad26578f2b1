#include "linalg/lanes.h"

#include <math.h>
#include <string.h>

/* Rows and columns of L whose sums are held in registers together. */
enum { TILE = 4 };

size_t lanes_room(size_t m)
{
    return (whole_vectors(m) + 1) * whole_vectors(m) * LANES;
}

/* ---- in ---- */

/* The numbers of two vectors, side by side, that have these places. */
#if defined __clang__ || __GNUC__ >= 12
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int places __attribute__((vector_size(64)));
#define PICK(a, b, ...) __builtin_shuffle(a, b, (places){__VA_ARGS__})
#endif

/* The first halves of two vectors in turns, and the second ones. */
static inline __attribute__((always_inline)) void mix(const floats *a, const floats *b, floats mixed[2])
{
    mixed[0] = PICK(*a, *b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    mixed[1] = PICK(*a, *b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/* Turns 16 x 16 numbers: each time that rows are mixed with those of the other half, one more bit of the row's number
 * and one of the column's change places. */
static inline __attribute__((always_inline)) void turn(floats x[LANES])
{
    floats y[LANES];
#pragma GCC unroll 2
    for (size_t twice = 0; twice < 2; twice++) {
#pragma GCC unroll 8
        for (size_t r = 0; r < LANES / 2; r++)
            mix(&x[r], &x[r + LANES / 2], &y[2 * r]);
#pragma GCC unroll 8
        for (size_t r = 0; r < LANES / 2; r++)
            mix(&y[r], &y[r + LANES / 2], &x[2 * r]);
    }
}

/* Row i of all matrices, up to its diagonal. */
static inline __attribute__((always_inline)) void put_row(floats *to, const float *const a[LANES], size_t m, size_t i)
{
    floats x[LANES];
    for (size_t c = 0; c <= i; c += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            const float *row = a[lane] + i * m + c;
            if (c + LANES <= m)
                x[lane] = *(const floats_anywhere *)row;
            else
                for (size_t f = 0; f < LANES; f++)
                    x[lane][f] = c + f < m ? row[f] : 0;
        }
        turn(x);
        for (size_t f = 0; f < LANES; f++)
            to[c + f] = x[f];
    }
}

static inline __attribute__((always_inline)) void put(floats *to, const float *const a[LANES], size_t m)
{
    size_t whole = whole_vectors(m);
    for (size_t i = 0; i < m; i++)
        put_row(to + i * whole, a, m, i);
    for (size_t i = m; i < whole; i++)
        for (size_t j = 0; j <= i; j++)
            to[i * whole + j] = (floats){0} + (j == i ? 1.F : 0.F);
}

/* ---- the factor ---- */

/* A tile of rows from i on and columns from j on loses what the columns of L before j give. */
static inline __attribute__((always_inline)) void take_from(floats *restrict a, size_t m, size_t i, size_t j)
{
    floats sum[TILE][TILE];
#pragma GCC unroll 4
    for (size_t r = 0; r < TILE; r++)
#pragma GCC unroll 4
        for (size_t c = 0; c < TILE; c++)
            sum[r][c] = a[(i + r) * m + j + c];
    for (size_t p = 0; p < j; p++)
#pragma GCC unroll 4
        for (size_t r = 0; r < TILE; r++)
#pragma GCC unroll 4
            for (size_t c = 0; c < TILE; c++)
                sum[r][c] -= a[(i + r) * m + p] * a[(j + c) * m + p];
#pragma GCC unroll 4
    for (size_t r = 0; r < TILE; r++)
#pragma GCC unroll 4
        for (size_t c = 0; c < TILE; c++)
            a[(i + r) * m + j + c] = sum[r][c];
}

/* 1 / L_jj in place of what stands there. False when one of them is the root of nothing positive. */
static inline __attribute__((always_inline)) bool invert_root(floats *x)
{
    bool good = true;
    for (size_t lane = 0; lane < LANES; lane++) {
        float square = (*x)[lane];
        good &= square > 0 && square < INFINITY;
        (*x)[lane] = __builtin_sqrtf(square > 0 ? square : 1);
    }
    *x = 1 / *x;
    return good;
}

/* Columns j .. j + TILE of L, of which tiles have lost what stands left of them. */
static inline __attribute__((always_inline)) bool finish_columns(floats *restrict a, size_t m, size_t j)
{
    bool good = true;
    for (size_t c = j; c < j + TILE; c++) {
        for (size_t p = j; p < c; p++)
            a[c * m + c] -= a[c * m + p] * a[c * m + p];
        good &= invert_root(&a[c * m + c]);
        for (size_t i = c + 1; i < m; i++) {
            floats x = a[i * m + c];
            for (size_t p = j; p < c; p++)
                x -= a[i * m + p] * a[c * m + p];
            a[i * m + c] = x * a[c * m + c];
        }
    }
    return good;
}

static inline __attribute__((always_inline)) bool factor(floats *a, size_t m)
{
    bool good = true;
    for (size_t j = 0; j < m; j += TILE) {
        for (size_t i = j; i < m; i += TILE)
            take_from(a, m, i, j);
        good &= finish_columns(a, m, j);
    }
    return good;
}

/* L z = b from the top, then L'x = z from the bottom. */
static inline __attribute__((always_inline)) void solve(const floats *restrict a, size_t m, floats *restrict b)
{
    for (size_t j = 0; j < m; j++) {
        floats x = b[j] * a[j * m + j];
        b[j] = x;
        for (size_t i = j + 1; i < m; i++)
            b[i] -= a[i * m + j] * x;
    }
    for (size_t j = m; j-- > 0;) {
        floats x = b[j] * a[j * m + j];
        b[j] = x;
        for (size_t i = 0; i < j; i++)
            b[i] -= a[j * m + i] * x;
    }
}

/* ---- one of each for every target ---- */

TARGET_AVX512 static void put_avx512(floats *to, const float *const a[LANES], size_t m)
{
    put(to, a, m);
}

TARGET_AVX512 static bool factor_avx512(floats *a, size_t m)
{
    return factor(a, m);
}

TARGET_AVX512 static void solve_avx512(const floats *a, size_t m, floats *b)
{
    solve(a, m, b);
}

TARGET_AVX2 static void put_avx2(floats *to, const float *const a[LANES], size_t m)
{
    put(to, a, m);
}

TARGET_AVX2 static bool factor_avx2(floats *a, size_t m)
{
    return factor(a, m);
}

TARGET_AVX2 static void solve_avx2(const floats *a, size_t m, floats *b)
{
    solve(a, m, b);
}

static void put_base(floats *to, const float *const a[LANES], size_t m)
{
    put(to, a, m);
}

static bool factor_base(floats *a, size_t m)
{
    return factor(a, m);
}

static void solve_base(const floats *a, size_t m, floats *b)
{
    solve(a, m, b);
}

static const struct {
    void (*put)(floats *to, const float *const a[LANES], size_t m);
    bool (*factor)(floats *a, size_t m);
    void (*solve)(const floats *a, size_t m, floats *b);
} targets[] = {
    [SIMD_BASE] = {put_base, factor_base, solve_base},
    [SIMD_AVX2] = {put_avx2, factor_avx2, solve_avx2},
    [SIMD_AVX512] = {put_avx512, factor_avx512, solve_avx512},
};

void lanes_open(struct lanes *l, const float *const a[LANES], size_t m, float *room)
{
    size_t whole = whole_vectors(m);
    *l = (struct lanes){.m = whole, .a = (floats *)(void *)room, .b = (floats *)(void *)room + whole * whole};
    targets[kernel_simd()].put(l->a, a, m);
    memset(l->b, 0, whole * sizeof *l->b);
}

bool lanes_factor(struct lanes *l)
{
    return targets[kernel_simd()].factor(l->a, l->m);
}

void lanes_solve(struct lanes *l)
{
    targets[kernel_simd()].solve(l->a, l->m, l->b);
}
