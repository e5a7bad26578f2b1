#include "models/logistic.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "linalg/dense.h"
#include "linalg/steps.h"
#include "models/factors.h"

enum { SAMPLE = 1024 };

enum status logistic_new(struct logistic *s, const float *y, size_t items, size_t k, size_t width, struct error *err)
{
    *s = (struct logistic){.y = y, .items = items, .k = k, .width = width};
    bool *drawn = mem_new(items, sizeof *drawn, "a sample of items", err);
    s->sample = mem_new_raw(items, sizeof *s->sample, "a sample of items", err);
    enum status st = drawn && s->sample ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    struct rng r = rng_stream(0, "logistic sample", 0);
    for (size_t i = 0; i < items; i++)
        s->sample[i] = (uint32_t)i;
    rng_shuffle(&r, s->sample, items);
    for (size_t i = 0; i < items && i < SAMPLE; i++)
        drawn[s->sample[i]] = true;
    for (size_t i = 0; i < items; i++)
        if (drawn[i])
            s->sample[s->nsample++] = (uint32_t)i;
out:
    mem_free(drawn);
    return st;
}

void logistic_clear(struct logistic *s)
{
    mem_free(s->sample);
    *s = (struct logistic){0};
}

/* One history, and room for what is solved. */
struct problem {
    const struct logistic *s;
    size_t taken, n;  /* entries: those of the history come first, then M */
    double drawn;     /* weight of an item of M */
    float ridge;
    uint32_t *index;
    float *plain;     /* x.y */
    float *slope, *curve; /* first and second derivative of the entry's loss by its score */
    float *a;         /* k x k, then scratch of gram_add */
    float *gradient, *step, *trial;
};

static size_t matrix_room(size_t k)
{
    return (k * k + 15) / 16 * 16 + gram_scratch(k);
}

static void problem_clear(struct problem *p)
{
    mem_free(p->index);
    mem_free(p->plain);
    mem_free(p->a);
    mem_free(p->gradient);
    *p = (struct problem){0};
}

/* Room for histories of up to `longest` items. Clear it also after a failure. */
static enum status problem_new(struct problem *p, const struct logistic *s, size_t longest, struct error *err)
{
    size_t most = longest + s->nsample;
    *p = (struct problem){.s = s};
    p->index = mem_new_raw(most, sizeof *p->index, "logistic regression", err);
    p->plain = mem_new_raw(3 * most, sizeof *p->plain, "logistic regression", err);
    p->a = mem_new_raw(matrix_room(s->k), sizeof *p->a, "logistic regression", err);
    p->gradient = mem_new_raw(3 * s->k, sizeof *p->gradient, "logistic regression", err);
    if (!p->index || !p->plain || !p->a || !p->gradient)
        return ST_NOMEM;
    p->slope = p->plain + most;
    p->curve = p->slope + most;
    p->step = p->gradient + s->k;
    p->trial = p->step + s->k;
    return ST_OK;
}

static void take_history(struct problem *p, const uint32_t *items, size_t n)
{
    const struct logistic *s = p->s;
    size_t at = 0;
    memcpy(p->index, items, n * sizeof *items);
    p->taken = p->n = n;
    for (size_t i = 0; i < s->nsample; i++) {
        while (at < n && items[at] < s->sample[i])
            at++;
        if (at == n || items[at] != s->sample[i])
            p->index[p->n++] = s->sample[i];
    }
    p->drawn = p->n > n ? s->negatives * (double)n / (double)(p->n - n) : 0;
    p->ridge = (float)(s->l2 * (double)n * (1 + s->negatives));
}

