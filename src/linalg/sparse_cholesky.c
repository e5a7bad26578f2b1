#include "linalg/sparse_cholesky.h"

#include "config.h"

#ifndef HAVE_CHOLMOD

bool sparse_cholesky_can(void)
{
    return false;
}

enum status sparse_cholesky(const struct csr *a, size_t kept, size_t room, struct sparse_factor *out, struct job *job,
                            const char *what, struct error *err)
{
    (void)a;
    (void)kept;
    (void)room;
    (void)job;
    (void)what;
    *out = (struct sparse_factor){0};
    return error_set(err, ST_UNSUPPORTED, "this tailor was built without CHOLMOD");
}

size_t sparse_cholesky_bytes(size_t rows, size_t entries)
{
    (void)rows;
    (void)entries;
    return 0;
}

#else

#include <math.h>
#include <string.h>
#include <suitesparse/cholmod.h>

#include "base/mem.h"
#include "base/text.h"
#include "linalg/kernel.h"
#include "linalg/sparse_product.h"

static const char what_factor[] = "a complete factor";

/* CHOLMOD keeps what it works with to itself, and takes its memory from the system. */
struct complete {
    cholmod_common common;
    cholmod_sparse *a;
    cholmod_factor *l;
    float shift;
};

static void start(struct complete *c)
{
    *c = (struct complete){0};
    kernel_start();
    cholmod_l_start(&c->common);
    c->common.print = 0;
    c->common.try_catch = 1; /* errors are ours to tell */
    c->common.quick_return_if_not_posdef = 1;
    c->common.supernodal = CHOLMOD_SUPERNODAL;
    c->common.nmethods = 1;
    c->common.method[0].ordering = CHOLMOD_AMD;
}

static void finish(struct complete *c)
{
    cholmod_l_free_sparse(&c->a, &c->common);
    cholmod_l_free_factor(&c->l, &c->common);
    cholmod_l_finish(&c->common);
}

static enum status failed(const struct complete *c, size_t bytes, struct error *err)
{
    if (c->common.status == CHOLMOD_OUT_OF_MEMORY || c->common.status == CHOLMOD_TOO_LARGE)
        return error_nomem(err, bytes, what_factor);
    return error_set(err, ST_INTERNAL, "CHOLMOD cannot factorize: its status is %d", c->common.status);
}

/* ---- the matrix ---- */

/* Row r of the upper triangle is column r of the lower one. */
static void fill_lower(const struct csr *a, cholmod_sparse *out)
{
    int64_t *begin = out->p, *index = out->i, n = 0;
    double *value = out->x;
    for (size_t r = 0; r < a->rows; r++) {
        begin[r] = n;
        index[n] = (int64_t)r;
        value[n++] = 1;
        for (size_t e = a->begin[r]; e < a->begin[r + 1]; e++) {
            if (a->index[e] <= r)
                continue;
            index[n] = a->index[e];
            value[n++] = (double)a->value[e];
        }
    }
    begin[a->rows] = n;
}

static enum status copy_matrix(struct complete *c, const struct csr *a, struct error *err)
{
    size_t above = 0;
    for (size_t r = 0; r < a->rows; r++)
        for (size_t e = a->begin[r]; e < a->begin[r + 1]; e++) {
            above += a->index[e] > r;
            if (!isfinite(a->value[e]))
                return error_set(err, ST_FORMAT, "a matrix to be factorized has entries that are not finite");
        }
    c->a = cholmod_l_allocate_sparse(a->rows, a->rows, above + a->rows, 1, 1, -1, CHOLMOD_REAL, &c->common);
    if (!c->a)
        return failed(c, (above + a->rows) * (sizeof(double) + sizeof(int64_t)), err);
    fill_lower(a, c->a);
    return ST_OK;
}

/* ---- the factor ---- */

/* The factor and what a supernode is made in. */
static size_t factor_bytes(const struct complete *c)
{
    return (c->l->xsize + c->l->maxcsize) * sizeof(double);
}

/* Orders, and counts what there will be. */
static enum status plan(struct complete *c, size_t room, struct job *job, const char *what, struct error *err)
{
    job_begin(job, 0, "", "%s: ordering", what);
    c->l = cholmod_l_analyze(c->a, &c->common);
    if (!c->l)
        return failed(c, sparse_cholesky_bytes(c->a->nrow, c->a->nzmax), err);
    size_t need = factor_bytes(c);
    char rows[32], needed[32], have[32];
    text_bytes(needed, sizeof needed, (double)need);
    if (need > room) {
        text_count(rows, sizeof rows, (int64_t)c->a->nrow);
        text_bytes(have, sizeof have, (double)room);
        return error_set(err, ST_NOMEM, "the complete factor of %s rows needs %s; there are %s free", rows, needed,
                         have);
    }
    job_begin(job, 0, "", "%s: complete factor, %s", what, needed);
    return job_check(job, err);
}

