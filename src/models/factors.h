/* The body of every model whose score is a product of two vectors: one of the history, one of the item.
 *
 * A bias of items is one more component, for which the vector of every history holds 1: it comes last, and likeness of
 * items leaves it out. */
#ifndef TAILOR_MODELS_FACTORS_H
#define TAILOR_MODELS_FACTORS_H

#include "linalg/dense.h"
#include "linalg/ridge.h"
#include "models/model.h"

struct factors {
    size_t nitems, k;   /* k: with the bias */
    bool bias;          /* the last component is one */
    float *y;           /* nitems x k */
    struct dots panels; /* y, arranged for scoring; as of the last factors_pack */
};

/* Room for y, not filled. Clear it also after a failure. */
MUST_CHECK enum status factors_new(struct factors *f, size_t nitems, size_t k, bool bias, struct error *err);
void factors_clear(struct factors *f);
/* After every change of y, before it is scored with. */
MUST_CHECK enum status factors_pack(struct factors *f, struct error *err);

/* The slot `score` of a class that has `fold`: folds the histories in, then multiplies. */
MUST_CHECK enum status factors_score(const struct factors *f, const struct model *m, const struct query *queries,
                                     size_t n, float *scores, struct error *err);
/* The slot `explain` of a class that folds histories in by ridge regression on their items, the set. */
MUST_CHECK enum status factors_explain(const struct ridge *r, const struct ridge_set *set, const struct model *m,
                                       const struct query *q, uint32_t item, struct explanation *out,
                                       struct error *err);
/* The slot `similar`: cosine of the item vectors; -inf where one of them is zero. scale (k): what multiplies the
 * components before; NULL: nothing. */
void factors_similar(const struct factors *f, const float *scale, uint32_t item, float *similarity);
/* The slot `vectors`. */
static inline const float *factors_vectors(const struct factors *f, size_t *width)
{
    *width = f->k;
    return f->y;
}

/* One section "item-vectors". Loading allocates and packs; sizes are checked. */
MUST_CHECK enum status factors_save(const struct factors *f, struct blob_writer *w, struct error *err);
MUST_CHECK enum status factors_load(struct factors *f, const struct model *m, size_t k, bool bias,
                                    struct blob_reader *r, struct error *err);

/* a . b in double, for the few that are not worth a kernel. */
static inline double factors_product(const float *a, const float *b, size_t k)
{
    double s = 0;
    for (size_t f = 0; f < k; f++)
        s += (double)a[f] * b[f];
    return s;
}

/* The vectors of users, width floats each, between two epochs: what the slot `pause` writes, and `resume` reads. */
MUST_CHECK enum status factors_pause(const float *x, size_t users, size_t width, struct blob_writer *w,
                                     struct error *err);
MUST_CHECK enum status factors_resume(float *x, const struct model *m, size_t width, struct blob_reader *r,
                                      struct error *err);

#endif
