#include "models/ensemble.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"

/* ---- one scale for all ---- */

void history_take_out(const struct query *q, float *scores, float *kept)
{
    for (size_t e = 0; e < q->n; e++) {
        kept[e] = scores[q->events[e].item];
        scores[q->events[e].item] = NAN;
    }
}

void history_put_back(const struct query *q, float *scores, const float *kept)
{
    for (size_t e = q->n; e-- > 0;) /* backwards: of an item that comes twice the first one was kept */
        scores[q->events[e].item] = kept[e];
}

struct line normalizer_line(enum normalizer how, const float *scores, size_t n)
{
    double sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        double s = (double)scores[i];
        if (!isfinite(s))
            continue;
        sum += s;
        low = s < low ? s : low;
        high = s > high ? s : high;
        count++;
    }
    if (!count || how == NORMALIZE_NONE)
        return (struct line){1, 0, count ? (float)low : 0};
    double mean = sum / (double)count, scale = 0, offset = 0;
    if (how == NORMALIZE_ZSCORE) {
        for (size_t i = 0; i < n; i++)
            if (isfinite(scores[i]))
                squares += ((double)scores[i] - mean) * ((double)scores[i] - mean);
        scale = squares > 0 && high > low ? 1 / sqrt(squares / (double)count) : 0;
        offset = -mean * scale;
    } else if (how == NORMALIZE_MINMAX) {
        scale = high > low ? 1 / (high - low) : 0;
        offset = -low * scale;
    } else {
        double largest = fmax(fabs(low), fabs(high));
        scale = largest > 0 ? 1 / largest : 0;
    }
    if (!isfinite(scale) || !isfinite(offset))
        scale = offset = 0;
    return (struct line){(float)scale, (float)offset, (float)(scale * low + offset)};
}

/* ---- parts ---- */

enum status ensemble_check(const struct model *m, size_t least, struct error *err)
{
    if (m->nparts >= least && m->nparts <= PARTS_MAX)
        return ST_OK;
    if (m->nparts > PARTS_MAX)
        return error_set(err, ST_USAGE, "%s can be made of %d models at most", m->class->name, PARTS_MAX);
    error_set(err, ST_USAGE, "%s is made of trained models, %zu at least", m->class->name, least);
    error_hint(err, "name them: train %s with ease itemknn", m->class->name);
    return ST_USAGE;
}

bool ensemble_numbers(const char *text, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        char number[32];
        size_t length = strcspn(text, ",");
        if (length >= sizeof number || (text[length] == ',') != (i + 1 < n))
            return false;
        snprintf(number, sizeof number, "%.*s", (int)length, text);
        if (!text_parse_real(number, &out[i]))
            return false;
        text += length + 1;
    }
    return n > 0;
}

/* Lists say what is good and nothing of the rest, so that a list cannot be counted against its items: those it leaves
 * out would be first. */
static enum status check_signs(const struct param *p, const struct model *m, const char *text, const double *w,
                               struct error *err)
{
    for (size_t i = 0; i < m->nparts && p->max > p->min; i++) {
        if (w[i] >= p->min && w[i] <= p->max)
            continue;
        if (w[i] > p->max)
            return error_set(err, ST_USAGE, "weights=%s: %g is out of range: expected %g to %g", text, w[i], p->min,
                             p->max);
        error_set(err, ST_USAGE,
                  "weights=%s: no weight of %s may be below 0, or what %s does not list would come first", text,
                  m->class->name, m->parts[i].name);
        error_hint(err, "`blend` takes such weights: it has scores of all items");
        return ST_USAGE;
    }
    return ST_OK;
}

static enum status read_weights(const struct param *p, const struct model *m, const char *text, float *weight,
                                struct error *err)
{
    double w[PARTS_MAX], sum = 0;
    if (strcmp(text, "equal") == 0)
        return ST_OK;
    bool good = ensemble_numbers(text, m->nparts, w);
    if (good && check_signs(p, m, text, w, err))
        return ST_USAGE;
    for (size_t j = 0; j < m->nparts && good; j++) {
        weight[j] = (float)w[j];
        sum += fabs(w[j]);
    }
    if (good && sum > 0 && isfinite((float)sum))
        return ST_OK;
    error_set(err, ST_USAGE, "weights=%s is not a weight for each of the %zu models", text, m->nparts);
    error_hint(err,
               "numbers between commas in the order of the models, not all 0, or weights=equal; `stack` fits them");
    return ST_USAGE;
}

enum status ensemble_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct ensemble *s = mem_new(1, sizeof *s, "an ensemble", err);
    if (!s)
        return ST_NOMEM;
    m->state = s;
    for (size_t p = 0; p < m->nparts; p++)
        s->weight[p] = 1 / (float)m->nparts;
    size_t i = param_index(m->class->params, m->class->nparams, "weights");
    return i < m->class->nparams ? read_weights(&m->class->params[i], m, m->values[i].text, s->weight, err) : ST_OK;
}

void ensemble_free(struct model *m)
{
    mem_free(m->state);
    m->state = NULL;
}

