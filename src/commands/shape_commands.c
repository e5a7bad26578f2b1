/* weight, decay, filter, between, repeat, kcore, sample users, sessions, bots: the steps of a recipe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/lex.h"
#include "commands/recipe.h"
#include "data/shape.h"
#include "features/filter.h"

/* ---- what a step says ---- */

/* "940 of 943 users" when some are gone. */
static bool say_gone(struct str *said, const char *before, const char *what, size_t had, size_t left)
{
    char a[32], b[32];
    if (had == left)
        return false;
    text_count(a, sizeof a, (int64_t)left);
    text_count(b, sizeof b, (int64_t)had);
    str_printf(said, "%s%s of %s %s", before, a, b, what);
    return true;
}

static void say_kept(const struct shaping *s, const struct dataset *next)
{
    const struct dataset *d = s->data;
    if (!say_gone(s->said, "kept ", "events", d->events.n, next->events.n))
        str_puts(s->said, "kept all events");
    bool users = say_gone(s->said, "; ", "users", d->users.n, next->users.n);
    bool items = say_gone(s->said, users ? " and " : "; ", "items", d->items.n, next->items.n);
    if (users || items)
        str_puts(s->said, " are left");
}

/* A step that would leave nothing is a slip. */
static enum status check_left(const struct shaping *s, enum status st, struct dataset **out, struct error *err)
{
    if (st)
        return st;
    if ((*out)->events.n || !s->data->events.n) {
        say_kept(s, *out);
        return ST_OK;
    }
    dataset_release(*out);
    *out = NULL;
    char from[40], to[40];
    int64_t oldest, newest;
    error_set(err, ST_STATE, "no event of %s would be left", s->data->name);
    if (dataset_time_range(s->data, &oldest, &newest)) {
        time_short(from, sizeof from, oldest);
        time_short(to, sizeof to, newest);
        error_hint(err, "they are from %s to %s; `events` lists them", from, to);
    } else {
        error_hint(err, "`events` lists them");
    }
    return ST_STATE;
}

/* ---- weight ---- */

static void put_weights(const struct dataset *d, struct result *out)
{
    static const struct column columns[] = {
        {.name = "type", .type = VALUE_TEXT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "weight", .type = VALUE_REAL, .precision = -1},
    };
    struct table *t = result_table(out, "weights", "", columns, 3);
    int64_t *n = result_room(out, d->types.n, sizeof *n);
    for (size_t e = 0; n && e < d->events.n; e++)
        n[d->events.type[e]]++;
    for (uint32_t k = 0; n && k < d->types.n; k++) {
        table_text(t, dict_text(&d->types, k));
        table_int(t, n[k]);
        table_real(t, (double)d->type_weight[k]);
    }
}

static enum status no_such_type(const struct dataset *d, const struct word *w, struct error *err)
{
    enum { LOOK = 256 };
    const char *names[LOOK];
    uint32_t n = d->types.n < LOOK ? d->types.n : LOOK;
    for (uint32_t i = 0; i < n; i++)
        names[i] = dict_text(&d->types, i);
    const char *near = text_nearest(w->text, names, n);
    error_set(err, ST_NOT_FOUND, "no event is of type \"%s\"", w->text);
    error_hint(err, near ? "did you mean %s?" : "`weight` lists the types there are", near);
    return error_at_word(ST_NOT_FOUND, err, w);
}

static enum status read_weight(const struct dataset *d, const struct word *type, const struct word *weight, float *weights,
                               struct error *err)
{
    const struct param param = {.name = type->text, .type = PARAM_REAL, .min = 0, .max = 1e6};
    struct param_value v = {0};
    uint32_t code = dict_find_text(&d->types, type->text);
    if (code == NO_CODE)
        return no_such_type(d, type, err);
    enum status st = param_parse(&param, weight->text, &v, err);
    if (st)
        return error_at_word(st, err, weight);
    weights[code] = (float)v.real;
    param_values_free(&v, 1);
    return ST_OK;
}

