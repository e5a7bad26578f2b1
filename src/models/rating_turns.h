/* The turns of an epoch of svd and svdpp (rating_factors.h): users and items by least squares a row, all y together by
 * conjugate gradients. */
#ifndef TAILOR_MODELS_RATING_TURNS_H
#define TAILOR_MODELS_RATING_TURNS_H

#include "models/rating_factors.h"

/* The rows of one side, with what is fixed of the other: targets are rows.value / deviation - offset[column] - part of
 * z. */
struct rating_side {
    const struct csr *rows;
    const float *design; /* columns x (f + 1): vector, then 1 */
    const float *offset; /* columns: their biases */
    const float *z;      /* rows x f, or NULL: known of the vector of a row before */
    size_t f;
    double deviation, lambda, nu, lambda_bias;
};

/* The users whose ratings are the rows, before the items as they stand. */
struct rating_side rating_users_of(const struct rating_factors *s, const struct csr *rows, const float *z);
/* All rows of a side: vector rows x (f + 1) (the last stays 1), bias rows. job may be NULL; can be cancelled. */
MUST_CHECK enum status rating_solve_rows(const struct rating_side *side, float *vector, float *bias, struct job *job,
                                         struct error *err);
/* out (rows x f): |N|^-1/2 times the sum of the rows of y that each row of `had` names. */
void rating_sum_had(const struct csr *had, const float *y, size_t f, float *out);
/* work->x = p + z, where there are y. */
void rating_join_users(struct rating_factors *s);
/* The turn of y: a few steps of conjugate gradients from where they stand; then z and x of all users. */
MUST_CHECK enum status rating_solve_implied(struct rating_factors *s, struct error *err);
/* w = A^-1 (q_i, 1) (f + 1 numbers), so that (p_u, b_u) . (q_i, 1) is the sum over ratings of target times w . (q_j,
 * 1); `rated` has one row. */
MUST_CHECK enum status rating_explaining_vector(const struct rating_factors *s, const struct csr *rated, uint32_t item,
                                                float *w, struct error *err);
/* a . b, summed in double. */
double rating_product(const float *a, const float *b, size_t n);
/* to += by along. */
void rating_step(float *to, double by, const float *along, size_t n);

#endif