enum status ensemble_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
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

const float *ensemble_weights(const struct model *m)
{
    return ((const struct ensemble *)m->state)->weight;
}

enum status ensemble_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    return blob_put(w, "weight", BLOB_F32, ensemble_weights(m), m->nparts, err);
}

enum status ensemble_load(struct model *m, struct blob_reader *r, struct error *err)
{
    struct ensemble *s = mem_new(1, sizeof *s, "an ensemble", err);
    if (!s)
        return ST_NOMEM;
    m->state = s;
    enum status st = m->nparts <= PARTS_MAX ? blob_get(r, "weight", BLOB_F32, s->weight, m->nparts, err) : ST_CORRUPT;
    for (size_t p = 0; p < m->nparts && !st; p++)
        st = isfinite(s->weight[p]) ? ST_OK : ST_CORRUPT;
    return st == ST_CORRUPT ? error_set(err, st, "the weights of model %s are damaged", m->name) : st;
}

/* ---- scoring ---- */

struct mixing {
    enum normalizer how;
    float weight;
    size_t nitems;
    const struct query *queries;
    const size_t *kept_begin; /* per query: where its events start in `kept` */
    float *kept;
    float *part;    /* scores of one part, n x nitems */
    float *unknown; /* per query: what the parts so far gave an item that none of them knows */
    float *scores;
};

/* Adds one part to one row. Until a part knows an item it stays at -inf. */
static void add_part(float *out, const float *part, size_t n, float weight, const struct line *line, float unknown)
{
    float scale = weight * line->scale, offset = weight * line->offset, lowest = weight * line->lowest;
    for (size_t i = 0; i < n; i++) {
        bool known = part[i] > -INFINITY, before = out[i] > -INFINITY;
        float z = known ? scale * part[i] + offset : lowest;
        out[i] = before ? out[i] + z : known ? unknown + z : -INFINITY;
    }
}

static void mix_rows(void *context, size_t block, size_t begin, size_t end)
{
    struct mixing *x = context;
    (void)block;
    for (size_t q = begin; q < end; q++) {
        float *part = x->part + q * x->nitems, *kept = x->kept + x->kept_begin[q];
        history_take_out(&x->queries[q], part, kept);
        struct line line = normalizer_line(x->how, part, x->nitems);
        history_put_back(&x->queries[q], part, kept);
        add_part(x->scores + q * x->nitems, part, x->nitems, x->weight, &line, x->unknown[q]);
        x->unknown[q] += x->weight * line.lowest;
    }
}

static enum status mixing_new(struct mixing *x, const struct query *queries, size_t n, struct error *err)
{
    size_t events = 0, *begin = mem_new(n + 1, sizeof *begin, "histories", err);
    for (size_t q = 0; begin && q < n; q++)
        begin[q + 1] = events += queries[q].n;
    x->kept_begin = begin;
    x->kept = mem_new_raw(events, sizeof *x->kept, "histories", err);
    x->part = mem_new_raw(n * x->nitems, sizeof *x->part, "the scores of a part", err);
    x->unknown = mem_new(n, sizeof *x->unknown, "the scores of a part", err);
    return begin && x->kept && x->part && x->unknown ? ST_OK : ST_NOMEM;
}

static void mixing_clear(struct mixing *x)
{
    mem_free((void *)x->kept_begin);
    mem_free(x->kept);
    mem_free(x->part);
    mem_free(x->unknown);
}

enum status ensemble_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                           struct error *err)
{
    enum { ROWS = 4 };
    const float *weight = ensemble_weights(m);
    struct mixing x = {
        .how = (enum normalizer)model_int(m, "normalize"), .nitems = m->nitems, .queries = queries, .scores = scores};
    enum status st = mixing_new(&x, queries, n, err);
    for (size_t i = 0; i < n * m->nitems && !st; i++)
        scores[i] = -INFINITY;
    for (size_t p = 0; p < m->nparts && !st; p++) {
        if (weight[p] == 0)
            continue;
        st = model_score(m->parts[p].model, queries, n, x.part, err);
        x.weight = weight[p];
        if (!st)
            parallel_blocks(n, ROWS, mix_rows, &x);
    }
    mixing_clear(&x);
    return st;
}

/* ---- explaining ---- */

static int by_item_then_label(const void *pa, const void *pb)
{
    const struct contribution *a = pa, *b = pb;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return strcmp(a->label, b->label);
}

/* What several parts say of one item of the history becomes one contribution. */
static void merge(struct explanation *x)
{
    size_t kept = 0;
    qsort(x->parts, x->nparts, sizeof *x->parts, by_item_then_label);
    for (size_t i = 0; i < x->nparts; i++) {
        struct contribution *last = kept ? &x->parts[kept - 1] : NULL;
        if (last && x->parts[i].item != NO_ITEM && last->item == x->parts[i].item) {
            last->value += x->parts[i].value;
            last->label[0] = '\0';
        } else {
            x->parts[kept++] = x->parts[i];
        }
    }
    x->nparts = kept;
}

