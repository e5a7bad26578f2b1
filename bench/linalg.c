/* The linear algebra room against OpenBLAS, LAPACK and plain loops. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "linalg/dense.h"
#include "linalg/factor.h"
#include "linalg/topk.h"

enum { FACTORS = 64, ITEMS = 40981, BATCH = 256, HISTORY = 27, SYSTEMS = 2000, BEST = 20 };

struct bench {
    size_t n;          /* side of the square */
    float *matrix, *square;
    float *x, *y;      /* BATCH and ITEMS vectors */
    struct dots dots;
    size_t queries;
    float *scores, *gram, *systems, *solutions, *scratch;
    uint32_t history[HISTORY];
    struct csr sparse;
    struct scored best[BEST];
    struct scored *all;
};

static void *get(size_t count, size_t size)
{
    struct error err;
    void *p = mem_new_raw(count, size, "the benchmark", &err);
    if (!p) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return p;
}

static void fine(enum status st)
{
    if (st) {
        fprintf(stderr, "failed: %s\n", status_name(st));
        exit(1);
    }
}

static float *random_floats(size_t n, const char *purpose)
{
    float *a = get(n, sizeof *a);
    struct rng r = rng_stream(1, purpose, 0);
    for (size_t i = 0; i < n; i++)
        a[i] = (float)rng_normal(&r);
    return a;
}

/* ---- large squares ---- */

static void refill(void *context)
{
    struct bench *b = context;
    memcpy(b->square, b->matrix, b->n * b->n * sizeof *b->square);
}

static void ours_inverse(void *context)
{
    struct bench *b = context;
    fine(symmetric_inverse(b->square, b->n, NULL, "", NULL));
}

static void lapack_inverse(void *context)
{
    struct bench *b = context;
    int n = (int)b->n;
    openblas_set_num_threads(omp_get_max_threads());
    LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'U', n, b->square, n);
    LAPACKE_spotri_work(LAPACK_COL_MAJOR, 'U', n, b->square, n);
    openblas_set_num_threads(1);
}

static void sgemm(void *context)
{
    struct bench *b = context;
    int n = (int)b->n;
    openblas_set_num_threads(omp_get_max_threads());
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, b->matrix, n, b->matrix, n, 0, b->square, n);
    openblas_set_num_threads(1);
}

static void naive_inverse(void *context)
{
    struct bench *b = context;
    fine(symmetric_inverse_reference(b->square, b->n, NULL));
}

/* Positive definite. */
static void fill(float *a, size_t n)
{
    for (size_t i = 0; i < n * n; i++)
        a[i] = i / n == i % n ? (float)n : (float)(i % 13) * .1F;
}

/* A square that takes minutes: once each, in one piece of memory. */
static void large_square(struct bench *b, size_t n)
{
    struct timing t = {.turns = 1};
    char what[80];
    b->n = n;
    b->square = get(n * n, sizeof *b->square);
    fill(b->square, n);
    double start = clock_seconds();
    ours_inverse(b);
    t.ours = clock_seconds() - start;
    fill(b->square, n);
    start = clock_seconds();
    lapack_inverse(b);
    t.reference = clock_seconds() - start;
    t.ratio = t.reference / t.ours;
    snprintf(what, sizeof what, "inverse of %zu x %zu, once", n, n);
    bench_print(what, "LAPACK spotrf + spotri", t, (double)n * (double)n * (double)n);
    mem_free(b->square);
}

static void squares(struct bench *b, size_t n, double seconds)
{
    char what[80];
    double cube = (double)n * (double)n * (double)n;
    b->n = n;
    b->matrix = get(n * n, sizeof *b->matrix);
    b->square = get(n * n, sizeof *b->square);
    fill(b->matrix, n);
    if (n <= 512) {
        snprintf(what, sizeof what, "inverse of %zu x %zu", n, n);
        bench_print(what, "plain loops in double", bench_run(ours_inverse, naive_inverse, refill, b, seconds), cube);
    } else {
        snprintf(what, sizeof what, "sgemm %zu x %zu (OpenBLAS, the limit)", n, n);
        bench_print(what, NULL, bench_run(sgemm, NULL, NULL, b, seconds / 2), 2 * cube);
        snprintf(what, sizeof what, "inverse of %zu x %zu", n, n);
        bench_print(what, "LAPACK spotrf + spotri", bench_run(ours_inverse, lapack_inverse, refill, b, seconds), cube);
    }
    mem_free(b->matrix);
    mem_free(b->square);
}

/* ---- factor models ---- */

static void ours_dots(void *context)
{
    struct bench *b = context;
    dots_score(&b->dots, b->x, b->queries, b->scores);
}

static void blas_dots(void *context)
{
    struct bench *b = context;
    openblas_set_num_threads(omp_get_max_threads());
    if (b->queries == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, ITEMS, FACTORS, 1, b->y, FACTORS, b->x, 1, 0, b->scores, 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)b->queries, ITEMS, FACTORS, 1, b->x, FACTORS, b->y, FACTORS, 0,
                    b->scores, ITEMS);
    openblas_set_num_threads(1);
}

static void ours_systems(void *context)
{
    struct bench *b = context;
    for (size_t s = 0; s < SYSTEMS; s++) {
        memcpy(b->systems, b->gram, FACTORS * FACTORS * sizeof *b->gram);
        gram_add(b->systems, FACTORS, b->y + s * FACTORS, b->history, NULL, HISTORY, b->scratch);
        memcpy(b->solutions, b->x, FACTORS * sizeof *b->x);
        if (!cholesky_solve(b->systems, FACTORS, b->solutions))
            fine(ST_FORMAT);
    }
}

