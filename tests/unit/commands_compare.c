/* What `compare` claims in words: of differences made by hand, no more than their tests and intervals hold. */
#include "tests/unit/unit.h"

#include <math.h>

#include "commands/compare.h"

/* What is said of a lead of `share` with this interval and p; share NaN: in points. */
static const char *said(struct result *out, double share, double low, double high, double p, double equal)
{
    struct cohorts none = {.by = "country"};
    struct compared entries[2] = {{.name = "ease"}, {.name = "pop"}};
    struct compare c = {.comparison = {.entries = entries, .n = 2, .best = true, .nmeasures = 1}, .y = 1, .segments = &none, .nsegments = 1};
    bool points = isnan(share);
    struct interval interval = {low, high}, nothing = {NAN, NAN};
    assert_int_equal(metric_parse("ndcg@10", 10, &c.comparison.measures[0].at, NULL), ST_OK);
    c.pair = (struct difference){.users = 1234, .value = points ? .25 : .01, .share = share, .p = p, .adjusted = p, .effect = {.equal = equal},
                                 .interval = points ? interval : (struct interval){.001, .02}, .share_interval = points ? nothing : interval};
    assert_int_equal(compare_say_claims(&c, out, NULL), ST_OK);
    return out->messages[out->nmessages - 1].text;
}

static void test_words(void **state)
{
    (void)state;
    struct result *out = result_new(NULL);
    assert_string_equal(said(out, .031, .022, .04, 1e-5, .5), "ease beats pop by 3.1 % ndcg@10 (2.2 to 4.0), p < .0001");
    assert_string_equal(said(out, NAN, .1, .4, .012, .5), "ease beats pop by 0.2500 ndcg@10 (0.1000 to 0.4000), p = .012");
    /* percentages of four digits say less than how many times it is */
    assert_string_equal(said(out, 9.06, 4.01, 20.7, .0002, .5), "ease beats pop by a factor of 10.1 in ndcg@10 (5.0 to 21.7), p = .0002");
    assert_string_equal(said(out, 1.99, .5, 3, .001, .5), "ease beats pop by 199.0 % ndcg@10 (50.0 to 300.0), p = .001");
    /* the test claims what the interval does not quite */
    assert_string_equal(said(out, .069, -.001, .136, .039, .5),
                        "ease beats pop by 6.9 % ndcg@10 (-0.1 to 13.6), p = .039 (a close call: the interval includes zero)");
    assert_string_equal(said(out, .076, -.089, .276, 1, .5), "ease and pop cannot be told apart by ndcg@10: a lead of 7.6 % may be chance (-8.9 to 27.6), p = 1");
    assert_string_equal(said(out, 4.06, .5, 9, .25, .5),
                        "ease and pop cannot be told apart by ndcg@10: a lead by a factor of 5.1 over 1,234 users may be chance, p = .25");
    assert_string_equal(said(out, 0, 0, 0, 1, 1), "ease and pop are alike: no user's ndcg@10 differs");
    result_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
