#include "models/graph_filter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/spmm.h"

struct polynomial polynomial_times(const struct polynomial *a, const struct polynomial *b)
{
    struct polynomial out = {.degree = a->degree + b->degree};
    for (size_t i = 0; i <= a->degree; i++)
        for (size_t j = 0; j <= b->degree; j++)
            out.c[i + j] += a->c[i] * b->c[j];
    return out;
}

enum status graph_filter_new(struct model *m, const struct filter_shape *shape, struct error *err)
{
    struct graph_filter *f = mem_new(1, sizeof *f, "a graph filter", err);
    if (!f)
        return ST_NOMEM;
    f->shape = *shape;
    m->state = f;
    return ST_OK;
}

void graph_filter_free(struct model *m)
{
    struct graph_filter *f = m->state;
    if (!f)
        return;
    csr_clear(&f->users);
    csr_clear(&f->items);
    mem_free(f->user_inverse);
    mem_free(f->item_root);
    mem_free(f->item_inverse);
    mem_free(f->v);
    dots_clear(&f->smooth);
    mem_free(f);
    m->state = NULL;
}

size_t graph_filter_factors(const struct model *m)
{
    double shorter = (double)(m->nusers < m->nitems ? m->nusers : m->nitems);
    return model_has(m, "factors") ? (size_t)model_int(m, "factors") : (size_t)lround(2 * sqrt(shorter));
}

size_t graph_filter_bytes(const struct model *m, const struct training *t, size_t k)
{
    size_t entries = csr_count(&t->interactions->matrix);
    return 6 * entries * sizeof(float) + svd_bytes(m->nusers, m->nitems, k) + 2 * m->nitems * k * sizeof(float);
}

/* ---- the graph ---- */

/* Sums of the rows, and 1 / them where there is something. */
static enum status row_sums(const struct csr *m, double *sum, float **inverse, struct error *err)
{
    *inverse = mem_new(m->rows, sizeof **inverse, "degrees", err);
    for (size_t r = 0; *inverse && r < m->rows; r++) {
        sum[r] = 0;
        for (size_t e = m->begin[r]; e < m->begin[r + 1]; e++)
            sum[r] += m->value ? (double)m->value[e] : 1;
        (*inverse)[r] = sum[r] > 0 ? (float)(1 / sum[r]) : 0;
    }
    return *inverse ? ST_OK : ST_NOMEM;
}

/* All that follows from R. */
static enum status connect(struct graph_filter *f, struct error *err)
{
    enum status st = csr_transpose(&f->users, &f->items, err);
    if (st)
        return st;
    double *sum = mem_new(f->users.rows > f->items.rows ? f->users.rows : f->items.rows, sizeof *sum, "degrees", err);
    f->item_root = mem_new(f->items.rows, sizeof *f->item_root, "degrees", err);
    st = sum && f->item_root ? row_sums(&f->users, sum, &f->user_inverse, err) : ST_NOMEM;
    if (!st)
        st = row_sums(&f->items, sum, &f->item_inverse, err);
    for (size_t i = 0; !st && i < f->items.rows; i++)
        f->item_root[i] = sum[i] > 0 ? (float)(1 / sqrt(sum[i])) : 0;
    mem_free(sum);
    return st;
}

/* ---- products ----
 *
 * Blocks of items are kept as D_I^-1/2 t: there P needs one scaling a side and no copy,
 *     D_I^-1/2 P t = D_I^-1 R' D_U^-1 R (D_I^-1/2 t). */

/* x (items x width) = P x in that form, or out of it when `last`; y: users x width. */
static void multiply(const struct graph_filter *f, float *x, float *y, size_t width, bool last, const struct job *job)
{
    sparse_times_block(&f->items, last ? f->item_root : f->item_inverse, y, width, x, job);
}

/* ---- training ---- */

/* R~ and its transpose, for the singular vectors. */
struct normalized {
    struct csr users, items; /* indices borrowed, values owned */
};

static float *normalized_values(const struct csr *m, const float *row_inverse, const float *column_inverse,
                                struct error *err)
{
    float *value = mem_new_raw(csr_count(m), sizeof *value, "a normalized matrix", err);
    for (size_t r = 0; value && r < m->rows; r++)
        for (size_t e = m->begin[r]; e < m->begin[r + 1]; e++)
            value[e] = (float)((m->value ? (double)m->value[e] : 1) *
                               sqrt((double)row_inverse[r] * (double)column_inverse[m->index[e]]));
    return value;
}

