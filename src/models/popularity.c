/* Popularity, decayed with age: the same list for everybody, or for everybody of a segment.
 *
 *   s_i     = sum over the events e of item i of  weight(e) * exp(-ln 2 * age(e) / half_life)
 *   s_i(g)  = the same over the events of the users of segment g, plus prior * s_i / sum of all s
 *
 * The second is `by`: what the segment says, and `prior` events' worth of what all say, so that small segments lean on
 * it. Who belongs to no segment gets s_i. Ages are counted from the newest event of training. What is kept are the sums
 * and counts per item and event type, in compressed rows, so that a score can be taken apart:
 *
 *   begin[i] .. begin[i + 1]   the types that item i has
 *   type[], sum[], count[]     which, its decayed sum, its number of events */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "models/classes.h"
#include "models/decay.h"
#include "models/segments.h"

enum { COUNT_EVENTS, COUNT_USERS };
enum { PRIOR = 100 };

static const struct param params[] = {
    HALF_LIFE_PARAM(1, 365),
    {.name = "count",
     .type = PARAM_ENUM,
     .initial = "events",
     .choices = "events|users",
     .tune_max = 1,
     .doc = "sum events by the weight of their type, or count each user of an item once"},
    {.name = "by",
     .type = PARAM_COLUMN,
     .doc = "an attribute of users, such as country: what is popular among those with the same value"},
    {.name = "prior",
     .type = PARAM_REAL,
     .min = 0,
     .max = 1e12,
     .tune_min = 1,
     .tune_max = 10000,
     .log_scale = true,
     .when = "by",
     .doc = "so many events of everybody's taste are added to those of a segment; 100 when left out"},
};

struct pop {
    size_t nitems;
    uint32_t ntypes;
    char **type_name;
    size_t *begin;   /* nitems + 1 */
    uint32_t *type;
    double *sum;
    uint64_t *count;
    float *score;    /* nitems: sums over types, what score() hands out */
    bool segmented;
    struct segments segments;
    double share;    /* prior / sum of all scores */
};

static void pop_free(struct model *m)
{
    struct pop *p = m->state;
    for (uint32_t t = 0; p->type_name && t < p->ntypes; t++)
        mem_free(p->type_name[t]);
    mem_free(p->type_name);
    mem_free(p->begin);
    mem_free(p->type);
    mem_free(p->sum);
    mem_free(p->count);
    mem_free(p->score);
    segments_clear(&p->segments);
    mem_free(p);
    m->state = NULL;
}

static enum status pop_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    *bytes = t->interactions->events * (sizeof(struct evidence) + 24);
    enum status st = model_has(m, "by") ? segments_check(t->selection->data, model_text(m, "by"), err) : ST_OK;
    return st ? st : decay_check(m, t->interactions, err);
}

static size_t gather_users(const struct interactions *x, const struct decay *d, struct evidence *out)
{
    for (uint32_t u = 0; u < x->matrix.rows; u++)
        for (size_t i = x->matrix.begin[u]; i < x->matrix.begin[u + 1]; i++)
            out[i] = (struct evidence){u, x->matrix.index[i], 0, decay_factor(d, x->time[i])};
    return csr_count(&x->matrix);
}

static size_t gather_events(const struct selection *s, const struct decay *d, struct evidence *out)
{
    const struct events *events = &s->data->events;
    size_t n = 0;
    int64_t moment = selection_moment(s);
    for (size_t e = 0; e < events->n; e++) {
        if (!selection_has(s, e))
            continue;
        int64_t time = events->time ? events->time[e] : NO_TIME;
        double value = event_weight(s->data, e, moment) * decay_factor(d, time);
        out[n++] = (struct evidence){events->user[e], events->item[e], events->type[e], value};
    }
    return n;
}

/* Sums the evidence by item and type: room for their pairs, as events may be far more. seen[type] is the place of the type
 * in the current item's row, plus one. */
