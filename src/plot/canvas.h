/* A canvas: dots finer than characters.
 *
 * A cell of the terminal holds, by back end,
 *     text      1 x 1 dot,   drawn with one ASCII sign
 *     block     2 x 2 dots,  drawn with quadrant blocks
 *     braille   2 x 4 dots,  drawn with braille patterns
 * and an ink (a colour). Dots are counted from the top left. Text put into a cell covers its dots. */
#ifndef TAILOR_PLOT_CANVAS_H
#define TAILOR_PLOT_CANVAS_H

#include "base/error.h"
#include "base/text.h"

enum canvas_kind { CANVAS_TEXT, CANVAS_BLOCK, CANVAS_BRAILLE };

enum { INKS = 6, NO_INK = 0 }; /* inks 1..6 are colours of the terminal, 0 its own */

struct cell {
    unsigned char dots; /* bit y * across + x */
    unsigned char ink;
    char text[6];       /* one character (UTF-8), or "" */
};

struct canvas {
    enum canvas_kind kind;
    size_t width, height; /* cells */
    size_t across, down;  /* dots a cell */
    struct cell *cells;   /* height rows of width */
};

MUST_CHECK enum status canvas_open(struct canvas *c, enum canvas_kind kind, size_t width, size_t height,
                                   struct error *err);
void canvas_close(struct canvas *c);
/* Dots outside the canvas are ignored. */
void canvas_dot(struct canvas *c, long x, long y, unsigned char ink);
/* Bresenham's line, both ends included. */
void canvas_line(struct canvas *c, long x0, long y0, long x1, long y1, unsigned char ink);
/* A column of cells filled from the bottom to `height` cells (fractions by eighth blocks, but for text). */
void canvas_bar(struct canvas *c, size_t column, double height, unsigned char ink);
/* One row of cells, without an end of line; blanks at its end are left out. */
void canvas_row(const struct canvas *c, size_t row, bool color, struct str *out);
/* The escape sequence of an ink. */
void canvas_ink(struct str *out, bool color, unsigned char ink);

#endif
