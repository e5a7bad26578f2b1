#include "models/rating_factors.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "models/rating_turns.h"

/* ---- training ---- */

static void work_free(struct rating_work *w)
{
    if (!w)
        return;
    ratings_clear(&w->ratings);
    csr_clear(&w->had);
    csr_clear(&w->had_by);
    if (w->x != w->p)
        mem_free(w->x);
    mem_free(w->p);
    mem_free(w->user_bias);
    mem_free(w->z);
    mem_free(w);
}

void rating_factors_free(struct model *m)
{
    struct rating_factors *s = m->state;
    mem_free(s->q);
    mem_free(s->bias);
    mem_free(s->implied);
    mem_free(s->vectors);
    dots_clear(&s->panels);
    work_free(s->work);
    mem_free(s);
    m->state = NULL;
}

static bool has_param(const struct model *m, const char *name)
{
    return param_index(m->class->params, m->class->nparams, name) < m->class->nparams;
}

enum status rating_factors_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    size_t f = (size_t)model_int(m, "factors"), ratings = csr_count(&t->interactions->matrix);
    bool implicit = has_param(m, "lambda_implicit");
    *bytes = ratings * (implicit ? 40 : 24) +
             (m->nitems * (implicit ? 7 : 4) + m->nusers * (implicit ? 5 : 1)) * (f + 2) * sizeof(float) +
             (size_t)parallel_threads() * 2 * (f + 1) * (f + 1) * sizeof(float);
    return ratings_check(m, t, err);
}

static enum status state_new(struct model *m, struct error *err)
{
    struct rating_factors *s = mem_new(1, sizeof *s, "vectors of ratings", err);
    if (!s)
        return ST_NOMEM;
    m->state = s;
    s->nitems = m->nitems;
    s->f = (size_t)model_int(m, "factors");
    s->lambda = model_real(m, "lambda");
    s->nu = model_real(m, "nu");
    s->lambda_bias = model_real(m, "lambda_bias");
    s->q = mem_new_raw(s->nitems * (s->f + 1), sizeof *s->q, "item vectors", err);
    s->bias = mem_new(s->nitems, sizeof *s->bias, "item biases", err);
    s->vectors = mem_new_raw(s->nitems * (s->f + 2), sizeof *s->vectors, "item vectors", err);
    if (!s->q || !s->bias || !s->vectors)
        return ST_NOMEM;
    if (!has_param(m, "lambda_implicit"))
        return ST_OK;
    s->lambda_implicit = model_real(m, "lambda_implicit");
    s->implied = mem_new(s->nitems * s->f, sizeof *s->implied, "implicit vectors", err);
    return s->implied ? ST_OK : ST_NOMEM;
}

/* What scoring needs, of the items as they stand. */
static enum status items_changed(struct rating_factors *s, struct error *err)
{
    size_t k = s->f + 1;
    for (size_t i = 0; i < s->nitems; i++) {
        memcpy(s->vectors + i * (k + 1), s->q + i * k, k * sizeof *s->q);
        s->vectors[i * (k + 1) + k] = s->bias[i];
    }
    dots_clear(&s->panels);
    return dots_pack(&s->panels, s->vectors, s->nitems, k + 1, err);
}

/* A view of the matrix of training without its values. */
static enum status note_had(struct rating_work *w, const struct csr *matrix, struct error *err)
{
    struct csr view = *matrix;
    view.value = NULL;
    enum status st = csr_transpose(&view, &w->had_by, err);
    return st ? st : csr_transpose(&w->had_by, &w->had, err);
}

static enum status work_new(struct rating_factors *s, const struct training *t, size_t nusers, struct error *err)
{
    struct rating_work *w = s->work = mem_new(1, sizeof *w, "ratings", err);
    if (!w)
        return ST_NOMEM;
    w->p = mem_new(nusers * (s->f + 1), sizeof *w->p, "user vectors", err);
    w->user_bias = mem_new(nusers, sizeof *w->user_bias, "user biases", err);
    w->x = w->p;
    if (s->implied) {
        w->z = mem_new(nusers * s->f, sizeof *w->z, "user vectors", err);
        w->x = mem_new(nusers * (s->f + 1), sizeof *w->x, "user vectors", err);
    }
    if (!w->p || !w->user_bias || !w->x || (s->implied && !w->z))
        return ST_NOMEM;
    enum status st = ratings_build(t->selection, &w->ratings, err);
    if (!st && s->implied)
        st = note_had(w, &t->interactions->matrix, err);
    return st;
}

