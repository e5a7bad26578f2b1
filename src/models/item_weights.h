/* The body of every model whose score is a sum of sparse rows:
 *
 *     score(h, i) = sum over j in h of  v_j * W[j][i]        v_j: 1, or the weight in the history (values=weight)
 *
 * The state of such a model is a struct item_weights, or begins with one, and the functions below are its slots. A
 * class has begin and epoch of its own, which call item_weights_new and fill `rows`: by linalg/sparse_product.h, or by
 * struct csr_parts when they come from elsewhere. Weights may have any sign; they are finite. */
#ifndef TAILOR_MODELS_ITEM_WEIGHTS_H
#define TAILOR_MODELS_ITEM_WEIGHTS_H

#include "linalg/sparse_product.h"
#include "models/model.h"

struct item_weights {
    struct csr rows; /* nitems x nitems, with values: row j is what an event on item j adds to the others */
    bool weigh;      /* v_j is the weight */
};

/* What a parameter `values` of such a class says. */
#define VALUES_PARAM                                                                            \
    {                                                                                           \
        .name = "values", .type = PARAM_ENUM, .initial = "binary", .choices = "binary|weight",  \
        .doc = "count an item of a history once, or by the summed weight of its events"         \
    }
enum { VALUES_BINARY, VALUES_WEIGHT };

/* m->state = an empty one; `weigh` by the parameter `values`, where the class has it. */
MUST_CHECK enum status item_weights_new(struct model *m, struct error *err);
/* The product of the matrix with itself that the rows are. */
struct item_product {
    struct csr x, xt;                      /* users by items, and the other way; values NULL: ones */
    float *user, *source, *target;         /* what users, rows and columns are scaled by; NULL: not at all */
    struct sparse_product product;         /* of these */
};
/* Fills p from what there is to learn from. What it has made is cleared by the caller, also after an error. */
typedef enum status item_product_maker(const struct model *m, const struct interactions *in, struct item_product *p,
                                       struct error *err);
/* p->x = the matrix, with its values or without. */
MUST_CHECK enum status item_product_copy(const struct interactions *in, bool with_values, struct item_product *p,
                                         struct error *err);
/* For epoch: the rows, by this product. */
MUST_CHECK enum status item_weights_train(struct model *m, const struct training *t, item_product_maker *make,
                                          struct error *err);
/* For the slot `update`: the bits that training makes, out of the rows that change alone (sparse_product_update). */
MUST_CHECK enum status item_weights_update(struct model *m, const struct update *u, item_product_maker *make,
                                           bool *worth, struct error *err);
/* A slot `check` for classes that take the `neighbours` best of each row of a product of the matrix with itself
 * (linalg/sparse_product.h): an upper bound, without the pairs that no user has. */
MUST_CHECK enum status item_weights_check(const struct model *m, const struct training *t, size_t *bytes,
                                          struct error *err);
enum status item_weights_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                               struct error *err);
const struct csr *item_weights_rows(const struct model *m, bool *weigh);
enum status item_weights_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                 struct error *err);
enum status item_weights_similar(const struct model *m, uint32_t item, float *similarity, struct error *err);
enum status item_weights_save(const struct model *m, struct blob_writer *w, struct error *err);
enum status item_weights_load(struct model *m, struct blob_reader *r, struct error *err);
void item_weights_free(struct model *m);

#endif
