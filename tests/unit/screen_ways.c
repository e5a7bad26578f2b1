/* The screen without a terminal: the ways from grid to user and back, and that what a key did is named as a command that does the same. */
#include "tests/unit/screen_stage.h"

#include <locale.h>
#include <unistd.h>

#include "screen/app_state.h"
#include "screen/view_compare.h"
#include "screen/view_user.h"
#include "tests/unit/memory.h"

static const char *user_of_view(struct stage *s)
{
    const struct user_view *v = app_view_state(s->app, "user");
    return dict_text(&v->bench.data->users, v->user);
}

/* Is this the user in the second row of a table of the last result? */
static bool is_second(const struct stage *s, const char *user)
{
    const struct result *r = s->app->trail[s->app->ntrail - 1].result;
    for (size_t i = 0; i < r->ntables; i++)
        for (size_t c = 0; c < r->tables[i]->ncolumns; c++)
            if (strcmp(r->tables[i]->columns[c].name, "user") == 0 && r->tables[i]->nrows > 1 && strcmp(table_value(r->tables[i], 1, c)->text, user) == 0)
                return true;
    return false;
}

/* ---- from a grid to a user, and back ---- */

static void every_grid_of_users_leads_to_them(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "events last=5", "who tent k=5 with ease", "compare with ease pop worst=5", "diff with ease pop", "similar users ana with puresvd",
        "user ana show=neighbours", "recommend all k=1 with pop", "select user, count(*) n from events group by user", "select * from users", "map users with puresvd",
    };
    static const char *const lines[] = {"split last 1", "train pop itemknn ease lambda=1", "train puresvd factors=2", NULL};
    struct stage s = stage_open(lines, "models", false);
    widen(&s);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char line[128];
        snprintf(line, sizeof line, ":%s<Enter>", commands[i]);
        press(&s, line);
        for (size_t t = 0; t < s.app->held->ntables && hides(&s, "Enter the user"); t++)
            press(&s, "<Tab>");
        press(&s, "gj<Enter>");
        assert_true(shows(&s, "[4 User]"));
        assert_true(shows(&s, " › User › "));
        if (!is_second(&s, user_of_view(&s)))
            fail_msg("%s led to %s", commands[i], user_of_view(&s));
        press(&s, "<BS>");
        assert_true(shows(&s, "[2 Models]"));
        assert_int_equal(s.app->noverlays, 1);
        assert_true(shows(&s, "Enter the user")); /* on the row where one left */
        press(&s, "<Esc>");
        assert_int_equal(s.app->noverlays, 0);
        assert_int_equal(s.app->ntrail, 0);
    }
    stage_close(&s);
}

static void one_comes_back_to_the_user_one_came_from(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    widen(&s);
    press(&s, ":user ana<Enter>:who tent k=5 with ease<Enter>");
    assert_true(shows(&s, "who id:tent"));
    for (size_t t = 0; t < s.app->held->ntables && hides(&s, "Enter the user"); t++)
        press(&s, "<Tab>");
    press(&s, "gj<Enter>");
    assert_string_not_equal(user_of_view(&s), "ana");
    assert_true(shows(&s, "user ana › who › User"));
    press(&s, "uchloe<Enter>");
    assert_string_equal(user_of_view(&s), "chloe");
    press(&s, "<BS>");
    assert_string_not_equal(user_of_view(&s), "chloe");
    assert_string_not_equal(user_of_view(&s), "ana");
    press(&s, "<BS>");
    assert_string_equal(user_of_view(&s), "ana");
    assert_true(shows(&s, "who id:tent"));
    assert_true(shows(&s, "Enter the user"));
    for (int i = 0; i < 20; i++) /* more than the trail holds: the oldest steps are forgotten */
        press(&s, "<Enter>:who tent k=5 with ease<Enter><Tab><Tab>");
    press(&s, "<Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc>");
    assert_true(shows(&s, "this is the first view"));
    stage_close(&s);
}

/* ---- the line of the last key ---- */

static enum status keep_result(struct sink *sink, struct result *r, struct error *err)
{
    (void)err;
    struct result **kept = sink->face;
    result_free(*kept);
    *kept = result_keep(r);
    return ST_OK;
}

/* Runs what the line says beside the screen; its first table has what the screen shows. */
static struct result *run_logged(struct stage *s, const char *begins)
{
    struct error err;
    struct result *r = NULL;
    struct sink sink = {.face = &r, .emit = keep_result};
    if (strncmp(s->app->log.command, begins, strlen(begins)) != 0)
        fail_msg("not %s...: %s", begins, s->app->log.command);
    if (command_run(s->wb, s->app->log.command, &sink, &err) != ST_OK)
        fail_msg("%s: %s", s->app->log.command, err.message);
    assert_non_null(r);
    return r;
}

