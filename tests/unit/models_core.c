/* Histories, the driver and saving; popularity. */
#include "tests/unit/world.h"

#include "models/classes.h"

/* The reading of a history is the reading of the matrix, to the bit. */
static void test_query_items(void **state)
{
    (void)state;
    struct dataset *d = world_new(40, 30, 3000, 1);
    struct selection all = world_all(d);
    struct interactions x;
    d->type_weight[0] = .1f;
    d->type_weight[1] = .7f;
    assert_int_equal(interactions_build(&all, &x, NULL), ST_OK);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    struct query_item *items = mem_new(d->events.n, sizeof *items, "", NULL);
    for (uint32_t u = 0; u < d->users.n; u++) {
        struct query q = world_query(d, u, room);
        size_t n = query_items(&q, items), at = x.matrix.begin[u];
        assert_int_equal(n, x.matrix.begin[u + 1] - at);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(items[i].item, x.matrix.index[at + i]);
            assert_int_equal(items[i].count, x.count[at + i]);
            assert_true(items[i].time == x.time[at + i]);
            assert_true(items[i].weight == x.matrix.value[at + i]);
        }
    }
    mem_free(room);
    mem_free(items);
    interactions_clear(&x);
    dataset_release(d);
}

/* Histories that go on where another one ended, and all others, are read together as each alone: short ones, long ones, repeats. */
static void test_folded_together(void **state)
{
    (void)state;
    enum { EVENTS = 1100, QUERIES = 4 * EVENTS };
    struct rng g = rng_stream(5, "events", 0);
    struct query_event *events = mem_new(EVENTS, sizeof *events, "", NULL);
    struct query *queries = mem_new(QUERIES, sizeof *queries, "", NULL);
    struct query_item *alone = mem_new(EVENTS, sizeof *alone, "", NULL);
    struct folded f;
    for (size_t e = 0; e < EVENTS; e++)
        events[e] = (struct query_event){.item = (uint32_t)rng_below(&g, e % 3 ? 70000 : 90), .weight = (float)rng_real(&g), .time = (int64_t)rng_below(&g, 1000)};
    for (size_t i = 0; i < QUERIES; i++) {
        size_t from = i < 2 * EVENTS ? 0 : rng_below(&g, 20), to = i < 2 * EVENTS ? i / 2 : rng_below(&g, EVENTS - from);
        queries[i] = (struct query){.events = events + from, .n = to};
    }
    assert_int_equal(folded_new(&f, queries, QUERIES, NULL), ST_OK);
    for (size_t i = 0; i < QUERIES; i++) {
        size_t n = query_items(&queries[i], alone);
        assert_int_equal(n, f.begin[i + 1] - f.begin[i]);
        for (size_t x = 0; x < n; x++) {
            const struct query_item *a = &alone[x], *b = &f.items[f.begin[i] + x];
            assert_true(a->item == b->item && a->count == b->count && a->weight == b->weight && a->time == b->time);
            assert_true(x == 0 || alone[x - 1].item < a->item);
        }
    }
    folded_clear(&f);
    mem_free(events);
    mem_free(queries);
    mem_free(alone);
}

/* A class that only counts its epochs; its value rises until epoch 3 and falls after. */
static enum status count_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    m->state = mem_new(1, sizeof(uint64_t), "a count", err);
    return m->state ? ST_OK : ST_NOMEM;
}

static enum status count_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                               struct error *err)
{
    (void)err;
    *(uint64_t *)m->state = epoch + 1;
    *loss = 1 / (double)(epoch + 1);
    *done = epoch + 1 == 20;
    if (t->seed == 666 && epoch == 2)
        job_cancel(t->job);
    return ST_OK;
}

static enum status count_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    return blob_put(w, "count", BLOB_U64, m->state, 1, err);
}

static enum status count_load(struct model *m, struct blob_reader *r, struct error *err)
{
    enum status st = count_begin(m, NULL, err);
    return st ? st : blob_get(r, "count", BLOB_U64, m->state, 1, err);
}

