/* A grid: a table of a result under a cursor. Scrolls both ways, sorts, hides, filters and searches; the table itself
 * is never changed. */
#ifndef TAILOR_SCREEN_GRID_H
#define TAILOR_SCREEN_GRID_H

#include "result/result.h"
#include "screen/scroll.h"
#include "screen/surface.h"

struct grid {
    const struct table *table; /* not owned; NULL: none */
    size_t ncolumns;           /* of the table that sort, hidden and column are about */
    size_t *order;             /* rows that pass the filter, as they are shown */
    size_t n, capacity;
    struct scroll rows;
    size_t column, first;      /* chosen column; first one drawn */
    size_t sort;               /* column, when sorted */
    int direction;             /* 0: as the table has them; 1 up, -1 down */
    uint64_t hidden;           /* a bit a column, of the first 64 */
    char filter[128], search[128];
};

/* Shows this table from now on; cursor, sort, filter and search stay. */
MUST_CHECK enum status grid_set(struct grid *g, const struct table *t, struct error *err);
/* The table goes away: shows nothing until the next grid_set, which finds cursor and sort as they were. */
void grid_forget(struct grid *g);
void grid_free(struct grid *g);
/* Row of the table under the cursor; false when there is none. */
bool grid_row(const struct grid *g, size_t *row);
/* Arrows and vi keys, '[' ']' sort by the chosen column, '-' hides it, '+' shows all, n N go on searching. */
bool grid_key(struct grid *g, int32_t key);
/* Only rows in which some cell has `text` in it (no regard to case); "" all. */
MUST_CHECK enum status grid_filter(struct grid *g, const char *text, struct error *err);

/* What a view may add at the right of each row. */
struct grid_extra {
    int width;
    const char *title;
    void (*draw)(void *context, size_t row, struct area cell, unsigned look);
    void *context;
};
/* Header line, then rows. The cursor's row is in reverse when focused. `extra` may be NULL. */
void grid_draw(struct grid *g, struct area a, bool focused, const struct grid_extra *extra);

/* Asks for what to search ('/') or to filter ('&') on the bottom line; the grid follows what is typed. */
struct app;
void grid_ask(struct app *app, struct grid *g, int32_t key);

#endif
