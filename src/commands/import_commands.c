/* import: lists that were really served become one more model. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/loading.h"
#include "commands/mapping.h"
#include "commands/places.h"
#include "commands/publish.h"
#include "models/served_file.h"

/* ---- rejected rows ---- */

enum { REJECTS_SHOWN = 20 };

/* They are of a file that is no part of the data set, so they are told here and not kept with its own. */
struct refused {
    struct result *out;
    struct table *table; /* made with the first one */
    uint64_t n;
    char first[320];
};

static enum status refuse(void *context, const char *file, uint64_t line, const char *reason, const char *text,
                          size_t n, struct error *err)
{
    static const struct column columns[] = {
        {.name = "file", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "line", .type = VALUE_INT},
        {.name = "reason", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
        {.name = "text", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
    };
    struct refused *r = context;
    (void)err;
    if (!r->n++)
        snprintf(r->first, sizeof r->first, "%.100s:%llu: %.200s", file, (unsigned long long)line, reason);
    if (r->n > REJECTS_SHOWN)
        return ST_OK;
    if (!r->table)
        r->table =
            result_table(r->out, "rejects", "rows that were rejected", columns, sizeof columns / sizeof *columns);
    table_text(r->table, file);
    table_int(r->table, (int64_t)line);
    table_text(r->table, reason);
    table_text(r->table, result_textf(r->out, "%.*s", (int)(n < 200 ? n : 200), text));
    return ST_OK;
}

/* ---- what came of it ---- */

static void put_served(const struct model *m, const struct served_rows *rows, const struct served_report *r,
                       struct result *out)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT},
        {.name = "lists", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "places", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "oldest", .type = VALUE_TIME},
        {.name = "newest", .type = VALUE_TIME},
        {.name = "rows_read", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "rows_rejected", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "unknown_users", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "unknown_items", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
    };
    int64_t oldest, newest;
    struct table *t = result_table(out, "served", "", columns, sizeof columns / sizeof *columns);
    served_span(m, &oldest, &newest);
    table_text(t, m->name);
    table_int(t, (int64_t)r->lists);
    table_int(t, (int64_t)m->record.users);
    table_int(t, (int64_t)m->record.items);
    table_int(t, (int64_t)r->places);
    table_time(t, oldest);
    table_time(t, newest);
    table_int(t, (int64_t)rows->read);
    table_int(t, (int64_t)rows->rejected);
    table_int(t, (int64_t)r->unknown_users);
    table_int(t, (int64_t)r->unknown_items);
}

static void say_order(const struct served_rows *rows, const struct served_report *r, struct result *out)
{
    if (r->ranked)
        result_message(out, MESSAGE_INFO, "lists are ordered by %s%s", rows->ranked_by,
                       r->crossed  ? "; the scores do not fall along it, so they are left out"
                       : r->scored ? ", scores are kept"
                                   : "");
    else if (rows->scored_by[0])
        result_message(out, MESSAGE_INFO, "lists are ordered by %s, highest first%s", rows->scored_by,
                       r->crossed ? "; equal ones stay as in the file" : "");
    else if (rows->rankless[0])
        result_message(out, MESSAGE_WARNING,
                       "column %s holds no numbers: lists are ordered as the file is (rank=COLUMN says another)",
                       rows->rankless);
    else
        result_message(
            out, MESSAGE_INFO,
            "no column is taken for rank or score: lists are ordered as the file is (rank=COLUMN says another)");
    if (!r->unranked)
        return;
    result_message(out, MESSAGE_WARNING, "%zu row%s no %s%s: last in %s", r->unranked,
                   r->unranked == 1 ? " has" : "s have", r->ranked ? "rank" : "score",
                   rows->strange_rank[0] ? result_textf(out, " (\"%s\" is not a number)", rows->strange_rank) : "",
                   r->unranked == 1 ? "its list" : "their lists");
    if (rows->strange_rank[0])
        result_message(out, MESSAGE_HINT, "rank=%s rejects rows without a number there, and tells their lines",
                       rows->ranked_by);
}

static void say_strangers(const struct served_rows *rows, const struct served_report *r, struct result *out)
{
    if (r->unknown_users)
        result_message(out, MESSAGE_WARNING, "%zu row%s of users that the data does not have: left out (the first: %s)",
                       r->unknown_users, r->unknown_users == 1 ? " is" : "s are", rows->strange_user);
    if (r->unknown_items)
        result_message(
            out, MESSAGE_WARNING,
            "%zu place%s held by items that the data does not have: they are not in the lists (the first: %s)",
            r->unknown_items, r->unknown_items == 1 ? " is" : "s are", rows->strange_item);
    if (r->empty)
        result_message(out, MESSAGE_WARNING, "%zu list%s nothing else", r->empty, r->empty == 1 ? " holds" : "s hold");
    if (r->doubles)
        result_message(out, MESSAGE_INFO, "%zu row%s an item that the list has higher up: left out", r->doubles,
                       r->doubles == 1 ? " repeats" : "s repeat");
}

