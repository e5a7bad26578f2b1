/* An inverse that follows its matrix: the identity of Sherman, Morrison and Woodbury, in batches of bounded rank.
 *
 *     (G + U C U')^-1 = P - P U (C^-1 + U'P U)^-1 U'P
 *
 * A row x that becomes x + d changes G by d d' + d x' + x d': the columns d and x of U with C = [1 1; 1 0]. A row that
 * was empty is one column with C = 1, one that becomes empty one with C = -1. Each row is in one batch, so G stays
 * positive definite from batch to batch. */
#include <cblas.h>
#include <lapacke.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/dense.h"
#include "linalg/factor.h"
#include "linalg/kernel.h"

enum { BATCH = 256, COLUMNS = 4096, SIDE = 512 };

/* One batch: the columns of U as sparse rows, and what comes of them. */
struct batch {
    float *p;
    size_t n, rank;
    struct csr u;              /* BATCH rows */
    size_t room;               /* entries that u has room for */
    double c[2 * BATCH];       /* C^-1: the diagonal, and behind it what stands right of it */
    float *v, *w;              /* U'P and (C^-1 + U'P U)^-1 U'P, rank x n */
    double *s;                 /* BATCH x BATCH: C^-1 + U'P U, then its inverse */
    float *inverse;            /* the same in float32 */
    lapack_int pivot[BATCH];
    double work[BATCH];
    struct job *job;
};

static void batch_clear(struct batch *b)
{
    csr_clear(&b->u);
    mem_free(b->v);
    mem_free(b->w);
    mem_free(b->s);
    mem_free(b->inverse);
}

static enum status batch_new(struct batch *b, float *p, size_t n, size_t room, size_t rank, struct job *job,
                             struct error *err)
{
    static const char what[] = "the update of an inverse";
    *b = (struct batch){.p = p, .n = n, .room = room, .job = job};
    size_t most = rank < BATCH ? rank : BATCH;
    enum status st = csr_new(&b->u, BATCH, n, room, 1, err);
    b->v = st ? NULL : mem_new_raw(most * n, sizeof *b->v, what, err);
    b->w = b->v ? mem_new_raw(most * n, sizeof *b->w, what, err) : NULL;
    b->s = b->w ? mem_new_raw(BATCH * BATCH, sizeof *b->s, what, err) : NULL;
    b->inverse = b->s ? mem_new_raw(BATCH * BATCH, sizeof *b->inverse, what, err) : NULL;
    return b->inverse ? ST_OK : ST_NOMEM;
}

/* ---- the columns of U ---- */

/* Row r of x, empty past its end. */
struct row {
    const uint32_t *index;
    const float *value; /* NULL: ones */
    size_t n;
};

static struct row row_of(const struct csr *x, size_t r)
{
    if (r >= x->rows)
        return (struct row){0};
    size_t begin = x->begin[r];
    return (struct row){x->index + begin, x->value ? x->value + begin : NULL, x->begin[r + 1] - begin};
}

static float value_at(const struct row *r, size_t i)
{
    return r->value ? r->value[i] : 1;
}

/* to - from as a sparse row; returns how many entries. index and value NULL: only counts. */
static size_t difference(struct row from, struct row to, uint32_t *index, float *value)
{
    size_t i = 0, j = 0, n = 0;
    while (i < from.n || j < to.n) {
        bool old = j == to.n || (i < from.n && from.index[i] <= to.index[j]);
        bool new = i == from.n || (j < to.n && to.index[j] <= from.index[i]);
        uint32_t at = old ? from.index[i] : to.index[j];
        float by = (new ? value_at(&to, j) : 0) - (old ? value_at(&from, i) : 0);
        i += old;
        j += new;
        if (by == 0)
            continue;
        if (index) {
            index[n] = at;
            value[n] = by;
        }
        n++;
    }
    return n;
}

/* Ranks that the change of one row takes. */
static size_t rank_of_change(struct row from, struct row to)
{
    return !difference(from, to, NULL, NULL) ? 0 : from.n && to.n ? 2 : 1;
}

static void add_column(struct batch *b, struct row x)
{
    size_t at = b->u.begin[b->rank];
    for (size_t i = 0; i < x.n; i++) {
        b->u.index[at + i] = x.index[i];
        b->u.value[at + i] = value_at(&x, i);
    }
    b->u.begin[++b->rank] = at + x.n;
}

/* The inverse of C = [1 1; 1 0] is [0 1; 1 -1]. */
static void add_change(struct batch *b, struct row from, struct row to)
{
    size_t at = b->u.begin[b->rank], k = b->rank;
    if (!from.n || !to.n) {
        add_column(b, from.n ? from : to);
        b->c[k] = from.n ? -1 : 1;
        b->c[BATCH + k] = 0;
        return;
    }
    b->u.begin[++b->rank] = at + difference(from, to, b->u.index + at, b->u.value + at);
    add_column(b, from);
    b->c[k] = 0;
    b->c[BATCH + k] = 1;
    b->c[k + 1] = -1;
    b->c[BATCH + k + 1] = 0;
}

/* ---- the update of a batch ---- */

static void multiply_piece(void *context, size_t i, size_t begin, size_t end)
{
    (void)begin;
    (void)end;
    const struct batch *b = context;
    size_t pieces = parallel_count(b->n, COLUMNS), k = i / pieces, first = i % pieces * COLUMNS;
    size_t from = b->u.begin[k], left = b->n - first;
    rows_sum_stride(b->v + k * b->n + first, left < COLUMNS ? left : COLUMNS, b->p + first, b->n, b->u.index + from,
                    b->u.value + from, b->u.begin[k + 1] - from);
}

