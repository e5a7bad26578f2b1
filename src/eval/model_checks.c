#include "eval/model_checks_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/candidates.h"
#include "models/driver.h"

/* ---- what came of it ---- */

enum status checks_add(struct model_checks *k, const char *check, const char *model, enum check_verdict verdict,
                       struct str *evidence, struct error *err)
{
    enum status st = mem_grow(&k->findings, &k->capacity, k->n + 1, sizeof *k->findings, err);
    char *copy = st ? NULL : mem_strdup(str_text(evidence), err);
    str_free(evidence);
    if (!copy)
        return ST_NOMEM;
    k->findings[k->n++] = (struct check_finding){check, model, verdict, copy};
    return ST_OK;
}

void model_checks_clear(struct model_checks *k)
{
    for (size_t i = 0; i < k->n; i++)
        mem_free(k->findings[i].evidence);
    mem_free(k->findings);
    k->findings = NULL;
    k->n = k->capacity = 0;
}

/* ---- training again ---- */

bool checks_trainable(const struct model *m)
{
    return !(m->class->capabilities & OF_MODELS) && m->record.epochs && model_trained(m) == m;
}

enum status checks_train(const struct model_checks *k, const struct model_class *class,
                         const struct param_value *values, const struct dataset *d, uint64_t seed, struct model **out,
                         struct error *err)
{
    struct selection selection = {
        .data = d, .split = k->s, .parts = PART_TRAIN, .until = NO_TIME, .hides = split_hides(k->s, d)};
    return model_train(class, class->name, values, &selection, seed, NULL, k->job, out, err);
}

enum status checks_judge(const struct model_checks *k, const struct model *m, const struct test_set *set,
                         struct evaluation **out, struct error *err)
{
    return evaluation_run(m, set, k->s->fingerprint, k->c->entries[0].e->depth, k->job, out, err);
}

/* The evaluation of a model like m, trained on d. */
static enum status judge_again(const struct model_checks *k, const struct model *m, const struct dataset *d,
                               uint64_t seed, struct evaluation **out, struct error *err)
{
    struct model *again = NULL;
    enum status st = checks_train(k, m->class, m->values, d, seed, &again, err);
    if (!st)
        st = checks_judge(k, again, k->set, out, err);
    model_release(again);
    return st;
}

double checks_mean(const struct model_checks *k, const struct evaluation *e)
{
    return evaluation_value(e, &k->c->measures[0].at, true);
}

enum status checks_add_untrained(struct model_checks *k, const char *check, const struct model *m, struct error *err)
{
    struct str why = {0};
    str_puts(&why, m->class->capabilities & OF_MODELS ? "made of other models: check those"
                                                      : "was not trained in one go: train it again");
    return checks_add(k, check, m->name, CHECK_NOTHING, &why, err);
}

/* ---- sampled metrics ---- */

enum { NEGATIVES = 100 };

/* The means of all entries, each right item ranked among so many others. */
static enum status sampled_means(const struct model_checks *k, double *mean, struct error *err)
{
    struct test_set *t = NULL;
    enum status st = test_set_new(k->d, k->s, &k->set->protocol, &t, err);
    if (!st)
        st = candidates_draw(t, NEGATIVES, k->c->seed, err);
    for (size_t i = 0; i < k->c->n && !st; i++) {
        struct evaluation *e = NULL;
        st = evaluation_run(k->models[k->c->entries[i].given], t, k->s->fingerprint, k->c->measures[0].at.k, k->job, &e,
                            err);
        mean[i] = st ? NAN : checks_mean(k, e);
        evaluation_free(e);
    }
    test_set_free(t);
    return st;
}

