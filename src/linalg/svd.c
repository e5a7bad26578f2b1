/* Truncated singular value decomposition: block Lanczos on the Gram operator of the shorter side.
 *
 * With B = A'A (or AA') and a basis Q of orthonormal columns made of blocks, each new block is what B adds to the last
 * one:
 *
 *     B Q = Q H + R E'      H = Q'BQ, R: the remainder, orthogonal to Q, of the last block (whose columns E picks)
 *
 * The eigenpairs (theta, s) of H give the Ritz pairs (theta, Q s), with |B Q s - theta Q s| = |R E's|. When the basis
 * is full, the best Ritz vectors take its place and the remainder is the next block (thick restart); H is computed anew
 * as Q'BQ for every block, so a restart needs no bookkeeping. All that touches n rows is sgemm over fixed chunks of
 * rows. */
#include "linalg/spmm.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "linalg/dense.h"
#include "linalg/kernel.h"

enum { BLOCK = 16 };
enum { CHUNK = 2048, CHUNKS_MOST = 64 };
enum { CYCLES_MOST = 100, LOOK_AGAIN = 4 }; /* blocks of the last look from a random one */
static const double tolerance = 1e-5;  /* of residuals, as a share of the largest eigenvalue */
static const double noise = 1e-6;      /* eigenvalues below this share of the largest are none */

struct lanczos {
    const struct linear *a;
    bool by_rows;      /* works on AA' */
    size_t n, other;   /* the shorter side and the longer */
    size_t k, most;    /* wanted, room in the basis */
    size_t chunk, chunks;
    size_t columns;    /* of the basis */
    size_t done;       /* of those, with their column of H */
    size_t before;     /* the block that is next has products with the columns from here on only; 0: with all */
    uint64_t seed, draws;
    struct job *job;
    float *q;          /* n x most */
    float *x, *y;      /* n x BLOCK: a block; what B makes of it, then its remainder */
    float *across;     /* other x BLOCK */
    float *part;       /* chunks x most x BLOCK */
    float *small;      /* most x most: coefficients of a block, rotations */
    float *rows;       /* threads x chunk x most */
    double *h;         /* most x most, upper triangle */
    double *work;      /* most x most, destroyed by LAPACK */
    double *theta, *s; /* most; most x most: eigenvalues descending, eigenvectors in rows */
    double rest[BLOCK * BLOCK]; /* R'R */
};

/* ---- products over all rows ---- */

struct product {
    struct lanczos *l;
    const float *q; /* rows of ld, `columns` of them used */
    size_t ld, columns, width;
    float *y;
};

/* part = Q'Y of one chunk. */
static void cross_chunk(void *context, size_t i, size_t begin, size_t end)
{
    const struct product *p = context;
    if (job_cancelled(p->l->job))
        return;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)p->columns, (int)p->width, (int)(end - begin), 1,
                p->q + begin * p->ld, (int)p->ld, p->y + begin * p->width, (int)p->width, 0,
                p->l->part + i * p->columns * p->width, (int)p->width);
}

/* out (columns x width) = Q'Y, chunks added in order. */
static void cross(struct lanczos *l, const float *q, size_t ld, size_t columns, float *y, size_t width, double *out)
{
    struct product p = {l, q, ld, columns, width, y};
    parallel_blocks(l->n, l->chunk, cross_chunk, &p);
    for (size_t e = 0; e < columns * width; e++) {
        out[e] = 0;
        for (size_t c = 0; c < l->chunks; c++)
            out[e] += (double)l->part[c * columns * width + e];
    }
}

static void subtract_chunk(void *context, size_t i, size_t begin, size_t end)
{
    (void)i;
    const struct product *p = context;
    if (job_cancelled(p->l->job))
        return;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(end - begin), (int)p->width, (int)p->columns, -1,
                p->q + begin * p->ld, (int)p->ld, p->l->small, (int)p->width, 1, p->y + begin * p->width,
                (int)p->width);
}

/* Y -= Q Q'Y for the columns of Q from `first` on; coefficients ((columns - first) x width) = Q'Y as it was. */
static void project(struct lanczos *l, size_t first, size_t width, double *coefficients)
{
    struct product p = {l, l->q + first, l->most, l->columns - first, width, l->y};
    cross(l, p.q, p.ld, p.columns, l->y, width, coefficients);
    for (size_t e = 0; e < p.columns * width; e++)
        l->small[e] = (float)coefficients[e];
    parallel_blocks(l->n, l->chunk, subtract_chunk, &p);
}

