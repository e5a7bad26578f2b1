#include "screen/plot_pane.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plot/plot.h"

/* The look after an escape sequence "...m" of the plots (p is behind the "ESC["); *end is set behind it. */
static unsigned read_look(const char *p, unsigned look, const char **end)
{
    for (;;) {
        char *after;
        long code = strtol(p, &after, 10);
        if (code == 0)
            look = INK_DEFAULT;
        else if (code == 1)
            look |= LOOK_BOLD;
        else if (code == 2)
            look |= LOOK_DIM;
        else if ((code >= 31 && code <= 36) || (code >= 91 && code <= 96))
            look = (look & ~(unsigned)INK_MASK) | (unsigned)(code % 10);
        if (*after != ';') {
            *end = *after == 'm' ? after + 1 : after;
            return look;
        }
        p = after + 1;
    }
}

static void put_line(struct area a, int y, const char *line, size_t n)
{
    unsigned look = INK_DEFAULT;
    int x = 0;
    for (const char *p = line, *stop = line + n; p < stop;) {
        if (p[0] == '\033' && p + 1 < stop && p[1] == '[') {
            look = read_look(p + 2, look, &p);
            continue;
        }
        const char *escape = memchr(p, '\033', (size_t)(stop - p));
        const char *end = escape ? escape : stop;
        char *run = end > p ? mem_strndup(p, (size_t)(end - p), NULL) : NULL;
        if (run)
            x = area_text(a, y, x, look, run);
        mem_free(run);
        p = end > p ? end : p + 1;
    }
}

void plot_pane(struct area a, const struct series *const *series, size_t n)
{
    if (a.height < 3 || a.width < 16)
        return;
    struct str text = {0};
    struct plot_options options = {.width = (size_t)a.width, .height = (size_t)a.height, .color = true,
                                   .kind = a.surface->ascii ? CANVAS_TEXT : CANVAS_BRAILLE};
    plot_draw(series, n, &options, &text);
    const char *p = str_text(&text);
    for (int y = 0; *p && y < a.height; y++) {
        size_t length = strcspn(p, "\n");
        put_line(a, y, p, length);
        p += length + (p[length] == '\n');
    }
    str_free(&text);
}

void plot_pane_canvas(struct area a, const struct canvas *c)
{
    struct str row = {0};
    for (size_t y = 0; y < c->height && (int)y < a.height; y++) {
        str_clear(&row);
        canvas_row(c, y, true, &row);
        put_line(a, (int)y, str_text(&row), row.length);
    }
    str_free(&row);
}
