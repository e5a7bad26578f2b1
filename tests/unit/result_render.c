#include "tests/unit/unit.h"

#include <string.h>

#include <locale.h>
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "result/render.h"
#include "tests/unit/memory.h"

#define HOSTILE "\033[2J\xc2\x9b" "31m\xe2\x80\xae"

/* A small result with everything in it: text to escape, nulls, bars of both signs, moves, a hidden column. */
static struct result *sample(void)
{
    static const struct column columns[] = {
        {"id", VALUE_TEXT, "", 0, COLUMN_COMPACT}, {"title", VALUE_TEXT, "", 0, 0}, {"part", VALUE_REAL, "", 2, COLUMN_BAR},
        {"move", VALUE_INT, "", 0, COLUMN_MOVE},   {"n", VALUE_INT, "", 0, 0},      {"at", VALUE_TIME, "", 0, COLUMN_HIDDEN},
    };
    struct result *r = result_new(NULL);
    struct table *t = result_table(r, "list", "A list", columns, 6);
    table_text(t, "007");
    table_text(t, "Say \"hi\", you");
    table_real(t, 1);
    table_int(t, 2);
    table_int(t, 1234567);
    table_time(t, 0);
    table_text(t, "-8");
    table_text(t, "a|b\tc");
    table_real(t, -0.5);
    table_int(t, -1);
    table_int(t, 1998);
    table_time(t, 1500000);
    table_text(t, "");
    for (int i = 0; i < 5; i++)
        table_null(t);
    return r;
}

static char *text_of(struct result *r, struct render_options options)
{
    static struct str out;
    struct error err = {0};
    str_free(&out);
    enum status st = result_render_text(r, &options, &out, &err);
    if (st)
        fail_msg("%s", err.message);
    return out.data ? out.data : "";
}

static void renders(struct result *r, const char *expected, struct render_options options)
{
    assert_string_equal(text_of(r, options), expected);
    result_free(r);
}

#define assert_renders(made, expected, ...) renders(made, expected, (struct render_options){__VA_ARGS__})

static void boxes(void **state)
{
    (void)state;
    assert_renders(sample(),
                   "A list\n"
                   "╭─────┬───────────────┬────────────────────┬──────┬───────────╮\n"
                   "│ id  │ title         │  part              │ move │         n │\n"
                   "├─────┼───────────────┼────────────────────┼──────┼───────────┤\n"
                   "│ 007 │ Say \"hi\", you │  1.00     ████████ │   ↑2 │ 1,234,567 │\n"
                   "│ -8  │ a|b^Ic        │ -0.50 ████         │   ↓1 │      1998 │\n"
                   "│     │               │                    │  new │           │\n"
                   "╰─────┴───────────────┴────────────────────┴──────┴───────────╯\n",
                   .form = OUTPUT_BOX);
    assert_renders(sample(),
                   "A list\n"
                   "+-----+---------------+-------------------+------+-----------+\n"
                   "| id  | title         | part              | move |         n |\n"
                   "+-----+---------------+-------------------+------+-----------+\n"
                   "| 007 | Say \"hi\", you | 1.00 ############ |   +2 | 1,234,567 |\n"
                   "+-----+---------------+-------------------+------+-----------+\n"
                   "... 2 more rows, `last` shows all\n",
                   .form = OUTPUT_BOX, .ascii = true, .max_rows = 1);
    assert_renders(sample(),
                   "A list\n"
                   "id   title           part               move          n\n"
                   "007  Say \"hi\", you   1.00     ########    +2  1,234,567\n"
                   "-8   a|b^Ic         -0.50 ----            -1       1998\n"
                   "                                         new           \n",
                   .form = OUTPUT_BOX, .ascii = true, .plain = true);
}

