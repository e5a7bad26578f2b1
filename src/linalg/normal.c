#include "linalg/normal.h"

#include <string.h>

#include "linalg/kernel.h"

/* Five vectors a row of a block; or a matrix, what gram_add needs, and vectors. And a number an entry. */
size_t normal_scratch(size_t k, size_t longest)
{
    size_t block = 5 * whole_vectors(NORMAL_BLOCK * k),
           system = whole_vectors(k * k) + gram_scratch(k) + 3 * whole_vectors(k);
    return block + system + 2 * whole_vectors(longest);
}

/* ---- vectors ---- */

static inline __attribute__((always_inline)) float sum_of(const floats *v)
{
    typedef float eight __attribute__((vector_size(32)));
    typedef float four __attribute__((vector_size(16)));
    eight e = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
              __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
    four f = __builtin_shufflevector(e, e, 0, 1, 2, 3) + __builtin_shufflevector(e, e, 4, 5, 6, 7);
    return (f[0] + f[2]) + (f[1] + f[3]);
}

static inline __attribute__((always_inline)) float inner(const float *a, const float *b, size_t k)
{
    floats sum = {0};
    float rest = 0;
    size_t c = 0;
    for (; c + LANES <= k; c += LANES)
        sum += *(const floats_anywhere *)(a + c) * *(const floats_anywhere *)(b + c);
    for (; c < k; c++)
        rest += a[c] * b[c];
    return sum_of(&sum) + rest;
}

/* to = scale * to + times * from */
static inline __attribute__((always_inline)) void combine(float *to, float scale, const float *from, float times,
                                                          size_t k)
{
    size_t c = 0;
    for (; c + LANES <= k; c += LANES)
        *(floats_anywhere *)(to + c) =
            scale * *(floats_anywhere *)(to + c) + times * *(const floats_anywhere *)(from + c);
    for (; c < k; c++)
        to[c] = scale * to[c] + times * from[c];
}

/* One step of a row: x along p, what is left (r, of square *left), the next p. A row that has arrived stays. */
static inline __attribute__((always_inline)) void step(float *x, float *r, float *p, const float *ap, size_t k,
                                                       float *left)
{
    float bend = inner(p, ap, k);
    if (!(*left > 0) || !(bend > 0))
        return;
    float length = *left / bend;
    combine(x, 1, p, length, k);
    combine(r, 1, ap, -length, k);
    float now = inner(r, r, k);
    combine(p, now / *left, r, 1, k);
    *left = now;
}

TARGET_AVX512 static void step_avx512(float *x, float *r, float *p, const float *ap, size_t k, float *left)
{
    step(x, r, p, ap, k, left);
}

TARGET_AVX2 static void step_avx2(float *x, float *r, float *p, const float *ap, size_t k, float *left)
{
    step(x, r, p, ap, k, left);
}

static void step_base(float *x, float *r, float *p, const float *ap, size_t k, float *left)
{
    step(x, r, p, ap, k, left);
}

static double wide_inner(const float *a, const float *b, size_t k)
{
    double sum = 0;
    for (size_t c = 0; c < k; c++)
        sum += (double)a[c] * b[c];
    return sum;
}

/* ---- a row of the sparse matrix ---- */

struct entries {
    const uint32_t *index;
    const float *weight;
    size_t n;
};

static struct entries entries_of(const struct csr *rows, size_t r)
{
    size_t at = rows->begin[r];
    return (struct entries){rows->index + at, rows->value ? rows->value + at : NULL, rows->begin[r + 1] - at};
}

static float weight_of(const struct entries *e, size_t j)
{
    return e->weight ? e->weight[j] : 1;
}

/* ---- exactly ---- */

/* a (k x k, lower triangle) = A of one row. */
static void matrix_of(const struct normal *s, const struct entries *e, float ridge, float *a, float *scratch)
{
    size_t k = s->k;
    for (size_t i = 0; i < k; i++) {
        memcpy(a + i * k, s->g + i * k, (i + 1) * sizeof *a);
        a[i * k + i] += ridge;
    }
    gram_add(a, k, s->y, e->index, e->weight, e->n, scratch);
}

