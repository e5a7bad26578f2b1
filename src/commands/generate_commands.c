/* generate: the made-up shop, into files or into the workbench. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "sim/world_files.h"

static struct world_spec spec_of_call(const struct call *call)
{
    struct world_spec spec = world_spec_default();
    spec.users = (uint32_t)call_int(call, "users");
    spec.items = (uint32_t)call_int(call, "items");
    spec.days = (uint32_t)call_int(call, "days");
    spec.slate = (unsigned)call_int(call, "slate");
    spec.seed = (uint64_t)call_int(call, "seed");
    if (call_given(call, "start"))
        spec.start = call_int(call, "start") / US_PER_DAY * US_PER_DAY;
    return spec;
}

static enum status into_files(struct workbench *wb, const struct call *call, const struct world *w, struct result *out,
                              struct error *err)
{
    static const struct column columns[] = {{.name = "file", .type = VALUE_TEXT}, {.name = "rows", .type = VALUE_INT}};
    struct world_files how = {
        .path = call->args[0].text,
        .impressions = call_yes(call, "impressions"),
        .epoch = strcmp(call_text(call, "times"), "epoch") == 0,
        .columns = strcmp(call_text(call, "columns"), "core") == 0 ? LOG_COLUMNS_CORE : LOG_COLUMNS_ALL,
        .level = (int)call_int(call, "level"),
        .replace = call_yes(call, "replace"),
    };
    struct world_files_made *made = mem_new(1, sizeof *made, "names of files", err);
    if (!made)
        return ST_NOMEM;
    enum status st = world_write(w, &how, &wb->job, made, err);
    if (st == ST_USAGE)
        (void)error_at_word(st, err, &call->args[0]);
    if (!st) {
        uint64_t rows = 0;
        for (size_t k = 0; k < LOG_TYPES; k++)
            rows += made->rows[k];
        struct table *t = result_table(out, "files", "", columns, 2);
        table_text(t, made->events);
        table_int(t, (int64_t)rows);
        table_text(t, made->items);
        table_int(t, w->spec.items);
        table_text(t, made->users);
        table_int(t, w->spec.users);
        result_message(
            out, MESSAGE_INFO, "%" PRIu64 " impressions, %" PRIu64 " clicks, %" PRIu64 " carts, %" PRIu64 " purchases",
            made->rows[LOG_IMPRESSION], made->rows[LOG_CLICK], made->rows[LOG_CART], made->rows[LOG_PURCHASE]);
    }
    mem_free(made);
    return st;
}

static uint64_t count_type(const struct dataset *d, enum log_type type)
{
    uint32_t code = dict_find_text(&d->types, log_type_names[type]);
    uint64_t n = 0;
    for (size_t e = 0; e < d->events.n; e++)
        n += d->events.type[e] == code;
    return n;
}

static void report_dataset(const struct dataset *d, const struct world_spec *spec, struct result *out)
{
    static const struct column columns[] = {
        {.name = "dataset", .type = VALUE_TEXT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "days", .type = VALUE_INT},
        {.name = "impressions", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "clicks", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "carts", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "purchases", .type = VALUE_INT, .flags = COLUMN_COUNT},
    };
    struct table *t = result_table(out, "generated", "", columns, sizeof columns / sizeof *columns);
    table_text(t, d->name);
    table_int(t, d->users.n);
    table_int(t, d->items.n);
    table_int(t, spec->days);
    for (int type = 0; type < LOG_TYPES; type++)
        table_int(t, (int64_t)count_type(d, (enum log_type)type));
}

/* The source of the data is the command that makes it again; `simulate` calls its truth back by it. */
static enum status name_source(struct dataset *d, const struct world_spec *spec, struct error *err)
{
    struct str text = {0};
    str_puts(&text, "generate ");
    world_spec_format(spec, &text);
    char *source = text.failed ? NULL : mem_strdup(str_text(&text), err);
    str_free(&text);
    if (!source)
        return ST_NOMEM;
    mem_free(d->source);
    d->source = source;
    return ST_OK;
}

