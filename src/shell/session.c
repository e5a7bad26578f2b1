/* One session: lines run on the worker, scripts, and what the commands may ask of the face. */
#include "shell/session.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "commands/lex.h"

enum { PROGRESS_HZ = 10 };

/* ---- the sink ---- */

static enum status set_output(struct sink *sink, enum output_form form, struct error *err)
{
    (void)err;
    ((struct session *)sink->face)->form = form;
    return ST_OK;
}

static enum status want_screen(struct sink *sink, struct error *err)
{
    (void)err;
    ((struct session *)sink->face)->want_screen = true;
    return ST_OK;
}

/* The worker asks while the main thread only waits, so the keyboard is free. */
static bool ask(struct sink *sink, const char *question)
{
    struct session *s = sink->face;
    struct str line = {0};
    char answer[16] = "";
    pthread_mutex_lock(&s->painting);
    progress_clear(s);
    str_put_safe(&line, question, strlen(question));
    fprintf(stderr, "%s [y/N] ", str_text(&line));
    struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = 0;
    while (ready <= 0 && !job_cancelled(&s->wb->job)) /* Ctrl-C is no */
        ready = poll(&keys, 1, 1000 / PROGRESS_HZ);
    ssize_t n = ready > 0 ? read(STDIN_FILENO, answer, sizeof answer - 1) : 0;
    if (n <= 0)
        fputs("\n", stderr);
    pthread_mutex_unlock(&s->painting);
    str_free(&line);
    return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

static struct result *last(struct sink *sink)
{
    return ((struct session *)sink->face)->last;
}

static void quit(struct sink *sink)
{
    ((struct session *)sink->face)->leaving = true;
}

/* ---- one line ---- */

/* Waits for the worker; looks at signals and paints the progress line meanwhile. True when the user interrupted. */
static bool watch(struct session *s)
{
    double start = clock_seconds();
    bool interrupted = false;
    while (signals_wait(&s->ears, runner_fd(s->runner), 1.0 / PROGRESS_HZ) != HEARD_INPUT) {
        struct signals got = signals_take(&s->ears);
        s->leaving |= got.end;
        if (got.stop)
            raise(SIGSTOP);
        interrupted |= got.end || (got.interrupt && !atomic_load(&s->paging));
        if (interrupted) /* again and again: a command that was only about to begin has cleared the flag */
            runner_cancel(s->runner);
        progress_say(s);
        if (clock_seconds() - start >= 1)
            progress_paint(s);
    }
    return interrupted;
}

static bool is_on(const char *setting)
{
    return setting && (text_same(setting, "on") || text_same(setting, "yes") || text_same(setting, "true") ||
                       strcmp(setting, "1") == 0);
}

static enum status open_screen(struct session *s, struct error *err)
{
    s->want_screen = false;
    if (!s->options->open_screen)
        return error_set(err, ST_UNSUPPORTED, "this program was built without its screen");
    signals_release();
    enum status st = s->options->open_screen(s->wb, s->options, err);
    signals_catch();
    return st;
}

enum status session_run_line(struct session *s, const char *line, struct error *err)
{
    double start = clock_seconds();
    struct job_view before;
    job_look(&s->wb->job, &before);
    s->notes = before.notes; /* the screen may have told some */
    enum status st = runner_start(s->runner, line, &s->sink, err);
    if (st)
        return st;
    bool interrupted = watch(s);
    st = runner_wait(s->runner, err);
    progress_clear(s);
    progress_say(s);
    if (!st && interrupted) /* it ended before it noticed; a script must stop all the same */
        st = error_set(err, ST_CANCELLED, "interrupted");
    if (is_on(workbench_setting(s->wb, "timer")) && line[strspn(line, " \t")]) {
        char took[32];
        text_duration(took, sizeof took, clock_seconds() - start);
        fprintf(stderr, "time: %s\n", took);
    }
    if (!st && s->want_screen)
        st = open_screen(s, err);
    return st;
}

/* ---- scripts ---- */

static int exit_code_of(struct session *s, enum status st)
{
    if (st == ST_CANCELLED)
        return EXIT_INTERRUPTED;
    return atomic_load(&s->output_gone) ? EXIT_FATAL : EXIT_COMMAND;
}

static int run_script_line(struct session *s, const char *line, const char *source, size_t number)
{
    struct error err = {0};
    enum status st = session_run_line(s, line, &err);
    if (!st)
        return EXIT_DONE;
    if (source && !*err.source)
        error_source(&err, "%s:%zu", source, number);
    if (!atomic_load(&s->output_gone))
        session_complain(s, &err, line);
    return exit_code_of(s, st);
}

static int run_text(struct session *s, const char *text)
{
    int code = EXIT_DONE;
    char *copy = mem_strdup(text, NULL);
    if (!copy)
        return EXIT_FATAL;
    for (char *line = copy, *next; line && code == EXIT_DONE && !s->leaving; line = next) {
        bool open;
        next = line + lex_command(line, &open);
        if (*next)
            *next++ = 0;
        else
            next = NULL;
        code = run_script_line(s, line, NULL, 0);
    }
    mem_free(copy);
    return code;
}

/* The next command of a stream: a line, or a statement of SQL with all of its lines. Returns how many; 0 at the end. */
static size_t read_command(FILE *in, struct str *text)
{
    char *line = NULL;
    size_t room = 0, lines = 0;
    bool open = true;
    str_clear(text);
    while (open && !text->failed && getline(&line, &room, in) >= 0) {
        line[strcspn(line, "\r\n")] = 0;
        str_puts(text, lines++ ? "\n" : "");
        str_puts(text, line);
        lex_command(str_text(text), &open);
    }
    free(line);
    return text->failed ? 0 : lines;
}

static int run_file(struct session *s, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    struct error err = {0};
    FILE *in = standard ? stdin : fopen(path, "re");
    if (!in) {
        error_errno(&err, "open", path);
        session_complain(s, &err, NULL);
        return EXIT_FATAL;
    }
    struct str text = {0};
    size_t number = 0, lines;
    int code = EXIT_DONE;
    while (code == EXIT_DONE && !s->leaving && (lines = read_command(in, &text)) > 0) {
        number += lines;
        code = run_script_line(s, str_text(&text), standard ? "stdin" : path, number - lines + 1);
    }
    if (code == EXIT_DONE && text.failed) {
        error_nomem(&err, text.capacity, "a line");
        session_complain(s, &err, NULL);
        code = EXIT_FATAL;
    }
    if (code == EXIT_DONE && ferror(in)) {
        error_errno(&err, "read", path);
        session_complain(s, &err, NULL);
        code = EXIT_FATAL;
    }
    str_free(&text);
    if (!standard)
        fclose(in);
    return code;
}

/* Runs the lines of a script until the first error, which is told. Returns an exit code. */
static int run_script(struct session *s, const struct script *script)
{
    return script->text ? run_text(s, script->text) : run_file(s, script->path);
}

/* ---- the whole ---- */

static enum status choose_output(struct session *s, struct error *err)
{
    s->form = s->terminal.out ? OUTPUT_BOX : OUTPUT_TSV;
    if (!s->options->output)
        return ST_OK;
    enum status st = workbench_set(s->wb, "output", s->options->output, err);
    for (int i = 0; !st && i < OUTPUT_FORMS; i++)
        if (text_same(s->options->output, output_form_names[i]))
            s->form = (enum output_form)i;
    return st;
}

static bool read_init(const struct session *s, bool prompt, struct str *path)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (s->options->no_init)
        return false;
    if (s->options->init) {
        str_puts(path, s->options->init);
        return true;
    }
    if (config && *config == '/')
        str_printf(path, "%s/tailor/rc", config);
    else
        str_printf(path, "%s/.config/tailor/rc", home ? home : "");
    return prompt && access(str_text(path), R_OK) == 0;
}

