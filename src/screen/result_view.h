/* The result of a command as an overlay: its tables as grids, its messages, its series. */
#ifndef TAILOR_SCREEN_RESULT_VIEW_H
#define TAILOR_SCREEN_RESULT_VIEW_H

#include "result/result.h"

struct app;

/* Is there anything that one line cannot say? */
bool result_view_worth(const struct result *r);
/* Shows r, which must live until the overlay is closed (the app holds it). */
void result_view_open(struct app *app, const struct result *r);

#endif
