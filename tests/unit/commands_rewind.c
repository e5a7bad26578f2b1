/* The clock: rewound to T, everything answers as it did when nothing later had happened. */
#include "tests/unit/world.h"

#include "commands/command.h"
#include "models/classes.h"
#include "models/history.h"

enum { USERS = 40, ITEMS = 60, EARLY = 400, WHOLE = 700, SEED = 11 };
static const int64_t moment = (WORLD_START + (int64_t)EARLY * 3600) * US_PER_SECOND;

struct bench {
    struct workbench *wb;
    struct sink sink;
    struct str shown;  /* the last result as JSON, then its messages */
    char command[512]; /* what replays it */
};

static enum status emit(struct sink *s, struct result *r, struct error *err)
{
    struct bench *b = s->face;
    struct render_options json = {.form = OUTPUT_JSON};
    str_clear(&b->shown);
    snprintf(b->command, sizeof b->command, "%s", r->command);
    enum status st = result_render_text(r, &json, &b->shown, err);
    for (size_t i = 0; i < r->nmessages; i++)
        str_printf(&b->shown, "%s\n", r->messages[i].text);
    return st;
}

static const char *run(struct bench *b, const char *line)
{
    struct error err;
    if (command_run(b->wb, line, &b->sink, &err))
        fail_msg("%s: %s", line, err.message);
    return str_text(&b->shown);
}

static void refused(struct bench *b, const char *line, enum status want, const char *words)
{
    struct error err = {0};
    assert_int_equal(command_run(b->wb, line, &b->sink, &err), want);
    if (!strstr(err.message, words))
        fail_msg("%s: no \"%s\" in: %s", line, words, err.message);
}

static void says(struct bench *b, const char *line, const char *words)
{
    if (!strstr(run(b, line), words))
        fail_msg("%s: no \"%s\" in: %s", line, words, str_text(&b->shown));
}

static const struct model_class *const classes[] = {&model_pop, &model_itemknn, &model_ease, &model_ials};
enum { CLASSES = sizeof classes / sizeof *classes };

static void open_bench(struct bench *b, size_t events)
{
    struct error err;
    *b = (struct bench){0};
    assert_int_equal(workbench_open(NULL, false, &b->wb, &err), ST_OK);
    assert_int_equal(workbench_keep_data(b->wb, world_new(USERS, ITEMS, events, SEED), true, &err), ST_OK);
    b->sink = (struct sink){.face = b, .emit = emit};
}

static void close_bench(struct bench *b)
{
    workbench_close(b->wb);
    str_free(&b->shown);
}

static void train_here(struct bench *b)
{
    struct error err;
    for (size_t i = 0; i < CLASSES; i++)
        assert_int_equal(workbench_add_model(b->wb, world_train(b->wb->data, classes[i], NULL), &err), ST_OK);
}

/* The data as they were at the moment, and as they became: the first events are the same, and so are their users and items. */
struct pair {
    struct bench early, late;
};

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    open_bench(&p->early, EARLY);
    open_bench(&p->late, WHOLE);
    assert_true(p->late.wb->data->items.n > p->early.wb->data->items.n); /* some are met only later */
    train_here(&p->early);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    close_bench(&p->early);
    close_bench(&p->late);
    free(p);
    return 0;
}

/* What was asked before, without the names that models of the past have. */
static char *plain(const char *text)
{
    char *copy = strdup(text), *to = copy;
    while (*text) {
        size_t n = *text == '@' ? strspn(text, "@0123456789-T:Z") : 0;
        while (n && text[n - 1] == ':') /* stands behind the name */
            n--;
        text += n;
        if (*text)
            *to++ = *text++;
    }
    *to = 0;
    return copy;
}

