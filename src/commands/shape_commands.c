/* decay, filter, between, repeat, kcore, sample users, sessions: steps of a recipe. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/lex.h"
#include "commands/recipe.h"
#include "commands/shaping.h"
#include "data/shape.h"
#include "features/filter.h"

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
        return error_at_option(error_set(err, ST_USAGE, "a half-life is longer than nothing"), err, s->call,
                               "halflife");
    if (!dataset_time_range(s->data, &oldest, &newest)) {
        error_set(err, ST_STATE, "no event of %s has a time, so none has an age", s->data->name);
        error_hint(err, "`load ... time=COLUMN` names the column of the time");
        return ST_STATE;
    }
    enum status st = dataset_again(s->data, out, err);
    if (st)
        return st;
    (*out)->halflife = halflife;
    str_printf(s->said, "an event weighs half after %s; the oldest is %.3g half-lives old",
               call_text(s->call, "halflife"), ((double)newest - (double)oldest) / (double)halflife);
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
    return shaping_left(s, st, out, err);
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
    if (!text_parse_int(number, &year) || year < 1000 ||
        (n == 7 && (!text_parse_int(text + 5, &month) || month < 1 || month > 12)))
        return false;
    *from = time_days(year, month ? (int)month : 1, 1) * US_PER_DAY;
    *until =
        month && month < 12 ? time_days(year, (int)month + 1, 1) * US_PER_DAY : time_days(year + 1, 1, 1) * US_PER_DAY;
    return true;
}

/* One end of a range as the moments [*from, *until) that it stands for: a year, a month, a day, a moment, so long
 * before the newest event. NO_TIME: no end. */
static enum status parse_end(const struct shaping *s, const struct word *w, int64_t *from, int64_t *until,
                             struct error *err)
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
        bool day =
            *from % US_PER_DAY == 0 && !strpbrk(w->text, "T :") && (strchr(w->text, '-') || strlen(w->text) == 8);
        *until = *from + (day ? US_PER_DAY : 1);
        return ST_OK;
    }
    error_set(err, ST_USAGE, "\"%s\" is not a time", w->text);
    error_hint(
        err,
        "a day (2025-03-01), a month (2025-03), a year, a moment (2025-03-01T12:00), so long before the newest event "
        "(90d), start or end");
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
    return shaping_left(s, shape_between(s->data, from, until, s->job, out, err), out, err);
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
        shaping_say_kept(s, *out);
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
        shaping_say_kept(s, *out);
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
    return shaping_left(s, st, out, err);
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

/* ---- the table ---- */

static const struct argument filter_args[] = {
    {.name = "CONDITION", .type = ARG_TEXT, .doc = "over the columns of events: \"value >= 4 and item.price < 20\""},
};
static const struct argument between_args[] = {
    {.name = "FROM",
     .type = ARG_TEXT,
     .doc = "a day, a month (2025-03), a year, a moment, so long before the newest event (90d), or start"},
    {.name = "TO",
     .type = ARG_TEXT,
     .optional = true,
     .doc = "the same, or end; all of that day, month or year is part of the range"},
};
static const struct argument repeat_args[] = {
    {.name = "POLICY",
     .type = ARG_CHOICE,
     .choices = "keep|last|first|count|once",
     .doc = "which of several like events count"},
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
    {.name = "users",
     .type = PARAM_INT,
     .min = 0,
     .max = 1e9,
     .doc = "at least so many items a user, instead of N; 0: any"},
    {.name = "items",
     .type = PARAM_INT,
     .min = 0,
     .max = 1e9,
     .doc = "at least so many users an item, instead of N; 0: any"},
};
static const struct param sample_options[] = {
    {.name = "seed", .type = PARAM_INT, .initial = "0", .min = 0, .max = 1e9, .doc = "another number, another sample"},
};
static const struct param session_options[] = {
    {.name = "gap", .type = PARAM_DURATION, .initial = "30m", .doc = "a longer pause than this ends a session"},
    {.name = "by", .type = PARAM_COLUMN, .doc = "a column of the events instead: a user's events with the same value"},
};

