#include "screen/help.h"

#include <stdio.h>

#include "base/mem.h"
#include "screen/app.h"
#include "screen/scroll.h"

enum { MOST_WIDTH = 78, KEYS_WIDTH = 12 };

struct help_state {
    const struct view *view;
    struct scroll scroll;
    size_t lines;
};

static void close(void *state)
{
    mem_free(state);
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct help_state *h = state;
    (void)app;
    /* The cursor is the last line shown, so that going down moves the page at once. */
    if (h->scroll.cursor < h->scroll.top + h->scroll.page && (k == 'j' || k == K_DOWN) && h->scroll.page)
        h->scroll.cursor = h->scroll.top + h->scroll.page - 1;
    else if (k == 'k' || k == K_UP)
        h->scroll.cursor = h->scroll.top;
    return scroll_key(&h->scroll, h->lines, k);
}

/* Draws (or, outside the window, only counts) one line; returns the next line's number. */
static size_t put_row(const struct help_state *h, struct area in, size_t line, const char *keys, const char *what)
{
    int y = (int)line - (int)h->scroll.top;
    if (!what) {
        area_text(in, y, 0, LOOK_BOLD | INK_CYAN, keys);
        return line + 1;
    }
    area_column(in, y, 0, KEYS_WIDTH, LOOK_BOLD, false, keys);
    struct surface probe = {0};
    int width = in.width - KEYS_WIDTH - 1, lines = 1;
    if (surface_resize(&probe, 8, width > 0 ? width : 1, NULL) == ST_OK)
        lines = area_wrap(surface_area(&probe), 0, 0, width, 8, 0, what);
    surface_free(&probe);
    area_wrap(in, y, KEYS_WIDTH + 1, width, lines, INK_DEFAULT, what);
    return line + (size_t)lines;
}

static size_t put_rows(const struct help_state *h, struct area in, size_t line, const struct key_help *rows)
{
    for (; rows && rows->keys; rows++)
        line = put_row(h, in, line, rows->keys, rows->what);
    return line;
}

static void draw(struct app *app, void *state, struct area whole)
{
    struct help_state *h = state;
    (void)app;
    int width = whole.width - 2 < MOST_WIDTH ? whole.width - 2 : MOST_WIDTH, height = whole.height - 3;
    struct area box = area_part(whole, 1, (whole.width - width) / 2, height, width);
    char title[80];
    snprintf(title, sizeof title, "keys of %s", h->view->title);
    area_box(box, INK_CYAN, title, h->lines > h->scroll.page ? "j k scroll   Esc back" : "Esc back");
    struct area in = area_part(box, 1, 2, box.height - 2, box.width - 4);
    scroll_fit(&h->scroll, h->lines, (size_t)(in.height > 0 ? in.height : 0));
    size_t line = put_rows(h, in, 0, h->view->help);
    line = put_row(h, in, line + 1, "everywhere", NULL);
    h->lines = put_rows(h, in, line, app_keys());
}

static const struct overlay help_overlay = {.name = "help", .draw = draw, .key = key, .close = close};

void help_open(struct app *app)
{
    struct error err;
    struct help_state *h = mem_new(1, sizeof *h, "help", &err);
    if (!h) {
        app_fail(app, &err, NULL);
        return;
    }
    h->view = app_view(app);
    app_push(app, &help_overlay, h);
}
