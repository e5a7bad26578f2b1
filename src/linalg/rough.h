/* Within this room: the way of lists.h in two passes, on CPUs with tiles of bfloat16. */
#ifndef TAILOR_LINALG_ROUGH_H
#define TAILOR_LINALG_ROUGH_H

#include "linalg/lists.h"

/* All of it only where there is kernel_amx. */
MUST_CHECK enum status rough_new(struct rough **out, const float *y, size_t items, size_t k, struct error *err);
void rough_free(struct rough *r);
MUST_CHECK enum status rough_take(const struct dots_lists *l, const float *x, size_t queries,
                                  const struct item_sets *hidden, const struct item_sets *wanted,
                                  struct scored *out, size_t *counts, struct error *err);

#endif