enum status rating_factors_begin(struct model *m, const struct training *t, struct error *err)
{
    enum status st = state_new(m, err);
    struct rating_factors *s = m->state;
    if (!st)
        st = work_new(s, t, m->nusers, err);
    if (st)
        return st;
    double spread = model_real(m, "init") / sqrt((double)s->f);
    s->mean = s->work->ratings.mean;
    s->deviation = s->work->ratings.deviation;
    for (size_t i = 0; i < s->nitems; i++) {
        struct rng r = rng_stream(t->seed, "rating factors", i);
        float *q = s->q + i * (s->f + 1);
        for (size_t c = 0; c < s->f; c++)
            q[c] = (float)(spread * rng_normal(&r));
        q[s->f] = 1;
    }
    return items_changed(s, err);
}

double rating_factors_objective(const struct rating_factors *s)
{
    const struct rating_work *w = s->work;
    const struct csr *rows = &w->ratings.by_user;
    size_t k = s->f + 1;
    double sum = 0;
    for (size_t u = 0; u < rows->rows; u++) {
        size_t n = rows->begin[u + 1] - rows->begin[u];
        for (size_t a = rows->begin[u]; a < rows->begin[u + 1]; a++) {
            double miss = rows->value[a] / s->deviation - w->user_bias[u] - s->bias[rows->index[a]] -
                          rating_product(s->q + rows->index[a] * k, w->x + u * k, s->f);
            sum += miss * miss;
        }
        sum += s->lambda_bias * w->user_bias[u] * w->user_bias[u];
        sum += n ? s->lambda * pow((double)n, s->nu) * rating_product(w->p + u * k, w->p + u * k, s->f) : 0;
    }
    for (size_t i = 0; i < s->nitems; i++) {
        size_t n = w->ratings.by_item.begin[i + 1] - w->ratings.by_item.begin[i];
        size_t had = s->implied ? w->had_by.begin[i + 1] - w->had_by.begin[i] : 0;
        sum += s->lambda_bias * s->bias[i] * s->bias[i];
        sum += n ? s->lambda * pow((double)n, s->nu) * rating_product(s->q + i * k, s->q + i * k, s->f) : 0;
        sum += had ? s->lambda_implicit * pow((double)had, s->nu) *
                         rating_product(s->implied + i * s->f, s->implied + i * s->f, s->f)
                   : 0;
    }
    return sum;
}

enum status rating_factors_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                 struct error *err)
{
    struct rating_factors *s = m->state;
    struct rating_work *w = s->work;
    struct rating_side users = rating_users_of(s, &w->ratings.by_user, w->z);
    enum status st = rating_solve_rows(&users, w->p, w->user_bias, t->job, err);
    if (st)
        return st;
    rating_join_users(s);
    struct rating_side items = users;
    items.rows = &w->ratings.by_item;
    items.design = w->x;
    items.offset = w->user_bias;
    items.z = NULL;
    st = rating_solve_rows(&items, s->q, s->bias, t->job, err);
    if (!st && s->implied)
        st = rating_solve_implied(s, err);
    if (!st)
        st = items_changed(s, err);
    *loss = rating_factors_objective(s) / (double)csr_count(&w->ratings.by_user);
    *done = epoch + 1 >= (size_t)model_int(m, "epochs");
    return st;
}

/* An epoch begins with the users, solved from the items alone: these are all that it goes on from. */
enum status rating_factors_resume(struct model *m, const struct model *from, const struct training *t,
                                  struct blob_reader *r, bool *same, struct error *err)
{
    (void)t;
    (void)r;
    (void)same;
    struct rating_factors *s = m->state;
    const struct rating_factors *old = from->state;
    memcpy(s->q, old->q, s->nitems * (s->f + 1) * sizeof *s->q);
    memcpy(s->bias, old->bias, s->nitems * sizeof *s->bias);
    if (s->implied) {
        memcpy(s->implied, old->implied, s->nitems * s->f * sizeof *s->implied);
        rating_sum_had(&s->work->had, s->implied, s->f, s->work->z);
    }
    return items_changed(s, err);
}

