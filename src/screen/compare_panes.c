/* The Compare view's panes: the models, the users of two of them as dots, segments, and the users who lose and gain. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "plot/canvas.h"
#include "screen/numbers.h"
#include "screen/plot_pane.h"
#include "screen/view_compare.h"

enum { NUMBER = 7, LEAST_WHISKERS = 8, VERDICT = 26, BRIEF = 7, MARGIN = 5, USER_BAR = 12, DIAGONAL_STEP = 6 };

/* ---- differences ---- */

/* Where whiskers go: 0 is always on it. */
struct axis {
    double low, high;
};

static void widen(struct axis *a, const struct difference *d)
{
    if (!d->users || isnan(d->value))
        return;
    a->low = fmin(a->low, fmin(d->value, isnan(d->interval.low) ? d->value : d->interval.low));
    a->high = fmax(a->high, fmax(d->value, isnan(d->interval.high) ? d->value : d->interval.high));
}

static int column_of(const struct axis *a, double v, int width)
{
    double share = a->high > a->low ? (v - a->low) / (a->high - a->low) : .5;
    return (int)lround(share * (width - 1));
}

static unsigned ink_of(int verdict)
{
    return (unsigned)(verdict > 0 ? INK_GREEN : verdict < 0 ? INK_RED : INK_DEFAULT);
}

/* "   ├──●──┤    │" with the line where nothing differs. */
static void draw_whiskers(struct area cell, const struct axis *axis, const struct difference *d, unsigned look)
{
    int width = cell.width, zero = column_of(axis, 0, width);
    area_text(cell, 0, zero, (look & LOOK_REVERSE) | LOOK_DIM, area_glyph(cell, "│", "|"));
    if (!d->users || isnan(d->value))
        return;
    if (!isnan(d->interval.low) && !isnan(d->interval.high)) {
        int from = column_of(axis, d->interval.low, width), to = column_of(axis, d->interval.high, width);
        for (int x = from; x <= to; x++)
            area_text(cell, 0, x, look,
                      x == zero && x != from && x != to ? area_glyph(cell, "┼", "+")
                      : x == from                       ? area_glyph(cell, "├", "[")
                      : x == to                         ? area_glyph(cell, "┤", "]")
                                                        : area_glyph(cell, "─", "-"));
    }
    area_text(cell, 0, column_of(axis, d->value, width), look | LOOK_BOLD, area_glyph(cell, "●", "o"));
}

/* "-.05        0     +.02" below the whiskers. */
static void draw_axis(struct area row, int x, int width, const struct axis *axis)
{
    char low[24], high[24];
    int zero = x + column_of(axis, 0, width);
    number_short(low, sizeof low, axis->low, true);
    number_short(high, sizeof high, axis->high, true);
    area_text(row, 0, zero, LOOK_DIM, "0");
    if (axis->low < 0 && x + (int)strlen(low) < zero)
        area_text(row, 0, x, LOOK_DIM, low);
    if (axis->high > 0 && x + width - (int)strlen(high) > zero + 1)
        area_text_right(row, 0, x + width, LOOK_DIM, high);
}

static void put_share(const struct difference *d, char *out, size_t size)
{
    if (!d->users || isnan(d->value))
        snprintf(out, size, "%s", "");
    else if (!isnan(d->share))
        snprintf(out, size, "%+.1f %%", d->share * 100);
    else
        number_short(out, size, d->value, true);
}

/* "better  p < .0001": the sign of a difference only where it may be claimed. */
static void put_verdict(const struct comparison *c, const struct difference *d, bool brief, char *out, size_t size)
{
    int verdict = difference_verdict(c, d);
    const char *word = verdict > 0 ? "better" : verdict < 0 ? "worse" : brief ? "" : "not told apart";
    if (!d->users || isnan(d->adjusted) || brief)
        snprintf(out, size, "%s", d->users ? word : "");
    else if (d->adjusted < 1e-4)
        snprintf(out, size, "%s  p<.0001", word);
    else
        snprintf(out, size, "%s  p=%.4f", word, d->adjusted);
}

/* ---- models ---- */

