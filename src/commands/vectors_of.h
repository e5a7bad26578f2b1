/* The vectors that a model has of items, or folds users into. */
#ifndef TAILOR_COMMANDS_VECTORS_OF_H
#define TAILOR_COMMANDS_VECTORS_OF_H

#include "commands/question.h"

/* Rows of vectors: items, or folded users. */
struct vectors {
    uint32_t *who;  /* n */
    float *x;       /* n x width */
    size_t n, width;
};

/* The one model that is asked: the one that is named, else the first in use that can answer. */
MUST_CHECK enum status vectors_pick(const struct call *call, const struct question *q, bool users,
                                    const struct model **out, struct error *err);
/* At most `most` users with a history, evenly over all of them (*all), and their vectors. Clear *p in every case, here
 * and below. */
MUST_CHECK enum status vectors_of_users(const struct model *m, const struct selection *s, size_t most,
                                        struct vectors *p, size_t *all, struct job *job, struct error *err);
/* Items with events (so many of each) and a vector, most events first. */
MUST_CHECK enum status vectors_of_items(const struct model *m, const size_t *events, struct vectors *p,
                                        struct error *err);
/* Makes vectors of items comparable with each other: the slot `scale`. */
MUST_CHECK enum status vectors_scale(const struct model *m, struct vectors *p, struct error *err);
void vectors_clear(struct vectors *p);

#endif
