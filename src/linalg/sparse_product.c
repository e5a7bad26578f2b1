#include "linalg/sparse_product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { ROWS_PER_BLOCK = 32, LINE = LANES };

/* dot and n of one column, side by side, so that a product touches one place in memory. */
typedef float pair __attribute__((vector_size(8)));

/* What one thread makes a row in. */
struct scratch {
    pair *sum;        /* columns, whole lines */
    uint8_t *touched; /* one a line, whole words of 8 */
    uint32_t *index;  /* candidates, ascending */
    float *value;
    uint32_t *space;
};

struct work {
    const struct sparse_product *p;
    const float *column; /* whole lines */
    size_t lines, room;      /* room: candidates before the best are taken out */
    struct scratch *scratch; /* one a thread */
    struct csr_parts parts;
    struct job *job;
};

static size_t whole_words(size_t lines)
{
    return (lines + 7) / 8;
}

/* ---- the sums ---- */

static inline __attribute__((always_inline)) void add_place(const struct csr *b, size_t m, float v,
                                                            const struct scratch *s)
{
    const uint32_t *restrict index = b->index + b->begin[m];
    const float *restrict value = b->value ? b->value + b->begin[m] : NULL;
    pair *restrict sum = s->sum;
    uint8_t *restrict touched = s->touched;
    size_t n = b->begin[m + 1] - b->begin[m];
    for (size_t i = 0; i < n; i++) {
        sum[index[i]] += (pair){value ? v * value[i] : v, 1};
        touched[index[i] / LINE] = 1;
    }
}

/* In ascending order of the places, whatever the threads. */
static inline __attribute__((always_inline)) void add_row(const struct sparse_product *p, size_t row, struct scratch *s)
{
    const struct csr *a = p->a, *b = p->b;
    size_t end = a->begin[row + 1];
    for (size_t i = a->begin[row]; i < end; i++) {
        size_t m = a->index[i];
        if (i + 2 < end)
            __builtin_prefetch(b->index + b->begin[a->index[i + 2]]);
        add_place(b, m, (a->value ? a->value[i] : 1) * (p->inner ? p->inner[m] : 1), s);
    }
    if (!p->diagonal && row < b->cols)
        s->sum[row] = (pair){0, 0};
}

/* ---- the values ---- */

static inline __attribute__((always_inline)) void make_values(const struct sparse_product *p, float row,
                                                              const floats *column, const floats *dot, const floats *n,
                                                              floats *v)
{
    *v = p->measure == PAIR_TANIMOTO ? *dot / (row + *column - *dot) : *dot * (row * *column);
    if (p->shrink > 0)
        *v *= *n / (*n + p->shrink);
}

/* The lanes of v above the bar go to index and value; returns how many. Writes a whole line of both. */
typedef size_t picker(const floats *v, float bar, uint32_t first, bool by_size, uint32_t *index, float *value);

static inline size_t pick(const floats *v, float bar, uint32_t first, bool by_size, uint32_t *index, float *value)
{
    size_t n = 0;
    for (uint32_t c = 0; c < LINE; c++) {
        float x = (*v)[c];
        index[n] = first + c;
        value[n] = x;
        n += (by_size ? fabsf(x) : x) > bar;
    }
    return n;
}

#ifdef __x86_64__
TARGET_AVX512 static inline size_t pick_avx512(const floats *v, float bar, uint32_t first, bool by_size,
                                               uint32_t *index, float *value)
{
    __m512 x = (__m512)*v, size = by_size ? _mm512_abs_ps(x) : x;
    __mmask16 good = _mm512_cmp_ps_mask(size, _mm512_set1_ps(bar), _CMP_GT_OQ);
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    lane = _mm512_add_epi32(lane, _mm512_set1_epi32((int)first));
    _mm512_storeu_ps(value, _mm512_maskz_compress_ps(good, x));
    _mm512_storeu_si512(index, _mm512_maskz_compress_epi32(good, lane));
    return (size_t)__builtin_popcount(good);
}
#else
#define pick_avx512 pick
#endif

/* Turns the touched lines into the best of the row, ascending, and clears them. When there are many candidates the best
 * so far are taken out, and the last of those is the bar for what follows: later columns lose ties against it. */
