/* The data set in memory: order, names, the user-item matrix. */
#include "tests/unit/unit.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/by_item.h"
#include "data/dataset.h"
#include "data/interactions.h"

struct row {
    const char *user, *item, *type;
    int64_t time;
};

static void push(struct dataset *d, const struct row *rows, size_t n)
{
    struct events *e = &d->events;
    e->user = mem_new(n, sizeof *e->user, "", NULL);
    e->item = mem_new(n, sizeof *e->item, "", NULL);
    e->time = mem_new(n, sizeof *e->time, "", NULL);
    e->sequence = mem_new(n, sizeof *e->sequence, "", NULL);
    e->type = mem_new(n, sizeof *e->type, "", NULL);
    struct field *device;
    assert_int_equal(fields_add(&e->context, "device", FIELD_TEXT, &device, NULL), ST_OK);
    for (size_t i = 0; i < n; i++) {
        uint32_t type;
        assert_int_equal(dict_add(&d->users, rows[i].user, strlen(rows[i].user), &e->user[i], NULL), ST_OK);
        assert_int_equal(dict_add(&d->items, rows[i].item, strlen(rows[i].item), &e->item[i], NULL), ST_OK);
        assert_int_equal(dict_add(&d->types, rows[i].type, strlen(rows[i].type), &type, NULL), ST_OK);
        e->type[i] = (uint16_t)type;
        e->time[i] = rows[i].time;
        e->sequence[i] = i;
        assert_int_equal(field_push_text(device, rows[i].time == 3 ? "phone" : NULL, 5, NULL), ST_OK);
    }
    e->n = n;
}

