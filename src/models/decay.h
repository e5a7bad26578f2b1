/* Fading with age: the parameter `half_life` of models that count events. */
#ifndef TAILOR_MODELS_DECAY_H
#define TAILOR_MODELS_DECAY_H

#include "models/model.h"

/* low, high: days that a search may choose from; both 0: none unless they are typed. */
#define HALF_LIFE_PARAM(low, high)                                                                                 \
    {                                                                                                              \
        .name = "half_life", .type = PARAM_DURATION, .tune_min = (low), .tune_max = (high), .log_scale = true,     \
        .doc = "age at which an event counts half, such as 30d; not given: all ages count the same"                \
    }

/* Ages run from the newest event of training; one without a time counts as old as the oldest. */
struct decay {
    double rate; /* per microsecond; 0: none */
    int64_t newest, oldest;
};

/* half_life, when given, is longer than nothing, and there are times. */
MUST_CHECK enum status decay_check(const struct model *m, const struct interactions *x, struct error *err);
struct decay decay_of(const struct model *m, const struct interactions *x);
/* 1 for the newest, 1/2 after a half-life. */
double decay_factor(const struct decay *d, int64_t time);

#endif
