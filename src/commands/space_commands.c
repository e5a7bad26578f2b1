/* status, rename, drop, save, verify: what is open and what is kept. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "commands/families.h"
#include "commands/follow.h"
#include "commands/grow.h"
#include "commands/recipe.h"
#include "ingest/fetch.h"
#include "ingest/unpack.h"
#include "linalg/dense.h"

/* ---- status ---- */

static void put(struct table *t, const char *what, const char *value)
{
    table_text(t, what);
    table_text(t, value);
}

static void put_data(struct table *t, const struct dataset *d, struct result *out)
{
    char users[32], items[32], events[32], from[40], to[40];
    int64_t oldest, newest;
    text_count(users, sizeof users, d->users.n);
    text_count(items, sizeof items, d->items.n);
    text_count(events, sizeof events, (int64_t)d->events.n);
    put(t, "data set", d->name);
    put(t, "source", d->source);
    put(t, "size",
        result_textf(out, "%s user%s, %s item%s, %s event%s", users, d->users.n == 1 ? "" : "s", items,
                     d->items.n == 1 ? "" : "s", events, d->events.n == 1 ? "" : "s"));
    if (dataset_time_range(d, &oldest, &newest)) {
        time_short(from, sizeof from, oldest);
        time_short(to, sizeof to, newest);
        put(t, "times", result_textf(out, "%s to %s UTC", from, to));
    } else {
        put(t, "times", "none: order only");
    }
    if (d->rows_rejected)
        put(t, "rejected rows",
            result_textf(out, "%llu of %llu", (unsigned long long)d->rows_rejected, (unsigned long long)d->rows_read));
    struct str text = {0};
    for (uint32_t i = 0; i < d->types.n && text.length < 200; i++)
        str_printf(&text, "%s%s=%g", i ? " " : "", dict_text(&d->types, i), (double)d->type_weight[i]);
    put(t, "weights", str_text(&text));
    str_free(&text);
}

static void put_steps(struct table *t, struct workbench *wb)
{
    struct str text = {0};
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; wb->recipe && i < wb->recipe->n; i++)
        str_printf(&text, "%s%s", i ? "; " : "", wb->recipe->step[i].text);
    pthread_mutex_unlock(&wb->lock);
    if (text.length)
        put(t, "recipe", str_text(&text));
    str_free(&text);
}

static void put_models(struct table *t, struct workbench *wb)
{
    struct str text = {0};
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels; i++)
        str_printf(&text, "%s%s", i ? " " : "", wb->models[i]->name);
    pthread_mutex_unlock(&wb->lock);
    put(t, "models", text.length ? str_text(&text) : "none");
    str_free(&text);
}

static void put_following(struct table *t, struct workbench *wb)
{
    struct str text = {0};
    follow_line(wb, &text);
    if (text.length)
        put(t, "following", str_text(&text) + strlen("following "));
    str_free(&text);
}

static void put_workspace(struct table *t, struct workbench *wb, struct result *out)
{
    const char *path = workspace_path(wb->space);
    put(t, "workspace",
        result_textf(out, "%s%s", path ? path : "temporary (`save FILE` keeps it)",
                     workspace_readonly(wb->space) ? ", for reading only" : ""));
    put(t, "seed", result_textf(out, "%llu", (unsigned long long)wb->seed));
    if (wb->now != NO_TIME) {
        char now[40];
        time_iso(now, sizeof now, wb->now);
        put(t, "clock", now);
    }
}

/* What differs from run to run and from machine to machine is a message and not part of the document. */
static void say_machine(struct result *out)
{
    unsigned long long pages = 0;
    char size[32] = "?";
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%*u %llu", &pages) == 1)
        text_bytes(size, sizeof size, (double)pages * (double)sysconf(_SC_PAGESIZE));
    if (f)
        fclose(f);
    result_message(out, MESSAGE_INFO, "memory in use: %s; %d thread%s; %s kernels", size, parallel_threads(),
                   parallel_threads() == 1 ? "" : "s", linalg_kernel_name());
}

