/* EASE with side information: what items are counts as more users who took them.
 *
 *     min over B of |X - X B|^2 + weight |T' - T' B|^2 + lambda |B|^2  with  diag B = 0
 *     G = X'X + weight T T' + lambda I              T: items x tags (item_tags.h)
 *
 * EASE of X over sqrt(weight) T': ease_body.h has the rest. */
#include <math.h>
#include <string.h>

#include "models/classes.h"
#include "models/ease_body.h"
#include "models/item_tags.h"
#include "models/item_weights.h"

static const struct param params[] = {
    {.name = "lambda",
     .type = PARAM_REAL,
     .initial = "150",
     .min = 1e-3,
     .max = 1e9,
     .tune_min = 1,
     .tune_max = 5000,
     .log_scale = true,
     .doc = "ridge penalty, as EASE's: larger draws all weights towards 0"},
    {.name = "weight",
     .type = PARAM_REAL,
     .initial = "1",
     .min = 0,
     .max = 1e6,
     .tune_min = .01,
     .tune_max = 100,
     .log_scale = true,
     .doc = "how much sharing a tag counts beside sharing a user; 0 is EASE"},
    {.name = "attributes",
     .type = PARAM_TEXT,
     .initial = "auto",
     .when = "weight>0",
     .doc = "item fields with commas between, such as genres,category; auto: lists and categories, or else the titles"},
    VALUES_PARAM,
};

static enum status tags_of(const struct model *m, const struct training *t, struct item_tags *tags, struct error *err)
{
    return item_tags_build(t->selection->data, model_text(m, "attributes"), TAGS_COUNTED, tags, err);
}

static enum status cease_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    struct item_tags tags;
    enum status st = t->selection ? tags_of(m, t, &tags, err) : ST_OK;
    size_t entries = csr_count(&t->interactions->matrix);
    if (t->selection) {
        entries += st ? 0 : csr_count(&tags.matrix) * 2;
        item_tags_clear(&tags);
    }
    *bytes = ease_body_bytes(m->nitems, entries * 2);
    return st;
}

static enum status cease_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    return ease_body_new(m, err);
}

/* The rows of x, and below them those of `tags` times factor. */
static enum status stack_rows(const struct csr *x, const struct csr *tags, float factor, struct csr *out,
                              struct error *err)
{
    size_t above = csr_count(x), below = csr_count(tags);
    enum status st = csr_new(out, x->rows + tags->rows, x->cols, above + below, true, err);
    if (st)
        return st;
    memcpy(out->begin, x->begin, (x->rows + 1) * sizeof *x->begin);
    for (size_t r = 0; r < tags->rows; r++)
        out->begin[x->rows + r + 1] = above + tags->begin[r + 1];
    memcpy(out->index, x->index, above * sizeof *x->index);
    memcpy(out->index + above, tags->index, below * sizeof *tags->index);
    for (size_t e = 0; e < above; e++)
        out->value[e] = x->value ? x->value[e] : 1;
    for (size_t e = 0; e < below; e++)
        out->value[above + e] = factor * tags->value[e];
    return ST_OK;
}

static enum status cease_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                               struct error *err)
{
    (void)epoch;
    (void)loss;
    struct csr x = t->interactions->matrix, by_tag = {0}, both = {0};
    struct item_tags tags;
    if (!((const struct ease *)m->state)->weigh)
        x.value = NULL;
    enum status st = tags_of(m, t, &tags, err);
    if (!st)
        st = csr_transpose(&tags.matrix, &by_tag, err);
    if (!st)
        st = stack_rows(&x, &by_tag, (float)sqrt(model_real(m, "weight")), &both, err);
    item_tags_clear(&tags);
    csr_clear(&by_tag);
    if (!st)
        st = ease_body_fit(m, &both, t->job, err);
    csr_clear(&both);
    *done = true;
    return st;
}

const struct model_class model_cease = {
    .name = "cease",
    .summary = "EASE that also learns from what items are: genres, categories, tags",
    .reference = "Jeunen, Van Balen, Goethals: Closed-form models for collaborative filtering with side-information, "
                 "RecSys 2020",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .formula = "score = sum over the history of v x B[j][i]; B[j][i] = -P[j][i] / P[i][i], P of users and of what "
               "items are",
    .capabilities = CLOSED_FORM | ADDS_UP,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = cease_check,
    .estimate = ease_body_estimate,
    .begin = cease_begin,
    .epoch = cease_epoch,
    .score = ease_body_score,
    .explain = ease_body_explain,
    .similar = ease_body_similar,
    .retrained = ease_body_retrained,
    .save = ease_body_save,
    .load = ease_body_load,
    .free = ease_body_free,
};
