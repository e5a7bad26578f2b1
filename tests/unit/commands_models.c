/* split, train, use, compare: from a command line to a result, in a workbench of its own. */
#include "tests/unit/world.h"

#include <unistd.h>

#include "commands/command.h"
#include "eval/evaluation.h"
#include "tests/unit/memory.h"

/* ---- a face that keeps what it is shown ---- */

struct face {
    struct sink sink;
    struct workbench *wb;
    struct str json, said; /* the last result, and its messages */
};

static enum status keep_result(struct sink *s, struct result *r, struct error *err)
{
    struct face *f = s->face;
    struct render_options options = {.form = OUTPUT_JSON};
    str_clear(&f->json);
    str_clear(&f->said);
    for (size_t i = 0; i < r->nmessages; i++)
        str_printf(&f->said, "%s\n", r->messages[i].text);
    return result_render_text(r, &options, &f->json, err);
}

static void open_face(struct face *f, const char *path)
{
    struct error err;
    *f = (struct face){.sink = {.emit = keep_result}};
    f->sink.face = f;
    if (workbench_open(path, false, &f->wb, &err))
        fail_msg("%s", err.message);
}

static void give_data(struct face *f, uint64_t seed)
{
    struct dataset *d = world_new(60, 120, 1500, seed);
    assert_int_equal(workspace_put_dataset(f->wb->space, d, true, NULL, NULL), ST_OK);
    workbench_set_data(f->wb, d);
}

static void close_face(struct face *f)
{
    workbench_close(f->wb);
    str_free(&f->json);
    str_free(&f->said);
}

static const char *run(struct face *f, const char *line)
{
    struct error err;
    if (command_run(f->wb, line, &f->sink, &err))
        fail_msg("%s: %s", line, err.message);
    return str_text(&f->json);
}

/* The line fails; the caret stands under `culprit` (NULL: anywhere), message or hint say `what`. */
static void refused(struct face *f, const char *line, enum status want, const char *culprit, const char *what)
{
    struct error err = {0};
    assert_int_equal(command_run(f->wb, line, &f->sink, &err), want);
    if (culprit) {
        assert_int_equal(err.length, strlen(culprit));
        assert_memory_equal(line + err.offset, culprit, err.length);
    }
    if (!strstr(err.message, what) && !strstr(err.hint, what))
        fail_msg("%s: %s (%s)", line, err.message, err.hint);
}

static void contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %.2000s", part, text);
}

/* The number behind the n-th "key": of the document. */
static double number(const char *json, const char *key, int n)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    for (; n >= 0; n--) {
        json = strstr(json, quoted);
        assert_non_null(json);
        json += strlen(quoted);
    }
    return strtod(json, NULL);
}

/* ---- split ---- */

