/* Item neighbours around a baseline:
 *
 *     r_ui = b_ui + sum over the k most similar items j that u rated of s_ij (r_uj - b_uj) / sum of s_ij,   b_ui = mean
 * + b_u + b_i
 *
 * s_ij is the correlation of what users gave i and j beyond the baseline, over the n_ij users who rated both, times
 * (n_ij - 1) / (n_ij - 1 + shrink); only positive ones count. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/topk.h"
#include "models/baseline.h"
#include "models/classes.h"
#include "models/item_weights.h"

enum { ROW_BLOCK = 16, BASELINE_EPOCHS = 10 };

static const struct param params[] = {
    {.name = "neighbours",
     .type = PARAM_INT,
     .initial = "40",
     .min = 1,
     .max = 100000,
     .tune_min = 10,
     .tune_max = 200,
     .log_scale = true,
     .doc = "at most so many rated items speak for an item"},
    {.name = "shrink",
     .type = PARAM_REAL,
     .initial = "100",
     .min = 0,
     .max = 1e6,
     .tune_min = 10,
     .tune_max = 1000,
     .log_scale = true,
     .doc = "pull of similarities towards 0, in users who rated both items"},
    {.name = "kept",
     .type = PARAM_INT,
     .initial = "2000",
     .min = 1,
     .max = 100000000,
     .doc = "similar items that are kept of each item; fewer save memory"},
    {.name = "lambda_user",
     .type = PARAM_REAL,
     .initial = "15",
     .min = 0,
     .max = 1e6,
     .tune_min = 1,
     .tune_max = 50,
     .log_scale = true,
     .doc = "pull of user biases towards 0, in ratings"},
    {.name = "lambda_item",
     .type = PARAM_REAL,
     .initial = "10",
     .min = 0,
     .max = 1e6,
     .tune_min = 1,
     .tune_max = 50,
     .log_scale = true,
     .doc = "pull of item biases towards 0, in ratings"},
};

struct knn {
    struct item_weights similar; /* row j: the items that j speaks for, with s_ij */
    struct baseline baseline;
};

static void knn_free(struct model *m)
{
    struct knn *s = m->state;
    csr_clear(&s->similar.rows);
    baseline_clear(&s->baseline);
    mem_free(s);
    m->state = NULL;
}

/* Pairs of items that some user rated: never more than all, nor than each user's ratings squared. */
static double pairs(const struct interactions *x, size_t nitems)
{
    double sum = 0, all = (double)nitems * (double)nitems;
    for (size_t u = 0; u < x->matrix.rows; u++) {
        double n = (double)(x->matrix.begin[u + 1] - x->matrix.begin[u]);
        sum += n * n;
    }
    return sum < all ? sum : all;
}

static enum status knn_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    double kept = (double)model_int(m, "kept") * (double)m->nitems, most = pairs(t->interactions, m->nitems);
    *bytes = (size_t)((kept < most ? kept : most) * 10) +
             csr_count(&t->interactions->matrix) * 40 + /* about half are positive */
             (size_t)parallel_threads() * m->nitems * 40;
    return ratings_check(m, t, err);
}

/* ---- training ---- */

struct pair_sum {
    double both, mine, other; /* sums of products and squares */
    uint32_t n;
};

/* What one thread needs. */
struct desk {
    struct pair_sum *sum; /* items; zero between rows */
    uint32_t *touched;
    float *similarity;
    struct scored *best;
    uint32_t *index;
    float *value;
};

struct counting {
    const struct ratings *r; /* values: what is left of the ratings beyond the baseline */
    size_t nitems, kept;
    double shrink;
    struct desk *desks;
    struct csr_parts parts;
    struct job *job;
};

static float similarity(const struct pair_sum *p, double shrink)
{
    double size = sqrt(p->mine * p->other);
    if (p->n < 2 || !(size > 0) || !(p->both > 0))
        return -INFINITY;
    float s = (float)(p->both / size * (p->n - 1) / (p->n - 1 + shrink));
    return s > 0 ? s : -INFINITY;
}

