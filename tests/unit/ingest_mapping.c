/* What a mapping can say beyond the name of a column: constants, row numbers, joined columns, what is kept. */
#include "tests/unit/ingest_help.h"

#include <sqlite3.h>

#include "base/clock.h"

static enum status load_mapped(struct loaded *l, const char *name, const char *text, const struct mapping *m, size_t n)
{
    const char *path = write_text(name, text);
    return load_paths(l, &path, 1, m, n);
}

static void test_computed(void **state)
{
    (void)state;
    struct loaded l;
    const char *text = "ip,agent,day,amount\n1.2,ff,2026-01-01,3\n1.2,,2026-01-02,4\n,,2026-01-03,5\n";
    const struct mapping joined[] = {
        {"user", "ip+agent"}, {"item", "=a cd"}, {"type", "=purchase"}, {"time", "day"}, {"value", "4"}};
    assert_int_equal(load_mapped(&l, "a.csv", text, joined, 5), ST_OK);
    assert_int_equal(l.data->events.n, 2); /* nothing to join: no user */
    assert_string_equal(l.last_reason, "no user");
    assert_string_equal(dict_text(&l.data->users, 0), "1.2+ff");
    assert_string_equal(dict_text(&l.data->users, 1), "1.2+");
    assert_int_equal(l.data->items.n, 1);
    assert_string_equal(dict_text(&l.data->items, 0), "a cd");
    assert_string_equal(dict_text(&l.data->types, 0), "purchase");
    assert_true(l.data->events.value[1] == 4);
    assert_string_equal(cell_text(&l.data->events.context, "agent", 0), "ff"); /* joined columns stay */
    unload(&l);

    const struct mapping row[] = {{"user", "row"}, {"item", "ip"}};
    assert_int_equal(load_mapped(&l, "b.csv", "ip,n\na,1\nb,1\na,1\n", row, 2), ST_OK);
    assert_int_equal(l.data->users.n, 3);
    assert_string_equal(dict_text(&l.data->users, 2), "3");
    unload(&l);

    /* A real column of that name wins, and what cannot be made is told with the columns there are. */
    assert_int_equal(load_mapped(&l, "c.csv", "row,a+b,item\nx,y,z\n", row, 1), ST_OK);
    assert_string_equal(dict_text(&l.data->users, 0), "x");
    unload(&l);
    const struct mapping plus[] = {{"user", "a+b"}}, gone[] = {{"user", "ip+agnet"}, {"item", "=x"}},
                         session[] = {{"user", "ip"}, {"item", "=x"}, {"session", "row"}};
    assert_int_equal(load_mapped(&l, "c.csv", "row,a+b,item\nx,y,z\n", plus, 1), ST_OK);
    assert_string_equal(dict_text(&l.data->users, 0), "y");
    unload(&l);
    assert_int_equal(load_mapped(&l, "a.csv", text, gone, 2), ST_USAGE);
    assert_non_null(strstr(l.err.message, "\"agnet\""));
    assert_non_null(strstr(l.err.hint, "user=agent"));
    assert_int_equal(load_mapped(&l, "a.csv", text, session, 3), ST_USAGE);
}

static void test_kept_columns(void **state)
{
    (void)state;
    struct loaded l;
    const char *text = "user,item,f_1,f_2,note\nu,i,1,2,x\n";
    const struct mapping keep[] = {{"keep", "note,other"}}, skip[] = {{"skip", "f_*,nothing"}};
    assert_int_equal(load_mapped(&l, "k.csv", text, keep, 1), ST_OK);
    assert_int_equal(l.data->events.context.n, 1);
    assert_non_null(fields_find(&l.data->events.context, "note"));
    unload(&l);
    assert_int_equal(load_mapped(&l, "k.csv", text, skip, 1), ST_OK);
    assert_int_equal(l.data->events.context.n, 1);
    unload(&l);
    assert_int_equal(load_mapped(&l, "k.csv", text, NULL, 0), ST_OK);
    assert_int_equal(l.data->events.context.n, 3);
    unload(&l);
}

