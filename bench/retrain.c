/* The list had one event never been there: EASE answers by a change of low rank of its inverse, beside training anew on MovieLens
 * 100K and 1M. bench/retrain [FOLDER OF DATA SETS] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "ingest/ingest.h"
#include "inspect/retrain.h"
#include "models/driver.h"

struct bench {
    struct dataset *data;
    struct selection all;
    struct model *ease, *anew;
    struct history whole, without;
    float *ours;        /* scores of the last retraining */
    struct rng rng;
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static struct model *train(const struct selection *s)
{
    const struct model_class *ease = model_class_find("ease");
    struct param_value *values = mem_new(ease->nparams, sizeof *values, "parameters", NULL);
    struct error err;
    struct model *m = NULL;
    need(values ? param_defaults(ease->params, ease->nparams, values, &err) : ST_NOMEM, &err);
    need(model_train(ease, "ease", values, s, 1, NULL, NULL, &m, &err), &err);
    param_values_free(values, ease->nparams);
    mem_free(values);
    return m;
}

/* Another user, without one of their items. */
static void edit(void *context)
{
    struct bench *b = context;
    struct error err;
    history_clear(&b->whole);
    history_clear(&b->without);
    uint32_t user = (uint32_t)rng_below(&b->rng, b->data->users.n);
    need(history_of_user(&b->all, user, &b->whole, &err), &err);
    need(history_of_user(&b->all, user, &b->without, &err), &err);
    history_remove(&b->without, b->whole.events[rng_below(&b->rng, b->whole.n)].item);
}

static void by_rank(void *context)
{
    struct bench *b = context;
    struct query before = history_query(&b->whole), after = history_query(&b->without);
    struct retrain r = {.m = b->ease, .data = b->data, .before = &before, .after = &after};
    struct retrained x;
    struct error err;
    need(retrain_make(&r, &x, &err), &err);
    if (x.way != RETRAIN_UPDATE)
        exit(1);
    mem_free(b->ours);
    b->ours = x.scores;
    x.scores = NULL;
    retrained_clear(&x);
}

/* What one would wait for otherwise: it costs the same with one event less. */
static void anew(void *context)
{
    struct bench *b = context;
    model_release(b->anew);
    b->anew = train(&b->all);
}

static void run(const char *folder, const char *what, const char *file)
{
    struct bench b = {.rng = rng_stream(1, "retrain benchmark", 0)};
    struct ingest_report report;
    struct error err;
    char path[4096], line[80];
    const char *paths[] = {path};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (access(path, R_OK)) {
        printf("EASE without one event: skipped, there is no %s (set TAILOR_DATA)\n", path);
        return;
    }
    need(ingest_events(paths, 1, NULL, 0, "retrain", NULL, NULL, &b.data, &report, &err), &err);
    b.all = (struct selection){.data = b.data, .until = NO_TIME};
    b.ease = train(&b.all);
    snprintf(line, sizeof line, "EASE of %s without one event", what);
    bench_print(line, "training anew", bench_run(by_rank, anew, edit, &b, 3), 0);
    history_clear(&b.whole);
    history_clear(&b.without);
    mem_free(b.ours);
    model_release(b.ease);
    model_release(b.anew);
    dataset_release(b.data);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : getenv("TAILOR_DATA");
    run(folder ? folder : "../shared/data", "MovieLens 100K", "ml-100k");
    run(folder ? folder : "../shared/data", "MovieLens 1M", "ml-1m/pairs_original_order.tsv");
    return 0;
}