/* A type with blanks comes in quotes, so that the grammar takes it for a word: "COMMENT CREATED=4". */
static enum status read_quoted_weight(const struct dataset *d, const struct word *w, float *weights, struct error *err)
{
    const char *equals = strrchr(w->text, '=');
    if (!equals) {
        error_set(err, ST_USAGE, "\"%s\" says no weight", w->text);
        error_hint(err, "for example: weight %s=2", d->types.n ? dict_text(&d->types, 0) : "click");
        return error_at_word(ST_USAGE, err, w);
    }
    struct word type = *w, weight = *w;
    type.text = mem_strndup(w->text, (size_t)(equals - w->text), err);
    weight.text = mem_strdup(equals + 1, err);
    enum status st = type.text && weight.text ? read_weight(d, &type, &weight, weights, err) : ST_NOMEM;
    mem_free(type.text);
    mem_free(weight.text);
    return st;
}

static enum status step_weight(const struct shaping *s, struct dataset **out, struct error *err)
{
    const struct dataset *d = s->data;
    struct dataset *next = NULL;
    if (!s->call->nopen && !s->call->nargs)
        return error_set(err, ST_USAGE, "weight changes nothing without TYPE=WEIGHT");
    enum status st = dataset_again(d, &next, err);
    for (size_t i = 0; i < s->call->nopen && !st; i++)
        st = read_weight(d, &s->call->open[i].key, &s->call->open[i].value, next->type_weight, err);
    for (size_t i = 0; i < s->call->nargs && !st; i++)
        st = read_quoted_weight(d, &s->call->args[i], next->type_weight, err);
    bool any = false;
    for (uint32_t t = 0; t < d->types.n && !st; t++)
        any |= next->type_weight[t] > 0;
    if (!st && !any) {
        st = error_set(err, ST_USAGE, "with no type above 0 there is nothing to learn from");
        error_hint(err, "give at least one type a weight");
    }
    if (st) {
        dataset_release(next);
        return st;
    }
    str_puts(s->said, "events weigh");
    for (uint32_t t = 0; t < d->types.n && s->said->length < 160; t++)
        str_printf(s->said, "%s %s=%g", t ? "," : "", dict_text(&d->types, t), (double)next->type_weight[t]);
    *out = next;
    return ST_OK;
}

static enum status run_weight(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    enum status st = ST_OK;
    bool change = call->nopen || call->nargs;
    if (change && wb->readonly)
        return error_set(err, ST_STATE, "weight would change the workspace, which is open for reading only");
    if (change)
        st = recipe_run(wb, call, out, err);
    if (st)
        return st;
    struct dataset *d = workbench_data(wb);
    put_weights(d, out);
    dataset_release(d);
    return ST_OK;
}

/* ---- decay ---- */

static enum status step_decay(const struct shaping *s, struct dataset **out, struct error *err)
{
    int64_t halflife = call_int(s->call, "halflife"), oldest, newest;
    if (!call_given(s->call, "halflife")) {
        error_set(err, ST_USAGE, "decay needs to know after how long an event weighs half");
        error_hint(err, "for example: decay halflife=30d");
        return ST_USAGE;
    }
    if (halflife <= 0)
        return error_at_option(error_set(err, ST_USAGE, "a half-life is longer than nothing"), err, s->call, "halflife");
    if (!dataset_time_range(s->data, &oldest, &newest)) {
        error_set(err, ST_STATE, "no event of %s has a time, so none has an age", s->data->name);
        error_hint(err, "`load ... time=COLUMN` names the column of the time");
        return ST_STATE;
    }
    enum status st = dataset_again(s->data, out, err);
    if (st)
        return st;
    (*out)->halflife = halflife;
    str_printf(s->said, "an event weighs half after %s; the oldest is %.3g half-lives old", call_text(s->call, "halflife"),
               ((double)newest - (double)oldest) / (double)halflife);
    return ST_OK;
}

/* ---- filter ---- */

/* What is behind the verb: as it stands, or, when all of it is one quoted text, without the quotes. */
enum status filter_condition(const struct call *call, char **out, size_t *at, struct error *err)
{
    struct lexemes words;
    enum status st = lex_line(call->rest.text, true, &words, err);
    if (st)
        return st;
    bool quoted = words.n == 1 && words.at[0].word.quoted && words.at[0].word.offset == 0;
    *at = call->rest.offset + quoted;
    *out = mem_strdup(quoted ? words.at[0].word.text : call->rest.text, err);
    lexemes_clear(&words);
    return *out ? ST_OK : ST_NOMEM;
}

