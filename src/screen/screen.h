/* The screen: views of the workbench on a whole terminal, over the same commands as the shell. */
#ifndef TAILOR_SCREEN_SCREEN_H
#define TAILOR_SCREEN_SCREEN_H

#include <stdbool.h>

#include "commands/workbench.h"

struct screen_options {
    const char
        *view; /* name of the view to open first: "data", "models", "user"; NULL: the one that fits what there is */
    bool color;       /* the terminal's own 16 colours; NO_COLOR and terminals without any win */
    bool ascii;       /* no UTF-8 drawing characters (a locale without UTF-8 wins) */
};

/* Opens the terminal, runs until the user leaves, restores the terminal. ST_UNSUPPORTED when standard input or output
 * is no terminal or TERM cannot place a cursor; then nothing was written. Call it on the thread that owns the terminal,
 * with no command running. The workbench keeps what was done. */
MUST_CHECK enum status screen_run(struct workbench *wb, const struct screen_options *options, struct error *err);

#endif
