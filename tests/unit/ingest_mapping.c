/* What a mapping can say beyond the name of a column: constants, row numbers, joined columns, what is kept. */
#include "tests/unit/ingest_help.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_computed),
        cmocka_unit_test(test_kept_columns),
        cmocka_unit_test(test_untimed),
    };
    return cmocka_run_group_tests_name("ingest_mapping", tests, NULL, remove_scratch);
}
