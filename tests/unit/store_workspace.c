/* The workspace: what is kept comes back the same; who may open it, and what is refused. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "tests/unit/store_data.h"

static char folder[] = "/tmp/store_workspace.XXXXXX";
static char path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a.tailor", folder);
    snprintf(other, sizeof other, "%s/b.tailor", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    remove_space(path);
    remove_space(other);
    return rmdir(folder);
}

static int fresh(void **state)
{
    (void)state;
    remove_space(path);
    remove_space(other);
    return 0;
}

static struct workspace *open_space(const char *file, bool readonly)
{
    struct workspace *w = NULL;
    struct error err = {0};
    enum status st = workspace_open(file, readonly, &w, &err);
    if (st)
        fail_msg("%s (%s)", err.message, status_name(st));
    return w;
}

static void keep(struct workspace *w, const struct dataset *d, bool replace)
{
    struct error err = {0};
    if (workspace_put_dataset(w, d, replace, NULL, &err))
        fail_msg("%s", err.message);
}

static struct dataset *get(struct workspace *w, const char *name)
{
    struct dataset *d = NULL;
    struct error err = {0};
    if (workspace_get_dataset(w, name, &d, NULL, &err))
        fail_msg("%s", err.message);
    return d;
}

static void expect(struct workspace *w, const char *name, const struct dataset *want)
{
    struct dataset *d = get(w, name);
    assert_true(same_data(want, d));
    assert_string_equal(d->name, name);
    dataset_release(d);
}

static void test_round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 1000, 65536, 65537, 150000};
    struct workspace *w = open_space(path, false);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned with = 0; with <= WITH_ALL; with++) {
            if (sizes[i] > 1000 && with != 0 && with != WITH_ALL)
                continue;
            struct dataset *d = make_data("one", i, sizes[i], with, NULL);
            keep(w, d, true);
            expect(w, "one", d);
            dataset_release(d);
        }
    }
    assert_int_equal(workspace_verify(w, NULL, NULL), ST_OK);
    workspace_close(w);
}

/* Values at the edges of their types, where codings could overflow. */
static void test_extreme_values(void **state)
{
    (void)state;
    static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX, 1000000, -1000000, INT64_MAX / 2};
    struct workspace *w = open_space(path, false);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct dataset *d = make_data("edges", seed, 300, WITH_VALUES, NULL);
        struct rng r = rng_stream(seed, "edges", 1);
        struct field *f;
        assert_int_equal(fields_add(&d->user_fields, "n", FIELD_INT, &f, NULL), ST_OK);
        for (size_t row = 0; row < d->users.n; row++)
            assert_int_equal(field_push_int(f, edges[rng_below(&r, 2 + seed % 9)], NULL), ST_OK);
        d->events.value[0] = INFINITY;
        d->events.value[1] = -0.0f;
        keep(w, d, true);
        expect(w, "edges", d);
        dataset_release(d);
    }
    workspace_close(w);
}

static void test_no_data_at_all(void **state)
{
    (void)state;
    struct workspace *w = open_space(path, false);
    struct dataset *d = dataset_new("empty", NULL);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    keep(w, d, false);
    expect(w, "empty", d);
    dataset_release(d);
    workspace_close(w);
}

