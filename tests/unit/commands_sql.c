/* SQL as users type it: what is handed down against what SQLite does by itself, models against their commands, what must be
 * refused, a cancel, and no memory. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "commands/command.h"

struct bench {
    struct sink sink;
    struct workbench *wb;
    struct str out; /* the last result */
    enum output_form form;
};

static enum status show(struct sink *s, struct result *r, struct error *err)
{
    struct bench *b = s->face;
    struct render_options options = {.form = b->form, .header = true};
    str_clear(&b->out);
    return result_render_text(r, &options, &b->out, err);
}

static void run(struct bench *b, const char *line)
{
    struct error err = {0};
    if (command_run(b->wb, line, &b->sink, &err))
        fail_msg("%s: %s", line, err.message);
}

/* The rows of a statement as text. */
static const char *ask(struct bench *b, const char *line)
{
    run(b, line);
    return str_text(&b->out);
}

static void open_bench(struct bench *b)
{
    struct error err = {0};
    *b = (struct bench){.form = OUTPUT_TSV};
    if (workbench_open(NULL, false, &b->wb, &err))
        fail_msg("%s", err.message);
    b->sink = (struct sink){.face = b, .emit = show};
}

static void close_bench(struct bench *b)
{
    workbench_close(b->wb);
    str_free(&b->out);
}

/* ---- a made-up shop with gaps in every column ---- */

enum { EVENTS = 3000 };

static void load_random(struct bench *b)
{
    char path[] = "/tmp/tailor-sql-XXXXXX.csv", line[128];
    int fd = mkstemps(path, 4);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    struct rng r = rng_stream(7, "sql test", 0);
    fputs("user,item,type,time,value,shelf,page\n", f);
    for (int i = 0; i < EVENTS; i++) {
        uint64_t at = 1735689600 + rng_below(&r, 40) * 43200; /* half days from 2025-01-01: many ties, many midnights */
        bool rare = i % 100 == 0; /* few enough of r0 .. r4 that several together are a list */
        fprintf(f, "%u,%c%u,%s,%lu,", (unsigned)rng_below(&r, 40), rare ? 'r' : 'i', (unsigned)rng_below(&r, rare ? 5 : 30),
                (const char *[]){"view", "cart", "buy"}[rng_below(&r, 3)], (unsigned long)at);
        fputs(rng_below(&r, 5) ? (const char *[]){"1", "2", "2.5", "0.1", "4"}[rng_below(&r, 5)] : "", f);
        fprintf(f, ",%s,", rng_below(&r, 6) ? (const char *[]){"a", "b", "A", "c d"}[rng_below(&r, 4)] : "");
        fprintf(f, "%s\n", rng_below(&r, 6) ? (const char *[]){"1", "2", "3", "10"}[rng_below(&r, 4)] : "");
    }
    assert_int_equal(fclose(f), 0);
    snprintf(line, sizeof line, "load %s as shop", path);
    run(b, line);
    run(b, "split last 2");
    unlink(path);
}

/* One comparison, as it is and such that SQLite makes it by itself: of the column's value, as its type. */
static void put_comparison(struct str *pushed, struct str *own, struct rng *r)
{
    static const struct {
        const char *column;
        const char *values[8];
        bool ordered;
        const char *cast;
    } columns[] = {
        {"user", {"'3'", "'17'", "3", "'none'", "null", "'39'", "3.0", "'5'"}, false, "text)"},
        {"item", {"'i1'", "'r2'", "'r4'", "'I1'", "''", "null", "7", "'r1'"}, false, "text)"},
        {"type", {"'view'", "'buy'", "'cart'", "'x'", "'View'", "null", "1", "'buy'"}, false, "text)"},
        {"shelf", {"'a'", "'A'", "'c d'", "''", "'zz'", "null", "1", "'b'"}, false, "text)"},
        {"part", {"'train'", "'test'", "'none'", "null", "'valid'", "'test'", "1", "'history'"}, false, "text)"},
        {"time", {"'2025-01-05'", "'2025-01-05T00:00:00Z'", "'2025-01-05 12:00'", "1736078400", "1736078400.5", "'2025-01-05T13:00:00+01:00'", "null", "'2031-01-01'"}, true, "text) collate moment"},
        {"value", {"2", "2.5", "0.1", "'2'", "'abc'", "null", "9007199254740993", "-1"}, true, "real)"},
        {"page", {"2", "2.5", "'3'", "'x'", "null", "1e30", "-9223372036854775808", "3"}, true, "integer)"},
        {"event", {"1", "1500", "2999.5", "3000", "0", "null", "'77'", "-5"}, true, "integer)"},
        {"sequence", {"0", "1", "1500", "2999", "1e18", "null", "'77'", "12"}, true, "integer)"},
    };
    static const char *const operators[] = {"=", "<", "<=", ">", ">="};
    size_t c = rng_below(r, sizeof columns / sizeof *columns);
    struct str rest = {0};
    unsigned kind = (unsigned)rng_below(r, 8);
    const char *x = columns[c].values[rng_below(r, 8)], *y = columns[c].values[rng_below(r, 8)];
    if (kind == 0)
        str_printf(&rest, " in (%s, %s)", x, y);
    else if (kind == 1 && columns[c].ordered)
        str_printf(&rest, " between %s and %s", x, y);
    else if (kind == 2 && strcmp(columns[c].column, "time") != 0)
        str_printf(&rest, " <> %s", x);
    else if (kind == 3)
        str_puts(&rest, rng_below(r, 2) ? " is null" : " is not null");
    else
        str_printf(&rest, " %s %s", operators[columns[c].ordered ? rng_below(r, 5) : 0], x);
    str_printf(pushed, "%s%s", columns[c].column, str_text(&rest));
    str_printf(own, "cast(%s as %s%s", columns[c].column, columns[c].cast, str_text(&rest));
    str_free(&rest);
}

