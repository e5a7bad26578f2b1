#include "linalg/ridge.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/job.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"
#include "linalg/wide_sums.h"

/* ---- the decomposition ---- */

/* Y'Y is summed over so many strips, however many threads there are; rows are made double so many at a time. */
enum { STRIPS = 8, CHUNK = 128 };
/* Eigenvalues below this share of the largest are rounding. */
static const double noise = 1e-13;

struct making {
    struct ridge *r;
    const float *y;
    double *gram;   /* STRIPS matrices; then the first one holds the eigenvectors, one a row */
    double **chunk; /* one a thread: two times CHUNK x k */
};

static void widen(double *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void gram_strip(void *context, size_t strip, size_t begin, size_t end)
{
    struct making *w = context;
    size_t k = w->r->k;
    double *chunk = w->chunk[parallel_thread()];
    for (size_t at = begin; at < end; at += CHUNK) {
        size_t n = end - at < CHUNK ? end - at : CHUNK;
        widen(chunk, w->y + at * k, n * k);
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)k, (int)n, 1, chunk, (int)k, 1, w->gram + strip * k * k,
                    (int)k);
    }
}

static void rotate_chunk(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    struct making *w = context;
    size_t k = w->r->k, n = end - begin;
    double *chunk = w->chunk[parallel_thread()], *turned = chunk + CHUNK * k;
    float *z = w->r->z + begin * k;
    widen(chunk, w->y + begin * k, n * k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)k, (int)k, 1, chunk, (int)k, w->gram, (int)k, 0,
                turned, (int)k);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < k; f++)
            z[i * k + f] = w->r->value[f] > 0 ? (float)turned[i * k + f] : 0;
}

static enum status decompose(struct making *w, struct error *err)
{
    size_t k = w->r->k;
    double *a = w->gram, *value = w->r->value;
    bool finite = true;
    for (size_t s = 1; s < STRIPS; s++)
        for (size_t i = 0; i < k * k; i++)
            a[i] += a[s * k * k + i];
    for (size_t i = 0; i < k && finite; i++)
        finite = isfinite(a[i * k + i]);
    if (!finite || LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (int)k, a, (int)k, value))
        return error_set(err, ST_FORMAT, "these vectors cannot be used: some are not finite");
    for (size_t f = 0; f < k; f++)
        if (!(value[f] > noise * value[k - 1]))
            value[f] = 0;
    return ST_OK;
}

static enum status pack_axes(struct ridge *r, const double *vectors, struct error *err)
{
    size_t k = r->k;
    float *q = mem_new_raw(k * k, sizeof *q, "ridge regression", err);
    if (!q)
        return ST_NOMEM;
    for (size_t c = 0; c < k; c++)
        for (size_t f = 0; f < k; f++)
            q[c * k + f] = (float)vectors[f * k + c];
    dots_clear(&r->axes);
    enum status st = dots_pack(&r->axes, q, k, k, err);
    mem_free(q);
    return st;
}

static enum status make_room(struct making *w, size_t threads, struct error *err)
{
    struct ridge *r = w->r;
    size_t k = r->k;
    if (!r->z)
        r->z = mem_new_raw(r->rows * k, sizeof *r->z, "ridge regression", err);
    if (!r->value)
        r->value = mem_new(k, sizeof *r->value, "ridge regression", err);
    w->gram = mem_new(STRIPS * k * k, sizeof *w->gram, "ridge regression", err);
    w->chunk = mem_new(threads, sizeof *w->chunk, "ridge regression", err);
    if (!r->z || !r->value || !w->gram || !w->chunk)
        return ST_NOMEM;
    for (size_t t = 0; t < threads; t++)
        if (!(w->chunk[t] = mem_new_raw(2 * CHUNK * k, sizeof **w->chunk, "ridge regression", err)))
            return ST_NOMEM;
    return ST_OK;
}

