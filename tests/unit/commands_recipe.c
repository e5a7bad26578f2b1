/* Recipes: the same steps are the same data, to the bit and after a restart; undo brings data, split and models back. */
#include "tests/unit/unit.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "commands/grow.h"
#include "commands/recipe.h"
#include "data/copy.h"
#include "tests/unit/memory.h"

struct face {
    struct sink sink;
    struct workbench *wb;
    struct error err;
    struct str shown; /* messages of the last result */
};

static char folder[] = "/tmp/tailor-recipe-XXXXXX";

static enum status emit(struct sink *s, struct result *r, struct error *err)
{
    struct face *f = s->face;
    str_clear(&f->shown);
    for (size_t i = 0; i < r->nmessages; i++)
        str_printf(&f->shown, "%s\n", r->messages[i].text);
    return result_status(r, err);
}

static enum status run(struct face *f, const char *line)
{
    memset(&f->err, 0, sizeof f->err);
    return command_run(f->wb, line, &f->sink, &f->err);
}

static void runs(struct face *f, const char *line, const char *words)
{
    if (run(f, line))
        fail_msg("%s: %s (%s)", line, f->err.message, f->err.hint);
    if (!strstr(str_text(&f->shown), words))
        fail_msg("%s: no \"%s\" in: %s", line, words, str_text(&f->shown));
}

static void fails(struct face *f, const char *line, enum status expect, const char *words)
{
    assert_int_equal(run(f, line), expect);
    if (!strstr(f->err.message, words))
        fail_msg("%s: %s (%s)", line, f->err.message, f->err.hint);
    assert_true(f->err.offset + f->err.length <= strlen(line));
}

static void start(struct face *f, const char *path)
{
    *f = (struct face){.sink = {.face = f, .emit = emit}};
    if (workbench_open(path, false, &f->wb, &f->err))
        fail_msg("%s", f->err.message);
}

static void stop(struct face *f)
{
    workbench_close(f->wb);
    str_free(&f->shown);
}

static size_t steps(const struct face *f)
{
    return f->wb->recipe ? f->wb->recipe->n : 0;
}

/* ---- the same state, the same data ---- */

static void test_undo(void **state)
{
    (void)state;
    struct face f;
    static const char *const lines[] = {"weight purchase=3", "filter \"events_per_user >= 3\"", "decay halflife=7d", "sessions gap=2h",
                                        "repeat count", "kcore 2", "between 2025-05-02 2025-05-11", "sample users 80%", "bots drop rate=50"};
    enum { LINES = sizeof lines / sizeof *lines };
    uint64_t before[LINES];
    start(&f, NULL);
    runs(&f, "load tiny", "");
    struct dataset *base = workbench_data(f.wb), *again = NULL;
    assert_int_equal(workbench_base(f.wb, &again, NULL), ST_OK);
    assert_ptr_equal(again, base); /* without a step base and data are one */
    dataset_release(again);
    for (size_t i = 0; i < LINES; i++) {
        before[i] = f.wb->data->fingerprint;
        runs(&f, lines[i], "");
        assert_int_equal(steps(&f), i + 1);
        assert_true(f.wb->data->fingerprint != before[i]);
        assert_true(f.wb->data->events.n <= base->events.n);
        assert_int_equal(f.wb->recipe->step[i].events, f.wb->data->events.n);
    }
    assert_int_equal(workbench_base(f.wb, &again, NULL), ST_OK);
    assert_true(again->fingerprint == base->fingerprint);
    dataset_release(again);
    for (size_t i = LINES; i-- > 0;) {
        runs(&f, "undo", lines[i]);
        assert_int_equal(steps(&f), i);
        assert_true(f.wb->data->fingerprint == before[i]);
    }
    fails(&f, "undo", ST_STATE, "no step");
    runs(&f, "kcore 2", "");
    runs(&f, "weight click=2", "");
    fails(&f, "undo 3", ST_USAGE, "not a number of steps");
    runs(&f, "undo 2", "");
    assert_true(f.wb->data->fingerprint == base->fingerprint);
    dataset_release(base);
    stop(&f);
}

/* What differs only in how it was typed is one state. */
static void test_lines(void **state)
{
    (void)state;
    struct face f;
    static const char *const same[][2] = {
        {"filter type='click'and(item.price<50)", "filter \"type = 'click' and (item.price < 50)\""},
        {"filter item.category in('Camping' ,Kitchen)", "filter \"item.category in ('Camping', Kitchen)\""},
        {"kcore items=1 users=2", "kcore users=2 items=1"},
        {"weight   purchase=3", "weight purchase=3"},
    };
    start(&f, NULL);
    runs(&f, "load tiny", "");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        runs(&f, same[i][0], "");
        uint64_t first = f.wb->data->fingerprint;
        assert_string_equal(f.wb->recipe->step[0].text, same[i][1]);
        runs(&f, "undo", "");
        runs(&f, same[i][1], "");
        assert_true(f.wb->data->fingerprint == first);
        runs(&f, "undo", "");
    }
    /* A step that fails leaves all as it was. */
    uint64_t before = f.wb->data->fingerprint;
    fails(&f, "filter valu > 3", ST_USAGE, "there is no column");
    assert_int_equal(f.err.offset, strlen("filter "));
    fails(&f, "filter \"valu > 3\"", ST_USAGE, "there is no column");
    assert_int_equal(f.err.offset, strlen("filter \""));
    fails(&f, "kcore 9", ST_STATE, "nothing would be left");
    fails(&f, "between 2031", ST_STATE, "would be left");
    fails(&f, "between 2025-05-09 2025-04", ST_USAGE, "ends before");
    fails(&f, "sessions by=nothing", ST_NOT_FOUND, "no column");
    fails(&f, "decay", ST_USAGE, "half");
    assert_int_equal(steps(&f), 0);
    assert_true(f.wb->data->fingerprint == before);
    stop(&f);
}

