/* The palette: every command, found by any word of its name, summary or help. */
#ifndef TAILOR_SCREEN_PALETTE_H
#define TAILOR_SCREEN_PALETTE_H

struct app;

void palette_open(struct app *app);

#endif