struct rotation {
    float *q, *scratch;
    size_t ld, from, to, chunk;
    const float *r; /* from x to */
};

static void rotate_chunk(void *context, size_t i, size_t begin, size_t end)
{
    (void)i;
    const struct rotation *p = context;
    float *out = p->scratch + (size_t)parallel_thread() * p->chunk * p->to;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(end - begin), (int)p->to, (int)p->from, 1,
                p->q + begin * p->ld, (int)p->ld, p->r, (int)p->to, 0, out, (int)p->to);
    for (size_t r = begin; r < end; r++)
        memcpy(p->q + r * p->ld, out + (r - begin) * p->to, p->to * sizeof *out);
}

/* The first `from` columns of rows of ld become `to` <= from combinations of themselves. */
static void rotate(float *q, size_t rows, size_t ld, size_t from, size_t to, size_t chunk, const float *r,
                   float *scratch)
{
    struct rotation p = {q, scratch, ld, from, to, chunk, r};
    parallel_blocks(rows, chunk, rotate_chunk, &p);
}

/* ---- small symmetric matrices ---- */

/* The `count` largest eigenvalues of a (n x n, upper triangle in rows; destroyed), descending, and their vectors in
 * rows of n of `vectors`. */
static enum status largest(double *a, size_t n, size_t count, double *values, double *vectors, struct error *err)
{
    int size = (int)n, integers;
    double best;
    LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', size, a, size, values, &best, -1, &integers, -1);
    double *w = mem_new(n, sizeof *w, "eigenvectors", err),
           *work = mem_new((size_t)best, sizeof *work, "eigenvectors", err);
    int *iwork = mem_new((size_t)integers, sizeof *iwork, "eigenvectors", err);
    enum status st = w && work && iwork ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < n && !st; i++)
        if (!isfinite(a[i * n + i]))
            st = error_set(err, ST_FORMAT, "the singular vectors cannot be found: not all values are finite");
    if (!st && LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', size, a, size, w, work, (int)best, iwork, integers))
        st = error_set(err, ST_FORMAT, "the eigenvectors of a %zu x %zu matrix cannot be found", n, n);
    for (size_t i = 0; !st && i < count; i++) {
        values[i] = w[n - 1 - i];
        memcpy(vectors + i * n, a + (n - 1 - i) * n, n * sizeof *vectors);
    }
    mem_free(w);
    mem_free(work);
    mem_free(iwork);
    return st;
}

/* Y (n x width) = its orthonormal combinations of norms above `floor`, largest first, at most `room`: *width of them.
 * With what was Y'Y in gram. */
static enum status orthonormal(struct lanczos *l, const double *gram, size_t room, double floor, size_t *width,
                               struct error *err)
{
    size_t w = *width, kept = 0;
    double a[BLOCK * BLOCK], values[BLOCK], vectors[BLOCK * BLOCK];
    memcpy(a, gram, w * w * sizeof *a);
    enum status st = job_check(l->job, err); /* else what is in gram may be no number */
    if (!st)
        st = largest(a, w, w, values, vectors, err);
    if (st)
        return st;
    while (kept < w && kept < room && values[kept] > floor * floor && values[kept] > 1e-7 * values[0])
        kept++;
    for (size_t i = 0; i < w; i++)
        for (size_t j = 0; j < kept; j++)
            l->small[i * kept + j] = (float)(vectors[j * w + i] / sqrt(values[j]));
    rotate(l->y, l->n, w, w, kept, l->chunk, l->small, l->rows);
    if (kept < w) /* rows close up */
        for (size_t r = 1; r < l->n; r++)
            memmove(l->y + r * kept, l->y + r * w, kept * sizeof *l->y);
    *width = kept;
    return ST_OK;
}

/* ---- the basis ---- */

static void apply(struct lanczos *l, size_t width)
{
    const struct linear *a = l->a;
    (l->by_rows ? a->transposed : a->times)(a->context, l->x, width, l->across, l->job);
    (l->by_rows ? a->times : a->transposed)(a->context, l->across, width, l->y, l->job);
}

