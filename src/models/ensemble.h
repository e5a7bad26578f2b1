/* Models made of trained models: blend, stack, fuse and switch share this body.
 *
 * The scores of two models are not of one size, so those of a part are put on a common one first, by a line of its own
 * for each history:  z = scale * s + offset  over the items that the history does not hold. An item that a part knows
 * nothing of (-inf) gets the part's lowest z; one that no part knows scores -inf. */
#ifndef TAILOR_MODELS_ENSEMBLE_H
#define TAILOR_MODELS_ENSEMBLE_H

#include "models/model.h"

enum { PARTS_MAX = 16 };

/* none: z = s;  max: s / max |s|;  minmax: (s - min) / (max - min);  zscore: (s - mean) / sd. Where all scores are
 * equal z = 0. */
enum normalizer { NORMALIZE_ZSCORE, NORMALIZE_MINMAX, NORMALIZE_MAX, NORMALIZE_NONE };
#define NORMALIZERS "zscore|minmax|max|none"

struct line {
    float scale, offset, lowest; /* lowest: the z of an item at -inf */
};

/* The scores of one history, with what it holds taken out (NaN) and put back. `kept` has room for the history's events.
 */
void history_take_out(const struct query *q, float *scores, float *kept);
void history_put_back(const struct query *q, float *scores, const float *kept);
/* The line of scores[0..n); NaN (taken out) and -inf do not count. */
struct line normalizer_line(enum normalizer how, const float *scores, size_t n);

/* The state of all of them. */
struct ensemble {
    float weight[PARTS_MAX];
};

/* Slots of the classes. Those that need a common scale read the parameter `normalize` (NORMALIZERS). */
#define PARAM_NORMALIZE                                                                                                    \
    {                                                                                                                      \
        .name = "normalize", .type = PARAM_ENUM, .initial = "zscore", .choices = NORMALIZERS, .tune_max = 1,               \
        .doc =                                                                                                             \
            "the common scale of the scores: standard deviations from the mean, 0 to 1, share of the largest, as they are" \
    }
/* ST_USAGE unless the model has least..PARTS_MAX parts. */
MUST_CHECK enum status ensemble_check(const struct model *m, size_t least, struct error *err);
/* A state with equal weights; or those of the parameter `weights` where the class has one. */
MUST_CHECK enum status ensemble_begin(struct model *m, const struct training *t, struct error *err);
void ensemble_free(struct model *m);
/* For classes that learn nothing: their parameters say it all. */
MUST_CHECK enum status ensemble_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                      struct error *err);
MUST_CHECK enum status ensemble_save(const struct model *m, struct blob_writer *w, struct error *err);
MUST_CHECK enum status ensemble_load(struct model *m, struct blob_reader *r, struct error *err);
const float *ensemble_weights(const struct model *m);
/* scores = sum over parts p of weight[p] * z_p. */
MUST_CHECK enum status ensemble_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                      struct error *err);
/* Weight, z and their product. */
MUST_CHECK enum status ensemble_shares(const struct model *m, const struct query *q, uint32_t item,
                                       struct part_share *out, struct error *err);
#define ENSEMBLE_FORMULA                                                                                               \
    "score = sum over the models of weight x z; z: their score, put on the common scale of `normalize` over what the history does not hold"
#define ENSEMBLE_UPDATED(what)                                                                                              \
    "updates its models, each as it can (those that cannot be updated are trained anew), and stands on them with the " what \
    " it has"
/* The contributions of all parts, weighted and summed by item of the history; exact when every part's are. */
MUST_CHECK enum status ensemble_explain(const struct model *m, const struct query *q, uint32_t item,
                                        struct explanation *out, struct error *err);
/* What that is made of. Takes over what one part says of the item: y, times `scale`, and `offset`, behind the
 * contributions of the parts before. Where it speaks of no item of the history it is one contribution, under the name
 * of the part. */
MUST_CHECK enum status ensemble_take(struct explanation *x, const struct explanation *y, const char *name, double scale,
                                     double offset, struct error *err);
/* All parts are taken: one contribution an item of the history, the largest first, and how they were found. */
void ensemble_taken(struct explanation *x, float score, const char *exact, const char *approximate);

/* Numbers between commas, `n` of them, finite. False otherwise. */
bool ensemble_numbers(const char *text, size_t n, double *out);

/* Weights (none negative, sum 1) under which the lists of t->fitting have the best mean of its metric: coordinate
 * ascent (Metzler and Croft, Linear feature-based models for information retrieval, Information Retrieval 10, 2007)
 * from the best single part and from equal weights. Judged are the items that any part has among its `pool` best, for
 * at most `users` histories, drawn by the training's seed. *value: the mean reached. */
MUST_CHECK enum status ensemble_fit(const struct model *m, const struct training *t, enum normalizer how, size_t pool,
                                    size_t users, float *weight, double *value, struct error *err);

#endif
