/* Running a line: parse, check what the command needs, run, hand the result on. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "commands/clock.h"
#include "commands/command.h"
#include "commands/habits.h"
#include "commands/lex.h"
#include "plot/plot.h"

extern char **environ;

/* ---- where a result goes ---- */

static enum status write_stream(void *context, const char *bytes, size_t n, struct error *err)
{
    if (fwrite(bytes, 1, n, context) == n)
        return ST_OK;
    return error_errno(err, "write", "the output");
}

static enum status to_file(struct workbench *wb, struct result *r, const struct word *path, struct error *err)
{
    struct render_options options = {.form = OUTPUT_TSV, .header = true, .draw = plot_series};
    if (!output_form_of_path(path->text, &options.form))
        options.form = OUTPUT_BOX;
    options.messages = options.form == OUTPUT_HTML; /* a page is sent on: nobody sees what was said beside it */
    struct file_draft *draft;
    enum status st = file_draft_open(path->text, &draft, err);
    if (st)
        return error_at_word(st, err, path);
    struct output out = {file_draft_stream(draft), write_stream};
    st = result_render(r, &options, &out, &wb->job, err);
    if (!st)
        return file_draft_commit(draft, err);
    file_draft_abandon(draft);
    if (st == ST_IO)
        error_source(err, "%s", path->text);
    return st;
}

static enum status start_program(const char *line, pid_t *pid, int *to, struct error *err)
{
    struct lexemes words;
    enum status st = lex_line(line, false, &words, err);
    if (st)
        return st;
    char **argv = mem_new(words.n + 1, sizeof *argv, "program arguments", err);
    int ends[2] = {-1, -1};
    if (!argv || pipe(ends)) {
        st = argv ? error_errno(err, "open", "a pipe") : ST_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < words.n; i++)
        argv[i] = words.at[i].word.text;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    /* We ignore these; a program that reads from us expects the default. */
    posix_spawnattr_t attributes;
    sigset_t normal;
    sigemptyset(&normal);
    sigaddset(&normal, SIGPIPE);
    sigaddset(&normal, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &normal);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (failed) {
        close(ends[1]);
        errno = failed;
        st = error_errno(err, "run", argv[0]);
    }
    *to = ends[1];
out:
    mem_free(argv);
    lexemes_clear(&words);
    return st;
}

static enum status to_program(struct workbench *wb, struct result *r, const struct word *program, struct error *err)
{
    struct render_options options = {.form = OUTPUT_TSV, .header = true, .draw = plot_series};
    const char *form = workbench_setting(wb, "output");
    for (size_t i = 0; form && i < OUTPUT_FORMS; i++)
        if (strcmp(form, output_form_names[i]) == 0)
            options.form = (enum output_form)i;
    pid_t pid = 0;
    int to = -1;
    fflush(stdout); /* what was printed before stays before what the program prints */
    enum status st = start_program(program->text, &pid, &to, err);
    if (st)
        return error_at_word(st, err, program);
    FILE *stream = fdopen(to, "w");
    struct error unheard;
    struct output out = {stream, write_stream};
    st = stream ? result_render(r, &options, &out, &wb->job, &unheard) : ST_OK;
    if (st == ST_IO) /* the program stopped reading (head): its right */
        st = ST_OK;
    else if (st && err)
        *err = unheard;
    if (stream)
        fclose(stream);
    else
        close(to);
    int state;
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    return st;
}

/* ---- one line ---- */

/* What is made now would be made of later events, and looked for in the past. */
static enum status in_the_past(const struct workbench *wb, const struct command *c, struct error *err)
{
    char clock[40];
    clock_short(clock, sizeof clock, wb->now);
    error_set(err, ST_STATE, "%s would change the workspace, and the clock is rewound to %s", c->name, clock);
    if (strcmp(c->group, "learn") == 0)
        error_hint(
            err,
            "`rewind %s retrain=yes` trains the models there are as of then; `rewind now` goes back to the present",
            clock);
    else
        error_hint(err, "`rewind now` goes back to the present");
    return ST_STATE;
}

/* The parts of the split are those of the present, and most of what judges had not happened yet. */
static enum status not_yet(const struct workbench *wb, const struct command *c, struct error *err)
{
    char clock[40];
    clock_short(clock, sizeof clock, wb->now);
    error_set(err, ST_STATE, "%s judges by events up to the present, and the clock is rewound to %s", c->name, clock);
    error_hint(err,
               "`rewind now` goes back; `backtest` trains at moments of the past and judges by what came after each");
    return ST_STATE;
}

static enum status check_needs(const struct workbench *wb, const struct command *c, struct error *err)
{
    if ((c->flags & COMMAND_NEEDS_DATA) && !wb->data) {
        enum status st = error_set(err, ST_STATE, "%s needs data, and none is loaded", c->name);
        error_hint(err, "`load FILE`, or `load shop` for the bundled shop");
        return st;
    }
    if ((c->flags & COMMAND_CHANGES) && wb->readonly)
        return error_set(err, ST_STATE, "%s would change the workspace, which is open for reading only", c->name);
    if ((c->flags & COMMAND_CHANGES) && !(c->flags & COMMAND_ANYTIME) && wb->now != NO_TIME)
        return in_the_past(wb, c, err);
    if ((c->flags & COMMAND_PRESENT) && wb->now != NO_TIME)
        return not_yet(wb, c, err);
    return ST_OK;
}

