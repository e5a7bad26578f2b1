/* Lists that were served: which one counts when, what becomes of rows, and that bytes of any kind cannot do harm. */
#include "tests/unit/world.h"

#include "models/driver.h"
#include "models/served.h"
#include "models/snapshot.h"
#include "ranking/lists.h"

/* world_tiny: users u1 .. u6 are 0 .. 5, items a .. h in order of first appearance: a b c d e f g h are 0 .. 7. */
enum { A, B, C, D, E, F, G, H };

static struct served_row row(uint32_t user, uint32_t item, int64_t time, double rank, double score)
{
    return (struct served_row){user, item, item == NO_ITEM ? 8 : item, time, rank, score};
}

static struct model *make(const struct dataset *d, struct served_row *rows, size_t n, struct served_report *report)
{
    struct model *m = NULL;
    assert_int_equal(served_new(d, "prod", rows, n, 9, &m, report, NULL), ST_OK);
    return m;
}

static struct model *usual(const struct dataset *d, struct served_report *report)
{
    struct served_row rows[] = {
        row(0, D, 100, 2, NAN), row(0, A, 100, 1, NAN), row(0, H, 200, 1, NAN),       row(0, G, 200, 3, NAN), row(0, NO_ITEM, 200, 2, NAN),
        row(1, B, 150, 1, NAN), row(1, B, 150, 2, NAN), row(1, C, 150, NAN, NAN),     row(NO_USER, A, 5, 1, NAN), row(2, NO_ITEM, 50, 1, NAN),
    };
    return make(d, rows, sizeof rows / sizeof *rows, report);
}

static void test_report(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct served_report r;
    struct model *m = usual(d, &r);
    assert_true(r.rows == 10 && r.lists == 4 && r.places == 6 && r.empty == 1);
    assert_true(r.unknown_users == 1 && r.unknown_items == 2 && r.doubles == 1 && r.unranked == 1 && r.ranked && !r.scored && !r.crossed);
    assert_true(m->record.users == 3 && m->record.events == 6 && m->record.items == 6);
    int64_t oldest, newest;
    served_span(m, &oldest, &newest);
    assert_true(oldest == 50 && newest == 200 && served_count(m) == 4);
    model_release(m);
    dataset_release(d);
}

static void check_list(const struct model *m, uint32_t user, int64_t as_of, const uint32_t *items, const uint32_t *places, size_t n)
{
    struct query q = {.user = user, .as_of = as_of};
    struct ranked_list l;
    assert_int_equal(rank_list(m, &q, 8, SEEN_HIDE, &l, NULL), ST_OK);
    assert_int_equal(l.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(l.entries[i].item, items[i]);
        assert_true(l.entries[i].score == -(float)places[i]);
    }
    ranked_list_clear(&l);
}

/* The latest at or before the moment; what is unknown has kept its place. */
static void test_moments(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct served_report r;
    struct model *m = usual(d, &r);
    check_list(m, 0, 99, NULL, NULL, 0);
    check_list(m, 0, 100, (uint32_t[]){A, D}, (uint32_t[]){1, 2}, 2);
    check_list(m, 0, 199, (uint32_t[]){A, D}, (uint32_t[]){1, 2}, 2);
    check_list(m, 0, 200, (uint32_t[]){H, G}, (uint32_t[]){1, 3}, 2);
    check_list(m, 0, NO_TIME, (uint32_t[]){H, G}, (uint32_t[]){1, 3}, 2);
    check_list(m, 1, NO_TIME, (uint32_t[]){B, C}, (uint32_t[]){1, 2}, 2);
    check_list(m, 2, NO_TIME, NULL, NULL, 0);
    check_list(m, 3, NO_TIME, NULL, NULL, 0);
    check_list(m, NO_USER, NO_TIME, NULL, NULL, 0);
    model_release(m);
    dataset_release(d);
}