/* The columns of H of the last block, and its remainder in y. B is symmetric: but for rounding, which `append` takes
 * out, B times a block has no part in blocks before the one that it came from. */
static void process(struct lanczos *l)
{
    size_t width = l->columns - l->done, first = l->before;
    for (size_t r = 0; r < l->n; r++)
        memcpy(l->x + r * width, l->q + r * l->most + l->done, width * sizeof *l->x);
    apply(l, width);
    project(l, first, width, l->work);
    for (size_t i = 0; i < l->columns; i++)
        for (size_t j = 0; j < width; j++)
            l->h[i * l->most + l->done + j] = i < first ? 0 : l->work[(i - first) * width + j];
    cross(l, l->y, width, width, l->y, width, l->rest);
    l->before = l->done;
    l->done = l->columns;
}

/* Makes y the next block of the basis; *width is 0 when nothing of it is left. */
static enum status append(struct lanczos *l, const double *gram, double floor, size_t *width, struct error *err)
{
    double again[BLOCK * BLOCK];
    enum status st = orthonormal(l, gram, l->most - l->columns, floor, width, err);
    if (st || !*width)
        return st;
    /* What was scaled up by much is no longer orthogonal to Q. */
    project(l, 0, *width, l->work);
    cross(l, l->y, *width, *width, l->y, *width, again);
    st = orthonormal(l, again, *width, .5, width, err);
    if (st)
        return st;
    for (size_t r = 0; r < l->n; r++)
        memcpy(l->q + r * l->most + l->columns, l->y + r * *width, *width * sizeof *l->q);
    l->columns += *width;
    return job_check(l->job, err);
}

/* A random block orthogonal to the basis. */
static enum status append_random(struct lanczos *l, struct error *err)
{
    size_t room = l->most - l->columns, width = room < BLOCK ? room : BLOCK;
    double gram_y[BLOCK * BLOCK];
    uint64_t purpose = rng_purpose(l->seed, "singular vectors");
    for (size_t r = 0; r < l->n; r++) {
        struct rng g = rng_nth(purpose, l->draws * l->n + r);
        for (size_t c = 0; c < width; c++)
            l->y[r * width + c] = (float)rng_normal(&g);
    }
    l->draws++;
    l->before = 0;
    if (l->columns)
        project(l, 0, width, l->work);
    cross(l, l->y, width, width, l->y, width, gram_y);
    return append(l, gram_y, 0, &width, err);
}

/* The `count` best Ritz pairs into theta and s. */
static enum status ritz(struct lanczos *l, size_t count, struct error *err)
{
    size_t m = l->done;
    for (size_t i = 0; i < m; i++)
        for (size_t j = i; j < m; j++)
            l->work[i * m + j] = l->h[i * l->most + j];
    return largest(l->work, m, count, l->theta, l->s, err);
}

/* How many of the first `count` Ritz pairs hold; `width` is that of the last block. */
static size_t converged(const struct lanczos *l, size_t count, size_t width)
{
    size_t m = l->done, good = 0;
    double allowed = tolerance * l->theta[0];
    for (size_t i = 0; i < count; i++) {
        const double *last = l->s + i * m + m - width;
        double square = 0;
        for (size_t a = 0; a < width; a++)
            for (size_t b = 0; b < width; b++)
                square += last[a] * last[b] * l->rest[a * width + b];
        good += m == l->n || square <= allowed * allowed;
    }
    return good;
}

/* The basis becomes its first `count` Ritz vectors. */
static void restart(struct lanczos *l, size_t count)
{
    size_t m = l->done;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < count; j++)
            l->small[i * count + j] = (float)l->s[j * m + i];
    rotate(l->q, l->n, l->most, m, count, l->chunk, l->small, l->rows);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i; j < count; j++)
            l->h[i * l->most + j] = i == j ? l->theta[i] : 0;
    l->columns = l->done = count;
    l->before = 0;
}