static int run_init(struct session *s, bool prompt)
{
    struct str path = {0};
    int code = EXIT_DONE;
    if (read_init(s, prompt, &path)) {
        code = run_file(s, str_text(&path));
        if (prompt && code != EXIT_INTERRUPTED)
            code = EXIT_DONE; /* told already; a mistake in it must not lock the user out */
    }
    str_free(&path);
    return code;
}

/* A prompt has it in its greeting. */
static void say_new(const struct session *s)
{
    const char *path = workspace_path(s->wb->space);
    struct str where = {0};
    str_put_safe(&where, path, strlen(path));
    fprintf(stderr, "new workspace %s\n", str_text(&where));
    str_free(&where);
}

static int run_all(struct session *s)
{
    const struct shell_options *o = s->options;
    bool prompt = !o->nscripts && !o->ui && isatty(STDIN_FILENO) && s->terminal.out;
    if (o->new_workspace && !prompt)
        say_new(s);
    int code = run_init(s, prompt);
    for (size_t i = 0; i < o->nscripts && code == EXIT_DONE && !s->leaving; i++)
        code = run_script(s, &o->scripts[i]);
    if (code != EXIT_DONE || s->leaving)
        return code;
    if (o->ui) {
        struct error err = {0};
        if (open_screen(s, &err) == ST_OK)
            return EXIT_DONE;
        session_complain(s, &err, NULL);
        prompt = isatty(STDIN_FILENO) && s->terminal.out;
        if (!prompt)
            return EXIT_FATAL;
    }
    if (prompt)
        return session_prompt(s);
    return o->nscripts ? EXIT_DONE : run_file(s, "-");
}

int shell_run(const struct shell_options *options, struct workbench *wb)
{
    struct session s = {.options = options, .wb = wb};
    struct error err = {0};
    s.sink = (struct sink){.face = &s,
                           .emit = session_emit,
                           .open_screen = want_screen,
                           .set_output = set_output,
                           .last = last,
                           .quit = quit};
    if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
        s.sink.ask = ask;
    pthread_mutex_init(&s.painting, NULL);
    terminal_look(&s.terminal, options);
    int code = EXIT_FATAL;
    enum status st = signals_open(&s.ears, &err);
    if (!st && (st = choose_output(&s, &err)))
        code = EXIT_USAGE;
    if (!st)
        st = runner_open(wb, &s.runner, &err);
    if (st)
        session_complain(&s, &err, NULL);
    else
        code = run_all(&s);
    runner_close(s.runner);
    signals_close(&s.ears);
    result_free(s.last);
    pthread_mutex_destroy(&s.painting);
    return code;
}
