/* What a reader of the User view waits for, all of it: a key, the lists of all models anew, what the next key would do, and the
 * cells of the whole screen. A thousand toggles on MovieLens 1M with seven models, the next user every ten. */
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

enum { TOGGLES = 1000, A_USER = 10, HEIGHT = 40, WIDTH = 120 };

static const double frame = .016; /* seconds */

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

static void choose_user(struct app *app, struct workbench *wb, struct rng *r)
{
    char line[64];
    struct dataset *d = workbench_data(wb);
    snprintf(line, sizeof line, "user %s", dict_text(&d->users, (uint32_t)rng_below(r, d->users.n)));
    dataset_release(d);
    app_run(app, line, APP_QUIET);
    while (app_running(app))
        app_poll(app);
}

static void print(const char *what, double *seconds)
{
    char half[32], most[32], worst[32];
    text_duration(half, sizeof half, bench_quantile(seconds, TOGGLES, .5));
    text_duration(most, sizeof most, bench_quantile(seconds, TOGGLES, .99));
    text_duration(worst, sizeof worst, bench_quantile(seconds, TOGGLES, 1));
    printf("%-44s p50 %10s   p99 %10s   worst %10s\n", what, half, most, worst);
}

int main(int argc, char **argv)
{
    static double all[TOGGLES], lists[TOGGLES], moves[TOGGLES];
    const char *folder = argc > 1 ? argv[1] : getenv("TAILOR_DATA");
    char path[4096], line[4200];
    struct rng r = rng_stream(1, "frame", 0);
    struct workbench *wb;
    struct app *app;
    struct error err;
    snprintf(path, sizeof path, "%s/ml-1m/pairs_original_order.tsv", folder ? folder : "../shared/data");
    if (access(path, R_OK)) {
        printf("a frame of the User view: skipped, there is no %s (set TAILOR_DATA)\n", path);
        return 0;
    }
    need(workbench_open(NULL, false, &wb, &err), &err);
    snprintf(line, sizeof line, "load '%s'", path);
    run(wb, line);
    run(wb, "train pop itemknn ease slim userknn");
    run(wb, "train ials epochs=2"); /* the time of a list does not depend on how good it is */
    run(wb, "train bpr epochs=2");
    need(app_open(wb, false, "user", &app, &err), &err);
    need(app_resize(app, HEIGHT, WIDTH, &err), &err);
    for (size_t i = 0; i < TOGGLES; i++) {
        const struct user_view *v = app_view_state(app, "user");
        if (i % A_USER == 0)
            choose_user(app, wb, &r);
        moves[i] = press(app, 'j');
        all[i] = press(app, ' ');
        lists[i] = v->bench.seconds;
    }
    const struct user_view *v = app_view_state(app, "user");
    printf("\na key in the User view on MovieLens 1M, %zu models, %d x %d cells, %d times\n\n", v->bench.nlists, WIDTH, HEIGHT, TOGGLES);
    print("Space: an item toggled, all lists, drawn", all);
    print("  of it the lists", lists);
    print("j: what the next one would do, drawn", moves);
    bool fast = bench_quantile(all, TOGGLES, .99) < frame;
    printf("%s %.0f ms at p99\n", fast ? "within" : "NOT within", frame * 1e3);
    app_close(app);
    workbench_close(wb);
    return fast ? 0 : 1;
}