static inline __attribute__((always_inline)) size_t collect(const struct work *w, size_t row, struct scratch *s,
                                                            picker *take)
{
    const struct sparse_product *p = w->p;
    float scale = p->row ? p->row[row] : 1, bar = 0;
    size_t n = 0;
    for (size_t word = 0; word < whole_words(w->lines); word++) {
        uint64_t bits;
        memcpy(&bits, s->touched + word * 8, sizeof bits);
        if (!bits)
            continue;
        memset(s->touched + word * 8, 0, sizeof bits);
        for (; bits; bits &= bits - 1) {
            size_t line = word * 8 + (size_t)__builtin_ctzll(bits) / 8;
            floats *sum = (floats *)(s->sum + line * LINE);
            floats dot =
                __builtin_shufflevector(sum[0], sum[1], 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            floats common = __builtin_shufflevector(sum[0], sum[1], 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27,
                                                    29, 31),
                   v;
            make_values(p, scale, (const floats *)(w->column + line * LINE), &dot, &common, &v);
            sum[0] = sum[1] = (floats){0};
            n += take(&v, bar, (uint32_t)(line * LINE), p->by_size, s->index + n, s->value + n);
        }
        if (n > w->room)
            n = best_entries(s->index, s->value, n, p->kept, p->by_size, &bar, s->space);
    }
    return p->kept ? best_entries(s->index, s->value, n, p->kept, p->by_size, &bar, s->space) : n;
}

TARGET_AVX512 static size_t best_of_row_avx512(const struct work *w, size_t row, struct scratch *s)
{
    add_row(w->p, row, s);
    return collect(w, row, s, pick_avx512);
}

TARGET_AVX2 static size_t best_of_row_avx2(const struct work *w, size_t row, struct scratch *s)
{
    add_row(w->p, row, s);
    return collect(w, row, s, pick);
}

static size_t best_of_row(const struct work *w, size_t row, struct scratch *s)
{
    switch (kernel_simd()) {
    case SIMD_AVX512:
        return best_of_row_avx512(w, row, s);
    case SIMD_AVX2:
        return best_of_row_avx2(w, row, s);
    case SIMD_BASE:
        break;
    }
    add_row(w->p, row, s);
    return collect(w, row, s, pick);
}

/* ---- the best of a row ---- */

/* A digit of a number of 31 bits. */
enum { DIGIT_BITS = 10, DIGITS = 1 << DIGIT_BITS, FEW = 24 };

/* The k-th largest of a few numbers, by insertion. */
static uint32_t kth_of_few(uint32_t *x, size_t n, size_t k)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t v = x[i];
        size_t at = i;
        for (; at > 0 && x[at - 1] < v; at--)
            x[at] = x[at - 1];
        x[at] = v;
    }
    return x[k - 1];
}

/* The k-th largest of n numbers by counting digits, the first one first: what shares its digit goes on to the next.
 * Overwrites x; any number of ties will do. */
static inline __attribute__((always_inline)) uint32_t kth_largest(uint32_t *restrict x, size_t n, size_t k)
{
    uint32_t count[DIGITS], last = 0;
    for (int shift = 31 - DIGIT_BITS; n > FEW && shift > -DIGIT_BITS; shift -= DIGIT_BITS) {
        int down = shift > 0 ? shift : 0;
        uint32_t digit = 0;
        memset(count, 0, sizeof count);
        for (size_t i = 0; i < n; i++) {
            uint32_t d = x[i] >> down & (DIGITS - 1);
            digit = d > digit ? d : digit;
            count[d]++;
        }
        for (; count[digit] < k; digit--)
            k -= count[digit];
        size_t same = 0;
        for (size_t i = 0; i < n; i++) {
            uint32_t v = x[i];
            x[same] = v;
            same += (v >> down & (DIGITS - 1)) == digit;
        }
        n = same;
        last = x[0];
    }
    return n > FEW ? last : kth_of_few(x, n, k);
}

/* |v|, or without by_size v and 0 for what is not positive. Written so that the compiler makes vectors of it. */
static inline __attribute__((always_inline)) float size_of(float v, bool by_size)
{
    return by_size ? fabsf(v) : v > 0 ? v : 0;
}

/* The k-th largest size among n. */
static inline __attribute__((always_inline)) float bar_of(const float *restrict value, size_t n, size_t k, bool by_size,
                                                          uint32_t *restrict space, size_t *ties)
{
    float bar;
    size_t above = 0;
    for (size_t i = 0; i < n; i++) {
        float size = size_of(value[i], by_size); /* not negative: as whole numbers they have the same order */
        memcpy(&space[i], &size, sizeof size);
    }
    uint32_t last = kth_largest(space, n, k);
    memcpy(&bar, &last, sizeof bar);
    for (size_t i = 0; i < n; i++)
        above += size_of(value[i], by_size) > bar;
    *ties = bar > 0 ? k - above : 0;
    return bar;
}

