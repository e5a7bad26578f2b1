#include "tests/unit/unit.h"

#include <string.h>

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "result/render.h"
#include "result/result.h"
#include "tests/unit/memory.h"

static const struct column columns[] = {
    {"id", VALUE_TEXT, "", 0, 0},
    {"n", VALUE_INT, "", 0, 0},
    {"score", VALUE_REAL, "", 4, 0},
    {"last_seen", VALUE_TIME, "", 0, 0},
    {"seen", VALUE_BOOL, "", 0, 0},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void holds_rows(void **state)
{
    (void)state;
    struct error err;
    struct result *r = result_new(&err);
    assert_non_null(r);
    struct table *t = result_table(r, "items", "Items", columns, COLUMNS);
    for (int i = 0; i < 1000; i++) {
        table_textf(t, "item-%d", i);
        table_int(t, i);
        table_real(t, i / 2.0);
        table_time(t, i * US_PER_DAY);
        table_bool(t, i % 2);
    }
    table_text(t, NULL);
    table_null(t);
    table_real(t, NAN);
    table_time(t, NO_TIME);
    table_null(t);
    assert_int_equal(result_status(r, &err), ST_OK);
    assert_int_equal(t->nrows, 1001);
    assert_string_equal(table_value(t, 999, 0)->text, "item-999");
    assert_int_equal(table_value(t, 999, 1)->integer, 999);
    assert_true(table_value(t, 999, 2)->real == 499.5);
    assert_true(table_value(t, 999, 3)->integer == 999 * US_PER_DAY);
    assert_int_equal(table_value(t, 999, 4)->integer, 1);
    for (size_t c = 0; c < COLUMNS; c++)
        assert_true(table_value(t, 1000, c)->null);
    assert_int_equal(table_column(t, "score"), 2);
    assert_int_equal(table_column(t, "nothing"), COLUMNS);
    assert_ptr_equal(result_find_table(r, "items"), t);
    assert_null(result_find_table(r, "others"));
    result_free(r);
}

static void remembers_the_first_mistake(void **state)
{
    (void)state;
    struct error err;
    struct result *r = result_new(&err);
    struct table *t = result_table(r, "items", "", columns, COLUMNS);
    table_int(t, 3);
    table_text(t, "later calls do nothing");
    assert_int_equal(result_status(r, &err), ST_INTERNAL);
    assert_non_null(strstr(err.message, "column id of table items holds text, not int"));
    assert_int_equal(t->nrows, 0);
    result_free(r);

    r = result_new(&err);
    t = result_table(r, "items", "", columns, COLUMNS);
    table_text(t, "half a row");
    assert_int_equal(result_status(r, &err), ST_INTERNAL);
    result_free(r);
}

static void series_have_room(void **state)
{
    (void)state;
    struct error err;
    struct result *r = result_new(&err);
    struct series *s = result_series(r, "curve", "", VALUE_REAL, 3, true);
    assert_non_null(s);
    assert_null(s->labels);
    for (size_t i = 0; i < 3; i++)
        s->x[i] = s->y[i] = s->low[i] = s->high[i] = (double)i;
    struct series *bars = result_series(r, "bars", "", VALUE_TEXT, 2, false);
    assert_string_equal(bars->labels[1], "");
    assert_null(bars->low);
    assert_int_equal(r->nseries, 2);
    result_message(r, MESSAGE_HINT, "try %s", "this");
    assert_string_equal(r->messages[0].text, "try this");
    result_free(r);
}

/* A cursor of `left` rows in blocks of three. */
struct counter {
    int from, left;
    bool *closed;
};

static enum status counter_next(void *context, struct table *block, struct error *err)
{
    (void)err;
    struct counter *c = context;
    for (int i = 0; i < 3 && c->left; i++, c->left--)
        table_textf(block, "row %d", c->from++);
    return ST_OK;
}

static enum status counter_rewind(void *context, struct error *err)
{
    (void)err;
    struct counter *c = context;
    c->left += c->from;
    c->from = 0;
    return ST_OK;
}

static void counter_close(void *context)
{
    *((struct counter *)context)->closed = true;
}

static void cursors_stream_and_rewind(void **state)
{
    (void)state;
    struct error err;
    bool closed = false;
    struct counter c = {0, 7, &closed};
    struct result *r = result_new(&err);
    struct table *t = result_cursor(r, "rows", "", columns, 1, counter_next, counter_rewind, counter_close, &c);
    for (int round = 0; round < 2; round++) {
        char expected[16];
        int n = 0;
        while (assert_int_equal(table_next(t, &err), ST_OK), t->nrows)
            for (size_t i = 0; i < t->nrows; i++) {
                snprintf(expected, sizeof expected, "row %d", n++);
                assert_string_equal(table_value(t, i, 0)->text, expected);
            }
        assert_int_equal(n, 7);
        assert_int_equal(table_rewind(t, &err), ST_OK);
    }
    result_free(r);
    assert_true(closed);
}

/* Every allocation fails once, from then on: no crash, no leak (under the sanitizers), and the status says so. */
static void building_survives_lost_memory(void **state)
{
    (void)state;
    struct error err;
    for (int n = 0;; n++) {
        atomic_long left = n;
        bool closed = false;
        struct counter c = {0, 7, &closed};
        mem_set_hook(fail_from, &left);
        struct result *r = result_new(&err);
        if (!r) {
            mem_set_hook(NULL, NULL);
            assert_int_equal(err.code, ST_NOMEM);
            continue;
        }
        struct table *t = result_table(r, "items", "", columns, 2);
        for (int i = 0; i < 50; i++) {
            table_textf(t, "%0200d", i);
            table_int(t, i);
        }
        struct series *s = result_series(r, "s", "", VALUE_TEXT, 4, true);
        if (s)
            s->y[3] = 1;
        result_cursor(r, "rows", "", columns, 1, counter_next, counter_rewind, counter_close, &c);
        result_message(r, MESSAGE_INFO, "hello %s", result_text(r, "you"));
        enum status st = result_status(r, &err);
        mem_set_hook(NULL, NULL);
        result_free(r);
        assert_true(closed);
        if (st == ST_OK)
            break;
        assert_int_equal(st, ST_NOMEM);
        assert_true(n < 1000);
    }
}

/* Counts have no digits; else the largest tells how many show three that count, four at least. */
static void scores_get_their_digits(void **state)
{
    (void)state;
    static const struct {
        double scores[4];
        int digits;
    } cases[] = {{{294, 0, -3, 1e6}, 0}, {{294, .5, NAN, INFINITY}, 4}, {{.0132, .0001, 0, NAN}, 4}, {{0, .0054, -.00001, .002}, 5},
                 {{1e-5, NAN, 0, 0}, 7}, {{1e-30, 0, 0, 0}, 9}, {{.001, .002, 17, .003}, 4}, {{0, 0, NAN, 0}, 0}};
    const struct column scored[] = {{.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE}, {.name = "fixed", .type = VALUE_REAL, .precision = 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result *r = result_new(NULL);
        struct table *t = result_table(r, "t", "", scored, 2);
        for (size_t j = 0; j < 4; j++) {
            table_real(t, cases[i].scores[j]);
            table_real(t, .123);
        }
        if (t->columns[0].precision != cases[i].digits)
            fail_msg("case %zu: %d digits", i, t->columns[0].precision);
        assert_int_equal(t->columns[1].precision, 2);
        result_free(r);
    }
}

/* Rows of one model have digits of their own, also where cells are missing. */
static void scales_have_their_digits(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        double score;
        const char *shown;
    } rows[] = {{"pop", 1017, "1017"}, {"pop", NAN, ""}, {"pop", 0, "0"}, {"ease", NAN, ""}, {"ease", 1, "1.0000"}, {"ease", .25, "0.2500"},
                {"slim", .0054, "0.00540"}, {"slim", .001, "0.00100"}, {"pop", 16, "16"}, {"pop", 12345, "12,345"}, {"als", 17.5, "17.5000"}};
    const struct column scored[] = {{.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE}, {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE}};
    struct result *r = result_new(NULL);
    struct table *t = result_table(r, "t", "", scored, 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        table_text(t, rows[i].model);
        table_real(t, rows[i].score);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str cell = {0};
        value_format(&t->columns[1], table_value(t, i, 1), &cell);
        assert_string_equal(str_text(&cell), rows[i].shown);
        str_free(&cell);
    }
    result_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_rows),
        cmocka_unit_test(remembers_the_first_mistake),
        cmocka_unit_test(series_have_room),
        cmocka_unit_test(scores_get_their_digits),
        cmocka_unit_test(scales_have_their_digits),
        cmocka_unit_test(cursors_stream_and_rewind),
        cmocka_unit_test(building_survives_lost_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