static const struct command rows[] = {
    {.name = "decay",
     .group = "shape",
     .summary = "let the weight of events fall with their age",
     .options = decay_options,
     .noptions = sizeof decay_options / sizeof *decay_options,
     .flags = COMMAND_STEP,
     .help = "An event weighs WEIGHT x 2^(-AGE / halflife). Its age runs from the newest event that may be seen: of "
             "the training part when models learn, of what came before the moment of asking when they are asked. So no "
             "weight knows the future. A step of the recipe; a later one replaces it.",
     .examples = (const char *const[]){"decay halflife=7d", NULL},
     .step = step_decay,
     .run = recipe_run},
    {.name = "filter",
     .group = "shape",
     .summary = "keep the events for which a condition holds",
     .arguments = filter_args,
     .narguments = 1,
     .flags = COMMAND_STEP | COMMAND_REST,
     .help = "Columns are type, value, user, item, time, every other column of the events, item.FIELD and user.FIELD; "
             "events_per_user and events_per_item count feedback events in the data as it is before the filter "
             "(`kcore` goes on until all have enough). They are compared with =, !=, <, <=, >, >=, in (...) and joined "
             "with and, or, not and brackets; where a cell is empty no comparison holds.\n"
             "Users and items that lose all their events are gone, until `undo`; those of the catalogue that had none "
             "stay. A step of the recipe.",
     .examples = (const char *const[]){"filter \"events_per_user >= 3\"", "filter type = purchase or item.price < 50",
                                       "filter \"item.category in (Camping, Kitchen)\"", NULL},
     .step = step_filter,
     .run = recipe_run},
    {.name = "between",
     .group = "shape",
     .summary = "keep the events of a range of dates",
     .arguments = between_args,
     .narguments = 2,
     .flags = COMMAND_STEP,
     .help = "Both ends are part of the range: of a day, a month or a year all of it (UTC). `between 90d` keeps the "
             "last 90 days before the newest event. Events without a time go. A step of the recipe.",
     .examples =
         (const char *const[]){"between 2025-05-01 2025-05-10", "between 7d", "between start 2025-05-10T12:00", NULL},
     .step = step_between,
     .run = recipe_run},
    {.name = "repeat",
     .group = "shape",
     .summary = "what to do with repeats of an event",
     .arguments = repeat_args,
     .narguments = 1,
     .flags = COMMAND_STEP,
     .help = "Repeats are events of one user with the same item and of the same type. keep: each counts, as without "
             "this step. last, first: only that one is kept. count: the last is kept and weighs as much as all of "
             "them; the column repeats says how many. Types without weight (impressions) are left alone.\n"
             "once: of exact copies, which have the same time and value too, one is kept, of every type: for a file "
             "that was loaded twice. A step of the recipe.",
     .examples = (const char *const[]){"repeat last", "repeat count", "repeat once", NULL},
     .step = step_repeat,
     .run = recipe_run},
    {.name = "kcore",
     .group = "shape",
     .summary = "drop users and items with few interactions until all have enough",
     .arguments = kcore_args,
     .narguments = 1,
     .options = kcore_options,
     .noptions = sizeof kcore_options / sizeof *kcore_options,
     .flags = COMMAND_STEP,
     .help = "The largest part of the data in which every user has at least N different items and every item N "
             "different users. Whoever is dropped leaves others with less, so this goes on until nobody is left to "
             "drop. Items and users without any feedback go too. A step of the recipe.",
     .examples = (const char *const[]){"kcore 2", "kcore users=3 items=0", NULL},
     .step = step_kcore,
     .run = recipe_run},
    {.name = "sample users",
     .group = "shape",
     .summary = "keep a random share of the users",
     .arguments = sample_args,
     .narguments = 1,
     .options = sample_options,
     .noptions = sizeof sample_options / sizeof *sample_options,
     .flags = COMMAND_STEP,
     .help = "With all their events. Chance looks only at the id and the seed: when the data grow the same users stay, "
             "and those of a 10 % sample are among those of a 20 % sample. A step of the recipe.",
     .examples = (const char *const[]){"sample users 50%", "sample users 50% seed=1", NULL},
     .step = step_sample,
     .run = recipe_run},
    {.name = "sessions",
     .group = "shape",
     .summary = "cut the events of users into sessions",
     .options = session_options,
     .noptions = sizeof session_options / sizeof *session_options,
     .flags = COMMAND_STEP,
     .help = "The number of the session becomes the column session of the events, for conditions, features and SQL. "
             "gap: a pause longer than this ends a session. by: a column says it, such as an id that the shop gave. "
             "Numbers run over all users, so one number is one session of one user. A step of the recipe.",
     .examples = (const char *const[]){"sessions", "sessions gap=1d", NULL},
     .step = step_sessions,
     .run = recipe_run},
};

const struct command_family shape_commands = {rows, sizeof rows / sizeof *rows};
