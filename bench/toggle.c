/* What a reader of the User view waits for: one item of the history is unticked or ticked, and the lists of all models
 * are made anew. A thousand toggles, the history of another user every ten: on MovieLens 100K, on MovieLens 1M, and on a
 * made-up catalogue of 100,000 items. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "ingest/ingest.h"
#include "linalg/dense.h"
#include "models/driver.h"
#include "ranking/ranking.h"

enum { TOGGLES = 1000, A_USER = 10, BEST = 50, MODELS_MAX = 16 };

/* Where it is tried, and what is promised there. */
struct place {
    const char *what, *file; /* file: below the folder of data; NULL: made up */
    const char *classes[MODELS_MAX + 1]; /* none: the first of all that will train there */
    double frame;            /* seconds */
};
static const struct place places[] = {
    {"MovieLens 100K", "ml-100k", {NULL}, .016},
    {"MovieLens 1M", "ml-1m/pairs_original_order.tsv", {NULL}, .016},
    {"100,000 items", NULL, {"pop", "itemknn", "userknn", "p3alpha", "rp3beta", "ials", "ialspp", "bpr", "warp", "puresvd", "turbocf"}, .05},
};

struct toggles {
    struct dataset *data;
    struct model *models[MODELS_MAX];
    size_t nmodels;
    double all[TOGGLES], of_model[MODELS_MAX][TOGGLES];
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static bool wanted(const struct place *p, const struct model_class *class)
{
    bool any = !p->classes[0] && !(class->capabilities & OF_MODELS);
    for (size_t i = 0; p->classes[i]; i++)
        any |= strcmp(p->classes[i], class->name) == 0;
    return any;
}

/* A class that will not learn from these data (ratings, attributes, memory) has no list to show. */
static void train_all(struct toggles *t, const struct place *p)
{
    struct selection all = {.data = t->data, .until = NO_TIME};
    struct error err;
    for (const struct model_class *const *c = model_classes; *c && t->nmodels < MODELS_MAX; c++) {
        if (!wanted(p, *c))
            continue;
        struct param_value *values = mem_new((*c)->nparams, sizeof *values, "parameters", &err);
        size_t epochs = param_index((*c)->params, (*c)->nparams, "epochs");
        need(values ? ST_OK : ST_NOMEM, &err);
        need(param_defaults((*c)->params, (*c)->nparams, values, &err), &err);
        if (epochs < (*c)->nparams) /* the time of a list does not depend on how good it is */
            need(param_parse(&(*c)->params[epochs], "2", &values[epochs], &err), &err);
        if (!model_train(*c, (*c)->name, values, &all, 1, NULL, NULL, &t->models[t->nmodels], &err))
            t->nmodels++;
        param_values_free(values, (*c)->nparams);
        mem_free(values);
    }
}

/* Takes the i-th event out of the history, or puts it back; then asks every model. */
static void toggle(struct toggles *t, const struct history *whole, struct history *now, bool *ticked, size_t i,
                   size_t at)
{
    struct error err;
    double start = clock_seconds();
    ticked[i] = !ticked[i];
    now->n = 0;
    for (size_t e = 0; e < whole->n; e++)
        if (ticked[e])
            now->events[now->n++] = whole->events[e];
    struct query q = history_query(now);
    for (size_t m = 0; m < t->nmodels; m++) {
        struct ranked_list list;
        double one = clock_seconds();
        need(rank_list(t->models[m], &q, BEST, SEEN_HIDE, &list, &err), &err);
        ranked_list_clear(&list);
        t->of_model[m][at] = clock_seconds() - one;
    }
    t->all[at] = clock_seconds() - start;
}

static void run(struct toggles *t)
{
    struct selection all = {.data = t->data, .until = NO_TIME};
    struct rng r = rng_stream(1, "toggle", 0);
    struct error err;
    for (size_t at = 0; at < TOGGLES; at += A_USER) {
        struct history whole = {0}, now = {0};
        uint32_t user = (uint32_t)rng_below(&r, t->data->users.n);
        need(history_of_user(&all, user, &whole, &err), &err);
        need(history_of_user(&all, user, &now, &err), &err);
        bool *ticked = mem_new(whole.n, sizeof *ticked, "ticks", &err);
        need(ticked ? ST_OK : ST_NOMEM, &err);
        for (size_t e = 0; e < whole.n; e++)
            ticked[e] = true;
        for (size_t i = 0; i < A_USER; i++)
            toggle(t, &whole, &now, ticked, rng_below(&r, whole.n), at + i);
        mem_free(ticked);
        history_clear(&whole);
        history_clear(&now);
    }
}

static bool load(struct toggles *t, const struct place *p, const char *folder)
{
    struct ingest_report report;
    struct error err;
    char path[4096];
    const char *paths[] = {path};
    if (p->file) {
        snprintf(path, sizeof path, "%s/%s", folder, p->file);
    } else {
        snprintf(path, sizeof path, "/tmp/tailor-toggle-%d.csv", (int)getpid());
        bench_make_up(path);
    }
    bool there = access(path, R_OK) == 0;
    if (there)
        need(ingest_events(paths, 1, NULL, 0, "toggle", NULL, NULL, &t->data, &report, &err), &err);
    else
        printf("toggle of a history item: skipped, there is no %s (set TAILOR_DATA)\n", path);
    if (!p->file)
        unlink(path);
    return there;
}

/* Within the promised time? */
static bool try_place(const struct place *p, const char *folder)
{
    struct toggles *t = calloc(1, sizeof *t);
    bool fast = true;
    if (!t || !load(t, p, folder)) {
        free(t);
        return true;
    }
    train_all(t, p);
    run(t);
    printf("\none history item of %s toggled, %zu lists of %d re-ranked, %d times\n\n", p->what, t->nmodels, BEST, TOGGLES);
    for (size_t m = 0; m < t->nmodels; m++)
        bench_durations(t->models[m]->name, t->of_model[m], TOGGLES);
    bench_durations("all lists", t->all, TOGGLES);
    fast = bench_quantile(t->all, TOGGLES, .99) < p->frame;
    printf("%s %.0f ms at p99\n", fast ? "within" : "NOT within", p->frame * 1e3);
    for (size_t m = 0; m < t->nmodels; m++)
        model_release(t->models[m]);
    dataset_release(t->data);
    free(t);
    return fast;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : getenv("TAILOR_DATA");
    bool fast = true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        fast &= try_place(&places[i], folder ? folder : "../shared/data");
    return fast ? 0 : 1;
}
