/* The steps of a recipe: against hand-worked cases, against a naive fixpoint, without memory, on one thread and on two. */
#include "tests/unit/unit.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "data/interactions.h"
#include "data/shape.h"
#include "data/subset.h"
#include "tests/unit/memory.h"

enum { HOUR = 3600 };

/* An event of a test; time in seconds, below 0: none. */
struct row {
    const char *user, *item, *type;
    int64_t time;
    const char *visit; /* context column, NULL: missing */
};

static uint32_t code_of(struct dict *d, const char *text)
{
    uint32_t code;
    assert_int_equal(dict_add(d, text, strlen(text), &code, NULL), ST_OK);
    return code;
}

static struct dataset *make(const struct row *rows, size_t n, const char *const *cold_items)
{
    struct dataset *d = dataset_new("test", NULL);
    struct events *e = &d->events;
    struct field *visit;
    e->user = mem_new(n, sizeof *e->user, "", NULL);
    e->item = mem_new(n, sizeof *e->item, "", NULL);
    e->time = mem_new(n, sizeof *e->time, "", NULL);
    e->sequence = mem_new(n, sizeof *e->sequence, "", NULL);
    e->type = mem_new(n, sizeof *e->type, "", NULL);
    assert_int_equal(fields_add(&e->context, "visit", FIELD_TEXT, &visit, NULL), ST_OK);
    for (size_t i = 0; i < n; i++) {
        e->user[i] = code_of(&d->users, rows[i].user);
        e->item[i] = code_of(&d->items, rows[i].item);
        e->type[i] = (uint16_t)code_of(&d->types, rows[i].type);
        e->time[i] = rows[i].time < 0 ? NO_TIME : rows[i].time * US_PER_SECOND;
        e->sequence[i] = i;
        assert_int_equal(field_push_text(visit, rows[i].visit, rows[i].visit ? strlen(rows[i].visit) : 0, NULL), ST_OK);
    }
    e->n = n;
    for (; cold_items && *cold_items; cold_items++)
        (void)code_of(&d->items, *cold_items);
    struct field *title;
    assert_int_equal(fields_add(&d->item_fields, "title", FIELD_TEXT, &title, NULL), ST_OK);
    for (uint32_t i = 0; i < d->items.n; i++)
        assert_int_equal(field_push_text(title, dict_text(&d->items, i), dict_length(&d->items, i), NULL), ST_OK);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

/* "u1:a,b u2:c" and so on: the ids that are left, each user with its items in order. */
static void picture(const struct dataset *d, struct str *out)
{
    str_clear(out);
    for (uint32_t u = 0; u < d->users.n; u++) {
        str_printf(out, "%s%s:", u ? " " : "", dict_text(&d->users, u));
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            assert_int_equal(d->events.user[e], u);
            str_printf(out, "%s", dict_text(&d->items, d->events.item[e]));
        }
    }
    str_printf(out, " |");
    for (uint32_t i = 0; i < d->items.n; i++) {
        str_printf(out, " %s", dict_text(&d->items, i));
        assert_string_equal(dataset_item_title(d, i), dict_text(&d->items, i)); /* attributes went along */
    }
}

static void expect(const struct dataset *d, const char *text)
{
    struct str got = {0};
    picture(d, &got);
    assert_string_equal(str_text(&got), text);
    str_free(&got);
}

#define ROWS(r) r, sizeof r / sizeof *r

/* ---- subsets ---- */

