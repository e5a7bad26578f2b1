/* A shopper of the world: traits, drifting tastes, and what they do when shown something. */
#ifndef TAILOR_SIM_SHOPPER_H
#define TAILOR_SIM_SHOPPER_H

#include "sim/world.h"

struct interest_slot {
    uint8_t interest, next; /* next == interest: at rest */
    float weight, ramp;     /* ramp 0..1: share of `next` */
};

/* What a shopper knows of one item; kept for the items met. */
struct met {
    uint8_t shown;   /* times shown without a click since the last one, saturating */
    uint16_t bought; /* day of the last purchase + 1; 0: never */
};

struct shopper {
    uint32_t user;
    uint8_t country, device, age;
    uint32_t joins; /* day */
    float rate;     /* sessions a day */
    float price;    /* price sensitivity */
    float hour;     /* favourite hour of the day */
    unsigned nslots;
    struct interest_slot slot[SLOTS];
    float style[STYLES];
    float taste[INTERESTS];       /* of today */
    double pages[MAX_CATEGORIES]; /* running sums: which category page today */
    double pleasure;              /* running mean of the pleasure of sessions, 0..1 */
    bool left;
    struct met *met;   /* one an item, all zero between shoppers */
    uint32_t *touched; /* items with a mark in met */
    uint32_t ntouched;
};

/* Room for one shopper at a time. */
MUST_CHECK enum status shopper_new(const struct world *w, struct shopper *s, struct error *err);
void shopper_clear(struct shopper *s);

/* Begins the life of `user` on the day they join. */
void shopper_born(const struct world *w, struct shopper *s, uint32_t user);
/* Lets a day pass: tastes drift. Call for each day from `joins` on, in order; r is the stream of that (user, day). */
void shopper_wake(const struct world *w, struct shopper *s, uint32_t day, struct rng *r);
/* Sessions today; when there are any, settles tastes and pages for the day. */
unsigned shopper_sessions(const struct world *w, struct shopper *s, uint32_t day, struct rng *r);
/* Slates in a session; the page of one. */
unsigned shopper_slates(const struct world *w, struct rng *r);
unsigned shopper_page(const struct world *w, const struct shopper *s, struct rng *r);

struct response {
    bool click, cart;
    uint8_t quantity; /* bought; 0: not */
};

/* Probability that this shopper clicks `item` once they look at it. */
double shopper_attraction(const struct world *w, const struct shopper *s, uint32_t item, uint32_t day);
/* Looks through a slate: fills response[0 .. slate->n) and remembers. Draws the same number of random numbers a
 * position whatever happens, so that two policies that show the same get the same answer. */
void shopper_browse(const struct world *w, struct shopper *s, const struct slate *slate, uint32_t day, struct rng *r,
                    struct response *response);
/* Ends a session of `slates` slates with so many clicks: the pleasure, and perhaps leaving for good. */
void shopper_leave(const struct world *w, struct shopper *s, unsigned slates, unsigned clicks, struct rng *r);

/* The streams of a life: a day of one's own, and one for each session (what a slate is answered with). */
struct rng shopper_day_stream(const struct world *w, uint32_t user, uint32_t day);
struct rng shopper_session_stream(const struct world *w, uint32_t user, uint32_t day, unsigned session,
                                  const char *purpose);

#endif
