/* Every example of every command runs on the bundled `tiny`: help never shows what does not work. */
#include "tests/unit/unit.h"

#include <string.h>
#include <unistd.h>

#include "commands/command.h"

struct fake {
    struct sink sink;
    struct workbench *wb;
    size_t emitted;
};

static enum status emit(struct sink *s, struct result *r, struct error *err)
{
    struct fake *f = s->face;
    struct render_options options = {.form = OUTPUT_BOX, .width = 80, .header = true};
    struct str text = {0};
    enum status st = result_render_text(r, &options, &text, err);
    f->emitted++;
    if (!st && text.length == 0 && r->nmessages == 0)
        st = error_set(err, ST_INTERNAL, "an empty result");
    str_free(&text);
    return st;
}

/* For `watch`: what was asked for is shown once, then it is enough. */
static enum status emit_once(struct sink *s, struct result *r, struct error *err)
{
    struct fake *f = s->face;
    enum status st = emit(s, r, err);
    job_cancel(&f->wb->job);
    return st;
}

static enum status open_screen(struct sink *s, struct error *err)
{
    (void)s;
    (void)err;
    return ST_OK;
}

static enum status history(struct sink *s, struct result *out, struct error *err)
{
    (void)s;
    (void)err;
    result_message(out, MESSAGE_INFO, "nothing was typed");
    return ST_OK;
}

static void quit(struct sink *s)
{
    (void)s;
}

static void run(struct fake *f, const char *line)
{
    struct error err;
    enum status st = command_run(f->wb, line, &f->sink, &err);
    if (st)
        fail_msg("%s: %s (%s)", line, err.message, err.hint);
}

/* A set that was downloaded before: no example needs a network. */
static void fill_cache(void)
{
    assert_int_equal(system("mkdir -p cache/ml-100k/ml-100k"), 0);
    FILE *u = fopen("cache/ml-100k/ml-100k/u.data", "w");
    assert_non_null(u);
    fputs("1\t242\t3\t881250949\n2\t302\t3\t891717742\n2\t242\t1\t878887116\n", u);
    fclose(u);
}

/* What an example may lean on: the data, a split, four models, a user, a last list. */
static void prepare(struct fake *f)
{
    static const char *const lines[] = {"set cache cache", "mapping save shop_log user=uid item=sku", "load tiny",  "weight purchase=2", "sessions gap=1h", "repeat last", "split last 1", "train pop itemknn ease ials", "train ease lambda=9 as mine",
                                        "user ana",    "recommend ana with ease", "feature define clicks_7d = count(type = 'click') over 7d by user"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        run(f, lines[i]);
}

static void start(struct fake *f)
{
    struct error err;
    *f = (struct fake){.sink = {.face = f, .emit = emit, .open_screen = open_screen, .history = history, .quit = quit}};
    if (workbench_open(NULL, false, &f->wb, &err))
        fail_msg("%s", err.message);
    prepare(f);
}

static void test_examples(void **state)
{
    (void)state;
    char folder[] = "/tmp/tailor-examples-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    FILE *script = fopen("demo.tailor", "w");
    fputs("# a comment\nstatus\n", script);
    fclose(script);
    FILE *recipe = fopen("shop.recipe", "w");
    fputs("# a comment\nkcore 2\n", recipe);
    fclose(recipe);
    fill_cache();
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++) {
        struct fake f;
        start(&f);
        for (size_t e = 0; c->examples[e]; e++) {
            struct error err;
            if (strcmp(c->name, "watch") == 0) {
                f.sink.emit = emit_once;
                assert_int_equal(command_run(f.wb, c->examples[e], &f.sink, &err), ST_CANCELLED);
            } else if (strcmp(c->name, "last") == 0) {
                assert_int_equal(command_run(f.wb, c->examples[e], &f.sink, &err), ST_UNSUPPORTED); /* this face keeps none */
            } else {
                run(&f, c->examples[e]);
            }
        }
        workbench_close(f.wb);
    }
    assert_int_equal(chdir("/"), 0);
    char remove[64];
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    assert_int_equal(system(remove), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