static void test_catalogue(void **state)
{
    (void)state;
    struct error err;
    struct dataset *a = make_data("a", 1, 500, WITH_ALL, NULL), *b = make_data("b", 2, 700, 0, NULL);
    struct dataset *again = make_data("a", 3, 900, WITH_TIMES, NULL), *none = NULL;
    struct workspace *w = open_space(path, false);
    keep(w, a, false);
    keep(w, b, false);
    assert_int_equal(workspace_put_dataset(w, again, false, NULL, &err), ST_USAGE);
    expect(w, "a", a);
    keep(w, again, true);
    expect(w, "a", again);
    expect(w, "b", b);
    assert_int_equal(workspace_rename_dataset(w, "a", "b", &err), ST_USAGE);
    assert_int_equal(workspace_rename_dataset(w, "x", "y", &err), ST_NOT_FOUND);
    assert_int_equal(workspace_rename_dataset(w, "a", "c", &err), ST_OK);
    workspace_close(w);

    w = open_space(path, false);
    struct dataset_info *info;
    size_t n;
    assert_int_equal(workspace_list_datasets(w, &info, &n, NULL), ST_OK);
    assert_int_equal(n, 2);
    assert_string_equal(info[0].name, "c");
    assert_string_equal(info[1].name, "b");
    assert_int_equal(info[0].events, 900);
    assert_int_equal(info[1].users, b->users.n);
    assert_int_equal(info[1].oldest, NO_TIME);
    int64_t oldest, newest;
    assert_true(dataset_time_range(again, &oldest, &newest));
    assert_int_equal(info[0].oldest, oldest);
    assert_int_equal(info[0].newest, newest);
    mem_free(info);
    expect(w, "c", again);
    assert_int_equal(workspace_get_dataset(w, "a", &none, NULL, &err), ST_NOT_FOUND);
    assert_int_equal(workspace_drop_dataset(w, "c", &err), ST_OK);
    assert_int_equal(workspace_drop_dataset(w, "c", &err), ST_NOT_FOUND);
    expect(w, "b", b);
    workspace_close(w);
    dataset_release(a);
    dataset_release(b);
    dataset_release(again);
}

/* ---- models ---- */

struct stream {
    size_t n;
    uint64_t seed;
    enum status fail; /* after half of it */
};

static enum status write_stream(void *context, struct blob_writer *out, struct error *err)
{
    struct stream *s = context;
    uint64_t *v = mem_new(s->n, sizeof *v, "test", err);
    struct rng r = rng_stream(s->seed, "model", 0);
    for (size_t i = 0; i < s->n; i++)
        v[i] = rng_next(&r);
    enum status st = blob_put(out, "first", BLOB_U64, v, s->n / 2, err);
    if (!st)
        st = s->fail;
    if (!st)
        st = blob_put(out, "second", BLOB_U64, v + s->n / 2, s->n - s->n / 2, err);
    mem_free(v);
    return st;
}

static enum status read_stream(void *context, struct blob_reader *in, struct error *err)
{
    struct stream *s = context;
    struct rng r = rng_stream(s->seed, "model", 0);
    static const char *const names[] = {"first", "second"};
    enum status st = ST_OK;
    for (int half = 0; half < 2 && !st; half++) {
        void *v;
        size_t n;
        st = blob_get_new(in, names[half], BLOB_U64, s->n, &v, &n, err);
        if (st)
            break;
        for (size_t i = 0; i < n; i++)
            assert_int_equal(((uint64_t *)v)[i], rng_next(&r));
        mem_free(v);
    }
    return st;
}

