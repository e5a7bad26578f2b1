/* Asking a model: what every call through its class checks first, what the model does not know of a history, and what
 * it says of items that came later than it. */
#include "models/model.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

static enum status no_such_item(const struct model *m, uint32_t item, struct error *err)
{
    error_set(err, ST_STATE, "model %s was trained on %zu items and does not know item number %u", m->name,
              model_trained(m)->nitems, item);
    error_hint(err, "train it again on the data as it is now");
    return ST_STATE;
}

/* Histories looked through together: a few are not worth waking a second thread for. */
enum { COUNT_BLOCK = 1024 };

struct counting {
    const struct query *queries;
    size_t nitems;
    atomic_size_t unknown;
};

static void count_block(void *context, size_t block, size_t begin, size_t end)
{
    struct counting *c = context;
    size_t unknown = 0;
    (void)block;
    for (size_t q = begin; q < end; q++)
        for (size_t i = 0; i < c->queries[q].n; i++)
            unknown += c->queries[q].events[i].item >= c->nitems;
    atomic_fetch_add(&c->unknown, unknown);
}

/* Events of items from nitems on. */
static size_t count_unknown(const struct query *queries, size_t n, size_t nitems)
{
    struct counting c = {.queries = queries, .nitems = nitems};
    parallel_blocks(n, COUNT_BLOCK, count_block, &c);
    return c.unknown;
}

static enum status check_queries(const struct model *m, const struct query *queries, size_t n, struct error *err)
{
    if (!model_trained(m)->state)
        return error_set(err, ST_STATE, "model %s is not trained", m->name);
    for (size_t i = 0; i < model_trained(m)->nparts; i++)
        if (!model_trained(m)->parts[i].model)
            return error_set(err, ST_STATE, "model %s is made of %s, which is not here", m->name,
                             model_trained(m)->parts[i].name);
    if (!count_unknown(queries, n, m->nitems))
        return ST_OK;
    for (size_t q = 0; q < n; q++)
        for (size_t i = 0; i < queries[q].n; i++)
            if (queries[q].events[i].item >= m->nitems)
                return no_such_item(m, queries[q].events[i].item, err);
    return ST_OK;
}

/* Histories without what the model does not know. */
struct known {
    const struct query *queries; /* the caller's own, when it knows all */
    struct query *copies;
    struct query_event *events;
};

static enum status known_new(const struct model *m, const struct query *queries, size_t n, struct known *k,
                             struct error *err)
{
    size_t nitems = model_trained(m)->nitems, events = 0, used = 0;
    *k = (struct known){.queries = queries};
    if (!m->trained || !count_unknown(queries, n, nitems))
        return ST_OK;
    for (size_t q = 0; q < n; q++)
        events += queries[q].n;
    k->copies = mem_new_raw(n, sizeof *k->copies, "histories", err);
    k->events = mem_new_raw(events, sizeof *k->events, "histories", err);
    if (!k->copies || !k->events)
        return ST_NOMEM;
    for (size_t q = 0; q < n; q++) {
        size_t begin = used;
        for (size_t i = 0; i < queries[q].n; i++)
            if (queries[q].events[i].item < nitems)
                k->events[used++] = queries[q].events[i];
        k->copies[q] = queries[q];
        k->copies[q].events = k->events + begin;
        k->copies[q].n = used - begin;
    }
    k->queries = k->copies;
    return ST_OK;
}

static void known_clear(struct known *k)
{
    mem_free(k->copies);
    mem_free(k->events);
}

/* Rows as long as the model knows items become rows of all items, in place; the last one moves first. What came later
 * is out. */
static void spread(const struct model *m, size_t n, float *scores)
{
    for (size_t q = 0; q < n && m->later; q++)
        for (size_t i = 0; i < m->nitems; i++)
            if (m->later[i])
                scores[q * m->nitems + i] = -INFINITY;
    size_t from = model_trained(m)->nitems, to = m->nitems;
    for (size_t q = from < to ? n : 0; q-- > 0;) {
        memmove(scores + q * to, scores + q * from, from * sizeof *scores);
        for (size_t i = from; i < to; i++)
            scores[q * to + i] = -INFINITY;
    }
}

enum status model_score(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    struct known k = {0};
    enum status st = check_queries(m, queries, n, err);
    if (st || !n)
        return st;
    st = known_new(m, queries, n, &k, err);
    if (!st)
        st = m->class->score(model_trained(m), k.queries, n, scores, err);
    if (!st)
        spread(m, n, scores);
    known_clear(&k);
    return st;
}

enum status model_retrained(const struct model *m, const struct row_edit *edit, const struct query *q, float *scores,
                            struct error *err)
{
    struct known k = {0};
    enum status st = check_queries(m, q, 1, err);
    if (!st)
        st = known_new(m, q, 1, &k, err);
    if (!st)
        st = m->class->retrained(model_trained(m), edit, k.queries, scores, err);
    if (!st)
        spread(m, 1, scores);
    known_clear(&k);
    return st;
}

/* Pairs out of whole rows of scores, a few queries at a time. */
static enum status predict_pairs(const struct model *m, const struct query *queries, size_t n, const size_t *begin,
                                 const uint32_t *items, float *out, struct error *err)
{
    enum { SCORES = 1 << 20 };
    size_t fit = m->nitems < SCORES ? SCORES / (m->nitems + !m->nitems) : 1, batch = fit < n ? fit : n;
    float *scores = mem_new_raw(batch * m->nitems, sizeof *scores, "scores", err);
    enum status st = scores ? ST_OK : ST_NOMEM;
    for (size_t q = 0; q < n && !st; q += batch) {
        size_t here = n - q < batch ? n - q : batch;
        st = m->class->score(m, queries + q, here, scores, err);
        for (size_t i = 0; i < here && !st; i++)
            for (size_t j = begin[q + i]; j < begin[q + i + 1]; j++)
                out[j] = items[j] < m->nitems ? scores[i * m->nitems + items[j]] : NAN;
    }
    mem_free(scores);
    return st;
}