static const char *const questions[] = {
    "user u3",
    "user u17 events=5",
    "user u17 show=timeline,sessions,neighbours",
    "recommend u3 k=20",
    "recommend u3 seen=show k=100 with pop itemknn ease",
    "recommend all k=5 with itemknn",
    "why u3 i2",
    "why u8 #1 with ease",
    "whatif u3 remove i3 add i5 k=8",
    "diff u3 with pop ease k=4",
    "diff with pop itemknn k=5",
    "diff with pop ease k=5 by=history_length users=3",
    "bisect u3 i5 k=3 with itemknn ease",
    "bisect u8 i2 with pop",
    "whynot u3 i9 with itemknn",
    "whynot u3 i9 with ease",
    "who i4 with itemknn k=5",
    "who where \"category = 'group 1'\" with ease k=5",
    "who i9 with ease k=5 by=history_length",
    "who where \"events_per_item >= 8\" with ease k=5",
    "why u3 where \"events_per_item >= 8\" with ease",
    "why u8 #1 minimal with ease",
    "why u3 i2 steps=yes with ease",
    "whatif u3 add i2 retrain=no k=5",
    "map items with ials",
    "map users with ials",
    "similar i4 with ease itemknn",
    "events by=item",
    "events by=user",
    "events by=month",
    "user new = i1 i2",
    "recommend new with ease itemknn",
    "similar i4",
    "similar users u3 with ials",
    "events user=u3 last=4",
    "events by=type",
    "find \"item 12\" k=5",
    "SELECT count(*) AS n, min(time) AS first, max(time) AS last FROM events;",
    "SELECT item, count(*) AS n FROM events WHERE user = 'u3' GROUP BY item ORDER BY item;",
    "SELECT user, type, time FROM events WHERE item = 'i2';",
    "SELECT count(*) AS n FROM events WHERE item IN ('i2', 'i3');",
    "SELECT user, events, first, last FROM users WHERE events > 0 ORDER BY user;",
    "SELECT item, events, users FROM items WHERE events > 0 ORDER BY item;",
    "SELECT * FROM interactions WHERE user = 'u5' ORDER BY item;",
    "SELECT user, count(*) AS n, sum(events) AS events FROM sessions GROUP BY user ORDER BY user;",
    "SELECT * FROM recommend('ease', 'u4', 10);",
    "SELECT item, score('itemknn', 'u4', item) AS s FROM items WHERE events > 0 ORDER BY item;",
    "SELECT * FROM explain('ease', 'u4', 'i2');",
    "SELECT * FROM recommend('ease', 'u4', 10, '2023-11-17');",
    "SELECT item, score FROM score('itemknn', 'u4', '2023-11-17') ORDER BY item;",
    "SELECT e.time, r.rank FROM events e, recommend('ease', e.user, 20, e.time) r WHERE e.user = 'u4' AND r.item = e.item ORDER BY e.time;",
    "SELECT * FROM features ORDER BY 1, 2;",
    "features clicks",
};

/* Where two texts differ, beyond rounding of numbers; the end of both: nowhere. */
static size_t difference(const char *a, const char *b, double rounding)
{
    size_t i = 0, j = 0;
    while (a[i] && b[j]) {
        char *after_a, *after_b;
        double x = strtod(a + i, &after_a), y = strtod(b + j, &after_b);
        bool number = rounding > 0 && after_a != a + i && after_b != b + j;
        if (number ? fabs(x - y) > rounding : a[i] != b[j])
            return i;
        i = number ? (size_t)(after_a - a) : i + 1;
        j = number ? (size_t)(after_b - b) : j + 1;
    }
    return a[i] || b[j] ? i : strlen(a);
}

/* Each question, of the workbench that knows no future and of the one that is rewound; SQL names its models. */
static void same_answers(struct pair *p, bool named)
{
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const char *q = questions[i];
        if (!named && (strstr(q, " with ") || strstr(q, "('") || strncmp(q, "similar users", 13) == 0))
            continue;
        char *early = plain(run(&p->early, q)), *late = plain(run(&p->late, q));
        size_t at = difference(early, late, named ? 0 : 1e-5);
        if (at < strlen(early) || strlen(early) == 0)
            fail_msg("%s: ...%.300s", q, late + (at > 200 ? at - 200 : 0));
        free(early);
        free(late);
    }
}

static void define_features(struct pair *p)
{
    run(&p->early, "feature define clicks = count(type = 'click') over 3d by user");
    run(&p->late, "feature define clicks = count(type = 'click') over 3d by user");
}

