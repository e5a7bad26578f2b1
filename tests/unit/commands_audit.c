/* The audit: a log that is clean, and one small twist of it for every finding. Each query that a finding names is run, and must
 * return as many rows as the finding says; each command it suggests must be one. */
#include "tests/unit/unit.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/command.h"
#include "commands/grade.h"

enum { USERS = 300, DAYS = 120, EVENTS_A_USER = 32, ITEMS = 211 };

/* ---- a log ---- */

struct line {
    char user[32], item[32], type[16], size[16], part[8], price[16], propensity[8];
    int64_t time;
    double value; /* < -1e9: none */
    int k, position;
    bool drop;
};

static FILE *file;

static void put(const struct line *l)
{
    char time[40], value[32] = "";
    if (l->drop)
        return;
    time_iso(time, sizeof time, l->time);
    if (l->value > -1e9)
        snprintf(value, sizeof value, "%g", l->value);
    fprintf(file, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%d\n", l->user, l->item, l->type, time, value, l->size, l->part, l->price, l->propensity, l->position);
}

static int64_t at(int day, int64_t second)
{
    return (time_days(2025, 1, 1) + day) * US_PER_DAY + second * US_PER_SECOND;
}

/* A spread of numbers without a stream: 0 .. below - 1. */
static int spread(int a, int b, int below)
{
    uint64_t key[2] = {(uint64_t)a, (uint64_t)b};
    return (int)(hash_bytes(key, sizeof key, 7) % (uint64_t)below);
}

/* Click k of user u; on every eighth a purchase follows two minutes later. Nights are quiet. */
static struct line click(int u, int k)
{
    struct line l = {.k = k, .value = 1 + spread(u, k, 5), .position = 1 + spread(k, u, 4)};
    int hour = 8 + spread(u, k + 100, 7) + spread(u, k + 200, 7);
    snprintf(l.user, sizeof l.user, "u%d", u);
    snprintf(l.item, sizeof l.item, "i%d", (u * 7 + k * 13) % ITEMS);
    snprintf(l.type, sizeof l.type, "click");
    snprintf(l.part, sizeof l.part, "%s", spread(u, k, 3) ? "a" : "b");
    snprintf(l.size, sizeof l.size, "%s", spread(u, k, 2) ? "small" : "large");
    snprintf(l.price, sizeof l.price, "%d.5", spread(u, k, 90));
    snprintf(l.propensity, sizeof l.propensity, ".%d", 1 + spread(u, k, 9));
    l.time = at(spread(u, k + 300, DAYS), hour * 3600 + spread(u, k + 400, 3600));
    return l;
}

struct log {
    void (*twist)(struct line *l);  /* every row; NULL: as it is */
    void (*more)(void);             /* rows at the end; NULL: none */
};

static void write_log(const char *path, const struct log *log)
{
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("user,item,type,time,value,size,part,price,propensity,position\n", file);
    for (int u = 0; u < USERS; u++) {
        for (int k = 0; k < EVENTS_A_USER; k++) {
            struct line l = click(u, k);
            if (log->twist)
                log->twist(&l);
            put(&l);
            if (k % 8)
                continue;
            l = click(u, k);
            snprintf(l.type, sizeof l.type, "purchase");
            l.time += 120 * US_PER_SECOND;
            if (log->twist)
                log->twist(&l);
            put(&l);
        }
    }
    if (log->more)
        log->more();
    fclose(file);
}

/* ---- twists: what happens to every row, or what comes behind ---- */

static void torn(void)
{
    for (int i = 0; i < 13; i++)
        fputs(",i1,click,2025-01-01T10:00:00Z,1,,,1,,1\n", file);
}

static void mixed_column(struct line *l)
{
    snprintf(l->size, sizeof l->size, "%d", l->k);
    if (l->k == 5)
        snprintf(l->size, sizeof l->size, "12 inch");
}

static void codes(struct line *l) /* post codes: not numbers, so nothing is mixed */
{
    snprintf(l->size, sizeof l->size, "%05d", l->k * 977);
    if (l->k == 5)
        snprintf(l->size, sizeof l->size, "T8H1N");
}

static void one_value(struct line *l)
{
    snprintf(l->size, sizeof l->size, "small");
}

static void off_scale(struct line *l)
{
    l->value = l->k == 3 && l->user[1] == '9' ? 99 : l->value;
}

static void zero_ratings(struct line *l)
{
    l->value = l->value == 2 ? 0 : l->value;
}

static void no_values(struct line *l)
{
    l->value = l->k == 4 ? -1e10 : l->value;
}

static void negative_price(struct line *l)
{
    if (l->k == 2 && l->user[1] == '8')
        snprintf(l->price, sizeof l->price, "-3");
}

static void bad_propensity(struct line *l)
{
    if (l->k == 2)
        snprintf(l->propensity, sizeof l->propensity, "1.5");
}

static void as_users(const char *const *names)
{
    for (; *names; names++) {
        struct line l = click(7, 1);
        l.time += spread((int)strlen(*names), names[0][0], 5000) * US_PER_SECOND;
        snprintf(l.user, sizeof l.user, "%s", *names);
        put(&l);
    }
}

static void float_ids(void)
{
    as_users((const char *const[]){"42.0", "43.0", NULL});
}

static void float_twins(void)
{
    as_users((const char *const[]){"42.0", "42", NULL});
}

static void zero_ids(void)
{
    as_users((const char *const[]){"007", "7", "08", NULL});
}

static void spaced_ids(void)
{
    as_users((const char *const[]){"\" u3\"", "\"x9 \"", NULL});
}

static void case_ids(void)
{
    as_users((const char *const[]){"U3", "U4", "Zed", NULL});
}

static void alike_ids(void)
{
    as_users((const char *const[]){"\xd0\xb0nna", "n\xc3\xa9""e", "fu\xcc\x88r", NULL});
}

static void nobody(void)
{
    as_users((const char *const[]){"null", "O'Hara", NULL});
}

static void guest(void)
{
    for (int i = 0; i < 4000; i++) {
        struct line l = click(spread(i, 1, USERS), spread(i, 2, EVENTS_A_USER));
        snprintf(l.user, sizeof l.user, "web's");
        l.time += i * 977 * US_PER_SECOND / 10;
        put(&l);
    }
}

static void twice(void)
{
    for (int i = 0; i < 20; i++) {
        struct line l = click(i, i);
        put(&l);
        if (i < 5)
            put(&l);
    }
}

static void double_click(void)
{
    for (int i = 0; i < 20; i++) {
        struct line l = click(i, i);
        l.time += i < 10 ? US_PER_SECOND / 2 : US_PER_SECOND;
        put(&l);
    }
}

static void future(struct line *l)
{
    if (l->k == 0 && l->user[1] == '9')
        l->time = INT64_C(4102444800) * US_PER_SECOND + l->time % US_PER_DAY;
}

static void zero_times(struct line *l)
{
    l->time = l->k == 1 ? 0 : l->time;
}

static void minutes_as_seconds(struct line *l)
{
    l->time /= 60;
    l->time -= l->time % US_PER_SECOND;
}

static void dates_only(struct line *l)
{
    l->time -= l->time % US_PER_DAY;
}

static void some_midnights(struct line *l)
{
    if (l->k % 8 == 3)
        dates_only(l);
}

static void imported(struct line *l)
{
    if (l->k == 9)
        l->time = at(60, 36000);
}

static void other_zone(struct line *l)
{
    if (!strcmp(l->type, "purchase"))
        l->time -= 5 * 3600 * US_PER_SECOND;
}

static void zone_moves(struct line *l)
{
    if (l->time >= at(DAYS / 2, 0))
        l->time += 6 * 3600 * US_PER_SECOND;
}

static void zone_of_part(struct line *l)
{
    snprintf(l->part, sizeof l->part, "%s", l->k % 4 == 1 ? "test" : "train");
    if (l->k % 4 == 1)
        l->time += 7 * 3600 * US_PER_SECOND;
}

static void hole(struct line *l)
{
    l->drop = l->time >= at(50, 0) && l->time < at(54, 0);
}

static void slow_start(struct line *l) /* no hole: before it there was nothing usual */
{
    l->drop = l->time < at(20, 0) && spread(l->k, l->user[1], 10);
}

static void heavy(void)
{
    for (int i = 0; i < 1200; i++) {
        struct line l = click(spread(i, 3, USERS), i % EVENTS_A_USER);
        snprintf(l.user, sizeof l.user, "crawler");
        snprintf(l.item, sizeof l.item, "i%d", i % ITEMS);
        l.time += i * 977 * US_PER_SECOND / 10;
        put(&l);
    }
}

static void fast(void)
{
    for (int i = 0; i < 700; i++) {
        struct line l = click(1, 1);
        snprintf(l.user, sizeof l.user, "fast");
        snprintf(l.item, sizeof l.item, "i%d", i % ITEMS);
        l.time = at(30, 36000) + (i * 4 + spread(i, 5, 3)) * US_PER_SECOND;
        put(&l);
    }
}

static void sleepless(void)
{
    for (int i = 0; i < 24; i++) {
        struct line l = click(1, i);
        snprintf(l.user, sizeof l.user, "sleepless");
        l.time = at(30, i * 3600 + spread(i, 6, 3600));
        put(&l);
    }
}

static void clockwork(void)
{
    for (int i = 0; i < 40; i++) {
        struct line l = click(i, 1);
        snprintf(l.user, sizeof l.user, "clock");
        snprintf(l.item, sizeof l.item, "i%d", i);
        l.time = at(30, 30000 + i * 900 + spread(i, 9, 5));
        put(&l);
    }
}

static void unseen_buys(struct line *l)
{
    if (!strcmp(l->type, "purchase") && l->k == 8)
        snprintf(l->item, sizeof l->item, "i%d", ITEMS + 1);
    if (!strcmp(l->type, "purchase") && l->k == 16)
        l->time -= 600 * US_PER_SECOND;
}

static void one_hit(struct line *l)
{
    if (l->k % 3)
        snprintf(l->item, sizeof l->item, "hit%d", l->k % 2);
}

static void one_timers(void)
{
    for (int i = 0; i < 400; i++) {
        struct line l = click(i % USERS, i % EVENTS_A_USER);
        snprintf(l.user, sizeof l.user, "new%d", i);
        put(&l);
    }
}

static void come_back(void)
{
    for (int i = 0; i < 4000; i++) {
        struct line l = click(i % USERS, i / USERS % 8);
        l.time += (3600 + i) * US_PER_SECOND;
        put(&l);
    }
}

/* The newest tenth of the days is the test part; some rows of it are in training too. */
static void parts(struct line *l)
{
    snprintf(l->part, sizeof l->part, "%s", l->time >= at(DAYS * 9 / 10, 0) ? "test" : "train");
}

static void leaked(void)
{
    for (int i = 0, n = 0; n < 50; i++) {
        struct line l = click(i % USERS, i / USERS);
        parts(&l);
        if (strcmp(l.part, "test"))
            continue;
        n++;
        snprintf(l.part, sizeof l.part, "train");
        put(&l);
    }
}

static void random_parts(struct line *l)
{
    snprintf(l->part, sizeof l->part, "%s", l->k % 5 == 2 ? "test" : "train");
}

static void narrowing(struct line *l)
{
    int items = ITEMS >> (int)((l->time - at(0, 0)) / US_PER_DAY * 5 / DAYS);
    snprintf(l->item, sizeof l->item, "i%d", atoi(l->item + 1) % items);
}

static void first_position(struct line *l)
{
    l->position = l->k % 5 ? 1 : l->position;
}

/* ---- the face ---- */

struct face {
    struct sink sink;
    struct workbench *wb;
    struct error err;
    struct result *last;
};

static char folder[] = "/tmp/tailor-audit-XXXXXX";

static enum status emit(struct sink *s, struct result *r, struct error *err)
{
    struct face *f = s->face;
    (void)err;
    result_free(f->last);
    f->last = result_keep(r);
    return ST_OK;
}

static void run(struct face *f, const char *line)
{
    if (command_run(f->wb, line, &f->sink, &f->err))
        fail_msg("%s: %s (%s)", line, f->err.message, f->err.hint);
}

/* Rows of the last result's first table, held or streamed. */
static uint64_t count_rows(struct face *f)
{
    struct table *t = f->last->tables[0];
    uint64_t n = 0;
    if (!t->next)
        return t->nrows;
    assert_int_equal(table_rewind(t, &f->err), ST_OK);
    do {
        assert_int_equal(table_next(t, &f->err), ST_OK);
        n += t->nrows;
    } while (t->nrows);
    return n;
}

static const char *text_at(const struct table *t, size_t row, const char *column)
{
    const struct value *v = table_value(t, row, table_column(t, column));
    return v->null ? "" : v->text;
}

/* Runs the queries and reads the commands of the findings in `r`. */
static void try_findings(struct face *f, struct result *r)
{
    const struct table *t = result_find_table(r, "findings");
    for (size_t i = 0; i < t->nrows; i++) {
        const char *evidence = text_at(t, i, "evidence"), *advice = text_at(t, i, "advice");
        struct call *call = NULL;
        if (*evidence) {
            int64_t expected = table_value(t, i, table_column(t, "rows"))->integer;
            run(f, evidence);
            if (count_rows(f) != (uint64_t)expected)
                fail_msg("%s: %llu rows, not %lld: %s", text_at(t, i, "finding"), (unsigned long long)count_rows(f), (long long)expected, evidence);
        }
        if (*advice && call_parse(f->wb, advice, false, &call, &f->err))
            fail_msg("%s: %s", advice, f->err.message);
        call_free(call);
    }
}

/* The finding of `check` with these words: is it there, how bad, how many rows. */
static bool has_finding(const struct result *r, const char *check, const char *severity, const char *words, int64_t rows)
{
    const struct table *t = result_find_table(r, "findings");
    for (size_t i = 0; i < t->nrows; i++) {
        const struct value *v = table_value(t, i, table_column(t, "rows"));
        if (!strcmp(text_at(t, i, "check"), check) && !strcmp(text_at(t, i, "severity"), severity) && strstr(text_at(t, i, "finding"), words) &&
            (rows < 0 || (!v->null && v->integer == rows)))
            return true;
    }
    return false;
}

static void show(const struct result *r, struct str *out)
{
    const struct table *t = result_find_table(r, "findings");
    for (size_t i = 0; i < t->nrows; i++)
        str_printf(out, "\n  %s %s: %s", text_at(t, i, "severity"), text_at(t, i, "check"), text_at(t, i, "finding"));
}

/* ---- the tests ---- */

static size_t checks_there_are(void)
{
    size_t n = 0;
    while (audit_checks[n])
        n++;
    return n;
}

static void test_clean(void **state)
{
    struct face *f = *state;
    struct str text = {0};
    struct grade g;
    write_log("log.csv", &(struct log){0});
    run(f, "load log.csv");
    run(f, "audit");
    assert_string_equal(text_at(result_find_table(f->last, "grade"), 0, "grade"), "A");
    show(f->last, &text);
    if (text.length)
        fail_msg("a clean log: %s", str_text(&text));
    run(f, "audit all=yes");
    assert_int_equal(result_find_table(f->last, "findings")->nrows, checks_there_are());
    struct result *r = result_keep(f->last);
    try_findings(f, r);
    result_free(r);
    struct dataset *d = workbench_data(f->wb);
    assert_int_equal(grade_find(f->wb, d, &g, &f->err), ST_OK);
    assert_int_equal(g.letter, 'A');
    dataset_release(d);
    run(f, "weight click=2"); /* other data: the grade is not theirs */
    d = workbench_data(f->wb);
    assert_int_equal(grade_find(f->wb, d, &g, &f->err), ST_OK);
    assert_int_equal(g.letter, 0);
    dataset_release(d);
    str_free(&text);
}

struct trial {
    const char *check, *severity, *words;
    int64_t rows; /* of the evidence; -1: any number */
    struct log log;
    const char *only; /* NULL: no other check may find anything; else those that may, too */
};

static void try_trial(struct face *f, const struct trial *x)
{
    struct str text = {0};
    write_log("log.csv", &x->log);
    run(f, "load log.csv replace=yes");
    run(f, "audit");
    struct result *r = result_keep(f->last);
    const struct table *t = result_find_table(r, "findings");
    show(r, &text);
    if (!has_finding(r, x->check, x->severity, x->words, x->rows))
        fail_msg("%s %s \"%s\" (%lld rows) is missing:%s", x->severity, x->check, x->words, (long long)x->rows, str_text(&text));
    for (size_t i = 0; i < t->nrows; i++)
        if (strcmp(text_at(t, i, "check"), x->check) && !strstr(x->only ? x->only : "", text_at(t, i, "check")))
            fail_msg("%s \"%s\": also%s", x->check, x->words, str_text(&text));
    try_findings(f, r);
    result_free(r);
    str_free(&text);
}

static void test_findings(void **state)
{
    static const struct trial trials[] = {
        {"rejects", "info", "13 of 10,813 rows", 13, {.more = torn}, NULL},
        {"schema", "warning", "column size of events is text, but 97 % of its values are numbers; the others are like 12 inch", 300, {.twist = mixed_column}, NULL},
        {"schema", "info", "column size has one value only", -1, {.twist = one_value}, NULL},
        {"values", "warning", "lie off the scale from 1 to 5", 11, {.twist = off_scale}, NULL},
        {"values", "warning", "it may stand for \"not rated\"", -1, {.twist = zero_ratings}, NULL},
        {"values", "info", "of the events of type click have no value", 300, {.twist = no_values}, NULL},
        {"values", "warning", "negative values in price", 11, {.twist = negative_price}, NULL},
        {"values", "serious", "300 propensities are not in (0, 1]", 300, {.twist = bad_propensity}, NULL},
        {"ids", "warning", "2 users (0.7 %) are written as 42.0", 2, {.more = float_ids}, NULL},
        {"ids", "serious", "1 of them also without the .0", 1, {.more = float_twins}, NULL},
        {"ids", "warning", "1 user comes with and without leading zeros (007 and 7)", 1, {.more = zero_ids}, NULL},
        {"ids", "serious", "2 users have spaces around their id, 1 of them also without", 2, {.more = spaced_ids}, NULL},
        {"ids", "warning", "2 users differ from another only in upper and lower case (U3)", 2, {.more = case_ids}, NULL},
        {"ids", "info", "2 users with letters that look like others", 2, {.more = alike_ids}, NULL},
        {"ids", "info", "is no user but a missing id", 1, {.more = nobody}, NULL},
        {"ids", "serious", "user web's alone has 27 % of all events", 1, {.more = guest}, "bots repeats"},
        {"duplicates", "info", "0.2 % of the events (25) are copies", 20, {.more = twice}, NULL},
        {"duplicates", "info", "(20) follow the same event of the same user within a second", 20, {.more = double_click}, NULL},
        {"clock", "warning", "lie in the future, up to 2100-01-01", 22, {.twist = future}, NULL},
        {"clock", "serious", "are of 1970-01-01: a time of 0 stands for a missing one", 300, {.twist = zero_times}, NULL},
        {"clock", "warning", "100 % of the events lie before 1971", 10800, {.twist = minutes_as_seconds}, NULL},
        {"clock", "info", "times are dates only", -1, {.twist = dates_only}, NULL},
        {"clock", "warning", "are at midnight exactly", 1200, {.twist = some_midnights}, NULL},
        {"clock", "warning", "of the events (300), of 300 users, are of one second, 2025-03-02T10:00:00Z", 300, {.twist = imported}, NULL},
        {"zones", "warning", "the day of type purchase is that of click, 5 hours earlier", -1, {.twist = other_zone}, "funnel"},
        {"zones", "warning", "the day is as before, 6 hours later", -1, {.twist = zone_moves}, NULL},
        {"zones", "warning", "the day of part test is that of train, 7 hours later", -1, {.twist = zone_of_part}, "leakage"},
        {"gaps", "warning", "4 days of 120 have nearly nobody where there usually are many; the longest hole is 4 days from 2025-02-20", 14, {.twist = hole}, NULL},
        {"bots", "warning", "1 user is far beyond the others", 1, {.more = heavy}, "ids repeats"},
        {"bots", "warning", "1 user had more than 600 events within an hour", 1, {.more = fast}, "ids repeats clock"},
        {"bots", "warning", "1 user had events in more than 20 hours of one day (0.2 % of all events): sleepless", 1, {.more = sleepless}, NULL},
        {"bots", "warning", "1 user acted like clockwork, at even intervals", 1, {.more = clockwork}, NULL},
        {"funnel", "warning", "50 % of the purchases (600) come without an earlier view of the item by the user; 25 % are viewed only after", 600, {.twist = unseen_buys}, NULL},
        {"sparsity", "info", "the top 1 % of the items have 6", 3, {.twist = one_hit}, "repeats"},
        {"cold", "warning", "57 % of the users (400) have one event only", 400, {.more = one_timers}, NULL},
        {"repeats", "info", "27 % of the feedback repeats an earlier event", -1, {.more = come_back}, NULL},
        {"leakage", "serious", "(50) are in the train part too", 50, {.twist = parts, .more = leaked}, "duplicates"},
        {"leakage", "warning", "of the test events are older than the user's newest training event", -1, {.twist = random_parts}, NULL},
        {"feedback", "warning", "attention narrows", 13, {.twist = narrowing}, "repeats sparsity funnel"},
        {"feedback", "info", "of the feedback is at position 1 of 4", 4, {.twist = first_position}, NULL},
    };
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
        try_trial(*state, &trials[i]);
}

/* What looks like a finding and is none. */
static void test_calm(void **state)
{
    static const struct {
        const char *check;
        struct log log;
    } calm[] = {{"schema", {.twist = codes}}, {"gaps", {.twist = slow_start}}, {"leakage", {.twist = parts}}};
    struct face *f = *state;
    for (size_t i = 0; i < sizeof calm / sizeof *calm; i++) {
        char line[64];
        write_log("log.csv", &calm[i].log);
        run(f, "load log.csv replace=yes");
        snprintf(line, sizeof line, "audit check=%s", calm[i].check);
        run(f, line);
        const struct table *t = result_find_table(f->last, "findings");
        for (size_t r = 0; r < t->nrows; r++)
            if (strcmp(text_at(t, r, "severity"), "ok"))
                fail_msg("%s: %s", calm[i].check, text_at(t, r, "finding"));
    }
}

/* The suggested command mends it: afterwards the check does not find it any more. */
static void test_advice(void **state)
{
    static const struct trial trials[] = {
        {"values", "warning", "lie off the scale", -1, {.twist = off_scale}, NULL},
        {"values", "warning", "not rated", -1, {.twist = zero_ratings}, NULL},
        {"values", "warning", "negative values in price", -1, {.twist = negative_price}, NULL},
        {"ids", "info", "is no user but a missing id", -1, {.more = nobody}, NULL},
        {"ids", "serious", "user web's alone", -1, {.more = guest}, NULL},
        {"duplicates", "info", "are copies", -1, {.more = twice}, NULL},
        {"duplicates", "info", "within a second", -1, {.more = double_click}, NULL},
        {"clock", "warning", "lie in the future", -1, {.twist = future}, NULL},
        {"clock", "serious", "are of 1970-01-01", -1, {.twist = zero_times}, NULL},
        {"bots", "warning", "far beyond the others", -1, {.more = heavy}, NULL},
        {"bots", "warning", "within an hour", -1, {.more = fast}, NULL},
        {"bots", "warning", "20 hours of one day", -1, {.more = sleepless}, NULL},
        {"bots", "warning", "clockwork", -1, {.more = clockwork}, NULL},
        {"cold", "warning", "of the users (400) have one event only", -1, {.more = one_timers}, NULL},
    };
    struct face *f = *state;
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        const struct trial *x = &trials[i];
        char line[64], advice[1024] = "";
        write_log("log.csv", &x->log);
        run(f, "load log.csv replace=yes");
        snprintf(line, sizeof line, "audit check=%s", x->check);
        run(f, line);
        const struct table *t = result_find_table(f->last, "findings");
        for (size_t r = 0; r < t->nrows; r++)
            if (strstr(text_at(t, r, "finding"), x->words))
                snprintf(advice, sizeof advice, "%s", text_at(t, r, "advice"));
        run(f, advice);
        run(f, line);
        if (has_finding(f->last, x->check, x->severity, x->words, -1))
            fail_msg("\"%s\" is there after %s", x->words, advice);
        run(f, "recipe clear"); /* else the next log would be read with it */
    }
}