static void test_pushed_like_plain(void **state)
{
    struct bench b;
    struct rng r = rng_stream(11, "sql test", 1);
    (void)state;
    open_bench(&b);
    load_random(&b);
    for (int i = 0; i < 400; i++) {
        struct str pushed = {0}, own = {0}, line = {0};
        for (unsigned n = 1 + (unsigned)rng_below(&r, 3), k = 0; k < n; k++) {
            const char *between = k == 0 ? "" : rng_below(&r, 4) ? " and " : " or ";
            str_puts(&pushed, between);
            str_puts(&own, between);
            put_comparison(&pushed, &own, &r);
        }
        str_printf(&line, "select event, time from events where %s order by event", str_text(&own));
        char *want = mem_strdup(ask(&b, str_text(&line)), NULL);
        str_clear(&line);
        str_printf(&line, "select event, time from events where %s order by event", str_text(&pushed));
        if (strcmp(ask(&b, str_text(&line)), want) != 0)
            fail_msg("%s\ngives\n%.300s\nnot\n%.300s", str_text(&line), str_text(&b.out), want);
        size_t rows = 0;
        for (const char *p = want; *p; p++)
            rows += *p == '\n';
        char count[40];
        snprintf(count, sizeof count, "n\n%zu\n", rows - 1);
        str_clear(&line);
        str_printf(&line, "select count(*) n from events where %s", str_text(&pushed));
        if (strcmp(ask(&b, str_text(&line)), count) != 0)
            fail_msg("%s gives %s, not %s", str_text(&line), str_text(&b.out), count);
        mem_free(want);
        str_free(&pushed);
        str_free(&own);
        str_free(&line);
    }
    close_bench(&b);
}

/* ---- joins and sums against each other ---- */

static void same(struct bench *b, const char *one, const char *other)
{
    char *want = mem_strdup(ask(b, one), NULL);
    if (strcmp(ask(b, other), want) != 0)
        fail_msg("%s\ngives\n%.400s\nbut %s\n%.400s", other, str_text(&b->out), one, want);
    mem_free(want);
}

