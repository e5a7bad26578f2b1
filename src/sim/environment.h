/* An environment: the people a policy is tried on. There are two: the made-up shop going on after its log ends, with
 * known truth, and a world fitted to whatever data is loaded.
 *
 * A guest is one person of the environment, living day by day; randomness is handed in, so that every policy meets the
 * same people with the same luck (common random numbers). Items and users are those of the data set. */
#ifndef TAILOR_SIM_ENVIRONMENT_H
#define TAILOR_SIM_ENVIRONMENT_H

#include "base/job.h"
#include "data/dataset.h"
#include "sim/shopper.h"

struct guest;
struct environment;

struct environment_class {
    const char *name; /* "shop", "fitted" */
    /* Room for one guest at a time; one a thread. */
    enum status (*guest_new)(const struct environment *e, struct guest **out, struct error *err);
    void (*guest_free)(struct guest *g);
    /* The guest becomes `user`, as they are when the data ends. */
    enum status (*arrive)(const struct environment *e, struct guest *g, uint32_t user, struct error *err);
    /* A day begins (0 is the first after the data); returns the visits of that day. */
    unsigned (*visits)(const struct environment *e, struct guest *g, uint32_t day, struct rng *r);
    /* Slates of a visit. */
    unsigned (*slates)(const struct environment *e, struct guest *g, struct rng *r);
    /* Looks through item[0..n), n <= MAX_SLATE. Draws the same number of random numbers whatever the items. */
    void (*browse)(const struct environment *e, struct guest *g, const uint32_t *item, unsigned n, uint32_t day,
                   struct rng *r, struct response *response);
    /* The visit ends. */
    void (*leave)(const struct environment *e, struct guest *g, unsigned slates, unsigned clicks, struct rng *r);
    /* Truth: the probability that this guest clicks each item once they look at it. */
    void (*attraction)(const struct environment *e, struct guest *g, uint32_t day, float *out);
    void (*free)(struct environment *e);
};

enum { ENVIRONMENT_NOTES = 12 };

struct environment {
    const struct environment_class *class;
    struct dataset *data;              /* held */
    int64_t start;                     /* midnight after the data; NO_TIME when it has no times */
    float *price;                      /* an item: what a purchase brings, NaN unknown; NULL when nothing has a price */
    bool purchases;                    /* do people buy here, or only click? */
    uint16_t click, cart, purchase;    /* event types that come back into histories */
    char note[ENVIRONMENT_NOTES][240]; /* what was measured and what is assumed, for people */
    size_t nnotes;
    void *state;
};

/* The shop behind `d`, when its truth can be told: data of `generate` or the bundled shop. ST_UNSUPPORTED with the
 * reason else. */
MUST_CHECK enum status environment_shop(struct dataset *d, struct environment **out, struct error *err);

/* What cannot be measured in every data set; NaN: measure, or the documented default where nothing can be measured. */
struct fit_options {
    double visits; /* sessions a user a day */
    double ctr;    /* clicks an impression under what the users were shown in the past */
    double decay;  /* position bias */
    unsigned slate;
    uint64_t seed;
};
/* A world fitted to the feedback in `d`; see fitted.c for the model. */
MUST_CHECK enum status environment_fit(struct dataset *d, const struct fit_options *o, struct job *job,
                                       struct environment **out, struct error *err);

void environment_free(struct environment *e); /* NULL is fine */

/* For those who make one. */
MUST_CHECK enum status environment_new(const struct environment_class *class, struct dataset *d,
                                       struct environment **out, struct error *err);
void environment_note(struct environment *e, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