static enum status sum_up(struct pop *p, const struct evidence *e, size_t n, struct error *err)
{
    enum status st = ST_NOMEM;
    size_t cells = p->nitems * p->ntypes < n ? p->nitems * p->ntypes : n;
    size_t *start = mem_new(p->nitems + 2, sizeof *start, "item starts", err);
    size_t *order = mem_new_raw(n, sizeof *order, "event order", err);
    size_t *seen = mem_new(p->ntypes, sizeof *seen, "event types", err);
    p->begin = mem_new(p->nitems + 1, sizeof *p->begin, "item starts", err);
    p->type = mem_new(cells, sizeof *p->type, "event types", err);
    p->sum = mem_new(cells, sizeof *p->sum, "popularity sums", err);
    p->count = mem_new(cells, sizeof *p->count, "popularity counts", err);
    if (!start || !order || !seen || !p->begin || !p->type || !p->sum || !p->count)
        goto out;
    for (size_t i = 0; i < n; i++)
        start[e[i].item + 2]++;
    for (size_t i = 2; i < p->nitems + 2; i++)
        start[i] += start[i - 1];
    for (size_t i = 0; i < n; i++)
        order[start[e[i].item + 1]++] = i;
    size_t used = 0;
    for (size_t i = 0; i < p->nitems; i++) {
        p->begin[i] = used;
        for (size_t j = start[i]; j < start[i + 1]; j++) {
            const struct evidence *x = &e[order[j]];
            if (seen[x->type] <= p->begin[i]) {
                p->type[used] = x->type;
                seen[x->type] = ++used;
            }
            p->sum[seen[x->type] - 1] += x->value;
            p->count[seen[x->type] - 1]++;
        }
    }
    p->begin[p->nitems] = used;
    st = ST_OK;
out:
    mem_free(start);
    mem_free(order);
    mem_free(seen);
    return st;
}

static double total(const struct pop *p, uint32_t item)
{
    double s = 0;
    for (size_t j = p->begin[item]; j < p->begin[item + 1]; j++)
        s += p->sum[j];
    return s;
}

static enum status fill_scores(const struct model *m, struct pop *p, struct error *err)
{
    p->score = mem_new_raw(p->nitems, sizeof *p->score, "popularity", err);
    if (!p->score)
        return ST_NOMEM;
    double all = 0;
    for (uint32_t i = 0; i < p->nitems; i++) {
        p->score[i] = (float)total(p, i);
        all += total(p, i);
    }
    p->share = all > 0 ? (model_has(m, "prior") ? model_real(m, "prior") : PRIOR) / all : 0;
    return ST_OK;
}

static enum status name_types(struct pop *p, const struct model *m, const struct dataset *d, struct error *err)
{
    bool users = model_int(m, "count") == COUNT_USERS;
    p->ntypes = users ? 1 : d->types.n;
    p->type_name = mem_new(p->ntypes, sizeof *p->type_name, "event types", err);
    if (!p->type_name)
        return ST_NOMEM;
    for (uint32_t t = 0; t < p->ntypes; t++)
        if (!(p->type_name[t] = mem_strdup(users ? "user" : dict_text(&d->types, t), err)))
            return ST_NOMEM;
    return ST_OK;
}

static enum status pop_begin(struct model *m, const struct training *t, struct error *err)
{
    struct pop *p = mem_new(1, sizeof *p, "popularity", err);
    if (!p)
        return ST_NOMEM;
    m->state = p;
    p->nitems = m->nitems;
    p->segmented = model_has(m, "by");
    return name_types(p, m, t->selection->data, err);
}

static enum status pop_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                             struct error *err)
{
    (void)epoch;
    (void)loss;
    struct pop *p = m->state;
    struct decay d = decay_of(m, t->interactions);
    bool users = model_int(m, "count") == COUNT_USERS;
    job_begin(t->job, 1, "", "train %s: counting", m->name);
    struct evidence *e = mem_new_raw(t->interactions->events, sizeof *e, "events to count", err);
    if (!e)
        return ST_NOMEM;
    size_t n = users ? gather_users(t->interactions, &d, e) : gather_events(t->selection, &d, e);
    enum status st = sum_up(p, e, n, err);
    if (!st)
        st = fill_scores(m, p, err);
    if (!st && p->segmented)
        st = segments_new(&p->segments, t->selection->data, model_text(m, "by"), e, n, err);
    mem_free(e);
    job_step(t->job, 1);
    *done = true;
    return st;
}

