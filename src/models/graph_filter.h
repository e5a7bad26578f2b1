/* The body of models that filter a history on the graph of items: a polynomial of a normalized item-item matrix, and an
 * ideal low-pass filter (a projection on its leading eigenvectors).
 *
 *     R~ = D_U^-1/2 R D_I^-1/2      D: row and column sums of R (users x items; ones, or weights)
 *     P  = R~'R~                    eigenvectors V = right singular vectors of R~, eigenvalues in [0, 1]
 *     score(h) = h p(P)  +  beta * h D_I^-1/2 V V' D_I^1/2 q(P)        h: 1 or weight per item of the history; p, q:
 * polynomials
 *
 * P is never made: a product with it is a product with R and one with R'. Batches go through them thirty-two histories
 * at a time. V' D_I^1/2 q(P) is computed once. Everything is linear in h, so explanations are exact: entry (j, i) of
 * the operator. */
#ifndef TAILOR_MODELS_GRAPH_FILTER_H
#define TAILOR_MODELS_GRAPH_FILTER_H

#include "linalg/dense.h"
#include "linalg/sparse.h"
#include "models/model.h"

enum { FILTER_DEGREE_MAX = 24 };

struct polynomial {
    size_t degree;
    double c[FILTER_DEGREE_MAX + 1]; /* c[n] x^n */
};

/* a * b; the degrees must fit. */
struct polynomial polynomial_times(const struct polynomial *a, const struct polynomial *b);

/* What a class makes of its parameters. */
struct filter_shape {
    struct polynomial p, q;
    size_t k; /* vectors of the low-pass filter; 0: none */
    double beta;
    bool weigh;
};

struct graph_filter {
    struct filter_shape shape;
    struct csr users, items;        /* R and R'; values only when weighed */
    float *user_inverse;            /* 1 / D_U, 0 without events */
    float *item_root, *item_inverse; /* D_I^-1/2, 1 / D_I */
    size_t k;                       /* vectors there are */
    float *v;                       /* items x k */
    struct dots smooth;             /* (q(P) D_I^1/2 V), packed for scoring */
};

/* The slots. `train` is all of an epoch; `load` reads what `save` wrote. */
MUST_CHECK enum status graph_filter_new(struct model *m, const struct filter_shape *shape, struct error *err);
MUST_CHECK enum status graph_filter_train(struct model *m, const struct training *t, struct error *err);
/* The parameter `factors`, and what it is when nobody said: twice the root of the shorter side. That many, and no more,
 * did best on validation parts of MovieLens 100K (61) and Gowalla (345), where the right number differs by far. */
#define FILTER_FACTORS_PARAM(WHEN)                                                                                                                                               \
    {                                                                                                                                                                            \
        .name = "factors", .type = PARAM_INT, .min = 0, .max = 4096, .tune_min = 16, .tune_max = 1024,                                                                           \
        .log_scale = true, .when = WHEN,                                                                                                                                         \
        .doc =                                                                                                                                                                   \
            "singular vectors of the ideal low-pass filter; 0: without that filter; when not given, twice the square root of the number of users or items, whichever is smaller" \
    }
size_t graph_filter_factors(const struct model *m);
size_t graph_filter_bytes(const struct model *m, const struct training *t, size_t k);
enum status graph_filter_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                               struct error *err);
enum status graph_filter_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                 struct error *err);
const float *graph_filter_vectors(const struct model *m, size_t *width);
/* h D_I^-1/2 V: what the low-pass filter keeps of a history, before it is spread to the items again. */
enum status graph_filter_project(const struct model *m, const struct query *queries, size_t n, float *x,
                                 struct error *err);
/* The singular values |R~ v|: with them, products of items are the entries of P as far as V has them. */
enum status graph_filter_scale(const struct model *m, float *scale, struct error *err);
enum status graph_filter_save(const struct model *m, struct blob_writer *w, struct error *err);
MUST_CHECK enum status graph_filter_load(struct model *m, struct blob_reader *r, struct error *err);
void graph_filter_free(struct model *m);

#endif
