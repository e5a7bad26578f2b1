/* The k best of n scores, ties by smaller index, in order. */
#ifndef TAILOR_LINALG_TOPK_H
#define TAILOR_LINALG_TOPK_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

struct scored {
    uint32_t index;
    float score;
};

/* Best k of score[0..n) into out, best first (score descending, index ascending). NaN and -inf never
 * enter. Returns how many (<= k). Needs no memory: out holds the heap while it runs. */
size_t topk(const float *score, size_t n, size_t k, struct scored *out);

/* The best k of list[0..n), which are distinct and have scores above -inf, come to its front, in order; returns how
 * many. What stands behind them is lost. */
size_t best_of(struct scored *list, size_t n, size_t k);

/* Rank-biased overlap of two lists with persistence p (0 < p < 1), extrapolated past their ends (Webber, Moffat, Zobel:
 * A similarity measure for indefinite rankings, TOIS 2010, equation 32): 1 for the same list, 0 for nothing in common;
 * two empty lists are the same. For short lists: O(na nb). */
double topk_overlap(const struct scored *a, size_t na, const struct scored *b, size_t nb, double p);
double index_overlap(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, double p);
/* The same, offered one by one in any order: list has room for k > 0, and is a heap with the worst on top once it is
 * full. */
struct best {
    struct scored *list;
    size_t n, k;
};
/* A score below this does not enter; one that is equal may, by its index. -inf until the list is full. */
static inline float best_bar(const struct best *b)
{
    return b->n < b->k ? -INFINITY : b->list[0].score;
}
void best_offer(struct best *b, uint32_t index, float score);
/* Puts the list into order, best first; returns how many. No offers afterwards. */
size_t best_finish(struct best *b);

#endif