/* A history hides nothing of it and changes nothing; all at once gives what one by one does; later users have no list. */
static void test_history(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct served_report r;
    struct model *m = usual(d, &r), *wide = model_widen(m, 9, 11, NULL);
    struct query_event had = {.item = A, .value = NAN, .weight = 1, .time = 1, .event = UINT64_MAX};
    struct query q[3] = {{.events = &had, .n = 1, .user = 0, .as_of = 150}, {.user = 0, .as_of = 150}, {.user = 7, .as_of = NO_TIME}};
    struct scored list[3 * 8];
    size_t counts[3];
    struct ranker ranker;
    for (int w = 0; w < 2; w++) {
        assert_int_equal(ranker_new(&ranker, w ? wide : m, 8, SEEN_HIDE, 3, NULL), ST_OK);
        assert_int_equal(ranker_lists(&ranker, q, 3, NULL, NULL, list, counts, NULL), ST_OK);
        assert_true(counts[0] == 2 && counts[1] == 2 && counts[2] == 0);
        assert_true(list[0].index == A && list[8].index == A && list[1].index == D && list[9].index == D);
        ranker_clear(&ranker);
    }
    struct explanation x;
    struct error err;
    assert_int_equal(model_explain(m, &q[0], A, &x, &err), ST_UNSUPPORTED);
    assert_non_null(strstr(err.message, "it cannot be opened"));
    model_release(wide);
    model_release(m);
    dataset_release(d);
}

/* Scores are kept where they fall along every list; without ranks they order it, and ties stay as they came. */
static void test_scores(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct served_report r;
    struct served_row falling[] = {row(0, B, 1, NAN, .5), row(0, C, 1, NAN, .75), row(1, C, 1, NAN, -2)};
    struct served_row equal[] = {row(0, E, 1, NAN, .5), row(0, B, 1, NAN, .5), row(0, C, 1, NAN, NAN)};
    struct served_row crossed[] = {row(0, E, 1, 2, .9), row(0, B, 1, 1, .5)};
    struct served_row plain[] = {row(0, E, NO_TIME, NAN, NAN), row(0, B, NO_TIME, NAN, NAN)};
    struct served_list l;
    struct model *m = make(d, falling, 3, &r);
    assert_true(r.scored && !r.ranked && !r.crossed && served_find(m, 0, NO_TIME, &l) && l.item[0] == C && l.score[0] == .75f && l.score[1] == .5f);
    model_release(m);
    m = make(d, equal, 3, &r);
    assert_true(!r.scored && r.crossed && r.unranked == 1 && served_find(m, 0, NO_TIME, &l) && !l.score && l.item[0] == E && l.item[1] == B && l.item[2] == C);
    model_release(m);
    m = make(d, crossed, 2, &r);
    assert_true(!r.scored && r.crossed && r.ranked && served_find(m, 0, NO_TIME, &l) && l.item[0] == B);
    model_release(m);
    m = make(d, plain, 2, &r);
    assert_true(!r.scored && !r.ranked && served_find(m, 0, -5, &l) && l.item[0] == E && l.time == NO_TIME);
    model_release(m);
    struct served_row strange[] = {row(NO_USER, A, 1, 1, NAN)}, unknown[] = {row(0, NO_ITEM, 1, 1, NAN)};
    struct error err;
    assert_int_equal(served_new(d, "prod", strange, 1, 9, &m, &r, &err), ST_STATE);
    assert_non_null(strstr(err.message, "users"));
    assert_int_equal(served_new(d, "prod", unknown, 1, 9, &m, &r, &err), ST_STATE);
    assert_non_null(strstr(err.message, "items"));
    dataset_release(d);
}

/* There and back; and every flipped byte is either noticed or leaves a model that answers. */
static void test_bytes(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct served_report r;
    struct served_row rows[] = {row(0, B, 1, NAN, .5), row(0, C, 1, NAN, .75), row(0, D, 3, NAN, 1), row(5, C, 1, NAN, -2)};
    struct model *m = make(d, rows, 4, &r), *back = NULL;
    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    assert_int_equal(model_save(m, &w, NULL), ST_OK);
    struct query q[3] = {{.user = 0, .as_of = 2}, {.user = 0, .as_of = NO_TIME}, {.user = 5, .as_of = NO_TIME}};
    float before[3 * 8], after[3 * 8];
    struct blob_reader in = snapshot_reader(&blob);
    assert_int_equal(model_load(&in, &back, NULL), ST_OK);
    assert_int_equal(model_score(m, q, 3, before, NULL), ST_OK);
    assert_int_equal(model_score(back, q, 3, after, NULL), ST_OK);
    assert_memory_equal(before, after, sizeof before);
    assert_true(back->record.events == 4 && back->record.users == 2);
    model_release(back);
    for (size_t i = 0; i < blob.n; i++) {
        ((uint8_t *)blob.bytes)[i] ^= 0x41;
        blob.at = 0;
        in = snapshot_reader(&blob);
        back = NULL;
        if (model_load(&in, &back, NULL) == ST_OK) {
            assert_int_equal(model_score(back, q, 1, after, NULL), ST_OK);
            model_release(back);
        }
        ((uint8_t *)blob.bytes)[i] ^= 0x41;
    }
    snapshot_clear(&blob);
    model_release(m);
    dataset_release(d);
}