static void test_tables_agree(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    load_random(&b);
    same(&b, "select user u, count(*) n, min(time) f, max(time) l from events group by user order by user",
         "select user u, events n, strftime('%Y-%m-%dT%H:%M:%SZ', first) f, strftime('%Y-%m-%dT%H:%M:%SZ', last) l from users order by user");
    same(&b, "select item, count(*) n, count(distinct user) u from events group by item order by item", "select item, events n, users u from items order by item");
    same(&b, "select u.user, count(*) n from users u join events e on e.user = u.user where e.type = 'buy' group by 1 order by 1",
         "select user, count(*) n from events where +type = 'buy' group by 1 order by 1");
    same(&b, "select user, item, count(*) n, max(time) t from events group by 1, 2 order by 1, 2",
         "select user, item, count n, strftime('%Y-%m-%dT%H:%M:%SZ', time) t from interactions order by 1, 2");
    same(&b, "select sum(events) n from sessions", "select count(*) n from events");
    same(&b, "select count(*) n from events where user in (select user from users where events > 70) or item = 'i3'",
         "select count(*) n from events where +user in (select user from users where events > 70) or +item = 'i3'");
    same(&b, "select i.item, e.event, e.time from items i join events e on +e.item = i.item where e.type = 'buy' order by 1, 2",
         "select i.item, e.event, e.time from items i cross join events e on e.item = i.item where e.type = 'buy' order by 1, 2");
    same(&b, "select event from events where +item in ('r1', 'r2', 'r1', 'no')", "select event from events where item in ('r1', 'r2', 'r1', 'no')");
    same(&b, "select user, count(*) n, sum(value) v from events where +item = 'i4' group by +user order by 1",
         "select user, count(*) n, sum(value) v from events where item = 'i4' group by user order by 1");
    run(&b, "sessions by=page");
    same(&b, "select user, page s, count(*) n from events where page is not null group by 1, 2 order by 1, 2, 3",
         "select user, min(page) s, sum(n) n from (select e.user, e.session, e.page, count(*) n from events e where page is not null group by 1, 2) group by user, page order by 1, 2, 3");
    same(&b, "select user, count(distinct session) n from events where session is not null group by 1 order by 1", "select user, count(*) n from sessions group by 1 order by 1");
    close_bench(&b);
}

static void test_counts(void **state)
{
    static const struct {
        const char *by, *group;
    } cuts[] = {
        {"type", "type"},
        {"shelf", "shelf"},
        {"page", "page"},
        {"hour", "substr(time, 1, 13) || ':00:00Z'"},
        {"day", "date(time) || 'T00:00:00Z'"},
        {"week", "date(time, 'weekday 0', '-6 days') || 'T00:00:00Z'"},
        {"month", "substr(time, 1, 7) || '-01T00:00:00Z'"},
    };
    static const char *const conditions[][2] = {{"", "1"}, {" type=buy", "type = 'buy'"}, {" user=7", "user = '7'"}, {" item=i3 user=9", "item = 'i3' and user = '9'"}};
    struct bench b;
    (void)state;
    open_bench(&b);
    load_random(&b);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        for (size_t k = 0; k < sizeof conditions / sizeof *conditions; k++) {
            char command[64], plain[512];
            bool time = i > 2;
            snprintf(command, sizeof command, "events by=%s%s", cuts[i].by, conditions[k][0]);
            snprintf(plain, sizeof plain,
                     "select %s %s, count(*) events, count(distinct user) users, count(*) * 1.0 / (select count(*) from events where %s) share"
                     " from events where %s and %s is not null group by 1 order by %s",
                     cuts[i].group, cuts[i].by, conditions[k][1], conditions[k][1], cuts[i].group, time ? "1" : "2 desc, 1");
            /* Groups of equal size stand in the order of the data, so those of names are compared as a sum. */
            run(&b, command);
            uint64_t have = 0, want = 0;
            for (const char *p = str_text(&b.out), *end; (end = strchr(p, '\n')); p = end + 1)
                have += hash_bytes(p, (size_t)(end - p), 0);
            run(&b, plain);
            for (const char *p = str_text(&b.out), *end; (end = strchr(p, '\n')); p = end + 1)
                want += hash_bytes(p, (size_t)(end - p), 0);
            if (have != want)
                fail_msg("%s differs from %s", command, plain);
        }
    close_bench(&b);
}

/* ---- models ---- */

