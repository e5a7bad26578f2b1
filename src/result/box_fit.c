/* How wide each column of a box is. One walk over the rows measures; then columns give way by the steps of box_fit
 * until the table fits. */
#include "result/box.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { BAR = 12, BAR_LEAST = 6, COMPACT_LEAST = 6, TEXT_LONG = 24, TEXT_SHORT = 14, TEXT_LEAST = 8, HEADING_LEAST = 3 };

static size_t total_width(const struct layout *l)
{
    size_t total = !l->options->plain ? 3 * l->n + 1 : 2 * (l->n ? l->n - 1 : 0);
    for (size_t i = 0; i < l->n; i++)
        total += cell_width(l, i);
    return total;
}

/* ---- measuring ---- */

static void measure_cell(struct layout *l, size_t i, const struct value *row, struct str *cell)
{
    struct shape *s = &l->shapes[i];
    const struct column *c = column_of(l, i);
    str_reuse(cell);
    cell_format(c, &row[s->column], l->options->ascii, cell);
    size_t width = text_width(str_text(cell), cell->length);
    if (width > s->content)
        s->content = width;
    if (c->flags & COLUMN_BAR && is_number(c)) {
        double x = bar_value(c, &row[s->column]);
        s->high = fmax(s->high, x);
        s->low = fmin(s->low, x);
    }
}

enum status box_measure(struct layout *l, struct job *job, struct error *err)
{
    struct walk walk;
    struct str cell = {0};
    const struct value *row = NULL;
    size_t limit = l->options->max_rows;
    enum status st = walk_begin(&walk, l->table, job, err);
    walk.brief = l->options->brief;
    while (!st && !(st = walk_next(&walk, &row, err)) && row) {
        if (limit && walk.rows > limit) {
            l->more = true;
            break;
        }
        l->shown++;
        for (size_t i = 0; i < l->n; i++)
            measure_cell(l, i, row, &cell);
    }
    l->rows = l->table->next ? walk.rows : l->table->nrows;
    l->more = l->more || walk.left;
    if (!st && cell.failed)
        st = error_nomem(err, cell.capacity, "a cell");
    str_free(&cell);
    return st;
}

/* ---- fitting ---- */

static bool may_shrink(const struct layout *l, size_t i, unsigned flags, size_t least)
{
    const struct column *c = column_of(l, i);
    if (c->type != VALUE_TEXT || (flags && !(c->flags & flags)))
        return false;
    return l->shapes[i].width > least;
}

/* Takes columns from the widest text column, again and again, until the table fits or all are at `least`. */
static void shrink_text(struct layout *l, unsigned flags, size_t least)
{
    for (size_t total = total_width(l); total > l->options->width; total--) {
        struct shape *widest = NULL;
        for (size_t i = 0; i < l->n; i++)
            if (may_shrink(l, i, flags, least) && (!widest || l->shapes[i].width > widest->width))
                widest = &l->shapes[i];
        if (!widest)
            return;
        widest->width--;
    }
}

/* Where a heading is best broken in two: behind a "_" or before an "@". *width is that of its wider half. 0: nowhere.
 */
static size_t heading_split(const char *name, size_t *width)
{
    size_t n = strlen(name), best = 0;
    *width = n;
    for (size_t i = 1; i < n; i++) {
        size_t wider = i > n - i ? i : n - i;
        if ((name[i - 1] == '_' || name[i] == '@') && wider < *width) {
            best = i;
            *width = wider;
        }
    }
    return best;
}

/* Headings wider than what stands below them give way: broken in two where they can be, then cut, the longest first. */
static void shrink_headings(struct layout *l, bool cut)
{
    while (total_width(l) > l->options->width) {
        struct shape *longest = NULL;
        size_t most = 0, to = 0, split = 0;
        for (size_t i = 0; i < l->n; i++) {
            struct shape *s = &l->shapes[i];
            size_t half, at = cut ? s->split : heading_split(column_of(l, i)->name, &half), least = s->content;
            if (!cut && half > least)
                least = half;
            least = least > HEADING_LEAST ? least : HEADING_LEAST;
            if ((cut || (at && !s->split)) && s->width > least && s->width - least > most) {
                longest = s;
                most = s->width - least;
                to = cut ? s->width - 1 : least;
                split = at;
            }
        }
        if (!longest)
            return;
        longest->width = to;
        longest->split = split;
        l->two_lines = l->two_lines || split;
    }
}

static void shrink_bars(struct layout *l, size_t least)
{
    while (l->bar > least && total_width(l) > l->options->width)
        l->bar = l->bar > BAR_LEAST ? l->bar - 1 : 0;
}

/* As wide as the content wants to be. */
static void widen(struct layout *l)
{
    l->bar = 0;
    l->two_lines = false;
    for (size_t i = 0; i < l->n; i++) {
        struct shape *s = &l->shapes[i];
        const struct column *c = column_of(l, i);
        size_t heading = text_width(c->name, strlen(c->name));
        s->split = 0;
        s->width = s->content > heading ? s->content : heading;
        if (l->options->width && c->type == VALUE_TEXT && s->width > l->options->width)
            s->width = l->options->width; /* a cell wider than the terminal is cut in any case */
        l->bar = c->flags & COLUMN_BAR ? BAR : l->bar;
    }
}

/* Lets the last COMPACT column go. */
static bool drop_compact(struct layout *l)
{
    for (size_t i = l->n; l->n > 1 && i-- > 0;) {
        if (!(column_of(l, i)->flags & COLUMN_COMPACT))
            continue;
        memmove(l->shapes + i, l->shapes + i + 1, (l->n - i - 1) * sizeof *l->shapes);
        l->n--;
        return true;
    }
    return false;
}

bool box_fit(struct layout *l)
{
    widen(l);
    if (l->options->width == 0)
        return true;
    for (;;) {
        shrink_text(l, COLUMN_COMPACT, COMPACT_LEAST);
        shrink_text(l, 0, TEXT_LONG);
        shrink_headings(l, false);
        shrink_bars(l, BAR_LEAST);
        shrink_text(l, 0, TEXT_SHORT);
        shrink_bars(l, 0);
        if (total_width(l) <= l->options->width || !drop_compact(l))
            break;
        widen(l);
    }
    shrink_text(l, 0, TEXT_LEAST);
    shrink_headings(l, true);
    return total_width(l) <= l->options->width;
}
