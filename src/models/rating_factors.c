#include "models/rating_factors.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"

enum { BLOCK = 32, IMPLICIT_STEPS = 3 };

/* ---- one row of least squares ---- */

/* The rows of one side, with what is fixed of the other: targets are rows.value / deviation - offset[column] - part of z. */
struct side {
    const struct csr *rows;
    const float *design;    /* columns x (f + 1): vector, then 1 */
    const float *offset;    /* columns: their biases */
    const float *z;         /* rows x f, or NULL: known of the vector of a row before */
    size_t f;
    double deviation, lambda, nu, lambda_bias;
};

static size_t padded(size_t floats)
{
    return (floats + 15) / 16 * 16; /* 64 bytes: what follows stays aligned */
}

static size_t longest_row(const struct csr *m)
{
    size_t longest = 0;
    for (size_t r = 0; r < m->rows; r++)
        if (m->begin[r + 1] - m->begin[r] > longest)
            longest = m->begin[r + 1] - m->begin[r];
    return longest;
}

static size_t room_for(const struct side *s)
{
    size_t k = s->f + 1;
    return padded(k * k) + padded(gram_scratch(k)) + padded(longest_row(s->rows));
}

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* a (lower triangle) of row r: sum of d d' + what pulls to 0. */
static void build(const struct side *s, size_t r, float *a, float *scratch)
{
    size_t k = s->f + 1, at = s->rows->begin[r], n = s->rows->begin[r + 1] - at;
    float pull = (float)(s->lambda * pow((double)n, s->nu));
    memset(a, 0, k * k * sizeof *a);
    gram_add(a, k, s->design, s->rows->index + at, NULL, n, scratch);
    for (size_t i = 0; i < s->f; i++)
        a[i * k + i] += pull;
    a[s->f * k + s->f] += (float)s->lambda_bias;
}

/* out[0..f]: vector and bias of row r. False when the system is singular. */
static bool solve_row(const struct side *s, size_t r, float *out, float *room)
{
    size_t k = s->f + 1, at = s->rows->begin[r], n = s->rows->begin[r + 1] - at;
    float *scratch = room + padded(k * k), *target = scratch + padded(gram_scratch(k));
    float unit = (float)(1 / s->deviation);
    const uint32_t *index = s->rows->index + at;
    memset(out, 0, k * sizeof *out);
    if (!n)
        return true;
    for (size_t a = 0; a < n; a++) {
        target[a] = s->rows->value[at + a] * unit - s->offset[index[a]];
        if (s->z)
            target[a] -= dot(s->design + index[a] * k, s->z + r * s->f, s->f);
    }
    build(s, r, room, scratch);
    rows_sum(out, k, s->design, index, target, n);
    return cholesky_solve(room, k, out);
}

/* ---- all rows ---- */

struct solving {
    const struct side *side;
    float *vector; /* rows x (f + 1): vector, then 1 */
    float *bias;
    float **room;  /* one a thread */
    bool *singular; /* one a block */
    struct job *job;
};

static void solve_block(void *context, size_t block, size_t begin, size_t end)
{
    struct solving *s = context;
    size_t k = s->side->f + 1;
    if (job_cancelled(s->job))
        return;
    for (size_t r = begin; r < end; r++) {
        float *out = s->vector + r * k;
        if (!solve_row(s->side, r, out, s->room[parallel_thread()]))
            s->singular[block] = true;
        s->bias[r] = out[s->side->f];
        out[s->side->f] = 1;
    }
}

static enum status solve_rows(const struct side *side, float *vector, float *bias, struct job *job, struct error *err)
{
    size_t threads = (size_t)parallel_threads(), blocks = parallel_count(side->rows->rows, BLOCK), room = room_for(side);
    struct solving s = {side, vector, bias, mem_new(threads, sizeof *s.room, "least squares", err),
                        mem_new(blocks, sizeof *s.singular, "least squares", err), job};
    enum status st = s.room && s.singular ? ST_OK : ST_NOMEM;
    for (size_t t = 0; t < threads && !st; t++)
        if (!(s.room[t] = mem_new_raw(room, sizeof **s.room, "least squares", err)))
            st = ST_NOMEM;
    if (!st) {
        parallel_blocks(side->rows->rows, BLOCK, solve_block, &s);
        st = job_check(job, err);
    }
    for (size_t b = 0; b < blocks && !st; b++) {
        if (!s.singular[b])
            continue;
        st = error_set(err, ST_FORMAT, "the least squares of a row cannot be solved: lambda=%g, lambda_bias=%g are too small for these data",
                       side->lambda, side->lambda_bias);
        error_hint(err, "try larger ones");
    }
    for (size_t t = 0; s.room && t < threads; t++)
        mem_free(s.room[t]);
    mem_free(s.room);
    mem_free(s.singular);
    return st;
}

