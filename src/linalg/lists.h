/* The k best items of many queries by dot product, without a matrix of scores.
 *
 * Items and queries are taken in blocks that stay in cache; a score is compared with the worst of its query's list
 * where it was computed, and nearly all end there. Lists are those of dots_score, mask and topk, to the bit.
 *
 * Where the CPU has tiles of bfloat16 (AMX), items are looked at in two passes. Items come in the order of falling
 * length. The first pass takes products of vectors rounded to 8 bits, x' and y', at many times the speed. With lengths
 * |.|,
 *
 *     |x.y - x'.y'|  <=  |x - x'| |y|  +  |x'| |y - y'|  +  c |x| |y|          c: all roundings of both sums of k terms
 *
 * so an item that cannot reach the list by this bound is out; the others get their score in float32, in the order of
 * operations of dots_score. A query is done when |x| |y| of the longest item left does not reach its list; one that
 * only asks where wanted items stand, when it does not reach the last of those that may be in the list, or none of them
 * may. Items and queries with numbers that are not finite or very large go around the first pass. */
#ifndef TAILOR_LINALG_LISTS_H
#define TAILOR_LINALG_LISTS_H

#include "linalg/dense.h"
#include "linalg/item_sets.h"
#include "linalg/topk.h"

/* FAST: the fastest way that this CPU has. FLOAT: in float32 alone, for comparison. */
enum lists_way { LISTS_FAST, LISTS_FLOAT };

struct rough;

struct dots_lists {
    const float *y; /* borrowed */
    size_t items, k, length; /* length: of the lists */
    struct dots panels;      /* the float32 way */
    struct rough *rough;     /* the way of two passes; else NULL */
};

/* For lists of `length` of the items y (items x k), which must outlive it. */
MUST_CHECK enum status dots_lists_new(struct dots_lists *l, const float *y, size_t items, size_t k, size_t length,
                                      enum lists_way way, struct error *err);
void dots_lists_clear(struct dots_lists *l);

/* out[q * length ..] = the counts[q] best items for x[q * k ...], best first, ties by smaller index; NaN and -inf never
 * enter, nor do hidden items. wanted: NULL, or the items whose places are all that is asked: a list may then end
 * anywhere behind the last of them that stands in it, and takes less time. Either set may hold later items than there
 * are. Runs on all threads; the same bits with any number of them. */
MUST_CHECK enum status dots_lists_take(const struct dots_lists *l, const float *x, size_t queries,
                                       const struct item_sets *hidden, const struct item_sets *wanted,
                                       struct scored *out, size_t *counts, struct error *err);

#endif
