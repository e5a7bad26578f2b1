/* Filter: the events for which a condition holds, as the next data set. */
#ifndef TAILOR_FEATURES_FILTER_H
#define TAILOR_FEATURES_FILTER_H

#include "base/job.h"
#include "data/dataset.h"

/* As the steps of data/shape.h. The condition is that of condition_read; errors mark their place in it. */
MUST_CHECK enum status filter_events(const struct dataset *d, const char *condition, struct job *job,
                                     struct dataset **out, struct error *err);

#endif
