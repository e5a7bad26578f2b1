#include "screen/picker.h"

#include <string.h>

#include "base/mem.h"
#include "screen/app.h"
#include "screen/scroll.h"

enum { DETAIL_ROWS = 5, MOST_WIDTH = 76 };

struct picker_state {
    struct picker spec;
    struct line_edit edit;
    struct picker_row *rows;
    size_t n;
    struct scroll scroll;
};

static void close(void *state)
{
    struct picker_state *p = state;
    line_edit_free(&p->edit);
    mem_free(p->rows);
    mem_free(p);
}

static void fill(struct app *app, struct picker_state *p)
{
    p->n = p->spec.fill(app, p->spec.context, str_text(&p->edit.text), p->rows, p->spec.most);
    p->scroll.cursor = p->scroll.top = 0;
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct picker_state *p = state;
    switch (k) {
    case K_ESCAPE:
        return false;
    case K_ENTER:
        if (p->scroll.cursor < p->n)
            p->spec.chosen(app, p->spec.context, p->rows[p->scroll.cursor].id);
        return false;
    case K_UP: case K_DOWN: case K_PAGE_UP: case K_PAGE_DOWN:
        scroll_key(&p->scroll, p->n, k);
        return true;
    case K_CTRL('n'): case K_TAB:
        scroll_key(&p->scroll, p->n, K_DOWN);
        return true;
    case K_CTRL('p'): case K_BACKTAB:
        scroll_key(&p->scroll, p->n, K_UP);
        return true;
    default:
        if (line_edit_key(&p->edit, k))
            fill(app, p);
        return true;
    }
}

static void draw(struct app *app, void *state, struct area whole)
{
    struct picker_state *p = state;
    int width = whole.width - 4 < MOST_WIDTH ? whole.width - 4 : MOST_WIDTH, height = whole.height - 4;
    int detail = p->spec.detail && height >= 12 ? DETAIL_ROWS : 0, wanted = (int)p->spec.most + 4 + detail;
    if (wanted < height)
        height = wanted;
    struct area box = area_part(whole, 2, (whole.width - width) / 2, height, width);
    area_box(box, INK_CYAN, p->spec.title, "Enter choose   Esc back");
    struct area in = area_part(box, 1, 2, box.height - 2, box.width - 4);
    int rows = in.height - 1 - (detail ? detail + 1 : 0), x = area_printf(in, 0, 0, LOOK_BOLD, "%s ", p->spec.label);
    int cursor = line_edit_draw(&p->edit, in, 0, x, NULL);
    scroll_fit(&p->scroll, p->n, rows > 0 ? (size_t)rows : 0);
    if (p->n == 0 && rows > 0)
        area_text(in, 1, 0, LOOK_DIM, "nothing fits");
    for (int i = 0; i < rows && p->scroll.top + (size_t)i < p->n; i++) {
        const struct picker_row *r = &p->rows[p->scroll.top + (size_t)i];
        unsigned look = p->scroll.top + (size_t)i == p->scroll.cursor ? LOOK_REVERSE : 0u;
        int note = (int)text_width(r->note, strlen(r->note));
        area_column(in, 1 + i, 0, in.width, look, false, "");
        area_column(in, 1 + i, 0, in.width - note - 1, look, false, r->text);
        area_text_right(in, 1 + i, in.width, look ? look : LOOK_DIM, r->note);
    }
    if (detail && p->scroll.cursor < p->n) {
        struct str text = {0};
        p->spec.detail(app, p->spec.context, p->rows[p->scroll.cursor].id, &text);
        area_hline(in, 1 + rows, 0, in.width, LOOK_DIM);
        area_wrap(in, 2 + rows, 0, in.width, detail, INK_DEFAULT, str_text(&text));
        str_free(&text);
    }
    app_set_cursor(app, in, 0, cursor);
}

static const struct overlay picker_overlay = {.name = "picker", .draw = draw, .key = key, .close = close};

void picker_open(struct app *app, const struct picker *picker)
{
    struct error err;
    struct picker_state *p = mem_new(1, sizeof *p, "a list to choose from", &err);
    if (p) {
        p->spec = *picker;
        p->rows = mem_new(picker->most, sizeof *p->rows, "a list to choose from", &err);
    }
    if (!p || !p->rows) {
        mem_free(p);
        app_fail(app, &err, NULL);
        return;
    }
    fill(app, p);
    app_push(app, &picker_overlay, p);
}
