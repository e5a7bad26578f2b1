/* load: events become the data set that is open. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/catalogue.h"
#include "commands/families.h"
#include "commands/loading.h"
#include "commands/origin.h"
#include "commands/mapping.h"
#include "commands/recipe.h"
#include "ingest/ingest.h"

/* ---- the report ---- */

static void say_types(const struct dataset *d, struct result *out)
{
    enum { MOST = 8 };
    struct str text = {0};
    size_t n[MOST] = {0};
    if (d->types.n < 2 || d->types.n > MOST)
        return;
    for (size_t e = 0; e < d->events.n; e++)
        n[d->events.type[e]]++;
    for (uint32_t t = 0; t < d->types.n; t++) {
        char count[32];
        text_count(count, sizeof count, (int64_t)n[t]);
        str_printf(&text, "%s%s %s", t ? ", " : "", count, dict_text(&d->types, t));
        if (!(d->type_weight[t] > 0))
            str_puts(&text, " (not feedback)");
    }
    result_message(out, MESSAGE_INFO, "%s", result_str(out, &text));
    str_free(&text);
}

/* A low rating is an event like any other: who does not want that filters. */
static void say_ratings(const struct dataset *d, struct result *out)
{
    const struct events *e = &d->events;
    uint32_t rating = dict_find_text(&d->types, "rating");
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < e->n && e->value && rating != NO_CODE; i++) {
        if (e->type[i] != rating || isnan(e->value[i]))
            continue;
        least = fmin(least, e->value[i]);
        most = fmax(most, e->value[i]);
    }
    if (most > least && most > 1)
        result_message(
            out, MESSAGE_INFO,
            "low ratings count as liking too; `filter \"value >= %g\"` keeps the high ones; `train svd` predicts the "
            "ratings themselves",
            ceil(most * 0.7));
}

/* Do users' events without times come sorted by value? Then the last one is no later than the others. */
static bool is_sorted_by_value(const struct dataset *d)
{
    const struct events *e = &d->events;
    size_t users = 0, sorted = 0;
    for (uint32_t u = 0; u < d->users.n && e->value && !e->time; u++) {
        size_t begin = d->user_begin[u], end = d->user_begin[u + 1], up = 0, down = 0;
        for (size_t i = begin + 1; i < end; i++) {
            up += e->value[i] > e->value[i - 1];
            down += e->value[i] < e->value[i - 1];
        }
        users += up + down > 2;
        sorted += up + down > 2 && (up == 0 || down == 0);
    }
    return sorted > 0 && sorted * 10 >= users * 9;
}

static void say_next(const struct dataset *d, struct result *out)
{
    const char *split = fields_find(&d->events.context, "part") ? "given" : is_sorted_by_value(d) ? "random" : "last 1";
    result_message(
        out, MESSAGE_HINT, "next: `audit`, then `split %s` and `train pop itemknn ease ials`%s", split,
        strcmp(split, "random") == 0 ? " (without times and sorted by value, the last event is not the newest)" : "");
}

