#include "screen/app_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/lex.h"
#include "screen/palette.h"
#include "screen/prompt.h"

/* ---- small things that views ask for ---- */

struct workbench *app_workbench(struct app *app)
{
    return app->wb;
}

bool app_ascii(const struct app *app)
{
    return app->surface.ascii;
}

struct line_history *app_history(struct app *app)
{
    return &app->history;
}

void app_look(struct app *app, struct job_view *view)
{
    job_look(&app->wb->job, view);
}

const char *app_running_command(const struct app *app)
{
    return runner_busy(app->runner) ? app->running : NULL;
}

bool app_running(const struct app *app)
{
    return runner_busy(app->runner);
}

int app_wake_fd(const struct app *app)
{
    return runner_fd(app->runner);
}

bool app_done(const struct app *app)
{
    return app->quit;
}

bool app_wants_repaint(struct app *app)
{
    bool wants = app->repaint;
    app->repaint = false;
    return wants;
}

void app_set_cursor(struct app *app, struct area a, int y, int x)
{
    app->cursor_y = a.top + y;
    app->cursor_x = a.left + x;
}

void app_say(struct app *app, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    app->notice.kind = NOTICE_SAY;
    vsnprintf(app->notice.text, sizeof app->notice.text, format, args);
    va_end(args);
}

void app_fail(struct app *app, const struct error *err, const char *command)
{
    app->notice.kind = NOTICE_ERROR;
    app->notice.error = *err;
    snprintf(app->notice.text, sizeof app->notice.text, "%s", command ? command : "");
}

void app_log(struct app *app, const char *command, double seconds)
{
    snprintf(app->log.command, sizeof app->log.command, "%s", command);
    app->log.seconds = seconds;
}

/* ---- views ---- */

static size_t view_index(const char *name)
{
    size_t i = 0;
    while (views[i] && strcmp(views[i]->name, name) != 0)
        i++;
    return i;
}

const struct view *app_view(const struct app *app)
{
    return views[app->current];
}

void *app_view_state(struct app *app, const char *view)
{
    size_t i = view_index(view);
    return views[i] ? app->states[i] : NULL;
}

static uint64_t generation(struct app *app)
{
    pthread_mutex_lock(&app->wb->lock);
    uint64_t g = app->wb->generation;
    pthread_mutex_unlock(&app->wb->lock);
    return g;
}

bool app_freshen(struct app *app, size_t i)
{
    struct error err;
    uint64_t now = generation(app);
    bool is_new = !app->states[i];
    if (!is_new && app->seen[i] == now)
        return false;
    enum status st = is_new ? views[i]->open(app, &app->states[i], &err) : ST_OK;
    if (st == ST_OK)
        st = views[i]->refresh(app, app->states[i], &err);
    if (st == ST_OK)
        app->seen[i] = now;
    else
        app_fail(app, &err, NULL); /* and it is tried again */
    return true;
}

static void show_view(struct app *app, size_t i)
{
    app->current = i;
    app_freshen(app, i);
}

/* ---- the way back ---- */

void app_forget(struct came_from *from)
{
    if (from->overlay)
        from->overlay->close(from->state);
    result_free(from->result);
    *from = (struct came_from){.view = 0};
}

void app_lay_again(struct app *app, struct came_from *from)
{
    if (!from->overlay)
        return;
    app_close_overlays(app); /* they may show the result that goes */
    result_free(app->held);
    app->held = from->result;
    app_push(app, from->overlay, from->state);
    *from = (struct came_from){.view = 0};
}

static struct came_from *leave_trail(struct app *app)
{
    if (app->ntrail == MOST_TRAIL) {
        app_forget(&app->trail[0]);
        memmove(app->trail, app->trail + 1, --app->ntrail * sizeof *app->trail);
    }
    struct came_from *from = &app->trail[app->ntrail++];
    *from = (struct came_from){.view = app->current};
    return from;
}

void app_go(struct app *app, const char *view)
{
    size_t i = view_index(view);
    if (!views[i] || i == app->current)
        return;
    leave_trail(app);
    show_view(app, i);
}

static void put_here(struct app *app, struct str *command)
{
    const struct view *v = views[app->current];
    if (v->here && app->states[app->current])
        v->here(app, app->states[app->current], command);
}

/* Remembers what is on show as what Escape leads back to; false, with the reason said: something runs. */
static bool leave_here(struct app *app)
{
    struct str command = {0};
    if (runner_busy(app->runner)) {
        app_say(app, "%s is still running: then once more", app->running);
        return false;
    }
    struct came_from *from = leave_trail(app);
    put_here(app, &command);
    snprintf(from->command, sizeof from->command, "%s", str_text(&command));
    if (app->noverlays && app->overlays[app->noverlays - 1].overlay->stays) {
        from->overlay = app->overlays[--app->noverlays].overlay;
        from->state = app->overlays[app->noverlays].state;
        from->result = app->held;
        app->held = NULL;
    }
    str_free(&command);
    return true;
}

