/* Sums in double over some rows of a matrix in float: rows z_j = z + index[j] * k of k numbers, j below n. */
#ifndef TAILOR_LINALG_WIDE_SUMS_H
#define TAILOR_LINALG_WIDE_SUMS_H

#include <stddef.h>
#include <stdint.h>

/* out[0..k) = sum over j of times[j] z_j */
void wide_sum(double *out, const float *z, size_t k, const uint32_t *index, const double *times, size_t n);
/* out[j] = z_j.x */
void wide_dot(double *out, const float *z, size_t k, const uint32_t *index, const double *x, size_t n);
/* Rows of whole vectors (whole_vectors(k) numbers each, out aligned): times[j] scale z_j, then zeros. */
void wide_gather(float *out, const float *z, size_t k, const uint32_t *index, const double *times, size_t n,
                 const float *scale);

#endif
