/* Baseline ratings: mean of all + bias of the user + bias of the item.
 *
 *     b_i = sum over users of (r_ui - mean - b_u) / (lambda_item + n_i)
 *     b_u = sum over items of (r_ui - mean - b_i) / (lambda_user + n_u)
 *
 * in turns (alternating least squares), items first, as Koren: Factor in the neighbors, TKDD 4 (2010), section 2.1. The
 * last turn is that of the users, so the bias of a history is that of the user it belongs to, to the bit. */
#ifndef TAILOR_MODELS_BASELINE_H
#define TAILOR_MODELS_BASELINE_H

#include "models/ratings.h"

struct baseline {
    double mean, lambda_user;
    bool users; /* users have a bias */
    size_t nitems;
    double *item; /* biases */
};

struct baseline_terms {
    bool users, items;
    double lambda_user, lambda_item;
    size_t epochs;
};

/* user (users of r, or NULL) receives their biases. */
MUST_CHECK enum status baseline_fit(const struct ratings *r, const struct baseline_terms *terms, struct baseline *out,
                                    double *user, struct error *err);
void baseline_clear(struct baseline *b);
/* Bias of somebody with these ratings (less the mean). */
double baseline_user(const struct baseline *b, const uint32_t *item, const float *rating, size_t n);

/* The terms of the baseline of an item for one row of ratings (less the mean): the mean, the bias of the item, and by
 * item of the history that of the user. `out` has room for row + 2. */
void baseline_steps(const struct baseline *b, const struct csr *row, uint32_t item, struct steps *out);
#define BASELINE_FORMULA "score = mean + b[i] + sum over the n rated j of (r[j] - mean - b[j]) x 1 / (lambda_user + n)"

MUST_CHECK enum status baseline_save(const struct baseline *b, struct blob_writer *w, struct error *err);
MUST_CHECK enum status baseline_load(struct baseline *b, size_t nitems, struct blob_reader *r, struct error *err);

#endif
