/* Content-based nearest neighbours: an item is what is known of it, not who had to do with it.
 *
 *     score(h, i) = sum over the `neighbours` items j of h with the largest v_j cos(x_j, x_i), j != i
 *
 * x_i: the TF-IDF weights of the tags of item i (item_tags.h); v_j: 1, or the weight in the history. Neighbours are
 * sought among the history, not once for all among the items: many items have the very same tags, and a list of the
 * nearest of all items would have to choose between them by their numbers, so that the last ones, the cold ones, would
 * never stand in it. Here items with the same tags have the same score, whoever came first.
 *
 * Only the rows x are kept. The cosines of an item with a history come from the history's lists of items by tag, so the
 * cost of a question is that of the pairs (item of the history, item) with a tag in common, without memory of the
 * square of the items. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/topk.h"
#include "models/classes.h"
#include "models/item_tags.h"
#include "models/item_weights.h"
#include "models/sparse_blob.h"

static const struct param params[] = {
    {.name = "neighbours",
     .type = PARAM_INT,
     .initial = "20",
     .min = 1,
     .max = 1e6,
     .tune_min = 1,
     .tune_max = 200,
     .log_scale = true,
     .doc = "items of the history that count: those most like the item in question"},
    {.name = "fields",
     .type = PARAM_TEXT,
     .initial = "auto",
     .doc = "what items are compared by: fields such as genres,title,price; auto: lists and short texts that items "
            "share, else titles"},
    VALUES_PARAM,
};

struct content {
    struct csr tags;        /* nitems x tags: rows of length 1, or empty */
    char *text;             /* what tags are called, one after the other, each with its NUL */
    size_t ntext, *text_at; /* tags + 1 places */
    size_t neighbours;
    bool weigh;
};

static void content_free(struct model *m)
{
    struct content *s = m->state;
    if (!s)
        return;
    csr_clear(&s->tags);
    mem_free(s->text);
    mem_free(s->text_at);
    mem_free(s);
    m->state = NULL;
}

static enum status content_new(struct model *m, struct error *err)
{
    struct content *s = mem_new(1, sizeof *s, "content", err);
    if (!s)
        return ST_NOMEM;
    s->neighbours = (size_t)model_int(m, "neighbours");
    s->weigh = model_int(m, "values") == VALUES_WEIGHT;
    m->state = s;
    return ST_OK;
}

/* ---- training ---- */

/* An upper bound but for long texts: an entry for each value of a list, and for each eight bytes of a text. */
static enum status content_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    const struct fields *fields = &t->selection->data->item_fields;
    size_t entries = 0;
    (void)err;
    for (size_t f = 0; f < fields->n; f++) {
        const struct field *field = &fields->field[f];
        if (field->type == FIELD_LIST)
            entries += field->list_begin[field->n];
        else if (field->type == FIELD_TEXT && field->levels.n)
            entries += field->n * (1 + field->levels.nbytes / field->levels.n / 8);
        else
            entries += field->n;
    }
    *bytes = entries * (sizeof(uint32_t) + sizeof(float)) + (m->nitems + 1) * sizeof(size_t);
    return ST_OK;
}

static void normalize(struct csr *x)
{
    for (size_t r = 0; r < x->rows; r++) {
        double square = 0;
        for (size_t e = x->begin[r]; e < x->begin[r + 1]; e++)
            square += (double)x->value[e] * x->value[e];
        for (size_t e = x->begin[r]; e < x->begin[r + 1]; e++)
            x->value[e] = (float)(x->value[e] / sqrt(square));
    }
}

/* The labels of tags[0..n) into s->text. */
static enum status take_labels(struct content *s, const struct item_tags *tags, struct error *err)
{
    size_t n = tags->names.n;
    for (uint32_t t = 0; t < n; t++)
        s->ntext += strlen(item_tags_label(tags, t)) + 1;
    s->text = mem_new(s->ntext, 1, "names of tags", err);
    s->text_at = mem_new(n + 1, sizeof *s->text_at, "names of tags", err);
    if (!s->text || !s->text_at)
        return ST_NOMEM;
    for (uint32_t t = 0; t < n; t++) {
        size_t size = strlen(item_tags_label(tags, t)) + 1;
        memcpy(s->text + s->text_at[t], item_tags_label(tags, t), size);
        s->text_at[t + 1] = s->text_at[t] + size;
    }
    return ST_OK;
}