/* The objective at x; the derivatives of its entries are left in p. */
static double look(struct problem *p, const float *x)
{
    enum { TOGETHER = 16, REACH = 80 }; /* how many entries the kernel takes, and up to where it tells losses apart */
    const struct logistic *s = p->s;
    const struct step_kernels *kernels = step_kernels();
    double sum = .5 * (double)p->ridge * factors_product(x, x, s->k);
    rows_dot(p->plain, s->k, s->y, s->width, p->index, p->n, x);
    for (size_t begin = 0; begin < p->n; begin += TOGETHER) {
        size_t n = p->n - begin < TOGETHER ? p->n - begin : TOGETHER;
        float lead[TOGETHER] = {0}, share[TOGETHER], loss[TOGETHER];
        for (size_t e = begin; e < begin + n; e++) {
            float score = p->plain[e] + (s->width > s->k ? s->y[p->index[e] * s->width + s->k] : 0);
            lead[e - begin] = e < p->taken ? score : -score;
        }
        kernels->logistic(lead, share, loss);
        for (size_t i = 0; i < n; i++) {
            bool taken = begin + i < p->taken;
            double weight = taken ? s->alpha : p->drawn, beyond = lead[i] < -REACH ? -REACH - lead[i] : 0;
            sum += weight * (loss[i] + beyond);
            p->slope[begin + i] = (float)((taken ? -weight : weight) * share[i]);
            p->curve[begin + i] = (float)(weight * share[i] * (1 - share[i]));
        }
    }
    return sum;
}

/* p->gradient at the x that was looked at. */
static void gradient_at(struct problem *p, const float *x)
{
    const struct logistic *s = p->s;
    rows_sum_stride(p->gradient, s->k, s->y, s->width, p->index, p->slope, p->n);
    for (size_t f = 0; f < s->k; f++)
        p->gradient[f] += p->ridge * x[f];
}

/* p->a, the matrix of second derivatives there. */
static void matrix_at(struct problem *p)
{
    const struct logistic *s = p->s;
    memset(p->a, 0, s->k * s->k * sizeof *p->a);
    gram_add_stride(p->a, s->k, s->y, s->width, p->index, p->curve, p->n, p->a + (s->k * s->k + 15) / 16 * 16);
    for (size_t f = 0; f < s->k; f++)
        p->a[f * s->k + f] += p->ridge;
}

/* p->step and what it promises, by the matrix factorized last while its steps get shorter fast, else by that of here.
 * `before`: what the last step promised; 0: there is no matrix yet, or it led astray. False: the matrix is not positive
 * definite. */
static bool next_step(struct problem *p, double enough, double before, double *promise)
{
    size_t k = p->s->k;
    *promise = INFINITY;
    memcpy(p->step, p->gradient, k * sizeof *p->step);
    if (before > 0) {
        cholesky_again(p->a, k, p->step);
        *promise = factors_product(p->gradient, p->step, k);
    }
    if (*promise <= fmax(.05 * before, enough))
        return true;
    matrix_at(p);
    memcpy(p->step, p->gradient, k * sizeof *p->step);
    if (!cholesky_solve(p->a, k, p->step))
        return false;
    *promise = factors_product(p->gradient, p->step, k);
    return true;
}

/* Newton's method, a matrix kept while it serves, with steps halved until they do what they promise. False as
 * next_step. */
static bool solve(struct problem *p, float *x)
{
    enum { STEPS = 60, HALVINGS = 30 };
    size_t k = p->s->k;
    memset(x, 0, k * sizeof *x);
    double value = look(p, x), promise = 0;
    for (int i = 0; i < STEPS; i++) {
        gradient_at(p, x);
        if (!next_step(p, 1e-6 * value, promise, &promise))
            return false;
        double length = 1, next = value;
        bool last =
            !(promise > 1e-6 * value); /* so near that a whole step is right, and rounding would hide that it helps */
        for (int h = 0; h < HALVINGS; h++, length /= 2) {
            for (size_t f = 0; f < k; f++)
                p->trial[f] = x[f] - (float)length * p->step[f];
            next = look(p, p->trial);
            if (last || next <= value - .25 * length * promise)
                break;
        }
        if (!last && !(next < value))
            break;
        memcpy(x, p->trial, k * sizeof *x);
        value = next;
        if (last)
            break;
        if (length < 1)
            promise = 0;
    }
    return true;
}

static enum status unsolved(const struct logistic *s, struct error *err)
{
    error_set(err, ST_FORMAT,
              "the logistic regression of a history cannot be solved: l2=%g is too small for these item vectors",
              s->l2);
    error_hint(err, "train with a larger l2");
    return ST_FORMAT;
}

struct fold {
    const struct csr *rows;
    float *x;
    struct problem *problem; /* one a thread */
    bool *failed;            /* one a block */
};

