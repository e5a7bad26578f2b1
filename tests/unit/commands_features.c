/* feature define, features, feature drop: from a command line to a result, and over closing and opening again. */
#include "tests/unit/unit.h"

#include "commands/command.h"
#include "tests/unit/store_data.h"

struct face {
    struct sink sink;
    struct workbench *wb;
    enum output_form form;
    struct str text, said; /* the last result and its messages */
};

static enum status keep_result(struct sink *s, struct result *r, struct error *err)
{
    struct face *f = s->face;
    struct render_options options = {.form = f->form, .width = 120, .header = true};
    str_clear(&f->text);
    str_clear(&f->said);
    for (size_t i = 0; i < r->nmessages; i++)
        str_printf(&f->said, "%s\n", r->messages[i].text);
    return result_render_text(r, &options, &f->text, err);
}

static void open_face(struct face *f, const char *path)
{
    struct error err = {0};
    *f = (struct face){.sink = {.emit = keep_result}, .form = OUTPUT_JSON};
    f->sink.face = f;
    if (workbench_open(path, false, &f->wb, &err))
        fail_msg("%s", err.message);
}

static void give_data(struct face *f, struct dataset *d)
{
    assert_int_equal(workspace_put_dataset(f->wb->space, d, true, NULL, NULL), ST_OK);
    workbench_set_data(f->wb, d);
}

static void close_face(struct face *f)
{
    workbench_close(f->wb);
    str_free(&f->text);
    str_free(&f->said);
}

static const char *run(struct face *f, const char *line)
{
    struct error err = {0};
    if (command_run(f->wb, line, &f->sink, &err))
        fail_msg("%s: %s", line, err.message);
    return str_text(&f->text);
}

/* The line fails; the caret stands under `culprit`; message or hint say `what`. */
static void refused(struct face *f, const char *line, enum status want, const char *culprit, const char *what)
{
    struct error err = {0};
    assert_int_equal(command_run(f->wb, line, &f->sink, &err), want);
    if (err.length != strlen(culprit) || strncmp(line + err.offset, culprit, err.length) != 0)
        fail_msg("%s: caret at %zu + %zu", line, err.offset, err.length);
    if (!strstr(err.message, what) && !strstr(err.hint, what))
        fail_msg("%s: %s (%s)", line, err.message, err.hint);
}

static void contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %.2000s", part, text);
}

