/* User-based nearest neighbours: what those did whose histories are like this one.
 *
 *     score(h, i) = sum over v in N(h) of  s(h, v) * x_vi        x_vi: 1, or the weight of the interaction
 *
 * N(h) are the `neighbours` users of training with the largest similarity. They are found when the question is asked,
 * through the users of the items of h: nothing is learnt but the matrix and its transpose, so that an unseen history is
 * as good as any. Who asks is left out: nobody is their own neighbour.
 *
 * Users are documents and items their terms: x_ui is weighted by
 *
 *     none      x
 *     columns   x / |x_i|                        items with many users say less about each
 *     tfidf     sqrt(x) idf_i                    idf_i = log(U / (1 + n_i))
 *
 * and s comes from the dot product as in item-kNN: cosine (alpha: the share of the division that falls on v), Jaccard,
 * dot, times c / (c + shrink) for c items in common. It is a sum over the items of h, which is what an explanation
 * tells. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/sparse_product.h"
#include "models/classes.h"
#include "models/item_weights.h"
#include "models/sparse_blob.h"

enum { WEIGHT_NONE, WEIGHT_COLUMNS, WEIGHT_TFIDF };
enum { BY_COSINE, BY_JACCARD, BY_DOT };

static const struct param params[] = {
    {.name = "neighbours",
     .type = PARAM_INT,
     .initial = "100",
     .min = 1,
     .max = 1e6,
     .tune_min = 20,
     .tune_max = 1000,
     .log_scale = true,
     .doc = "most similar users that are asked"},
    {.name = "weighting",
     .type = PARAM_ENUM,
     .initial = "columns",
     .choices = "none|columns|tfidf",
     .tune_max = 1,
     .doc = "how much an item says about a user: all the same, by the number of its users, TF-IDF"},
    {.name = "similarity",
     .type = PARAM_ENUM,
     .initial = "cosine",
     .choices = "cosine|jaccard|dot",
     .tune_max = 1,
     .doc = "cosine of the users' weighted histories; Jaccard (Tanimoto where weights differ); their dot product"},
    {.name = "alpha",
     .type = PARAM_REAL,
     .initial = "0.5",
     .min = 0,
     .max = 1,
     .tune_min = .1,
     .tune_max = .9,
     .when = "similarity=cosine",
     .doc = "share of the division that falls on the neighbour; 0.5 is the usual cosine"},
    {.name = "shrink",
     .type = PARAM_REAL,
     .initial = "5",
     .min = 0,
     .max = 1e9,
     .tune_min = .1,
     .tune_max = 100,
     .log_scale = true,
     .doc = "draws similarities that rest on few common items towards 0"},
    VALUES_PARAM,
};

struct user_knn {
    struct csr x;    /* users x items; values: weights, NULL: ones */
    struct csr term; /* items x users, values as terms */
    float *inner;    /* items: what an item counts for, squared */
    float *length;   /* users: what the similarity is divided by */
    bool weigh;
};

static void userknn_free(struct model *m)
{
    struct user_knn *s = m->state;
    if (s) {
        csr_clear(&s->x);
        csr_clear(&s->term);
        mem_free(s->inner);
        mem_free(s->length);
    }
    mem_free(s);
    m->state = NULL;
}

static enum status userknn_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    *bytes = csr_count(&t->interactions->matrix) * (model_int(m, "values") == VALUES_WEIGHT ? 6 : 3) * sizeof(float);
    return ST_OK;
}

static enum status userknn_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct user_knn *s = mem_new(1, sizeof *s, "user-kNN", err);
    if (!s)
        return ST_NOMEM;
    s->weigh = model_int(m, "values") == VALUES_WEIGHT;
    m->state = s;
    return ST_OK;
}

/* ---- users as documents ---- */

static float term_of(const struct model *m, float x)
{
    return model_int(m, "weighting") == WEIGHT_TFIDF ? sqrtf(x) : x;
}

