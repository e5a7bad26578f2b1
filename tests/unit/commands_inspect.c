/* The commands that inspect, from words to results. */
#include "tests/unit/world.h"

#include "commands/command.h"
#include "models/classes.h"
#include "tests/unit/memory.h"

struct bench {
    struct workbench *wb;
    struct sink sink;
    struct str json;   /* the last result */
    char command[512]; /* what replays it */
    size_t warnings;
};

static enum status emit(struct sink *s, struct result *r, struct error *err)
{
    struct bench *b = s->face;
    struct render_options json = {.form = OUTPUT_JSON}, box = {.form = OUTPUT_BOX, .width = 80, .messages = true};
    struct str shown = {0};
    str_clear(&b->json);
    snprintf(b->command, sizeof b->command, "%s", r->command);
    b->warnings = 0;
    for (size_t i = 0; i < r->nmessages; i++)
        b->warnings += r->messages[i].level == MESSAGE_WARNING;
    enum status st = result_render_text(r, &box, &shown, err);
    str_free(&shown);
    for (size_t t = 0; t < r->ntables && !st; t++)
        if (r->tables[t]->next)
            st = table_rewind(r->tables[t], err);
    return st ? st : result_render_text(r, &json, &b->json, err);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct error err;
    assert_int_equal(workbench_open(NULL, false, &b->wb, &err), ST_OK);
    struct dataset *d = world_new(40, 30, 600, 11);
    workbench_set_data(b->wb, d);
    static const struct model_class *const classes[] = {&model_pop, &model_itemknn, &model_ials};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(workbench_add_model(b->wb, world_train(d, classes[i], NULL), &err), ST_OK);
    b->sink = (struct sink){.face = b, .emit = emit};
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    workbench_close(b->wb);
    str_free(&b->json);
    free(b);
    return 0;
}

static const char *run(struct bench *b, const char *line)
{
    struct error err;
    if (command_run(b->wb, line, &b->sink, &err))
        fail_msg("%s: %s", line, err.message);
    return str_text(&b->json);
}

/* The status, and whether the caret stands under `culprit` ("" for no caret). */
static void refused(struct bench *b, const char *line, enum status want, const char *culprit)
{
    struct error err = {0};
    assert_int_equal(command_run(b->wb, line, &b->sink, &err), want);
    assert_int_equal(err.length, strlen(culprit));
    assert_memory_equal(line + err.offset, culprit, err.length);
}

/* The n-th value of a key in the document, as text up to the next comma or brace. */
static void value(const struct bench *b, const char *key, size_t n, char out[64])
{
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *p = str_text(&b->json);
    for (size_t i = 0; i <= n; i++) {
        p = strstr(p, quoted);
        assert_non_null(p);
        p += strlen(quoted);
    }
    snprintf(out, 64, "%.*s", (int)strcspn(p, ",}"), p);
}

static size_t count(const struct bench *b, const char *text)
{
    size_t n = 0;
    for (const char *p = str_text(&b->json); (p = strstr(p, text)); p += strlen(text))
        n++;
    return n;
}

static void test_recommend(void **state)
{
    struct bench *b = *state;
    char third[64], again[64];
    run(b, "recommend u3 with itemknn k=4");
    assert_int_equal(count(b, "\"rank\":"), 4);
    value(b, "title", 2, third);
    assert_string_equal(b->command, "recommend u3 with itemknn k=4");
    run(b, "why . #3 with itemknn"); /* the third of that list, of the current user */
    value(b, "title", 0, again);
    assert_string_equal(third, again);
    value(b, "rank", 0, again);
    assert_string_equal(again, "3");
    run(b, "recommend .");
    assert_int_equal(count(b, "\"rank\":1,"), 3); /* all models */
    run(b, "recommend u3 with pop seen=show k=30");
    assert_true(count(b, "\"seen\":\"20") > 3); /* with the date */
    run(b, "recommend u3 with pop k=30");
    assert_int_equal(count(b, "\"seen\":\"20"), 0);
    refused(b, "recommend nobody", ST_NOT_FOUND, "nobody");
    refused(b, "recommend u3 with svd", ST_NOT_FOUND, "svd");
}

