#include "linalg/rough_desk.h"

#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

#if KERNEL_AMX

/* Query q, in seat i. */
static void open_query(const struct take *t, struct desk *d, size_t i, size_t q)
{
    const struct rough *rough = t->l->rough;
    size_t k = t->l->k, wide = t->room + ROWS, nhidden = 0;
    const float *x = t->x + q * k;
    double residue = 0;
    float *column = d->columns + i * 3 * wide;
    uint32_t *hide = t->hide + t->hidden->begin[q];
    uint16_t *tile = d->tiles + i / ROWS * rough->steps * TILE + i % ROWS * STEP;
    for (size_t h = t->hidden->begin[q]; h < t->hidden->begin[q + 1]; h++)
        if (t->hidden->item[h] < t->l->items) /* histories may know later ones */
            hide[nhidden++] = rough->place[t->hidden->item[h]];
    numbers_sort(hide, nhidden);
    d->open[i] = true;
    d->rivals[i] = (struct rivals){.lower = column,
                                   .upper = column + wide,
                                   .place = (uint32_t *)(void *)(column + 2 * wide),
                                   .bar = -INFINITY,
                                   .floor = -INFINITY,
                                   .hide = hide,
                                   .shown = hide + nhidden};
    if (t->wanted)
        rough_want(t, &d->rivals[i], q);
    d->floor[i] = d->rivals[i].floor;
    for (size_t f = 0; f < k; f += STEP, tile += TILE) {
        double part = rough_round(x + f, k - f < STEP ? k - f : STEP, tile);
        residue += part * part;
    }
    d->residue[i] = rough_above(sqrt(residue));
}

static void sit_down(const struct take *t, struct desk *d, size_t begin, size_t end)
{
    const struct dots_lists *l = t->l;
    memset(d->tiles, 0, QUERIES / ROWS * l->rough->steps * TILE * sizeof *d->tiles);
    d->begin = begin;
    for (size_t i = 0; i < QUERIES; i++) {
        d->who[i] = (uint32_t)i;
        float length = begin + i < end ? rough_length(t->x + (begin + i) * l->k, l->k) : INFINITY;
        d->open[i] = false;
        d->floor[i] = INFINITY;
        d->length[i] = d->residue[i] = 0;
        if (!(length < INFINITY))
            continue;
        d->length[i] = length;
        open_query(t, d, i, begin + i);
    }
}

/* Products of two tiles of queries with two of items, which stay in the matrix unit: it takes its time, and nothing
 * that is called until they are taken may use it. */
