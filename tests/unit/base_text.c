/* Text, its numbers and times, dictionaries and streams of random numbers. */
#include "tests/unit/unit.h"

#include <locale.h>
#include <math.h>
#include <string.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/dict.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/param.h"
#include "base/rng.h"
#include "base/text.h"

static void safe(const char *in, const char *want)
{
    struct str s = {0};
    str_put_safe(&s, in, strlen(in));
    assert_string_equal(str_text(&s), want);
    str_free(&s);
}

static void test_safe_text(void **state)
{
    (void)state;
    safe("plain Köln 東京", "plain Köln 東京");
    safe("\x1b[2J", "^[[2J");
    safe("a\nb\tc\x7f", "a^Jb^Ic^?");
    safe("\xc2\x9b" "2J", "<U+009B>2J");
    safe("\xe2\x80\xae" "evil", "<U+202E>evil");
    safe("z\xe2\x80\x8bw", "z<U+200B>w");
    safe("bad \xff byte", "bad <FF> byte");
    safe("\xc0\xaf", "<C0><AF>");
}

static void test_utf8(void **state)
{
    (void)state;
    int32_t c;
    assert_int_equal(utf8_decode("\xf0\x9f\x98\x80", 4, &c), 4);
    assert_int_equal(c, 0x1f600);
    assert_int_equal(utf8_decode("\xed\xa0\x80", 3, &c), 1);
    assert_int_equal(c, -1);
    assert_true(utf8_valid("Gr\xc3\xbc\xc3\x9f", 6));
    assert_false(utf8_valid("Gr\xfc\xdf", 4));
    struct str s = {0};
    str_put_latin1(&s, "Gr\xfc\xdf \x80", 6);
    assert_string_equal(str_text(&s), "Grüß €");
    str_free(&s);
}

static void column(const char *text, size_t width, bool pad, bool right, const char *want)
{
    struct str s = {0};
    str_put_column(&s, text, width, pad, right, false);
    assert_string_equal(str_text(&s), want);
    str_free(&s);
}

static void test_columns(void **state)
{
    (void)state;
    assert_int_equal(text_width("東京", 6), 4);
    assert_int_equal(text_width("e\xcc\x81", 3), 1);
    column("abc", 5, true, false, "abc  ");
    column("abc", 5, true, true, "  abc");
    column("abcdef", 4, true, false, "abc…");
    column("東京都", 4, true, false, "東… ");
}

static void test_numbers(void **state)
{
    (void)state;
    int64_t i;
    double d;
    assert_true(text_parse_int("-12", &i));
    assert_int_equal(i, -12);
    assert_false(text_parse_int("12x", &i));
    assert_false(text_parse_int("", &i));
    assert_false(text_parse_int("99999999999999999999", &i));
    assert_true(text_parse_real("1.5e3", &d));
    assert_true(d == 1500);
    assert_false(text_parse_real("nan", &d));
    assert_false(text_parse_real("inf", &d));
    assert_false(text_parse_real("1e999", &d));
    assert_false(text_parse_real("0x10", &d));
    assert_true(text_parse_duration("1h30m", &i));
    assert_int_equal(i, 5400 * US_PER_SECOND);
    assert_true(text_parse_duration("7d", &i));
    assert_int_equal(i, 7 * US_PER_DAY);
    assert_false(text_parse_duration("7 days", &i));
    assert_false(text_parse_duration("", &i));
    char text[32];
    assert_true(real_of_single(0.1f) == 0.1);
    assert_true(real_of_single(7.5f) == 7.5);
    assert_true(real_of_single(1.0f / 3) == 0.33333334);
    assert_true(isnan(real_of_single(NAN)));
    text_real(text, sizeof text, 0.1);
    assert_string_equal(text, "0.1");
    text_real(text, sizeof text, 1.0 / 3);
    assert_true(strtod(text, NULL) == 1.0 / 3);
    text_count(text, sizeof text, -1234567);
    assert_string_equal(text, "-1,234,567");
    text_bytes(text, sizeof text, 1536);
    assert_string_equal(text, "1.5 KiB");
    text_duration(text, sizeof text, 185);
    assert_string_equal(text, "3m 05s");
}

