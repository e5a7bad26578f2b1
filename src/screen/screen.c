#include "screen/screen.h"

#include <stdio.h>
#include <unistd.h>

#include "screen/app.h"
#include "screen/display.h"

enum { TICK_MS = 100, IDLE_MS = 500 };

/* All keys that wait are taken before anything is drawn, so that a held key never falls behind. */
static void handle(struct app *app, struct display *d, enum display_event event, int32_t key)
{
    for (; event == DISPLAY_KEY; event = display_wait(d, 0, -1, &key))
        app_key(app, key);
    if (event == DISPLAY_STOP)
        display_suspend(d);
}

static enum status loop(struct app *app, struct display *d, struct error *err)
{
    int height, width, y, x;
    while (!app_done(app)) {
        display_size(d, &height, &width);
        enum status st = app_resize(app, height, width, err);
        if (st != ST_OK)
            return st;
        const struct surface *cells = app_draw(app, &y, &x);
        if (app_wants_repaint(app))
            display_repaint(d);
        display_show(d, cells, y, x);
        int32_t key;
        bool running = app_running(app);
        bool soon = running || app_workbench(app)->follow;
        enum display_event event = display_wait(d, soon ? TICK_MS : IDLE_MS, running ? app_wake_fd(app) : -1, &key);
        if (event == DISPLAY_QUIT)
            return ST_OK;
        handle(app, d, event, key);
        app_poll(app);
    }
    return ST_OK;
}

enum status screen_run(struct workbench *wb, const struct screen_options *options, struct error *err)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        error_set(err, ST_UNSUPPORTED, "the screen needs a terminal for its input and output");
        error_hint(err, "in a script or a pipe every view has its command: status, models, user");
        return ST_UNSUPPORTED;
    }
    struct app *app;
    struct display *d;
    enum status st = app_open(wb, options->ascii || !display_utf8(), options->view, &app, err);
    if (st != ST_OK)
        return st;
    st = display_open(stdin, stdout, options->color, &d, err);
    if (st == ST_OK) {
        st = loop(app, d, err);
        app_close(app); /* before the terminal goes back: a running command is awaited under the last picture */
        display_close(d);
        return st;
    }
    app_close(app);
    return st;
}