void app_open_result(struct app *app, const char *command)
{
    if (leave_here(app))
        app_run(app, command, APP_SHOW);
}

bool app_open_view(struct app *app, const char *view)
{
    bool left = leave_here(app);
    if (left)
        show_view(app, view_index(view));
    return left;
}

void app_open_user(struct app *app, const char *user)
{
    struct str command = {0};
    if (!leave_here(app))
        return;
    str_puts(&command, "user ");
    lex_quote(&command, user);
    show_view(app, view_index("user")); /* first: it is the one to take notice when the command has ended */
    app_run(app, str_text(&command), APP_QUIET);
    str_free(&command);
}

static void return_from_trail(struct app *app)
{
    struct str now = {0};
    struct came_from from = app->trail[app->ntrail - 1];
    if (runner_busy(app->runner) && (*from.command || from.overlay)) {
        app_say(app, "%s is still running: then back", app->running);
        return;
    }
    app->ntrail--;
    show_view(app, from.view);
    put_here(app, &now);
    if (*from.command && strcmp(from.command, str_text(&now)) != 0) {
        app->returning = from;
        app_run(app, from.command, APP_QUIET);
    } else {
        app_lay_again(app, &from);
    }
    str_free(&now);
}

static void go_back(struct app *app)
{
    const struct view *v = views[app->current];
    if (app->states[app->current] && v->back && v->back(app, app->states[app->current]))
        return;
    if (app->ntrail > 0)
        return_from_trail(app);
    else
        app_say(app, "this is the first view: Q goes back to the shell, : runs a command");
}

/* ---- overlays ---- */

void app_push(struct app *app, const struct overlay *overlay, void *state)
{
    if (app->noverlays == MOST_OVERLAYS) {
        overlay->close(state);
        return;
    }
    app->overlays[app->noverlays].overlay = overlay;
    app->overlays[app->noverlays].state = state;
    app->overlays[app->noverlays++].id = ++app->overlay_ids;
}

/* By id, because what a key does may have put another one on top. */
static void close_overlay(struct app *app, uint64_t id)
{
    for (size_t i = 0; i < app->noverlays; i++)
        if (app->overlays[i].id == id) {
            app->overlays[i].overlay->close(app->overlays[i].state);
            memmove(&app->overlays[i], &app->overlays[i + 1], (app->noverlays - i - 1) * sizeof *app->overlays);
            app->noverlays--;
            return;
        }
}

void app_close_overlays(struct app *app)
{
    while (app->noverlays)
        close_overlay(app, app->overlays[app->noverlays - 1].id);
}

/* ---- keys of the screen itself ---- */

static const struct key_help app_help[] = {
    {"1 2 3", "views"},
    {"Esc q Bksp", "back to where one came from; cursor, sort and filter stay"},
    {"Enter", "in a table with users: the one under the cursor; back leads to the table again"},
    {":", "a command, with completion, history and the editing keys of the shell"},
    {"Ctrl-P", "the palette: find any command by words"},
    {"Ctrl-C", "cancel the running command"},
    {"D", "write what is shown into a text file, without frames"},
    {"Ctrl-L", "draw everything anew"},
    {"Q", "back to the shell"},
    {NULL, NULL},
};

const struct key_help *app_keys(void)
{
    return app_help;
}

static void write_dump(struct app *app, void *context, const char *path)
{
    (void)context;
    struct error err;
    if (!path || !*path)
        return;
    if (frame_write(&app->surface, path, &err) == ST_OK)
        app_say(app, "written to %s", path);
    else
        app_fail(app, &err, NULL);
}

static void ask_dump(struct app *app)
{
    char name[64];
    snprintf(name, sizeof name, "tailor-%s.txt", views[app->current]->name);
    prompt_open(app, &(struct prompt){.label = "write this view to: ", .initial = name, .done = write_dump});
}

static void interrupt(struct app *app)
{
    if (runner_busy(app->runner)) {
        runner_cancel(app->runner);
        app_say(app, "cancelling %s", app->running);
    } else if (app->noverlays) {
        close_overlay(app, app->overlays[app->noverlays - 1].id);
    } else {
        app_say(app, "nothing is running; Q goes back to the shell");
    }
}

static void own_key(struct app *app, int32_t key)
{
    size_t nviews = view_index("");
    if (key >= '1' && key < '1' + (int32_t)nviews) {
        app_go(app, views[key - '1']->name);
        return;
    }
    switch (key) {
    case ':': prompt_command(app, NULL); break;
    case '?': case K_F1: help_open(app); break;
    case K_CTRL('p'): case K_ALT | 'x': palette_open(app); break;
    case 'D': ask_dump(app); break;
    case 'Q': app->quit = true; break;
    case 'q': case K_ESCAPE: case K_BACKSPACE: go_back(app); break;
    default: break;
    }
}