enum status rating_factors_end(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    (void)err;
    struct rating_factors *s = m->state;
    work_free(s->work);
    s->work = NULL;
    return ST_OK;
}

/* ---- answering ---- */

/* The vector of a user for the vectors of items: a score is their product. */
static void place_user(const struct rating_factors *s, const float *p, const float *z, float bias, float *x)
{
    for (size_t c = 0; c < s->f; c++)
        x[c] = (float)s->deviation * (p[c] + (z ? z[c] : 0));
    x[s->f] = (float)(s->mean + s->deviation * bias);
    x[s->f + 1] = (float)s->deviation;
}

/* Histories as training reads them. */
struct histories {
    struct csr rated, had; /* had: with z only */
    float *z;              /* n x f, or NULL */
};

static void histories_done(struct histories *h)
{
    csr_clear(&h->rated);
    csr_clear(&h->had);
    mem_free(h->z);
}

static enum status histories_read(const struct rating_factors *s, const struct query *queries, size_t n,
                                  struct histories *h, struct error *err)
{
    *h = (struct histories){0};
    enum status st = ratings_of_queries(queries, n, s->nitems, s->mean, false, &h->rated, err);
    if (st || !s->implied)
        return st;
    st = ratings_of_queries(queries, n, s->nitems, s->mean, true, &h->had, err);
    if (!st && !(h->z = mem_new(n * s->f, sizeof *h->z, "user vectors", err)))
        st = ST_NOMEM;
    if (!st)
        rating_sum_had(&h->had, s->implied, s->f, h->z);
    return st;
}

enum status rating_factors_fold(const struct model *m, const struct query *queries, size_t n, float *x,
                                struct error *err)
{
    const struct rating_factors *s = m->state;
    struct histories h = {0};
    float *p = mem_new_raw(n * (s->f + 1), sizeof *p, "user vectors", err),
          *bias = mem_new_raw(n, sizeof *bias, "user biases", err);
    enum status st = p && bias ? histories_read(s, queries, n, &h, err) : ST_NOMEM;
    if (!st) {
        struct rating_side users = rating_users_of(s, &h.rated, h.z);
        st = rating_solve_rows(&users, p, bias, NULL, err);
    }
    for (size_t q = 0; q < n && !st; q++)
        place_user(s, p + q * (s->f + 1), h.z ? h.z + q * s->f : NULL, bias[q], x + q * (s->f + 2));
    histories_done(&h);
    mem_free(p);
    mem_free(bias);
    return st;
}

enum status rating_factors_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                 struct error *err)
{
    const struct rating_factors *s = m->state;
    float *x = mem_new_raw(n * (s->f + 2), sizeof *x, "user vectors", err);
    enum status st = x ? rating_factors_fold(m, queries, n, x, err) : ST_NOMEM;
    if (!st)
        dots_score(&s->panels, x, n, scores);
    mem_free(x);
    return st;
}

enum status rating_factors_native(const struct model *m, uint32_t user, float *scores, struct error *err)
{
    const struct rating_factors *s = m->state;
    const struct rating_work *w = s->work;
    float *x = mem_new_raw(s->f + 2, sizeof *x, "a user vector", err);
    if (!x)
        return ST_NOMEM;
    place_user(s, w->p + user * (s->f + 1), w->z ? w->z + user * s->f : NULL, w->user_bias[user], x);
    dots_score(&s->panels, x, 1, scores);
    mem_free(x);
    return ST_OK;
}

static enum status explain_parts(const struct rating_factors *s, const struct histories *h, uint32_t item,
                                 const float *w, struct explanation *out, struct error *err)
{
    size_t k = s->f + 1, n = csr_count(&h->rated), had = s->implied ? csr_count(&h->had) : n;
    const struct csr *all = s->implied ? &h->had : &h->rated;
    double norm = had ? 1 / sqrt((double)had) : 0;
    float *left = mem_new_raw(s->f, sizeof *left, "an explanation",
                              err); /* what y_j is multiplied with: q_i less what ratings take */
    enum status st = left ? explanation_new(out, had, err) : ST_NOMEM;
    if (st) {
        mem_free(left);
        return st;
    }
    memcpy(left, s->q + item * k, s->f * sizeof *left);
    for (size_t a = 0; a < n; a++) {
        const float *q = s->q + h->rated.index[a] * k;
        rating_step(left, -rating_product(q, w, k), q, s->f);
    }
    for (size_t a = 0; a < had; a++) {
        uint32_t j = all->index[a];
        double value =
            isnan(all->value[a]) ? 0 : (all->value[a] / s->deviation - s->bias[j]) * rating_product(s->q + j * k, w, k);
        if (s->implied)
            value += norm * rating_product(s->implied + j * s->f, left, s->f);
        explanation_add(out, j, s->deviation * value);
    }
    explanation_sort(out);
    mem_free(left);
    return ST_OK;
}