/* Fills the basis up to `limit` columns; *width is that of the last block. */
static enum status fill(struct lanczos *l, size_t limit, size_t *width, struct error *err)
{
    for (;;) {
        *width = l->columns - l->done;
        process(l);
        enum status st = job_check(l->job, err);
        if (st || l->columns == l->n || l->columns + (limit < l->n ? BLOCK : 1) > limit)
            return st;
        double scale = 0;
        for (size_t i = 0; i < l->columns; i++)
            scale = fmax(scale, l->h[i * l->most + i]);
        size_t next = *width;
        st = append(l, l->rest, tolerance * scale, &next, err);
        if (!st && !next)
            st = append_random(l, err);
        if (st || l->columns == l->done)
            return st;
    }
}

/* Leaves the k best Ritz vectors in the first columns of q, and their values in theta. */
static enum status iterate(struct lanczos *l, struct error *err)
{
    size_t width, wanted = l->k, again = 0;
    double sum = 0;
    enum status st = append_random(l, err);
    for (int cycle = 0; !st && cycle < CYCLES_MOST; cycle++) {
        size_t limit = again && again < l->most ? again : l->most;
        st = fill(l, limit, &width, err);
        size_t keep = wanted + BLOCK < l->done ? wanted + BLOCK : l->done;
        if (!st)
            st = ritz(l, keep, err);
        if (st)
            break;
        size_t good = converged(l, wanted, width);
        double total = 0;
        for (size_t i = 0; i < wanted; i++)
            total += l->theta[i];
        job_set(l->job, good);
        bool whole = l->done == l->n, sure = again && total <= sum + tolerance * l->theta[0];
        if (good == wanted && (whole || sure || l->theta[0] <= 0)) {
            restart(l, wanted);
            return ST_OK;
        }
        again = 0;
        if (good == wanted) {
            restart(l, wanted);
            sum = total;
            again = l->columns + LOOK_AGAIN * BLOCK;
            st = append_random(l, err);
            continue;
        }
        restart(l, keep);
        size_t next = width;
        st = append(l, l->rest, 0, &next, err);
        if (!st && !next)
            st = append_random(l, err);
    }
    return st;
}

/* ---- the result ---- */

/* out->v = the basis, or A' times it, in blocks of columns. */
static enum status right_vectors(struct lanczos *l, struct svd *out, struct error *err)
{
    size_t k = out->k;
    out->v = mem_new_raw(out->cols * k, sizeof *out->v, "singular vectors", err);
    if (!out->v)
        return ST_NOMEM;
    if (!l->by_rows) {
        for (size_t r = 0; r < l->n; r++)
            memcpy(out->v + r * k, l->q + r * l->most, k * sizeof *out->v);
        return ST_OK;
    }
    for (size_t at = 0; at < k; at += BLOCK) {
        size_t width = k - at < BLOCK ? k - at : BLOCK;
        for (size_t r = 0; r < l->n; r++)
            memcpy(l->x + r * width, l->q + r * l->most + at, width * sizeof *l->x);
        l->a->transposed(l->a->context, l->x, width, l->across, l->job);
        for (size_t c = 0; c < out->cols; c++)
            memcpy(out->v + c * k + at, l->across + c * width, width * sizeof *out->v);
    }
    return job_check(l->job, err);
}

/* V = its orthonormal combinations that make V'BV diagonal: what A'U lost to rounding. */
static enum status straighten(struct lanczos *l, struct svd *out, struct error *err)
{
    size_t k = out->k;
    enum status st = gram(out->v, out->cols, k, l->small, err);
    if (st)
        return st;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j <= i; j++)
            l->work[j * k + i] = (double)l->small[i * k + j];
    st = largest(l->work, k, k, l->theta, l->s, err);
    if (st)
        return st;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++)
            l->small[i * k + j] = (float)(l->s[j * k + i] / sqrt(l->theta[j]));
    rotate(out->v, out->cols, k, k, k, l->chunk, l->small, l->rows);
    return ST_OK;
}

