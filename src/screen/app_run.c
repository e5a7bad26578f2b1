/* The app: commands and work on the worker, and what comes back. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "commands/command.h"
#include "commands/follow.h"
#include "screen/app_state.h"
#include "screen/capture.h"
#include "screen/result_view.h"

enum { HELD_ROWS = 10000, SHORT_WAIT_MS = 80 };

/* ---- commands ---- */

/* On the worker's thread. */
static enum status take_result(struct sink *sink, struct result *r, struct error *err)
{
    struct app *app = sink->face;
    result_free(app->incoming);
    app->incoming = NULL;
    return result_capture(r, HELD_ROWS, &app->incoming, err);
}

static struct result *last_result(struct sink *sink)
{
    return ((struct app *)sink->face)->held;
}

static void leave(struct sink *sink)
{
    ((struct app *)sink->face)->quit = true;
}

struct sink app_sink(struct app *app)
{
    return (struct sink){.face = app, .interactive = true, .emit = take_result, .last = last_result, .quit = leave};
}

static void present(struct app *app, const char *command)
{
    struct result *r = app->held;
    bool shown = views[app->current]->finished && app->states[app->current] &&
                 views[app->current]->finished(app, app->states[app->current], command, r);
    if (app->show == APP_SHOW && !shown && result_view_worth(r))
        result_view_open(app, r);
    else if (r->nmessages && app->notice.kind == NOTICE_NONE)
        app_say(app, "%s", r->messages[0].text);
}

void app_hand_back(struct app *app, struct app_work *w, enum status st)
{
    struct app_work work = *w;
    w->work = NULL;
    if (work.work)
        work.done(app, work.context, st);
}

/* What the work says before it is done is a notice until it is, or until the next key. */
static void hear(struct app *app)
{
    struct job_view job;
    app_look(app, &job);
    if (job.notes != app->notes)
        app_say(app, "%s", job.note);
    app->notes = job.notes;
}

static void unhear(struct app *app)
{
    struct job_view job;
    app_look(app, &job);
    app->notes = job.notes;
    if (app->notice.kind == NOTICE_SAY && strcmp(app->notice.text, job.note) == 0)
        app->notice.kind = NOTICE_NONE;
}

static void finish(struct app *app)
{
    struct error err;
    double seconds = clock_seconds() - app->started;
    enum status st = runner_wait(app->runner, &err);
    bool command = !app->working.work;
    unhear(app);
    app_hand_back(app, &app->working, st);
    if (app->incoming) {
        app_close_overlays(app); /* one of them may show what is about to be freed */
        result_free(app->held);
        app->held = app->incoming;
        app->incoming = NULL;
    }
    app_lay_again(app, &app->returning);
    app_freshen(app, app->current);
    app_log(app, app->running, seconds);
    if (st == ST_CANCELLED)
        app_say(app, "cancelled: %s", app->running);
    else if (st != ST_OK)
        app_fail(app, &err, app->running);
    else if (app->held && command)
        present(app, app->running);
    if (st != ST_OK)
        app->next[0] = 0;
}

/* Has the command ended, or does it within so many milliseconds? */
static bool ended(const struct app *app, int milliseconds)
{
    struct pollfd end = {.fd = runner_fd(app->runner), .events = POLLIN};
    return runner_busy(app->runner) && poll(&end, 1, milliseconds) > 0;
}

/* The worker has it since `started`: what is short is awaited. */
static void begun(struct app *app, const char *command, double started)
{
    app->started = started;
    snprintf(app->running, sizeof app->running, "%s", command);
    app_log(app, command, -1);
    if (ended(app, SHORT_WAIT_MS))
        finish(app);
}

static void begin_waiting(struct app *app)
{
    struct error err;
    if (!app->waiting.work || runner_busy(app->runner))
        return;
    app->working = app->waiting;
    app->waiting.work = NULL;
    double now = clock_seconds();
    enum status st = runner_start_work(app->runner, app->working.work, app->working.context, &err);
    if (st == ST_OK) {
        begun(app, app->waiting_for, now);
        return;
    }
    app_fail(app, &err, NULL);
    app_hand_back(app, &app->working, st);
}

void app_work(struct app *app, const char *command, struct app_work work)
{
    app_hand_back(app, &app->waiting, ST_CANCELLED);
    app->waiting = work;
    snprintf(app->waiting_for, sizeof app->waiting_for, "%s", command);
}

static void run_next(struct app *app)
{
    char next[sizeof app->next];
    if (runner_busy(app->runner))
        return;
    if (!*app->next || app->noverlays) { /* its result would sweep away what somebody reads */
        begin_waiting(app);
        return;
    }
    memcpy(next, app->next, sizeof next);
    app->next[0] = 0;
    app->notice.kind = NOTICE_NONE; /* "compare judges them" is overtaken */
    app_run(app, next, APP_QUIET);
}

bool app_plain(struct app *app, const char *command)
{
    struct call *call = NULL;
    bool plain = call_parse(app->wb, command, true, &call, NULL) == ST_OK && call->nmodels == 0;
    for (size_t i = 0; plain && i < call->command->noptions; i++)
        plain = !call->values[i].given;
    call_free(call);
    return plain;
}

void app_then(struct app *app, const char *command)
{
    snprintf(app->next, sizeof app->next, "%s", command);
}

void app_run(struct app *app, const char *command, enum app_show how)
{
    struct error err;
    if (runner_busy(app->runner)) {
        app_say(app, "%s is still running; Ctrl-C cancels it", app->running);
        return;
    }
    double now = clock_seconds();
    if (runner_start(app->runner, command, &app->sink, &err) != ST_OK) {
        app_fail(app, &err, command);
        return;
    }
    app->show = how;
    begun(app, command, now);
}

bool app_poll(struct app *app)
{
    if (ended(app, 0)) {
        finish(app);
        run_next(app);
        return true;
    }
    run_next(app);
    if (runner_busy(app->runner))
        hear(app);
    else
        follow_poll(app->wb);
    return app_freshen(app, app->current) || runner_busy(app->runner);
}
