#include "models/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

struct model *model_new(const struct model_class *class, const char *name, const struct param_value *values,
                        size_t nusers, size_t nitems, struct error *err)
{
    struct model *m = mem_new(1, sizeof *m, "a model", err);
    if (!m)
        return NULL;
    atomic_init(&m->references, 1);
    m->class = class;
    m->nusers = nusers;
    m->nitems = nitems;
    m->record.trained_until = NO_TIME;
    m->record.fold_in = NAN;
    m->name = mem_strdup(name, err);
    m->values = mem_new(class->nparams, sizeof *m->values, "model parameters", err);
    if (!m->name || !m->values)
        goto fail;
    for (size_t i = 0; i < class->nparams; i++) {
        m->values[i] = values[i];
        m->values[i].text = NULL;
    }
    for (size_t i = 0; i < class->nparams; i++) {
        if (!values[i].text)
            continue;
        m->values[i].text = mem_strdup(values[i].text, err);
        if (!m->values[i].text)
            goto fail;
    }
    return m;
fail:
    model_release(m);
    return NULL;
}

struct model *model_hold(struct model *m)
{
    if (m)
        atomic_fetch_add(&m->references, 1);
    return m;
}

void model_release(struct model *m)
{
    if (!m || atomic_fetch_sub(&m->references, 1) > 1)
        return;
    if (m->state)
        m->class->free(m);
    if (m->values)
        param_values_free(m->values, m->class->nparams);
    mem_free(m->values);
    if (!m->trained) {
        mem_free(m->record.curve);
        mem_free(m->record.watched);
    }
    model_release(m->trained);
    for (size_t i = 0; i < m->nparts; i++) {
        mem_free(m->parts[i].name);
        model_release(m->parts[i].model);
    }
    snapshot_clear(&m->paused);
    mem_free(m->parts);
    mem_free(m->later);
    mem_free(m->name);
    mem_free(m);
}

void model_forget(struct model *m, uint8_t *later)
{
    mem_free(m->later);
    m->later = later;
}

enum status model_set_parts(struct model *m, struct model *const *models, size_t n, struct error *err)
{
    m->parts = mem_new(n, sizeof *m->parts, "the models of an ensemble", err);
    if (!m->parts)
        return ST_NOMEM;
    for (; m->nparts < n; m->nparts++) {
        struct model_part *part = &m->parts[m->nparts];
        part->name = mem_strdup(models[m->nparts]->name, err);
        if (!part->name)
            return ST_NOMEM;
        part->created = models[m->nparts]->record.created;
        part->model = model_hold(models[m->nparts]);
    }
    return ST_OK;
}

bool model_is_part(const struct model *m, size_t i, const struct model *part)
{
    return m->parts[i].created == part->record.created && strcmp(m->parts[i].name, part->name) == 0;
}

enum status model_attach(struct model *m, size_t i, struct model *part, struct error *err)
{
    struct model *trained = part->trained ? part->trained : part;
    bool fits = trained->nitems == m->nitems;
    if (trained->nitems > m->nitems)
        return error_set(err, ST_STATE, "%s knows more items than %s, which is made of it", part->name, m->name);
    m->parts[i].model = fits ? model_hold(trained) : model_widen(trained, m->nusers, m->nitems, err);
    return m->parts[i].model ? ST_OK : ST_NOMEM;
}

struct model *model_widen(struct model *m, size_t nusers, size_t nitems, struct error *err)
{
    struct model *trained = m->trained ? m->trained : m;
    struct model *wide = model_new(m->class, m->name, m->values, nusers, nitems, err);
    if (!wide)
        return NULL;
    wide->trained = model_hold(trained);
    wide->record = trained->record;
    return wide;
}

const struct model *model_trained(const struct model *m)
{
    return m->trained ? m->trained : m;
}

/* ---- histories ---- */

/* Up to so many events have their order made on the stack: an item and a place in the history are one number. */
enum { ON_STACK = 1024, BYTE = 256 };

/* Shell's sort with Ciura's gaps: in place, for long histories. By item, then by place, which waits in `count`. */
static bool comes_before(const struct query_item *a, const struct query_item *b)
{
    return a->item < b->item || (a->item == b->item && a->count < b->count);
}

