#include "linalg/sparse_inverse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/sparse_product.h"

enum { WORD = 64, COLUMNS_PER_BLOCK = 32 };

/* ---- sums of sparse columns ---- */

/* A dense column, and which of its places were touched. */
struct sums {
    float *sum;
    uint64_t *touched;
    size_t words;
};

static enum status sums_new(struct sums *s, size_t n, struct error *err)
{
    s->words = (n + WORD - 1) / WORD;
    s->sum = mem_new(n, sizeof *s->sum, "a column of a sparse inverse", err);
    s->touched = mem_new(s->words, sizeof *s->touched, "a column of a sparse inverse", err);
    return s->sum && s->touched ? ST_OK : ST_NOMEM;
}

static void sums_clear(struct sums *s)
{
    mem_free(s->sum);
    mem_free(s->touched);
}

static inline void touch(struct sums *s, uint32_t i)
{
    s->touched[i / WORD] |= (uint64_t)1 << i % WORD;
}

static inline void add(struct sums *s, uint32_t i, float v)
{
    s->sum[i] += v;
    touch(s, i);
}

/* Adds v times column j of L, from place `from` of its entries on. */
static inline void add_column(struct sums *s, const struct csr *l, size_t j, size_t from, float v)
{
    for (size_t e = from; e < l->begin[j + 1]; e++)
        add(s, l->index[e], v * l->value[e]);
}

/* The touched places that are not 0, ascending, from the word of row `first` on. */
static size_t gather(const struct sums *s, size_t first, uint32_t *index, float *value)
{
    size_t n = 0;
    for (size_t w = first / WORD; w < s->words; w++)
        for (uint64_t bits = s->touched[w]; bits; bits &= bits - 1) {
            uint32_t i = (uint32_t)(w * WORD + (size_t)__builtin_ctzll(bits));
            index[n] = i;
            value[n] = s->sum[i];
            n += value[n] != 0;
        }
    return n;
}

static void forget(struct sums *s, size_t first)
{
    for (size_t w = first / WORD; w < s->words; w++) {
        for (uint64_t bits = s->touched[w]; bits; bits &= bits - 1)
            s->sum[w * WORD + (size_t)__builtin_ctzll(bits)] = 0;
        s->touched[w] = 0;
    }
}

/* A column as a list, with room for all rows. */
struct column {
    uint32_t *index, *space;
    float *value;
    size_t n;
};

static enum status column_new(struct column *c, size_t n, struct error *err)
{
    c->index = mem_new_raw(n, sizeof *c->index, "a column of a sparse inverse", err);
    c->space = mem_new_raw(n, sizeof *c->space, "a column of a sparse inverse", err);
    c->value = mem_new_raw(n, sizeof *c->value, "a column of a sparse inverse", err);
    return c->index && c->space && c->value ? ST_OK : ST_NOMEM;
}

static void column_clear(struct column *c)
{
    mem_free(c->index);
    mem_free(c->space);
    mem_free(c->value);
}

static void take_best(struct column *c, const struct sums *s, size_t first, size_t kept)
{
    float bar;
    c->n = best_entries(c->index, c->value, gather(s, first, c->index, c->value), kept, true, &bar, c->space);
}

/* ---- factorization ---- */

void sparse_factor_clear(struct sparse_factor *f)
{
    csr_clear(&f->l);
    mem_free(f->d);
    mem_free(f->item);
    mem_free(f->rank);
    memset(f, 0, sizeof *f);
}

/* Rows by their entries, ties by their number: a counting sort. */
static enum status set_order(const struct csr *a, const struct csr *at, struct sparse_factor *f, struct error *err)
{
    size_t n = a->rows, *start = mem_new(2 * n + 2, sizeof *start, "the order of a factorization", err);
    if (!start)
        return ST_NOMEM;
#define ENTRIES(r) (a->begin[(r) + 1] - a->begin[r] + at->begin[(r) + 1] - at->begin[r])
    for (size_t r = 0; r < n; r++)
        start[ENTRIES(r) + 1]++;
    for (size_t i = 1; i < 2 * n + 2; i++)
        start[i] += start[i - 1];
    for (size_t r = 0; r < n; r++) {
        f->rank[r] = (uint32_t)start[ENTRIES(r)]++;
        f->item[f->rank[r]] = (uint32_t)r;
    }
#undef ENTRIES
    mem_free(start);
    return ST_OK;
}