static struct side users_of(const struct rating_factors *s, const struct csr *rows, const float *z)
{
    return (struct side){rows, s->q, s->bias, z, s->f, s->deviation, s->lambda, s->nu, s->lambda_bias};
}

/* ---- what users had ---- */

struct summing {
    const struct csr *had;
    const float *y;
    size_t f;
    float *out;
};

/* out row = |N|^-1/2 sum of the rows of y that it had. */
static void sum_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct summing *s = context;
    (void)block;
    for (size_t r = begin; r < end; r++) {
        float *out = s->out + r * s->f;
        size_t at = s->had->begin[r], n = s->had->begin[r + 1] - at;
        memset(out, 0, s->f * sizeof *out);
        if (!n)
            continue;
        rows_sum(out, s->f, s->y, s->had->index + at, NULL, n);
        float norm = 1 / sqrtf((float)n);
        for (size_t c = 0; c < s->f; c++)
            out[c] *= norm;
    }
}

static void sum_had(const struct csr *had, const float *y, size_t f, float *out)
{
    struct summing s = {had, y, f, out};
    parallel_blocks(had->rows, BLOCK, sum_block, &s);
}

static void join_users(struct rating_factors *s)
{
    struct rating_work *w = s->work;
    size_t k = s->f + 1;
    for (size_t u = 0; w->z && u < w->had.rows; u++) {
        for (size_t c = 0; c < s->f; c++)
            w->x[u * k + c] = w->p[u * k + c] + w->z[u * s->f + c];
        w->x[u * k + s->f] = 1;
    }
}

/* ---- the turn of y: conjugate gradients ----
 *
 * The normal equations are (S'KS + D) y = S'g, S: z = S y, K: blocks q q' of each user's ratings, D: what pulls to 0, and g the
 * residuals of a user times their q. From y as it stands, the first residual is minus half the gradient. */

struct pushing {
    const struct rating_factors *s;
    const float *t;     /* users x f: a direction of z; NULL: residuals of the model as it stands */
    const float *whose; /* items x f: the direction of y it comes from, or y */
    float *v;           /* users x f */
    float *out;         /* items x f */
};

/* v_u = |N|^-1/2 sum of q_i (q_i . t_u), or of q_i times what the model misses at (u, i). */
static void push_users(void *context, size_t block, size_t begin, size_t end)
{
    const struct pushing *g = context;
    const struct rating_factors *s = g->s;
    const struct rating_work *w = s->work;
    size_t f = s->f, k = f + 1;
    float unit = (float)(1 / s->deviation);
    (void)block;
    for (size_t u = begin; u < end; u++) {
        const struct csr *rows = &w->ratings.by_user;
        float *v = g->v + u * f;
        size_t had = w->had.begin[u + 1] - w->had.begin[u];
        memset(v, 0, f * sizeof *v);
        for (size_t a = rows->begin[u]; a < rows->begin[u + 1]; a++) {
            const float *q = s->q + rows->index[a] * k;
            float amount = g->t ? dot(q, g->t + u * f, f)
                                : rows->value[a] * unit - w->user_bias[u] - s->bias[rows->index[a]] - dot(q, w->x + u * k, f);
            for (size_t c = 0; c < f; c++)
                v[c] += amount * q[c];
        }
        float norm = had ? 1 / sqrtf((float)had) : 0;
        for (size_t c = 0; c < f; c++)
            v[c] *= norm;
    }
}

/* out_j = sum of v_u over those who had j, with the pull of `whose`: added to the matrix, taken off the residual. */
static void push_items(void *context, size_t block, size_t begin, size_t end)
{
    const struct pushing *g = context;
    const struct rating_factors *s = g->s;
    const struct csr *by = &s->work->had_by;
    size_t f = s->f;
    (void)block;
    for (size_t j = begin; j < end; j++) {
        size_t at = by->begin[j], n = by->begin[j + 1] - at;
        float *out = g->out + j * f, pull = (float)(s->lambda_implicit * pow((double)n, s->nu)) * (g->t ? 1 : -1);
        memset(out, 0, f * sizeof *out);
        if (!n)
            continue;
        rows_sum(out, f, g->v, by->index + at, NULL, n);
        for (size_t c = 0; c < f; c++)
            out[c] += pull * g->whose[j * f + c];
    }
}