static bool pop_reads(const struct model *m, const char *field)
{
    return ((const struct pop *)m->state)->segmented && strcmp(model_text(m, "by"), field) == 0;
}

/* The segment of whom the query is about: what it says of them, else what the data said. */
static uint32_t segment_of(const struct model *m, const struct query *q)
{
    const struct pop *p = m->state;
    const char *said = p->segmented ? query_says(q, model_text(m, "by")) : NULL;
    return said ? dict_find(&p->segments.names, said, strlen(said)) : segments_find(&p->segments, q->user);
}

static enum status pop_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                             struct error *err)
{
    (void)err;
    const struct pop *p = m->state;
    for (size_t q = 0; q < n; q++) {
        float *out = scores + q * p->nitems;
        const struct csr *sums = &p->segments.sums;
        uint32_t g = segment_of(m, &queries[q]);
        memcpy(out, p->score, p->nitems * sizeof *out);
        if (g == NO_CODE)
            continue;
        for (size_t i = 0; i < p->nitems; i++)
            out[i] *= (float)p->share;
        for (size_t e = sums->begin[g]; e < sums->begin[g + 1]; e++)
            out[sums->index[e]] += sums->value[e];
    }
    return ST_OK;
}

/* What users of segment g did with the item. */
static float segment_sum(const struct segments *s, uint32_t g, uint32_t item)
{
    for (size_t e = s->sums.begin[g]; e < s->sums.begin[g + 1]; e++)
        if (s->sums.index[e] == item)
            return s->sums.value[e];
    return 0;
}

static enum status pop_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                               struct error *err)
{
    const struct pop *p = m->state;
    bool fades = model_has(m, "half_life");
    uint32_t g = segment_of(m, q);
    float scale = g == NO_CODE ? 1 : (float)p->share, own = g == NO_CODE ? 0 : segment_sum(&p->segments, g, item);
    enum status st = explanation_new(out, p->begin[item + 1] - p->begin[item] + 1, err);
    if (st)
        return st;
    if (g != NO_CODE)
        snprintf(explanation_add(out, NO_ITEM, (double)own)->label, sizeof out->parts->label,
                 "events of users with %.32s %.32s", model_text(m, "by"), dict_text(&p->segments.names, g));
    for (size_t j = p->begin[item]; j < p->begin[item + 1]; j++) {
        struct contribution *c = explanation_add(out, NO_ITEM, p->sum[j] * (double)scale);
        const char *type = p->type_name[p->type[j]];
        bool named = strcmp(type, "event") != 0; /* else the file said no more than that something happened */
        char count[32];
        text_count(count, sizeof count, (int64_t)p->count[j]);
        snprintf(c->label, sizeof c->label, "%.20s %.40s%sevent%s%s", count, named ? type : "", named ? " " : "",
                 p->count[j] == 1 ? "" : "s", g == NO_CODE ? "" : " of all (scaled)");
    }
    explanation_sort(out);
    out->score = (double)(p->score[item] * scale + own);
    out->exact = true;
    out->method = fades ? "counts by event type, fading with age (exact)" : "counts by event type (exact)";
    return ST_OK;
}

/* Being popular is no likeness: what is popular together is itemknn's business. */
static enum status pop_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)item;
    (void)similarity;
    error_set(err, ST_UNSUPPORTED, "%s ranks items by popularity and knows nothing of their likeness", m->name);
    error_hint(err, "ask another model, such as: similar ITEM with itemknn");
    return ST_UNSUPPORTED;
}

