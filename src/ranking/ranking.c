#include "ranking/ranking.h"

#include <math.h>

#include "base/mem.h"
#include "base/parallel.h"

/* A batch is at most so many queries, and at most so many scores (16 MiB of floats). A few queries are not worth waking
 * a second thread for. */
enum { BATCH_QUERIES = 256, BATCH_SCORES = 1 << 22, VISIT_BLOCK = 8 };

static size_t batch_size(const struct model *m, size_t n)
{
    size_t fit = m->nitems ? BATCH_SCORES / m->nitems : BATCH_QUERIES;
    size_t batch = fit < 1 ? 1 : fit > BATCH_QUERIES ? BATCH_QUERIES : fit;
    return batch < n ? batch : n;
}

bool rank_hides(const struct query *q, size_t i)
{
    return !q->hides || q->events[i].type == q->hides - 1;
}

void rank_hide(const struct query *q, float *scores)
{
    for (size_t i = 0; i < q->n; i++)
        if (rank_hides(q, i))
            scores[q->events[i].item] = -INFINITY;
}

/* A list that was served stands as it was, with what the user had seen. */
static bool hides(const struct model *m, enum seen seen)
{
    return seen == SEEN_HIDE && !(m->class->capabilities & SERVED);
}

enum status rank_scores(const struct model *m, const struct query *q, enum seen seen, float *scores, struct error *err)
{
    enum status st = model_score(m, q, 1, scores, err);
    if (!st && hides(m, seen))
        rank_hide(q, scores);
    return st;
}

size_t rank_of(const float *scores, size_t n, uint32_t item)
{
    size_t rank = 1;
    if (!(scores[item] > -INFINITY))
        return 0;
    for (size_t i = 0; i < n; i++)
        rank += scores[i] > scores[item] || (scores[i] == scores[item] && i < item);
    return rank;
}

bool rank_seen(const struct query *q, uint32_t item, int64_t *at, uint32_t *times)
{
    *at = NO_TIME;
    *times = 0;
    for (size_t i = 0; i < q->n; i++) {
        if (q->events[i].item != item || !rank_hides(q, i))
            continue;
        ++*times;
        if (q->events[i].time > *at) /* NO_TIME is the smallest */
            *at = q->events[i].time;
    }
    return *times > 0;
}

enum status rank_list(const struct model *m, const struct query *q, size_t k, enum seen seen, struct ranked_list *out,
                      struct error *err)
{
    if (k > m->nitems)
        k = m->nitems;
    *out = (struct ranked_list){0};
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    struct scored *best = mem_new_raw(k, sizeof *best, "a list", err);
    out->entries = mem_new(k, sizeof *out->entries, "a list", err);
    enum status st = scores && best && out->entries ? rank_scores(m, q, seen, scores, err) : ST_NOMEM;
    if (!st)
        out->n = topk(scores, m->nitems, k, best);
    for (size_t i = 0; i < out->n; i++) {
        struct ranked *r = &out->entries[i];
        r->item = best[i].index;
        r->score = best[i].score;
        r->seen = rank_seen(q, r->item, &r->seen_at, &r->seen_times);
    }
    mem_free(scores);
    mem_free(best);
    if (st)
        ranked_list_clear(out);
    return st;
}

void ranked_list_clear(struct ranked_list *l)
{
    mem_free(l->entries);
    *l = (struct ranked_list){0};
}

struct batch {
    const struct model *m;
    const struct query *queries;
    size_t first;
    enum seen seen;
    float *scores;
    rank_visit *visit;
    void *context;
};

static void visit_block(void *context, size_t block, size_t begin, size_t end)
{
    struct batch *b = context;
    (void)block;
    for (size_t i = begin; i < end; i++) {
        float *scores = b->scores + i * b->m->nitems;
        if (hides(b->m, b->seen))
            rank_hide(&b->queries[i], scores);
        b->visit(b->context, b->first + i, &b->queries[i], scores);
    }
}

static enum status run_batch(struct batch *b, size_t n, struct job *job, struct error *err)
{
    enum status st = job_check(job, err);
    if (!st)
        st = model_score(b->m, b->queries, n, b->scores, err);
    if (st)
        return st;
    parallel_blocks(n, VISIT_BLOCK, visit_block, b);
    job_step(job, n);
    return ST_OK;
}

enum status rank_each(const struct model *m, const struct query *queries, size_t n, enum seen seen, struct job *job,
                      rank_visit *visit, void *context, struct error *err)
{
    size_t size = batch_size(m, n);
    float *scores = mem_new_raw(size * m->nitems, sizeof *scores, "scores of a batch", err);
    enum status st = scores ? ST_OK : ST_NOMEM;
    for (size_t first = 0; first < n && !st; first += size) {
        struct batch b = {m, queries + first, first, seen, scores, visit, context};
        st = run_batch(&b, n - first < size ? n - first : size, job, err);
    }
    mem_free(scores);
    return st;
}