/* A squared length as the similarity wants it; `share` of a cosine's division. */
static float length_of(const struct model *m, double square, double share)
{
    switch (model_int(m, "similarity")) {
    case BY_COSINE:
        return square > 0 ? (float)pow(square, -share) : 0;
    case BY_JACCARD:
        return (float)square;
    default:
        return 1;
    }
}

static double item_factor(const struct model *m, const struct csr *term, size_t i, double users)
{
    size_t begin = term->begin[i], end = term->begin[i + 1];
    double square = 0, idf;
    switch (model_int(m, "weighting")) {
    case WEIGHT_COLUMNS:
        for (size_t e = begin; e < end; e++)
            square += term->value ? (double)term->value[e] * (double)term->value[e] : 1;
        return square > 0 ? 1 / square : 0;
    case WEIGHT_TFIDF:
        idf = log(users / (1 + (double)(end - begin)));
        return idf > 0 ? idf * idf : 0;
    default:
        return 1;
    }
}

/* All that follows from x. */
static enum status derive(const struct model *m, struct user_knn *s, struct error *err)
{
    size_t users = 0;
    enum status st = csr_transpose(&s->x, &s->term, err);
    s->inner = mem_new_raw(s->x.cols, sizeof *s->inner, "item factors", err);
    s->length = mem_new_raw(s->x.rows, sizeof *s->length, "user lengths", err);
    if (st || !s->inner || !s->length)
        return ST_NOMEM;
    for (size_t e = 0; s->term.value && e < csr_count(&s->term); e++)
        s->term.value[e] = term_of(m, s->term.value[e]);
    for (size_t u = 0; u < s->x.rows; u++)
        users += s->x.begin[u + 1] > s->x.begin[u];
    for (size_t i = 0; i < s->x.cols; i++)
        s->inner[i] = (float)item_factor(m, &s->term, i, (double)users);
    for (size_t u = 0; u < s->x.rows; u++) {
        double square = 0;
        for (size_t e = s->x.begin[u]; e < s->x.begin[u + 1]; e++) {
            float v = s->x.value ? term_of(m, s->x.value[e]) : 1;
            square += (double)v * (double)v * (double)s->inner[s->x.index[e]];
        }
        s->length[u] = length_of(m, square, model_real(m, "alpha"));
    }
    return ST_OK;
}

static enum status userknn_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                 struct error *err)
{
    (void)epoch;
    (void)loss;
    struct user_knn *s = m->state;
    const struct csr *from = &t->interactions->matrix;
    job_begin(t->job, 1, "", "train %s: sorting users by item", m->name);
    enum status st = csr_new(&s->x, from->rows, from->cols, csr_count(from), s->weigh, err);
    if (st)
        return st;
    memcpy(s->x.begin, from->begin, (from->rows + 1) * sizeof *from->begin);
    memcpy(s->x.index, from->index, csr_count(from) * sizeof *from->index);
    if (s->weigh)
        memcpy(s->x.value, from->value, csr_count(from) * sizeof *from->value);
    *done = true;
    return derive(m, s, err);
}

/* There is nothing to train: what is there now takes the place of what was. */
static enum status userknn_update(struct model *m, const struct update *u, bool *worth, struct error *err)
{
    double loss;
    *worth = true;
    enum status st = userknn_begin(m, u->after, err);
    return st ? st : userknn_epoch(m, u->after, 0, worth, &loss, err);
}

/* ---- answering ---- */

/* Histories as rows of terms, and the users most like each. */
struct likes {
    struct folded f;
    struct csr rows;     /* queries x items */
    struct csr users;    /* queries x users: similarities */
    float *length;       /* queries */
};

static void likes_clear(struct likes *l)
{
    folded_clear(&l->f);
    csr_clear(&l->rows);
    csr_clear(&l->users);
    mem_free(l->length);
}