TARGET_TILES static inline void multiply(const uint16_t *a, const uint16_t *b, size_t steps)
{
    tiles_see_memory();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t s = 0; s < steps; s++) {
        _tile_loadd(4, a + s * TILE, 64);
        _tile_loadd(6, b + s * TILE, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + (steps + s) * TILE, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + (steps + s) * TILE, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

/* sums = those products: [queries 0..15 | 16..31][items 0..15 | 16..31]. */
TARGET_TILES static inline void take_sums(float *sums)
{
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + SUMS, 64);
    _tile_stored(2, sums + 2 * SUMS, 64);
    _tile_stored(3, sums + 3 * SUMS, 64);
}

/* For 16 queries from seat i on: how far sums are off, at most, and the sum below which an item of this pair is not
 * asked for: the bound of linalg/lists.h, with |x'| <= |x| + |x - x'|. */
TARGET_TILES static void lowest(const struct desk *d, const struct rough *r, size_t pair, size_t i, float *low,
                                float *off)
{
    __m512 floor = _mm512_load_ps(d->floor + i), length = _mm512_load_ps(d->length + i),
           residue = _mm512_load_ps(d->residue + i);
    __m512 longest = _mm512_set1_ps(r->longest[pair]), rest = _mm512_set1_ps(r->residue[pair]);
    __m512 slack = _mm512_set1_ps(1 + SLACK), tiny = _mm512_set1_ps(TINY);
    __m512 margin = _mm512_fmadd_ps(_mm512_abs_ps(floor), _mm512_set1_ps(SLACK), tiny);
    __m512 rounded = _mm512_add_ps(length, residue);
    __m512 far = _mm512_mul_ps(_mm512_fmadd_ps(residue, longest, _mm512_mul_ps(rounded, rest)), slack);
    _mm512_store_ps(low, _mm512_sub_ps(_mm512_sub_ps(floor, margin), far));
    _mm512_store_ps(off, _mm512_mask_mov_ps(far, _mm512_cmp_ps_mask(far, far, _CMP_UNORD_Q), _mm512_set1_ps(INFINITY)));
}

/* Which of the items from `first` on the query does not want. */
static uint32_t hidden_there(struct rivals *r, uint32_t first)
{
    uint32_t which = 0;
    while (r->hide < r->shown && *r->hide < first)
        r->hide++;
    for (; r->hide < r->shown && *r->hide < first + PAIR; r->hide++)
        which |= 1U << (*r->hide - first);
    return which;
}

/* Adds those of 16 items from place `first` on whose sums are no more than `off` away from their scores. */
TARGET_TILES static inline void add(struct rivals *r, const float *sums, float off, __mmask16 some, uint32_t first)
{
    __m512 s = _mm512_load_ps(sums);
    __m512 give = _mm512_fmadd_ps(_mm512_abs_ps(s), _mm512_set1_ps(SLACK), _mm512_set1_ps(off + TINY));
    __m512i place = _mm512_add_epi32(_mm512_set1_epi32((int)first),
                                     _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    _mm512_storeu_ps(r->lower + r->n, _mm512_maskz_compress_ps(some, _mm512_sub_ps(s, give)));
    _mm512_storeu_ps(r->upper + r->n, _mm512_maskz_compress_ps(some, _mm512_add_ps(s, give)));
    _mm512_storeu_si512(r->place + r->n, _mm512_maskz_compress_epi32(some, place));
    r->n += (uint32_t)__builtin_popcount(some);
}

/* The items of a pair that survive for seat i, whose sums are these. */
static void admit(const struct take *t, struct desk *d, size_t pair, size_t i, const float *sums, uint32_t which)
{
    size_t q = d->begin + d->who[i];
    struct rivals *r = &d->rivals[i];
    uint32_t first = (uint32_t)(pair * PAIR);
    if (!d->open[i] || !(which &= ~hidden_there(r, first)))
        return;
    if (which & 0xffff)
        add(r, sums, d->off[i % PAIR], (__mmask16)which, first);
    if (which >> ROWS)
        add(r, sums + SUMS, d->off[i % PAIR], (__mmask16)(which >> ROWS), first + ROWS);
    if (r->n + PAIR <= t->room)
        return;
    rough_make_room(t, d, r, q);
    d->floor[i] = r->floor;
}

/* Which items of each row of sums are not below its number: NaN survives. */
TARGET_TILES static inline void survivors(const float *sums, const float *low, uint32_t which[PAIR])
{
    for (size_t half = 0; half < PAIR; half += ROWS, sums += 2 * SUMS)
#pragma GCC unroll 16
        for (size_t row = 0; row < ROWS; row++) {
            __m512 below = _mm512_set1_ps(low[half + row]);
            __mmask16 some = _mm512_cmp_ps_mask(below, _mm512_load_ps(sums + row * ROWS), _CMP_NGT_UQ),
                      others = _mm512_cmp_ps_mask(below, _mm512_load_ps(sums + SUMS + row * ROWS), _CMP_NGT_UQ);
            which[half + row] = (uint32_t)_mm512_kunpackw(others, some);
        }
}

/* One pair of panels for 32 queries from seat i on, whose sums are these. */
TARGET_TILES static void look(const struct take *t, struct desk *d, size_t pair, size_t i, const float *sums)
{
    const struct rough *r = t->l->rough;
    uint32_t there = pair + 1 < r->pairs ? ~0U : r->last;
    _Alignas(64) uint32_t which[PAIR];
    lowest(d, r, pair, i, d->low, d->off);
    lowest(d, r, pair, i + ROWS, d->low + ROWS, d->off + ROWS);
    survivors(sums, d->low, which);
    __m512i items = _mm512_set1_epi32((int)there);
    uint32_t rows = _mm512_test_epi32_mask(_mm512_load_si512(which), items);
    rows |= (uint32_t)_mm512_test_epi32_mask(_mm512_load_si512(which + ROWS), items) << ROWS;
    for (; rows; rows &= rows - 1) {
        size_t row = (size_t)__builtin_ctz(rows);
        admit(t, d, pair, i + row, sums + row / ROWS * 2 * SUMS + row % ROWS * ROWS, which[row] & there);
    }
}

/* Pairs begin..end for 32 queries from seat i on. While the products of one are made, the sums of the one before are
 * looked at. */
TARGET_TILES static void look_through(const struct take *t, struct desk *d, size_t begin, size_t end, size_t i)
{
    const struct rough *r = t->l->rough;
    const uint16_t *queries = d->tiles + i / ROWS * r->steps * TILE, *items = r->panel + begin * 2 * r->steps * TILE;
    multiply(queries, items, r->steps);
    for (size_t pair = begin; pair < end; pair++) {
        take_sums(d->sums);
        items += 2 * r->steps * TILE;
        if (pair + 1 < end)
            multiply(queries, items, r->steps);
        look(t, d, pair, i, d->sums);
    }
}

/* ---- seats ---- */

/* Queries move up after so many pairs of panels; so many of these stay near, in the cache, while all queries meet them.
 */
enum { BETWEEN = 16, NEAR = 4 };

static void swap_floats(float *a, float *b)
{
    float x = *a;
    *a = *b;
    *b = x;
}

static void swap_seats(const struct rough *r, struct desk *d, size_t i, size_t j)
{
    uint16_t row[STEP], *a = d->tiles + i / ROWS * r->steps * TILE + i % ROWS * STEP,
                        *b = d->tiles + j / ROWS * r->steps * TILE + j % ROWS * STEP;
    struct rivals rivals = d->rivals[i];
    uint32_t who = d->who[i];
    bool open = d->open[i];
    for (size_t s = 0; s < r->steps; s++, a += TILE, b += TILE) {
        memcpy(row, a, sizeof row);
        memcpy(a, b, sizeof row);
        memcpy(b, row, sizeof row);
    }
    d->rivals[i] = d->rivals[j];
    d->rivals[j] = rivals;
    d->who[i] = d->who[j];
    d->who[j] = who;
    d->open[i] = d->open[j];
    d->open[j] = open;
    swap_floats(&d->floor[i], &d->floor[j]);
    swap_floats(&d->length[i], &d->length[j]);
    swap_floats(&d->residue[i], &d->residue[j]);
}

/* Which of 16 queries from seat i on are done before this pair? */
TARGET_TILES static __mmask16 done(const struct desk *d, const struct rough *r, size_t pair, size_t i)
{
    __m512 reach = _mm512_set1_ps(r->longest[pair] + r->residue[pair]);
    __m512 most = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_load_ps(d->length + i), reach), _mm512_set1_ps(1 + SLACK),
                                  _mm512_set1_ps(TINY));
    return _mm512_cmp_ps_mask(most, _mm512_load_ps(d->floor + i), _CMP_LT_OQ);
}

