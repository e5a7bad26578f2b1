/* append and follow, from a line of text to what the face gets: what was made before stays usable, nothing is taken twice. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands/command.h"
#include "commands/follow.h"
#include "ingest/source.h"

static char folder[] = "/tmp/tailor-append-XXXXXX";

struct face {
    struct sink sink;
    struct workbench *wb;
    struct error err;
    struct str shown; /* the last result as CSV, then its messages */
};

static enum status emit(struct sink *s, struct result *r, struct error *err)
{
    struct face *f = s->face;
    struct render_options options = {.form = OUTPUT_CSV, .header = true};
    str_clear(&f->shown);
    enum status st = result_render_text(r, &options, &f->shown, err);
    for (size_t i = 0; i < r->nmessages; i++)
        str_printf(&f->shown, "%s\n", r->messages[i].text);
    return st;
}

static const char *run(struct face *f, const char *line)
{
    str_clear(&f->shown);
    if (command_run(f->wb, line, &f->sink, &f->err))
        fail_msg("%s: %s (%s)", line, f->err.message, f->err.hint);
    return str_text(&f->shown);
}

static void says(struct face *f, const char *line, const char *words)
{
    if (!strstr(run(f, line), words))
        fail_msg("%s: no \"%s\" in: %s", line, words, str_text(&f->shown));
}

static void fails(struct face *f, const char *line, enum status expect, const char *message)
{
    assert_int_equal(command_run(f->wb, line, &f->sink, &f->err), expect);
    if (!strstr(f->err.message, message))
        fail_msg("%s: %s", line, f->err.message);
}

static void reopen(struct face *f, const char *path)
{
    struct error err;
    workbench_close(f->wb);
    if (workbench_open(path, false, &f->wb, &err))
        fail_msg("%s", err.message);
}

