/* Inside the shell room: one session, its terminal, and the pieces that share them. */
#ifndef TAILOR_SHELL_SESSION_H
#define TAILOR_SHELL_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "commands/runner.h"
#include "shell/shell.h"

/* What the terminal can do, found out once; the size is asked for again before every use. */
struct terminal {
    bool out, err;     /* standard output, standard error are terminals that can place a cursor at least on a line */
    bool utf8;
    bool color;        /* on standard output */
    bool err_color;
    bool dumb;
};

/* The pipe through which signal handlers wake the main thread. */
struct ears {
    int pipe[2];
};

struct session {
    const struct shell_options *options;
    struct workbench *wb;
    struct runner *runner;
    struct ears ears;
    struct sink sink;
    struct terminal terminal;
    enum output_form form;
    struct result *last;      /* held; NULL: none yet */
    const char *begun;        /* lines of a statement before the one being typed; NULL: none */
    bool want_screen;         /* a command asked for it; it opens when the command has ended */
    bool leaving;             /* quit */
    bool ended;               /* told to end from outside, while a line was typed */
    atomic_bool output_gone;  /* the reader of standard output went away */
    atomic_bool paging;       /* a pager has the terminal: no progress line, and Ctrl-C is its own */
    pthread_mutex_t painting; /* who writes to the terminal while the worker runs */
    bool progress_shown;      /* guarded by painting */
    uint64_t notes;           /* of the job, that were told (job_say) */
};

/* ---- signals.c ---- */

/* What arrived since it was last asked. */
struct signals {
    bool interrupt, resize, stop, end;
};
enum heard { HEARD_INPUT, HEARD_SIGNAL, HEARD_NOTHING };

MUST_CHECK enum status signals_open(struct ears *e, struct error *err);
void signals_close(struct ears *e);
/* The handlers, and back to how the process began: for a screen that has its own ways. */
void signals_catch(void);
void signals_release(void);
/* Waits until fd is readable, a signal came or `seconds` passed (< 0: for ever). A signal is heard first. */
enum heard signals_wait(const struct ears *e, int fd, double seconds);
struct signals signals_take(const struct ears *e);

/* ---- output.c ---- */

void terminal_look(struct terminal *t, const struct shell_options *options);
void terminal_size(size_t *rows, size_t *columns);
/* The sink's emit: renders to standard output, through the pager when that is longer than the screen. */
enum status session_emit(struct sink *sink, struct result *r, struct error *err);
/* An error on standard error; `text` is the command it is about, or NULL. */
void session_complain(struct session *s, const struct error *e, const char *text);

/* ---- progress.c ---- */

void progress_paint(struct session *s);
void progress_clear(struct session *s); /* callers hold `painting` or the worker rests */
/* What the job has said since it was last told: on standard error, whatever that is. */
void progress_say(struct session *s);

/* ---- session.c ---- */

/* Runs one line to its end; progress and Ctrl-C are seen to. */
enum status session_run_line(struct session *s, const char *line, struct error *err);

/* ---- prompt.c ---- */

/* Reads and runs lines until the user leaves. Returns an exit code. */
int session_prompt(struct session *s);

/* ---- typing.c: the line being typed, in readline's callback interface ---- */

/* Sets readline up for this session. */
void typing_begin(struct session *s);
/* Shows the prompt (`width` columns, colours not counted) and takes keys from now on. */
void typing_open(const char *prompt, size_t width);
/* Another prompt before the line that is being typed. */
void typing_prompt(const char *prompt, size_t width);
/* The terminal as it was before. */
void typing_close(void);
/* A key is there to read. True when a line is complete: then *line is it (free it), or NULL at the end of input. */
bool typing_key(char **line);
void typing_abandon(void); /* Ctrl-C: what was typed is gone, a fresh prompt */
void typing_resized(void);
void typing_stop(void);    /* Ctrl-Z: stops the process; returns when it goes on */

#endif
