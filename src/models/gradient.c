#include "models/gradient.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum { SCHEDULE_LINEAR, SCHEDULE_COSINE };

/* Components of the vectors: the factors, and the bias. */
static size_t components(const struct model *m)
{
    return (size_t)model_int(m, "factors") + (model_int(m, "bias") != 0);
}

static bool by_logistic(const struct model *m)
{
    return param_index(m->class->params, m->class->nparams, "fold_alpha0") == m->class->nparams;
}

enum status gradient_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    size_t k = components(m);
    *bytes = sgd_bytes(m->nusers, m->nitems, (size_t)model_int(m, "factors"), csr_count(&t->interactions->matrix)) +
             2 * m->nitems * k * sizeof(float) + (by_logistic(m) ? 0 : ridge_bytes(m->nitems, k)) +
             k * k * sizeof(float);
    return ST_OK;
}

static void drop_training(struct gradient *g)
{
    sgd_clear(&g->sgd);
    csr_clear(&g->sample);
    mem_free(g->sampled);
    g->sampled = NULL;
}

void gradient_free(struct model *m)
{
    struct gradient *g = m->state;
    factors_clear(&g->items);
    least_squares_clear(&g->fold);
    logistic_clear(&g->logistic);
    drop_training(g);
    mem_free(g);
    m->state = NULL;
}

/* Every so many-th user who has items. */
static enum status draw_sample(struct gradient *g, const struct csr *seen, struct error *err)
{
    enum { SAMPLE = 128 };
    size_t users = 0, entries = 0, rows = 0, at = 0;
    for (size_t u = 0; u < seen->rows; u++)
        users += seen->begin[u + 1] > seen->begin[u];
    size_t step = users / SAMPLE + 1;
    g->sampled = mem_new(SAMPLE, sizeof *g->sampled, "a sample of users", err);
    if (!g->sampled)
        return ST_NOMEM;
    for (size_t u = 0; u < seen->rows; u++)
        if (seen->begin[u + 1] > seen->begin[u] && at++ % step == 0) {
            g->sampled[rows++] = (uint32_t)u;
            entries += seen->begin[u + 1] - seen->begin[u];
        }
    enum status st = csr_new(&g->sample, rows, seen->cols, entries, false, err);
    for (size_t r = 0; r < rows && !st; r++) {
        size_t from = seen->begin[g->sampled[r]], n = seen->begin[g->sampled[r] + 1] - from, to = g->sample.begin[r];
        memcpy(g->sample.index + to, seen->index + from, n * sizeof *seen->index);
        g->sample.begin[r + 1] = to + n;
    }
    return st;
}

static enum status prepare_logistic(struct gradient *g, const struct model *m, struct error *err)
{
    enum status st =
        logistic_new(&g->logistic, g->items.y, m->nitems, (size_t)model_int(m, "factors"), g->items.k, err);
    g->logistic.alpha = model_real(m, "alpha");
    g->logistic.negatives = (double)model_int(m, "negatives");
    g->logistic.l2 = model_real(m, "l2");
    return st;
}

enum status gradient_begin(struct model *m, const struct training *t, struct error *err)
{
    struct gradient *g = m->state = mem_new(1, sizeof *g, "vectors", err);
    const struct csr *seen = &t->interactions->matrix;
    if (!g)
        return ST_NOMEM;
    enum status st = factors_new(&g->items, m->nitems, components(m), model_int(m, "bias") != 0, err);
    if (!st)
        st = sgd_new(&g->sgd, seen, (size_t)model_int(m, "factors"), model_real(m, "init"), t->seed, err);
    if (st)
        return st;
    if (by_logistic(m))
        return prepare_logistic(g, m, err);
    g->fold.alpha0 = model_has(m, "fold_alpha0") ? model_real(m, "fold_alpha0") : 128. / (double)m->nitems;
    g->fold.lambda = model_has(m, "fold_lambda") ? model_real(m, "fold_lambda") : 1;
    return draw_sample(g, seen, err);
}

/* What stands in g->items is new. */
static enum status items_changed(struct gradient *g, struct error *err)
{
    g->stale = true;
    return g->logistic.sample ? ST_OK : least_squares_set(&g->fold, g->items.y, g->items.nitems, g->items.k, err);
}

static enum status make_ready(struct gradient *g, struct error *err)
{
    enum status st = g->stale ? factors_pack(&g->items, err) : ST_OK;
    g->stale = st != ST_OK;
    return st;
}

