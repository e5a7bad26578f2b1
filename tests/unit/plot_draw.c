#include "tests/unit/unit.h"

#include <string.h>
#include <unistd.h>


#include <locale.h>
#include <math.h>

#include "base/mem.h"
#include "plot/plot.h"

static struct result *made; /* the present test's */

static int begin(void **state)
{
    (void)state;
    made = result_new(NULL);
    return made ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    result_free(made);
    return 0;
}

static struct series *series(const char *style, enum value_type type, size_t n, const double *y)
{
    struct series *s = result_series(made, "s", "Title", type, n, false);
    s->style = style;
    for (size_t i = 0; i < n; i++) {
        s->x[i] = (double)i;
        s->y[i] = y[i];
    }
    return s;
}

static void draws(const struct series *s, struct plot_options o, const char *expected)
{
    struct str out = {0};
    plot_draw(&s, 1, &o, &out);
    assert_string_equal(str_text(&out), expected);
    str_free(&out);
}

static void lines(void **state)
{
    (void)state;
    const double y[] = {0, 1, 2, 3, 4};
    const struct series *s = series("line", VALUE_INT, 5, y);
    draws(s, (struct plot_options){.width = 13, .height = 7, .kind = CANVAS_TEXT},
          "4 +        **\n"
          "  |      **\n"
          "2 +    **\n"
          "  | ***\n"
          "0 +*\n"
          "  ++---------\n"
          "   0\n");
}

/* The legend names curves in the order in which they end, so that no colour is needed to tell them apart. */
static void curves_of_a_group(void **state)
{
    (void)state;
    const double up[] = {0, 1, 2}, down[] = {1, 1, 0};
    struct series *a = series("line", VALUE_INT, 3, down), *b = series("line", VALUE_INT, 3, up);
    a->group = b->group = "rate by day";
    a->title = "falls";
    b->title = "climbs";
    struct str out = {0};
    plot_series((const struct series *const[]){a, b}, 2, &(struct render_options){.width = 60}, &out);
    assert_true(text_starts(str_text(&out), "rate by day\n+ climbs  * falls   (as they end, from the top)\n"));
    str_free(&out);
}

static void braille(void **state)
{
    (void)state;
    /* 8 dots across, 8 down: the diagonal of two rows of cells. */
    struct canvas c;
    struct str out = {0};
    assert_int_equal(canvas_open(&c, CANVAS_BRAILLE, 4, 2, NULL), ST_OK);
    canvas_line(&c, 0, 7, 7, 0, 0);
    canvas_dot(&c, -1, 99, 0);
    canvas_row(&c, 0, false, &out);
    assert_string_equal(str_text(&out), "  ⡠⠊");
    str_clear(&out);
    canvas_row(&c, 1, false, &out);
    assert_string_equal(str_text(&out), "⡠⠊");
    canvas_close(&c);
    str_clear(&out);
    assert_int_equal(canvas_open(&c, CANVAS_BLOCK, 2, 1, NULL), ST_OK);
    canvas_line(&c, 0, 1, 1, 0, 2);
    canvas_dot(&c, 2, 0, 2);
    canvas_row(&c, 0, true, &out);
    assert_string_equal(str_text(&out), "\033[33m▞▘\033[0m");
    canvas_close(&c);
    str_free(&out);
}

static void histograms(void **state)
{
    (void)state;
    const double y[] = {1, 4, 2};
    draws(series("bar", VALUE_INT, 3, y), (struct plot_options){.width = 12, .height = 6, .kind = CANVAS_BRAILLE},
          "4 ┤   ██\n"
          "  │   ██\n"
          "2 ┤   ██ ██\n"
          "0 ┤██ ██ ██\n"
          "  └─┬─────┬─\n"
          "    0     2\n");
}

static void labelled_bars(void **state)
{
    (void)state;
    const double y[] = {4, -2, NAN};
    struct series *s = series("bar", VALUE_TEXT, 3, y);
    s->labels[0] = "Kolya";
    s->labels[1] = "\033[2J";
    s->labels[2] = "missing";
    draws(s, (struct plot_options){.width = 25, .kind = CANVAS_BRAILLE},
          "Kolya        ████████   4\n"
          "^[[2J    ████          -2\n"
          "missing                  \n");
    draws(s, (struct plot_options){.width = 25, .kind = CANVAS_TEXT, .title = true},
          "Title\n"
          "Kolya        ########   4\n"
          "^[[2J    ----          -2\n"
          "missing                  \n");
}

