/* The k best items of many histories whose scores are sums of sparse rows:
 *
 *     score(h, i) = sum over j in h of  v_j * W[j][i]
 *
 * Such a sum reaches a few thousand items of many; all others score 0. Sums are noted as they come to be, so that
 * neither clearing a row of scores nor finding the best of it passes over all items. Only where fewer items than a list
 * holds score more than 0, or there are more terms than items, is the whole row looked at. Lists are those of adding,
 * masking and topk, to the bit. */
#ifndef TAILOR_LINALG_SPARSE_LISTS_H
#define TAILOR_LINALG_SPARSE_LISTS_H

#include "linalg/item_sets.h"
#include "linalg/sparse.h"
#include "linalg/topk.h"

/* out[q * length ..] = the counts[q] best items for row q of h (histories by items; value NULL: ones), best first, ties
 * by smaller index; NaN and -inf never enter, nor do hidden items. W, items by items, has values; they are finite.
 * wanted: NULL, or the items whose places are all that is asked: a list may then end anywhere behind the last of them
 * that stands in it. Either set may hold later items than there are. Runs on all threads; the same bits with any number
 * of them. */
MUST_CHECK enum status sparse_lists_take(const struct csr *w, const struct csr *h, size_t length,
                                         const struct item_sets *hidden, const struct item_sets *wanted,
                                         struct scored *out, size_t *counts, struct error *err);
/* out[0..w->cols), all zeros or -inf before, += the scores of row q of h: in the order of its items, in float32,
 * one term after the other. */
void sparse_sum(const struct csr *w, const struct csr *h, size_t q, float *out);

#endif
