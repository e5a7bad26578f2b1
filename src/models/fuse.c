/* Fusion of lists: only the order in which trained models rank counts, or the scores of the top of their lists.
 *
 *     rrf       sum over parts of w_p / (c + rank_p)                      reciprocal rank fusion
 *     borda     sum over parts of w_p (depth + 1 - rank_p) / depth        a vote for each place
 *     combsum   sum over parts of w_p z_p,  z_p: the score between 0 (just below the list) and 1 (its top)
 *     combmnz   the same, times the number of lists that hold the item
 *
 * A list has the `depth` best items that the history does not hold; an item that it does hold gets the place it would
 * have among them. What no list holds scores 0, what no part knows -inf. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/topk.h"
#include "models/classes.h"
#include "models/ensemble.h"

enum method { METHOD_RRF, METHOD_BORDA, METHOD_COMBSUM, METHOD_COMBMNZ };

static const struct param params[] = {
    {.name = "method",
     .type = PARAM_ENUM,
     .initial = "rrf",
     .choices = "rrf|borda|combsum|combmnz",
     .tune_max = 1,
     .doc = "reciprocal ranks, places, scores of the lists, the same times the number of lists"},
    {.name = "depth",
     .type = PARAM_INT,
     .initial = "500",
     .min = 1,
     .max = 1e6,
     .tune_min = 20,
     .tune_max = 2000,
     .log_scale = true,
     .doc = "length of the lists that are fused"},
    {.name = "c",
     .type = PARAM_REAL,
     .initial = "60",
     .min = 0,
     .max = 1e6,
     .tune_min = 1,
     .tune_max = 200,
     .log_scale = true,
     .when = "method=rrf",
     .doc = "how little the first places stand out"},
    {.name = "weights",
     .type = PARAM_WEIGHTS,
     .initial = "equal",
     .max = 1e6,
     .tune_min = .05,
     .tune_max = 20,
     .log_scale = true,
     .doc = "a weight for each model, in their order: 0.5,0.3,0.2, none below 0; or equal"},
};

static enum status fuse_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)t;
    *bytes = 0;
    return ensemble_check(m, 2, err);
}

/* One part's list for one history. */
struct part_list {
    struct scored *best;
    size_t n, depth;
};

static size_t depth_of(const struct model *m)
{
    size_t depth = (size_t)model_int(m, "depth");
    return depth < m->nitems ? depth : m->nitems;
}

/* What a place (from 0) with this score is worth, before the weight. */
static float worth(const struct model *m, const struct part_list *l, size_t place, float score)
{
    double n = (double)l->n, top = (double)l->best[0].score, low = (double)l->best[l->n - 1].score;
    switch ((enum method)model_int(m, "method")) {
    case METHOD_RRF:
        return (float)(1 / (model_real(m, "c") + (double)place + 1));
    case METHOD_BORDA:
        return (float)(((double)l->depth - (double)place) / (double)l->depth);
    default: /* the last of the list is worth a little; all of them 1 when they are alike */
        return top > low ? (float)((1 + ((double)score - low) / (top - low) * n) / (1 + n)) : 1;
    }
}

/* The place that an item with this score has or would have; false when it is off the list. */
static bool place_of(const struct part_list *l, uint32_t item, float score, size_t *place)
{
    size_t low = 0, high = l->n;
    if (!(score > -INFINITY))
        return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct scored *b = &l->best[middle];
        if (b->score > score || (!(b->score < score) && b->index < item))
            low = middle + 1;
        else
            high = middle;
    }
    *place = low;
    return low < l->n || (l->n && l->n < l->depth);
}

/* What the parts said so far of n histories. */
struct fusing {
    const struct model *m;
    const struct query *queries;
    struct folded held;   /* their items */
    const size_t *kept_begin;
    float *kept;          /* room for the events of all */
    float *part;          /* n x nitems: what the part at hand gives */
    struct scored *best;  /* n x depth: its lists */
    uint8_t *lists;       /* n x nitems: how many lists hold the item, and KNOWN */
    float *sum;           /* n x nitems: the caller's scores */
    float weight;
};

enum { KNOWN = 128, HOW_MANY = 127 };

static void fusing_clear(struct fusing *f)
{
    folded_clear(&f->held);
    mem_free((void *)f->kept_begin);
    mem_free(f->kept);
    mem_free(f->part);
    mem_free(f->best);
    mem_free(f->lists);
}

static enum status fusing_new(struct fusing *f, size_t n, struct error *err)
{
    size_t events = 0, nitems = f->m->nitems, *begin = mem_new(n + 1, sizeof *begin, "histories", err);
    for (size_t q = 0; begin && q < n; q++)
        begin[q + 1] = events += f->queries[q].n;
    f->kept_begin = begin;
    f->kept = mem_new_raw(events, sizeof *f->kept, "histories", err);
    f->part = mem_new_raw(n * nitems, sizeof *f->part, "the scores of a part", err);
    f->best = mem_new_raw(n * depth_of(f->m), sizeof *f->best, "the lists of a part", err);
    f->lists = mem_new(n * nitems, sizeof *f->lists, "the fused lists", err);
    if (!begin || !f->kept || !f->part || !f->best || !f->lists)
        return ST_NOMEM;
    return folded_new(&f->held, f->queries, n, err);
}

