/* Updates beside training anew on MovieLens 100K and 1M: another 1 % of the events, the later half of what some users did. Told are
 * times, and how the lists of both models agree: their rank-biased overlap at 20, ndcg@10 of one item a user that none of the
 * models was shown, and the overlap of two trainings that differ in the seed alone. bench/update [FOLDER OF DATA SETS] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "ingest/ingest.h"
#include "models/classes.h"
#include "models/update.h"
#include "ranking/ranking.h"

enum { DEPTH = 20, CUT = 10, CHANGED = 50, ASKED = 1000 }; /* one user of CHANGED does more */
static const double persistence = .9;

struct bench {
    struct dataset *data;
    struct split split;
    uint32_t *right; /* users: the item left out */
    struct selection before, after;
    const struct model_class *class;
    struct param_value *values;
    struct model *old, *updated, *anew, *other;
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void *get(size_t count, size_t size)
{
    struct error err;
    void *p = mem_new(count, size, "the benchmark", &err);
    need(p ? ST_OK : ST_NOMEM, &err);
    return p;
}

static struct model *train(struct bench *b, const struct selection *s, uint64_t seed)
{
    struct error err;
    struct model *m;
    need(model_train(b->class, b->class->name, b->values, s, seed, NULL, NULL, &m, &err), &err);
    return m;
}

static void ours(void *context)
{
    struct bench *b = context;
    struct update_report report;
    struct error err;
    model_release(b->updated);
    need(model_update(b->old, &b->before, &b->after, NULL, &report, &b->updated, &err), &err);
}

static void anew(void *context)
{
    struct bench *b = context;
    model_release(b->anew);
    b->anew = train(b, &b->after, 1);
}

/* ---- lists ---- */

struct lists {
    double overlap, ndcg[2];
};

/* How the lists of two models agree, and how each finds what was left out. Widened models answer too. */
static struct lists compare(const struct bench *b, const struct model *x, const struct model *y)
{
    struct lists sum = {0};
    struct error err;
    size_t n = b->data->items.n, users = 0;
    float *scores = get(n, sizeof *scores);
    for (uint32_t u = 0; u < b->data->users.n; u += 1 + b->data->users.n / ASKED) {
        struct history h = {0};
        struct scored best[2][DEPTH];
        size_t found[2];
        need(history_of_user(&b->after, u, &h, &err), &err);
        struct query q = history_query(&h);
        for (int m = 0; m < 2; m++) {
            need(rank_scores(m ? y : x, &q, SEEN_HIDE, scores, &err), &err);
            found[m] = topk(scores, n, DEPTH, best[m]);
            for (size_t r = 0; r < CUT && r < found[m]; r++)
                sum.ndcg[m] += best[m][r].index == b->right[u] ? 1 / log2((double)r + 2) : 0;
        }
        sum.overlap += topk_overlap(best[0], found[0], best[1], found[1], persistence);
        users++;
        history_clear(&h);
    }
    mem_free(scores);
    return (struct lists){sum.overlap / (double)users, {sum.ndcg[0] / (double)users, sum.ndcg[1] / (double)users}};
}

static void one_class(struct bench *b, const struct model_class *class)
{
    char what[64];
    struct error err;
    b->class = class;
    b->values = get(class->nparams, sizeof *b->values);
    need(param_defaults(class->params, class->nparams, b->values, &err), &err);
    b->old = train(b, &b->before, 1);
    b->other = train(b, &b->after, 2);
    snprintf(what, sizeof what, "update %s", class->name);
    bench_print(what, "training anew", bench_run(ours, anew, NULL, b, 1), 0);
    struct lists l = compare(b, b->updated, b->anew), stale = compare(b, b->old, b->anew), seeds = compare(b, b->other, b->anew);
    printf("    overlap with training anew %.3f, as it was %.3f, another seed %.3f; ndcg@10 %.4f, as it was %.4f, anew %.4f\n",
           l.overlap, stale.overlap, seeds.overlap, l.ndcg[0], stale.ndcg[0], l.ndcg[1]);
    model_release(b->old);
    model_release(b->other);
    model_release(b->updated);
    model_release(b->anew);
    b->updated = b->anew = NULL;
    param_values_free(b->values, class->nparams);
    mem_free(b->values);
}

/* Of each user one event is left out; of every CHANGED-th the later half of the others comes with the update. */
static void deal(struct bench *b, uint64_t seed)
{
    const struct dataset *d = b->data;
    struct rng r = rng_stream(seed, "update benchmark", 0);
    b->split = (struct split){.part = get(d->events.n, 1), .fingerprint = 1};
    b->right = get(d->users.n, sizeof *b->right);
    memset(b->split.part, PART_TRAIN, d->events.n);
    for (size_t u = 0; u < d->users.n; u++) {
        size_t begin = d->user_begin[u], end = d->user_begin[u + 1], out = begin + rng_below(&r, end - begin);
        for (size_t e = begin + (end - begin) / 2; u % CHANGED == 0 && e < end; e++)
            b->split.part[e] = PART_VALID;
        b->split.part[out] = PART_TEST;
        b->right[u] = d->events.item[out];
    }
    b->before = (struct selection){.data = d, .split = &b->split, .parts = PART_TRAIN, .until = NO_TIME};
    b->after = b->before;
    b->after.parts |= PART_VALID;
}

static void one_data_set(const char *folder, const char *file, const char *name)
{
    static const struct model_class *const classes[] = {&model_itemknn, &model_p3alpha, &model_rp3beta, &model_ease, &model_ials,
                                                        &model_bpr, &model_warp, &model_lmf};
    struct bench b = {0};
    struct ingest_report report;
    struct error err;
    char path[4096];
    const char *paths[] = {path};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *there = fopen(path, "r");
    if (!there) {
        printf("update: skipped, no %s\n", path);
        return;
    }
    fclose(there);
    need(ingest_events(paths, 1, NULL, 0, name, NULL, NULL, &b.data, &report, &err), &err);
    deal(&b, 1);
    printf("\n%s: %u users, %u items, %zu events, one user of %d does more, %d threads\n\n", name, b.data->users.n, b.data->items.n,
           b.data->events.n, CHANGED, parallel_threads());
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
        one_class(&b, classes[c]);
    mem_free(b.split.part);
    mem_free(b.right);
    dataset_release(b.data);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : getenv("TAILOR_DATA");
    folder = folder ? folder : "../shared/data";
    one_data_set(folder, "ml-100k/u.data", "MovieLens 100K");
    one_data_set(folder, "ml-1m/pairs_original_order.tsv", "MovieLens 1M");
    return 0;
}
