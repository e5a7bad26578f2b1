#include "linalg/topk.h"

#include <stdbool.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

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
enum { COUNTED = 320, ABREAST = 4 * LANES };

/* Numbers in the order of lists: the larger one stands later. 0 and -0 are the same score; NaN is in no list. */
static uint32_t falling_key(float score)
{
    uint32_t bits;
    score += 0.f; /* -0 becomes 0 */
    memcpy(&bits, &score, sizeof bits);
    return bits >> 31 ? bits : ~bits & 0x7fffffff;
}

/* place[i] = how many of key[0..n) are less than key[i], many at a time. key[n..] up to a multiple of ABREAST is read.
 */
static inline __attribute__((always_inline)) void count_before(const uint32_t *key, size_t n, uint32_t *place)
{
    for (size_t i = 0; i < n; i += ABREAST) {
        uint32_t count[ABREAST] = {0};
        for (size_t j = 0; j < n; j++)
#pragma GCC unroll 64
            for (size_t l = 0; l < ABREAST; l++)
                count[l] += key[j] < key[i + l];
        memcpy(place + i, count, sizeof count);
    }
}

TARGET_AVX512 static void count_avx512(const uint32_t *key, size_t n, uint32_t *place)
{
    count_before(key, n, place);
}

TARGET_AVX2 static void count_avx2(const uint32_t *key, size_t n, uint32_t *place)
{
    count_before(key, n, place);
}

static void count_base(const uint32_t *key, size_t n, uint32_t *place)
{
    count_before(key, n, place);
}

/* Those of the same score have the same place until they are told apart by their index. */
static void part_equals(const struct scored *list, const uint32_t *key, size_t n, uint32_t *place)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            place[i] += key[j] == key[i] && list[j].index < list[i].index;
}

static size_t best_by_counts(struct scored *list, size_t n, size_t k)
{
    typedef void function(const uint32_t *key, size_t n, uint32_t *place);
    static function *const targets[] = {count_base, count_avx2, count_avx512};
    struct scored copy[COUNTED];
    uint32_t key[COUNTED], place[COUNTED];
    size_t sum = 0, whole = (n + ABREAST - 1) / ABREAST * ABREAST;
    for (size_t i = 0; i < whole; i++)
        key[i] = i < n ? falling_key(list[i].score) : 0;
    memcpy(copy, list, n * sizeof *list);
    targets[kernel_simd()](key, n, place);
    for (size_t i = 0; i < n; i++)
        sum += place[i];
    if (sum != n * (n - 1) / 2)
        part_equals(copy, key, n, place);
    for (size_t i = 0; i < n; i++)
        if (place[i] < k)
            list[place[i]] = copy[i];
    return n < k ? n : k;
}

size_t best_finish(struct best *b)
{
    if (b->n <= COUNTED)
        return best_by_counts(b->list, b->n, b->n);
    if (b->n < b->k)
        make_heap(b->list, b->n);
    sort_heap(b->list, b->n);
    return b->n;
}

size_t best_of(struct scored *list, size_t n, size_t k)
{
    struct best b = {list, n < k ? n : k, k};
    if (n <= COUNTED)
        return best_by_counts(list, n, k);
    if (b.n == k && k)
        make_heap(list, k);
    for (size_t i = k; i < n; i++)
        best_offer(&b, list[i].index, list[i].score);
    return best_finish(&b);
}

/* Many scores are cut into at most BLOCKS blocks of whole strides. */
enum { STRIDE = 4 * LANES, BLOCKS = 1024 };

