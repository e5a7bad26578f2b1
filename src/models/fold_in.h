/* How close folding in comes to what training itself gave the users it saw. */
#ifndef TAILOR_MODELS_FOLD_IN_H
#define TAILOR_MODELS_FOLD_IN_H

#include "models/model.h"

/* *overlap = mean rank-biased overlap (p = .9, extrapolated; linalg/topk.h) of two lists of 20 a user: the user's
 * history of training, folded in as any history is, against the class's native scores; items of the history are in
 * neither. Over a sample of users that the seed fixes: 1,000 of them, or fewer where there are very many items, or all
 * there are. NaN where the class has no native scores. Before `end`: needs what training holds. The job may cancel. */
MUST_CHECK enum status fold_in_measure(const struct model *m, const struct training *t, double *overlap,
                                       struct error *err);

#endif