enum status ridge_set(struct ridge *r, const float *y, size_t rows, size_t k, struct error *err)
{
    size_t threads = (size_t)parallel_threads();
    if (r->rows != rows || r->k != k)
        ridge_clear(r);
    r->rows = rows;
    r->k = k;
    struct making w = {r, y, NULL, NULL};
    kernel_start();
    enum status st = make_room(&w, threads, err);
    if (!st) {
        parallel_blocks(rows, rows / STRIPS + 1, gram_strip, &w);
        st = decompose(&w, err);
    }
    if (!st)
        parallel_blocks(rows, CHUNK, rotate_chunk, &w);
    if (!st)
        st = pack_axes(r, w.gram, err);
    for (size_t t = 0; w.chunk && t < threads; t++)
        mem_free(w.chunk[t]);
    mem_free(w.chunk);
    mem_free(w.gram);
    return st;
}

void ridge_clear(struct ridge *r)
{
    mem_free(r->z);
    mem_free(r->value);
    dots_clear(&r->axes);
    *r = (struct ridge){0};
}

size_t ridge_bytes(size_t rows, size_t k)
{
    return rows * k * sizeof(float) + STRIPS * k * k * sizeof(double) +
           (size_t)parallel_threads() * 2 * CHUNK * k * sizeof(double);
}

/* ---- one set ---- */

/* The smaller system of a set, A t = right, with A = E + U U' (dual, one unknown a row of the set) or E + U'U. */
struct system {
    const struct ridge *r;
    const struct ridge_set *set;
    bool dual;
    size_t m;                  /* unknowns; in the dual one they are n and some that are 0, to whole vectors */
    float *a, *u, *room;       /* A; U, its rows to whole vectors; what gram_add needs */
    float *scale, *rounded;    /* D^-1/2, a right side in float32 */
    double *root;              /* D^-1/2 */
    double *weight;            /* one a row of the set: its root in the dual system */
    double *right, *t, *image; /* m each; image: A t */
    double *vector, *each;     /* one a component; one a row of the set */
};

size_t ridge_scratch(size_t k, size_t longest)
{
    size_t w = whole_vectors(k);
    return (2 * w * w + gram_scratch(k) + 2 * w) * sizeof(float) +
           (5 * w + 2 * whole_vectors(longest)) * sizeof(double);
}

static struct system system_of(const struct ridge *r, const struct ridge_set *set, void *scratch)
{
    size_t k = r->k, w = whole_vectors(k);
    struct system s = {.r = r, .set = set, .dual = set->n <= k, .m = set->n <= k ? whole_vectors(set->n) : k};
    double *d = scratch;
    s.root = d;
    s.right = d + w;
    s.t = d + 2 * w;
    s.image = d + 3 * w;
    s.vector = d + 4 * w;
    s.weight = d + 5 * w;
    s.each = s.weight + whole_vectors(set->n);
    s.a = (float *)(s.each + whole_vectors(set->n));
    s.u = s.a + w * w;
    s.room = s.u + w * w;
    s.scale = s.room + gram_scratch(k);
    s.rounded = s.scale + w;
    for (size_t f = 0; f < k; f++) {
        s.root[f] = r->value[f] > 0 ? 1 / sqrt(set->all * r->value[f] + set->pull) : 0;
        s.scale[f] = (float)s.root[f];
    }
    for (size_t j = 0; j < set->n; j++) {
        double weight = set->weight ? set->weight[j] : 1;
        s.weight[j] = s.dual ? sqrt(weight) : weight;
    }
    return s;
}

/* A but for E: the products of the rows of U, of which there are some of zeros, to whole vectors. */
static void dual_matrix(struct system *s)
{
    enum { TOGETHER = 4 };
    size_t k = s->r->k, w = whole_vectors(k), n = s->set->n, m = s->m, some = (n + TOGETHER - 1) / TOGETHER * TOGETHER;
    wide_gather(s->u, s->r->z, k, s->set->index, s->weight, n, s->scale);
    memset(s->u + n * w, 0, (some - n) * w * sizeof *s->u);
    memset(s->a + some * m, 0, (m - some) * m * sizeof *s->a);
    rows_products(s->a, m, s->u, some, w);
}