static void narrow_boxes(void **state)
{
    (void)state;
    assert_renders(sample(),
                   "A list\n"
                   "╭───────────────┬──────┬──────┬───────────╮\n"
                   "│ title         │ part │ move │         n │\n"
                   "├───────────────┼──────┼──────┼───────────┤\n"
                   "│ Say \"hi\", you │ 1.00 │   ↑2 │ 1,234,567 │\n"
                   "╰───────────────┴──────┴──────┴───────────╯\n"
                   "no room for id\n"
                   "... 2 more rows, `last` shows all\n",
                   .form = OUTPUT_BOX, .width = 45, .max_rows = 1);
    /* Nothing can be saved here: one value a line. */
    assert_renders(sample(),
                   "A list\n"
                   "id:    007\n"
                   "title: Say \"hi\",\n"
                   "       you\n"
                   "part:  1.00\n"
                   "move:  ↑2\n"
                   "n:     1,234,567\n"
                   "... 2 more rows, `last` shows all\n",
                   .form = OUTPUT_BOX, .width = 18, .max_rows = 1);
    /* Whatever the width, no line is wider, but for one value a line. */
    for (size_t width = 45; width < 90; width++) {
        struct result *r = sample();
        const char *text = text_of(r, (struct render_options){.form = OUTPUT_BOX, .width = width});
        for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
            assert_true(text_width(p, strcspn(p, "\n")) <= width);
        result_free(r);
    }
}

static struct result *with_rows_aside(bool all)
{
    static const struct column columns[] = {{"id", VALUE_TEXT, "", 0, 0}};
    struct result *r = result_new(NULL);
    struct table *t = result_table(r, "rows", "", columns, 1);
    for (int i = 0; i < 3; i++) {
        table_textf(t, "row %d", i);
        if (all || i == 1)
            table_aside(t);
    }
    return r;
}

/* People see that there are more; a table of nothing else is left out; programs, and who asks for all, have them. */
static void rows_aside(void **state)
{
    (void)state;
    assert_renders(with_rows_aside(false), "id\nrow 0\nrow 2\n... 1 more row, `last` shows all\n", .form = OUTPUT_BOX, .plain = true, .brief = true);
    assert_renders(with_rows_aside(false), "id\nrow 0\n... 2 more rows, `last` shows all\n", .form = OUTPUT_BOX, .plain = true, .brief = true,
                   .max_rows = 1);
    assert_renders(with_rows_aside(true), "", .form = OUTPUT_BOX, .plain = true, .brief = true);
    assert_renders(with_rows_aside(true), "id\nrow 0\nrow 1\nrow 2\n", .form = OUTPUT_BOX, .plain = true);
    assert_renders(with_rows_aside(true), "row 0\nrow 1\nrow 2\n", .form = OUTPUT_CSV, .brief = true);
}

/* A text that is to be read whole goes on below. */
static void wrapped_cells(void **state)
{
    (void)state;
    static const struct column columns[] = {{"name", VALUE_TEXT, "", 0, 0}, {"what", VALUE_TEXT, "", 0, COLUMN_WRAP}};
    struct result *r = result_new(NULL);
    struct table *t = result_table(r, "options", "", columns, 2);
    table_text(t, "k");
    table_text(t, "length of the lists");
    table_text(t, "at");
    table_text(t, "an-overlong-word");
    assert_renders(r,
                   "╭──────┬────────────╮\n"
                   "│ name │ what       │\n"
                   "├──────┼────────────┤\n"
                   "│ k    │ length of  │\n"
                   "│      │ the lists  │\n"
                   "│ at   │ an-overlon │\n"
                   "│      │ g-word     │\n"
                   "╰──────┴────────────╯\n",
                   .form = OUTPUT_BOX, .width = 21);
}

/* Headings that are wider than their values break in two before anything else is lost. */
static void broken_headings(void **state)
{
    (void)state;
    static const struct column columns[] = {{"model", VALUE_TEXT, "", 0, 0}, {"coverage@10", VALUE_REAL, "", 2, 0}, {"cold_users", VALUE_INT, "", 0, 0}};
    struct result *r = result_new(NULL);
    struct table *t = result_table(r, "compare", "", columns, 3);
    table_text(t, "ease");
    table_real(t, .25);
    table_int(t, 3);
    assert_renders(r,
                   "╭───────┬──────────┬───────╮\n"
                   "│       │ coverage │ cold_ │\n"
                   "│ model │      @10 │ users │\n"
                   "├───────┼──────────┼───────┤\n"
                   "│ ease  │     0.25 │     3 │\n"
                   "╰───────┴──────────┴───────╯\n",
                   .form = OUTPUT_BOX, .width = 28);
}

