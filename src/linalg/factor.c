#include "linalg/factor.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"
#include "linalg/product.h"

/* A square cut into tiles; the last row and column of tiles may be short. The cut depends on n only. */
struct tiled {
    float *a;
    size_t n, side, count; /* tiles are side x side, count x count of them */
    struct job *job;
    atomic_bool stop;      /* cancelled or not positive definite: what is left of the tasks does nothing */
    atomic_size_t bad;     /* first row of the tile that is not positive definite, or n */
    struct product_room *rooms; /* one for each thread */
};

static struct tiled tiled_start(float *a, size_t n, struct job *job)
{
    kernel_start();
    size_t side = n >= 16384 ? 768 : n >= 4096 ? 512 : n >= 1024 ? 192 : 128;
    return (struct tiled){.a = a, .n = n, .side = side, .count = parallel_count(n, side), .job = job, .bad = n};
}

static float *tile(const struct tiled *t, size_t i, size_t j)
{
    return t->a + i * t->side * t->n + j * t->side;
}

/* Rows of the tiles in row i, which are the columns of those in column i. */
static int rows(const struct tiled *t, size_t i)
{
    return (int)(i + 1 < t->count ? t->side : t->n - i * t->side);
}

/* Asked by each task before it works, and by none in the middle of a tile. */
static bool go(struct tiled *t)
{
    if (job_cancelled(t->job))
        atomic_store(&t->stop, true);
    if (atomic_load_explicit(&t->stop, memory_order_relaxed))
        return false;
    job_step(t->job, 1);
    return true;
}

/* The lower triangle by rows is the upper one by columns, as LAPACK wants it: L L' is U'U there, and R'R is U U'. */

/* Diagonal tile k becomes the inverse of its Cholesky factor. */
static void factor_tile(struct tiled *t, size_t k)
{
    if (!go(t))
        return;
    float *a = tile(t, k, k);
    bool fine = LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'U', rows(t, k), a, (int)t->n) == 0 &&
                LAPACKE_strtri_work(LAPACK_COL_MAJOR, 'U', 'N', rows(t, k), a, (int)t->n) == 0;
    for (int i = 0; fine && i < rows(t, k); i++)
        fine = a[(size_t)i * t->n + (size_t)i] > 0; /* LAPACK lets NaN pass */
    if (!fine) {
        atomic_store(&t->bad, k * t->side);
        atomic_store(&t->stop, true);
    }
}

/* Diagonal tile k: R becomes R'R. */
static void square_tile(struct tiled *t, size_t k)
{
    if (go(t))
        LAPACKE_slauum_work(LAPACK_COL_MAJOR, 'U', rows(t, k), tile(t, k, k), (int)t->n);
}

/* a(i,j) = alpha a(i,j) op(R) or alpha op(R) a(i,j), where R is the diagonal tile on the given side. */
static void multiply_tile(struct tiled *t, CBLAS_SIDE side, CBLAS_TRANSPOSE op, float alpha, size_t i, size_t j)
{
    size_t d = side == CblasRight ? j : i;
    if (go(t))
        cblas_strmm(CblasRowMajor, side, CblasLower, op, CblasNonUnit, rows(t, i), rows(t, j), alpha, tile(t, d, d),
                    (int)t->n, tile(t, i, j), (int)t->n);
}

/* c(ci,cj) += op(a) op(b), or -=, inner length `inner`. */
static void product_tile(struct tiled *t, CBLAS_TRANSPOSE opa, CBLAS_TRANSPOSE opb, bool minus, int inner,
                         const float *a, const float *b, size_t ci, size_t cj)
{
    if (go(t))
        product_add(&t->rooms[parallel_thread()], (size_t)rows(t, ci), (size_t)rows(t, cj), (size_t)inner, minus,
                    (struct operand){a, t->n, opa == CblasTrans}, (struct operand){b, t->n, opb == CblasTrans},
                    tile(t, ci, cj), t->n);
}

/* Diagonal tile d: += alpha a a' (or a'a when op is CblasTrans). */
static void rank_tile(struct tiled *t, CBLAS_TRANSPOSE op, float alpha, int inner, const float *a, size_t d)
{
    if (go(t))
        cblas_ssyrk(CblasRowMajor, CblasLower, op, rows(t, d), inner, alpha, a, (int)t->n, 1, tile(t, d, d), (int)t->n);
}

/* The three phases below make tasks and run on one thread of a team. Tasks touch whole tiles, named by their first
 * element; OpenMP keeps the order in which tasks on one tile were made, so each tile sees the same operations in the
 * same order on any number of threads.
 *
 * Diagonal tiles are inverted as soon as they are factored: multiplying by the inverse of a tile runs at more than
 * twice the speed of solving with the tile, and the next phase wants the inverses. */

