/* Turbo-CF: polynomial filters of a normalized item graph, without any decomposition.
 *
 *     R~ = D_U^-alpha R D_I^(alpha-1)        D: row and column sums of R (users x items; ones, or weights)
 *     P  = (R~'R~)^power                     each entry to the power
 *     score(h) = h f(P)                      linear:    P
 *                                            quadratic: 2 P - P^2
 *                                            cubic:     P + .01 (-P^3 + 10 P^2 - 29 P), near the ideal low-pass filter
 *
 * P is kept with all its entries, as the paper has it. Its higher powers are too many to keep: histories go through P
 * again, sixteen at a time. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/sparse_product.h"
#include "linalg/spmm.h"
#include "models/classes.h"
#include "models/item_weights.h"

enum { FILTER_LINEAR, FILTER_QUADRATIC, FILTER_CUBIC };

static const struct param params[] = {
    {.name = "alpha", .type = PARAM_REAL, .initial = "0.6", .min = 0, .max = 1, .tune_min = .3, .tune_max = .8,
     .doc = "normalization: 0 divides by the popularity of items alone, 1 by the length of histories alone"},
    {.name = "power", .type = PARAM_REAL, .initial = "0.7", .min = .05, .max = 4, .tune_min = .4, .tune_max = 1.6,
     .doc = "power of each entry of the graph: below 1 raises weak links, above 1 damps them"},
    {.name = "filter", .type = PARAM_ENUM, .initial = "linear", .choices = "linear|quadratic|cubic",
     .doc = "polynomial of the graph"},
    VALUES_PARAM,
};

/* filter -> factors of P, P^2, P^3 */
enum { DEGREE_MOST = 3 };
static const float coefficients[][DEGREE_MOST] = {{1}, {2, -1}, {.71F, .1F, -.01F}};

static enum status turbo_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    const struct csr *x = &t->interactions->matrix;
    double pairs = 0, all = (double)m->nitems * (double)m->nitems;
    for (size_t u = 0; u < x->rows; u++)
        pairs += (double)(x->begin[u + 1] - x->begin[u]) * (double)(x->begin[u + 1] - x->begin[u]);
    *bytes = (size_t)(2 * fmin(pairs, all) * (sizeof(float) + sizeof(uint32_t))) + 4 * csr_count(x) * sizeof(float) +
             sparse_product_bytes(m->nitems);
    return ST_OK;
}

static enum status turbo_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    return item_weights_new(m, err);
}

/* out = (sums of the rows)^power, 0 for an empty one. */
static void row_powers(const struct csr *x, double power, float *out)
{
    for (size_t r = 0; r < x->rows; r++) {
        double sum = 0;
        for (size_t e = x->begin[r]; e < x->begin[r + 1]; e++)
            sum += x->value ? (double)x->value[e] : 1;
        out[r] = sum > 0 ? (float)pow(sum, power) : 0;
    }
}

struct raise {
    float *value;
    float power;
};

static void raise_block(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct raise *r = context;
    for (size_t e = begin; e < end; e++)
        r->value[e] = powf(r->value[e], r->power);
}

static enum status turbo_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                               struct error *err)
{
    (void)epoch;
    (void)loss;
    struct item_weights *s = m->state;
    struct csr x = t->interactions->matrix, xt = {0};
    double alpha = model_real(m, "alpha"), power = model_real(m, "power");
    float *user = mem_new(x.rows, sizeof *user, "degrees", err), *item = mem_new(x.cols, sizeof *item, "degrees", err);
    if (!s->weigh)
        x.value = NULL;
    *done = true;
    job_begin(t->job, m->nitems, "items", "train %s", m->name);
    enum status st = user && item ? csr_transpose(&x, &xt, err) : ST_NOMEM;
    if (st)
        goto out;
    row_powers(&x, -2 * alpha, user);
    row_powers(&xt, alpha - 1, item);
    struct sparse_product p = {.a = &xt, .b = &x, .inner = user, .row = item, .column = item, .diagonal = true};
    st = sparse_product(&p, &s->rows, t->job, err);
    if (!st && power != 1) {
        struct raise r = {s->rows.value, (float)power};
        parallel_blocks(csr_count(&s->rows), 1 << 16, raise_block, &r);
    }
out:
    csr_clear(&xt);
    mem_free(user);
    mem_free(item);
    return st;
}

/* ---- answering ---- */

enum { PANEL = 16 };

struct answers {
    const struct csr *p;
    const float *c; /* of the filter */
    size_t n, width, room;
    float *blocks, *scores; /* scores: h P, then h f(P) */
};

/* x (items x width) += c times the scores of histories [begin, end), one a column. */
static void add_scores(const struct answers *a, float c, size_t begin, size_t end, float *x)
{
    for (size_t q = begin; q < end; q++)
        for (size_t i = 0; i < a->p->rows; i++)
            x[i * a->width + q - begin] += c * a->scores[q * a->p->rows + i];
}

