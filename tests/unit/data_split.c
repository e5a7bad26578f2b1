/* Splits: hand-worked small sets, and what must hold for any split of any data. */
#include "tests/unit/rows.h"

#include "base/rng.h"
#include "data/interactions.h"
#include "data/split.h"
#include "tests/unit/memory.h"

/* The parts of all events, in the order of the data set: t rain, v alid, T est, h istory, "." none. */
static const char *letters(const struct dataset *d, const struct split *s)
{
    static char text[256];
    size_t e;
    for (e = 0; e < d->events.n && e < sizeof text - 1; e++)
        text[e] = ".tv?T???h"[s->part[e]];
    text[e] = 0;
    return text;
}

static struct split *split_of(const struct dataset *d, struct split_spec spec)
{
    struct split *s = NULL;
    struct error err;
    enum status st = split_new(d, &spec, &s, &err);
    if (st)
        fail_msg("%s", err.message);
    return s;
}

static void expect_letters(const struct row *rows, size_t n, bool times, struct split_spec spec, const char *expected)
{
    struct dataset *d = rows_dataset(rows, n, times);
    struct split *s = split_of(d, spec);
    assert_string_equal(letters(d, s), expected);
    split_release(s);
    dataset_release(d);
}

static const struct row shop[] = {
    {"a", "x", NULL, 10, NULL},   {"a", "y", NULL, 20, NULL},       {"a", "y", "buy", 20, NULL},
    {"a", "z", NULL, 30, NULL},   {"a", "z", "impression", 40, NULL}, {"b", "x", NULL, 20, NULL},
    {"c", "z", NULL, 20, NULL},   {"c", "w", "buy", 30, NULL},      {"c", "v", NULL, 40, NULL},
};

static void test_last(void **state)
{
    (void)state;
    expect_letters(ROWS(shop), true, (struct split_spec){.kind = SPLIT_LAST, .last = 1}, "tttT.tttT");
    expect_letters(ROWS(shop), false, (struct split_spec){.kind = SPLIT_LAST, .last = 1}, "tttT.tttT");
    expect_letters(ROWS(shop), true, (struct split_spec){.kind = SPLIT_LAST, .last = 2}, "ttTT.ttTT");
    /* three of c's are not more than three; a has four */
    expect_letters(ROWS(shop), true, (struct split_spec){.kind = SPLIT_LAST, .last = 3}, "tTTT.tttt");
    expect_letters(ROWS(shop), true, (struct split_spec){.kind = SPLIT_LAST, .last = 1, .valid_share = .1}, "ttvT.ttvT");
    /* what follows the last purchase is neither learned nor judged */
    expect_letters(ROWS(shop), true, (struct split_spec){.kind = SPLIT_LAST, .last = 1, .target = "buy"}, "ttT..ttT.");
}

static void test_last_counts(void **state)
{
    (void)state;
    struct dataset *d = rows_dataset(ROWS(shop), true);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_LAST, .last = 1});
    assert_int_equal(s->ntrain, 6);
    assert_int_equal(s->ntest, 2);
    assert_int_equal(s->nvalid + s->nhistory + s->nnone, 0);
    assert_int_equal(s->test_users, 2);
    assert_int_equal(s->cold_users, 0);
    assert_int_equal(s->cold_items, 1); /* v; z was clicked by c */
    assert_string_equal(s->description, "last 1 per user");
    split_release(s);
    dataset_release(d);
}

static void test_time(void **state)
{
    (void)state;
    struct split_spec at = {.kind = SPLIT_TIME, .at = 30};
    expect_letters(ROWS(shop), true, at, "tttT.ttTT");
    at.at = 25;
    expect_letters(ROWS(shop), true, at, "tttT.ttTT");
    struct split_spec duration = {.kind = SPLIT_TIME, .at = NO_TIME, .duration = 10};
    expect_letters(ROWS(shop), true, duration, "tttT.ttTT");
    struct split_spec buys = {.kind = SPLIT_TIME, .at = 20, .target = "buy"};
    expect_letters(ROWS(shop), true, buys, "t.T....T.");
}