/* Two users: ana clicks on three days and buys once, ben clicks once. */
static struct dataset *two_people(void)
{
    static const struct {
        const char *user, *item, *type;
        int day;
    } rows[] = {{"ana", "tent", "click", 1}, {"ana", "bag", "click", 9}, {"ana", "bag", "click", 10}, {"ana", "tent", "buy", 4}, {"ben", "bag", "click", 2}};
    enum { N = sizeof rows / sizeof *rows };
    struct dataset *d = dataset_new("shop", NULL);
    struct events *e = &d->events;
    e->n = N;
    e->user = mem_new(N, sizeof *e->user, "test", NULL);
    e->item = mem_new(N, sizeof *e->item, "test", NULL);
    e->type = mem_new(N, sizeof *e->type, "test", NULL);
    e->sequence = mem_new(N, sizeof *e->sequence, "test", NULL);
    e->time = mem_new(N, sizeof *e->time, "test", NULL);
    for (size_t i = 0; i < N; i++) {
        uint32_t type;
        assert_int_equal(dict_add(&d->users, rows[i].user, strlen(rows[i].user), &e->user[i], NULL), ST_OK);
        assert_int_equal(dict_add(&d->items, rows[i].item, strlen(rows[i].item), &e->item[i], NULL), ST_OK);
        assert_int_equal(dict_add(&d->types, rows[i].type, strlen(rows[i].type), &type, NULL), ST_OK);
        e->type[i] = (uint16_t)type;
        e->sequence[i] = i;
        e->time[i] = rows[i].day * US_PER_DAY;
    }
    d->rows_read = d->rows_kept = N;
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static void test_by_hand(void **state)
{
    (void)state;
    struct face f;
    open_face(&f, NULL);
    refused(&f, "features", ST_STATE, "", "load");
    give_data(&f, two_people());
    run(&f, "features");
    contains(str_text(&f.said), "no feature is defined");
    contains(run(&f, "feature define clicks_7d = count(type = 'click') over 7d by user"), "\"clicks_7d\"");
    /* In the week before day 10 + 1 us: ana 2, ben 0. */
    contains(str_text(&f.text), "\"n\":2,\"missing\":0,\"mean\":1,\"sd\":1.4142135623730951,\"min\":0,\"q1\":0.5,\"median\":1,\"q3\":1.5,\"max\":2");
    run(&f, "feature define bought = recency(type = 'buy') by item");
    contains(run(&f, "features bought"), "\"n\":1,\"missing\":1");
    contains(str_text(&f.text), "\"histogram\"");
    /* The clock is part of the answer: strictly before day 9. */
    f.wb->now = 9 * US_PER_DAY;
    contains(run(&f, "features bought"), "\"mean\":5,");
    run(&f, "feature define clicks_7d = count(type = 'click') over 8d by user");
    contains(run(&f, "features clicks_7d"), "\"n\":2,\"missing\":0,\"mean\":1,");
    f.form = OUTPUT_BOX;
    contains(run(&f, "features"), "clicks_7d");
    f.form = OUTPUT_JSON;
    refused(&f, "feature define x = count(typ = 'click') by user", ST_USAGE, "typ", "type");
    refused(&f, "feature define x count()", ST_USAGE, "c", "NAME = EXPRESSION");
    refused(&f, "features clicks_7", ST_NOT_FOUND, "clicks_7", "clicks_7d");
    refused(&f, "feature drop nothing", ST_NOT_FOUND, "nothing", "features");
    run(&f, "feature drop bought");
    refused(&f, "features bought", ST_NOT_FOUND, "bought", "");
    close_face(&f);
}

static void test_kept(void **state)
{
    (void)state;
    char path[] = "/tmp/commands_features.XXXXXX";
    struct face f;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    open_face(&f, path);
    give_data(&f, two_people());
    run(&f, "feature define a = count() by user");
    run(&f, "feature define b = count(type = 'buy') by item");
    close_face(&f);
    open_face(&f, path);
    contains(run(&f, "features"), "\"a\"");
    contains(str_text(&f.text), "\"b\"");
    /* Other data under the same name: a definition that does not fit is said, not lost. */
    struct dataset *d = make_data("shop", 1, 100, 0, NULL);
    give_data(&f, d);
    contains(run(&f, "features"), "\"a\"");
    assert_null(strstr(str_text(&f.text), "\"b\""));
    contains(str_text(&f.said), "b = count(type = 'buy') by item does not fit");
    close_face(&f);
    remove_space(path);
}

static void test_shapes(void **state)
{
    (void)state;
    static const char *const lines[] = {"count() by user", "count() by item", "count(value = 9) by user", "recency() by user", "recency_seconds(value > 4) by item"};
    struct face f;
    char line[128];
    open_face(&f, NULL);
    for (size_t n = 1; n <= 3000; n *= 7) {
        give_data(&f, make_data("d", n, n, WITH_ALL, NULL));
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            snprintf(line, sizeof line, "feature define f%zu = %s", i, lines[i]);
            run(&f, line);
            snprintf(line, sizeof line, "features f%zu", i);
            f.form = i % 2 ? OUTPUT_BOX : OUTPUT_JSON;
            run(&f, line);
            if (n > 1000 && getenv("SHOW"))
                puts(str_text(&f.text));
        }
    }
    close_face(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_kept), cmocka_unit_test(test_shapes)};
    return cmocka_run_group_tests_name("commands_features", tests, NULL, NULL);
}