static void test_split(void **state)
{
    (void)state;
    struct face f;
    open_face(&f, NULL);
    refused(&f, "split last 1", ST_STATE, NULL, "none is loaded");
    give_data(&f, 1);
    run(&f, "split");
    contains(str_text(&f.said), "not split");
    run(&f, "split last 2");
    assert_non_null(f.wb->split);
    assert_int_equal((int)number(str_text(&f.json), "events", 0), (int)f.wb->split->ntrain);
    assert_int_equal((int)number(str_text(&f.json), "events", 1), (int)f.wb->split->ntest);
    run(&f, "split time test=2d");
    assert_int_equal(f.wb->split->spec.duration, 2 * US_PER_DAY);
    run(&f, "split time 25%");
    assert_true(f.wb->split->spec.share > .2499 && f.wb->split->spec.share < .2501);
    run(&f, "split time 2023-12-20 valid=10%");
    assert_true(f.wb->split->test_from == INT64_C(1703030400) * US_PER_SECOND);
    assert_true(f.wb->split->nvalid > 0);
    run(&f, "split users 30% holdout=50% target=buy");
    assert_string_equal(f.wb->split->spec.target, "buy");
    run(&f, "split none");
    assert_null(f.wb->split);
    refused(&f, "split time test=later", ST_USAGE, "later", "test=14d");
    refused(&f, "split last 0", ST_USAGE, "0", "split last 1");
    refused(&f, "split last 1 test=2", ST_USAGE, "1", "said twice");
    refused(&f, "split users 120%", ST_USAGE, "120%", "share");
    refused(&f, "split random 20% valid=x", ST_USAGE, "x", "share");
    refused(&f, "split random 20% valid=3", ST_USAGE, "3", "valid=3");
    refused(&f, "split last 1 holdout=10%", ST_USAGE, "10%", "users");
    refused(&f, "split none target=buy", ST_USAGE, "buy", "target=");
    refused(&f, "split valid=yes", ST_USAGE, "yes", "split last 1 valid=");
    refused(&f, "split given", ST_USAGE, NULL, "split last 1");
    refused(&f, "split given /nowhere/test.txt", ST_NOT_FOUND, NULL, "folder");
    refused(&f, "split last 1 20", ST_USAGE, "20", "test=");
    refused(&f, "split tme", ST_USAGE, "tme", "time");
    assert_null(f.wb->split);
    close_face(&f);
}

/* ---- train ---- */

static void test_train(void **state)
{
    (void)state;
    struct face f;
    open_face(&f, NULL);
    give_data(&f, 1);
    run(&f, "split last 1");
    contains(run(&f, "train pop itemknn"), "\"itemknn\"");
    assert_int_equal(f.wb->nmodels, 2);
    assert_true(f.wb->models[0]->record.split_fingerprint == f.wb->split->fingerprint);
    assert_int_equal(f.wb->models[0]->record.events, f.wb->split->ntrain);
    run(&f, "train itemknn");
    contains(str_text(&f.said), "used again");
    assert_int_equal(f.wb->nmodels, 2);
    run(&f, "train itemknn shrink=5.0"); /* the default, written otherwise */
    assert_int_equal(f.wb->nmodels, 2);
    contains(run(&f, "train itemknn shrink=9"), "\"itemknn.2\"");
    contains(run(&f, "train itemknn neighbours=3 as near"), "\"near\"");
    refused(&f, "train itemknn neighbours=4 as near", ST_USAGE, "near", "replace=yes");
    run(&f, "train itemknn neighbours=4 as near replace=yes");
    assert_int_equal(f.wb->nmodels, 4);
    assert_int_equal(model_int(f.wb->models[3], "neighbours"), 4);
    run(&f, "train pop on=all as everything");
    assert_true(f.wb->models[4]->record.split_fingerprint == 0);
    run(&f, "train pop itemknn count=users shrink=1"); /* each takes those it has */
    assert_int_equal(f.wb->nmodels, 7);

    refused(&f, "train itemkn", ST_USAGE, "itemkn", "did you mean itemknn");
    refused(&f, "train pop shrink=1", ST_USAGE, "shrink", "count=");
    refused(&f, "train itemknn shrink=-1", ST_USAGE, "-1", "range");
    refused(&f, "train pop itemknn as both", ST_USAGE, "both", "one name");
    refused(&f, "train pop as ease", ST_USAGE, "ease", "class");
    refused(&f, "train pop as \"a b\"", ST_USAGE, NULL, "letters");
    refused(&f, "train ials patience=2", ST_STATE, NULL, "valid=yes");
    assert_int_equal(f.wb->nmodels, 7);
    close_face(&f);
}

static void test_early_stopping(void **state)
{
    (void)state;
    struct face f;
    open_face(&f, NULL);
    give_data(&f, 1);
    run(&f, "split last 1 valid=yes");
    const char *json = run(&f, "train ials epochs=30 factors=8 patience=3 metric=recall@5");
    contains(json, "\"recall@5_ials\"");
    assert_int_equal(f.wb->nmodels, 1);
    assert_true(f.wb->models[0]->record.epochs <= 30);
    refused(&f, "train ials metric=coverage@5", ST_USAGE, "coverage@5", "single users");
    refused(&f, "train ials metric=rcall@5", ST_USAGE, "rcall@5", "did you mean recall");
    close_face(&f);
}