enum status gradient_ready(struct model *m, struct error *err)
{
    return make_ready(m->state, err);
}

/* The trained vector of a user, with the 1 that meets the biases. */
void gradient_trained_vector(const struct gradient *g, uint32_t user, float *x)
{
    memcpy(x, g->sgd.x + user * g->sgd.width, g->sgd.k * sizeof *x);
    if (g->items.bias)
        x[g->sgd.k] = 1;
}

/* ---- an epoch ---- */

enum { COPY_BLOCK = 1024 };

/* The item vectors without the padding of their rows, with their biases. */
static void copy_items(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    struct gradient *g = context;
    for (size_t i = begin; i < end; i++) {
        memcpy(g->items.y + i * g->items.k, g->sgd.y + i * g->sgd.width, g->sgd.k * sizeof *g->items.y);
        if (g->items.bias)
            g->items.y[i * g->items.k + g->sgd.k] = g->sgd.bias[i];
    }
}

static enum status check_finite(const struct gradient *g, const struct model *m, struct error *err)
{
    double sum = 0;
    for (size_t i = 0; i < g->items.nitems; i++)
        sum += factors_product(g->items.y + i * g->items.k, g->items.y + i * g->items.k, g->items.k);
    if (isfinite(sum) && sum < 1e30)
        return ST_OK;
    error_set(err, ST_FORMAT,
              "the vectors of %s have grown without bound: rate=%g is too large for l2=%g and these data", m->name,
              model_real(m, "rate"), model_real(m, "l2"));
    error_hint(err, "try a smaller rate, such as rate=%g", model_real(m, "rate") / 10);
    return ST_FORMAT;
}

static double scheduled_rate(const struct model *m, size_t epoch)
{
    double done = (double)epoch / (double)model_int(m, "epochs"), rate = model_real(m, "rate");
    switch (model_int(m, "schedule")) {
    case SCHEDULE_LINEAR:
        return rate * (1 - done);
    case SCHEDULE_COSINE:
        return rate * (1 + cos(M_PI * done)) / 2;
    default:
        return rate;
    }
}

enum status gradient_epoch(struct model *m, const struct training *t, size_t epoch, sgd_learner *learner,
                           const void *context, bool *done, double *loss, struct error *err)
{
    enum { STEPS_LAST = 16 };
    struct gradient *g = m->state;
    enum status st = sgd_epoch(&g->sgd, learner, context, epoch, scheduled_rate(m, epoch), t->job, loss, err);
    if (st)
        return st;
    parallel_blocks(m->nitems, COPY_BLOCK, copy_items, g);
    *done = epoch + 1 >= (size_t)model_int(m, "epochs");
    st = check_finite(g, m, err);
    if (!st)
        st = items_changed(g, err);
    return st || g->logistic.sample ? st : gradient_fit_fold(g, m, *done ? STEPS_LAST : 1, err);
}

/* "user-vectors", f32, users x the width of a row, and "fold", f64, two weights. */
enum status gradient_pause(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct gradient *g = m->state;
    enum status st = factors_pause(g->sgd.x, m->nusers, g->sgd.width, w, err);
    return st ? st : blob_put(w, "fold", BLOB_F64, g->going, 2, err);
}

/* The rows of sgd.y from those of the model: what copy_items took. */
static void copy_back(struct gradient *g, const struct factors *items)
{
    for (size_t i = 0; i < items->nitems; i++) {
        memcpy(g->sgd.y + i * g->sgd.width, items->y + i * items->k, g->sgd.k * sizeof *items->y);
        if (items->bias)
            g->sgd.bias[i] = items->y[i * items->k + g->sgd.k];
    }
}