/* ---- split and models ---- */

static void test_models(void **state)
{
    (void)state;
    struct face f;
    char path[128];
    snprintf(path, sizeof path, "%s/models.tailor", folder);
    start(&f, path);
    runs(&f, "load tiny", "");
    runs(&f, "split last 1", "");
    runs(&f, "train pop ease", "");
    runs(&f, "use ease", "");
    uint64_t split = f.wb->split->fingerprint;
    runs(&f, "user ana", "");
    runs(&f, "weight purchase=3", "2 models of the data as they were wait");
    assert_int_equal(f.wb->nmodels, 0);
    assert_string_equal(dict_text(&f.wb->data->users, f.wb->user), "ana");
    assert_true(f.wb->split->fingerprint != split);
    runs(&f, "train ease lambda=5", ""); /* the same name, of another state */
    uint64_t shaped = f.wb->data->fingerprint, shaped_split = f.wb->split->fingerprint;
    stop(&f);
    /* Opened again: the same state, with its split and its models. */
    start(&f, path);
    assert_int_equal(steps(&f), 1);
    assert_true(f.wb->data->fingerprint == shaped && f.wb->split->fingerprint == shaped_split);
    assert_int_equal(f.wb->nmodels, 1);
    assert_true(f.wb->models[0]->record.data_fingerprint == shaped);
    assert_true(f.wb->models[0]->record.split_fingerprint == shaped_split);
    runs(&f, "recipe", "2 models of other states");
    runs(&f, "compare", "");
    runs(&f, "undo", "2 models of this state are back");
    assert_int_equal(f.wb->nmodels, 2);
    assert_true(f.wb->split->fingerprint == split);
    for (size_t i = 0; i < 2; i++)
        assert_true(f.wb->models[i]->record.data_fingerprint == f.wb->data->fingerprint);
    assert_int_equal(f.wb->nused, 1);
    runs(&f, "drop ease", "");
    runs(&f, "weight purchase=3", "1 model of this state is back");
    assert_true(model_real(f.wb->models[0], "lambda") == 5);
    runs(&f, "rename ease five", "");
    runs(&f, "undo", "1 model of this state is back"); /* pop */
    runs(&f, "weight purchase=3", "");
    assert_string_equal(f.wb->models[0]->name, "five");
    /* A split that these data cannot have is missed, not lost. */
    runs(&f, "undo", "");
    runs(&f, "split last 1 target=purchase", "");
    runs(&f, "filter type = click", "the split does not suit");
    assert_null(f.wb->split);
    runs(&f, "undo", "split, made anew");
    stop(&f);
    unlink(path);
}

/* Models in memory only are not let go. */
static void test_unkept(void **state)
{
    (void)state;
    struct face f;
    start(&f, NULL);
    runs(&f, "load tiny", "");
    runs(&f, "train pop", "");
    assert_int_equal(workspace_drop_model(f.wb->space, "tiny", "pop", NULL), ST_OK);
    fails(&f, "kcore 2", ST_STATE, "would be lost: pop");
    assert_int_equal(steps(&f), 0);
    runs(&f, "drop pop", "");
    runs(&f, "kcore 2", "");
    stop(&f);
}

/* ---- other data ---- */