static void push(const struct rating_factors *s, const float *t, const float *whose, float *v, float *out)
{
    struct pushing g = {s, t, whose, v, out};
    parallel_blocks(s->work->had.rows, BLOCK, push_users, &g);
    parallel_blocks(s->nitems, BLOCK, push_items, &g);
}

static double product(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

static void step(float *to, double by, const float *along, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += (float)by * along[i];
}

static enum status solve_implied(struct rating_factors *s, struct error *err)
{
    struct rating_work *w = s->work;
    size_t n = s->nitems * s->f, users = w->had.rows * s->f;
    float *residual = mem_new_raw(n, sizeof *residual, "implicit vectors", err);
    float *direction = mem_new_raw(n, sizeof *direction, "implicit vectors", err);
    float *image = mem_new_raw(n, sizeof *image, "implicit vectors", err);
    float *t = mem_new_raw(users, sizeof *t, "implicit vectors", err), *v = mem_new_raw(users, sizeof *v, "implicit vectors", err);
    enum status st = residual && direction && image && t && v ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    push(s, NULL, s->implied, v, residual);
    memcpy(direction, residual, n * sizeof *direction);
    double size = product(residual, residual, n);
    for (size_t i = 0; i < IMPLICIT_STEPS && size > 0; i++) {
        sum_had(&w->had, direction, s->f, t);
        push(s, t, direction, v, image);
        double curve = product(direction, image, n);
        if (!(curve > 0))
            break;
        step(s->implied, size / curve, direction, n);
        step(residual, -size / curve, image, n);
        double before = size;
        size = product(residual, residual, n);
        for (size_t c = 0; c < n; c++)
            direction[c] = residual[c] + (float)(size / before) * direction[c];
    }
    sum_had(&w->had, s->implied, s->f, w->z);
    join_users(s);
out:
    mem_free(residual);
    mem_free(direction);
    mem_free(image);
    mem_free(t);
    mem_free(v);
    return st;
}

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
    *bytes = ratings * (implicit ? 40 : 24) + (m->nitems * (implicit ? 7 : 4) + m->nusers * (implicit ? 5 : 1)) * (f + 2) * sizeof(float) +
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
                          product(s->q + rows->index[a] * k, w->x + u * k, s->f);
            sum += miss * miss;
        }
        sum += s->lambda_bias * w->user_bias[u] * w->user_bias[u];
        sum += n ? s->lambda * pow((double)n, s->nu) * product(w->p + u * k, w->p + u * k, s->f) : 0;
    }
    for (size_t i = 0; i < s->nitems; i++) {
        size_t n = w->ratings.by_item.begin[i + 1] - w->ratings.by_item.begin[i];
        size_t had = s->implied ? w->had_by.begin[i + 1] - w->had_by.begin[i] : 0;
        sum += s->lambda_bias * s->bias[i] * s->bias[i];
        sum += n ? s->lambda * pow((double)n, s->nu) * product(s->q + i * k, s->q + i * k, s->f) : 0;
        sum += had ? s->lambda_implicit * pow((double)had, s->nu) * product(s->implied + i * s->f, s->implied + i * s->f, s->f) : 0;
    }
    return sum;
}

enum status rating_factors_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                 struct error *err)
{
    struct rating_factors *s = m->state;
    struct rating_work *w = s->work;
    struct side users = users_of(s, &w->ratings.by_user, w->z);
    enum status st = solve_rows(&users, w->p, w->user_bias, t->job, err);
    if (st)
        return st;
    join_users(s);
    struct side items = users;
    items.rows = &w->ratings.by_item;
    items.design = w->x;
    items.offset = w->user_bias;
    items.z = NULL;
    st = solve_rows(&items, s->q, s->bias, t->job, err);
    if (!st && s->implied)
        st = solve_implied(s, err);
    if (!st)
        st = items_changed(s, err);
    *loss = rating_factors_objective(s) / (double)csr_count(&w->ratings.by_user);
    *done = epoch + 1 >= (size_t)model_int(m, "epochs");
    return st;
}