static enum status run_status(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    static const struct column columns[] = {{.name = "what", .type = VALUE_TEXT},
                                            {.name = "value", .type = VALUE_TEXT}};
    (void)call;
    (void)err;
    struct dataset *d = workbench_data(wb);
    struct split *s = workbench_split(wb);
    struct table *t = result_table(out, "status", "", columns, 2);
    if (d) {
        put_data(t, d, out);
        put_steps(t, wb);
        put(t, "split", s ? s->description : "none: models learn from all events");
        put_models(t, wb);
    } else {
        put(t, "data set", "none");
        result_message(out, MESSAGE_HINT, "`load tiny` opens a small bundled data set, `load PATH` one of yours");
    }
    put_following(t, wb);
    put_workspace(t, wb, out);
    put(t, "program", PACKAGE_STRING);
    if (!fetch_can() || !unpack_can())
        put(t, "built without", fetch_can() ? "libarchive (download)" : unpack_can() ? "libcurl (download)"
                                                                          : "libcurl and libarchive (download)");
    say_machine(out);
    split_release(s);
    dataset_release(d);
    return ST_OK;
}

/* ---- rename, drop ---- */

static enum status no_such_name(struct workbench *wb, const struct word *w, struct error *err)
{
    enum { LOOK = 64 };
    struct dataset_info *list = NULL;
    const char *names[2 * LOOK];
    size_t n = 0, m = 0;
    if (workspace_list_datasets(wb->space, &list, &n, NULL))
        n = 0;
    for (; m < n && m < LOOK; m++)
        names[m] = list[m].name;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels && m < 2 * LOOK; i++)
        names[m++] = wb->models[i]->name;
    const char *near = text_nearest(w->text, names, m);
    error_set(err, ST_NOT_FOUND, "neither a model nor a data set is called \"%s\"", w->text);
    error_hint(err, near ? "did you mean %s?" : "`models` and `datasets` list them", near);
    pthread_mutex_unlock(&wb->lock);
    mem_free(list);
    return error_at_word(ST_NOT_FOUND, err, w);
}

static bool is_open(struct workbench *wb, const char *name)
{
    struct dataset *d = workbench_data(wb);
    bool open = d && strcmp(d->name, name) == 0;
    dataset_release(d);
    return open;
}

static enum status rename_dataset(struct workbench *wb, const struct call *call, struct error *err)
{
    const char *from = call->args[0].text, *to = call->args[1].text;
    bool open = is_open(wb, from);
    /* What is in memory only would not be there when the data set is opened again under its new name. */
    enum status st = open ? workbench_keep_models(wb, err) : ST_OK;
    if (st)
        return st;
    st = workspace_rename_dataset(wb->space, from, to, err);
    if (st == ST_NOT_FOUND)
        return no_such_name(wb, &call->args[0], err);
    if (st)
        return error_at_word(st, err, &call->args[1]);
    return open ? workbench_switch(wb, to, err) : ST_OK;
}

static enum status rename_model(struct workbench *wb, const struct call *call, const struct model_class *class,
                                struct error *err)
{
    enum status st = workbench_model_name(call->args[1].text, class, err);
    if (!st)
        st = workbench_rename_model(wb, call->args[0].text, call->args[1].text, err);
    return st ? error_at_word(st, err, &call->args[1]) : ST_OK;
}

static enum status run_rename(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const char *from = call->args[0].text, *to = call->args[1].text;
    struct model *m = workbench_model(wb, from);
    const struct model_class *class = m ? m->class : NULL;
    model_release(m);
    enum status st = class ? rename_model(wb, call, class, err) : rename_dataset(wb, call, err);
    if (!st)
        result_message(out, MESSAGE_INFO, "%s is now called %s", from, to);
    return st;
}

static enum status drop_one(struct workbench *wb, const struct word *w, struct result *out, struct error *err)
{
    struct model *m = workbench_model(wb, w->text);
    if (m) {
        model_release(m);
        result_message(out, MESSAGE_INFO, "model %s is dropped", w->text);
        return workbench_drop_model(wb, w->text, err);
    }
    bool open = is_open(wb, w->text);
    enum status st = workspace_drop_dataset(wb->space, w->text, err);
    if (st == ST_NOT_FOUND)
        return no_such_name(wb, w, err);
    if (st)
        return st;
    if (open)
        workbench_set_data(wb, NULL);
    result_message(out, MESSAGE_INFO, "data set %s is dropped, with its split and models", w->text);
    return ST_OK;
}

