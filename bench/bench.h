/* Timing for benchmarks: ours and a reference run in turns, so that both see the same machine; medians and the median
 * of the ratios of neighbouring turns are told. */
#ifndef TAILOR_BENCH_BENCH_H
#define TAILOR_BENCH_BENCH_H

#include <stddef.h>

typedef void work(void *context);

struct timing {
    double ours, reference; /* median seconds */
    double ratio;           /* median of reference / ours: above 1 we are faster */
    size_t turns;
};

/* Turns until `seconds` have passed, at least 3; `reset` (may be NULL) runs untimed before each. */
struct timing bench_run(work *ours, work *reference, work *reset, void *context, double seconds);

/* One line: what, medians, ratio; `operations` (0: none) of one run are told as a rate in GFLOP/s. */
void bench_print(const char *what, const char *reference, struct timing t, double operations);

/* The same with rates of `bytes` (0: none) a run, of ours and of the reference. */
void bench_print_bytes(const char *what, const char *reference, struct timing t, double bytes);

/* Writes a file of events: 20,000 users of up to 100 among 100,000 items, popular ones more often. Ends the program when it cannot. */
void bench_make_up(const char *path);

double bench_median(double *x, size_t n);
double bench_quantile(double *x, size_t n, double q);
/* A line about n durations in seconds, which it sorts: the median, the 99th percentile and the worst. */
void bench_durations(const char *what, double *seconds, size_t n);

#endif