static void test_replay(void **state)
{
    (void)state;
    struct face f;
    char line[400], path[128], csv[128];
    snprintf(path, sizeof path, "%s/steps.recipe", folder);
    snprintf(csv, sizeof csv, "%s/new.csv", folder);
    FILE *file = fopen(csv, "w");
    fputs("user,item,type,timestamp\nu,a,click,1\nu,b,click,2\nv,a,click,3\nv,b,purchase,4\nw,c,click,5\n", file);
    fclose(file);
    start(&f, NULL);
    runs(&f, "load tiny", "");
    runs(&f, "weight purchase=3", "");
    runs(&f, "kcore 2", "");
    snprintf(line, sizeof line, "recipe save %s", path);
    runs(&f, line, "2 steps");
    snprintf(line, sizeof line, "load %s as a recipe=tiny", csv);
    runs(&f, line, "kcore 2: kept 4 of 5 events");
    uint64_t at_once = f.wb->data->fingerprint;
    assert_int_equal(f.wb->data->users.n, 2);
    assert_int_equal(steps(&f), 2);
    snprintf(line, sizeof line, "load %s as b", csv);
    runs(&f, line, "");
    assert_int_equal(steps(&f), 0);
    snprintf(line, sizeof line, "recipe apply %s", path);
    runs(&f, line, "");
    assert_true(f.wb->data->fingerprint == at_once);
    runs(&f, "recipe clear", "undone: kcore 2");
    runs(&f, "recipe apply tiny", "");
    assert_true(f.wb->data->fingerprint == at_once);
    /* Reading the files again keeps the steps, unless told. */
    snprintf(line, sizeof line, "load %s as b replace=yes", csv);
    runs(&f, line, "kcore 2");
    assert_true(f.wb->data->fingerprint == at_once);
    snprintf(line, sizeof line, "load %s as b replace=yes recipe=none", csv);
    runs(&f, line, "");
    assert_int_equal(steps(&f), 0);
    fails(&f, "recipe apply b", ST_STATE, "has no step");
    fails(&f, "recipe apply nowhere", ST_NOT_FOUND, "neither a data set");
    /* A step that does not suit: nothing is loaded, nothing is changed. */
    file = fopen(path, "w");
    fputs("# two steps\nkcore 1\nfilter \"value > 3 and nothing = 1\"\n", file);
    fclose(file);
    snprintf(line, sizeof line, "recipe apply %s", path);
    fails(&f, line, ST_USAGE, "there is no column");
    assert_true(strstr(f.err.source, "step 2") != NULL);
    snprintf(line, sizeof line, "load %s as c recipe=%s", csv, path);
    fails(&f, line, ST_USAGE, "there is no column");
    fails(&f, "load c", ST_NOT_FOUND, "");
    file = fopen(path, "w");
    fputs("train pop\n", file);
    fclose(file);
    snprintf(line, sizeof line, "recipe apply %s", path);
    fails(&f, line, ST_USAGE, "no step of a recipe");
    assert_int_equal(steps(&f), 0);
    stop(&f);
}

/* Attributes join the base; the recipe is replayed on it and can use them. */
static void test_attributes(void **state)
{
    (void)state;
    struct face f;
    char line[256], csv[128];
    snprintf(csv, sizeof csv, "%s/extra.csv", folder);
    FILE *file = fopen(csv, "w");
    fputs("id,grade\ntent,1\nbag,2\nstove,3\n", file);
    fclose(file);
    start(&f, NULL);
    runs(&f, "load tiny", "");
    runs(&f, "filter type = click", "");
    size_t events = f.wb->data->events.n;
    snprintf(line, sizeof line, "load items %s", csv);
    runs(&f, line, "");
    assert_int_equal(steps(&f), 1);
    assert_int_equal(f.wb->data->events.n, events);
    runs(&f, "filter item.grade >= 2", "");
    runs(&f, "recipe clear", "");
    assert_non_null(fields_find(&f.wb->data->item_fields, "grade"));
    assert_true(f.wb->data->events.n > events);
    stop(&f);
}

/* ---- without memory ---- */

static void test_memory(void **state)
{
    (void)state;
    static const char *const lines[] = {"filter events_per_item >= 2", "kcore 2", "sessions", "recipe", "recipe apply tiny", "undo 2", "recipe clear"};
    struct face f;
    start(&f, NULL);
    runs(&f, "load tiny", "");
    runs(&f, "split last 1", "");
    runs(&f, "train pop", "");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        for (long n = 0;; n += 1 + n / 16) {
            atomic_long left = n;
            mem_set_hook(fail_one, &left);
            enum status st = run(&f, lines[i]);
            mem_set_hook(NULL, NULL);
            if (!st || steps(&f) > 20)
                break;
            if (st != ST_NOMEM)
                fail_msg("%s, allocation %ld: %s", lines[i], n, f.err.message);
            assert_non_null(f.wb->data);
        }
        runs(&f, "status", "");
    }
    stop(&f);
}

/* As many users and items do not make a model one of these data: they may have other indices. */
static void test_adopt(void **state)
{
    (void)state;
    struct face f;
    struct dataset *other = NULL;
    start(&f, NULL);
    runs(&f, "load tiny", "");
    runs(&f, "train pop", "");
    struct dataset *d = workbench_data(f.wb);
    struct model *m = workbench_model(f.wb, "pop");
    assert_int_equal(dataset_again(d, &other, NULL), ST_OK);
    assert_int_equal(model_adopt(d, &m, NULL), ST_OK);
    other->fingerprint++;
    assert_int_equal(model_adopt(other, &m, NULL), ST_STATE);
    model_release(m);
    dataset_release(other);
    dataset_release(d);
    stop(&f);
}

static int end(void **state)
{
    (void)state;
    char line[64];
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line);
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undo),   cmocka_unit_test(test_lines),      cmocka_unit_test(test_models), cmocka_unit_test(test_unkept),
        cmocka_unit_test(test_replay), cmocka_unit_test(test_attributes), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_adopt),
    };
    return cmocka_run_group_tests_name("commands_recipe", tests, begin, end);
}
