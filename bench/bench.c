#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/text.h"

static int by_value(const void *pa, const void *pb)
{
    double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

double bench_quantile(double *x, size_t n, double q)
{
    qsort(x, n, sizeof *x, by_value);
    return x[(size_t)(q * (double)(n - 1) + .5)];
}

double bench_median(double *x, size_t n)
{
    return bench_quantile(x, n, .5);
}

static double timed(work *w, work *reset, void *context)
{
    if (reset)
        reset(context);
    double start = clock_seconds();
    w(context);
    return clock_seconds() - start;
}

struct timing bench_run(work *ours, work *reference, work *reset, void *context, double seconds)
{
    enum { MOST = 2000 };
    static double a[MOST], b[MOST], ratio[MOST];
    struct timing t = {0};
    double start = clock_seconds();
    timed(ours, reset, context); /* pages and caches */
    while (t.turns < MOST && (t.turns < 3 || clock_seconds() - start < seconds)) {
        a[t.turns] = timed(ours, reset, context);
        b[t.turns] = reference ? timed(reference, reset, context) : 0;
        ratio[t.turns] = b[t.turns] / a[t.turns];
        t.turns++;
    }
    t.ours = bench_median(a, t.turns);
    t.reference = bench_median(b, t.turns);
    t.ratio = bench_median(ratio, t.turns);
    return t;
}

void bench_print(const char *what, const char *reference, struct timing t, double operations)
{
    char ours[32], theirs[32] = "", rate[48] = "";
    text_duration(ours, sizeof ours, t.ours);
    if (reference)
        text_duration(theirs, sizeof theirs, t.reference);
    if (operations > 0)
        snprintf(rate, sizeof rate, "%.4g GFLOP/s", operations / t.ours / 1e9);
    printf("%-44s %10s  %15s", what, ours, rate);
    if (reference)
        printf("  %5.2f x  %s (%s)", t.ratio, reference, theirs);
    putchar('\n');
    fflush(stdout);
}

void bench_print_bytes(const char *what, const char *reference, struct timing t, double bytes)
{
    char ours[32], rate[48] = "";
    text_duration(ours, sizeof ours, t.ours);
    if (bytes > 0)
        snprintf(rate, sizeof rate, "%.0f MB/s", bytes / t.ours / 1e6);
    printf("%-44s %10s  %15s", what, ours, rate);
    if (reference)
        printf("  %5.3f x  %s (%.0f MB/s)", t.ratio, reference, bytes / t.reference / 1e6);
    putchar('\n');
    fflush(stdout);
}

void bench_make_up(const char *path)
{
    enum { USERS = 20000, ITEMS = 100000 };
    struct rng r = rng_stream(1, "catalogue", 0);
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    fputs("user,item\n", f);
    for (unsigned i = 0; i < ITEMS; i++)
        fprintf(f, "u%u,i%u\n", i % USERS, i);
    for (unsigned u = 0; u < USERS; u++)
        for (uint64_t n = rng_below(&r, 95); n > 0; n--)
            fprintf(f, "u%u,i%u\n", u, (unsigned)(ITEMS * rng_real(&r) * rng_real(&r) * rng_real(&r)));
    fclose(f);
}

void bench_durations(const char *what, double *seconds, size_t n)
{
    char half[32], most[32], worst[32];
    text_duration(half, sizeof half, bench_quantile(seconds, n, .5));
    text_duration(most, sizeof most, bench_quantile(seconds, n, .99));
    text_duration(worst, sizeof worst, bench_quantile(seconds, n, 1));
    printf("%-44s p50 %10s   p99 %10s   worst %10s\n", what, half, most, worst);
}
