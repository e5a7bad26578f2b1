/* Commands about the session itself. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "commands/families.h"
#include "commands/help.h"
#include "commands/lex.h"

/* ---- set ---- */

static enum status list_settings(const struct workbench *wb, struct result *out)
{
    static const struct column columns[] = {{.name = "setting", .type = VALUE_TEXT},
                                            {.name = "value", .type = VALUE_TEXT},
                                            {.name = "choices", .type = VALUE_TEXT},
                                            {.name = "what", .type = VALUE_TEXT}};
    struct table *t = result_table(out, "settings", "", columns, 4);
    for (size_t i = 0; i < workbench_nsettings; i++) {
        const struct param *p = &workbench_settings[i];
        table_text(t, p->name);
        table_text(t, workbench_setting(wb, p->name));
        table_text(t, p->choices ? p->choices : p->type == PARAM_BOOL ? "yes|no" : "a number");
        table_text(t, p->doc);
    }
    for (size_t i = 0; i < wb->nsettings; i++) {
        if (param_index(workbench_settings, workbench_nsettings, wb->settings[i].name) < workbench_nsettings)
            continue;
        table_text(t, wb->settings[i].name);
        table_text(t, wb->settings[i].value);
        table_null(t);
        table_text(t, "your variable");
    }
    return ST_OK;
}

static enum status show_setting(const char *name, const char *value, struct result *out)
{
    static const struct column columns[] = {{.name = "setting", .type = VALUE_TEXT},
                                            {.name = "value", .type = VALUE_TEXT}};
    struct table *t = result_table(out, "setting", "", columns, 2);
    table_text(t, name);
    table_text(t, value);
    return ST_OK;
}

static enum status set_one(struct workbench *wb, const struct word *name, const struct word *value, struct error *err)
{
    enum status st = workbench_set(wb, name->text, value->text, err);
    if (st)
        return error_at_word(st, err, value);
    if (strcmp(name->text, "output") == 0 && wb->sink->set_output)
        for (size_t i = 0; i < OUTPUT_FORMS; i++)
            if (text_same(value->text, output_form_names[i]))
                return wb->sink->set_output(wb->sink, (enum output_form)i, err);
    return ST_OK;
}

static enum status run_set(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    if (call->nargs == 0)
        return list_settings(wb, out);
    const char *name = call->args[0].text;
    if (call->nargs == 1) {
        const char *value = workbench_setting(wb, name);
        if (!value && param_index(workbench_settings, workbench_nsettings, name) == workbench_nsettings) {
            error_set(err, ST_NOT_FOUND, "no setting or variable \"%s\"", name);
            error_hint(err, "`set` lists them; `set %s VALUE` makes a variable, used as $%s", name, name);
            return error_at_word(ST_NOT_FOUND, err, &call->args[0]);
        }
        return show_setting(name, value, out);
    }
    enum status st = set_one(wb, &call->args[0], &call->args[1], err);
    return st ? st : show_setting(name, workbench_setting(wb, name), out);
}

static enum status run_timer(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    enum status st = workbench_set(wb, "timer", call->nargs ? call->args[0].text : "on", err);
    return st ? st : show_setting("timer", workbench_setting(wb, "timer"), out);
}

/* ---- source, watch ---- */

enum { SOURCE_DEPTH = 16, SOURCE_LARGEST = 16 << 20 };

static enum status source_lines(struct workbench *wb, const char *path, char *text, struct error *err)
{
    size_t number = 1;
    for (char *line = text, *next, *at = line; line; line = next) {
        bool open;
        next = line + lex_command(line, &open);
        if (*next)
            *next++ = 0;
        else
            next = NULL;
        for (; at < line; at++)
            number += *at == '\n' || *at == 0;
        enum status st = command_run(wb, line, wb->sink, err);
        if (st) {
            if (err && !*err->source)
                error_source(err, "%s:%zu", path, number);
            error_span(err, 0, 0);
            return st;
        }
    }
    return ST_OK;
}

static enum status run_source(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    (void)out;
    char *text;
    size_t n;
    if (wb->source_depth >= SOURCE_DEPTH)
        return error_set(err, ST_USAGE, "scripts are nested more than %d deep: does %s source itself?", SOURCE_DEPTH,
                         call->args[0].text);
    enum status st = file_read(call->args[0].text, SOURCE_LARGEST, &text, &n, err);
    if (st)
        return error_at_word(st, err, &call->args[0]);
    wb->source_depth++;
    st = source_lines(wb, call->args[0].text, text, err);
    wb->source_depth--;
    mem_free(text);
    return st;
}