enum status model_predict(const struct model *m, const struct query *queries, size_t n, const size_t *begin,
                          const uint32_t *items, float *out, struct error *err)
{
    struct known k = {0};
    enum status st = check_queries(m, queries, n, err);
    if (st || !n)
        return st;
    st = known_new(m, queries, n, &k, err);
    if (!st)
        st = predict_pairs(model_trained(m), k.queries, n, begin, items, out, err);
    known_clear(&k);
    return st;
}

typedef enum status (*folding)(const struct model *m, const struct query *queries, size_t n, float *x,
                               struct error *err);

static enum status fold_with(folding fold, const struct model *m, const struct query *queries, size_t n, float *x,
                             struct error *err)
{
    struct known k = {0};
    enum status st = check_queries(m, queries, n, err);
    if (st || !n)
        return st;
    st = known_new(m, queries, n, &k, err);
    if (!st)
        st = fold(model_trained(m), k.queries, n, x, err);
    known_clear(&k);
    return st;
}

/* Those that are kept need not be folded in. */
static enum status fold_kept(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err)
{
    return user_vectors_fold(&m->users, m, queries, n, x, err);
}

enum status model_fold(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err)
{
    return fold_with(fold_kept, m, queries, n, x, err);
}

enum status model_project(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err)
{
    return fold_with(m->class->project ? m->class->project : fold_kept, m, queries, n, x, err);
}

/* NULL: it has none. */
static const struct csr *rows_of(const struct model *m, bool *weigh)
{
    const struct model *known = model_trained(m);
    return known->class->rows && known->state ? known->class->rows(known, weigh) : NULL;
}

const struct csr *model_rows(const struct model *m)
{
    bool weigh;
    return rows_of(m, &weigh);
}

enum status model_fold_rows(const struct model *m, const struct query *queries, size_t n, struct csr *histories,
                            struct error *err)
{
    struct known k = {0};
    bool weigh = false;
    *histories = (struct csr){0};
    enum status st = check_queries(m, queries, n, err);
    if (!st)
        st = known_new(m, queries, n, &k, err);
    if (!st)
        st = folded_rows(k.queries, n, rows_of(m, &weigh)->cols, weigh, histories, err);
    known_clear(&k);
    return st;
}

const float *model_vectors(const struct model *m, size_t *width)
{
    const struct model *known = model_trained(m);
    *width = 0;
    return known->class->vectors ? known->class->vectors(known, width) : NULL;
}

bool model_projects(const struct model *m)
{
    size_t width;
    return (m->class->project || m->class->fold) && model_vectors(m, &width);
}

/* A question about one item: *k is the history as the model was trained to read it. Clear it in every case. */
static enum status ask_of_item(const struct model *m, const struct query *q, uint32_t item, struct known *k,
                               struct error *err)
{
    *k = (struct known){0};
    enum status st = check_queries(m, q, 1, err);
    if (!st && item >= model_trained(m)->nitems)
        st = no_such_item(m, item, err);
    return st ? st : known_new(m, q, 1, k, err);
}

enum status model_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                          struct error *err)
{
    struct known k;
    *out = (struct explanation){0};
    enum status st = ask_of_item(m, q, item, &k, err);
    if (!st)
        st = m->class->explain(model_trained(m), k.queries, item, out, err);
    known_clear(&k);
    if (st)
        explanation_clear(out);
    return st;
}

enum status model_steps(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                        struct error *err)
{
    struct known k;
    enum status st = ask_of_item(m, q, item, &k, err);
    if (!st)
        st = m->class->steps(model_trained(m), k.queries, item, out, err);
    known_clear(&k);
    return st;
}

enum status model_shares(const struct model *m, const struct query *q, uint32_t item, struct part_share *out,
                         struct error *err)
{
    struct known k;
    enum status st = ask_of_item(m, q, item, &k, err);
    if (!st)
        st = m->class->shares(model_trained(m), k.queries, item, out, err);
    known_clear(&k);
    return st;
}

enum status model_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    const struct model *trained = model_trained(m);
    struct query_event event = {.item = item, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX};
    struct query q = {.events = &event, .n = 1, .user = NO_USER, .as_of = NO_TIME};
    enum status st = check_queries(m, &q, 1, err);
    if (!st && item >= trained->nitems)
        st = no_such_item(m, item, err);
    if (!st)
        st = m->class->similar ? m->class->similar(trained, item, similarity, err)
                               : m->class->score(trained, &q, 1, similarity, err);
    if (st)
        return st;
    similarity[item] = -INFINITY; /* an item is not its own neighbour */
    spread(m, 1, similarity);
    return ST_OK;
}

const char *query_says(const struct query *q, const char *field)
{
    for (size_t i = 0; i < q->nattributes; i++)
        if (strcmp(q->attributes[i].field, field) == 0)
            return q->attributes[i].value;
    return NULL;
}

bool model_reads(const struct model *m, const char *field)
{
    const struct model *t = model_trained(m);
    bool reads = t->class->reads && t->class->reads(t, field);
    for (size_t i = 0; i < t->nparts && !reads; i++)
        reads = t->parts[i].model && model_reads(t->parts[i].model, field);
    return reads;
}

bool model_sees_future(const struct model *m, int64_t as_of)
{
    return as_of != NO_TIME && m->record.trained_until != NO_TIME && m->record.trained_until >= as_of;
}