/* s = C^-1 + U'P U, the lower triangle by rows. */
static void fill_middle(struct batch *b)
{
    for (size_t k = 0; k < b->rank; k++) {
        for (size_t l = 0; l <= k; l++) {
            double sum = l == k ? b->c[k] : l + 1 == k ? b->c[BATCH + l] : 0;
            for (size_t e = b->u.begin[k]; e < b->u.begin[k + 1]; e++)
                sum += (double)b->u.value[e] * (double)b->v[l * b->n + b->u.index[e]];
            b->s[k * b->rank + l] = sum;
        }
    }
}

static bool invert_middle(struct batch *b)
{
    int r = (int)b->rank;
    fill_middle(b);
    if (LAPACKE_dsytrf_work(LAPACK_COL_MAJOR, 'U', r, b->s, r, b->pivot, b->work, BATCH) != 0 ||
        LAPACKE_dsytri_work(LAPACK_COL_MAJOR, 'U', r, b->s, r, b->pivot, b->work) != 0)
        return false;
    for (size_t k = 0; k < b->rank; k++)
        for (size_t l = 0; l <= k; l++)
            b->inverse[k * b->rank + l] = b->inverse[l * b->rank + k] = (float)b->s[k * b->rank + l];
    return true;
}

static void solve_piece(void *context, size_t i, size_t begin, size_t end)
{
    (void)i;
    const struct batch *b = context;
    int n = (int)b->n, r = (int)b->rank;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r, (int)(end - begin), r, 1, b->inverse, r, b->v + begin, n,
                0, b->w + begin, n);
}

enum { MIRROR = 32 };

/* What stands below the diagonal in rows [top, bottom) and columns [left, right), copied above it block by block. */
static void mirror(const struct batch *b, size_t top, size_t bottom, size_t left, size_t right)
{
    for (size_t i = top; i < bottom; i += MIRROR)
        for (size_t j = left; j < right && j < i + MIRROR; j += MIRROR)
            for (size_t c = j; c < j + MIRROR && c < right; c++)
                for (size_t r = i > c ? i : c + 1; r < i + MIRROR && r < bottom; r++)
                    b->p[c * b->n + r] = b->p[r * b->n + c];
}

/* Row i of tiles up to the diagonal, and its mirror image. */
static void subtract_tiles(void *context, size_t i, size_t begin, size_t end)
{
    (void)i;
    const struct batch *b = context;
    size_t n = b->n;
    for (size_t left = 0; left < end && !job_cancelled(b->job); left += SIDE) {
        size_t right = left + SIDE < end ? left + SIDE : end;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)(end - begin), (int)(right - left), (int)b->rank, -1,
                    b->v + begin, (int)n, b->w + left, (int)n, 1, b->p + begin * n + left, (int)n);
        mirror(b, begin, end, left, right);
    }
    job_step(b->job, 1);
}

static enum status apply(struct batch *b, struct error *err)
{
    if (!b->rank)
        return ST_OK;
    parallel_blocks(b->rank * parallel_count(b->n, COLUMNS), 1, multiply_piece, b);
    if (!invert_middle(b))
        return error_set(err, ST_FORMAT, "the changed matrix is not positive definite");
    parallel_blocks(b->n, SIDE, solve_piece, b);
    parallel_blocks(b->n, SIDE, subtract_tiles, b);
    b->rank = 0;
    return job_check(b->job, err);
}

size_t symmetric_inverse_update_rank(const struct csr *before, const struct csr *after, const uint32_t *rows,
                                     size_t nrows)
{
    size_t rank = 0;
    for (size_t i = 0; i < nrows; i++)
        rank += rank_of_change(row_of(before, rows[i]), row_of(after, rows[i]));
    return rank;
}

/* Entries that the columns of one batch can have at most: two columns make no more than the row before and after,
 * twice. */
static size_t most_entries(const struct csr *before, const struct csr *after, const uint32_t *rows, size_t nrows)
{
    size_t longest = 0;
    for (size_t i = 0; i < nrows; i++) {
        size_t n = row_of(before, rows[i]).n + row_of(after, rows[i]).n;
        longest = n > longest ? n : longest;
    }
    return (longest + 1) * BATCH;
}

enum status symmetric_inverse_update(float *p, size_t n, const struct csr *before, const struct csr *after,
                                     const uint32_t *rows, size_t nrows, struct job *job, const char *what,
                                     struct error *err)
{
    struct batch b;
    kernel_start();
    size_t rank = symmetric_inverse_update_rank(before, after, rows, nrows);
    enum status st = batch_new(&b, p, n, most_entries(before, after, rows, nrows), rank, job, err);
    job_begin(job, parallel_count(rank, BATCH - 1) * parallel_count(n, SIDE), "tiles", "%s", what);
    for (size_t i = 0; i < nrows && !st; i++) {
        struct row from = row_of(before, rows[i]), to = row_of(after, rows[i]);
        size_t more = rank_of_change(from, to);
        if (b.rank + more > BATCH)
            st = apply(&b, err);
        if (!st && more)
            add_change(&b, from, to);
    }
    if (!st)
        st = apply(&b, err);
    batch_clear(&b);
    return st;
}