/* A row without a time is an event all the same: nobody knows when, so it is older than all others. */
static void test_untimed(void **state)
{
    (void)state;
    struct loaded l;
    const char *text = "user,item,time\nu,a,2026-01-02\nu,b,\nu,c,NULL\nu,d,2026-01-01\nu,e,soon\n";
    assert_int_equal(load_text(&l, "t.csv", text), ST_OK);
    assert_int_equal(l.data->events.n, 4);
    assert_int_equal(l.rejects, 1);
    assert_true(noted(&l, "2 rows have no time"));
    assert_int_equal(l.data->events.time[0], NO_TIME);
    assert_int_equal(l.data->events.time[1], NO_TIME);
    assert_string_equal(dict_text(&l.data->items, l.data->events.item[2]), "d");
    unload(&l);
}

/* 2024-02-03T00:00:00Z */
#define THE_THIRD INT64_C(1706918400000000)

static void check_time(const char *form, const char *text, int64_t us)
{
    int64_t got = 0;
    if (!time_form_ok(form) || !time_parse_as(form, text, strlen(text), 0, &got) || got != us)
        fail_msg("%s as %s: %lld", text, form, (long long)got);
}

static void test_time_forms(void **state)
{
    (void)state;
    const int64_t hour = INT64_C(3600000000);
    check_time("yymmddhh", "24020305", THE_THIRD + 5 * hour);
    check_time("yyyymmddhh", "2024020323", THE_THIRD + 23 * hour);
    check_time("%d.%m.%Y %H:%M", "03.02.2024 05:30", THE_THIRD + 5 * hour + hour / 2);
    check_time("%a %b %d %H:%M:%S %z %Y", "Sat Feb 03 01:00:00 +0100 2024", THE_THIRD);
    check_time("%d %b %Y %I:%M %p", "3 February 2024 12:00 AM", THE_THIRD);
    check_time("%m/%d/%y, %I:%M:%S.%f %p", "2/3/24, 1:00:00.5 pm", THE_THIRD + 13 * hour + 500000);
    static const char *const bad[][2] = {{"%d/%m/%Y", "31/02/2024"},   {"%d/%m/%Y", "3/2-2024"},
                                         {"%d/%m/%Y", ""},             {"%d/%m/%Y %H:%M", "3/2/2024 25:00"},
                                         {"%y %I %p", "24 13 PM"},     {"yymmddhh", "24020324"},
                                         {"yymmddhh", "2402032"},      {"%Y", "2024x"}};
    int64_t us;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (time_parse_as(bad[i][0], bad[i][1], strlen(bad[i][1]), 0, &us))
            fail_msg("%s as %s", bad[i][1], bad[i][0]);
    assert_false(time_form_ok("%q"));
    assert_false(time_form_ok("%Y %"));
    assert_false(time_form_ok("dmy"));
    assert_false(time_form_ok("%d.%m"));
}

static void test_told_forms(void **state)
{
    (void)state;
    struct loaded l;
    const struct mapping said[] = {{"user", "1"},        {"item", "2"},    {"time", "3"},
                                   {"value", "4"}, {"dates", "dmy"}, {"decimal", ","}},
                         bad[] = {{"time_format", "%q"}},
                         mark[] = {{"decimal", ";"}};
    const char *text = "u;a;03.02.2024;3,5;1.234,5\nu;b;31.02.2024;4,5;2\nu;c;02.02.2024;x;2\nu;d;04.02.2024;4.5;2\n";
    assert_int_equal(load_mapped(&l, "d.csv", text, said, 6), ST_OK);
    assert_int_equal(l.data->events.n, 1);
    assert_int_equal(l.rejects, 3);
    assert_int_equal(l.data->events.time[0], THE_THIRD);
    assert_true(l.data->events.value[0] == 3.5f);
    assert_int_equal(l.data->events.context.field[0].type, FIELD_REAL);
    assert_true(l.data->events.context.field[0].real[0] == 1234.5);
    unload(&l);
    const struct mapping hours[] = {{"time_format", "yymmddhh"}};
    assert_int_equal(load_mapped(&l, "h.csv", "user,item,time\nu,a,24020300\nu,b,24023000\n", hours, 1), ST_OK);
    assert_int_equal(l.data->events.time[0], THE_THIRD);
    assert_int_equal(l.rejects, 1);
    unload(&l);
    assert_int_equal(load_mapped(&l, "d.csv", text, bad, 1), ST_USAGE);
    assert_non_null(strstr(l.err.hint, "yymmddhh"));
    assert_int_equal(load_mapped(&l, "d.csv", text, mark, 1), ST_USAGE);
    assert_non_null(strstr(l.err.message, "decimal=;"));
}