static void for_programs(void **state)
{
    (void)state;
    assert_renders(sample(),
                   "id,title,part,move,n,at\n"
                   "007,\"Say \"\"hi\"\", you\",1,2,1234567,1970-01-01T00:00:00Z\n"
                   "-8,a|b\tc,-0.5,-1,1998,1970-01-01T00:00:01.5Z\n"
                   "\"\",,,,,\n",
                   .form = OUTPUT_CSV, .header = true);
    assert_renders(sample(),
                   "007\tSay \"hi\", you\t1\t2\t1234567\t1970-01-01T00:00:00Z\n"
                   "-8\ta|b\\tc\t-0.5\t-1\t1998\t1970-01-01T00:00:01.5Z\n"
                   "\t\t\t\t\t\n",
                   .form = OUTPUT_TSV);
    assert_renders(sample(),
                   "[{\"id\":\"007\",\"title\":\"Say \\\"hi\\\", you\",\"part\":1,\"move\":2,\"n\":1234567,\"at\":\"1970-01-01T00:00:00Z\"},"
                   "{\"id\":\"-8\",\"title\":\"a|b\\tc\",\"part\":-0.5,\"move\":-1,\"n\":1998,\"at\":\"1970-01-01T00:00:01.5Z\"},"
                   "{\"id\":\"\",\"title\":null,\"part\":null,\"move\":null,\"n\":null,\"at\":null}]\n",
                   .form = OUTPUT_JSON);
    assert_renders(sample(),
                   "**A list**\n\n"
                   "| id | title | part | move | n |\n"
                   "|:---|:---|---:|---:|---:|\n"
                   "| 007 | Say \"hi\", you | 1.00 | ↑2 | 1,234,567 |\n"
                   "| -8 | a\\|b^Ic | -0.50 | ↓1 | 1998 |\n"
                   "|  |  |  | new |  |\n",
                   .form = OUTPUT_MARKDOWN);
}

static struct result *several(void)
{
    static const struct column n[] = {{"n", VALUE_INT, "", 0, 0}};
    struct result *r = result_new(NULL);
    table_int(result_table(r, "list", "One", n, 1), 1);
    table_int(result_table(r, "list", "Two", n, 1), 2);
    struct series *s = result_series(r, "curve", "Curve", VALUE_TIME, 1, true);
    s->x[0] = (double)US_PER_DAY;
    s->y[0] = 0.1;
    s->low[0] = 0;
    s->high[0] = NAN;
    result_message(r, MESSAGE_INFO, "So much for that.");
    return r;
}

static void draw(const struct series *const *series, size_t n, const struct render_options *options, struct str *out)
{
    (void)options;
    for (size_t i = 0; i < n; i++)
        str_printf(out, "%s%s%s", i ? " and " : "(", series[i]->title, i + 1 == n ? " drawn)\n" : "");
}

static struct series *curve_of(struct result *r, const char *title, const char *group)
{
    struct series *s = result_series(r, title, title, VALUE_INT, 1, false);
    s->group = group;
    return s;
}

/* Curves of one group are drawn together, where the first of them stands; the table they show is left out then. */
static struct result *grouped(void)
{
    static const struct column columns[] = {{.name = "n", .type = VALUE_INT}};
    struct result *r = result_new(NULL);
    struct table *t = result_table(r, "days", "", columns, 1);
    table_int(t, 1);
    t->drawn = true;
    curve_of(r, "a", "ctr");
    curve_of(r, "b", "revenue");
    curve_of(r, "c", "ctr");
    curve_of(r, "d", NULL);
    return r;
}

static void groups_of_series(void **state)
{
    (void)state;
    assert_renders(grouped(), "\n(a and c drawn)\n\n(b drawn)\n\n(d drawn)\n", .form = OUTPUT_BOX, .plain = true, .draw = draw);
    assert_renders(grouped(), "n\n1\n", .form = OUTPUT_BOX, .plain = true);
}

