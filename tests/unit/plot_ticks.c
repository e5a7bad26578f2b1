#include "tests/unit/unit.h"

#include <string.h>



#include "base/clock.h"
#include "plot/ticks.h"

static void expect(const struct ticks *t, const char *labels)
{
    char all[TICKS_MOST * TICK_LABEL] = "";
    for (size_t i = 0; i < t->n; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? "|" : "", t->label[i]);
    assert_string_equal(all, labels);
}

static void round_numbers(void **state)
{
    (void)state;
    struct ticks t;
    ticks_numbers(0, 1, 5, &t);
    expect(&t, "0|0.5|1.0");
    ticks_numbers(0, 1, 6, &t);
    expect(&t, "0|0.2|0.4|0.6|0.8|1.0");
    ticks_numbers(-0.3, 0.42, 5, &t);
    expect(&t, "-0.2|0|0.2|0.4");
    ticks_numbers(0, 34174, 5, &t);
    expect(&t, "0|10k|20k|30k");
    ticks_numbers(0, 2.5e6, 6, &t);
    expect(&t, "0|0.5M|1.0M|1.5M|2.0M|2.5M");
    ticks_numbers(1995, 2003, 5, &t);
    expect(&t, "1996|1998|2000|2002");
    ticks_numbers(0.0001, 0.0004, 4, &t);
    expect(&t, "0.0001|0.0002|0.0003|0.0004");
}

/* Whatever the range: at most as many as asked for, in order, inside. */
static void always_inside(void **state)
{
    (void)state;
    struct ticks t;
    for (double low = -1e7; low < 1e7; low = low < 0 ? low / 7 + (low > -1e-7) : low * 7)
        for (double span = 1e-6; span < 1e9; span *= 3.3)
            for (size_t most = 2; most < 12; most++) {
                ticks_numbers(low, low + span, most, &t);
                assert_true(t.n <= most);
                for (size_t i = 0; i < t.n; i++) {
                    assert_true(t.at[i] >= low - span * 1e-6 && t.at[i] <= low + span * (1 + 1e-6));
                    assert_true(i == 0 || t.at[i] > t.at[i - 1]);
                }
            }
}

static double at(const char *text)
{
    int64_t us;
    assert_true(time_parse(text, strlen(text), 0, &us));
    return (double)us;
}

static void calendar(void **state)
{
    (void)state;
    struct ticks t;
    ticks_times(at("1997-09-20"), at("1998-04-22"), 5, &t);
    expect(&t, "Nov 1997|Jan 1998|Mar 1998");
    ticks_times(at("1997-09-20"), at("1998-04-22"), 8, &t);
    expect(&t, "Oct 1997|Nov 1997|Dec 1997|Jan 1998|Feb 1998|Mar 1998|Apr 1998");
    ticks_times(at("1998-02-27"), at("1998-03-02"), 5, &t);
    expect(&t, "27 Feb|28 Feb|1 Mar|2 Mar");
    ticks_times(at("1998-02-27T22:00:00Z"), at("1998-02-28T02:00:00Z"), 5, &t);
    expect(&t, "22:00|23:00|28 Feb|01:00|02:00");
    ticks_times(at("1961-06-01"), at("1999-01-01"), 5, &t);
    expect(&t, "1970|1980|1990");
    ticks_times(at("2024-01-01T00:00:01Z"), at("2024-01-01T00:00:04Z"), 5, &t);
    expect(&t, "00:00:01|00:00:02|00:00:03|00:00:04");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_numbers), cmocka_unit_test(always_inside), cmocka_unit_test(calendar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
