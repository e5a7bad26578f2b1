#include "models/als.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"

enum { VALUES_BINARY, VALUES_WEIGHT };

void als_free(struct model *m)
{
    struct als *s = m->state;
    factors_clear(&s->items);
    ridge_clear(&s->fold);
    dots_clear(&s->users.packed);
    mem_free(s->g);
    mem_free(s->x);
    csr_clear(&s->by_item);
    mem_free(s);
    m->state = NULL;
}

enum status als_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    size_t k = (size_t)model_int(m, "factors");
    *bytes = (m->nusers + 2 * m->nitems) * k * sizeof(float) + ridge_bytes(m->nitems, k) +
             csr_count(&t->interactions->matrix) * 2 * sizeof(float) +
             (size_t)parallel_threads() * normal_scratch(k, m->nusers + m->nitems) * sizeof(float);
    return ST_OK;
}

/* ---- solving one side ---- */

/* g (both triangles) = alpha0 Y'Y. */
static enum status shared_part(const float *y, size_t rows, size_t k, double alpha0, float *g, struct error *err)
{
    enum status st = gram(y, rows, k, g, err);
    for (size_t i = 0; i < k && !st; i++)
        for (size_t j = 0; j <= i; j++)
            g[j * k + i] = g[i * k + j] = (float)alpha0 * g[i * k + j];
    return st;
}

static double pull(const struct als *s, size_t entries, size_t fixed)
{
    return s->lambda * pow((double)entries + s->alpha0 * (double)fixed, s->nu);
}

struct solve {
    const struct normal *equations;
    struct normal_rows rows;
    struct als_way way;
    float **scratch;   /* one a thread */
    struct job *job;
    bool *singular;    /* one a block */
    double *explained; /* one a block */
};

static void solve_block(void *context, size_t block, size_t begin, size_t end)
{
    struct solve *s = context;
    float *scratch = s->scratch[parallel_thread()];
    if (job_cancelled(s->job))
        return;
    switch (s->way.solver) {
    case ALS_EXACT:
        s->singular[block] = !normal_exact(s->equations, &s->rows, begin, end, scratch, &s->explained[block]);
        break;
    case ALS_CONJUGATE:
        normal_conjugate(s->equations, &s->rows, begin, end, s->way.amount, scratch, &s->explained[block]);
        break;
    case ALS_SWEEP:
        s->singular[block] =
            !normal_sweep(s->equations, &s->rows, begin, end, s->way.amount, scratch, &s->explained[block]);
        break;
    }
}

/* Ridges of all rows, and the entries of the longest one. */
static float *ridges(const struct als *s, const struct csr *rows, size_t *longest, struct error *err)
{
    float *ridge = mem_new_raw(rows->rows, sizeof *ridge, "least squares", err);
    *longest = 0;
    for (size_t r = 0; ridge && r < rows->rows; r++) {
        size_t n = rows->begin[r + 1] - rows->begin[r];
        *longest = n > *longest ? n : *longest;
        ridge[r] = (float)pull(s, n, rows->cols);
    }
    return ridge;
}

/* x of all rows. *explained (may be NULL): as in linalg/normal.h. */
static enum status solve_rows(const struct als *s, const struct normal *equations, const struct csr *rows,
                              struct als_way way, float *x, struct job *job, double *explained, struct error *err)
{
    size_t blocks = parallel_count(rows->rows, NORMAL_BLOCK), longest;
    size_t threads = blocks > 1 ? (size_t)parallel_threads() : (size_t)parallel_thread() + 1;
    float *ridge = ridges(s, rows, &longest, err);
    float **scratch = mem_new(threads, sizeof *scratch, "least squares", err);
    bool *singular = mem_new(blocks, sizeof *singular, "least squares", err);
    double *part = mem_new(blocks, sizeof *part, "least squares", err);
    enum status st = ridge && scratch && singular && part ? ST_OK : ST_NOMEM;
    for (size_t t = 0; t < threads && !st; t++)
        if (!(scratch[t] = mem_new_raw(normal_scratch(s->items.k, longest), sizeof **scratch, "least squares", err)))
            st = ST_NOMEM;
    if (st)
        goto out;
    struct solve w = {equations, {rows, ridge, x}, way, scratch, job, singular, part};
    parallel_blocks(rows->rows, NORMAL_BLOCK, solve_block, &w);
    st = job_check(job, err);
    for (size_t b = 0; b < blocks && !st; b++) {
        if (explained)
            *explained += part[b];
        if (!singular[b])
            continue;
        st = error_set(err, ST_FORMAT, "the least squares cannot be solved: lambda=%g is too small for these data",
                       s->lambda);
        error_hint(err, "try a larger lambda");
    }
out:
    for (size_t t = 0; scratch && t < threads; t++)
        mem_free(scratch[t]);
    mem_free(scratch);
    mem_free(singular);
    mem_free(part);
    mem_free(ridge);
    return st;
}