static void normalized_times(const void *context, const float *x, size_t width, float *y, const struct job *job)
{
    sparse_times_block(&((const struct normalized *)context)->users, NULL, x, width, y, job);
}

static void normalized_transposed(const void *context, const float *y, size_t width, float *x, const struct job *job)
{
    sparse_times_block(&((const struct normalized *)context)->items, NULL, y, width, x, job);
}

static enum status find_vectors(struct graph_filter *f, const struct model *m, const struct training *t,
                                struct error *err)
{
    char what[96];
    struct normalized n = {f->users, f->items};
    struct svd svd = {0};
    snprintf(what, sizeof what, "train %s: singular vectors", m->name);
    n.users.value = normalized_values(&f->users, f->user_inverse, f->item_inverse, err);
    n.items.value = normalized_values(&f->items, f->item_inverse, f->user_inverse, err);
    struct linear a = {n.users.rows, n.users.cols, &n, normalized_times, normalized_transposed};
    enum status st =
        n.users.value && n.items.value ? svd_truncated(&a, f->shape.k, t->seed, t->job, what, &svd, err) : ST_NOMEM;
    f->k = svd.k;
    f->v = svd.v;
    svd.v = NULL;
    svd_clear(&svd);
    mem_free(n.users.value);
    mem_free(n.items.value);
    return st;
}

enum { COLUMNS = 32 };

/* w (items x k), columns [at, at + width) = q(P) D_I^1/2 V. x, y: items, users x COLUMNS. */
static void smooth_columns(const struct graph_filter *f, size_t at, size_t width, float *x, float *y, float *w)
{
    const struct polynomial *q = &f->shape.q;
    size_t items = f->items.rows;
    for (size_t i = 0; i < items; i++)
        for (size_t c = 0; c < width; c++)
            x[i * width + c] = (float)q->c[q->degree] * f->v[i * f->k + at + c];
    for (size_t p = q->degree; p-- > 0;) {
        sparse_times_block(&f->users, f->user_inverse, x, width, y, NULL);
        multiply(f, x, y, width, false, NULL);
        for (size_t i = 0; i < items; i++)
            for (size_t c = 0; c < width; c++)
                x[i * width + c] += (float)q->c[p] * f->v[i * f->k + at + c];
    }
    for (size_t i = 0; i < items; i++)
        for (size_t c = 0; c < width; c++)
            w[i * f->k + at + c] = f->item_root[i] > 0 ? x[i * width + c] / f->item_root[i] : 0;
}

/* Fills f->smooth from v. */
static enum status make_smooth(struct graph_filter *f, struct job *job, struct error *err)
{
    size_t items = f->items.rows;
    if (!f->k)
        return ST_OK;
    float *w = mem_new_raw(items * f->k, sizeof *w, "filtered vectors", err);
    float *x = mem_new_raw(items * COLUMNS, sizeof *x, "filtered vectors", err);
    float *y = mem_new_raw(f->users.rows * COLUMNS, sizeof *y, "filtered vectors", err);
    enum status st = w && x && y ? ST_OK : ST_NOMEM;
    for (size_t at = 0; at < f->k && !st; at += COLUMNS) {
        smooth_columns(f, at, f->k - at < COLUMNS ? f->k - at : COLUMNS, x, y, w);
        st = job_check(job, err);
    }
    if (!st)
        st = dots_pack(&f->smooth, w, items, f->k, err);
    mem_free(w);
    mem_free(x);
    mem_free(y);
    return st;
}

enum status graph_filter_train(struct model *m, const struct training *t, struct error *err)
{
    struct graph_filter *f = m->state;
    const struct csr *from = &t->interactions->matrix;
    enum status st = csr_new(&f->users, from->rows, from->cols, csr_count(from), f->shape.weigh, err);
    if (st)
        return st;
    memcpy(f->users.begin, from->begin, (from->rows + 1) * sizeof *from->begin);
    memcpy(f->users.index, from->index, csr_count(from) * sizeof *from->index);
    if (f->shape.weigh)
        memcpy(f->users.value, from->value, csr_count(from) * sizeof *from->value);
    st = connect(f, err);
    if (!st && f->shape.k)
        st = find_vectors(f, m, t, err);
    return st ? st : make_smooth(f, t->job, err);
}

