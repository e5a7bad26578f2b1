/* bots drop, a step of a recipe, and bots show, which says first who that would be. */
#include <stdlib.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/recipe.h"
#include "commands/shaping.h"
#include "data/shape.h"

static enum status step_bots(const struct shaping *s, struct dataset **out, struct error *err)
{
    uint32_t bots;
    char n[32];
    enum status st = shape_drop_bots(s->data, (uint32_t)call_int(s->call, "rate"), (uint8_t)call_int(s->call, "hours"),
                                     s->job, &bots, out, err);
    if (st)
        return st;
    text_count(n, sizeof n, bots);
    if (bots)
        str_printf(s->said, "dropped %s user%s; ", n, bots == 1 ? "" : "s");
    else
        str_puts(s->said, "found nobody that fast; ");
    return shaping_left(s, ST_OK, out, err);
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
    result_message(out, MESSAGE_INFO,
                   "%s of %s user%s did more than %u thing%s in an hour or %s awake more than %u hour%s of a day", n,
                   all, d->users.n == 1 ? "" : "s", rate, rate == 1 ? "" : "s", bots == 1 ? "was" : "were", hours,
                   hours == 1 ? "" : "s");
    if (bots)
        result_message(out, MESSAGE_HINT, "`bots drop rate=%u hours=%u` takes them out, with %.1f %% of the events",
                       rate, hours, 100 * (double)events / (double)d->events.n);
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

#define PACE_OPTIONS                                                                                                   \
    {.name = "rate",                                                                                                   \
     .type = PARAM_INT,                                                                                                \
     .initial = "600",                                                                                                 \
     .min = 1,                                                                                                         \
     .max = 1e9,                                                                                                       \
     .doc = "more events within any hour are a bot's"},                                                                \
    {                                                                                                                  \
        .name = "hours", .type = PARAM_INT, .initial = "20", .min = 1, .max = 24,                                      \
        .doc = "active in more hours of one day is a bot's; 24: any"                                                   \
    }
static const struct param bots_options[] = {PACE_OPTIONS};
static const struct param show_options[] = {
    PACE_OPTIONS,
    {.name = "top", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = "how many of the busiest"},
};

static const struct command rows[] = {
    {.name = "bots drop",
     .group = "shape",
     .summary = "drop users who act faster or longer than people do",
     .options = bots_options,
     .noptions = sizeof bots_options / sizeof *bots_options,
     .flags = COMMAND_STEP,
     .help = "`bots show` shows first who that would be. A step of the recipe.",
     .examples = (const char *const[]){"bots drop", "bots drop rate=100", NULL},
     .step = step_bots,
     .run = recipe_run},
    {.name = "bots show",
     .group = "shape",
     .summary = "the users who act fastest, and which of them look like bots",
     .options = show_options,
     .noptions = sizeof show_options / sizeof *show_options,
     .flags = COMMAND_NEEDS_DATA,
     .help = "busiest_hour: most events of a user within any 60 minutes. longest_day: in how many hours of one day "
             "(UTC) there was one. Events without weight (impressions) do not count.",
     .examples = (const char *const[]){"bots show", "bots show rate=2 top=3", NULL},
     .run = run_bots},
};

const struct command_family bots_commands = {rows, sizeof rows / sizeof *rows};