/* ---- training ---- */

static enum status equations_pack(struct normal *e, struct error *err)
{
    dots_clear(&e->packed);
    return dots_pack(&e->packed, e->g, e->k, e->k, err);
}

/* What answers are made of, for the item vectors as they stand. */
static enum status make_ready(struct als *s, struct error *err)
{
    if (!s->stale)
        return ST_OK;
    enum status st = ridge_set(&s->fold, s->items.y, s->items.nitems, s->items.k, err);
    if (!st)
        st = factors_pack(&s->items, err);
    s->stale = st != ST_OK;
    return st;
}

/* The equations of users in training, for the item vectors as they stand. */
static enum status items_changed(struct als *s, struct error *err)
{
    s->stale = true;
    return shared_part(s->items.y, s->items.nitems, s->items.k, s->alpha0, s->g, err);
}

static enum status new_state(struct model *m, struct error *err)
{
    struct als *s = mem_new(1, sizeof *s, "least squares", err);
    if (!s)
        return ST_NOMEM;
    m->state = s;
    s->lambda = model_real(m, "lambda");
    s->nu = model_real(m, "nu");
    s->weigh = model_int(m, "values") == VALUES_WEIGHT;
    s->stale = true;
    return ST_OK;
}

static double pull_of(const void *context, size_t entries)
{
    const struct als *s = context;
    return pull(s, entries, s->items.nitems);
}

/* x of users whose items are these rows, exactly. */
static enum status fold_rows(const struct als *s, const struct csr *rows, float *x, struct job *job, struct error *err)
{
    struct ridge_rows sets = {rows, pull_of, s, s->alpha0};
    return ridge_solve_rows(&s->fold, &sets, x, job, err);
}

/* A view of the matrix without its values when every pair weighs 1. */
static struct csr observed(const struct als *s, const struct csr *m)
{
    struct csr view = *m;
    if (!s->weigh)
        view.value = NULL;
    return view;
}

struct first {
    struct factors *items;
    uint64_t purpose;
    double spread;
};

static void first_block(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct first *w = context;
    size_t k = w->items->k;
    for (size_t i = begin; i < end; i++) {
        struct rng r = rng_nth(w->purpose, i);
        for (size_t f = 0; f < k; f++)
            w->items->y[i * k + f] = (float)(w->spread * rng_normal(&r));
    }
}

/* Of the pairs of users and items that have any. */
static double share_observed(const struct interactions *x)
{
    return (double)csr_count(&x->matrix) / ((double)x->users * (double)x->items);
}

enum status als_begin(struct model *m, const struct training *t, struct als_way way, struct error *err)
{
    enum { ITEMS_A_BLOCK = 1024 };
    size_t k = (size_t)model_int(m, "factors");
    enum status st = new_state(m, err);
    if (st)
        return st;
    struct als *s = m->state;
    struct csr seen = observed(s, &t->interactions->matrix);
    s->way = way;
    s->alpha0 = model_has(m, "alpha0") ? model_real(m, "alpha0") : pow(share_observed(t->interactions), .6);
    s->x = mem_new(m->nusers * k, sizeof *s->x, "user vectors", err); /* zeros: where steps and sweeps begin */
    s->g = mem_new(k * k, sizeof *s->g, "least squares", err);
    st = s->x && s->g ? factors_new(&s->items, m->nitems, k, false, err) : ST_NOMEM;
    if (st)
        return st;
    s->users = (struct normal){.k = k, .y = s->items.y, .g = s->g};
    struct first w = {&s->items, rng_purpose(t->seed, "ials items"), model_real(m, "init") / sqrt((double)k)};
    parallel_blocks(m->nitems, ITEMS_A_BLOCK, first_block, &w);
    st = csr_transpose(&seen, &s->by_item, err);
    return st ? st : items_changed(s, err);
}

/* sum over the rows of ridge |x|^2. */
static double pull_on(const struct als *s, const struct csr *rows, const float *x)
{
    double sum = 0;
    for (size_t r = 0; r < rows->rows; r++) {
        size_t n = rows->begin[r + 1] - rows->begin[r], k = s->items.k;
        sum += n ? pull(s, n, rows->cols) * factors_product(x + r * k, x + r * k, k) : 0;
    }
    return sum;
}