/* ---- answering ---- */

/* Histories that go through the graph together: two cache lines of each item. */
enum { PANEL = 32, HALF = 16 };

static double value_of(const struct graph_filter *f, const struct query_item *h)
{
    return f->shape.weigh ? (double)h->weight : 1;
}

/* x (items x width) = h p(P) of the histories [first, first + n) of `h`, one a column; y: users x width. */
static void filter(const struct graph_filter *f, const struct folded *h, size_t first, size_t n, size_t width, float *x,
                   float *y)
{
    const struct polynomial *p = &f->shape.p;
    size_t users = f->users.rows;
    if (!p->degree) {
        memset(x, 0, f->items.rows * width * sizeof *x);
    } else { /* the first product with R has few entries on the right side */
        memset(y, 0, users * width * sizeof *y);
        for (size_t q = 0; q < n; q++)
            for (size_t a = h->begin[first + q]; a < h->begin[first + q + 1]; a++) {
                size_t j = h->items[a].item;
                float value = (float)(p->c[p->degree] * value_of(f, &h->items[a]) * (double)f->item_root[j]);
                for (size_t e = f->items.begin[j]; e < f->items.begin[j + 1]; e++)
                    y[f->items.index[e] * width + q] += f->items.value ? f->items.value[e] * value : value;
            }
        for (size_t u = 0; u < users; u++)
            for (size_t c = 0; c < width; c++)
                y[u * width + c] *= f->user_inverse[u];
    }
    for (size_t d = p->degree; d-- > 0;) {
        multiply(f, x, y, width, d == 0, NULL);
        for (size_t q = 0; q < n; q++)
            for (size_t a = h->begin[first + q]; a < h->begin[first + q + 1]; a++) {
                size_t j = h->items[a].item;
                double root = d ? (double)f->item_root[j] : 1;
                x[j * width + q] += (float)(p->c[d] * value_of(f, &h->items[a]) * root);
            }
        if (d)
            sparse_times_block(&f->users, f->user_inverse, x, width, y, NULL);
    }
}

struct answers {
    const struct graph_filter *f;
    const struct folded *h;
    size_t width, room; /* floats of one thread's blocks */
    float *blocks, *scores;
};

/* One panel of histories: what the filter makes of them is added to their scores. */
static void filter_panel(void *context, size_t panel, size_t begin, size_t end)
{
    enum { TILE = 64 };
    (void)panel;
    const struct answers *a = context;
    size_t items = a->f->items.rows, width = a->width;
    float *x = a->blocks + (size_t)parallel_thread() * a->room, *y = x + (items * width + 15) / 16 * 16;
    filter(a->f, a->h, begin, end - begin, width, x, y);
    for (size_t tile = 0; tile < items; tile += TILE)
        for (size_t q = begin; q < end; q++)
            for (size_t i = tile; i < tile + TILE && i < items; i++)
                a->scores[q * items + i] += x[i * width + q - begin];
}

/* scores += the polynomial part. */
static enum status add_filtered(const struct graph_filter *f, const struct folded *h, float *scores, struct error *err)
{
    size_t items = f->items.rows, users = f->users.rows, threads = h->n > PANEL ? (size_t)parallel_threads() : 1;
    struct answers a = {.f = f, .h = h, .width = h->n == 1 ? 1 : h->n <= HALF ? HALF : PANEL, .scores = scores};
    a.room = (items * a.width + 15) / 16 * 16 + (users * a.width + 15) / 16 * 16;
    a.blocks = mem_new_raw(threads * a.room, sizeof *a.blocks, "scores", err);
    if (!a.blocks)
        return ST_NOMEM;
    parallel_blocks(h->n, PANEL, filter_panel, &a);
    mem_free(a.blocks);
    return ST_OK;
}

