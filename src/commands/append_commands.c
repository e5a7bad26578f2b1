/* append, follow: what makes the open data set grow. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/follow.h"
#include "commands/grow.h"
#include "commands/loading.h"
#include "commands/mapping.h"
#include "data/grow.h"

/* ---- what both begin with ---- */

/* What is said now, then what the load said. */
struct reading {
    struct mapping *said, *all;
    size_t nsaid, n;
    struct origin_mapping loaded;
};

static enum status open_reading(struct workbench *wb, const struct call *call, struct reading *r, struct error *err)
{
    *r = (struct reading){0};
    enum status st = origin_read_mapping(wb, wb->data->name, &r->loaded, err);
    if (!st)
        st = mapping_collect(wb, call, &r->said, &r->nsaid, err);
    return st ? st : mapping_join(r->said, r->nsaid, r->loaded.pair, r->loaded.n, &r->all, &r->n, err);
}

static void close_reading(struct reading *r)
{
    origin_mapping_clear(&r->loaded);
    mem_free(r->said);
    mem_free(r->all);
}

static bool is_plain_file(const char *path)
{
    struct stat s;
    return strcmp(path, "-") != 0 && stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* ---- append ---- */

static void put_grown(const struct dataset *before, const struct dataset *now, const struct dataset *batch,
                      struct result *out)
{
    static const struct column columns[] = {
        {.name = "dataset", .type = VALUE_TEXT},
        {.name = "new_events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "new_users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "new_items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "newest", .type = VALUE_TIME},
        {.name = "rows_read", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "rows_rejected", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
    };
    struct table *t = result_table(out, "grown", "", columns, sizeof columns / sizeof *columns);
    int64_t oldest = NO_TIME, newest = NO_TIME;
    (void)dataset_time_range(now, &oldest, &newest);
    table_text(t, now->name);
    table_int(t, (int64_t)(now->events.n - before->events.n));
    table_int(t, (int64_t)now->users.n - before->users.n);
    table_int(t, (int64_t)now->items.n - before->items.n);
    table_int(t, (int64_t)now->events.n);
    table_int(t, now->users.n);
    table_int(t, now->items.n);
    table_time(t, newest);
    table_int(t, (int64_t)batch->rows_read);
    table_int(t, (int64_t)batch->rows_rejected);
}

static void say_what_stays(struct workbench *wb, const struct dataset *now, size_t models, struct result *out)
{
    size_t old = 0;
    if (models > wb->nmodels)
        result_message(out, MESSAGE_WARNING,
                       "the recipe leaves out other users or items now, so %zu model%s went: train again",
                       models - wb->nmodels, models - wb->nmodels == 1 ? "" : "s");
    for (size_t i = 0; i < wb->nmodels; i++)
        old += wb->models[i]->record.data_fingerprint != now->fingerprint;
    if (old)
        result_message(out, MESSAGE_HINT, "models keep what they learnt before; %s to learn from the new events",
                       wb->split ? "`split` anew and `train`" : "`update` or `train` them");
    else if (wb->split)
        result_message(out, MESSAGE_HINT, "the split leaves the new events out until `split` is said again");
}

/* The part of a file that is new since it was read last. */
static enum status read_rest(struct workbench *wb, const struct call *call, const char *path,
                             const struct tail_place *place, const struct reading *how, struct origin_places *places,
                             struct dataset **out, struct ingest_report *report, struct error *err)
{
    struct tail *tail = NULL;
    struct tail_place now;
    struct batch_text text = {.source = call->args[0].text}, more = {0};
    enum status st = tail_open(path, place, &tail, err);
    bool any = true;
    for (bool first = true; any && !st; first = false) {
        struct batch_text *to = first ? &text : &more;
        st = tail_read(tail, err);
        if (!st && tail_waiting(tail) == 0)
            tail_end_here(tail);
        any = !st && tail_waiting(tail) > 0;
        if (any)
            st = batch_take(tail, to, err);
        const char *rows = str_text(&more.rows), *begin = more.header ? strchr(rows, '\n') : NULL;
        if (!first)
            str_puts(&text.rows, begin ? begin + 1 : rows);
        str_clear(&more.rows);
    }
    if (!st && text.rows.length == 0) {
        char bytes[32];
        text_count(bytes, sizeof bytes, (int64_t)place->offset);
        st = error_set(err, ST_STATE, "%s holds nothing new: all its %s bytes are in %s", text.source, bytes,
                       wb->data->name);
        error_hint(err, "again=yes appends it once more");
    }
    if (!st && tail_place_now(tail, &now))
        st = origin_add(places, path, &now, err);
    if (!st)
        st = batch_read(wb, &text, how->all, how->n, out, report, err);
    str_free(&text.rows);
    str_free(&more.rows);
    tail_close(tail);
    return st;
}

static enum status read_whole(struct workbench *wb, const struct call *call, char **paths, const struct reading *how,
                              struct origin_places *places, struct dataset **out, struct ingest_report *report,
                              struct error *err)
{
    struct reject_sink rejects = {wb, loading_reject};
    const char *const *all = (const char *const *)paths;
    enum status st = origin_look(all, call->nargs, places, err);
    return st ? st
              : ingest_events(all, call->nargs, how->all, how->n, wb->data->name, &rejects, &wb->job, out, report, err);
}

static enum status read_more(struct workbench *wb, const struct call *call, char **paths, const struct reading *how,
                             struct origin_places *places, bool *rest, struct dataset **out,
                             struct ingest_report *report, struct error *err)
{
    struct tail_place place;
    bool known = false;
    enum status st = ST_OK;
    for (size_t i = 0; i < call->nargs && !known && !st && !call_yes(call, "again"); i++)
        if (is_plain_file(paths[i]))
            st = origin_find(wb, wb->data->name, paths[i], &place, &known, err);
    if (st)
        return st;
    *rest = known && call->nargs == 1;
    if (*rest)
        return read_rest(wb, call, paths[0], &place, how, places, out, report, err);
    if (known) {
        error_set(err, ST_USAGE, "some of these files are in %s already", wb->data->name);
        error_hint(err,
                   "append them one by one: of a file that is known only what is new is read; again=yes reads all");
        return ST_USAGE;
    }
    return read_whole(wb, call, paths, how, places, out, report, err);
}

static enum status run_append(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct ingest_report report = {0};
    struct origin_places places = {0};
    struct reading how;
    struct dataset *before = workbench_data(wb), *batch = NULL;
    char **paths = NULL;
    size_t models = wb->nmodels;
    bool rest = false;
    enum status st = open_reading(wb, call, &how, err);
    if (!st)
        st = loading_paths(call, &paths, err);
    if (!st)
        st = read_more(wb, call, paths, &how, &places, &rest, &batch, &report, err);
    if (st)
        workspace_unstage_rejects(wb->space);
    else
        st = workbench_append(wb, batch, &places, err);
    if (!st) {
        struct dataset *now = workbench_data(wb);
        put_grown(before, now, batch, out);
        if (rest)
            result_message(out, MESSAGE_INFO, "%s was read before: only what is new", call->args[0].text);
        loading_say_rows(batch->rows_read, batch->rows_kept, batch->rows_rejected, out);
        if (!rest)
            loading_say_notes(&report, out);
        say_what_stays(wb, now, models, out);
        dataset_release(now);
    }
    loading_paths_free(paths, call->nargs);
    close_reading(&how);
    origin_places_clear(&places);
    dataset_release(batch);
    dataset_release(before);
    return loading_point_at(call, st, err);
}

/* ---- follow ---- */

static void put_followed(const char *source, const char *dataset, const struct follow_counts *c, const char *state,
                         struct result *out)
{
    static const struct column columns[] = {
        {.name = "source", .type = VALUE_TEXT},
        {.name = "dataset", .type = VALUE_TEXT},
        {.name = "rows", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "kept", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "rejected", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "state", .type = VALUE_TEXT},
    };
    struct table *t = result_table(out, "followed", "", columns, sizeof columns / sizeof *columns);
    table_text(t, source);
    table_text(t, dataset);
    table_int(t, (int64_t)c->read);
    table_int(t, (int64_t)c->kept);
    table_int(t, (int64_t)c->rejected);
    table_text(t, state);
}

static void put_view(struct workbench *wb, const char *state, struct result *out)
{
    struct follow_view v;
    if (!follow_look(wb, &v)) {
        result_message(out, MESSAGE_INFO, "nothing is followed");
        result_message(out, MESSAGE_HINT, "`follow FILE` takes in what a file gains");
        return;
    }
    const char *now = state ? state : v.elsewhere ? "waits" : v.ended ? "ended" : "open";
    put_followed(v.path, v.dataset, &v.counts, now, out);
    if (v.elsewhere)
        result_message(out, MESSAGE_HINT, "it waits until %s is open again: `load %s`", v.dataset, v.dataset);
    if (*v.problem)
        result_message(out, MESSAGE_WARNING, "%s; the rows are not lost, it is tried again", v.problem);
}

static enum status stop_following(struct workbench *wb, struct result *out)
{
    struct follow_view v;
    follow_settle(wb);
    bool any = follow_look(wb, &v);
    put_view(wb, any && !*v.problem ? "stopped" : NULL, out);
    follow_close(wb);
    return ST_OK;
}

static enum status no_input(const struct call *call, const struct workbench *wb, struct error *err)
{
    if (strcmp(call->args[0].text, "-") != 0 || !wb->sink->interactive)
        return ST_OK;
    error_set(err, ST_USAGE, "standard input is the keyboard here");
    error_hint(err, "a FIFO can be followed: mkfifo events; follow events");
    return error_at_word(ST_USAGE, err, &call->args[0]);
}

/* Where it goes on: behind what was read of this file before, unless from= says otherwise. */
static enum status find_place(struct workbench *wb, const struct call *call, const char *path, struct tail_place *place,
                              bool *found, struct error *err)
{
    struct stat s;
    const char *from = call_given(call, "from") ? call_text(call, "from") : "";
    *found = false;
    if (!is_plain_file(path) || strcmp(from, "start") == 0)
        return ST_OK;
    if (strcmp(from, "end") == 0) {
        *found = stat(path, &s) == 0 && tail_place_of(path, (uint64_t)s.st_size, place);
        return ST_OK;
    }
    return origin_find(wb, wb->data->name, path, place, found, err);
}

static enum status begin_following(struct workbench *wb, const struct call *call, const char *path,
                                   const struct reading *how, struct result *out, struct error *err)
{
    struct tail_place place;
    struct follow_counts counts = {0};
    bool found, aside = wb->sink->interactive && !call_given(call, "for");
    enum status st = find_place(wb, call, path, &place, &found, err);
    const struct follow_plan plan = {.path = path,
                                     .place = found ? &place : NULL,
                                     .mapping = how->all,
                                     .nmapping = how->n,
                                     .every = (double)call_int(call, "every") / (double)US_PER_SECOND};
    double seconds = call_given(call, "for") ? (double)call_int(call, "for") / (double)US_PER_SECOND : -1;
    if (!st)
        st = aside ? follow_start(wb, &plan, err) : follow_run(wb, &plan, seconds, &counts, err);
    if (st)
        return st;
    if (aside) {
        put_view(wb, NULL, out);
        result_message(out, MESSAGE_INFO, "new rows come in between commands; `follow stop` ends it");
    } else {
        put_followed(call->args[0].text, wb->data->name, &counts, "ended", out);
        if (counts.rejected)
            result_message(out, MESSAGE_WARNING, "%llu row%s rejected: `rejects` shows which and why",
                           (unsigned long long)counts.rejected, counts.rejected == 1 ? " was" : "s were");
    }
    return ST_OK;
}

static enum status run_follow(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct reading how;
    char **paths = NULL;
    if (call->nargs == 0) {
        put_view(wb, NULL, out);
        return ST_OK;
    }
    if (strcmp(call->args[0].text, "stop") == 0 && !call->args[0].quoted)
        return stop_following(wb, out);
    enum status st = no_input(call, wb, err);
    if (st)
        return st;
    st = open_reading(wb, call, &how, err);
    if (!st)
        st = loading_paths(call, &paths, err);
    if (!st)
        st = begin_following(wb, call, paths[0], &how, out, err);
    loading_paths_free(paths, call->nargs);
    close_reading(&how);
    return loading_point_at(call, st, err);
}

/* ---- the table ---- */

static const struct argument append_args[] = {
    {.name = "FILE",
     .type = ARG_PATH,
     .repeated = true,
     .doc = "files, a folder of a known layout, or a pattern in quotes"},
};

static const struct param append_options[] = {
    {.name = "again", .type = PARAM_BOOL, .initial = "no", .doc = "read a file whole that is in the data already"},
    {.name = "map", .type = PARAM_TEXT, .doc = "a mapping that `mapping save` keeps; what is typed here wins"},
};

static const struct argument follow_args[] = {
    {.name = "SOURCE",
     .type = ARG_PATH,
     .optional = true,
     .doc = "a growing file, a FIFO, - for standard input; stop ends it; without it: how it stands"},
};

static const struct param follow_options[] = {
    {.name = "every",
     .type = PARAM_DURATION,
     .initial = "1s",
     .min = 0,
     .max = 86400e6,
     .doc = "new rows are taken in so often at most"},
    {.name = "for",
     .type = PARAM_DURATION,
     .min = 0,
     .max = 31536000e6,
     .doc = "follow here and now for so long, then go on"},
    {.name = "from",
     .type = PARAM_ENUM,
     .choices = "start|end",
     .doc = "of a file: all of it, or only what comes from now on; else what was not read before"},
    {.name = "map", .type = PARAM_TEXT, .doc = "a mapping that `mapping save` keeps; what is typed here wins"},
};

static const struct command rows[] = {
    {.name = "append",
     .group = "files",
     .summary = "read more events into the open data set",
     .arguments = append_args,
     .narguments = 1,
     .options = append_options,
     .noptions = sizeof append_options / sizeof *append_options,
     .flags = COMMAND_OPEN | COMMAND_NEEDS_DATA | COMMAND_CHANGES,
     .help = "Files are read as the data set was loaded; user=uid time=ts and the like say otherwise. New users, items "
             "and types come after those there are, so trained models stay and answer from the grown histories: they "
             "know the items they were trained on. A split leaves the new events out until `split` is said again.\n"
             "Of a file that was read before only what it has gained is taken; again=yes reads it whole.",
     .examples = (const char *const[]){"append tiny/events.csv again=yes", NULL},
     .run = run_append},
    {.name = "follow",
     .group = "files",
     .summary = "take in new events while a file grows or a FIFO is written to",
     .arguments = follow_args,
     .narguments = 1,
     .options = follow_options,
     .noptions = sizeof follow_options / sizeof *follow_options,
     .flags = COMMAND_OPEN | COMMAND_NEEDS_DATA | COMMAND_CHANGES,
     .help = "Whole rows are taken in between commands, while you go on: lists on the screen change as events arrive. "
             "A file is gone on with where it was read last, also after it was cut short or replaced; writers of a "
             "FIFO may come and go. Options are those of `load`, which it reads like.\n"
             "In a script, and with for=10s, it is the command that runs: until the time is over, the writer of a FIFO "
             "or standard input has ended, or Ctrl-C.",
     .examples = (const char *const[]){"follow", "follow tiny/events.csv from=end for=0s", "follow stop", NULL},
     .run = run_follow},
};

const struct command_family append_commands = {rows, sizeof rows / sizeof *rows};
