/* Random lists: what a metric gives to nobody's knowledge.
 *
 *     score(h, i) = uniform in [0, 1), drawn for (seed, who asks, i)
 *
 * Who asks is the user, or for nobody their set of items: one user gets one list, whatever is asked and how often, and
 * another seed another. */
#include "base/mem.h"
#include "base/rng.h"
#include "models/classes.h"

#include <math.h>

static void random_free(struct model *m)
{
    mem_free(m->state);
    m->state = NULL;
}

static enum status random_new(struct model *m, uint64_t seed, struct error *err)
{
    uint64_t *s = mem_new(1, sizeof *s, "a seed", err);
    if (!s)
        return ST_NOMEM;
    *s = seed;
    m->state = s;
    return ST_OK;
}

static enum status random_begin(struct model *m, const struct training *t, struct error *err)
{
    return random_new(m, t->seed, err);
}

static enum status random_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                struct error *err)
{
    (void)m;
    (void)t;
    (void)epoch;
    (void)loss;
    (void)err;
    *done = true;
    return ST_OK;
}

static struct rng stream_of(const struct model *m, const struct query *q)
{
    const uint64_t *seed = m->state;
    uint64_t who = 0;
    if (q->user != NO_USER)
        return rng_stream(*seed, "random lists of users", q->user);
    uint64_t item = rng_purpose(*seed, "items of a history");
    for (size_t e = 0; e < q->n; e++) { /* a sum: whatever their order */
        struct rng r = rng_nth(item, q->events[e].item);
        who += rng_next(&r);
    }
    return rng_stream(*seed, "random lists of histories", who);
}

static float draw(uint64_t purpose, uint32_t item)
{
    struct rng r = rng_nth(purpose, item);
    return (float)(rng_next(&r) >> 40) * 0x1p-24f;
}

static enum status random_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                struct error *err)
{
    (void)err;
    for (size_t q = 0; q < n; q++) {
        struct rng r = stream_of(m, &queries[q]);
        uint64_t purpose = rng_next(&r);
        for (uint32_t i = 0; i < m->nitems; i++)
            scores[q * m->nitems + i] = draw(purpose, i);
    }
    return ST_OK;
}

static enum status random_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                  struct error *err)
{
    enum status st = explanation_new(out, 0, err);
    if (st)
        return st;
    struct rng r = stream_of(m, q);
    out->score = out->base = out->own = (double)draw(rng_next(&r), item);
    out->own_is = "chance wants it so";
    out->exact = true;
    out->method = "chance alone (exact)";
    return ST_OK;
}

static enum status random_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)item;
    (void)similarity;
    error_set(err, ST_UNSUPPORTED, "%s draws lots and knows nothing of the likeness of items", m->name);
    error_hint(err, "ask another model, such as: similar ITEM with itemknn");
    return ST_UNSUPPORTED;
}

static enum status random_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    return blob_put(w, "seed", BLOB_U64, m->state, 1, err);
}

static enum status random_load(struct model *m, struct blob_reader *r, struct error *err)
{
    uint64_t seed = 0;
    enum status st = blob_get(r, "seed", BLOB_U64, &seed, 1, err);
    return st ? st : random_new(m, seed, err);
}

const struct model_class model_random = {
    .name = "random",
    .summary = "draws lots: what every other model has to beat",
    .reference = "a uniform draw from the user's stream of random numbers",
    .capabilities = IGNORES_HISTORY,
    .fold_in = "does not look at the history but to tell one asker from another",
    .begin = random_begin,
    .epoch = random_epoch,
    .score = random_score,
    .explain = random_explain,
    .similar = random_similar,
    .save = random_save,
    .load = random_load,
    .free = random_free,
};
