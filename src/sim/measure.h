/* What a log says about the people in it: how often they come, how long they stay, where they look. */
#ifndef TAILOR_SIM_MEASURE_H
#define TAILOR_SIM_MEASURE_H

#include "data/dataset.h"

#define VISIT_GAP (INT64_C(30) * 60 * US_PER_SECOND) /* events this far apart belong to two visits */

struct visits {
    uint64_t visits, clicks; /* clicks: feedback events */
    double rate, shape;      /* visits a user a day: gamma with this mean and shape over users, by moments */
    double *user_rate;       /* posterior mean of each user's own rate (Poisson counts, gamma prior); mem_free */
    double per_visit;        /* clicks */
    double return_gain; /* log(days to the next visit) falls by so much a unit of log(1 + clicks of this one), within
                         * users; >= 0 */
};
/* ST_UNSUPPORTED when the data has no times. */
MUST_CHECK enum status measure_visits(const struct dataset *d, struct visits *out, struct error *err);

struct exposure {
    uint64_t impressions, clicks; /* 0 impressions: the log does not say what was shown */
    double ctr;
    double length; /* impressions a visit, over the visits of feedback or impressions */
    double decay;  /* position k gets clicks in proportion to k^-decay; NaN: no positions */
};
MUST_CHECK enum status measure_exposure(const struct dataset *d, uint16_t click, struct exposure *out,
                                        struct error *err);

#endif
