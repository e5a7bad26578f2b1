#include "linalg/sparse_lists.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

/* Histories of one parallel piece of work: a few are not worth waking a second thread for. */
enum { BLOCK = 8 };

/* What one thread needs: numbers for each item. */
struct desk {
    bool clean;            /* until its thread comes to it, the sums are not zeros yet */
    float *sum;            /* zeros between two histories */
    uint32_t *item;        /* those that the sums have reached, and one more, */
    float *value;          /* what they have come to; whole vectors */
    struct scored *scored; /* those that may be in the list */
};

struct take {
    const struct csr *w, *h;
    size_t length;
    const struct item_sets *hidden, *wanted;
    struct scored *out;
    size_t *counts;
    struct desk *desks;
};

/* ---- sums ---- */

/* Entries of a row that come into the cache together. */
enum { LINE = 64 / sizeof(float) };

/* Adds entries [begin, end), v times; with `note` the items whose sum was 0 until then go to item[0 ..). How many. */
static inline __attribute__((always_inline)) size_t add_entries(const struct csr *w, size_t begin, size_t end, float v,
                                                                float *sum, const bool note, uint32_t *item)
{
    size_t n = 0;
    for (size_t i = begin; i < end; i++) {
        uint32_t at = w->index[i];
        float before = sum[at];
        sum[at] = before + v * w->value[i];
        if (note) { /* without a branch: half of them are new */
            item[n] = at;
            n += !(fabsf(before) > 0);
        }
    }
    return n;
}

/* Adds row q, and notes as above: an item whose sum comes back to 0 is noted again. While a row is added, as much of
 * the next one is on its way: histories lead all over the matrix. */
static inline __attribute__((always_inline)) size_t add_rows(const struct csr *w, const struct csr *h, size_t q,
                                                             float *sum, const bool note, uint32_t *item)
{
    size_t n = 0, last = csr_count(w) - 1;
    for (size_t e = h->begin[q]; e < h->begin[q + 1]; e++) {
        size_t at = w->begin[h->index[e]], end = w->begin[h->index[e] + 1];
        size_t next = e + 1 < h->begin[q + 1] ? w->begin[h->index[e + 1]] : at;
        float v = h->value ? h->value[e] : 1;
        for (; at < end; at += LINE, next += LINE) {
            __builtin_prefetch(&w->index[next < last ? next : last]);
            __builtin_prefetch(&w->value[next < last ? next : last]);
            n += add_entries(w, at, at + LINE < end ? at + LINE : end, v, sum, note, note ? item + n : NULL);
        }
    }
    return n;
}

void sparse_sum(const struct csr *w, const struct csr *h, size_t q, float *out)
{
    add_rows(w, h, q, out, false, NULL);
}

/* Additions that the sums of row q take. */
static size_t additions(const struct csr *w, const struct csr *h, size_t q)
{
    size_t n = 0;
    for (size_t e = h->begin[q]; e < h->begin[q + 1]; e++)
        n += w->begin[h->index[e] + 1] - w->begin[h->index[e]];
    return n;
}

/* ---- numbers above 0, many at a time ---- */

/* How many of value[0..n), which are above 0 and have zeros behind them up to a whole vector, reach the bar. */
static inline __attribute__((always_inline)) size_t reaching(const float *value, size_t n, float bar)
{
    ints count = {0};
    size_t all = 0;
    for (size_t i = 0; i < n; i += LANES)
        count -= *(const floats *)(value + i) >= bar;
    for (size_t l = 0; l < LANES; l++)
        all += (size_t)count[l];
    return all;
}

TARGET_AVX512 static size_t reaching_avx512(const float *value, size_t n, float bar)
{
    return reaching(value, n, bar);
}

TARGET_AVX2 static size_t reaching_avx2(const float *value, size_t n, float bar)
{
    return reaching(value, n, bar);
}

static size_t reaching_base(const float *value, size_t n, float bar)
{
    return reaching(value, n, bar);
}

static size_t how_many_reach(const float *value, size_t n, float bar)
{
    static size_t (*const targets[])(const float *, size_t, float) = {reaching_base, reaching_avx2, reaching_avx512};
    return targets[kernel_simd()](value, n, bar);
}

static float largest(const float *value, size_t n)
{
    floats most = {0};
    float all = 0;
    for (size_t i = 0; i < n; i += LANES) {
        floats x = *(const floats *)(value + i);
        ints more = x > most;
        most = (floats)(((ints)x & more) | ((ints)most & ~more));
    }
    for (size_t l = 0; l < LANES; l++)
        all = most[l] > all ? most[l] : all;
    return all;
}

/* A number that at least k <= n of value[0..n) reach, and not many more. */
static float bar_of(const float *value, size_t n, size_t k)
{
    enum { HALVINGS = 12 };
    float low = 0, high = largest(value, n);
    for (int i = 0; i < HALVINGS; i++) {
        float middle = low + (high - low) / 2;
        size_t reach = how_many_reach(value, n, middle);
        *(reach >= k ? &low : &high) = middle;
        if (reach >= k && reach <= k + k / 2)
            break;
    }
    return low;
}

/* ---- one list ---- */

