#include "plot/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "plot/axes.h"

enum { WIDTH = 80, HEIGHT = 16, LOWEST = 8, WIDEST = 100, PLAIN_POINTS = 12 };

/* ---- ranges ---- */

static void take(struct range *r, bool *any, double v)
{
    if (!isfinite(v))
        return;
    r->low = *any ? fmin(r->low, v) : v;
    r->high = *any ? fmax(r->high, v) : v;
    *any = true;
}

static void give_room(struct range *r)
{
    if (r->high > r->low)
        return;
    double half = r->low == 0 ? 0.5 : fabs(r->low) * 0.1;
    r->low -= half;
    r->high += half;
}

bool range_of_x(const struct series *const *series, size_t n, struct range *out)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < series[i]->n; j++)
            if (isfinite(series[i]->y[j]))
                take(out, &any, series[i]->x[j]);
    give_room(out);
    return any;
}

bool range_of_y(const struct series *const *series, size_t n, bool with_zero, struct range *out)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < series[i]->n; j++) {
            take(out, &any, series[i]->y[j]);
            if (series[i]->low && n == 1) {
                take(out, &any, series[i]->low[j]);
                take(out, &any, series[i]->high[j]);
            }
        }
    if (any && with_zero)
        take(out, &any, 0);
    give_room(out);
    return any;
}

/* ---- the whole ---- */

/* Curves of one group have its name above them, and their own titles in the legend. */
static const char *title_of(const struct series *const *series, size_t n)
{
    return n > 1 && series[0]->group ? series[0]->group : series[0]->title;
}

static void put_title(const char *text, const struct plot_options *o, struct str *out)
{
    struct str title = {0};
    str_put_safe(&title, text, strlen(text));
    str_puts(out, o->color ? "\033[1m" : "");
    str_put_column(out, str_text(&title), o->width, false, false, o->kind == CANVAS_TEXT);
    str_puts(out, o->color ? "\033[0m\n" : "\n");
    out->failed |= title.failed;
    str_free(&title);
}

static double last_value(const struct series *s)
{
    for (size_t i = s->n; i > 0; i--)
        if (isfinite(s->y[i - 1]))
            return s->y[i - 1];
    return -INFINITY;
}

/* How many curves end above curve i; ties in order. */
static size_t above_at_end(const struct series *const *series, size_t n, size_t i)
{
    size_t above = 0;
    for (size_t j = 0; j < n; j++)
        above +=
            last_value(series[j]) > last_value(series[i]) || (last_value(series[j]) == last_value(series[i]) && j < i);
    return above;
}

/* Names stand in the order in which the curves end, the highest first: colours are not the only way to tell them apart.
 * Dots end nowhere. */
static void put_legend(const struct series *const *series, size_t n, const struct plot_options *o, struct str *out)
{
    static const char *const signs[] = {"*", "+", "o", "x", "#", "@"};
    struct str name = {0};
    size_t used = 0;
    bool points = strcmp(series[0]->style, "points") == 0;
    for (size_t place = 0; place < n; place++) {
        size_t i = 0;
        if (points)
            i = place;
        while (!points && above_at_end(series, n, i) != place)
            i++;
        str_reuse(&name);
        str_puts(&name, o->kind == CANVAS_TEXT ? signs[i % INKS] : points ? "⠿" : "━━");
        str_putc(&name, ' ');
        const char *text = series[i]->group ? series[i]->title : series[i]->name;
        str_put_safe(&name, text, strlen(text));
        size_t width = text_width(str_text(&name), name.length);
        if (used + width + 2 > o->width)
            break;
        str_puts(out, place ? "  " : "");
        canvas_ink(out, o->color, (unsigned char)(i % INKS + 1));
        str_puts(out, str_text(&name));
        canvas_ink(out, o->color, NO_INK);
        used += width + 2;
    }
    static const char order[] = "   (as they end, from the top)";
    str_puts(out, n > 1 && !points && used + sizeof order <= o->width ? order : "");
    str_putc(out, '\n');
    out->failed |= name.failed;
    str_free(&name);
}

void plot_draw(const struct series *const *series, size_t n, const struct plot_options *options, struct str *out)
{
    struct plot_options o = *options;
    struct range y;
    o.width = o.width ? o.width : WIDTH;
    o.height = o.height ? o.height : HEIGHT;
    if (n == 0)
        return;
    size_t height = o.height;
    if (o.title && *title_of(series, n)) {
        put_title(title_of(series, n), &o, out);
        height -= height > 1;
    }
    if (n > 1 && series[0]->x_type != VALUE_TEXT) {
        put_legend(series, n, &o, out);
        height -= height > 1;
    }
    if (!range_of_y(series, n, false, &y)) {
        str_put_column(out, "(nothing to draw)", o.width, false, false, true);
        str_putc(out, '\n');
    } else if (series[0]->x_type == VALUE_TEXT) {
        draw_rows(series[0], &o, out);
    } else {
        draw_axes(series, n, &o, height, out);
    }
}

/* ---- as a part of a result ---- */

static void put_number(const struct series *s, double v, bool is_x, struct str *out)
{
    char text[64];
    if (is_x && s->x_type == VALUE_TIME)
        time_short(text, sizeof text, (int64_t)v);
    else
        snprintf(text, sizeof text, "%.6g", v);
    str_puts(out, text);
}

/* A series in words: for those who listen to it. Long ones are sampled, the last point always included. */
static void put_plain(const struct series *s, struct str *out)
{
    size_t step = s->x_type == VALUE_TEXT ? 1 : (s->n + PLAIN_POINTS - 1) / PLAIN_POINTS;
    const char *between = s->group && *s->title ? ", " : "";
    str_put_safe(out, s->group ? s->group : "", s->group ? strlen(s->group) : 0);
    str_puts(out, between);
    str_put_safe(out, s->title, strlen(s->title));
    str_puts(out, *s->title ? "\n" : "");
    for (size_t i = 0; i < s->n; i++) {
        if (i % (step ? step : 1) != 0 && i + 1 != s->n)
            continue;
        if (s->x_type == VALUE_TEXT)
            str_put_safe(out, s->labels[i], strlen(s->labels[i]));
        else
            put_number(s, s->x[i], true, out);
        str_puts(out, ": ");
        put_number(s, s->y[i], false, out);
        if (s->low) {
            str_puts(out, ", ");
            put_number(s, s->low[i], false, out);
            str_puts(out, " to ");
            put_number(s, s->high[i], false, out);
        }
        str_putc(out, '\n');
    }
}

void plot_series(const struct series *const *series, size_t n, const struct render_options *options, struct str *out)
{
    if (options->form == OUTPUT_HTML) {
        plot_page(series, n, out);
        return;
    }
    for (size_t i = 0; options->plain && i < n; i++)
        put_plain(series[i], out);
    if (options->plain)
        return;
    bool signs = options->ascii || (n > 1 && !options->color); /* curves of one ink are told apart by their signs */
    struct plot_options o = {.kind = signs ? CANVAS_TEXT : CANVAS_BRAILLE, .color = options->color, .title = true};
    o.width = options->width == 0 ? WIDTH : options->width > WIDEST ? WIDEST : options->width;
    if (options->height)
        o.height = options->height / 3 < LOWEST ? LOWEST : options->height / 3 > HEIGHT ? HEIGHT : options->height / 3;
    plot_draw(series, n, &o, out);
}
