/* A small made-up data set for tests of models and what stands on them: users and items in groups, times, two types
 * of events, repeats. And short ways to train on it. */
#ifndef TAILOR_TESTS_UNIT_WORLD_H
#define TAILOR_TESTS_UNIT_WORLD_H

#include "tests/unit/unit.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "models/driver.h"
#include "models/snapshot.h"

enum { WORLD_GROUPS = 4, WORLD_START = 1700000000 };

static inline void world_event(struct dataset *d, const char *user, const char *item, const char *type, int64_t seconds)
{
    struct events *e = &d->events;
    uint32_t code;
    size_t n = e->n;
    assert_int_equal(dict_add(&d->users, user, strlen(user), &e->user[n], NULL), ST_OK);
    assert_int_equal(dict_add(&d->items, item, strlen(item), &e->item[n], NULL), ST_OK);
    assert_int_equal(dict_add(&d->types, type, strlen(type), &code, NULL), ST_OK);
    e->type[n] = (uint16_t)code;
    e->time[n] = seconds * US_PER_SECOND;
    e->sequence[n] = n;
    e->n++;
}

static inline struct dataset *world_empty(size_t room)
{
    struct dataset *d = dataset_new("world", NULL);
    struct events *e = &d->events;
    e->user = mem_new(room, sizeof *e->user, "", NULL);
    e->item = mem_new(room, sizeof *e->item, "", NULL);
    e->time = mem_new(room, sizeof *e->time, "", NULL);
    e->sequence = mem_new(room, sizeof *e->sequence, "", NULL);
    e->type = mem_new(room, sizeof *e->type, "", NULL);
    return d;
}

/* Titles "Item 17", category "group 1"; user and item n belong to group n modulo WORLD_GROUPS. */
static inline void world_describe(struct dataset *d)
{
    struct field *f;
    char text[32];
    assert_int_equal(fields_add(&d->item_fields, "title", FIELD_TEXT, &f, NULL), ST_OK);
    for (uint32_t i = 0; i < d->items.n; i++) {
        snprintf(text, sizeof text, "Item %s", dict_text(&d->items, i) + 1);
        assert_int_equal(field_push_text(f, text, strlen(text), NULL), ST_OK);
    }
    assert_int_equal(fields_add(&d->item_fields, "category", FIELD_TEXT, &f, NULL), ST_OK);
    for (uint32_t i = 0; i < d->items.n; i++) {
        snprintf(text, sizeof text, "group %d", atoi(dict_text(&d->items, i) + 1) % WORLD_GROUPS);
        assert_int_equal(field_push_text(f, text, strlen(text), NULL), ST_OK);
    }
}