static void set_hidden(const struct take *t, size_t q, float *sum, float score)
{
    for (size_t i = t->hidden->begin[q]; i < t->hidden->begin[q + 1]; i++)
        if (t->hidden->item[i] < t->w->cols)
            sum[t->hidden->item[i]] = score;
}

/* Takes the sums of item[0..n) out of the row, which is zeros again; those above 0 stay. How many. */
static size_t take_out(struct desk *d, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t item = d->item[i];
        float score = d->sum[item];
        d->sum[item] = 0;
        d->item[kept] = item;
        d->value[kept] = score;
        kept += score > 0;
    }
    for (size_t i = kept; i < whole_vectors(kept); i++)
        d->value[i] = 0;
    return kept;
}

/* The list of query q out of n items with scores above 0, at least as many as it is long. */
static size_t best_reached(const struct take *t, struct desk *d, size_t q, size_t n)
{
    size_t close = 0;
    float bar = bar_of(d->value, n, t->length);
    for (size_t i = 0; i < n; i++)
        if (d->value[i] >= bar)
            d->scored[close++] = (struct scored){d->item[i], d->value[i]};
    n = best_of(d->scored, close, t->length);
    memcpy(t->out + q * t->length, d->scored, n * sizeof *d->scored);
    return n;
}

/* The best score among the items that are wanted; infinite where whole lists are. */
static float best_wanted(const struct take *t, const float *sum, size_t q)
{
    float best = -INFINITY;
    if (!t->wanted)
        return INFINITY;
    for (size_t i = t->wanted->begin[q]; i < t->wanted->begin[q + 1]; i++)
        if (t->wanted->item[i] < t->w->cols && sum[t->wanted->item[i]] > best)
            best = sum[t->wanted->item[i]];
    return best;
}

/* May a score stand in a list of so many of value[0..n), which are above 0 and no fewer? */
static bool in_reach(const float *value, size_t n, float score, size_t length)
{
    return score > 0 && (isinf(score) || how_many_reach(value, n, nextafterf(score, INFINITY)) < length);
}

/* False: too few items are reached. */
static bool take_reached(const struct take *t, struct desk *d, size_t q)
{
    set_hidden(t, q, d->sum, -INFINITY);
    size_t n = add_rows(t->w, t->h, q, d->sum, true, d->item);
    float best = best_wanted(t, d->sum, q);
    n = take_out(d, n);
    set_hidden(t, q, d->sum, 0);
    if (n < t->length)
        return false;
    t->counts[q] = in_reach(d->value, n, best, t->length) ? best_reached(t, d, q, n) : 0;
    return true;
}

/* With all items in sight. */
static void take_whole(const struct take *t, struct desk *d, size_t q)
{
    set_hidden(t, q, d->sum, -INFINITY);
    sparse_sum(t->w, t->h, q, d->sum);
    t->counts[q] = topk(d->sum, t->w->cols, t->length, t->out + q * t->length);
    memset(d->sum, 0, t->w->cols * sizeof *d->sum);
}

static void take_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct take *t = context;
    struct desk *d = &t->desks[parallel_thread()];
    (void)block;
    if (!d->clean)
        memset(d->sum, 0, t->w->cols * sizeof *d->sum);
    d->clean = true;
    for (size_t q = begin; q < end; q++)
        if (additions(t->w, t->h, q) > t->w->cols || !take_reached(t, d, q))
            take_whole(t, d, q);
}

/* ---- all lists ---- */

static void free_desks(struct desk *desks, size_t threads)
{
    for (size_t i = 0; desks && i < threads; i++) {
        mem_free(desks[i].sum);
        mem_free(desks[i].item);
        mem_free(desks[i].value);
        mem_free(desks[i].scored);
    }
    mem_free(desks);
}

static struct desk *new_desks(size_t threads, size_t items, struct error *err)
{
    struct desk *desks = mem_new(threads, sizeof *desks, "list threads", err);
    for (size_t i = 0; desks && i < threads; i++) {
        struct desk *d = &desks[i];
        d->sum = mem_new_raw(items, sizeof *d->sum, "sums", err);
        d->item = mem_new_raw(items + 1, sizeof *d->item, "sums", err);
        d->value = mem_new_raw(whole_vectors(items + 1), sizeof *d->value, "sums", err);
        d->scored = mem_new_raw(items + 1, sizeof *d->scored, "sums", err);
        if (d->sum && d->item && d->value && d->scored)
            continue;
        free_desks(desks, threads);
        return NULL;
    }
    return desks;
}

enum status sparse_lists_take(const struct csr *w, const struct csr *h, size_t length, const struct item_sets *hidden,
                              const struct item_sets *wanted, struct scored *out, size_t *counts, struct error *err)
{
    size_t threads = h->rows > BLOCK ? (size_t)parallel_threads() : 1;
    if (!length) {
        memset(counts, 0, h->rows * sizeof *counts);
        return ST_OK;
    }
    struct take t = {w, h, length, hidden, wanted, out, counts, new_desks(threads, w->cols, err)};
    if (!t.desks)
        return ST_NOMEM;
    parallel_blocks(h->rows, BLOCK, take_block, &t);
    free_desks(t.desks, threads);
    return ST_OK;
}