/* Times 10, 20 x 4, 30 x 2, 40: a share never cuts the four at 20 in two. */
static void test_time_share(void **state)
{
    (void)state;
    struct split_spec spec = {.kind = SPLIT_TIME, .at = NO_TIME};
    static const struct {
        double share;
        const char *parts;
    } cases[] = {
        {.01, "tttt.tttT"}, {.125, "tttt.tttT"}, {.375, "tttT.ttTT"}, {.5, "tttT.ttTT"},
        {.625, "tTTT.TTTT"}, {.875, "tTTT.TTTT"}, {.99, "tTTT.TTTT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spec.share = cases[i].share;
        expect_letters(ROWS(shop), true, spec, cases[i].parts);
    }
    spec.share = .375;
    spec.valid_share = .5; /* of 10, 20 x 4 */
    expect_letters(ROWS(shop), true, spec, "tvvT.vvTT");
}

static void test_time_unknown(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a", "x", NULL, NO_TIME, NULL}, {"a", "y", NULL, 1, NULL}, {"a", "z", NULL, 2, NULL}, {"b", "x", NULL, 3, NULL},
    };
    struct dataset *d = rows_dataset(ROWS(rows), true);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_TIME, .at = 2});
    assert_string_equal(letters(d, s), ".tTT");
    assert_int_equal(s->nnone, 1);
    assert_int_equal(s->test_users, 2);
    assert_int_equal(s->cold_users, 1);
    assert_int_equal(s->cold_items, 2);
    split_release(s);
    dataset_release(d);
}

static void test_given(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a", "x", NULL, 1, "train"}, {"a", "y", NULL, 2, "Test"}, {"a", "z", NULL, 3, "validation"},
        {"b", "x", NULL, 1, NULL},    {"b", "y", NULL, 1, "what"}, {"b", "z", NULL, 1, "train"},
    };
    expect_letters(ROWS(rows), false, (struct split_spec){.kind = SPLIT_GIVEN}, "tTv..t");
}

static void expect_refused(struct split_spec spec, bool times, const char *message, const char *hint)
{
    struct dataset *d = rows_dataset(ROWS(shop), times);
    struct split *s = NULL;
    struct error err;
    assert_int_equal(split_new(d, &spec, &s, &err), ST_USAGE);
    assert_null(s);
    assert_non_null(strstr(err.message, message));
    assert_non_null(strstr(err.hint, hint));
    dataset_release(d);
}

static void test_refused(void **state)
{
    (void)state;
    struct split_spec time = {.kind = SPLIT_TIME, .at = NO_TIME, .share = .2};
    expect_refused(time, false, "no times", "split last 1");
    expect_refused((struct split_spec){.kind = SPLIT_FOLDS, .folds = 1, .fold = 1}, true, "2 to", "");
    expect_refused((struct split_spec){.kind = SPLIT_FOLDS, .folds = 3, .fold = 4}, true, "no fold 4", "");
    expect_refused((struct split_spec){.kind = SPLIT_ROLLING, .folds = 3, .fold = 1, .share = .4}, true, "nothing to learn", "fewer");
    expect_refused((struct split_spec){.kind = SPLIT_ROLLING, .folds = 3, .fold = 1, .duration = 7}, false, "no times", "");
    expect_refused((struct split_spec){.kind = SPLIT_ROLLING, .folds = 9, .fold = 1, .duration = 7}, true, "before", "");
    expect_refused((struct split_spec){.kind = SPLIT_SESSIONS, .last = 1}, true, "no column session", "gap");
    time.share = 1;
    expect_refused(time, true, "share", "");
    time.at = 10;
    expect_refused(time, true, "before", "1970-01-01");
    time.at = 41;
    expect_refused(time, true, "after", "1970-01-01");
    expect_refused((struct split_spec){.kind = SPLIT_LAST, .last = 9}, true, "testing", "smaller");
    expect_refused((struct split_spec){.kind = SPLIT_LAST}, true, "at least 1", "");
    expect_refused((struct split_spec){.kind = SPLIT_LAST, .last = 1, .target = "like"}, true, "type like", "click, buy");
    expect_refused((struct split_spec){.kind = SPLIT_LAST, .last = 1, .target = "impression"}, true, "no weight", "weight");
    expect_refused((struct split_spec){.kind = SPLIT_GIVEN}, true, "no events for", "");
    expect_refused((struct split_spec){.kind = SPLIT_RANDOM, .share = 0}, true, "share", "");
}

/* ---- what must hold for any data ---- */

enum { USERS = 40, ITEMS = 25, EVENTS = 600 };

