/* Whole commands without memory: the n-th allocation fails, alone or with all after it. The command says so, nothing leaks
 * (under the sanitizers), the workbench is fit for the next one. What other tests of commands do for their own is left out. */
#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands/command.h"

struct bench {
    struct sink sink;
    struct workbench *wb;
};

static struct {
    atomic_long left;
    bool for_good;
} memory;

static bool refuse(void *context, size_t bytes)
{
    (void)context;
    (void)bytes;
    long left = atomic_fetch_sub(&memory.left, 1);
    return memory.for_good ? left > 0 : left != 0;
}

static enum status show(struct sink *s, struct result *r, struct error *err)
{
    struct render_options options = {.form = OUTPUT_BOX, .width = 80};
    struct str text = {0};
    (void)s;
    enum status st = result_render_text(r, &options, &text, err);
    str_free(&text);
    return st;
}

static void run(struct bench *b, const char *line)
{
    struct error err;
    if (command_run(b->wb, line, &b->sink, &err))
        fail_msg("%s: %s", line, err.message);
}

/* Steps that grow: the beginning of a command allocates little and often, its middle much the same again and again. */
static void exhaust(struct bench *b, const char *line, bool for_good)
{
    for (long n = 0; n < 1000000; n += 1 + n / 8) {
        struct error err = {0};
        memory.for_good = for_good;
        atomic_store(&memory.left, n);
        mem_set_hook(refuse, NULL);
        enum status st = command_run(b->wb, line, &b->sink, &err);
        mem_set_hook(NULL, NULL);
        if (st != ST_OK && st != ST_NOMEM)
            fail_msg("%s, allocation %ld: %s: %s", line, n, status_name(st), err.message);
        if (st == ST_NOMEM && !*err.message)
            fail_msg("%s, allocation %ld: no message", line, n);
        if (atomic_load(&memory.left) >= 0)
            return;
        run(b, "status");
    }
    fail_msg("%s takes more allocations than can be", line);
}

static void test_memory(void **state)
{
    static const char *const lines[] = {"load tiny replace=yes",
                                        "split last 1",
                                        "train pop replace=yes",
                                        "train itemknn replace=yes",
                                        "train ease replace=yes",
                                        "train ials epochs=2 factors=4 replace=yes",
                                        "compare",
                                        "why ana pan with ials",
                                        "why ana pan with ease minimal k=2",
                                        "why ana pan with ials minimal k=4",
                                        "why ana pan with ials steps",
                                        "why ana where \"category = 'Kitchen'\" with ease k=3",
                                        "whynot ana pan with ease k=1",
                                        "whatif ana remove tent with ease country=GB retrain=yes",
                                        "whatif ana remove tent with pop retrain=yes",
                                        "who boots with ease k=3",
                                        "who where \"category = 'Kitchen'\" with ease k=2 by=country",
                                        "diff ana with pop ease",
                                        "diff with pop ease by=taste k=3",
                                        "bisect ana pan with ease k=3",
                                        "compare with pop ease by=country,history_length,recency,cold",
                                        "compare with pop ease metric=ndcg,auc,rmse test=wilcoxon adjust=bh",
                                        "compare with pop ease check=all",
                                        "fairness with pop ease by=country",
                                        "fairness with pop ease by=category",
                                        "fairness with pop ease by=history_length metric=recall@2",
                                        "report page.html ana with pop ease",
                                        "report page.md ana with pop ease",
                                        "export run tiny.run with pop k=3 replace=yes",
                                        "import tiny/served.csv as prod user=uid item=sku rank=pos time=ts replace=yes",
                                        "recommend ana with prod",
                                        "whynot ben boots with prod",
                                        "rewind 2025-05-08",
                                        "rewind 2025-05-08 with pop ease retrain=yes",
                                        "rewind now",
                                        "split check leak=allow",
                                        "backtest pop folds=2",
                                        "backtest with pop folds=2 metric=ndcg,coverage@3",
                                        "export events e.csv split=yes replace=yes",
                                        "export events e.jsonl replace=yes",
                                        "export events atomic format=recbole replace=yes",
                                        "export interactions lists format=lists replace=yes",
                                        "export interactions arrays format=npy replace=yes",
                                        "export interactions fm.libsvm replace=yes",
                                        "export items i.csv replace=yes",
                                        "export vectors v.csv with ials replace=yes",
                                        "export user ana",
                                        "export events test.csv part=test replace=yes",
                                        "split given test.csv test.csv",
                                        "backtest pop",
                                        "append tiny/events.csv again=yes",
                                        "follow tiny/events.csv from=start for=0s",
                                        "user new = tent bag",
                                        "recommend ana",
                                        "why ana #1 with ease",
                                        "whatif ana remove tent with ease",
                                        "feature define f = count(type = 'click') over 7d by user",
                                        "features",
                                        "events by=type",
                                        "audit",
                                        "rejects by=reason",
                                        "simulate with pop users=20 days=2"};
    char folder[] = "/tmp/tailor-faults-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    struct error err;
    struct bench b = {.sink = {.emit = show}};
    (void)state;
    for (int for_good = 0; for_good < 2; for_good++) {
        if (workbench_open(NULL, false, &b.wb, &err))
            fail_msg("%s", err.message);
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            exhaust(&b, lines[i], for_good);
            run(&b, lines[i]);
        }
        workbench_close(b.wb);
    }
    char remove[64];
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    assert_int_equal(chdir("/") || system(remove), 0);
}

int main(void)
{
    const char *datasets = getenv("DATASETS_DIR");
    if (datasets)
        setenv("TAILOR_DATASETS", datasets, 1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests_name("commands_faults", tests, NULL, NULL);
}