/* $NAME outside single quotes becomes the value of the setting or variable; $$ is a dollar. */
static enum status substitute(const struct workbench *wb, const char *text, struct str *out, struct error *err)
{
    bool quoted = false;
    for (const char *p = text; *p; p++) {
        if (*p == '\'' &&
            (quoted || p == text || p[-1] == ' ' || p[-1] == '=')) /* as words are cut: Schindler's quotes nothing */
            quoted = !quoted;
        if (*p != '$' || quoted) {
            str_putc(out, *p);
            continue;
        }
        size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        char name[64];
        if (p[1] == '$' || n == 0 || n >= sizeof name || (p[1] >= '0' && p[1] <= '9')) {
            str_putc(out, '$');
            p += p[1] == '$';
            continue;
        }
        memcpy(name, p + 1, n);
        name[n] = 0;
        const char *value = workbench_setting(wb, name);
        if (!value) {
            enum status st = error_set(err, ST_USAGE, "$%s is not set", name);
            error_hint(err, "`set %s VALUE` sets it; $$ is a plain dollar", name);
            error_span(err, (size_t)(p - text), n + 1);
            return st;
        }
        str_puts(out, value);
        p += n;
    }
    return out->failed ? error_nomem(err, strlen(text), "a command line") : ST_OK;
}

static enum status hand_on(struct workbench *wb, const struct call *call, struct sink *sink, struct result *r,
                           struct error *err)
{
    if (call->command->flags & COMMAND_QUIET)
        return ST_OK;
    if (call->command->flags & COMMAND_AGAIN)
        r = sink->last(sink);
    if (call->redirect.text)
        return to_file(wb, r, &call->redirect, err);
    if (call->pipe.text)
        return to_program(wb, r, &call->pipe, err);
    return sink->emit(sink, r, err);
}

/* What changed something and then could not say so must not look as if it had changed nothing. */
static void say_done(const struct command *c, struct error *err)
{
    if (err && (c->flags & COMMAND_CHANGES))
        error_hint(err, "`%s` was carried out; only its result could not be told", c->name);
}

static enum status run_call(struct workbench *wb, const struct call *call, struct sink *sink, struct error *err)
{
    enum status st = check_needs(wb, call->command, err);
    if (st)
        return st;
    struct result *r = result_new(err);
    if (!r)
        return ST_NOMEM;
    r->several = call->command->flags & COMMAND_SEVERAL;
    struct sink *outer = wb->sink;
    wb->sink = sink;
    double start = clock_seconds();
    st = call->command->run(wb, call, r, err);
    bool done = !st;
    if (!st)
        st = result_status(r, err);
    r->seconds = clock_seconds() - start;
    if (!st && wb->now != NO_TIME && (call->command->flags & COMMAND_TIMELESS))
        result_message(r, MESSAGE_INFO, "all events count here: `%s` does not follow the clock, which is rewound",
                       call->command->name);
    if (!r->command)
        r->command = mem_strdup(call->text, NULL); /* without memory the result goes on without its command */
    if (!st)
        st = hand_on(wb, call, sink, r, err);
    if (st && done)
        say_done(call->command, err);
    wb->sink = outer;
    result_free(r);
    return st;
}

/* One command. A statement of SQL stays as it is: a $NAME in it is a bound value. */
static enum status run_line(struct workbench *wb, const char *text, struct sink *sink, struct error *err)
{
    size_t blanks = strspn(text, " \t\r\n");
    text += blanks;
    if (!*text || *text == '#' || strncmp(text, "--", 2) == 0)
        return ST_OK;
    if (!wb->sink)
        job_reset(&wb->job);
    struct str line = {0};
    struct call *call = NULL;
    enum status st = ST_OK;
    bool habit = habit_translate(text, &line);
    if (!habit && !lex_is_sql(text))
        st = substitute(wb, text, &line, err);
    else if (!habit)
        str_puts(&line, text);
    if (!st && line.failed)
        st = error_nomem(err, strlen(text), "a command line");
    bool substituted = !st;
    if (!st)
        st = call_parse(wb, str_text(&line), sink->interactive, &call, err);
    if (!st)
        st = run_call(wb, call, sink, err);
    if (st && err && err->length) {
        /* Places are in the line as it was run; say them in the line as it was typed, or not at all. */
        err->offset += blanks;
        if (substituted && strcmp(str_text(&line), text) != 0)
            err->length = 0;
    }
    if (!wb->sink)
        job_reset(&wb->job);
    call_free(call);
    str_free(&line);
    return st;
}

/* What stands behind a `;` that ends a statement, and is no place for its result, is the next command. */
static size_t first_command(const char *text)
{
    bool ended;
    size_t n = lex_is_sql(text) ? lex_sql(text, &ended) : strlen(text);
    if (!text[n])
        return n;
    size_t next = n + 1 + strspn(text + n + 1, " \t\r\n");
    return strchr(">|-", text[next]) ? strlen(text) : next;
}

enum status command_run(struct workbench *wb, const char *text, struct sink *sink, struct error *err)
{
    size_t n = first_command(text);
    if (!text[n])
        return run_line(wb, text, sink, err);
    char *first = mem_strndup(text, n, err);
    if (!first)
        return ST_NOMEM;
    enum status st = run_line(wb, first, sink, err);
    mem_free(first);
    if (st)
        return st;
    st = command_run(wb, text + n, sink, err);
    if (st && err && err->length)
        err->offset += n;
    return st;
}