enum status gradient_resume(struct model *m, const struct model *from, const struct training *t, struct blob_reader *r,
                            bool *same, struct error *err)
{
    (void)t;
    struct gradient *g = m->state;
    const struct gradient *old = from->state;
    if (!r) {
        error_set(err, ST_STATE,
                  "the training of %s has ended: the vectors of users that it would go on from were let go", m->name);
        error_hint(err, "train it anew: train %s epochs=%lld as %s replace=yes", m->class->name,
                   (long long)model_int(m, "epochs"), m->name);
        return ST_STATE;
    }
    enum status st = factors_resume(g->sgd.x, m, g->sgd.width, r, err);
    if (!st)
        st = blob_get(r, "fold", BLOB_F64, g->going, 2, err);
    if (!st && !by_logistic(m) && !(g->going[0] > 0 && g->going[0] < 1e9 && g->going[1] > 0 && g->going[1] < 1e9))
        st = error_set(err, ST_CORRUPT, "what the training of %s goes on from is damaged", m->name);
    if (st)
        return st;
    copy_back(g, &old->items);
    g->fold.alpha0 = g->going[0];
    g->fold.lambda = g->going[1];
    *same = model_int(m, "schedule") > SCHEDULE_COSINE || from->record.planned == (size_t)model_int(m, "epochs");
    parallel_blocks(m->nitems, COPY_BLOCK, copy_items, g);
    return items_changed(g, err);
}

enum status gradient_end(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct gradient *g = m->state;
    drop_training(g);
    return make_ready(g, err);
}

/* ---- updating ---- */

/* Users who learn beside each one that changed, lest the items forget them; epochs in which users come to where the
 * items are, and in which both learn. */
enum { OTHERS = 10, ARRIVE = 5, LEARN = 5 };
static const double learning = .03; /* of the first rate of training */

/* Marks of users to learn from: those who changed, and others who have items, so many for each of them. */
static uint8_t *draw_learners(const struct update *u, uint64_t seed, struct error *err)
{
    const struct csr *seen = &u->after->interactions->matrix;
    size_t others = 0, wanted = OTHERS * u->nusers;
    uint8_t *mark = mem_new(seen->rows, sizeof *mark, "users to learn from", err);
    uint32_t *other = mem_new_raw(seen->rows, sizeof *other, "users to learn from", err);
    for (size_t c = 0; mark && c < u->nusers; c++)
        mark[u->users[c]] = 1;
    for (size_t r = 0; mark && other && r < seen->rows; r++)
        if (!mark[r] && seen->begin[r + 1] > seen->begin[r])
            other[others++] = (uint32_t)r;
    if (mark && other) {
        struct rng g = rng_stream(seed, "update others", 0);
        rng_shuffle(&g, other, others);
        for (size_t i = 0; i < others && i < wanted; i++)
            mark[other[i]] = 1;
    } else {
        mem_free(mark);
        mark = NULL;
    }
    mem_free(other);
    return mark;
}

/* Marks of items that had events. */
static uint8_t *known_items(const struct csr *seen, struct error *err)
{
    uint8_t *known = mem_new(seen->cols, sizeof *known, "known items", err);
    for (size_t e = 0; known && e < csr_count(seen); e++)
        known[seen->index[e]] = 1;
    return known;
}

/* Known items get the vectors that they had. */
static void put_back(struct gradient *g, const struct gradient *old, const uint8_t *known)
{
    for (size_t i = 0; i < old->items.nitems; i++) {
        const float *y = old->items.y + i * old->items.k;
        if (!known[i])
            continue;
        memcpy(g->sgd.y + i * g->sgd.width, y, g->sgd.k * sizeof *y);
        g->sgd.bias[i] = old->items.bias ? y[g->sgd.k] : 0;
    }
}

/* Users begin at 0, and with new items come to where the known items are: what these learn meanwhile is taken back.
 * Then all learn, ever slower. */
static enum status learn_again(struct model *m, const struct update *u, sgd_learner *learner, const void *context,
                               struct error *err)
{
    struct gradient *g = m->state;
    const struct gradient *old = u->from->state;
    struct job *job = u->after->job;
    double loss, rate = model_real(m, "rate");
    uint8_t *known = known_items(&u->before->interactions->matrix, err);
    enum status st = known ? ST_OK : ST_NOMEM;
    if (known)
        put_back(g, old, known);
    job_begin(job, ARRIVE + LEARN, "epochs", "update %s", m->name);
    for (size_t epoch = 0; epoch < ARRIVE + LEARN && u->nusers && !st; epoch++) {
        double rest = epoch < ARRIVE ? 1 : learning * (double)(ARRIVE + LEARN - epoch) / LEARN;
        st = sgd_epoch(&g->sgd, learner, context, epoch, rate * rest, job, &loss, err);
        if (epoch < ARRIVE)
            put_back(g, old, known);
        job_step(job, 1);
    }
    mem_free(known);
    return st;
}

