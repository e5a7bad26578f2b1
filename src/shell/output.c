/* Results and errors on their way to the terminal, to a pipe or to a pager. */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "plot/plot.h"
#include "shell/session.h"

extern char **environ;

/* ---- the terminal ---- */

void terminal_look(struct terminal *t, const struct shell_options *options)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    t->dumb = !term || !*term || strcmp(term, "dumb") == 0;
    t->out = isatty(STDOUT_FILENO);
    t->err = isatty(STDERR_FILENO);
    t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    bool color = !t->dumb && !options->no_color && !options->plain && !(no_color && *no_color);
    t->color = color && t->out;
    t->err_color = color && t->err;
}

void terminal_size(size_t *rows, size_t *columns)
{
    struct winsize size;
    *rows = 24;
    *columns = 80;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col) {
            *rows = size.ws_row ? size.ws_row : 24;
            *columns = size.ws_col;
            return;
        }
}

/* ---- bytes ---- */

static enum status write_all(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return ST_IO;
        bytes += done;
        n -= (size_t)done;
    }
    return ST_OK;
}

/* Standard output, with a pager between as soon as the text is longer than the screen. */
struct paged {
    struct session *session;
    bool may_page;
    bool quit;              /* the pager's user has seen enough */
    struct str held;        /* not shown yet: it may still fit */
    size_t line, seen;      /* where the last line of held begins; how far it was looked at */
    size_t height;          /* terminal rows that held takes */
    size_t rows, columns;   /* of the terminal */
    pid_t pager;
    int fd;                 /* to the pager, or -1 */
};

static const char *pager_command(void)
{
    const char *names[] = {"TAILOR_PAGER", "PAGER"};
    for (size_t i = 0; i < 2; i++) {
        const char *command = getenv(names[i]);
        if (command)
            return command;
    }
    return "less -SRFX";
}

/* Starts the pager without a shell: its words are cut at blanks. */
static bool start_pager(struct paged *p)
{
    enum { WORDS = 16 };
    char *argv[WORDS + 1] = {0}, *rest = NULL;
    int ends[2], n = 0, failed = -1;
    char *line = mem_strdup(pager_command(), NULL);
    for (char *word = line ? strtok_r(line, " \t", &rest) : NULL; word && n < WORDS;
         word = strtok_r(NULL, " \t", &rest))
        argv[n++] = word;
    if (n && strcmp(argv[0], "cat") != 0 && pipe2(ends, O_CLOEXEC) == 0) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t normal;
        sigemptyset(&normal);
        sigaddset(&normal, SIGPIPE);
        sigaddset(&normal, SIGXFSZ);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigdefault(&attributes, &normal);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        setenv("LESS", "SRFX", 0); /* a bare `less` shows our colours too */
        failed = posix_spawnp(&p->pager, argv[0], &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        close(ends[0]);
        if (failed)
            close(ends[1]);
        else
            p->fd = ends[1];
    }
    mem_free(line);
    return failed == 0;
}

/* Columns of a line on the terminal, colours not counted. */
static size_t visible_width(const char *line, size_t n)
{
    size_t width = 0;
    while (n) {
        const char *escape = memchr(line, '\033', n);
        size_t run = escape ? (size_t)(escape - line) : n;
        width += text_width(line, run);
        line += run;
        n -= run;
        const char *end = n ? memchr(line, 'm', n) : NULL;
        run = n ? (end ? (size_t)(end - line) + 1 : n) : 0;
        line += run;
        n -= run;
    }
    return width;
}

/* Does what is held still fit on one screen, with room for the next prompt? */
static bool fits(struct paged *p)
{
    while (p->seen < p->held.length) {
        const char *at = p->held.data + p->seen, *end = memchr(at, '\n', p->held.length - p->seen);
        p->seen = end ? (size_t)(end - p->held.data) + 1 : p->held.length;
        if (!end && p->seen - p->line < p->columns * p->rows)
            break;
        size_t width = visible_width(p->held.data + p->line, p->seen - p->line);
        p->height += width ? (width + p->columns - 1) / p->columns : 1;
        p->line = p->seen;
    }
    return p->height + 2 <= p->rows;
}

static enum status show(struct paged *p, const char *bytes, size_t n, struct error *err)
{
    struct session *s = p->session;
    if (p->fd >= 0) {
        if (write_all(p->fd, bytes, n) == ST_OK)
            return ST_OK;
        p->quit = true;
        return error_set(err, ST_CANCELLED, "the pager was left");
    }
    if (write_all(STDOUT_FILENO, bytes, n) == ST_OK)
        return ST_OK;
    if (errno == EPIPE)
        atomic_store(&s->output_gone, true);
    return error_errno(err, "write", "standard output");
}

