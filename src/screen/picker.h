/* A list to choose from by typing: users, items, model classes, commands. */
#ifndef TAILOR_SCREEN_PICKER_H
#define TAILOR_SCREEN_PICKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct app;

struct picker_row {
    char text[160], note[64]; /* note stands dim at the right */
    size_t id;
};

struct picker {
    const char *title;
    const char *label; /* before what is typed: "title" */
    size_t most;       /* rows wanted at most */
    /* Fills rows[0..most) for what is typed so far; returns how many. */
    size_t (*fill)(struct app *app, void *context, const char *typed, struct picker_row *rows, size_t most);
    /* Lines about the row under the cursor, shown below the list; may be NULL. */
    void (*detail)(struct app *app, void *context, size_t id, struct str *out);
    void (*chosen)(struct app *app, void *context, size_t id);
    void *context; /* must live as long as the overlay: the state of a view does */
};

/* Opens the list. */
void picker_open(struct app *app, const struct picker *picker);

#endif