static enum status content_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    return content_new(m, err);
}

static enum status content_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                 struct error *err)
{
    (void)epoch;
    (void)loss;
    struct content *s = m->state;
    struct item_tags tags;
    job_begin(t->job, 1, "matrix", "train %s: reading what items are", m->name);
    enum status st = item_tags_build(t->selection->data, model_text(m, "fields"), TAGS_TFIDF, &tags, err);
    if (!st)
        st = take_labels(s, &tags, err);
    if (!st) {
        normalize(&tags.matrix);
        s->tags = tags.matrix;
        tags.matrix = (struct csr){0};
    }
    *done = true;
    item_tags_clear(&tags);
    return st;
}

/* ---- answering ---- */

/* A history by tag: row t has the items j of the history with tag t, and v_j x_jt. */
struct lists {
    const struct content *s;
    const struct query_item *items;
    size_t n;
    struct csr by_tag; /* tags x n */
    float *out;        /* scores of all items */
    atomic_bool failed;
};

static enum status lists_new(struct lists *l, const struct content *s, const struct query_item *items, size_t n,
                             struct error *err)
{
    struct csr rows;
    size_t count = 0;
    *l = (struct lists){.s = s, .items = items, .n = n};
    for (size_t h = 0; h < n; h++)
        count += s->tags.begin[items[h].item + 1] - s->tags.begin[items[h].item];
    enum status st = csr_new(&rows, n, s->tags.cols, count, 1, err);
    if (st)
        return st;
    for (size_t h = 0; h < n; h++) {
        size_t from = s->tags.begin[items[h].item], size = s->tags.begin[items[h].item + 1] - from, to = rows.begin[h];
        memcpy(rows.index + to, s->tags.index + from, size * sizeof *rows.index);
        for (size_t e = 0; e < size; e++)
            rows.value[to + e] = s->tags.value[from + e] * (s->weigh ? items[h].weight : 1);
        rows.begin[h + 1] = to + size;
    }
    st = csr_transpose(&rows, &l->by_tag, err);
    csr_clear(&rows);
    return st;
}

/* Room for the answers about one item after the other. */
struct near {
    float *like;         /* v_j cos(x_j, x_i) of each item j of the history */
    struct best best;
};

static bool near_new(struct near *r, const struct lists *l, struct error *err)
{
    size_t k = l->s->neighbours < l->n ? l->s->neighbours : l->n;
    *r = (struct near){.like = mem_new_raw(l->n, sizeof *r->like, "similarities", err),
                       .best = {.k = k, .list = mem_new_raw(k, sizeof *r->best.list, "neighbours", err)}};
    return r->like && r->best.list;
}

static void near_clear(struct near *r)
{
    mem_free(r->like);
    mem_free(r->best.list);
}

/* The neighbours of an item into r->best, best first, and the sum of what they say. */
static float score_item(const struct lists *l, uint32_t item, struct near *r)
{
    const struct csr *tags = &l->s->tags;
    float sum = 0;
    memset(r->like, 0, l->n * sizeof *r->like);
    for (size_t e = tags->begin[item]; e < tags->begin[item + 1]; e++)
        for (size_t p = l->by_tag.begin[tags->index[e]]; p < l->by_tag.begin[tags->index[e] + 1]; p++)
            r->like[l->by_tag.index[p]] += tags->value[e] * l->by_tag.value[p];
    r->best.n = 0;
    for (size_t h = 0; h < l->n; h++)
        if (r->like[h] > 0 && r->like[h] > best_bar(&r->best) && l->items[h].item != item)
            best_offer(&r->best, (uint32_t)h, r->like[h]);
    size_t n = best_finish(&r->best);
    for (size_t b = 0; b < n; b++)
        sum += r->best.list[b].score;
    return sum;
}

enum { ITEM_BLOCK = 512 };

