/* What a reader of `compare` waits for: four models of MovieLens 1M, all metrics there are, intervals and tests. The first time each
 * model is asked for the lists of all users; again, they are known. The program fails when the first takes longer than promised. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/bench.h"
#include "commands/command.h"

enum { TURNS = 5 };
static const double promised_seconds = 2;

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static enum status swallow(struct sink *sink, struct result *r, struct error *err)
{
    struct str text = {0};
    struct render_options options = {.form = OUTPUT_TSV, .header = true};
    (void)sink;
    enum status st = result_render_text(r, &options, &text, err);
    str_free(&text);
    return st;
}

static double run(struct workbench *wb, const char *line)
{
    struct error err = {0};
    struct sink sink = {.emit = swallow};
    double start = clock_seconds();
    need(command_run(wb, line, &sink, &err), &err);
    return clock_seconds() - start;
}

/* In a workbench of its own: models and lists that were asked for are kept. */
static void compare(const char *path, double *first, double *again)
{
    char line[4200];
    struct workbench *wb;
    struct error err;
    need(workbench_open(NULL, false, &wb, &err), &err);
    snprintf(line, sizeof line, "load '%s' as judged", path);
    run(wb, line);
    run(wb, "split last 1");
    run(wb, "train pop itemknn ease");
    run(wb, "train ials epochs=2"); /* judging takes as long, however good it is */
    *first = run(wb, "compare with pop itemknn ease ials");
    *again = run(wb, "compare with pop itemknn ease ials");
    workbench_close(wb);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : getenv("TAILOR_DATA");
    char path[4096];
    double first[TURNS], again[TURNS];
    snprintf(path, sizeof path, "%s/ml-1m/pairs_original_order.tsv", folder ? folder : "../shared/data");
    if (access(path, R_OK) != 0) {
        printf("compare: skipped, there is no %s (set TAILOR_DATA)\n", path);
        return 0;
    }
    for (size_t i = 0; i < TURNS; i++)
        compare(path, &first[i], &again[i]);
    printf("\nfour models of MovieLens 1M compared, all metrics, intervals and tests, %d times\n\n", TURNS);
    bench_durations("compare: the first time", first, TURNS);
    bench_durations("compare: again", again, TURNS);
    bool fast = bench_median(first, TURNS) < promised_seconds;
    printf("%s %.0f s\n", fast ? "within" : "NOT within", promised_seconds);
    return fast ? 0 : 1;
}