static unsigned row_look(const struct compare_view *v, enum compare_pane pane, size_t at)
{
    return at != v->rows[pane].cursor ? 0u : v->pane == pane ? LOOK_REVERSE : LOOK_BOLD;
}

/* Columns of a row: a name, numbers, whiskers, the difference, a verdict. */
struct columns {
    int name, numbers, whiskers, share, verdict;
};

static struct columns make_columns(int width, int name, int numbers)
{
    struct columns c = {.name = name,
                        .numbers = numbers,
                        .share = 9,
                        .verdict = width >= 90   ? VERDICT
                                   : width >= 56 ? BRIEF
                                                 : 0};
    c.whiskers = width - c.name - c.numbers - c.share - c.verdict - 4;
    if (c.whiskers < LEAST_WHISKERS) {
        c.whiskers = 0;
        c.verdict = 0;
    }
    return c;
}

static void draw_difference(const struct comparison *c, struct area row, const struct columns *w,
                            const struct axis *axis, const struct difference *d, unsigned look)
{
    char text[48];
    int x = w->name + 1 + w->numbers + 1;
    unsigned ink = look | ink_of(difference_verdict(c, d));
    if (w->whiskers)
        draw_whiskers(area_part(row, 0, x, 1, w->whiskers), axis, d, ink);
    put_share(d, text, sizeof text);
    area_column(row, 0, x + w->whiskers + 1, w->share, ink, true, text);
    put_verdict(c, d, w->verdict < VERDICT, text, sizeof text);
    if (w->verdict)
        area_column(row, 0, x + w->whiskers + w->share + 3, w->verdict - 1, ink, false, text);
}

static int name_width(const struct comparison *c, int most)
{
    int width = 6;
    for (size_t i = 0; i < c->n; i++) {
        int w = (int)text_width(c->entries[i].name, strlen(c->entries[i].name));
        width = w > width ? w : width;
    }
    return width < most ? width : most;
}

static void draw_model(const struct compare_view *v, struct area row, size_t at, const struct columns *w,
                       const struct axis *axis)
{
    const struct comparison *c = &v->shown->comparison;
    const struct compared *e = &c->entries[at];
    unsigned look = row_look(v, PANE_MODELS, at);
    char text[32] = "";
    area_blank(row, look & LOOK_REVERSE);
    area_column(row, 0, 0, w->name, look | (at == v->pair.x || at == v->pair.y ? LOOK_BOLD : 0u), false, e->name);
    if (!isnan(e->mean[0]))
        snprintf(text, sizeof text, "%.4f", e->mean[0]);
    area_column(row, 0, w->name + 1, w->numbers, look, true, text);
    if (at != c->reference)
        draw_difference(c, row, w, axis, &e->to, look);
    else if (w->whiskers) {
        struct area cell = area_part(row, 0, w->name + w->numbers + 2, 1, w->whiskers);
        area_text(cell, 0, column_of(axis, 0, w->whiskers), look | LOOK_BOLD, area_glyph(cell, "●", "o"));
        area_column(row, 0, w->name + w->numbers + w->whiskers + 3, w->share + w->verdict + 1, look | LOOK_DIM, false,
                    c->best ? " the best" : " baseline");
    }
}

/* "7 of 14" where a list is longer than its window, else "". */
static void put_place(const struct scroll *s, size_t n, int rows, char *out, size_t size)
{
    *out = 0;
    if ((int)n > rows)
        snprintf(out, size, "%zu of %zu", s->cursor + 1, n);
}

