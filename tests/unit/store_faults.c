/* What goes wrong around a workspace: altered and truncated files, no memory, a full disk, kill -9. After each, what was
 * committed is there and the same, or it is refused; never something else. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/store_data.h"

static char folder[] = "/tmp/store_faults.XXXXXX";
static char path[64], other[64];

/* ---- one allocation fails: ours through the hook, SQLite's through its own ---- */

static struct {
    long left;      /* allocations until the failure; < 0: off */
    bool for_good;  /* all later ones fail too */
    bool fired;
} memory = {-1, false, false};

static bool allow(void *context, size_t bytes)
{
    (void)context;
    (void)bytes;
    if (memory.left < 0)
        return true;
    if (memory.left > 0) {
        memory.left--;
        return true;
    }
    memory.fired = true;
    if (!memory.for_good)
        memory.left = -1;
    return false;
}

static sqlite3_mem_methods plain;

static void *sqlite_new(int bytes)
{
    return allow(NULL, 0) ? plain.xMalloc(bytes) : NULL;
}

static void *sqlite_grow(void *old, int bytes)
{
    return allow(NULL, 0) ? plain.xRealloc(old, bytes) : NULL;
}

static void hook_sqlite(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain);
    sqlite3_mem_methods hooked = plain;
    hooked.xMalloc = sqlite_new;
    hooked.xRealloc = sqlite_grow;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &hooked);
}

static void fail_after(long n, bool for_good)
{
    memory.left = n;
    memory.for_good = for_good;
    memory.fired = false;
    mem_set_hook(allow, NULL);
}

static void stop_failing(void)
{
    mem_set_hook(NULL, NULL);
    memory.left = -1;
}

/* ---- the workspace under test ---- */

static const uint64_t numbers[1000] = {1, 2, 3};

static enum status write_numbers(void *context, struct blob_writer *out, struct error *err)
{
    (void)context;
    return blob_put(out, "numbers", BLOB_U64, numbers, 1000, err);
}

static enum status read_numbers(void *context, struct blob_reader *in, struct error *err)
{
    uint64_t v[1000];
    (void)context;
    enum status st = blob_get(in, "numbers", BLOB_U64, v, 1000, err);
    if (!st)
        assert_memory_equal(v, numbers, sizeof v);
    return st;
}

static void expect_ok(enum status st, const struct error *err)
{
    if (st)
        fail_msg("%s: %s", status_name(st), err->message);
}

static void build(const char *file, const struct dataset *d)
{
    struct workspace *w;
    struct error err = {0};
    remove_space(file);
    expect_ok(workspace_open(file, false, &w, &err), &err);
    expect_ok(workspace_put_dataset(w, d, false, NULL, &err), &err);
    expect_ok(workspace_put_model(w, d->name, "m", "pop", write_numbers, NULL, false, &err), &err);
    expect_ok(workspace_put_note(w, d->name, "feature", "f", "count()", 7, &err), &err);
    workspace_close(w);
}

/* Looks at everything in a workspace that may be damaged: what is given out must be what was put in. True when all was. */
static bool look_at(const char *file, bool readonly, const struct dataset *want)
{
    struct workspace *w = NULL;
    struct error err = {0};
    struct dataset *d = NULL;
    struct dataset_info *info = NULL;
    void *note = NULL;
    size_t n = 0;
    if (workspace_open(file, readonly, &w, &err)) {
        assert_string_not_equal(err.message, "");
        return false;
    }
    bool whole = workspace_list_datasets(w, &info, &n, &err) == ST_OK;
    mem_free(info);
    if (workspace_get_dataset(w, want->name, &d, NULL, &err) == ST_OK)
        assert_true(same_data(d, want));
    else
        whole = false;
    dataset_release(d);
    whole &= workspace_get_model(w, want->name, "m", read_numbers, NULL, &err) == ST_OK;
    if (workspace_get_note(w, want->name, "feature", "f", &note, &n, &err) == ST_OK)
        assert_string_equal(note, "count()");
    else
        whole = false;
    mem_free(note);
    workspace_close(w);
    return whole;
}

static char *read_whole(const char *file, size_t *n)
{
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*n);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

