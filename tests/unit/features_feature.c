/* The feature language: values against a naive reading of every event, errors with their place, any bytes survived. */
#include "tests/unit/unit.h"

#include "features/feature.h"
#include "tests/unit/memory.h"
#include "tests/unit/store_data.h"

enum { DAY = 86400 };

/* Many events in few seconds, so that ties are the rule. */
static struct dataset *data(uint64_t seed, unsigned with)
{
    struct dataset *d = make_data("d", seed, 2000, with, NULL);
    struct rng r = rng_stream(seed, "ties", 0);
    assert_non_null(d);
    for (size_t e = 0; d->events.time && e < d->events.n; e++)
        if (d->events.time[e] != NO_TIME)
            d->events.time[e] = INT64_C(1000000000) * US_PER_SECOND + (int64_t)rng_below(&r, 40) * DAY / 4 * US_PER_SECOND;
    mem_free(d->user_begin);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static struct feature *feature(struct dataset *d, const char *text)
{
    struct feature *f = NULL;
    struct error err = {0};
    if (feature_new(d, text, strlen(text), &f, &err))
        fail_msg("%s: %s", text, err.message);
    return f;
}

static bool every(const struct dataset *d, size_t e)
{
    (void)d;
    (void)e;
    return true;
}

static bool is_type_1(const struct dataset *d, size_t e)
{
    return strcmp(dict_text(&d->types, d->events.type[e]), "type 1") == 0;
}

static bool is_dear_or_red(const struct dataset *d, size_t e)
{
    const struct field *f = fields_find(&d->events.context, "word");
    bool red = f->code[e] != NO_CODE && strcmp(dict_text(&f->levels, f->code[e]), "red") == 0;
    return (d->events.value[e] >= 4 && !is_type_1(d, e)) || red;
}

static bool has_blue_item(const struct dataset *d, size_t e)
{
    const struct field *f = fields_find(&d->item_fields, "list");
    for (size_t i = f->list_begin[d->events.item[e]]; i < f->list_begin[d->events.item[e] + 1]; i++)
        if (strcmp(dict_text(&f->levels, f->list_code[i]), "blue") == 0)
            return true;
    return false;
}

static bool has_item_without_blue(const struct dataset *d, size_t e)
{
    const struct field *f = fields_find(&d->item_fields, "list");
    return !field_missing(f, d->events.item[e]) && !has_blue_item(d, e);
}

static bool has_positive_user(const struct dataset *d, size_t e)
{
    return fields_find(&d->user_fields, "real")->real[d->events.user[e]] > 0;
}

static bool is_low_or_missing(const struct dataset *d, size_t e)
{
    return !(d->events.value[e] > 2);
}

/* The feature by its definition: look at every event of the entity. */
static double naive(const struct dataset *d, bool (*match)(const struct dataset *d, size_t e), bool recency,
                    int64_t window, bool by_item, uint32_t entity, int64_t moment)
{
    double n = 0;
    int64_t last = NO_TIME;
    for (size_t e = 0; e < d->events.n; e++) {
        int64_t t = d->events.time[e];
        if ((by_item ? d->events.item[e] : d->events.user[e]) != entity || !match(d, e))
            continue;
        if (t == NO_TIME || t >= moment || (window && t < moment - window))
            continue;
        n++;
        last = t > last ? t : last;
    }
    if (!recency)
        return n;
    return last == NO_TIME ? NAN : (double)(moment - last) / 1e6;
}

static void test_against_naive(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool (*match)(const struct dataset *d, size_t e);
        bool recency;
        int64_t window;
        bool by_item;
    } cases[] = {
        {"count() by user", every, false, 0, false},
        {"count() over 2d by item", every, false, 2 * US_PER_DAY, true},
        {"recency_seconds() by item", every, true, 0, true},
        {"recency_seconds(type = 'type 1') over 36h by user", is_type_1, true, 36 * INT64_C(3600000000), false},
        {"COUNT(type='type 1')OVER 1w BY user", is_type_1, false, 7 * US_PER_DAY, false},
        {"count(type in ('type 1')) by item", is_type_1, false, 0, true},
        {"count(not type not in (\"type 1\")) by item", is_type_1, false, 0, true},
        {"count(value >= 4 and type != 'type 1' or word = red) over 3d by user", is_dear_or_red, false, 3 * US_PER_DAY, false},
        {"count(word in ('red') or (type <> 'type 1' and value in (4, 5))) over 3d by user", is_dear_or_red, false, 3 * US_PER_DAY, false},
        {"count(item.list = 'blue') by user", has_blue_item, false, 0, false},
        {"count(item.list != 'blue') by user", has_item_without_blue, false, 0, false},
        {"count(user.real > 0) by item", has_positive_user, false, 0, true},
        {"count(not value > 2) by item", is_low_or_missing, false, 0, true},
        {"count(time < 2099-01-01 and time >= '1970-01-01T00:00:00Z') by user", every, false, 0, false},
    };
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct dataset *d = data(seed, WITH_ALL);
        struct rng r = rng_stream(seed, "points", 0);
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            struct feature *f = feature(d, cases[c].text);
            assert_int_equal(feature_by_item(f), cases[c].by_item);
            for (int i = 0; i < 60; i++) {
                uint32_t entity = (uint32_t)rng_below(&r, feature_entities(f));
                /* Half of the moments are those of events: what happens then must not count. */
                int64_t moment = INT64_C(1000000000) * US_PER_SECOND + (int64_t)rng_below(&r, 44) * DAY / 4 * US_PER_SECOND + (int64_t)rng_below(&r, 2);
                double got, want = naive(d, cases[c].match, cases[c].recency, cases[c].window, cases[c].by_item, entity, moment);
                feature_evaluate(f, &entity, &moment, 1, &got);
                assert_true(got == want || (isnan(got) && isnan(want)));
            }
            feature_free(f);
        }
        dataset_release(d);
    }
}