static void test_subset(void **state)
{
    (void)state;
    static const struct row rows[] = {{"u", "a", "click", 1, "x"}, {"v", "b", "click", 2, "y"}, {"u", "c", "click", 3, NULL},
                                      {"w", "a", "click", 4, "z"}, {"v", "a", "click", 5, "x"}};
    static const char *const cold[] = {"k", NULL};
    struct dataset *d = make(ROWS(rows), cold), *s = NULL;
    /* Rows by user: u: 0 2, v: 1 4, w: 3. All of w and of b go; c was seen before a was seen again; k counts as seen with c. */
    const uint8_t keep[] = {0, 1, 0, 1, 0};
    expect(d, "u:ac v:ba w:a | a b c k");
    assert_int_equal(dataset_subset(d, keep, COLD_STAY, NULL, &s, NULL), ST_OK);
    expect(s, "u:c v:a | c k a");
    assert_int_equal(s->events.sequence[0], 2);
    assert_true(field_missing(&s->events.context.field[0], 0));
    assert_string_equal(dict_text(&s->events.context.field[0].levels, s->events.context.field[0].code[1]), "x");
    dataset_release(s);
    const uint8_t later[] = {0, 1, 1, 0, 0};
    assert_int_equal(dataset_subset(d, later, COLD_ITEMS_GO, NULL, &s, NULL), ST_OK);
    expect(s, "v:b u:c | b c");
    dataset_release(s);
    dataset_release(d);
}

static struct dataset *random_log(uint64_t seed, size_t n, uint32_t users, uint32_t items)
{
    static char name[64][2][8];
    static const char *const types[] = {"click", "buy", "impression"};
    struct row *rows = mem_new(n, sizeof *rows, "", NULL);
    struct rng r = rng_stream(seed, "shape", 0);
    for (size_t i = 0; i < 64; i++) {
        snprintf(name[i][0], sizeof name[i][0], "u%zu", i);
        snprintf(name[i][1], sizeof name[i][1], "i%zu", i);
    }
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct row){name[rng_below(&r, users)][0], name[(size_t)(items * rng_real(&r) * rng_real(&r))][1],
                               types[rng_below(&r, 3)], (int64_t)rng_below(&r, 5 * HOUR), NULL};
    struct dataset *d = make(rows, n, NULL);
    mem_free(rows);
    return d;
}

/* What is appended changes nothing of the old users and items, as long as the same old events are kept. */
static void test_subset_grows(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct dataset *d = random_log(seed, 400, 40, 40), *part[2];
        for (int grown = 0; grown < 2; grown++) {
            uint8_t keep[400];
            for (size_t e = 0; e < d->events.n; e++)
                keep[e] = hash_bytes(&d->events.sequence[e], 8, seed) % 5 == 0 && (grown || d->events.sequence[e] < 250);
            assert_int_equal(dataset_subset(d, keep, COLD_STAY, NULL, &part[grown], NULL), ST_OK);
        }
        assert_true(part[0]->users.n < part[1]->users.n);
        assert_memory_equal(part[0]->users.bytes, part[1]->users.bytes, part[0]->users.nbytes);
        assert_memory_equal(part[0]->items.bytes, part[1]->items.bytes, part[0]->items.nbytes);
        dataset_release(part[0]);
        dataset_release(part[1]);
        dataset_release(d);
    }
}

/* ---- the k-core ---- */

/* Counts everything anew until nothing changes. */
static void naive_core(const struct dataset *d, uint32_t users, uint32_t items, uint8_t *keep)
{
    memset(keep, 1, d->events.n);
    for (bool more = true; more;) {
        more = false;
        static uint8_t pair[64][64];
        memset(pair, 0, sizeof pair);
        for (size_t e = 0; e < d->events.n; e++)
            if (keep[e] && d->type_weight[d->events.type[e]] > 0)
                pair[d->events.user[e]][d->events.item[e]] = 1;
        for (size_t e = 0; e < d->events.n; e++) {
            uint32_t of_user = 0, of_item = 0;
            for (size_t i = 0; i < 64; i++) {
                of_user += pair[d->events.user[e]][i];
                of_item += pair[i][d->events.item[e]];
            }
            if (keep[e] && (of_user < users || of_item < items)) {
                keep[e] = 0;
                more = true;
            }
        }
    }
}