void compare_draw_models(struct compare_view *v, struct area a)
{
    const struct comparison *c = &v->shown->comparison;
    struct axis axis = {0, 0};
    char title[128], note[128], users[32], place[64];
    text_count(users, sizeof users, (int64_t)c->nwarm);
    snprintf(title, sizeof title, "%s, difference from %s", c->measures[0].at.name, c->entries[c->reference].name);
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    bool axis_fits = in.height > (int)c->n || in.height >= 6;
    int rows = in.height - axis_fits;
    put_place(&v->rows[PANE_MODELS], c->n, rows, place, sizeof place);
    snprintf(note, sizeof note, "%s%s%s part, %s user%s%s, 95 %%", place, *place ? "  " : "",
             v->shown->judge.protocol.on == PART_TEST ? "test" : "validation", users, c->nwarm == 1 ? "" : "s",
             v->shown->judge.protocol.among ? ", some items" : "");
    area_rule(a, 0, v->pane == PANE_MODELS ? INK_CYAN : LOOK_DIM, c->n > 1 ? title : c->measures[0].at.name,
              (int)(text_width(title, strlen(title)) + text_width(note, strlen(note))) + 7 <= a.width ? note
              : *place                                                                                ? place
                                                                                                      : NULL);
    struct columns w = make_columns(in.width, name_width(c, in.width / 4), NUMBER);
    for (size_t i = 0; i < c->n; i++)
        widen(&axis, &c->entries[i].to);
    scroll_fit(&v->rows[PANE_MODELS], c->n, rows > 0 ? (size_t)rows : 0);
    for (int y = 0; y < rows && v->rows[PANE_MODELS].top + (size_t)y < c->n; y++)
        draw_model(v, area_part(in, y, 0, 1, -1), v->rows[PANE_MODELS].top + (size_t)y, &w, &axis);
    int below = (int)c->n < rows ? (int)c->n : rows;
    if (axis_fits && w.whiskers && axis.high > axis.low)
        draw_axis(area_part(in, below, 0, 1, -1), w.name + w.numbers + 2, w.whiskers, &axis);
}

/* ---- dots ---- */

enum { INK_SOME = 3, INK_ALL = 6, INK_ONE = 2 };

/* The same shake for the same user: points of the sequence with ratios 1/g, 1/g^2, g^3 = g + 1 (Roberts 2018). */
static void shake(uint32_t user, double by, double *x, double *y)
{
    *x += by * (fmod((user + 1) * .7548776662466927, 1) - .5);
    *y += by * (fmod((user + 1) * .5698402909980532, 1) - .5);
}

static void put_dot(const struct compare_view *v, struct canvas *c, uint32_t user, unsigned char ink)
{
    const struct comparison *all = &v->shown->comparison;
    double low = v->pair.low, span = v->pair.high > low ? v->pair.high - low : 1;
    double across = (double)(c->width * c->across - 1), down = (double)(c->height * c->down - 1);
    double x = (comparison_user(all, v->pair.y, user) - low) / span,
           y = (comparison_user(all, v->pair.x, user) - low) / span;
    shake(user, .05, &x, &y);
    x = (x + .03) / 1.06; /* the shaken ones at the ends are in it too */
    y = (y + .03) / 1.06;
    canvas_dot(c, lround(x * across), lround((1 - y) * down), ink);
}

/* Ones of a segment in another ink, above the others. */
static void put_dots(const struct compare_view *v, struct canvas *c)
{
    const struct cohort *s = compare_segment(v);
    for (size_t i = 0; i < v->pair.n; i++)
        put_dot(v, c, v->pair.order[i], INK_ALL);
    for (size_t i = 0; s && i < v->nlisted; i++)
        put_dot(v, c, v->listed[i], INK_SOME);
}

static void draw_diagonal(struct canvas *c)
{
    long across = (long)(c->width * c->across), down = (long)(c->height * c->down);
    for (long x = 0; x < across; x += DIAGONAL_STEP)
        canvas_dot(c, x, lround((double)(across - 1 - x) / (double)(across > 1 ? across - 1 : 1) * (double)(down - 1)),
                   NO_INK);
}