/* Takes the user who asks out, or else the last of kept + 1 neighbours. */
static void leave_out(struct csr *users, size_t q, uint32_t user, size_t kept)
{
    size_t begin = users->begin[q], end = users->begin[q + 1], self = end, last = begin;
    for (size_t e = begin; e < end; e++) {
        if (users->index[e] == user)
            self = e;
        if (users->value[e] <= users->value[last])
            last = e;
    }
    if (self < end || end - begin > kept)
        users->value[self < end ? self : last] = 0;
}

static enum status likes_new(const struct model *m, const struct query *queries, size_t n, struct likes *l,
                             struct error *err)
{
    const struct user_knn *s = m->state;
    size_t kept = (size_t)model_int(m, "neighbours");
    *l = (struct likes){0};
    enum status st = folded_new(&l->f, queries, n, err);
    if (!st)
        st = csr_new(&l->rows, n, m->nitems, l->f.begin[n], 1, err);
    if (!st && !(l->length = mem_new_raw(n, sizeof *l->length, "histories", err)))
        st = ST_NOMEM;
    if (st)
        return st;
    memcpy(l->rows.begin, l->f.begin, (n + 1) * sizeof *l->f.begin);
    for (size_t q = 0; q < n; q++) {
        double square = 0;
        for (size_t e = l->f.begin[q]; e < l->f.begin[q + 1]; e++) {
            const struct query_item *h = &l->f.items[e];
            float v = s->weigh ? term_of(m, h->weight) : 1;
            l->rows.index[e] = h->item;
            l->rows.value[e] = v;
            square += (double)v * (double)v * (double)s->inner[h->item];
        }
        l->length[q] = length_of(m, square, 1 - model_real(m, "alpha"));
    }
    struct sparse_product likes = {.a = &l->rows,
                                   .b = &s->term,
                                   .inner = s->inner,
                                   .row = l->length,
                                   .column = s->length,
                                   .measure = model_int(m, "similarity") == BY_JACCARD ? PAIR_TANIMOTO : PAIR_DOT,
                                   .shrink = (float)model_real(m, "shrink"),
                                   .kept = kept + 1,
                                   .diagonal = true};
    st = sparse_product(&likes, &l->users, NULL, err);
    for (size_t q = 0; q < n && !st; q++)
        leave_out(&l->users, q, queries[q].user, kept);
    return st;
}

struct answers {
    const struct user_knn *s;
    const struct likes *l;
    float *scores;
};

enum { SCORE_BLOCK = 8 };

static void score_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct answers *a = context;
    const struct csr *x = &a->s->x, *users = &a->l->users;
    (void)block;
    memset(a->scores + begin * x->cols, 0, (end - begin) * x->cols * sizeof *a->scores);
    for (size_t q = begin; q < end; q++) {
        float *out = a->scores + q * x->cols;
        for (size_t n = users->begin[q]; n < users->begin[q + 1]; n++) {
            uint32_t v = users->index[n];
            for (size_t e = x->begin[v]; e < x->begin[v + 1]; e++)
                out[x->index[e]] += users->value[n] * (x->value ? x->value[e] : 1);
        }
    }
}

static enum status userknn_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                 struct error *err)
{
    struct likes l;
    enum status st = likes_new(m, queries, n, &l, err);
    if (!st)
        parallel_blocks(n, SCORE_BLOCK, score_block, &(struct answers){m->state, &l, scores});
    likes_clear(&l);
    return st;
}

/* Adds to part[] what each item of the history has of `amount`, which user v brings: their share of the dot product. */
static void share_out(const struct model *m, const struct likes *l, uint32_t v, double amount, double *term,
                      double *part)
{
    const struct user_knn *s = m->state;
    double dot = 0;
    for (size_t h = 0; h < l->rows.begin[1]; h++) {
        uint32_t j = l->rows.index[h];
        size_t e = csr_find(&s->x, v, j);
        float x = e == SIZE_MAX ? 0 : s->x.value ? term_of(m, s->x.value[e]) : 1;
        term[h] = (double)l->rows.value[h] * (double)s->inner[j] * (double)x;
        dot += term[h];
    }
    for (size_t h = 0; h < l->rows.begin[1] && dot > 0; h++)
        part[h] += amount * term[h] / dot;
}