/* The first precision from 15 on that reads back. */
static void plain_real(char *out, size_t size, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value + 0.0);
        if (strtod(out, NULL) == value)
            break;
    }
}

static double plain_single(float value)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            return strtod(text, NULL);
    }
    return (double)value;
}

/* Numbers of all kinds: written as printf would with the fewest digits that read back. */
static void test_reals(void **state)
{
    (void)state;
    static const double some[] = {0, -0., 1, -1, 10, 1e5, 123456, 1e14, 1e15, 999999999999999, 1e16, 1e17, 12345678901234567., 1e22, 1e23, .1, .0001,
                                  .00001, 1e-5, 123e-7, 5e-5, 1. / 3, 2. / 3, 1e100, 1e-100, 1.7976931348623157e308, 2.2250738585072014e-308,
                                  9007199254740993., .3, 4.35, NAN, INFINITY, -INFINITY};
    struct rng r = rng_stream(1, "reals", 0);
    char got[64], want[64], cut[5];
    for (size_t i = 0; i < 200000; i++) {
        uint64_t bits = rng_next(&r);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (i < sizeof some / sizeof *some)
            v = some[i];
        else if (i % 4 == 1)
            v = (double)(float)rng_normal(&r);
        else if (i % 4 == 2)
            v = (double)(int64_t)(bits >> 40) / 1000;
        else if (i % 4 == 3)
            v = (double)(bits >> (i % 60));
        if (fpclassify(v) == FP_SUBNORMAL)
            continue;
        int length = text_real(got, sizeof got, v);
        assert_int_equal(length, strlen(got));
        plain_real(want, sizeof want, v);
        if (!isnan(v))
            assert_string_equal(got, want);
        float f = (float)v;
        if (fpclassify(f) != FP_SUBNORMAL && !isnan(f))
            assert_true(real_of_single(f) == plain_single(f) && !signbit(real_of_single(f)) == !signbit(f));
    }
    assert_int_equal(text_real(got, sizeof got, 5e-324), 6);
    assert_string_equal(got, "5e-324");
    assert_int_equal(text_real(cut, sizeof cut, 1.25e-7), 8);
    assert_string_equal(cut, "1.25");
}

static void time_is(const char *text, const char *want)
{
    int64_t us;
    char out[48];
    if (!want) {
        assert_false(time_parse(text, strlen(text), 0, &us));
        return;
    }
    assert_true(time_parse(text, strlen(text), 0, &us));
    time_iso(out, sizeof out, us);
    assert_string_equal(out, want);
}

static void dated(const char *text, enum date_order order, int64_t tz, const char *want)
{
    int64_t us = 0;
    char out[48] = "";
    bool yes = time_parse_dates(text, strlen(text), order, tz, &us);
    if (yes)
        time_iso(out, sizeof out, us);
    if (yes != (want != NULL) || (want && strcmp(out, want) != 0))
        fail_msg("%s is %s", text, yes ? out : "no time");
}

/* Ten digits go a short way: the same as the long one, which a blank in front takes. */
static void ten_digits(void)
{
    struct rng g = rng_stream(1, "digits", 0);
    for (int i = 0; i < 100000; i++) {
        char text[12] = " ";
        int64_t a = 1, b = 1;
        for (int k = 1; k <= 10; k++)
            text[k] = (char)(i % 2 && rng_below(&g, 8) == 0 ? rng_below(&g, 256) : '0' + rng_below(&g, 10));
        bool yes = time_parse(text + 1, 10, 0, &a);
        assert_int_equal(yes, time_parse(text, 11, 0, &b));
        assert_true(!yes || a == b);
    }
}