static void test_attributes(void **state)
{
    struct face *f = *state;
    write_log("log.csv", &(struct log){0});
    run(f, "load log.csv replace=yes");
    FILE *items = fopen("items.csv", "w");
    assert_non_null(items);
    fputs("item,title,brand\n", items);
    for (int i = 0; i < ITEMS + 5; i++)
        if (i % 10)
            fprintf(items, "i%d,Thing %d,%s\n", i, i, i % 2 ? "a" : "b");
    fclose(items);
    run(f, "load items items.csv");
    run(f, "audit check=attributes");
    struct result *r = result_keep(f->last);
    assert_true(has_finding(r, "attributes", "warning", "22 items with events have no attributes (10 %)", 22));
    assert_true(has_finding(r, "attributes", "info", "5 items have attributes but no event", 5));
    try_findings(f, r);
    result_free(r);
}

static void test_split(void **state)
{
    struct face *f = *state;
    write_log("log.csv", &(struct log){.more = one_timers});
    run(f, "load log.csv replace=yes");
    run(f, "split time test=60d");
    run(f, "audit check=cold");
    assert_true(has_finding(f->last, "cold", "warning", "users of the test part have no event before it", -1));
}

static void test_words(void **state)
{
    struct face *f = *state;
    run(f, "load tiny");
    assert_int_equal(command_run(f->wb, "audit check=clok", &f->sink, &f->err), ST_NOT_FOUND);
    assert_non_null(strstr(f->err.hint, "did you mean check=clock"));
    run(f, "help audit");
    assert_int_equal(result_find_table(f->last, "checks")->nrows, checks_there_are());
    job_cancel(&f->wb->job);
    f->wb->job.cancel = true;
    struct audit a;
    struct dataset *d = workbench_data(f->wb);
    assert_int_equal(audit_run(d, NULL, NULL, clock_now_us(), &f->wb->job, &a, &f->err), ST_CANCELLED);
    audit_clear(&a);
    job_reset(&f->wb->job);
    dataset_release(d);
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
    result_free(f->last);
    workbench_close(f->wb);
    return 0;
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
        cmocka_unit_test_setup_teardown(test_clean, start, stop),      cmocka_unit_test_setup_teardown(test_findings, start, stop),
        cmocka_unit_test_setup_teardown(test_advice, start, stop),
        cmocka_unit_test_setup_teardown(test_calm, start, stop),       cmocka_unit_test_setup_teardown(test_attributes, start, stop),
        cmocka_unit_test_setup_teardown(test_split, start, stop),      cmocka_unit_test_setup_teardown(test_words, start, stop),
    };
    return cmocka_run_group_tests_name("audit", tests, enter, leave);
}