static void test_after_everything(void **state)
{
    (void)state;
    struct dataset *d = data(1, WITH_TIMES);
    struct feature *f = feature(d, "recency() by user"), *g = feature(d, "count() by user");
    double *days = mem_new(d->users.n, sizeof *days, "test", NULL), *n = mem_new(d->users.n, sizeof *n, "test", NULL);
    int64_t oldest, newest;
    assert_true(dataset_time_range(d, &oldest, &newest));
    assert_int_equal(feature_snapshot(f, NO_TIME, NULL, days, NULL), ST_OK);
    assert_int_equal(feature_snapshot(g, NO_TIME, NULL, n, NULL), ST_OK);
    struct job job;
    job_init(&job);
    job_cancel(&job);
    assert_int_equal(feature_snapshot(g, NO_TIME, &job, n, NULL), ST_CANCELLED);
    job_destroy(&job);
    assert_int_equal(feature_snapshot(g, NO_TIME, NULL, n, NULL), ST_OK);
    for (uint32_t u = 0; u < d->users.n; u++) {
        double seconds = naive(d, every, true, 0, false, u, newest + 1);
        assert_true(isnan(seconds) ? isnan(days[u]) : fabs(days[u] - (seconds - 1e-6) / DAY) < 1e-11);
        assert_true(n[u] == naive(d, every, false, 0, false, u, newest + 1));
    }
    assert_string_equal(feature_unit(f), "d");
    mem_free(days);
    mem_free(n);
    feature_free(f);
    feature_free(g);
    dataset_release(d);
}

static void test_without_times(void **state)
{
    (void)state;
    struct dataset *d = data(1, 0);
    struct feature *f = feature(d, "count(type = 'type 0') by user"), *none;
    struct error err;
    double n;
    uint32_t user = 3;
    int64_t moment = 17;
    size_t want = 0;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++)
        want += d->events.type[e] == dict_find_text(&d->types, "type 0");
    feature_evaluate(f, &user, &moment, 1, &n);
    assert_true(n == (double)want);
    feature_free(f);
    assert_int_equal(feature_new(d, "recency() by user", 17, &none, &err), ST_UNSUPPORTED);
    assert_non_null(strstr(err.message, "has a time"));
    assert_int_equal(feature_new(d, "count() over 7d by user", 23, &none, &err), ST_UNSUPPORTED);
    assert_int_equal(err.offset, 8);
    dataset_release(d);
}

