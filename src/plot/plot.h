/* Plots of series, as lines of text.
 *
 * By its style a series becomes
 *     "line"     a curve; with low and high a whisker a point
 *     "points"   dots
 *     "bar"      a histogram: one upright bar a point
 * and, when x is TEXT, rows "label  bar  number"; with low and high rows of intervals (a forest plot):
 *     ease    ├───●───┤           0.412  0.398 to 0.426
 * Several curves may share one pair of axes; they go without whiskers. Round ticks, times in calendar units. */
#ifndef TAILOR_PLOT_PLOT_H
#define TAILOR_PLOT_PLOT_H

#include "plot/canvas.h"
#include "result/render.h"

struct plot_options {
    size_t width, height;  /* of all, axes and labels too; title and legend lines are included. 0: 80 x 16 */
    enum canvas_kind kind; /* CANVAS_TEXT is pure ASCII */
    bool color;
    bool title;            /* put the title above */
};

/* Draws n series into the same axes (their x types must agree; the first one's title and labels count). Every line ends
 * with \n; no line is wider than `width`. Without points it says so. */
void plot_draw(const struct series *const *series, size_t n, const struct plot_options *options, struct str *out);
/* n series in the same axes as a part of a page of HTML: an SVG by gnuplot where it is installed, else the dots of a
 * terminal. */
void plot_page(const struct series *const *series, size_t n, struct str *out);
/* Series of one group as a part of a rendered result: render_options.draw. With `plain` they are lists of numbers. */
void plot_series(const struct series *const *series, size_t n, const struct render_options *options, struct str *out);

#endif