void app_key(struct app *app, int32_t key)
{
    app->notice.kind = NOTICE_NONE;
    if (key == K_CTRL('c')) {
        interrupt(app);
    } else if (key == K_CTRL('l')) {
        app->repaint = true;
    } else if (app->noverlays) {
        uint64_t id = app->overlays[app->noverlays - 1].id;
        if (!app->overlays[app->noverlays - 1].overlay->key(app, app->overlays[app->noverlays - 1].state, key))
            close_overlay(app, id);
    } else {
        void *state = app->states[app->current];
        if (!state || !views[app->current]->key(app, state, key))
            own_key(app, key);
    }
}

/* ---- drawing ---- */

enum status app_resize(struct app *app, int height, int width, struct error *err)
{
    return surface_resize(&app->surface, height, width, err);
}

static void draw_overlays(struct app *app, struct area whole)
{
    for (size_t i = 0; i < app->noverlays; i++)
        app->overlays[i].overlay->draw(app, app->overlays[i].state, whole);
}

/* "Data › who › ": the last steps of the trail. */
static void put_crumbs(const struct app *app, struct str *out)
{
    const char *arrow = app->surface.ascii ? " > " : " › ";
    for (size_t i = app->ntrail > 3 ? app->ntrail - 3 : 0; i < app->ntrail; i++) {
        const struct came_from *from = &app->trail[i];
        str_printf(out, "%s%s", *from->command ? from->command : views[from->view]->title, arrow);
        if (from->result && from->result->command)
            str_printf(out, "%.*s%s", (int)strcspn(from->result->command, " "), from->result->command, arrow);
    }
}

const struct surface *app_draw(struct app *app, int *cursor_y, int *cursor_x)
{
    struct area whole = surface_area(&app->surface);
    app->cursor_y = app->cursor_x = -1;
    surface_blank(&app->surface);
    if (frame_too_small(whole)) {
        frame_draw_too_small(whole);
    } else {
        const struct view *v = views[app->current];
        void *state = app->states[app->current];
        struct str place = {0}, crumbs = {0};
        if (state && v->place)
            v->place(app, state, &place);
        put_crumbs(app, &crumbs);
        frame_draw_head(app, &app->newest, whole, app->current, str_text(&crumbs), str_text(&place));
        if (state)
            v->draw(app, state, frame_body(whole));
        const char *lacking = state && v->lacking ? v->lacking(state) : NULL;
        frame_draw_foot(whole, &app->log, &app->notice, lacking ? lacking : v->keys);
        draw_overlays(app, whole);
        frame_draw_error(whole, &app->notice);
        str_free(&crumbs);
        str_free(&place);
    }
    *cursor_y = app->cursor_y;
    *cursor_x = app->cursor_x;
    return &app->surface;
}

/* ---- beginning and end ---- */

/* Without data, Data is what helps; with models, a user is what one came for. */
static const char *fitting_view(struct workbench *wb)
{
    pthread_mutex_lock(&wb->lock);
    const char *name = !wb->data ? "data" : wb->nmodels == 0 ? "models" : "user";
    pthread_mutex_unlock(&wb->lock);
    return name;
}

enum status app_open(struct workbench *wb, bool ascii, const char *view, struct app **out, struct error *err)
{
    struct app *app = mem_new(1, sizeof *app, "the screen", err);
    if (!app)
        return ST_NOMEM;
    app->wb = wb;
    app->surface.ascii = ascii;
    app->sink = app_sink(app);
    app->log.seconds = -1;
    struct job_view job;
    app_look(app, &job);
    app->notes = job.notes;
    size_t first = view_index(view ? view : fitting_view(wb));
    if (!views[first]) {
        mem_free(app);
        error_set(err, ST_NOT_FOUND, "there is no view \"%s\"", view ? view : "");
        error_hint(err, "the views are data, models, compare and user");
        return ST_NOT_FOUND;
    }
    enum status st = runner_open(wb, &app->runner, err);
    if (st == ST_OK)
        st = surface_resize(&app->surface, 24, 80, err);
    if (st != ST_OK) {
        app_close(app);
        return st;
    }
    show_view(app, first);
    *out = app;
    return ST_OK;
}

void app_close(struct app *app)
{
    if (!app)
        return;
    runner_close(app->runner); /* cancels and waits */
    app_hand_back(app, &app->working, ST_CANCELLED);
    app_hand_back(app, &app->waiting, ST_CANCELLED);
    app_close_overlays(app);
    app_forget(&app->returning);
    while (app->ntrail)
        app_forget(&app->trail[--app->ntrail]);
    for (size_t i = 0; views[i]; i++)
        if (app->states[i])
            views[i]->close(app->states[i]);
    result_free(app->incoming);
    result_free(app->held);
    line_history_free(&app->history);
    surface_free(&app->surface);
    mem_free(app);
}