bool normal_exact(const struct normal *s, const struct normal_rows *r, size_t begin, size_t end, float *scratch,
                  double *explained)
{
    size_t k = s->k;
    float *a = scratch, *b = a + whole_vectors(k * k), *rest = b + whole_vectors(k);
    for (size_t row = begin; row < end; row++) {
        struct entries e = entries_of(r->rows, row);
        float *x = r->x + row * k;
        memset(x, 0, k * sizeof *x);
        if (!e.n)
            continue;
        matrix_of(s, &e, r->ridge[row], a, rest);
        rows_sum(b, k, s->y, e.index, e.weight, e.n);
        memcpy(x, b, k * sizeof *x);
        if (!cholesky_solve(a, k, x))
            return false;
        *explained += wide_inner(b, x, k);
    }
    return true;
}

/* ---- by conjugate gradients ---- */

/* ap = A p for a block of rows. `room` holds k floats, then one an entry. */
static void apply(const struct normal *s, const struct normal_rows *r, size_t begin, size_t n, const float *p,
                  float *ap, float *room)
{
    size_t k = s->k;
    float *sum = room, *product = room + whole_vectors(k);
    dots_score(&s->packed, p, n, ap);
    for (size_t i = 0; i < n; i++) {
        struct entries e = entries_of(r->rows, begin + i);
        rows_dot(product, k, s->y, k, e.index, e.n, p + i * k);
        for (size_t j = 0; e.weight && j < e.n; j++)
            product[j] *= e.weight[j];
        rows_sum(sum, k, s->y, e.index, product, e.n);
        float ridge = r->ridge[begin + i];
        for (size_t c = 0; c < k; c++)
            ap[i * k + c] += sum[c] + ridge * p[i * k + c];
    }
}

static void conjugate_block(const struct normal *s, const struct normal_rows *r, size_t begin, size_t n, size_t steps,
                            float *scratch, double *explained)
{
    static void (*const targets[])(float *, float *, float *, const float *, size_t, float *) = {step_base, step_avx2,
                                                                                                 step_avx512};
    size_t k = s->k, block = whole_vectors(NORMAL_BLOCK * k);
    float *b = scratch, *rest = b + block, *p = rest + block, *ap = p + block, *room = ap + block, left[NORMAL_BLOCK];
    float *x = r->x + begin * k;
    for (size_t i = 0; i < n; i++) {
        struct entries e = entries_of(r->rows, begin + i);
        rows_sum(b + i * k, k, s->y, e.index, e.weight, e.n);
        if (!e.n)
            memset(x + i * k, 0, k * sizeof *x);
    }
    apply(s, r, begin, n, x, rest, room);
    for (size_t i = 0; i < n * k; i++)
        p[i] = rest[i] = b[i] - rest[i];
    for (size_t i = 0; i < n; i++)
        left[i] = (float)wide_inner(rest + i * k, rest + i * k, k);
    for (size_t t = 0; t < steps; t++) {
        apply(s, r, begin, n, p, ap, room);
        for (size_t i = 0; i < n; i++)
            targets[kernel_simd()](x + i * k, rest + i * k, p + i * k, ap + i * k, k, &left[i]);
    }
    for (size_t i = 0; i < n; i++)
        *explained += wide_inner(b + i * k, x + i * k, k) + wide_inner(rest + i * k, x + i * k, k);
}

void normal_conjugate(const struct normal *s, const struct normal_rows *r, size_t begin, size_t end, size_t steps,
                      float *scratch, double *explained)
{
    for (size_t at = begin; at < end; at += NORMAL_BLOCK)
        conjugate_block(s, r, at, end - at < NORMAL_BLOCK ? end - at : NORMAL_BLOCK, steps, scratch, explained);
}

/* ---- by blocks of components ---- */

