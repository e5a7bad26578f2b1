#include "tests/unit/unit.h"

#include <locale.h>
#include <string.h>

#include "base/mem.h"
#include "screen/line_edit.h"
#include "screen/scroll.h"
#include "screen/display.h"
#include "tests/unit/screen_keys.h"

static struct surface surface_of(int height, int width, bool ascii)
{
    struct surface s = {.ascii = ascii};
    assert_int_equal(surface_resize(&s, height, width, NULL), ST_OK);
    return s;
}

static void assert_shows(const struct surface *s, const char *expected)
{
    struct str text = {0};
    surface_dump(s, &text);
    assert_string_equal(str_text(&text), expected);
    str_free(&text);
}

static void writes_text_and_cuts_it(void **state)
{
    (void)state;
    struct surface s = surface_of(3, 12, false);
    struct area a = surface_area(&s);
    assert_int_equal(area_text(a, 0, 0, 0, "Kolya"), 5);
    area_text(a, 0, 8, 0, "Sling Blade");
    area_column(a, 1, 0, 6, 0, false, "Twelve Monkeys");
    area_column(a, 1, 6, 6, 0, true, ".83");
    area_text(area_part(a, 2, 4, 1, 3), 0, 0, 0, "abcdef");
    area_text(a, 5, 0, 0, "below");
    area_text(a, -1, 0, 0, "above");
    assert_shows(&s, "Kolya   Slin\nTwelv…   .83\n    abc\n");
    surface_free(&s);
}

static void text_from_data_cannot_reach_the_terminal_raw(void **state)
{
    (void)state;
    struct surface s = surface_of(2, 40, false);
    area_text(surface_area(&s), 0, 0, 0, "a\033[2Jb\xff\xc2\x9b");
    area_column(surface_area(&s), 1, 0, 40, 0, false, "x\ny\342\200\256z");
    assert_shows(&s, "a^[[2Jb<FF><U+009B>\nx^Jy<U+202E>z\n");
    surface_free(&s);
}

static void wide_characters_are_whole_or_not_there(void **state)
{
    (void)state;
    struct surface s = surface_of(3, 6, false);
    struct area a = surface_area(&s);
    area_text(a, 0, 0, 0, "日本語!");
    area_text(a, 1, 0, 0, "日本語");
    area_text(a, 1, 1, 0, "|"); /* cuts the first in half */
    area_text(a, 2, 0, 0, "e\xcc\x81t");
    assert_int_equal(s.cells[1].code[0], 0);
    assert_int_equal(s.cells[12].code[1], 0x301);
    assert_shows(&s, "日本語\n |本語\ne\xcc\x81t\n");
    surface_free(&s);
}

static void lines_join(void **state)
{
    (void)state;
    struct surface s = surface_of(4, 16, false);
    struct area a = surface_area(&s);
    area_rule(a, 0, LOOK_DIM, "history", "2 of 9");
    area_hline(a, 3, 0, 16, LOOK_DIM);
    area_vline(a, 0, 13, 4, 0);
    area_vline(area_part(a, 1, 0, 2, -1), 0, 5, 2, 0);
    assert_shows(&s, "─ history ───┬──\n     │       │\n     │       │\n─────────────┴──\n");
    surface_blank(&s);
    area_box(a, 0, NULL, "Esc");
    area_hline(a, 2, 0, 16, 0);
    assert_shows(&s, "┌──────────────┐\n│              │\n├──────────────┤\n└───────── Esc ┘\n");
    surface_free(&s);
}

static void plain_terminals_get_plain_lines(void **state)
{
    (void)state;
    struct surface s = surface_of(3, 10, true);
    struct area a = surface_area(&s);
    area_box(a, 0, "é", NULL);
    area_bar(a, 1, 1, 8, .5, 0);
    assert_shows(&s, "+ ? -----+\n|####    |\n+--------+\n");
    surface_free(&s);
}