static struct dataset *random_data(uint64_t seed)
{
    static char names[USERS + ITEMS][8];
    static struct row rows[EVENTS];
    struct rng r = rng_stream(seed, "test", 0);
    for (size_t i = 0; i < USERS + ITEMS; i++)
        snprintf(names[i], sizeof names[i], "%zu", i);
    for (size_t e = 0; e < EVENTS; e++) {
        static const char *const types[] = {"click", "buy", "impression"};
        /* squares: some users and items are rare */
        size_t u = (size_t)(rng_real(&r) * rng_real(&r) * USERS), i = (size_t)(rng_real(&r) * rng_real(&r) * ITEMS);
        rows[e] = (struct row){names[u], names[USERS + i], types[rng_below(&r, 3)], (int64_t)rng_below(&r, 60), NULL};
    }
    return rows_dataset(rows, EVENTS, true);
}

static void check_parts(const struct dataset *d, const struct split *s)
{
    size_t count[9] = {0}, feedback = 0;
    for (size_t e = 0; e < d->events.n; e++) {
        uint8_t part = s->part[e];
        bool counts = d->type_weight[d->events.type[e]] > 0;
        assert_true(part == 0 || part == 1 || part == 2 || part == 4 || part == 8);
        if (!counts)
            assert_int_equal(part, PART_NONE);
        else
            count[part]++, feedback++;
        if (*s->spec.target && (part == PART_TEST || part == PART_VALID))
            assert_string_equal(dict_text(&d->types, d->events.type[e]), s->spec.target);
        if (s->held_out && s->held_out[d->events.user[e]])
            assert_int_not_equal(part, PART_TRAIN);
    }
    assert_int_equal(count[0], s->nnone);
    assert_int_equal(count[1], s->ntrain);
    assert_int_equal(count[2], s->nvalid);
    assert_int_equal(count[4], s->ntest);
    assert_int_equal(count[8], s->nhistory);
    assert_int_equal(s->ntrain + s->nvalid + s->ntest + s->nhistory + s->nnone, feedback);
}

/* In the order of time nothing that is known comes after what is judged. */
static void check_order(const struct dataset *d, const struct split *s, enum part on)
{
    for (uint32_t u = 0; u < d->users.n; u++) {
        bool judged = false;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            judged |= s->part[e] == on;
            if (judged)
                assert_false(s->part[e] & split_history(s, u, on));
        }
    }
}

static void check_cut(const struct dataset *d, const struct split *s)
{
    for (size_t e = 0; e < d->events.n; e++) {
        int64_t t = d->events.time[e];
        if (s->part[e] & (PART_TRAIN | PART_VALID | PART_HISTORY))
            assert_true(t < s->test_from);
        if (s->part[e] == PART_TRAIN && s->valid_from != NO_TIME)
            assert_true(t < s->valid_from);
        if (s->part[e] == PART_VALID)
            assert_true(t >= s->valid_from);
        if (s->part[e] == PART_TEST)
            assert_true(t >= s->test_from);
    }
}

/* Items of one user are never both known and judged. */
static void check_items(const struct dataset *d, const struct split *s)
{
    for (uint32_t u = 0; u < d->users.n; u++)
        for (size_t a = d->user_begin[u]; a < d->user_begin[u + 1]; a++)
            for (size_t b = d->user_begin[u]; b < d->user_begin[u + 1]; b++)
                if (d->events.item[a] == d->events.item[b] && s->part[a] == PART_TEST)
                    assert_false(s->part[b] & (PART_TRAIN | PART_VALID));
}