/* The models of then, which know nothing of what came later, asked on all the data. */
static void test_same_models(void **state)
{
    struct pair *p = *state;
    struct error err;
    const struct dataset *d = p->late.wb->data;
    define_features(p);
    for (size_t i = 0; i < CLASSES; i++) {
        struct model *wide = model_widen(p->early.wb->models[i], d->users.n, d->items.n, &err);
        assert_non_null(wide);
        assert_int_equal(workbench_add_model(p->late.wb, wide, &err), ST_OK);
    }
    char line[64];
    snprintf(line, sizeof line, "rewind %lld", (long long)(moment / US_PER_SECOND));
    says(&p->late, line, "\"later_events\":300,");
    assert_null(strstr(str_text(&p->late.shown), "later events too"));
    same_answers(p, true);
    char *now = strdup(run(&p->early, "recommend u3"));
    run(&p->late, "rewind now");
    assert_string_not_equal(now, run(&p->late, "recommend u3")); /* the history has grown: the test can fail */
    free(now);
    /* at= asks one question the same way */
    char at[96];
    now = strdup(run(&p->early, "recommend u3 k=20"));
    snprintf(at, sizeof at, "recommend u3 k=20 at=%lld", (long long)(moment / US_PER_SECOND));
    assert_string_equal(now, run(&p->late, at));
    free(now);
    /* all that is known of a user, and a word about what is left out */
    run(&p->late, line);
    now = strdup(run(&p->early, "export user u3"));
    assert_memory_equal(now, run(&p->late, "export user u3"), strlen(now));
    assert_string_equal(str_text(&p->late.shown) + strlen(now), "the clock is rewound: what u3 did since then is left out\n");
    free(now);
    /* the condition of at= too counts what had happened */
    now = strdup(run(&p->early, "who where \"events_per_item >= 8\" with ease k=5"));
    run(&p->late, "rewind now");
    snprintf(at, sizeof at, "who where \"events_per_item >= 8\" with ease k=5 at=%lld", (long long)(moment / US_PER_SECOND));
    assert_string_equal(now, run(&p->late, at));
    free(now);
    now = strdup(run(&p->early, "features clicks"));
    snprintf(at, sizeof at, "features clicks at=%lld", (long long)(moment / US_PER_SECOND));
    assert_string_equal(now, run(&p->late, at));
    free(now);
    now = strdup(run(&p->early, "similar users u3 with ials"));
    snprintf(at, sizeof at, "similar users u3 with ials at=%lld", (long long)(moment / US_PER_SECOND));
    assert_string_equal(now, run(&p->late, at));
    assert_string_equal(p->late.command, at);
    free(now);
}

/* Models trained on everything, and then anew as of the moment, are those that were trained then; and they go. */
static void test_retrain(void **state)
{
    struct pair *p = *state;
    define_features(p);
    train_here(&p->late);
    char line[64], name[64];
    snprintf(line, sizeof line, "rewind %lld", (long long)(moment / US_PER_SECOND));
    says(&p->late, line, "pop, itemknn, ease, ials were trained on later events too");
    says(&p->late, "recommend u3 with pop", "it knows the future");
    char *known = strdup(run(&p->late, "recommend u3"));
    snprintf(line, sizeof line, "rewind %lld retrain=yes", (long long)(moment / US_PER_SECOND));
    run(&p->late, line);
    assert_int_equal(p->late.wb->nmodels, 2 * CLASSES);
    assert_string_not_equal(known, run(&p->late, "recommend u3"));
    assert_null(strstr(str_text(&p->late.shown), "future"));
    free(known);
    run(&p->early, "use pop itemknn ease"); /* ials begins with random numbers for as many items as there are */
    run(&p->late, "use pop itemknn ease");
    same_answers(p, false);
    run(&p->late, "use all");
    snprintf(name, sizeof name, "recommend u3 with %s", p->late.wb->models[CLASSES]->name);
    run(&p->late, name);
    assert_string_equal(p->late.command, name); /* the name is one word */
    says(&p->late, "recommend u3 with pop", "it knows the future"); /* the model itself is there too */
    run(&p->late, "use ease");
    says(&p->late, "recommend u3", "\"model\":\"ease@");
    run(&p->late, "use all");
    says(&p->late, "rewind -1d with pop retrain=yes", "pop@");
    assert_int_equal(p->late.wb->nmodels, CLASSES + 1); /* those of the other moment are gone */
    run(&p->late, "rewind now");
    assert_int_equal(p->late.wb->nmodels, CLASSES);
    assert_null(strchr(run(&p->late, "recommend u3"), '@'));
}

