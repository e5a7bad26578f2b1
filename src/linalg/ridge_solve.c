/* Sets of rows and their systems (linalg/ridge.h). Small ones of the same size are solved together, a lane each. */
#include <math.h>
#include <string.h>

#include "base/job.h"
#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"
#include "linalg/lanes.h"
#include "linalg/ridge.h"
#include "linalg/wide_sums.h"

/* The smaller system of a set, A t = right, with A = E + U U' (dual, one unknown a row of the set) or E + U'U. */
struct system {
    const struct ridge *r;
    const struct ridge_set *set;
    bool dual;
    size_t m;                  /* unknowns; in the dual one they are n and some that are 0, to whole vectors */
    float *small;              /* A where it is small */
    float *scale;              /* D^-1/2 */
    double *root;              /* D^-1/2 */
    double *weight;            /* one a row of the set: its root in the dual system */
    double *right, *t, *image; /* m each; image: A t */
    double *vector, *each;     /* one a component; one a row of the set */
};

/* What one thread needs for systems that are solved together. */
struct desk {
    struct system system[LANES];
    float *large;           /* A of a system that is not small */
    float *u, *room;        /* U, its rows to whole vectors; what gram_add needs */
    float *lanes, *rounded; /* what lanes_open needs; a right side in float32 */
};

static size_t small_most(size_t k)
{
    size_t w = whole_vectors(k);
    return w < LANES_MOST ? w : LANES_MOST;
}

/* Sets of more rows are solved alone: what they need would be needed 16 times, and little of their work is a system's.
 */
enum { LONG = 512 };

/* The next part of the scratch, aligned to 64. */
static void *cut(char *scratch, size_t *at, size_t n, size_t size)
{
    void *part = scratch ? scratch + *at : NULL;
    *at += (n * size + 63) / 64 * 64;
    return part;
}

/* Lays the desk out; how many bytes it takes. scratch: NULL: only that. */
static size_t lay_out(struct desk *d, size_t k, size_t longest, char *scratch)
{
    size_t w = whole_vectors(k), most = small_most(k), at = 0;
    d->large = cut(scratch, &at, w * w, sizeof(float));
    d->u = cut(scratch, &at, w * w, sizeof(float));
    d->room = cut(scratch, &at, gram_scratch(k), sizeof(float));
    d->lanes = cut(scratch, &at, lanes_room(most), sizeof(float));
    d->rounded = cut(scratch, &at, w, sizeof(float));
    for (size_t i = 0; i < LANES; i++) {
        struct system *s = &d->system[i];
        size_t rows = i && longest > LONG ? LONG : longest;
        s->small = cut(scratch, &at, most * most, sizeof(float));
        s->scale = cut(scratch, &at, w, sizeof(float));
        s->root = cut(scratch, &at, w, sizeof(double));
        s->right = cut(scratch, &at, w, sizeof(double));
        s->t = cut(scratch, &at, w, sizeof(double));
        s->image = cut(scratch, &at, w, sizeof(double));
        s->vector = cut(scratch, &at, w, sizeof(double));
        s->weight = cut(scratch, &at, rows, sizeof(double));
        s->each = cut(scratch, &at, rows, sizeof(double));
    }
    return at;
}

size_t ridge_scratch(size_t k, size_t longest)
{
    struct desk d;
    return lay_out(&d, k, longest, NULL);
}

/* ---- one set ---- */

static size_t unknowns(size_t k, size_t n)
{
    return n <= k ? whole_vectors(n) : k;
}

static void begin_system(struct system *s, const struct ridge *r, const struct ridge_set *set)
{
    s->r = r;
    s->set = set;
    s->dual = set->n <= r->k;
    s->m = unknowns(r->k, set->n);
    for (size_t f = 0; f < r->k; f++) {
        s->root[f] = r->value[f] > 0 ? 1 / sqrt(set->all * r->value[f] + set->pull) : 0;
        s->scale[f] = (float)s->root[f];
    }
    for (size_t j = 0; j < set->n; j++) {
        double weight = set->weight ? set->weight[j] : 1;
        s->weight[j] = s->dual ? sqrt(weight) : weight;
    }
    memset(s->right, 0, s->m * sizeof *s->right);
}

/* U'w^1/2 or w^1/2 on the right side. */
static void ask_for_all(struct system *s)
{
    if (s->dual)
        memcpy(s->right, s->weight, s->set->n * sizeof *s->right);
    else
        wide_sum(s->right, s->r->z, s->r->k, s->set->index, s->weight, s->set->n);
    for (size_t f = 0; f < s->r->k && !s->dual; f++)
        s->right[f] *= s->root[f];
}

/* A but for E: the products of the rows of U, of which there are some of zeros, to whole vectors. */
static void dual_matrix(const struct system *s, struct desk *d, float *a)
{
    enum { TOGETHER = 4 };
    size_t k = s->r->k, w = whole_vectors(k), n = s->set->n, m = s->m, some = (n + TOGETHER - 1) / TOGETHER * TOGETHER;
    wide_gather(d->u, s->r->z, k, s->set->index, s->weight, n, s->scale);
    memset(d->u + n * w, 0, (some - n) * w * sizeof *d->u);
    memset(a + some * m, 0, (m - some) * m * sizeof *a);
    rows_products(a, m, d->u, some, w);
}

