/* Lists: those of everybody, users a second (by the vectors that a model keeps of them, and with each history folded in), and
 * one user's, beside the plain way: score one history after the other, then look for the best by a heap. On Gowalla when
 * TAILOR_DATA has it, else on made-up data of a third of its size. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "ingest/ingest.h"
#include "models/driver.h"
#include "ranking/lists.h"

enum { K = 20, PLAIN_USERS = 512, MOST_ITEMS = 12000 /* dense items x items matrices, unless LONG=yes */ };

struct lists {
    struct dataset *data;
    struct selection all;
    struct model *m;
    uint32_t *users;
    size_t nusers;
    struct scored *best;
    size_t *counts;
    float *scores;
    struct history history;
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static struct dataset *open_data(void)
{
    enum { USERS = 10000, ITEMS = 13000, EVENTS = 270000 };
    char path[512];
    struct error err;
    struct ingest_report report;
    struct dataset *d;
    const char *root = getenv("TAILOR_DATA"), *paths[] = {path};
    snprintf(path, sizeof path, "%s/gowalla", root ? root : "");
    if (!root || access(path, R_OK)) {
        struct rng r = rng_stream(1, "lists benchmark", 0);
        snprintf(path, sizeof path, "/tmp/tailor-lists-%d.csv", (int)getpid());
        FILE *f = fopen(path, "wb");
        if (!f) {
            perror(path);
            exit(1);
        }
        fputs("user,item\n", f);
        for (size_t e = 0; e < EVENTS; e++)
            fprintf(f, "u%u,i%u\n", (unsigned)rng_below(&r, USERS), (unsigned)(ITEMS * rng_real(&r) * sqrt(rng_real(&r))));
        fclose(f);
        need(ingest_events(paths, 1, NULL, 0, "lists", NULL, NULL, &d, &report, &err), &err);
        unlink(path);
    } else {
        need(ingest_events(paths, 1, NULL, 0, "lists", NULL, NULL, &d, &report, &err), &err);
    }
    return d;
}

static struct model *train(const struct lists *l, const char *name, const char *key, const char *value)
{
    const struct model_class *class = model_class_find(name);
    struct param_value values[64];
    struct error err;
    struct model *m = NULL;
    if (!class)
        return NULL;
    need(param_defaults(class->params, class->nparams, values, &err), &err);
    size_t p = param_index(class->params, class->nparams, key), epochs = param_index(class->params, class->nparams, "epochs");
    if (p < class->nparams)
        need(param_parse(&class->params[p], value, &values[p], &err), &err);
    if (epochs < class->nparams)
        need(param_parse(&class->params[epochs], "2", &values[epochs], &err), &err);
    need(model_train(class, name, values, &l->all, 1, NULL, NULL, &m, &err), &err);
    param_values_free(values, class->nparams);
    return m;
}

static void everybody(void *context)
{
    struct lists *l = context;
    struct error err;
    need(rank_users(l->m, &l->all, l->users, l->nusers, K, SEEN_HIDE, NULL, l->best, l->counts, &err), &err);
}

/* Insertion into an ordered list: the plain way to the k best. */
static size_t plain_best(const float *score, size_t n, struct scored *out)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(score[i] > -INFINITY) || (m == K && score[i] <= out[m - 1].score))
            continue;
        size_t at = m < K ? m++ : m - 1;
        for (; at && out[at - 1].score < score[i]; at--)
            out[at] = out[at - 1];
        out[at] = (struct scored){(uint32_t)i, score[i]};
    }
    return m;
}

static void one_plainly(const struct lists *l, uint32_t user, struct scored *out, size_t *count)
{
    struct history h;
    struct error err;
    need(history_of_user(&l->all, user, &h, &err), &err);
    struct query q = history_query(&h);
    need(rank_scores(l->m, &q, SEEN_HIDE, l->scores, &err), &err);
    *count = plain_best(l->scores, l->m->nitems, out);
    history_clear(&h);
}

/* The first PLAIN_USERS alone: everybody would take too long. */
static void some_plainly(void *context)
{
    struct lists *l = context;
    for (size_t i = 0; i < PLAIN_USERS && i < l->nusers; i++)
        one_plainly(l, l->users[i], l->best + i * K, &l->counts[i]);
}