static void sort_by_item(struct query_item *a, size_t n)
{
    static const size_t gaps[] = {86961, 33936, 13776, 4592, 1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        for (size_t i = gaps[g]; i < n; i++) {
            struct query_item x = a[i];
            size_t j = i;
            for (; j >= gaps[g] && comes_before(&x, &a[j - gaps[g]]); j -= gaps[g])
                a[j] = a[j - gaps[g]];
            a[j] = x;
        }
    }
}

/* One byte of the item after the other, the lowest first, each pass keeping what the last one ordered. The sorted are in the array
 * that is returned. */
static const uint64_t *sort_keys(uint64_t *from, uint64_t *to, size_t n, uint32_t largest)
{
    for (unsigned shift = 32; largest; shift += 8, largest >>= 8) {
        uint32_t at[BYTE] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++)
            at[from[i] >> shift & (BYTE - 1)]++;
        for (size_t b = 0; b < BYTE; b++) {
            uint32_t here = at[b];
            at[b] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++)
            to[at[from[i] >> shift & (BYTE - 1)]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static struct query_item alone(const struct query_event *e, size_t place)
{
    return (struct query_item){e->item, (uint32_t)place, e->weight, e->time};
}

/* out[0..q->n): the events by item, then by place. */
static void order_events(const struct query *q, struct query_item *out)
{
    enum { FEW = 40 }; /* counting bytes costs more */
    uint64_t keys[2][ON_STACK];
    uint32_t largest = 0;
    if (q->n < FEW || q->n > ON_STACK) {
        for (size_t i = 0; i < q->n; i++)
            out[i] = alone(&q->events[i], i);
        sort_by_item(out, q->n);
        return;
    }
    for (size_t i = 0; i < q->n; i++) {
        keys[0][i] = (uint64_t)q->events[i].item << 32 | i;
        largest = q->events[i].item > largest ? q->events[i].item : largest;
    }
    const uint64_t *sorted = sort_keys(keys[0], keys[1], q->n, largest);
    for (size_t i = 0; i < q->n; i++)
        out[i] = alone(&q->events[(uint32_t)sorted[i]], (uint32_t)sorted[i]);
}

/* A repeat. */
static void add_event(struct query_item *x, float weight, int64_t time)
{
    x->count++;
    x->weight += weight;
    if (time > x->time) /* NO_TIME is the smallest */
        x->time = time;
}

size_t query_items(const struct query *q, struct query_item *out)
{
    order_events(q, out);
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++) {
        if (n && out[n - 1].item == out[i].item) {
            add_event(&out[n - 1], out[i].weight, out[i].time);
        } else {
            out[n] = out[i];
            out[n++].count = 1;
        }
    }
    return n;
}

/* The history goes on where another one ended: what that amounts to is taken over, and the few events more are put in. */
static size_t items_after(const struct query *before, const struct query_item *items, size_t n, const struct query *q, struct query_item *out)
{
    memcpy(out, items, n * sizeof *out);
    for (size_t e = before->n; e < q->n; e++) {
        const struct query_event *v = &q->events[e];
        size_t low = 0, high = n;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (out[middle].item < v->item)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < n && out[low].item == v->item) {
            add_event(&out[low], v->weight, v->time);
            continue;
        }
        memmove(out + low + 1, out + low, (n - low) * sizeof *out);
        out[low] = (struct query_item){v->item, 1, v->weight, v->time};
        n++;
    }
    return n;
}

/* Histories folded together, and the events of one more than of the last for which putting them in is less work than sorting. */
enum { FOLD_BLOCK = 32, FOLD_MORE = 4 };

struct folding {
    const struct query *queries;
    struct folded *f; /* begin: with room for every event of a history */
    size_t *length;
};

static void fold_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct folding *g = context;
    (void)block;
    for (size_t i = begin; i < end; i++) {
        const struct query *q = &g->queries[i], *before = q - 1;
        struct query_item *out = g->f->items + g->f->begin[i];
        bool more = i > begin && before->events == q->events && before->n <= q->n && q->n - before->n <= FOLD_MORE;
        g->length[i] = more ? items_after(before, g->f->items + g->f->begin[i - 1], g->length[i - 1], q, out) : query_items(q, out);
    }
}

