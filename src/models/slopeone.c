/* Slope one: what users gave i is what they gave j plus a constant, the mean difference over those who rated both:
 *
 *     r_ui = sum over rated j of c_ij (r_uj + d_ij) / sum of c_ij,    d_ij = mean of r_vi - r_vj over the c_ij users v
 * of both
 *
 * Items that share no user with the history get the user's average. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "models/classes.h"
#include "models/item_weights.h"
#include "models/ratings.h"

enum { ROW_BLOCK = 16 };

static const struct param params[] = {
    {.name = "weighted",
     .type = PARAM_BOOL,
     .initial = "yes",
     .doc = "items rated by more of the same users count for more"},
};

struct slope {
    struct item_weights differences; /* row j: d_ij for each i that shares a user with j */
    float *common;                   /* c_ij, beside them */
    double mean;
};

static void slope_free(struct model *m)
{
    struct slope *s = m->state;
    csr_clear(&s->differences.rows);
    mem_free(s->common);
    mem_free(s);
    m->state = NULL;
}

static enum status slope_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    const struct csr *x = &t->interactions->matrix;
    double pairs = 0, all = (double)m->nitems * (double)m->nitems;
    for (size_t u = 0; u < x->rows; u++) {
        double n = (double)(x->begin[u + 1] - x->begin[u]);
        pairs += n * n;
    }
    *bytes =
        (size_t)((pairs < all ? pairs : all) * 32) + csr_count(x) * 40 + (size_t)parallel_threads() * m->nitems * 28;
    return ratings_check(m, t, err);
}

/* ---- training ---- */

struct desk {
    double *sum;     /* items; zero between rows */
    uint32_t *count; /* likewise */
    uint32_t *index;
    float *difference, *common;
};

struct counting {
    const struct ratings *r;
    size_t nitems;
    struct desk *desks;
    struct csr_parts difference, common;
    struct job *job;
};

static void count_row(struct counting *c, size_t j, struct desk *d)
{
    const struct csr *by_item = &c->r->by_item, *by_user = &c->r->by_user;
    size_t n = 0;
    for (size_t a = by_item->begin[j]; a < by_item->begin[j + 1]; a++) {
        uint32_t u = by_item->index[a];
        for (size_t b = by_user->begin[u]; b < by_user->begin[u + 1]; b++) {
            d->sum[by_user->index[b]] += (double)by_user->value[b] - by_item->value[a];
            d->count[by_user->index[b]]++;
        }
    }
    d->count[j] = 0; /* an item says nothing of itself */
    d->sum[j] = 0;
    for (uint32_t i = 0; i < c->nitems; i++) {
        if (!d->count[i])
            continue;
        d->index[n] = i;
        d->difference[n] = (float)(d->sum[i] / d->count[i]);
        d->common[n++] = (float)d->count[i];
        d->sum[i] = 0;
        d->count[i] = 0;
    }
    csr_parts_add(&c->difference, j, d->index, d->difference, n);
    csr_parts_add(&c->common, j, d->index, d->common, n);
}

static void count_block(void *context, size_t block, size_t begin, size_t end)
{
    struct counting *c = context;
    (void)block;
    for (size_t j = begin; j < end && !job_cancelled(c->job); j++) {
        if (c->r->by_item.begin[j] < c->r->by_item.begin[j + 1])
            count_row(c, j, &c->desks[parallel_thread()]);
        job_step(c->job, 1);
    }
}

static void free_desks(struct desk *desks, size_t n)
{
    for (size_t t = 0; desks && t < n; t++) {
        mem_free(desks[t].sum);
        mem_free(desks[t].count);
        mem_free(desks[t].index);
        mem_free(desks[t].difference);
        mem_free(desks[t].common);
    }
    mem_free(desks);
}

static struct desk *make_desks(size_t n, size_t items, struct error *err)
{
    struct desk *desks = mem_new(n, sizeof *desks, "differences", err);
    bool good = desks != NULL;
    for (size_t t = 0; t < n && good; t++) {
        struct desk *d = &desks[t];
        d->sum = mem_new(items, sizeof *d->sum, "differences", err);
        d->count = mem_new(items, sizeof *d->count, "differences", err);
        d->index = mem_new_raw(items, sizeof *d->index, "differences", err);
        d->difference = mem_new_raw(items, sizeof *d->difference, "differences", err);
        d->common = mem_new_raw(items, sizeof *d->common, "differences", err);
        good = d->sum && d->count && d->index && d->difference && d->common;
    }
    if (good)
        return desks;
    free_desks(desks, n);
    return NULL;
}