static enum status paged_write(void *context, const char *bytes, size_t n, struct error *err)
{
    struct paged *p = context;
    if (!p->may_page || p->fd >= 0)
        return show(p, bytes, n, err);
    str_append(&p->held, bytes, n);
    if (p->held.failed)
        return error_nomem(err, p->held.length + n, "the page");
    if (fits(p))
        return ST_OK;
    atomic_store(&p->session->paging, true);
    if (!start_pager(p))
        p->may_page = false;
    enum status st = show(p, p->held.data, p->held.length, err);
    str_clear(&p->held);
    return st;
}

static enum status paged_end(struct paged *p, enum status st, struct error *err)
{
    int state;
    if (p->held.length && !st)
        st = show(p, p->held.data, p->held.length, err);
    if (p->fd >= 0) {
        close(p->fd);
        while (waitpid(p->pager, &state, 0) < 0 && errno == EINTR)
            ;
    }
    atomic_store(&p->session->paging, false);
    str_free(&p->held);
    return p->quit ? ST_OK : st;
}

/* ---- results ---- */

static bool for_people(enum output_form form)
{
    return form == OUTPUT_BOX || form == OUTPUT_LINE || form == OUTPUT_MARKDOWN;
}

static struct render_options render_options_of(const struct session *s, bool all)
{
    size_t rows, columns;
    const char *limit = workbench_setting(s->wb, "rows");
    int64_t most = 0;
    bool terminal = s->terminal.out;
    terminal_size(&rows, &columns);
    if (limit && !text_parse_int(limit, &most))
        most = 0;
    return (struct render_options){
        .form = s->form,
        .width = terminal ? columns : 0,
        .height = terminal ? rows : 0,
        .max_rows = terminal && !all ? (size_t)most : 0,
        .brief = !all && s->form == OUTPUT_BOX,
        .color = s->terminal.color,
        .ascii = !s->terminal.utf8 || s->terminal.dumb,
        .plain = s->options->plain || s->terminal.dumb,
        .header = true,
        .terminal = terminal,
        .messages = terminal && for_people(s->form),
        .draw = plot_series,
    };
}

/* Messages that are not part of the rendered form. */
static void tell_messages(const struct session *s, const struct result *r)
{
    struct str text = {0};
    for (size_t i = 0; i < r->nmessages; i++)
        message_format(&r->messages[i], 0, s->terminal.err_color, &text);
    if (write_all(STDERR_FILENO, str_text(&text), text.length))
        errno = 0; /* nowhere is left to say it */
    str_free(&text);
}

static bool pager_wanted(const struct session *s, bool prompt)
{
    const char *pager = workbench_setting(s->wb, "pager");
    return prompt && s->terminal.out && !s->terminal.dumb && !(pager && strcmp(pager, "off") == 0);
}

enum status session_emit(struct sink *sink, struct result *r, struct error *err)
{
    struct session *s = sink->face;
    const char *pager = workbench_setting(s->wb, "pager");
    struct paged p = {.session = s, .may_page = pager_wanted(s, sink->interactive), .fd = -1};
    struct output out = {&p, paged_write};
    struct render_options options = render_options_of(s, r == s->last);
    terminal_size(&p.rows, &p.columns);
    if (pager && strcmp(pager, "on") == 0)
        p.rows = 0;
    if (r != s->last) {
        result_free(s->last);
        s->last = result_keep(r);
    }
    if (s->terminal.out)
        pthread_mutex_lock(&s->painting);
    progress_clear(s);
    enum status st = paged_end(&p, result_render(r, &options, &out, &s->wb->job, err), err);
    if (s->terminal.out)
        pthread_mutex_unlock(&s->painting);
    if (!st && !options.messages)
        tell_messages(s, r);
    return st;
}

void session_complain(struct session *s, const struct error *e, const char *text)
{
    struct str out = {0};
    size_t rows, columns;
    terminal_size(&rows, &columns);
    error_format(e, text, s->terminal.err ? columns : 0, s->terminal.err_color, &out);
    if (write_all(STDERR_FILENO, str_text(&out), out.length))
        errno = 0; /* nowhere is left to say it */
    str_free(&out);
}