static enum status finish(struct lanczos *l, struct svd *out, struct error *err)
{
    while (out->k < l->k && l->theta[out->k] > 0 && l->theta[out->k] > noise * l->theta[0])
        out->k++;
    out->sigma = mem_new(out->k, sizeof *out->sigma, "singular values", err);
    enum status st = out->sigma ? right_vectors(l, out, err) : ST_NOMEM;
    if (!st && l->by_rows && out->k)
        st = straighten(l, out, err);
    for (size_t i = 0; i < out->k && !st; i++)
        out->sigma[i] = sqrt(l->theta[i]);
    for (size_t i = 0; i < out->k && !st; i++) {
        float largest_entry = 0;
        for (size_t r = 0; r < out->cols; r++)
            if (fabsf(out->v[r * out->k + i]) > fabsf(largest_entry))
                largest_entry = out->v[r * out->k + i];
        for (size_t r = 0; r < out->cols && largest_entry < 0; r++)
            out->v[r * out->k + i] = -out->v[r * out->k + i];
    }
    return st;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Columns of the basis: room for a cycle of several blocks behind what a restart keeps. */
static size_t basis_columns(size_t n, size_t k)
{
    return least(n, 2 * k + 8 * BLOCK);
}

static size_t chunk_rows(size_t n)
{
    size_t even = parallel_count(n, CHUNKS_MOST);
    return even > CHUNK ? even : CHUNK;
}

size_t svd_bytes(size_t rows, size_t cols, size_t k)
{
    size_t n = least(rows, cols), other = rows + cols - n, most = basis_columns(n, k), chunk = chunk_rows(n);
    return sizeof(float) * (n * (most + 2 * BLOCK) + other * BLOCK + parallel_count(n, chunk) * most * BLOCK +
                            7 * most * most + (size_t)parallel_threads() * chunk * most + cols * k);
}

static enum status lanczos_new(struct lanczos *l, struct error *err)
{
    size_t n = l->n, most = l->most;
    const char *what = "singular vectors";
    l->q = mem_new_raw(n * most, sizeof *l->q, what, err);
    l->x = mem_new_raw(n * BLOCK, sizeof *l->x, what, err);
    l->y = mem_new_raw(n * BLOCK, sizeof *l->y, what, err);
    l->across = mem_new_raw(l->other * BLOCK, sizeof *l->across, what, err);
    l->part = mem_new_raw(l->chunks * (most > BLOCK ? most : BLOCK) * BLOCK, sizeof *l->part, what, err);
    l->small = mem_new_raw((most > BLOCK ? most : BLOCK) * most, sizeof *l->small, what, err);
    l->rows = mem_new_raw((size_t)parallel_threads() * l->chunk * most, sizeof *l->rows, what, err);
    l->h = mem_new(most * most, sizeof *l->h, what, err);
    l->work = mem_new((most > BLOCK ? most : BLOCK) * most, sizeof *l->work, what, err);
    l->theta = mem_new(most, sizeof *l->theta, what, err);
    l->s = mem_new(most * most, sizeof *l->s, what, err);
    return l->q && l->x && l->y && l->across && l->part && l->small && l->rows && l->h && l->work && l->theta && l->s
               ? ST_OK
               : ST_NOMEM;
}

static void lanczos_clear(struct lanczos *l)
{
    mem_free(l->q);
    mem_free(l->x);
    mem_free(l->y);
    mem_free(l->across);
    mem_free(l->part);
    mem_free(l->small);
    mem_free(l->rows);
    mem_free(l->h);
    mem_free(l->work);
    mem_free(l->theta);
    mem_free(l->s);
}

enum status svd_truncated(const struct linear *a, size_t k, uint64_t seed, struct job *job, const char *what,
                          struct svd *out, struct error *err)
{
    kernel_start();
    struct lanczos l = {.a = a, .by_rows = a->rows < a->cols, .n = least(a->rows, a->cols), .seed = seed, .job = job};
    l.other = a->rows + a->cols - l.n;
    l.k = least(k, l.n);
    l.most = basis_columns(l.n, l.k);
    l.chunk = chunk_rows(l.n);
    l.chunks = parallel_count(l.n, l.chunk);
    *out = (struct svd){.cols = a->cols};
    job_begin(job, l.k, "vectors", "%s", what);
    enum status st = lanczos_new(&l, err);
    if (!st && l.k)
        st = iterate(&l, err);
    if (!st)
        st = finish(&l, out, err);
    lanczos_clear(&l);
    if (st)
        svd_clear(out);
    return st;
}

void svd_clear(struct svd *s)
{
    mem_free(s->sigma);
    mem_free(s->v);
    memset(s, 0, sizeof *s);
}
