/* Delimited text: cells, rows, dialects. */
#include "tests/unit/ingest_help.h"

#include <math.h>

#include "ingest/csv.h"
#include "ingest/number.h"

/* Scans one row of `text` (its end mark replaced by the sentinel) and joins its cells by '/'. */
static const char *cells(const char *text, char delimiter, enum scan expect)
{
    static char out[256], copy[256];
    struct dialect d;
    struct row row = {0};
    size_t n = strlen(text);
    memcpy(copy, text, n);
    copy[n] = '\n';
    csv_dialect(&d, delimiter, delimiter == ':', delimiter != ':', false);
    assert_int_equal(csv_scan(&d, copy, n, true, &row, NULL), expect);
    out[0] = 0;
    if (expect == SCAN_ROW) {
        assert_int_equal(csv_unescape(&row, NULL), ST_OK);
        for (size_t i = 0; i < row.n; i++)
            snprintf(out + strlen(out), sizeof out - strlen(out), "%s%.*s", i ? "/" : "", (int)row.cells[i].n,
                     row.cells[i].text);
    } else {
        snprintf(out, sizeof out, "%s at %zu", row.reason, row.length);
    }
    row_clear(&row);
    return out;
}

static void test_cells(void **state)
{
    (void)state;
    assert_string_equal(cells("a,b,c\n", ',', SCAN_ROW), "a/b/c");
    assert_string_equal(cells("a,b,c", ',', SCAN_ROW), "a/b/c");
    assert_string_equal(cells("a,b,c\r\nd", ',', SCAN_ROW), "a/b/c");
    assert_string_equal(cells("a,,\n", ',', SCAN_ROW), "a//");
    assert_string_equal(cells("\n", ',', SCAN_ROW), "");
    assert_string_equal(cells("   \r\n", ',', SCAN_ROW), "");
    assert_string_equal(cells(" a , b \n", ',', SCAN_ROW), "a/b");
    assert_string_equal(cells("\"a,b\",c\n", ',', SCAN_ROW), "a,b/c");
    assert_string_equal(cells("\"a\nb\",c\n", ',', SCAN_ROW), "a\nb/c");
    assert_string_equal(cells("\"say \"\"hi\"\"\",\"\",\"\"\"\"\n", ',', SCAN_ROW), "say \"hi\"//\"");
    assert_string_equal(cells("5\" disk,x\n", ',', SCAN_ROW), "5\" disk/x");
    assert_string_equal(cells("\" a \" , \"b\"\r\n", ',', SCAN_ROW), " a /b");
    assert_string_equal(cells("a\tb c\td\n", '\t', SCAN_ROW), "a/b c/d");
    assert_string_equal(cells("\t\t\n", '\t', SCAN_ROW), "//");
    assert_string_equal(cells("1::Heat: a film::x\n", ':', SCAN_ROW), "1/Heat: a film/x");
    assert_string_equal(cells("  1   2\t3  \n", ' ', SCAN_ROW), "1/2/3");
    assert_string_equal(cells("a,\"b\nc,d\n", ',', SCAN_BAD), "a quote is opened and never closed at 5");
    assert_string_equal(cells("a,\"b\"c\nd\n", ',', SCAN_BAD), "text behind a closing quote at 7");
}

static void test_more(void **state)
{
    (void)state;
    struct dialect d;
    struct row row = {0};
    csv_dialect(&d, ',', false, true, false);
    /* Every beginning of a row asks for more; only the whole is a row. */
    static const char text[] = "ab,\"c\"\"\nd\",e\n\n";
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        char copy[32];
        memcpy(copy, text, n);
        copy[n] = '\n';
        assert_int_equal(csv_scan(&d, copy, n, false, &row, NULL), n < 13 ? SCAN_MORE : SCAN_ROW);
    }
    assert_int_equal(row.lines, 2);
    assert_int_equal(row.length, 13);
    row_clear(&row);
}

static char sniffed(const char *text)
{
    struct dialect d;
    struct row row = {0};
    bool found;
    assert_int_equal(csv_sniff(&d, text, strlen(text), true, &row, &found, NULL), ST_OK);
    row_clear(&row);
    return !found ? '?' : d.twice ? '2' : d.delimiter;
}

static void test_sniff(void **state)
{
    (void)state;
    assert_int_equal(sniffed("a,b\n1,2\n"), ',');
    assert_int_equal(sniffed("a;b;c\n1,5;2;3\n2,5;3;4\n"), ';');
    assert_int_equal(sniffed("a\tb\n1, 2\t3\n"), '\t');
    assert_int_equal(sniffed("1|Toy Story, The|x\n2|Heat|y\n"), '|');
    assert_int_equal(sniffed("1::Toy Story::A|B\n2::Heat, or so::A\n"), '2');
    assert_int_equal(sniffed("1 2 3\n4 5 6\n"), ' ');
    assert_int_equal(sniffed("u1,i1,2026-05-24 10:30:00\nu2,i2,2026-05-24 10:31:00\n"), ',');
    assert_int_equal(sniffed("a,b\r1,2\r3,4\r"), ',');
    assert_int_equal(sniffed("one\ntwo\n"), '?');
}

static void test_numbers(void **state)
{
    (void)state;
    static const char *const good[] = {"0",   "-0.5", "4.0", "123456789012345", "0.000001", "3.1415926535897932384626",
                                       "1e5", "1E-3", "+7",  "9007199254740993"};
    static const char *const bad[] = {"", "-", ".", "1e999", "nan", "inf", "0x10", "1.2.3", "1,5", "12a", " 1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double v;
        assert_true(number_real(good[i], strlen(good[i]), &v));
        assert_true(v == strtod(good[i], NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad - 1; i++) {
        double v;
        assert_false(number_real(bad[i], strlen(bad[i]), &v));
    }
    int64_t n;
    assert_true(number_int("-42", 3, &n) && n == -42);
    assert_true(number_int("0", 1, &n) && n == 0);
    assert_false(number_int("007", 3, &n));
    assert_false(number_int("-0", 2, &n));
    assert_false(number_int("1234567890123456789", 19, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_more),
        cmocka_unit_test(test_sniff),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests_name("ingest_csv", tests, NULL, remove_scratch);
}