/* `recommend all` is the lists of each. */
static void test_all(void **state)
{
    struct bench *b = *state;
    char score[64], alone[64], line[128], user[64];
    run(b, "recommend all with itemknn k=1");
    size_t n = count(b, "\"rank\":1");
    assert_int_equal(n, b->wb->data->users.n);
    for (size_t u = 0; u < n; u += 7) {
        run(b, "recommend all with itemknn k=1");
        value(b, "score", u, score);
        value(b, "user", u, user);
        snprintf(line, sizeof line, "recommend %s with itemknn k=1", user);
        run(b, line);
        value(b, "score", 0, alone);
        assert_string_equal(score, alone);
    }
}

static void test_why_sums(void **state)
{
    struct bench *b = *state;
    static const char *const models[] = {"pop", "itemknn", "ials"};
    for (size_t m = 0; m < 3; m++) {
        char line[64], cell[64];
        double score, sum = 0, part;
        snprintf(line, sizeof line, "why u5 i9 with %s k=3", models[m]);
        run(b, line);
        value(b, "score", 0, cell);
        assert_true(text_parse_real(cell, &score));
        for (size_t i = 0, n = count(b, "\"contribution\":"); i < n; i++) {
            value(b, "contribution", i, cell);
            assert_true(text_parse_real(cell, &part));
            sum += part;
        }
        assert_true(fabs(sum - score) < 1e-5 * (1 + fabs(score)));
    }
}

static void test_made_up(void **state)
{
    struct bench *b = *state;
    refused(b, "user", ST_STATE, "");
    refused(b, "recommend .", ST_STATE, ".");
    run(b, "user new = \"Item 1\" i5");
    assert_string_equal(b->command, "user new = id:i1 id:i5");
    char first[64], again[64];
    run(b, "recommend . with itemknn k=3");
    assert_string_equal(b->command, "recommend new with itemknn k=3");
    value(b, "score", 0, first);
    run(b, "user u1");
    run(b, "recommend new with itemknn k=3"); /* still there when somebody else is current */
    value(b, "score", 0, again);
    assert_string_equal(first, again);
    run(b, "why new i9 with itemknn");
    refused(b, "user new =", ST_USAGE, "=");
    refused(b, "user u1 u2", ST_USAGE, "u2");
    refused(b, "user new = \"No such thing at all\"", ST_NOT_FOUND, "\"No such thing at all\"");
}

static void test_whatif(void **state)
{
    struct bench *b = *state;
    char item[64], line[512];
    run(b, "user u2 events=1");
    value(b, "item", 0, item);
    snprintf(line, sizeof line, "whatif u2 remove %.*s add i29 with itemknn k=5", (int)strlen(item) - 2, item + 1);
    run(b, line);
    assert_true(count(b, "\"rank\":") >= 5);
    char *before = strdup(str_text(&b->json));
    snprintf(line, sizeof line, "%s", b->command);
    run(b, line); /* what is logged replays it */
    assert_string_equal(before, str_text(&b->json));
    free(before);
    run(b, "whatif u2 add i29 with pop k=30");
    assert_int_equal(count(b, "\"item\":\"i29\""), 0); /* now in the history */
    refused(b, "whatif u2 i3", ST_USAGE, "i3");
    refused(b, "whatif u2 remove", ST_USAGE, "");
    refused(b, "whatif u2 \"remove\" i3", ST_USAGE, "\"remove\""); /* a quoted word is never a keyword */
}

/* at= alone: after is what `recommend` lists as of then, before what it lists now. */
static void test_whatif_of_the_moment(void **state)
{
    struct bench *b = *state;
    char then[5][64], cell[64];
    run(b, "recommend u3 with itemknn at=2023-11-20 k=5");
    for (size_t i = 0; i < 5; i++)
        value(b, "score", i, then[i]);
    run(b, "whatif u3 with itemknn at=2023-11-20 k=5");
    assert_string_equal(b->command, "whatif u3 with itemknn k=5 at=2023-11-20");
    assert_int_equal(b->warnings, 1); /* it was trained on later events */
    for (size_t i = 0; i < 5; i++) {
        value(b, "score", i, cell);
        assert_string_equal(cell, then[i]);
    }
    char *answer = strdup(str_text(&b->json));
    run(b, "recommend u3 with itemknn k=5");
    for (size_t i = 0; i < 5; i++) { /* each stands there, with the place that it has now */
        char item[64], line[160];
        value(b, "item", i, item);
        snprintf(line, sizeof line, "\"before\":%zu,", i + 1);
        const char *row = strstr(answer, line);
        assert_non_null(row);
        snprintf(line, sizeof line, "%.*s", (int)strcspn(row, "}"), row);
        assert_non_null(strstr(line, item));
    }
    free(answer);
    run(b, "whatif u3 with itemknn at=2099-01-01 k=5"); /* nothing is later: nothing moves */
    assert_int_equal(count(b, "\"move\":0"), 5);
    run(b, "user new = i1 i5");
    run(b, "whatif new with itemknn at=2023-11-20 k=5"); /* no events of theirs have times; the moment is another */
    assert_int_equal(count(b, "\"move\":0"), 5);
}

