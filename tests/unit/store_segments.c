/* What is appended to a kept data set: there again as it was in memory, in few segments, over renames, folds and drops; and
 * workspaces from before there were segments. */
#include "tests/unit/unit.h"

#include <sqlite3.h>

#include "data/grow.h"
#include "tests/unit/store_data.h"

static char folder[] = "/tmp/store_segments.XXXXXX";
static char path[64];

static void ok(enum status st, const struct error *err)
{
    if (st)
        fail_msg("%s: %s", status_name(st), err->message);
}

static struct workspace *reopen(struct workspace *w, bool readonly)
{
    struct error err = {0};
    workspace_close(w);
    ok(workspace_open(path, readonly, &w, &err), &err);
    return w;
}

static void expect_kept(struct workspace *w, const struct dataset *want)
{
    struct error err = {0};
    struct dataset *got = NULL;
    ok(workspace_get_dataset(w, want->name, &got, NULL, &err), &err);
    assert_true(same_data(got, want));
    assert_int_equal(got->nstages, want->nstages);
    for (size_t i = 0; i < want->nstages; i++) {
        const struct data_stage *a = &got->stages[i], *b = &want->stages[i];
        assert_true(a->fingerprint == b->fingerprint && a->events == b->events && a->sequence == b->sequence &&
                    a->users == b->users && a->items == b->items && a->types == b->types);
    }
    dataset_release(got);
}

