#include "linalg/rough_parts.h"

#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

#ifdef __x86_64__

#include <immintrin.h>

/* Queries of one parallel piece of work; scores made together. */
enum { QUERIES = 256, TOGETHER = 16 };
/* Rivals of a query beyond the length of its list, at least; steps towards the bar: it stays low by 2^-12 of the spread
 * of scores. */
enum { LEAST_ROOM = 128, HALVINGS = 12 };
/* The parts of the bound: roundings of the bound itself, and what falls below the smallest normal number. */
#define SLACK 0x1p-20F
#define TINY 1e-30F

#define TARGET_TILES __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma,amx-tile,amx-bf16")))

/* ---- rivals ---- */

/* The first `n` of 16. */
static inline __mmask16 rest_of(uint32_t n)
{
    return (__mmask16)(n < ROWS ? (1U << n) - 1 : 0xffffU);
}

/* Items that may still enter the list of one query, in three columns. lower <= score <= upper; the same when it is
 * known. */
struct rivals {
    float *lower, *upper;
    uint32_t *place; /* where they stand in the order of items */
    uint32_t n;
    float bar;                 /* at least as many reach it as the list is long; -inf before there are as many */
    const uint32_t *hide, *shown; /* places that are hidden, ascending: from here on, up to there */
};

/* What one thread needs for QUERIES queries, each in a seat. Those that are not there, or not for tiles, are closed. As
 * queries get done, the others move up, so that tiles are full of queries that still look for items. */
struct desk {
    size_t begin;          /* the first of the queries */
    uint32_t who[QUERIES]; /* query begin + who[i] sits in seat i */
    uint16_t *tiles; /* QUERIES / ROWS x steps tiles */
    float *columns;  /* QUERIES x 3 x room: the rivals */
    struct scored *settled; /* room */
    bool open[QUERIES];
    struct rivals rivals[QUERIES];
    _Alignas(64) float bar[QUERIES], length[QUERIES], residue[QUERIES];
    _Alignas(64) float low[PAIR], off[PAIR]; /* of the queries that are looked at */
    _Alignas(64) float sums[4 * SUMS];
};

struct take {
    const struct dots_lists *l;
    const float *x;
    const struct hidden *hidden;
    uint32_t *hide; /* beside hidden->item: places, ascending within a query */
    struct scored *out;
    size_t *counts;
    size_t room; /* of a query's rivals, without what a whole vector may write behind them */
    struct desk *desks;
};

/* A number that at least n of x[0..of) reach: n must reach `low`, none may be above `high`. Close below the n-th
 * largest. */
TARGET_TILES static float bar_of(const float *x, uint32_t of, uint32_t n, float low, float high)
{
    for (int i = 0; i < HALVINGS; i++) {
        float middle = low + (high - low) / 2;
        __m512 bar = _mm512_set1_ps(middle);
        uint32_t reach = 0;
        for (uint32_t j = 0; j < of; j += ROWS)
            reach += (uint32_t)__builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(x + j), bar, _CMP_GE_OQ) &
                                                  rest_of(of - j));
        *(reach >= n ? &low : &high) = middle;
    }
    return low;
}

/* Raises the bar to what is known now. */
TARGET_TILES static void raise_bar(struct rivals *r, uint32_t n)
{
    __m512 least = _mm512_set1_ps(INFINITY), most = _mm512_set1_ps(-INFINITY);
    uint32_t bounded = 0;
    for (uint32_t j = 0; j < r->n; j += ROWS) {
        __m512 x = _mm512_loadu_ps(r->lower + j);
        __mmask16 some = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-INFINITY), _CMP_GT_OQ) & rest_of(r->n - j);
        least = _mm512_mask_min_ps(least, some, least, x);
        most = _mm512_mask_max_ps(most, some, most, x);
        bounded += (uint32_t)__builtin_popcount(some);
    }
    if (bounded >= n)
        r->bar = bar_of(r->lower, r->n, n, fmaxf(r->bar, _mm512_reduce_min_ps(least)), _mm512_reduce_max_ps(most));
}

/* Keeps those that may reach the bar. */
TARGET_TILES static void drop_losers(struct rivals *r)
{
    __m512 bar = _mm512_set1_ps(r->bar);
    uint32_t kept = 0;
    for (uint32_t j = 0; j < r->n; j += ROWS) {
        __m512 lower = _mm512_loadu_ps(r->lower + j), upper = _mm512_loadu_ps(r->upper + j);
        __m512i place = _mm512_loadu_si512(r->place + j);
        __mmask16 some = _mm512_cmp_ps_mask(upper, bar, _CMP_GE_OQ) & rest_of(r->n - j);
        _mm512_storeu_ps(r->lower + kept, _mm512_maskz_compress_ps(some, lower));
        _mm512_storeu_ps(r->upper + kept, _mm512_maskz_compress_ps(some, upper));
        _mm512_storeu_si512(r->place + kept, _mm512_maskz_compress_epi32(some, place));
        kept += (uint32_t)__builtin_popcount(some);
    }
    r->n = kept;
}

