/* NMF: non-negative vectors of users and items whose products come near to the matrix, zeros and all.
 *
 * Minimised over x_u >= 0 and y_i >= 0 of k factors, r_ui being 1 (or the weight) of an observed pair, times the length
 * of the item's column to the power of scaling - 1, and 0 for all others:
 *
 *     sum over all pairs of (r_ui - x_u.y_i)^2  +  l2 N * (sum_u |x_u|^2 + sum_i |y_i|^2)
 *
 * with N = |R| (U^-1/2 + I^-1/2), about the largest singular value that noise of as many squares would have: a pull of
 * N is what takes all from it that is no more than noise, whatever the size and density of the data.
 *
 * One side at a time, its rows are non-negative regressions on the same Gram matrix, G = Y'Y and b_u = sum of r_uj y_j
 * over the history, so that zeros cost nothing (linalg/elastic_net.h). Scaling below 1 damps popular items, as in
 * PureSVD (EigenRec). A row goes on from where it stands by sweeps over its components, each to its minimum
 * (hierarchical alternating least squares), so the objective never grows. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "linalg/elastic_net.h"
#include "models/classes.h"
#include "models/factors.h"

enum { VALUES_BINARY, VALUES_WEIGHT };

static const struct param params[] = {
    {.name = "factors",
     .type = PARAM_INT,
     .initial = "64",
     .min = 1,
     .max = 512,
     .tune_min = 8,
     .tune_max = 256,
     .log_scale = true,
     .doc = "length of the vectors"},
    {.name = "epochs",
     .type = PARAM_INT,
     .initial = "30",
     .min = 1,
     .max = 10000,
     .tune_min = 10,
     .tune_max = 100,
     .log_scale = true,
     .doc = "passes over users and items"},
    {.name = "sweeps",
     .type = PARAM_INT,
     .initial = "2",
     .min = 1,
     .max = 1000,
     .doc = "passes over the components of a vector an epoch"},
    {.name = "l2",
     .type = PARAM_REAL,
     .initial = "0.6",
     .min = 0,
     .max = 1e3,
     .tune_min = .05,
     .tune_max = 2,
     .log_scale = true,
     .doc = "pull of vectors towards 0; 1: as strong as takes away what noise of the same size would leave"},
    {.name = "scaling",
     .type = PARAM_REAL,
     .initial = "1",
     .min = -2,
     .max = 2,
     .tune_min = -.2,
     .tune_max = 1.2,
     .doc = "power of the lengths of items in the matrix: 1 leaves it as it is, less damps popular items (EigenRec)"},
    {.name = "values",
     .type = PARAM_ENUM,
     .initial = "binary",
     .choices = "binary|weight",
     .doc = "an observed pair counts 1, or the summed weight of its events"},
};

struct nmf {
    struct factors items;
    float *scale; /* of items: what their entries are multiplied by */
    float *g;     /* Y'Y, both triangles */
    double l2;    /* times N */
    bool weigh;
    /* while training */
    float *x;                  /* users x k */
    struct csr by_user, by_item; /* scaled */
};

static void nmf_free(struct model *m)
{
    struct nmf *s = m->state;
    factors_clear(&s->items);
    csr_clear(&s->by_user);
    csr_clear(&s->by_item);
    mem_free(s->scale);
    mem_free(s->g);
    mem_free(s->x);
    mem_free(s);
    m->state = NULL;
}

static enum status nmf_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    size_t k = (size_t)model_int(m, "factors");
    *bytes = (m->nusers + 2 * m->nitems) * k * sizeof(float) + csr_count(&t->interactions->matrix) * 4 * sizeof(float) +
             ((size_t)parallel_threads() + 3) * k * k * sizeof(float);
    return ST_OK;
}

/* ---- one side ---- */

/* g (both triangles) = y'y. */
static enum status both_triangles(const float *y, size_t rows, size_t k, float *g, struct error *err)
{
    enum status st = gram(y, rows, k, g, err);
    for (size_t i = 0; i < k && !st; i++)
        for (size_t j = 0; j < i; j++)
            g[j * k + i] = g[i * k + j];
    return st;
}

enum { BLOCK = 64, FACTORS_MOST = 512 };

struct side {
    const struct nmf *s;
    const struct csr *rows;
    const float *y, *g; /* of the other side */
    float *x;
    size_t sweeps;
    float tolerance;    /* relative to what the largest component could be */
    double *explained; /* one a block: sum of x.b + x.(b - Gx), by which the squared error is less than that of zeros */
    struct job *job;
};

