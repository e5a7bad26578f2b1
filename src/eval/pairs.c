/* The area under the ROC curve of each list: how right items stand to all other candidates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "eval/evaluation.h"
#include "ranking/ranking.h"

/* What one thread needs. */
struct desk {
    uint32_t *hidden; /* nitems: 1 + the query that hides it */
    float *score;     /* of the right items, ascending; most right items that a query has */
};

struct pairs {
    const struct test_set *set;
    struct evaluation *e;
    size_t first; /* the piece that is looked at: its first query */
    struct desk *desks;
};

enum { PIECE = 4096 };

static int by_score(const void *a, const void *b)
{
    float x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* What has no score is below everything. */
static float score_of(float x)
{
    return isnan(x) ? -INFINITY : x;
}

/* How many of score[0..n), ascending, are below x; *upto: how many are not above it. */
static size_t below(const float *score, size_t n, float x, size_t *upto)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (score[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    for (*upto = low; *upto < n && score[*upto] <= x;)
        ++*upto;
    return low;
}

/* Each candidate that is not right wins against the right items below it; the share of the others is what the right
 * ones won. */
static void visit(void *context, size_t i, const struct query *query, const float *scores)
{
    struct pairs *p = context;
    const struct test_set *t = p->set;
    struct desk *desk = &p->desks[parallel_thread()];
    size_t q = p->first + i, nright = t->right_begin[q + 1] - t->right_begin[q], others = 0, at = 0;
    const uint32_t *right = t->right + t->right_begin[q];
    uint32_t mark = (uint32_t)i + 1;
    double lost = 0;
    for (size_t e = 0; t->protocol.hide_seen && e < query->n; e++)
        if (rank_hides(query, e))
            desk->hidden[query->events[e].item] = mark;
    for (size_t r = 0; r < nright; r++)
        desk->score[r] = score_of(scores[right[r]]);
    qsort(desk->score, nright, sizeof *desk->score, by_score);
    for (uint32_t item = 0; item < t->nitems; item++) {
        if (at < nright && right[at] == item) {
            at++;
            continue;
        }
        if (desk->hidden[item] == mark)
            continue;
        size_t upto, under = below(desk->score, nright, score_of(scores[item]), &upto);
        lost += (double)under + .5 * (double)(upto - under);
        others++;
    }
    p->e->won[q] = others ? 1 - lost / ((double)others * (double)nright) : NAN;
}

static void free_desks(struct desk *desks, size_t n)
{
    for (size_t i = 0; desks && i < n; i++) {
        mem_free(desks[i].hidden);
        mem_free(desks[i].score);
    }
    mem_free(desks);
}

static enum status make_desks(struct pairs *p, size_t n, struct error *err)
{
    const struct test_set *t = p->set;
    size_t most = 0;
    for (size_t q = 0; q < t->nqueries; q++)
        if (t->right_begin[q + 1] - t->right_begin[q] > most)
            most = t->right_begin[q + 1] - t->right_begin[q];
    p->desks = mem_new(n, sizeof *p->desks, "evaluation threads", err);
    for (size_t i = 0; p->desks && i < n; i++) {
        struct desk *d = &p->desks[i];
        d->hidden = mem_new(t->nitems, sizeof *d->hidden, "item marks", err);
        d->score = mem_new_raw(most, sizeof *d->score, "scores", err);
        if (!d->hidden || !d->score)
            return ST_NOMEM;
    }
    return p->desks ? ST_OK : ST_NOMEM;
}

static void forget_marks(struct pairs *p, size_t threads)
{
    for (size_t i = 0; i < threads; i++)
        memset(p->desks[i].hidden, 0, p->set->nitems * sizeof *p->desks[i].hidden);
}

enum status evaluation_add_pairs(struct evaluation *e, const struct model *m, const struct test_set *t, struct job *job,
                                 struct error *err)
{
    struct pairs p = {.set = t, .e = e};
    size_t threads = (size_t)parallel_threads();
    if (e->won)
        return ST_OK;
    e->won = mem_new_raw(t->nqueries, sizeof *e->won, "pairs", err);
    enum status st = e->won ? make_desks(&p, threads, err) : ST_NOMEM;
    job_begin(job, t->nqueries, t->protocol.rolling ? "events" : "users", "auc of %s", m->name);
    for (; p.first < t->nqueries && !st; p.first += PIECE) {
        size_t n = t->nqueries - p.first < PIECE ? t->nqueries - p.first : PIECE;
        forget_marks(&p, threads);
        st = rank_each(m, t->query + p.first, n, t->protocol.hide_seen ? SEEN_HIDE : SEEN_SHOW, job, visit, &p, err);
    }
    free_desks(p.desks, threads);
    if (st) {
        mem_free(e->won);
        e->won = NULL;
    }
    return st;
}
