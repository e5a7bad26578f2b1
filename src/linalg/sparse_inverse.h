/* A sparse approximate inverse of a large symmetric positive definite matrix, by way of a sparse triangular factor
 * (Spisak et al., RecSys 2023).
 *
 *     Q A Q' + shift I  ~  L D L'      incomplete: each column of L keeps its `kept` largest entries (Lin and More
 * 1999) M ~ L^-1                         by columns, minimal residual: each keeps its `kept` largest entries A^-1  ~ Q'
 * M' D^-1 M Q
 *
 * Q puts rows with few entries first, so that they fill little. Nothing is ever dense: A's fill would be, long before a
 * complete factorization ends. Where dropping has made A indefinite the diagonal is raised, by 0.001 and then fourfold,
 * until all of D is positive (Manteuffel 1980). Kept everything, it is the inverse up to the residual. */
#ifndef TAILOR_LINALG_SPARSE_INVERSE_H
#define TAILOR_LINALG_SPARSE_INVERSE_H

#include "base/job.h"
#include "linalg/sparse.h"

struct sparse_factor {
    struct csr l;   /* row j: column j of L below its diagonal of ones, in the order of Q */
    float *d;       /* the diagonal of D */
    uint32_t *item; /* item[j]: row of A that is the j-th of Q */
    uint32_t *rank; /* the other way round */
    float shift;    /* by which the diagonal was raised */
};

/* Factorizes the matrix with ones on its diagonal and elsewhere a[r][c] where row r or row c has it (both may; they
 * agree). A step of the job is a column. ST_FORMAT when A is not of finite numbers. Clear it, also after a failure. */
MUST_CHECK enum status sparse_factorize(const struct csr *a, size_t kept, struct sparse_factor *out, struct job *job,
                                        const char *what, struct error *err);
void sparse_factor_clear(struct sparse_factor *f);

/* out: row r is the column of M that belongs to row r of A, its columns in the order of Q. From 2 I - L on, `sweeps`
 * times: m moves along its residual e - L m, of which it takes the `kept` largest entries, as far as that makes it
 * smallest. The same bits with any number of threads. */
MUST_CHECK enum status sparse_invert(const struct sparse_factor *f, size_t kept, size_t sweeps, struct csr *out,
                                     struct job *job, const char *what, struct error *err);
/* The same column by plain loops in double, into m[0 .. rows). */
MUST_CHECK enum status sparse_invert_reference(const struct sparse_factor *f, size_t row, size_t kept, size_t sweeps,
                                               double *m, struct error *err);

/* Bytes that factor and inverse take at most, with what they are made in. */
size_t sparse_inverse_bytes(size_t rows, size_t kept);

#endif
