/* Sparse matrices in compressed rows.
 *
 *   row r  ->  index[begin[r] .. begin[r + 1])  column numbers, ascending, no doubles
 *              value[...]                       the same places; NULL means all ones */
#ifndef TAILOR_LINALG_SPARSE_H
#define TAILOR_LINALG_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct csr {
    size_t rows, cols;
    size_t *begin;   /* rows + 1 */
    uint32_t *index; /* begin[rows] */
    float *value;    /* begin[rows], or NULL */
};

static inline size_t csr_count(const struct csr *m)
{
    return m->begin ? m->begin[m->rows] : 0;
}

/* Room for `rows` rows and `count` entries (begin zeroed, value only when with_value). Free with csr_clear. */
MUST_CHECK enum status csr_new(struct csr *m, size_t rows, size_t cols, size_t count, int with_value,
                               struct error *err);
void csr_clear(struct csr *m);
/* out = m', rows ascending within each column; counting sort, O(rows + cols + count). */
MUST_CHECK enum status csr_transpose(const struct csr *m, struct csr *out, struct error *err);

#endif