/* Sleeps in small steps, so that a cancel is noticed at once. */
static enum status wait_seconds(struct job *job, double seconds, struct error *err)
{
    double end = clock_seconds() + seconds;
    while (clock_seconds() < end) {
        enum status st = job_check(job, err);
        if (st)
            return st;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return job_check(job, err);
}

static enum status run_watch(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    (void)out;
    double seconds;
    char number[32];
    size_t n = strcspn(call->rest.text, " \t");
    snprintf(number, sizeof number, "%.*s", (int)n, call->rest.text);
    const char *command = call->rest.text + n + strspn(call->rest.text + n, " \t");
    if (!text_parse_real(number, &seconds) || seconds < .1 || !*command) {
        error_set(err, ST_USAGE, "watch needs seconds (0.1 or more) and a command");
        error_hint(err, "for example `watch 5 status`; Ctrl-C ends it");
        return error_at_word(ST_USAGE, err, &call->rest);
    }
    for (;;) {
        enum status st = command_run(wb, command, wb->sink, err);
        if (!st)
            st = wait_seconds(&wb->job, seconds, err);
        if (st)
            return st;
    }
}

/* ---- what only a face can do ---- */

static enum status cannot(const char *what, struct error *err)
{
    return error_set(err, ST_UNSUPPORTED, "%s works at the prompt only", what);
}

static enum status run_last(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    (void)call;
    (void)out;
    if (!wb->sink->last)
        return cannot("last", err);
    return wb->sink->last(wb->sink) ? ST_OK : error_set(err, ST_STATE, "there is no result yet");
}

static enum status run_history(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    (void)call;
    return wb->sink->history ? wb->sink->history(wb->sink, out, err) : cannot("history", err);
}

static enum status run_ui(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    (void)call;
    (void)out;
    return wb->sink->open_screen ? wb->sink->open_screen(wb->sink, err) : cannot("ui", err);
}

/* Where somebody can answer, models that nobody has saved are not lost without a word. */
static bool wants_to_stay(struct workbench *wb)
{
    size_t n = 0;
    char question[160];
    if (!wb->sink->interactive || !wb->sink->ask || workbench_unkept_models(wb, &n, NULL) || !n)
        return false;
    snprintf(question, sizeof question, "%zu model%s in no file: `save%s` keeps %s. Leave all the same?", n,
             n == 1 ? " is" : "s are", workspace_path(wb->space) ? "" : " FILE", n == 1 ? "it" : "them");
    return !wb->sink->ask(wb->sink, question);
}

static enum status run_quit(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    (void)call;
    (void)out;
    (void)err;
    if (wb->sink->quit && !wants_to_stay(wb))
        wb->sink->quit(wb->sink);
    return ST_OK;
}

/* ---- the rows ---- */

static const struct argument set_args[] = {
    {.name = "NAME", .type = ARG_SETTING, .optional = true, .doc = "a setting, or a variable of your own"},
    {.name = "VALUE", .type = ARG_VALUE, .optional = true, .doc = "what it becomes"},
};
static const struct argument timer_args[] = {
    {.name = "on|off", .type = ARG_CHOICE, .optional = true, .choices = "on|off", .doc = "on when left out"}};
static const struct argument source_args[] = {{.name = "FILE", .type = ARG_PATH, .doc = "commands, one a line"}};
static const struct argument watch_args[] = {
    {.name = "SECONDS COMMAND", .type = ARG_COMMAND, .doc = "what to run, and how often"}};
static const struct argument help_args[] = {{.name = "WORD",
                                             .type = ARG_TOPIC,
                                             .optional = true,
                                             .repeated = true,
                                             .doc = "a group, a command, a model, a metric, or a word to search for"}};

static const struct command rows[] = {
    {.name = "help",
     .group = "session",
     .summary = "what there is: groups, one command, model or metric, or a search",
     .arguments = help_args,
     .narguments = 1,
     .help = "Without a word: the groups and their commands. With a group, or `all`: a line a command. With a command, "
             "a model or a metric: everything about it; a metric is also worked on the list of the current user. "
             "`metrics` lists the metrics. With any other word: where it is spoken of.",
     .examples = (const char *const[]){"help", "help shape", "help train", "help ease", "help ndcg", "help metrics",
                                       "help history", NULL},
     .run = run_help},
    {.name = "set",
     .group = "session",
     .summary = "settings and variables",
     .arguments = set_args,
     .narguments = 2,
     .help = "Without words: all settings. A name that is no setting makes a variable: $NAME in a later line stands "
             "for its value.",
     .examples = (const char *const[]){"set", "set seed 7", "set output json", "set who u3", NULL},
     .run = run_set},
    {.name = "timer",
     .group = "session",
     .summary = "say how long each command took",
     .arguments = timer_args,
     .narguments = 1,
     .examples = (const char *const[]){"timer on", "timer off", NULL},
     .run = run_timer},
    {.name = "source",
     .group = "session",
     .summary = "run the commands of a file",
     .arguments = source_args,
     .narguments = 1,
     .flags = COMMAND_QUIET,
     .help = "One command a line; # at the start of a line and -- begin comments. It stops at the first error.",
     .examples = (const char *const[]){"source demo.tailor", NULL},
     .run = run_source},
    {.name = "watch",
     .group = "session",
     .summary = "run a command again and again",
     .arguments = watch_args,
     .narguments = 1,
     .flags = COMMAND_REST | COMMAND_QUIET,
     .help = "Until Ctrl-C.",
     .examples = (const char *const[]){"watch 5 status", NULL},
     .run = run_watch},
    {.name = "history",
     .group = "session",
     .summary = "the lines typed before",
     .examples = (const char *const[]){"history", NULL},
     .run = run_history},
    {.name = "last",
     .group = "session",
     .summary = "the last result again, in full",
     .flags = COMMAND_AGAIN,
     .help = "It can be sent elsewhere: to a file, whose ending chooses the form, or to a program.",
     .examples = (const char *const[]){"last", "last > list.csv", NULL},
     .run = run_last},
    {.name = "ui",
     .group = "session",
     .summary = "open the screen",
     .flags = COMMAND_QUIET,
     .help = "Full-screen views of the data, the models and one user; q comes back here.",
     .examples = (const char *const[]){"ui", NULL},
     .run = run_ui},
    {.name = "quit",
     .group = "session",
     .summary = "leave",
     .flags = COMMAND_QUIET,
     .help = "At the prompt it asks first when there are models that would be lost: those of a session without a file, "
             "and large ones that `save` has not written yet.",
     .examples = (const char *const[]){"quit", NULL},
     .run = run_quit},
};

const struct command_family session_commands = {rows, sizeof rows / sizeof *rows};
