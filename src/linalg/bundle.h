/* Lists that have most of their items in common, taken together.
 *
 * One history after each of its events, or with one event or another left out: such histories read nearly the same rows
 * of a matrix. A bundle is up to BUNDLE neighbouring lists as one: the items that any of them has, ascending, each with
 * its weight in every list, 0 where it has none of it. So a row is read once for all of them, and the sums stand side
 * by side in one vector. Adding 0 times a finite number changes no sum: each has the same bits as when its list is
 * added up alone. */
#ifndef TAILOR_LINALG_BUNDLE_H
#define TAILOR_LINALG_BUNDLE_H

#include "base/error.h"
#include "linalg/sparse.h"

enum { BUNDLE = 16 };

struct bundle {
    size_t first, lists; /* lists first .. first + lists - 1 */
    size_t n;            /* items; 0: they differ too much, and are better added up alone */
    const uint32_t *index;
    const float *weight; /* n x BUNDLE */
};

struct bundles {
    size_t n;
    struct bundle *list; /* in the order of the lists, all of them */
    bool any;            /* is any with items? */
    uint32_t *index;     /* of all */
    float *weight;
};

/* The rows of `lists` (ascending indices; value NULL: ones) in bundles, made on all threads. */
MUST_CHECK enum status bundles_new(const struct csr *lists, struct bundles *out, struct error *err);
void bundles_clear(struct bundles *b);

/* out[l * width + c] = sum over the items j of list l of weight * y[j * stride + c], c < columns, a multiple of
 * BUNDLE_COLUMNS: the bits of rows_sum_stride (dense.h). */
enum { BUNDLE_COLUMNS = 16 };
void bundle_sum_rows(const struct bundle *b, const float *y, size_t stride, size_t columns, float *out, size_t width);
/* The same of sparse rows: out[l * rows->cols + c], the bits of adding them one after the other, in float32, without
 * fused operations. sums: rows->cols x BUNDLE of room. */
void bundle_sum_sparse(const struct bundle *b, const struct csr *rows, float *sums, float *out);

#endif
