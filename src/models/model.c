#include "models/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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
    mem_free(m->record.curve);
    mem_free(m->name);
    mem_free(m);
}

/* ---- histories ---- */

/* By item, then by place in the history; the place waits in `count`. */
static bool comes_before(const struct query_item *a, const struct query_item *b)
{
    return a->item < b->item || (a->item == b->item && a->count < b->count);
}

/* Shell's sort with Ciura's gaps: in place, and histories are short. */
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

size_t query_items(const struct query *q, struct query_item *out)
{
    for (size_t i = 0; i < q->n; i++)
        out[i] = (struct query_item){q->events[i].item, (uint32_t)i, q->events[i].weight, q->events[i].time};
    sort_by_item(out, q->n);
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++) {
        if (n && out[n - 1].item == out[i].item) {
            out[n - 1].count++;
            out[n - 1].weight += out[i].weight;
            if (out[i].time > out[n - 1].time) /* NO_TIME is the smallest */
                out[n - 1].time = out[i].time;
        } else {
            out[n] = out[i];
            out[n++].count = 1;
        }
    }
    return n;
}

enum status folded_new(struct folded *f, const struct query *queries, size_t n, struct error *err)
{
    size_t events = 0;
    for (size_t q = 0; q < n; q++)
        events += queries[q].n;
    f->n = n;
    f->begin = mem_new(n + 1, sizeof *f->begin, "history starts", err);
    f->items = mem_new_raw(events, sizeof *f->items, "histories", err);
    if (!f->begin || !f->items) {
        folded_clear(f);
        return ST_NOMEM;
    }
    for (size_t q = 0; q < n; q++)
        f->begin[q + 1] = f->begin[q] + query_items(&queries[q], f->items + f->begin[q]);
    return ST_OK;
}

void folded_clear(struct folded *f)
{
    mem_free(f->begin);
    mem_free(f->items);
    *f = (struct folded){0};
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

void explanation_clear(struct explanation *x)
{
    mem_free(x->parts);
    *x = (struct explanation){0};
}

/* ---- calls through the class ---- */

static enum status check_item(const struct model *m, uint32_t item, struct error *err)
{
    if (item < m->nitems)
        return ST_OK;
    error_set(err, ST_STATE, "model %s was trained on %zu items and does not know item number %u", m->name, m->nitems, item);
    error_hint(err, "train it again on the data as it is now");
    return ST_STATE;
}

static enum status check_queries(const struct model *m, const struct query *queries, size_t n, struct error *err)
{
    if (!m->state)
        return error_set(err, ST_STATE, "model %s is not trained", m->name);
    for (size_t q = 0; q < n; q++) {
        for (size_t i = 0; i < queries[q].n; i++) {
            enum status st = check_item(m, queries[q].events[i].item, err);
            if (st)
                return st;
        }
    }
    return ST_OK;
}

enum status model_score(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    enum status st = check_queries(m, queries, n, err);
    return st || !n ? st : m->class->score(m, queries, n, scores, err);
}

enum status model_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                          struct error *err)
{
    *out = (struct explanation){0};
    enum status st = check_queries(m, q, 1, err);
    if (!st)
        st = check_item(m, item, err);
    if (!st)
        st = m->class->explain(m, q, item, out, err);
    if (st)
        explanation_clear(out);
    return st;
}

enum status model_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    struct query_event event = {
        .item = item, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX};
    struct query q = {.events = &event, .n = 1, .user = NO_USER, .as_of = NO_TIME};
    enum status st = check_queries(m, &q, 1, err);
    if (!st)
        st = m->class->similar ? m->class->similar(m, item, similarity, err) : m->class->score(m, &q, 1, similarity, err);
    if (!st)
        similarity[item] = -INFINITY; /* an item is not its own neighbour */
    return st;
}

bool model_sees_future(const struct model *m, int64_t as_of)
{
    return as_of != NO_TIME && m->record.trained_until != NO_TIME && m->record.trained_until >= as_of;
}

/* ---- parameters ---- */

void model_describe(const struct model *m, bool only_given, struct str *out)
{
    const char *gap = "";
    for (size_t i = 0; i < m->class->nparams; i++) {
        const struct param_value *v = &m->values[i];
        if (!v->present || (only_given && !v->given))
            continue;
        str_printf(out, "%s%s=%s", gap, m->class->params[i].name, v->text);
        gap = " ";
    }
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

bool model_has(const struct model *m, const char *param)
{
    enum param_type type;
    return value_of(m, param, &type)->present;
}