static enum status count_all(struct slope *s, const struct ratings *r, struct job *job, struct error *err)
{
    size_t threads = (size_t)parallel_threads(), nitems = r->by_item.rows;
    struct counting c = {.r = r, .nitems = nitems, .desks = make_desks(threads, nitems, err), .job = job};
    struct csr common = {0};
    enum status st = c.desks ? csr_parts_new(&c.difference, nitems, nitems, ROW_BLOCK, err) : ST_NOMEM;
    if (!st)
        st = csr_parts_new(&c.common, nitems, nitems, ROW_BLOCK, err);
    if (!st) {
        parallel_blocks(nitems, ROW_BLOCK, count_block, &c);
        st = job_check(job, err);
    }
    if (!st)
        st = csr_parts_join(&c.difference, &s->differences.rows, err);
    if (!st)
        st = csr_parts_join(&c.common, &common, err);
    s->common = common.value;
    common.value = NULL; /* the columns are the same */
    csr_clear(&common);
    csr_parts_clear(&c.difference);
    csr_parts_clear(&c.common);
    free_desks(c.desks, threads);
    return st;
}

static enum status slope_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                               struct error *err)
{
    (void)epoch;
    (void)loss;
    struct slope *s = m->state = mem_new(1, sizeof *s, "differences", err);
    struct ratings r = {0};
    enum status st = s ? ratings_build(t->selection, &r, err) : ST_NOMEM;
    job_begin(t->job, m->nitems, "items", "train %s", m->name);
    if (!st) {
        s->mean = r.mean;
        st = count_all(s, &r, t->job, err);
    }
    ratings_clear(&r);
    *done = true;
    return st;
}

/* ---- answering ---- */

static double weight_of(const struct slope *s, bool weighted, size_t entry)
{
    return weighted ? s->common[entry] : 1;
}

/* sum and size (nitems each) of what the ratings (less the mean) say, in the order of the history; the user's average.
 */
static double add_up(const struct slope *s, bool weighted, const uint32_t *item, const float *rating, size_t n,
                     double *sum, double *size)
{
    const struct csr *rows = &s->differences.rows;
    double average = 0;
    memset(sum, 0, rows->rows * sizeof *sum);
    memset(size, 0, rows->rows * sizeof *size);
    for (size_t a = 0; a < n; a++) {
        average += rating[a] / (double)n;
        for (size_t e = rows->begin[item[a]]; e < rows->begin[item[a] + 1]; e++) {
            double weight = weight_of(s, weighted, e);
            sum[rows->index[e]] += weight * ((double)rating[a] + rows->value[e]);
            size[rows->index[e]] += weight;
        }
    }
    return average;
}

static enum status slope_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                               struct error *err)
{
    const struct slope *s = m->state;
    struct csr rows = {0};
    double *sum = mem_new_raw(m->nitems, sizeof *sum, "differences", err),
           *size = mem_new_raw(m->nitems, sizeof *size, "differences", err);
    enum status st = sum && size ? ratings_of_queries(queries, n, m->nitems, s->mean, false, &rows, err) : ST_NOMEM;
    for (size_t q = 0; q < n && !st; q++) {
        size_t at = rows.begin[q];
        double average =
            add_up(s, model_int(m, "weighted"), rows.index + at, rows.value + at, rows.begin[q + 1] - at, sum, size);
        for (size_t i = 0; i < m->nitems; i++)
            scores[q * m->nitems + i] = (float)(s->mean + (size[i] > 0 ? sum[i] / size[i] : average));
    }
    csr_clear(&rows);
    mem_free(sum);
    mem_free(size);
    return st;
}

/* What one history says of one item: left[a] x right[a] of each rating, 0 x 0 where it says nothing. */
struct terms {
    struct csr row; /* the ratings, less the mean */
    size_t n;
    double *left, *right;
};