static void side_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct side *w = context;
    size_t k = w->s->items.k;
    float b[FACTORS_MOST], rest[FACTORS_MOST], l2 = (float)w->s->l2;
    if (job_cancelled(w->job))
        return;
    for (size_t r = begin; r < end; r++) {
        size_t at = w->rows->begin[r], n = w->rows->begin[r + 1] - at;
        float *x = w->x + r * k, largest = 0;
        rows_sum(b, k, w->y, w->rows->index + at, w->rows->value + at, n);
        for (size_t c = 0; c < k; c++)
            if (b[c] > 0)
                largest = fmaxf(largest, b[c] / (w->g[c * k + c] + l2));
        elastic_net_from(w->g, b, k, 0, l2, w->tolerance * largest, w->sweeps, x, rest);
        w->explained[block] += factors_product(x, b, k) + factors_product(x, rest, k);
    }
}

/* x, not negative, moves towards the best for y. */
static enum status solve_side(struct side *w, double *explained, struct error *err)
{
    size_t blocks = parallel_count(w->rows->rows, BLOCK);
    w->explained = mem_new(blocks, sizeof *w->explained, "non-negative regressions", err);
    if (!w->explained)
        return ST_NOMEM;
    parallel_blocks(w->rows->rows, BLOCK, side_block, w);
    *explained = 0;
    for (size_t b = 0; b < blocks; b++)
        *explained += w->explained[b];
    mem_free(w->explained);
    return job_check(w->job, err);
}

/* Vectors for the items as they stand, swept until they rest. */
static struct side at_rest(const struct nmf *s, const struct csr *rows, float *x)
{
    enum { SWEEPS = 1000 };
    return (struct side){
        .s = s, .rows = rows, .y = s->items.y, .g = s->g, .x = x, .sweeps = SWEEPS, .tolerance = 1e-5f};
}

/* ---- training ---- */

static enum status new_state(struct model *m, struct error *err)
{
    struct nmf *s = m->state = mem_new(1, sizeof *s, "NMF", err);
    size_t k = (size_t)model_int(m, "factors");
    if (!s)
        return ST_NOMEM;
    s->weigh = model_int(m, "values") == VALUES_WEIGHT;
    s->g = mem_new(k * k, sizeof *s->g, "NMF", err);
    s->scale = mem_new(m->nitems, sizeof *s->scale, "scales of items", err);
    return s->g && s->scale ? ST_OK : ST_NOMEM;
}

static enum status items_changed(struct nmf *s, struct error *err)
{
    enum status st = both_triangles(s->items.y, s->items.nitems, s->items.k, s->g, err);
    return st ? st : factors_pack(&s->items, err);
}

/* The entries of rows whose values are weights become those that vectors are to come near to. */
static void scale_entries(const struct nmf *s, struct csr *rows)
{
    for (size_t e = 0; e < csr_count(rows); e++)
        rows->value[e] = (s->weigh ? rows->value[e] : 1) * s->scale[rows->index[e]];
}

/* s->by_user, by_item, and the scales. */
static enum status scale_matrix(struct nmf *s, const struct csr *seen, double scaling, struct error *err)
{
    double *square = mem_new(seen->cols, sizeof *square, "lengths of items", err);
    enum status st = square ? csr_new(&s->by_user, seen->rows, seen->cols, csr_count(seen), true, err) : ST_NOMEM;
    if (st)
        goto out;
    memcpy(s->by_user.begin, seen->begin, (seen->rows + 1) * sizeof *seen->begin);
    memcpy(s->by_user.index, seen->index, csr_count(seen) * sizeof *seen->index);
    memcpy(s->by_user.value, seen->value, csr_count(seen) * sizeof *seen->value);
    for (size_t e = 0; e < csr_count(seen); e++)
        square[seen->index[e]] += s->weigh ? (double)seen->value[e] * (double)seen->value[e] : 1;
    for (size_t i = 0; i < seen->cols; i++)
        s->scale[i] = square[i] > 0 ? (float)pow(square[i], (scaling - 1) / 2) : 1;
    scale_entries(s, &s->by_user);
    st = csr_transpose(&s->by_user, &s->by_item, err);
out:
    mem_free(square);
    return st;
}

