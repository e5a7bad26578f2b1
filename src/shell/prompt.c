/* The prompt: a line at a time, with a history that outlives the session. */
#include "shell/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "commands/clock.h"
#include "commands/follow.h"
#include "commands/lex.h"

enum { HISTORY_LINES = 10000 };
static const double LOOK_SECONDS = .1; /* at what is followed */

/* ---- history ---- */

/* $XDG_STATE_HOME/tailor/history, made private when it is new; false when there is no place for it. */
static bool history_path(struct str *path)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    struct error err;
    if (state && *state == '/')
        str_printf(path, "%s/tailor", state);
    else if (home && *home)
        str_printf(path, "%s/.local/state/tailor", home);
    if (!path->length || file_make_folder(str_text(path), &err))
        return false;
    str_puts(path, "/history");
    int fd = path->failed ? -1 : open(str_text(path), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* Not what repeats the entry before, and not what begins with a blank. A statement of several lines is one entry of one
 * line, which is how the file keeps it. */
static void remember(const char *path, const char *text)
{
    HIST_ENTRY *before = history_length ? history_get(history_base + history_length - 1) : NULL;
    struct str line = {0};
    lex_one_line(&line, text);
    if (!line.failed && line.length && *line.data != ' ' && !(before && strcmp(before->line, line.data) == 0)) {
        add_history(line.data);
        if (*path && append_history(1, path))
            errno = 0; /* a history that cannot be kept is no reason to stop anybody */
    }
    str_free(&line);
}

/* The sink's history: the lines of this and former sessions. */
static enum status history(struct sink *sink, struct result *out, struct error *err)
{
    static const struct column columns[] = {{"n", VALUE_INT, "", 0, 0}, {"command", VALUE_TEXT, "", 0, 0}};
    (void)sink;
    (void)err;
    struct table *t = result_table(out, "history", "", columns, 2);
    for (int i = 0; i < history_length; i++) {
        HIST_ENTRY *entry = history_get(history_base + i);
        table_int(t, history_base + i);
        table_text(t, entry ? entry->line : NULL);
    }
    return ST_OK;
}

/* ---- what is shown ---- */

static void greet(const struct session *s)
{
    const char *bold = s->terminal.color ? "\033[1m" : "", *off = s->terminal.color ? "\033[0m" : "";
    const char *path = workspace_path(s->wb->space);
    struct str where = {0};
    str_put_safe(&where, path ? path : "", path ? strlen(path) : 0);
    static const char *const first[][2] = {
        {"load FILE", "read events; `load shop` is a bundled shop"},
        {"train MODEL", "pop, itemknn, ease, ials"},
        {"user ID", "one person's history, and what to recommend"},
        {"help", "everything there is; Tab completes"},
    };
    printf("tailor, a workbench for personalization%s%s%s\n",
           !path                       ? ""
           : s->options->new_workspace ? ": new workspace "
                                       : ": ",
           str_text(&where), path ? "" : " (`save FILE` keeps what you do)");
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        printf("  %s%-11s%s  %s\n", bold, first[i][0], off, first[i][1]);
    fflush(stdout);
    str_free(&where);
}

/* "tailor ml-100k +1,204 as of 1998-03-01> ", where the number counts what was taken in of what is followed; *width
 * without the colours. */
static void make_prompt(const struct session *s, struct str *out, size_t *width)
{
    struct dataset *d = workbench_data(s->wb);
    struct str text = {0};
    char clock[48] = "";
    str_puts(&text, "tailor");
    if (d) {
        str_putc(&text, ' ');
        str_put_safe(&text, d->name, strlen(d->name));
    }
    dataset_release(d);
    if (s->wb->follow) {
        str_putc(&text, ' ');
        follow_short(s->wb, &text);
    }
    if (s->wb->now != NO_TIME) {
        clock_words(clock, sizeof clock, s->wb->now);
        str_printf(&text, " %s", clock);
    }
    str_puts(&text, ">");
    *width = text_width(str_text(&text), text.length) + 1;
    str_puts(out, s->terminal.color ? "\001\033[1;36m\002" : "");
    str_puts(out, str_text(&text));
    str_puts(out, s->terminal.color ? "\001\033[0m\002 " : " ");
    str_free(&text);
}

/* ---- the loop ---- */

/* The prompt of the second and later lines of a statement. */
static const char more_prompt[] = "   ...> ";

/* What is followed brings new events while nobody runs a command; the prompt counts them. */
static void take_in(struct session *s, bool more)
{
    struct str prompt = {0};
    size_t width;
    if (!follow_poll(s->wb) || more)
        return;
    make_prompt(s, &prompt, &width);
    typing_prompt(str_text(&prompt), width);
    str_free(&prompt);
}

/* Waits for a whole line, which goes on with a statement when `more`. False when the session ends, *line is NULL then;
 * and with *line NULL and *dropped when what was typed is to be forgotten. */
static bool read_line(struct session *s, bool more, char **line, bool *dropped)
{
    struct str prompt = {0};
    size_t width = sizeof more_prompt - 1;
    *line = NULL;
    *dropped = false;
    if (more)
        str_puts(&prompt, more_prompt);
    else
        make_prompt(s, &prompt, &width);
    typing_open(str_text(&prompt), width);
    str_free(&prompt);
    for (;;) {
        enum heard heard = signals_wait(&s->ears, STDIN_FILENO, s->wb->follow ? LOOK_SECONDS : -1);
        if (heard == HEARD_INPUT && typing_key(line))
            return *line != NULL;
        if (heard != HEARD_SIGNAL) {
            take_in(s, more);
            continue;
        }
        struct signals got = signals_take(&s->ears);
        if (got.end) {
            typing_close();
            s->ended = true;
            return false;
        }
        if (got.stop)
            typing_stop();
        if (got.resize || got.stop)
            typing_resized();
        if (got.interrupt && more) {
            typing_close();
            fputs("^C\n", stdout);
            *dropped = true;
            return false;
        }
        if (got.interrupt)
            typing_abandon();
    }
}

/* Does the text, of one command or several pasted ones, end within a statement? */
static bool is_open(const char *text)
{
    bool open = false;
    while (*text) {
        text += lex_command(text, &open);
        text += *text == '\n';
    }
    return open;
}

/* Waits for a whole command: a line, or a statement up to its `;`. False when the session ends. */
static bool read_command(struct session *s, struct str *text)
{
    char *line;
    bool more = false, dropped;
    str_clear(text);
    s->begun = NULL;
    while (read_line(s, more, &line, &dropped) || dropped) {
        if (dropped) {
            str_clear(text);
            more = false;
            s->begun = NULL;
            continue;
        }
        str_puts(text, more ? "\n" : "");
        str_puts(text, line);
        free(line);
        more = is_open(str_text(text));
        if (!more)
            return !text->failed;
        s->begun = str_text(text);
    }
    return false;
}

/* A pasted text may have several commands; the first mistake ends it. */
static void run_typed(struct session *s, char *text)
{
    struct error err = {0};
    for (char *line = text, *next; line && !s->leaving; line = next) {
        bool open;
        next = line + lex_command(line, &open);
        if (*next)
            *next++ = 0;
        else
            next = NULL;
        if (session_run_line(s, line, &err)) {
            session_complain(s, &err, line);
            return;
        }
    }
}

/* Ctrl-D is `quit`, and twice in a row it is so whatever the question: true when the session ends. */
static bool end_of_input(struct session *s)
{
    struct error err = {0};
    fputs("\n", stdout);
    fflush(stdout);
    if (session_run_line(s, "quit", &err))
        session_complain(s, &err, NULL);
    return s->leaving;
}

int session_prompt(struct session *s)
{
    struct str path = {0}, text = {0};
    s->sink.interactive = true;
    s->sink.history = history;
    using_history();
    stifle_history(HISTORY_LINES);
    if (!history_path(&path) || read_history(str_text(&path)))
        str_clear(&path);
    typing_begin(s);
    greet(s);
    for (bool again = false; !s->leaving;) {
        if (!read_command(s, &text)) {
            if (s->ended || again || end_of_input(s))
                break;
            again = true;
            continue;
        }
        again = false;
        remember(str_text(&path), str_text(&text));
        run_typed(s, text.data);
    }
    str_free(&text);
    if (path.length)
        history_truncate_file(str_text(&path), HISTORY_LINES);
    str_free(&path);
    fflush(stdout);
    return EXIT_DONE;
}