/* by= takes several, and says of each what it says of it alone. */
static void test_several_segments(void **state)
{
    static const char *const verbs[] = {"who i3 with itemknn k=3", "diff with itemknn pop items=0 users=0 k=3"};
    struct bench *b = *state;
    for (size_t i = 0; i < 2; i++) {
        char line[128];
        size_t n[3];
        static const char *const by[] = {"history_length", "taste", "history_length,taste"};
        for (size_t j = 0; j < 3; j++) {
            snprintf(line, sizeof line, "%s by=%s", verbs[i], by[j]);
            run(b, line);
            n[j] = count(b, "\"segment\":");
        }
        assert_true(n[0] > 0 && n[1] == 3);
        assert_int_equal(n[2], n[0] + n[1]);
        assert_int_equal(count(b, "\"by\":\"taste\""), 3);
        assert_int_equal(count(b, "\"by\":\"history_length\""), n[0]);
        assert_non_null(strstr(b->command, "by=history_length,taste"));
    }
    refused(b, "who i3 by=taste,zodiac", ST_USAGE, "taste,zodiac");
    refused(b, "diff with itemknn pop by=zodiac,taste", ST_USAGE, "zodiac,taste");
}

static void test_find_and_similar(void **state)
{
    struct bench *b = *state;
    run(b, "find \"item 1\" k=2");
    assert_int_equal(count(b, "\"events\":"), 2);
    run(b, "similar #1 with itemknn");
    assert_true(count(b, "\"similarity\":") > 3);
    run(b, "similar i3"); /* pop cannot, and was not asked for by name */
    assert_int_equal(count(b, "\"pop\""), 0);
    assert_string_equal(b->command, "similar id:i3 with itemknn ials");
    refused(b, "similar i3 with pop", ST_UNSUPPORTED, "");
    refused(b, "find zzz", ST_NOT_FOUND, "zzz");
    refused(b, "similar #99", ST_NOT_FOUND, "#99");
}

/* The history as of a moment, and a warning about models that know more. */
static void test_at(void **state)
{
    struct bench *b = *state;
    char events[64];
    run(b, "user u3 at=1999-01-01");
    value(b, "events", 0, events);
    assert_string_equal(events, "0");
    run(b, "user u3");
    value(b, "events", 0, events);
    assert_string_not_equal(events, "0");
    run(b, "recommend u3 with itemknn at=2023-11-20 k=3");
    assert_string_equal(b->command, "recommend u3 with itemknn k=3 at=2023-11-20");
    assert_int_equal(b->warnings, 1); /* the model was trained on later events */
    run(b, "recommend u3 with itemknn k=3");
    assert_int_equal(b->warnings, 0);
}

/* Each allocation fails once: the command says so, nothing leaks (under the sanitizers), and the next run works. */
static void test_memory(void **state)
{
    static const char *const lines[] = {"user u3 events=3", "user new = i1 i2", "recommend u3 k=2", "recommend all with pop itemknn k=1",
                                        "why u3 i7 k=2", "whatif u3 add i2 k=2", "whatif u3 at=2023-11-20 k=2",
                                        "who i3 k=2 by=taste,history_length", "similar i3 with itemknn k=2", "find item k=2"};
    struct bench *b = *state;
    for (size_t l = 0; l < sizeof lines / sizeof *lines; l++) {
        for (long i = 0; i < 100000; i += 1 + i / 16) {
            atomic_long left = i;
            struct error err = {0};
            mem_set_hook(fail_one, &left);
            enum status st = command_run(b->wb, lines[l], &b->sink, &err);
            mem_set_hook(NULL, NULL);
            if (st != ST_OK && st != ST_NOMEM)
                fail_msg("%s, allocation %ld: %s", lines[l], i, err.message);
            if (atomic_load(&left) >= 0)
                break;
            run(b, lines[l]);
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_recommend), TEST(test_all),    TEST(test_why_sums),        TEST(test_made_up),
                                       TEST(test_whatif),    TEST(test_whatif_of_the_moment), TEST(test_several_segments), TEST(test_at),     TEST(test_find_and_similar),
                                       TEST(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