/* Many rows, so that they are read in several chunks: a joined id is what a column of joined texts is. */
static void test_computed_chunks(void **state)
{
    (void)state;
    struct loaded l, plain;
    struct str a = {0}, b = {0};
    str_puts(&a, "ip,agent,item,time\n");
    str_puts(&b, "user,item,time,type\n");
    for (unsigned i = 0; i < 150000; i++) {
        unsigned ip = i * 7919 % 1000, agent = i * 31 % 17, at = 1700000000 + i;
        const char *quote = agent == 3 ? "\"" : "", *name = agent == 3 ? "a, b" : "x";
        str_printf(&a, "10.0.0.%u,%s%s%u%s,i%u,%u\n", ip, quote, name, agent, quote, i % 50, at);
        str_printf(&b, "%s10.0.0.%u+%s%u%s,i%u,%u,buy\n", quote, ip, name, agent, quote, i % 50, at);
    }
    const struct mapping joined[] = {{"user", "ip+agent"}, {"type", "=buy"}, {"keep", "none"}};
    assert_int_equal(load_mapped(&l, "joined.csv", str_text(&a), joined, 3), ST_OK);
    assert_int_equal(load_mapped(&plain, "plain.csv", str_text(&b), NULL, 0), ST_OK);
    assert_int_equal(l.data->events.n, 150000);
    assert_int_equal(l.data->users.n, plain.data->users.n);
    for (uint32_t u = 0; u < l.data->users.n; u++)
        assert_string_equal(dict_text(&l.data->users, u), dict_text(&plain.data->users, u));
    assert_memory_equal(l.data->events.user, plain.data->events.user, 150000 * sizeof *l.data->events.user);
    assert_memory_equal(l.data->events.item, plain.data->events.item, 150000 * sizeof *l.data->events.item);
    assert_string_equal(dict_text(&l.data->types, 0), "buy");
    unload(&l);
    unload(&plain);
    str_free(&a);
    str_free(&b);
}

/* The number of a row of a database is not moved by line feeds inside texts. */
static void test_database_rows(void **state)
{
    (void)state;
    struct loaded l;
    sqlite3 *db;
    const char *path = scratch_path("rows.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE o (user, item, time, note);"
                                  "INSERT INTO o VALUES ('u1', 'a', 1700000000, 'x' || char(10) || 'y' || char(10)),"
                                  " ('u2', 'b', 1700000001, 'z'), ('u3', 'c', 'soon', 'z');",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(load_paths(&l, &path, 1, NULL, 0), ST_OK);
    assert_int_equal(l.data->events.n, 2);
    assert_int_equal(l.rejects, 1);
    assert_int_equal(l.last_line, 3);
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_computed),
        cmocka_unit_test(test_kept_columns),
        cmocka_unit_test(test_untimed),
        cmocka_unit_test(test_time_forms),
        cmocka_unit_test(test_told_forms),
        cmocka_unit_test(test_computed_chunks),
        cmocka_unit_test(test_database_rows),
    };
    return cmocka_run_group_tests_name("ingest_mapping", tests, NULL, remove_scratch);
}