/* One number of a query on the file, which nobody has open. */
static int64_t ask(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    int rc = sqlite3_step(s);
    int64_t n = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static void run(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static struct workspace *fresh(const struct dataset *d)
{
    struct workspace *w;
    struct error err = {0};
    remove_space(path);
    ok(workspace_open(path, false, &w, &err), &err);
    ok(workspace_put_dataset(w, d, false, NULL, &err), &err);
    return w;
}

/* Appends a made-up batch to *d, in memory and in the workspace. */
static void append(struct workspace *w, struct dataset **d, uint64_t seed, size_t n)
{
    struct error err = {0};
    struct dataset *batch = make_data("batch", seed, n, WITH_ALL, NULL), *grown;
    ok(dataset_grow(*d, batch, &grown, &err), &err);
    ok(workspace_append(w, batch, grown, NULL, &err), &err);
    dataset_release(batch);
    dataset_release(*d);
    *d = grown;
}

static void test_many(void **state)
{
    (void)state;
    struct error err = {0};
    struct dataset *d = make_data("d", 1, 500, WITH_ALL, NULL);
    struct dataset_info *info;
    size_t n;
    struct workspace *w = fresh(d);
    for (uint64_t i = 0; i < 100; i++) {
        append(w, &d, 10 + i, i % 10 ? i % 7 : 60);
        if (i % 9 == 0)
            expect_kept(w, d);
    }
    w = reopen(w, true);
    expect_kept(w, d);
    ok(workspace_verify(w, NULL, &err), &err);
    ok(workspace_list_datasets(w, &info, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_int_equal(info->events, d->events.n);
    assert_int_equal(info->users, d->users.n);
    assert_int_equal(info->items, d->items.n);
    assert_int_equal(info->rejects, d->rows_rejected);
    assert_int_equal(info->fingerprint, d->fingerprint);
    mem_free(info);
    workspace_close(w);
    assert_int_equal(ask("SELECT count(*) FROM t_segments"), 100);
    assert_in_range(ask("SELECT count(*) FROM t_segments WHERE folded = 0"), 1, 30);
    w = reopen(NULL, false);
    ok(workspace_rename_dataset(w, "d", "renamed", &err), &err);
    mem_free(d->name);
    d->name = mem_strdup("renamed", NULL);
    expect_kept(w, d);
    ok(workspace_fold(w, d, true, NULL, &err), &err);
    expect_kept(w, d);
    append(w, &d, 1000, 20);
    expect_kept(w, d);
    w = reopen(w, false);
    expect_kept(w, d);
    workspace_close(w);
    assert_int_equal(ask("SELECT count(*) FROM t_segments WHERE folded = 0"), 1);
    w = reopen(NULL, false);
    ok(workspace_drop_dataset(w, "renamed", &err), &err);
    workspace_close(w);
    assert_int_equal(ask("SELECT (SELECT count(*) FROM t_segments) + (SELECT count(*) FROM t_tails)"
                         " + (SELECT count(*) FROM t_chunks) + (SELECT count(*) FROM t_columns)"),
                     0);
    dataset_release(d);
}

static enum status count(void *context, const struct reject *r, struct error *err)
{
    (void)err;
    assert_string_equal(r->reason, "no user");
    ++*(int *)context;
    return ST_OK;
}

static void test_rejects_are_added(void **state)
{
    (void)state;
    struct error err = {0};
    const struct reject bad = {"f.csv", 3, "no user", "x", 1};
    int n = 0;
    struct dataset *d = make_data("d", 1, 50, WITH_ALL, NULL);
    struct workspace *w = fresh(d);
    for (uint64_t i = 0; i < 3; i++) {
        ok(workspace_stage_reject(w, &bad, &err), &err);
        append(w, &d, i, 5);
    }
    append(w, &d, 9, 0);
    ok(workspace_each_reject(w, "d", 0, 100, count, &n, &err), &err);
    assert_int_equal(n, 3);
    workspace_close(w);
    dataset_release(d);
}

/* A file of the first version, and one that somebody else still reads as such. */
static void test_first_version(void **state)
{
    (void)state;
    struct error err = {0};
    struct dataset *d = make_data("d", 1, 300, WITH_ALL, NULL);
    workspace_close(fresh(d));
    run("DROP TABLE t_segments; DROP TABLE t_tails; PRAGMA user_version = 1");
    struct workspace *w = reopen(NULL, true);
    expect_kept(w, d);
    ok(workspace_verify(w, NULL, &err), &err);
    workspace_close(w);
    assert_int_equal(ask("PRAGMA user_version"), 1);
    w = reopen(NULL, false);
    expect_kept(w, d);
    append(w, &d, 2, 30);
    expect_kept(w, d);
    w = reopen(w, true);
    expect_kept(w, d);
    workspace_close(w);
    assert_int_equal(ask("PRAGMA user_version"), 2);
    dataset_release(d);
}

static void test_damage(void **state)
{
    static const char *const damages[] = {
        "DELETE FROM t_segments WHERE id = 3",
        "DELETE FROM t_segments WHERE id = 1",
        "DELETE FROM t_segments",
        "DELETE FROM t_tails",
        "UPDATE t_segments SET users = users + 1 WHERE id = 2",
        "UPDATE t_segments SET folded = 1 WHERE id = 2",
        "UPDATE t_segments SET was_fingerprint = was_fingerprint + 1 WHERE id = 3",
        "UPDATE t_columns SET count = count - 1 WHERE dataset = -2 AND number = 0",
        "DELETE FROM t_chunks WHERE dataset = -3 AND number = 1",
        "UPDATE t_chunks SET data = (SELECT data FROM t_chunks WHERE dataset = -3 AND number = 0), sum = (SELECT sum FROM"
        " t_chunks WHERE dataset = -3 AND number = 0) WHERE dataset = -2 AND number = 0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct dataset *d = make_data("d", 1, 100, WITH_ALL, NULL), *got = NULL;
        struct workspace *w = fresh(d);
        for (uint64_t k = 0; k < 3; k++)
            append(w, &d, k, 5);
        workspace_close(w);
        run(damages[i]);
        w = reopen(NULL, true);
        assert_int_equal(workspace_get_dataset(w, "d", &got, NULL, NULL), ST_CORRUPT);
        workspace_close(w);
        dataset_release(d);
    }
}

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/w.tailor", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    remove_space(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many), cmocka_unit_test(test_rejects_are_added),
                                       cmocka_unit_test(test_first_version), cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests_name("store_segments", tests, begin, end);
}