/* Four numbers from `at` on of 16 rows, turned: out[f] holds number at + f of all. */
TARGET_TILES static inline void turn(const float *const row[TOGETHER], size_t at, __m512 out[4])
{
    __m512 part[4];
    for (size_t r = 0; r < 4; r++) { /* rows r, 4 + r, 8 + r, 12 + r side by side */
        part[r] = _mm512_broadcast_f32x4(_mm_loadu_ps(row[r] + at));
        part[r] = _mm512_mask_broadcast_f32x4(part[r], 0x00f0, _mm_loadu_ps(row[4 + r] + at));
        part[r] = _mm512_mask_broadcast_f32x4(part[r], 0x0f00, _mm_loadu_ps(row[8 + r] + at));
        part[r] = _mm512_mask_broadcast_f32x4(part[r], 0xf000, _mm_loadu_ps(row[12 + r] + at));
    }
    __m512d low = _mm512_castps_pd(_mm512_unpacklo_ps(part[0], part[1])),
            high = _mm512_castps_pd(_mm512_unpackhi_ps(part[0], part[1]));
    __m512d lower = _mm512_castps_pd(_mm512_unpacklo_ps(part[2], part[3])),
            higher = _mm512_castps_pd(_mm512_unpackhi_ps(part[2], part[3]));
    out[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, lower));
    out[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, lower));
    out[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, higher));
    out[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, higher));
}

/* out[j] = x . y[item[j]], each one chain of fused operations as in dots_score. */
TARGET_TILES static void exactly(const float *y, size_t k, const float *x, const uint32_t item[TOGETHER],
                                 float out[TOGETHER])
{
    const float *row[TOGETHER];
    __m512 sum = _mm512_setzero_ps(), some[4];
    size_t f = 0;
    for (size_t j = 0; j < TOGETHER; j++)
        row[j] = y + (size_t)item[j] * k;
    for (; f + 4 <= k; f += 4) {
        turn(row, f, some);
        for (size_t i = 0; i < 4; i++)
            sum = _mm512_fmadd_ps(_mm512_set1_ps(x[f + i]), some[i], sum);
    }
    for (; f < k; f++) {
        float last[TOGETHER];
        for (size_t j = 0; j < TOGETHER; j++)
            last[j] = row[j][f];
        sum = _mm512_fmadd_ps(_mm512_set1_ps(x[f]), _mm512_loadu_ps(last), sum);
    }
    _mm512_storeu_ps(out, sum);
}

/* Asks for the rows of up to TOGETHER rivals from j on. */
static void fetch(const struct dots_lists *l, const struct rivals *r, uint32_t j)
{
    enum { LINE = 64 };
    for (uint32_t end = j + TOGETHER < r->n ? j + TOGETHER : r->n; j < end; j++) {
        const char *row = (const char *)(l->y + (size_t)l->rough->item[r->place[j]] * l->k);
        for (size_t at = 0; at < l->k * sizeof *l->y; at += LINE)
            __builtin_prefetch(row + at);
    }
}

/* Gives all rivals their scores; the best, as many as the list is long, come into out, in order, and are rivals no
 * more. Returns how many. */
static size_t settle(const struct take *t, struct desk *d, struct rivals *r, size_t q)
{
    const struct dots_lists *l = t->l;
    uint32_t item[TOGETHER];
    float score[TOGETHER];
    size_t n = 0;
    fetch(l, r, 0);
    for (uint32_t j = 0; j < r->n; j += TOGETHER) {
        fetch(l, r, j + TOGETHER);
        for (uint32_t i = 0; i < TOGETHER; i++)
            item[i] = l->rough->item[r->place[j + i < r->n ? j + i : j]];
        exactly(l->y, l->k, t->x + q * l->k, item, score);
        for (uint32_t i = 0; i < TOGETHER && j + i < r->n; i++)
            if (score[i] > -INFINITY) /* nor NaN */
                d->settled[n++] = (struct scored){item[i], score[i]};
    }
    r->n = 0;
    n = best_of(d->settled, n, l->length);
    memcpy(t->out + q * l->length, d->settled, n * sizeof *d->settled);
    return n;
}

/* Makes room for the items of a pair: drops who has lost, or else, where bounds cannot tell them apart, all but the
 * best. */