static void several_tables(void **state)
{
    (void)state;
    assert_renders(several(),
                   "{\"list\":[{\"n\":1}],\"list_2\":[{\"n\":2}],"
                   "\"curve\":[{\"x\":\"1970-01-02T00:00:00Z\",\"y\":0.1,\"low\":0,\"high\":null}]}\n",
                   .form = OUTPUT_JSON);
    assert_renders(several(),
                   "{\"table\":\"list\",\"n\":1}\n{\"table\":\"list_2\",\"n\":2}\n"
                   "{\"table\":\"curve\",\"x\":\"1970-01-02T00:00:00Z\",\"y\":0.1,\"low\":0,\"high\":null}\n",
                   .form = OUTPUT_JSONL);
    assert_renders(several(), "n\n1\n\nn\n2\n", .form = OUTPUT_CSV, .header = true, .messages = true);
    assert_renders(several(), "One\nn: 1\n\nTwo\nn: 2\n\nSo much for that.\n", .form = OUTPUT_LINE, .messages = true);
    assert_renders(several(), "One\nn\n1\n\nTwo\nn\n2\n\n(Curve drawn)\n", .form = OUTPUT_BOX, .plain = true, .draw = draw);
    assert_renders(result_new(NULL), "[]\n", .form = OUTPUT_JSON);
    assert_renders(result_new(NULL), "", .form = OUTPUT_BOX);
}

/* No form lets a control, a C1 byte or a bidi override from the data through to a terminal. */
static void hostile_text(void **state)
{
    (void)state;
    static const struct column columns[] = {{"title", VALUE_TEXT, "", 0, 0}};
    for (int form = 0; form < OUTPUT_FORMS; form++) {
        struct result *r = result_new(NULL);
        struct table *t = result_table(r, "list", HOSTILE, columns, 1);
        table_text(t, HOSTILE);
        result_message(r, MESSAGE_WARNING, "%s", HOSTILE);
        const char *text = text_of(r, (struct render_options){.form = (enum output_form)form, .width = 40, .terminal = true, .messages = true});
        for (size_t i = 0, n = strlen(text), len; i < n; i += len) {
            int32_t c;
            len = utf8_decode(text + i, n - i, &c);
            assert_true(c == '\n' || (c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && !text_deceptive(c)));
        }
        result_free(r);
    }
    /* A file gets the bytes as they are. */
    struct result *r = result_new(NULL);
    table_text(result_table(r, "list", "", columns, 1), HOSTILE);
    assert_string_equal(text_of(r, (struct render_options){.form = OUTPUT_CSV}), HOSTILE "\n");
    result_free(r);
}

static void formats(const char *expected, struct column c, struct value v)
{
    struct str out = {0};
    value_format(&c, &v, &out);
    assert_string_equal(str_text(&out), expected);
    str_free(&out);
}

static void values(void **state)
{
    (void)state;
    formats("9999", (struct column){"n", VALUE_INT, "", 0, 0}, (struct value){.integer = 9999});
    formats("-10,000", (struct column){"n", VALUE_INT, "", 0, 0}, (struct value){.integer = -10000});
    formats("12.3%", (struct column){"n", VALUE_REAL, "%", 1, 0}, (struct value){.real = .12345});
    formats("1.5 KiB", (struct column){"n", VALUE_INT, "B", 0, 0}, (struct value){.integer = 1536});
    formats("2m 05s", (struct column){"n", VALUE_REAL, "s", 0, 0}, (struct value){.real = 125});
    formats("0.10", (struct column){"n", VALUE_REAL, "", 2, 0}, (struct value){.real = .1});
    formats("0.1", (struct column){"n", VALUE_REAL, "", -1, 0}, (struct value){.real = .1});
    formats("3e-07", (struct column){"n", VALUE_REAL, "", 4, 0}, (struct value){.real = 3e-7});
    formats("<0.0001", (struct column){"p", VALUE_REAL, "", 4, COLUMN_P}, (struct value){.real = 3e-7});
    formats("0.0003", (struct column){"p", VALUE_REAL, "", 4, COLUMN_P}, (struct value){.real = 3e-4});
    formats("0.00", (struct column){"n", VALUE_REAL, "", 2, 0}, (struct value){.real = -0.001});
    formats("1,234,567.9", (struct column){"n", VALUE_REAL, "", 1, 0}, (struct value){.real = 1234567.89});
    formats("2 days", (struct column){"n", VALUE_INT, "days", 0, 0}, (struct value){.integer = 2});
    formats("=", (struct column){"n", VALUE_INT, "", 0, COLUMN_MOVE}, (struct value){.integer = 0});
    formats("yes", (struct column){"n", VALUE_BOOL, "", 0, 0}, (struct value){.integer = 1});
    formats("1970-01-02", (struct column){"n", VALUE_TIME, "", 0, 0}, (struct value){.integer = US_PER_DAY});
    formats("", (struct column){"n", VALUE_REAL, "", 2, 0}, (struct value){.null = true});
}