static enum status step_filter(const struct shaping *s, struct dataset **out, struct error *err)
{
    char *condition = NULL;
    size_t at = 0;
    enum status st = filter_condition(s->call, &condition, &at, err);
    if (st)
        return st;
    st = filter_events(s->data, condition, s->job, out, err);
    if (st && err && err->length)
        err->offset += at;
    mem_free(condition);
    return check_left(s, st, out, err);
}

/* ---- between ---- */

/* "2025" and "2025-03": the whole year or month, [*from, *until). */
static bool parse_period(const char *text, int64_t *from, int64_t *until)
{
    int64_t year, month = 0;
    char number[8] = "";
    size_t n = strlen(text);
    if ((n != 4 && n != 7) || (n == 7 && text[4] != '-'))
        return false;
    memcpy(number, text, 4);
    if (!text_parse_int(number, &year) || year < 1000 || (n == 7 && (!text_parse_int(text + 5, &month) || month < 1 || month > 12)))
        return false;
    *from = time_days(year, month ? (int)month : 1, 1) * US_PER_DAY;
    *until = month && month < 12 ? time_days(year, (int)month + 1, 1) * US_PER_DAY : time_days(year + 1, 1, 1) * US_PER_DAY;
    return true;
}

/* One end of a range as the moments [*from, *until) that it stands for: a year, a month, a day, a moment, so long before the newest
 * event. NO_TIME: no end. */
static enum status parse_end(const struct shaping *s, const struct word *w, int64_t *from, int64_t *until, struct error *err)
{
    int64_t oldest, newest, before;
    double number;
    *from = *until = NO_TIME;
    if (text_same(w->text, "start") || text_same(w->text, "end") || parse_period(w->text, from, until))
        return ST_OK;
    if (!text_parse_real(w->text, &number) && text_parse_duration(w->text, &before) && before > 0) {
        if (dataset_time_range(s->data, &oldest, &newest))
            *from = newest - before;
        *until = *from;
        return ST_OK;
    }
    if (time_parse(w->text, strlen(w->text), 0, from)) {
        bool day = *from % US_PER_DAY == 0 && !strpbrk(w->text, "T :") && (strchr(w->text, '-') || strlen(w->text) == 8);
        *until = *from + (day ? US_PER_DAY : 1);
        return ST_OK;
    }
    error_set(err, ST_USAGE, "\"%s\" is not a time", w->text);
    error_hint(err, "a day (2025-03-01), a month (2025-03), a year, a moment (2025-03-01T12:00), so long before the newest event (90d), "
                    "start or end");
    return error_at_word(ST_USAGE, err, w);
}

static enum status step_between(const struct shaping *s, struct dataset **out, struct error *err)
{
    int64_t from, until = NO_TIME, other;
    enum status st = parse_end(s, &s->call->args[0], &from, &other, err);
    if (!st && s->call->nargs > 1)
        st = parse_end(s, &s->call->args[1], &other, &until, err);
    if (st)
        return st;
    if (from != NO_TIME && until != NO_TIME && from >= until) {
        error_set(err, ST_USAGE, "the range ends before it begins");
        return error_at_word(ST_USAGE, err, &s->call->args[1]);
    }
    return check_left(s, shape_between(s->data, from, until, s->job, out, err), out, err);
}

/* ---- repeat ---- */

static enum status step_repeat(const struct shaping *s, struct dataset **out, struct error *err)
{
    static const struct param policies = {.name = "", .type = PARAM_ENUM, .choices = "keep|last|first|count|once"};
    struct param_value v = {0};
    enum status st = param_parse(&policies, s->call->args[0].text, &v, err);
    int64_t policy = v.integer;
    param_values_free(&v, 1);
    if (st)
        return error_at_word(st, err, &s->call->args[0]);
    st = shape_repeat(s->data, (enum repeat_policy)policy, s->job, out, err);
    if (!st && policy == REPEAT_KEEP)
        str_puts(s->said, "every event stays");
    else if (!st)
        say_kept(s, *out);
    if (!st && policy == REPEAT_COUNT)
        str_puts(s->said, "; the column repeats says how many each stands for");
    return st;
}

/* ---- kcore ---- */

