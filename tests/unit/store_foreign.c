/* Somebody else's database: its rows as CSV, and nothing but rows. */
#include "tests/unit/unit.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "store/foreign.h"

static char path[64];

static int make_database(void **state)
{
    sqlite3 *db;
    (void)state;
    snprintf(path, sizeof path, "/tmp/tailor-foreign-%ld.db", (long)getpid());
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE \"my orders\" (uid TEXT, sku, at INT, note);"
                                  "INSERT INTO \"my orders\" VALUES ('u1', 'a', 1700000000, 'say \"hi\",' || char(10) || 'x'),"
                                  " ('u2', NULL, 1700000001, 2.5);"
                                  "CREATE TABLE other (x);"
                                  "CREATE VIEW bad AS SELECT load_extension('nasty') AS x;",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    return 0;
}

static int drop_database(void **state)
{
    (void)state;
    return unlink(path);
}

static enum status read_all(const char *query, const char *table, struct str *out, struct error *err)
{
    struct foreign *f = NULL;
    enum status st = foreign_open(path, query, table, NULL, &f, err);
    for (size_t before = SIZE_MAX; !st && out->length != before;) {
        before = out->length;
        st = foreign_read(f, out, out->length + 1, err);
    }
    foreign_close(f);
    return st;
}

static void test_rows(void **state)
{
    (void)state;
    struct str out = {0};
    struct error err;
    assert_true(foreign_mine(path));
    assert_int_equal(read_all(NULL, "my orders", &out, &err), ST_OK);
    assert_string_equal(str_text(&out), "\"uid\",\"sku\",\"at\",\"note\"\n\"u1\",\"a\",1700000000,\"say \"\"hi\"\",\nx\"\n"
                                        "\"u2\",,1700000001,2.5\n");
    str_clear(&out);
    assert_int_equal(read_all("select uid as user, count(*) as n from \"my orders\" group by 1 order by 1 ; ", NULL, &out, &err),
                     ST_OK);
    assert_string_equal(str_text(&out), "\"user\",\"n\"\n\"u1\",1\n\"u2\",1\n");
    str_free(&out);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *query, *says;
    } bad[] = {{"select nope from other", "no such column: nope"},
               {"delete from other", "not authorized"},
               {"select 1; select 2", "one SELECT"},
               {"attach 'x' as y", "not authorized"},
               {"pragma writable_schema = 1", "not authorized"},
               {"select load_extension('x')", "not authorized"},
               {"select * from bad", "load_extension"},
               {"", "one SELECT"}};
    struct str out = {0};
    struct error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_not_equal(read_all(bad[i].query, NULL, &out, &err), ST_OK);
        if (!strstr(err.message, bad[i].says))
            fail_msg("%s: %s", bad[i].query, err.message);
    }
    assert_int_equal(read_all(NULL, NULL, &out, &err), ST_USAGE);
    assert_non_null(strstr(err.hint, "my orders, other, bad"));
    assert_int_equal(read_all("select * from gone", NULL, &out, &err), ST_USAGE);
    assert_non_null(strstr(err.hint, "my orders"));
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests_name("store_foreign", tests, make_database, drop_database);
}
