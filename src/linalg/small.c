/* Sums of outer products and Cholesky factors of the small systems of ALS.
 *
 * The factor is U of A = U'U, written above the diagonal by rows, where all inner loops run along memory. */
#include <math.h>
#include <string.h>

#include "linalg/dense.h"
#include "linalg/kernel.h"

/* Rows gathered at a time, so that they stay in the first-level cache; and the tile of the result that is held in
 * registers. */
enum { GATHER = 32, TILE_ROWS = 8, TILE_VECTORS = 2 };
/* Rows of U made before the rows below take their part. */
enum { PIVOTS = 4 };

/* Gathered rows are padded with zeros to whole tiles. */
static size_t padded(size_t k)
{
    const size_t tile = TILE_VECTORS * LANES;
    return (k + tile - 1) / tile * tile;
}

size_t gram_scratch(size_t k)
{
    return GATHER * padded(k);
}

/* out[r][c] += sum over j of rows[j][r] rows[j][c], for `height` rows from r and `vectors` * LANES columns from c:
 * those of them that are there. `height` and `vectors` are constants where this is inlined. */
static inline __attribute__((always_inline)) void outer(float *out, size_t k, const float *rows, size_t n, size_t r,
                                                        size_t c, const size_t height, const size_t vectors)
{
    size_t stride = padded(k), width = k - c < vectors * LANES ? k - c : vectors * LANES;
    floats sum[TILE_ROWS][TILE_VECTORS];
#pragma GCC unroll 8
    for (size_t i = 0; i < height; i++)
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            sum[i][v] = (floats){0};
    for (size_t j = 0; j < n; j++) {
        const float *row = rows + j * stride;
#pragma GCC unroll 8
        for (size_t i = 0; i < height; i++)
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                sum[i][v] += row[r + i] * *(const floats *)(row + c + v * LANES);
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < height; i++) {
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++) {
            float *to = out + (r + i) * k + c + v * LANES;
            if ((v + 1) * LANES <= width)
                *(floats_anywhere *)to += sum[i][v];
            else
                for (size_t l = 0; v * LANES + l < width; l++)
                    to[l] += sum[i][v][l];
        }
    }
}

static inline __attribute__((always_inline)) void add_outer(float *out, size_t k, const float *rows, size_t n,
                                                            const size_t height, const size_t vectors)
{
    size_t r = 0;
    for (; r + height <= k; r += height)
        for (size_t c = 0; c < r + height; c += vectors * LANES)
            outer(out, k, rows, n, r, c, height, vectors);
    for (; r < k; r++)
        for (size_t c = 0; c <= r; c += vectors * LANES)
            outer(out, k, rows, n, r, c, 1, vectors);
}

/* One row times scale, padded with zeros to whole tiles. */
static inline __attribute__((always_inline)) void gather(float *restrict to, const float *restrict row, size_t k,
                                                         float scale)
{
    size_t c = 0, wide = padded(k);
    for (; c + LANES <= k; c += LANES)
        *(floats *)(to + c) = scale * *(const floats_anywhere *)(row + c);
    for (; c < wide; c++)
        to[c] = c < k ? scale * row[c] : 0;
}

/* row[c] -= sum over r of u[r][i] u[r][c] for c >= i, from `pivots` finished rows of U. What stands left of the
 * diagonal is overwritten too: it is not kept, and whole vectors are faster. */
static inline __attribute__((always_inline)) void take_from(float *restrict row, const float *restrict u, size_t k,
                                                            size_t i, const size_t pivots)
{
    float scale[PIVOTS];
    size_t c = i / LANES * LANES;
    for (size_t r = 0; r < pivots; r++)
        scale[r] = -u[r * k + i];
    for (; c + LANES <= k; c += LANES) {
        floats sum = *(floats_anywhere *)(row + c);
#pragma GCC unroll 4
        for (size_t r = 0; r < pivots; r++)
            sum += scale[r] * *(const floats_anywhere *)(u + r * k + c);
        *(floats_anywhere *)(row + c) = sum;
    }
    for (; c < k; c++)
        for (size_t r = 0; r < pivots; r++)
            row[c] += scale[r] * u[r * k + c];
}

static inline __attribute__((always_inline)) void multiply(float *row, size_t n, float scale)
{
    size_t c = 0;
    for (; c + LANES <= n; c += LANES)
        *(floats_anywhere *)(row + c) *= scale;
    for (; c < n; c++)
        row[c] *= scale;
}

/* Copies lower to upper, then makes the rows of U in order, PIVOTS of them before the rows below see any. */
static inline __attribute__((always_inline)) bool factor(float *a, size_t k)
{
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < i; j++)
            a[j * k + i] = a[i * k + j];
    for (size_t first = 0; first < k; first += PIVOTS) {
        size_t end = first + PIVOTS < k ? first + PIVOTS : k;
        for (size_t p = first; p < end; p++) {
            float *pivot = a + p * k;
            for (size_t q = first; q < p; q++)
                take_from(pivot, a + q * k, k, p, 1);
            if (!(pivot[p] > 0) || !isfinite(pivot[p]))
                return false;
            pivot[p] = sqrtf(pivot[p]);
            multiply(pivot + p + 1, k - p - 1, 1 / pivot[p]);
        }
        for (size_t i = end; i < k; i++)
            take_from(a + i * k, a + first * k, k, i, PIVOTS);
    }
    return true;
}