/* x (n x k) = times h D_I^-1/2 V. */
static enum status fold(const struct graph_filter *f, const struct folded *h, double times, float *x, struct error *err)
{
    size_t count = h->begin[h->n];
    uint32_t *index = mem_new_raw(count, sizeof *index, "histories", err);
    float *weight = mem_new_raw(count, sizeof *weight, "histories", err);
    enum status st = index && weight ? ST_OK : ST_NOMEM;
    for (size_t a = 0; a < count && !st; a++) {
        index[a] = h->items[a].item;
        weight[a] = (float)(times * value_of(f, &h->items[a]) * (double)f->item_root[index[a]]);
    }
    for (size_t q = 0; q < h->n && !st; q++)
        rows_sum(x + q * f->k, f->k, f->v, index + h->begin[q], weight + h->begin[q], h->begin[q + 1] - h->begin[q]);
    mem_free(index);
    mem_free(weight);
    return st;
}

enum status graph_filter_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                               struct error *err)
{
    const struct graph_filter *f = m->state;
    struct folded h;
    enum status st = folded_new(&h, queries, n, err);
    if (st)
        return st;
    if (f->k) {
        float *x = mem_new_raw(n * f->k, sizeof *x, "histories", err);
        st = x ? fold(f, &h, f->shape.beta, x, err) : ST_NOMEM;
        if (!st)
            dots_score(&f->smooth, x, n, scores);
        mem_free(x);
    } else {
        memset(scores, 0, n * m->nitems * sizeof *scores);
    }
    if (!st)
        st = add_filtered(f, &h, scores, err);
    folded_clear(&h);
    return st;
}

/* The low-pass part of entry (j, item) of the operator. */
static double smooth_entry(const struct graph_filter *f, size_t j, size_t item)
{
    const float *column = f->smooth.panel + item / DOTS_PANEL * f->k * DOTS_PANEL + item % DOTS_PANEL;
    double sum = 0;
    for (size_t c = 0; c < f->k; c++)
        sum += (double)f->v[j * f->k + c] * (double)column[c * DOTS_PANEL];
    return f->shape.beta * (double)f->item_root[j] * sum;
}

/* p(P) is symmetric: its column is what it makes of the item alone. */
static enum status explain_with(const struct model *m, const struct folded *h, uint32_t item, float *column,
                                struct explanation *out, struct error *err)
{
    const struct graph_filter *f = m->state;
    size_t begin[] = {0, 1};
    struct query_item alone = {.item = item, .count = 1, .weight = 1, .time = NO_TIME};
    struct folded one = {.n = 1, .begin = begin, .items = &alone};
    memset(column, 0, m->nitems * sizeof *column);
    enum status st = add_filtered(f, &one, column, err);
    if (!st)
        st = explanation_new(out, h->begin[1], err);
    for (size_t a = 0; a < h->begin[1] && !st; a++) {
        size_t j = h->items[a].item;
        double entry = (double)column[j] + (f->k ? smooth_entry(f, j, item) : 0);
        explanation_add(out, h->items[a].item, value_of(f, &h->items[a]) * entry);
    }
    return st;
}

enum status graph_filter_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                 struct error *err)
{
    struct folded h;
    enum status st = folded_new(&h, q, 1, err);
    if (st)
        return st;
    float *scores = mem_new_raw(2 * m->nitems, sizeof *scores, "an explanation", err);
    st = scores ? graph_filter_score(m, q, 1, scores, err) : ST_NOMEM;
    if (!st)
        st = explain_with(m, &h, item, scores + m->nitems, out, err);
    if (!st) {
        explanation_sort(out);
        explanation_score(out, scores, m->nitems, item);
        out->exact = true;
        out->method = "entry of the filter for each item of the history (exact)";
    }
    mem_free(scores);
    folded_clear(&h);
    return st;
}

const float *graph_filter_vectors(const struct model *m, size_t *width)
{
    const struct graph_filter *f = m->state;
    *width = f->k;
    return f->k ? f->v : NULL;
}

enum status graph_filter_project(const struct model *m, const struct query *queries, size_t n, float *x,
                                 struct error *err)
{
    struct folded h;
    enum status st = folded_new(&h, queries, n, err);
    if (!st)
        st = fold(m->state, &h, 1, x, err);
    folded_clear(&h);
    return st;
}