/* Another number of lists than there are would be read out of bounds: well-formed sections that contradict each other. */
static void test_contradictions(void **state)
{
    (void)state;
    static const struct {
        uint64_t sizes[3], first[3], begin[3];
        int64_t time[2];
        uint32_t item[3], place[3];
        enum status expected;
    } cases[] = {
        {{2, 3, 0}, {0, 2, 2}, {0, 1, 3}, {1, 2}, {0, 0, 1}, {1, 1, 2}, ST_OK},
        {{2, 3, 0}, {0, 2, 1}, {0, 1, 3}, {1, 2}, {0, 0, 1}, {1, 1, 2}, ST_CORRUPT}, /* users go back */
        {{2, 3, 0}, {0, 2, 2}, {0, 9, 3}, {1, 2}, {0, 0, 1}, {1, 1, 2}, ST_CORRUPT}, /* lists go back */
        {{2, 3, 0}, {0, 2, 2}, {0, 1, 3}, {2, 2}, {0, 0, 1}, {1, 1, 2}, ST_CORRUPT}, /* two lists at once */
        {{2, 3, 0}, {0, 2, 2}, {0, 1, 3}, {1, 2}, {0, 7, 1}, {1, 1, 2}, ST_CORRUPT}, /* no such item */
        {{2, 3, 0}, {0, 2, 2}, {0, 1, 3}, {1, 2}, {0, 1, 1}, {1, 1, 2}, ST_CORRUPT}, /* an item twice */
        {{2, 3, 0}, {0, 2, 2}, {0, 1, 3}, {1, 2}, {0, 0, 1}, {1, 2, 2}, ST_CORRUPT}, /* a place twice */
        {{2, 4, 0}, {0, 2, 2}, {0, 1, 3}, {1, 2}, {0, 0, 1}, {1, 1, 2}, ST_CORRUPT}, /* fewer places than claimed */
        {{2, UINT64_MAX, 0}, {0, 2, 2}, {0, 1, 3}, {1, 2}, {0, 0, 1}, {1, 1, 2}, ST_CORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct snapshot blob = {0};
        struct blob_writer w = snapshot_writer(&blob);
        assert_int_equal(blob_put(&w, "sizes", BLOB_U64, cases[i].sizes, 3, NULL), ST_OK);
        assert_int_equal(blob_put(&w, "first", BLOB_U64, cases[i].first, 3, NULL), ST_OK);
        assert_int_equal(blob_put(&w, "time", BLOB_I64, cases[i].time, 2, NULL), ST_OK);
        assert_int_equal(blob_put(&w, "begin", BLOB_U64, cases[i].begin, 3, NULL), ST_OK);
        assert_int_equal(blob_put(&w, "item", BLOB_U32, cases[i].item, 3, NULL), ST_OK);
        assert_int_equal(blob_put(&w, "place", BLOB_U32, cases[i].place, 3, NULL), ST_OK);
        struct model *m = model_new(&model_served, "prod", NULL, 2, 3, NULL);
        struct blob_reader r = snapshot_reader(&blob);
        assert_int_equal(model_served.load(m, &r, NULL), cases[i].expected);
        model_release(m);
        snapshot_clear(&blob);
    }
}

/* It is found by its name, and is none of those that can be trained. */
static void test_class(void **state)
{
    (void)state;
    assert_ptr_equal(model_class_find("served"), &model_served);
    for (const struct model_class *const *c = model_classes; *c; c++)
        assert_ptr_not_equal(*c, &model_served);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),  cmocka_unit_test(test_moments),        cmocka_unit_test(test_history), cmocka_unit_test(test_scores),
        cmocka_unit_test(test_bytes),   cmocka_unit_test(test_contradictions), cmocka_unit_test(test_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