/* The sums of item i with all items that a user of i rated; how many they are. */
static size_t count_row(const struct counting *c, size_t i, struct desk *d)
{
    const struct csr *by_item = &c->r->by_item, *by_user = &c->r->by_user;
    size_t n = 0;
    for (size_t a = by_item->begin[i]; a < by_item->begin[i + 1]; a++) {
        double mine = by_item->value[a];
        uint32_t u = by_item->index[a];
        for (size_t b = by_user->begin[u]; b < by_user->begin[u + 1]; b++) {
            struct pair_sum *p = &d->sum[by_user->index[b]];
            double other = by_user->value[b];
            if (!p->n++)
                d->touched[n++] = by_user->index[b];
            p->both += mine * other;
            p->mine += mine * mine;
            p->other += other * other;
        }
    }
    return n;
}

static void keep_row(struct counting *c, size_t i, struct desk *d)
{
    size_t touched = count_row(c, i, d), n = 0;
    for (size_t t = 0; t < touched; t++) {
        uint32_t j = d->touched[t];
        d->similarity[j] = j == i ? -INFINITY : similarity(&d->sum[j], c->shrink);
        d->sum[j] = (struct pair_sum){0};
    }
    size_t best = topk(d->similarity, c->nitems, c->kept, d->best);
    for (size_t b = 0; b < best; b++)
        d->similarity[d->best[b].index] = INFINITY; /* marked; the rest did not come in */
    for (uint32_t j = 0; j < c->nitems && n < best; j++)
        if (d->similarity[j] == INFINITY)
            d->index[n++] = j;
    for (size_t b = 0; b < best; b++)
        d->similarity[d->best[b].index] = d->best[b].score;
    for (size_t b = 0; b < n; b++)
        d->value[b] = d->similarity[d->index[b]];
    csr_parts_add(&c->parts, i, d->index, d->value, n);
    for (size_t t = 0; t < touched; t++)
        d->similarity[d->touched[t]] = -INFINITY;
}

static void count_block(void *context, size_t block, size_t begin, size_t end)
{
    struct counting *c = context;
    struct desk *d = &c->desks[parallel_thread()];
    (void)block;
    for (size_t i = begin; i < end && !job_cancelled(c->job); i++) {
        if (c->r->by_item.begin[i] < c->r->by_item.begin[i + 1])
            keep_row(c, i, d);
        job_step(c->job, 1);
    }
}

static void free_desks(struct desk *desks, size_t n)
{
    for (size_t t = 0; desks && t < n; t++) {
        mem_free(desks[t].sum);
        mem_free(desks[t].touched);
        mem_free(desks[t].similarity);
        mem_free(desks[t].best);
        mem_free(desks[t].index);
        mem_free(desks[t].value);
    }
    mem_free(desks);
}

static struct desk *make_desks(size_t n, size_t items, size_t kept, struct error *err)
{
    struct desk *desks = mem_new(n, sizeof *desks, "neighbours", err);
    bool good = desks != NULL;
    for (size_t t = 0; t < n && good; t++) {
        struct desk *d = &desks[t];
        d->sum = mem_new(items, sizeof *d->sum, "neighbours", err);
        d->touched = mem_new_raw(items, sizeof *d->touched, "neighbours", err);
        d->similarity = mem_new_raw(items, sizeof *d->similarity, "neighbours", err);
        d->best = mem_new_raw(kept, sizeof *d->best, "neighbours", err);
        d->index = mem_new_raw(items, sizeof *d->index, "neighbours", err);
        d->value = mem_new_raw(items, sizeof *d->value, "neighbours", err);
        good = d->sum && d->touched && d->similarity && d->best && d->index && d->value;
        for (size_t i = 0; i < items && good; i++)
            d->similarity[i] = -INFINITY;
    }
    if (good)
        return desks;
    free_desks(desks, n);
    return NULL;
}

/* Takes mean and biases off the ratings. */
static void take_baseline_off(struct ratings *r, const struct baseline *b, const double *user)
{
    for (size_t u = 0; u < r->by_user.rows; u++)
        for (size_t a = r->by_user.begin[u]; a < r->by_user.begin[u + 1]; a++)
            r->by_user.value[a] -= (float)(user[u] + b->item[r->by_user.index[a]]);
    for (size_t i = 0; i < r->by_item.rows; i++)
        for (size_t a = r->by_item.begin[i]; a < r->by_item.begin[i + 1]; a++)
            r->by_item.value[a] -= (float)(user[r->by_item.index[a]] + b->item[i]);
}

