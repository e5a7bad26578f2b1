/* Vectors of the users of training are kept: they are those of folding in, and a history that differs is not taken for one. */
#include "tests/unit/every_model.h"

#include "models/history.h"

enum { USERS = 40, ITEMS = 30, EVENTS = 400 };

struct asked {
    struct dataset *d;
    struct model *m;
    struct histories h; /* of all users, in this order */
    size_t width;
    float *x, *plain;
};

/* False for a class that keeps none. */
static bool ask(struct asked *a, const struct model_class *class)
{
    if (!class->fold || class->reads)
        return false;
    struct error err;
    a->d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct selection all = world_all(a->d);
    uint32_t users[USERS + LONELY_USERS];
    for (uint32_t u = 0; u < a->d->users.n; u++)
        users[u] = u;
    assert_int_equal(every_train(class, a->d, NULL, &a->m, &err), ST_OK);
    assert_int_equal(histories_of_users(&all, users, a->d->users.n, &a->h, NULL), ST_OK);
    assert_non_null(model_vectors(a->m, &a->width));
    a->x = mem_new(a->h.n * a->width, sizeof *a->x, "", NULL);
    a->plain = mem_new(a->h.n * a->width, sizeof *a->plain, "", NULL);
    return true;
}

static void clear(struct asked *a)
{
    mem_free(a->x);
    mem_free(a->plain);
    histories_clear(&a->h);
    model_release(a->m);
    dataset_release(a->d);
}

static void test_same_bits(void **state)
{
    struct asked a;
    if (!ask(&a, *state))
        return;
    size_t with_history = 0;
    for (size_t q = 0; q < a.h.n; q++)
        with_history += a.h.queries[q].n > 0;
    assert_true(a.m->users.n > 0 && a.m->users.n <= with_history);
    assert_int_equal(model_fold(a.m, a.h.queries, a.h.n, a.x, NULL), ST_OK);
    assert_int_equal(a.m->class->fold(a.m, a.h.queries, a.h.n, a.plain, NULL), ST_OK);
    assert_memory_equal(a.x, a.plain, a.h.n * a.width * sizeof *a.x);
    clear(&a);
}

/* What is kept is made recognisable: only histories of training may come to have it. */
static void test_only_those(void **state)
{
    struct asked a;
    if (!ask(&a, *state))
        return;
    struct user_vectors *kept = &a.m->users;
    for (size_t i = 0; i < kept->n * kept->width; i++)
        kept->x[i] = 77;
    bool known[USERS + LONELY_USERS];
    for (size_t q = 0; q < a.h.n; q++) { /* each second one is in some way no history of training */
        known[q] = a.h.queries[q].n > 0 && (q % 2 || a.h.queries[q].n == 1);
        if (!known[q] && a.h.queries[q].n)
            switch (q / 2 % 3) {
            case 0:
                a.h.queries[q].n--;
                break;
            case 1:
                a.h.events[a.h.queries[q].events - a.h.events].weight *= 1.5f;
                break;
            default:
                a.h.events[a.h.queries[q].events - a.h.events].time++;
            }
    }
    assert_int_equal(model_fold(a.m, a.h.queries, a.h.n, a.x, NULL), ST_OK);
    assert_int_equal(a.m->class->fold(a.m, a.h.queries, a.h.n, a.plain, NULL), ST_OK);
    for (size_t q = 0; q < a.h.n; q++)
        for (size_t f = 0; f < a.width; f++)
            assert_true(a.x[q * a.width + f] == (known[q] ? 77 : a.plain[q * a.width + f]));
    clear(&a);
}

/* A model that was read folds them in again. */
static void test_not_saved(void **state)
{
    struct asked a;
    struct snapshot saved = {0};
    struct model *read;
    if (!ask(&a, *state))
        return;
    struct blob_writer w = snapshot_writer(&saved);
    assert_int_equal(model_save(a.m, &w, NULL), ST_OK);
    struct blob_reader r = snapshot_reader(&saved);
    assert_int_equal(every_load(&r, a.m, &read, NULL), ST_OK);
    assert_int_equal(read->users.n, 0);
    assert_int_equal(model_fold(a.m, a.h.queries, a.h.n, a.x, NULL), ST_OK);
    assert_int_equal(model_fold(read, a.h.queries, a.h.n, a.plain, NULL), ST_OK);
    assert_memory_equal(a.x, a.plain, a.h.n * a.width * sizeof *a.x);
    model_release(read);
    snapshot_clear(&saved);
    clear(&a);
}

/* Without memory for them the model is there all the same. */
static bool all_but(void *context, size_t bytes)
{
    size_t *left = context;
    (void)bytes;
    return (*left)-- != 1;
}

static void test_no_memory(void **state)
{
    struct asked a;
    if (!ask(&a, *state))
        return;
    struct interactions x;
    struct selection all = world_all(a.d);
    assert_int_equal(interactions_build(&all, &x, NULL), ST_OK);
    struct training t = {.selection = &all, .interactions = &x, .seed = 7};
    bool filled = false;
    for (size_t fails = 1; !filled && fails < 1000; fails++) {
        struct user_vectors v;
        size_t left = fails;
        mem_set_hook(all_but, &left);
        user_vectors_fill(&v, a.m, &t);
        mem_set_hook(NULL, NULL);
        filled = v.n > 0;
        assert_true(filled || !v.x);
        user_vectors_clear(&v);
    }
    assert_true(filled);
    interactions_clear(&x);
    clear(&a);
}

int main(void)
{
    static struct every_tests t;
    every_class(&t, 0, "the same bits", test_same_bits);
    every_class(&t, 0, "only those", test_only_those);
    every_class(&t, 0, "not saved", test_not_saved);
    every_class(&t, 0, "no memory", test_no_memory);
    return _cmocka_run_group_tests("models_user_vectors", t.test, t.n, NULL, NULL);
}
