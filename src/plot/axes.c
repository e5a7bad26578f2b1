/* Curves, points and histograms on two axes:
 *
 *     0.4 ┤         ⢀⠔⠉
 *     0.2 ┤   ⢀⠔⠉
 *       0 ┼─────────┬───────── x
 *                  10                                                                     */
#include "plot/axes.h"

#include <math.h>
#include <string.h>

struct axes {
    const struct series *const *series;
    size_t n;
    const struct plot_options *o;
    struct range x, y;
    struct ticks x_ticks, y_ticks;
    size_t margin;       /* columns left of the axis: labels and a blank */
    struct canvas canvas;
};

static bool is_bar(const struct series *s)
{
    return strcmp(s->style, "bar") == 0;
}

/* ---- places ---- */

static long dot_x(const struct axes *a, double x)
{
    double last = (double)(a->canvas.width * a->canvas.across - 1);
    return lround((x - a->x.low) / (a->x.high - a->x.low) * last);
}

static long dot_y(const struct axes *a, double y)
{
    double last = (double)(a->canvas.height * a->canvas.down - 1);
    return lround((a->y.high - y) / (a->y.high - a->y.low) * last);
}

/* The cell of a dot; a tick that rounding put just outside stands at the edge. */
static size_t cell_of(long dot, size_t dots_a_cell, size_t cells)
{
    size_t cell = dot < 0 ? 0 : (size_t)dot / dots_a_cell;
    return cell < cells ? cell : cells - 1;
}

static size_t row_of(const struct axes *a, double y)
{
    return cell_of(dot_y(a, y), a->canvas.down, a->canvas.height);
}

static size_t column_of(const struct axes *a, double x)
{
    return cell_of(dot_x(a, x), a->canvas.across, a->canvas.width);
}

/* ---- what is drawn ---- */

static void draw_curve(struct axes *a, const struct series *s, bool whiskers, unsigned char ink)
{
    bool points = strcmp(s->style, "points") == 0, before = false;
    long px = 0, py = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->y[i]) || !isfinite(s->x[i])) {
            before = false; /* a gap stays a gap */
            continue;
        }
        long x = dot_x(a, s->x[i]), y = dot_y(a, s->y[i]);
        if (whiskers && s->low && isfinite(s->low[i]) && isfinite(s->high[i]))
            canvas_line(&a->canvas, x, dot_y(a, s->low[i]), x, dot_y(a, s->high[i]), ink);
        canvas_line(&a->canvas, before && !points ? px : x, before && !points ? py : y, x, y, ink);
        before = true;
        px = x;
        py = y;
    }
}

/* Each point gets an equal share of the columns, a blank between two when they are wide enough. */
static void draw_histogram(struct axes *a, const struct series *s, unsigned char ink)
{
    size_t width = a->canvas.width;
    double zero = fmax(a->y.low, 0), unit = (double)a->canvas.height / (a->y.high - zero);
    for (size_t column = 0; column < width; column++) {
        size_t first = column * s->n / width, last = (column + 1) * s->n / width;
        double tallest = 0;
        bool gap = width >= 3 * s->n && (column + 1) * s->n / width != first;
        for (size_t i = first; i < s->n && (i == first || i < last); i++) /* more points than columns: the tallest */
            if (isfinite(s->y[i]))
                tallest = fmax(tallest, s->y[i]);
        if (!gap)
            canvas_bar(&a->canvas, column, (tallest - zero) * unit, ink);
    }
}

/* ---- around it ---- */

static const char *line_sign(const struct axes *a, const char *utf8, const char *ascii)
{
    return a->o->kind == CANVAS_TEXT ? ascii : utf8;
}

static void dim(const struct axes *a, bool on, struct str *out)
{
    str_puts(out, !a->o->color ? "" : on ? "\033[2m" : "\033[0m");
}

static void put_rows(struct axes *a, struct str *out)
{
    for (size_t row = 0; row < a->canvas.height; row++) {
        const char *label = NULL;
        for (size_t i = 0; i < a->y_ticks.n && !label; i++)
            if (row_of(a, a->y_ticks.at[i]) == row)
                label = a->y_ticks.label[i];
        dim(a, true, out);
        str_put_column(out, label ? label : "", a->margin - 1, true, true, true);
        str_puts(out, " ");
        str_puts(out, label ? line_sign(a, "┤", "+") : line_sign(a, "│", "|"));
        dim(a, false, out);
        canvas_row(&a->canvas, row, a->o->color, out);
        str_putc(out, '\n');
    }
}