static void lapack_systems(void *context)
{
    struct bench *b = context;
    for (size_t s = 0; s < SYSTEMS; s++) {
        memcpy(b->systems, b->gram, FACTORS * FACTORS * sizeof *b->gram);
        for (size_t j = 0; j < HISTORY; j++)
            memcpy(b->scratch + j * FACTORS, b->y + (s + b->history[j]) * FACTORS, FACTORS * sizeof *b->y);
        cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, FACTORS, HISTORY, 1, b->scratch, FACTORS, 1, b->systems, FACTORS);
        memcpy(b->solutions, b->x, FACTORS * sizeof *b->x);
        LAPACKE_sposv_work(LAPACK_COL_MAJOR, 'U', FACTORS, 1, b->systems, FACTORS, b->solutions, FACTORS);
    }
}

static void factor_models(struct bench *b)
{
    b->x = random_floats((size_t)BATCH * FACTORS, "x");
    b->y = random_floats((size_t)ITEMS * FACTORS, "y");
    b->scores = get((size_t)BATCH * ITEMS, sizeof *b->scores);
    b->gram = get(FACTORS * FACTORS, sizeof *b->gram);
    b->systems = get(FACTORS * FACTORS, sizeof *b->systems);
    b->solutions = get(FACTORS, sizeof *b->solutions);
    b->scratch = get(gram_scratch(FACTORS), sizeof *b->scratch);
    for (size_t j = 0; j < HISTORY; j++)
        b->history[j] = (uint32_t)(j * 1327);
    fine(gram(b->y, ITEMS, FACTORS, b->gram, NULL));
    fine(dots_pack(&b->dots, b->y, ITEMS, FACTORS, NULL));
    double operations = 2.0 * ITEMS * FACTORS;
    b->queries = 1;
    bench_print("scores of 1 user x 40,981 items, k=64", "sgemv", bench_run(ours_dots, blas_dots, NULL, b, 1), operations);
    b->queries = BATCH;
    bench_print("scores of 256 users x 40,981 items, k=64", "sgemm", bench_run(ours_dots, blas_dots, NULL, b, 2), operations * BATCH);
    bench_print("2,000 ALS systems, k=64, 27 items, 1 thread", "ssyrk + sposv", bench_run(ours_systems, lapack_systems, NULL, b, 1),
                SYSTEMS * (FACTORS * FACTORS * (HISTORY + FACTORS / 3.0)));
}

/* ---- lists ---- */

static void ours_topk(void *context)
{
    struct bench *b = context;
    topk(b->scores, ITEMS, BEST, b->best);
}

static int by_rank(const void *pa, const void *pb)
{
    const struct scored *a = pa, *b = pb;
    return a->score != b->score ? (a->score < b->score) - (a->score > b->score) : (a->index > b->index) - (a->index < b->index);
}

static void sorted_topk(void *context)
{
    struct bench *b = context;
    for (size_t i = 0; i < ITEMS; i++)
        b->all[i] = (struct scored){(uint32_t)i, b->scores[i]};
    qsort(b->all, ITEMS, sizeof *b->all, by_rank);
}

static void lists(struct bench *b)
{
    b->all = get(ITEMS, sizeof *b->all);
    bench_print("best 20 of 40,981 scores", "qsort", bench_run(ours_topk, sorted_topk, NULL, b, .5), 0);
    for (size_t i = 0; i < ITEMS; i++)
        b->scores[i] = (float)i;
    bench_print("best 20 of 40,981 ascending scores", "qsort", bench_run(ours_topk, sorted_topk, NULL, b, .5), 0);
}

/* ---- sparse Gram ---- */

static void ours_sparse(void *context)
{
    struct bench *b = context;
    fine(sparse_gram(&b->sparse, b->square, NULL, "", NULL));
}

static void naive_sparse(void *context)
{
    struct bench *b = context;
    sparse_gram_reference(&b->sparse, b->square);
}

static void sparse(struct bench *b)
{
    enum { ROWS = 20000, COLS = 4000, ENTRIES = 40 };
    struct rng r = rng_stream(1, "sparse", 0);
    fine(csr_new(&b->sparse, ROWS, COLS, (size_t)ROWS * ENTRIES, 0, NULL));
    size_t at = 0;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < ENTRIES; j++) /* ascending, popular ones in front */
            b->sparse.index[at++] = (uint32_t)(j * COLS / ENTRIES + (size_t)(pow(rng_real(&r), 3) * COLS / ENTRIES));
        b->sparse.begin[i + 1] = at;
    }
    b->square = get((size_t)COLS * COLS, sizeof *b->square);
    bench_print("X'X of 20,000 x 4,000, 800,000 entries", "plain loops", bench_run(ours_sparse, naive_sparse, NULL, b, 1), 0);
    mem_free(b->square);
    csr_clear(&b->sparse);
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    bool full = argc > 1 && strcmp(argv[1], "full") == 0;
    printf("%s, %d threads; medians of turns, ratio = reference / ours\n\n", linalg_kernel_name(), omp_get_max_threads());
    if (argc > 2 && strcmp(argv[1], "inverse") == 0) {
        large_square(&b, strtoul(argv[2], NULL, 10));
        return 0;
    }
    factor_models(&b);
    lists(&b);
    sparse(&b);
    squares(&b, 300, 1);
    squares(&b, 1682, 3);
    squares(&b, 4096, full ? 20 : 3);
    squares(&b, 8192, full ? 60 : 6);
    mem_free(b.x);
    mem_free(b.y);
    mem_free(b.scores);
    mem_free(b.gram);
    mem_free(b.systems);
    mem_free(b.solutions);
    mem_free(b.scratch);
    mem_free(b.all);
    dots_clear(&b.dots);
    return 0;
}
