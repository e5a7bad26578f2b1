/* What a reader of the User view waits for, all of it: a key, the lists of all models anew, what the next key would do, and the
 * cells of the whole screen. A thousand toggles, the next user every ten: on MovieLens 1M, on a made-up catalogue of 100,000 items, and
 * with LONG=yes on 20 million events that `generate` makes of so many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "commands/command.h"
#include "screen/app.h"
#include "screen/view_user.h"

enum { TOGGLES = 1000, A_USER = 10, OPENED = TOGGLES / A_USER, HEIGHT = 40, WIDTH = 120 };
static const double open_seconds = .05; /* what is promised of a user who is opened, wherever */

/* Where it is tried, and what is promised there. */
struct place {
    const char *what, *file; /* file: below the folder of data; NULL: made up */
    const char *train[4];
    double frame;            /* seconds */
    bool generated;          /* by the program itself; takes long */
};
static const struct place places[] = {
    /* The time of a list does not depend on how good it is: few epochs. */
    {"MovieLens 1M", "ml-1m/pairs_original_order.tsv", {"train pop itemknn ease slim userknn", "train ials epochs=2", "train bpr epochs=2"}, .016, false},
    {"100,000 items", NULL, {"train pop itemknn userknn rp3beta puresvd", "train ials epochs=2", "train bpr epochs=2"}, .05, false},
    {"20 million events", NULL, {"train pop itemknn"}, .05, true},
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static enum status ignore(struct sink *sink, struct result *r, struct error *err)
{
    (void)sink;
    (void)r;
    (void)err;
    return ST_OK;
}

static void run(struct workbench *wb, const char *line)
{
    struct error err;
    struct sink sink = {.emit = ignore};
    need(command_run(wb, line, &sink, &err), &err);
}

static double press(struct app *app, int32_t key)
{
    int y, x;
    double start = clock_seconds();
    app_key(app, key);
    app_draw(app, &y, &x);
    return clock_seconds() - start;
}

/* Seconds until the user stands there, all lists and what is drawn. */
static double choose_user(struct app *app, struct workbench *wb, struct rng *r)
{
    char line[64];
    int y, x;
    struct dataset *d = workbench_data(wb);
    snprintf(line, sizeof line, "user %s", dict_text(&d->users, (uint32_t)rng_below(r, d->users.n)));
    dataset_release(d);
    double start = clock_seconds();
    app_run(app, line, APP_QUIET);
    while (app_running(app))
        app_poll(app);
    app_draw(app, &y, &x);
    return clock_seconds() - start;
}

static bool load(struct workbench *wb, const struct place *p, const char *folder)
{
    char path[4096], line[4200];
    if (p->file) {
        snprintf(path, sizeof path, "%s/%s", folder, p->file);
    } else if (p->generated) {
        snprintf(path, sizeof path, "/tmp/tailor-frame-%d.csv", (int)getpid());
        snprintf(line, sizeof line, "generate '%s' events=20000000 users=500000 items=100000 columns=core times=epoch", path);
        run(wb, line);
    } else {
        snprintf(path, sizeof path, "/tmp/tailor-frame-%d.csv", (int)getpid());
        bench_make_up(path);
    }
    bool there = access(path, R_OK) == 0;
    snprintf(line, sizeof line, "load '%s' as frame", path);
    if (there)
        run(wb, line);
    else
        printf("a frame of the User view: skipped, there is no %s (set TAILOR_DATA)\n", path);
    if (!p->file)
        unlink(path);
    for (int i = 0; i < 2 && p->generated; i++) { /* the other files that `generate` writes */
        snprintf(path, sizeof path, "/tmp/tailor-frame-%d.%s.csv", (int)getpid(), i ? "items" : "users");
        unlink(path);
    }
    return there;
}

/* Within the promised time? */
static bool measure(struct workbench *wb, const struct place *p)
{
    static double all[TOGGLES], lists[TOGGLES], moves[TOGGLES], opened[OPENED];
    struct rng r = rng_stream(1, "frame", 0);
    struct app *app;
    struct error err;
    need(app_open(wb, false, "user", &app, &err), &err);
    need(app_resize(app, HEIGHT, WIDTH, &err), &err);
    const struct user_view *v = app_view_state(app, "user");
    for (size_t i = 0; i < TOGGLES; i++) {
        if (i % A_USER == 0)
            opened[i / A_USER] = choose_user(app, wb, &r);
        moves[i] = press(app, 'j');
        all[i] = press(app, ' ');
        lists[i] = v->bench.seconds;
    }
    printf("\na key in the User view on %s, %zu models, %d x %d cells, %d times\n\n", p->what, v->bench.nlists, WIDTH, HEIGHT, TOGGLES);
    bench_durations("Space: an item toggled, all lists, drawn", all, TOGGLES);
    bench_durations("  of it the lists", lists, TOGGLES);
    bench_durations("j: what the next one would do, drawn", moves, TOGGLES);
    bench_durations("user X: opened, all lists, drawn", opened, OPENED);
    bool fast = bench_quantile(all, TOGGLES, .99) < p->frame, opens = bench_quantile(opened, OPENED, .99) < open_seconds;
    printf("%s %.0f ms at p99; a user opens %s %.0f ms\n", fast ? "within" : "NOT within", p->frame * 1e3, opens ? "within" : "NOT within",
           open_seconds * 1e3);
    app_close(app);
    return fast && opens;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : getenv("TAILOR_DATA"), *all = getenv("LONG");
    bool fast = true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].generated && !(all && strcmp(all, "yes") == 0))
            continue;
        struct workbench *wb;
        struct error err;
        need(workbench_open(NULL, false, &wb, &err), &err);
        if (load(wb, &places[i], folder ? folder : "../shared/data")) {
            for (size_t t = 0; places[i].train[t]; t++)
                run(wb, places[i].train[t]);
            fast &= measure(wb, &places[i]);
        }
        workbench_close(wb);
    }
    return fast ? 0 : 1;
}