void compare_draw_scatter(const struct compare_view *v, struct area a)
{
    const struct comparison *c = &v->shown->comparison;
    const char *x = c->entries[v->pair.x].name, *y = c->entries[v->pair.y].name;
    struct canvas canvas;
    struct error err;
    char text[160];
    snprintf(text, sizeof text, "%s %s against %s %s", x, area_glyph(a, "↑", "^"), y, area_glyph(a, "→", ">"));
    area_rule(a, 0, LOOK_DIM, text, NULL);
    struct area plot = area_part(a, 1, MARGIN, a.height - 3, a.width - MARGIN - 1);
    if (plot.height < 2 || plot.width < 8 ||
        canvas_open(&canvas, a.surface->ascii ? CANVAS_TEXT : CANVAS_BRAILLE, (size_t)plot.width, (size_t)plot.height,
                    &err))
        return;
    draw_diagonal(&canvas);
    put_dots(v, &canvas);
    plot_pane_canvas(plot, &canvas);
    canvas_close(&canvas);
    number_short(text, sizeof text, v->pair.high, false);
    area_column(a, 1, 0, MARGIN - 1, LOOK_DIM, true, text);
    area_text_right(a, a.height - 2, a.width - 1, LOOK_DIM, text);
    number_short(text, sizeof text, v->pair.low, false);
    area_column(a, a.height - 3, 0, MARGIN - 1, LOOK_DIM, true, text);
    area_text(a, a.height - 2, MARGIN, LOOK_DIM, text);
    snprintf(text, sizeof text, "%zu user%s better by %s, %zu worse, %zu alike", v->pair.above,
             v->pair.above == 1 ? "" : "s", x, v->pair.below, v->pair.n - v->pair.above - v->pair.below);
    if ((int)text_width(text, strlen(text)) > a.width - 2)
        snprintf(text, sizeof text, "%zu better, %zu worse, %zu alike", v->pair.above, v->pair.below,
                 v->pair.n - v->pair.above - v->pair.below);
    area_column(a, a.height - 1, 1, a.width - 2, INK_DEFAULT, false, text);
}

/* ---- segments ---- */

static void draw_segment(const struct compare_view *v, struct area row, size_t at, const struct columns *w,
                         const struct axis *axis)
{
    const struct cohort *s = &v->segments.cohorts.list[at];
    const struct difference *d = &v->segments.differences[at];
    unsigned look = row_look(v, PANE_SEGMENTS, at);
    char text[32];
    area_blank(row, look & LOOK_REVERSE);
    area_column(row, 0, 0, w->name, look, false, s->name);
    text_count(text, sizeof text, (int64_t)s->n);
    area_column(row, 0, w->name + 1, w->numbers, look | LOOK_DIM, true, text);
    draw_difference(&v->shown->comparison, row, w, axis, d, look);
}

void compare_draw_segments(struct compare_view *v, struct area a)
{
    const struct comparison *c = &v->shown->comparison;
    struct axis axis = {0, 0};
    char title[200], place[64];
    if (a.height < 2)
        return;
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    put_place(&v->rows[PANE_SEGMENTS], compare_segments_fit(v) ? v->segments.cohorts.n : 0, in.height, place,
              sizeof place);
    if (a.width >= 60)
        snprintf(place + strlen(place), sizeof place - strlen(place), "%ss another", *place ? "  " : "");
    const char *recall = compare_segments_fit(v) ? v->segments.recall : "";
    snprintf(title, sizeof title, "%s less %s by %s%s%s%s", c->entries[v->pair.x].name, c->entries[v->pair.y].name,
             v->by, *recall ? " (" : "", recall, *recall ? ")" : "");
    area_rule(a, 0, v->pane == PANE_SEGMENTS ? INK_CYAN : LOOK_DIM, title, *place ? place : NULL);
    if (!compare_segments_fit(v)) {
        area_text(in, 0, 0, LOOK_DIM, "counting ...");
        return;
    }
    int name = 6;
    for (size_t i = 0; i < v->segments.cohorts.n; i++) {
        int w = (int)text_width(v->segments.cohorts.list[i].name, strlen(v->segments.cohorts.list[i].name));
        name = w > name ? w : name;
        widen(&axis, &v->segments.differences[i]);
    }
    struct columns w = make_columns(in.width, name < in.width / 3 ? name : in.width / 3, NUMBER);
    scroll_fit(&v->rows[PANE_SEGMENTS], v->segments.cohorts.n, (size_t)in.height);
    for (int y = 0; y < in.height && v->rows[PANE_SEGMENTS].top + (size_t)y < v->segments.cohorts.n; y++)
        draw_segment(v, area_part(in, y, 0, 1, -1), v->rows[PANE_SEGMENTS].top + (size_t)y, &w, &axis);
}

