#include "linalg/spmm.h"

#include "base/parallel.h"
#include "linalg/kernel.h"

/* Rows of one parallel piece of work, by the number of its products. */
enum { PRODUCTS = 1 << 18, ROWS_LEAST = 64 };
/* Entries whose rows of x are asked for ahead of their turn. */
enum { AHEAD = 24 };

/* One row for `vectors` * LANES columns from c on; `vectors` and `valued` are constants where this is inlined. */
static inline __attribute__((always_inline)) void row_vectors(const struct csr *a, size_t r, float scale,
                                                              const float *x, size_t width, const size_t vectors,
                                                              const bool valued, float *restrict out)
{
    floats sum[4];
    size_t last = csr_count(a) - 1;
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++)
        sum[v] = (floats){0};
    for (size_t e = a->begin[r]; e < a->begin[r + 1]; e++) {
        const float *row = x + (size_t)a->index[e] * width;
        size_t later = e + AHEAD < last ? e + AHEAD : last; /* rows are short: it lies in one of the next */
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            __builtin_prefetch(x + (size_t)a->index[later] * width + v * LANES);
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            floats there = *(const floats_anywhere *)(row + v * LANES);
            sum[v] += valued ? a->value[e] * there : there;
        }
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++)
        *(floats_anywhere *)(out + v * LANES) = scale * sum[v];
}

/* One row for one column. */
static inline __attribute__((always_inline)) void row_column(const struct csr *a, size_t r, float scale, const float *x,
                                                             size_t width, const bool valued, float *out)
{
    float sum = 0;
    for (size_t e = a->begin[r]; e < a->begin[r + 1]; e++) {
        float there = x[(size_t)a->index[e] * width];
        sum += valued ? a->value[e] * there : there;
    }
    *out = scale * sum;
}

static inline __attribute__((always_inline)) void multiply_rows(const struct csr *a, const float *scale, const float *x,
                                                                size_t width, size_t begin, size_t end,
                                                                const bool valued, float *out)
{
    for (size_t r = begin; r < end; r++) {
        float s = scale ? scale[r] : 1, *to = out + r * width;
        size_t c = 0;
        for (; c + 4 * LANES <= width; c += 4 * LANES)
            row_vectors(a, r, s, x + c, width, 4, valued, to + c);
        for (; c + 2 * LANES <= width; c += 2 * LANES)
            row_vectors(a, r, s, x + c, width, 2, valued, to + c);
        for (; c + LANES <= width; c += LANES)
            row_vectors(a, r, s, x + c, width, 1, valued, to + c);
        for (; c < width; c++)
            row_column(a, r, s, x + c, width, valued, to + c);
    }
}

struct multiply {
    const struct csr *a;
    const float *scale, *x;
    size_t width;
    float *out;
    const struct job *job;
};

static inline __attribute__((always_inline)) void multiply(const struct multiply *m, size_t begin, size_t end)
{
    if (m->a->value)
        multiply_rows(m->a, m->scale, m->x, m->width, begin, end, true, m->out);
    else
        multiply_rows(m->a, m->scale, m->x, m->width, begin, end, false, m->out);
}

TARGET_AVX512 static void multiply_avx512(const struct multiply *m, size_t begin, size_t end)
{
    multiply(m, begin, end);
}

TARGET_AVX2 static void multiply_avx2(const struct multiply *m, size_t begin, size_t end)
{
    multiply(m, begin, end);
}

static void multiply_base(const struct multiply *m, size_t begin, size_t end)
{
    multiply(m, begin, end);
}

static void multiply_block(void *context, size_t block, size_t begin, size_t end)
{
    static void (*const targets[])(const struct multiply *, size_t, size_t) = {multiply_base, multiply_avx2,
                                                                               multiply_avx512};
    const struct multiply *m = context;
    (void)block;
    if (!job_cancelled(m->job))
        targets[kernel_simd()](m, begin, end);
}

void sparse_times_block(const struct csr *a, const float *scale, const float *x, size_t width, float *out,
                        const struct job *job)
{
    struct multiply m = {a, scale, x, width, out, job};
    size_t products = (csr_count(a) + a->rows) * width, pieces = products / PRODUCTS + 1;
    size_t rows = parallel_count(a->rows, pieces);
    parallel_blocks(a->rows, rows > ROWS_LEAST ? rows : ROWS_LEAST, multiply_block, &m);
}