static void test_times(void **state)
{
    (void)state;
    ten_digits();
    time_is("2026-05-24T10:30:00Z", "2026-05-24T10:30:00Z");
    time_is("2026-05-24T10:30:00.25+02:00", "2026-05-24T08:30:00.25Z");
    time_is("2024-02-29", "2024-02-29T00:00:00Z");
    time_is("19970101", "1997-01-01T00:00:00Z");
    time_is("881250949", "1997-12-04T15:55:49Z");
    time_is("1465413032123", "2016-06-08T19:10:32.123Z");
    time_is("1465413032123456", "2016-06-08T19:10:32.123456Z");
    time_is("1465413032123456789", "2016-06-08T19:10:32.123456Z");
    time_is("0", "1970-01-01T00:00:00Z");
    time_is("-1", "1969-12-31T23:59:59Z");
    time_is("2023-02-29", NULL);
    time_is("31/02/2024", NULL);
    time_is("3/1/2026", NULL);
    time_is("3.1.2026", "2026-01-03T00:00:00Z");
    time_is("24.05.2026 9:30", "2026-05-24T09:30:00Z");
    time_is("24.05.2026 09:30:05+02:00", "2026-05-24T07:30:05Z");
    time_is("31.02.2026", NULL);
    time_is("1.2.3.2026", NULL);
    time_is("24.05.2026 25:00", NULL);
    dated("3/1/2026", DATES_DMY, 0, "2026-01-03T00:00:00Z");
    dated("3/1/2026", DATES_MDY, 0, "2026-03-01T00:00:00Z");
    dated("12/1/2010 8:26", DATES_MDY, 0, "2010-12-01T08:26:00Z");
    dated("12/1/2010 12:01 AM", DATES_MDY, 0, "2010-12-01T00:01:00Z");
    dated("12/1/2010, 12:01:09 pm", DATES_MDY, 0, "2010-12-01T12:01:09Z");
    dated("12/1/2010 1:00PM", DATES_MDY, 2 * 3600 * US_PER_SECOND, "2010-12-01T11:00:00Z");
    dated("01-12-2010", DATES_DMY, 3600 * US_PER_SECOND, "2010-11-30T23:00:00Z");
    dated("2010-12-01", DATES_MDY, 0, "2010-12-01T00:00:00Z");
    dated("13/1/2010", DATES_MDY, 0, NULL);
    dated("1/12-2010", DATES_MDY, 0, NULL);
    dated("12/1/2010 13:00 PM", DATES_MDY, 0, NULL);
    dated("12/1/2010 0:30 AM", DATES_MDY, 0, NULL);
    dated("12/1/2010 8:26 XM", DATES_MDY, 0, NULL);
    dated("12/1/2010 ", DATES_MDY, 0, "2010-12-01T00:00:00Z");
    dated("12/1/10", DATES_MDY, 0, NULL);
    time_is("2026-05-24T25:00:00Z", NULL);
    time_is("99999999999999999999999", NULL);
    time_is("", NULL);
    for (int64_t day = -800000; day < 800000; day += 37) {
        int64_t y;
        int m, d;
        time_civil(day, &y, &m, &d);
        assert_int_equal(time_days(y, m, d), day);
    }
}

static void test_likeness(void **state)
{
    (void)state;
    static const char *const words[] = {"recommend", "rename", "train", "compare"};
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("recieve", "receive"), 1);
    assert_string_equal(text_nearest("recomend", words, 4), "recommend");
    assert_string_equal(text_nearest("tarin", words, 4), "train");
    assert_null(text_nearest("xyzzy", words, 4));
    assert_string_equal(text_find("Hello World", "world"), "World");
}

/* Ids of all lengths, every other one in the dictionary: many at once as one by one. */
static void find_many(struct dict *d)
{
    enum { ROUNDS = 64 };
    static char room[DICT_MANY][64];
    struct dict_key key[DICT_MANY];
    uint32_t code[DICT_MANY], added;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < DICT_MANY; i++) {
            int n = snprintf(room[i], sizeof room[i], "%.*s%u", (int)(i % 40), "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
                             i * ROUNDS + round);
            key[i] = (struct dict_key){.text = room[i], .length = (size_t)n};
            if (i % 2)
                assert_int_equal(dict_add(d, room[i], (size_t)n, &added, NULL), ST_OK);
        }
        dict_find_many(d, key, DICT_MANY, code);
        for (unsigned i = 0; i < DICT_MANY; i++) {
            assert_int_equal(code[i], dict_find(d, key[i].text, key[i].length));
            assert_int_equal(code[i] == NO_CODE, i % 2 == 0);
            if (code[i] != NO_CODE)
                assert_memory_equal(dict_text(d, code[i]), key[i].text, key[i].length + 1);
        }
        assert_int_equal(dict_add_key(d, &key[0], &added, NULL), ST_OK);
        assert_int_equal(added, d->n - 1);
        assert_int_equal(dict_find_text(d, room[0]), added);
    }
}

