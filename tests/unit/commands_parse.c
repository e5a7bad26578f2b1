/* The command language: words, verbs, options, keywords, redirection, completion, and where errors point. */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/rng.h"
#include "commands/command.h"
#include "commands/help.h"
#include "commands/lex.h"

static struct call *parsed(const char *text)
{
    struct call *c = NULL;
    struct error err;
    if (call_parse(NULL, text, false, &c, &err))
        fail_msg("%s: %s", text, err.message);
    return c;
}

/* The line fails with this status, and the caret stands under `culprit`. */
static void refused(const char *text, enum status want, const char *culprit, const char *hint)
{
    struct call *c = NULL;
    struct error err;
    assert_int_equal(call_parse(NULL, text, false, &c, &err), want);
    if (culprit) {
        assert_int_equal(err.length, strlen(culprit));
        assert_memory_equal(text + err.offset, culprit, err.length);
    }
    if (hint && !strstr(err.hint, hint))
        fail_msg("hint of `%s` is: %s", text, err.hint);
}

static void words(const char *text, const char *const *want, size_t n)
{
    struct lexemes l;
    assert_int_equal(lex_line(text, false, &l, NULL), ST_OK);
    assert_int_equal(l.n, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(l.at[i].word.text, want[i]);
    lexemes_clear(&l);
}

static void test_words(void **state)
{
    (void)state;
    words("  a  b\tc ", (const char *const[]){"a", "b", "c"}, 3);
    words("\"two words\" 'it \"is\"' x", (const char *const[]){"two words", "it \"is\"", "x"}, 3);
    words("Schindler's list", (const char *const[]){"Schindler's", "list"}, 2);
    words("key=\"a b\" title:\"187\"", (const char *const[]){"key=a b", "title:187"}, 2);
    words("\"say \\\"hi\\\" \\\\\"", (const char *const[]){"say \"hi\" \\"}, 1);
    words("\"\" x", (const char *const[]){"", "x"}, 2);
    struct lexemes l;
    struct error err;
    assert_int_equal(lex_line("why \"open", false, &l, &err), ST_USAGE);
    assert_int_equal(err.offset, 4);
}

static void test_quoting_reads_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"plain", "two words", "say \"hi\"", "back\\slash", "with", "a=b", "", "#x", "--", "it's", "-8845"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct str s = {0};
        struct lexemes l;
        lex_quote(&s, texts[i]);
        assert_int_equal(lex_line(str_text(&s), false, &l, NULL), ST_OK);
        assert_int_equal(l.n, 1);
        assert_string_equal(l.at[0].word.text, texts[i]);
        assert_true(l.at[0].equals == SIZE_MAX);
        lexemes_clear(&l);
        str_free(&s);
    }
}

static void test_calls(void **state)
{
    (void)state;
    struct call *c = parsed("set seed 7");
    assert_string_equal(c->command->name, "set");
    assert_int_equal(c->nargs, 2);
    assert_string_equal(c->args[1].text, "7");
    call_free(c);
    c = parsed("help > out.md");
    assert_string_equal(c->redirect.text, "out.md");
    assert_int_equal(c->nargs, 0);
    call_free(c);
    c = parsed("help | head -n 3");
    assert_string_equal(c->pipe.text, "head -n 3");
    call_free(c);
    c = parsed("help '>' x");
    assert_null(c->redirect.text);
    assert_int_equal(c->nargs, 2);
    call_free(c);
    c = parsed("watch 5 status > x | y ");
    assert_string_equal(c->rest.text, "5 status > x | y");
    call_free(c);
}

static void test_refusals(void **state)
{
    (void)state;
    refused("hlep", ST_USAGE, "hlep", "did you mean `help`?");
    refused("set a b c", ST_USAGE, "c", "usage: set");
    refused("events by type", ST_USAGE, "by", "did you mean by=type?");
    refused("events 3", ST_USAGE, "3", "did you mean last=3?");
    refused("sessions 30m", ST_USAGE, "30m", "did you mean gap=30m?");
    refused("source", ST_USAGE, NULL, "usage: source FILE");
    refused("timer maybe", ST_USAGE, "maybe", NULL);
    refused("help k=3", ST_USAGE, "k", "quotes");
    refused("help >", ST_USAGE, ">", NULL);
    refused("help |", ST_USAGE, "|", NULL);
    refused("", ST_USAGE, NULL, NULL);
    refused("watch", ST_USAGE, NULL, "usage: watch");
    struct call *c = NULL;
    struct error err;
    assert_int_equal(call_parse(NULL, "recommend ana with pop ease k=3 with pop", false, &c, &err), ST_USAGE);
    assert_string_equal(err.message, "pop is named twice");
    assert_int_equal(err.offset, 37);
}