static void primal_matrix(struct system *s)
{
    size_t k = s->r->k;
    memset(s->a, 0, k * k * sizeof *s->a);
    gram_add(s->a, k, s->r->z, s->set->index, s->set->weight, s->set->n, s->room);
    for (size_t f = 0; f < k; f++)
        for (size_t c = 0; c <= f; c++)
            s->a[f * k + c] = (float)(s->root[f] * s->root[c] * s->a[f * k + c]);
}

/* s->vector = D^-1 Z' W^1/2 t of the dual system, D^-1/2 t of the other: what the solution is before it is turned back.
 */
static void outcome(struct system *s)
{
    size_t k = s->r->k, n = s->set->n;
    for (size_t f = 0; f < k && !s->dual; f++)
        s->vector[f] = s->root[f] * s->t[f];
    if (!s->dual)
        return;
    for (size_t j = 0; j < n; j++)
        s->each[j] = s->weight[j] * s->t[j];
    wide_sum(s->vector, s->r->z, k, s->set->index, s->each, n);
    for (size_t f = 0; f < k; f++)
        s->vector[f] *= s->root[f] * s->root[f];
}

/* s->image = A t */
static void apply(struct system *s)
{
    size_t k = s->r->k, n = s->set->n;
    outcome(s);
    wide_dot(s->each, s->r->z, k, s->set->index, s->vector, n);
    for (size_t j = 0; j < n; j++)
        s->each[j] *= s->weight[j];
    if (s->dual) {
        for (size_t j = 0; j < s->m; j++)
            s->image[j] = s->t[j] + (j < n ? s->each[j] : 0);
        return;
    }
    wide_sum(s->vector, s->r->z, k, s->set->index, s->each, n);
    for (size_t f = 0; f < k; f++)
        s->image[f] = s->t[f] + s->root[f] * s->vector[f];
}

/* t = A^-1 right */
static bool solve(struct system *s)
{
    if (s->dual)
        dual_matrix(s);
    else
        primal_matrix(s);
    for (size_t i = 0; i < s->m; i++) {
        s->a[i * s->m + i] += 1;
        s->rounded[i] = (float)s->right[i];
    }
    if (!cholesky_solve(s->a, s->m, s->rounded))
        return false;
    widen(s->t, s->rounded, s->m);
    apply(s);
    for (size_t i = 0; i < s->m; i++)
        s->rounded[i] = (float)(s->right[i] - s->image[i]);
    cholesky_again(s->a, s->m, s->rounded);
    for (size_t i = 0; i < s->m; i++)
        s->t[i] += s->rounded[i];
    return true;
}

bool ridge_solve(const struct ridge *r, const struct ridge_set *set, float *z, void *scratch)
{
    struct system s = system_of(r, set, scratch);
    memset(s.right, 0, s.m * sizeof *s.right);
    if (s.dual)
        memcpy(s.right, s.weight, set->n * sizeof *s.right);
    else
        wide_sum(s.right, r->z, r->k, set->index, s.weight, set->n);
    for (size_t f = 0; f < r->k && !s.dual; f++)
        s.right[f] *= s.root[f];
    if (!solve(&s))
        return false;
    outcome(&s);
    for (size_t f = 0; f < r->k; f++)
        z[f] = (float)s.vector[f];
    return true;
}

void ridge_back(const struct ridge *r, const float *z, size_t count, float *x)
{
    dots_score(&r->axes, z, count, x);
}