/* The same by brute force: every pair of events is looked at. */
static void check_leaks(const struct dataset *d, const struct split *s)
{
    struct split_leaks l, want = {.timed = true};
    struct error err;
    assert_int_equal(split_leaks_find(d, s, &l, &err), ST_OK);
    int64_t first_of[USERS], first = INT64_MAX, last = INT64_MIN;
    for (size_t u = 0; u < USERS; u++)
        first_of[u] = INT64_MAX;
    for (size_t e = 0; e < d->events.n; e++) {
        int64_t t = d->events.time[e], *mine = &first_of[d->events.user[e]];
        if (s->part[e] == PART_TEST)
            *mine = t < *mine ? t : *mine, first = t < first ? t : first;
        if (s->part[e] == PART_TRAIN)
            last = t > last ? t : last;
    }
    bool late[USERS] = {false};
    for (size_t e = 0; e < d->events.n; e++) {
        uint32_t u = d->events.user[e];
        int64_t t = d->events.time[e];
        bool known = s->part[e] & (PART_TRAIN | PART_VALID | PART_HISTORY), new = s->part[e] == PART_TEST, twin = false;
        want.late_events += known && t > first_of[u];
        late[u] |= known && t > first_of[u];
        want.tied_events += known && t == first_of[u];
        want.later_train += s->part[e] == PART_TRAIN && t > first;
        for (size_t x = d->user_begin[u]; x < e; x++)
            new &= !(s->part[x] == PART_TEST && d->events.item[x] == d->events.item[e]);
        for (size_t x = d->user_begin[u]; x < d->user_begin[u + 1]; x++)
            twin |= (s->part[x] & (PART_TRAIN | PART_VALID | PART_HISTORY)) && d->events.item[x] == d->events.item[e];
        want.pairs += new;
        want.known_pairs += new && twin;
    }
    for (size_t u = 0; u < d->users.n; u++) {
        want.late_users += late[u];
        want.past_users += first_of[u] < last;
    }
    assert_int_equal(l.late_events, want.late_events);
    assert_int_equal(l.late_users, want.late_users);
    assert_int_equal(l.tied_events, want.tied_events);
    assert_int_equal(l.past_users, want.past_users);
    assert_int_equal(l.later_train, want.later_train);
    assert_int_equal(l.pairs, want.pairs);
    assert_int_equal(l.known_pairs, want.known_pairs);
    assert_int_equal(l.first_test, first);
    assert_int_equal(l.last_train, last);
    if (s->test_from != NO_TIME)
        assert_int_equal(l.late_events + l.later_train, 0);
}

/* Over all folds every feedback event is tested once; of users, every user is held out once. */
static void test_folds(void **state)
{
    (void)state;
    enum { FOLDS = 4 };
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct dataset *d = random_data(seed);
        uint8_t tested[EVENTS] = {0}, held[USERS] = {0};
        for (size_t fold = 1; fold <= FOLDS; fold++) {
            struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_FOLDS, .folds = FOLDS, .fold = fold, .seed = seed});
            struct split *by = split_of(d, (struct split_spec){
                .kind = SPLIT_FOLDS, .folds = FOLDS, .fold = fold, .by_users = true, .holdout = .2, .seed = seed});
            for (size_t e = 0; e < d->events.n; e++) {
                tested[e] = (uint8_t)(tested[e] + (s->part[e] == PART_TEST));
                assert_int_equal(s->part[e] != PART_NONE, d->type_weight[d->events.type[e]] > 0);
            }
            for (uint32_t u = 0; u < d->users.n; u++)
                held[u] = (uint8_t)(held[u] + by->held_out[u]);
            assert_true(fold == 1 || s->ntest > 400 / FOLDS / 2);
            split_release(by);
            split_release(s);
        }
        for (size_t e = 0; e < d->events.n; e++)
            assert_int_equal(tested[e], d->type_weight[d->events.type[e]] > 0);
        for (uint32_t u = 0; u < d->users.n; u++) {
            bool counts = false;
            for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
                counts |= d->type_weight[d->events.type[e]] > 0;
            assert_int_equal(held[u], counts);
        }
        dataset_release(d);
    }
}

/* Every cut tests what lies before the next, learns from all before it, and knows nothing after. */
static void test_rolling(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a", "x", NULL, 10, NULL}, {"a", "y", NULL, 20, NULL}, {"a", "z", NULL, 30, NULL}, {"a", "w", NULL, 40, NULL},
        {"b", "x", NULL, 15, NULL}, {"b", "y", NULL, 25, NULL}, {"b", "z", NULL, 35, NULL}, {"b", "w", NULL, 40, NULL},
    };
    struct split_spec spec = {.kind = SPLIT_ROLLING, .at = NO_TIME, .folds = 2, .fold = 1, .duration = 10};
    expect_letters(ROWS(rows), true, spec, "tT..tT.."); /* from 20 to 30 */
    spec.fold = 2; /* the newest instant is tested too */
    expect_letters(ROWS(rows), true, spec, "ttTTttTT");
    spec.fold = 1; /* the last half, without the last quarter */
    spec.duration = 0;
    spec.share = .25;
    expect_letters(ROWS(rows), true, spec, "ttT.ttT.");
    spec.fold = 2;
    expect_letters(ROWS(rows), true, spec, "tttTtttT");
    spec.duration = 10;
    spec.window = 10; /* learn from [20, 30) */
    expect_letters(ROWS(rows), true, spec, "htTThtTT");
}