static void write_whole(const char *file, const char *bytes, size_t n)
{
    remove_space(file);
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void test_bit_flips(void **state)
{
    (void)state;
    struct dataset *d = make_data("d", 1, 4000, WITH_ALL, NULL);
    struct rng r = rng_stream(1, "flips", 0);
    size_t n, noticed = 0;
    build(path, d);
    char *bytes = read_whole(path, &n);
    for (int i = 0; i < 2000; i++) {
        size_t bit = rng_below(&r, n * 8);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        write_whole(other, bytes, n);
        noticed += !look_at(other, i % 4 != 0, d);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    /* Much of a small file is unused room, where a flip is harmless; a test that notices less is not looking. */
    assert_in_range(noticed, 600, 2000);
    write_whole(other, bytes, n);
    assert_true(look_at(other, true, d));
    free(bytes);
    dataset_release(d);
}

static void test_truncated(void **state)
{
    (void)state;
    struct dataset *d = make_data("d", 1, 2000, WITH_ALL, NULL);
    struct rng r = rng_stream(2, "cuts", 0);
    size_t n;
    build(path, d);
    char *bytes = read_whole(path, &n);
    for (size_t cut = 1; cut < n; cut += 1 + rng_below(&r, n / 150)) {
        write_whole(other, bytes, cut);
        assert_false(look_at(other, rng_below(&r, 4) != 0, d));
    }
    free(bytes);
    dataset_release(d);
}

static void test_no_memory_to_put(void **state)
{
    (void)state;
    struct dataset *before = make_data("d", 1, 300, WITH_ALL, NULL), *after = make_data("d", 2, 400, WITH_ALL, NULL);
    struct error err = {0};
    struct workspace *w;
    for (int for_good = 0; for_good < 2; for_good++) {
        build(path, before);
        expect_ok(workspace_open(path, false, &w, &err), &err);
        for (long n = 0;; n += 1 + n / 40) {
            fail_after(n, for_good);
            enum status st = workspace_put_dataset(w, after, true, NULL, &err);
            stop_failing();
            struct dataset *got = NULL;
            expect_ok(workspace_get_dataset(w, "d", &got, NULL, &err), &err);
            assert_true(same_data(got, st ? before : after));
            dataset_release(got);
            if (!memory.fired)
                break;
            if (st)
                assert_int_equal(st, ST_NOMEM);
            else
                expect_ok(workspace_put_dataset(w, before, true, NULL, &err), &err);
        }
        expect_ok(workspace_verify(w, NULL, &err), &err);
        workspace_close(w);
    }
    dataset_release(before);
    dataset_release(after);
}

static void test_no_memory_to_get(void **state)
{
    (void)state;
    struct dataset *d = make_data("d", 1, 300, WITH_ALL, NULL);
    struct error err = {0};
    struct workspace *w = NULL;
    build(path, d);
    for (int opening = 0; opening < 2; opening++) {
        for (long n = 0;; n += 1 + n / 60) {
            struct dataset *got = NULL;
            enum status st = ST_OK;
            if (!opening)
                expect_ok(workspace_open(path, true, &w, &err), &err);
            fail_after(n, n % 2 == 0);
            if (opening)
                st = workspace_open(path, true, &w, &err);
            if (!st)
                st = workspace_get_dataset(w, "d", &got, NULL, &err);
            stop_failing();
            if (st)
                assert_int_equal(st, ST_NOMEM);
            else
                assert_true(same_data(got, d));
            dataset_release(got);
            workspace_close(w);
            w = NULL;
            if (!memory.fired)
                break;
        }
    }
    dataset_release(d);
}

/* Work that ends in death or under limits is done by this program started anew: OpenMP does not live through a fork. */
static pid_t start(const char *const *words)
{
    char self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = 0;
    pid_t child = fork();
    if (child == 0) {
        execv(self, (char *const *)words);
        _exit(127);
    }
    return child;
}

/* A file may not grow past a limit. Says 0 when the data set was kept, 1 when it was refused as it should be. */
static int child_fills_disk(const char *file, const char *limit)
{
    struct workspace *w;
    struct error err = {0};
    struct dataset *big = make_data("d", 2, 30000, WITH_ALL, NULL);
    rlim_t bytes = strtoul(limit, NULL, 10);
    if (workspace_open(file, false, &w, &err))
        return 9;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, bytes});
    enum status st = workspace_put_dataset(w, big, true, NULL, &err);
    dataset_release(big);
    workspace_close(w);
    return st == ST_OK ? 0 : st == ST_IO && err.message[0] ? 1 : 2;
}

static void test_disk_full(void **state)
{
    (void)state;
    struct dataset *before = make_data("d", 1, 2000, WITH_ALL, NULL);
    int refused = 0;
    for (long limit = 0; limit < 2500000; limit += 190000) {
        int status;
        char bytes[32];
        snprintf(bytes, sizeof bytes, "%ld", limit);
        build(path, before);
        pid_t child = start((const char *[]){"store_faults", "fill", path, bytes, NULL});
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_in_range(WEXITSTATUS(status), 0, 1);
        if (WEXITSTATUS(status) == 1) {
            refused++;
            assert_true(look_at(path, false, before));
        }
    }
    assert_true(refused > 3);
    dataset_release(before);
}

/* ---- kill -9 ----
 *
 * A child works through steps that (step) tells all of, and says through a pipe when it begins and ends each. */