static enum status check_sampled(struct model_checks *k, struct error *err)
{
    const struct comparison *c = k->c;
    struct str s = {0};
    size_t flips = 0, pairs = c->n * (c->n - 1) / 2;
    if (!metric_of_ranks(c->measures[0].at.metric) || c->n < 2) {
        str_puts(&s, c->n < 2 ? "there is one model only" : "the metric is not one of ranks");
        return checks_add(k, "sampled", NULL, CHECK_NOTHING, &s, err);
    }
    double *mean = mem_new_raw(c->n, sizeof *mean, "sampled metrics", err);
    enum status st = mean ? sampled_means(k, mean, err) : ST_NOMEM;
    for (size_t i = 0; i < c->n && !st; i++)
        for (size_t j = i + 1; j < c->n; j++) {
            bool flip = metric_better(c->measures[0].at.metric, mean[j], mean[i]) &&
                        metric_better(c->measures[0].at.metric, c->entries[i].mean[0], c->entries[j].mean[0]);
            if (flip && flips++ < 3)
                str_printf(&s, "%s%s before %s (%.4f, %.4f)", flips == 1 ? "sampled metrics would put " : ", ",
                           c->entries[j].name, c->entries[i].name, mean[j], mean[i]);
        }
    if (!st && !flips)
        str_printf(&s, "among %d sampled items the order of models is the same", NEGATIVES);
    else if (!st)
        str_printf(&s,
                   ": %zu of %zu pair%s change%s places among %d sampled items; the order among all items is the right "
                   "one",
                   flips, pairs, pairs == 1 ? "" : "s", flips == 1 ? "s" : "", NEGATIVES);
    mem_free(mean);
    if (st)
        str_free(&s);
    return st ? st : checks_add(k, "sampled", NULL, flips ? CHECK_DOUBT : CHECK_HOLDS, &s, err);
}

static size_t train_never(const struct model_checks *k, const struct model *m)
{
    (void)k;
    (void)m;
    return 0;
}

/* ---- seeds ---- */

static bool draws(const struct model *m)
{
    return !(m->class->capabilities & CLOSED_FORM);
}

static size_t train_seeds(const struct model_checks *k, const struct model *m)
{
    return checks_trainable(m) && draws(m) ? k->seeds : 0;
}

/* What the model's lead, or what it is behind, is to be larger than. */
static double distance(const struct comparison *c, size_t entry)
{
    return fabs(entry == c->reference ? c->entries[entry ? 0 : 1].to.value : c->entries[entry].to.value);
}

static enum status seeds_of(struct model_checks *k, size_t entry, struct error *err)
{
    const struct comparison *c = k->c;
    const struct model *m = k->models[c->entries[entry].given];
    double least = c->entries[entry].mean[0], most = least, sum = least, squares = least * least, n = 1;
    enum status st = ST_OK;
    for (size_t i = 0; i < k->seeds && !st; i++) {
        struct evaluation *e = NULL;
        struct rng r = rng_stream(m->record.seed, "other seeds", i);
        st = judge_again(k, m, k->d, rng_next(&r), &e, err);
        double mean = st ? NAN : checks_mean(k, e);
        evaluation_free(e);
        least = fmin(least, mean), most = fmax(most, mean);
        sum += mean, squares += mean * mean, n++;
    }
    if (st)
        return st;
    double deviation = sqrt(fmax(squares - sum * sum / n, 0) / (n - 1)), lead = c->n > 1 ? distance(c, entry) : NAN;
    struct str s = {0};
    bool doubt = lead < 2 * deviation;
    str_printf(&s, "%.4f to %.4f with %zu other seed%s, standard deviation %.4f", least, most, k->seeds,
               k->seeds == 1 ? "" : "s", deviation);
    if (!isnan(lead))
        str_printf(&s, "; the difference of %.4f to %s is %s", lead,
                   c->entries[entry == c->reference ? (entry ? 0 : 1) : c->reference].name,
                   doubt ? "no larger than that may do" : "larger");
    return checks_add(k, "seed", m->name, doubt ? CHECK_DOUBT : CHECK_HOLDS, &s, err);
}

static enum status check_seed(struct model_checks *k, struct error *err)
{
    enum status st = ST_OK;
    struct str fixed = {0};
    for (size_t i = 0; i < k->c->n && !st; i++) {
        const struct model *m = k->models[k->c->entries[i].given];
        if (!draws(m))
            str_printf(&fixed, "%s%s", fixed.length ? ", " : "", m->name);
        else
            st = checks_trainable(m) ? seeds_of(k, i, err) : checks_add_untrained(k, "seed", m, err);
    }
    if (fixed.length && !st) {
        str_puts(&fixed, ": nothing is drawn, any seed gives the same");
        return checks_add(k, "seed", NULL, CHECK_NOTHING, &fixed, err);
    }
    str_free(&fixed);
    return st;
}