static void test_models(void **state)
{
    (void)state;
    struct error err;
    struct stream small = {10, 1, ST_OK}, large = {1500000, 2, ST_OK}, broken = {1200000, 3, ST_CANCELLED};
    struct dataset *d = make_data("d", 1, 100, 0, NULL);
    struct workspace *w = open_space(path, false);
    struct model_info *info;
    size_t n;
    assert_int_equal(workspace_put_model(w, "d", "ease", "ease", write_stream, &small, false, &err), ST_NOT_FOUND);
    keep(w, d, false);
    assert_int_equal(workspace_put_model(w, "d", "ease", "ease", write_stream, &small, false, &err), ST_OK);
    assert_int_equal(workspace_put_model(w, "d", "als", "ials", write_stream, &large, false, &err), ST_OK);
    assert_int_equal(workspace_get_model(w, "d", "ease", read_stream, &small, &err), ST_OK);
    assert_int_equal(workspace_get_model(w, "d", "als", read_stream, &large, &err), ST_OK);
    assert_int_equal(workspace_put_model(w, "d", "als", "ials", write_stream, &small, false, &err), ST_USAGE);
    assert_int_equal(workspace_put_model(w, "d", "als", "ials", write_stream, &broken, true, &err), ST_CANCELLED);
    assert_int_equal(workspace_get_model(w, "d", "als", read_stream, &large, &err), ST_OK);
    assert_int_equal(workspace_rename_model(w, "d", "als", "ease", &err), ST_USAGE);
    assert_int_equal(workspace_rename_model(w, "d", "als", "als128", &err), ST_OK);
    assert_int_equal(workspace_put_model(w, "d", "ease", "ease", write_stream, &large, true, &err), ST_OK);
    workspace_close(w);

    w = open_space(path, false);
    assert_int_equal(workspace_list_models(w, "d", &info, &n, &err), ST_OK);
    assert_int_equal(n, 2);
    assert_string_equal(info[0].name, "als128");
    assert_string_equal(info[0].class, "ials");
    assert_string_equal(info[1].name, "ease");
    assert_int_equal(info[1].bytes, 1500000 * 8 + 128);
    mem_free(info);
    assert_int_equal(workspace_get_model(w, "d", "ease", read_stream, &large, &err), ST_OK);
    assert_int_equal(workspace_verify(w, NULL, &err), ST_OK);
    assert_int_equal(workspace_drop_model(w, "d", "ease", &err), ST_OK);
    assert_int_equal(workspace_get_model(w, "d", "ease", read_stream, &large, &err), ST_NOT_FOUND);
    keep(w, d, true);
    assert_int_equal(workspace_get_model(w, "d", "als128", read_stream, &large, &err), ST_NOT_FOUND);
    workspace_close(w);
    dataset_release(d);
}

/* ---- notes and rejects ---- */

static enum status join_names(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    (void)err;
    snprintf((char *)context + strlen(context), 64, "%s=%.*s;", name, (int)n, (const char *)value);
    return ST_OK;
}

static void test_notes(void **state)
{
    (void)state;
    struct error err;
    struct dataset *d = make_data("d", 1, 10, 0, NULL);
    struct workspace *w = open_space(path, false);
    void *value;
    size_t n;
    char joined[256] = "";
    keep(w, d, false);
    assert_int_equal(workspace_put_note(w, "x", "feature", "b", "1", 1, &err), ST_NOT_FOUND);
    assert_int_equal(workspace_put_note(w, "d", "feature", "b", "one", 3, &err), ST_OK);
    assert_int_equal(workspace_put_note(w, "d", "feature", "a", "", 0, &err), ST_OK);
    assert_int_equal(workspace_put_note(w, "d", "feature", "b", "two", 3, &err), ST_OK);
    assert_int_equal(workspace_put_note(w, "", "setting", "k", "10", 2, &err), ST_OK);
    keep(w, d, true);
    workspace_close(w);

    w = open_space(path, true);
    assert_int_equal(workspace_get_note(w, "d", "feature", "b", &value, &n, &err), ST_OK);
    assert_int_equal(n, 3);
    assert_string_equal(value, "two");
    mem_free(value);
    assert_int_equal(workspace_list_notes(w, "d", "feature", join_names, joined, &err), ST_OK);
    assert_string_equal(joined, "b=two;a=;");
    assert_int_equal(workspace_get_note(w, NULL, "setting", "k", &value, &n, &err), ST_OK);
    mem_free(value);
    assert_int_equal(workspace_drop_note(w, "d", "feature", "b", &err), ST_STATE);
    workspace_close(w);

    w = open_space(path, false);
    assert_int_equal(workspace_drop_note(w, "d", "feature", "b", &err), ST_OK);
    assert_int_equal(workspace_drop_note(w, "d", "feature", "b", &err), ST_NOT_FOUND);
    assert_int_equal(workspace_get_note(w, "d", "feature", "b", &value, &n, &err), ST_NOT_FOUND);
    workspace_close(w);
    dataset_release(d);
}