static enum status step_kcore(const struct shaping *s, struct dataset **out, struct error *err)
{
    const struct call *call = s->call;
    int64_t both = 0;
    if (call->nargs && (!text_parse_int(call->args[0].text, &both) || both < 1 || both > INT32_MAX)) {
        error_set(err, ST_USAGE, "\"%s\" is not how many items a user and users an item must have", call->args[0].text);
        error_hint(err, "for example: kcore 5");
        return error_at_word(ST_USAGE, err, &call->args[0]);
    }
    int64_t users = call_given(call, "users") ? call_int(call, "users") : both;
    int64_t items = call_given(call, "items") ? call_int(call, "items") : both;
    if (!users && !items) {
        error_set(err, ST_USAGE, "kcore needs a bound");
        error_hint(err, "kcore 5; or kcore users=5 items=2: at least 5 items a user, 2 users an item");
        return ST_USAGE;
    }
    enum status st = shape_kcore(s->data, (uint32_t)users, (uint32_t)items, s->job, out, err);
    if (!st)
        say_kept(s, *out);
    return st;
}

/* ---- sample users ---- */

static enum status step_sample(const struct shaping *s, struct dataset **out, struct error *err)
{
    static const struct param share = {.name = "share", .type = PARAM_PERCENT};
    struct param_value v = {0};
    enum status st = param_parse(&share, s->call->args[0].text, &v, err);
    double of_all = v.real;
    param_values_free(&v, 1);
    if (st)
        return error_at_word(st, err, &s->call->args[0]);
    st = shape_sample_users(s->data, of_all, (uint64_t)call_int(s->call, "seed"), s->job, out, err);
    return check_left(s, st, out, err);
}

/* ---- sessions ---- */

static enum status no_such_column(const struct dataset *d, const struct call *call, struct error *err)
{
    enum { LOOK = 64 };
    const char *names[LOOK], *by = call_text(call, "by");
    size_t n = 0;
    for (; n < d->events.context.n && n < LOOK; n++)
        names[n] = d->events.context.field[n].name;
    const char *near = text_nearest(by, names, n);
    error_set(err, ST_NOT_FOUND, "the events have no column \"%s\"", by);
    if (near)
        error_hint(err, "did you mean %s?", near);
    else
        error_hint(err, "`sessions gap=30m` goes by the time between events");
    return error_at_option(ST_NOT_FOUND, err, call, "by");
}

static enum status step_sessions(const struct shaping *s, struct dataset **out, struct error *err)
{
    const struct call *call = s->call;
    const struct field *by = NULL;
    uint64_t sessions = 0, unplaced = 0;
    char n[32], lost[32];
    if (call_given(call, "by") && call_given(call, "gap")) {
        error_set(err, ST_USAGE, "sessions go by a gap or by a column, not by both");
        return error_at_option(ST_USAGE, err, call, "by");
    }
    if (call_given(call, "by") && !(by = fields_find(&s->data->events.context, call_text(call, "by"))))
        return no_such_column(s->data, call, err);
    if (call_int(call, "gap") <= 0)
        return error_at_option(error_set(err, ST_USAGE, "a gap is longer than nothing"), err, call, "gap");
    enum status st = shape_sessions(s->data, call_int(call, "gap"), by, s->job, &sessions, &unplaced, out, err);
    if (st)
        return st == ST_USAGE ? error_at_option(st, err, call, "by") : st;
    text_count(n, sizeof n, (int64_t)sessions);
    text_count(lost, sizeof lost, (int64_t)unplaced);
    str_printf(s->said, "found %s session%s, of %.1f events on average", n, sessions == 1 ? "" : "s",
               sessions ? (double)(s->data->events.n - unplaced) / (double)sessions : 0);
    if (unplaced)
        str_printf(s->said, "; %s event%s in none", lost, unplaced == 1 ? " is" : "s are");
    return ST_OK;
}

/* ---- bots ---- */

static enum status step_bots(const struct shaping *s, struct dataset **out, struct error *err)
{
    uint32_t bots;
    char n[32];
    enum status st = shape_drop_bots(s->data, (uint32_t)call_int(s->call, "rate"), (uint8_t)call_int(s->call, "hours"), s->job,
                                     &bots, out, err);
    if (st)
        return st;
    text_count(n, sizeof n, bots);
    if (bots)
        str_printf(s->said, "dropped %s user%s; ", n, bots == 1 ? "" : "s");
    else
        str_puts(s->said, "found nobody that fast; ");
    return check_left(s, ST_OK, out, err);
}