static void score_block(void *context, size_t block, size_t begin, size_t end)
{
    struct lists *l = context;
    struct near r;
    (void)block;
    if (near_new(&r, l, NULL))
        for (size_t i = begin; i < end; i++)
            l->out[i] = score_item(l, (uint32_t)i, &r);
    else
        l->failed = true;
    near_clear(&r);
}

static enum status content_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                 struct error *err)
{
    const struct content *s = m->state;
    struct folded f;
    enum status st = folded_new(&f, queries, n, err);
    for (size_t q = 0; q < n && !st; q++) {
        struct lists l;
        float *out = scores + q * m->nitems;
        if (f.begin[q] == f.begin[q + 1]) {
            memset(out, 0, m->nitems * sizeof *out);
            continue;
        }
        st = lists_new(&l, s, f.items + f.begin[q], f.begin[q + 1] - f.begin[q], err);
        l.out = out;
        if (!st)
            parallel_blocks(m->nitems, ITEM_BLOCK, score_block, &l);
        if (!st && l.failed)
            st = error_nomem(err, l.n * sizeof(float), "similarities");
        csr_clear(&l.by_tag);
    }
    folded_clear(&f);
    return st;
}

/* ---- why ---- */

/* Tags that two items share, the weightiest first, as many as there is room for: "Comedy, Romance". */
static void name_shared(const struct content *s, uint32_t a, uint32_t b, char *out, size_t size)
{
    const struct csr *x = &s->tags;
    float above = INFINITY;
    size_t used = 0;
    uint32_t last = 0;
    for (;;) { /* the next one after (above, last) in the order of weight and tag */
        float weight = 0;
        uint32_t tag = 0;
        for (size_t i = x->begin[a], j = x->begin[b]; i < x->begin[a + 1] && j < x->begin[b + 1];) {
            float both = x->value[i] * x->value[j];
            uint32_t t = x->index[i];
            if (t == x->index[j] && both > weight && (both < above || (!(both > above) && t > last))) {
                weight = both;
                tag = t;
            }
            bool left = t <= x->index[j];
            j += t >= x->index[j];
            i += left;
        }
        const char *text = s->text + s->text_at[tag];
        if (!(weight > 0) || used + strlen(text) + 3 > size)
            return;
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", text);
        above = weight;
        last = tag;
    }
}

static bool among_best(const struct best *b, size_t h)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->list[i].index == h)
            return true;
    return false;
}

/* What one history says of one item. */
struct asking {
    struct folded f;
    struct lists l;
    struct near r;
    float score;
};

/* Close it in every case. */
static enum status asking_open(struct asking *a, const struct model *m, const struct query *q, uint32_t item,
                               struct error *err)
{
    *a = (struct asking){0};
    enum status st = folded_new(&a->f, q, 1, err);
    if (st || !a->f.begin[1])
        return st;
    st = lists_new(&a->l, m->state, a->f.items, a->f.begin[1], err);
    if (!st && !near_new(&a->r, &a->l, err))
        st = ST_NOMEM;
    if (!st)
        a->score = score_item(&a->l, item, &a->r);
    return st;
}

static void asking_close(struct asking *a)
{
    near_clear(&a->r);
    csr_clear(&a->l.by_tag);
    folded_clear(&a->f);
}

static enum status content_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                   struct error *err)
{
    struct asking a;
    enum status st = asking_open(&a, m, q, item, err);
    if (!st)
        st = explanation_new(out, a.l.n, err);
    for (size_t h = 0; h < a.l.n && !st; h++) {
        bool counts = among_best(&a.r.best, h);
        uint32_t j = a.f.items[h].item;
        struct contribution *c = explanation_add(out, j, counts ? (double)a.r.like[h] : 0);
        if (counts)
            name_shared(m->state, j, item, c->label, sizeof c->label);
        else
            snprintf(c->label, sizeof c->label, "%s",
                     j == item         ? "the item itself"
                     : a.r.like[h] > 0 ? "others are more alike"
                                       : "nothing in common");
    }
    if (!st) {
        explanation_sort(out);
        out->score = a.score;
        out->exact = true;
        out->method = "similarity to items of the history by what they are (exact)";
    }
    asking_close(&a);
    return st;
}