/* Columns from left to right. Column k waits in a list of the row where its next entry lies: that column needs it. */
struct elimination {
    const struct csr *a, *at;
    struct sparse_factor *f;
    size_t kept;
    struct sums sums;
    struct column column;
    size_t *next_entry;          /* of each column done */
    uint32_t *waiting,
        *follows; /* first column that waits for a row; the one behind a column. 0: none, else 1 + column */
};

static void wait_for_row(struct elimination *x, size_t k)
{
    const struct csr *l = &x->f->l;
    if (x->next_entry[k] == l->begin[k + 1])
        return;
    uint32_t row = l->index[x->next_entry[k]];
    x->follows[k] = x->waiting[row];
    x->waiting[row] = (uint32_t)k + 1;
}

static void scatter_below(struct elimination *x, const struct csr *a, size_t j)
{
    size_t r = x->f->item[j];
    for (size_t e = a->begin[r]; e < a->begin[r + 1]; e++) {
        uint32_t i = x->f->rank[a->index[e]];
        if (i > j) { /* set, not added: both of a and its transpose may have it */
            x->sums.sum[i] = a->value[e];
            touch(&x->sums, i);
        }
    }
}

/* False when the pivot is not positive. */
static bool eliminate(struct elimination *x, size_t j)
{
    struct sparse_factor *f = x->f;
    struct csr *l = &f->l;
    double pivot = 1 + (double)f->shift;
    scatter_below(x, x->a, j);
    scatter_below(x, x->at, j);
    for (uint32_t k = x->waiting[j], then; k; k = then) {
        size_t c = k - 1, e = x->next_entry[c]++;
        then = x->follows[c];
        float v = l->value[e] * f->d[c];
        pivot -= (double)v * (double)l->value[e];
        add_column(&x->sums, l, c, e + 1, -v);
        wait_for_row(x, c);
    }
    f->d[j] = (float)pivot;
    take_best(&x->column, &x->sums, j, x->kept);
    forget(&x->sums, j);
    size_t at = l->begin[j];
    for (size_t i = 0; i < x->column.n; i++) {
        l->index[at + i] = x->column.index[i];
        l->value[at + i] = x->column.value[i] / f->d[j];
    }
    l->begin[j + 1] = at + x->column.n;
    x->next_entry[j] = at;
    wait_for_row(x, j);
    return pivot > 1e-5;
}

static enum status eliminate_all(struct elimination *x, bool *positive, struct job *job, const char *what,
                                 struct error *err)
{
    size_t n = x->a->rows;
    job_begin(job, n, "columns", "%s", what);
    memset(x->waiting, 0, n * sizeof *x->waiting);
    *positive = true;
    for (size_t j = 0; j < n && *positive; j++) {
        *positive = eliminate(x, j);
        job_step(job, 1);
        if (job_cancelled(job))
            break;
    }
    return job_check(job, err);
}

static enum status elimination_new(struct elimination *x, struct error *err)
{
    static const char what[] = "a sparse factorization";
    size_t n = x->a->rows, most = x->kept < n ? x->kept : n;
    struct sparse_factor *f = x->f;
    f->d = mem_new_raw(n, sizeof *f->d, what, err);
    f->item = mem_new_raw(n, sizeof *f->item, what, err);
    f->rank = mem_new_raw(n, sizeof *f->rank, what, err);
    x->next_entry = mem_new_raw(n, sizeof *x->next_entry, what, err);
    x->waiting = mem_new_raw(n, sizeof *x->waiting, what, err);
    x->follows = mem_new_raw(n, sizeof *x->follows, what, err);
    if (!f->d || !f->item || !f->rank || !x->next_entry || !x->waiting || !x->follows)
        return ST_NOMEM;
    enum status st = csr_new(&f->l, n, n, n * most, true, err);
    if (!st)
        st = sums_new(&x->sums, n, err);
    return st ? st : column_new(&x->column, n, err);
}

static void elimination_clear(struct elimination *x)
{
    sums_clear(&x->sums);
    column_clear(&x->column);
    mem_free(x->next_entry);
    mem_free(x->waiting);
    mem_free(x->follows);
}