static void count_free(struct model *m)
{
    mem_free(m->state);
    m->state = NULL;
}

static const struct model_class counter = {.name = "counter", .capabilities = CAN_EPOCHS, .begin = count_begin,
                                           .epoch = count_epoch, .save = count_save, .load = count_load, .free = count_free};

/* Classes that say they take a share of what is free, and take nothing. */
static enum status third_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)m;
    (void)t;
    (void)err;
    *bytes = mem_available() / 3;
    return ST_OK;
}

static enum status little_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)m;
    (void)t;
    (void)err;
    *bytes = 1 << 20;
    return ST_OK;
}

static enum status double_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)m;
    (void)t;
    (void)err;
    *bytes = SIZE_MAX / 4;
    return ST_OK;
}

static enum status long_estimate(const struct model *m, double *seconds, struct error *err)
{
    (void)m;
    (void)err;
    *seconds = 723;
    return ST_OK;
}

#define COUNTING .capabilities = CAN_EPOCHS, .begin = count_begin, .epoch = count_epoch, .save = count_save, \
                 .load = count_load, .free = count_free
static const struct model_class third = {.name = "third", .sibling = "sansa", .check = third_check,
                                         .estimate = long_estimate, COUNTING};
static const struct model_class lonely = {.name = "lonely", .check = third_check, COUNTING};
static const struct model_class little = {.name = "little", .sibling = "sansa", .check = little_check, COUNTING};
static const struct model_class twice = {.name = "twice", .sibling = "sansa", .check = double_check, COUNTING};

/* What takes a good deal of the memory says so, with what would take less; what takes little is silent. */
static void test_memory_is_said_before(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct selection all = world_all(d);
    struct model *m = NULL;
    struct error err;
    struct job job;
    struct job_view view;
    job_init(&job);
    assert_int_equal(model_train(&little, "l", NULL, &all, 1, NULL, &job, &m, &err), ST_OK);
    model_release(m);
    job_look(&job, &view);
    assert_true(view.notes == 0);
    assert_int_equal(model_train(&third, "t", NULL, &all, 1, NULL, &job, &m, &err), ST_OK);
    model_release(m);
    job_look(&job, &view);
    assert_true(view.notes == 1);
    assert_true(strncmp(view.note, "third on 8 items takes up to ", 29) == 0);
    assert_non_null(strstr(view.note, " free (sansa takes "));
    assert_non_null(strstr(view.note, ") and about 12m 03s"));
    assert_int_equal(model_train(&lonely, "t", NULL, &all, 1, NULL, &job, &m, &err), ST_OK);
    model_release(m);
    job_look(&job, &view);
    assert_true(view.notes == 2);
    assert_null(strchr(view.note, '('));
    assert_string_equal(view.note + strlen(view.note) - 5, " free");
    assert_int_equal(model_train(&third, "t", NULL, &all, 1, NULL, NULL, &m, &err), ST_OK); /* nobody waits */
    model_release(m);
    assert_int_equal(model_train(&twice, "t", NULL, &all, 1, NULL, &job, &m, &err), ST_NOMEM);
    assert_non_null(strstr(err.hint, "sansa does it in "));
    job_look(&job, &view);
    assert_true(view.notes == 2);
    job_destroy(&job);
    dataset_release(d);
}

static enum status best_at_three(void *context, const struct model *m, size_t epoch, double *value, struct error *err)
{
    (void)context;
    (void)err;
    assert_int_equal(*(uint64_t *)m->state, epoch + 1);
    *value = -fabs((double)epoch - 3);
    return ST_OK;
}

