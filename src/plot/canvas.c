#include "plot/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum status canvas_open(struct canvas *c, enum canvas_kind kind, size_t width, size_t height, struct error *err)
{
    static const size_t across[] = {1, 2, 2}, down[] = {1, 2, 4};
    *c = (struct canvas){.kind = kind, .width = width, .height = height, .across = across[kind], .down = down[kind]};
    c->cells = mem_new(width * height, sizeof *c->cells, "a canvas", err);
    return c->cells ? ST_OK : ST_NOMEM;
}

void canvas_close(struct canvas *c)
{
    mem_free(c->cells);
    c->cells = NULL;
}

static struct cell *cell_at(struct canvas *c, size_t column, size_t row)
{
    return column < c->width && row < c->height ? &c->cells[row * c->width + column] : NULL;
}

void canvas_dot(struct canvas *c, long x, long y, unsigned char ink)
{
    if (x < 0 || y < 0)
        return;
    size_t ux = (size_t)x, uy = (size_t)y;
    struct cell *cell = cell_at(c, ux / c->across, uy / c->down);
    if (!cell)
        return;
    cell->dots |= (unsigned char)(1u << (uy % c->down * c->across + ux % c->across));
    cell->ink = ink;
}

void canvas_line(struct canvas *c, long x0, long y0, long x1, long y1, unsigned char ink)
{
    long dx = labs(x1 - x0), dy = -labs(y1 - y0), error = dx + dy;
    for (;;) {
        canvas_dot(c, x0, y0, ink);
        if (x0 == x1 && y0 == y1)
            return;
        long twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x0 += x0 < x1 ? 1 : -1;
        }
        if (twice <= dx) {
            error += dx;
            y0 += y0 < y1 ? 1 : -1;
        }
    }
}

/* A character into a cell; outside is ignored. */
static void put_character(struct canvas *c, size_t column, size_t row, const char *character, unsigned char ink)
{
    struct cell *cell = cell_at(c, column, row);
    size_t n = strlen(character);
    if (!cell || n >= sizeof cell->text)
        return;
    memcpy(cell->text, character, n + 1);
    cell->ink = ink;
}

void canvas_bar(struct canvas *c, size_t column, double height, unsigned char ink)
{
    static const char *const eighths[] = {"", "▁", "▂", "▃", "▄", "▅", "▆", "▇"};
    bool ascii = c->kind == CANVAS_TEXT;
    double limit = (double)c->height;
    long parts = lround(fmin(fmax(height, 0), limit) * (ascii ? 1 : 8));
    if (parts == 0 && height > 0 && !ascii) /* something is more than nothing */
        parts = 1;
    size_t whole = (size_t)(ascii ? parts : parts / 8), part = (size_t)(ascii ? 0 : parts % 8);
    for (size_t i = 0; i < whole; i++)
        put_character(c, column, c->height - 1 - i, ascii ? "#" : "█", ink);
    if (part)
        put_character(c, column, c->height - 1 - whole, eighths[part], ink);
}

void canvas_ink(struct str *out, bool color, unsigned char ink)
{
    static const char *const codes[INKS + 1] = {"\033[0m",  "\033[36m", "\033[33m", "\033[32m",
                                                "\033[35m", "\033[34m", "\033[31m"};
    if (color)
        str_puts(out, codes[ink <= INKS ? ink : NO_INK]);
}

/* U+2800 and a bit a dot, numbered 1 2 3 7 down the left column, 4 5 6 8 down the right one. */
static void put_braille(struct str *out, unsigned dots)
{
    static const unsigned char bit[] = {0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80};
    unsigned pattern = 0;
    for (unsigned i = 0; i < 8; i++)
        if (dots & (1u << i))
            pattern |= bit[i];
    char utf8[3] = {(char)0xe2, (char)(0xa0 | pattern >> 6), (char)(0x80 | (pattern & 0x3f))};
    str_append(out, utf8, 3);
}

static void put_cell(const struct canvas *c, const struct cell *cell, struct str *out)
{
    static const char *const quadrants[] = {" ", "▘", "▝", "▀", "▖", "▌", "▞", "▛",
                                            "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█"};
    static const char signs[] = "*+ox#@";
    if (*cell->text)
        str_puts(out, cell->text);
    else if (!cell->dots)
        str_putc(out, ' ');
    else if (c->kind == CANVAS_BRAILLE)
        put_braille(out, cell->dots);
    else if (c->kind == CANVAS_BLOCK)
        str_puts(out, quadrants[cell->dots & 15]);
    else /* colour is never the only signal: every ink has a sign */
        str_putc(out, signs[cell->ink ? (cell->ink - 1) % INKS : 0]);
}

void canvas_row(const struct canvas *c, size_t row, bool color, struct str *out)
{
    const struct cell *cells = &c->cells[row * c->width];
    unsigned char ink = NO_INK;
    size_t n = c->width;
    while (n && !cells[n - 1].dots && !*cells[n - 1].text)
        n--;
    for (size_t i = 0; i < n; i++) {
        bool empty = !cells[i].dots && !*cells[i].text;
        if (!empty && cells[i].ink != ink) {
            ink = cells[i].ink;
            canvas_ink(out, color, ink);
        }
        put_cell(c, &cells[i], out);
    }
    if (ink != NO_INK)
        canvas_ink(out, color, NO_INK);
}
