#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "result/writer.h"

void pen(struct str *out, bool color, enum attribute a)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[2m", "\033[31m",
                                        "\033[32m", "\033[33m", "\033[36m"};
    if (color)
        str_puts(out, codes[a]);
}

/* "12345.678" with separators when it has `from` digits before the point: a year or a small id stays as it is. */
static void put_grouped(struct str *out, const char *number, size_t from)
{
    const char *digits = number + (*number == '-');
    size_t n = strspn(digits, "0123456789");
    if (n < from || digits[n] == 'e') {
        str_puts(out, number);
        return;
    }
    str_append(out, number, (size_t)(digits - number));
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            str_putc(out, ',');
        str_putc(out, digits[i]);
    }
    str_puts(out, digits + n);
}

static void put_real(struct str *out, double v, int precision)
{
    char number[64];
    double rounded = precision < 0 ? v : round(v * pow(10, precision));
    if (precision < 0)
        text_real(number, sizeof number, v);
    else if (fabs(v) >= 1e15)
        snprintf(number, sizeof number, "%.6g", v);
    else if (v != 0 && rounded == 0 && fabs(v) * pow(10, precision) < 0.05) /* not nothing, only small */
        snprintf(number, sizeof number, "%.0e", v);
    else
        snprintf(number, sizeof number, "%.*f", precision, rounded == 0 ? 0 : v);
    put_grouped(out, number, 5);
}

static void put_quantity(struct str *out, const struct column *c, double v, int precision)
{
    char text[32];
    if (strcmp(c->unit, "%") == 0) {
        precision = precision < 0 ? 1 : precision;
        double percent = v * 100;
        put_real(out, round(percent * pow(10, precision)) == 0 ? 0 : percent, precision);
        str_putc(out, '%');
    } else if (strcmp(c->unit, "s") == 0) {
        text_duration(text, sizeof text, v);
        str_puts(out, text);
    } else if (strcmp(c->unit, "B") == 0) {
        text_bytes(text, sizeof text, v);
        str_puts(out, text);
    } else {
        put_real(out, v, c->type == VALUE_INT ? 0 : precision);
        if (*c->unit)
            str_printf(out, " %s", c->unit);
    }
}

static void put_move(struct str *out, int64_t move, bool ascii)
{
    if (move == 0)
        str_putc(out, '=');
    else if (ascii)
        str_printf(out, "%+lld", (long long)move);
    else
        str_printf(out, "%s%llu", move > 0 ? "↑" : "↓",
                   move > 0 ? (unsigned long long)move : 0ULL - (unsigned long long)move);
}

void cell_format(const struct column *c, const struct value *v, bool ascii, struct str *out)
{
    char text[64];
    if (v->null) {
        str_puts(out, (c->flags & (COLUMN_MOVE | COLUMN_GAPS)) == COLUMN_MOVE ? "new" : "");
        return;
    }
    switch (c->type) {
    case VALUE_TEXT:
        str_put_safe(out, v->text, strlen(v->text));
        break;
    case VALUE_INT:
        if (c->flags & COLUMN_MOVE) {
            put_move(out, v->integer, ascii);
        } else if (*c->unit) {
            put_quantity(out, c, (double)v->integer, c->precision);
        } else {
            snprintf(text, sizeof text, "%lld", (long long)v->integer);
            put_grouped(out, text, c->flags & COLUMN_COUNT ? 4 : 5);
        }
        break;
    case VALUE_REAL:
        if (c->flags & COLUMN_P && v->real < pow(10, -c->precision))
            str_printf(out, "<%.*f", c->precision, pow(10, -c->precision));
        else
            put_quantity(out, c, v->real, c->flags & COLUMN_SCORE ? v->digits : c->precision);
        break;
    case VALUE_TIME:
        time_short(text, sizeof text, v->integer);
        str_puts(out, text);
        break;
    case VALUE_BOOL:
        str_puts(out, v->integer ? "yes" : "no");
        break;
    }
}

void value_format(const struct column *c, const struct value *v, struct str *out)
{
    cell_format(c, v, false, out);
}

/* As %lld, which takes as long as all else of a line of a list. */
static void put_whole(struct str *out, int64_t v)
{
    char text[24], *p = text + sizeof text;
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (v < 0)
        *--p = '-';
    str_append(out, p, (size_t)(text + sizeof text - p));
}

