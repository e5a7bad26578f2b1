#include "linalg/lists.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"
#include "linalg/rough.h"

/* Queries of one parallel piece of work: so often are the vectors of all items read. */
enum { QUERIES_A_BLOCK = 96 };
/* Lists that hold more than this share of all items gain nothing from a first look. */
enum { SHARE = 8 };

enum status dots_lists_new(struct dots_lists *l, const float *y, size_t items, size_t k, size_t length,
                           enum lists_way way, struct error *err)
{
    *l = (struct dots_lists){.y = y, .items = items, .k = k, .length = length};
    if (way == LISTS_FAST && length < items / SHARE && kernel_amx())
        return rough_new(&l->rough, y, items, k, err);
    return dots_pack(&l->panels, y, items, k, err);
}

void dots_lists_clear(struct dots_lists *l)
{
    dots_clear(&l->panels);
    rough_free(l->rough);
    memset(l, 0, sizeof *l);
}

/* ---- the float32 way ---- */

struct take {
    const struct dots_lists *l;
    const float *x;
    const struct item_sets *hidden;
    struct scored *out;
    size_t *counts;
};

static bool any_above(const float *score, float bar)
{
    int any = 0; /* no branch, so that the compiler makes vectors of it */
    for (size_t i = 0; i < DOTS_PANEL; i++)
        any |= score[i] > bar;
    return any;
}

/* Offers what reaches the list of query q among the scores of items first .. first + n. */
static void offer(const struct take *t, size_t q, struct best *b, const float *scores, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (scores[i] > best_bar(b) && !item_sets_have(t->hidden, q, (uint32_t)(first + i)))
            best_offer(b, (uint32_t)(first + i), scores[i]);
}

static void take_block(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct take *t = context;
    const struct dots_lists *l = t->l;
    _Alignas(64) float scores[QUERIES_A_BLOCK * DOTS_PANEL];
    struct best best[QUERIES_A_BLOCK];
    for (size_t q = begin; q < end; q++)
        best[q - begin] = (struct best){t->out + q * l->length, 0, l->length};
    for (size_t first = 0; first < l->items; first += DOTS_PANEL) {
        size_t n = l->items - first < DOTS_PANEL ? l->items - first : DOTS_PANEL;
        dots_panel(&l->panels, first / DOTS_PANEL, t->x + begin * l->k, end - begin, scores);
        for (size_t q = begin; q < end; q++) {
            const float *s = scores + (q - begin) * DOTS_PANEL;
            if (n < DOTS_PANEL || any_above(s, best_bar(&best[q - begin])))
                offer(t, q, &best[q - begin], s, first, n);
        }
    }
    for (size_t q = begin; q < end; q++)
        t->counts[q] = best_finish(&best[q - begin]);
}

enum status dots_lists_take(const struct dots_lists *l, const float *x, size_t queries, const struct item_sets *hidden,
                            const struct item_sets *wanted, struct scored *out, size_t *counts, struct error *err)
{
    if (!l->length) {
        memset(counts, 0, queries * sizeof *counts);
        return ST_OK;
    }
    if (l->rough)
        return rough_take(l, x, queries, hidden, wanted, out, counts, err);
    struct take t = {l, x, hidden, out, counts};
    parallel_blocks(queries, QUERIES_A_BLOCK, take_block, &t);
    return ST_OK;
}