enum status graph_filter_scale(const struct model *m, float *scale, struct error *err)
{
    const struct graph_filter *f = m->state;
    size_t items = f->items.rows, users = f->users.rows;
    float *x = mem_new_raw(items * COLUMNS, sizeof *x, "singular values", err);
    float *y = mem_new_raw(users * COLUMNS, sizeof *y, "singular values", err);
    enum status st = x && y ? ST_OK : ST_NOMEM;
    for (size_t at = 0; at < f->k && !st; at += COLUMNS) {
        size_t width = f->k - at < COLUMNS ? f->k - at : COLUMNS;
        double square[COLUMNS] = {0};
        for (size_t i = 0; i < items; i++)
            for (size_t c = 0; c < width; c++)
                x[i * width + c] = f->item_root[i] * f->v[i * f->k + at + c];
        sparse_times_block(&f->users, NULL, x, width, y, NULL);
        for (size_t u = 0; u < users; u++)
            for (size_t c = 0; c < width; c++)
                square[c] += (double)f->user_inverse[u] * (double)y[u * width + c] * (double)y[u * width + c];
        for (size_t c = 0; c < width; c++)
            scale[at + c] = (float)sqrt(square[c]);
    }
    mem_free(x);
    mem_free(y);
    return st;
}

/* ---- keeping ---- */

enum status graph_filter_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct graph_filter *f = m->state;
    uint64_t sizes[2] = {f->users.rows, f->k};
    size_t count = csr_count(&f->users);
    enum status st = blob_put(w, "sizes", BLOB_U64, sizes, 2, err);
    if (!st)
        st = blob_put(w, "begin", BLOB_U64, f->users.begin, f->users.rows + 1, err);
    if (!st)
        st = blob_put(w, "item", BLOB_U32, f->users.index, count, err);
    if (!st)
        st = blob_put(w, "weight", BLOB_F32, f->users.value, f->users.value ? count : 0, err);
    return st ? st : blob_put(w, "vectors", BLOB_F32, f->v, f->items.rows * f->k, err);
}

static bool rows_good(const struct csr *m)
{
    bool good = m->begin[0] == 0;
    for (size_t r = 0; r < m->rows && good; r++) {
        good = m->begin[r] <= m->begin[r + 1] && m->begin[r + 1] <= m->begin[m->rows];
        for (size_t e = m->begin[r]; good && e < m->begin[r + 1]; e++)
            good = m->index[e] < m->cols && (e == m->begin[r] || m->index[e - 1] < m->index[e]);
    }
    return good;
}

static enum status load_rows(struct graph_filter *f, size_t users, size_t items, struct blob_reader *r,
                             struct error *err)
{
    void *index = NULL, *value = NULL;
    size_t nindex = 0, nvalue = 0;
    f->users.rows = users;
    f->users.cols = items;
    f->users.begin = mem_new(users + 1, sizeof *f->users.begin, "row starts", err);
    enum status st = f->users.begin ? blob_get(r, "begin", BLOB_U64, f->users.begin, users + 1, err) : ST_NOMEM;
    if (st)
        return st;
    size_t count = csr_count(&f->users);
    st = blob_get_new(r, "item", BLOB_U32, count, &index, &nindex, err);
    f->users.index = index;
    if (!st)
        st = blob_get_new(r, "weight", BLOB_F32, count, &value, &nvalue, err);
    if (nvalue)
        f->users.value = value;
    else
        mem_free(value);
    if (!st && (nindex != count || nvalue != (f->shape.weigh ? count : 0) || !rows_good(&f->users)))
        st = error_set(err, ST_CORRUPT, "the matrix of a saved model is damaged");
    return st;
}

enum status graph_filter_load(struct model *m, struct blob_reader *r, struct error *err)
{
    struct graph_filter *f = m->state;
    uint64_t sizes[2];
    enum status st = blob_get(r, "sizes", BLOB_U64, sizes, 2, err);
    if (st)
        return st;
    if (sizes[0] != m->nusers || sizes[1] > f->shape.k)
        return error_set(err, ST_CORRUPT, "model %s does not fit its record", m->name);
    st = load_rows(f, m->nusers, m->nitems, r, err);
    if (!st)
        st = connect(f, err);
    if (st)
        return st;
    f->k = (size_t)sizes[1];
    f->v = mem_new_raw(m->nitems * f->k, sizeof *f->v, "singular vectors", err);
    st = f->v ? blob_get(r, "vectors", BLOB_F32, f->v, m->nitems * f->k, err) : ST_NOMEM;
    return st ? st : make_smooth(f, NULL, err);
}