static void say_all(const struct model *m, const struct served_rows *rows, const struct served_report *r,
                    const struct refused *refused, const struct ingest_report *report, struct result *out)
{
    int64_t oldest, newest;
    put_served(m, rows, r, out);
    if (refused->n)
        result_message(out, MESSAGE_WARNING, "%llu of %llu row%s rejected; the first: %s",
                       (unsigned long long)refused->n, (unsigned long long)rows->read, rows->read == 1 ? "" : "s",
                       refused->first);
    if (!rows->said)
        loading_say_notes(report, out);
    say_order(rows, r, out);
    say_strangers(rows, r, out);
    served_span(m, &oldest, &newest);
    if (newest == NO_TIME)
        result_message(out, MESSAGE_INFO, "it is not told when they were served, so they count at any moment");
    result_message(out, MESSAGE_HINT,
                   "next: `recommend USER with %s`, or `compare` and `diff` it with what is trained here", m->name);
}

/* ---- the command ---- */

static enum status check_name(struct workbench *wb, const struct call *call, const char *name, struct error *err)
{
    enum status st = workbench_model_name(name, &model_served, err);
    struct model *there = st ? NULL : workbench_model(wb, name);
    if (there && !call_yes(call, "replace")) {
        st = error_set(err, ST_USAGE, "there is a model %s already", name);
        error_hint(err, "replace=yes puts the lists in its place; as NAME gives them another name");
    }
    model_release(there);
    return st && call->as.text ? error_at_word(st, err, &call->as) : st;
}

static enum status read_lists(struct workbench *wb, const struct call *call, const struct dataset *d,
                              struct refused *refused, struct served_rows *rows, struct ingest_report *report,
                              struct error *err)
{
    char bundled[PLACE_MOST];
    const char *typed = call->args[0].text, *path = place_of_data(typed, bundled, sizeof bundled) ? bundled : typed;
    struct reject_sink sink = {refused, refuse};
    struct mapping *mapping = NULL;
    size_t n = 0;
    bool is_run = false;
    enum status st = mapping_collect(wb, call, &mapping, &n, err);
    if (!st && n == 0)
        st = served_is_run(path, &wb->job, &is_run, err);
    if (!st && is_run)
        st = served_read_run(d, path, &sink, &wb->job, rows, err);
    else if (!st)
        st = served_read_table(d, path, mapping, n, &sink, &wb->job, rows, report, err);
    mem_free(mapping);
    return loading_point_at(call, st, err);
}

static enum status run_import(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const char *name = call->as.text ? call->as.text : model_served.name;
    struct refused refused = {.out = out};
    struct served_rows rows = {.n = 0};
    struct served_report told;
    struct ingest_report report = {.nnotes = 0};
    struct model *m = NULL;
    struct dataset *d = workbench_data(wb);
    enum status st = check_name(wb, call, name, err);
    if (!st)
        st = read_lists(wb, call, d, &refused, &rows, &report, err);
    if (!st)
        st = served_new(d, name, rows.rows, rows.n, rows.nkeys, &m, &told, err);
    if (!st) {
        say_all(m, &rows, &told, &refused, &report, out);
        st = publish_model(wb, d, m, out, err);
    }
    served_rows_clear(&rows);
    model_release(m);
    dataset_release(d);
    return st;
}

static const struct argument import_args[] = {
    {.name = "FILE", .type = ARG_SOURCE, .doc = "CSV, TSV, JSON lines or a TREC run, also packed"},
};

static const struct param import_options[] = {
    {.name = "user", .type = PARAM_TEXT, .doc = "column of the user: its name or its number from 1"},
    {.name = "item", .type = PARAM_TEXT, .doc = "column of the item"},
    {.name = "rank",
     .type = PARAM_TEXT,
     .doc = "column of the place in the list, smallest first; without it one called rank or position"},
    {.name = "score",
     .type = PARAM_TEXT,
     .doc = "column of the score, highest first; orders the lists where there is no rank"},
    {.name = "time",
     .type = PARAM_TEXT,
     .doc = "column of the moment when the list was served; one user and moment is one list"},
    {.name = "map", .type = PARAM_TEXT, .doc = "a mapping that `mapping save` keeps"},
    {.name = "replace",
     .type = PARAM_BOOL,
     .initial = "no",
     .doc = "put the lists in the place of a model of that name"},
};

static const struct command rows[] = {
    {.name = "import",
     .group = "files",
     .summary = "lists that were really served, as one more model",
     .arguments = import_args,
     .narguments = 1,
     .options = import_options,
     .noptions = sizeof import_options / sizeof *import_options,
     .flags = COMMAND_AS | COMMAND_OPEN | COMMAND_CHANGES | COMMAND_NEEDS_DATA,
     .help = "A row of the file is a place in a list: who saw which item, where, and when. Files are read as `load` "
             "reads them, with the same options (format, delimiter, header, encoding, tz, dates, ...); a run of "
             "trec_eval (user Q0 item rank score tag) needs none.\n"
             "What comes of it stands beside the trained models in `recommend`, `compare`, `diff`, `user` and `who`. "
             "At any moment a user's list is the latest that was served by then, so several over time can be in one "
             "file. It stands as it was served: `seen` hides nothing of it, and a history that is edited does not "
             "change it. `why` says that it cannot be opened, and shows what the other models think of the same item.\n"
             "Items that the data does not have keep their place: the score of an item is less its place in the list, "
             "or the score of the file where that falls along every list.\n"
             "With `load shop` there is `shop/served.csv.zst`: what that shop had shown before each user's last visit.",
     .examples =
         (const char *const[]){"import tiny/served.csv as prod",
                               "import tiny/served.csv as prod user=uid item=sku rank=pos time=ts replace=yes", NULL},
     .run = run_import},
};

const struct command_family import_commands = {rows, sizeof rows / sizeof *rows};