static void primal_matrix(const struct system *s, struct desk *d, float *a)
{
    size_t k = s->r->k;
    memset(a, 0, k * k * sizeof *a);
    gram_add(a, k, s->r->z, s->set->index, s->set->weight, s->set->n, d->room);
    for (size_t f = 0; f < k; f++)
        for (size_t c = 0; c <= f; c++)
            a[f * k + c] = (float)(s->root[f] * s->root[c] * a[f * k + c]);
}

static void make_matrix(const struct system *s, struct desk *d, float *a)
{
    if (s->dual)
        dual_matrix(s, d, a);
    else
        primal_matrix(s, d, a);
    for (size_t i = 0; i < s->m; i++)
        a[i * s->m + i] += 1;
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

/* ---- t = A^-1 right, then once more for what that leaves of the right side ---- */

static bool solve_large(struct desk *d)
{
    struct system *s = &d->system[0];
    make_matrix(s, d, d->large);
    for (size_t i = 0; i < s->m; i++)
        d->rounded[i] = (float)s->right[i];
    if (!cholesky_solve(d->large, s->m, d->rounded))
        return false;
    for (size_t i = 0; i < s->m; i++)
        s->t[i] = d->rounded[i];
    apply(s);
    for (size_t i = 0; i < s->m; i++)
        d->rounded[i] = (float)(s->right[i] - s->image[i]);
    cholesky_again(d->large, s->m, d->rounded);
    for (size_t i = 0; i < s->m; i++)
        s->t[i] += d->rounded[i];
    return true;
}

/* The first n systems, which have the same size. */
static bool solve_small(struct desk *d, size_t n)
{
    struct lanes l;
    const float *a[LANES];
    size_t m = d->system[0].m;
    for (size_t lane = 0; lane < LANES; lane++) /* the first one stands in for those that are not there */
        a[lane] = d->system[lane < n ? lane : 0].small;
    for (size_t i = 0; i < n; i++) {
        struct system *s = &d->system[i];
        make_matrix(s, d, s->small);
        memset(s->t, 0, m * sizeof *s->t);
        memset(s->image, 0, m * sizeof *s->image);
    }
    lanes_open(&l, a, m, d->lanes);
    if (!lanes_factor(&l))
        return false;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < m; i++)
            for (size_t lane = 0; lane < n; lane++)
                *lanes_right(&l, lane, i) = (float)(d->system[lane].right[i] - d->system[lane].image[i]);
        lanes_solve(&l);
        for (size_t lane = 0; lane < n; lane++) {
            for (size_t i = 0; i < m; i++)
                d->system[lane].t[i] += *lanes_right(&l, lane, i);
            if (pass == 0)
                apply(&d->system[lane]);
        }
    }
    return true;
}

/* One system, or several small ones of the same size. */
static bool solve(struct desk *d, size_t n)
{
    return d->system[0].m > LANES_MOST ? solve_large(d) : solve_small(d, n);
}

static void finish_system(struct system *s, float *z)
{
    outcome(s);
    for (size_t f = 0; f < s->r->k; f++)
        z[f] = (float)s->vector[f];
}

bool ridge_solve(const struct ridge *r, const struct ridge_set *set, float *z, void *scratch)
{
    struct desk d;
    lay_out(&d, r->k, set->n, scratch);
    begin_system(&d.system[0], r, set);
    ask_for_all(&d.system[0]);
    if (!solve(&d, 1))
        return false;
    finish_system(&d.system[0], z);
    return true;
}

void ridge_back(const struct ridge *r, const float *z, size_t count, float *x)
{
    dots_score(&r->axes, z, count, x);
}

/* U D^-1/2 z_row = (E + U U') t in the dual system, D^-1/2 z_row = (E + U'U) t in the other. */
bool ridge_parts(const struct ridge *r, const struct ridge_set *set, size_t row, double *part, void *scratch)
{
    struct desk d;
    struct system *s = &d.system[0];
    const float *z = r->z + row * r->k;
    lay_out(&d, r->k, set->n, scratch);
    begin_system(s, r, set);
    for (size_t f = 0; f < r->k; f++)
        *(s->dual ? &s->vector[f] : &s->right[f]) = z[f] * s->root[f] * (s->dual ? s->root[f] : 1);
    if (s->dual)
        wide_dot(s->right, r->z, r->k, set->index, s->vector, set->n);
    for (size_t j = 0; j < set->n && s->dual; j++)
        s->right[j] *= s->weight[j];
    if (!solve(&d, 1))
        return false;
    outcome(s);
    if (s->dual)
        memcpy(part, s->t, set->n * sizeof *part);
    else
        wide_dot(part, r->z, r->k, set->index, s->vector, set->n);
    for (size_t j = 0; j < set->n; j++)
        part[j] *= s->weight[j];
    return true;
}

