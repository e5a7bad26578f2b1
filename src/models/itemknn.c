/* Item-based nearest neighbours: an item is what its users are.
 *
 *     score(h, i) = sum over j in h of  v_j * S[j][i]        v_j: 1, or the weight in the history
 *
 * Items are documents and users their terms: x_ui is 1 (or the weight of the interaction), fades with its age, and is
 * weighted by
 *
 *     none    x
 *     rows    x / |x_u|                          users with many items say less about each
 *     tfidf   sqrt(x) idf_u                      idf_u = log(I / (1 + n_u))
 *     bm25    x (k1 + 1) / (x + k1 ((1 - b) + b n_i / mean n)) idf_u
 *
 * S[j][i] comes from dot(x_j, x_i):
 *
 *     dot       dot
 *     cosine    dot / (|x_j|^(2 (1 - alpha)) |x_i|^(2 alpha))      alpha 1/2: the usual one
 *     jaccard   dot / (|x_j|^2 + |x_i|^2 - dot)                    for ones: users in common / users of either
 *
 * times c / (c + shrink) for c users in common. Each row j keeps its `neighbours` largest. What depends on the user
 * alone is the diagonal of X' D X, so that the binary matrix is never weighed entry by entry. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "models/classes.h"
#include "models/decay.h"
#include "models/item_weights.h"

enum { WEIGHT_NONE, WEIGHT_ROWS, WEIGHT_TFIDF, WEIGHT_BM25 };
enum { BY_COSINE, BY_JACCARD, BY_DOT };

static const struct param params[] = {
    {.name = "neighbours",
     .type = PARAM_INT,
     .initial = "200",
     .min = 1,
     .max = 1e6,
     .tune_min = 20,
     .tune_max = 1000,
     .log_scale = true,
     .doc = "most similar items kept for each item"},
    {.name = "weighting",
     .type = PARAM_ENUM,
     .initial = "rows",
     .choices = "none|rows|tfidf|bm25",
     .tune_max = 1,
     .doc = "how much a user says about an item: all the same, by the length of their history, TF-IDF, BM25"},
    {.name = "similarity",
     .type = PARAM_ENUM,
     .initial = "cosine",
     .choices = "cosine|jaccard|dot",
     .tune_max = 1,
     .doc = "cosine of the items' weighted vectors; Jaccard (Tanimoto where weights differ); their dot product"},
    {.name = "alpha",
     .type = PARAM_REAL,
     .initial = "0.4",
     .min = 0,
     .max = 1,
     .tune_min = .1,
     .tune_max = .9,
     .when = "similarity=cosine",
     .doc = "share of the division that falls on the recommended item; 0.5 is the usual cosine, less favours popular "
            "ones"},
    {.name = "shrink",
     .type = PARAM_REAL,
     .initial = "5",
     .min = 0,
     .max = 1e9,
     .tune_min = .1,
     .tune_max = 100,
     .log_scale = true,
     .doc = "draws similarities that rest on few common users towards 0"},
    HALF_LIFE_PARAM(0, 0),
    VALUES_PARAM,
    {.name = "k1",
     .type = PARAM_REAL,
     .initial = "1.2",
     .min = 0,
     .max = 1e6,
     .tune_min = .2,
     .tune_max = 100,
     .log_scale = true,
     .when = "weighting=bm25",
     .doc = "how slowly repeats saturate"},
    {.name = "b",
     .type = PARAM_REAL,
     .initial = "0.75",
     .min = 0,
     .max = 1,
     .tune_min = .1,
     .tune_max = 1,
     .when = "weighting=bm25 and k1>0",
     .doc = "how much popular items are damped"},
};

static enum status knn_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    enum status st = decay_check(m, t->interactions, err);
    return st ? st : item_weights_check(m, t, bytes, err);
}

static enum status knn_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    return item_weights_new(m, err);
}

/* ---- weighting ---- */

/* Values of entries, as far as they are not ones: weight, age, and what BM25 and TF-IDF make of them. */
static enum status weigh_entries(const struct model *m, const struct interactions *in, struct item_product *w,
                                 struct error *err)
{
    const struct item_weights *s = m->state;
    struct decay decay = decay_of(m, in);
    int64_t how = model_int(m, "weighting");
    double k1 = model_real(m, "k1"), b = model_real(m, "b");
    double mean = (double)csr_count(&in->matrix) / (double)(in->items ? in->items : 1);
    if (!s->weigh && decay.rate <= 0 && how != WEIGHT_BM25)
        return ST_OK;
    uint32_t *count = mem_new(m->nitems, sizeof *count, "item counts", err);
    w->x.value = mem_new_raw(csr_count(&w->x), sizeof *w->x.value, "weighted entries", err);
    for (size_t e = 0; count && e < csr_count(&w->x); e++)
        count[w->x.index[e]]++;
    for (size_t e = 0; count && w->x.value && e < csr_count(&w->x); e++) {
        double x = (s->weigh ? (double)in->matrix.value[e] : 1) * decay_factor(&decay, in->time[e]);
        if (how == WEIGHT_TFIDF)
            x = sqrt(x);
        else if (how == WEIGHT_BM25)
            x = x * (k1 + 1) / (x + k1 * ((1 - b) + b * count[w->x.index[e]] / mean));
        w->x.value[e] = (float)x;
    }
    mem_free(count);
    return count && w->x.value ? ST_OK : ST_NOMEM;
}

