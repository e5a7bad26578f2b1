/* Judging a model: lists of all test users over all items, metrics and intervals, beside the mean epoch of its training, or
 * all of it where there are no epochs. On Gowalla with its own split when TAILOR_DATA has it, else on made-up data. MODELS="ials ease": only
 * these; EASE, which takes much memory, only so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "eval/comparison.h"
#include "ingest/ingest.h"
#include "models/driver.h"

enum { RANKED = 20 };

struct judging {
    struct dataset *data;
    struct split *split;
    struct selection train;
    struct model *m;
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static struct dataset *made_up(void)
{
    enum { USERS = 10000, ITEMS = 13000, EVENTS = 270000 };
    char path[64];
    struct error err;
    struct ingest_report report;
    struct dataset *d;
    const char *paths[] = {path};
    struct rng r = rng_stream(1, "evaluation benchmark", 0);
    snprintf(path, sizeof path, "/tmp/tailor-evaluation-%d.csv", (int)getpid());
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    fputs("user,item\n", f);
    for (size_t e = 0; e < EVENTS; e++) {
        unsigned item = (unsigned)(ITEMS * rng_real(&r) * rng_real(&r));
        fprintf(f, "u%u,i%u\n", (unsigned)rng_below(&r, USERS), item);
    }
    fclose(f);
    need(ingest_events(paths, 1, NULL, 0, "evaluation", NULL, NULL, &d, &report, &err), &err);
    unlink(path);
    return d;
}

static void open_data(struct judging *j)
{
    char path[512];
    struct error err;
    struct ingest_report report;
    struct split_spec spec = {.kind = SPLIT_RANDOM, .share = .2, .at = NO_TIME, .seed = 1};
    const char *root = getenv("TAILOR_DATA"), *paths[] = {path};
    snprintf(path, sizeof path, "%s/gowalla", root ? root : "");
    if (!root || access(path, R_OK)) {
        j->data = made_up();
    } else {
        need(ingest_events(paths, 1, NULL, 0, "evaluation", NULL, NULL, &j->data, &report, &err), &err);
        spec.kind = SPLIT_GIVEN;
    }
    need(split_new(j->data, &spec, &j->split, &err), &err);
    j->train = (struct selection){.data = j->data, .split = j->split, .parts = PART_TRAIN, .until = NO_TIME};
}

static void set(const struct model_class *class, struct param_value *values, const char *name, const char *value)
{
    struct error err;
    size_t p = param_index(class->params, class->nparams, name);
    if (p < class->nparams)
        need(param_parse(&class->params[p], value, &values[p], &err), &err);
}

/* Seconds; *m is the model. epochs: 0: as many as it has by default. */
static double train(const struct judging *j, const struct model_class *class, const char *factors, int epochs, struct model **m)
{
    struct param_value values[64];
    struct error err;
    char number[16];
    need(param_defaults(class->params, class->nparams, values, &err), &err);
    if (epochs) {
        snprintf(number, sizeof number, "%d", epochs);
        set(class, values, "epochs", number);
    }
    if (factors)
        set(class, values, "factors", factors);
    double start = clock_seconds();
    need(model_train(class, class->name, values, &j->train, 1, NULL, NULL, m, &err), &err);
    start = clock_seconds() - start;
    param_values_free(values, class->nparams);
    return start;
}

/* Seconds of each step of a judgement, one turn a row. */
enum step { STEP_SET, STEP_LISTS, STEP_METRICS, STEP_INTERVALS, STEPS };
enum { TURNS = 9 };

static double lap(double *since)
{
    double now = clock_seconds(), passed = now - *since;
    *since = now;
    return passed;
}

/* All that `compare recall@20 ndcg@20` does for one model but keeping it: lists of `depth`, metrics, and intervals. Without resamples
 * what a validation does: ranks and metrics. */
static void judge(const struct judging *j, size_t depth, size_t resamples, double seconds[STEPS])
{
    static struct comparison c;
    struct error err;
    struct protocol protocol = {.on = PART_TEST, .hide_seen = true};
    struct test_set *t;
    struct evaluation *e;
    const struct evaluation *all[1];
    const char *name = j->m->class->name;
    double since = clock_seconds();
    need(test_set_new(j->data, j->split, &protocol, &t, &err), &err);
    seconds[STEP_SET] = lap(&since);
    need((resamples ? evaluation_run : evaluation_ranks)(j->m, t, j->split->fingerprint, depth, NULL, &e, &err), &err);
    seconds[STEP_LISTS] = lap(&since);
    c = (struct comparison){.resamples = 0, .seed = 1};
    need(comparison_measure(&c, "recall", 20, true, &err), &err);
    need(comparison_measure(&c, "ndcg", 20, true, &err), &err);
    all[0] = e;
    need(comparison_make(&c, all, &name, 1, 1, NULL, &err), &err);
    seconds[STEP_METRICS] = lap(&since);
    comparison_clear(&c);
    if (resamples) {
        c.resamples = resamples;
        need(comparison_make(&c, all, &name, 1, 1, NULL, &err), &err);
        comparison_clear(&c);
    }
    seconds[STEP_INTERVALS] = resamples ? lap(&since) - seconds[STEP_METRICS] : 0;
    evaluation_free(e);
    test_set_free(t);
}

