/* Another model for short histories than for long ones: popularity or content for those of whom little is known,
 * neighbours or factors for the others. */
#include <stdio.h>

#include "base/mem.h"
#include "models/classes.h"
#include "models/ensemble.h"

static const struct param params[] = {
    {.name = "from", .type = PARAM_LENGTHS, .initial = "5", .tune_min = 1, .tune_max = 100, .log_scale = true,
     .doc = "items in a history from which the second model is asked, and the third and so on: 5,20"},
};

struct switching {
    double from[PARTS_MAX]; /* from[p]: part p + 1 answers histories of so many items and more; ascending */
};

static enum status read_from(const struct model *m, double *from, struct error *err)
{
    const char *text = model_text(m, "from");
    bool good = ensemble_numbers(text, m->nparts - 1, from);
    for (size_t p = 0; p + 1 < m->nparts && good; p++)
        good = from[p] >= 1 && (!p || from[p] > from[p - 1]);
    if (good)
        return ST_OK;
    error_set(err, ST_USAGE, "from=%s does not tell %zu models apart", text, m->nparts);
    error_hint(err, "%zu ascending number%s between commas: the second model answers from the first number on",
               m->nparts - 1, m->nparts == 2 ? "" : "s");
    return ST_USAGE;
}

static enum status switch_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)t;
    *bytes = 0;
    return ensemble_check(m, 2, err);
}

static enum status switch_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct switching *s = mem_new(1, sizeof *s, "a switch", err);
    if (!s)
        return ST_NOMEM;
    m->state = s;
    return read_from(m, s->from, err);
}

/* Distinct items of the history decide. */
static enum status part_for(const struct model *m, const struct query *q, size_t *part, size_t *items,
                            struct error *err)
{
    const struct switching *s = m->state;
    struct folded f;
    enum status st = folded_new(&f, q, 1, err);
    if (st)
        return st;
    *items = f.begin[1];
    *part = 0;
    while (*part + 1 < m->nparts && (double)*items >= s->from[*part])
        ++*part;
    folded_clear(&f);
    return ST_OK;
}

/* Runs of queries for the same part are asked together. */
static enum status switch_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                struct error *err)
{
    enum status st = ST_OK;
    size_t part = 0, items;
    for (size_t begin = 0, end; begin < n && !st; begin = end) {
        size_t next = 0;
        st = part_for(m, &queries[begin], &part, &items, err);
        for (end = begin + 1; end < n && !st; end++) {
            st = part_for(m, &queries[end], &next, &items, err);
            if (next != part)
                break;
        }
        if (!st)
            st = model_score(m->parts[part].model, queries + begin, end - begin, scores + begin * m->nitems, err);
    }
    return st;
}

static enum status switch_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                  struct error *err)
{
    size_t part, items;
    enum status st = part_for(m, q, &part, &items, err);
    return st ? st : model_explain(m->parts[part].model, q, item, out, err);
}

/* One answers; what the others would say is told too. */
static enum status switch_shares(const struct model *m, const struct query *q, uint32_t item, struct part_share *out,
                                 struct error *err)
{
    const struct switching *s = m->state;
    size_t part, items;
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "the scores of a part", err);
    enum status st = scores ? part_for(m, q, &part, &items, err) : ST_NOMEM;
    for (size_t p = 0; p < m->nparts && !st; p++) {
        st = model_score(m->parts[p].model, q, 1, scores, err);
        if (st)
            break;
        out[p] = (struct part_share){.weight = p == part, .score = scores[item], .value = (double)scores[item]};
        out[p].adds = p == part ? out[p].value : 0;
        if (p)
            snprintf(out[p].note, sizeof out[p].note, "from %g items on", s->from[p - 1]);
        else
            snprintf(out[p].note, sizeof out[p].note, "below %g items", s->from[0]);
    }
    mem_free(scores);
    return st;
}

/* What is like an item is best known to the model for long histories. */
static enum status switch_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    return model_similar(m->parts[m->nparts - 1].model, item, similarity, err);
}

static enum status switch_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    return blob_put(w, "from", BLOB_F64, ((const struct switching *)m->state)->from, PARTS_MAX, err);
}

static enum status switch_load(struct model *m, struct blob_reader *r, struct error *err)
{
    struct switching *s = mem_new(1, sizeof *s, "a switch", err);
    m->state = s;
    return s ? blob_get(r, "from", BLOB_F64, s->from, PARTS_MAX, err) : ST_NOMEM;
}

const struct model_class model_switch = {
    .name = "switch",
    .summary = "one trained model for short histories, another for long ones",
    .reference = "Burke: Hybrid recommender systems: survey and experiments, UMUAI 12, 2002",
    .fold_in = "asks the model that the length of the history calls for; as close to the native score as that is",
    .capabilities = OF_MODELS,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = switch_check,
    .begin = switch_begin,
    .epoch = ensemble_epoch,
    .score = switch_score,
    .explain = switch_explain,
    .shares = switch_shares,
    .similar = switch_similar,
    .updated = ENSEMBLE_UPDATED("lengths"),
    .save = switch_save,
    .load = switch_load,
    .free = ensemble_free,
};