static void test_last_share(void **state)
{
    (void)state;
    /* a has four: half are two; c three: a half of them rounds to two */
    expect_letters(ROWS(shop), true, (struct split_spec){.kind = SPLIT_LAST, .share = .5}, "ttTT.ttTT");
    expect_letters(ROWS(shop), true, (struct split_spec){.kind = SPLIT_LAST, .share = .25, .valid_share = .34}, "ttvT.ttvT");
    /* never all of them */
    expect_letters(ROWS(shop), true, (struct split_spec){.kind = SPLIT_LAST, .share = .99}, "tTTT.ttTT");
}

/* Adds a column to the events in the order of the data set: sessions, folds. */
static struct dataset *with_column(const char *name, const int64_t *value, size_t n)
{
    static const struct row rows[] = {
        {"a", "x", NULL, 1, NULL}, {"a", "y", NULL, 2, NULL}, {"a", "z", NULL, 3, NULL}, {"a", "w", NULL, 4, NULL},
        {"a", "v", NULL, 5, NULL}, {"a", "u", NULL, 6, NULL}, {"b", "x", NULL, 1, NULL}, {"b", "y", NULL, 2, NULL},
    };
    struct dataset *d = rows_dataset(ROWS(rows), true);
    struct field *f;
    assert_int_equal(fields_add(&d->events.context, name, FIELD_INT, &f, NULL), ST_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(field_push_int(f, value[i], NULL), ST_OK);
    return d;
}

static void test_sessions(void **state)
{
    (void)state;
    static const struct {
        int64_t session[8];
        size_t last;
        double valid;
        const char *parts;
    } cases[] = {
        {{7, 7, 5, 5, 9, 9, 1, 1}, 1, 0, "ttttTTtt"}, /* b has but one session */
        {{7, 7, 5, 5, 9, 9, 1, 2}, 1, .1, "ttvvTTtT"},
        {{7, 7, 5, 5, 9, 9, 1, 2}, 2, 0, "ttTTTTtt"},
        {{7, 5, 7, 5, 7, 5, 1, 2}, 1, 0, "tT.T.TtT"}, /* they interleave: what 7 does later is never known */
        {{7, 7, NO_INT, 5, NO_INT, 5, 1, NO_INT}, 1, 0, "tttT.Ttt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dataset *d = with_column("session", cases[i].session, 8);
        struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_SESSIONS, .last = cases[i].last, .valid_share = cases[i].valid});
        assert_string_equal(letters(d, s), cases[i].parts);
        split_release(s);
        dataset_release(d);
    }
}

static void test_given_folds(void **state)
{
    (void)state;
    static const int64_t fold[8] = {10, 2, 10, 2, 3, NO_INT, 3, 10};
    static const char *const parts[] = {"tTtTt.tt", "ttttT.Tt", "TtTtt.tT"}; /* 2, 3, 10 */
    struct dataset *d = with_column("fold", fold, 8);
    for (size_t f = 1; f <= 3; f++) {
        struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_GIVEN, .fold = f});
        assert_string_equal(letters(d, s), parts[f - 1]);
        assert_int_equal(s->spec.folds, 3);
        split_release(s);
    }
    struct split *none = NULL;
    struct error err;
    assert_int_equal(split_new(d, &(struct split_spec){.kind = SPLIT_GIVEN, .fold = 4}, &none, &err), ST_USAGE);
    assert_non_null(strstr(err.message, "3 values"));
    dataset_release(d);
}