static void test_abbreviations(void **state)
{
    (void)state;
    struct call *c = NULL;
    struct error err;
    assert_int_equal(call_parse(NULL, "hel", true, &c, &err), ST_OK);
    assert_string_equal(c->command->name, "help");
    call_free(c);
    assert_int_equal(call_parse(NULL, "hel", false, &c, &err), ST_USAGE);
    assert_int_equal(call_parse(NULL, "h", true, &c, &err), ST_AMBIGUOUS);
}

static bool offers(const char *text, const char *candidate)
{
    struct completion c;
    bool found = false;
    assert_int_equal(command_complete(NULL, text, strlen(text), &c, NULL), ST_OK);
    for (size_t i = 0; i < c.n; i++)
        found = found || strcmp(c.candidates[i], candidate) == 0;
    completion_clear(&c);
    return found;
}

static void test_completion(void **state)
{
    (void)state;
    assert_true(offers("", "help"));
    assert_true(offers("he", "help"));
    assert_false(offers("he", "set"));
    assert_true(offers("set se", "seed"));
    assert_true(offers("timer ", "off"));
    assert_true(offers("set output js", "jsonl"));
    assert_true(offers("compare rec", "recall"));
    assert_true(offers("compare metric=rec", "metric=recall"));
    assert_true(offers("events by=week", "by=weekday"));
    assert_true(offers("load /etc/pass", "/etc/passwd"));
    assert_true(offers("compare > /etc/pass", "/etc/passwd"));
    assert_false(offers("compare ", "/etc/passwd"));
    struct completion c;
    assert_int_equal(command_complete(NULL, "source ", 7, &c, NULL), ST_OK);
    assert_string_equal(c.hint, "FILE");
    assert_int_equal(c.start, 7);
    completion_clear(&c);
}

/* Every row of the table keeps the promises of its comments. */
static void test_table(void **state)
{
    (void)state;
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++) {
        const struct help_group *group = help_groups;
        while (group->name && strcmp(group->name, c->group) != 0)
            group++;
        if (!group->name)
            fail_msg("%s is of no group of help: %s", c->name, c->group);
        assert_non_null(c->summary);
        assert_non_null(c->run);
        if (!c->examples || !c->examples[0])
            fail_msg("%s has no example", c->name);
        assert_ptr_equal(command_find(c->name), c);
        struct param_value values[32];
        assert_true(c->noptions <= 32);
        assert_int_equal(param_defaults(c->options, c->noptions, values, NULL), ST_OK);
        param_values_free(values, c->noptions);
        for (size_t o = 0; o < c->noptions; o++)
            assert_non_null(c->options[o].doc);
        for (size_t a = 0; a < c->narguments; a++)
            assert_non_null(c->arguments[a].doc);
        for (size_t e = 0; c->examples[e]; e++) {
            struct call *call = NULL;
            struct error err;
            if (call_parse(NULL, c->examples[e], false, &call, &err))
                fail_msg("%s: %s", c->examples[e], err.message);
            assert_ptr_equal(call->command, c);
            call_free(call);
        }
    }
}

/* Any bytes are parsed or refused, and completed; the places that errors name lie inside the line. */
static void test_any_bytes(void **state)
{
    (void)state;
    static const char *const pieces[] = {"help", "set", "watch", "with", "where", "as", ">", "|", "=", "\"", "'", " ", " ", "\\", "k=", "\xff", "\x1b", "$", "x", "source", "timer on"};
    struct rng r = rng_stream(1, "lines", 0);
    for (int round = 0; round < 20000; round++) {
        char line[256] = "";
        size_t n = rng_below(&r, 12);
        for (size_t i = 0; i < n; i++)
            strcat(line, pieces[rng_below(&r, sizeof pieces / sizeof *pieces)]);
        struct call *c = NULL;
        struct error err = {0};
        if (call_parse(NULL, line, rng_below(&r, 2), &c, &err) == ST_OK)
            call_free(c);
        else
            assert_true(err.message[0] && err.offset + err.length <= strlen(line) + 1);
        struct completion done;
        if (command_complete(NULL, line, rng_below(&r, strlen(line) + 1), &done, NULL) == ST_OK)
            completion_clear(&done);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),    cmocka_unit_test(test_quoting_reads_back), cmocka_unit_test(test_calls),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_abbreviations),      cmocka_unit_test(test_completion),
        cmocka_unit_test(test_table),    cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
