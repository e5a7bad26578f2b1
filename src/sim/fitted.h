/* A fitted world from the inside. For fitted.c and fitted_taste.c alone. */
#ifndef TAILOR_SIM_FITTED_H
#define TAILOR_SIM_FITTED_H

#include <math.h>

#include "models/history.h"
#include "sim/environment.h"

enum { TASTE_FACTORS = 32 };

struct fitted {
    struct dataset *d;
    struct model *taste;
    float *fame;            /* log popularity, centred */
    double *cumulative;     /* running sums of popularity: drawing items as the past showed them */
    double mean, deviation; /* of the scores */
    double slope, fame_slope, level, again;
    double *user_rate;
    double slates, decay, ctr, pleasure, return_gain, buy, cart;
    double examined[MAX_SLATE];
};

struct guest {
    float *score, *attraction;
    struct history history;
    double rate, mood; /* mood: log factor on the rate */
};

static inline double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static inline struct selection everything(const struct dataset *d)
{
    return (struct selection){.data = d, .parts = PART_TRAIN, .until = NO_TIME};
}

MUST_CHECK enum status fitted_guest_new(const struct environment *e, struct guest **out, struct error *err);
void fitted_guest_free(struct guest *g);
/* What the factorization says to the user's events of the selection, into g->score. */
MUST_CHECK enum status fitted_score(const struct fitted *f, struct guest *g, const struct selection *s, uint32_t user,
                                    struct error *err);
/* Log odds of a click but for the level. */
double fitted_odds(const struct fitted *f, const float *score, uint32_t item);
/* Fits slope, fame_slope and level; the popularities and the click rate are known. fitted_taste.c */
MUST_CHECK enum status fitted_taste(struct environment *e, const struct fit_options *o, struct job *job,
                                    struct error *err);

#endif