struct suspect {
    uint32_t user;
    struct pace pace;
};

static int by_pace(const void *a, const void *b)
{
    const struct suspect *x = a, *y = b;
    if (x->pace.busiest_hour != y->pace.busiest_hour)
        return x->pace.busiest_hour > y->pace.busiest_hour ? -1 : 1;
    if (x->pace.longest_day != y->pace.longest_day)
        return x->pace.longest_day > y->pace.longest_day ? -1 : 1;
    return x->user < y->user ? -1 : x->user > y->user;
}

static void put_suspects(const struct dataset *d, const struct call *call, struct suspect *of, struct result *out)
{
    static const struct column columns[] = {
        {.name = "user", .type = VALUE_TEXT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "busiest_hour", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "longest_day", .type = VALUE_INT, .unit = "h"},
        {.name = "bot", .type = VALUE_BOOL},
    };
    uint32_t rate = (uint32_t)call_int(call, "rate"), bots = 0;
    uint8_t hours = (uint8_t)call_int(call, "hours");
    size_t top = (size_t)call_int(call, "top"), events = 0;
    for (uint32_t i = 0; i < d->users.n; i++) {
        bool bot = is_bot(&of[i].pace, rate, hours);
        bots += bot;
        events += bot ? d->user_begin[of[i].user + 1] - d->user_begin[of[i].user] : 0;
    }
    qsort(of, d->users.n, sizeof *of, by_pace);
    struct table *t = result_table(out, "pace", "the busiest users", columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < d->users.n && i < top; i++) {
        table_text(t, dict_text(&d->users, of[i].user));
        table_int(t, (int64_t)(d->user_begin[of[i].user + 1] - d->user_begin[of[i].user]));
        table_int(t, of[i].pace.busiest_hour);
        table_int(t, of[i].pace.longest_day);
        table_bool(t, is_bot(&of[i].pace, rate, hours));
    }
    char n[32], all[32];
    text_count(n, sizeof n, bots);
    text_count(all, sizeof all, d->users.n);
    result_message(out, MESSAGE_INFO, "%s of %s users did more than %u things in an hour or were awake more than %u hours of a day",
                   n, all, rate, hours);
    if (bots)
        result_message(out, MESSAGE_HINT, "`bots drop rate=%u hours=%u` takes them out, with %.1f %% of the events", rate, hours,
                       100 * (double)events / (double)d->events.n);
}

static enum status run_bots(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    struct pace *pace = mem_new(d->users.n, sizeof *pace, "the pace of users", err);
    struct suspect *suspect = mem_new(d->users.n, sizeof *suspect, "the pace of users", err);
    enum status st = pace && suspect ? measure_pace(d, pace, err) : ST_NOMEM;
    for (uint32_t u = 0; u < d->users.n && !st; u++)
        suspect[u] = (struct suspect){u, pace[u]};
    if (!st)
        put_suspects(d, call, suspect, out);
    mem_free(pace);
    mem_free(suspect);
    dataset_release(d);
    return st;
}

/* ---- the table ---- */