static enum status content_steps(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                                 struct error *err)
{
    const struct content *s = m->state;
    struct asking a;
    enum status st = asking_open(&a, m, q, item, err);
    if (!st)
        st = steps_new(out, a.r.best.n, err);
    for (size_t b = 0; b < a.r.best.n && !st; b++) {
        const struct query_item *h = &a.f.items[a.r.best.list[b].index];
        double v = s->weigh ? (double)h->weight : 1;
        steps_add(out, h->item, v, (double)a.r.best.list[b].score / v);
    }
    asking_close(&a);
    return st;
}

static enum status content_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    const struct csr *x = &((const struct content *)m->state)->tags;
    float *own = mem_new(x->cols, sizeof *own, "tags of an item", err);
    if (!own)
        return ST_NOMEM;
    for (size_t e = x->begin[item]; e < x->begin[item + 1]; e++)
        own[x->index[e]] = x->value[e];
    for (size_t i = 0; i < m->nitems; i++) {
        float sum = 0;
        for (size_t e = x->begin[i]; e < x->begin[i + 1]; e++)
            sum += x->value[e] * own[x->index[e]];
        similarity[i] = sum > 0 ? sum : -INFINITY;
    }
    mem_free(own);
    return ST_OK;
}

/* ---- keeping ---- */

static enum status content_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct content *s = m->state;
    uint64_t tags = s->tags.cols;
    enum status st = blob_put(w, "tags", BLOB_U64, &tags, 1, err);
    if (!st)
        st = blob_put(w, "tag-names", BLOB_U8, s->text, s->ntext, err);
    return st ? st : sparse_save(&s->tags, w, err);
}

/* Where each name begins: as many as there are tags. */
static enum status find_names(struct content *s, size_t tags, const char *model, struct error *err)
{
    size_t n = 0;
    for (size_t b = 0; b < s->ntext; b++)
        n += !s->text[b];
    if (n != tags || (s->ntext && s->text[s->ntext - 1]))
        return error_set(err, ST_CORRUPT, "the tags of model %s are damaged", model);
    s->text_at = mem_new(tags + 1, sizeof *s->text_at, "names of tags", err);
    if (!s->text_at)
        return ST_NOMEM;
    for (size_t b = 0, t = 0; b < s->ntext; b++)
        if (!s->text[b])
            s->text_at[++t] = b + 1;
    return ST_OK;
}

static enum status content_load(struct model *m, struct blob_reader *r, struct error *err)
{
    uint64_t tags;
    void *text = NULL;
    enum status st = content_new(m, err);
    struct content *s = m->state;
    if (!st)
        st = blob_get(r, "tags", BLOB_U64, &tags, 1, err);
    if (!st)
        st = tags > UINT32_MAX ? error_set(err, ST_CORRUPT, "the tags of model %s are damaged", m->name)
                               : blob_get_new(r, "tag-names", BLOB_U8, SIZE_MAX, &text, &s->ntext, err);
    if (st)
        return st;
    s->text = text;
    st = find_names(s, tags, m->name, err);
    return st ? st : sparse_load(&s->tags, m->nitems, tags, true, m->name, r, err);
}

const struct model_class model_contentknn = {
    .name = "contentknn",
    .summary = "items with the tags, categories or words of the history's items; cold ones too",
    .reference = "Lops, de Gemmis, Semeraro: Content-based recommender systems: state of the art and trends, "
                 "Recommender Systems Handbook, 2011; TF-IDF: Salton, Buckley: Term-weighting approaches in automatic "
                 "text retrieval, IP&M 24(5), 1988",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .capabilities = CLOSED_FORM | SCORES_APART,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = content_check,
    .begin = content_begin,
    .epoch = content_epoch,
    .score = content_score,
    .explain = content_explain,
    .steps = content_steps,
    .formula = "score = sum over the nearest j of the history of v x cos(j, i); cos: of the TF-IDF weights of what the "
               "two items are",
    .similar = content_similar,
    .save = content_save,
    .load = content_load,
    .free = content_free,
};