enum status rating_factors_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                   struct error *err)
{
    const struct rating_factors *s = m->state;
    struct histories h = {0};
    float *w = mem_new(s->f + 1, sizeof *w, "an explanation", err);
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    enum status st = w && scores ? histories_read(s, q, 1, &h, err) : ST_NOMEM;
    if (!st && csr_count(&h.rated))
        st = rating_explaining_vector(s, &h.rated, item, w, err);
    if (!st)
        st = explain_parts(s, &h, item, w, out, err);
    if (!st)
        st = rating_factors_score(m, q, 1, scores, err);
    if (!st) {
        out->score = scores[item];
        out->base = s->mean + s->deviation * s->bias[item];
        out->own = s->deviation * s->bias[item];
        out->own_is = "everybody rates it highly";
        out->exact = true;
        out->method =
            "base: mean of all ratings + bias of the item; each part: what a rating adds to bias and vector of the "
            "user, whose least squares are taken apart (exact)";
    }
    histories_done(&h);
    mem_free(w);
    mem_free(scores);
    return st;
}

/* Cosine of the item vectors without the biases. */
enum status rating_factors_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)err;
    const struct rating_factors *s = m->state;
    size_t k = s->f + 1;
    const float *q = s->q + item * k;
    double length = sqrt(rating_product(q, q, s->f));
    for (size_t i = 0; i < s->nitems; i++) {
        const float *other = s->q + i * k;
        double both = length * sqrt(rating_product(other, other, s->f));
        similarity[i] = both > 0 ? (float)(rating_product(q, other, s->f) / both) : -INFINITY;
    }
    return ST_OK;
}

const float *rating_factors_vectors(const struct model *m, size_t *width)
{
    const struct rating_factors *s = m->state;
    *width = s->f + 2;
    return s->vectors;
}

enum status rating_factors_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct rating_factors *s = m->state;
    double scale[2] = {s->mean, s->deviation};
    enum status st = blob_put(w, "scale", BLOB_F64, scale, 2, err);
    if (!st)
        st = blob_put(w, "item-vectors", BLOB_F32, s->vectors, s->nitems * (s->f + 2), err);
    if (!st && s->implied)
        st = blob_put(w, "implicit-vectors", BLOB_F32, s->implied, s->nitems * s->f, err);
    return st;
}

static enum status get_floats(struct blob_reader *r, const char *name, float *out, size_t count, struct error *err)
{
    enum status st = blob_get(r, name, BLOB_F32, out, count, err);
    for (size_t i = 0; i < count && !st; i++)
        if (!isfinite(out[i]))
            st = error_set(err, ST_CORRUPT, "the %s of a saved model are damaged", name);
    return st;
}

enum status rating_factors_load(struct model *m, struct blob_reader *r, struct error *err)
{
    double scale[2];
    enum status st = state_new(m, err);
    if (st)
        return st;
    struct rating_factors *s = m->state;
    size_t k = s->f + 1;
    st = blob_get(r, "scale", BLOB_F64, scale, 2, err);
    if (!st && (!isfinite(scale[0]) || !isfinite(scale[1]) || !(scale[1] > 0)))
        st = error_set(err, ST_CORRUPT, "the scale of model %s is damaged", m->name);
    if (!st)
        st = get_floats(r, "item-vectors", s->vectors, s->nitems * (k + 1), err);
    if (!st && s->implied)
        st = get_floats(r, "implicit-vectors", s->implied, s->nitems * s->f, err);
    if (st)
        return st;
    s->mean = scale[0];
    s->deviation = scale[1];
    for (size_t i = 0; i < s->nitems; i++) {
        memcpy(s->q + i * k, s->vectors + i * (k + 1), k * sizeof *s->q);
        s->q[i * k + s->f] = 1;
        s->bias[i] = s->vectors[i * (k + 1) + k];
    }
    return items_changed(s, err);
}