static enum status join_rejects(void *context, const struct reject *r, struct error *err)
{
    (void)err;
    snprintf((char *)context + strlen(context), 64, "%s:%d %s [%zu];", r->file, (int)r->line, r->reason, r->text_length);
    return ST_OK;
}

static void test_rejects(void **state)
{
    (void)state;
    struct error err;
    struct dataset *d = make_data("d", 1, 10, 0, NULL);
    struct workspace *w = open_space(path, false);
    const struct reject one = {"a.csv", 7, "no user", "x,\0,y", 5}, two = {"a.csv", 9, "bad time", "", 0};
    char joined[256] = "";
    assert_int_equal(workspace_stage_reject(w, &one, &err), ST_OK);
    workspace_unstage_rejects(w);
    assert_int_equal(workspace_stage_reject(w, &one, &err), ST_OK);
    assert_int_equal(workspace_put_note(w, "", "any", "thing", "", 0, &err), ST_OK);
    assert_int_equal(workspace_stage_reject(w, &two, &err), ST_OK);
    keep(w, d, false);
    assert_int_equal(workspace_each_reject(w, "d", 0, 10, join_rejects, joined, &err), ST_OK);
    assert_string_equal(joined, "a.csv:7 no user [5];a.csv:9 bad time [0];");
    joined[0] = 0;
    assert_int_equal(workspace_each_reject(w, "d", 1, 10, join_rejects, joined, &err), ST_OK);
    assert_string_equal(joined, "a.csv:9 bad time [0];");
    /* Attributes are joined: one more reject, counted on top of the old ones. */
    d->rows_rejected = 3;
    joined[0] = 0;
    assert_int_equal(workspace_stage_reject(w, &one, &err), ST_OK);
    keep(w, d, true);
    assert_int_equal(workspace_each_reject(w, "d", 2, 10, join_rejects, joined, &err), ST_OK);
    assert_string_equal(joined, "a.csv:7 no user [5];");
    /* Loaded anew. */
    d->rows_rejected = 0;
    joined[0] = 0;
    keep(w, d, true);
    assert_int_equal(workspace_each_reject(w, "d", 0, 10, join_rejects, joined, &err), ST_OK);
    assert_string_equal(joined, "");
    workspace_close(w);
    dataset_release(d);
}

/* ---- opening ---- */

static void test_writers_and_readers(void **state)
{
    (void)state;
    struct error err = {0};
    struct stat s;
    struct dataset *a = make_data("a", 1, 3000, WITH_ALL, NULL), *b = make_data("b", 2, 3000, WITH_ALL, NULL);
    struct workspace *w = open_space(path, false), *second = NULL, *reader;
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    keep(w, a, false);
    assert_int_equal(workspace_open(path, false, &second, &err), ST_BUSY);
    assert_non_null(strstr(err.message, "another tailor"));
    reader = open_space(path, true);
    expect(reader, "a", a);
    assert_int_equal(workspace_put_dataset(reader, b, false, NULL, &err), ST_STATE);
    keep(w, b, false);
    expect(reader, "b", b);
    workspace_close(reader);
    workspace_close(w);
    /* Nothing but the file stays, and the next one may write. */
    char lock[80];
    snprintf(lock, sizeof lock, "%s-lock", path);
    assert_int_not_equal(access(lock, F_OK), 0);
    snprintf(lock, sizeof lock, "%s-wal", path);
    assert_int_not_equal(access(lock, F_OK), 0);
    w = open_space(path, false);
    expect(w, "b", b);
    workspace_close(w);
    dataset_release(a);
    dataset_release(b);
}

struct reading {
    struct workspace *w;
    const struct dataset *want;
    size_t rounds;
    atomic_bool stop, bad;
};

static void *read_on(void *context)
{
    struct reading *r = context;
    while (!atomic_load(&r->stop) || r->rounds == 0) {
        struct dataset *d = NULL;
        enum status st = workspace_get_dataset(r->w, "stays", &d, NULL, NULL);
        if (st || !same_data(d, r->want))
            atomic_store(&r->bad, true);
        dataset_release(d);
        r->rounds++;
    }
    return NULL;
}