/* The list of the part for history q; its scores stay as they are. */
static struct part_list list_of(const struct fusing *f, size_t q)
{
    size_t nitems = f->m->nitems, depth = depth_of(f->m);
    struct part_list l = {f->best + q * depth, 0, depth};
    float *scores = f->part + q * nitems, *kept = f->kept + f->kept_begin[q];
    history_take_out(&f->queries[q], scores, kept);
    l.n = topk(scores, nitems, depth, l.best);
    history_put_back(&f->queries[q], scores, kept);
    return l;
}

static void add_item(const struct fusing *f, size_t q, const struct part_list *l, uint32_t item, size_t place)
{
    size_t at = q * f->m->nitems + item;
    f->sum[at] += f->weight * worth(f->m, l, place, f->part[at]);
    f->lists[at]++;
}

static void add_lists(void *context, size_t block, size_t begin, size_t end)
{
    struct fusing *f = context;
    size_t nitems = f->m->nitems, place;
    (void)block;
    for (size_t q = begin; q < end; q++) {
        struct part_list l = list_of(f, q);
        for (size_t b = 0; b < l.n; b++)
            add_item(f, q, &l, l.best[b].index, b);
        for (size_t h = f->held.begin[q]; h < f->held.begin[q + 1]; h++) {
            uint32_t item = f->held.items[h].item;
            if (place_of(&l, item, f->part[q * nitems + item], &place))
                add_item(f, q, &l, item, place);
        }
        for (size_t i = q * nitems; i < (q + 1) * nitems; i++)
            f->lists[i] |= f->part[i] > -INFINITY ? KNOWN : 0;
    }
}

static float fused(const struct model *m, float sum, unsigned lists)
{
    return model_int(m, "method") == METHOD_COMBMNZ ? sum * (float)lists : sum;
}

static enum status fuse_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                              struct error *err)
{
    enum { ROWS = 4 };
    struct fusing f = {.m = m, .queries = queries, .sum = scores};
    enum status st = fusing_new(&f, n, err);
    memset(scores, 0, n * m->nitems * sizeof *scores);
    for (size_t p = 0; p < m->nparts && !st; p++) {
        st = model_score(m->parts[p].model, queries, n, f.part, err);
        f.weight = ensemble_weights(m)[p];
        if (!st)
            parallel_blocks(n, ROWS, add_lists, &f);
    }
    for (size_t i = 0; i < n * m->nitems && !st; i++)
        scores[i] = f.lists[i] & KNOWN ? fused(m, scores[i], f.lists[i] & HOW_MANY) : -INFINITY;
    fusing_clear(&f);
    return st;
}

/* ---- explaining ---- */

/* What the parts say of one item. */
struct opened {
    struct part_share share[PARTS_MAX];
    double slope[PARTS_MAX]; /* what a point of the part's own score adds, where scores of lists are summed */
    float score;             /* the fused one */
};

static bool by_score(const struct model *m)
{
    int64_t method = model_int(m, "method");
    return method == METHOD_COMBSUM || method == METHOD_COMBMNZ;
}

static double slope_of(const struct model *m, const struct part_list *l)
{
    double n = (double)l->n, span = (double)l->best[0].score - (double)l->best[l->n - 1].score;
    return by_score(m) && span > 0 ? n / (1 + n) / span : 0;
}

/* One part's place for the item, and what it is worth. True when its list holds the item. */
static bool open_list(const struct fusing *f, size_t part, uint32_t item, struct part_share *out, double *slope)
{
    struct part_list l = list_of(f, 0);
    float weight = ensemble_weights(f->m)[part], score = f->part[item];
    *out = (struct part_share){.weight = (double)weight, .score = score};
    size_t place;
    if (!place_of(&l, item, score, &place)) {
        snprintf(out->note, sizeof out->note, "does not know it");
        if (score > -INFINITY)
            snprintf(out->note, sizeof out->note, "not among its %zu best", l.depth);
        return false;
    }
    out->place = place + 1;
    out->value = (double)worth(f->m, &l, place, score);
    out->adds = (double)(weight * (float)out->value);
    *slope = (double)weight * slope_of(f->m, &l);
    return true;
}

