/* The data commands, from a line of text to what the face gets. */
#include "tests/unit/unit.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "commands/command.h"

struct face {
    struct sink sink;
    struct workbench *wb;
    struct error err;
    struct str shown; /* the last result as JSON, then its messages */
};

static char folder[] = "/tmp/tailor-commands-XXXXXX";

static enum status emit(struct sink *s, struct result *r, struct error *err)
{
    struct face *f = s->face;
    struct render_options options = {.form = OUTPUT_JSON, .header = true};
    str_clear(&f->shown);
    enum status st = result_render_text(r, &options, &f->shown, err);
    for (size_t i = 0; i < r->nmessages; i++)
        str_printf(&f->shown, "%s\n", r->messages[i].text);
    return st;
}

static enum status run(struct face *f, const char *line)
{
    str_clear(&f->shown);
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

static void fails(struct face *f, const char *line, enum status expect, const char *message, const char *hint,
                  const char *caret)
{
    assert_int_equal(run(f, line), expect);
    if (!strstr(f->err.message, message) || !strstr(f->err.hint, hint))
        fail_msg("%s: %s (%s)", line, f->err.message, f->err.hint);
    assert_true(f->err.offset + f->err.length <= strlen(line));
    if (caret && (strlen(caret) != f->err.length || strncmp(line + f->err.offset, caret, f->err.length) != 0))
        fail_msg("%s: caret at %zu+%zu", line, f->err.offset, f->err.length);
}

static int start(void **state)
{
    static struct face f;
    f = (struct face){.sink = {.face = &f, .emit = emit}};
    *state = &f;
    return workbench_open(NULL, false, &f.wb, &f.err);
}

static int stop(void **state)
{
    struct face *f = *state;
    workbench_close(f->wb);
    str_free(&f->shown);
    return 0;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_load(void **state)
{
    struct face *f = *state;
    runs(f, "load tiny", "\"dataset\":\"tiny\"");
    assert_non_null(strstr(str_text(&f->shown), "\"users\":6,\"items\":8,\"events\":22,\"types\":2"));
    assert_non_null(strstr(str_text(&f->shown), "36 rows read: 36 kept, 0 rejected"));
    runs(f, "load tiny", "open already");
    fails(f, "load tiny/events.csv as tiny", ST_USAGE, "there is a data set tiny already", "replace=yes", "tiny");
    runs(f, "load tiny/events.csv as tiny replace=yes", "\"items\":8");
    runs(f, "load tiny as other", "\"dataset\":\"other\"");
    runs(f, "datasets", "\"dataset\":\"other\",\"source\":\"tiny\"");
    runs(f, "load tiny", "was in the workspace");
    runs(f, "status", "{\"what\":\"data set\",\"value\":\"tiny\"}");
    write_file("odd.csv", "who,what,when\na,b,2026-01-01\na,c,soon\n");
    fails(f, "load odd.csv", ST_USAGE, "no column looks like the user", "who, what, when", "odd.csv");
    fails(f, "load odd.csv user=whom item=what", ST_USAGE, "no column \"whom\"", "did you mean user=who", "whom");
    fails(f, "load odd.csv usr=who", ST_USAGE, "no option \"usr\"", "user", "usr");
    fails(f, "load odd.csv user=who item=what encoding=ebcdic", ST_USAGE, "ebcdic", "latin1", "ebcdic");
    fails(f, "load od.csv", ST_NOT_FOUND, "od.csv", "odd.csv", "od.csv");
    runs(f, "status", "{\"what\":\"data set\",\"value\":\"tiny\"}"); /* nothing half-loaded */
    runs(f, "load odd.csv user=who item=what time=when", "1 rejected (`rejects`");
    runs(f, "rejects", "[{\"file\":\"odd.csv\",\"line\":3,\"reason\":\"time \\\"soon\\\" is not a time");
    runs(f, "rename odd even", "even");
    runs(f, "rejects 1", "\"line\":3");
    fails(f, "rename odd x", ST_NOT_FOUND, "neither a model nor a data set", "", "odd");
    runs(f, "drop even other", "dropped");
    fails(f, "events", ST_STATE, "needs data", "load", NULL);
    fails(f, "drop tin", ST_NOT_FOUND, "tin", "tiny", "tin");
}

static void test_attributes(void **state)
{
    struct face *f = *state;
    runs(f, "load tiny/events.csv as bare", "\"items\":8");
    runs(f, "load items tiny/items.csv", "{\"field\":\"title\",\"type\":\"text\",\"known\":8");
    runs(f, "events item=\"two-person tent\" by=user", "\"user\":\"ana\"");
    write_file("more.csv", "sku,label,colour\nmug,Mug,red\ntent,,green\n,x,y\n");
    runs(f, "load items more.csv id=sku title=label", "1 new item without events");
    assert_non_null(strstr(str_text(&f->shown), "3 rows read: 2 kept, 1 rejected"));
    runs(f, "events item=tent last=1", "\"title\":\"Two-person tent\"");
    runs(f, "rejects", "\"reason\":\"no item\"");
    fails(f, "load items more.csv id=ski", ST_USAGE, "no column \"ski\"", "id=sku", "ski");
    fails(f, "load users gone.csv", ST_NOT_FOUND, "gone.csv", "", "gone.csv");
    runs(f, "load users tiny/users.csv", "\"field\":\"country\"");
}

static bool offers(struct face *f, const char *line, const char *candidate)
{
    struct completion c;
    bool found = false;
    assert_int_equal(command_complete(f->wb, line, strlen(line), &c, &f->err), ST_OK);
    for (size_t i = 0; i < c.n; i++)
        found |= strcmp(c.candidates[i], candidate) == 0;
    completion_clear(&c);
    return found;
}

/* by= offers what the command can tell apart. */
static void test_segments(void **state)
{
    struct face *f = *state;
    runs(f, "load tiny", "");
    assert_true(offers(f, "compare by=hist", "by=history_length") && offers(f, "diff by=hist", "by=history_length"));
    assert_true(offers(f, "who by=cou", "by=country") && offers(f, "fairness by=cou", "by=country"));
    assert_true(offers(f, "compare by=cat", "by=category") && offers(f, "fairness by=pop", "by=popularity"));
    assert_false(offers(f, "who by=cat", "by=category") || offers(f, "diff by=pop", "by=popularity"));
}

static void test_events(void **state)
{
    struct face *f = *state;
    runs(f, "load tiny", "tiny");
    runs(f, "events user=ana last=1",
         "[{\"time\":\"2025-05-08T20:00:00Z\",\"user\":\"ana\",\"item\":\"stove\",\"title\":\"Camping "
         "stove\",\"type\":\"click\"");
    assert_non_null(strstr(str_text(&f->shown), "the newest 1 of 4 events"));
    runs(f, "events by=type", "[{\"type\":\"click\",\"events\":15,\"users\":6,");
    runs(f, "events by=month", "{\"month\":\"2025-05-01T00:00:00Z\",\"events\":22");
    runs(f, "events by=week type=purchase", "\"week\":\"2025-04-28T00:00:00Z\""); /* a Monday */
    fails(f, "events by=tpye", ST_NOT_FOUND, "tpye", "did you mean type", "tpye");
    fails(f, "events user=anna", ST_NOT_FOUND, "anna", "ana", "anna");
    fails(f, "events type=buy", ST_NOT_FOUND, "buy", "", "buy");
    fails(f, "rejects many", ST_USAGE, "many", "rejects 50", "many");
}

static void test_rejects(void **state)
{
    struct face *f = *state;
    char *text = NULL;
    size_t n;
    write_file("torn.csv", "user,item,time\na,b,2026-01-01\na,c,soon\n,d,2026-01-01\ne,f,\"later\"\ng,,2026-01-01\n");
    runs(f, "load torn.csv", "5 rows read: 1 kept, 4 rejected");
    runs(f, "rejects by=reason", "[{\"reason\":\"time \\\"…\\\" is not a time (ISO 8601, day.month.year or epoch seconds expected)\",\"rows\":2,");
    assert_non_null(strstr(str_text(&f->shown), "\"first_line\":3,\"first_text\":\"a,c,soon\"}"));
    assert_non_null(strstr(str_text(&f->shown), "{\"reason\":\"no item\",\"rows\":1,"));
    runs(f, "rejects by=file", "[{\"file\":\"torn.csv\",\"rows\":4,");
    runs(f, "rejects last=2", "[{\"file\":\"torn.csv\",\"line\":5,");
    assert_non_null(strstr(str_text(&f->shown), "the last 2 of 4"));
    runs(f, "rejects reason=TIME last=1", "[{\"file\":\"torn.csv\",\"line\":5,");
    runs(f, "rejects file=other", "[]");
    fails(f, "rejects last=0", ST_USAGE, "last", "", "0");
    runs(f, "rejects raw=mend.csv", "[{\"file\":\"mend.csv\",\"rows\":4}]");
    assert_int_equal(file_read("mend.csv", 1000, &text, &n, NULL), ST_OK);
    assert_string_equal(text, "a,c,soon\n,d,2026-01-01\ne,f,\"later\"\ng,,2026-01-01\n");
    mem_free(text);
    assert_int_equal(run(f, "rejects > bad.csv"), ST_OK);
    assert_int_equal(file_read("bad.csv", 1000, &text, &n, NULL), ST_OK);
    assert_string_equal(text, "file,line,reason,text\n"
                              "torn.csv,3,\"time \"\"soon\"\" is not a time (ISO 8601, day.month.year or epoch seconds expected)\",\"a,c,soon\"\n"
                              "torn.csv,4,no user,\",d,2026-01-01\"\n"
                              "torn.csv,5,\"time \"\"later\"\" is not a time (ISO 8601, day.month.year or epoch seconds expected)\",\"e,f,\"\"later\"\"\"\n"
                              "torn.csv,6,no item,\"g,,2026-01-01\"\n");
    mem_free(text);
}

static void test_weight(void **state)
{
    struct face *f = *state;
    runs(f, "load tiny", "tiny");
    runs(f, "weight", "{\"type\":\"purchase\",\"events\":7,\"weight\":1}");
    runs(f, "weight purchase=5 click=0",
         "{\"type\":\"click\",\"events\":15,\"weight\":0},{\"type\":\"purchase\",\"events\":7,\"weight\":5}");
    fails(f, "weight clik=1", ST_NOT_FOUND, "clik", "did you mean click", "clik");
    fails(f, "weight click=lots", ST_USAGE, "lots", "", "lots");
    fails(f, "weight click=-1", ST_USAGE, "-1", "", "-1");
    fails(f, "weight click=0 purchase=0", ST_USAGE, "nothing to learn", "", NULL);
    runs(f, "weight", "\"events\":7,\"weight\":5");
    runs(f, "load tiny as again", "again");
    runs(f, "load tiny", "was in the workspace");
    runs(f, "weight", "\"events\":7,\"weight\":5");
}

static void test_space(void **state)
{
    struct face *f = *state;
    runs(f, "status", "`load tiny`");
    runs(f, "load tiny", "tiny");
    runs(f, "save kept.tailor", "kept.tailor");
    runs(f, "verify", "whole");
    write_file("taken", "something else");
    assert_int_not_equal(run(f, "save taken"), ST_OK);
    workbench_close(f->wb);
    f->wb = NULL;
    assert_int_equal(workbench_open("kept.tailor", true, &f->wb, &f->err), ST_OK);
    runs(f, "status", "{\"what\":\"data set\",\"value\":\"tiny\"}");
    assert_int_not_equal(run(f, "load shop"), ST_OK);
    assert_int_not_equal(run(f, "weight click=2"), ST_OK);
    assert_int_not_equal(run(f, "drop tiny"), ST_OK);
    runs(f, "events by=type", "click");
}

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int leave(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") ? -1 : system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load, start, stop),
        cmocka_unit_test_setup_teardown(test_attributes, start, stop),
        cmocka_unit_test_setup_teardown(test_segments, start, stop),
        cmocka_unit_test_setup_teardown(test_events, start, stop),
        cmocka_unit_test_setup_teardown(test_rejects, start, stop),
        cmocka_unit_test_setup_teardown(test_weight, start, stop),
        cmocka_unit_test_setup_teardown(test_space, start, stop),
    };
    return cmocka_run_group_tests_name("commands_data", tests, enter, leave);
}