static inline __attribute__((always_inline)) size_t best_plain(uint32_t *restrict index, float *restrict value,
                                                               size_t n, size_t k, bool by_size, float *bar,
                                                               uint32_t *restrict space)
{
    size_t ties, kept = 0;
    *bar = bar_of(value, n, k, by_size, space, &ties);
    for (size_t i = 0; i < n; i++) {
        float size = size_of(value[i], by_size);
        bool tie = !(size > *bar) && !(size < *bar) && ties > 0;
        ties -= tie;
        index[kept] = index[i];
        value[kept] = value[i];
        kept += size > *bar || tie;
    }
    return kept;
}

#ifdef __x86_64__
TARGET_AVX512 static size_t best_avx512(uint32_t *index, float *value, size_t n, size_t k, bool by_size, float *bar,
                                        uint32_t *space)
{
    size_t ties, kept = 0, i = 0;
    *bar = by_size ? bar_of(value, n, k, true, space, &ties) : bar_of(value, n, k, false, space, &ties);
    __m512 limit = _mm512_set1_ps(*bar);
    for (; i < n; i += LANES) {
        __mmask16 there = (__mmask16)(n - i < LANES ? (1U << (n - i)) - 1 : 0xFFFFU);
        __m512 v = _mm512_maskz_loadu_ps(there, value + i), size = by_size ? _mm512_abs_ps(v) : v;
        __m512i c = _mm512_maskz_loadu_epi32(there, index + i);
        uint32_t good = _mm512_mask_cmp_ps_mask(there, size, limit, _CMP_GT_OQ);
        for (uint32_t tie = _mm512_mask_cmp_ps_mask(there, size, limit, _CMP_EQ_OQ); tie && ties;
             tie &= tie - 1, ties--)
            good |= tie & -tie;
        _mm512_mask_compressstoreu_ps(value + kept, (__mmask16)good, v);
        _mm512_mask_compressstoreu_epi32(index + kept, (__mmask16)good, c);
        kept += (size_t)__builtin_popcount(good);
    }
    return kept;
}
#endif

size_t best_entries(uint32_t *index, float *value, size_t n, size_t k, bool by_size, float *bar, uint32_t *space)
{
    if (n <= k || !k)
        return n < k ? n : k;
#ifdef __x86_64__
    if (kernel_simd() == SIMD_AVX512)
        return best_avx512(index, value, n, k, by_size, bar, space);
#endif
    return best_plain(index, value, n, k, by_size, bar, space);
}

/* ---- all rows ---- */

static void make_rows(void *context, size_t block, size_t begin, size_t end)
{
    struct work *w = context;
    struct scratch *s = &w->scratch[parallel_thread()];
    (void)block;
    for (size_t r = begin; r < end; r++) {
        if (job_cancelled(w->job))
            return;
        size_t n = best_of_row(w, r, s);
        csr_parts_add(&w->parts, r, s->index, s->value, n);
    }
    job_step(w->job, end - begin);
}

static enum status scratch_new(struct scratch *s, size_t lines, size_t candidates, struct error *err)
{
    static const char what[] = "a row of a sparse product";
    s->sum = mem_new(lines * LINE, sizeof *s->sum, what, err);
    s->touched = mem_new(whole_words(lines), 8, what, err);
    s->index = mem_new_raw(candidates, sizeof *s->index, what, err);
    s->value = mem_new_raw(candidates, sizeof *s->value, what, err);
    s->space = mem_new_raw(candidates, sizeof *s->space, what, err);
    return s->sum && s->touched && s->index && s->value && s->space ? ST_OK : ST_NOMEM;
}

static void scratch_clear(struct scratch *s)
{
    mem_free(s->sum);
    mem_free(s->touched);
    mem_free(s->index);
    mem_free(s->value);
    mem_free(s->space);
}

size_t sparse_product_bytes(size_t columns)
{
    return (size_t)parallel_threads() * columns * (sizeof(pair) + 3 * sizeof(float));
}

/* The scales of the columns, in whole lines. */
static float *whole_lines(const struct sparse_product *p, size_t lines, struct error *err)
{
    float *column = mem_new(lines * LINE, sizeof *column, "a row of a sparse product", err);
    for (size_t c = 0; column && c < p->b->cols; c++)
        column[c] = p->column ? p->column[c] : 1;
    return column;
}