static enum status find_neighbours(const struct model *m, const struct ratings *r, struct csr *out, struct job *job,
                                   struct error *err)
{
    size_t threads = (size_t)parallel_threads(), kept = (size_t)model_int(m, "kept");
    kept = kept < m->nitems ? kept : m->nitems;
    struct counting c = {.r = r, .nitems = m->nitems, .kept = kept, .shrink = model_real(m, "shrink"), .job = job};
    struct csr rows = {0};
    c.desks = make_desks(threads, m->nitems, kept, err);
    enum status st = c.desks ? csr_parts_new(&c.parts, m->nitems, m->nitems, ROW_BLOCK, err) : ST_NOMEM;
    if (st)
        goto out;
    job_begin(job, m->nitems, "items", "train %s", m->name);
    parallel_blocks(m->nitems, ROW_BLOCK, count_block, &c);
    st = job_check(job, err);
    if (!st)
        st = csr_parts_join(&c.parts, &rows, err);
    csr_parts_clear(&c.parts);
    if (!st)
        st = csr_transpose(&rows, out, err);
out:
    csr_clear(&rows);
    csr_parts_clear(&c.parts);
    free_desks(c.desks, threads);
    return st;
}

static enum status knn_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                             struct error *err)
{
    (void)epoch;
    (void)loss;
    struct baseline_terms terms = {true, true, model_real(m, "lambda_user"), model_real(m, "lambda_item"),
                                   BASELINE_EPOCHS};
    struct knn *s = m->state = mem_new(1, sizeof *s, "neighbours", err);
    double *user = mem_new(m->nusers, sizeof *user, "user biases", err);
    struct ratings r = {0};
    enum status st = s && user ? ratings_build(t->selection, &r, err) : ST_NOMEM;
    if (!st)
        st = baseline_fit(&r, &terms, &s->baseline, user, err);
    if (!st) {
        take_baseline_off(&r, &s->baseline, user);
        st = find_neighbours(m, &r, &s->similar.rows, t->job, err);
    }
    ratings_clear(&r);
    mem_free(user);
    *done = true;
    return st;
}

/* ---- answering ---- */

/* One history against all items: for each item the similarities of the rated items that speak for it, ascending by
 * item. */
struct hearing {
    size_t *begin;      /* nitems + 1 */
    float *similarity;  /* begin[nitems] */
    uint32_t *place;    /* of the speaker in the history */
    struct scored *best; /* neighbours */
    float *beyond;      /* of the history: rating beyond the baseline */
    size_t *at;         /* nitems: where the next one goes */
    double user;        /* bias */
};

static void hearing_clear(struct hearing *h)
{
    mem_free(h->begin);
    mem_free(h->similarity);
    mem_free(h->place);
    mem_free(h->best);
    mem_free(h->beyond);
    mem_free(h->at);
}