enum status sparse_factorize(const struct csr *a, size_t kept, struct sparse_factor *out, struct job *job,
                             const char *what, struct error *err)
{
    struct csr at = {0};
    *out = (struct sparse_factor){0};
    struct elimination x = {.a = a, .at = &at, .f = out, .kept = kept ? kept : 1};
    bool positive = false;
    for (size_t e = 0; e < csr_count(a); e++)
        if (!isfinite(a->value[e]))
            return error_set(err, ST_FORMAT, "a matrix to be factorized has entries that are not finite");
    enum status st = csr_transpose(a, &at, err);
    if (!st)
        st = elimination_new(&x, err);
    if (!st)
        st = set_order(a, &at, out, err);
    while (!st && !positive) {
        st = eliminate_all(&x, &positive, job, what, err);
        if (!positive)
            out->shift = out->shift > 0 ? 4 * out->shift : 1e-3F;
    }
    elimination_clear(&x);
    csr_clear(&at);
    return st;
}

/* ---- inverse ---- */

struct scratch {
    struct sums residual, image;
    struct column m, direction;
};

struct inversion {
    const struct sparse_factor *f;
    size_t kept, sweeps;
    struct scratch *scratch; /* one a thread */
    struct csr_parts parts;
    struct job *job;
};

/* image = L c, below row j. */
static void apply(struct sums *image, const struct csr *l, const struct column *c, float sign)
{
    for (size_t i = 0; i < c->n; i++) {
        float v = sign * c->value[i];
        add(image, c->index[i], v);
        add_column(image, l, c->index[i], l->begin[c->index[i]], v);
    }
}

/* How far along the direction the residual is smallest. */
static double best_step(const struct sums *residual, const struct sums *image, size_t first)
{
    double along = 0, square = 0;
    for (size_t w = first / WORD; w < image->words; w++)
        for (uint64_t bits = image->touched[w]; bits; bits &= bits - 1) {
            size_t i = w * WORD + (size_t)__builtin_ctzll(bits);
            along += (double)residual->sum[i] * (double)image->sum[i];
            square += (double)image->sum[i] * (double)image->sum[i];
        }
    return square > 0 ? along / square : 0;
}

static void refine(const struct csr *l, size_t j, size_t kept, struct scratch *s)
{
    add_column(&s->residual, l, j, l->begin[j], -1);
    apply(&s->residual, l, &s->m, -1);
    take_best(&s->direction, &s->residual, j, kept);
    apply(&s->image, l, &s->direction, 1);
    float step = (float)best_step(&s->residual, &s->image, j);
    forget(&s->residual, j);
    forget(&s->image, j);
    for (size_t i = 0; i < s->m.n; i++)
        add(&s->image, s->m.index[i], s->m.value[i]);
    for (size_t i = 0; i < s->direction.n; i++)
        add(&s->image, s->direction.index[i], step * s->direction.value[i]);
    take_best(&s->m, &s->image, j, kept);
    forget(&s->image, j);
}

static void invert_columns(void *context, size_t block, size_t begin, size_t end)
{
    struct inversion *v = context;
    struct scratch *s = &v->scratch[parallel_thread()];
    const struct csr *l = &v->f->l;
    (void)block;
    for (size_t r = begin; r < end && !job_cancelled(v->job); r++) {
        size_t j = v->f->rank[r];
        s->m.n = l->begin[j + 1] - l->begin[j];
        for (size_t i = 0; i < s->m.n; i++) {
            s->m.index[i] = l->index[l->begin[j] + i];
            s->m.value[i] = -l->value[l->begin[j] + i];
        }
        for (size_t sweep = 0; sweep < v->sweeps; sweep++)
            refine(l, j, v->kept, s);
        memmove(s->m.index + 1, s->m.index, s->m.n * sizeof *s->m.index);
        memmove(s->m.value + 1, s->m.value, s->m.n * sizeof *s->m.value);
        s->m.index[0] = (uint32_t)j;
        s->m.value[0] = 1;
        csr_parts_add(&v->parts, r, s->m.index, s->m.value, s->m.n + 1);
    }
    job_step(v->job, end - begin);
}

static enum status scratch_new(struct scratch *s, size_t n, struct error *err)
{
    enum status st = sums_new(&s->residual, n, err);
    if (!st)
        st = sums_new(&s->image, n, err);
    if (!st)
        st = column_new(&s->m, n, err);
    return st ? st : column_new(&s->direction, n, err);
}

