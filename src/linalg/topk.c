#include "linalg/topk.h"

#include <stdbool.h>
#include <string.h>

#include "linalg/kernel.h"

/* a before b in the list? */
static bool before(struct scored a, struct scored b)
{
    return a.score > b.score || (a.score == b.score && a.index < b.index);
}

/* out[0..n) is a heap with the worst on top. */
static void sift_down(struct scored *h, size_t n, size_t i)
{
    struct scored x = h[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n)
            break;
        if (child + 1 < n && before(h[child], h[child + 1]))
            child++;
        if (!before(x, h[child]))
            break;
        h[i] = h[child];
        i = child;
    }
    h[i] = x;
}

static void make_heap(struct scored *h, size_t n)
{
    for (size_t j = n / 2; j-- > 0;)
        sift_down(h, n, j);
}

void best_offer(struct best *b, uint32_t index, float score)
{
    struct scored x = {index, score};
    if (b->n == b->k) {
        if (before(x, b->list[0])) {
            b->list[0] = x;
            sift_down(b->list, b->k, 0);
        }
    } else if (score > -INFINITY) {
        b->list[b->n++] = x;
        if (b->n == b->k)
            make_heap(b->list, b->k);
    }
}

static void sort_heap(struct scored *h, size_t n)
{
    for (size_t end = n; end > 1; end--) {
        struct scored worst = h[0];
        h[0] = h[end - 1];
        h[end - 1] = worst;
        sift_down(h, end - 1, 0);
    }
}

/* Lists up to so long are put into order by counting, for each, how many stand before it: no branches. */
enum { COUNTED = 256, ABREAST = 32 };

/* Numbers in the order of lists: the larger one stands later. 0 and -0 are the same score; NaN is in no list. */
static uint64_t place_key(struct scored s)
{
    float score = s.score + 0.f; /* -0 becomes 0 */
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    bits = bits >> 31 ? bits : ~bits & 0x7fffffff; /* falling scores, rising numbers */
    return (uint64_t)bits << 32 | s.index;
}

/* Many at a time, so that each number is compared with whole vectors. key[n..] up to a multiple of ABREAST is read. */
static inline __attribute__((always_inline)) void count_before(const uint64_t *key, size_t n, uint64_t *place)
{
    for (size_t i = 0; i < n; i += ABREAST) {
        uint64_t count[ABREAST] = {0};
        for (size_t j = 0; j < n; j++)
#pragma GCC unroll 32
            for (size_t l = 0; l < ABREAST; l++)
                count[l] += key[j] < key[i + l];
        memcpy(place + i, count, sizeof count);
    }
}

TARGET_AVX512 static void count_avx512(const uint64_t *key, size_t n, uint64_t *place)
{
    count_before(key, n, place);
}

TARGET_AVX2 static void count_avx2(const uint64_t *key, size_t n, uint64_t *place)
{
    count_before(key, n, place);
}

static void count_base(const uint64_t *key, size_t n, uint64_t *place)
{
    count_before(key, n, place);
}

static void sort_by_counts(struct scored *list, size_t n)
{
    typedef void function(const uint64_t *key, size_t n, uint64_t *place);
    static function *const targets[] = {count_base, count_avx2, count_avx512};
    struct scored copy[COUNTED];
    uint64_t key[COUNTED] = {0}, place[COUNTED];
    for (size_t i = 0; i < n; i++) {
        copy[i] = list[i];
        key[i] = place_key(list[i]);
    }
    targets[kernel_simd()](key, n, place);
    for (size_t i = 0; i < n; i++)
        list[place[i]] = copy[i];
}

size_t best_finish(struct best *b)
{
    if (b->n <= COUNTED) {
        sort_by_counts(b->list, b->n);
        return b->n;
    }
    if (b->n < b->k)
        make_heap(b->list, b->n);
    sort_heap(b->list, b->n);
    return b->n;
}

/* Many scores are cut into at most BLOCKS blocks of whole strides. */
enum { STRIDE = 4 * LANES, BLOCKS = 1024 };

typedef int32_t choices __attribute__((vector_size(64)));

/* *y = the larger of each; NaN in x is none. */
static inline __attribute__((always_inline)) void keep_larger(floats *y, const floats *x)
{
    choices better = *x > *y;
    *y = (floats)(((choices)*x & better) | ((choices)*y & ~better));
}

