/* Labelled rows: bars, and intervals as in a forest plot. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot/axes.h"

enum { LABEL_MOST = 30, FIELD_LEAST = 8 };

struct rows {
    const struct series *s;
    const struct plot_options *o;
    size_t label;      /* columns of the labels */
    size_t number;     /* columns of the numbers at the right */
    size_t field;      /* columns between them */
    int precision;
    struct range range;
};

static bool has_interval(const struct series *s, size_t i)
{
    return s->low && isfinite(s->low[i]) && isfinite(s->high[i]);
}

static void put_numbers(const struct rows *r, size_t i, struct str *out)
{
    if (!isfinite(r->s->y[i]))
        return;
    str_printf(out, "%.*f", r->precision, r->s->y[i]);
    if (has_interval(r->s, i))
        str_printf(out, "  %.*f to %.*f", r->precision, r->s->low[i], r->precision, r->s->high[i]);
}

/* Enough digits to tell the values apart: whole numbers have none, else four significant ones of the largest. */
static int precision_of(const struct series *s, const struct range *r)
{
    bool whole = true;
    for (size_t i = 0; i < s->n; i++)
        whole = whole && (!isfinite(s->y[i]) || s->y[i] == floor(s->y[i])) && !s->low;
    double largest = fmax(fabs(r->low), fabs(r->high));
    int digits = largest > 0 ? 3 - (int)floor(log10(largest)) : 3;
    return whole ? 0 : digits < 0 ? 0 : digits > 9 ? 9 : digits;
}

static void measure(struct rows *r, struct str *out)
{
    struct str text = {0};
    for (size_t i = 0; i < r->s->n; i++) {
        str_reuse(&text);
        str_put_safe(&text, r->s->labels[i], strlen(r->s->labels[i]));
        size_t width = text_width(str_text(&text), text.length);
        r->label = width > r->label ? width : r->label;
        str_reuse(&text);
        put_numbers(r, i, &text);
        r->number = text.length > r->number ? text.length : r->number;
    }
    out->failed |= text.failed;
    str_free(&text);
    r->label = r->label > LABEL_MOST ? LABEL_MOST : r->label;
    size_t width = r->o->width;
    if (r->label + r->number + FIELD_LEAST + 4 > width) {
        size_t rest = width > r->number + FIELD_LEAST + 4 ? width - r->number - FIELD_LEAST - 4 : 0;
        r->label = rest < r->label ? rest : r->label;
    }
    size_t used = r->label + r->number + 4;
    r->field = width > used ? width - used : 0;
}

static size_t place(const struct rows *r, double v, size_t steps)
{
    double share = (v - r->range.low) / (r->range.high - r->range.low);
    return (size_t)lround(fmin(fmax(share, 0), 1) * (double)steps);
}

/* A bar from zero, wherever zero stands; eighths to the right, halves to the left. */
static void put_bar(const struct rows *r, double v, struct str *out)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    bool ascii = r->o->kind == CANVAS_TEXT;
    size_t zero = place(r, 0, r->field), width = 0;
    if (v < 0) {
        size_t from = place(r, v, r->field * 2), halves = zero * 2 > from ? zero * 2 - from : 0;
        size_t whole = ascii ? (halves + 1) / 2 : halves / 2, half = ascii ? 0 : halves % 2;
        str_repeat(out, " ", zero - whole - half);
        canvas_ink(out, r->o->color, 6);
        str_puts(out, half ? "▐" : "");
        str_repeat(out, ascii ? "-" : "█", whole);
        width = zero;
    } else {
        size_t to = place(r, v, r->field * 8), parts = to > zero * 8 ? to - zero * 8 : 0;
        if (parts == 0 && v > 0)
            parts = 1;
        size_t whole = ascii ? (parts + 4) / 8 : parts / 8, part = ascii ? 0 : parts % 8;
        str_repeat(out, " ", zero);
        canvas_ink(out, r->o->color, 1);
        str_repeat(out, ascii ? "#" : "█", whole);
        str_puts(out, eighths[part]);
        width = zero + whole + (part != 0);
    }
    canvas_ink(out, r->o->color, NO_INK);
    str_repeat(out, " ", r->field > width ? r->field - width : 0);
}

static void put_interval(const struct rows *r, size_t i, struct str *out)
{
    bool ascii = r->o->kind == CANVAS_TEXT;
    size_t last = r->field - 1, point = place(r, r->s->y[i], last);
    size_t low = has_interval(r->s, i) ? place(r, r->s->low[i], last) : point;
    size_t high = has_interval(r->s, i) ? place(r, r->s->high[i], last) : point;
    str_repeat(out, " ", low);
    canvas_ink(out, r->o->color, 1);
    for (size_t x = low; x <= high; x++) {
        if (x == point)
            str_puts(out, ascii ? "o" : "●");
        else if (x == low)
            str_puts(out, ascii ? "|" : "├");
        else if (x == high)
            str_puts(out, ascii ? "|" : "┤");
        else
            str_puts(out, ascii ? "-" : "─");
    }
    canvas_ink(out, r->o->color, NO_INK);
    str_repeat(out, " ", last - high);
}

static void put_row(const struct rows *r, size_t i, struct str *out)
{
    struct str text = {0};
    str_put_safe(&text, r->s->labels[i], strlen(r->s->labels[i]));
    str_put_column(out, str_text(&text), r->label, true, false, r->o->kind == CANVAS_TEXT);
    str_puts(out, "  ");
    if (!isfinite(r->s->y[i]) || r->field < FIELD_LEAST)
        str_repeat(out, " ", r->field);
    else if (r->s->low)
        put_interval(r, i, out);
    else
        put_bar(r, r->s->y[i], out);
    str_puts(out, "  ");
    str_reuse(&text);
    put_numbers(r, i, &text);
    if (r->s->low) /* estimates stand one below the other, whatever their intervals */
        str_puts(out, str_text(&text));
    else
        str_put_column(out, str_text(&text), r->number, true, true, true);
    str_putc(out, '\n');
    out->failed |= text.failed;
    str_free(&text);
}

void draw_rows(const struct series *s, const struct plot_options *o, struct str *out)
{
    struct rows r = {.s = s, .o = o};
    if (!range_of_y(&s, 1, s->low == NULL, &r.range))
        return;
    r.precision = precision_of(s, &r.range);
    measure(&r, out);
    if (2 + r.label + r.number + 2 > o->width && r.number + 4 > o->width)
        return; /* not even the numbers have room */
    for (size_t i = 0; i < s->n; i++)
        put_row(&r, i, out);
}