static void bars_have_eighths(void **state)
{
    (void)state;
    struct surface s = surface_of(4, 4, false);
    struct area a = surface_area(&s);
    area_bar(a, 0, 0, 4, .5, 0);
    area_bar(a, 1, 0, 4, 5.0 / 32, 0);
    area_bar(a, 2, 0, 4, 1e-9, 0); /* little is not nothing */
    area_bar(a, 3, 0, 4, 0, 0);
    assert_shows(&s, "██\n▋\n▏\n\n");
    surface_free(&s);
}

static void text_wraps_at_spaces(void **state)
{
    (void)state;
    struct surface s = surface_of(3, 20, false);
    assert_int_equal(area_wrap(surface_area(&s), 0, 0, 12, 3, 0, "mostly because of Sling Blade and Kolya"), 3);
    assert_shows(&s, "mostly\nbecause of\nSling Blade…\n");
    surface_free(&s);
}

static void looks_are_told_apart(void **state)
{
    (void)state;
    struct surface s = surface_of(1, 8, false);
    struct area a = surface_area(&s);
    area_text(a, 0, 0, LOOK_BOLD | INK_RED, "ab");
    area_text(a, 0, 2, INK_GREEN, "c");
    area_text(a, 0, 3, LOOK_REVERSE, "d");
    area_relook(a, 0, 0, 1, LOOK_BOLD, LOOK_DIM);
    struct str looks = {0};
    surface_dump_looks(&s, &looks);
    assert_string_equal(str_text(&looks), "db r\n");
    str_free(&looks);
    surface_free(&s);
}

/* ---- the line editor ---- */

static void type(struct line_edit *e, const char *script)
{
    for (int32_t key; (key = next_key(&script)) != K_NONE;)
        line_edit_key(e, key);
}

