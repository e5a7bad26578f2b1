/* A cursor in a list longer than its window. */
#ifndef TAILOR_SCREEN_SCROLL_H
#define TAILOR_SCREEN_SCROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scroll {
    size_t cursor, top; /* top: first row in the window */
    size_t page;        /* rows of the window, as last drawn */
};

/* Moves for arrows, j k g G Home End, Ctrl-d Ctrl-u, Ctrl-f Ctrl-b, Page keys; false: not a key of a list. */
bool scroll_key(struct scroll *s, size_t n, int32_t key);
/* Keeps the cursor inside n rows and the window around it. Call before drawing `page` rows. */
void scroll_fit(struct scroll *s, size_t n, size_t page);

#endif