static enum status hearing_new(struct hearing *h, const struct knn *s, size_t nitems, size_t neighbours,
                               const uint32_t *item, const float *rating, size_t n, struct error *err)
{
    const struct csr *rows = &s->similar.rows;
    size_t total = 0;
    for (size_t a = 0; a < n; a++)
        total += rows->begin[item[a] + 1] - rows->begin[item[a]];
    *h = (struct hearing){.begin = mem_new(nitems + 1, sizeof *h->begin, "neighbours", err),
                          .similarity = mem_new_raw(total, sizeof *h->similarity, "neighbours", err),
                          .place = mem_new_raw(total, sizeof *h->place, "neighbours", err),
                          .best = mem_new_raw(neighbours < n ? neighbours : n, sizeof *h->best, "neighbours", err),
                          .beyond = mem_new_raw(n, sizeof *h->beyond, "neighbours", err),
                          .at = mem_new_raw(nitems, sizeof *h->at, "neighbours", err)};
    if (!h->begin || !h->similarity || !h->place || !h->best || !h->beyond || !h->at)
        return ST_NOMEM;
    h->user = baseline_user(&s->baseline, item, rating, n);
    for (size_t a = 0; a < n; a++) {
        h->beyond[a] = rating[a] - (float)(h->user + s->baseline.item[item[a]]);
        for (size_t e = rows->begin[item[a]]; e < rows->begin[item[a] + 1]; e++)
            h->begin[rows->index[e] + 1]++;
    }
    for (size_t i = 0; i < nitems; i++)
        h->begin[i + 1] += h->begin[i];
    memcpy(h->at, h->begin, nitems * sizeof *h->at);
    for (size_t a = 0; a < n; a++)
        for (size_t e = rows->begin[item[a]]; e < rows->begin[item[a] + 1]; e++) {
            size_t to = h->at[rows->index[e]]++;
            h->similarity[to] = rows->value[e];
            h->place[to] = (uint32_t)a;
        }
    return ST_OK;
}

/* The speakers for item i: h->best[0..n) with their similarity and their place in the history. */
static size_t hear(const struct hearing *h, size_t i, size_t neighbours)
{
    size_t at = h->begin[i], n = h->begin[i + 1] - at;
    if (n > neighbours)
        n = topk(h->similarity + at, n, neighbours, h->best);
    else
        for (size_t b = 0; b < n; b++)
            h->best[b] = (struct scored){(uint32_t)b, h->similarity[at + b]};
    for (size_t b = 0; b < n; b++)
        h->best[b].index = h->place[at + h->best[b].index];
    return n;
}

static double sum_of(const struct scored *best, size_t n)
{
    double sum = 0;
    for (size_t b = 0; b < n; b++)
        sum += best[b].score;
    return sum;
}

static float predict(const struct knn *s, const struct hearing *h, size_t i, size_t neighbours)
{
    size_t n = hear(h, i, neighbours);
    double sum = 0, size = sum_of(h->best, n);
    for (size_t b = 0; b < n; b++)
        sum += (double)h->best[b].score * h->beyond[h->best[b].index];
    return (float)(s->baseline.mean + h->user + s->baseline.item[i] + (size > 0 ? sum / size : 0));
}

struct asking {
    const struct model *m;
    const struct csr *rows;
    float *scores;
    bool *failed; /* one a query */
};

static void ask_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct asking *a = context;
    size_t nitems = a->m->nitems, neighbours = (size_t)model_int(a->m, "neighbours");
    (void)block;
    for (size_t q = begin; q < end; q++) {
        struct hearing h;
        size_t at = a->rows->begin[q], n = a->rows->begin[q + 1] - at;
        a->failed[q] = hearing_new(&h, a->m->state, nitems, neighbours, a->rows->index + at, a->rows->value + at, n,
                                   NULL) != ST_OK;
        for (size_t i = 0; i < nitems && !a->failed[q]; i++)
            a->scores[q * nitems + i] = predict(a->m->state, &h, i, neighbours);
        hearing_clear(&h);
    }
}

static enum status knn_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                             struct error *err)
{
    const struct knn *s = m->state;
    struct csr rows = {0};
    bool *failed = mem_new(n, sizeof *failed, "neighbours", err);
    enum status st = failed ? ratings_of_queries(queries, n, m->nitems, s->baseline.mean, false, &rows, err) : ST_NOMEM;
    if (!st) {
        struct asking a = {m, &rows, scores, failed};
        parallel_blocks(n, 1, ask_block, &a);
    }
    for (size_t q = 0; q < n && !st; q++)
        if (failed[q])
            st = error_set(err, ST_NOMEM, "no memory for the neighbours of a history");
    csr_clear(&rows);
    mem_free(failed);
    return st;
}

/* One history: its n ratings (less the mean), and who speaks in it. Clear both in every case. */
static enum status listen(const struct model *m, const struct query *q, struct csr *row, size_t *n, struct hearing *h,
                          struct error *err)
{
    const struct knn *s = m->state;
    *row = (struct csr){0};
    *h = (struct hearing){0};
    *n = 0;
    enum status st = ratings_of_queries(q, 1, m->nitems, s->baseline.mean, false, row, err);
    if (st)
        return st;
    *n = csr_count(row);
    return hearing_new(h, s, m->nitems, (size_t)model_int(m, "neighbours"), row->index, row->value, *n, err);
}