static double total_weight(const struct csr *m)
{
    double sum = m->value ? 0 : (double)csr_count(m);
    for (size_t i = 0; m->value && i < csr_count(m); i++)
        sum += m->value[i];
    return sum;
}

enum status als_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                      struct error *err)
{
    struct als *s = m->state;
    struct csr seen = observed(s, &t->interactions->matrix);
    size_t k = s->items.k;
    double explained = 0;
    float *g = mem_new(k * k, sizeof *g, "least squares", err);
    struct normal items = {.k = k, .y = s->x, .g = g};
    enum status st = g ? equations_pack(&s->users, err) : ST_NOMEM;
    if (!st)
        st = solve_rows(s, &s->users, &seen, s->way, s->x, t->job, NULL, err);
    if (!st)
        st = shared_part(s->x, m->nusers, k, s->alpha0, g, err);
    if (!st)
        st = equations_pack(&items, err);
    if (!st)
        st = solve_rows(s, &items, &s->by_item, s->way, s->items.y, t->job, &explained, err);
    if (!st)
        st = items_changed(s, err);
    /* What the items' equations leave is all of the objective but the pull on users; shown per observed pair. */
    *loss = (total_weight(&seen) - explained + pull_on(s, &seen, s->x)) / (double)csr_count(&seen);
    dots_clear(&items.packed);
    mem_free(g);
    *done = epoch + 1 >= (size_t)model_int(m, "epochs");
    return st;
}

enum status als_ready(struct model *m, struct error *err)
{
    return make_ready(m->state, err);
}

enum status als_end(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct als *s = m->state;
    mem_free(s->x);
    mem_free(s->g);
    s->x = s->g = NULL;
    csr_clear(&s->by_item);
    dots_clear(&s->users.packed);
    return make_ready(s, err);
}

/* Users are solved for before anything asks for them, but steps and sweeps begin where the last epoch left them. */
enum status als_pause(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct als *s = m->state;
    return s->way.solver == ALS_EXACT ? ST_OK : factors_pause(s->x, m->nusers, s->items.k, w, err);
}

enum status als_resume(struct model *m, const struct model *from, const struct training *t, struct blob_reader *r,
                       bool *same, struct error *err)
{
    struct als *s = m->state;
    const struct als *old = from->state;
    struct csr seen = observed(s, &t->interactions->matrix);
    size_t k = s->items.k;
    memcpy(s->items.y, old->items.y, s->items.nitems * k * sizeof *s->items.y);
    enum status st = items_changed(s, err);
    if (st || s->way.solver == ALS_EXACT)
        return st;
    if (r)
        return factors_resume(s->x, m, k, r, err);
    *same = false; /* where steps and sweeps would have arrived in the end */
    st = make_ready(s, err);
    return st ? st : fold_rows(s, &seen, s->x, t->job, err);
}

/* ---- updating ---- */

/* Items that the changed users have now or had before, as marks. */
static uint8_t *touched_items(const struct update *u, size_t nitems, struct error *err)
{
    uint8_t *touched = mem_new(nitems, sizeof *touched, "changed items", err);
    const struct csr *sides[] = {&u->before->interactions->matrix, &u->after->interactions->matrix};
    for (size_t s = 0; touched && s < 2; s++)
        for (size_t c = 0; c < u->nusers; c++)
            for (size_t e = u->users[c] < sides[s]->rows ? sides[s]->begin[u->users[c]] : 0;
                 u->users[c] < sides[s]->rows && e < sides[s]->begin[u->users[c] + 1]; e++)
                touched[sides[s]->index[e]] = 1;
    return touched;
}

/* The touched items anew, from the vectors x of all users. */
static enum status solve_touched(struct als *s, const struct csr *seen, const uint8_t *touched, const float *x,
                                 struct job *job, struct error *err)
{
    size_t k = s->items.k;
    struct csr by_item = {0}, some = {0};
    float *g = mem_new(k * k, sizeof *g, "least squares", err);
    float *y = mem_new_raw(seen->cols * k, sizeof *y, "item vectors", err);
    struct normal items = {.k = k, .y = x, .g = g};
    enum status st = g && y ? shared_part(x, seen->rows, k, s->alpha0, g, err) : ST_NOMEM;
    if (!st)
        st = csr_transpose(seen, &by_item, err);
    if (!st)
        st = csr_rows_where(&by_item, touched, true, &some, err);
    if (!st)
        st = solve_rows(s, &items, &some, (struct als_way){.solver = ALS_EXACT}, y, job, NULL, err);
    for (size_t i = 0; i < seen->cols && !st; i++)
        if (touched[i])
            memcpy(s->items.y + i * k, y + i * k, k * sizeof *y);
    csr_clear(&by_item);
    csr_clear(&some);
    mem_free(g);
    mem_free(y);
    return st;
}