/* ---- use, models ---- */

static void test_use(void **state)
{
    (void)state;
    struct face f;
    open_face(&f, NULL);
    give_data(&f, 1);
    run(&f, "models");
    contains(str_text(&f.said), "train");
    run(&f, "split last 1");
    run(&f, "train pop itemknn");
    run(&f, "use itemknn");
    assert_int_equal(f.wb->nused, 1);
    assert_null(strstr(run(&f, "compare"), "\"pop\""));
    refused(&f, "use pop nothing", ST_NOT_FOUND, "nothing", "models");
    assert_int_equal(f.wb->nused, 1);
    run(&f, "use all");
    contains(run(&f, "compare"), "\"pop\"");
    close_face(&f);
}

static void test_rename_and_drop(void **state)
{
    (void)state;
    char path[] = "/tmp/tailor-models-XXXXXX";
    struct face f;
    struct error err;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    open_face(&f, path);
    give_data(&f, 1);
    run(&f, "split last 1");
    run(&f, "train pop itemknn");
    run(&f, "use itemknn pop");
    struct model *held = workbench_model(f.wb, "itemknn");
    assert_int_equal(workbench_rename_model(f.wb, "itemknn", "near", &err), ST_BUSY);
    model_release(held);
    assert_int_equal(workbench_rename_model(f.wb, "itemknn", "pop", &err), ST_USAGE);
    assert_int_equal(workbench_rename_model(f.wb, "itemkn", "near", &err), ST_NOT_FOUND);
    assert_int_equal(workbench_rename_model(f.wb, "itemknn", "near", &err), ST_OK);
    assert_string_equal(f.wb->used[0], "near");
    run(&f, "rename near nearest");
    refused(&f, "rename pop nearest", ST_USAGE, "nearest", "already");
    refused(&f, "rename nearest ease", ST_USAGE, "ease", "class");
    run(&f, "rename nearest near");
    contains(run(&f, "compare"), "\"near\"");
    assert_int_equal(workbench_drop_model(f.wb, "pop", &err), ST_OK);
    assert_int_equal(f.wb->nused, 1);
    assert_int_equal(workbench_drop_model(f.wb, "pop", &err), ST_NOT_FOUND);
    close_face(&f);
    open_face(&f, path);
    assert_int_equal(f.wb->nmodels, 1);
    assert_string_equal(f.wb->models[0]->name, "near");
    contains(run(&f, "compare"), "\"near\"");
    close_face(&f);
    unlink(path);
}

/* ---- compare ---- */

static double mean_by_hand(const struct workbench *wb, const struct model *m, const char *metric, size_t *users)
{
    struct protocol p = {.on = PART_TEST, .hide_seen = true};
    struct test_set *t = NULL;
    struct evaluation *e = NULL;
    struct metric_at at;
    double value[64], mean;
    assert_int_equal(test_set_new(wb->data, wb->split, &p, &t, NULL), ST_OK);
    assert_int_equal(evaluation_run(m, t, 1, 20, NULL, &e, NULL), ST_OK);
    assert_int_equal(metric_parse(metric, 10, &at, NULL), ST_OK);
    evaluation_users(e, &at, value);
    mean = evaluation_mean(e, value, true, users);
    evaluation_free(e);
    test_set_free(t);
    return mean;
}