static void test_like_the_commands(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    run(&b, "load tiny");
    run(&b, "train ease pop itemknn");
    b.form = OUTPUT_JSON;
    /* Titles differ in their places only: ids and scores, to the last bit. */
    same(&b, "select item, score from recommend('ease', 'ana', 4)", "select item, score('ease', 'ana', item) score from recommend('ease', 'ana', 4)");
    same(&b, "select item, score from score('ease', 'ana') order by item", "select item, score('ease', 'ana', item) score from items where score is not null order by item");
    same(&b, "select score from score('ease', 'ana') where item = 'pan'", "select score('ease', 'ana', 'pan') score");
    run(&b, "split last 1");
    run(&b, "train ease");
    run(&b, "compare");
    same(&b, "select user, metric, value from user_metrics where user in ('ana', 'ben') order by 1, 2", "select user, metric, value from user_metrics where +user in ('ana', 'ben') order by 1, 2");
    run(&b, "load tiny");
    run(&b, "train ease pop itemknn");
    run(&b, "recommend ana with ease k=1");
    char *list = mem_strdup(str_text(&b.out), NULL);
    const char *score = strstr(list, "\"score\":");
    assert_non_null(score);
    char number[40];
    snprintf(number, sizeof number, "%.*s", (int)strcspn(score + 8, ",}"), score + 8);
    assert_non_null(strstr(ask(&b, "select score from recommend('ease', 'ana', 1)"), number));
    mem_free(list);
    run(&b, "why ana pan with itemknn");
    list = mem_strdup(str_text(&b.out), NULL);
    run(&b, "select part from explain('itemknn', 'ana', 'pan')");
    const char *part = strstr(str_text(&b.out), "\"part\":");
    assert_non_null(part);
    snprintf(number, sizeof number, "%.*s", (int)strcspn(part + 7, ",}"), part + 7);
    assert_non_null(strstr(list, number));
    mem_free(list);
    b.form = OUTPUT_TSV;
    assert_string_equal(ask(&b, "select max(d) < 1e-6 near from (select abs(sum(x.part) - score('ease', u.user, i.item)) d"
                                " from users u, items i, explain('ease', u.user, i.item) x group by u.user, i.item)"),
                        "near\n1\n");
    assert_string_equal(ask(&b, "select count(*) n, count(distinct u.user) u from users u, recommend('pop', u.user, 2) r"), "n\tu\n12\t6\n");
    /* As of a moment: what the same words answer there, row by row of another table too, and nothing behind the clock. */
    static const char *const then[][2] = {
        {"select item, score from recommend('ease', 'ana', 4%s)", "select item, score from recommend('ease', 'ana') where k = 4 and at = '2025-05-06'"},
        {"select item, score from score('ease', 'ana'%s)", "select item, score('ease', 'ana', item, '2025-05-06') score from items where score is not null"},
        {"select because, part from explain('ease', 'ana', 'pan'%s)", "select because, part from explain('ease', 'ana', 'pan') where at = '2025-05-06'"},
        {"select score('ease', 'ana', 'pan'%s) score", "select score('ease', 'ana', 'pan', 1746489600) score"}};
    for (size_t i = 0; i < sizeof then / sizeof *then; i++) {
        char here[200], there[200];
        snprintf(here, sizeof here, then[i][0], ", '2025-05-06'");
        snprintf(there, sizeof there, then[i][0], "");
        same(&b, here, then[i][1]);
        char *answer = mem_strdup(ask(&b, here), NULL);
        assert_string_not_equal(answer, ask(&b, there));
        run(&b, "rewind 2025-05-06");
        assert_string_equal(answer, ask(&b, there));
        run(&b, "rewind now");
        mem_free(answer);
    }
    same(&b, "select count(*) n from events e, recommend('ease', e.user, 8, e.time) r where r.item = e.item", /* what was new to them just then */
         "select count(*) n from events e where not exists (select 1 from events f where f.user = e.user and f.item = e.item and f.time < e.time)");
    assert_string_equal(ask(&b, "select count(*) n, score('ease', 'ana', 'pan', null) s from recommend('ease', 'ana', 4, null)"), "n\ts\n0\t\n");
    same(&b, "select item, similarity from similar('itemknn', 'tent', 3)", "select item, similarity from similar('itemknn', 'tent') where rank <= 3");
    close_bench(&b);
}

/* ---- types ---- */

static void test_types(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    run(&b, "load tiny");
    b.form = OUTPUT_JSON;
    assert_string_equal(ask(&b, "select user, time, price, count(*) over () n, 'x' as user, null z from events where price > 100 limit 1"),
                        "[{\"user\":\"ana\",\"time\":\"2025-05-01T09:10:00Z\",\"price\":180,\"n\":3,\"user_2\":\"x\",\"z\":null}]\n");
    assert_string_equal(ask(&b, "values (1, 2), (3, 4.5)"), "[{\"column1\":1,\"column2\":2},{\"column1\":3,\"column2\":4.5}]\n");
    assert_string_equal(ask(&b, "select 1; select 2"), "[{\"2\":2}]\n");
    run(&b, "set who ben");
    assert_string_equal(ask(&b, "select user from users where user = $who"), "[{\"user\":\"ben\"}]\n");
    close_bench(&b);
}