static void make_room(const struct take *t, struct desk *d, struct rivals *r, size_t q)
{
    const struct dots_lists *l = t->l;
    const struct scored *best = t->out + q * l->length;
    raise_bar(r, (uint32_t)l->length);
    drop_losers(r);
    if (r->n + PAIR <= t->room)
        return;
    r->n = (uint32_t)settle(t, d, r, q);
    for (uint32_t j = 0; j < r->n; j++) {
        r->lower[j] = r->upper[j] = best[j].score;
        r->place[j] = l->rough->place[best[j].index];
    }
    if (r->n == l->length)
        r->bar = best[r->n - 1].score;
}

/* ---- lists ---- */

/* A query that is not for tiles: every item gets its score. */
static void serve_plainly(const struct take *t, size_t q)
{
    const struct dots_lists *l = t->l;
    struct best b = {t->out + q * l->length, 0, l->length};
    uint32_t item[TOGETHER];
    float score[TOGETHER];
    for (size_t i = 0; i < l->items; i += TOGETHER) {
        for (size_t j = 0; j < TOGETHER; j++)
            item[j] = (uint32_t)(i + j < l->items ? i + j : i);
        exactly(l->y, l->k, t->x + q * l->k, item, score);
        for (size_t j = 0; j < TOGETHER && i + j < l->items; j++)
            if (!is_hidden(t->hidden, q, item[j]))
                best_offer(&b, item[j], score[j]);
    }
    t->counts[q] = best_finish(&b);
}

/* Query q, in seat i. */
static void open_query(const struct take *t, struct desk *d, size_t i, size_t q)
{
    const struct rough *rough = t->l->rough;
    size_t k = t->l->k, wide = t->room + ROWS, nhidden = 0;
    const float *x = t->x + q * k;
    float *column = d->columns + i * 3 * wide;
    uint32_t *hide = t->hide + t->hidden->begin[q];
    uint16_t *tile = d->tiles + i / ROWS * rough->steps * TILE + i % ROWS * STEP;
    for (size_t h = t->hidden->begin[q]; h < t->hidden->begin[q + 1]; h++)
        if (t->hidden->item[h] < t->l->items) /* histories may know later ones */
            hide[nhidden++] = rough->place[t->hidden->item[h]];
    numbers_sort(hide, nhidden);
    d->open[i] = true;
    d->rivals[i] = (struct rivals){column, column + wide, (uint32_t *)(void *)(column + 2 * wide), 0, -INFINITY,
                                   hide,   hide + nhidden};
    d->bar[i] = -INFINITY;
    d->residue[i] = rough_residue(x, k);
    for (size_t f = 0; f < k; f++)
        tile[f / STEP * TILE + f % STEP] = rough_rounded(x[f]);
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
        d->bar[i] = INFINITY;
        d->length[i] = d->residue[i] = 0;
        if (!(length < INFINITY))
            continue;
        d->length[i] = length;
        open_query(t, d, i, begin + i);
    }
}

/* sums = products of two tiles of queries with two of items: [queries 0..15 | 16..31][items 0..15 | 16..31]. */
TARGET_TILES static void multiply(const uint16_t *a, const uint16_t *b, size_t steps, float *sums)
{
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
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + SUMS, 64);
    _tile_stored(2, sums + 2 * SUMS, 64);
    _tile_stored(3, sums + 3 * SUMS, 64);
}

/* For 16 queries from seat i on: how far sums are off, at most, and the sum below which an item of this pair cannot
 * reach their lists. */
TARGET_TILES static void lowest(const struct desk *d, const struct rough *r, size_t pair, size_t i, float *low,
                                float *off)
{
    __m512 bar = _mm512_load_ps(d->bar + i), length = _mm512_load_ps(d->length + i),
           residue = _mm512_load_ps(d->residue + i);
    __m512 longest = _mm512_set1_ps(r->longest[pair]), rest = _mm512_set1_ps(r->residue[pair]);
    __m512 slack = _mm512_set1_ps(1 + SLACK), tiny = _mm512_set1_ps(TINY);
    __m512 margin = _mm512_fmadd_ps(_mm512_abs_ps(bar), _mm512_set1_ps(SLACK), tiny);
    __m512 far = _mm512_mul_ps(_mm512_fmadd_ps(residue, longest, _mm512_mul_ps(length, rest)), slack);
    _mm512_store_ps(low, _mm512_sub_ps(_mm512_sub_ps(bar, margin), far));
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

TARGET_TILES static void add(struct rivals *r, const float *sums, float off, __mmask16 some, uint32_t first)
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
    make_room(t, d, r, q);
    d->bar[i] = r->bar;
}