/* Where the label of tick i begins so that it stands below its tick and inside the plot. */
static size_t label_start(const struct axes *a, size_t i, size_t width)
{
    size_t center = a->margin + 1 + column_of(a, a->x_ticks.at[i]), half = width / 2;
    size_t end = a->margin + 1 + a->canvas.width;
    size_t start = center > half ? center - half : 0;
    return start + width > end ? (end > width ? end - width : 0) : start;
}

static void put_bottom(struct axes *a, struct str *out)
{
    struct str labels = {0};
    size_t at = 0;
    dim(a, true, out);
    str_repeat(out, " ", a->margin);
    str_puts(out, line_sign(a, "└", "+"));
    for (size_t column = 0; column < a->canvas.width; column++) {
        bool tick = false;
        for (size_t i = 0; i < a->x_ticks.n; i++)
            tick = tick || column_of(a, a->x_ticks.at[i]) == column;
        str_puts(out, tick ? line_sign(a, "┬", "+") : line_sign(a, "─", "-"));
    }
    str_putc(out, '\n');
    for (size_t i = 0; i < a->x_ticks.n; i++) {
        size_t width = strlen(a->x_ticks.label[i]), start = label_start(a, i, width);
        if ((i && start < at + 2) || start + width > a->margin + 1 + a->canvas.width)
            continue;
        str_repeat(&labels, " ", start - at);
        str_puts(&labels, a->x_ticks.label[i]);
        at = start + width;
    }
    const char *name = a->series[0]->x_label ? a->series[0]->x_label : "";
    size_t width = strlen(name), end = a->margin + 1 + a->canvas.width;
    if (width && at + 2 + width <= end) {
        str_repeat(&labels, " ", end - width - at);
        str_put_safe(&labels, name, width);
    }
    str_puts(out, str_text(&labels));
    dim(a, false, out);
    str_putc(out, '\n');
    out->failed |= labels.failed;
    str_free(&labels);
}

static void find_ticks(struct axes *a, size_t height)
{
    size_t width = a->o->width;
    ticks_numbers(a->y.low, a->y.high, height / 2 + 1, &a->y_ticks);
    for (size_t i = 0; i < a->y_ticks.n; i++) {
        size_t label = strlen(a->y_ticks.label[i]) + 1;
        a->margin = label > a->margin ? label : a->margin;
    }
    if (a->margin + 4 > width)
        a->margin = 1;
    if (a->series[0]->x_type == VALUE_TIME)
        ticks_times(a->x.low, a->x.high, width / 16 + 1, &a->x_ticks);
    else
        ticks_numbers(a->x.low, a->x.high, width / 8 + 1, &a->x_ticks);
}

void draw_axes(const struct series *const *series, size_t n, const struct plot_options *o, size_t height,
               struct str *out)
{
    struct axes a = {.series = series, .n = n, .o = o, .margin = 1};
    bool bars = is_bar(series[0]);
    size_t rows = height > 3 ? height - 2 : 1;
    struct error err;
    if (o->width < 8 || !range_of_x(series, n, &a.x) || !range_of_y(series, n, bars, &a.y))
        return;
    if (bars && series[0]->n > 1) { /* a bar is as wide as the way to the next: half of it stands out at both ends */
        double half = (a.x.high - a.x.low) / (double)(series[0]->n - 1) / 2;
        a.x.low -= half;
        a.x.high += half;
    }
    find_ticks(&a, rows);
    if (canvas_open(&a.canvas, o->kind, o->width - a.margin - 1, rows, &err)) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char ink = (unsigned char)(i % INKS + 1);
        if (is_bar(series[i]))
            draw_histogram(&a, series[i], ink);
        else
            draw_curve(&a, series[i], n == 1, ink);
    }
    put_rows(&a, out);
    put_bottom(&a, out);
    canvas_close(&a.canvas);
}