enum status sparse_product(const struct sparse_product *p, struct csr *out, struct job *job, struct error *err)
{
    size_t lines = parallel_count(p->b->cols, LINE);
    int threads = p->a->rows > ROWS_PER_BLOCK ? parallel_threads() : 1; /* one block is made where it is asked for */
    struct work w = {.p = p, .lines = lines, .room = lines * LINE, .job = job};
    if (p->kept && p->kept < lines)
        w.room = 2 * p->kept + 256;
    float *column = whole_lines(p, lines, err);
    w.column = column;
    w.scratch = mem_new((size_t)threads, sizeof *w.scratch, "a row of a sparse product", err);
    enum status st =
        column && w.scratch ? csr_parts_new(&w.parts, p->a->rows, p->b->cols, ROWS_PER_BLOCK, err) : ST_NOMEM;
    for (int t = 0; t < threads && !st; t++)
        st = scratch_new(&w.scratch[t], lines, w.room + 9 * LINE, err);
    if (st)
        goto out;
    parallel_blocks(p->a->rows, ROWS_PER_BLOCK, make_rows, &w);
    st = job_check(job, err);
    if (!st)
        st = csr_parts_join(&w.parts, out, err);
out:
    for (int t = 0; w.scratch && t < threads; t++)
        scratch_clear(&w.scratch[t]);
    mem_free(w.scratch);
    mem_free(column);
    csr_parts_clear(&w.parts);
    return st;
}

/* ---- the reference ---- */

struct entry {
    uint32_t index;
    double value, size;
};

static int by_rank(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    return a->size != b->size ? (a->size < b->size) - (a->size > b->size)
                              : (a->index > b->index) - (a->index < b->index);
}

static int by_index(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    return (a->index > b->index) - (a->index < b->index);
}

static double plain_value(const struct sparse_product *p, size_t r, size_t c, double dot, double n)
{
    double row = p->row ? (double)p->row[r] : 1, column = p->column ? (double)p->column[c] : 1;
    double v = p->measure == PAIR_TANIMOTO ? dot / (row + column - dot) : dot * row * column;
    return p->shrink > 0 ? v * n / (n + (double)p->shrink) : v;
}

static void plain_sums(const struct sparse_product *p, size_t r, double *dot, double *n)
{
    const struct csr *a = p->a, *b = p->b;
    memset(dot, 0, b->cols * sizeof *dot);
    memset(n, 0, b->cols * sizeof *n);
    for (size_t i = a->begin[r]; i < a->begin[r + 1]; i++) {
        size_t m = a->index[i];
        double v = (a->value ? (double)a->value[i] : 1) * (p->inner ? (double)p->inner[m] : 1);
        for (size_t k = b->begin[m]; k < b->begin[m + 1]; k++) {
            dot[b->index[k]] += v * (b->value ? (double)b->value[k] : 1);
            n[b->index[k]] += 1;
        }
    }
}

enum status sparse_product_reference(const struct sparse_product *p, struct csr *out, struct error *err)
{
    size_t cols = p->b->cols;
    struct csr_parts parts = {0};
    double *dot = mem_new(cols, sizeof *dot, "a reference", err), *n = mem_new(cols, sizeof *n, "a reference", err);
    struct entry *e = mem_new(cols, sizeof *e, "a reference", err);
    uint32_t *index = mem_new(cols, sizeof *index, "a reference", err);
    float *value = mem_new(cols, sizeof *value, "a reference", err);
    enum status st = dot && n && e && index && value ? csr_parts_new(&parts, p->a->rows, cols, 1, err) : ST_NOMEM;
    for (size_t r = 0; r < p->a->rows && !st; r++) {
        size_t found = 0;
        plain_sums(p, r, dot, n);
        for (size_t c = 0; c < cols; c++) {
            double v = n[c] > 0 && (c != r || p->diagonal) ? plain_value(p, r, c, dot[c], n[c]) : 0;
            if (v > 0 || (p->by_size && v < 0))
                e[found++] = (struct entry){(uint32_t)c, v, fabs(v)};
        }
        qsort(e, found, sizeof *e, by_rank);
        found = p->kept && found > p->kept ? p->kept : found;
        qsort(e, found, sizeof *e, by_index);
        for (size_t i = 0; i < found; i++) {
            index[i] = e[i].index;
            value[i] = (float)e[i].value;
        }
        csr_parts_add(&parts, r, index, value, found);
    }
    if (!st)
        st = csr_parts_join(&parts, out, err);
    csr_parts_clear(&parts);
    mem_free(dot);
    mem_free(n);
    mem_free(e);
    mem_free(index);
    mem_free(value);
    return st;
}
