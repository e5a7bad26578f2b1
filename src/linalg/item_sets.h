/* A set of items for each of many queries: those that a history hides, those that would be right. */
#ifndef TAILOR_LINALG_ITEM_SETS_H
#define TAILOR_LINALG_ITEM_SETS_H

#include "linalg/sparse.h"

/* Of query q: item[begin[q] .. begin[q + 1]), ascending. */
struct item_sets {
    size_t *begin;
    uint32_t *item;
};

/* Is the item in the set of query q? */
static inline bool item_sets_have(const struct item_sets *s, size_t q, uint32_t item)
{
    return index_find(s->item, s->begin[q], s->begin[q + 1], item) != SIZE_MAX;
}

#endif