/* What a user's entries are divided by or multiplied with, squared. */
static double user_factor(const struct item_product *w, size_t u, int64_t how, double items)
{
    size_t begin = w->x.begin[u], end = w->x.begin[u + 1];
    double square = 0, idf;
    switch (how) {
    case WEIGHT_ROWS:
        for (size_t e = begin; e < end; e++)
            square += w->x.value ? (double)w->x.value[e] * w->x.value[e] : 1;
        return square > 0 ? 1 / square : 0;
    case WEIGHT_TFIDF:
    case WEIGHT_BM25:
        idf = log(items / (1 + (double)(end - begin)));
        return idf > 0 ? idf * idf : 0;
    default:
        return 1;
    }
}

static float *user_factors(const struct model *m, const struct interactions *in, const struct item_product *w,
                           struct error *err)
{
    float *inner = mem_new_raw(w->x.rows, sizeof *inner, "user factors", err);
    for (size_t u = 0; inner && u < w->x.rows; u++)
        inner[u] = (float)user_factor(w, u, model_int(m, "weighting"), (double)in->items);
    return inner;
}

/* |x_i|^2 of each item, or with a power 1 / |x_i|^power, 0 for one without users. */
static float *item_lengths(const struct item_product *w, double power, struct error *err)
{
    const struct csr *xt = &w->xt;
    float *length = mem_new_raw(xt->rows, sizeof *length, "item lengths", err);
    for (size_t i = 0; length && i < xt->rows; i++) {
        double square = 0;
        for (size_t e = xt->begin[i]; e < xt->begin[i + 1]; e++)
            square += (xt->value ? (double)xt->value[e] * xt->value[e] : 1) * w->user[xt->index[e]];
        length[i] = (float)(power > 0 && square > 0 ? pow(square, -power / 2) : square);
    }
    return length;
}

/* X' D X: the entries of X as they are weighed, D a factor of each user. */
static enum status weigh(const struct model *m, const struct interactions *in, struct item_product *w,
                         struct error *err)
{
    double alpha = model_real(m, "alpha");
    int64_t by = model_int(m, "similarity");
    enum status st = item_product_copy(in, false, w, err);
    if (!st)
        st = weigh_entries(m, in, w, err);
    if (!st)
        st = csr_transpose(&w->x, &w->xt, err);
    if (!st && !(w->user = user_factors(m, in, w, err)))
        st = ST_NOMEM;
    if (!st && by != BY_DOT) {
        w->source = item_lengths(w, by == BY_COSINE ? 2 * (1 - alpha) : 0, err);
        w->target = item_lengths(w, by == BY_COSINE ? 2 * alpha : 0, err);
        st = w->source && w->target ? ST_OK : ST_NOMEM;
    }
    w->product = (struct sparse_product){.a = &w->xt,
                                         .b = &w->x,
                                         .inner = w->user,
                                         .row = w->source,
                                         .column = w->target,
                                         .measure = by == BY_JACCARD ? PAIR_TANIMOTO : PAIR_DOT,
                                         .shrink = (float)model_real(m, "shrink"),
                                         .kept = (size_t)model_int(m, "neighbours")};
    return st;
}

/* ---- neighbours ---- */

static enum status knn_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                             struct error *err)
{
    (void)epoch;
    (void)loss;
    job_begin(t->job, m->nitems, "items", "train %s: finding neighbours", m->name);
    *done = true;
    return item_weights_train(m, t, weigh, err);
}

static enum status knn_update(struct model *m, const struct update *u, bool *worth, struct error *err)
{
    return item_weights_update(m, u, weigh, worth, err);
}

const struct model_class model_itemknn = {
    .name = "itemknn",
    .summary = "items whose users are those of the history's items",
    .reference = "Deshpande, Karypis: Item-based top-N recommendation algorithms, ACM TOIS 22(1), 2004; asymmetric "
                 "cosine: Aiolli: Efficient top-n recommendation for very large scale binary rated datasets, RecSys "
                 "2013",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .capabilities = CLOSED_FORM | SCORES_APART | ADDS_UP,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = knn_check,
    .begin = knn_begin,
    .epoch = knn_epoch,
    .score = item_weights_score,
    .rows = item_weights_rows,
    .explain = item_weights_explain,
    .similar = item_weights_similar,
    .update = knn_update,
    .updated = "makes the rows of items anew that changed users have or had, and in the other rows what lies on these "
               "items: the same bits as training; where that is most of the work, as with BM25, a half-life, or on "
               "dense data, it trains anew",
    .save = item_weights_save,
    .load = item_weights_load,
    .free = item_weights_free,
};
