/* A view: one page of the screen. One file a view, one line in views.h. */
#ifndef TAILOR_SCREEN_VIEW_H
#define TAILOR_SCREEN_VIEW_H

#include "commands/workbench.h"
#include "result/result.h"
#include "screen/help.h"
#include "screen/surface.h"

struct app;

/* `state` is the view's own; it lives as long as the screen, so that coming back finds everything as it was left. */
struct view {
    const char *name;  /* "user": for screen_options and the dump */
    const char *title; /* "User" */
    const char *keys;  /* the bottom line: "Space toggle   a add"; the first ones of them on a narrow screen */
    /* Those that do something while what the view is about is not there yet; NULL: it is. May be NULL itself. */
    const char *(*lacking)(const void *state);
    const struct key_help *help;
    MUST_CHECK enum status (*open)(struct app *app, void **state, struct error *err);
    void (*close)(void *state);
    /* Brings the state up to date: after opening, and whenever the workbench published something new. */
    MUST_CHECK enum status (*refresh)(struct app *app, void *state, struct error *err);
    void (*draw)(struct app *app, void *state, struct area a);
    /* False: not mine; the screen's own keys are tried then. */
    bool (*key)(struct app *app, void *state, int32_t key);
    /* Where inside the view one is, for the breadcrumbs: "196 › ease". May be NULL. */
    void (*place)(struct app *app, void *state, struct str *out);
    /* A command that was run while this view was shown has ended well. True: the view shows what came of it, so the
     * result need not be opened. To go on, app_then. May be NULL. */
    bool (*finished)(struct app *app, void *state, const char *command, struct result *r);
    /* The command that shows again what is on show now. NULL: the view remembers it by itself. */
    void (*here)(struct app *app, void *state, struct str *command);
    /* One step back inside the view (Escape, q); false: nothing to go back from. May be NULL. */
    bool (*back)(struct app *app, void *state);
};

extern const struct view *const views[]; /* in the order of the tabs; NULL-terminated */
enum { MOST_VIEWS = 9 };

#endif
