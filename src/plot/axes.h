/* Inside the plots: ranges, and what two files share. */
#ifndef TAILOR_PLOT_AXES_H
#define TAILOR_PLOT_AXES_H

#include "plot/plot.h"
#include "plot/ticks.h"

struct range {
    double low, high;
};

/* From what finite numbers there are; false when there is none. A single value gets room around it. */
bool range_of_x(const struct series *const *series, size_t n, struct range *out);
bool range_of_y(const struct series *const *series, size_t n, bool with_zero, struct range *out);

/* Curves, points and histograms on two axes. */
void draw_axes(const struct series *const *series, size_t n, const struct plot_options *o, size_t height,
               struct str *out);
/* Labelled rows: bars or intervals. */
void draw_rows(const struct series *s, const struct plot_options *o, struct str *out);

#endif