static const struct value *cell(const struct result *r, const char *table, size_t row, const char *column)
{
    const struct table *t = result_find_table(r, table);
    assert_non_null(t);
    for (size_t c = 0; c < t->ncolumns; c++)
        if (strcmp(t->columns[c].name, column) == 0 && row < t->nrows)
            return table_value(t, row, c);
    fail_msg("%s has no %s in row %zu", table, column, row);
    return NULL;
}

static void the_line_says_what_was_switched(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":user ana<Enter><Space>apan<Enter>aspice<Enter><Tab><Tab><Tab>");
    const struct user_view *v = app_view_state(s.app, "user");
    struct result *r = run_logged(&s, "why ana id:"); /* a cursor in a list asks why */
    assert_non_null(strstr(s.app->log.command, " remove id:stove add id:pan id:spices with ease"));
    assert_int_equal(cell(r, "place", 0, "rank")->integer, (int64_t)v->why.rank);
    assert_near(cell(r, "place", 0, "score")->real, (double)v->why.score, 0);
    result_free(r);
    press(&s, "m");
    r = run_logged(&s, "why ana id:");
    assert_non_null(strstr(s.app->log.command, " minimal=yes"));
    assert_int_equal(cell(r, "minimal", 0, "rank")->integer, (int64_t)v->question.minimal.rank);
    assert_int_equal(cell(r, "minimal", 0, "of_history")->integer, (int64_t)v->question.minimal.removed.tried);
    result_free(r);
    press(&s, "<Esc>ncookbook<Enter>");
    r = run_logged(&s, "whynot ana id:cookbook remove id:stove add id:pan id:spices with ease");
    assert_int_equal(cell(r, "place", 0, "rank")->integer, (int64_t)v->question.whynot.rank);
    result_free(r);
    press(&s, "<Esc><Tab>z"); /* one switch less, and the lists are those of whatif */
    r = run_logged(&s, "whatif ana remove id:stove add id:pan");
    result_free(r);
    press(&s, "r"); /* nothing is switched: the plain lists */
    assert_string_equal(s.app->log.command, "recommend ana");
    r = run_logged(&s, "recommend ana");
    result_free(r);
    press(&s, ":set seen show<Enter><Esc><Tab><Tab><Tab>j"); /* the view hides what was seen whatever commands do */
    r = run_logged(&s, "why ana id:");
    assert_non_null(strstr(s.app->log.command, " seen=hide"));
    assert_int_equal(cell(r, "place", 0, "rank")->integer, (int64_t)v->why.rank);
    result_free(r);
    stage_close(&s);
}

/* ---- the keys that are told ---- */

static void only_keys_that_do_something_are_told(void **state)
{
    (void)state;
    struct stage s = stage_open(NULL, "user", false);
    assert_true(shows(&s, "1 Data   : load shop"));
    press(&s, "3");
    assert_true(shows(&s, "1 Data   : load shop"));
    press(&s, "1");
    assert_true(hides(&s, "r recipe"));
    stage_close(&s);
    s = stage_open(loaded, "user", false);
    assert_true(hides(&s, "n why not"));
    assert_true(shows(&s, "Space switch"));
    press(&s, "3");
    assert_true(hides(&s, "b baseline"));
    stage_close(&s);
    s = stage_open(trained, "user", false);
    assert_int_equal(app_resize(s.app, 24, 60, NULL), ST_OK); /* whole keys or none */
    assert_true(shows(&s, "Space switch   a add   n why not   q back   : command\n"));
    stage_close(&s);
}

/* What was served has no reasons: the keys that ask for them say so, or ask a model. */
static void a_served_list_is_not_opened(void **state)
{
    (void)state;
    char path[] = "/tmp/tailor-served-XXXXXX.csv", line[128];
    int fd = mkstemps(path, 4);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    assert_non_null(f);
    fputs("user,item,rank,time\nana,pan,1,2025-05-08 06:00\nana,knife,2,2025-05-08 06:00\n", f);
    fclose(f);
    struct stage s = stage_open(loaded, "user", false);
    snprintf(line, sizeof line, "import %s as prod", path);
    run(s.wb, line);
    press(&s, ":user ana<Enter><Tab>");
    assert_true(shows(&s, "prod, as served"));
    assert_true(shows(&s, "no model is trained that could"));
    assert_true(hides(&s, "-1.00")); /* a place is no score */
    press(&s, "m");
    assert_true(shows(&s, "prod is what was served and cannot be opened"));
    press(&s, "nspice<Enter>");
    assert_true(shows(&s, "no model is trained"));
    run(s.wb, "train ease lambda=1");
    press(&s, "nspice<Enter>");
    assert_string_equal(s.app->log.command, "whynot ana id:spices with ease");
    unlink(path);
    stage_close(&s);
}