/* A result that does not fit into what is held streams, and can be shown again. */
static void test_stream(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    run(&b, "with recursive n(x) as (select 1 union all select x + 1 from n where x < 600000) select x from n");
    size_t lines = 0;
    for (const char *p = str_text(&b.out); *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 600001);
    assert_non_null(strstr(str_text(&b.out), "\n600000\n"));
    close_bench(&b);
}

/* ---- what must be refused ---- */

static void test_refused(void **state)
{
    static const char *const hostile[] = {
        "select", "select 1 2 3 from", "select * from nothing", "select nothing from events", "select user from events where user = \"ana\"",
        "select load_extension('/tmp/x')", "select readfile('/etc/passwd')", "select writefile('/tmp/tailor-sql-x', 'x')", "select edit('x')",
        "with a as (select 1) delete from events", "with a as (select 1) insert into events values (1)", "with a as (select 1) update users set user = 1",
        "explain attach 'x.db' as y", "explain drop table events", "explain pragma writable_schema = 1", "explain vacuum into '/tmp/tailor-sql-x'", "explain create table t(a)",
        "select * from pragma_database_list", "select * from pragma_table_info('events')", "select * from sqlite_dbpage", "select * from \"count of events\"",
        "select zeroblob(2000000000)", "select length(randomblob(100000000))", "select replace(hex(zeroblob(9000000)), '0', '00000000')",
        "select * from events where time > 'yesterday'", "select recommend('ease', 'ana')", "select * from recommend('ease')", "select * from recommend('none', 'ana')",
        "select * from recommend('ease', 'ana', -1)", "select * from recommend('ease', 'nobody')", "select * from recommend('ease', 'ana', 1, 2, 3)",
        "select score('ease')", "select score(1, 2, 3)", "select $nothing", "select ?", "select :a", "select 1; > ", "select 1; nonsense", "select 1; > a b c",
        "select 'open", "select \"open", "select [open", "select /* open", "explain", "with", "values",
        "select \xff\xfe", "select * from metrics where metric = 'nonsense'", "select * from similar('ease', 'no such item')",
    };
    struct bench b;
    (void)state;
    open_bench(&b);
    run(&b, "load tiny");
    run(&b, "train ease");
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct error err = {0};
        enum status st = command_run(b.wb, hostile[i], &b.sink, &err);
        if (st == ST_OK || st == ST_INTERNAL || !*err.message)
            fail_msg("%s: %s %s", hostile[i], status_name(st), err.message);
        if (err.length && err.offset > strlen(hostile[i]))
            fail_msg("%s: a caret at %zu", hostile[i], err.offset);
    }
    assert_int_not_equal(access("/tmp/tailor-sql-x", F_OK), 0);
    struct str deep = {0};
    str_puts(&deep, "select ");
    str_repeat(&deep, "(", 5000);
    str_puts(&deep, "1");
    str_repeat(&deep, ")", 5000);
    assert_int_not_equal(command_run(b.wb, str_text(&deep), &b.sink, NULL), ST_OK);
    str_clear(&deep);
    str_puts(&deep, "select '");
    str_repeat(&deep, "0123456789", 200000);
    str_puts(&deep, "'");
    assert_int_not_equal(command_run(b.wb, str_text(&deep), &b.sink, NULL), ST_OK);
    str_free(&deep);
    assert_string_equal(ask(&b, "select count(*) n from events"), "n\n22\n");
    close_bench(&b);
}

static void expect_error(struct bench *b, const char *line, const char *hint, size_t offset, size_t length)
{
    struct error err = {0};
    assert_int_not_equal(command_run(b->wb, line, &b->sink, &err), ST_OK);
    if (!strstr(err.hint, hint) || err.offset != offset || err.length != length)
        fail_msg("%s: hint \"%s\", place %zu + %zu", line, err.hint, err.offset, err.length);
}

static void test_carets(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    run(&b, "load tiny");
    run(&b, "train ease");
    run(&b, "rewind 2025-05-06");
    expect_error(&b, "select * from recommend('ease', 'ana', 4, '2025-05-07')", "`rewind now`", 0, 0);
    expect_error(&b, "select score('ease', 'ana', 'pan', '2025-05-07')", "`rewind now`", 0, 0);
    run(&b, "rewind now");
    expect_error(&b, "select score('ease', 'ana', 'pan', 'noon')", "seconds since 1970", 0, 0);
    expect_error(&b, "select * from score('ease', 'ana', 'noon')", "seconds since 1970", 0, 0);
    expect_error(&b, "select usr from events", "user", 7, 3);
    expect_error(&b, "  select e.itm from events e", "item", 9, 5);
    expect_error(&b, "select 1 from evnts", "events", 14, 5);
    expect_error(&b, "select scor('ease', 'ana', 'pan')", "score()", 7, 4);
    expect_error(&b, "select recommend('ease', 'ana')", "select * from recommend", 7, 9);
    expect_error(&b, "select 1 + from events", "", 11, 4);
    expect_error(&b, "select 1; select usr from events", "user", 17, 3);
    close_bench(&b);
}