/* The median of each part and, behind them, of their sum. */
static void take_steps(const struct judging *j, size_t depth, size_t resamples, double median[STEPS + 1])
{
    double seconds[STEPS], x[STEPS + 1][TURNS];
    judge(j, depth, resamples, seconds); /* pages and caches */
    for (size_t turn = 0; turn < TURNS; turn++) {
        judge(j, depth, resamples, seconds);
        x[STEPS][turn] = 0;
        for (size_t p = 0; p < STEPS; p++) {
            x[p][turn] = seconds[p];
            x[STEPS][turn] += seconds[p];
        }
    }
    for (size_t p = 0; p <= STEPS; p++)
        median[p] = bench_median(x[p], TURNS);
}

/* The mean epoch of a whole training, in which later ones may take longer than the first: the difference between one and
 * all of them, so that what is done once for all is left out. */
static double epoch_of(const struct judging *j, const struct model_class *class, const char *factors)
{
    enum { SOME = 3 };
    double x[SOME];
    size_t p = param_index(class->params, class->nparams, "epochs");
    int epochs = atoi(class->params[p].initial);
    for (size_t i = 0; i < SOME; i++) {
        struct model *one, *all;
        double first = train(j, class, factors, 1, &one);
        x[i] = (train(j, class, factors, 0, &all) - first) / (epochs - 1);
        model_release(one);
        model_release(all);
    }
    return bench_median(x, SOME);
}

static void run(struct judging *j, const char *name, const char *factors)
{
    const struct model_class *class = model_class_find(name);
    if (!class)
        return;
    bool epochs = param_index(class->params, class->nparams, "epochs") < class->nparams;
    double whole = train(j, class, factors, 0, &j->m), one = epochs ? epoch_of(j, class, factors) : whole;
    double ranked[STEPS + 1], judged[STEPS + 1];
    take_steps(j, RANKED, 0, ranked);
    take_steps(j, EVALUATION_DEPTH, BOOTSTRAP_RESAMPLES, judged);
    printf("%-8s %4s %8.3f %8.3f  %-8s %8.3f %7.2f %7.2f    %8.3f %8.3f %8.3f %8.3f %8.3f\n", name, factors ? factors : "", ranked[STEPS],
           judged[STEPS], epochs ? "epoch" : "training", one, one / ranked[STEPS], one / judged[STEPS], judged[STEP_SET], ranked[STEP_LISTS],
           judged[STEP_LISTS], judged[STEP_METRICS], judged[STEP_INTERVALS]);
    fflush(stdout);
    model_release(j->m);
    j->m = NULL;
}

static const struct {
    const char *name, *factors;
    bool dear; /* only when it is named */
} cases[] = {{"ials", "64", false}, {"ials", "256", false}, {"bpr", "64", false}, {"warp", "64", false}, {"lmf", "64", false},
             {"itemknn", NULL, false}, {"slim", NULL, false}, {"ease", NULL, true}};

int main(void)
{
    static struct judging j;
    const char *wanted = getenv("MODELS");
    open_data(&j);
    printf("\nall %zu test users over all %u items: ranked = ranks up to %d, recall@20 and ndcg@20; judged = lists of %d and intervals\n"
           "(%d resamples) too; seconds; x: how many times an epoch lasts. Behind them the parts of judging, and ranks up to %d beside.\n\n"
           "%-8s %4s %8s %8s  %-8s %8s %7s %7s    %8s %8s %8s %8s %8s\n",
           j.split->test_users, j.data->items.n, RANKED, EVALUATION_DEPTH, BOOTSTRAP_RESAMPLES, RANKED, "model", "", "ranked", "judged",
           "against", "", "x", "x", "test set", "ranks 20", "l. 100", "metrics", "interv.");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (wanted ? strstr(wanted, cases[i].name) != NULL : !cases[i].dear)
            run(&j, cases[i].name, cases[i].factors);
    split_release(j.split);
    dataset_release(j.data);
    return 0;
}