/* What repeats of an item left free goes. */
static void close_gaps(struct folded *f, const size_t *length)
{
    size_t at = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (at < f->begin[i])
            memmove(f->items + at, f->items + f->begin[i], length[i] * sizeof *f->items);
        f->begin[i] = at;
        at += length[i];
    }
    f->begin[f->n] = at;
}

enum status folded_new(struct folded *f, const struct query *queries, size_t n, struct error *err)
{
    size_t events = 0;
    for (size_t q = 0; q < n; q++)
        events += queries[q].n;
    f->n = n;
    f->begin = mem_new(n + 1, sizeof *f->begin, "history starts", err);
    f->items = mem_new_raw(events, sizeof *f->items, "histories", err);
    struct folding g = {queries, f, mem_new_raw(n, sizeof *g.length, "history lengths", err)};
    if (!f->begin || !f->items || !g.length) {
        mem_free(g.length);
        folded_clear(f);
        return ST_NOMEM;
    }
    for (size_t q = 0; q < n; q++)
        f->begin[q + 1] = f->begin[q] + queries[q].n;
    parallel_blocks(n, FOLD_BLOCK, fold_block, &g);
    close_gaps(f, g.length);
    mem_free(g.length);
    return ST_OK;
}

void folded_clear(struct folded *f)
{
    mem_free(f->begin);
    mem_free(f->items);
    *f = (struct folded){0};
}

enum status folded_rows(const struct query *queries, size_t n, size_t nitems, bool weigh, struct csr *out, struct error *err)
{
    struct folded f;
    *out = (struct csr){0};
    enum status st = folded_new(&f, queries, n, err);
    if (st)
        return st;
    st = csr_new(out, n, nitems, f.begin[n], weigh, err);
    if (!st)
        memcpy(out->begin, f.begin, (n + 1) * sizeof *f.begin);
    for (size_t i = 0; !st && i < f.begin[n]; i++) {
        out->index[i] = f.items[i].item;
        if (weigh)
            out->value[i] = f.items[i].weight;
    }
    folded_clear(&f);
    return st;
}

/* ---- explanations ---- */

enum status explanation_new(struct explanation *x, size_t nparts, struct error *err)
{
    *x = (struct explanation){0};
    x->parts = mem_new(nparts, sizeof *x->parts, "an explanation", err);
    return x->parts ? ST_OK : ST_NOMEM;
}

struct contribution *explanation_add(struct explanation *x, uint32_t item, double value)
{
    struct contribution *c = &x->parts[x->nparts++];
    *c = (struct contribution){.item = item, .value = value};
    return c;
}

static int by_size(const void *pa, const void *pb)
{
    const struct contribution *a = pa, *b = pb;
    double x = fabs(a->value), y = fabs(b->value);
    if (x != y)
        return x > y ? -1 : 1;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return strcmp(a->label, b->label);
}

void explanation_sort(struct explanation *x)
{
    qsort(x->parts, x->nparts, sizeof *x->parts, by_size);
}

void explanation_score(struct explanation *x, const float *scores, size_t n, uint32_t item)
{
    const double rounding = 1e-6;
    double sum = x->base, size = fabs(x->base), largest = 0;
    for (size_t p = 0; p < x->nparts; p++) {
        sum += x->parts[p].value;
        size += fabs(x->parts[p].value);
    }
    for (size_t i = 0; i < n; i++)
        largest = isfinite(scores[i]) ? fmax(largest, fabs((double)scores[i])) : largest;
    x->score = (double)scores[item];
    double lost = x->score - sum;
    if (!(size > 0) || !(fabs(lost) <= rounding * largest))
        return;
    x->base += fabs(x->base) * (lost / size);
    for (size_t p = 0; p < x->nparts; p++)
        x->parts[p].value += fabs(x->parts[p].value) * (lost / size);
}

void explanation_clear(struct explanation *x)
{
    mem_free(x->parts);
    *x = (struct explanation){0};
}

/* ---- calls through the class ---- */

static enum status no_such_item(const struct model *m, uint32_t item, struct error *err)
{
    error_set(err, ST_STATE, "model %s was trained on %zu items and does not know item number %u", m->name,
              model_trained(m)->nitems, item);
    error_hint(err, "train it again on the data as it is now");
    return ST_STATE;
}

