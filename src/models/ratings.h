/* Ratings: how models that predict them read events.
 *
 * The rating of a pair is the value of its latest event that has a finite one; events without a value rate nothing, and
 * only events that count as feedback are looked at. A history is read the same way. */
#ifndef TAILOR_MODELS_RATINGS_H
#define TAILOR_MODELS_RATINGS_H

#include "models/model.h"

struct ratings {
    struct csr by_user; /* users x items; the value is the rating less the mean */
    struct csr by_item; /* items x users */
    double mean;        /* of all ratings */
    double deviation;   /* standard deviation of all ratings; 1 when they are all equal */
};

MUST_CHECK enum status ratings_build(const struct selection *s, struct ratings *out, struct error *err);
void ratings_clear(struct ratings *r);

/* The histories as rows of a matrix of ratings less `mean`, items ascending; csr_clear. With `unrated` also those items
 * of the history that have no rating, with NaN. */
MUST_CHECK enum status ratings_of_queries(const struct query *queries, size_t n, size_t nitems, double mean,
                                          bool unrated, struct csr *out, struct error *err);

/* ST_STATE when nothing that a class that predicts ratings would learn from is rated. The second: for its `check`. */
MUST_CHECK enum status ratings_there(const struct model_class *class, const struct selection *s, struct error *err);
MUST_CHECK enum status ratings_check(const struct model *m, const struct training *t, struct error *err);

#endif
