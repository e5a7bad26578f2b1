/* The inner loops of stochastic gradient descent on the rows of two matrices of factors.
 *
 * A row is `width` floats, a multiple of LANES, aligned to 64 bytes; what is past the factors is zero and stays so. All
 * functions run on the calling thread and need no memory. */
#ifndef TAILOR_LINALG_STEPS_H
#define TAILOR_LINALG_STEPS_H

#include <stddef.h>

struct step_kernels {
    /* x . y */
    float (*dot)(const float *x, const float *y, size_t width);
    /* x . (a - b) */
    float (*lead)(const float *x, const float *a, const float *b, size_t width);
    /* Of LANES values d: slope = 1 / (1 + exp(d)), which is minus the derivative of loss = log(1 + exp(-d)). Within
     * 4e-7 of them, relative to slope, and to loss + 1e-7; d beyond +-80 counts as that. */
    void (*logistic)(const float *d, float *slope, float *loss);
    /* One step on the pair "x takes a before b": all three are shrunk by the factor `keep`, then, with the rows as they
     * were before, x gains step (a - b), a gains step x, b loses step x. */
    void (*pair)(float *x, float *a, float *b, size_t width, float step, float keep);
    /* One step on a single product: both are shrunk by `keep`, then x gains step y, and y gains step x as it was. */
    void (*point)(float *x, float *y, size_t width, float step, float keep);
};

/* For this CPU. */
const struct step_kernels *step_kernels(void);
/* Plain loops, to compare with: the same up to rounding. */
extern const struct step_kernels step_reference;

/* Floats of a row of k factors. */
size_t step_width(size_t k);

#endif
