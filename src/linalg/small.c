/* Sums of outer products and Cholesky factors of the small systems of ALS.
 *
 * The factor is U of A = U'U, written above the diagonal by rows, where all inner loops run along memory. */
#include <math.h>
#include <string.h>

#include "linalg/dense.h"
#include "linalg/kernel.h"

/* Rows gathered at a time, so that they stay in the first-level cache; and the tile of the result that is held in registers. */
enum { GATHER = 32, TILE_ROWS = 8, TILE_VECTORS = 2 };

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

/* out[r][c] += sum over j of rows[j][r] rows[j][c], for `height` rows from r and `vectors` * LANES columns from c: those
 * of them that are there. `height` and `vectors` are constants where this is inlined. */
static inline __attribute__((always_inline)) void outer(float *out, size_t k, const float *rows, size_t n, size_t r, size_t c,
                                                        const size_t height, const size_t vectors)
{
    size_t stride = padded(k), width = k - c < vectors * LANES ? k - c : vectors * LANES;
    floats sum[TILE_ROWS][TILE_VECTORS];
    for (size_t i = 0; i < height; i++)
        for (size_t v = 0; v < vectors; v++)
            sum[i][v] = (floats){0};
    for (size_t j = 0; j < n; j++) {
        const float *row = rows + j * stride;
        for (size_t i = 0; i < height; i++)
            for (size_t v = 0; v < vectors; v++)
                sum[i][v] += row[r + i] * *(const floats *)(row + c + v * LANES);
    }
    for (size_t i = 0; i < height; i++) {
        const float *from = (const float *)sum[i];
        float *to = out + (r + i) * k + c;
        for (size_t v = 0; v < width; v++)
            to[v] += from[v];
    }
}

static inline __attribute__((always_inline)) void add_outer(float *out, size_t k, const float *rows, size_t n, const size_t height,
                                                            const size_t vectors)
{
    size_t r = 0;
    for (; r + height <= k; r += height)
        for (size_t c = 0; c < r + height; c += vectors * LANES)
            outer(out, k, rows, n, r, c, height, vectors);
    for (; r < k; r++)
        for (size_t c = 0; c <= r; c += vectors * LANES)
            outer(out, k, rows, n, r, c, 1, vectors);
}

/* Copies lower to upper, then makes the rows of U from the first on; each takes its part from the rows below. */
static inline __attribute__((always_inline)) bool factor(float *a, size_t k)
{
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < i; j++)
            a[j * k + i] = a[i * k + j];
    for (size_t p = 0; p < k; p++) {
        float *pivot = a + p * k;
        if (!(pivot[p] > 0) || !isfinite(pivot[p]))
            return false;
        float root = sqrtf(pivot[p]), inverse = 1 / root;
        pivot[p] = root;
        for (size_t c = p + 1; c < k; c++)
            pivot[c] *= inverse;
        for (size_t i = p + 1; i < k; i++) {
            float *row = a + i * k;
            float scale = -pivot[i];
            size_t c = i / LANES * LANES; /* what stands left of the diagonal is not kept */
            for (; c + LANES <= k; c += LANES)
                *(floats_anywhere *)(row + c) += scale * *(const floats_anywhere *)(pivot + c);
            for (; c < k; c++)
                row[c] += scale * pivot[c];
        }
    }
    return true;
}

static inline __attribute__((always_inline)) void solve(const float *u, size_t k, float *b)
{
    for (size_t i = 0; i < k; i++) {
        const float *row = u + i * k;
        b[i] /= row[i];
        for (size_t c = i + 1; c < k; c++)
            b[c] -= b[i] * row[c];
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
        for (size_t v = 0; v < LANES; v++)
            rest -= sum[v];
        b[i] = rest / row[i];
    }
}

/* ---- one of each for every target ---- */

TARGET_AVX512 static void add_outer_avx512(float *out, size_t k, const float *rows, size_t n)
{
    add_outer(out, k, rows, n, TILE_ROWS, TILE_VECTORS);
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

static bool factor_base(float *a, size_t k)
{
    return factor(a, k);
}

static void solve_base(const float *u, size_t k, float *b)
{
    solve(u, k, b);
}

static const struct {
    void (*add_outer)(float *out, size_t k, const float *rows, size_t n);
    bool (*factor)(float *a, size_t k);
    void (*solve)(const float *u, size_t k, float *b);
} targets[] = {
    [SIMD_BASE] = {add_outer_base, factor_base, solve_base},
    [SIMD_AVX2] = {add_outer_avx2, factor_avx2, solve_avx2},
    [SIMD_AVX512] = {add_outer_avx512, factor_avx512, solve_avx512},
};

/* ---- what the room offers ---- */

void gram_add(float *out, size_t k, const float *y, const uint32_t *index, const float *weight, size_t n, float *scratch)
{
    size_t stride = padded(k);
    for (size_t begin = 0; begin < n; begin += GATHER) {
        size_t m = n - begin < GATHER ? n - begin : GATHER;
        for (size_t j = 0; j < m; j++) {
            float scale = weight ? sqrtf(weight[begin + j]) : 1;
            const float *row = y + (size_t)index[begin + j] * k;
            for (size_t f = 0; f < k; f++)
                scratch[j * stride + f] = scale * row[f];
            for (size_t f = k; f < stride; f++)
                scratch[j * stride + f] = 0;
        }
        targets[kernel_simd()].add_outer(out, k, scratch, m);
    }
}

bool cholesky_factor(float *a, size_t k)
{
    return targets[kernel_simd()].factor(a, k);
}

void cholesky_apply(const float *u, size_t k, float *b)
{
    targets[kernel_simd()].solve(u, k, b);
}

bool cholesky_solve(float *a, size_t k, float *b)
{
    if (!cholesky_factor(a, k))
        return false;
    cholesky_apply(a, k, b);
    return true;
}