/* ---- users ---- */

static void put_attributes(const struct dataset *d, uint32_t user, struct str *out)
{
    for (size_t f = 0; f < d->user_fields.n && f < 3; f++) {
        if (field_missing(&d->user_fields.field[f], user))
            continue;
        str_puts(out, out->length ? " " : "");
        field_format(&d->user_fields.field[f], user, out);
    }
}

static void draw_user(const struct compare_view *v, struct area row, size_t at, unsigned look)
{
    const struct comparison *c = &v->shown->comparison;
    const struct dataset *d = v->shown->d;
    uint32_t u = v->listed[at], user = c->user[u];
    double x = comparison_user(c, v->pair.x, u), y = comparison_user(c, v->pair.y, u),
           span = v->pair.high - v->pair.low;
    double sign = comparison_sign(c) < 0 ? -1 : 1;
    unsigned ink = look | (sign * (x - y) < 0 ? INK_RED : x != y ? INK_GREEN : INK_DEFAULT);
    struct str about = {0};
    char text[32];
    int right = row.width - 8, bar = row.width >= 60 ? USER_BAR : 0;
    put_attributes(d, user, &about);
    area_blank(row, look & LOOK_REVERSE);
    number_short(text, sizeof text, x - y, true);
    area_column(row, 0, right, 8, ink, true, x == y ? "=" : text);
    if (bar)
        area_bar(row, 0, right -= bar, bar, span > 0 ? fabs(x - y) / span : 0, ink);
    number_short(text, sizeof text, y, false);
    area_column(row, 0, (right -= NUMBER + 1) + 1, NUMBER - 1, look, true, text);
    number_short(text, sizeof text, x, false);
    area_column(row, 0, (right -= NUMBER + 1) + 1, NUMBER - 1, look, true, text);
    int id = right / 3 > 10 ? right / 3 : 10;
    area_column(row, 0, 0, id < right ? id : right, look, false, dict_text(&d->users, user));
    if (id + 1 < right)
        area_column(row, 0, id + 1, right - id - 1, look | LOOK_DIM, false, str_text(&about));
    str_free(&about);
}

/* The two models over their columns. */
static void draw_user_heads(const struct compare_view *v, struct area row)
{
    const struct comparison *c = &v->shown->comparison;
    int right = row.width - 8 - (row.width >= 60 ? USER_BAR : 0) - NUMBER - 1;
    area_column(row, 0, right, NUMBER, LOOK_DIM, true, c->entries[v->pair.y].name);
    area_column(row, 0, right - NUMBER - 1, NUMBER, LOOK_DIM, true, c->entries[v->pair.x].name);
    area_text_right(row, 0, row.width, LOOK_DIM, "less");
}

void compare_draw_users(struct compare_view *v, struct area a)
{
    const struct comparison *c = &v->shown->comparison;
    const struct cohort *s = compare_segment(v);
    char title[200], count[64];
    if (a.height < 2)
        return;
    if (s)
        snprintf(title, sizeof title, "users with %s%s %s: who loses most by %s first",
                 *v->segments.recall ? "right items of " : "", v->segments.by, s->name, c->entries[v->pair.x].name);
    else
        snprintf(title, sizeof title, "users: who loses most by %s first", c->entries[v->pair.x].name);
    snprintf(count, sizeof count, "%zu of %zu", v->nlisted ? v->rows[PANE_USERS].cursor + 1 : 0, v->nlisted);
    area_rule(a, 0, v->pane == PANE_USERS ? INK_CYAN : LOOK_DIM, title, count);
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    if (in.height >= 4) {
        draw_user_heads(v, in);
        in = area_part(in, 1, 0, -1, -1);
    }
    scroll_fit(&v->rows[PANE_USERS], v->nlisted, (size_t)in.height);
    for (int y = 0; y < in.height && v->rows[PANE_USERS].top + (size_t)y < v->nlisted; y++) {
        size_t at = v->rows[PANE_USERS].top + (size_t)y;
        draw_user(v, area_part(in, y, 0, 1, -1), at, row_look(v, PANE_USERS, at));
    }
}