static void put_dataset(const struct dataset *d, const char *reader, struct result *out)
{
    static const struct column columns[] = {
        {.name = "dataset", .type = VALUE_TEXT},
        {.name = "reader", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "types", .type = VALUE_INT},
        {.name = "oldest", .type = VALUE_TIME},
        {.name = "newest", .type = VALUE_TIME},
        {.name = "rows_read", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "rows_kept", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "rows_rejected", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
    };
    struct table *t = result_table(out, "loaded", "", columns, sizeof columns / sizeof *columns);
    int64_t oldest = NO_TIME, newest = NO_TIME;
    (void)dataset_time_range(d, &oldest, &newest);
    table_text(t, d->name);
    table_text(t, reader);
    table_int(t, d->users.n);
    table_int(t, d->items.n);
    table_int(t, (int64_t)d->events.n);
    table_int(t, d->types.n);
    table_time(t, oldest);
    table_time(t, newest);
    table_int(t, (int64_t)d->rows_read);
    table_int(t, (int64_t)d->rows_kept);
    table_int(t, (int64_t)d->rows_rejected);
}

/* What the recipe made of the rows that were loaded. */
static void say_recipe(struct workbench *wb, struct result *out)
{
    struct recipe *r = NULL;
    if (workbench_recipe(wb, &r, NULL))
        return;
    for (size_t i = 0; i < r->n; i++)
        result_message(out, MESSAGE_INFO, "%s: %s", r->step[i].text, r->step[i].said);
    recipe_free(r);
}

/* ---- load ---- */

/* `load NAME` of a data set that the workspace holds: opens it, with its split and models. */
static enum status open_kept(struct workbench *wb, const char *name, struct result *out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    bool here = d && strcmp(d->name, name) == 0;
    dataset_release(d);
    enum status st = here ? ST_OK : workbench_switch(wb, name, err);
    if (st)
        return st;
    d = workbench_data(wb);
    put_dataset(d, "workspace", out);
    result_message(out, MESSAGE_INFO,
                   here ? "%s is open already" : "%s was in the workspace: opened with its split and models", name);
    say_recipe(wb, out);
    result_message(out, MESSAGE_HINT, "replace=yes reads the files again");
    dataset_release(d);
    return ST_OK;
}

/* recipe=NAME; without it that of the data set that is replaced. */
static enum status recipe_of_load(struct workbench *wb, const struct call *call, const char *name, bool found,
                                  struct recipe **out, struct error *err)
{
    const char *from = call_text(call, "recipe");
    if (from && !text_same(from, "none"))
        return error_at_option(recipe_find(wb, from, out, err), err, call, "recipe");
    if (found && !from)
        return recipe_load(wb->space, name, out, err);
    *out = recipe_copy(NULL, 0, err);
    return *out ? ST_OK : ST_NOMEM;
}

static void say_loaded(struct workbench *wb, const struct dataset *d, const struct ingest_report *report,
                       struct result *out)
{
    put_dataset(d, report->reader, out);
    say_types(d, out);
    loading_say_rows(d->rows_read, d->rows_kept, d->rows_rejected, out);
    loading_say_notes(report, out);
    say_recipe(wb, out);
    say_ratings(d, out);
    say_next(d, out);
}

static enum status read_events(struct workbench *wb, const struct call *call, const char *name, bool found,
                               struct result *out, struct error *err)
{
    struct recipe *r = NULL;
    struct reject_sink rejects = {wb, loading_reject};
    struct ingest_report report;
    struct mapping *mapping = NULL;
    struct origin_places places = {0};
    size_t nmapping = 0;
    struct dataset *d = NULL;
    char **paths = NULL;
    enum status st = mapping_collect(wb, call, &mapping, &nmapping, err);
    if (!st)
        st = recipe_of_load(wb, call, name, found, &r, err);
    if (!st)
        st = loading_paths(call, &paths, err);
    if (!st)
        st = origin_look((const char *const *)paths, call->nargs, &places, err);
    if (!st)
        st = ingest_events((const char *const *)paths, call->nargs, mapping, nmapping, name, &rejects, &wb->job, &d,
                           &report, err);
    if (st)
        workspace_unstage_rejects(wb->space);
    if (!st)
        st = loading_name_source(d, call, err);
    if (!st) {
        st = loading_publish(wb, dataset_hold(d), r, call_yes(call, "replace"),
                     &(struct origin){.pair = mapping, .n = nmapping, .places = &places}, err);
        r = NULL;
    }
    if (!st)
        say_loaded(wb, d, &report, out);
    recipe_free(r);
    dataset_release(d);
    mem_free(mapping);
    loading_paths_free(paths, call->nargs);
    origin_places_clear(&places);
    return loading_point_at(call, st, err);
}

/* No file is called so, but a well-known data set is. */
static void hint_download(const char *name, struct error *err)
{
    struct known known = {0};
    if (catalogue_read(&known, NULL) == ST_OK && known_find(&known, name))
        error_hint(err, "`download %s` fetches that data set; `datasets %s` says what it is", name, name);
    known_clear(&known);
}

static enum status run_load(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    char name[64];
    bool found;
    loading_name(call->args[0].text, name, sizeof name);
    bool plain =
        call->nargs == 1 && strcmp(call->args[0].text, name) == 0 && !call->as.text && !call_yes(call, "replace");
    if (call->as.text && strlen(call->as.text) >= sizeof name)
        return error_at_word(error_set(err, ST_USAGE, "the name of a data set has at most 63 bytes"), err, &call->as);
    if (call->as.text)
        snprintf(name, sizeof name, "%s", call->as.text);
    enum status st = loading_found(wb, name, &found, err);
    if (st)
        return st;
    if (found && plain)
        return open_kept(wb, name, out, err);
    if (found && !call_yes(call, "replace"))
        return loading_refuse_name(call, name, err);
    st = read_events(wb, call, name, found, out, err);
    if (st == ST_NOT_FOUND && call->nargs == 1)
        hint_download(call->args[0].text, err);
    return st;
}

/* ---- the table ---- */

static const struct argument load_args[] = {
    {.name = "PATH",
     .type = ARG_SOURCE,
     .repeated = true,
     .doc = "files, a folder of a known layout, a pattern in quotes, - for standard input, a bundled data set or one "
            "of the workspace"},
};

static const struct param load_options[] = {
    {.name = "user",
     .type = PARAM_TEXT,
     .doc = "column of the user: its name or its number from 1; several as a+b; row is the number of the row"},
    {.name = "item", .type = PARAM_TEXT, .doc = "column of the item; =TEXT is the same item in every row"},
    {.name = "time", .type = PARAM_TEXT, .doc = "column of the time: ISO 8601, day.month.year, epoch; see dates="},
    {.name = "value", .type = PARAM_TEXT, .doc = "column of the rating or amount"},
    {.name = "type", .type = PARAM_TEXT, .doc = "column that says what the user did"},
    {.name = "session", .type = PARAM_TEXT, .doc = "column of the session"},
    {.name = "price", .type = PARAM_TEXT, .doc = "column of the price"},
    {.name = "quantity", .type = PARAM_TEXT, .doc = "column of the quantity"},
    {.name = "keep", .type = PARAM_TEXT, .doc = "of the other columns keep these only: a,b,c* (all: every one)"},
    {.name = "skip", .type = PARAM_TEXT, .doc = "of the other columns leave these out: a,b,c*"},
    {.name = "map", .type = PARAM_TEXT, .doc = "a mapping that `mapping save` keeps; what is typed here wins"},
    {.name = "query", .type = PARAM_TEXT, .doc = "of an SQLite database: the SELECT whose rows are the events"},
    {.name = "table", .type = PARAM_TEXT, .doc = "of an SQLite database: the table to read"},
    {.name = "format",
     .type = PARAM_ENUM,
     .choices = "csv|tsv|jsonl",
     .doc = "how files are read, when it should not be guessed"},
    {.name = "delimiter",
     .type = PARAM_TEXT,
     .doc = "between columns: one character, or tab, comma, semicolon, pipe, space, ::"},
    {.name = "header", .type = PARAM_ENUM, .choices = "yes|no", .doc = "is the first row a header?"},
    {.name = "encoding",
     .type = PARAM_TEXT,
     .doc = "utf-8, latin1 or auto: rows that are not UTF-8 are read as Latin-1"},
    {.name = "tz", .type = PARAM_TEXT, .doc = "offset of times that do not say: +02:00"},
    {.name = "dates",
     .type = PARAM_ENUM,
     .choices = "dmy|mdy",
     .doc = "what 3/1/2026 begins with: the day or the month"},
    {.name = "time_format",
     .type = PARAM_TEXT,
     .doc = "how times are written: yymmddhh, yyyymmddhh or a pattern as '%d %b %Y %H:%M'"},
    {.name = "decimal", .type = PARAM_TEXT, .doc = "the mark in numbers: . or , (3,5 and 1.234,5)"},
    {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "overwrite the data set of that name"},
    {.name = "recipe",
     .type = PARAM_TEXT,
     .doc = "replay the steps of this data set or file; none: without (replace=yes keeps those it had)"},
};

static const struct command rows[] = {
    {.name = "load",
     .group = "files",
     .summary = "read events from files",
     .arguments = load_args,
     .narguments = 1,
     .options = load_options,
     .noptions = sizeof load_options / sizeof *load_options,
     .flags = COMMAND_AS | COMMAND_OPEN | COMMAND_CHANGES,
     .help = "Reads CSV, TSV (any of , ; tab | :: between columns) and JSON lines, plain or packed with gzip or zstd; "
             "MovieLens folders (u.data, ratings.dat, ratings.csv with what lies beside them); LightGCN folders "
             "(train.txt and test.txt: the split is given); Amazon reviews, Last.fm, Book-Crossing, RetailRocket, "
             "Deskdrop, Steam, RecBole's atomic files, Open Bandit, NCF and S3-Rec, dense matrices (Coat); and folders "
             "of events.csv with items.csv and users.csv.\n"
             "Columns are known by their usual names (user_id, sku, timestamp, rating, ...) or by what is said: "
             "user=uid item=sku time=ts. item.brand=brand and user.country=country make attributes of columns that "
             "ride on events. All other columns are kept as they are (keep= and skip= choose).\n"
             "A column that is not there can be said: item==cd is one item for all, user=row makes every row a user, "
             "user=ip+agent joins columns, item='isbn|title' takes the first that has text.\n"
             "Every row is kept or rejected: `rejects` lists file, line, reason and text.\n"
             "A data set that the workspace holds is opened again by its name.\n"
             "An SQLite database is read by table=NAME or query='select ... as user, ... as item'. `preview FILE` "
             "proposes a line for a strange file; `mapping save` keeps one for others like it.",
     .examples = (const char *const[]){"load tiny", "load tiny as mine", "load shop", NULL},
     .run = run_load},
};

const struct command_family data_commands = {rows, sizeof rows / sizeof *rows};