static void one_list(void *context)
{
    struct lists *l = context;
    struct ranked_list list;
    struct error err;
    struct query q = history_query(&l->history);
    need(rank_list(l->m, &q, K, SEEN_HIDE, &list, &err), &err);
    ranked_list_clear(&list);
}

static void scores_alone(void *context)
{
    struct lists *l = context;
    struct error err;
    struct query q = history_query(&l->history);
    need(rank_scores(l->m, &q, SEEN_HIDE, l->scores, &err), &err);
}

/* Both ways give the same lists, or there is nothing to compare. */
static void check(struct lists *l)
{
    struct scored plain[K];
    size_t n;
    everybody(l);
    for (size_t i = 0; i < l->nusers; i += 1 + l->nusers / 97) {
        one_plainly(l, l->users[i], plain, &n);
        if (n != l->counts[i] || memcmp(plain, l->best + i * K, n * sizeof *plain) != 0) {
            fprintf(stderr, "%s: the list of user %u differs from that of the plain way\n", l->m->class->name, (unsigned)l->users[i]);
            exit(1);
        }
    }
}

static void time_everybody(struct lists *l)
{
    check(l);
    struct timing t = bench_run(everybody, some_plainly, NULL, l, 2);
    double plain = t.reference * (double)l->nusers / (double)(l->nusers < PLAIN_USERS ? l->nusers : PLAIN_USERS);
    printf(" %9.0f users/s  %6.1f x one after the other  ", (double)l->nusers / t.ours, plain / t.ours);
    if (!l->m->users.n)
        return;
    user_vectors_clear(&l->m->users);
    t = bench_run(everybody, some_plainly, NULL, l, 2);
    printf("(folded in %7.0f, %5.1f x)  ", (double)l->nusers / t.ours, plain / t.ours);
}

static void time_one(struct lists *l)
{
    struct error err;
    need(history_of_user(&l->all, l->users[l->nusers / 2], &l->history, &err), &err);
    struct timing t = bench_run(one_list, scores_alone, NULL, l, 1);
    printf(" one list %7.3f ms, scores %7.3f ms (%zu events)\n", t.ours * 1e3, t.reference * 1e3, l->history.n);
    fflush(stdout);
    history_clear(&l->history);
}

static void run(struct lists *l, const char *name, const char *key, const char *value, bool all)
{
    char what[64];
    l->m = train(l, name, key, value);
    if (!l->m)
        return;
    snprintf(what, sizeof what, "%s%s%s%s%s", name, key[0] ? " " : "", key, key[0] ? "=" : "", value);
    printf("%-28s", what);
    if (all)
        time_everybody(l);
    time_one(l);
    model_release(l->m);
}

int main(void)
{
    static struct lists l;
    struct error err;
    l.data = open_data();
    l.all = (struct selection){.data = l.data, .until = NO_TIME};
    size_t n = l.data->users.n, items = l.data->items.n;
    l.users = mem_new(n, sizeof *l.users, "users", &err);
    l.best = mem_new(n * K, sizeof *l.best, "lists", &err);
    l.counts = mem_new(n, sizeof *l.counts, "lists", &err);
    l.scores = mem_new(items, sizeof *l.scores, "scores", &err);
    need(l.users && l.best && l.counts && l.scores ? ST_OK : ST_NOMEM, &err);
    for (uint32_t u = 0; u < n; u++)
        if (l.data->user_begin[u] < l.data->user_begin[u + 1])
            l.users[l.nusers++] = u;
    printf("\nlists of %d for %zu users over %zu items\n\n", K, l.nusers, items);
    run(&l, "pop", "", "", true);
    run(&l, "itemknn", "", "", true);
    run(&l, "rp3beta", "", "", true);
    run(&l, "ials", "factors", "64", true);
    run(&l, "ials", "factors", "128", true);
    const char *wanted = getenv("LONG");
    bool longest = wanted && strcmp(wanted, "yes") == 0;
    if (items <= MOST_ITEMS || longest) {
        run(&l, "slim", "", "", items <= MOST_ITEMS);
        run(&l, "ease", "", "", items <= MOST_ITEMS);
    }
    mem_free(l.users);
    mem_free(l.best);
    mem_free(l.counts);
    mem_free(l.scores);
    dataset_release(l.data);
    return 0;
}