/* Two folds and a validation row. The row without a time names both events of b and y, that with one only its own. */
static struct split_list *sample_list(void)
{
    static const struct split_row rows[] = {
        {1, 1, 1, NO_TIME}, {0, 1, 2, 2}, {0, 0, 1, 1}, {0, 1, 2, 2}, {0, 2, 0, NO_TIME}, {1, 2, 2, 99}, {7, 7, 1, -5},
    };
    struct split_list *l = NULL;
    assert_int_equal(split_list_new("a.test and b.test", &l, NULL), ST_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(split_list_add(l, &rows[i], NULL), ST_OK);
    split_list_sort(l);
    assert_int_equal(l->n, 6); /* one stood there twice */
    return l;
}

static void test_list(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a", "x", NULL, 1, NULL}, {"a", "y", NULL, 2, NULL}, {"a", "y", NULL, 3, NULL}, {"a", "z", NULL, 4, NULL},
        {"b", "x", NULL, 1, NULL}, {"b", "y", NULL, 2, NULL}, {"b", "y", NULL, 3, NULL}, {"b", "z", NULL, 4, NULL},
    };
    static const char *const parts[] = {"TttvtTTt", "tTtvtttt"};
    struct split_list *l = sample_list();
    struct dataset *d = rows_dataset(ROWS(rows), true);
    size_t events, strangers;
    split_list_match(l, d, &events, &strangers);
    assert_int_equal(events, 5);
    assert_int_equal(strangers, 2); /* b never met z at 99, there is no user 7 */
    uint64_t fingerprint[2];
    for (size_t f = 1; f <= 2; f++) {
        struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_GIVEN, .list = l, .folds = 2, .fold = f});
        assert_string_equal(letters(d, s), parts[f - 1]);
        assert_non_null(strstr(s->description, "as given by a.test and b.test"));
        fingerprint[f - 1] = s->fingerprint;
        split_release(s);
    }
    assert_true(fingerprint[0] != fingerprint[1]);
    struct split *none = NULL;
    struct error err;
    assert_int_equal(split_new(d, &(struct split_spec){.kind = SPLIT_GIVEN, .list = l, .folds = 2, .fold = 3}, &none, &err),
                     ST_USAGE);
    dataset_release(d);
    split_list_release(l);
}

/* A list is kept whole; what is cut off or changed is refused or another list, never a crash. */
static void test_kept_list(void **state)
{
    (void)state;
    struct split_list *l = sample_list(), *back = NULL;
    struct str bytes = {0};
    struct error err;
    split_list_write(l, &bytes);
    assert_int_equal(split_list_read(bytes.data, bytes.length, &back, &err), ST_OK);
    assert_string_equal(back->name, l->name);
    assert_true(back->n == l->n && back->folds == l->folds && back->fingerprint == l->fingerprint);
    split_list_release(back);
    for (size_t n = 0; n < bytes.length; n++)
        assert_int_equal(split_list_read(bytes.data, n, &back, &err), ST_CORRUPT);
    for (size_t i = 0; i < bytes.length; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[i] = (char)(bytes.data[i] ^ 1 << bit);
            if (split_list_read(bytes.data, bytes.length, &back, &err) == ST_OK)
                split_list_release(back);
            else
                assert_int_equal(err.code, ST_CORRUPT);
            bytes.data[i] = (char)(bytes.data[i] ^ 1 << bit);
        }
    str_free(&bytes);
    split_list_release(l);
}

/* What is kept of a split makes the same split; lines of older workspaces too. */
static void test_text(void **state)
{
    (void)state;
    static const struct split_spec specs[] = {
        {.kind = SPLIT_LAST, .last = 3, .at = NO_TIME, .holdout = .2, .seed = UINT64_MAX},
        {.kind = SPLIT_TIME, .at = -5, .share = .1, .valid_share = 1.0 / 3, .target = "a b=c target= d"},
        {.kind = SPLIT_ROLLING, .at = NO_TIME, .duration = 7, .window = INT64_MAX, .folds = 9, .fold = 8},
        {.kind = SPLIT_FOLDS, .at = NO_TIME, .folds = 5, .fold = 1, .by_users = true, .holdout = .7},
    };
    struct split_spec read;
    struct error err;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct str text = {0};
        split_spec_write(&specs[i], &text);
        assert_int_equal(split_spec_read(str_text(&text), &read, &err), ST_OK);
        assert_int_equal(read.kind, specs[i].kind);
        assert_int_equal(read.last, specs[i].last);
        assert_int_equal(read.at, specs[i].at);
        assert_int_equal(read.duration, specs[i].duration);
        assert_int_equal(read.window, specs[i].window);
        assert_int_equal(read.folds, specs[i].folds);
        assert_int_equal(read.fold, specs[i].fold);
        assert_int_equal(read.by_users, specs[i].by_users);
        assert_true(read.seed == specs[i].seed);
        assert_memory_equal(&read.share, &specs[i].share, sizeof read.share);
        assert_memory_equal(&read.holdout, &specs[i].holdout, sizeof read.holdout);
        assert_memory_equal(&read.valid_share, &specs[i].valid_share, sizeof read.valid_share);
        assert_string_equal(read.target, specs[i].target);
        str_free(&text);
    }
    assert_int_equal(split_spec_read("3 1 -9223372036854775808 0 0.2 0.2 0.1 42 buy", &read, &err), ST_OK);
    assert_int_equal(read.kind, SPLIT_RANDOM);
    assert_int_equal(read.last, 0); /* it was there, and meant nothing */
    assert_string_equal(read.target, "buy");
    assert_int_equal(split_spec_read("0 1 -9223372036854775808 0 0.2 0.2 0 42 ", &read, &err), ST_OK);
    assert_int_equal(read.last, 1);
    assert_int_equal(split_spec_read("kind=99 n=1", &read, &err), ST_CORRUPT);
    assert_int_equal(split_spec_read("99 1 0 0 0 0 0 0", &read, &err), ST_CORRUPT);
    assert_int_equal(split_spec_read("", &read, &err), ST_CORRUPT);
}