static enum status run_drop(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < call->nargs && !st; i++)
        st = drop_one(wb, &call->args[i], out, err);
    return st;
}

/* ---- save, verify ---- */

static enum status run_save(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const char *path = call->nargs ? call->args[0].text : workspace_path(wb->space);
    if (!path) {
        error_set(err, ST_USAGE, "this session has no file yet");
        error_hint(err, "name one: save mine.tailor");
        return ST_USAGE;
    }
    struct dataset *base = NULL;
    enum status st = wb->data ? workbench_base(wb, &base, err) : ST_OK;
    if (st)
        return st;
    if (base)
        workbench_fold(wb, base, true);
    dataset_release(base);
    st = call->nargs ? workspace_save_as(wb->space, path, call_yes(call, "replace"), &wb->job, err) : ST_OK;
    if (st)
        return error_at_word(st, err, &call->args[0]);
    st = workbench_keep_models(wb, err);
    if (st)
        return st;
    result_message(out, MESSAGE_INFO, "kept in %s; what changes from now on is kept there too", path);
    return ST_OK;
}

static enum status run_verify(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    (void)call;
    enum status st = workspace_verify(wb->space, &wb->job, err);
    if (!st)
        result_message(out, MESSAGE_INFO, "the workspace is whole: every checksum holds");
    return st;
}

/* ---- the table ---- */

static const struct argument rename_args[] = {
    {.name = "OLD", .type = ARG_MODEL, .doc = "a model, or a data set of the workspace"},
    {.name = "NAME", .type = ARG_TEXT, .doc = "its new name"},
};
static const struct argument drop_args[] = {
    {.name = "NAME", .type = ARG_MODEL, .repeated = true, .doc = "models, or data sets with all that belongs to them"},
};
static const struct argument save_args[] = {
    {.name = "FILE", .type = ARG_PATH, .optional = true, .doc = "the workspace file to be; without it the present one"},
};
static const struct param save_options[] = {
    {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "overwrite the file"},
};

static const struct command rows[] = {
    {.name = "status",
     .group = "workspace",
     .summary = "what is open",
     .help = "The data set, its split and models, the workspace, and what this program was built with.",
     .examples = (const char *const[]){"status", NULL},
     .run = run_status},
    {.name = "rename",
     .group = "workspace",
     .summary = "give a model or a data set another name",
     .arguments = rename_args,
     .narguments = 2,
     .flags = COMMAND_CHANGES,
     .help = "A data set keeps its split, models and all else. A model goes before a data set of the same name.",
     .examples = (const char *const[]){"rename tiny small", NULL},
     .run = run_rename},
    {.name = "drop",
     .group = "workspace",
     .summary = "forget models or data sets",
     .arguments = drop_args,
     .narguments = 1,
     .flags = COMMAND_CHANGES,
     .help = "From memory and from the workspace. A data set takes its split, models and rejects along. A model goes "
             "before a data set of the same name.",
     .examples = (const char *const[]){"drop mine", "drop tiny", NULL},
     .run = run_drop},
    {.name = "save",
     .group = "workspace",
     .summary = "keep the workspace in a file",
     .arguments = save_args,
     .narguments = 1,
     .options = save_options,
     .noptions = 1,
     .help = "Copies all data sets and models into FILE and goes on with it. `tailor FILE` opens it again. Without it "
             "a session that was begun without a "
             "name leaves nothing behind.",
     .examples = (const char *const[]){"save mine.tailor", "save mine.tailor replace=yes", NULL},
     .run = run_save},
    {.name = "verify",
     .group = "workspace",
     .summary = "check every checksum of the workspace",
     .help = "Reads all of it: data sets, rejects, models.",
     .examples = (const char *const[]){"verify", NULL},
     .run = run_verify},
};

const struct command_family space_commands = {rows, sizeof rows / sizeof *rows};