static const struct argument weight_args[] = {
    {.name = "TYPE=WEIGHT", .type = ARG_TEXT, .optional = true, .repeated = true, .doc = "in quotes when the type has blanks: \"add to cart=3\""},
};
static const struct argument filter_args[] = {
    {.name = "CONDITION", .type = ARG_TEXT, .doc = "over the columns of events: \"value >= 4 and item.price < 20\""},
};
static const struct argument between_args[] = {
    {.name = "FROM", .type = ARG_TEXT, .doc = "a day, a month (2025-03), a year, a moment, so long before the newest event (90d), or start"},
    {.name = "TO", .type = ARG_TEXT, .optional = true, .doc = "the same, or end; all of that day, month or year is part of the range"},
};
static const struct argument repeat_args[] = {
    {.name = "POLICY", .type = ARG_CHOICE, .choices = "keep|last|first|count|once", .doc = "which of several like events count"},
};
static const struct argument kcore_args[] = {
    {.name = "N", .type = ARG_TEXT, .optional = true, .doc = "at least so many items a user and users an item"},
};
static const struct argument sample_args[] = {
    {.name = "SHARE", .type = ARG_TEXT, .doc = "of the users: 10% or 0.1"},
};
static const struct param decay_options[] = {
    {.name = "halflife", .type = PARAM_DURATION, .doc = "after so long an event weighs half: 30d, 12h"},
};
static const struct param kcore_options[] = {
    {.name = "users", .type = PARAM_INT, .min = 0, .max = 1e9, .doc = "at least so many items a user, instead of N; 0: any"},
    {.name = "items", .type = PARAM_INT, .min = 0, .max = 1e9, .doc = "at least so many users an item, instead of N; 0: any"},
};
static const struct param sample_options[] = {
    {.name = "seed", .type = PARAM_INT, .initial = "0", .min = 0, .max = 1e9, .doc = "another number, another sample"},
};
static const struct param session_options[] = {
    {.name = "gap", .type = PARAM_DURATION, .initial = "30m", .doc = "a longer pause than this ends a session"},
    {.name = "by", .type = PARAM_COLUMN, .doc = "a column of the events instead: a user's events with the same value"},
};
#define PACE_OPTIONS                                                                                            \
    {.name = "rate", .type = PARAM_INT, .initial = "600", .min = 1, .max = 1e9, .doc = "more events within any hour are a bot's"}, \
    {.name = "hours", .type = PARAM_INT, .initial = "20", .min = 1, .max = 24, .doc = "active in more hours of one day is a bot's; 24: any"}
static const struct param bots_options[] = {PACE_OPTIONS};
static const struct param show_options[] = {
    PACE_OPTIONS,
    {.name = "top", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = "how many of the busiest"},
};

#define STEP_FLAGS (COMMAND_NEEDS_DATA | COMMAND_CHANGES)