/* out[b] = largest of score[b * block ..) for whole blocks; NaN is larger than nothing. */
static inline __attribute__((always_inline)) void largest(const float *score, size_t blocks, size_t block, float *out)
{
    for (size_t b = 0; b < blocks; b++) {
        const float *s = score + b * block;
        floats most[4];
        for (size_t v = 0; v < 4; v++)
            most[v] = (floats){0} - INFINITY;
        for (size_t i = 0; i < block; i += STRIDE) {
#pragma GCC unroll 4
            for (size_t v = 0; v < 4; v++) {
                floats x = *(const floats_anywhere *)(s + i + v * LANES);
                keep_larger(&most[v], &x);
            }
        }
        for (size_t v = 1; v < 4; v++)
            keep_larger(&most[0], &most[v]);
        float all = -INFINITY;
        for (size_t l = 0; l < LANES; l++)
            all = most[0][l] > all ? most[0][l] : all;
        out[b] = all;
    }
}

TARGET_AVX512 static void largest_avx512(const float *score, size_t blocks, size_t block, float *out)
{
    largest(score, blocks, block, out);
}

TARGET_AVX2 static void largest_avx2(const float *score, size_t blocks, size_t block, float *out)
{
    largest(score, blocks, block, out);
}

static void largest_base(const float *score, size_t blocks, size_t block, float *out)
{
    largest(score, blocks, block, out);
}

/* The k-th largest of the blocks' largest: k scores at least are that good. `room` holds k. */
static float floor_of(const float *most, size_t blocks, size_t k, struct scored *room)
{
    struct best b = {room, 0, k};
    for (size_t i = 0; i < blocks; i++)
        if (most[i] > best_bar(&b))
            best_offer(&b, (uint32_t)i, most[i]);
    return best_bar(&b);
}

size_t topk(const float *score, size_t n, size_t k, struct scored *out)
{
    typedef void function(const float *score, size_t blocks, size_t block, float *most);
    static function *const targets[] = {largest_base, largest_avx2, largest_avx512};
    size_t block = ((n + BLOCKS - 1) / BLOCKS + STRIDE - 1) / STRIDE * STRIDE, blocks = block ? n / block : 0;
    float most[BLOCKS], floor = -INFINITY;
    struct best b = {out, 0, k};
    if (k == 0)
        return 0;
    if (blocks < 2 * k) /* the floor would be low, or none */
        blocks = 0;
    if (blocks) {
        targets[kernel_simd()](score, blocks, block, most);
        floor = floor_of(most, blocks, k, out);
    }
    for (size_t i = 0; i < n;) {
        size_t at = i / (block ? block : 1), end = at < blocks ? i + block : n;
        if (at < blocks && most[at] < floor) {
            i = end;
            continue;
        }
        for (; i < end; i++) {
            if (score[i] >= floor && !(score[i] <= best_bar(&b)))
                best_offer(&b, (uint32_t)i, score[i]);
        }
    }
    return best_finish(&b);
}

/* Indices that stand `stride` bytes apart. */
struct ids {
    const char *first;
    size_t n, stride;
};

static uint32_t id_at(const struct ids *x, size_t i)
{
    uint32_t id;
    memcpy(&id, x->first + i * x->stride, sizeof id);
    return id;
}

static bool has(const struct ids *x, size_t n, uint32_t index)
{
    for (size_t i = 0; i < n && i < x->n; i++)
        if (id_at(x, i) == index)
            return true;
    return false;
}

/* a is the shorter list. */
static double overlap(const struct ids *a, const struct ids *b, double p)
{
    if (!a->n)
        return b->n ? 0 : 1;
    size_t common = 0, common_short = 0;
    double sum = 0, weight = 1;
    for (size_t depth = 1; depth <= b->n; depth++) {
        uint32_t next = id_at(b, depth - 1);
        common += has(a, depth, next);
        if (depth <= a->n)
            common += id_at(a, depth - 1) != next && has(b, depth, id_at(a, depth - 1));
        if (depth == a->n)
            common_short = common;
        double agreed = (double)common;
        if (depth > a->n) /* past the end of the shorter list it is taken to agree as much as before */
            agreed += (double)common_short * (double)(depth - a->n) / (double)a->n;
        weight *= p;
        sum += agreed / (double)depth * weight;
    }
    double tail = (double)(common - common_short) / (double)b->n + (double)common_short / (double)a->n;
    return (1 - p) / p * sum + tail * weight;
}

static double overlap_of(struct ids a, struct ids b, double p)
{
    return a.n <= b.n ? overlap(&a, &b, p) : overlap(&b, &a, p);
}

double topk_overlap(const struct scored *a, size_t na, const struct scored *b, size_t nb, double p)
{
    return overlap_of((struct ids){(const char *)(na ? &a->index : NULL), na, sizeof *a},
                      (struct ids){(const char *)(nb ? &b->index : NULL), nb, sizeof *b}, p);
}

double index_overlap(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, double p)
{
    return overlap_of((struct ids){(const char *)a, na, sizeof *a}, (struct ids){(const char *)b, nb, sizeof *b}, p);
}
