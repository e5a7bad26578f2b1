#include "models/rating_turns.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum { BLOCK = 32, IMPLICIT_STEPS = 3 };

/* ---- one row of least squares ---- */

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

static size_t room_for(const struct rating_side *s)
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
static void build(const struct rating_side *s, size_t r, float *a, float *scratch)
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
static bool solve_row(const struct rating_side *s, size_t r, float *out, float *room)
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
    const struct rating_side *side;
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

enum status rating_solve_rows(const struct rating_side *side, float *vector, float *bias, struct job *job,
                              struct error *err)
{
    size_t threads = (size_t)parallel_threads(), blocks = parallel_count(side->rows->rows, BLOCK),
           room = room_for(side);
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
        st = error_set(
            err, ST_FORMAT,
            "the least squares of a row cannot be solved: lambda=%g, lambda_bias=%g are too small for these data",
            side->lambda, side->lambda_bias);
        error_hint(err, "try larger ones");
    }
    for (size_t t = 0; s.room && t < threads; t++)
        mem_free(s.room[t]);
    mem_free(s.room);
    mem_free(s.singular);
    return st;
}

struct rating_side rating_users_of(const struct rating_factors *s, const struct csr *rows, const float *z)
{
    return (struct rating_side){rows, s->q, s->bias, z, s->f, s->deviation, s->lambda, s->nu, s->lambda_bias};
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

void rating_sum_had(const struct csr *had, const float *y, size_t f, float *out)
{
    struct summing s = {had, y, f, out};
    parallel_blocks(had->rows, BLOCK, sum_block, &s);
}

void rating_join_users(struct rating_factors *s)
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
 * The normal equations are (S'KS + D) y = S'g, S: z = S y, K: blocks q q' of each user's ratings, D: what pulls to 0,
 * and g the residuals of a user times their q. From y as it stands, the first residual is minus half the gradient. */

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
            float amount =
                g->t ? dot(q, g->t + u * f, f)
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

double rating_product(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

void rating_step(float *to, double by, const float *along, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += (float)by * along[i];
}

enum status rating_solve_implied(struct rating_factors *s, struct error *err)
{
    struct rating_work *w = s->work;
    size_t n = s->nitems * s->f, users = w->had.rows * s->f;
    float *residual = mem_new_raw(n, sizeof *residual, "implicit vectors", err);
    float *direction = mem_new_raw(n, sizeof *direction, "implicit vectors", err);
    float *image = mem_new_raw(n, sizeof *image, "implicit vectors", err);
    float *t = mem_new_raw(users, sizeof *t, "implicit vectors", err),
          *v = mem_new_raw(users, sizeof *v, "implicit vectors", err);
    enum status st = residual && direction && image && t && v ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    push(s, NULL, s->implied, v, residual);
    memcpy(direction, residual, n * sizeof *direction);
    double size = rating_product(residual, residual, n);
    for (size_t i = 0; i < IMPLICIT_STEPS && size > 0; i++) {
        rating_sum_had(&w->had, direction, s->f, t);
        push(s, t, direction, v, image);
        double curve = rating_product(direction, image, n);
        if (!(curve > 0))
            break;
        rating_step(s->implied, size / curve, direction, n);
        rating_step(residual, -size / curve, image, n);
        double before = size;
        size = rating_product(residual, residual, n);
        for (size_t c = 0; c < n; c++)
            direction[c] = residual[c] + (float)(size / before) * direction[c];
    }
    rating_sum_had(&w->had, s->implied, s->f, w->z);
    rating_join_users(s);
out:
    mem_free(residual);
    mem_free(direction);
    mem_free(image);
    mem_free(t);
    mem_free(v);
    return st;
}

/* ---- what explains a score ---- */

enum status rating_explaining_vector(const struct rating_factors *s, const struct csr *rated, uint32_t item, float *w,
                                     struct error *err)
{
    size_t k = s->f + 1;
    struct rating_side users = rating_users_of(s, rated, NULL);
    float *a = mem_new_raw(room_for(&users), sizeof *a, "least squares", err);
    if (!a)
        return ST_NOMEM;
    build(&users, 0, a, a + padded(k * k));
    memcpy(w, s->q + item * k, k * sizeof *w);
    bool solved = cholesky_solve(a, k, w);
    mem_free(a);
    return solved ? ST_OK : error_set(err, ST_FORMAT, "the least squares of this history cannot be solved");
}
