/* A surface: the screen as cells in memory.
 *
 * Views draw into areas of a surface and never see a terminal; display.c shows the cells with ncurses, and a test
 * dumps them as text. Whatever is drawn is made safe on the way in, so no control character from data can reach the
 * terminal. A wide character takes a cell and leaves the next one empty (code[0] == 0). */
#ifndef TAILOR_SCREEN_SURFACE_H
#define TAILOR_SCREEN_SURFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Looks: an ink of the terminal's own colours, or-ed with emphasis. Colour never carries a meaning alone. */
enum look {
    INK_DEFAULT, INK_RED, INK_GREEN, INK_YELLOW, INK_BLUE, INK_MAGENTA, INK_CYAN,
    INK_MASK = 15,
    LOOK_BOLD = 16,
    LOOK_DIM = 32,
    LOOK_REVERSE = 64,
    LOOK_UNDERLINE = 128,
};

enum { CELL_CODES = 4 }; /* a character and its combining marks */

struct surface_cell {
    int32_t code[CELL_CODES]; /* unused ones are 0 */
    uint8_t look;
    uint8_t line; /* arms of a box-drawing line that crosses here, or 0 */
};

struct surface {
    int height, width;
    bool ascii; /* lines, bars and marks without UTF-8 */
    struct surface_cell *cells; /* height * width, row by row */
};

/* Gives the surface a size and blanks it. On failure it keeps its old size. */
MUST_CHECK enum status surface_resize(struct surface *s, int height, int width, struct error *err);
void surface_free(struct surface *s);
void surface_blank(struct surface *s);

/* A rectangle of a surface; what is drawn outside it is cut off. Coordinates are its own. */
struct area {
    struct surface *surface;
    int top, left, height, width;
};

struct area surface_area(struct surface *s);
/* The part of `a` that begins at (y, x); height or width < 0: all that is left. */
struct area area_part(struct area a, int y, int x, int height, int width);

void area_blank(struct area a, enum look look);
/* Writes raw text from (y, x) on, to the area's edge at most; returns the column after it. */
int area_text(struct area a, int y, int x, unsigned look, const char *text);
int area_printf(struct area a, int y, int x, unsigned look, const char *format, ...) PRINTF_LIKE(5, 6);
/* Writes raw text into exactly `width` columns, cut with "…" or padded, to the right when `right`. */
void area_column(struct area a, int y, int x, int width, unsigned look, bool right, const char *text);
/* Ends at column `x` (exclusive); returns where it began. */
int area_text_right(struct area a, int y, int x, unsigned look, const char *text);
/* Breaks raw text at spaces; returns how many lines it took (of at most `height`, the last cut with "…"). */
int area_wrap(struct area a, int y, int x, int width, int height, unsigned look, const char *text);
/* or-s (and takes away `without`) looks of a run of cells that are drawn already. */
void area_relook(struct area a, int y, int x, int width, unsigned without, unsigned with);

/* Lines join where they meet. */
void area_hline(struct area a, int y, int x, int width, unsigned look);
void area_vline(struct area a, int y, int x, int height, unsigned look);
/* A horizontal line over the whole width with words on it: "─ history ────── 38 of 39 ─". NULL: none. */
void area_rule(struct area a, int y, unsigned look, const char *left, const char *right);
void area_box(struct area a, unsigned look, const char *title, const char *foot);
/* A bar of `share` (0..1) of `width` columns in eighths, or '#' when ascii. */
void area_bar(struct area a, int y, int x, int width, double share, unsigned look);

/* All rows as lines of text, trailing blanks cut. */
void surface_dump(const struct surface *s, struct str *out);
/* The same grid with a letter for each look: ' ' plain, 'b' bold, 'd' dim, 'r' reverse, 'u' underline, 'x' several;
 * colours are not told, because they say nothing that the text does not. */
void surface_dump_looks(const struct surface *s, struct str *out);

/* "ascii" when the surface cannot draw the other. */
const char *area_glyph(struct area a, const char *utf8, const char *ascii);

#endif