/* Folds all users in as they are now, then solves for the items of those that changed; the other items stay. */
enum status als_update(struct model *m, const struct update *u, bool *worth, struct error *err)
{
    enum { MOST = 4 }; /* a quarter of the users: more is worth new epochs */
    const struct als *old = u->from->state;
    *worth = u->nusers * MOST <= u->after->interactions->users;
    if (!*worth)
        return ST_OK;
    enum status st = new_state(m, err);
    if (st)
        return st;
    struct als *s = m->state;
    size_t k = old->items.k;
    struct csr seen = observed(s, &u->after->interactions->matrix);
    s->alpha0 = old->alpha0;
    uint8_t *touched = touched_items(u, m->nitems, err);
    float *x = mem_new_raw(m->nusers * k, sizeof *x, "user vectors", err);
    st = touched && x ? factors_new(&s->items, m->nitems, k, false, err) : ST_NOMEM;
    if (!st) {
        memcpy(s->items.y, old->items.y, old->items.nitems * k * sizeof *x);
        memset(s->items.y + old->items.nitems * k, 0, (m->nitems - old->items.nitems) * k * sizeof *x);
        st = make_ready(s, err);
    }
    if (!st)
        st = fold_rows(s, &seen, x, u->after->job, err);
    if (!st)
        st = solve_touched(s, &seen, touched, x, u->after->job, err);
    s->stale = true;
    if (!st)
        st = make_ready(s, err);
    mem_free(touched);
    mem_free(x);
    return st;
}

/* ---- answering ---- */

enum status als_fold(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err)
{
    const struct als *s = m->state;
    struct csr rows = {0};
    enum status st = folded_rows(queries, n, m->nitems, s->weigh, &rows, err);
    if (!st)
        st = fold_rows(s, &rows, x, NULL, err);
    csr_clear(&rows);
    return st;
}

enum status als_score(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    const struct als *s = m->state;
    return factors_score(&s->items, m, queries, n, scores, err);
}

enum status als_native(const struct model *m, uint32_t user, float *scores, struct error *err)
{
    (void)err;
    const struct als *s = m->state;
    dots_score(&s->items.panels, s->x + user * s->items.k, 1, scores);
    return ST_OK;
}

enum status als_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                        struct error *err)
{
    const struct als *s = m->state;
    struct csr row = {0};
    enum status st = folded_rows(q, 1, m->nitems, s->weigh, &row, err);
    size_t n = st ? 0 : csr_count(&row);
    if (!st)
        st = factors_explain(&s->fold, &(struct ridge_set){row.index, row.value, n, s->alpha0, pull_of(s, n)}, m, q,
                             item, out, err);
    csr_clear(&row);
    return st;
}

enum status als_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)err;
    const struct als *s = m->state;
    factors_similar(&s->items, NULL, item, similarity);
    return ST_OK;
}

enum status als_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct als *s = m->state;
    enum status st = blob_put(w, "alpha0", BLOB_F64, &s->alpha0, 1, err);
    return st ? st : factors_save(&s->items, w, err);
}

enum status als_load(struct model *m, struct blob_reader *r, struct error *err)
{
    enum status st = new_state(m, err);
    if (st)
        return st;
    struct als *s = m->state;
    st = blob_get(r, "alpha0", BLOB_F64, &s->alpha0, 1, err);
    if (!st && !(s->alpha0 > 0 && isfinite(s->alpha0)))
        st = error_set(err, ST_CORRUPT, "model %s is damaged: alpha0 is %g", m->name, s->alpha0);
    if (!st)
        st = factors_load(&s->items, m, (size_t)model_int(m, "factors"), false, r, err);
    if (!st)
        st = ridge_set(&s->fold, s->items.y, s->items.nitems, s->items.k, err);
    s->stale = false;
    return st;
}

const float *als_vectors(const struct model *m, size_t *width)
{
    const struct als *s = m->state;
    return factors_vectors(&s->items, width);
}
