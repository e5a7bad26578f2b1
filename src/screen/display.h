/* The terminal: ncurses, the keyboard and the signals. The only file of the screen that knows them. */
#ifndef TAILOR_SCREEN_DISPLAY_H
#define TAILOR_SCREEN_DISPLAY_H

#include <stdio.h>

#include "screen/keys.h"
#include "screen/surface.h"

struct display;

/* What woke the loop up. */
enum display_event {
    DISPLAY_TICK,   /* the time is over */
    DISPLAY_KEY,    /* *key was pressed */
    DISPLAY_RESIZE, /* look at display_size */
    DISPLAY_WAKE,   /* the other file descriptor has something to read */
    DISPLAY_STOP,   /* asked to stop (job control): call display_suspend */
    DISPLAY_QUIT,   /* SIGTERM, SIGHUP, or the keyboard is gone: leave; display_close raises it again */
};

/* Takes over the terminal on these streams. ST_UNSUPPORTED, and nothing written, when TERM cannot move the cursor.
 * `color` false: none (NO_COLOR in the environment has the same effect). One at a time. */
MUST_CHECK enum status display_open(FILE *in, FILE *out, bool color, struct display **t, struct error *err);
/* Gives the terminal back as it was and raises a deadly signal that came meanwhile. */
void display_close(struct display *t);

/* Can this locale show UTF-8? */
bool display_utf8(void);
void display_size(const struct display *t, int *height, int *width);
/* Waits at most `milliseconds` for a key, a signal, or `wake_fd` (-1: none). */
enum display_event display_wait(struct display *t, int milliseconds, int wake_fd, int32_t *key);
/* Puts the cells on the terminal, what changed only; cursor_y < 0: no cursor. */
void display_show(struct display *t, const struct surface *s, int cursor_y, int cursor_x);
/* Gives the terminal back, stops this process as the shell expects, and takes it again after. */
void display_suspend(struct display *t);
/* Draws everything anew with the next display_show (Ctrl-L). */
void display_repaint(struct display *t);

#endif