static enum status into_workbench(struct workbench *wb, const struct call *call, const struct world *w,
                                  struct result *out, struct error *err)
{
    struct dataset *d = NULL;
    const char *name = call->as.text ? call->as.text : "generated";
    if (wb->readonly)
        return error_set(err, ST_STATE, "the workspace is open for reading only; name a file to write to");
    enum status st = world_dataset(w, call_yes(call, "impressions"), name, &wb->job, &d, err);
    if (st)
        return st;
    st = name_source(d, &w->spec, err);
    if (st) {
        dataset_release(d);
        return st;
    }
    st = workbench_keep_data(wb, d, call_yes(call, "replace"), err);
    if (!st)
        report_dataset(d, &w->spec, out);
    return st;
}

static enum status run_generate(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct world_spec spec = spec_of_call(call);
    struct world *w = NULL;
    enum status st = world_new(&spec, &w, err);
    if (!st && call_given(call, "events"))
        st = world_set_rows(w, call_yes(call, "impressions"), (uint64_t)call_int(call, "events"), &wb->job, err);
    if (!st)
        st = call->nargs ? into_files(wb, call, w, out, err) : into_workbench(wb, call, w, out, err);
    world_free(w);
    return st;
}

static const struct argument generate_args[] = {
    {.name = "PATH",
     .type = ARG_PATH,
     .optional = true,
     .doc = "a folder, or a file of events; without it, into the workbench"},
};
static const struct param generate_options[] = {
    {.name = "users",
     .type = PARAM_INT,
     .initial = "2000",
     .min = 1,
     .max = 1e8,
     .doc = "people; everything scales with it"},
    {.name = "items", .type = PARAM_INT, .initial = "1200", .min = 1, .max = 1e8, .doc = "things in the catalogue"},
    {.name = "days", .type = PARAM_INT, .initial = "180", .min = 1, .max = 10000, .doc = "length of the log"},
    {.name = "events",
     .type = PARAM_INT,
     .min = 1,
     .max = 1e11,
     .doc = "so many rows exactly, by more or fewer visits"},
    {.name = "slate", .type = PARAM_INT, .initial = "8", .min = 1, .max = MAX_SLATE, .doc = "items shown at a time"},
    {.name = "seed", .type = PARAM_INT, .initial = "1", .min = 0, .max = 9e15, .doc = "another seed, another shop"},
    {.name = "start", .type = PARAM_TIME, .doc = "first day (2025-01-06 unless told)"},
    {.name = "impressions", .type = PARAM_BOOL, .initial = "yes", .doc = "also what was shown and not clicked"},
    {.name = "columns",
     .type = PARAM_ENUM,
     .initial = "all",
     .choices = "all|core",
     .doc = "core: user, item, type, timestamp"},
    {.name = "times", .type = PARAM_ENUM, .initial = "iso", .choices = "iso|epoch", .doc = "how files write times"},
    {.name = "level",
     .type = PARAM_INT,
     .initial = "0",
     .min = 0,
     .max = 19,
     .doc = "compression of .gz and .zst; 0: usual"},
    {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "overwrite files, or a data set of that name"},
};

static const struct command rows[] = {
    {.name = "generate",
     .group = "world",
     .summary = "make up a shop with known truth: catalogue, people, sessions, clicks, purchases",
     .arguments = generate_args,
     .narguments = 1,
     .options = generate_options,
     .noptions = sizeof generate_options / sizeof *generate_options,
     .flags = COMMAND_AS,
     .help =
         "A shop of things with titles a person can judge, and people with interests, a style and a sense of prices "
         "that drift "
         "over months. Sessions show slates under a known policy (the propensity is logged) and are clicked under a "
         "known "
         "position bias. The same options and seed give the same bytes.\n"
         "Without PATH the data goes into the workbench (as NAME, else \"generated\"). With a folder it is written as "
         "events.csv.zst, items.csv and users.csv; with a file that ends in .csv or .jsonl, perhaps with .gz or .zst "
         "behind, "
         "the catalogue and the people are written beside it as NAME.items.csv and NAME.users.csv.\n"
         "`simulate` goes on from such data with its truth.",
     .examples = (const char *const[]){"generate users=100 items=80 days=30 as toy",
                                       "generate toyshop users=50 items=40 days=20 replace=yes",
                                       "generate log.csv events=3000 users=60 items=40 columns=core times=epoch "
                                       "replace=yes",
                                       "generate toyshop/big.jsonl users=50 items=40 events=5000 replace=yes", NULL},
     .run = run_generate},
};

const struct command_family generate_commands = {rows, sizeof rows / sizeof *rows};