static void put(const char *name, const char *mode, const char *text)
{
    FILE *file = fopen(name, mode);
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* A log of 30 users who like what stands near each other. */
static void put_log(const char *name)
{
    FILE *file = fopen(name, "w");
    fputs("user,item,time,price\n", file);
    for (int u = 0; u < 30; u++)
        for (int k = 0; k < 6; k++)
            fprintf(file, "u%d,i%d,2024-01-%02d,%d.5\n", u, (u / 3 + k * k) % 20, 1 + k, k);
    fclose(file);
}

static char *copy(const char *text)
{
    char *c = mem_strdup(text, NULL);
    assert_non_null(c);
    return c;
}

/* ---- append ---- */

static void test_models_and_split_stay(void **state)
{
    struct face *f = *state;
    static const char *const asks[] = {"recommend u3 with pop itemknn ease ials k=30", "compare metric=ndcg@10 recall@5 mrr@10",
                                       "similar i4 with itemknn ease", "why u3 #1 with ease", "whatif u3 remove i1 with itemknn ease"};
    enum { ASKS = sizeof asks / sizeof *asks };
    char *before[ASKS];
    put_log("log.csv");
    put("more.csv", "w",
        "user,item,time,price\nu0,new1,2024-03-01,1\nu1,i3,2024-03-01,2\nsomebody,i1,2024-03-01,1\nsomebody,i2,2024-03-02,1\n"
        "u2,i5,never,1\n");
    run(f, "load log.csv replace=yes");
    run(f, "split last 1");
    run(f, "train pop itemknn ease ials");
    for (int i = 0; i < ASKS; i++)
        before[i] = copy(run(f, asks[i]));
    says(f, "append more.csv", "log,4,1,1,184,31,");
    says(f, "rejects", "more.csv,6,");
    assert_int_equal(f->wb->data->rows_read, f->wb->data->rows_kept + f->wb->data->rows_rejected);
    for (int again = 0; again < 2; again++) {
        /* Nothing was told of u3: all answers are the same, the new item is in none of them. */
        for (int i = 0; i < ASKS; i++)
            if (i != 1)
                assert_string_equal(run(f, asks[i]), before[i]);
        /* Title apart, which counts items. */
        assert_string_equal(strchr(run(f, asks[1]), '\n'), strchr(before[1], '\n'));
        says(f, "models", "trained before 4 new events: pop, itemknn, ease, ials");
        says(f, "recommend somebody with ease k=2", "ease,1,");
        assert_null(strstr(run(f, "recommend u1 with ease itemknn k=30"), "i3,"));
        assert_null(strstr(run(f, "recommend u0 with ease pop k=30"), "new1"));
        fails(f, "why u1 new1 with ease", ST_STATE, "does not know item");
        run(f, "save kept.tailor replace=yes");
        reopen(f, "kept.tailor");
    }
    run(f, "train ease");
    says(f, "models", "trained before 4 new events: pop, itemknn, ease, ials\n");
    run(f, "train ease as fresh");
    says(f, "split last 1", "train,153");
    for (int i = 0; i < ASKS; i++)
        mem_free(before[i]);
}

static void test_nothing_is_taken_twice(void **state)
{
    struct face *f = *state;
    put_log("twice.csv");
    run(f, "load twice.csv replace=yes");
    fails(f, "append twice.csv", ST_STATE, "nothing new");
    put("twice.csv", "a", "u1,i1,2024-05-01,1\nu2,i2,2024-05-01,1");
    says(f, "append twice.csv", "twice,2,");
    fails(f, "append twice.csv", ST_STATE, "nothing new");
    says(f, "append twice.csv again=yes", "twice,182,");
    put("twice.csv", "w", "user,item,time,price\nu9,i9,2024-06-01,1\n"); /* another file of the name */
    says(f, "append twice.csv", "twice,1,");
    put("half.csv", "w", "user,item,time,price\nu1,i1,nonsense,1\n");
    uint64_t events = f->wb->data->events.n, rejects = f->wb->data->rows_rejected;
    fails(f, "append half.csv", ST_FORMAT, "none of 1 row");
    fails(f, "append nowhere.csv", ST_NOT_FOUND, "No such file");
    assert_int_equal(f->wb->data->events.n, events);
    assert_int_equal(f->wb->data->rows_rejected, rejects);
}

static void test_mapping_is_remembered(void **state)
{
    struct face *f = *state;
    put("odd.csv", "w", "who;what;when\na;x;2024-01-01 00:00\nb;y;2024-01-02 00:00\n");
    put("odd2.csv", "w", "when;who;what\n2024-01-03 00:00;a;z\n");
    put("other.csv", "w", "person;what;when\nc;x;2024-01-03 00:00\n");
    run(f, "load odd.csv user=who item=what time=when tz=+02:00 replace=yes");
    says(f, "append odd2.csv", "odd,1,0,1,3,2,3,2024-01-02T22:00:00Z");
    says(f, "append other.csv user=person", "odd,1,1,0,4,3,3,");
}

static void test_recipe(void **state)
{
    struct face *f = *state;
    put_log("shaped.csv");
    put("after.csv", "w", "user,item,time,price\nu1,i3,2024-03-01,9\nu2,i3,2024-03-01,0\nv,i1,2024-03-01,9\n");
    run(f, "load shaped.csv replace=yes");
    run(f, "filter \"price >= 1\"");
    run(f, "split last 1");
    run(f, "train pop itemknn");
    char *lists = copy(run(f, "recommend u5 k=20")), *board = copy(run(f, "compare metric=ndcg@10"));
    says(f, "append after.csv", "shaped,2,1,0,152,31,");
    for (int again = 0; again < 2; again++) {
        assert_string_equal(run(f, "recommend u5 k=20"), lists);
        assert_string_equal(strchr(run(f, "compare metric=ndcg@10"), '\n'), strchr(board, '\n'));
        says(f, "recipe", "price >= 1");
        run(f, "save kept.tailor replace=yes");
        reopen(f, "kept.tailor");
    }
    run(f, "undo");
    assert_int_equal(f->wb->data->events.n, 183);
    /* The first one had too little and comes back before all others: indices move, so models go, and nobody is taken for
     * somebody else. */
    put("few.csv", "w", "user,item,time\nlate,a,2024-01-01\nx,a,2024-01-01\nx,b,2024-01-02\ny,a,2024-01-01\ny,c,2024-01-02\n");
    put("back.csv", "w", "user,item,time\nlate,c,2024-02-01\nlate,b,2024-02-02\n");
    run(f, "load few.csv replace=yes");
    run(f, "kcore users=2 items=0");
    run(f, "split last 1");
    run(f, "train pop");
    run(f, "user y");
    says(f, "append back.csv", "1 model went");
    assert_int_equal(f->wb->data->users.n, 3);
    assert_string_equal(dict_text(&f->wb->data->users, f->wb->user), "y");
    assert_int_equal(f->wb->nmodels, 0);
    assert_non_null(f->wb->split);
    run(f, "save kept.tailor replace=yes");
    reopen(f, "kept.tailor");
    assert_int_equal(f->wb->nmodels, 0);
    mem_free(lists);
    mem_free(board);
}

/* ---- follow ---- */

/* Polls as a face does, until the data has `events`; false after five seconds. */
static bool comes(struct face *f, size_t events)
{
    for (int i = 0; i < 500; i++) {
        follow_poll(f->wb);
        if (f->wb->data->events.n >= events)
            return f->wb->data->events.n == events;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

static void test_follow_file(void **state)
{
    struct face *f = *state;
    put_log("live.csv");
    run(f, "load live.csv replace=yes");
    run(f, "train pop");
    f->sink.interactive = true;
    says(f, "follow live.csv every=0s", "live.csv,live,0,0,0,open");
    put("live.csv", "a", "u1,i1,2024-05-01,1\nu2,i2,2024-05");
    assert_true(comes(f, 181));
    put("live.csv", "a", "-01,1\n"); /* a row comes when it is whole */
    assert_true(comes(f, 182));
    put("live.csv", "a", "u2,\"i\n3\",2024-05-02,1\nbad\n");
    assert_true(comes(f, 183));
    says(f, "follow", "live.csv,live,4,3,1,open");
    says(f, "rejects", "live.csv,186,");
    put("live.csv", "w", "user,item,time,price\nu3,i1,2024-05-03,1\n"); /* cut short: begins anew */
    assert_true(comes(f, 184));
    assert_int_equal(rename("live.csv", "live.1"), 0);
    put("live.csv", "w", "user,item,time,price\nu4,i1,2024-05-03,1\n"); /* replaced */
    assert_true(comes(f, 185));
    says(f, "models", "trained before 5 new events: pop");
    says(f, "status", "live.csv: +5");
    put("live.csv", "a", "u4,i2,2024-05-04,1\n");
    says(f, "follow stop", "stopped");
    assert_int_equal(f->wb->data->events.n, 186);
    says(f, "follow", "nothing is followed");
    /* Where it stopped the next one goes on, also after the end of the program. */
    run(f, "save kept.tailor replace=yes");
    reopen(f, "kept.tailor");
    put("live.csv", "a", "u4,i3,2024-05-04,1\n");
    f->sink.interactive = false;
    says(f, "follow live.csv for=0s", "live.csv,live,1,1,0,ended");
    fails(f, "append live.csv", ST_STATE, "nothing new");
}

static void write_fifo(const char *text)
{
    int fd = open("pipe", O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void test_follow_fifo(void **state)
{
    struct face *f = *state;
    put_log("base.csv");
    assert_int_equal(mkfifo("pipe", 0600), 0);
    run(f, "load base.csv replace=yes");
    f->sink.interactive = true;
    fails(f, "follow -", ST_USAGE, "keyboard");
    run(f, "follow pipe every=0s"); /* does not wait for a writer */
    write_fifo("user,item,time,price\nu1,i1,2024-05-01,1\n");
    assert_true(comes(f, 181));
    write_fifo("user,item,time,price\nu1,i2,2024-05-01,1\nu1,i3,2024-05-01,1"); /* another writer, with its header */
    assert_true(comes(f, 183));
    write_fifo("u1,i4,2024-05-01,1\n"); /* and one without */
    assert_true(comes(f, 184));
    assert_int_equal(f->wb->data->rows_rejected, 0);
    run(f, "load live replace=no"); /* another data set: it waits */
    write_fifo("u1,i5,2024-05-01,1\n");
    size_t events = f->wb->data->events.n;
    nanosleep(&(struct timespec){.tv_nsec = 250000000}, NULL);
    assert_false(follow_poll(f->wb));
    assert_int_equal(f->wb->data->events.n, events);
    says(f, "follow", "waits");
    run(f, "load base");
    assert_true(comes(f, 185));
    f->sink.interactive = false;
}

static int start(void **state)
{
    static struct face f;
    f = (struct face){.sink = {.face = &f, .emit = emit}};
    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    *state = &f;
    return workbench_open(NULL, false, &f.wb, &f.err);
}

static int stop(void **state)
{
    struct face *f = *state;
    char line[128];
    workbench_close(f->wb);
    str_free(&f->shown);
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return chdir("/") || system(line);
}

/* Somebody writes while the file is loaded: a row that was half there comes when it is whole, one that lacked nothing but
 * its end does not come again. */
static void a_half_row_is_read_again(void **state)
{
    struct face *f = *state;
    put_log("half.csv");
    put("half.csv", "a", "u1,i7,2024-02-01,3");
    run(f, "load half.csv as half");
    says(f, "select count(*) as n from events", "n\n181\n");
    fails(f, "append half.csv", ST_STATE, "holds nothing new");
    put("half.csv", "a", "\r\n");
    fails(f, "append half.csv", ST_STATE, "holds nothing new");
    put("half.csv", "a", "u2,i8,2024-02-02,4\nu3,i9,2024-");
    says(f, "append half.csv", "1 rejected");
    says(f, "select count(*) as n from events", "n\n182\n");
    fails(f, "append half.csv", ST_STATE, "holds nothing new");
    put("half.csv", "a", "02-03,5\n");
    run(f, "append half.csv");
    says(f, "select count(*) as n, max(time) as t from events", "183,2024-02-03");
    unlink("half.csv");
}

/* What a file gains after it was opened is not part of the load. */
static void a_growing_file_is_read_as_it_was(void **state)
{
    (void)state;
    char text[64];
    size_t got;
    struct source *s = NULL;
    put("grows.csv", "w", "user,item\na,b\n");
    assert_int_equal(source_open("grows.csv", NULL, &s, NULL), ST_OK);
    put("grows.csv", "a", "c,d\n");
    size_t n = 0;
    do {
        assert_int_equal(source_read(s, text + n, sizeof text - n, &got, NULL), ST_OK);
        n += got;
    } while (got);
    assert_int_equal(n, strlen("user,item\na,b\n"));
    source_close(s);
    unlink("grows.csv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_and_split_stay), cmocka_unit_test(test_nothing_is_taken_twice),
        cmocka_unit_test(test_mapping_is_remembered), cmocka_unit_test(test_recipe), cmocka_unit_test(test_follow_file),
        cmocka_unit_test(test_follow_fifo), cmocka_unit_test(a_half_row_is_read_again),
        cmocka_unit_test(a_growing_file_is_read_as_it_was)};
    return cmocka_run_group_tests_name("commands_append", tests, start, stop);
}