/* Is there something to say, but of no item of the history? */
static bool only_labels(const struct explanation *y)
{
    for (size_t i = 0; i < y->nparts; i++)
        if (y->parts[i].item != NO_ITEM)
            return false;
    return y->nparts > 0;
}

/* What sets the item apart for everybody in the part where that counts most. */
static void take_own(struct explanation *x, const struct explanation *y, double scale)
{
    if (!y->own_is || !(scale * y->own > x->own))
        return;
    x->own = scale * y->own;
    x->own_is = y->own_is;
}

enum status ensemble_take(struct explanation *x, const struct explanation *y, const char *name, double scale,
                          double offset, struct error *err)
{
    struct contribution *grown = mem_new(x->nparts + y->nparts, sizeof *grown, "an explanation", err);
    if (!grown)
        return ST_NOMEM;
    if (x->nparts)
        memcpy(grown, x->parts, x->nparts * sizeof *grown);
    mem_free(x->parts);
    x->parts = grown;
    x->exact = x->exact && y->exact;
    if (only_labels(y)) {
        struct contribution *c = explanation_add(x, NO_ITEM, scale * y->score + offset);
        snprintf(c->label, sizeof c->label, "%s", name);
        return ST_OK;
    }
    x->base += scale * y->base + offset;
    take_own(x, y, scale);
    for (size_t i = 0; i < y->nparts; i++) {
        struct contribution *c = explanation_add(x, y->parts[i].item, scale * y->parts[i].value);
        if (c->item == NO_ITEM)
            snprintf(c->label, sizeof c->label, "%.20s: %.70s", name, y->parts[i].label);
        else
            snprintf(c->label, sizeof c->label, "%s", y->parts[i].label);
    }
    return ST_OK;
}

void ensemble_taken(struct explanation *x, float score, const char *exact, const char *approximate)
{
    if (x->nparts) {
        merge(x);
        explanation_sort(x);
    }
    x->score = (double)score;
    x->method = x->exact ? exact : approximate;
}

/* What one part gives the item, and the line that puts its scores on the common scale. */
static enum status ask_part(const struct model *part, enum normalizer how, const struct query *q, uint32_t item,
                            float *score, struct line *line, struct error *err)
{
    float *scores = mem_new_raw(part->nitems, sizeof *scores, "the scores of a part", err);
    float *kept = mem_new_raw(q->n, sizeof *kept, "a history", err);
    enum status st = scores && kept ? model_score(part, q, 1, scores, err) : ST_NOMEM;
    if (!st) {
        *score = scores[item];
        history_take_out(q, scores, kept);
        *line = normalizer_line(how, scores, part->nitems);
    }
    mem_free(scores);
    mem_free(kept);
    return st;
}

enum status ensemble_shares(const struct model *m, const struct query *q, uint32_t item, struct part_share *out,
                            struct error *err)
{
    enum normalizer how = (enum normalizer)model_int(m, "normalize");
    enum status st = ST_OK;
    for (size_t p = 0; p < m->nparts && !st; p++) {
        struct part_share *s = &out[p];
        struct line line;
        *s = (struct part_share){.weight = (double)ensemble_weights(m)[p]};
        st = ask_part(m->parts[p].model, how, q, item, &s->score, &line, err);
        if (st)
            break;
        bool known = s->score > -INFINITY;
        s->value = known ? (double)line.scale * (double)s->score + (double)line.offset : (double)line.lowest;
        s->adds = s->weight * s->value;
        if (!known)
            snprintf(s->note, sizeof s->note, "does not know it");
    }
    return st;
}

/* One part's share in the score of `item`, into x; `score` and `unknown` as in add_part. */
static enum status explain_part(const struct model *part, enum normalizer how, float weight, const struct query *q,
                                uint32_t item, struct explanation *x, float *score, float *unknown, struct error *err)
{
    struct explanation y = {0};
    struct line line;
    float own;
    enum status st = ask_part(part, how, q, item, &own, &line, err);
    if (st)
        return st;
    if (own > -INFINITY) {
        st = model_explain(part, q, item, &y, err);
        if (!st)
            st = ensemble_take(x, &y, part->name, (double)weight * (double)line.scale,
                               (double)weight * (double)line.offset, err);
    } else {
        x->base += (double)weight * (double)line.lowest;
    }
    add_part(score, &own, 1, weight, &line, *unknown);
    *unknown += weight * line.lowest;
    explanation_clear(&y);
    return st;
}

enum status ensemble_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                             struct error *err)
{
    enum normalizer how = (enum normalizer)model_int(m, "normalize");
    const float *weight = ensemble_weights(m);
    float score = -INFINITY, unknown = 0;
    enum status st = ST_OK;
    *out = (struct explanation){.exact = true};
    for (size_t p = 0; p < m->nparts && !st; p++)
        if (weight[p] != 0)
            st = explain_part(m->parts[p].model, how, weight[p], q, item, out, &score, &unknown, err);
    if (!st)
        ensemble_taken(out, score, "the models it is made of, weighted (exact)",
                       "the models it is made of, weighted (some of them approximate)");
    return st;
}