static const struct command rows[] = {
    {.name = "weight",
     .group = "shape",
     .summary = "what each type of event says about liking",
     .arguments = weight_args,
     .narguments = 1,
     .flags = COMMAND_OPEN | COMMAND_NEEDS_DATA,
     .help = "weight click=1 cart=3 purchase=10: models learn from the sum of weights of a user's events with an item. "
             "Weight 0 is no feedback: such events are "
             "kept and shown but neither learnt from nor tested. Impressions begin with 0, all else with 1. A step of the recipe.",
     .examples = (const char *const[]){"weight", "weight click=1 purchase=5", NULL},
     .run = run_weight},
    {.name = "decay",
     .group = "shape",
     .summary = "let the weight of events fall with their age",
     .options = decay_options,
     .noptions = sizeof decay_options / sizeof *decay_options,
     .flags = STEP_FLAGS,
     .help = "An event weighs WEIGHT x 2^(-AGE / halflife). Its age runs from the newest event that may be seen: of the training "
             "part when models learn, of what came before the moment of asking when they are asked. So no weight knows the future. "
             "A step of the recipe; a later one replaces it.",
     .examples = (const char *const[]){"decay halflife=7d", NULL},
     .run = recipe_run},
    {.name = "filter",
     .group = "shape",
     .summary = "keep the events for which a condition holds",
     .arguments = filter_args,
     .narguments = 1,
     .flags = STEP_FLAGS | COMMAND_REST,
     .help = "Columns are type, value, user, item, time, every other column of the events, item.FIELD and user.FIELD; "
             "events_per_user and events_per_item count feedback events in the data as it is before the filter (`kcore` goes on until "
             "all have enough). They are compared with =, !=, <, <=, >, >=, in (...) and joined with and, or, not and brackets; "
             "where a cell is empty no comparison holds.\n"
             "Users and items that lose all their events are gone, until `undo`; those of the catalogue that had none stay. A step of "
             "the recipe.",
     .examples = (const char *const[]){"filter \"events_per_user >= 3\"", "filter type = purchase or item.price < 50",
                                       "filter \"item.category in (Camping, Kitchen)\"", NULL},
     .run = recipe_run},
    {.name = "between",
     .group = "shape",
     .summary = "keep the events of a range of dates",
     .arguments = between_args,
     .narguments = 2,
     .flags = STEP_FLAGS,
     .help = "Both ends are part of the range: of a day, a month or a year all of it (UTC). `between 90d` keeps the last 90 days before "
             "the newest event. Events without a time go. A step of the recipe.",
     .examples = (const char *const[]){"between 2025-05-01 2025-05-10", "between 7d", "between start 2025-05-10T12:00", NULL},
     .run = recipe_run},
    {.name = "repeat",
     .group = "shape",
     .summary = "what to do with repeats of an event",
     .arguments = repeat_args,
     .narguments = 1,
     .flags = STEP_FLAGS,
     .help = "Repeats are events of one user with the same item and of the same type. keep: each counts, as without this step. last, "
             "first: only that one is kept. count: the last is kept and weighs as much as all of them; the column repeats says how "
             "many. Types without weight (impressions) are left alone.\n"
             "once: of exact copies, which have the same time and value too, one is kept, of every type: for a file that was "
             "loaded twice. A step of the recipe.",
     .examples = (const char *const[]){"repeat last", "repeat count", "repeat once", NULL},
     .run = recipe_run},
    {.name = "kcore",
     .group = "shape",
     .summary = "drop users and items with few interactions until all have enough",
     .arguments = kcore_args,
     .narguments = 1,
     .options = kcore_options,
     .noptions = sizeof kcore_options / sizeof *kcore_options,
     .flags = STEP_FLAGS,
     .help = "The largest part of the data in which every user has at least N different items and every item N different users. "
             "Whoever is dropped leaves others with less, so this goes on until nobody is left to drop. Items and users without any "
             "feedback go too. A step of the recipe.",
     .examples = (const char *const[]){"kcore 2", "kcore users=3 items=0", NULL},
     .run = recipe_run},
    {.name = "sample users",
     .group = "shape",
     .summary = "keep a random share of the users",
     .arguments = sample_args,
     .narguments = 1,
     .options = sample_options,
     .noptions = sizeof sample_options / sizeof *sample_options,
     .flags = STEP_FLAGS,
     .help = "With all their events. Chance looks only at the id and the seed: when the data grow the same users stay, and those of a "
             "10 % sample are among those of a 20 % sample. A step of the recipe.",
     .examples = (const char *const[]){"sample users 50%", "sample users 50% seed=1", NULL},
     .run = recipe_run},
    {.name = "sessions",
     .group = "shape",
     .summary = "cut the events of users into sessions",
     .options = session_options,
     .noptions = sizeof session_options / sizeof *session_options,
     .flags = STEP_FLAGS,
     .help = "The number of the session becomes the column session of the events, for conditions, features and SQL. gap: a pause "
             "longer than this ends a session. by: a column says it, such as an id that the shop gave. Numbers run over all users, "
             "so one number is one session of one user. A step of the recipe.",
     .examples = (const char *const[]){"sessions", "sessions gap=1d", NULL},
     .run = recipe_run},
    {.name = "bots drop",
     .group = "shape",
     .summary = "drop users who act faster or longer than people do",
     .options = bots_options,
     .noptions = sizeof bots_options / sizeof *bots_options,
     .flags = STEP_FLAGS,
     .help = "`bots show` shows first who that would be. A step of the recipe.",
     .examples = (const char *const[]){"bots drop", "bots drop rate=100", NULL},
     .run = recipe_run},
    {.name = "bots show",
     .group = "shape",
     .summary = "the users who act fastest, and which of them look like bots",
     .options = show_options,
     .noptions = sizeof show_options / sizeof *show_options,
     .flags = COMMAND_NEEDS_DATA,
     .help = "busiest_hour: most events of a user within any 60 minutes. longest_day: in how many hours of one day (UTC) there was "
             "one. Events without weight (impressions) do not count.",
     .examples = (const char *const[]){"bots show", "bots show rate=2 top=3", NULL},
     .run = run_bots},
};

const struct command_family shape_commands = {rows, sizeof rows / sizeof *rows};

shape_step shape_step_of(const struct command *c)
{
    static const struct {
        const char *name;
        shape_step step;
    } steps[] = {
        {"weight", step_weight}, {"decay", step_decay},        {"filter", step_filter},     {"between", step_between}, {"repeat", step_repeat},
        {"kcore", step_kcore},   {"sample users", step_sample}, {"sessions", step_sessions}, {"bots drop", step_bots},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(steps[i].name, c->name) == 0)
            return steps[i].step;
    return NULL;
}
