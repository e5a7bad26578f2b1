#include "linalg/bundle.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

/* A bundle is worth it from so many reads of each row on; fewer lists than LEAST are not looked at. */
enum { COMMON = 4, LEAST = BUNDLE / 2 };

/* ---- making them ---- */

struct making {
    const struct csr *lists;
    struct bundles *b;
};

/* The items of all, and their weights; 0 when there are more than `room`. */
static size_t merge(const struct csr *lists, size_t first, size_t n, size_t room, uint32_t *index, float *weight)
{
    size_t at[BUNDLE], items = 0;
    for (size_t l = 0; l < n; l++)
        at[l] = lists->begin[first + l];
    for (;; items++) {
        uint32_t next = UINT32_MAX;
        for (size_t l = 0; l < n; l++)
            if (at[l] < lists->begin[first + l + 1] && lists->index[at[l]] < next)
                next = lists->index[at[l]];
        if (next == UINT32_MAX)
            return items;
        if (items == room)
            return 0;
        index[items] = next;
        memset(weight + items * BUNDLE, 0, BUNDLE * sizeof *weight);
        for (size_t l = 0; l < n; l++)
            if (at[l] < lists->begin[first + l + 1] && lists->index[at[l]] == next) {
                weight[items * BUNDLE + l] = lists->value ? lists->value[at[l]] : 1;
                at[l]++;
            }
    }
}

/* Lists [begin, end) have room for a COMMON-th part of their items behind that of the lists before them. */
static void make_one(void *context, size_t i, size_t begin, size_t end)
{
    const struct making *m = context;
    size_t from = m->lists->begin[begin] / COMMON, room = m->lists->begin[end] / COMMON - from;
    uint32_t *index = m->b->index + from;
    float *weight = m->b->weight + from * BUNDLE;
    size_t n = end - begin < LEAST ? 0 : merge(m->lists, begin, end - begin, room, index, weight);
    m->b->list[i] = (struct bundle){.first = begin, .lists = end - begin, .n = n, .index = index, .weight = weight};
}

enum status bundles_new(const struct csr *lists, struct bundles *out, struct error *err)
{
    size_t room = csr_count(lists) / COMMON;
    *out = (struct bundles){.n = parallel_count(lists->rows, BUNDLE)};
    out->list = mem_new(out->n, sizeof *out->list, "bundles of histories", err);
    out->index = mem_new_raw(room, sizeof *out->index, "bundles of histories", err);
    out->weight = mem_new_raw(room * BUNDLE, sizeof *out->weight, "bundles of histories", err);
    if (!out->list || !out->index || !out->weight) {
        bundles_clear(out);
        return ST_NOMEM;
    }
    parallel_blocks(lists->rows, BUNDLE, make_one, &(struct making){lists, out});
    for (size_t i = 0; i < out->n; i++)
        out->any |= out->list[i].n > 0;
    return ST_OK;
}

void bundles_clear(struct bundles *b)
{
    mem_free(b->list);
    mem_free(b->index);
    mem_free(b->weight);
    *b = (struct bundles){0};
}

/* ---- dense rows ---- */

/* Rows that are fetched ahead: they lie far apart, which the processor does not foresee. */
enum { AHEAD = 8 };

static inline __attribute__((always_inline)) void sum_columns(const struct bundle *b, const float *y, size_t stride,
                                                              float *out, size_t width)
{
    floats sum[BUNDLE] = {{0}};
    for (size_t j = 0; j < b->n; j++) {
        floats row = *(const floats_anywhere *)(y + b->index[j] * stride);
        const float *weight = b->weight + j * BUNDLE;
        __builtin_prefetch(y + b->index[j + AHEAD < b->n ? j + AHEAD : j] * stride);
#pragma GCC unroll 16
        for (size_t l = 0; l < BUNDLE; l++)
            sum[l] += weight[l] * row;
    }
    for (size_t l = 0; l < b->lists; l++)
        *(floats_anywhere *)(out + l * width) = sum[l];
}

TARGET_AVX512 static void sum_columns_avx512(const struct bundle *b, const float *y, size_t stride, float *out,
                                             size_t width)
{
    sum_columns(b, y, stride, out, width);
}

TARGET_AVX2 static void sum_columns_avx2(const struct bundle *b, const float *y, size_t stride, float *out,
                                         size_t width)
{
    sum_columns(b, y, stride, out, width);
}

static void sum_columns_base(const struct bundle *b, const float *y, size_t stride, float *out, size_t width)
{
    sum_columns(b, y, stride, out, width);
}

void bundle_sum_rows(const struct bundle *b, const float *y, size_t stride, size_t columns, float *out, size_t width)
{
    void (*sum)(const struct bundle *, const float *, size_t, float *, size_t) =
        kernel_simd() == SIMD_AVX512 ? sum_columns_avx512
        : kernel_simd() == SIMD_AVX2 ? sum_columns_avx2
                                     : sum_columns_base;
    for (size_t c = 0; c + BUNDLE_COLUMNS <= columns; c += BUNDLE_COLUMNS)
        sum(b, y + c, stride, out + c, width);
}

/* ---- sparse rows ---- */

static inline __attribute__((always_inline)) void sum_sparse(const struct bundle *b, const struct csr *rows,
                                                             float *sums)
{
    for (size_t j = 0; j < b->n; j++) {
        floats weight = *(const floats_anywhere *)(b->weight + j * BUNDLE);
        for (size_t e = rows->begin[b->index[j]]; e < rows->begin[b->index[j] + 1]; e++) {
            floats_anywhere *sum = (floats_anywhere *)(sums + (size_t)rows->index[e] * BUNDLE);
            *sum += weight * rows->value[e];
        }
    }
}

/* Without fma in the target there are no fused operations. */
#ifdef __x86_64__
__attribute__((target("avx2"))) static void sum_sparse_avx2(const struct bundle *b, const struct csr *rows, float *sums)
{
    sum_sparse(b, rows, sums);
}
#else
#define sum_sparse_avx2 sum_sparse
#endif

enum { TURN = 64 }; /* columns whose sums are turned round together */

void bundle_sum_sparse(const struct bundle *b, const struct csr *rows, float *sums, float *out)
{
    memset(sums, 0, rows->cols * BUNDLE * sizeof *sums);
    if (kernel_simd() == SIMD_BASE)
        sum_sparse(b, rows, sums);
    else
        sum_sparse_avx2(b, rows, sums);
    for (size_t from = 0; from < rows->cols; from += TURN) {
        size_t to = from + TURN < rows->cols ? from + TURN : rows->cols;
        for (size_t l = 0; l < b->lists; l++)
            for (size_t c = from; c < to; c++)
                out[l * rows->cols + c] = sums[c * BUNDLE + l];
    }
}
