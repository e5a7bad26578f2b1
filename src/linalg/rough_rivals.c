/* Rivals: items that may still enter the list of a query (linalg/rough_desk.h). */
#include "linalg/rough_desk.h"

#include <float.h>
#include <string.h>

#if KERNEL_AMX

/* Rivals of a query beyond the length of its list, at least; steps towards the bar: it stays low by 2^-8 of the spread
 * of scores. */
enum { LEAST_ROOM = 16, HALVINGS = 8 };

size_t rough_room(size_t length)
{
    return (length + (length > LEAST_ROOM ? length : LEAST_ROOM) + 2 * PAIR) / ROWS * ROWS;
}

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

/* The floor where no wanted item may be in the list: none but infinite scores are above it. */
#define NOBODY FLT_MAX

/* What is asked for now that the bar is known. */
static void set_floor(struct rivals *r)
{
    float least = NOBODY;
    for (const float *s = r->wanted; s < r->wanted_end; s++)
        if (*s >= r->bar && *s < least)
            least = *s;
    r->floor = r->wanted ? least : r->bar;
}

/* Raises the bar and the floor to what is known now. Those who reached the bar may be gone, below the floor; neither
 * may fall for it, as what was dropped since is lacking. */
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
    float low = fmaxf(r->bar, _mm512_reduce_min_ps(least)), high = _mm512_reduce_max_ps(most);
    if (bounded >= n && high > r->bar)
        r->bar = bar_of(r->lower, r->n, n, low, high);
    set_floor(r);
}

/* Keeps those that may reach the floor. */
TARGET_TILES static void drop_losers(struct rivals *r)
{
    __m512 floor = _mm512_set1_ps(r->floor);
    uint32_t kept = 0;
    for (uint32_t j = 0; j < r->n; j += ROWS) {
        __m512 lower = _mm512_loadu_ps(r->lower + j), upper = _mm512_loadu_ps(r->upper + j);
        __m512i place = _mm512_loadu_si512(r->place + j);
        __mmask16 some = _mm512_cmp_ps_mask(upper, floor, _CMP_GE_OQ) & rest_of(r->n - j);
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

void rough_want(const struct take *t, struct rivals *r, size_t q)
{
    const struct dots_lists *l = t->l;
    const uint32_t *want = t->wanted->item + t->wanted->begin[q];
    size_t n = t->wanted->begin[q + 1] - t->wanted->begin[q];
    float *score = t->wanted_score + (t->wanted->begin[q] - t->wanted->begin[0]);
    uint32_t item[TOGETHER];
    float some[TOGETHER];
    for (size_t j = 0; j < n; j += TOGETHER) {
        for (size_t i = 0; i < TOGETHER; i++)
            item[i] = j + i < n && want[j + i] < l->items ? want[j + i] : 0;
        exactly(l->y, l->k, t->x + q * l->k, item, some);
        for (size_t i = 0; i < TOGETHER && j + i < n; i++)
            score[j + i] = want[j + i] < l->items ? some[i] : NAN; /* those who ask may know later ones */
    }
    r->wanted = score;
    r->wanted_end = score + n;
    set_floor(r);
}

void rough_make_room(const struct take *t, struct desk *d, struct rivals *r, size_t q)
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
        r->bar = fmaxf(r->bar, best[r->n - 1].score);
    set_floor(r);
}

void rough_finish(const struct take *t, struct desk *d, struct rivals *r, size_t q)
{
    raise_bar(r, (uint32_t)t->l->length);
    drop_losers(r);
    size_t n = settle(t, d, r, q);
    while (r->wanted && n && t->out[q * t->l->length + n - 1].score < r->floor)
        n--; /* others of these scores may be lacking */
    t->counts[q] = n;
}

void rough_serve_plainly(const struct take *t, size_t q)
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
            if (!item_sets_have(t->hidden, q, item[j]))
                best_offer(&b, item[j], score[j]);
    }
    t->counts[q] = best_finish(&b);
}

#endif