/* ---- a cancel ---- */

static atomic_bool done;

static void *cancel_soon(void *context)
{
    struct workbench *wb = context;
    while (!atomic_load(&done)) { /* the first may come before the command has begun, which clears it */
        usleep(2000);
        job_cancel(&wb->job);
    }
    return NULL;
}

static void test_cancel(void **state)
{
    static const char *const endless[] = {
        "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n",
        "select count(*) from events a, events b, events c where a.value + b.value + c.value < -1",
        "select count(*) from interactions a, interactions b, interactions c where a.time < b.time and b.time < c.time",
    };
    struct bench b;
    (void)state;
    open_bench(&b);
    load_random(&b);
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        pthread_t thread;
        struct error err = {0};
        atomic_store(&done, false);
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, b.wb), 0);
        assert_int_equal(command_run(b.wb, endless[i], &b.sink, &err), ST_CANCELLED);
        atomic_store(&done, true);
        pthread_join(thread, NULL);
    }
    job_reset(&b.wb->job);
    assert_string_equal(ask(&b, "select 1 x"), "x\n1\n");
    close_bench(&b);
}

/* ---- no memory ---- */

static struct {
    atomic_long left;
    bool for_good, on;
} memory;

static bool allow(void *context, size_t bytes)
{
    (void)context;
    (void)bytes;
    long left = memory.on ? atomic_fetch_sub(&memory.left, 1) : 1;
    return memory.for_good ? left > 0 : left != 0;
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

/* Steps that grow: most of what a statement takes, it takes while it is prepared. */
static void exhaust(struct bench *b, const char *line, bool for_good)
{
    for (long n = 0; n < 1000000; n += 1 + n / 40) {
        struct error err = {0};
        memory.for_good = for_good;
        atomic_store(&memory.left, n);
        memory.on = true;
        mem_set_hook(allow, NULL);
        enum status st = command_run(b->wb, line, &b->sink, &err);
        mem_set_hook(NULL, NULL);
        memory.on = false;
        if (st != ST_OK && st != ST_NOMEM)
            fail_msg("%s, allocation %ld: %s: %s", line, n, status_name(st), err.message);
        if (atomic_load(&memory.left) > 0)
            return;
    }
    fail_msg("%s never ends", line);
}

static void test_no_memory(void **state)
{
    static const char *const lines[] = {
        "select user, count(*) from events where type in ('click', 'purchase') and time > '2025-05-02' group by user order by 2",
        "select count(*) from events where item = 'tent'",
        "select u.user, r.item from users u, recommend('ease', u.user, 2) r where u.country = 'FR'",
        "select score('ease', user, 'pan') from users",
        "select * from interactions where user = 'ana'",
        "select * from sessions",
        "select * from item_tags where value = 'camping'",
        "select model, avg(value) from user_metrics where metric = 'ndcg@10'",
        "select * from explain('ease', 'ana', 'pan')",
        "select * from features",
        "select $output",
        "tables",
        "describe events",
    };
    struct bench b;
    (void)state;
    open_bench(&b);
    run(&b, "load tiny");
    run(&b, "split last 1");
    run(&b, "feature define n = count() by user");
    run(&b, "train ease");
    run(&b, "compare");
    run(&b, "set output tsv");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run(&b, lines[i]);
        exhaust(&b, lines[i], false);
        exhaust(&b, lines[i], true);
        run(&b, lines[i]);
    }
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pushed_like_plain), cmocka_unit_test(test_tables_agree), cmocka_unit_test(test_counts), cmocka_unit_test(test_like_the_commands),
        cmocka_unit_test(test_types),             cmocka_unit_test(test_stream),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_carets),            cmocka_unit_test(test_cancel),       cmocka_unit_test(test_no_memory),
    };
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain);
    sqlite3_mem_methods hooked = plain;
    hooked.xMalloc = sqlite_new;
    hooked.xRealloc = sqlite_grow;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &hooked);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