/* Close it in every case. */
static enum status terms_open(struct terms *t, const struct model *m, const struct query *q, uint32_t item,
                              struct error *err)
{
    const struct slope *s = m->state;
    const struct csr *rows = &s->differences.rows;
    double size = 0;
    *t = (struct terms){0};
    enum status st = ratings_of_queries(q, 1, m->nitems, s->mean, false, &t->row, err);
    if (st)
        return st;
    t->n = csr_count(&t->row);
    t->left = mem_new(2 * t->n, sizeof *t->left, "differences", err);
    if (!t->left)
        return ST_NOMEM;
    t->right = t->left + t->n;
    for (size_t a = 0; a < t->n; a++) {
        size_t e = csr_find(rows, t->row.index[a], item);
        if (e == SIZE_MAX)
            continue;
        size += t->left[a] = weight_of(s, model_int(m, "weighted"), e);
        t->right[a] = (double)t->row.value[a] + (double)rows->value[e];
    }
    for (size_t a = 0; a < t->n; a++) {
        t->left[a] = size > 0 ? t->left[a] / size : 1 / (double)t->n;
        t->right[a] = size > 0 ? t->right[a] : (double)t->row.value[a];
    }
    return ST_OK;
}

static void terms_close(struct terms *t)
{
    csr_clear(&t->row);
    mem_free(t->left);
}

static enum status slope_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                 struct error *err)
{
    struct terms t;
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    enum status st = terms_open(&t, m, q, item, err);
    if (!st)
        st = scores ? slope_score(m, q, 1, scores, err) : ST_NOMEM;
    if (!st)
        st = explanation_new(out, t.n, err);
    for (size_t a = 0; a < t.n && !st; a++)
        explanation_add(out, t.row.index[a], t.left[a] * t.right[a]);
    if (!st) {
        out->score = scores[item];
        out->base = ((const struct slope *)m->state)->mean;
        out->exact = true;
        out->method =
            "base: mean of all ratings; each part: what a rating and the mean difference to its item say (exact)";
        explanation_sort(out);
    }
    terms_close(&t);
    mem_free(scores);
    return st;
}

static enum status slope_steps(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                               struct error *err)
{
    struct terms t;
    enum status st = terms_open(&t, m, q, item, err);
    if (!st)
        st = steps_new(out, t.n + 1, err);
    if (!st)
        steps_add_plain(out, "mean of all ratings", ((const struct slope *)m->state)->mean);
    for (size_t a = 0; a < t.n && !st; a++)
        if (t.left[a] > 0)
            steps_add(out, t.row.index[a], t.left[a], t.right[a]);
    terms_close(&t);
    return st;
}

static enum status slope_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)item;
    (void)similarity;
    error_set(err, ST_UNSUPPORTED, "%s knows how much better or worse items are rated, and nothing of their likeness",
              m->name);
    error_hint(err, "ask another model, such as: similar ITEM with knnbaseline");
    return ST_UNSUPPORTED;
}

static enum status slope_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct slope *s = m->state;
    enum status st = item_weights_save(m, w, err);
    if (!st)
        st = blob_put(w, "common", BLOB_F32, s->common, csr_count(&s->differences.rows), err);
    return st ? st : blob_put(w, "mean", BLOB_F64, &s->mean, 1, err);
}

static enum status slope_load(struct model *m, struct blob_reader *r, struct error *err)
{
    struct slope *s = mem_new(1, sizeof *s, "differences", err);
    void *common = NULL;
    size_t n = 0;
    if (!s)
        return ST_NOMEM;
    enum status st = item_weights_load(m, r, err);
    struct item_weights *rows = m->state;
    if (rows)
        s->differences = *rows;
    mem_free(rows);
    m->state = s;
    if (!st)
        st = blob_get_new(r, "common", BLOB_F32, csr_count(&s->differences.rows), &common, &n, err);
    s->common = common;
    if (!st)
        st = blob_get(r, "mean", BLOB_F64, &s->mean, 1, err);
    if (!st && n != csr_count(&s->differences.rows))
        st = error_set(err, ST_CORRUPT, "the differences of model %s are damaged", m->name);
    return st;
}

const struct model_class model_slopeone = {
    .name = "slopeone",
    .summary = "predicts ratings by mean differences between items",
    .reference = "Lemire, Maclachlan: Slope one predictors for online rating-based collaborative filtering, SDM 2005 "
                 "(weighted scheme)",
    .fold_in = "needs nothing of the user but the ratings of the history",
    .capabilities = CAN_RATE | CLOSED_FORM,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = slope_check,
    .epoch = slope_epoch,
    .score = slope_score,
    .explain = slope_explain,
    .steps = slope_steps,
    .formula = "score = mean + sum over the rated j of w[j][i] x (r[j] - mean + d[j][i]); w: share of those who rated "
               "both, d: mean difference of their ratings",
    .similar = slope_similar,
    .save = slope_save,
    .load = slope_load,
    .free = slope_free,
};