static enum status userknn_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                   struct error *err)
{
    const struct user_knn *s = m->state;
    struct likes l;
    double *part = NULL, *term = NULL;
    float score = 0;
    enum status st = likes_new(m, q, 1, &l, err);
    if (st)
        goto out;
    part = mem_new(l.rows.begin[1], sizeof *part, "parts of a score", err);
    term = mem_new(l.rows.begin[1], sizeof *term, "parts of a score", err);
    st = part && term ? explanation_new(out, l.rows.begin[1], err) : ST_NOMEM;
    if (st)
        goto out;
    for (size_t n = 0; n < l.users.begin[1]; n++) {
        uint32_t v = l.users.index[n];
        size_t e = csr_find(&s->x, v, item);
        if (e == SIZE_MAX)
            continue;
        float amount = l.users.value[n] * (s->x.value ? s->x.value[e] : 1);
        score += amount;
        share_out(m, &l, v, (double)amount, term, part);
    }
    for (size_t h = 0; h < l.rows.begin[1]; h++)
        explanation_add(out, l.rows.index[h], part[h]);
    explanation_sort(out);
    out->score = (double)score;
    out->exact = true;
    out->method = "shares in the similarity of the neighbours who have it (exact)";
out:
    mem_free(part);
    mem_free(term);
    likes_clear(&l);
    return st;
}

static enum status userknn_steps(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                                 struct error *err)
{
    const struct user_knn *s = m->state;
    struct likes l;
    enum status st = likes_new(m, q, 1, &l, err);
    if (!st)
        st = steps_new(out, l.users.begin[1], err);
    for (size_t n = 0; !st && n < l.users.begin[1]; n++) {
        size_t e = csr_find(&s->x, l.users.index[n], item);
        if (e != SIZE_MAX)
            steps_add(out, NO_ITEM, (double)l.users.value[n], s->x.value ? (double)s->x.value[e] : 1)->user =
                l.users.index[n];
    }
    likes_clear(&l);
    return st;
}

/* ---- keeping ---- */

static enum status userknn_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    return sparse_save(&((const struct user_knn *)m->state)->x, w, err);
}

static enum status userknn_load(struct model *m, struct blob_reader *r, struct error *err)
{
    enum status st = userknn_begin(m, NULL, err);
    if (st)
        return st;
    struct user_knn *s = m->state;
    st = sparse_load(&s->x, m->nusers, m->nitems, s->weigh, m->name, r, err);
    return st ? st : derive(m, s, err);
}

const struct model_class model_userknn = {
    .name = "userknn",
    .summary = "what users with a like history did",
    .reference = "Resnick, Iacovou, Suchak, Bergstrom, Riedl: GroupLens: an open architecture for collaborative "
                 "filtering of netnews, CSCW 1994; Herlocker, Konstan, Borchers, Riedl: An algorithmic framework for "
                 "performing collaborative filtering, SIGIR 1999",
    .fold_in = "finds the neighbours of any history when it is asked: exactly the native score",
    .capabilities = CLOSED_FORM,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = userknn_check,
    .begin = userknn_begin,
    .epoch = userknn_epoch,
    .score = userknn_score,
    .explain = userknn_explain,
    .steps = userknn_steps,
    .formula = "score = sum over the nearest users v of s(history, v) x x[v][i]; s: how alike they are, x: 1 where v "
               "has it, or its weight",
    .update = userknn_update,
    .updated = "takes in the events that there are now, among which neighbours are found when they are asked for: what "
               "training makes, to the bit",
    .save = userknn_save,
    .load = userknn_load,
    .free = userknn_free,
};