static double squares(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static enum status nmf_begin(struct model *m, const struct training *t, struct error *err)
{
    size_t k = (size_t)model_int(m, "factors");
    enum status st = new_state(m, err);
    if (st)
        return st;
    struct nmf *s = m->state;
    s->x = mem_new(m->nusers * k, sizeof *s->x, "user vectors", err);
    st = s->x ? factors_new(&s->items, m->nitems, k, false, err) : ST_NOMEM;
    if (!st)
        st = scale_matrix(s, &t->interactions->matrix, model_real(m, "scaling"), err);
    if (st)
        return st;
    /* Columns about as long as those of both sides are to be: the root of a singular value. */
    double length = sqrt(squares(s->by_user.value, csr_count(&s->by_user))), spread = sqrt(length / (double)m->nitems);
    s->l2 = model_real(m, "l2") * length * (1 / sqrt((double)m->nusers) + 1 / sqrt((double)m->nitems));
    struct rng r = rng_stream(t->seed, "nmf items", 0);
    for (size_t i = 0; i < m->nitems * k; i++)
        s->items.y[i] = (float)(spread * rng_real(&r));
    return items_changed(s, err);
}

static enum status nmf_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                             struct error *err)
{
    struct nmf *s = m->state;
    size_t k = s->items.k, sweeps = (size_t)model_int(m, "sweeps");
    double explained = 0;
    float *g = mem_new(k * k, sizeof *g, "NMF", err);
    if (!g)
        return ST_NOMEM;
    struct side users = {
        .s = s, .rows = &s->by_user, .y = s->items.y, .g = s->g, .x = s->x, .sweeps = sweeps, .job = t->job};
    struct side items = {
        .s = s, .rows = &s->by_item, .y = s->x, .g = g, .x = s->items.y, .sweeps = sweeps, .job = t->job};
    enum status st = solve_side(&users, &explained, err);
    if (!st)
        st = both_triangles(s->x, m->nusers, k, g, err);
    if (!st)
        st = solve_side(&items, &explained, err);
    if (!st)
        st = items_changed(s, err);
    mem_free(g);
    double all = squares(s->by_user.value, csr_count(&s->by_user));
    *loss = (all - explained + s->l2 * (squares(s->x, m->nusers * k) + squares(s->items.y, m->nitems * k))) / all;
    *done = epoch + 1 >= (size_t)model_int(m, "epochs");
    return st;
}

static enum status nmf_pause(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct nmf *s = m->state;
    return factors_pause(s->x, m->nusers, s->items.k, w, err);
}

static enum status nmf_resume(struct model *m, const struct model *from, const struct training *t,
                              struct blob_reader *r, bool *same, struct error *err)
{
    struct nmf *s = m->state;
    const struct nmf *old = from->state;
    size_t k = s->items.k;
    double ignored;
    memcpy(s->items.y, old->items.y, s->items.nitems * k * sizeof *s->items.y);
    enum status st = items_changed(s, err);
    if (st)
        return st;
    if (r) {
        st = factors_resume(s->x, m, k, r, err);
        for (size_t i = 0; i < m->nusers * k && !st; i++)
            if (s->x[i] < 0)
                st = error_set(err, ST_CORRUPT, "the user vectors that the training of %s goes on from are damaged",
                               m->name);
        return st;
    }
    *same = false; /* where sweeps would have arrived in the end */
    struct side users = at_rest(s, &s->by_user, s->x);
    users.job = t->job;
    return solve_side(&users, &ignored, err);
}

static enum status nmf_end(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    (void)err;
    struct nmf *s = m->state;
    mem_free(s->x);
    s->x = NULL;
    csr_clear(&s->by_user);
    csr_clear(&s->by_item);
    return ST_OK;
}

/* ---- answering ---- */

/* The histories as scaled rows, and their vectors: from zeros until they rest. */
static enum status fold_rows(const struct model *m, const struct query *queries, size_t n, struct csr *rows, float *x,
                             struct error *err)
{
    const struct nmf *s = m->state;
    double ignored;
    enum status st = folded_rows(queries, n, m->nitems, true, rows, err);
    if (st)
        return st;
    scale_entries(s, rows);
    memset(x, 0, n * s->items.k * sizeof *x);
    struct side w = at_rest(s, rows, x);
    return solve_side(&w, &ignored, err);
}

static enum status nmf_fold(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err)
{
    struct csr rows = {0};
    enum status st = fold_rows(m, queries, n, &rows, x, err);
    csr_clear(&rows);
    return st;
}

static enum status nmf_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                             struct error *err)
{
    const struct nmf *s = m->state;
    return factors_score(&s->items, m, queries, n, scores, err);
}

static enum status nmf_native(const struct model *m, uint32_t user, float *scores, struct error *err)
{
    (void)err;
    const struct nmf *s = m->state;
    dots_score(&s->items.panels, s->x + user * s->items.k, 1, scores);
    return ST_OK;
}