static void test_kcore(void **state)
{
    (void)state;
    size_t shrunk = 0, empty = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct dataset *d = random_log(seed, 150 + seed * 5, 40, 40), *core[2] = {NULL, NULL}, *naive = NULL;
        uint32_t users = (uint32_t)(seed % 6), items = (uint32_t)(seed % 5) + (users == 0);
        uint8_t keep[600];
        struct error err;
        naive_core(d, users, items, keep);
        assert_int_equal(dataset_subset(d, keep, (users ? COLD_USERS_GO : 0) | (items ? COLD_ITEMS_GO : 0), NULL, &naive, NULL), ST_OK);
        for (int threads = 1; threads <= 2; threads++) {
            omp_set_num_threads(threads);
            enum status st = shape_kcore(d, users, items, NULL, &core[threads - 1], &err);
            assert_int_equal(st, naive->events.n ? ST_OK : ST_STATE);
        }
        empty += !naive->events.n;
        for (int k = 0; k < 2 && naive->events.n; k++) {
            assert_int_equal(core[k]->events.n, naive->events.n);
            assert_int_equal(core[k]->users.n, naive->users.n);
            assert_int_equal(core[k]->items.n, naive->items.n);
            assert_memory_equal(core[k]->events.sequence, naive->events.sequence, naive->events.n * sizeof(uint64_t));
            assert_memory_equal(core[k]->events.item, naive->events.item, naive->events.n * sizeof(uint32_t));
            dataset_release(core[k]);
        }
        shrunk += naive->events.n && naive->items.n < d->items.n;
        dataset_release(naive);
        dataset_release(d);
    }
    assert_true(shrunk > 10 && empty > 0);
}

/* ---- sessions ---- */

static int64_t session_of(const struct dataset *d, uint64_t sequence)
{
    const struct field *f = fields_find(&d->events.context, "session");
    for (size_t e = 0; e < d->events.n; e++)
        if (d->events.sequence[e] == sequence)
            return f->integer[e];
    fail_msg("no such event");
    return 0;
}

static void expect_sessions(const struct dataset *d, const int64_t *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(session_of(d, i), want[i]);
}

static void test_sessions(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"u", "a", "click", 0, "x"},           {"v", "a", "click", 10, "x"}, {"u", "b", "click", 30 * 60, "y"},
        {"u", "c", "click", 60 * 60 + 1, "x"}, {"u", "d", "click", -1, "x"}, {"v", "b", "click", 2 * HOUR, NULL},
        {"v", "c", "click", 2 * HOUR, "y"},
    };
    struct dataset *d = make(ROWS(rows), NULL), *s = NULL, *again = NULL;
    uint64_t n, none;
    /* A pause of exactly the gap does not end a session. */
    assert_int_equal(shape_sessions(d, 30 * 60 * US_PER_SECOND, NULL, NULL, &n, &none, &s, NULL), ST_OK);
    expect_sessions(s, (const int64_t[]){1, 3, 1, 2, NO_INT, 4, 4}, 7);
    assert_int_equal(n, 4);
    assert_int_equal(none, 1);
    /* By a column: u leaves x and comes back; NO_TIME sorts first, so its x is where u begins. */
    assert_int_equal(shape_sessions(s, HOUR, fields_find(&s->events.context, "visit"), NULL, &n, &none, &again, NULL), ST_OK);
    expect_sessions(again, (const int64_t[]){1, 3, 2, 1, 1, NO_INT, 4}, 7);
    assert_int_equal(again->events.context.n, 2);
    assert_int_equal(n, 4);
    assert_int_equal(none, 1);
    dataset_release(again);
    dataset_release(s);
    dataset_release(d);
}

/* ---- repeats ---- */