static void edits_as_readline_does(void **state)
{
    (void)state;
    static const struct {
        const char *keys, *text;
        size_t cursor;
    } cases[] = {
        {"recomend<A-b><Right><Right><Right><Right>m", "recommend", 5},
        {"one two<C-w>three", "one three", 9},
        {"one two<C-a><C-k><C-y><C-y>", "one twoone two", 14},
        {"train ease<Left><Left><C-u>x", "xse", 1},
        {"a é<BS>b", "a b", 3},
        {"e\xcc\x81x<Left><BS>", "x", 0},
        {"ab<C-t>", "ba", 2},
        {"user 42<A-b><A-d>196", "user 196", 8},
        {"日本<Left><Del>!", "日!", 4},
        {"x<C-d><C-f><C-a><C-b><BS><C-y>", "x", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct line_edit e = {0};
        type(&e, cases[i].keys);
        assert_string_equal(str_text(&e.text), cases[i].text);
        assert_int_equal(e.cursor, cases[i].cursor);
        line_edit_free(&e);
    }
}

static void history_gives_the_own_line_back(void **state)
{
    (void)state;
    struct line_history h = {0};
    assert_int_equal(line_history_add(&h, "status", NULL), ST_OK);
    assert_int_equal(line_history_add(&h, "models", NULL), ST_OK);
    assert_int_equal(line_history_add(&h, "models", NULL), ST_OK);
    assert_int_equal(h.n, 2);
    struct line_edit e = {.history = &h};
    line_edit_set(&e, "");
    type(&e, "use<Up>");
    assert_string_equal(str_text(&e.text), "models");
    type(&e, "<Up><Up>");
    assert_string_equal(str_text(&e.text), "status");
    type(&e, "<Down><Down><Down>r");
    assert_string_equal(str_text(&e.text), "user");
    line_edit_free(&e);
    line_history_free(&h);
}

static void long_lines_scroll(void **state)
{
    (void)state;
    struct surface s = surface_of(1, 10, false);
    struct line_edit e = {0};
    type(&e, "0123456789abcdef");
    assert_int_equal(line_edit_draw(&e, surface_area(&s), 0, 1, "HINT"), 9);
    assert_shows(&s, " 89abcdef\n");
    type(&e, "<C-a>");
    assert_int_equal(line_edit_draw(&e, surface_area(&s), 0, 1, "HINT"), 1);
    assert_shows(&s, " 012345678\n");
    type(&e, "<C-k>k=");
    line_edit_draw(&e, surface_area(&s), 0, 1, "[k=10]");
    assert_shows(&s, " k= [k=10]\n");
    line_edit_free(&e);
    surface_free(&s);
}

static void lists_scroll(void **state)
{
    (void)state;
    struct scroll s = {0};
    scroll_fit(&s, 100, 10);
    assert_true(scroll_key(&s, 100, 'G'));
    scroll_fit(&s, 100, 10);
    assert_int_equal(s.cursor, 99);
    assert_int_equal(s.top, 90);
    scroll_key(&s, 100, K_CTRL('u'));
    scroll_fit(&s, 100, 10);
    assert_int_equal(s.cursor, 94);
    assert_int_equal(s.top, 90);
    scroll_fit(&s, 3, 10); /* the list became short */
    assert_int_equal(s.cursor, 2);
    assert_int_equal(s.top, 0);
    assert_true(scroll_key(&s, 0, 'j'));
    scroll_fit(&s, 0, 10);
    assert_int_equal(s.cursor, 0);
    assert_false(scroll_key(&s, 3, 'x'));
}

/* ---- the terminal ---- */

static void a_dumb_terminal_is_refused_untouched(void **state)
{
    (void)state;
    struct error err;
    struct display *t;
    FILE *out = tmpfile(), *in = fopen("/dev/null", "r");
    setenv("TERM", "dumb", 1);
    assert_int_equal(display_open(in, out, true, &t, &err), ST_UNSUPPORTED);
    assert_non_null(strstr(err.message, "dumb"));
    assert_true(*err.hint);
    setenv("TERM", "no-such-terminal", 1);
    assert_int_equal(display_open(in, out, true, &t, &err), ST_UNSUPPORTED);
    fflush(out);
    assert_int_equal(ftell(out), 0);
    fclose(out);
    fclose(in);
}

static void a_display_shows_the_cells(void **state)
{
    (void)state;
    struct error err;
    struct display *t;
    FILE *out = tmpfile(), *in = fopen("/dev/null", "r");
    setenv("TERM", "xterm", 1);
    assert_int_equal(display_open(in, out, true, &t, &err), ST_OK);
    struct surface s = surface_of(3, 20, false);
    area_text(surface_area(&s), 1, 2, LOOK_BOLD | INK_RED, "Fargo日é");
    display_show(t, &s, 1, 2);
    display_close(t);
    char written[4096] = {0};
    rewind(out);
    size_t n = fread(written, 1, sizeof written - 1, out);
    assert_true(n > 0);
    assert_non_null(strstr(written, "Fargo日é"));
    assert_non_null(strstr(written, "\033[31m"));
    assert_non_null(strstr(written, "\033[?1049l")); /* and the terminal is given back */
    surface_free(&s);
    fclose(out);
    fclose(in);
}

int main(void)
{
    setlocale(LC_CTYPE, "");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_text_and_cuts_it),
        cmocka_unit_test(text_from_data_cannot_reach_the_terminal_raw),
        cmocka_unit_test(wide_characters_are_whole_or_not_there),
        cmocka_unit_test(lines_join),
        cmocka_unit_test(plain_terminals_get_plain_lines),
        cmocka_unit_test(bars_have_eighths),
        cmocka_unit_test(text_wraps_at_spaces),
        cmocka_unit_test(looks_are_told_apart),
        cmocka_unit_test(edits_as_readline_does),
        cmocka_unit_test(history_gives_the_own_line_back),
        cmocka_unit_test(long_lines_scroll),
        cmocka_unit_test(lists_scroll),
        cmocka_unit_test(a_dumb_terminal_is_refused_untouched),
        cmocka_unit_test(a_display_shows_the_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
