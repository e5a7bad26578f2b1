/* The terminal: ncurses, the keyboard and the signals. The only file of the screen that knows them. */
#ifndef TAILOR_SCREEN_TERMINAL_H
#define TAILOR_SCREEN_TERMINAL_H

#include <stdio.h>

#include "screen/keys.h"
#include "screen/surface.h"

struct terminal;

/* What woke the loop up. */
enum terminal_event {
    TERMINAL_TICK,   /* the time is over */
    TERMINAL_KEY,    /* *key was pressed */
    TERMINAL_RESIZE, /* look at terminal_size */
    TERMINAL_WAKE,   /* the other file descriptor has something to read */
    TERMINAL_STOP,   /* asked to stop (job control): call terminal_suspend */
    TERMINAL_QUIT,   /* SIGTERM, SIGHUP, or the keyboard is gone: leave; terminal_close raises it again */
};

/* Takes over the terminal on these streams. ST_UNSUPPORTED, and nothing written, when TERM cannot move the cursor.
 * `color` false: none (NO_COLOR in the environment has the same effect). One at a time. */
MUST_CHECK enum status terminal_open(FILE *in, FILE *out, bool color, struct terminal **t, struct error *err);
/* Gives the terminal back as it was and raises a deadly signal that came meanwhile. */
void terminal_close(struct terminal *t);

/* Can this locale show UTF-8? */
bool terminal_utf8(void);
void terminal_size(const struct terminal *t, int *height, int *width);
/* Waits at most `milliseconds` for a key, a signal, or `wake_fd` (-1: none). */
enum terminal_event terminal_wait(struct terminal *t, int milliseconds, int wake_fd, int32_t *key);
/* Puts the cells on the terminal, what changed only; cursor_y < 0: no cursor. */
void terminal_show(struct terminal *t, const struct surface *s, int cursor_y, int cursor_x);
/* Gives the terminal back, stops this process as the shell expects, and takes it again after. */
void terminal_suspend(struct terminal *t);
/* Draws everything anew with the next terminal_show (Ctrl-L). */
void terminal_repaint(struct terminal *t);

#endif