static void test_repeat(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"u", "a", "click", 1, NULL}, {"u", "a", "impression", 2, NULL}, {"u", "a", "click", 3, NULL}, {"u", "b", "click", 4, NULL},
        {"u", "a", "buy", 5, NULL},   {"u", "a", "impression", 6, NULL}, {"v", "a", "click", 7, NULL}, {"u", "a", "click", 8, NULL},
    };
    struct dataset *d = make(ROWS(rows), NULL), *s = NULL, *again = NULL;
    struct interactions before = {0}, after = {0};
    assert_int_equal(shape_repeat(d, REPEAT_FIRST, NULL, &s, NULL), ST_OK);
    expect(s, "u:aabaa v:a | a b");
    assert_int_equal(s->events.sequence[0], 0);
    dataset_release(s);
    assert_int_equal(shape_repeat(d, REPEAT_LAST, NULL, &s, NULL), ST_OK);
    expect(s, "u:abaaa v:a | a b");
    assert_int_equal(s->events.sequence[4], 7);
    dataset_release(s);
    assert_int_equal(shape_repeat(d, REPEAT_KEEP, NULL, &s, NULL), ST_OK);
    assert_int_equal(s->events.n, d->events.n);
    dataset_release(s);
    /* One that stands for all weighs as much as all. */
    assert_int_equal(shape_repeat(d, REPEAT_COUNT, NULL, &s, NULL), ST_OK);
    const struct field *f = fields_find(&s->events.context, "repeats");
    const int64_t want[] = {1, 1, 1, 1, 3, 1};
    assert_int_equal(s->events.n, 6);
    assert_memory_equal(f->integer, want, sizeof want);
    const struct selection all = {.data = d, .until = NO_TIME}, counted = {.data = s, .until = NO_TIME};
    assert_int_equal(interactions_build(&all, &before, NULL), ST_OK);
    assert_int_equal(interactions_build(&counted, &after, NULL), ST_OK);
    assert_int_equal(csr_count(&before.matrix), csr_count(&after.matrix));
    assert_memory_equal(before.matrix.value, after.matrix.value, csr_count(&before.matrix) * sizeof(float));
    interactions_clear(&before);
    interactions_clear(&after);
    /* Counting what is counted already changes nothing. */
    assert_int_equal(shape_repeat(s, REPEAT_COUNT, NULL, &again, NULL), ST_OK);
    assert_memory_equal(fields_find(&again->events.context, "repeats")->integer, want, sizeof want);
    dataset_release(again);
    dataset_release(s);
    dataset_release(d);
}

static void test_copies(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"u", "a", "click", 1, NULL}, {"u", "a", "impression", 1, NULL}, {"u", "a", "click", 1, NULL}, {"u", "b", "click", 1, NULL},
        {"u", "a", "click", 1, NULL}, {"u", "a", "impression", 1, NULL}, {"v", "a", "click", 1, NULL}, {"u", "a", "click", 2, NULL},
        {"u", "a", "click", -1, NULL}, {"u", "a", "click", -1, NULL},    {"u", "a", "click", 1, NULL},
    };
    /* By row: 2 is no copy of 0, but 4 is one of 2, and 10 one of 0, 0.0 being -0.0; 5 is one of 1, neither having a value. */
    static const float values[] = {-0.0f, NAN, 3, 0, 3, NAN, 0, 0, 0, 0, 0};
    static const uint64_t left[] = {8, 9, 0, 1, 2, 3, 7, 6};
    struct dataset *d = make(ROWS(rows), NULL), *s = NULL, *again = NULL;
    d->events.value = mem_new(d->events.n, sizeof *d->events.value, "", NULL);
    for (size_t e = 0; e < d->events.n; e++)
        d->events.value[e] = values[d->events.sequence[e]];
    assert_int_equal(shape_repeat(d, REPEAT_ONCE, NULL, &s, NULL), ST_OK);
    assert_int_equal(s->events.n, sizeof left / sizeof *left);
    assert_memory_equal(s->events.sequence, left, sizeof left);
    assert_int_equal(shape_repeat(s, REPEAT_ONCE, NULL, &again, NULL), ST_OK);
    assert_int_equal(again->events.n, s->events.n);
    dataset_release(again);
    dataset_release(s);
    mem_free(d->events.time);
    d->events.time = NULL;
    struct error err = {0};
    assert_int_equal(shape_repeat(d, REPEAT_ONCE, NULL, &s, &err), ST_STATE);
    dataset_release(d);
}