/* What item j of the history, whose row holds it with weight w, contributes: a component of x, which is positive only
 * where b is (but for rounding), belongs to the items of the history as they make up that component of b. */
static double share(const float *x, const float *b, const float *yj, const float *yi, float w, size_t k)
{
    double sum = 0;
    for (size_t c = 0; c < k; c++)
        if (x[c] > 0 && b[c] > 0)
            sum += (double)x[c] * yi[c] * (w * yj[c] / b[c]);
    return sum;
}

static enum status nmf_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                               struct error *err)
{
    const struct nmf *s = m->state;
    struct csr row = {0};
    size_t k = s->items.k;
    float *x = mem_new(2 * k, sizeof *x, "an explanation", err), *b = x ? x + k : NULL;
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    const float *y = s->items.y;
    enum status st = x && scores ? fold_rows(m, q, 1, &row, x, err) : ST_NOMEM;
    if (!st)
        st = explanation_new(out, csr_count(&row), err);
    if (st)
        goto out;
    rows_sum(b, k, y, row.index, row.value, csr_count(&row));
    for (size_t j = 0; j < csr_count(&row); j++)
        explanation_add(out, row.index[j], share(x, b, y + row.index[j] * k, y + item * k, row.value[j], k));
    explanation_sort(out);
    dots_score(&s->items.panels, x, 1, scores);
    explanation_score(out, scores, m->nitems, item);
    out->exact = true;
    out->method = "each factor shared among the items of the history that hold it (exact)";
out:
    csr_clear(&row);
    mem_free(x);
    mem_free(scores);
    return st;
}

static enum status nmf_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)err;
    const struct nmf *s = m->state;
    factors_similar(&s->items, NULL, item, similarity);
    return ST_OK;
}

static const float *nmf_vectors(const struct model *m, size_t *width)
{
    const struct nmf *s = m->state;
    return factors_vectors(&s->items, width);
}

/* Behind the item vectors: "scales", f32, one an item. */
static enum status nmf_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct nmf *s = m->state;
    enum status st = factors_save(&s->items, w, err);
    if (!st)
        st = blob_put(w, "scales", BLOB_F32, s->scale, m->nitems, err);
    return st ? st : blob_put(w, "pull", BLOB_F64, &s->l2, 1, err);
}

static enum status nmf_load(struct model *m, struct blob_reader *r, struct error *err)
{
    size_t k = (size_t)model_int(m, "factors");
    enum status st = new_state(m, err);
    if (st)
        return st;
    struct nmf *s = m->state;
    st = factors_load(&s->items, m, k, false, r, err);
    if (!st)
        st = blob_get(r, "scales", BLOB_F32, s->scale, m->nitems, err);
    if (!st)
        st = blob_get(r, "pull", BLOB_F64, &s->l2, 1, err);
    if (!st && !(s->l2 >= 0 && s->l2 < INFINITY))
        st = error_set(err, ST_CORRUPT, "the pull of model %s is damaged", m->name);
    for (size_t i = 0; i < m->nitems * k && !st; i++)
        if (!(s->items.y[i] >= 0) || !(s->scale[i / k] > 0))
            st = error_set(err, ST_CORRUPT, "the item vectors of model %s are damaged", m->name);
    return st ? st : both_triangles(s->items.y, m->nitems, k, s->g, err);
}

const struct model_class model_nmf = {
    .name = "nmf",
    .summary = "non-negative matrix factorization: tastes that only add up",
    .reference = "Lee, Seung: Learning the parts of objects by non-negative matrix factorization, Nature 1999; "
                 "hierarchical alternating least squares of Cichocki, Phan: Fast local algorithms for large scale "
                 "nonnegative matrix and tensor factorizations, IEICE Transactions 2009",
    .fold_in = "solves the user's row of training from the final item vectors, exactly; lists keep a rank-biased "
               "overlap at 20 of .99 with those of the user vectors that training itself ends with (measured on "
               "MovieLens 100K)",
    .capabilities = CAN_EPOCHS,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = nmf_check,
    .begin = nmf_begin,
    .epoch = nmf_epoch,
    .end = nmf_end,
    .score = nmf_score,
    .explain = nmf_explain,
    .similar = nmf_similar,
    .vectors = nmf_vectors,
    .fold = nmf_fold,
    .native = nmf_native,
    .pause = nmf_pause,
    .resume = nmf_resume,
    .save = nmf_save,
    .load = nmf_load,
    .free = nmf_free,
};