/* A row on its way through a sweep. */
struct sweep {
    const struct normal *s;
    struct entries e;
    float ridge;
    float *x, *gx; /* where it stands, and G times that */
    float *product; /* y_j.x of each entry */
    float *pull;    /* one an entry: w_j (1 - y_j.x) */
    float *a, *step, *room;
};

/* The Newton step of components c .. c + width - 1. */
static bool sweep_components(struct sweep *w, size_t c, size_t width)
{
    size_t k = w->s->k, n = w->e.n;
    const float *y = w->s->y + c, *g = w->s->g + c * k;
    for (size_t j = 0; j < n; j++)
        w->pull[j] = weight_of(&w->e, j) * (1 - w->product[j]);
    rows_sum_stride(w->step, width, y, k, w->e.index, w->pull, n);
    for (size_t i = 0; i < width; i++) {
        w->step[i] -= w->gx[c + i] + w->ridge * w->x[c + i];
        memcpy(w->a + i * width, g + i * k + c, (i + 1) * sizeof *w->a);
        w->a[i * width + i] += w->ridge;
    }
    gram_add_stride(w->a, width, y, k, w->e.index, w->e.weight, n, w->room);
    if (!cholesky_solve(w->a, width, w->step))
        return false;
    rows_dot(w->pull, width, y, k, w->e.index, n, w->step);
    for (size_t j = 0; j < n; j++)
        w->product[j] += w->pull[j];
    for (size_t i = 0; i < width; i++) {
        w->x[c + i] += w->step[i];
        for (size_t f = 0; f < k; f++)
            w->gx[f] += w->step[i] * g[i * k + f];
    }
    return true;
}

static double sweep_explained(const struct sweep *w)
{
    size_t k = w->s->k;
    double sum = -wide_inner(w->gx, w->x, k) - (double)w->ridge * wide_inner(w->x, w->x, k);
    for (size_t j = 0; j < w->e.n; j++)
        sum += (double)weight_of(&w->e, j) * w->product[j] * (2 - w->product[j]);
    return sum;
}

static size_t longest_of(const struct csr *rows, size_t begin, size_t end)
{
    size_t most = 0;
    for (size_t r = begin; r < end; r++)
        most = rows->begin[r + 1] - rows->begin[r] > most ? rows->begin[r + 1] - rows->begin[r] : most;
    return most;
}

static bool sweep_block(const struct normal *s, const struct normal_rows *r, size_t begin, size_t n, size_t width,
                        float *scratch, double *explained)
{
    size_t k = s->k;
    struct sweep w = {.s = s};
    float *gx = scratch;
    w.a = gx + whole_vectors(NORMAL_BLOCK * k);
    w.step = w.a + whole_vectors(k * k);
    w.room = w.step + whole_vectors(k);
    w.product = w.room + gram_scratch(k);
    w.pull = w.product + whole_vectors(longest_of(r->rows, begin, begin + n));
    dots_score(&s->packed, r->x + begin * k, n, gx);
    for (size_t i = 0; i < n; i++) {
        w.e = entries_of(r->rows, begin + i);
        w.ridge = r->ridge[begin + i];
        w.x = r->x + (begin + i) * k;
        w.gx = gx + i * k;
        if (!w.e.n) {
            memset(w.x, 0, k * sizeof *w.x);
            continue;
        }
        rows_dot(w.product, k, s->y, k, w.e.index, w.e.n, w.x);
        for (size_t c = 0; c < k; c += width)
            if (!sweep_components(&w, c, k - c < width ? k - c : width))
                return false;
        *explained += sweep_explained(&w);
    }
    return true;
}

bool normal_sweep(const struct normal *s, const struct normal_rows *r, size_t begin, size_t end, size_t width,
                  float *scratch, double *explained)
{
    bool ok = true;
    for (size_t at = begin; at < end && ok; at += NORMAL_BLOCK)
        ok = sweep_block(s, r, at, end - at < NORMAL_BLOCK ? end - at : NORMAL_BLOCK, width, scratch, explained);
    return ok;
}
