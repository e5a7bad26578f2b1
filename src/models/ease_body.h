/* The body of EASE and its kin: a linear autoencoder with a closed form.
 *
 *     G = X'X + lambda I,  P = G^-1,  B_ji = -P_ji / P_ii,  B_ii = 0
 *     score(h, i) = sum over j in h of  v_j * B_ji           v_j: 1, or the weight in the history
 *
 * P is symmetric and is what the model keeps: n x n float32, computed where it stands, with zeros in place of its
 * diagonal (B_ii = 0) and scale_i = -1 / P_ii beside it, so that B_ji = P_ji * scale_i. Saved is one triangle, in bands
 * of rows. An item without interactions has P_ij = 0 for all others: it scores 0. */
#ifndef TAILOR_MODELS_EASE_BODY_H
#define TAILOR_MODELS_EASE_BODY_H

#include "linalg/sparse.h"
#include "models/model.h"

/* The state of such a model. */
struct ease {
    float *p;     /* nitems x nitems, zero diagonal */
    float *scale; /* nitems: -1 / P_ii */
    bool weigh;   /* values=weight */
};

/* Memory for so many items and entries of X. */
size_t ease_body_bytes(size_t nitems, size_t entries);
/* m->state, with room for P; free it also after a failure. */
MUST_CHECK enum status ease_body_new(struct model *m, struct error *err);
/* P of X (rows x nitems; values NULL: ones) with the parameter lambda. ST_FORMAT with a hint when it has no inverse in
 * float32. */
MUST_CHECK enum status ease_body_fit(struct model *m, const struct csr *x, struct job *job, struct error *err);
/* Takes the diagonal of P into scale. False when P cannot be an inverse. */
MUST_CHECK bool ease_body_scale(struct ease *s, size_t n);

/* Scores of a history by the model of another X, which differs in one row; the identity of Sherman, Morrison and
 * Woodbury for the columns of P that the history reads and for its diagonal alone, O(n) for each item of the history
 * and of the row. A slot for classes that learn from X as it is. ease_retrained.c */
enum status ease_body_retrained(const struct model *m, const struct row_edit *edit, const struct query *q,
                                float *scores, struct error *err);

/* Slots. */
enum status ease_body_estimate(const struct model *m, double *seconds, struct error *err);
enum status ease_body_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                            struct error *err);
enum status ease_body_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                              struct error *err);
enum status ease_body_similar(const struct model *m, uint32_t item, float *similarity, struct error *err);
enum status ease_body_save(const struct model *m, struct blob_writer *w, struct error *err);
enum status ease_body_load(struct model *m, struct blob_reader *r, struct error *err);
void ease_body_free(struct model *m);

#endif