/* U D^-1/2 z_row = (E + U U') t in the dual system, D^-1/2 z_row = (E + U'U) t in the other. */
bool ridge_parts(const struct ridge *r, const struct ridge_set *set, size_t row, double *part, void *scratch)
{
    struct system s = system_of(r, set, scratch);
    const float *z = r->z + row * r->k;
    memset(s.right, 0, s.m * sizeof *s.right);
    for (size_t f = 0; f < r->k; f++)
        *(s.dual ? &s.vector[f] : &s.right[f]) = z[f] * s.root[f] * (s.dual ? s.root[f] : 1);
    if (s.dual)
        wide_dot(s.right, r->z, r->k, set->index, s.vector, set->n);
    for (size_t j = 0; j < set->n && s.dual; j++)
        s.right[j] *= s.weight[j];
    if (!solve(&s))
        return false;
    outcome(&s);
    if (s.dual)
        memcpy(part, s.t, set->n * sizeof *part);
    else
        wide_dot(part, r->z, r->k, set->index, s.vector, set->n);
    for (size_t j = 0; j < set->n; j++)
        part[j] *= s.weight[j];
    return true;
}

/* ---- many sets ---- */

enum { BLOCK = 36 };

struct solving {
    const struct ridge *r;
    const struct ridge_rows *sets;
    float *x;
    char **scratch; /* one a thread: BLOCK solutions, then what ridge_solve needs */
    bool *failed;   /* one a block */
    struct job *job;
};

static void solve_block(void *context, size_t block, size_t begin, size_t end)
{
    struct solving *w = context;
    const struct csr *rows = w->sets->rows;
    size_t k = w->r->k;
    float *z = (float *)w->scratch[parallel_thread()];
    void *room = z + whole_vectors(BLOCK * k);
    if (job_cancelled(w->job))
        return;
    memset(z, 0, BLOCK * k * sizeof *z);
    for (size_t i = begin; i < end; i++) {
        size_t at = rows->begin[i], n = rows->begin[i + 1] - at;
        struct ridge_set set = {rows->index + at, rows->value ? rows->value + at : NULL, n, w->sets->all,
                                w->sets->pull(w->sets->context, n)};
        if (n && !ridge_solve(w->r, &set, z + (i - begin) * k, room))
            w->failed[block] = true;
    }
    ridge_back(w->r, z, end - begin, w->x + begin * k);
}

enum status ridge_solve_rows(const struct ridge *r, const struct ridge_rows *sets, float *x, struct job *job,
                             struct error *err)
{
    const struct csr *rows = sets->rows;
    size_t blocks = parallel_count(rows->rows, BLOCK), longest = 0;
    size_t threads = blocks > 1 ? (size_t)parallel_threads() : (size_t)parallel_thread() + 1;
    for (size_t i = 0; i < rows->rows; i++)
        longest = rows->begin[i + 1] - rows->begin[i] > longest ? rows->begin[i + 1] - rows->begin[i] : longest;
    size_t room = whole_vectors(BLOCK * r->k) * sizeof(float) + ridge_scratch(r->k, longest);
    char **scratch = mem_new(threads, sizeof *scratch, "ridge regression", err);
    bool *failed = mem_new(blocks, sizeof *failed, "ridge regression", err);
    enum status st = scratch && failed ? ST_OK : ST_NOMEM;
    for (size_t t = 0; t < threads && !st; t++)
        if (!(scratch[t] = mem_new_raw(room, 1, "ridge regression", err)))
            st = ST_NOMEM;
    if (!st) {
        struct solving w = {r, sets, x, scratch, failed, job};
        parallel_blocks(rows->rows, BLOCK, solve_block, &w);
        st = job_check(job, err);
    }
    for (size_t b = 0; b < blocks && !st; b++)
        if (failed[b])
            st = error_set(err, ST_FORMAT, "the least squares cannot be solved: their numbers are too large");
    for (size_t t = 0; scratch && t < threads; t++)
        mem_free(scratch[t]);
    mem_free(scratch);
    mem_free(failed);
    return st;
}