static enum status factorize(struct complete *c, struct job *job, struct error *err)
{
    for (;;) {
        double shift[2] = {(double)c->shift, 0};
        bool done = cholmod_l_factorize_p(c->a, shift, NULL, 0, c->l, &c->common);
        if (done && c->common.status == CHOLMOD_OK && c->l->minor == c->l->n)
            break;
        if (c->common.status != CHOLMOD_NOT_POSDEF)
            return failed(c, factor_bytes(c), err);
        c->shift = c->shift > 0 ? 4 * c->shift : 1e-3F;
        enum status st = job_check(job, err);
        if (st)
            return st;
    }
    cholmod_l_free_sparse(&c->a, &c->common);
    cholmod_l_free_work(&c->common);
    return job_check(job, err);
}

/* ---- cut down ---- */

struct cut {
    struct sparse_factor *out;
    size_t kept;
    uint32_t *index, *space;
    float *value;
};

/* Columns [first, end) of L share their rows, ascending, and lie in x by columns; the first rows are these columns
 * themselves. */
static void cut_supernode(struct cut *t, const cholmod_factor *l, size_t k)
{
    const int64_t *super = l->super, *pi = l->pi, *px = l->px, *row = (const int64_t *)l->s + pi[k];
    size_t first = (size_t)super[k], end = (size_t)super[k + 1], rows = (size_t)(pi[k + 1] - pi[k]);
    const double *x = (const double *)l->x + px[k];
    struct csr *out = &t->out->l;
    for (size_t j = first; j < end; j++, x += rows) {
        size_t at = out->begin[j], n = 0;
        double pivot = x[j - first];
        float bar;
        for (size_t i = j - first + 1; i < rows; i++) {
            t->index[n] = (uint32_t)row[i];
            t->value[n] = (float)(x[i] / pivot);
            n += t->value[n] != 0;
        }
        n = best_entries(t->index, t->value, n, t->kept, true, &bar, t->space);
        memcpy(out->index + at, t->index, n * sizeof *t->index);
        memcpy(out->value + at, t->value, n * sizeof *t->value);
        out->begin[j + 1] = at + n;
        t->out->d[j] = (float)(pivot * pivot);
    }
}

static enum status cut_new(struct cut *t, size_t n, struct error *err)
{
    struct sparse_factor *f = t->out;
    t->index = mem_new_raw(n, sizeof *t->index, what_factor, err);
    t->space = mem_new_raw(n, sizeof *t->space, what_factor, err);
    t->value = mem_new_raw(n, sizeof *t->value, what_factor, err);
    f->d = mem_new_raw(n, sizeof *f->d, what_factor, err);
    f->item = mem_new_raw(n, sizeof *f->item, what_factor, err);
    f->rank = mem_new_raw(n, sizeof *f->rank, what_factor, err);
    bool all = t->index && t->space && t->value && f->d && f->item && f->rank;
    return all ? csr_new(&f->l, n, n, n * (t->kept < n ? t->kept : n), true, err) : ST_NOMEM;
}

static enum status cut_down(struct cut *t, const cholmod_factor *l, struct job *job, const char *what,
                            struct error *err)
{
    const int64_t *order = l->Perm;
    enum status st = cut_new(t, l->n, err);
    if (st)
        return st;
    for (size_t j = 0; j < l->n; j++) {
        t->out->item[j] = (uint32_t)order[j];
        t->out->rank[order[j]] = (uint32_t)j;
    }
    job_begin(job, l->nsuper, "supernodes", "%s: cutting the factor down", what);
    for (size_t k = 0; k < l->nsuper && !job_cancelled(job); k++) {
        cut_supernode(t, l, k);
        job_step(job, 1);
    }
    return job_check(job, err);
}

/* ---- all of it ---- */

bool sparse_cholesky_can(void)
{
    return true;
}

enum status sparse_cholesky(const struct csr *a, size_t kept, size_t room, struct sparse_factor *out, struct job *job,
                            const char *what, struct error *err)
{
    struct complete c;
    struct cut t = {.out = out, .kept = kept ? kept : 1};
    *out = (struct sparse_factor){0};
    start(&c);
    enum status st = copy_matrix(&c, a, err);
    if (!st)
        st = plan(&c, room, job, what, err);
    if (!st)
        st = factorize(&c, job, err);
    if (!st)
        st = cut_down(&t, c.l, job, what, err);
    out->shift = c.shift;
    finish(&c);
    mem_free(t.index);
    mem_free(t.space);
    mem_free(t.value);
    return st;
}

size_t sparse_cholesky_bytes(size_t rows, size_t entries)
{
    /* Half of the entries in double with their numbers, and a pattern of all of them, with room, to order. */
    return entries * (sizeof(double) + sizeof(int64_t)) / 2 + entries * sizeof(int64_t) * 3 / 2 +
           rows * 32 * sizeof(int64_t);
}

#endif
