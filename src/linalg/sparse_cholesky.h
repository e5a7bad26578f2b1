/* The complete factor of a large sparse symmetric matrix by CHOLMOD (Chen, Davis, Hager, Rajamanickam: Algorithm 887,
 * ACM TOMS 35(3), 2008), cut down to a sparse one afterwards: the other way to the factor of sparse_inverse.h. Nothing
 * is lost on the way to it, but on the way it takes the memory of all entries that fill in: of a matrix of pairs of
 * items nearly a dense triangle in double. */
#ifndef TAILOR_LINALG_SPARSE_CHOLESKY_H
#define TAILOR_LINALG_SPARSE_CHOLESKY_H

#include "linalg/sparse_inverse.h"

/* Is CHOLMOD in this build? */
bool sparse_cholesky_can(void);

/* Factorizes the matrix with ones on its diagonal and a[r][c], c > r, above it, and mirrored below (what a has below
 * counts for nothing). Rows are in the order of minimum degree; each column of L keeps its `kept` largest entries; the
 * diagonal is raised as sparse_factorize raises it, where rounding has made A indefinite. ST_NOMEM, with the bytes,
 * before the factor is begun, when its entries, which are counted first, take more than `room` bytes. May be cancelled
 * before that and after, not within the factorization. ST_UNSUPPORTED without CHOLMOD, ST_FORMAT when A is not of
 * finite numbers. Clear it, also after a failure. */
MUST_CHECK enum status sparse_cholesky(const struct csr *a, size_t kept, size_t room, struct sparse_factor *out,
                                       struct job *job, const char *what, struct error *err);

/* Bytes that it takes at most beside a with `entries` entries until it knows how many the factor has. */
size_t sparse_cholesky_bytes(size_t rows, size_t entries);

#endif