/* ---- the future ---- */

static size_t train_once(const struct model_checks *k, const struct model *m)
{
    (void)k;
    return checks_trainable(m);
}

/* Every event outside the train part and what is known of held-out users is of another item, and of another value. */
static enum status masked(const struct model_checks *k, struct dataset **out, struct error *err)
{
    struct rng r = rng_stream(k->c->seed, "future", 0);
    enum status st = dataset_again(k->d, out, err);
    if (st)
        return st;
    struct events *e = &(*out)->events;
    for (size_t i = 0; i < e->n; i++) {
        if (k->s->part[i] & (PART_TRAIN | PART_HISTORY))
            continue;
        e->item[i] = (uint32_t)rng_below(&r, (*out)->items.n);
        if (e->value)
            e->value[i] = e->value[rng_below(&r, e->n)];
    }
    return ST_OK;
}

/* How many lists differ, of those that both keep. */
static size_t lists_differ(const struct evaluation *a, const struct evaluation *b)
{
    size_t listed = a->listed < b->listed ? a->listed : b->listed, differ = 0;
    for (size_t q = 0; q < a->nqueries; q++)
        differ += memcmp(a->list + q * a->listed, b->list + q * b->listed, listed * sizeof *a->list) != 0;
    return differ;
}

static enum status future_of(struct model_checks *k, size_t entry, const struct dataset *d, struct error *err)
{
    const struct compared *x = &k->c->entries[entry];
    const struct model *m = k->models[x->given];
    struct evaluation *e = NULL;
    struct str s = {0};
    if (!checks_trainable(m))
        return checks_add_untrained(k, "future", m, err);
    enum status st = judge_again(k, m, d, m->record.seed, &e, err);
    if (st)
        return st;
    size_t differ = lists_differ(x->e, e);
    char some[32], all[32];
    text_count(some, sizeof some, (int64_t)differ);
    text_count(all, sizeof all, (int64_t)e->nqueries);
    if (differ)
        str_printf(&s, "%s of %s list%s change%s with events that training must not see", some, all,
                   e->nqueries == 1 ? "" : "s", differ == 1 ? "s" : "");
    else if (e->nqueries == 1)
        str_printf(&s, "the only list is the same when every event outside the train part is another");
    else
        str_printf(&s, "all %s lists are the same when every event outside the train part is another", all);
    evaluation_free(e);
    return checks_add(k, "future", m->name, differ ? CHECK_DOUBT : CHECK_HOLDS, &s, err);
}

/* Models of a split that is not one moment for all learn from what came later than some questions. */
static enum status future_of_split(struct model_checks *k, struct error *err)
{
    struct split_leaks leaks;
    struct str s = {0};
    enum status st = split_leaks_find(k->d, k->s, &leaks, err);
    if (st || !leaks.timed || !leaks.past_users)
        return st;
    str_printf(
        &s,
        "users asked about a time before the newest event that was learnt from: %zu; `split time` has one moment for "
        "all",
        leaks.past_users);
    return checks_add(k, "future", NULL, CHECK_DOUBT, &s, err);
}

static enum status check_future(struct model_checks *k, struct error *err)
{
    struct dataset *d = NULL;
    enum status st = masked(k, &d, err);
    for (size_t i = 0; i < k->c->n && !st; i++)
        st = future_of(k, i, d, err);
    dataset_release(d);
    return st ? st : future_of_split(k, err);
}

const struct model_check model_checks[] = {
    {"sampled", check_sampled, train_never}, {"seed", check_seed, train_seeds}, {"placebo", checks_placebo, train_once},
    {"future", check_future, train_once},    {NULL, NULL, NULL},
};

double model_checks_take(const struct model_checks *k, const struct model_check *check)
{
    double seconds = 0;
    for (size_t i = 0; i < k->c->n; i++)
        seconds += k->models[i]->record.seconds * (double)check->trainings(k, k->models[i]);
    return seconds;
}
