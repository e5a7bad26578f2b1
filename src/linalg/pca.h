/* Principal components: the directions in which rows differ most, for pictures of vectors. */
#ifndef TAILOR_LINALG_PCA_H
#define TAILOR_LINALG_PCA_H

#include <stddef.h>

#include "base/error.h"

/* Of y (rows x k, row-major) less its mean: the leading `wanted` <= k eigenvectors of the covariance into axis (wanted
 * x k), of length 1, the places of the rows along them into at (rows x wanted), and each one's share of the variance
 * into share (wanted; 0 where all rows are alike). Each axis points to where the row farthest from the middle is. In
 * double, on the calling thread. */
MUST_CHECK enum status pca(const float *y, size_t rows, size_t k, size_t wanted, double *axis, double *at,
                           double *share, struct error *err);

#endif