static void scratch_clear(struct scratch *s)
{
    sums_clear(&s->residual);
    sums_clear(&s->image);
    column_clear(&s->m);
    column_clear(&s->direction);
}

enum status sparse_invert(const struct sparse_factor *f, size_t kept, size_t sweeps, struct csr *out, struct job *job,
                          const char *what, struct error *err)
{
    size_t n = f->l.rows, threads = (size_t)parallel_threads();
    struct inversion v = {.f = f, .kept = kept ? kept : 1, .sweeps = sweeps, .job = job};
    v.scratch = mem_new(threads, sizeof *v.scratch, "a sparse inverse", err);
    enum status st = v.scratch ? csr_parts_new(&v.parts, n, n, COLUMNS_PER_BLOCK, err) : ST_NOMEM;
    for (size_t t = 0; t < threads && !st; t++)
        st = scratch_new(&v.scratch[t], n, err);
    if (!st) {
        job_begin(job, n, "columns", "%s", what);
        parallel_blocks(n, COLUMNS_PER_BLOCK, invert_columns, &v);
        st = job_check(job, err);
    }
    if (!st)
        st = csr_parts_join(&v.parts, out, err);
    for (size_t t = 0; v.scratch && t < threads; t++)
        scratch_clear(&v.scratch[t]);
    mem_free(v.scratch);
    csr_parts_clear(&v.parts);
    return st;
}

size_t sparse_inverse_bytes(size_t rows, size_t kept)
{
    size_t most = kept < rows ? kept : rows, entry = sizeof(uint32_t) + sizeof(float);
    /* The factor, and the inverse in pieces that grow by halves and are joined. */
    return rows * most * entry * 7 / 2 + rows * (size_t)parallel_threads() * 8 * sizeof(float) +
           rows * 8 * sizeof(float);
}

/* ---- the reference ---- */

static int larger_first(const void *pa, const void *pb)
{
    double a = fabs(*(const double *)pa), b = fabs(*(const double *)pb);
    return (a < b) - (a > b);
}

/* Zeros all but the `kept` largest; without ties. */
static void keep_best(double *x, size_t n, size_t kept, double *space)
{
    if (kept >= n)
        return;
    memcpy(space, x, n * sizeof *x);
    qsort(space, n, sizeof *space, larger_first);
    for (size_t i = 0; i < n; i++)
        if (fabs(x[i]) < fabs(space[kept - 1]))
            x[i] = 0;
}

static void times(const struct csr *l, const double *x, double *y)
{
    memcpy(y, x, l->rows * sizeof *y);
    for (size_t k = 0; k < l->rows; k++)
        for (size_t e = l->begin[k]; e < l->begin[k + 1]; e++)
            y[l->index[e]] += (double)l->value[e] * x[k];
}

enum status sparse_invert_reference(const struct sparse_factor *f, size_t row, size_t kept, size_t sweeps, double *m,
                                    struct error *err)
{
    const struct csr *l = &f->l;
    size_t n = l->rows, j = f->rank[row];
    double *work = mem_new(4 * n, sizeof *work, "a reference", err);
    if (!work)
        return ST_NOMEM;
    double *r = work, *direction = work + n, *image = work + 2 * n, *space = work + 3 * n;
    memset(m, 0, n * sizeof *m);
    m[j] = 1;
    for (size_t e = l->begin[j]; e < l->begin[j + 1]; e++)
        m[l->index[e]] = -(double)l->value[e];
    for (size_t sweep = 0; sweep < sweeps; sweep++) {
        double along = 0, square = 0;
        times(l, m, r);
        for (size_t i = 0; i < n; i++)
            direction[i] = r[i] = (i == j) - r[i];
        keep_best(direction, n, kept, space);
        times(l, direction, image);
        for (size_t i = 0; i < n; i++) {
            along += r[i] * image[i];
            square += image[i] * image[i];
        }
        for (size_t i = 0; i < n && square > 0; i++)
            m[i] += along / square * direction[i];
        m[j] = 0; /* the diagonal is not among the kept */
        keep_best(m, n, kept, space);
        m[j] = 1;
    }
    mem_free(work);
    return ST_OK;
}
