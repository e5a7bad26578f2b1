/* What the Compare view shows: a comparison of all models, and two of them up close.
 *
 * All of it is what the command `compare` makes (commands/compare.h). What takes long runs on the worker, out of a
 * struct that nobody else looks at meanwhile (compare_asked); what takes a blink, the values of users, is taken when
 * the pair is chosen. */
#ifndef TAILOR_SCREEN_COMPARE_DATA_H
#define TAILOR_SCREEN_COMPARE_DATA_H

#include "commands/compare.h"

enum { COMPARE_COMMAND = 320, COMPARE_BY = 80 };

/* A comparison that several look at: what is on show, and questions about it. Counted on the thread of the screen
 * alone. */
struct compare_held {
    struct compare compare;
    size_t holds;
};
struct compare_held *compare_hold(struct compare_held *c);
void compare_release(struct compare_held *c); /* the last one closes it; NULL is fine */

/* Two models in segments of users, or of items. */
struct compare_segments {
    char by[COMPARE_BY];
    size_t x, y;            /* entries of the comparison; x less y */
    char recall[32];        /* of items: the metric; "": of users, by that which decides */
    struct cohorts cohorts;
    struct difference *differences; /* cohorts.n */
};
void compare_segments_clear(struct compare_segments *s);

/* One question to the worker, and its answer. */
struct compare_asked {
    struct workbench *wb;
    char command[COMPARE_COMMAND];
    bool anew; /* the comparison itself, then its segments; else segments of `held`, which is only looked at */
    char x[64];               /* the model whose row is chosen; "": any */
    struct compare_held *held;
    struct result *words;     /* anew: what can be claimed */
    struct result *notes;     /* anew: what was left out, and what is not in the numbers */
    struct compare_segments segments;
};
/* On the worker: fills in what is asked for. */
enum status compare_work(void *asked, struct error *err);
void compare_asked_free(struct compare_asked *a); /* with all that was not taken out of it */

/* The entry that stands against the reference when the row of `name` is chosen: itself, or for the reference (and any
 * other name) the best of the others. Equal to the reference when there is no other. */
size_t compare_rival(const struct comparison *c, const char *name);

/* The users of two entries. */
struct compare_pair {
    size_t x, y;
    uint32_t *order; /* users with values under both, who loses most by x first */
    size_t n, above, below; /* of them: better, worse by x */
    double low, high; /* ends of the values of both */
};
MUST_CHECK enum status compare_pair_make(const struct comparison *c, size_t x, size_t y, struct compare_pair *out,
                                         struct error *err);
void compare_pair_clear(struct compare_pair *p);

/* The next (or with step -1 the one before) of what users or items can be told apart by, after `by`; "" when there is
 * nothing. */
void compare_next_by(const struct compare *c, char by[COMPARE_BY], int step);

#endif