/* An attribute that counts the events of the test part too is found; one that counts the others is not. */
static void test_derived(void **state)
{
    (void)state;
    struct dataset *d = random_data(4);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_LAST, .last = 1});
    struct field all = {.type = FIELD_INT, .n = d->items.n}, known = {.type = FIELD_REAL, .n = d->items.n};
    all.integer = mem_new(d->items.n, sizeof *all.integer, "", NULL);
    known.real = mem_new(d->items.n, sizeof *known.real, "", NULL);
    for (size_t e = 0; e < d->events.n; e++) {
        all.integer[d->events.item[e]] += d->type_weight[d->events.type[e]] > 0;
        known.real[d->events.item[e]] += s->part[e] == PART_TRAIN;
    }
    struct split_derived x;
    struct error err;
    assert_int_equal(split_derived_find(d, s, &all, true, &x, &err), ST_OK);
    assert_string_equal(x.what, "number");
    assert_int_equal(x.same, x.n);
    assert_int_equal(split_derived_find(d, s, &known, true, &x, &err), ST_OK);
    assert_null(x.what);
    mem_free(all.integer);
    mem_free(known.real);
    split_release(s);
    dataset_release(d);
}

static void test_properties(void **state)
{
    (void)state;
    static const struct split_spec specs[] = {
        {.kind = SPLIT_LAST, .last = 1},
        {.kind = SPLIT_LAST, .last = 2, .valid_share = .1},
        {.kind = SPLIT_LAST, .last = 1, .valid_share = .1, .target = "buy"},
        {.kind = SPLIT_TIME, .at = NO_TIME, .share = .2, .valid_share = .2},
        {.kind = SPLIT_TIME, .at = 30, .target = "buy", .valid_share = .3},
        {.kind = SPLIT_USERS, .share = .3, .holdout = .2, .valid_share = .2},
        {.kind = SPLIT_USERS, .share = .3, .holdout = .5, .target = "buy", .valid_share = .2},
        {.kind = SPLIT_RANDOM, .share = .3, .valid_share = .2},
        {.kind = SPLIT_RANDOM, .share = .3, .valid_share = .2, .target = "buy"},
        {.kind = SPLIT_RANDOM, .last = 1, .valid_share = .2},
        {.kind = SPLIT_LAST, .share = .2, .valid_share = .2},
        {.kind = SPLIT_LAST, .share = .2, .valid_share = .2, .target = "buy"},
        {.kind = SPLIT_FOLDS, .folds = 4, .fold = 2, .valid_share = .2},
        {.kind = SPLIT_FOLDS, .folds = 4, .fold = 3, .by_users = true, .holdout = .3, .valid_share = .2},
        {.kind = SPLIT_ROLLING, .folds = 3, .fold = 2, .duration = 7, .valid_share = .2},
        {.kind = SPLIT_ROLLING, .folds = 3, .fold = 1, .share = .15, .window = 20, .valid_share = .2, .target = "buy"},
    };
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct dataset *d = random_data(seed);
        for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
            struct split_spec spec = specs[i];
            spec.seed = seed;
            struct split *s = split_of(d, spec), *again = split_of(d, spec);
            check_parts(d, s);
            if (!split_in_order(s)) {
                check_items(d, s);
            } else {
                check_order(d, s, PART_TEST);
                check_order(d, s, PART_VALID);
            }
            if (spec.kind == SPLIT_TIME || spec.kind == SPLIT_ROLLING)
                check_cut(d, s);
            check_leaks(d, s);
            if (spec.valid_share > 0)
                assert_true(s->nvalid > 0);
            assert_memory_equal(s->part, again->part, d->events.n);
            assert_true(s->fingerprint == again->fingerprint && s->fingerprint != 0);
            split_release(again);
            split_release(s);
        }
        dataset_release(d);
    }
}

