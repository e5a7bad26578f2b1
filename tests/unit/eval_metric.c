/* Metrics against hand-worked values of trec_eval's definitions, and the reading of their names. */
#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#include "eval/metric.h"

static double at(const char *text, const uint32_t *rank, size_t n, size_t relevant)
{
    struct metric_at m;
    assert_int_equal(metric_parse(text, 10, &m, NULL), ST_OK);
    return metric_at_ranks(&m, rank, n, relevant);
}

static void near(double value, double expected)
{
    assert_near(value, expected, 1e-9);
}

/* Right items at ranks 1 and 3 of the first five, two more are missed. */
static void test_by_hand(void **state)
{
    (void)state;
    static const uint32_t rank[] = {0, 2};
    near(at("recall@5", rank, 2, 4), .5);
    near(at("precision@5", rank, 2, 4), .4);
    near(at("hit@5", rank, 2, 4), 1);
    near(at("mrr@5", rank, 2, 4), 1);
    near(at("map@5", rank, 2, 4), (1 + 2. / 3) / 4);
    /* 1 + 1/log2(4), over 1 + 1/log2(3) + 1/log2(4) + 1/log2(5) */
    near(at("ndcg@5", rank, 2, 4), 1.5 / 2.5616063116448506);
    /* one right item: the ideal list has one */
    near(at("ndcg@5", rank + 1, 1, 1), .5);
    near(at("mrr@5", rank + 1, 1, 1), 1. / 3);
    /* more right items than ranks: the ideal list is full of them */
    near(at("ndcg@2", rank, 1, 100), 1 / 1.6309297535714573);
    near(at("recall@2", rank, 1, 100), .01);
}

/* The right items at ranks 1, 3 and 6 of lists cut at 10; five are right in all. */
static void test_more_by_hand(void **state)
{
    (void)state;
    static const uint32_t rank[] = {0, 2, 5};
    near(at("rbp", rank, 3, 5), .2 * (1 + .64 + .32768));
    near(at("rbp:.5@10", rank, 3, 5), .5 * (1 + .25 + .03125));
    near(at("rprec", rank, 3, 5), 2. / 5);    /* of the first five */
    near(at("rprec@2", rank, 1, 5), 1. / 2);  /* cut before that */
    near(at("rprec@10", rank, 3, 2), 1. / 2); /* of the first two */
}

static void test_nothing_found(void **state)
{
    (void)state;
    for (size_t i = 0; metrics[i]; i++)
        if (metric_of_ranks(metrics[i]))
            near(metric_at_ranks(&(struct metric_at){.metric = metrics[i], .k = 10, .parameter = .5}, NULL, 0, 3), 0);
}

static void test_perfect(void **state)
{
    (void)state;
    static const uint32_t rank[] = {0, 1, 2};
    near(at("ndcg@3", rank, 3, 3), 1);
    near(at("map@3", rank, 3, 3), 1);
    near(at("recall@3", rank, 3, 3), 1);
    near(at("precision@3", rank, 3, 3), 1);
}

static void test_ratings(void **state)
{
    (void)state;
    struct metric_at rmse, mae, ndcg;
    struct error err;
    assert_int_equal(metric_parse("rmse", 10, &rmse, NULL), ST_OK);
    assert_int_equal(metric_parse("MAE", 10, &mae, NULL), ST_OK);
    assert_int_equal(metric_parse("ndcg", 10, &ndcg, NULL), ST_OK);
    assert_string_equal(mae.name, "mae");
    near(metric_of_errors(rmse.metric, 18, 2), 3);
    near(metric_of_errors(mae.metric, 18, 2), 9);
    assert_true(isnan(metric_of_errors(rmse.metric, 0, 0)));
    assert_true(metric_better(rmse.metric, .9, 1) && !metric_better(rmse.metric, 1, .9) && !metric_better(rmse.metric, 1, 1));
    assert_true(metric_better(ndcg.metric, .2, .1) && metric_better(rmse.metric, 5, NAN) && !metric_better(ndcg.metric, NAN, 0));
    assert_int_equal(metric_parse("rmse@10", 10, &rmse, &err), ST_USAGE);
}

static void test_names(void **state)
{
    (void)state;
    struct metric_at m;
    struct error err;
    assert_int_equal(metric_parse("NDCG@20", 10, &m, &err), ST_OK);
    assert_string_equal(m.name, "ndcg@20");
    assert_int_equal(metric_parse("recall", 7, &m, &err), ST_OK);
    assert_string_equal(m.name, "recall@7");
    assert_int_equal(metric_parse("RBP:.5@20", 10, &m, &err), ST_OK);
    assert_string_equal(m.name, "rbp:0.5@20");
    near(m.parameter, .5);
    assert_int_equal(metric_parse(m.name, 10, &m, &err), ST_OK); /* its own name reads back */
    near(m.parameter, .5);
    assert_int_equal(m.k, 20);
    assert_int_equal(metric_parse("rbp:.8", 10, &m, &err), ST_OK);
    assert_string_equal(m.name, "rbp@10");
    assert_int_equal(metric_parse("auc", 10, &m, &err), ST_OK);
    assert_string_equal(m.name, "auc");
    static const char *const wrong[] = {"ndcg@", "ndcg@0", "ndcg@-1", "ndcg@1.5", "ndcg@100001", "ndcg@20x", "", "@5",
                                        "averyveryverylongmetricname@5", "rbp:", "rbp:2", "rbp:x@5", "rbp:0", "ndcg:.5", "auc@10",
                                        "rbp:.5@", "rmse:1", "rbp:.50000000000000000000000000000000@5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(metric_parse(wrong[i], 10, &m, &err), ST_USAGE);
    assert_int_equal(metric_parse("ncdg@5", 10, &m, &err), ST_USAGE);
    assert_non_null(strstr(err.hint, "did you mean ndcg"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_more_by_hand),
        cmocka_unit_test(test_nothing_found),
        cmocka_unit_test(test_perfect),
        cmocka_unit_test(test_ratings),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("eval_metric", tests, NULL, NULL);
}