/* Three items x, y, z with these titles. */
static struct dataset *titled(const char *const titles[3])
{
    static const struct row rows[] = {
        {"b", "x", "click", 5}, {"a", "y", "click", 3},      {"b", "y", "buy", 2},
        {"a", "x", "click", 3}, {"b", "x", "click", 4},      {"a", "z", "impression", 1},
    };
    struct dataset *d = dataset_new("small", NULL);
    push(d, rows, 6);
    struct field *title;
    assert_int_equal(fields_add(&d->item_fields, "title", FIELD_TEXT, &title, NULL), ST_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(field_push_text(title, titles[i], strlen(titles[i]), NULL), ST_OK);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static struct dataset *small(void)
{
    return titled((const char *const[]){"Matrix, The (1999)", "Heat (1995)", "The Heat of the Night (1967)"});
}

static void test_order(void **state)
{
    (void)state;
    struct dataset *d = small();
    /* users in order of appearance: b, a; events by time, ties by position in the input */
    static const uint64_t want[] = {2, 4, 0, 5, 1, 3};
    for (int i = 0; i < 6; i++)
        assert_int_equal(d->events.sequence[i], want[i]);
    assert_int_equal(d->user_begin[1], 3);
    assert_true(field_missing(&d->events.context.field[0], 3));
    assert_false(field_missing(&d->events.context.field[0], 4));
    int64_t oldest, newest;
    assert_true(dataset_time_range(d, &oldest, &newest));
    assert_int_equal(oldest, 1);
    assert_int_equal(newest, 5);
    dataset_release(d);
}

static void test_interactions(void **state)
{
    (void)state;
    struct dataset *d = small();
    struct selection s = {.data = d, .until = NO_TIME};
    struct interactions x;
    assert_int_equal(interactions_build(&s, &x, NULL), ST_OK);
    /* b: x (twice, latest at 5), y; a: x, y; the impression counts for nothing */
    assert_int_equal(x.matrix.begin[2], 4);
    assert_int_equal(x.matrix.index[0], 0);
    assert_true(x.matrix.value[0] == 2);
    assert_int_equal(x.count[0], 2);
    assert_int_equal(x.time[0], 5);
    assert_int_equal(x.items, 2);
    assert_int_equal(x.users, 2);
    assert_int_equal(x.events, 5);
    assert_int_equal(x.newest, 5);
    interactions_clear(&x);
    s.until = 4;
    assert_int_equal(interactions_build(&s, &x, NULL), ST_OK);
    assert_int_equal(x.events, 3);
    assert_int_equal(x.newest, 3);
    interactions_clear(&x);
    dataset_release(d);
}

static void found(const struct dataset *d, const char *text, const char *id)
{
    uint32_t item = NO_ITEM;
    assert_int_equal(dataset_find_item(d, text, &item, NULL), ST_OK);
    assert_string_equal(dict_text(&d->items, item), id);
}

static void test_names(void **state)
{
    (void)state;
    struct dataset *d = small();
    found(d, "x", "x");
    found(d, "id:y", "y");
    found(d, "the matrix", "x");
    found(d, "Matrix", "x");
    found(d, "MATRIX (1999)", "x");
    found(d, "heat", "y");
    found(d, "night", "z");
    found(d, "title:Heat", "y");
    dataset_release(d);
}

/* What is typed without an article means the title without one first. */
static void test_names_with_articles(void **state)
{
    (void)state;
    struct dataset *d = titled((const char *const[]){"Heat (1995)", "Heat, The (2013)", "An Affair, The"});
    found(d, "Heat", "x");
    found(d, "the heat", "y");
    found(d, "Heat, The", "y");
    found(d, "affair", "z");
    dataset_release(d);
}

static void test_names_in_doubt(void **state)
{
    (void)state;
    struct dataset *d = small();
    struct error err;
    uint32_t item;
    assert_int_equal(dataset_find_item(d, "hea", &item, &err), ST_AMBIGUOUS);
    assert_non_null(strstr(err.hint, "\"Heat (1995)\" id:y"));
    assert_int_equal(dataset_find_item(d, "matrx", &item, &err), ST_NOT_FOUND);
    assert_non_null(strstr(err.hint, "Matrix, The (1999)"));
    assert_int_equal(dataset_find_item(d, "", &item, &err), ST_NOT_FOUND);
    assert_int_equal(dataset_find_user(d, "c", &item, &err), ST_NOT_FOUND);
    dataset_release(d);
}

static void test_fingerprint(void **state)
{
    (void)state;
    struct dataset *a = small(), *b = small();
    assert_true(a->fingerprint == b->fingerprint);
    b->type_weight[0] = 2;
    mem_free(b->user_begin);
    assert_int_equal(dataset_finish(b, NULL), ST_OK);
    assert_true(a->fingerprint != b->fingerprint);
    dataset_release(a);
    dataset_release(b);
}

/* ---- order against a plain sort ---- */

struct drawn {
    uint32_t user;
    int64_t time;
    uint64_t sequence;
    uint32_t item; /* the row it was */
};

static int by_all(const void *pa, const void *pb)
{
    const struct drawn *a = pa, *b = pb;
    if (a->user != b->user)
        return a->user < b->user ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* Many users or few, one with nearly everything, few times or none or many, sequences as in a file or shuffled. */
static void draw(struct drawn *x, size_t n, unsigned kind, struct rng *g)
{
    uint32_t users = kind & 1 ? 5000 : 7, *shuffled = mem_new(n, sizeof *shuffled, "", NULL);
    for (size_t i = 0; i < n; i++)
        shuffled[i] = (uint32_t)i;
    if (kind & 2)
        rng_shuffle(g, shuffled, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        x[i] = (struct drawn){.user = kind & 4 && rng_below(g, 10) ? 3 : (uint32_t)rng_below(g, users),
                              .time = rng_below(g, 50) == 0 ? NO_TIME
                                      : kind & 8            ? (int64_t)rng_below(g, 5)
                                                            : (int64_t)(i + rng_below(g, 1000)),
                              .sequence = shuffled[i] * (kind & 2 ? UINT64_C(3) : 1),
                              .item = (uint32_t)i};
    mem_free(shuffled);
}

static struct dataset *of_drawn(const struct drawn *x, size_t n, bool timed)
{
    struct dataset *d = dataset_new("drawn", NULL);
    struct events *e = &d->events;
    uint32_t code;
    char id[16];
    for (unsigned u = 0; u < 5001; u++) /* the last one has no events */
        assert_int_equal(dict_add(&d->users, id, (size_t)snprintf(id, sizeof id, "%u", u), &code, NULL), ST_OK);
    assert_int_equal(dict_add(&d->types, "t", 1, &code, NULL), ST_OK);
    e->user = mem_new(n, sizeof *e->user, "", NULL);
    e->item = mem_new(n, sizeof *e->item, "", NULL);
    e->time = timed ? mem_new(n, sizeof *e->time, "", NULL) : NULL;
    e->sequence = mem_new(n, sizeof *e->sequence, "", NULL);
    e->type = mem_new(n, sizeof *e->type, "", NULL);
    for (e->n = 0; e->n < n; e->n++) {
        e->user[e->n] = x[e->n].user;
        e->item[e->n] = x[e->n].item;
        e->sequence[e->n] = x[e->n].sequence;
        if (timed)
            e->time[e->n] = x[e->n].time;
    }
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static void test_order_against_sort(void **state)
{
    (void)state;
    enum { N = 40000, KINDS = 32 };
    struct rng g = rng_stream(3, "order", 0);
    struct drawn *x = mem_new(N, sizeof *x, "", NULL);
    int threads = omp_get_max_threads();
    for (unsigned kind = 0; kind < KINDS; kind++) {
        bool timed = !(kind & 16);
        draw(x, N, kind, &g);
        for (size_t i = 0; i < N && !timed; i++)
            x[i].time = 0;
        omp_set_num_threads(1 + (int)(kind % 3));
        struct dataset *d = of_drawn(x, N, timed);
        qsort(x, N, sizeof *x, by_all);
        struct dataset *again = of_drawn(x, N, timed); /* in order already */
        const struct events *e = &d->events;
        for (size_t r = 0; r < N; r++) {
            assert_int_equal(e->user[r], x[r].user);
            assert_int_equal(e->item[r], x[r].item);
            assert_int_equal(e->sequence[r], x[r].sequence);
            assert_true(!timed || e->time[r] == x[r].time);
            assert_true(r >= d->user_begin[e->user[r]] && r < d->user_begin[e->user[r] + 1]);
        }
        assert_int_equal(d->user_begin[d->users.n], N);
        assert_memory_equal(d->user_begin, again->user_begin, ((size_t)d->users.n + 1) * sizeof *d->user_begin);
        assert_int_equal(d->fingerprint, again->fingerprint);
        dataset_release(d);
        dataset_release(again);
    }
    omp_set_num_threads(threads);
    mem_free(x);
}

static void test_by_item(void **state)
{
    enum { EVENTS = 5000, ITEMS = 60, ASKED_MOST = 100 };
    (void)state;
    struct row *rows = mem_new(EVENTS, sizeof *rows, "", NULL);
    static char names[ITEMS][8];
    struct rng r = rng_stream(3, "by item", 0);
    for (int i = 0; i < ITEMS; i++)
        snprintf(names[i], sizeof names[i], "%d", i);
    for (int i = 0; i < EVENTS; i++)
        rows[i] = (struct row){names[rng_below(&r, 9)], names[rng_below(&r, ITEMS)], "click", (int64_t)rng_below(&r, 99)};
    struct dataset *d = dataset_new("many", NULL);
    push(d, rows, EVENTS);
    mem_free(rows);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    struct job job;
    job_init(&job);
    const struct by_item *b = NULL;
    struct by_item *never = NULL;
    int asked = 0;
    job_cancel(&job);
    assert_int_equal(by_item_make(d, &job, &never, NULL), ST_CANCELLED);
    job_reset(&job);
    for (; !b && asked < ASKED_MOST; asked++)
        assert_int_equal(dataset_by_item(d, &job, &b, NULL), ST_OK);
    assert_true(asked > 1 && asked < ASKED_MOST);
    size_t seen = 0;
    for (uint32_t i = 0; i < d->items.n; i++)
        for (size_t k = b->begin[i]; k < b->begin[i + 1]; k++, seen++) {
            assert_int_equal(d->events.item[b->event[k]], i);
            assert_true(k == b->begin[i] || b->event[k] > b->event[k - 1]);
        }
    assert_int_equal(seen, EVENTS);
    job_destroy(&job);
    dataset_release(d);
}

/* One row is another, of every type; the others and the number of rows stay. */
static void test_field_put(void **state)
{
    (void)state;
    static const struct {
        enum field_type type;
        const char *rows[3], *put, *bad;
    } kinds[] = {
        {FIELD_TEXT, {"red", "", "blue"}, "green", NULL},
        {FIELD_LIST, {"a|b", "", "c"}, "b|d|a", NULL},
        {FIELD_REAL, {"1.5", "2", ""}, "-0.25", "1.5x"},
        {FIELD_INT, {"1", "", "3"}, "42", "4.5"},
        {FIELD_TIME, {"2025-01-02", "", "2025-03-04T05:06:07Z"}, "2024-02-29", "yesterday"},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t row = 0; row < 3; row++) {
            struct fields set = {0};
            struct field *f;
            struct str cell = {0};
            struct error err;
            assert_int_equal(fields_add(&set, "it", kinds[k].type, &f, NULL), ST_OK);
            assert_int_equal(field_pad(f, 3, NULL), ST_OK);
            for (size_t r = 0; r < 3; r++)
                assert_int_equal(field_put(f, r, kinds[k].rows[r], NULL), ST_OK);
            assert_int_equal(field_put(f, row, kinds[k].put, NULL), ST_OK);
            for (size_t r = 0; r < 3; r++) {
                str_clear(&cell);
                field_format(f, r, &cell);
                assert_string_equal(str_text(&cell), r == row ? kinds[k].put : kinds[k].rows[r]);
            }
            assert_int_equal(field_put(f, row, "", NULL), ST_OK);
            assert_true(f->n == 3 && field_missing(f, row));
            if (kinds[k].bad) {
                assert_int_equal(field_put(f, row, kinds[k].bad, &err), ST_USAGE);
                assert_non_null(strstr(err.message, kinds[k].bad));
                assert_true(f->n == 3);
            }
            str_free(&cell);
            fields_clear(&set);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field_put),
        cmocka_unit_test(test_order), cmocka_unit_test(test_order_against_sort), cmocka_unit_test(test_interactions),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_with_articles), cmocka_unit_test(test_names_in_doubt), cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_by_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