/* ---- many sets ---- */

/* Sets of one parallel piece of work: enough that those of each size fill lanes. */
enum { BLOCK = 128 };

struct solving {
    const struct ridge *r;
    const struct ridge_rows *sets;
    size_t longest;
    float *x;
    char **scratch; /* one a thread: BLOCK solutions, then what a desk needs */
    bool *failed;   /* one a block */
    struct job *job;
};

static size_t rows_of(const struct solving *w, size_t i)
{
    return w->sets->rows->begin[i + 1] - w->sets->rows->begin[i];
}

/* The size of a set's system; of a long set more than any has. */
static size_t size_of(const struct solving *w, size_t i)
{
    size_t n = rows_of(w, i), k = w->r->k;
    return n > LONG ? whole_vectors(k) + 1 : unknowns(k, n);
}

/* Those of begin..end that have rows, as size * BLOCK + place, the smallest systems first; how many. */
static size_t by_size(const struct solving *w, size_t begin, size_t end, uint32_t order[BLOCK])
{
    size_t n = 0;
    for (size_t i = begin; i < end; i++)
        if (rows_of(w, i))
            order[n++] = (uint32_t)(size_of(w, i) * BLOCK + (i - begin));
    numbers_sort(order, n);
    return n;
}

/* The first sets of the order that are solved together; how many. */
static size_t together(const struct solving *w, const uint32_t *order, size_t n)
{
    size_t size = order[0] / BLOCK, some = 1;
    size_t most = size > LANES_MOST || size > whole_vectors(w->r->k) ? 1 : LANES;
    while (some < n && some < most && order[some] / BLOCK == size)
        some++;
    return some;
}

static bool solve_some(const struct solving *w, struct desk *d, size_t begin, const uint32_t *order, size_t count,
                       float *z)
{
    const struct csr *rows = w->sets->rows;
    struct ridge_set set[LANES];
    for (size_t i = 0; i < count; i++) {
        size_t row = begin + order[i] % BLOCK, at = rows->begin[row], n = rows_of(w, row);
        set[i] = (struct ridge_set){rows->index + at, rows->value ? rows->value + at : NULL, n, w->sets->all,
                                    w->sets->pull(w->sets->context, n)};
        begin_system(&d->system[i], w->r, &set[i]);
        ask_for_all(&d->system[i]);
    }
    if (!solve(d, count))
        return false;
    for (size_t i = 0; i < count; i++)
        finish_system(&d->system[i], z + order[i] % BLOCK * w->r->k);
    return true;
}

static void solve_block(void *context, size_t block, size_t begin, size_t end)
{
    struct solving *w = context;
    struct desk d;
    uint32_t order[BLOCK];
    size_t k = w->r->k;
    float *z = (float *)(void *)w->scratch[parallel_thread()];
    if (job_cancelled(w->job))
        return;
    lay_out(&d, k, w->longest, (char *)(z + whole_vectors(BLOCK * k)));
    memset(z, 0, BLOCK * k * sizeof *z);
    size_t n = by_size(w, begin, end, order), some;
    for (size_t at = 0; at < n; at += some) {
        some = together(w, order + at, n - at);
        if (!solve_some(w, &d, begin, order + at, some, z))
            w->failed[block] = true;
    }
    ridge_back(w->r, z, end - begin, w->x + begin * k);
}

enum status ridge_solve_rows(const struct ridge *r, const struct ridge_rows *sets, float *x, struct job *job,
                             struct error *err)
{
    const struct csr *rows = sets->rows;
    size_t blocks = parallel_count(rows->rows, BLOCK);
    size_t threads = blocks > 1 ? (size_t)parallel_threads() : (size_t)parallel_thread() + 1;
    struct solving w = {.r = r, .sets = sets, .x = x, .job = job};
    for (size_t i = 0; i < rows->rows; i++)
        w.longest = rows_of(&w, i) > w.longest ? rows_of(&w, i) : w.longest;
    size_t room = whole_vectors(BLOCK * r->k) * sizeof(float) + ridge_scratch(r->k, w.longest);
    w.scratch = mem_new(threads, sizeof *w.scratch, "ridge regression", err);
    w.failed = mem_new(blocks, sizeof *w.failed, "ridge regression", err);
    enum status st = w.scratch && w.failed ? ST_OK : ST_NOMEM;
    for (size_t t = 0; t < threads && !st; t++)
        if (!(w.scratch[t] = mem_new_raw(room, 1, "ridge regression", err)))
            st = ST_NOMEM;
    if (!st) {
        parallel_blocks(rows->rows, BLOCK, solve_block, &w);
        st = job_check(job, err);
    }
    for (size_t b = 0; b < blocks && !st; b++)
        if (w.failed[b])
            st = error_set(err, ST_FORMAT, "the least squares cannot be solved: their numbers are too large");
    for (size_t t = 0; w.scratch && t < threads; t++)
        mem_free(w.scratch[t]);
    mem_free(w.scratch);
    mem_free(w.failed);
    return st;
}