/* An epoch begins with the users, solved from the items alone: these are all that it goes on from. */
enum status rating_factors_resume(struct model *m, const struct model *from, const struct training *t, struct blob_reader *r, bool *same,
                                  struct error *err)
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
        sum_had(&s->work->had, s->implied, s->f, s->work->z);
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

static enum status histories_read(const struct rating_factors *s, const struct query *queries, size_t n, struct histories *h,
                                  struct error *err)
{
    *h = (struct histories){0};
    enum status st = ratings_of_queries(queries, n, s->nitems, s->mean, false, &h->rated, err);
    if (st || !s->implied)
        return st;
    st = ratings_of_queries(queries, n, s->nitems, s->mean, true, &h->had, err);
    if (!st && !(h->z = mem_new(n * s->f, sizeof *h->z, "user vectors", err)))
        st = ST_NOMEM;
    if (!st)
        sum_had(&h->had, s->implied, s->f, h->z);
    return st;
}

enum status rating_factors_fold(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err)
{
    const struct rating_factors *s = m->state;
    struct histories h = {0};
    float *p = mem_new_raw(n * (s->f + 1), sizeof *p, "user vectors", err), *bias = mem_new_raw(n, sizeof *bias, "user biases", err);
    enum status st = p && bias ? histories_read(s, queries, n, &h, err) : ST_NOMEM;
    if (!st) {
        struct side users = users_of(s, &h.rated, h.z);
        st = solve_rows(&users, p, bias, NULL, err);
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

/* w = A^-1 (q_i, 1), so that (p_u, b_u) . (q_i, 1) is the sum over ratings of target times w . (q_j, 1). */
static enum status explaining_vector(const struct rating_factors *s, const struct csr *rated, uint32_t item, float *w,
                                     struct error *err)
{
    size_t k = s->f + 1;
    struct side users = users_of(s, rated, NULL);
    float *a = mem_new_raw(room_for(&users), sizeof *a, "least squares", err);
    if (!a)
        return ST_NOMEM;
    build(&users, 0, a, a + padded(k * k));
    memcpy(w, s->q + item * k, k * sizeof *w);
    bool solved = cholesky_solve(a, k, w);
    mem_free(a);
    return solved ? ST_OK : error_set(err, ST_FORMAT, "the least squares of this history cannot be solved");
}

static enum status explain_parts(const struct rating_factors *s, const struct histories *h, uint32_t item, const float *w,
                                 struct explanation *out, struct error *err)
{
    size_t k = s->f + 1, n = csr_count(&h->rated), had = s->implied ? csr_count(&h->had) : n;
    const struct csr *all = s->implied ? &h->had : &h->rated;
    double norm = had ? 1 / sqrt((double)had) : 0;
    float *left = mem_new_raw(s->f, sizeof *left, "an explanation", err); /* what y_j is multiplied with: q_i less what ratings take */
    enum status st = left ? explanation_new(out, had, err) : ST_NOMEM;
    if (st) {
        mem_free(left);
        return st;
    }
    memcpy(left, s->q + item * k, s->f * sizeof *left);
    for (size_t a = 0; a < n; a++) {
        const float *q = s->q + h->rated.index[a] * k;
        step(left, -product(q, w, k), q, s->f);
    }
    for (size_t a = 0; a < had; a++) {
        uint32_t j = all->index[a];
        double value = isnan(all->value[a]) ? 0 : (all->value[a] / s->deviation - s->bias[j]) * product(s->q + j * k, w, k);
        if (s->implied)
            value += norm * product(s->implied + j * s->f, left, s->f);
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
        st = explaining_vector(s, &h.rated, item, w, err);
    if (!st)
        st = explain_parts(s, &h, item, w, out, err);
    if (!st)
        st = rating_factors_score(m, q, 1, scores, err);
    if (!st) {
        out->score = scores[item];
        out->base = s->mean + s->deviation * s->bias[item];
        out->exact = true;
        out->method = "base: mean of all ratings + bias of the item; each part: what a rating adds to bias and vector of the user, whose "
                      "least squares are taken apart (exact)";
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
    double length = sqrt(product(q, q, s->f));
    for (size_t i = 0; i < s->nitems; i++) {
        const float *other = s->q + i * k;
        double both = length * sqrt(product(other, other, s->f));
        similarity[i] = both > 0 ? (float)(product(q, other, s->f) / both) : -INFINITY;
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