/* Seats those of the first n that are not done in front; how many they are. */
static size_t move_up(const struct rough *r, struct desk *d, size_t pair, size_t n)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i += ROWS) {
        uint32_t busy = (uint32_t)(uint16_t)~done(d, r, pair, i) & rest_of((uint32_t)(n - i));
        for (; busy; busy &= busy - 1) {
            size_t seat = i + (size_t)__builtin_ctz(busy);
            if (seat != left)
                swap_seats(r, d, seat, left);
            left++;
        }
    }
    return left;
}

TARGET_TILES static void take_block(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct take *t = context;
    const struct rough *r = t->l->rough;
    struct desk *d = &t->desks[parallel_thread()];
    size_t n = end - begin;
    sit_down(t, d, begin, end);
    tiles_open();
    for (size_t pair = 0; pair < r->pairs && n; pair += NEAR) {
        size_t last = pair + NEAR < r->pairs ? pair + NEAR : r->pairs;
        if (pair % BETWEEN == 0)
            n = move_up(r, d, pair, n);
        for (size_t i = 0; i < n; i += PAIR)
            look_through(t, d, pair, last, i);
    }
    _tile_release();
    for (size_t i = 0; i < end - begin; i++) {
        size_t q = begin + d->who[i];
        if (d->open[i])
            rough_finish(t, d, &d->rivals[i], q);
        else
            rough_serve_plainly(t, q);
    }
}

enum status rough_take(const struct dots_lists *l, const float *x, size_t queries, const struct item_sets *hidden,
                       const struct item_sets *wanted, struct scored *out, size_t *counts, struct error *err)
{
    struct take t = {.l = l, .x = x, .hidden = hidden, .wanted = wanted, .out = out, .counts = counts};
    size_t threads = (size_t)parallel_threads(), tiles = QUERIES / ROWS * l->rough->steps * TILE;
    t.room = rough_room(l->length);
    size_t columns = QUERIES * 3 * (t.room + ROWS);
    t.desks = mem_new_raw(threads, sizeof *t.desks, "list threads", err);
    t.hide = mem_new_raw(hidden->begin[queries], sizeof *t.hide, "hidden items", err);
    t.wanted_score = mem_new_raw(wanted ? wanted->begin[queries] - wanted->begin[0] : 0, sizeof *t.wanted_score,
                                 "wanted items", err);
    uint16_t *room = mem_new_raw(threads * tiles, sizeof *room, "list threads", err);
    float *rivals = mem_new_raw(threads * columns, sizeof *rivals, "list threads", err);
    struct scored *settled = mem_new_raw(threads * t.room, sizeof *settled, "list threads", err);
    enum status st = t.desks && t.hide && t.wanted_score && room && rivals && settled ? ST_OK : ST_NOMEM;
    if (!st) {
        for (size_t i = 0; i < threads; i++) {
            t.desks[i].tiles = room + i * tiles;
            t.desks[i].columns = rivals + i * columns;
            t.desks[i].settled = settled + i * t.room;
        }
        parallel_blocks(queries, QUERIES, take_block, &t);
    }
    mem_free(t.desks);
    mem_free(t.hide);
    mem_free(t.wanted_score);
    mem_free(room);
    mem_free(rivals);
    mem_free(settled);
    return st;
}

#else

enum status rough_take(const struct dots_lists *l, const float *x, size_t queries, const struct item_sets *hidden,
                       const struct item_sets *wanted, struct scored *out, size_t *counts, struct error *err)
{
    (void)l, (void)x, (void)queries, (void)hidden, (void)wanted, (void)out, (void)counts;
    return error_set(err, ST_INTERNAL, "this CPU has no tiles");
}

#endif