static void test_reading_while_writing(void **state)
{
    (void)state;
    struct dataset *stays = make_data("stays", 1, 5000, WITH_ALL, NULL), *moves = make_data("moves", 2, 30000, WITH_ALL, NULL);
    struct workspace *w = open_space(path, false);
    keep(w, stays, false);
    struct workspace *far = open_space(path, true);
    struct reading same = {.w = w, .want = stays}, apart = {.w = far, .want = stays};
    pthread_t threads[2];
    assert_int_equal(pthread_create(&threads[0], NULL, read_on, &same), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, read_on, &apart), 0);
    for (int i = 0; i < 10; i++) {
        keep(w, moves, true);
        if (i % 3 == 2)
            assert_int_equal(workspace_drop_dataset(w, "moves", NULL), ST_OK);
    }
    atomic_store(&same.stop, true);
    atomic_store(&apart.stop, true);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_false(atomic_load(&same.bad));
    assert_false(atomic_load(&apart.bad));
    workspace_close(far);
    workspace_close(w);
    dataset_release(stays);
    dataset_release(moves);
}

static void write_file(const char *text, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void refused(const char *file, bool readonly, enum status want)
{
    struct workspace *w = NULL;
    struct error err = {0};
    assert_int_equal(workspace_open(file, readonly, &w, &err), want);
    assert_null(w);
    assert_string_not_equal(err.message, "");
}

static void test_wrong_files(void **state)
{
    (void)state;
    static const char text[] = "user,item,rating\n1,2,3\n";
    char content[sizeof text] = "";
    for (int readonly = 0; readonly < 2; readonly++) {
        write_file(text, sizeof text - 1);
        refused(path, readonly, ST_FORMAT);
        FILE *f = fopen(path, "rb");
        assert_int_equal(fread(content, 1, sizeof content, f), sizeof text - 1);
        fclose(f);
        assert_string_equal(content, text);
        unlink(path);
        run_sql("CREATE TABLE shop (id)");
        refused(path, readonly, ST_FORMAT);
        unlink(path);
        refused(folder, readonly, ST_FORMAT);
        refused("/tmp/no such folder/at all", readonly, ST_NOT_FOUND);
    }
    refused(path, true, ST_NOT_FOUND);
    write_file("", 0);
    refused(path, true, ST_FORMAT);
    workspace_close(open_space(path, false));
    run_sql("PRAGMA user_version = 99");
    refused(path, false, ST_UNSUPPORTED);
    refused(path, true, ST_UNSUPPORTED);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(path, false, ST_FORMAT);
}

static void test_link_is_the_same_file(void **state)
{
    (void)state;
    struct workspace *w = open_space(path, false);
    assert_int_equal(symlink(path, other), 0);
    refused(other, false, ST_BUSY);
    workspace_close(w);
    w = open_space(other, false);
    refused(path, false, ST_BUSY);
    workspace_close(w);
}

/* ---- temporary and saved ---- */

static void test_temporary_leaves_nothing(void **state)
{
    (void)state;
    struct dataset *d = make_data("d", 1, 200000, WITH_ALL, NULL);
    char where[64];
    snprintf(where, sizeof where, "%s/tmp", folder);
    assert_int_equal(mkdir(where, 0700), 0);
    setenv("TMPDIR", where, 1);
    struct workspace *w = open_space(NULL, false);
    unsetenv("TMPDIR");
    assert_int_equal(rmdir(where), 0);
    assert_null(workspace_path(w));
    for (int i = 0; i < 3; i++) {
        keep(w, d, true);
        expect(w, "d", d);
    }
    assert_int_equal(workspace_verify(w, NULL, NULL), ST_OK);
    workspace_close(w);
    dataset_release(d);
}

static void test_save_as(void **state)
{
    (void)state;
    struct error err;
    struct dataset *a = make_data("a", 1, 2000, WITH_ALL, NULL), *b = make_data("b", 2, 100, 0, NULL);
    struct stream model = {100, 1, ST_OK};
    struct workspace *w = open_space(NULL, false), *busy;
    keep(w, a, false);
    assert_int_equal(workspace_put_model(w, "a", "m", "pop", write_stream, &model, false, &err), ST_OK);
    assert_int_equal(workspace_save_as(w, path, false, NULL, &err), ST_OK);
    assert_string_equal(workspace_path(w), path);
    keep(w, b, false);
    workspace_close(w);

    w = open_space(path, false);
    expect(w, "a", a);
    expect(w, "b", b);
    assert_int_equal(workspace_get_model(w, "a", "m", read_stream, &model, &err), ST_OK);
    assert_int_equal(workspace_save_as(w, path, false, NULL, &err), ST_OK);
    busy = open_space(other, false);
    assert_int_equal(workspace_save_as(w, other, false, NULL, &err), ST_USAGE);
    assert_int_equal(workspace_save_as(w, other, true, NULL, &err), ST_BUSY);
    workspace_close(busy);
    assert_int_equal(workspace_drop_dataset(w, "b", &err), ST_OK);
    assert_int_equal(workspace_save_as(w, other, true, NULL, &err), ST_OK);
    expect(w, "a", a);
    busy = open_space(path, false);
    expect(busy, "a", a);
    workspace_close(busy);
    refused(other, false, ST_BUSY);
    workspace_close(w);
    w = open_space(other, true);
    expect(w, "a", a);
    workspace_close(w);

    /* Somebody's text is not replaced, whatever is said. */
    remove_space(path);
    write_file("precious", 8);
    w = open_space(NULL, false);
    assert_int_equal(workspace_save_as(w, path, true, NULL, &err), ST_FORMAT);
    assert_null(workspace_path(w));
    keep(w, a, false);
    expect(w, "a", a);
    workspace_close(w);
    dataset_release(a);
    dataset_release(b);
}

static void test_cancel(void **state)
{
    (void)state;
    struct error err;
    struct job job;
    struct dataset *d = make_data("d", 1, 1000, WITH_ALL, NULL), *none = NULL;
    struct workspace *w = open_space(path, false);
    job_init(&job);
    job_cancel(&job);
    assert_int_equal(workspace_put_dataset(w, d, false, &job, &err), ST_CANCELLED);
    assert_int_equal(workspace_get_dataset(w, "d", &none, NULL, &err), ST_NOT_FOUND);
    keep(w, d, false);
    assert_int_equal(workspace_get_dataset(w, "d", &none, &job, &err), ST_CANCELLED);
    assert_null(none);
    assert_int_equal(workspace_save_as(w, other, false, &job, &err), ST_CANCELLED);
    assert_int_not_equal(access(other, F_OK), 0);
    expect(w, "d", d);
    workspace_close(w);
    job_destroy(&job);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_round_trips, fresh),
        cmocka_unit_test_setup(test_extreme_values, fresh),
        cmocka_unit_test_setup(test_no_data_at_all, fresh),
        cmocka_unit_test_setup(test_catalogue, fresh),
        cmocka_unit_test_setup(test_models, fresh),
        cmocka_unit_test_setup(test_notes, fresh),
        cmocka_unit_test_setup(test_rejects, fresh),
        cmocka_unit_test_setup(test_writers_and_readers, fresh),
        cmocka_unit_test_setup(test_reading_while_writing, fresh),
        cmocka_unit_test_setup(test_wrong_files, fresh),
        cmocka_unit_test_setup(test_link_is_the_same_file, fresh),
        cmocka_unit_test_setup(test_temporary_leaves_nothing, fresh),
        cmocka_unit_test_setup(test_save_as, fresh),
        cmocka_unit_test_setup(test_cancel, fresh),
    };
    return cmocka_run_group_tests_name("store_workspace", tests, make_folder, drop_folder);
}
