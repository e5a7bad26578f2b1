/* Whole commands without memory: the n-th allocation fails, alone or with all after it. The command says so, nothing leaks
 * (under the sanitizers), the workbench is fit for the next one. What other tests of commands do for their own is left out. */
#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands/command.h"

/* What a command that fails must leave as it was. */
struct state {
    struct dataset *data;
    struct split *split;
    struct model *models[24];
    size_t nmodels, nkept;
    int64_t now;
    size_t nused;
    char kept[24][64]; /* in the workspace, with their sizes and times */
};

struct bench {
    struct sink sink;
    struct workbench *wb;
    struct str text; /* of the last result */
    bool shown;      /* the command came to its end: what failed is the showing */
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
    struct render_options options = {.form = OUTPUT_BOX, .width = 80, .messages = true};
    struct bench *b = s->face;
    b->shown = true;
    str_free(&b->text);
    return result_render_text(r, &options, &b->text, err);
}

/* Lines apart by "; "; NULL: none. */
static void run(struct bench *b, const char *lines)
{
    char line[256];
    struct error err;
    for (const char *end; lines && *lines; lines = *end ? end + 2 : end) {
        end = strstr(lines, "; ");
        end = end ? end : lines + strlen(lines);
        snprintf(line, sizeof line, "%.*s", (int)(end - lines), lines);
        if (command_run(b->wb, line, &b->sink, &err))
            fail_msg("%s: %s", line, err.message);
    }
}

static void state_take(struct bench *b, struct state *s)
{
    struct model_info *list = NULL;
    *s = (struct state){.data = b->wb->data, .split = b->wb->split, .nmodels = b->wb->nmodels, .now = b->wb->now, .nused = b->wb->nused};
    assert_true(s->nmodels <= 24);
    for (size_t i = 0; i < s->nmodels; i++)
        s->models[i] = b->wb->models[i];
    if (!s->data)
        return;
    assert_int_equal(workspace_list_models(b->wb->space, s->data->name, &list, &s->nkept, NULL), ST_OK);
    assert_true(s->nkept <= 24);
    for (size_t i = 0; i < s->nkept; i++)
        snprintf(s->kept[i], sizeof s->kept[i], "%.20s %llu %lld", list[i].name, (unsigned long long)list[i].bytes, (long long)list[i].created);
    mem_free(list);
}

struct step {
    const char *before, *line;
    bool goes_on; /* with what earlier attempts have kept, and says so */
};

/* Steps that grow: the beginning of a command allocates little and often, its middle much the same again and again. `before` is run in
 * front of each attempt, with all memory there is. What comes out in spite of a failure is what comes out without one. */
static void exhaust(struct bench *b, const struct step *step, bool for_good)
{
    const char *line = step->line;
    run(b, step->before);
    run(b, line);
    struct str want = b->text;
    b->text = (struct str){0};
    for (long n = 0; n < 1000000; n += 1 + n / 4) {
        struct error err = {0};
        struct state old, new;
        run(b, step->before);
        state_take(b, &old);
        b->shown = false;
        memory.for_good = for_good;
        atomic_store(&memory.left, n);
        mem_set_hook(refuse, NULL);
        enum status st = command_run(b->wb, line, &b->sink, &err);
        mem_set_hook(NULL, NULL);
        if (st != ST_OK && st != ST_NOMEM)
            fail_msg("%s, allocation %ld: %s: %s", line, n, status_name(st), err.message);
        if (st == ST_NOMEM && !*err.message)
            fail_msg("%s, allocation %ld: no message", line, n);
        state_take(b, &new);
        if (st == ST_NOMEM && !b->shown && !strstr(err.hint, "was carried out") && memcmp(&old, &new, sizeof old) != 0)
            fail_msg("%s, allocation %ld: it failed, and changed something", line, n);
        if (st == ST_OK && !step->goes_on && strcmp(str_text(&b->text), str_text(&want)) != 0)
            fail_msg("%s, allocation %ld: it says something else:\n%s", line, n, str_text(&b->text));
        if (atomic_load(&memory.left) >= 0) {
            str_free(&want);
            return;
        }
        run(b, "status");
    }
    fail_msg("%s takes more allocations than can be", line);
}