static void test_driver(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct selection all = world_all(d);
    struct model *m = NULL;
    struct error err;
    struct job job;
    job_init(&job);
    assert_int_equal(model_train(&counter, "c", NULL, &all, 1, NULL, &job, &m, &err), ST_OK);
    assert_int_equal(m->record.epochs, 20);
    assert_int_equal(m->record.users, 6);
    assert_int_equal(m->record.items, 8);
    assert_int_equal(m->record.events, 17);
    assert_true(m->record.trained_until == (WORLD_START + 16) * US_PER_SECOND);
    assert_true(m->record.curve[3] == .25);
    assert_true(model_sees_future(m, m->record.trained_until));
    assert_false(model_sees_future(m, m->record.trained_until + 1));
    assert_false(model_sees_future(m, NO_TIME));
    model_release(m);
    m = NULL;
    struct train_watch watch = {.validate = best_at_three, .metric = "ndcg@10", .patience = 2};
    assert_int_equal(model_train(&counter, "c", NULL, &all, 1, &watch, &job, &m, &err), ST_OK);
    assert_int_equal(m->record.epochs, 6);              /* two more than the best */
    assert_int_equal(*(uint64_t *)m->state, 4);         /* whose state came back */
    model_release(m);
    m = NULL;
    job_reset(&job);
    assert_int_equal(model_train(&counter, "c", NULL, &all, 666, NULL, &job, &m, &err), ST_CANCELLED);
    assert_null(m);
    all.until = 0;
    assert_int_equal(model_train(&counter, "c", NULL, &all, 1, NULL, NULL, &m, &err), ST_STATE);
    job_destroy(&job);
    dataset_release(d);
}

static void test_pop(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct model *m = world_train(d, &model_pop, NULL);
    float score[8], want[] = {3, 3, 2, 2, 2, 2, 1, 2};
    struct query nobody = {.user = NO_USER, .as_of = NO_TIME};
    assert_int_equal(model_score(m, &nobody, 1, score, NULL), ST_OK);
    assert_memory_equal(score, want, sizeof want);
    struct explanation x;
    assert_int_equal(model_explain(m, &nobody, 0, &x, NULL), ST_OK);
    assert_int_equal(x.nparts, 1);
    assert_string_equal(x.parts[0].label, "3 click events");
    explanation_clear(&x);
    assert_int_equal(model_similar(m, 0, score, NULL), ST_UNSUPPORTED);
    assert_int_equal(model_explain(m, &nobody, 8, &x, NULL), ST_STATE);
    model_release(m);
    /* a at seconds 0, 3, 15; newest 16; half-life 4 s */
    m = world_train(d, &model_pop, (const char *[]){"half_life=4s", NULL});
    assert_int_equal(model_score(m, &nobody, 1, score, NULL), ST_OK);
    assert_true(fabs(score[0] - (exp2(-4) + exp2(-13. / 4) + exp2(-1. / 4))) < 1e-6);
    model_release(m);
    dataset_release(d);
    d = world_new(50, 60, 2000, 3);
    world_check_model(d, &model_pop, NULL);
    world_check_model(d, &model_pop, (const char *[]){"half_life=7d", "count=users", NULL});
    dataset_release(d);
}

/* The parts stay as they are. What float32 lost is of the base where it shows; more than that is an error, and is not hidden. */
static void test_explanation_score(void **state)
{
    (void)state;
    const float scores[] = {100, 1 + 8e-5F, -INFINITY, 1.01F, 1 + 2e-5F};
    for (uint32_t item = 0; item < 5; item++) {
        struct explanation x;
        assert_int_equal(explanation_new(&x, 2, NULL), ST_OK);
        explanation_add(&x, 0, 2);
        explanation_add(&x, 1, -1.5);
        x.base = .5; /* together 1; sizes sum to 4 */
        explanation_score(&x, scores, 5, item);
        assert_true(x.score == (double)scores[item]);
        assert_true(x.parts[0].value == 2 && x.parts[1].value == -1.5);
        assert_true(fabs(x.base - .5 - (item == 1 ? (double)scores[1] - 1 : 0)) < 1e-12);
        explanation_clear(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_items),
        cmocka_unit_test(test_folded_together),
        cmocka_unit_test(test_memory_is_said_before),
        cmocka_unit_test(test_driver),
        cmocka_unit_test(test_pop),
        cmocka_unit_test(test_explanation_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