static void test_errors_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset, length;
        const char *hint; /* a part of it */
    } cases[] = {
        {"cuont() by user", 0, 5, "count"},
        {"count(tpye = 'type 1') by user", 6, 4, "type"},
        {"count(item.lst = 'blue') by user", 6, 8, "item.list"},
        {"count(type = 'typ 1') by user", 13, 7, "type 1"},
        {"count(type < 'type 1') by user", 11, 1, "="},
        {"count(value > much) by user", 14, 4, ""},
        {"count(time > soon) by user", 13, 4, ""},
        {"count(type 'type 1') by user", 11, 8, ""},
        {"count(type = 'type 1') over soon by user", 28, 4, "7d"},
        {"count(type = 'type 1') over 7d", 30, 1, "by user"},
        {"count(type = 'type 1') by shop", 26, 4, ""},
        {"count(type = 'type 1) by user", 13, 16, ""},
        {"count(type = 'type 1' by user", 22, 2, ""},
        {"count() by user please", 16, 6, ""},
        {"count(value > 1 && value < 3) by user", 16, 1, ""},
        {"count(value in (1, 2) by user", 22, 2, ""},
        {"", 0, 1, ""},
    };
    struct dataset *d = data(1, WITH_ALL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct feature *f;
        struct error err = {0};
        assert_int_equal(feature_new(d, cases[i].text, strlen(cases[i].text), &f, &err), ST_USAGE);
        if (err.offset != cases[i].offset || err.length != cases[i].length || !strstr(err.hint, cases[i].hint))
            fail_msg("%s: %s at %zu + %zu, hint: %s", cases[i].text, err.message, err.offset, err.length, err.hint);
    }
    dataset_release(d);
}

/* Noise, cut and spliced definitions, deep nesting: an answer or an error, nothing else. */
static void test_any_bytes(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "count(value >= 4 and type != 'type 1' or word = red) over 3d by user",
        "recency(not (item.list in ('blue', \"red\") or user.real < -1e3)) over 1h30m by item",
        "count(((((((((value=1))))))))) by user",
    };
    struct dataset *d = make_data("d", 1, 60, WITH_ALL, NULL);
    struct rng r = rng_stream(1, "fuzz", 0);
    char text[600];
    for (int round = 0; round < 30000; round++) {
        const char *seed = seeds[rng_below(&r, 3)];
        size_t n = strlen(seed);
        memcpy(text, seed, n);
        for (uint64_t edits = rng_below(&r, 6); edits > 0; edits--) {
            size_t at = rng_below(&r, n), other = rng_below(&r, n);
            switch (rng_below(&r, 4)) {
            case 0:
                text[at] = (char)rng_next(&r);
                break;
            case 1:
                text[at] = text[other];
                break;
            case 2:
                n = at + 1;
                break;
            default:
                memmove(text + at, text + other, n - (at > other ? at : other));
            }
        }
        struct feature *f = NULL;
        struct error err = {0};
        if (feature_new(d, text, n, &f, &err)) {
            assert_string_not_equal(err.message, "");
            assert_true(err.offset <= n);
        }
        feature_free(f);
    }
    enum { DEEP = 100000 };
    char *deep = mem_new(DEEP, 1, "test", NULL);
    struct feature *f;
    memset(deep, '(', DEEP);
    memcpy(deep, "count", 5);
    assert_int_equal(feature_new(d, deep, DEEP, &f, NULL), ST_USAGE);
    for (size_t i = 6; i + 4 <= DEEP; i += 4)
        memcpy(deep + i, "not ", 4);
    assert_int_equal(feature_new(d, deep, DEEP, &f, NULL), ST_USAGE);
    for (size_t i = 6; i + 12 <= DEEP; i += 12)
        memcpy(deep + i, "value=1 and ", 12);
    assert_int_equal(feature_new(d, deep, DEEP, &f, NULL), ST_USAGE);
    mem_free(deep);
    dataset_release(d);
}

static void test_no_memory(void **state)
{
    (void)state;
    static const char text[] = "count(value in (1, 2) and type != 'type 1' or word = red) over 3d by item";
    struct dataset *d = data(1, WITH_ALL);
    for (long n = 0;; n++) {
        struct feature *f = NULL;
        struct error err = {0};
        atomic_long left = n;
        mem_set_hook(fail_one, &left);
        enum status st = feature_new(d, text, sizeof text - 1, &f, &err);
        bool fired = atomic_load(&left) < 0;
        mem_set_hook(NULL, NULL);
        feature_free(f);
        if (!fired)
            break;
        assert_int_equal(st, ST_NOMEM);
    }
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_naive),
        cmocka_unit_test(test_after_everything),
        cmocka_unit_test(test_without_times),
        cmocka_unit_test(test_errors_say_where),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("features_feature", tests, NULL, NULL);
}
