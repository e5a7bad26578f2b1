/* Stochastic gradient descent on vectors of users and items, in parallel, with the same bits for any number of threads.
 *
 * Users are dealt into G blocks and items into TILES * G tiles, by number of events, so that all have about as many.
 * For an epoch a random order of the tiles makes G groups of TILES of them. In round r of its G rounds block b of the
 * users learns from its events with group (b + r) mod G, and draws its negatives from that group: the G tasks of a
 * round touch different rows, so they run in parallel on the parameters themselves, as Gemulla et al. (KDD 2011) and
 * LIBMF do, and nothing depends on who is first. Every epoch makes other groups, so that all items meet each other. A
 * task has a random stream of its own.
 *
 * What is learnt from an event is the class's: BPR, WARP and logistic factorization are one function each. */
#ifndef TAILOR_MODELS_SGD_H
#define TAILOR_MODELS_SGD_H

#include "base/job.h"
#include "base/rng.h"
#include "linalg/kernel.h"
#include "linalg/sparse.h"
#include "linalg/steps.h"

struct sgd_event {
    uint32_t user, item;
};

struct sgd_sign {
    uint32_t begin, shift;
};

struct sgd {
    size_t users, items, k, width; /* rows of x and y are step_width(k) floats */
    float *x, *y, *bias;           /* users x width, items x width, items */
    const struct csr *seen;        /* users x items; not owned */
    const struct step_kernels *kernels;
    uint64_t seed;
    size_t groups;
    struct sgd_event *events; /* by (block of users, tile), a random order within */
    size_t *event_begin;      /* groups * tiles + 1 */
    uint32_t *tile_items;     /* items by tile */
    size_t *tile_begin;       /* tiles + 1 */
    struct sgd_sign *sign;    /* of users: where their bits are */
    uint64_t *sign_words;     /* a bit for each of their items, by hash */
};

/* One block of users with one group of items. */
struct sgd_task {
    struct sgd *s;
    const void *context;   /* of sgd_epoch */
    struct rng rng;
    uint64_t bits;         /* drawn and not used up */
    const uint32_t *items; /* of the group */
    size_t nitems;
    float rate;            /* learning rate of this epoch */
    double loss;           /* added up by the learner */
    size_t terms;          /* that the loss is the sum of */
};

/* At most so many events are handed to a learner at once: it draws for all of them first, and asks for the rows that it
 * will need ahead of time. */
enum { SGD_BATCH = 16 };
typedef void sgd_learner(struct sgd_task *t, const struct sgd_event *events, size_t n);

/* Item vectors of k factors drawn from N(0, spread^2 / k); users begin at 0, so that theirs are made of what they took
 * and did not take alone, as those of a history are. Biases 0. `seen` stays the caller's and must outlive s. */
MUST_CHECK enum status sgd_new(struct sgd *s, const struct csr *seen, size_t k, double spread, uint64_t seed,
                               struct error *err);
void sgd_clear(struct sgd *s);
/* Bytes that sgd_new takes. */
size_t sgd_bytes(size_t users, size_t items, size_t k, size_t events);

/* One pass over the events in an order of its own. *loss: mean over the terms. ST_CANCELLED leaves the parameters
 * half-way. */
MUST_CHECK enum status sgd_epoch(struct sgd *s, sgd_learner *learner, const void *context, size_t epoch, double rate,
                                 struct job *job, double *loss, struct error *err);

/* For learners: an item of the group, uniformly, that the user has not; NO_ITEM when many draws found none. */
uint32_t sgd_negative(struct sgd_task *t, uint32_t user);
static inline void sgd_prefetch(const float *row, size_t width)
{
    for (size_t f = 0; f < width; f += LANES)
        __builtin_prefetch(row + f, 1);
}

#endif
