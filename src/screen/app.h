/* The app: views, overlays and the running command, without a terminal.
 *
 *     row 0      tailor  data set, counts                      as of ...   job or idle
 *     row 1      tabs                                               where one is
 *     rows 2..   the view
 *     row h - 2  the command that the last key ran, and how long it took
 *     row h - 1  keys of the view, or a prompt
 *
 * Keys come in through app_key, cells come out of app_draw. loop.c joins both to a terminal, a test to a script of
 * keys. Whatever a key does, it says as a command line: either it runs one (app_run) or, where the view needs the
 * answer inside one frame, it asks the same engine itself and names the command that gives the same (app_log). */
#ifndef TAILOR_SCREEN_APP_H
#define TAILOR_SCREEN_APP_H

#include "screen/keys.h"
#include "screen/line_edit.h"
#include "screen/view.h"

/* What lies over the view and takes the keys first. */
struct overlay {
    const char *name;
    void (*draw)(struct app *app, void *state, struct area whole);
    /* False: close me. */
    bool (*key)(struct app *app, void *state, int32_t key);
    void (*close)(void *state);
    bool stays; /* it shows the last result, and lies there again when one comes back from a user that was opened in it
                 */
};

struct app;

/* `color` and `ascii` say what may be drawn; view NULL: the first that fits. */
MUST_CHECK enum status app_open(struct workbench *wb, bool ascii, const char *view, struct app **app,
                                struct error *err);
/* Cancels and awaits what is still running. */
void app_close(struct app *app);

/* ---- for the loop ---- */
MUST_CHECK enum status app_resize(struct app *app, int height, int width, struct error *err);
void app_key(struct app *app, int32_t key);
/* Takes what the worker has finished, and what others published. True: something may look different. */
bool app_poll(struct app *app);
/* Draws everything; the cursor's place, or y < 0. */
const struct surface *app_draw(struct app *app, int *cursor_y, int *cursor_x);
bool app_running(const struct app *app);
int app_wake_fd(const struct app *app); /* readable when the worker is done */
bool app_done(const struct app *app);
bool app_wants_repaint(struct app *app);

/* ---- for views and overlays ---- */
struct workbench *app_workbench(struct app *app);
bool app_ascii(const struct app *app);
enum app_show { APP_QUIET, APP_SHOW }; /* SHOW: open the result when it comes */
/* Runs a command line on the worker; a short one is awaited. Refused with a notice while another runs. */
void app_run(struct app *app, const char *command, enum app_show show);
/* The same, soon: once what is going on now is seen to. A command that fails takes it along. */
void app_then(struct app *app, const char *command);
/* Does a command line say no more than what it is about, neither options nor models? Then a view may show all that it
 * asks for. */
bool app_plain(struct app *app, const char *command);
/* Work of a view's own on the worker, where it needs the answer of a command as structs and not as tables. Begins once
 * the worker is free; of several that wait the last one counts. done is called once, on the thread of the screen, and
 * owns the context from then on: ST_CANCELLED also where the work never began. */
struct app_work {
    enum status (*work)(void *context, struct error *err);
    void (*done)(struct app *app, void *context, enum status st);
    void *context;
};
void app_work(struct app *app, const char *command, struct app_work work); /* command: the line that does the same */
/* A key that was answered without the worker: the command that does the same, and how long it took. */
void app_log(struct app *app, const char *command, double seconds);
/* A line for the user until the next key. */
void app_say(struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);
/* An error for the user until the next key; `command` (for the caret) may be NULL. */
void app_fail(struct app *app, const struct error *err, const char *command);
/* Shows a user in the User view, by the command `user`. Escape leads back to what is on show now, with what lies over
 * it. */
void app_open_user(struct app *app, const char *user);
/* The same for what a command shows: Escape leads back from it to what lay there before. */
void app_open_result(struct app *app, const char *command);
/* The same for a view; false, with the reason said: something runs. */
bool app_open_view(struct app *app, const char *view);
/* Shows the view of this name; coming from another view, Escape leads back there. */
void app_go(struct app *app, const char *view);
const struct view *app_view(const struct app *app);
void *app_view_state(struct app *app, const char *view); /* NULL: no such view */
/* Puts an overlay on top; takes over state (closed at once when there is no room). */
void app_push(struct app *app, const struct overlay *overlay, void *state);
void app_set_cursor(struct app *app, struct area a, int y, int x);
struct line_history *app_history(struct app *app);
/* What the worker is doing; running is false when idle. */
void app_look(struct app *app, struct job_view *view);
/* Keys that work in every view. */
const struct key_help *app_keys(void);
/* The command that runs, or NULL. */
const char *app_running_command(const struct app *app);

#endif