static enum status pop_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct pop *p = m->state;
    uint64_t ntypes = p->ntypes;
    enum status st = blob_put(w, "types", BLOB_U64, &ntypes, 1, err);
    for (uint32_t t = 0; t < p->ntypes && !st; t++)
        st = blob_put_text(w, "type", p->type_name[t], err);
    size_t used = p->begin[p->nitems];
    if (!st)
        st = blob_put(w, "begin", BLOB_U64, p->begin, p->nitems + 1, err);
    if (!st)
        st = blob_put(w, "item-type", BLOB_U32, p->type, used, err);
    if (!st)
        st = blob_put(w, "sum", BLOB_F64, p->sum, used, err);
    if (!st)
        st = blob_put(w, "count", BLOB_U64, p->count, used, err);
    return st || !p->segmented ? st : segments_save(&p->segments, w, err);
}

static enum status load_types(struct pop *p, struct blob_reader *r, struct error *err)
{
    uint64_t n;
    enum status st = blob_get(r, "types", BLOB_U64, &n, 1, err);
    if (st)
        return st;
    if (n > UINT16_MAX + 1)
        return error_set(err, ST_CORRUPT, "the popularity model claims %llu event types", (unsigned long long)n);
    p->type_name = mem_new(n, sizeof *p->type_name, "event types", err);
    if (!p->type_name)
        return ST_NOMEM;
    p->ntypes = (uint32_t)n;
    for (uint32_t t = 0; t < p->ntypes && !st; t++)
        st = blob_get_text(r, "type", 1 << 16, &p->type_name[t], err);
    return st;
}

static enum status check_rows(const struct pop *p, struct error *err)
{
    bool good = p->begin[0] == 0;
    for (size_t i = 0; i < p->nitems; i++)
        good = good && p->begin[i] <= p->begin[i + 1] && p->begin[i + 1] - p->begin[i] <= p->ntypes;
    for (size_t j = 0; good && j < p->begin[p->nitems]; j++)
        good = p->type[j] < p->ntypes;
    return good ? ST_OK : error_set(err, ST_CORRUPT, "the popularity model is damaged");
}

static enum status pop_load(struct model *m, struct blob_reader *r, struct error *err)
{
    struct pop *p = mem_new(1, sizeof *p, "popularity", err);
    if (!p)
        return ST_NOMEM;
    m->state = p;
    p->nitems = m->nitems;
    p->segmented = model_has(m, "by");
    p->begin = mem_new(p->nitems + 1, sizeof *p->begin, "item starts", err);
    enum status st = p->begin ? load_types(p, r, err) : ST_NOMEM;
    if (!st)
        st = blob_get(r, "begin", BLOB_U64, p->begin, p->nitems + 1, err);
    if (st)
        return st;
    size_t used = p->begin[p->nitems], n[3];
    void *type = NULL, *sum = NULL, *count = NULL;
    st = blob_get_new(r, "item-type", BLOB_U32, used, &type, &n[0], err);
    p->type = type;
    if (!st)
        st = blob_get_new(r, "sum", BLOB_F64, used, &sum, &n[1], err);
    p->sum = sum;
    if (!st)
        st = blob_get_new(r, "count", BLOB_U64, used, &count, &n[2], err);
    p->count = count;
    if (!st && (n[0] != used || n[1] != used || n[2] != used))
        st = error_set(err, ST_CORRUPT, "the popularity model is damaged");
    if (!st)
        st = check_rows(p, err);
    if (!st)
        st = fill_scores(m, p, err);
    return st || !p->segmented ? st : segments_load(&p->segments, m->nusers, m->nitems, m->name, r, err);
}

const struct model_class model_pop = {
    .name = "pop",
    .summary = "popularity, fading with age: one list for everybody, or for each segment of users",
    .reference = "the usual baseline; Cremonesi, Koren, Turrin: Performance of recommender algorithms on top-n "
                 "recommendation tasks, RecSys 2010",
    .fold_in = "does not look at the history, so an unseen one changes nothing; without a known user, everybody's list",
    .formula = "score = sum of what was counted; the history has no part in it",
    .capabilities = CLOSED_FORM | SCORES_APART | ADDS_UP | IGNORES_HISTORY,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = pop_check,
    .begin = pop_begin,
    .epoch = pop_epoch,
    .score = pop_score,
    .reads = pop_reads,
    .explain = pop_explain,
    .similar = pop_similar,
    .save = pop_save,
    .load = pop_load,
    .free = pop_free,
};
