/* Ticks: round places on an axis, and what to write there. */
#ifndef TAILOR_PLOT_TICKS_H
#define TAILOR_PLOT_TICKS_H

#include <stdbool.h>
#include <stddef.h>

enum { TICKS_MOST = 32, TICK_LABEL = 24 };

struct ticks {
    size_t n;
    double at[TICKS_MOST];
    char label[TICKS_MOST][TICK_LABEL];
};

/* Up to `most` (at least 2) round numbers in [low, high], low < high: steps of 1, 2 or 5 times a power of ten. */
void ticks_numbers(double low, double high, size_t most, struct ticks *out);
/* The same for times in microseconds UTC: whole seconds, minutes, hours, days, months or years. */
void ticks_times(double low, double high, size_t most, struct ticks *out);

#endif
