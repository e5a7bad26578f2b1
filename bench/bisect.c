/* The rank of an item after each event of the longest history of MovieLens 1M: histories that are much alike, scored together, beside
 * each alone on all threads. bench/bisect [FOLDER OF DATA SETS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "bench/bench.h"
#include "ingest/ingest.h"
#include "inspect/bisect.h"
#include "models/driver.h"

struct bench {
    struct dataset *data;
    struct model *m;
    struct history history;
    uint32_t item;
    struct bisect ours;
    uint32_t *rank;   /* by the reference */
    float *scores;    /* a row for each thread */
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static struct model *train(const struct selection *s, const char *name)
{
    const struct model_class *class = model_class_find(name);
    struct param_value *values = mem_new(class->nparams, sizeof *values, "parameters", NULL);
    struct error err;
    struct model *m = NULL;
    need(values ? param_defaults(class->params, class->nparams, values, &err) : ST_NOMEM, &err);
    need(model_train(class, name, values, s, 1, NULL, NULL, &m, &err), &err);
    param_values_free(values, class->nparams);
    mem_free(values);
    return m;
}

static void together(void *context)
{
    struct bench *b = context;
    struct query q = history_query(&b->history);
    struct error err;
    bisect_clear(&b->ours);
    need(bisect_make(b->m, &q, b->item, 10, SEEN_SHOW, NULL, &b->ours, &err), &err);
}

static void alone_block(void *context, size_t block, size_t begin, size_t end)
{
    struct bench *b = context;
    float *scores = b->scores + (size_t)parallel_thread() * b->m->nitems;
    struct error err;
    (void)block;
    for (size_t i = begin; i < end; i++) {
        struct query q = history_query(&b->history);
        q.n = i;
        need(rank_scores(b->m, &q, SEEN_SHOW, scores, &err), &err);
        b->rank[i] = (uint32_t)rank_of(scores, b->m->nitems, b->item);
    }
}

static void alone(void *context)
{
    struct bench *b = context;
    parallel_blocks(b->history.n + 1, 8, alone_block, b);
}

static void run(struct bench *b, const struct selection *all, const char *name)
{
    struct error err;
    char line[80];
    b->m = train(all, name);
    b->rank = mem_new(b->history.n + 1, sizeof *b->rank, "ranks", &err);
    b->scores = mem_new((size_t)parallel_threads() * b->m->nitems, sizeof *b->scores, "scores", &err);
    need(b->rank && b->scores ? ST_OK : ST_NOMEM, &err);
    snprintf(line, sizeof line, "%s: a rank after each of %zu events", name, b->history.n);
    struct timing t = bench_run(together, alone, NULL, b, 3);
    if (memcmp(b->rank + 1, b->ours.rank + 1, b->history.n * sizeof *b->rank)) { /* without any history there may be no opinion */
        fprintf(stderr, "%s: ranks differ\n", name);
        exit(1);
    }
    bench_print(line, "each alone", t, 0);
    bisect_clear(&b->ours);
    mem_free(b->rank);
    mem_free(b->scores);
    model_release(b->m);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : getenv("TAILOR_DATA");
    struct bench b = {0};
    struct ingest_report report;
    struct error err;
    char path[4096];
    const char *paths[] = {path};
    uint32_t longest = 0;
    snprintf(path, sizeof path, "%s/ml-1m/pairs_original_order.tsv", folder ? folder : "../shared/data");
    if (access(path, R_OK)) {
        printf("ranks after each event: skipped, there is no %s (set TAILOR_DATA)\n", path);
        return 0;
    }
    need(ingest_events(paths, 1, NULL, 0, "bisect", NULL, NULL, &b.data, &report, &err), &err);
    struct selection all = {.data = b.data, .until = NO_TIME};
    for (uint32_t u = 0; u < b.data->users.n; u++)
        if (b.data->user_begin[u + 1] - b.data->user_begin[u] > b.data->user_begin[longest + 1] - b.data->user_begin[longest])
            longest = u;
    need(history_of_user(&all, longest, &b.history, &err), &err);
    static const char *const names[] = {"ease", "itemknn", "rp3beta", "ials"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        run(&b, &all, names[i]);
    history_clear(&b.history);
    dataset_release(b.data);
    return 0;
}