/* A = L L': the tiles below the diagonal become those of L, the diagonal ones the inverses of L's. */
static void cholesky_tasks(struct tiled *t)
{
    for (size_t k = 0; k < t->count; k++) {
#pragma omp task depend(inout : *tile(t, k, k))
        factor_tile(t, k);
        for (size_t i = k + 1; i < t->count; i++) {
#pragma omp task depend(in : *tile(t, k, k)) depend(inout : *tile(t, i, k))
            multiply_tile(t, CblasRight, CblasTrans, 1, i, k);
        }
        for (size_t i = k + 1; i < t->count; i++) {
            for (size_t j = k + 1; j < i; j++) {
#pragma omp task depend(in : *tile(t, i, k), *tile(t, j, k)) depend(inout : *tile(t, i, j))
                product_tile(t, CblasNoTrans, CblasTrans, true, rows(t, k), tile(t, i, k), tile(t, j, k), i, j);
            }
#pragma omp task depend(in : *tile(t, i, k)) depend(inout : *tile(t, i, i))
            rank_tile(t, CblasNoTrans, -1, rows(t, k), tile(t, i, k), i);
        }
    }
}

/* L becomes its inverse R, column of tiles by column. */
static void triangle_tasks(struct tiled *t)
{
    for (size_t k = 0; k < t->count; k++) {
        for (size_t i = k + 1; i < t->count; i++) {
#pragma omp task depend(in : *tile(t, k, k)) depend(inout : *tile(t, i, k))
            multiply_tile(t, CblasRight, CblasNoTrans, -1, i, k);
        }
        for (size_t i = k + 1; i < t->count; i++)
            for (size_t j = 0; j < k; j++) {
#pragma omp task depend(in : *tile(t, i, k), *tile(t, k, j)) depend(inout : *tile(t, i, j))
                product_tile(t, CblasNoTrans, CblasNoTrans, false, rows(t, k), tile(t, i, k), tile(t, k, j), i, j);
            }
        for (size_t j = 0; j < k; j++) {
#pragma omp task depend(in : *tile(t, k, k)) depend(inout : *tile(t, k, j))
            multiply_tile(t, CblasLeft, CblasNoTrans, 1, k, j);
        }
    }
}

/* R becomes R'R, row of tiles by row. */
static void square_tasks(struct tiled *t)
{
    for (size_t k = 0; k < t->count; k++) {
        for (size_t j = 0; j < k; j++) {
#pragma omp task depend(in : *tile(t, k, j)) depend(inout : *tile(t, j, j))
            rank_tile(t, CblasTrans, 1, rows(t, k), tile(t, k, j), j);
            for (size_t i = j + 1; i < k; i++) {
#pragma omp task depend(in : *tile(t, k, i), *tile(t, k, j)) depend(inout : *tile(t, i, j))
                product_tile(t, CblasTrans, CblasNoTrans, false, rows(t, k), tile(t, k, i), tile(t, k, j), i, j);
            }
        }
        for (size_t j = 0; j < k; j++) {
#pragma omp task depend(in : *tile(t, k, k)) depend(inout : *tile(t, k, j))
            multiply_tile(t, CblasLeft, CblasTrans, 1, k, j);
        }
#pragma omp task depend(inout : *tile(t, k, k))
        square_tile(t, k);
    }
}

static void rooms_free(struct product_room *rooms)
{
    for (int i = 0; rooms && i < parallel_threads(); i++)
        product_room_clear(&rooms[i]);
    mem_free(rooms);
}

static enum status rooms_new(struct product_room **rooms, struct error *err)
{
    *rooms = mem_new((size_t)parallel_threads(), sizeof **rooms, "room for tiles", err);
    enum status st = *rooms ? ST_OK : ST_NOMEM;
    for (int i = 0; i < parallel_threads() && !st; i++)
        st = product_room_new(&(*rooms)[i], err);
    return st;
}

enum status symmetric_inverse(float *a, size_t n, struct job *job, const char *what, struct error *err)
{
    struct tiled t = tiled_start(a, n, job);
    enum status st = rooms_new(&t.rooms, err);
    if (st) {
        rooms_free(t.rooms);
        return st;
    }
    size_t tasks = t.count * (t.count + 1) * (t.count + 2) / 2 - t.count;
    job_begin(job, tasks, "tiles", "%s", what);
#pragma omp parallel if (n >= 1024)
#pragma omp single
    {
        cholesky_tasks(&t);
        triangle_tasks(&t);
        square_tasks(&t);
    }
    rooms_free(t.rooms);
    size_t bad = atomic_load(&t.bad);
    if (bad < n)
        return error_set(err, ST_FORMAT, "the matrix is not positive definite (rows %zu to %zu of %zu)", bad,
                         bad + t.side < n ? bad + t.side - 1 : n - 1, n);
    return job_check(job, err);
}

enum status symmetric_inverse_seconds(size_t n, double *seconds, struct error *err)
{
    enum { SMALL = 2048, LARGE = 4096 };
    bool minutes = n > 8 * LARGE; /* then a second or two of timing is nothing, and large tiles are the quicker ones */
    size_t side = minutes ? LARGE : SMALL;
    double times = (double)n / (double)side;
    *seconds = 0;
    if (n <= SMALL)
        return ST_OK;
    float *a = mem_new(side * side, sizeof *a, "a matrix to be timed", err);
    if (!a)
        return ST_NOMEM;
    for (size_t i = 0; i < side; i++)
        a[i * side + i] = 1;
    enum status st = ST_OK;
    double best = INFINITY; /* the first pays for pages, and others work here too */
    for (int i = 0; i < (minutes ? 2 : 3) && !st; i++) {
        double started = clock_seconds();
        st = symmetric_inverse(a, side, NULL, "", err);
        best = fmin(best, clock_seconds() - started);
    }
    *seconds = best * times * times * times;
    mem_free(a);
    return st;
}