/* Spoils sum. */
static inline __attribute__((always_inline)) float total(floats *sum)
{
    for (size_t half = LANES / 2; half; half /= 2)
        for (size_t l = 0; l < half; l++)
            (*sum)[l] += (*sum)[l + half];
    return (*sum)[0];
}

/* U'z = b from the top, then U x = z from the bottom. */
static inline __attribute__((always_inline)) void solve(const float *restrict u, size_t k, float *restrict b)
{
    for (size_t i = 0; i < k; i++) {
        const float *row = u + i * k;
        float scale = b[i] /= row[i];
        size_t c = i + 1;
        for (; c + LANES <= k; c += LANES)
            *(floats_anywhere *)(b + c) -= scale * *(const floats_anywhere *)(row + c);
        for (; c < k; c++)
            b[c] -= scale * row[c];
    }
    for (size_t i = k; i-- > 0;) {
        const float *row = u + i * k;
        floats sum = {0};
        size_t c = i + 1;
        float rest = b[i];
        for (; c + LANES <= k; c += LANES)
            sum += *(const floats_anywhere *)(row + c) * *(const floats_anywhere *)(b + c);
        for (; c < k; c++)
            rest -= row[c] * b[c];
        b[i] = (rest - total(&sum)) / row[i];
    }
}

/* ---- one of each for every target ---- */

TARGET_AVX512 static void add_outer_avx512(float *out, size_t k, const float *rows, size_t n)
{
    add_outer(out, k, rows, n, TILE_ROWS, TILE_VECTORS);
}

TARGET_AVX512 static void gather_avx512(float *to, const float *row, size_t k, float scale)
{
    gather(to, row, k, scale);
}

TARGET_AVX512 static bool factor_avx512(float *a, size_t k)
{
    return factor(a, k);
}

TARGET_AVX512 static void solve_avx512(const float *u, size_t k, float *b)
{
    solve(u, k, b);
}

TARGET_AVX2 static void add_outer_avx2(float *out, size_t k, const float *rows, size_t n)
{
    add_outer(out, k, rows, n, 6, 1);
}

TARGET_AVX2 static void gather_avx2(float *to, const float *row, size_t k, float scale)
{
    gather(to, row, k, scale);
}

TARGET_AVX2 static bool factor_avx2(float *a, size_t k)
{
    return factor(a, k);
}

TARGET_AVX2 static void solve_avx2(const float *u, size_t k, float *b)
{
    solve(u, k, b);
}

static void add_outer_base(float *out, size_t k, const float *rows, size_t n)
{
    add_outer(out, k, rows, n, 2, 1);
}

static void gather_base(float *to, const float *row, size_t k, float scale)
{
    gather(to, row, k, scale);
}

static bool factor_base(float *a, size_t k)
{
    return factor(a, k);
}

static void solve_base(const float *u, size_t k, float *b)
{
    solve(u, k, b);
}

static const struct {
    void (*gather)(float *to, const float *row, size_t k, float scale);
    void (*add_outer)(float *out, size_t k, const float *rows, size_t n);
    bool (*factor)(float *a, size_t k);
    void (*solve)(const float *u, size_t k, float *b);
} targets[] = {
    [SIMD_BASE] = {gather_base, add_outer_base, factor_base, solve_base},
    [SIMD_AVX2] = {gather_avx2, add_outer_avx2, factor_avx2, solve_avx2},
    [SIMD_AVX512] = {gather_avx512, add_outer_avx512, factor_avx512, solve_avx512},
};

/* ---- what the room offers ---- */

void gram_add_stride(float *out, size_t k, const float *y, size_t stride, const uint32_t *index, const float *weight,
                     size_t n, float *scratch)
{
    size_t wide = padded(k);
    enum simd simd = kernel_simd();
    for (size_t begin = 0; begin < n; begin += GATHER) {
        size_t m = n - begin < GATHER ? n - begin : GATHER;
        for (size_t j = 0; j < m; j++)
            targets[simd].gather(scratch + j * wide, y + (size_t)index[begin + j] * stride, k,
                                 weight ? sqrtf(weight[begin + j]) : 1);
        targets[simd].add_outer(out, k, scratch, m);
    }
}

bool cholesky_solve(float *a, size_t k, float *b)
{
    enum simd simd = kernel_simd();
    if (!targets[simd].factor(a, k))
        return false;
    targets[simd].solve(a, k, b);
    return true;
}

void cholesky_again(const float *a, size_t k, float *b)
{
    targets[kernel_simd()].solve(a, k, b);
}