static enum status open_lists(const struct model *m, const struct query *q, uint32_t item, struct opened *out,
                              struct error *err)
{
    struct fusing f = {.m = m, .queries = q};
    unsigned lists = 0;
    bool known = false;
    float sum = 0;
    *out = (struct opened){.score = -INFINITY};
    enum status st = fusing_new(&f, 1, err);
    for (size_t p = 0; p < m->nparts && !st; p++) {
        st = model_score(m->parts[p].model, q, 1, f.part, err);
        if (st)
            break;
        lists += open_list(&f, p, item, &out->share[p], &out->slope[p]);
        known |= f.part[item] > -INFINITY;
        sum += (float)out->share[p].adds;
    }
    double times = (double)fused(m, 1, lists);
    for (size_t p = 0; p < m->nparts && !st; p++) {
        out->share[p].value *= times;
        out->share[p].adds *= times;
        out->slope[p] *= times;
    }
    if (known)
        out->score = fused(m, sum, lists);
    fusing_clear(&f);
    return st;
}

static enum status fuse_shares(const struct model *m, const struct query *q, uint32_t item, struct part_share *out,
                               struct error *err)
{
    struct opened x;
    enum status st = open_lists(m, q, item, &x, err);
    memcpy(out, x.share, m->nparts * sizeof *out);
    return st;
}

/* Leaves of y what speaks for the item: a place is earned by that alone, and what all items have, such as the mean of
 * all ratings, earns none. y->score becomes the sum. */
static void keep_earners(struct explanation *y)
{
    size_t kept = 0, items = 0;
    bool against = false;
    y->score = y->base = y->own > 0 ? y->own : 0;
    for (size_t i = 0; i < y->nparts; i++) {
        against |= y->parts[i].value < 0;
        if (!(y->parts[i].value > 0))
            continue;
        y->score += y->parts[i].value;
        items += y->parts[i].item != NO_ITEM;
        y->parts[kept++] = y->parts[i];
    }
    y->nparts = kept;
    y->exact = y->base > 0 ? !kept && !against : items == 0 || (kept == 1 && !against); /* nothing had to be divided */
}

/* The whole share of a part goes under its name. */
static enum status take_whole(struct explanation *x, const char *name, double share, struct error *err)
{
    struct contribution whole = {.item = NO_ITEM};
    struct explanation y = {.score = share, .exact = true, .parts = &whole, .nparts = 1};
    return ensemble_take(x, &y, name, 1, 0, err);
}

/* Where scores are summed, the share of a part is a line of its own score, which is taken apart. A place is no sum over
 * the history: what it is worth is divided among those who earned it, by how much they did. */
static enum status take_part(const struct model *m, const struct query *q, uint32_t item, size_t p,
                             const struct opened *o, struct explanation *x, struct error *err)
{
    const struct part_share *share = &o->share[p];
    const char *name = m->parts[p].name;
    struct explanation y;
    enum status st = model_explain(m->parts[p].model, q, item, &y, err);
    if (st)
        return st;
    double slope = o->slope[p];
    if (!by_score(m)) {
        keep_earners(&y);
        slope = y.score > 0 ? share->adds / y.score : 0;
    }
    st = fabs(slope) > 0
             ? ensemble_take(x, &y, name, slope, by_score(m) ? share->adds - slope * (double)share->score : 0, err)
             : take_whole(x, name, share->adds, err);
    explanation_clear(&y);
    return st;
}

static enum status fuse_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                struct error *err)
{
    struct opened o;
    enum status st = open_lists(m, q, item, &o, err);
    *out = (struct explanation){.exact = true};
    for (size_t p = 0; p < m->nparts && !st; p++)
        if (o.share[p].adds < 0 || o.share[p].adds > 0)
            st = take_part(m, q, item, p, &o, out, err);
    if (st)
        return st;
    if (by_score(m))
        ensemble_taken(out, o.score, "the models it is made of, on the scale of their lists (exact)",
                       "the models it is made of, on the scale of their lists (some of them approximate)");
    else
        ensemble_taken(out, o.score, "places in the lists of the models (exact)",
                       "what each model's place is worth, divided among what speaks for the item there (approximate: "
                       "places do not add up)");
    return ST_OK;
}

const struct model_class model_fuse = {
    .name = "fuse",
    .summary = "the lists of trained models, merged by rank: RRF, Borda, CombSUM, CombMNZ",
    .reference = "Cormack, Clarke, Buettcher: Reciprocal rank fusion, SIGIR 2009; Aslam, Montague: Models for "
                 "metasearch, SIGIR 2001; Fox, Shaw: Combination of multiple searches, TREC-2, 1994",
    .fold_in = "asks its models; as close to the native score as they are",
    .capabilities = OF_MODELS,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = fuse_check,
    .begin = ensemble_begin,
    .epoch = ensemble_epoch,
    .score = fuse_score,
    .explain = fuse_explain,
    .part_weights = ensemble_weights,
    .shares = fuse_shares,
    .formula = "score = sum over the models of weight x what the place in their list is worth, as of `method`",
    .updated = ENSEMBLE_UPDATED("weights"),
    .save = ensemble_save,
    .load = ensemble_load,
    .free = ensemble_free,
};