static void filter_panel(void *context, size_t panel, size_t begin, size_t end)
{
    (void)panel;
    const struct answers *a = context;
    size_t items = a->p->rows, width = a->width, degree = DEGREE_MOST;
    float *x = a->blocks + (size_t)parallel_thread() * a->room, *y = x + a->room / 2;
    while (!(fabsf(a->c[degree - 1]) > 0))
        degree--;
    memset(x, 0, items * width * sizeof *x);
    add_scores(a, a->c[degree - 1], begin, end, x);
    for (size_t d = degree - 1; d-- > 0;) {
        float *swap = x;
        sparse_times_block(a->p, NULL, x, width, y, NULL);
        x = y;
        y = swap;
        add_scores(a, a->c[d], begin, end, x);
    }
    for (size_t q = begin; q < end; q++)
        for (size_t i = 0; i < items; i++)
            a->scores[q * items + i] = x[i * width + q - begin];
}

static enum status turbo_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                               struct error *err)
{
    const struct item_weights *s = m->state;
    int64_t filter = model_int(m, "filter");
    enum status st = item_weights_score(m, queries, n, scores, err);
    if (st || filter == FILTER_LINEAR || !n)
        return st;
    size_t threads = n > PANEL ? (size_t)parallel_threads() : 1;
    struct answers a = {
        .p = &s->rows, .c = coefficients[filter], .n = n, .width = n == 1 ? 1 : PANEL, .scores = scores};
    a.room = 2 * ((m->nitems * a.width + 15) / 16 * 16);
    a.blocks = mem_new_raw(threads * a.room, sizeof *a.blocks, "scores", err);
    if (!a.blocks)
        return ST_NOMEM;
    parallel_blocks(n, PANEL, filter_panel, &a);
    mem_free(a.blocks);
    return ST_OK;
}

static const struct csr *turbo_rows(const struct model *m, bool *weigh)
{
    return model_int(m, "filter") == FILTER_LINEAR ? item_weights_rows(m, weigh) : NULL;
}

/* What the filter makes of one item: a row of f(P), and, as that is symmetric, a column. */
static enum status score_alone(const struct model *m, uint32_t item, float *scores, struct error *err)
{
    struct query_event event = {.item = item, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX};
    struct query alone = {.events = &event, .n = 1, .user = NO_USER, .as_of = NO_TIME};
    return turbo_score(m, &alone, 1, scores, err);
}

static enum status turbo_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    return model_int(m, "filter") == FILTER_LINEAR ? item_weights_similar(m, item, similarity, err)
                                                   : score_alone(m, item, similarity, err);
}

static enum status explain_filtered(const struct model *m, const struct query *q, const struct folded *h, uint32_t item,
                                    float *scores, struct explanation *out, struct error *err)
{
    const struct item_weights *s = m->state;
    float *column = scores + m->nitems;
    enum status st = turbo_score(m, q, 1, scores, err);
    if (!st)
        st = score_alone(m, item, column, err);
    if (!st)
        st = explanation_new(out, h->begin[1], err);
    if (st)
        return st;
    for (size_t a = 0; a < h->begin[1]; a++)
        explanation_add(out, h->items[a].item,
                        (s->weigh ? (double)h->items[a].weight : 1) * (double)column[h->items[a].item]);
    explanation_sort(out);
    explanation_score(out, scores, m->nitems, item);
    out->exact = true;
    out->method = "entry of the filter for each item of the history (exact)";
    return ST_OK;
}

static enum status turbo_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                 struct error *err)
{
    struct folded h;
    if (model_int(m, "filter") == FILTER_LINEAR)
        return item_weights_explain(m, q, item, out, err);
    enum status st = folded_new(&h, q, 1, err);
    if (st)
        return st;
    float *scores = mem_new_raw(2 * m->nitems, sizeof *scores, "an explanation", err);
    st = scores ? explain_filtered(m, q, &h, item, scores, out, err) : ST_NOMEM;
    mem_free(scores);
    folded_clear(&h);
    return st;
}

const struct model_class model_turbocf = {
    .name = "turbocf",
    .summary = "polynomial filters of the item graph, without a decomposition",
    .reference = "Park, Shin, Shin: Turbo-CF: matrix decomposition-free graph filtering for fast recommendation, SIGIR "
                 "2024",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .capabilities = CLOSED_FORM | SCORES_APART | ADDS_UP,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = turbo_check,
    .begin = turbo_begin,
    .epoch = turbo_epoch,
    .score = turbo_score,
    .rows = turbo_rows,
    .explain = turbo_explain,
    .similar = turbo_similar,
    .save = item_weights_save,
    .load = item_weights_load,
    .free = item_weights_free,
};
