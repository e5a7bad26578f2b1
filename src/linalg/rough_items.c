#include "linalg/rough_parts.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Longer vectors, and those that are not finite, go around the first look: its sums stay finite. */
#define LONGEST 1e15

/* ---- may we? ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool works;

/* Asked of the processor itself: not every compiler knows these features by name. */
static bool has_tiles(void)
{
    const unsigned amx_bf16 = 1U << 22, amx_tile = 1U << 24;
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & amx_bf16 && d & amx_tile;
}

/* Linux gives the tiles' registers to those who ask. */
static void ask_for_tiles(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    works = kernel_simd() == SIMD_AVX512 && has_tiles() &&
            syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

bool rough_works(void)
{
    pthread_once(&once, ask_for_tiles);
    return works;
}

/* ---- rounding ---- */

uint16_t rough_rounded(float x)
{
    uint32_t bits;
    if (fabsf(x) < FLT_MIN)
        return 0;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float widened(uint16_t x)
{
    uint32_t bits = (uint32_t)x << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

/* A float that is not below x. */
static float above(double x)
{
    return (float)(x * (1 + 0x1p-20));
}

float rough_length(const float *v, size_t k)
{
    double sum = 0;
    for (size_t f = 0; f < k; f++)
        sum += (double)v[f] * v[f];
    return sqrt(sum) < LONGEST ? above(sqrt(sum)) : INFINITY;
}

float rough_residue(const float *v, size_t k)
{
    double sum = 0;
    for (size_t f = 0; f < k; f++) {
        double d = (double)v[f] - (double)widened(rough_rounded(v[f]));
        sum += d * d;
    }
    return above(sqrt(sum));
}

/* ---- items ---- */

struct by_length {
    float length;
    uint32_t item;
};

static int longest_first(const void *pa, const void *pb)
{
    const struct by_length *a = pa, *b = pb;
    if (a->length != b->length)
        return a->length > b->length ? -1 : 1;
    return a->item < b->item ? -1 : 1;
}

static void pack_items(struct rough *r, const float *y, size_t items, size_t k, const struct by_length *order)
{
    float c = above((4 * (double)k + 16) * 0x1p-24); /* both sums, each of fewer than 2 k + 8 roundings */
    for (size_t at = 0; at < items; at++) {
        r->item[at] = order[at].item;
        r->place[order[at].item] = (uint32_t)at;
        const float *v = y + (size_t)order[at].item * k;
        float length = order[at].length, *longest = &r->longest[at / PAIR], *residue = &r->residue[at / PAIR];
        float rest = length < INFINITY ? rough_residue(v, k) + c * length : INFINITY;
        *longest = length > *longest ? length : *longest;
        *residue = rest > *residue ? rest : *residue;
        uint16_t *tile = r->panel + at / ROWS * r->steps * TILE + at % ROWS * 2;
        for (size_t f = 0; f < k && length < INFINITY; f++)
            tile[f / STEP * TILE + f % STEP / 2 * STEP + f % 2] = rough_rounded(v[f]);
    }
}

enum status rough_new(struct rough **out, const float *y, size_t items, size_t k, struct error *err)
{
    struct rough *r = mem_new(1, sizeof *r, "item vectors", err);
    struct by_length *order = mem_new_raw(items, sizeof *order, "item vectors", err);
    *out = r;
    if (!r || !order)
        goto fail;
    r->pairs = parallel_count(items, PAIR);
    r->steps = parallel_count(k, STEP);
    r->panel = mem_new(r->pairs * 2 * r->steps, TILE * sizeof *r->panel, "item vectors", err);
    r->item = mem_new_raw(items, sizeof *r->item, "item vectors", err);
    r->place = mem_new_raw(items, sizeof *r->place, "item vectors", err);
    r->last = ~0U >> (PAIR - 1 - (items - 1) % PAIR);
    r->longest = mem_new(r->pairs, sizeof *r->longest, "item vectors", err);
    r->residue = mem_new(r->pairs, sizeof *r->residue, "item vectors", err);
    if (!r->panel || !r->item || !r->place || !r->longest || !r->residue)
        goto fail;
    for (size_t i = 0; i < items; i++)
        order[i] = (struct by_length){rough_length(y + i * k, k), (uint32_t)i};
    qsort(order, items, sizeof *order, longest_first);
    pack_items(r, y, items, k, order);
    mem_free(order);
    return ST_OK;
fail:
    mem_free(order);
    rough_free(r);
    *out = NULL;
    return ST_NOMEM;
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

bool rough_works(void)
{
    return false;
}

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
