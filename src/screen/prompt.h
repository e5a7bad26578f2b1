/* A question on the bottom line: the command line, a search, a filter, a file name. */
#ifndef TAILOR_SCREEN_PROMPT_H
#define TAILOR_SCREEN_PROMPT_H

#include <stdbool.h>

struct app;

struct prompt {
    const char *label;   /* ":" */
    const char *initial; /* NULL: empty */
    bool command;        /* completion and history of commands */
    /* After every change, so that the view can follow; may be NULL. */
    void (*changed)(struct app *app, void *context, const char *text);
    /* Enter: the text; Escape: NULL. */
    void (*done)(struct app *app, void *context, const char *text);
    void *context;
};

void prompt_open(struct app *app, const struct prompt *prompt);
/* ":" with this text. */
void prompt_command(struct app *app, const char *initial);

#endif
