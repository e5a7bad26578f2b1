#include "linalg/rough_parts.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

#if KERNEL_AMX

#include <immintrin.h>

/* Longer vectors, and those that are not finite, go around the first look: its sums stay finite. */
#define LONGEST 1e15

/* ---- rounding ---- */

/* The first of 16 of which n - f are left. */
static inline __mmask16 rest_of(size_t n, size_t f)
{
    return (__mmask16)(n - f < ROWS ? (1U << (n - f)) - 1 : 0xffffU);
}

/* sum += x * x, in double. */
TARGET_AVX512 static inline __m512d add_squares(__m512d sum, __m512 x)
{
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x)), high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
    return _mm512_fmadd_pd(low, low, _mm512_fmadd_pd(high, high, sum));
}

TARGET_AVX512 float rough_length(const float *v, size_t k)
{
    __m512d sum = _mm512_setzero_pd();
    for (size_t f = 0; f < k; f += ROWS)
        sum = add_squares(sum, _mm512_maskz_loadu_ps(rest_of(k, f), v + f));
    double length = sqrt(_mm512_reduce_add_pd(sum));
    return length < LONGEST ? rough_above(length) : INFINITY;
}

TARGET_AVX512 float rough_round(const float *v, size_t k, uint16_t *rounded)
{
    const __m512i one = _mm512_set1_epi32(1), half = _mm512_set1_epi32(0x7fff);
    __m512d sum = _mm512_setzero_pd();
    for (size_t f = 0; f < k; f += ROWS) {
        __mmask16 some = rest_of(k, f);
        __m512 x = _mm512_maskz_loadu_ps(some, v + f);
        __m512i bits = _mm512_castps_si512(x), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), one);
        __mmask16 normal = _mm512_cmp_ps_mask(_mm512_abs_ps(x), _mm512_set1_ps(FLT_MIN), _CMP_GE_OQ);
        bits = _mm512_maskz_srli_epi32(normal, _mm512_add_epi32(bits, _mm512_add_epi32(half, odd)), 16);
        _mm256_mask_storeu_epi16(rounded + f, some, _mm512_cvtepi32_epi16(bits));
        sum = add_squares(sum, _mm512_sub_ps(x, _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16))));
    }
    return rough_above(sqrt(_mm512_reduce_add_pd(sum)));
}

/* ---- items ---- */

/* So many items, whole pairs of panels, are one parallel piece of work. */
enum { PACK_BLOCK = 16 * PAIR };

struct packing {
    struct rough *r;
    const float *y;
    size_t items, k;
    uint64_t *key;    /* per item: how far its length is from the largest number; below that, the item */
    uint16_t *rows;   /* room for a rounded vector, one for each thread */
    size_t wide;      /* of one */
};

static void key_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct packing *p = context;
    (void)block;
    for (size_t i = begin; i < end; i++) {
        float length = rough_length(p->y + i * p->k, p->k);
        uint32_t bits; /* of numbers that are not negative: in their order */
        memcpy(&bits, &length, sizeof bits);
        p->key[i] = (uint64_t)~bits << 32 | i;
    }
}

/* The item at place `at`; `row` is room for its rounded vector. */
static void pack_item(const struct packing *p, size_t at, uint16_t *row)
{
    struct rough *r = p->r;
    uint32_t item = (uint32_t)p->key[at], bits = ~(uint32_t)(p->key[at] >> 32);
    float length, *longest = &r->longest[at / PAIR], *residue = &r->residue[at / PAIR];
    float c = rough_above((4 * (double)p->k + 16) * 0x1p-24); /* both sums, each of fewer than 2 k + 8 roundings */
    uint16_t *tile = r->panel + at / ROWS * r->steps * TILE + at % ROWS * 2;
    memcpy(&length, &bits, sizeof length);
    r->item[at] = item;
    r->place[item] = (uint32_t)at;
    float rest = length < INFINITY ? rough_round(p->y + (size_t)item * p->k, p->k, row) + c * length : INFINITY;
    *longest = length > *longest ? length : *longest;
    *residue = rest > *residue ? rest : *residue;
    for (size_t f = 0; f < p->k && length < INFINITY; f += 2)
        memcpy(tile + f / 2 * STEP, row + f, 2 * sizeof *row);
}

static void pack_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct packing *p = context;
    (void)block;
    for (size_t at = begin; at < end; at++)
        pack_item(p, at, p->rows + (size_t)parallel_thread() * p->wide);
}

static enum status pack_items(struct rough *r, const float *y, size_t items, size_t k, struct error *err)
{
    size_t threads = (size_t)parallel_threads(), wide = r->steps * STEP;
    uint64_t *key = mem_new_raw(2 * items, sizeof *key, "item vectors", err);
    uint16_t *rows =
        mem_new(threads * wide, sizeof *rows, "item vectors", err); /* zeros behind an odd number of factors */
    struct packing p = {r, y, items, k, key, rows, wide};
    if (key && rows) {
        parallel_blocks(items, PACK_BLOCK, key_block, &p);
        p.key = numbers_sort_keys(key, key + items, items, UINT32_MAX);
        parallel_blocks(items, PACK_BLOCK, pack_block, &p);
    }
    enum status st = key && rows ? ST_OK : ST_NOMEM;
    mem_free(key);
    mem_free(rows);
    return st;
}

enum status rough_new(struct rough **out, const float *y, size_t items, size_t k, struct error *err)
{
    struct rough *r = mem_new(1, sizeof *r, "item vectors", err);
    *out = r;
    if (!r)
        return ST_NOMEM;
    r->pairs = parallel_count(items, PAIR);
    r->steps = parallel_count(k, STEP);
    r->panel = mem_new(r->pairs * 2 * r->steps, TILE * sizeof *r->panel, "item vectors", err);
    r->item = mem_new_raw(items, sizeof *r->item, "item vectors", err);
    r->place = mem_new_raw(items, sizeof *r->place, "item vectors", err);
    r->last = ~0U >> (PAIR - 1 - (items - 1) % PAIR);
    r->longest = mem_new(r->pairs, sizeof *r->longest, "item vectors", err);
    r->residue = mem_new(r->pairs, sizeof *r->residue, "item vectors", err);
    enum status st = r->panel && r->item && r->place && r->longest && r->residue ? pack_items(r, y, items, k, err)
                                                                                : ST_NOMEM;
    if (st) {
        rough_free(r);
        *out = NULL;
    }
    return st;
}

void rough_free(struct rough *r)
{
    if (!r)
        return;
    mem_free(r->panel);
    mem_free(r->item);
    mem_free(r->place);
    mem_free(r->longest);
    mem_free(r->residue);
    mem_free(r);
}

#else

enum status rough_new(struct rough **out, const float *y, size_t items, size_t k, struct error *err)
{
    (void)y, (void)items, (void)k;
    *out = NULL;
    return error_set(err, ST_INTERNAL, "this CPU has no tiles");
}

void rough_free(struct rough *r)
{
    (void)r;
}

#endif
