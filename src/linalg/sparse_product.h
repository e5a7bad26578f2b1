/* Products of sparse matrices, row by row, with the best entries of each row: similarities, walks over a bipartite
 * graph.
 *
 *     dot[r][c] = sum over places m of  a[r][m] * inner[m] * b[m][c]
 *     n[r][c]   = number of those places where both have an entry
 *     v[r][c]   = dot * row[r] * column[c]              PAIR_DOT
 *               = dot / (row[r] + column[c] - dot)      PAIR_TANIMOTO, row and column being squared lengths; Jaccard
 * for ones times n / (n + shrink)
 *
 * Each row keeps its `kept` largest v > 0 (or, with by_size, its largest |v|, of either sign), ties by smaller column.
 * A row is accumulated in a dense row of a thread (8 bytes a column), and only the lines of 16 columns that were
 * touched are read again: the dense product is never held. X' D X is a = X', b = X, inner = D. The work is O(sum of
 * products + rows * touched). */
#ifndef TAILOR_LINALG_SPARSE_PRODUCT_H
#define TAILOR_LINALG_SPARSE_PRODUCT_H

#include "base/job.h"
#include "linalg/sparse.h"

enum pair_measure { PAIR_DOT, PAIR_TANIMOTO };

struct sparse_product {
    const struct csr *a;        /* rows x places */
    const struct csr *b;        /* places x columns */
    const float *inner;         /* places, or NULL: ones */
    const float *row, *column;  /* rows and columns, or NULL: ones */
    enum pair_measure measure;
    float shrink;               /* 0: none */
    size_t kept;                /* 0: all */
    bool by_size;               /* negative ones too */
    bool diagonal;              /* v[r][r] too; else it is left out */
};

/* Columns ascend in each row. A step of the job is a row; it may cancel. Same bits with any number of threads. n is
 * exact up to 2^24. */
MUST_CHECK enum status sparse_product(const struct sparse_product *p, struct csr *out, struct job *job,
                                      struct error *err);

/* The product after a change of its operands: the bits that sparse_product makes of `after`, out of what it made of
 * `before` (old). Rows, columns and places of before are the first ones of after; measure, shrink, kept and the rest
 * are the same. *worth = false, and nothing made, where that would take more than half of the products. sparse_update.c
 */
MUST_CHECK enum status sparse_product_update(const struct sparse_product *before, const struct sparse_product *after,
                                             const struct csr *old, bool *worth, struct csr *out, struct job *job,
                                             struct error *err);

/* Bytes that it takes on the way, without the result. */
size_t sparse_product_bytes(size_t columns);

/* The same by plain loops in double over one dense row: what tests and benchmarks compare with. */
MUST_CHECK enum status sparse_product_reference(const struct sparse_product *p, struct csr *out, struct error *err);

/* Takes the k best (by value, those above 0, or by_size by |value|, those that are not 0; ties by place) of n > k
 * entries to the front, in their order, and sets *bar to the size of the last of them; returns how many. Leaves n <= k
 * alone. `space` has room for n. */
size_t best_entries(uint32_t *index, float *value, size_t n, size_t k, bool by_size, float *bar, uint32_t *space);

#endif
