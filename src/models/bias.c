/* Rating = mean + bias of the user + bias of the item: what every model of ratings has to beat. */
#include <string.h>

#include "base/mem.h"
#include "models/baseline.h"
#include "models/classes.h"

enum { TERMS_BOTH, TERMS_USER, TERMS_ITEM, TERMS_MEAN };

static const struct param params[] = {
    {.name = "terms",
     .type = PARAM_ENUM,
     .initial = "both",
     .choices = "both|user|item|mean",
     .doc = "which biases there are; with lambda_user=0 `user` is the average of the user, with lambda_item=0 `item` "
            "that of the item"},
    {.name = "lambda_user",
     .type = PARAM_REAL,
     .initial = "15",
     .min = 0,
     .max = 1e6,
     .tune_min = 1,
     .tune_max = 50,
     .log_scale = true,
     .when = "terms=both|user",
     .doc = "pull of user biases towards 0, in ratings"},
    {.name = "lambda_item",
     .type = PARAM_REAL,
     .initial = "10",
     .min = 0,
     .max = 1e6,
     .tune_min = 1,
     .tune_max = 50,
     .log_scale = true,
     .when = "terms=both|item",
     .doc = "pull of item biases towards 0, in ratings"},
    {.name = "epochs",
     .type = PARAM_INT,
     .initial = "10",
     .min = 1,
     .max = 10000,
     .when = "terms=both",
     .doc = "turns of alternating least squares"},
};

static void bias_free(struct model *m)
{
    baseline_clear(m->state);
    mem_free(m->state);
    m->state = NULL;
}

static enum status bias_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    *bytes = csr_count(&t->interactions->matrix) * 24 + (m->nusers + m->nitems) * 2 * sizeof(double);
    return ratings_check(m, t, err);
}

static enum status bias_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                              struct error *err)
{
    (void)epoch;
    (void)loss;
    int64_t terms = model_int(m, "terms");
    struct baseline_terms what = {terms == TERMS_BOTH || terms == TERMS_USER,
                                  terms == TERMS_BOTH || terms == TERMS_ITEM, model_real(m, "lambda_user"),
                                  model_real(m, "lambda_item"), (size_t)model_int(m, "epochs")};
    struct ratings r = {0};
    m->state = mem_new(1, sizeof(struct baseline), "biases", err);
    enum status st = m->state ? ratings_build(t->selection, &r, err) : ST_NOMEM;
    if (!st)
        st = baseline_fit(&r, &what, m->state, NULL, err);
    ratings_clear(&r);
    *done = true;
    return st;
}

static enum status bias_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                              struct error *err)
{
    const struct baseline *b = m->state;
    struct csr rows = {0};
    enum status st = ratings_of_queries(queries, n, m->nitems, b->mean, false, &rows, err);
    for (size_t q = 0; q < n && !st; q++) {
        size_t at = rows.begin[q];
        double whole = b->mean + baseline_user(b, rows.index + at, rows.value + at, rows.begin[q + 1] - at);
        for (size_t i = 0; i < m->nitems; i++)
            scores[q * m->nitems + i] = (float)(whole + b->item[i]);
    }
    csr_clear(&rows);
    return st;
}

static enum status bias_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                struct error *err)
{
    const struct baseline *b = m->state;
    struct csr row = {0};
    enum status st = ratings_of_queries(q, 1, m->nitems, b->mean, false, &row, err);
    size_t n = st ? 0 : csr_count(&row);
    if (!st)
        st = explanation_new(out, n, err);
    for (size_t j = 0; j < n && !st && b->users; j++)
        explanation_add(out, row.index[j], (row.value[j] - b->item[row.index[j]]) / (b->lambda_user + (double)n));
    if (!st) {
        double whole = b->mean + baseline_user(b, row.index, row.value, n);
        explanation_sort(out);
        out->base = b->mean + b->item[item];
        out->own = b->item[item];
        out->own_is = "everybody rates it highly";
        out->score = (float)(whole + b->item[item]);
        out->exact = true;
        out->method =
            "base: mean of all ratings + bias of the item; each part: what a rating adds to the bias of the user "
            "(exact)";
    }
    csr_clear(&row);
    return st;
}

static enum status bias_steps(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                              struct error *err)
{
    const struct baseline *b = m->state;
    struct csr row = {0};
    enum status st = ratings_of_queries(q, 1, m->nitems, b->mean, false, &row, err);
    if (!st)
        st = steps_new(out, csr_count(&row) + 2, err);
    if (!st)
        baseline_steps(b, &row, item, out);
    csr_clear(&row);
    return st;
}

static enum status bias_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)item;
    (void)similarity;
    error_set(err, ST_UNSUPPORTED, "%s knows how well items are rated and nothing of their likeness", m->name);
    error_hint(err, "ask another model, such as: similar ITEM with itemknn");
    return ST_UNSUPPORTED;
}

static enum status bias_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    return baseline_save(m->state, w, err);
}

static enum status bias_load(struct model *m, struct blob_reader *r, struct error *err)
{
    m->state = mem_new(1, sizeof(struct baseline), "biases", err);
    return m->state ? baseline_load(m->state, m->nitems, r, err) : ST_NOMEM;
}

const struct model_class model_bias = {
    .name = "bias",
    .summary = "rating = mean + bias of the user + bias of the item",
    .reference = "Koren: Factor in the neighbors: scalable and accurate collaborative filtering, TKDD 2010, section "
                 "2.1; settings of Hug: Surprise, JOSS 2020",
    .fold_in = "the bias of a history is that of the user it belongs to, to the bit",
    .capabilities = CAN_RATE | CLOSED_FORM,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = bias_check,
    .epoch = bias_epoch,
    .score = bias_score,
    .explain = bias_explain,
    .steps = bias_steps,
    .formula = BASELINE_FORMULA "; b: bias of an item",
    .similar = bias_similar,
    .save = bias_save,
    .load = bias_load,
    .free = bias_free,
};
