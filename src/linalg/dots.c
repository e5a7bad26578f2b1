#include "linalg/dense.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

enum { VECTORS = DOTS_PANEL / LANES, QUERIES = 6, PANELS_A_BLOCK = 32 };

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

/* The products of `queries` vectors with one panel. `queries` and `vectors` are constants where this is inlined, so that
 * the sums live in registers. */
static inline __attribute__((always_inline)) void tile(const float *restrict panel, const float *restrict x, size_t k,
                                                       const size_t queries, const size_t vectors, float *restrict out)
{
    floats sum[QUERIES][VECTORS];
    for (size_t q = 0; q < queries; q++)
        for (size_t v = 0; v < vectors; v++)
            sum[q][v] = (floats){0};
    for (size_t f = 0; f < k; f++) {
        const floats *y = (const floats *)(panel + f * DOTS_PANEL);
        for (size_t q = 0; q < queries; q++)
            for (size_t v = 0; v < vectors; v++)
                sum[q][v] += x[q * k + f] * y[v];
    }
    for (size_t q = 0; q < queries; q++)
        for (size_t v = 0; v < vectors; v++)
            *(floats *)(out + q * DOTS_PANEL + v * LANES) = sum[q][v];
}

static void panel_scores(const float *panel, const float *x, size_t queries, size_t k, float *out)
{
    if (queries == QUERIES)
        tile(panel, x, k, QUERIES, VECTORS, out);
    else
        for (size_t q = 0; q < queries; q++)
            tile(panel, x + q * k, k, 1, VECTORS, out + q * DOTS_PANEL);
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
    for (size_t p = begin; p < end; p++) {
        size_t first = p * DOTS_PANEL, width = d->items - first < DOTS_PANEL ? d->items - first : DOTS_PANEL;
        for (size_t q = 0; q < w->queries; q += QUERIES) {
            size_t n = w->queries - q < QUERIES ? w->queries - q : QUERIES;
            panel_scores(d->panel + p * d->k * DOTS_PANEL, w->x + q * d->k, n, d->k, scores);
            for (size_t r = 0; r < n; r++)
                memcpy(w->out + (q + r) * d->items + first, scores + r * DOTS_PANEL, width * sizeof *scores);
        }
    }
}

void dots_score(const struct dots *d, const float *x, size_t queries, float *out)
{
    struct dots_work w = {d, x, queries, out};
    parallel_blocks(parallel_count(d->items, DOTS_PANEL), PANELS_A_BLOCK, dots_block, &w);
}
