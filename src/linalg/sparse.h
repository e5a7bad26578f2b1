/* Sparse matrices in compressed rows.
 *
 *   row r  ->  index[begin[r] .. begin[r + 1])  column numbers, ascending, no doubles
 *              value[...]                       the same places; NULL means all ones */
#ifndef TAILOR_LINALG_SPARSE_H
#define TAILOR_LINALG_SPARSE_H

#include <stdbool.h>
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

/* Where x stands in list[begin..end), ascending without doubles; SIZE_MAX: nowhere. */
static inline size_t index_find(const uint32_t *list, size_t begin, size_t end, uint32_t x)
{
    size_t low = begin, high = end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && list[low] == x ? low : SIZE_MAX;
}

/* The entry of row r in column c, or SIZE_MAX. */
static inline size_t csr_find(const struct csr *m, size_t r, uint32_t c)
{
    return index_find(m->index, m->begin[r], m->begin[r + 1], c);
}

/* Room for `rows` rows and `count` entries (begin zeroed, value only when with_value). Free with csr_clear. */
MUST_CHECK enum status csr_new(struct csr *m, size_t rows, size_t cols, size_t count, int with_value,
                               struct error *err);
void csr_clear(struct csr *m);
/* out = m', rows ascending within each column; counting sort, O(rows + cols + count). */
MUST_CHECK enum status csr_transpose(const struct csr *m, struct csr *out, struct error *err);
/* out = m with those rows alone whose mark is as wanted: the others are empty. */
MUST_CHECK enum status csr_rows_where(const struct csr *m, const uint8_t *mark, bool wanted, struct csr *out,
                                      struct error *err);
/* The same for marked columns. */
MUST_CHECK enum status csr_columns_where(const struct csr *m, const uint8_t *mark, struct csr *out, struct error *err);

/* A matrix whose rows are made in parallel, in any order of blocks: rows b * block ... of block b by one thread,
 * ascending. Without memory a row is lost, which is told when all are joined. */
struct csr_part {
    uint32_t *index;
    float *value;
    size_t n, index_capacity, value_capacity;
    bool failed;
};
struct csr_parts {
    size_t rows, cols, block;
    struct csr_part *part; /* one a block */
    size_t *count;         /* rows: entries */
};
MUST_CHECK enum status csr_parts_new(struct csr_parts *p, size_t rows, size_t cols, size_t block, struct error *err);
/* Row `row`, the next one of its block that is not empty: n columns, ascending, and their values (copied). */
void csr_parts_add(struct csr_parts *p, size_t row, const uint32_t *index, const float *value, size_t n);
MUST_CHECK enum status csr_parts_join(const struct csr_parts *p, struct csr *out, struct error *err);
void csr_parts_clear(struct csr_parts *p);

#endif