static void fold_block(void *context, size_t block, size_t begin, size_t end)
{
    struct fold *f = context;
    struct problem *p = &f->problem[parallel_thread()];
    size_t width = p->s->width, k = p->s->k;
    for (size_t r = begin; r < end; r++) {
        size_t at = f->rows->begin[r], n = f->rows->begin[r + 1] - at;
        float *x = f->x + r * width;
        take_history(p, f->rows->index + at, n);
        memset(x, 0, k * sizeof *x);
        if (n && !solve(p, x))
            f->failed[block] = true;
        if (width > k)
            x[k] = 1;
    }
}

static enum status fold_rows(const struct logistic *s, const struct csr *rows, float *x, struct error *err)
{
    enum { BLOCK = 8 };
    size_t threads = (size_t)parallel_threads(), blocks = parallel_count(rows->rows, BLOCK), longest = 0;
    struct problem *problem = mem_new(threads, sizeof *problem, "logistic regression", err);
    bool *failed = mem_new(blocks, sizeof *failed, "logistic regression", err);
    enum status st = problem && failed ? ST_OK : ST_NOMEM;
    for (size_t r = 0; r < rows->rows; r++)
        longest = rows->begin[r + 1] - rows->begin[r] > longest ? rows->begin[r + 1] - rows->begin[r] : longest;
    for (size_t t = 0; t < threads && !st; t++)
        st = problem_new(&problem[t], s, longest, err);
    if (!st) {
        struct fold f = {rows, x, problem, failed};
        parallel_blocks(rows->rows, BLOCK, fold_block, &f);
        for (size_t b = 0; b < blocks && !st; b++)
            st = failed[b] ? unsolved(s, err) : ST_OK;
    }
    for (size_t t = 0; problem && t < threads; t++)
        problem_clear(&problem[t]);
    mem_free(problem);
    mem_free(failed);
    return st;
}

enum status logistic_fold(const struct logistic *s, const struct query *queries, size_t n, float *x, struct error *err)
{
    struct csr rows = {0};
    enum status st = folded_rows(queries, n, s->items, false, &rows, err);
    if (!st)
        st = fold_rows(s, &rows, x, err);
    csr_clear(&rows);
    return st;
}

/* With the gradient g at x, H x = g + sum over the entries of (curve * x.y - slope) y: with z = H^-1 y_item each has
 * its part of x.y_item, and g, of which rounding alone leaves anything at the minimum, has one. */
static double part(const struct problem *p, size_t entry, const float *z)
{
    const struct logistic *s = p->s;
    double weight = (double)p->curve[entry] * p->plain[entry] - p->slope[entry];
    return weight * factors_product(s->y + p->index[entry] * s->width, z, s->k);
}

enum status logistic_explain(const struct logistic *s, const struct model *m, const struct query *q, uint32_t item,
                             struct explanation *out, struct error *err)
{
    struct csr row = {0};
    struct problem p = {0};
    float *x = mem_new(s->width, sizeof *x, "an explanation", err);
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    enum status st = x && scores ? folded_rows(q, 1, m->nitems, false, &row, err) : ST_NOMEM;
    if (!st)
        st = problem_new(&p, s, csr_count(&row), err);
    if (!st)
        st = m->class->score(m, q, 1, scores, err);
    if (!st)
        st = explanation_new(out, csr_count(&row), err);
    if (st)
        goto out;
    take_history(&p, row.index, csr_count(&row));
    out->own = out->base = s->width > s->k ? s->y[item * s->width + s->k] : 0;
    out->own_is = "everybody takes it";
    if (p.taken && solve(&p, x)) {
        look(&p, x);
        gradient_at(&p, x);
        matrix_at(&p);
        memcpy(x, s->y + item * s->width, s->k * sizeof *x);
        if (!cholesky_solve(p.a, s->k, x))
            memset(x, 0, s->k * sizeof *x); /* score() failed before this could */
        for (size_t e = 0; e < p.taken; e++)
            explanation_add(out, p.index[e], part(&p, e, x));
        for (size_t e = p.taken; e < p.n; e++)
            out->base += part(&p, e, x);
        out->base += factors_product(p.gradient, x, s->k);
    }
    explanation_sort(out);
    explanation_score(out, scores, m->nitems, item);
    out->exact = true;
    out->method =
        "the last step of the logistic regression taken apart by history item (exact); base: items not taken, bias";
out:
    csr_clear(&row);
    problem_clear(&p);
    mem_free(x);
    mem_free(scores);
    return st;
}
