/* A form over parameters: what they are, their defaults and ranges, and the command that comes of it. */
#ifndef TAILOR_SCREEN_FORM_H
#define TAILOR_SCREEN_FORM_H

#include "base/param.h"

struct app;

struct form {
    const char *title;
    const char *command;          /* "train ease": what was filled in is appended as key=value */
    const struct param **params;  /* n; the form keeps its own copy of the array, not of the parameters */
    size_t n;
};

/* Enter runs the command, quietly. */
void form_open(struct app *app, const struct form *form);

#endif