/* `compare` waits for the present, and so does what the views ask of their own accord. */
static void nothing_is_judged_in_the_past(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":rewind 2025-05-06<Enter><Esc>3");
    assert_true(shows(&s, "The clock is rewound"));
    press(&s, "c");
    assert_true(shows(&s, "judged in the present"));
    press(&s, "2");
    assert_true(hides(&s, "it did not work"));
    press(&s, ":rewind now<Enter><Esc>3");
    assert_true(shows(&s, "difference from"));
    press(&s, ":rewind 2025-05-06<Enter><Esc>");
    assert_true(shows(&s, "Judged in the present; the clock is rewound since"));
    stage_close(&s);
}

/* The n-th allocation fails on the ways there and back: the screen says so, and goes on. */
static void lost_memory_is_survived_on_the_way(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    for (long n = 0; n < 600; n += n < 60 ? 1 : 17) {
        atomic_long left = n;
        mem_set_hook(fail_one, &left);
        press(&s, ":who tent k=5 with ease<Enter><Tab><Tab>j<Enter><Tab>muchl<Enter><BS><BS><Esc><Esc>");
        mem_set_hook(NULL, NULL);
        press(&s, "<Esc><Esc><Esc><Esc><Esc><Esc>:user ana<Enter>");
    }
    assert_string_equal(user_of_view(&s), "ana");
    stage_close(&s);
}

/* A row about a segment leads to its users, and Escape from there back to the table. */
static void a_segment_leads_to_its_users(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":who tent k=5 with ease by=country<Enter>");
    assert_true(shows(&s, "Enter its users"));
    press(&s, "<Enter>");
    assert_true(shows(&s, "select * from users where \"country\" = 'GB'"));
    assert_true(shows(&s, "ben"));
    assert_true(shows(&s, "dev"));
    assert_true(hides(&s, "chloe"));
    press(&s, "<Enter>");
    assert_true(shows(&s, "user ben"));
    press(&s, "<Esc>");
    assert_true(shows(&s, "where \"country\""));
    press(&s, "<Esc><Esc>");
    assert_true(shows(&s, "who id:tent with ease"));
    stage_close(&s);
}

/* One that no attribute makes is shown by the Compare view, and so are those of fairness. */
static void a_segment_of_a_comparison_leads_to_its_users(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":compare by=history_length<Enter><Tab>");
    assert_true(shows(&s, "Enter its users"));
    press(&s, "<Enter>");
    struct compare_view *v = app_view_state(s.app, "compare");
    assert_true(shows(&s, "[3 Compare]"));
    assert_true(shows(&s, "users with history_length"));
    assert_int_equal(v->pane, PANE_USERS);
    assert_int_equal(v->segment, 0);
    assert_int_equal(v->nlisted, v->segments.cohorts.list[0].n);
    press(&s, "<Esc><Esc>");
    assert_true(shows(&s, "compare by=history_length"));
    press(&s, "<Esc>:fairness by=taste<Enter>j<Enter>");
    assert_true(shows(&s, "users with taste"));
    assert_string_equal(v->by, "taste");
    assert_int_equal(v->segment, 1);
    assert_int_equal(v->nlisted, v->segments.cohorts.list[1].n);
    press(&s, "<Esc><Esc><Esc>:fairness by=country<Enter>");
    assert_true(shows(&s, "Enter its users"));
    press(&s, "<Enter>");
    assert_true(shows(&s, "select * from users where \"country\" = "));
    stage_close(&s);
}

int main(void)
{
    setlocale(LC_CTYPE, "");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_leads_to_its_users),
        cmocka_unit_test(a_segment_of_a_comparison_leads_to_its_users),
        cmocka_unit_test(every_grid_of_users_leads_to_them),
        cmocka_unit_test(one_comes_back_to_the_user_one_came_from),
        cmocka_unit_test(the_line_says_what_was_switched),
        cmocka_unit_test(only_keys_that_do_something_are_told),
        cmocka_unit_test(a_served_list_is_not_opened),
        cmocka_unit_test(nothing_is_judged_in_the_past),
        cmocka_unit_test(lost_memory_is_survived_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