static void forests(void **state)
{
    (void)state;
    struct series *s = result_series(made, "s", "", VALUE_TEXT, 2, true);
    const double y[] = {.5, .25}, low[] = {.4, .2}, high[] = {.6, .3};
    for (size_t i = 0; i < 2; i++) {
        s->labels[i] = i ? "pop" : "ease";
        s->y[i] = y[i];
        s->low[i] = low[i];
        s->high[i] = high[i];
    }
    draws(s, (struct plot_options){.width = 53, .kind = CANVAS_BRAILLE},
          "ease            ├────●────┤  0.5000  0.4000 to 0.6000\n"
          "pop   ├─●──┤                 0.2500  0.2000 to 0.3000\n");
}

static void plain_words(void **state)
{
    (void)state;
    double y[30];
    for (int i = 0; i < 30; i++)
        y[i] = i * i;
    struct str out = {0};
    const struct series *one = series("line", VALUE_INT, 30, y);
    plot_series(&one, 1, &(struct render_options){.plain = true}, &out);
    assert_string_equal(str_text(&out), "Title\n0: 0\n3: 9\n6: 36\n9: 81\n12: 144\n15: 225\n18: 324\n21: 441\n24: 576\n27: 729\n29: 841\n");
    str_free(&out);
}

/* Never wider than asked for, and never more than ASCII when ASCII is asked for, whatever the numbers. */
static void stays_inside(void **state)
{
    (void)state;
    const double y[] = {NAN, 1e-9, -5e12, 3, INFINITY, 3, 0, 17};
    static const char *const styles[] = {"line", "points", "bar"};
    static const enum value_type types[] = {VALUE_INT, VALUE_TIME, VALUE_TEXT};
    for (size_t kind = 0; kind < 27; kind++) {
        const struct series *s = series(styles[kind % 3], types[kind / 3 % 3], kind / 9 * 4, y);
        for (size_t width = 8; width < 90; width += 3)
            for (size_t height = 1; height < 20; height += 3) {
                struct str out = {0};
                plot_draw(&s, 1, &(struct plot_options){.width = width, .height = height, .kind = CANVAS_TEXT, .title = true}, &out);
                for (const char *p = str_text(&out); *p; p += strcspn(p, "\n") + 1) {
                    assert_true(strcspn(p, "\n") <= width);
                    assert_int_equal(p[strcspn(p, "\n")], '\n');
                }
                str_free(&out);
            }
    }
}

/* What gnuplot would take for an end of text, a command, a line of its own, or a tag; with or without gnuplot it stays text. */
static void pages_take_text_as_text(void **state)
{
    static const double y[] = {3, 1, 2};
    const char *names[] = {"it's `touch plot-was-run`", "a\n!touch plot-was-run", "<b>&\"END"};
    (void)state;
    struct series *s = series("bar", VALUE_TEXT, 3, y);
    for (size_t i = 0; i < 3; i++)
        s->labels[i] = names[i];
    s->title = "'; system('touch plot-was-run'); '";
    struct str page = {0};
    plot_page((const struct series *const *)&s, 1, &page);
    const char *text = str_text(&page);
    assert_true(strncmp(text, "<svg", 4) == 0 || strncmp(text, "<pre>", 5) == 0);
    assert_null(strstr(text, "<b>"));
    assert_non_null(strstr(text, "&lt;b&gt;&amp;"));
    assert_non_null(strstr(text, "touch plot-was-run"));
    assert_int_not_equal(access("plot-was-run", F_OK), 0);
    str_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines, begin, end),      cmocka_unit_test(braille),
        cmocka_unit_test_setup_teardown(curves_of_a_group, begin, end),
        cmocka_unit_test_setup_teardown(histograms, begin, end), cmocka_unit_test_setup_teardown(labelled_bars, begin, end),
        cmocka_unit_test_setup_teardown(forests, begin, end),    cmocka_unit_test_setup_teardown(plain_words, begin, end),
        cmocka_unit_test_setup_teardown(stays_inside, begin, end),
        cmocka_unit_test_setup_teardown(pages_take_text_as_text, begin, end),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