enum { NAMES = 3, KILLS = 100 };
struct state_of {
    uint64_t seed[NAMES]; /* of the data set of that name; 0: there is none */
};

static void apply(struct state_of *s, uint64_t step)
{
    s->seed[step % NAMES] = step % 5 == 4 ? 0 : step + 1;
}

static enum status work(struct workspace *w, const struct state_of *s, uint64_t step, struct error *err)
{
    char name[2] = {(char)('a' + step % NAMES), 0};
    if (step % 5 == 4)
        return s->seed[step % NAMES] ? workspace_drop_dataset(w, name, err) : ST_OK;
    struct dataset *d = make_data(name, step + 1, 100 + step % 7 * 400, WITH_ALL, err);
    enum status st = workspace_put_dataset(w, d, true, NULL, err);
    dataset_release(d);
    return st ? st : workspace_put_model(w, name, "m", "pop", write_numbers, NULL, false, err);
}

/* file, pipe, step, seeds */
static int child_works(char **words)
{
    struct workspace *w;
    struct state_of s = {0};
    struct error err = {0};
    int say = atoi(words[1]);
    uint64_t step = strtoull(words[2], NULL, 10);
    for (int i = 0; i < NAMES; i++)
        s.seed[i] = strtoull(words[3 + i], NULL, 10);
    if (workspace_open(words[0], false, &w, &err))
        return 3;
    for (;; step++) {
        char begun = 'b', done = 'd';
        if (write(say, &begun, 1) != 1 || work(w, &s, step, &err) || write(say, &done, 1) != 1)
            return 4;
        apply(&s, step);
    }
}

static pid_t start_work(int say, const struct state_of *s, uint64_t step)
{
    char words[2 + NAMES][32];
    snprintf(words[0], sizeof words[0], "%d", say);
    snprintf(words[1], sizeof words[1], "%llu", (unsigned long long)step);
    for (int i = 0; i < NAMES; i++)
        snprintf(words[2 + i], sizeof words[2 + i], "%llu", (unsigned long long)s->seed[i]);
    return start((const char *[]){"store_faults", "work", path, words[0], words[1], words[2], words[3], words[4], NULL});
}

/* Exactly these data sets, cell by cell. */
static bool is_state(struct workspace *w, const struct state_of *s)
{
    bool same = true;
    for (uint64_t i = 0; i < NAMES && same; i++) {
        char name[2] = {(char)('a' + i), 0};
        struct dataset *d = NULL, *want = NULL;
        struct error err = {0};
        enum status st = workspace_get_dataset(w, name, &d, NULL, &err);
        if (st && st != ST_NOT_FOUND)
            fail_msg("%s: %s", name, err.message);
        same = (st == ST_OK) == (s->seed[i] != 0);
        if (same && !st) {
            want = make_data(name, s->seed[i], 100 + (s->seed[i] - 1) % 7 * 400, WITH_ALL, NULL);
            same = same_data(d, want);
        }
        dataset_release(d);
        dataset_release(want);
    }
    return same;
}

static void test_kills(void **state)
{
    (void)state;
    struct rng r = rng_stream(4, "kills", 0);
    struct state_of now = {0};
    struct error err = {0};
    uint64_t step = 0, busy = 0;
    remove_space(path);
    for (int kill_number = 0; kill_number < KILLS; kill_number++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        pid_t child = start_work(ends[1], &now, step);
        close(ends[1]);
        /* The first word comes once the workspace is open; the kill falls somewhere in the work after it. */
        char word, last = 0;
        if (rng_below(&r, 8) != 0)
            assert_int_equal(read(ends[0], &last, 1), 1);
        usleep((useconds_t)rng_below(&r, 25000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &word, 1) == 1) {
            last = word;
            if (word == 'd')
                apply(&now, step++);
        }
        close(ends[0]);
        struct workspace *w;
        expect_ok(workspace_open(path, false, &w, &err), &err);
        if (!is_state(w, &now)) {
            assert_int_equal(last, 'b');
            apply(&now, step);
            assert_true(is_state(w, &now));
            step++;
        }
        busy += last == 'b';
        expect_ok(workspace_verify(w, NULL, &err), &err);
        workspace_close(w);
    }
    assert_true(busy > KILLS / 4);
}

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

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "fill") == 0)
        return child_fills_disk(argv[2], argv[3]);
    if (argc == 5 + NAMES && strcmp(argv[1], "work") == 0)
        return child_works(argv + 2);
    hook_sqlite();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills),           cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_truncated),       cmocka_unit_test(test_no_memory_to_put),
        cmocka_unit_test(test_no_memory_to_get), cmocka_unit_test(test_disk_full),
    };
    return cmocka_run_group_tests_name("store_faults", tests, make_folder, drop_folder);
}