static void test_compare(void **state)
{
    (void)state;
    struct face f;
    size_t users;
    open_face(&f, NULL);
    give_data(&f, 1);
    refused(&f, "compare", ST_STATE, NULL, "split last 1");
    run(&f, "split last 1");
    refused(&f, "compare", ST_STATE, NULL, "train");
    run(&f, "train pop itemknn");
    const char *json = run(&f, "compare metric=ndcg@5 recall@20");
    double first = number(json, "ndcg@5", 0), second = number(json, "ndcg@5", 1);
    double pop = mean_by_hand(f.wb, f.wb->models[0], "ndcg@5", &users), knn = mean_by_hand(f.wb, f.wb->models[1], "ndcg@5", NULL);
    assert_true(first >= second);
    assert_near(first, fmax(pop, knn), 1e-12);
    assert_near(second, fmin(pop, knn), 1e-12);
    assert_int_equal((int)number(json, "users", 0), (int)users);
    assert_near(number(json, "difference", 1), second - first, 1e-12);
    assert_near(number(json, "to_best", 1), second / first - 1, 1e-12);
    for (int i = 0; i < 2; i++) {
        assert_true(number(json, "low", i) <= number(json, "ndcg@5", i));
        assert_true(number(json, "high", i) >= number(json, "ndcg@5", i));
    }
    contains(json, "\"p\":null"); /* the best against itself */
    contains(json, "\"recall@20_low\":");
    assert_null(strstr(json, "mrr"));
    contains(str_text(&f.said), "ndcg@5");
    contains(run(&f, "compare k=3"), "\"coverage@3\":");
    run(&f, "compare history=rolling seen=show");

    refused(&f, "compare metric=ndgc@5", ST_USAGE, "ndgc@5", "did you mean ndcg");
    refused(&f, "compare pop", ST_USAGE, "pop", "with pop");
    refused(&f, "compare with pop none", ST_NOT_FOUND, "none", "models");
    refused(&f, "compare on=valid", ST_STATE, NULL, "valid=yes");
    close_face(&f);
}

static void test_other_splits(void **state)
{
    (void)state;
    struct face f;
    open_face(&f, NULL);
    give_data(&f, 1);
    run(&f, "split last 1");
    run(&f, "train pop");
    run(&f, "split last 2");
    contains(str_text(&f.said), "trained on other events");
    refused(&f, "compare", ST_STATE, NULL, "pop (another split)");
    run(&f, "train itemknn");
    assert_null(strstr(run(&f, "compare"), "\"pop\""));
    contains(str_text(&f.said), "left out");
    refused(&f, "compare with pop itemknn", ST_STATE, NULL, "pop (another split)");
    run(&f, "train pop on=all as all.pop");
    refused(&f, "compare with all.pop", ST_STATE, NULL, "test events too");
    close_face(&f);
}

static void test_cold_users(void **state)
{
    (void)state;
    struct face f;
    open_face(&f, NULL);
    give_data(&f, 1);
    run(&f, "split time test=98%");
    assert_true(f.wb->split->cold_users > 0);
    run(&f, "train pop");
    const char *json = run(&f, "compare metric=ndcg@5");
    contains(json, "\"cold\":");
    assert_int_equal((int)(number(json, "users", 0) + number(json, "users", 1)), (int)f.wb->split->test_users);
    close_face(&f);
}

/* ---- the same bytes ---- */

static void story(const char *path, int threads, struct str *out)
{
    static const char *const lines[] = {"split last 1 valid=yes", "train pop itemknn ials factors=8 epochs=4", "compare", "compare",
                                        "compare with pop ials metric=recall@5 history=rolling on=valid", "models"};
    struct face f;
    omp_set_num_threads(threads);
    open_face(&f, path);
    give_data(&f, 4);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        str_printf(out, "%s\n", run(&f, lines[i]));
    close_face(&f);
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct str one = {0}, two = {0};
    int threads = omp_get_max_threads();
    story(NULL, 1, &one);
    story(NULL, 2, &two);
    omp_set_num_threads(threads);
    assert_string_equal(str_text(&one), str_text(&two));
    str_free(&one);
    str_free(&two);
}