void cell_raw(const struct column *c, const struct value *v, struct str *out)
{
    char text[64];
    if (v->null)
        return;
    switch (c->type) {
    case VALUE_TEXT:
        str_puts(out, v->text);
        break;
    case VALUE_INT:
        put_whole(out, v->integer);
        break;
    case VALUE_REAL:
        if (isfinite(v->real)) {
            text_real(text, sizeof text, v->real);
            str_puts(out, text);
        }
        break;
    case VALUE_TIME:
        time_iso(text, sizeof text, v->integer);
        str_puts(out, text);
        break;
    case VALUE_BOOL:
        str_puts(out, v->integer ? "true" : "false");
        break;
    }
}

void put_filled(struct str *out, const char *text, size_t width, size_t column, size_t indent)
{
    size_t n;
    bool fresh = true;
    for (const char *p = text; *p; p += n) {
        size_t blanks = strspn(p, " ");
        n = blanks + strcspn(p + blanks, " ");
        size_t word = text_width(p + blanks, n - blanks);
        if (width && !fresh && column + blanks + word > width) {
            str_putc(out, '\n');
            str_repeat(out, " ", indent);
            str_append(out, p + blanks, n - blanks);
            column = indent + word;
        } else {
            str_append(out, p, n);
            column += blanks + word;
        }
        fresh = false;
    }
}

void message_format(const struct message *m, size_t width, bool color, struct str *out)
{
    static const struct {
        const char *word;
        enum attribute pen;
    } levels[] = {[MESSAGE_INFO] = {"", PEN_OFF},
                  [MESSAGE_WARNING] = {"warning: ", PEN_YELLOW},
                  [MESSAGE_HINT] = {"hint: ", PEN_DIM}};
    struct str line = {0};
    str_puts(&line, levels[m->level].word);
    str_put_safe(&line, m->text, strlen(m->text));
    if (m->level != MESSAGE_INFO)
        pen(out, color, levels[m->level].pen);
    put_filled(out, str_text(&line), width, 0, strlen(levels[m->level].word));
    if (m->level != MESSAGE_INFO)
        pen(out, color, PEN_OFF);
    str_putc(out, '\n');
    out->failed |= line.failed;
    str_free(&line);
}

/* The line of `text` that holds the culprit, and ^^^^ below it. */
static void put_caret(const struct error *e, const char *text, bool color, struct str *out)
{
    size_t n = strlen(text), offset = e->offset < n ? e->offset : n;
    size_t begin = offset, end = offset;
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    while (end < n && text[end] != '\n')
        end++;
    size_t length = e->length < end - offset ? e->length : end - offset;
    struct str before = {0}, culprit = {0};
    str_put_safe(&before, text + begin, offset - begin);
    str_put_safe(&culprit, text + offset, length);
    size_t marks = text_width(str_text(&culprit), culprit.length);
    str_puts(out, "  ");
    str_put_safe(out, text + begin, end - begin);
    str_puts(out, "\n  ");
    str_repeat(out, " ", text_width(str_text(&before), before.length));
    pen(out, color, PEN_RED);
    str_repeat(out, "^", marks ? marks : 1);
    pen(out, color, PEN_OFF);
    str_putc(out, '\n');
    str_free(&before);
    str_free(&culprit);
}

void error_format(const struct error *e, const char *text, size_t width, bool color, struct str *out)
{
    static const char hint[] = "hint: ";
    struct str line = {0};
    pen(out, color, PEN_RED);
    str_puts(out, e->code == ST_CANCELLED ? "" : "error: ");
    pen(out, color, PEN_OFF);
    if (*e->source) {
        str_put_safe(out, e->source, strlen(e->source));
        str_puts(out, ": ");
    }
    str_put_safe(out, e->message, strlen(e->message));
    str_putc(out, '\n');
    if (text && *text && e->length)
        put_caret(e, text, color, out);
    if (*e->hint) {
        pen(out, color, PEN_CYAN);
        str_puts(out, hint);
        pen(out, color, PEN_OFF);
        size_t column = strlen(hint);
        for (const char *p = e->hint; *p;) { /* a hint may have lines of its own: a list of candidates */
            size_t n = strcspn(p, "\n");
            str_clear(&line);
            str_put_safe(&line, p, n);
            put_filled(out, str_text(&line), width, column, strlen(hint));
            column = 0;
            str_putc(out, '\n');
            p += n + (p[n] == '\n');
        }
    }
    str_free(&line);
}