static void test_dict(void **state)
{
    (void)state;
    struct dict d = {0};
    uint32_t code;
    char id[16];
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            int n = snprintf(id, sizeof id, "u%u", i * 7);
            assert_int_equal(dict_add(&d, id, (size_t)n, &code, NULL), ST_OK);
            assert_int_equal(code, i);
        }
    }
    assert_int_equal(d.n, 5000);
    assert_string_equal(dict_text(&d, 3), "u21");
    assert_int_equal(dict_find_text(&d, "u21"), 3);
    assert_int_equal(dict_find_text(&d, "U21"), NO_CODE);
    assert_int_equal(dict_add(&d, "a\0b", 3, &code, NULL), ST_OK);
    assert_int_equal(dict_find(&d, "a\0b", 3), code);
    assert_int_equal(dict_reindex(&d, NULL), ST_OK);
    assert_int_equal(dict_find_text(&d, "u21"), 3);
    struct dict copy = {0};
    assert_int_equal(dict_copy(&copy, &d, NULL), ST_OK);
    find_many(&copy);
    dict_clear(&copy);
    dict_clear(&d);
}

static void test_random(void **state)
{
    (void)state;
    struct rng a = rng_stream(7, "x", 0), b = rng_stream(7, "x", 0), c = rng_stream(7, "x", 1), d = rng_stream(7, "y", 0);
    uint64_t first = rng_next(&a);
    assert_true(first == rng_next(&b));
    assert_true(first != rng_next(&c));
    assert_true(first != rng_next(&d));
    uint32_t seen[6] = {0};
    for (int i = 0; i < 60000; i++)
        seen[rng_below(&a, 6)]++;
    double chi2 = 0;
    for (int i = 0; i < 6; i++)
        chi2 += (seen[i] - 1e4) * (seen[i] - 1e4) / 1e4;
    assert_true(chi2 < 20.5); /* p = .001 with 5 degrees of freedom */
    double sum = 0, square = 0;
    for (int i = 0; i < 40000; i++) {
        double x = rng_normal(&a);
        sum += x;
        square += x * x;
    }
    assert_true(sum / 40000 > -.02 && sum / 40000 < .02);
    assert_true(square / 40000 > .97 && square / 40000 < 1.03);
}

static void test_json(void **state)
{
    (void)state;
    struct str s = {0};
    json_string(&s, "a\"b\\\n\x01\xff", 7);
    json_real(&s, 0.1);
    json_real(&s, 0.0 / 0.0);
    assert_string_equal(str_text(&s), "\"a\\\"b\\\\\\n\\u0001\\ufffd\"0.1null");
    str_free(&s);
}

static void test_params(void **state)
{
    (void)state;
    static const struct param k = {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1000};
    static const struct param form = {.name = "output", .type = PARAM_ENUM, .choices = "box|csv|json"};
    static const struct param share = {.name = "test", .type = PARAM_PERCENT};
    struct param_value v = {0};
    struct error err;
    assert_int_equal(param_parse(&k, "20", &v, &err), ST_OK);
    assert_int_equal(v.integer, 20);
    assert_int_equal(param_parse(&k, "0", &v, &err), ST_USAGE);
    assert_string_equal(err.message, "k=0 is out of range: expected 1 to 1000");
    assert_int_equal(param_parse(&form, "jsno", &v, &err), ST_USAGE);
    assert_string_equal(err.hint, "did you mean output=json?");
    assert_int_equal(param_parse(&form, "csv", &v, &err), ST_OK);
    assert_int_equal(v.integer, 1);
    assert_int_equal(param_parse(&share, "20%", &v, &err), ST_OK);
    assert_true(v.real == .2);
    param_values_free(&v, 1);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safe_text), cmocka_unit_test(test_utf8),     cmocka_unit_test(test_columns),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_reals),     cmocka_unit_test(test_times),    cmocka_unit_test(test_likeness),
        cmocka_unit_test(test_dict),      cmocka_unit_test(test_random),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_params),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