/* Learning from these rows; their fold-in is that of before. */
static enum status update_from(struct model *m, const struct update *u, const struct csr *rows, uint64_t seed,
                               sgd_learner *learner, const void *context, struct error *err)
{
    const struct gradient *old = u->from->state;
    struct interactions in = {.matrix = *rows};
    struct training t = {.interactions = &in, .seed = seed, .job = u->after->job};
    enum status st = gradient_begin(m, &t, err);
    if (st)
        return st;
    struct gradient *g = m->state;
    g->fold.alpha0 = old->fold.alpha0;
    g->fold.lambda = old->fold.lambda;
    st = learn_again(m, u, learner, context, err);
    if (st)
        return st;
    parallel_blocks(m->nitems, COPY_BLOCK, copy_items, g);
    st = check_finite(g, m, err);
    if (!st)
        st = items_changed(g, err);
    drop_training(g);
    return st ? st : make_ready(g, err);
}

enum status gradient_update(struct model *m, const struct update *u, sgd_learner *learner, const void *context,
                            bool *worth, struct error *err)
{
    const struct csr *seen = &u->after->interactions->matrix;
    struct csr rows = {0};
    struct rng r =
        rng_stream(u->after->seed, "update", u->after->interactions->events); /* another one for each update */
    uint64_t seed = rng_next(&r);
    uint8_t *mark = draw_learners(u, seed, err);
    enum status st = mark ? csr_rows_where(seen, mark, true, &rows, err) : ST_NOMEM;
    *worth = 2 * (ARRIVE + LEARN) * csr_count(&rows) <= (size_t)model_int(m, "epochs") * csr_count(seen);
    if (!st && *worth)
        st = update_from(m, u, &rows, seed, learner, context, err);
    mem_free(mark);
    csr_clear(&rows);
    return st;
}

/* ---- answering ---- */

enum status gradient_fold(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err)
{
    const struct gradient *g = m->state;
    if (g->logistic.sample)
        return logistic_fold(&g->logistic, queries, n, x, err);
    return least_squares_fold(&g->fold, queries, n, x, err);
}

enum status gradient_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                           struct error *err)
{
    const struct gradient *g = m->state;
    return factors_score(&g->items, m, queries, n, scores, err);
}

enum status gradient_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                             struct error *err)
{
    const struct gradient *g = m->state;
    if (g->logistic.sample)
        return logistic_explain(&g->logistic, m, q, item, out, err);
    return least_squares_explain(&g->fold, m, q, item, out, err);
}

enum status gradient_native(const struct model *m, uint32_t user, float *scores, struct error *err)
{
    const struct gradient *g = m->state;
    float *x = mem_new(g->items.k, sizeof *x, "a user vector", err);
    if (!x)
        return ST_NOMEM;
    gradient_trained_vector(g, user, x);
    dots_score(&g->items.panels, x, 1, scores);
    mem_free(x);
    return ST_OK;
}

enum status gradient_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)err;
    const struct gradient *g = m->state;
    factors_similar(&g->items, NULL, item, similarity);
    return ST_OK;
}

const float *gradient_vectors(const struct model *m, size_t *width)
{
    const struct gradient *g = m->state;
    return factors_vectors(&g->items, width);
}

/* Behind the item vectors: "fold", f64, alpha0 and lambda, where least squares fold in. */
enum status gradient_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct gradient *g = m->state;
    double fold[2] = {g->fold.alpha0, g->fold.lambda};
    enum status st = factors_save(&g->items, w, err);
    return st || g->logistic.sample ? st : blob_put(w, "fold", BLOB_F64, fold, 2, err);
}

enum status gradient_load(struct model *m, struct blob_reader *r, struct error *err)
{
    double fold[2];
    struct gradient *g = m->state = mem_new(1, sizeof *g, "vectors", err);
    if (!g)
        return ST_NOMEM;
    enum status st = factors_load(&g->items, m, components(m), model_int(m, "bias") != 0, r, err);
    if (!st && by_logistic(m))
        return prepare_logistic(g, m, err);
    if (!st)
        st = blob_get(r, "fold", BLOB_F64, fold, 2, err);
    if (!st && !(fold[0] > 0 && fold[0] < 1e9 && fold[1] > 0 && fold[1] < 1e9))
        st = error_set(err, ST_CORRUPT, "how model %s folds histories in is damaged", m->name);
    if (st)
        return st;
    g->fold.alpha0 = fold[0];
    g->fold.lambda = fold[1];
    return least_squares_set(&g->fold, g->items.y, m->nitems, g->items.k, err);
}