static enum status check_queries(const struct model *m, const struct query *queries, size_t n, struct error *err)
{
    if (!model_trained(m)->state)
        return error_set(err, ST_STATE, "model %s is not trained", m->name);
    for (size_t i = 0; i < model_trained(m)->nparts; i++)
        if (!model_trained(m)->parts[i].model)
            return error_set(err, ST_STATE, "model %s is made of %s, which is not here", m->name, model_trained(m)->parts[i].name);
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

static size_t count_unknown(const struct query *queries, size_t n, size_t nitems)
{
    size_t unknown = 0;
    for (size_t q = 0; q < n; q++)
        for (size_t i = 0; i < queries[q].n; i++)
            unknown += queries[q].events[i].item >= nitems;
    return unknown;
}

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

/* Rows as long as the model knows items become rows of all items, in place; the last one moves first. What came later is out. */
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

enum status model_fold(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err)
{
    struct known k = {0};
    enum status st = check_queries(m, queries, n, err);
    if (st || !n)
        return st;
    st = known_new(m, queries, n, &k, err);
    if (!st)
        st = m->class->fold(model_trained(m), k.queries, n, x, err);
    known_clear(&k);
    return st;
}

/* A question about one item: *k is the history as the model was trained to read it. Clear it in every case. */
static enum status ask_of_item(const struct model *m, const struct query *q, uint32_t item, struct known *k, struct error *err)
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

enum status model_shares(const struct model *m, const struct query *q, uint32_t item, struct part_share *out, struct error *err)
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
    struct query_event event = {
        .item = item, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX};
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

bool model_sees_future(const struct model *m, int64_t as_of)
{
    return as_of != NO_TIME && m->record.trained_until != NO_TIME && m->record.trained_until >= as_of;
}

/* ---- parameters ---- */

void values_describe(const struct model_class *class, const struct param_value *values, bool only_given, struct str *out)
{
    const char *gap = "";
    for (size_t i = 0; i < class->nparams; i++) {
        const struct param_value *v = &values[i];
        if (!v->present || (only_given && !v->given))
            continue;
        str_printf(out, "%s%s=%s", gap, class->params[i].name, v->text);
        gap = " ";
    }
}

void model_describe(const struct model *m, bool only_given, struct str *out)
{
    const struct model *trained = model_trained(m);
    for (size_t i = 0; i < trained->nparts; i++)
        str_printf(out, "%s%s", i ? " " : "with ", trained->parts[i].name);
    struct str values = {0};
    values_describe(m->class, m->values, only_given, &values);
    str_printf(out, "%s%s", trained->nparts && values.length ? " " : "", str_text(&values));
    out->failed |= values.failed;
    str_free(&values);
}

size_t model_epochs(const struct model *m)
{
    return m->record.kept ? m->record.kept : m->record.epochs;
}

uint64_t model_bytes(const struct model *m)
{
    const struct model *trained = model_trained(m);
    uint64_t bytes = trained->record.bytes + trained->paused.n;
    for (size_t i = 0; i < trained->nparts; i++)
        bytes += trained->parts[i].model ? model_bytes(trained->parts[i].model) : 0;
    return bytes;
}

static const struct param_value *value_of(const struct model *m, const char *param, enum param_type *type)
{
    size_t i = param_index(m->class->params, m->class->nparams, param);
    *type = m->class->params[i].type;
    return &m->values[i];
}

double model_real(const struct model *m, const char *param)
{
    enum param_type type;
    const struct param_value *v = value_of(m, param, &type);
    return type == PARAM_REAL || type == PARAM_PERCENT ? v->real : (double)v->integer;
}

int64_t model_int(const struct model *m, const char *param)
{
    enum param_type type;
    const struct param_value *v = value_of(m, param, &type);
    return type == PARAM_BOOL ? v->yes : v->integer;
}

const char *model_text(const struct model *m, const char *param)
{
    enum param_type type;
    return value_of(m, param, &type)->text;
}

bool model_has(const struct model *m, const char *param)
{
    enum param_type type;
    return value_of(m, param, &type)->present;
}