/* Every validation event is in one half, users are in one half only, and nothing else is touched. */
static void check_halves(const struct dataset *d, const struct split *s)
{
    struct split *half[2];
    struct error err;
    size_t users = 0;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(split_valid_half(d, s, i, &half[i], &err), ST_OK);
        assert_true(half[i]->fingerprint == s->fingerprint && half[i]->ntrain == s->ntrain && half[i]->ntest == s->ntest);
        assert_int_equal(half[i]->nvalid + half[i]->nnone, s->nvalid + s->nnone);
    }
    assert_int_equal(half[0]->nvalid + half[1]->nvalid, s->nvalid);
    for (uint32_t u = 0; u < d->users.n; u++) {
        size_t has[2] = {0, 0};
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
            for (unsigned i = 0; i < 2; i++) {
                has[i] += half[i]->part[e] == PART_VALID;
                assert_int_equal(half[i]->part[e], s->part[e] == PART_VALID && half[i]->part[e] != PART_VALID ? PART_NONE : s->part[e]);
            }
        if (has[0] + has[1])
            assert_true(has[users++ % 2] > 0 && (!has[0] || !has[1]));
    }
    split_release(half[0]);
    split_release(half[1]);
}

static void test_halves(void **state)
{
    (void)state;
    struct dataset *d = random_data(3);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_LAST, .last = 1, .valid_share = .1}), *none;
    struct error err;
    check_halves(d, s);
    split_release(s);
    s = split_of(d, (struct split_spec){.kind = SPLIT_USERS, .share = .3, .holdout = .2, .valid_share = .2, .seed = 5});
    check_halves(d, s);
    split_release(s);
    s = split_of(d, (struct split_spec){.kind = SPLIT_LAST, .last = 1});
    assert_int_equal(split_valid_half(d, s, 0, &none, &err), ST_STATE);
    split_release(s);
    dataset_release(d);
}

static void test_shares(void **state)
{
    (void)state;
    struct dataset *d = random_data(1);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_USERS, .share = .25, .holdout = .2, .seed = 7});
    size_t held = 0, active = 0;
    for (uint32_t u = 0; u < d->users.n; u++) {
        bool counts = false;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
            counts |= d->type_weight[d->events.type[e]] > 0;
        held += s->held_out[u];
        active += counts;
    }
    assert_int_equal(held, (size_t)(.25 * (double)active + .5));
    split_release(s);

    struct split *other = split_of(d, (struct split_spec){.kind = SPLIT_USERS, .share = .25, .holdout = .2, .seed = 8});
    s = split_of(d, (struct split_spec){.kind = SPLIT_USERS, .share = .25, .holdout = .2, .seed = 7});
    assert_true(s->fingerprint != other->fingerprint);
    assert_memory_not_equal(s->part, other->part, d->events.n);
    split_release(s);
    split_release(other);
    dataset_release(d);
}

/* Every allocation fails once: an error, no leak. */
static void test_memory(void **state)
{
    (void)state;
    struct dataset *d = random_data(3);
    struct split_spec spec = {.kind = SPLIT_TIME, .at = NO_TIME, .share = .2, .valid_share = .2};
    for (long i = 0; i < 100; i++) {
        struct split *s = NULL;
        atomic_long left = i;
        mem_set_hook(fail_from, &left);
        enum status st = split_new(d, &spec, &s, NULL);
        mem_set_hook(NULL, NULL);
        if (!st) {
            assert_true(i > 3);
            split_release(s);
            break;
        }
        assert_int_equal(st, ST_NOMEM);
        assert_null(s);
    }
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last),    cmocka_unit_test(test_last_counts),  cmocka_unit_test(test_time),
        cmocka_unit_test(test_time_share), cmocka_unit_test(test_time_unknown), cmocka_unit_test(test_given),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_properties),   cmocka_unit_test(test_halves), cmocka_unit_test(test_shares),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_folds),       cmocka_unit_test(test_rolling),
        cmocka_unit_test(test_last_share), cmocka_unit_test(test_sessions), cmocka_unit_test(test_given_folds), cmocka_unit_test(test_list),
        cmocka_unit_test(test_kept_list),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_derived),
    };
    return cmocka_run_group_tests_name("data_split", tests, NULL, NULL);
}