/* Trained as one went along: a factor model, an ensemble; and what cannot be trained anew says why. */
static void test_ensembles(void **state)
{
    struct pair *p = *state;
    char line[128];
    run(&p->late, "train pop itemknn ease");
    run(&p->late, "train blend with ease itemknn as mix");
    snprintf(line, sizeof line, "rewind %lld with mix retrain=yes", (long long)(moment / US_PER_SECOND));
    says(&p->late, line, "\"model\":\"mix@");
    run(&p->early, "train blend with ease itemknn as mix");
    char *early = plain(run(&p->early, "recommend u9 with mix")), *late;
    says(&p->late, "use mix", "mix");
    late = plain(run(&p->late, "recommend u9"));
    assert_int_equal(difference(early, late, 1e-5), strlen(early));
    free(early);
    free(late);
    run(&p->late, "rewind now");
    run(&p->late, "split last 1 valid=yes");
    run(&p->late, "train ease itemknn");
    run(&p->late, "train stack with ease.2 itemknn.2 as fitted");
    struct model *fitted = workbench_model(p->late.wb, "fitted");
    const float *w = fitted->class->part_weights(fitted);
    snprintf(line, sizeof line, "train blend with ease.2 itemknn.2 as hand weights=%.9g,%.9g", (double)w[0], (double)w[1]);
    run(&p->late, line);
    snprintf(line, sizeof line, "rewind %lld with fitted hand retrain=yes", (long long)(moment / US_PER_SECOND));
    says(&p->late, line, "has the fitted weights of fitted, and the lists that they were fitted to came later");
    struct model *const *then = p->late.wb->models + p->late.wb->nmodels - 2;
    assert_int_equal(then[0]->record.split_fingerprint, p->late.wb->split->fingerprint);
    assert_memory_equal(then[0]->class->part_weights(then[0]), w, 2 * sizeof *w);
    assert_true(strncmp(then[0]->name, "fitted@", 7) == 0 && then[0]->record.trained_until < moment);
    char *a = plain(run(&p->late, "recommend u9 k=60 with fitted"));
    char *b = plain(run(&p->late, "recommend u9 k=60 with hand"));
    assert_null(strstr(b, "fitted"));
    for (char *at = a; (at = strstr(at, "fitted")); at += 4) {
        memcpy(at, "hand", 4);
        memmove(at + 4, at + 6, strlen(at + 6) + 1);
    }
    assert_string_equal(a, b);
    free(a);
    free(b);
    model_release(fitted);
}

/* Retrained as of then, and without what is taken out: of a model of the past no event since is learnt. */
static void test_whatif(void **state)
{
    struct pair *p = *state;
    char line[128];
    run(&p->late, "train ease itemknn");
    run(&p->late, "train blend with ease itemknn as mix");
    run(&p->early, "train blend with ease itemknn as mix");
    snprintf(line, sizeof line, "rewind %lld with mix ease itemknn retrain=yes", (long long)(moment / US_PER_SECOND));
    run(&p->late, line);
    struct history h;
    uint32_t user;
    struct dataset *d = workbench_data(p->early.wb);
    struct selection all = {.data = d, .until = NO_TIME};
    assert_int_equal(dataset_find_user(d, "u9", &user, NULL), ST_OK);
    assert_int_equal(history_of_user(&all, user, &h, NULL), ST_OK);
    for (int i = 0; i < 3; i++) {
        static const char *const models[] = {"mix", "ease", "itemknn"};
        const char *then = p->late.wb->models[p->late.wb->nmodels - 3 + (size_t)i]->name, *item = dict_text(&d->items, h.events[0].item);
        assert_true(strncmp(then, models[i], strlen(models[i])) == 0 && strchr(then, '@'));
        snprintf(line, sizeof line, "whatif u9 remove %s with %s k=60 retrain=yes", item, models[i]);
        char *early = plain(run(&p->early, line)), *late;
        snprintf(line, sizeof line, "whatif u9 remove %s with %s k=60 retrain=yes", item, then);
        late = plain(run(&p->late, line));
        assert_non_null(strstr(early, "score_retrained"));
        size_t at = difference(early, late, i ? 1e-5 : 1e-4); /* scores of a blend are deviations, so larger */
        if (at != strlen(early))
            fail_msg("%s: %.200s is not %.200s", line, early + at, late + at);
        free(early);
        free(late);
    }
    history_clear(&h);
    dataset_release(d);
}

