/* A plot in a pane: the lines of plot/ with their inks. */
#ifndef TAILOR_SCREEN_PLOT_PANE_H
#define TAILOR_SCREEN_PLOT_PANE_H

#include "plot/canvas.h"
#include "result/result.h"
#include "screen/surface.h"

/* Fills the area with n series in one pair of axes. */
void plot_pane(struct area a, const struct series *const *series, size_t n);
/* The canvas from the area's top left on. */
void plot_pane_canvas(struct area a, const struct canvas *c);

#endif