/* What was split, trained and judged is there on the next opening, and says the same. */
static void test_reopened(void **state)
{
    (void)state;
    char path[] = "/tmp/tailor-models-XXXXXX";
    struct str before = {0};
    struct face f;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    open_face(&f, path);
    give_data(&f, 1);
    run(&f, "split last 1");
    run(&f, "train pop itemknn");
    str_puts(&before, run(&f, "compare"));
    close_face(&f);
    open_face(&f, path);
    assert_int_equal(f.wb->nmodels, 2);
    assert_string_equal(run(&f, "compare"), str_text(&before));
    /* the same name, another model: what was kept of the old one is not taken for it */
    run(&f, "train itemknn neighbours=2 as itemknn replace=yes");
    assert_string_not_equal(run(&f, "compare"), str_text(&before));
    close_face(&f);
    str_free(&before);
    unlink(path);
}

/* `use` and the open data set are as they were left, through new names and after a drop. */
static void test_choice_reopened(void **state)
{
    (void)state;
    char path[] = "/tmp/tailor-models-XXXXXX";
    struct face f;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    open_face(&f, path);
    give_data(&f, 1);
    run(&f, "train pop itemknn ease");
    run(&f, "use itemknn pop");
    run(&f, "rename itemknn near");
    char *first = mem_strdup(f.wb->data->name, NULL);
    run(&f, "generate users=5 days=30 as other");
    close_face(&f);
    open_face(&f, path);
    assert_string_equal(f.wb->data->name, "other");
    assert_int_equal(f.wb->nused, 0);
    assert_int_equal(workbench_switch(f.wb, first, NULL), ST_OK);
    close_face(&f);
    open_face(&f, path);
    assert_string_equal(f.wb->data->name, first);
    assert_int_equal(f.wb->nused, 2);
    assert_string_equal(f.wb->used[0], "near");
    assert_string_equal(f.wb->used[1], "pop");
    run(&f, "drop near");
    close_face(&f);
    open_face(&f, path);
    assert_int_equal(f.wb->nused, 1);
    assert_string_equal(f.wb->used[0], "pop");
    run(&f, "use all");
    close_face(&f);
    open_face(&f, path);
    assert_int_equal(f.wb->nused, 0);
    close_face(&f);
    mem_free(first);
    unlink(path);
}

/* ---- without memory ---- */

/* One allocation fails, then another one: the command says so or does without, nothing leaks, and the next run works. */
static void survive(struct face *f, const char *line)
{
    for (long i = 0; i < 100000; i += 1 + i / 16) {
        atomic_long left = i;
        struct error err = {0};
        mem_set_hook(fail_one, &left);
        enum status st = command_run(f->wb, line, &f->sink, &err);
        mem_set_hook(NULL, NULL);
        if (st != ST_OK && st != ST_NOMEM)
            fail_msg("%s, allocation %ld: %s: %s", line, i, status_name(st), err.message);
        if (atomic_load(&left) >= 0)
            return;
        run(f, line);
    }
    fail_msg("%s takes more allocations than can be", line);
}

static void test_memory(void **state)
{
    (void)state;
    struct face f;
    open_face(&f, NULL);
    give_data(&f, 1);
    survive(&f, "split last 1");
    survive(&f, "train pop itemknn");
    survive(&f, "train itemknn neighbours=7 as seven replace=yes");
    survive(&f, "compare");
    survive(&f, "compare with pop seven metric=ndcg@3 on=test history=rolling");
    survive(&f, "use seven");
    survive(&f, "models");
    close_face(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),      cmocka_unit_test(test_train),        cmocka_unit_test(test_early_stopping),
        cmocka_unit_test(test_use),        cmocka_unit_test(test_rename_and_drop),
              cmocka_unit_test(test_compare),      cmocka_unit_test(test_other_splits),
        cmocka_unit_test(test_cold_users), cmocka_unit_test(test_same_bytes),   cmocka_unit_test(test_reopened),
        cmocka_unit_test(test_choice_reopened),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("commands_models", tests, NULL, NULL);
}