static enum status knn_steps(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                             struct error *err)
{
    const struct knn *s = m->state;
    size_t neighbours = (size_t)model_int(m, "neighbours");
    struct hearing h;
    struct csr row;
    size_t n;
    enum status st = listen(m, q, &row, &n, &h, err);
    if (!st)
        st = steps_new(out, 2 * n + 2, err);
    if (!st) {
        size_t speakers = hear(&h, item, neighbours);
        double size = sum_of(h.best, speakers);
        baseline_steps(&s->baseline, &row, item, out);
        for (size_t b = 0; b < speakers && size > 0; b++) {
            struct score_term *t = steps_add(out, row.index[h.best[b].index], (double)h.best[b].score / size,
                                             (double)h.beyond[h.best[b].index]);
            snprintf(t->label, sizeof t->label, "as a neighbour");
        }
    }
    hearing_clear(&h);
    csr_clear(&row);
    return st;
}

static enum status knn_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                               struct error *err)
{
    const struct knn *s = m->state;
    size_t neighbours = (size_t)model_int(m, "neighbours");
    struct hearing h;
    struct csr row;
    size_t n;
    enum status st = listen(m, q, &row, &n, &h, err);
    if (!st)
        st = explanation_new(out, n, err);
    for (size_t a = 0; a < n && !st; a++)
        explanation_add(out, row.index[a],
                        (row.value[a] - s->baseline.item[row.index[a]]) / (s->baseline.lambda_user + (double)n));
    if (!st) {
        size_t speakers = hear(&h, item, neighbours);
        double size = sum_of(h.best, speakers);
        for (size_t b = 0; b < speakers && size > 0; b++)
            out->parts[h.best[b].index].value += h.best[b].score * h.beyond[h.best[b].index] / size;
        out->score = predict(s, &h, item, neighbours);
        out->base = s->baseline.mean + s->baseline.item[item];
        out->own = s->baseline.item[item];
        out->own_is = "everybody rates it highly";
        out->exact = true;
        out->method =
            "base: mean of all ratings + bias of the item; each part: what a rating adds to the bias of the user and "
            "as a neighbour (exact)";
        explanation_sort(out);
    }
    hearing_clear(&h);
    csr_clear(&row);
    return st;
}

static enum status knn_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct knn *s = m->state;
    enum status st = item_weights_save(m, w, err);
    return st ? st : baseline_save(&s->baseline, w, err);
}

static enum status knn_load(struct model *m, struct blob_reader *r, struct error *err)
{
    struct knn *s = mem_new(1, sizeof *s, "neighbours", err);
    if (!s)
        return ST_NOMEM;
    enum status st = item_weights_load(m, r, err);
    struct item_weights *rows = m->state;
    if (rows)
        s->similar = *rows;
    mem_free(rows);
    m->state = s;
    return st ? st : baseline_load(&s->baseline, m->nitems, r, err);
}

const struct model_class model_knnbaseline = {
    .name = "knnbaseline",
    .summary = "predicts ratings by similar items that the user rated, around a baseline",
    .reference = "Koren: Factor in the neighbors: scalable and accurate collaborative filtering, TKDD 2010, section "
                 "2.2; settings of Hug: Surprise, JOSS 2020 (pearson_baseline)",
    .fold_in = "needs nothing of the user but the ratings: the bias of a history is that of the user it belongs to, to "
               "the bit",
    .capabilities = CAN_RATE,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = knn_check,
    .epoch = knn_epoch,
    .score = knn_score,
    .explain = knn_explain,
    .steps = knn_steps,
    .formula = BASELINE_FORMULA
    " + sum over its neighbours among them of w[j][i] x (r[j] - baseline of j); b: bias of an item, w: share of the "
    "similarities",
    .similar = item_weights_similar,
    .save = knn_save,
    .load = knn_load,
    .free = knn_free,
};
