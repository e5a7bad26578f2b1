/* The vectors of the histories that a model was trained on.
 *
 * Who judges a model, looks for the nearest users or draws their map asks for just these, again and again. A vector
 * that is found here has the bits that folding in gives, and a history is known by what it says, not by whose it is: the
 * model remains a function of histories. A model that was loaded or updated has none: it would have to fold all of them
 * in before it is known whether anybody asks, which is what its first evaluation spends on them (on Gowalla, a sixth of
 * it). */
#ifndef TAILOR_MODELS_USER_VECTORS_H
#define TAILOR_MODELS_USER_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct model;
struct query;
struct training;

struct user_vectors {
    size_t n, width;
    float *x;               /* n x width */
    uint64_t (*key)[2];     /* of each history: two hashes of its events, each of 64 bits */
    uint32_t *slot;         /* open addressing by the first hash: 1 + which vector; 0: free */
    size_t slots;           /* a power of two, at least 2 n */
};

/* Folds in the histories that m was trained on. *v stays empty where that is nothing to keep: for a class without
 * `fold`, for more than 64 MiB, and when the job is cancelled or memory is short, as the model is whole without. */
void user_vectors_fill(struct user_vectors *v, const struct model *m, const struct training *t);
void user_vectors_clear(struct user_vectors *v);
/* The memory that they take. */
uint64_t user_vectors_bytes(const struct user_vectors *v);
/* x[q * width ...] of queries[0..n) by the slot `fold` of m, as far as they are not kept. */
MUST_CHECK enum status user_vectors_fold(const struct user_vectors *v, const struct model *m,
                                         const struct query *queries, size_t n, float *x, struct error *err);

#endif