/* ---- decay ---- */

static void test_decay(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"u", "a", "click", 0, NULL},        {"u", "a", "click", 2 * HOUR, NULL}, {"u", "b", "click", -1, NULL},
        {"v", "a", "click", 1 * HOUR, NULL}, {"v", "b", "click", 4 * HOUR, NULL}, {"v", "c", "impression", 9 * HOUR, NULL},
    };
    struct dataset *d = make(ROWS(rows), NULL);
    struct interactions x = {0};
    d->halflife = HOUR * US_PER_SECOND;
    /* Measured from 4 h: the impression is no feedback. u: a 2^-4 + 2^-2, b 1 (no time); v: a 2^-3, b 1. */
    struct selection s = {.data = d, .until = NO_TIME};
    assert_int_equal(interactions_build(&s, &x, NULL), ST_OK);
    const float all[] = {.3125f, 1, .125f, 1};
    assert_memory_equal(x.matrix.value, all, sizeof all);
    interactions_clear(&x);
    /* Before 4 h nothing is known of the event then: measured from 2 h. */
    s.until = 4 * HOUR * US_PER_SECOND;
    assert_int_equal(selection_moment(&s), 2 * HOUR * US_PER_SECOND);
    assert_int_equal(interactions_build(&s, &x, NULL), ST_OK);
    const float early[] = {1.25f, 1, .5f};
    assert_memory_equal(x.matrix.value, early, sizeof early);
    interactions_clear(&x);
    /* However old, a weight stays above nothing. */
    d->halflife = 1;
    assert_true(event_weight(d, 0, INT64_MAX / 2) > 0);
    dataset_release(d);
}

/* ---- samples, dates, bots ---- */

static void test_sample(void **state)
{
    (void)state;
    struct dataset *d = random_log(3, 600, 60, 40), *less = random_log(3, 400, 60, 40), *a = NULL, *b = NULL, *c = NULL;
    assert_int_equal(shape_sample_users(d, .3, 1, NULL, &a, NULL), ST_OK);
    assert_int_equal(shape_sample_users(d, .6, 1, NULL, &b, NULL), ST_OK);
    assert_int_equal(shape_sample_users(less, .3, 1, NULL, &c, NULL), ST_OK);
    assert_in_range(a->users.n, 8, 30);
    for (uint32_t u = 0; u < a->users.n; u++)
        assert_int_not_equal(dict_find_text(&b->users, dict_text(&a->users, u)), NO_CODE);
    for (uint32_t u = 0; u < c->users.n; u++)
        assert_int_not_equal(dict_find_text(&a->users, dict_text(&c->users, u)), NO_CODE);
    dataset_release(c);
    assert_int_equal(shape_sample_users(d, .3, 2, NULL, &c, NULL), ST_OK);
    assert_true(c->users.n != a->users.n || memcmp(c->users.bytes, a->users.bytes, a->users.nbytes) != 0);
    dataset_release(a);
    dataset_release(b);
    dataset_release(c);
    dataset_release(less);
    dataset_release(d);
}

static void test_between(void **state)
{
    (void)state;
    static const struct row rows[] = {{"u", "a", "click", 1, NULL}, {"u", "b", "click", 2, NULL}, {"v", "c", "click", 3, NULL}, {"w", "d", "click", -1, NULL}};
    struct dataset *d = make(ROWS(rows), NULL), *s = NULL;
    assert_int_equal(shape_between(d, 2 * US_PER_SECOND, 3 * US_PER_SECOND, NULL, &s, NULL), ST_OK);
    expect(s, "u:b | b");
    dataset_release(s);
    assert_int_equal(shape_between(d, NO_TIME, NO_TIME, NULL, &s, NULL), ST_OK);
    expect(s, "u:ab v:c | a b c");
    dataset_release(s);
    dataset_release(d);
}

