#include "linalg/dense.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

/* Queries and vectors of LANES items whose sums are held in registers together. */
enum { QUERIES = 6, VECTORS = DOTS_PANEL / LANES };
/* Panels of one parallel piece of work: their vectors and scores fit the second-level cache. */
enum { PANELS_A_BLOCK = 16 };
/* Products from which on a second thread gains more than waking it costs (about a millisecond of work). */
enum { WORTH_THREADS = 8 << 20 };

enum status dots_pack(struct dots *d, const float *y, size_t items, size_t k, struct error *err)
{
    size_t panels = parallel_count(items, DOTS_PANEL);
    *d = (struct dots){items, k, mem_new(panels * k, DOTS_PANEL * sizeof *y, "item vectors", err)};
    if (!d->panel)
        return ST_NOMEM;
    for (size_t i = 0; i < items; i++)
        for (size_t f = 0; f < k; f++)
            d->panel[(i / DOTS_PANEL * k + f) * DOTS_PANEL + i % DOTS_PANEL] = y[i * k + f];
    return ST_OK;
}

void dots_clear(struct dots *d)
{
    mem_free(d->panel);
    memset(d, 0, sizeof *d);
}

/* out[q * DOTS_PANEL + ...] = the products of `queries` vectors with the first `vectors` * LANES items at `panel`. Both
 * are constants where this is inlined. */
static inline __attribute__((always_inline)) void tile(const float *restrict panel, const float *restrict x, size_t k,
                                                       const size_t queries, const size_t vectors, float *restrict out)
{
    floats sum[QUERIES][VECTORS];
#pragma GCC unroll 8
    for (size_t q = 0; q < queries; q++)
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            sum[q][v] = (floats){0};
    for (size_t f = 0; f < k; f++) {
        const floats *y = (const floats *)(panel + f * DOTS_PANEL);
#pragma GCC unroll 8
        for (size_t q = 0; q < queries; q++)
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                sum[q][v] += x[q * k + f] * y[v];
    }
#pragma GCC unroll 8
    for (size_t q = 0; q < queries; q++)
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            *(floats *)(out + q * DOTS_PANEL + v * LANES) = sum[q][v];
}

/* The scores of up to QUERIES queries for one panel, in tiles of `rows` x `vectors` that suit the registers of the
 * target. */
static inline __attribute__((always_inline)) void tiles(const float *panel, const float *x, size_t k, size_t queries,
                                                        const size_t rows, const size_t vectors, float *out)
{
    size_t q = 0;
    for (; q + rows <= queries; q += rows)
        for (size_t v = 0; v < VECTORS; v += vectors)
            tile(panel + v * LANES, x + q * k, k, rows, vectors, out + q * DOTS_PANEL + v * LANES);
    for (; q < queries; q++)
        for (size_t v = 0; v < VECTORS; v += vectors)
            tile(panel + v * LANES, x + q * k, k, 1, vectors, out + q * DOTS_PANEL + v * LANES);
}

/* 32 registers of 16 floats: the whole panel. 16 of 8: six rows of one vector take 12. 16 of 4: two rows take 8. */
TARGET_AVX512 static void tiles_avx512(const float *panel, const float *x, size_t k, size_t queries, float *out)
{
    tiles(panel, x, k, queries, QUERIES, VECTORS, out);
}

TARGET_AVX2 static void tiles_avx2(const float *panel, const float *x, size_t k, size_t queries, float *out)
{
    tiles(panel, x, k, queries, QUERIES, 1, out);
}

static void tiles_base(const float *panel, const float *x, size_t k, size_t queries, float *out)
{
    tiles(panel, x, k, queries, 2, 1, out);
}

typedef void tiles_function(const float *panel, const float *x, size_t k, size_t queries, float *out);

void dots_panel(const struct dots *d, size_t panel, const float *x, size_t queries, float *out)
{
    static tiles_function *const targets[] = {tiles_base, tiles_avx2, tiles_avx512};
    targets[kernel_simd()](d->panel + panel * d->k * DOTS_PANEL, x, d->k, queries, out);
}

struct dots_work {
    const struct dots *d;
    const float *x;
    size_t queries;
    float *out;
};

static void dots_block(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct dots_work *w = context;
    const struct dots *d = w->d;
    _Alignas(64) float scores[QUERIES * DOTS_PANEL];
    for (size_t q = 0; q < w->queries; q += QUERIES) {
        size_t n = w->queries - q < QUERIES ? w->queries - q : QUERIES;
        for (size_t p = begin; p < end; p++) {
            size_t first = p * DOTS_PANEL, width = d->items - first < DOTS_PANEL ? d->items - first : DOTS_PANEL;
            dots_panel(d, p, w->x + q * d->k, n, scores);
            for (size_t r = 0; r < n; r++)
                memcpy(w->out + (q + r) * d->items + first, scores + r * DOTS_PANEL, width * sizeof *scores);
        }
    }
}

void dots_score(const struct dots *d, const float *x, size_t queries, float *out)
{
    struct dots_work w = {d, x, queries, out};
    size_t panels = parallel_count(d->items, DOTS_PANEL), products = queries * d->items * d->k;
    parallel_blocks(panels, products < WORTH_THREADS ? panels : PANELS_A_BLOCK, dots_block, &w);
}