static void errors(void **state)
{
    (void)state;
    struct error err;
    struct str out = {0};
    error_set(&err, ST_USAGE, "no command \"trian\"");
    error_span(&err, strlen("äh\t, "), 5);
    error_hint(&err, "did you mean \"train\"?");
    error_format(&err, "äh\t, trian ease", 0, false, &out);
    assert_string_equal(str_text(&out), "error: no command \"trian\"\n"
                                        "  äh^I, trian ease\n"
                                        "        ^^^^^\n"
                                        "hint: did you mean \"train\"?\n");
    str_clear(&out);
    error_set(&err, ST_FORMAT, "bad \033[0m row");
    error_source(&err, "u.data:17");
    error_format(&err, "load u.data", 0, false, &out);
    assert_string_equal(str_text(&out), "error: u.data:17: bad ^[[0m row\n");
    str_clear(&out);
    error_set(&err, ST_USAGE, "something is missing");
    error_span(&err, 99, 1); /* beyond the end: the caret stands behind the last letter */
    error_format(&err, "why", 0, false, &out);
    assert_string_equal(str_text(&out), "error: something is missing\n  why\n     ^\n");
    str_clear(&out);
    error_set(&err, ST_AMBIGUOUS, "two fit");
    error_hint(&err, "say which: a lipstick");
    error_format(&err, NULL, 20, false, &out);
    assert_string_equal(str_text(&out), "error: two fit\nhint: say which: a\n      lipstick\n");
    str_free(&out);
}

static void paths(void **state)
{
    (void)state;
    enum output_form form;
    assert_true(output_form_of_path("a.b/table.MD", &form) && form == OUTPUT_MARKDOWN);
    assert_true(output_form_of_path("x.jsonl", &form) && form == OUTPUT_JSONL);
    assert_false(output_form_of_path("a.csv/x", &form));
    assert_false(output_form_of_path("x", &form));
    for (int i = 0; i < OUTPUT_FORMS; i++)
        assert_non_null(strstr(OUTPUT_FORM_CHOICES, output_form_names[i]));
}

static void prose(void **state)
{
    (void)state;
    static const struct column columns[] = {{"text", VALUE_TEXT, "", 0, 0}};
    struct result *r = result_new(NULL);
    struct table *t = result_table(r, "help", "", columns, 1);
    t->prose = true;
    table_text(t, "train MODEL ...");
    table_text(t, "");
    table_text(t, "  one two three four five");
    assert_string_equal(text_of(r, (struct render_options){.width = 15}), "train MODEL ...\n\n  one two three\n  four five\n");
    result_free(r);
}

static void rendering_survives_lost_memory(void **state)
{
    (void)state;
    for (int form = 0; form < OUTPUT_FORMS; form++)
        for (int n = 0;; n++) {
            atomic_long left = n;
            struct error err;
            struct str out = {0};
            struct result *r = several();
            mem_set_hook(fail_from, &left);
            enum status st = result_render_text(r, &(struct render_options){.form = (enum output_form)form, .width = 50}, &out, &err);
            mem_set_hook(NULL, NULL);
            str_free(&out);
            result_free(r);
            if (st == ST_OK)
                break;
            assert_int_equal(st, ST_NOMEM);
            assert_true(n < 1000);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes),        cmocka_unit_test(narrow_boxes), cmocka_unit_test(broken_headings), cmocka_unit_test(rows_aside), cmocka_unit_test(wrapped_cells),
        cmocka_unit_test(for_programs),
        cmocka_unit_test(several_tables), cmocka_unit_test(groups_of_series), cmocka_unit_test(hostile_text), cmocka_unit_test(values),
        cmocka_unit_test(errors),       cmocka_unit_test(paths),        cmocka_unit_test(prose),
        cmocka_unit_test(rendering_survives_lost_memory),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