static void test_memory(void **state)
{
    static const struct step steps[] = {
        {.line = "load tiny replace=yes"},
        {.before = "load tiny replace=yes; split last 1 valid=yes",
         .line = "train ials epochs=2 factors=4 as judged metric=ndcg@3 patience=1 replace=yes"},
        {.before = "load tiny replace=yes; split last 1 valid=yes; train pop itemknn ease; train ials epochs=2 factors=4",
         .line = "train stack with pop ease metric=ndcg@3 as mix replace=yes"},
        {.before = "load tiny replace=yes; split last 1 valid=yes; train ials epochs=3 factors=4 time=0.000001s", .line = "resume ials"},
        {.before = "load tiny replace=yes; split last 1 valid=yes", .line = "tune itemknn trials=2", .goes_on = true},
        {.before = "load tiny replace=yes; train ease; append tiny/events.csv again=yes", .line = "update ease on=all check=yes"},
        {.before = "load tiny replace=yes", .line = "split last 1"},
        {.before = "load tiny replace=yes; split last 1", .line = "train pop"},
        {.before = "load tiny replace=yes; split last 1; train pop", .line = "train itemknn"},
        {.before = "load tiny replace=yes; split last 1; train pop itemknn", .line = "train ease"},
        {.before = "load tiny replace=yes; split last 1; train pop itemknn ease", .line = "train ials epochs=2 factors=4"},
        {.line = "compare"},
        {.line = "why ana pan with ials"},
        {.line = "why ana pan with ease minimal k=2"},
        {.line = "why ana pan with ials minimal k=4"},
        {.line = "why ana pan with ials steps"},
        {.line = "why ana where \"category = 'Kitchen'\" with ease k=3"},
        {.line = "whynot ana pan with ease k=1"},
        {.line = "whatif ana remove tent with ease country=GB retrain=yes"},
        {.line = "whatif ana remove tent with pop retrain=yes"},
        {.line = "who boots with ease k=3"},
        {.line = "who where \"category = 'Kitchen'\" with ease k=2 by=country"},
        {.line = "diff ana with pop ease"},
        {.line = "diff with pop ease by=taste k=3"},
        {.line = "bisect ana pan with ease k=3"},
        {.line = "compare with pop ease by=country,history_length,recency,cold"},
        {.line = "compare with pop ease metric=ndcg,auc,rmse test=wilcoxon adjust=bh"},
        {.line = "compare with pop ease check=all"},
        {.line = "fairness with pop ease by=country"},
        {.line = "fairness with pop ease by=category"},
        {.line = "fairness with pop ease by=history_length metric=recall@2"},
        {.line = "report page.html ana with pop ease replace=yes"},
        {.line = "report page.md ana with pop ease replace=yes"},
        {.line = "export run tiny.run with pop k=3 replace=yes"},
        {.line = "import tiny.run as run replace=yes"},
        {.before = "import tiny.run as run replace=yes; drop run", .line = "import tiny.run as run"},
        {.line = "compare with pop run by=country worst=2"},
        {.line = "compare with pop ease worst=3"},
        {.line = "user ana show=all with pop ease run"},
        {.line = "map items with ials"},
        {.line = "map users with ials"},
        {.line = "help ndcg"},
        {.line = "help rbo"},
        {.line = "import tiny/served.csv as prod user=uid item=sku rank=pos time=ts replace=yes"},
        {.line = "recommend ana with prod"},
        {.line = "whynot ben boots with prod"},
        {.line = "rewind 2025-05-08"},
        {.line = "rewind 2025-05-08 with pop ease retrain=yes"},
        {.line = "rewind now"},
        {.line = "split check leak=allow"},
        {.line = "backtest pop folds=2"},
        {.line = "backtest with pop folds=2 metric=ndcg,coverage@3"},
        {.line = "export events e.csv split=yes replace=yes"},
        {.line = "export events e.jsonl replace=yes"},
        {.line = "export events atomic format=recbole replace=yes"},
        {.line = "export interactions lists format=lists replace=yes"},
        {.line = "export interactions arrays format=npy replace=yes"},
        {.line = "export interactions fm.libsvm replace=yes"},
        {.line = "export items i.csv replace=yes"},
        {.line = "export vectors v.csv with ials replace=yes"},
        {.line = "export user ana"},
        {.line = "export events test.csv part=test replace=yes"},
        {.line = "split given test.csv test.csv"},
        {.line = "backtest pop"},
        {.before = "load tiny replace=yes; split last 1; train pop itemknn ease; train ials epochs=2 factors=4",
         .line = "append tiny/events.csv again=yes"},
        {.line = "follow tiny/events.csv from=start for=0s"},
        {.line = "user new = tent bag"},
        {.line = "recommend ana"},
        {.line = "why ana #1 with ease"},
        {.line = "whatif ana remove tent with ease"},
        {.line = "feature define f = count(type = 'click') over 7d by user"},
        {.line = "features"},
        {.line = "events by=type"},
        {.line = "audit"},
        {.line = "rejects by=reason"},
        {.line = "simulate with pop users=20 days=2"},
    };
    char folder[] = "/tmp/tailor-faults-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    struct error err;
    struct bench b = {.sink = {.emit = show}};
    b.sink.face = &b;
    (void)state;
    for (int for_good = 0; for_good < 2; for_good++) {
        if (workbench_open(NULL, false, &b.wb, &err))
            fail_msg("%s", err.message);
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            exhaust(&b, &steps[i], for_good);
            run(&b, steps[i].before);
            run(&b, steps[i].line);
        }
        workbench_close(b.wb);
        str_free(&b.text);
    }
    char remove[64];
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    assert_int_equal(chdir("/") || system(remove), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests_name("commands_faults", tests, NULL, NULL);
}