static void test_words(void **state)
{
    struct pair *p = *state;
    struct bench *b = &p->late;
    train_here(b);
    says(b, "rewind", "\"clock\":null");
    says(b, "rewind 2023-11-20", "\"clock\":\"2023-11-20T00:00:00Z\"");
    assert_string_equal(b->command, "rewind 2023-11-20");
    run(b, "rewind -12h");
    assert_string_equal(b->command, "rewind 2023-11-19T12:00:00Z");
    assert_int_equal(b->wb->now, (time_days(2023, 11, 19) * 24 + 12) * 3600 * US_PER_SECOND);
    run(b, "rewind +1d");
    assert_string_equal(b->command, "rewind 2023-11-20T12:00:00Z");
    says(b, "rewind", "\"clock\":\"2023-11-20T12:00:00Z\"");
    refused(b, "rewind 2030-01-01", ST_USAGE, "not in the past");
    refused(b, "rewind +9999d", ST_USAGE, "not in the past");
    refused(b, "rewind tomorrow", ST_USAGE, "not a moment");
    refused(b, "recommend u3 at=2023-12-01", ST_USAGE, "after the clock");
    refused(b, "train pop", ST_STATE, "the clock is rewound");
    refused(b, "filter \"events_per_user >= 2\"", ST_STATE, "the clock is rewound");
    refused(b, "use nobody", ST_NOT_FOUND, "nobody");
    says(b, "rewind 2001-01-01", "nothing had happened yet");
    says(b, "recommend u3 with pop", "is empty at that moment");
    says(b, "audit", "does not follow the clock");
    refused(b, "compare", ST_STATE, "the clock is rewound");
    refused(b, "fairness by=history_length", ST_STATE, "the clock is rewound");
    run(b, "rewind now");
    assert_int_equal(b->wb->now, NO_TIME);
    assert_null(strstr(run(b, "audit"), "clock,"));
    refused(b, "rewind now retrain=yes", ST_USAGE, "nothing to train anew");
    run(b, "rewind -1d");
    workbench_set_data(b->wb, world_new(USERS, ITEMS, EARLY, SEED)); /* other data are of the present */
    assert_int_equal(b->wb->now, NO_TIME);
    struct dataset *order = world_new(USERS, ITEMS, EARLY, SEED);
    mem_free(order->events.time);
    order->events.time = NULL;
    workbench_set_data(b->wb, order);
    refused(b, "rewind 2023-11-20", ST_STATE, "no event of world has a time");
}

/* A cancel while models are trained leaves the clock where it was. */
static void test_cancel(void **state)
{
    struct pair *p = *state;
    struct bench *b = &p->late;
    struct error err;
    train_here(b);
    struct call *call;
    assert_int_equal(call_parse(b->wb, "rewind 2023-11-20 retrain=yes", false, &call, &err), ST_OK);
    struct result *r = result_new(&err);
    job_cancel(&b->wb->job);
    assert_int_equal(call->command->run(b->wb, call, r, &err), ST_CANCELLED);
    job_reset(&b->wb->job);
    assert_int_equal(b->wb->now, NO_TIME);
    assert_int_equal(b->wb->nmodels, CLASSES);
    result_free(r);
    call_free(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_models, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retrain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ensembles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whatif, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