static inline struct dataset *world_new(size_t users, size_t items, size_t events, uint64_t seed)
{
    struct rng r = rng_stream(seed, "world", 0);
    struct dataset *d = world_empty(events);
    char user[16], item[16];
    for (size_t e = 0; e < events; e++) {
        size_t u = rng_below(&r, users);
        size_t i = (size_t)((double)items * rng_real(&r) * rng_real(&r)); /* small numbers are popular */
        if (rng_real(&r) < .8)
            i = i / WORLD_GROUPS * WORLD_GROUPS + u % WORLD_GROUPS;
        snprintf(user, sizeof user, "u%zu", u);
        snprintf(item, sizeof item, "i%zu", i < items ? i : items - 1);
        world_event(d, user, item, rng_real(&r) < .3 ? "buy" : "click", WORLD_START + (int64_t)e * 3600);
    }
    world_describe(d);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

/* What d was when it had its first n events. */
static inline struct dataset *world_first(const struct dataset *d, size_t n)
{
    struct dataset *e = world_empty(n);
    for (uint64_t s = 0; s < n; s++) { /* in the order in which they came, so that ids get the same numbers */
        size_t i = 0;
        while (d->events.sequence[i] != s)
            i++;
        world_event(e, dict_text(&d->users, d->events.user[i]), dict_text(&d->items, d->events.item[i]),
                    dict_text(&d->types, d->events.type[i]), d->events.time[i] / US_PER_SECOND);
    }
    world_describe(e);
    assert_int_equal(dataset_finish(e, NULL), ST_OK);
    return e;
}

/* Six users, eight items, worked by hand:
 *
 *          a b c d e f g h
 *     u1   x x x . . . . .
 *     u2   x x . x . . . .
 *     u3   . x x . x . . .
 *     u4   . . . x x x . .
 *     u5   . . . . . x x x
 *     u6   x . . . . . . x
 */
static inline struct dataset *world_tiny(void)
{
    static const char *const rows[] = {"abc", "abd", "bce", "def", "fgh", "ah"};
    struct dataset *d = world_empty(32);
    for (size_t u = 0; u < 6; u++) {
        char user[] = {'u', (char)('1' + u), 0};
        for (const char *c = rows[u]; *c; c++)
            world_event(d, user, (char[]){*c, 0}, "click", WORLD_START + (int64_t)d->events.n);
    }
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

/* MovieLens 100K as plain pairs, or NULL when it is not there. */
static inline struct dataset *world_movielens(void)
{
    char path[512], user[16], item[16];
    const char *folder = getenv("TAILOR_DATA");
    long long time;
    snprintf(path, sizeof path, "%s/ml-100k/u.data", folder ? folder : "");
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    struct dataset *d = world_empty(100000);
    while (fscanf(f, "%15s %15s %*s %lld", user, item, &time) == 3)
        world_event(d, user, item, "rating", time);
    fclose(f);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static inline struct selection world_all(const struct dataset *d)
{
    return (struct selection){.data = d, .until = NO_TIME};
}

/* Trains with "key=value" settings, ended by NULL. */
static inline struct model *world_train(const struct dataset *d, const struct model_class *class,
                                        const char *const *settings)
{
    struct param_value values[32];
    struct error err;
    struct model *m = NULL;
    struct selection all = world_all(d);
    assert_int_equal(param_defaults(class->params, class->nparams, values, &err), ST_OK);
    for (; settings && *settings; settings++) {
        char key[32];
        snprintf(key, sizeof key, "%.*s", (int)strcspn(*settings, "="), *settings);
        size_t i = param_index(class->params, class->nparams, key);
        assert_true(i < class->nparams);
        assert_int_equal(param_parse(&class->params[i], strchr(*settings, '=') + 1, &values[i], &err), ST_OK);
    }
    enum status st = model_train(class, class->name, values, &all, 7, NULL, NULL, &m, &err);
    if (st)
        fail_msg("%s: %s", class->name, err.message);
    param_values_free(values, class->nparams);
    return m;
}

/* The history of a user; out has room for all their events. */
static inline struct query world_query(const struct dataset *d, uint32_t user, struct query_event *out)
{
    size_t n = 0;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++)
        out[n++] = (struct query_event){.item = d->events.item[e], .type = d->events.type[e], .value = d->events.value ? d->events.value[e] : NAN,
                                        .weight = d->type_weight[d->events.type[e]],
                                        .time = d->events.time ? d->events.time[e] : NO_TIME, .event = e};
    return (struct query){.events = out, .n = n, .user = user, .as_of = NO_TIME};
}

/* What every model must keep, whatever it computes:
 * parts and base sum to the score; save and load keep the bits; so do 1 and 2 threads; a row of a batch is a query alone. */
static inline void world_check_model(const struct dataset *d, const struct model_class *class,
                                     const char *const *settings)
{
    enum { QUERIES = 9 };
    size_t ni = d->items.n;
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    struct query q[QUERIES];
    float *batch = mem_new(QUERIES * ni, sizeof *batch, "", NULL), *single = mem_new(QUERIES * ni, sizeof *single, "", NULL);
    size_t used = 0;
    int threads = omp_get_max_threads();

    omp_set_num_threads(2);
    struct model *m = world_train(d, class, settings);
    for (uint32_t u = 0; u < QUERIES; u++) {
        q[u] = world_query(d, u % d->users.n, room + used);
        used += q[u].n;
        if (used + d->events.n / 2 > d->events.n)
            used = 0, q[u].n = u ? 2 : q[u].n;
    }
    q[QUERIES - 1].n = 0; /* nobody yet */
    assert_int_equal(model_score(m, q, QUERIES, batch, NULL), ST_OK);
    for (int i = 0; i < QUERIES; i++)
        assert_int_equal(model_score(m, &q[i], 1, single + (size_t)i * ni, NULL), ST_OK);
    assert_memory_equal(batch, single, QUERIES * ni * sizeof *batch);

    for (size_t i = 0; i < QUERIES; i++) {
        for (uint32_t item = 0; item < ni; item += 1 + (uint32_t)ni / 16) {
            struct explanation x;
            assert_int_equal(model_explain(m, &q[i], item, &x, NULL), ST_OK);
            double sum = x.base, size = fabs(x.base);
            for (size_t p = 0; p < x.nparts; p++) {
                sum += x.parts[p].value;
                size += fabs(x.parts[p].value);
                assert_true(!p || fabs(x.parts[p].value) <= fabs(x.parts[p - 1].value));
            }
            assert_true((float)x.score == batch[i * ni + item]);
            assert_true(fabs(sum - x.score) <= 1e-5 * (size + 1e-3));
            explanation_clear(&x);
        }
    }

    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    struct model *again = NULL;
    assert_int_equal(model_save(m, &w, NULL), ST_OK);
    struct blob_reader r = snapshot_reader(&blob);
    assert_int_equal(model_load(&r, &again, NULL), ST_OK);
    assert_int_equal(blob.at, blob.n);
    assert_int_equal(model_score(again, q, QUERIES, single, NULL), ST_OK);
    assert_memory_equal(batch, single, QUERIES * ni * sizeof *batch);
    struct str before = {0}, after = {0};
    model_describe(m, false, &before);
    model_describe(again, false, &after);
    assert_string_equal(str_text(&before), str_text(&after));
    assert_string_equal(m->name, again->name);
    assert_memory_equal(&m->record, &again->record, offsetof(struct model_record, curve));
    model_release(again);
    str_free(&before);
    str_free(&after);
    /* A blob cut anywhere is refused. */
    size_t whole = blob.n;
    for (size_t cut = 0; cut < whole; cut += 1 + whole / 97) {
        again = NULL;
        blob.n = cut;
        blob.at = 0;
        assert_int_not_equal(model_load(&r, &again, NULL), ST_OK);
        assert_null(again);
    }
    snapshot_clear(&blob);

    omp_set_num_threads(1);
    struct model *alone = world_train(d, class, settings);
    assert_int_equal(model_score(alone, q, QUERIES, single, NULL), ST_OK);
    assert_memory_equal(batch, single, QUERIES * ni * sizeof *batch);
    omp_set_num_threads(threads);
    model_release(alone);
    model_release(m);
    mem_free(room);
    mem_free(batch);
    mem_free(single);
}

#endif