static void test_pace(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"u", "a", "click", 0, NULL},          {"u", "a", "click", HOUR - 1, NULL}, {"u", "a", "click", HOUR, NULL},
        {"u", "a", "impression", HOUR, NULL},  {"u", "a", "click", 24 * HOUR, NULL}, {"v", "a", "click", -1, NULL},
        {"v", "a", "click", 5 * HOUR, NULL},   {"v", "a", "click", 6 * HOUR, NULL},  {"v", "a", "click", 7 * HOUR, NULL},
    };
    struct dataset *d = make(ROWS(rows), NULL), *s = NULL;
    struct pace pace[2];
    uint32_t bots;
    assert_int_equal(measure_pace(d, pace, NULL), ST_OK);
    assert_int_equal(pace[0].busiest_hour, 2); /* an hour later is another hour */
    assert_int_equal(pace[0].longest_day, 2);
    assert_int_equal(pace[1].busiest_hour, 1);
    assert_int_equal(pace[1].longest_day, 3);
    assert_int_equal(shape_drop_bots(d, 1, 24, NULL, &bots, &s, NULL), ST_OK);
    assert_int_equal(bots, 1);
    expect(s, "v:aaaa | a");
    dataset_release(s);
    assert_int_equal(shape_drop_bots(d, 2, 2, NULL, &bots, &s, NULL), ST_OK);
    assert_int_equal(s->users.n, 1);
    assert_string_equal(dict_text(&s->users, 0), "u");
    dataset_release(s);
    dataset_release(d);
}

/* ---- memory, cancel ---- */

static enum status step(const struct dataset *d, int which, struct job *job, struct dataset **out, struct error *err)
{
    uint64_t n, none;
    uint32_t bots;
    switch (which) {
    case 0:
        return shape_kcore(d, 2, 2, job, out, err);
    case 1:
        return shape_sessions(d, HOUR, NULL, job, &n, &none, out, err);
    case 2:
        return shape_sessions(d, HOUR, fields_find(&d->events.context, "visit"), job, &n, &none, out, err);
    case 3:
        return shape_repeat(d, REPEAT_COUNT, job, out, err);
    case 4:
        return shape_sample_users(d, .5, 0, job, out, err);
    case 5:
        return shape_between(d, 0, NO_TIME, job, out, err);
    default:
        return shape_drop_bots(d, 20, 20, job, &bots, out, err);
    }
}

static void test_memory(void **state)
{
    (void)state;
    struct dataset *d = random_log(1, 300, 20, 20), *s = NULL;
    for (int which = 0; which < 7; which++) {
        for (long n = 0;; n++) {
            atomic_long left = n;
            struct error err = {0};
            mem_set_hook(fail_one, &left);
            enum status st = step(d, which, NULL, &s, &err);
            mem_set_hook(NULL, NULL);
            if (!st)
                break;
            assert_int_equal(st, ST_NOMEM);
            assert_true(*err.message);
        }
        dataset_release(s);
    }
    dataset_release(d);
}

static void test_cancel(void **state)
{
    (void)state;
    struct dataset *d = random_log(1, 300, 20, 20), *s = NULL;
    struct job job;
    job_init(&job);
    job_cancel(&job);
    for (int which = 0; which < 7; which++)
        assert_int_equal(step(d, which, &job, &s, NULL), ST_CANCELLED);
    job_destroy(&job);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subset),   cmocka_unit_test(test_subset_grows), cmocka_unit_test(test_kcore),  cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_repeat),   cmocka_unit_test(test_copies),    cmocka_unit_test(test_decay),        cmocka_unit_test(test_sample), cmocka_unit_test(test_between),
        cmocka_unit_test(test_pace),     cmocka_unit_test(test_memory),       cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests_name("data_shape", tests, NULL, NULL);
}
