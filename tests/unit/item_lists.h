/* Sets of items that are hidden or wanted, and what lists owe to them (linalg/lists.h, linalg/sparse_lists.h). */
#ifndef TAILOR_TESTS_UNIT_ITEM_LISTS_H
#define TAILOR_TESTS_UNIT_ITEM_LISTS_H

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "linalg/item_sets.h"
#include "linalg/topk.h"

/* Random sets of up to `most` items; every third query has none. */
static inline struct item_sets some_items(struct rng *r, size_t queries, size_t items, size_t most)
{
    struct item_sets s = {mem_new(queries + 1, sizeof(size_t), "", NULL), mem_new(queries * items, sizeof(uint32_t), "", NULL)};
    for (size_t q = 0; q < queries; q++) {
        size_t n = s.begin[q], left = q % 3 ? 1 + rng_below(r, most) : 0;
        for (uint32_t i = 0; i < items && left; i++)
            if (rng_below(r, items - i) < left) {
                s.item[n++] = i;
                left--;
            }
        s.begin[q + 1] = n;
    }
    return s;
}

/* What is asked of a list when some items are wanted: it is the beginning of the whole one, and has all of them that stand there. */
static inline bool is_enough(const struct item_sets *wanted, size_t q, const struct scored *got, size_t n, const struct scored *whole,
                      size_t nwhole)
{
    if (n > nwhole)
        return false;
    for (size_t i = 0; i < n; i++)
        if (got[i].index != whole[i].index || memcmp(&got[i].score, &whole[i].score, sizeof(float)))
            return false;
    for (size_t i = n; i < nwhole; i++)
        for (size_t w = wanted->begin[q]; w < wanted->begin[q + 1]; w++)
            if (whole[i].index == wanted->item[w])
                return false;
    return true;
}

static inline void free_items(struct item_sets *s)
{
    mem_free(s->begin);
    mem_free(s->item);
}

#endif
