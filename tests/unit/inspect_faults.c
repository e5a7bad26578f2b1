/* When memory fails and when saved models are damaged: an error, never a crash, a leak (under the sanitizers) or a wrong model. */
#include "tests/unit/every_model.h"

#include "inspect/find.h"
#include "inspect/group.h"
#include "inspect/who.h"
#include "inspect/profile.h"
#include "inspect/whatif.h"
#include "inspect/why.h"
#include "models/classes.h"
#include "ranking/lists.h"
#include "tests/unit/memory.h"

struct scene {
    struct dataset *d;
    const struct model_class *class;
    struct param_value *values;
    const struct model *m; /* trained, for those that only ask */
    struct query q;
    struct snapshot *saved;
};

static enum status try_score(const struct scene *s, struct error *err)
{
    float scores[64];
    return model_score(s->m, &s->q, 1, scores, err);
}

static enum status try_similar(const struct scene *s, struct error *err)
{
    float scores[64];
    enum status st = model_similar(s->m, 0, scores, err);
    return st == ST_UNSUPPORTED ? ST_OK : st;
}

static enum status try_load(const struct scene *s, struct error *err)
{
    struct model *m = NULL;
    s->saved->at = 0;
    struct blob_reader r = snapshot_reader(s->saved);
    enum status st = model_load(&r, &m, err);
    assert_true((st == ST_OK) == (m != NULL));
    model_release(m);
    return st;
}

static enum status try_why(const struct scene *s, struct error *err)
{
    struct why w;
    enum status st = why_make(s->m, &s->q, 3, SEEN_HIDE, 3, &w, err);
    if (!st)
        why_clear(&w);
    return st;
}

static enum status try_group(const struct scene *s, struct error *err)
{
    uint8_t chosen[64] = {0, 1, 1, 1};
    struct selection all = world_all(s->d);
    struct why_group g;
    enum status st = why_group_make(s->d, s->m, &s->q, chosen, 5, SEEN_HIDE, &g, err);
    if (!st)
        st = why_group_lists(&g, s->m, &all, chosen, 3, SEEN_HIDE, NULL, err);
    why_group_clear(&g);
    return st;
}

static enum status try_who(const struct scene *s, struct error *err)
{
    uint8_t chosen[64] = {0, 1, 1, 1};
    struct selection all = world_all(s->d);
    uint32_t users[] = {0, 1, 2, 3, 4, 5};
    size_t got[64];
    struct cohorts cut = {.by = NULL};
    struct who w;
    enum status st = who_make(s->m, &all, chosen, 5, SEEN_HIDE, NULL, &w, err);
    if (!st)
        st = cohorts_of_users(&all, users, 6, "country", &cut, err);
    if (!st)
        st = who_segments(&w, s->d, &cut, users, got, err);
    cohorts_clear(&cut);
    if (!st)
        st = cohorts_of_users(&all, users, 6, "age", &cut, err);
    cohorts_clear(&cut);
    who_clear(&w);
    return st;
}

static enum status try_whatif(const struct scene *s, struct error *err)
{
    struct whatif w;
    struct query less = s->q;
    less.n--;
    enum status st = whatif_make(s->m, &s->q, &less, 5, SEEN_HIDE, &w, err);
    if (!st)
        whatif_clear(&w);
    return st;
}

static enum status try_lists(const struct scene *s, struct error *err)
{
    struct selection all = world_all(s->d);
    uint32_t users[] = {0, 1, 2};
    struct scored out[9];
    size_t counts[3];
    return rank_users(s->m, &all, users, 3, 3, SEEN_HIDE, NULL, out, counts, err);
}

static enum status try_profile(const struct scene *s, struct error *err)
{
    struct profile p;
    enum status st = profile_make(s->d, &s->q, &p, err);
    if (!st)
        profile_clear(&p);
    return st;
}

static enum status try_find(const struct scene *s, struct error *err)
{
    struct found_list l;
    const char *word = "item";
    enum status st = find_items(s->d, NO_TIME, &word, 1, 5, &l, err);
    if (!st)
        found_list_clear(&l);
    return st;
}

/* Each allocation fails once with all after it, until none is left to fail. */
static void exhaust(const struct scene *s, enum status (*f)(const struct scene *s, struct error *err))
{
    for (long n = 0;; n++) {
        atomic_long left = n;
        struct error err = {0};
        mem_set_hook(fail_from, &left);
        enum status st = f(s, &err);
        mem_set_hook(NULL, NULL);
        if (st == ST_OK)
            return;
        assert_int_equal(st, ST_NOMEM);
        assert_true(n < 1000);
    }
}

static void test_memory(void **state)
{
    (void)state;
    struct dataset *d = every_world(20, 24, 300, ODD_NOT);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    int threads = omp_get_max_threads();
    omp_set_num_threads(1); /* one thread counts the allocations */
    for (const struct model_class *const *c = model_classes; *c; c++) {
        if ((*c)->capabilities & OF_MODELS) /* trained in another way: models_hard */
            continue;
        struct param_value values[32];
        struct snapshot saved = {0};
        struct blob_writer w = snapshot_writer(&saved);
        assert_int_equal(param_defaults((*c)->params, (*c)->nparams, values, NULL), ST_OK);
        struct model *m = world_train(d, *c, NULL);
        assert_int_equal(model_save(m, &w, NULL), ST_OK);
        struct scene s = {d, *c, values, m, world_query(d, 1, room), &saved};
        exhaust(&s, try_score);
        exhaust(&s, try_similar);
        exhaust(&s, try_load);
        exhaust(&s, try_why);
        exhaust(&s, try_group);
        exhaust(&s, try_who);
        exhaust(&s, try_whatif);
        exhaust(&s, try_lists);
        exhaust(&s, try_profile);
        exhaust(&s, try_find);
        model_release(m);
        snapshot_clear(&saved);
        param_values_free(values, (*c)->nparams);
    }
    omp_set_num_threads(threads);
    mem_free(room);
    dataset_release(d);
}

/* A flipped bit is refused, or it was in bytes that mean nothing: then the model is the same. */
static void test_bit_flips(void **state)
{
    (void)state;
    enum { FLIPS = 1500 };
    struct dataset *d = every_world(20, 24, 300, ODD_NOT);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    struct query q = world_query(d, 1, room);
    float want[64], got[64];
    for (const struct model_class *const *c = model_classes; *c; c++) {
        if ((*c)->capabilities & OF_MODELS) /* trained in another way: models_hard */
            continue;
        struct snapshot saved = {0};
        struct blob_writer w = snapshot_writer(&saved);
        struct rng r = rng_stream(5, (*c)->name, 0);
        struct model *m = world_train(d, *c, NULL), *again;
        assert_int_equal(model_save(m, &w, NULL), ST_OK);
        assert_int_equal(model_score(m, &q, 1, want, NULL), ST_OK);
        for (size_t i = 0; i < FLIPS; i++) {
            size_t at = rng_below(&r, saved.n);
            char bit = (char)(1 << rng_below(&r, 8));
            saved.bytes[at] = (char)(saved.bytes[at] ^ bit);
            saved.at = 0;
            again = NULL;
            struct blob_reader in = snapshot_reader(&saved);
            if (model_load(&in, &again, NULL) == ST_OK) {
                assert_int_equal(model_score(again, &q, 1, got, NULL), ST_OK);
                assert_memory_equal(want, got, d->items.n * sizeof *want);
            }
            model_release(again);
            saved.bytes[at] = (char)(saved.bytes[at] ^ bit);
        }
        model_release(m);
        snapshot_clear(&saved);
    }
    mem_free(room);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory), cmocka_unit_test(test_bit_flips)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