/* *y = the larger of each; NaN in x is none. */
static inline __attribute__((always_inline)) void keep_larger(floats *y, const floats *x)
{
    ints better = *x > *y;
    *y = (floats)(((ints)*x & better) | ((ints)*y & ~better));
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

/* ---- the k-th largest ---- */

/* Numbers in the order of scores; NaN below all. */
static int32_t rising_key(float score)
{
    int32_t bits;
    score += 0.f; /* -0 becomes 0 */
    memcpy(&bits, &score, sizeof bits);
    return score != score ? INT32_MIN : bits < 0 ? bits ^ INT32_MAX : bits;
}

/* The largest number that at least k of key[0..n) reach, k <= n, bit by bit from the top. n is a multiple of LANES. */
static inline __attribute__((always_inline)) int32_t kth_key(const int32_t *key, size_t n, size_t k)
{
    int32_t found = INT32_MIN;
    for (int bit = 31; bit >= 0; bit--) {
        int32_t higher = (int32_t)((uint32_t)found + (1U << bit));
        ints count = {0};
        size_t reach = 0;
        for (size_t i = 0; i < n; i += LANES)
            count -= *(const ints *)(key + i) >= higher;
        for (size_t l = 0; l < LANES; l++)
            reach += (size_t)count[l];
        if (reach >= k)
            found = higher;
        if (reach == k)
            break;
    }
    return found;
}

/* Scores that are still in question, in the order of their indices. */
enum { POOL = 1024 };
struct pool {
    size_t n;
    uint32_t index[POOL + LANES]; /* whole vectors are written */
    float score[POOL + LANES];
};

/* Takes up score[first .. end) that reach the floor and are above the bar. There is room for all. */
static inline __attribute__((always_inline)) void take_up(struct pool *p, const float *score, size_t first, size_t end,
                                                          float floor, float bar)
{
    size_t n = p->n;
    for (size_t i = first; i < end; i++) { /* without a branch: most of them are a surprise */
        p->index[n] = (uint32_t)i;
        p->score[n] = score[i];
        n += (score[i] >= floor) & (score[i] > bar);
    }
    p->n = n;
}

#ifdef __x86_64__
TARGET_AVX512 static void take_up_avx512(struct pool *p, const float *score, size_t first, size_t end, float floor,
                                         float bar)
{
    __m512 least = _mm512_set1_ps(floor), beyond = _mm512_set1_ps(bar);
    __m512i step = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t n = p->n;
    for (size_t i = first; i < end; i += LANES) {
        __mmask16 there = (__mmask16)(end - i < LANES ? (1U << (end - i)) - 1 : 0xffffU);
        __m512 x = _mm512_maskz_loadu_ps(there, score + i);
        __mmask16 some =
            _mm512_mask_cmp_ps_mask(_mm512_mask_cmp_ps_mask(there, x, least, _CMP_GE_OQ), x, beyond, _CMP_GT_OQ);
        _mm512_storeu_ps(p->score + n, _mm512_maskz_compress_ps(some, x));
        _mm512_storeu_si512(p->index + n,
                            _mm512_maskz_compress_epi32(some, _mm512_add_epi32(_mm512_set1_epi32((int)i), step)));
        n += (size_t)__builtin_popcount(some);
    }
    p->n = n;
}
#else
static void take_up_avx512(struct pool *p, const float *score, size_t first, size_t end, float floor, float bar)
{
    take_up(p, score, first, end, floor, bar);
}
#endif

TARGET_AVX512 static int32_t kth_avx512(const int32_t *key, size_t n, size_t k)
{
    return kth_key(key, n, k);
}

TARGET_AVX2 static int32_t kth_avx2(const int32_t *key, size_t n, size_t k)
{
    return kth_key(key, n, k);
}

static int32_t kth_base(const int32_t *key, size_t n, size_t k)
{
    return kth_key(key, n, k);
}

static void take_up_base(struct pool *p, const float *score, size_t first, size_t end, float floor, float bar)
{
    take_up(p, score, first, end, floor, bar);
}

static const struct selection {
    void (*largest)(const float *score, size_t blocks, size_t block, float *most);
    int32_t (*kth)(const int32_t *key, size_t n, size_t k);
    void (*take_up)(struct pool *p, const float *score, size_t first, size_t end, float floor, float bar);
} selections[] = {
    [SIMD_BASE] = {largest_base, kth_base, take_up_base},
    [SIMD_AVX2] = {largest_avx2, kth_avx2, take_up_base},
    [SIMD_AVX512] = {largest_avx512, kth_avx512, take_up_avx512},
};

/* The key of the k-th largest of x[0..n), n at most POOL; the keys of all are left in `key`, which is aligned for
 * vectors. */
static int32_t kth_of(const float *x, size_t n, size_t k, int32_t *key)
{
    size_t whole = (n + LANES - 1) / LANES * LANES;
    for (size_t i = 0; i < whole; i++)
        key[i] = i < n ? rising_key(x[i]) : INT32_MIN;
    return selections[kernel_simd()].kth(key, whole, k);
}

/* A score that k blocks at least have. */
static float floor_of(const float *most, size_t blocks, size_t k)
{
    _Alignas(64) int32_t key[POOL + LANES];
    int32_t kth = kth_of(most, blocks, k, key);
    float floor = INFINITY;
    for (size_t i = 0; i < blocks; i++)
        if (key[i] >= kth && !(most[i] > floor))
            floor = most[i];
    return floor;
}

/* Keeps the best k, ties by index: more than k are there. */
static void shrink(struct pool *p, size_t k)
{
    _Alignas(64) int32_t key[POOL + LANES];
    int32_t kth = kth_of(p->score, p->n, k, key);
    size_t above = 0, kept = 0;
    for (size_t i = 0; i < p->n; i++)
        above += key[i] > kth;
    for (size_t i = 0, equal = k - above; i < p->n; i++) {
        if (key[i] < kth || (key[i] == kth && !equal))
            continue;
        equal -= key[i] == kth;
        p->index[kept] = p->index[i];
        p->score[kept++] = p->score[i];
    }
    p->n = kept;
}

/* The worst of the pool. */
static float bar_of(const struct pool *p)
{
    float bar = INFINITY;
    for (size_t i = 0; i < p->n; i++)
        bar = p->score[i] < bar ? p->score[i] : bar;
    return bar;
}

/* ---- the best k of a row ---- */

/* Takes up score[first .. end), and cuts down the pool when it gets full; *bar is above all that cannot come in any
 * more. */
static void gather(struct pool *p, const float *score, size_t first, size_t end, size_t k, float floor, float *bar)
{
    enum { PIECE = POOL / 4 };
    for (; first < end; first += PIECE) {
        if (p->n > POOL - PIECE) {
            shrink(p, k);
            *bar = bar_of(p);
        }
        selections[kernel_simd()].take_up(p, score, first, end - first < PIECE ? end : first + PIECE, floor, *bar);
    }
}

/* Short lists: what may be in them is gathered and then cut down. */
static size_t topk_short(const float *score, size_t n, size_t k, struct scored *out)
{
    size_t block = ((n + BLOCKS - 1) / BLOCKS + STRIDE - 1) / STRIDE * STRIDE, blocks = n / block;
    float most[BLOCKS], floor = -INFINITY, bar = -INFINITY;
    struct pool pool;
    pool.n = 0;
    if (blocks < 2 * k) /* the floor would be low, or none */
        blocks = 0;
    if (blocks) {
        selections[kernel_simd()].largest(score, blocks, block, most);
        floor = floor_of(most, blocks, k);
    }
    for (size_t b = 0; b < blocks; b++)
        if (most[b] >= floor && most[b] > bar)
            gather(&pool, score, b * block, (b + 1) * block, k, floor, &bar);
    gather(&pool, score, blocks * block, n, k, floor, &bar);
    if (pool.n > k)
        shrink(&pool, k);
    for (size_t i = 0; i < pool.n; i++)
        out[i] = (struct scored){pool.index[i], pool.score[i]};
    return best_of(out, pool.n, k);
}

size_t topk(const float *score, size_t n, size_t k, struct scored *out)
{
    struct best b = {out, 0, k};
    if (k == 0 || n == 0)
        return 0;
    if (k <= COUNTED)
        return topk_short(score, n, k, out);
    for (size_t i = 0; i < n; i++)
        if (!(score[i] <= best_bar(&b)))
            best_offer(&b, (uint32_t)i, score[i]);
    return best_finish(&b);
}