/* One pair of panels for 32 queries from seat i on. Not below, rather than above: NaN survives. */
TARGET_TILES static void look(const struct take *t, struct desk *d, size_t pair, size_t i)
{
    const struct rough *r = t->l->rough;
    uint32_t there = pair + 1 < r->pairs ? ~0U : r->last;
    lowest(d, r, pair, i, d->low, d->off);
    lowest(d, r, pair, i + ROWS, d->low + ROWS, d->off + ROWS);
    multiply(d->tiles + i / ROWS * r->steps * TILE, r->panel + pair * 2 * r->steps * TILE, r->steps, d->sums);
    for (size_t row = 0; row < PAIR; row++) {
        const float *sums = d->sums + row / ROWS * 2 * SUMS + row % ROWS * ROWS;
        __m512 below = _mm512_set1_ps(d->low[row]);
        uint32_t some = _mm512_cmp_ps_mask(_mm512_load_ps(sums), below, _CMP_NLT_UQ);
        uint32_t others = _mm512_cmp_ps_mask(_mm512_load_ps(sums + SUMS), below, _CMP_NLT_UQ);
        if ((some | others << ROWS) & there)
            admit(t, d, pair, i + row, sums, (some | others << ROWS) & there);
    }
}

/* All tiles are whole: 16 rows of 64 bytes. */
TARGET_TILES static void shape_tiles(void)
{
    struct {
        uint8_t palette, start, zero[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shape.bytes[i] = 64;
        shape.rows[i] = ROWS;
    }
    _tile_loadconfig(&shape);
}

/* The scores of those that are left, and the list. */
static void finish(const struct take *t, struct desk *d, struct rivals *r, size_t q)
{
    raise_bar(r, (uint32_t)t->l->length);
    drop_losers(r);
    t->counts[q] = settle(t, d, r, q);
}

/* ---- seats ---- */

/* Queries move up after so many pairs of panels. */
enum { BETWEEN = 4 };

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
    swap_floats(&d->bar[i], &d->bar[j]);
    swap_floats(&d->length[i], &d->length[j]);
    swap_floats(&d->residue[i], &d->residue[j]);
}

/* Which of 16 queries from seat i on are done before this pair? */
TARGET_TILES static __mmask16 done(const struct desk *d, const struct rough *r, size_t pair, size_t i)
{
    __m512 reach = _mm512_set1_ps(r->longest[pair] + r->residue[pair]);
    __m512 most = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_load_ps(d->length + i), reach), _mm512_set1_ps(1 + SLACK),
                                  _mm512_set1_ps(TINY));
    return _mm512_cmp_ps_mask(most, _mm512_load_ps(d->bar + i), _CMP_LT_OQ);
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
    shape_tiles();
    for (size_t pair = 0; pair < r->pairs && n; pair++) {
        if (pair % BETWEEN == 0)
            n = move_up(r, d, pair, n);
        for (size_t i = 0; i < n; i += PAIR)
            look(t, d, pair, i);
    }
    _tile_release();
    for (size_t i = 0; i < end - begin; i++) {
        size_t q = begin + d->who[i];
        if (d->open[i])
            finish(t, d, &d->rivals[i], q);
        else
            serve_plainly(t, q);
    }
}

enum status rough_take(const struct dots_lists *l, const float *x, size_t queries, const struct hidden *hidden,
                       struct scored *out, size_t *counts, struct error *err)
{
    struct take t = {l, x, hidden, NULL, out, counts, 0, NULL};
    size_t threads = (size_t)parallel_threads(), tiles = QUERIES / ROWS * l->rough->steps * TILE;
    t.room = (l->length + (l->length > LEAST_ROOM ? l->length : LEAST_ROOM) + 2 * PAIR) / ROWS * ROWS;
    size_t columns = QUERIES * 3 * (t.room + ROWS);
    t.desks = mem_new_raw(threads, sizeof *t.desks, "list threads", err);
    t.hide = mem_new_raw(hidden->begin[queries], sizeof *t.hide, "hidden items", err);
    uint16_t *room = mem_new_raw(threads * tiles, sizeof *room, "list threads", err);
    float *rivals = mem_new_raw(threads * columns, sizeof *rivals, "list threads", err);
    struct scored *settled = mem_new_raw(threads * t.room, sizeof *settled, "list threads", err);
    enum status st = t.desks && t.hide && room && rivals && settled ? ST_OK : ST_NOMEM;
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
    mem_free(room);
    mem_free(rivals);
    mem_free(settled);
    return st;
}

#else

enum status rough_take(const struct dots_lists *l, const float *x, size_t queries, const struct hidden *hidden,
                       struct scored *out, size_t *counts, struct error *err)
{
    (void)l, (void)x, (void)queries, (void)hidden, (void)out, (void)counts;
    return error_set(err, ST_INTERNAL, "this CPU has no tiles");
}

#endif
