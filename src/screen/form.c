#include "screen/form.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/lex.h"
#include "screen/app.h"
#include "screen/scroll.h"

enum { FIELD_WIDTH = 12, NAME_WIDTH = 14 };

struct form_state {
    char title[80], command[128];
    const struct param **params;
    struct line_edit *fields; /* empty: the default */
    size_t n;
    struct scroll rows;
};

static void close(void *state)
{
    struct form_state *f = state;
    for (size_t i = 0; f->fields && i < f->n; i++)
        line_edit_free(&f->fields[i]);
    mem_free(f->fields);
    mem_free(f->params);
    mem_free(f);
}

static void compose(const struct form_state *f, struct str *out)
{
    str_puts(out, f->command);
    for (size_t i = 0; i < f->n; i++)
        if (f->fields[i].text.length) {
            str_printf(out, " %s=", f->params[i]->name);
            lex_quote(out, str_text(&f->fields[i].text));
        }
}

/* What is wrong with field i, or "". */
static void check(const struct form_state *f, size_t i, struct error *err)
{
    struct param_value value = {0};
    err->message[0] = 0;
    if (f->fields[i].text.length && param_parse(f->params[i], str_text(&f->fields[i].text), &value, err) == ST_OK)
        err->message[0] = 0;
    param_values_free(&value, 1);
}

static bool submit(struct app *app, struct form_state *f)
{
    struct error err;
    for (size_t i = 0; i < f->n; i++) {
        check(f, i, &err);
        if (*err.message) {
            f->rows.cursor = i;
            return true;
        }
    }
    struct str command = {0};
    compose(f, &command);
    if (!command.failed)
        app_run(app, str_text(&command), APP_QUIET);
    str_free(&command);
    return false;
}

/* The next choice of an ENUM or BOOL field. */
static void turn(struct form_state *f, size_t i)
{
    const struct param *p = f->params[i];
    const char *now = f->fields[i].text.length ? str_text(&f->fields[i].text) : p->initial;
    char choice[64];
    if (p->type == PARAM_BOOL) {
        line_edit_set(&f->fields[i], now && strcmp(now, "yes") == 0 ? "no" : "yes");
        return;
    }
    size_t n = param_choice_count(p), at = 0;
    for (size_t c = 0; c < n; c++)
        if (param_choice(p, c, choice, sizeof choice) && now && strcmp(choice, now) == 0)
            at = c + 1;
    if (n && param_choice(p, at % n, choice, sizeof choice))
        line_edit_set(&f->fields[i], choice);
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct form_state *f = state;
    switch (k) {
    case K_ESCAPE: return false;
    case K_ENTER: return submit(app, f);
    case K_UP: case K_BACKTAB: scroll_key(&f->rows, f->n, K_UP); return true;
    case K_DOWN: case K_TAB: scroll_key(&f->rows, f->n, K_DOWN); return true;
    case K_PAGE_UP: case K_PAGE_DOWN: scroll_key(&f->rows, f->n, k); return true;
    default: break;
    }
    if (f->rows.cursor >= f->n)
        return true;
    const struct param *p = f->params[f->rows.cursor];
    if (k == K_SPACE && (p->type == PARAM_ENUM || p->type == PARAM_BOOL))
        turn(f, f->rows.cursor);
    else
        line_edit_key(&f->fields[f->rows.cursor], k);
    return true;
}

static void draw_range(struct area row, int x, const struct param *p)
{
    char text[128] = "";
    if (p->type == PARAM_ENUM && p->choices)
        snprintf(text, sizeof text, "%s (Space)", p->choices);
    else if (p->type == PARAM_BOOL)
        snprintf(text, sizeof text, "yes|no (Space)");
    else if (p->min != 0 || p->max != 0)
        snprintf(text, sizeof text, "%g to %g", p->min, p->max);
    struct str what = {0};
    param_describe(p, &what);
    area_printf(row, 0, x, LOOK_DIM, "%s%s%s", str_text(&what), *text ? ", " : "", text);
    str_free(&what);
}

static void draw_field(struct app *app, struct form_state *f, struct area row, size_t i)
{
    const struct param *p = f->params[i];
    bool here = i == f->rows.cursor;
    area_column(row, 0, 0, NAME_WIDTH, here ? LOOK_BOLD | INK_CYAN : 0u, false, p->name);
    struct area field = area_part(row, 0, NAME_WIDTH + 1, 1, FIELD_WIDTH);
    if (f->fields[i].text.length == 0)
        area_column(field, 0, 0, FIELD_WIDTH, LOOK_DIM, false, p->initial ? p->initial : "-");
    if (f->fields[i].text.length) {
        int x = line_edit_draw(&f->fields[i], field, 0, 0, NULL);
        area_relook(field, 0, 0, FIELD_WIDTH, 0, LOOK_BOLD);
        if (here)
            app_set_cursor(app, field, 0, x);
    } else if (here) {
        app_set_cursor(app, field, 0, 0);
    }
    area_relook(field, 0, 0, FIELD_WIDTH, 0, LOOK_UNDERLINE);
    draw_range(row, NAME_WIDTH + FIELD_WIDTH + 3, p);
}

static void draw(struct app *app, void *state, struct area whole)
{
    struct form_state *f = state;
    struct error err = {0};
    int width = whole.width - 4 < 92 ? whole.width - 4 : 92, height = (int)f->n + 6;
    if (height > whole.height - 4)
        height = whole.height - 4;
    struct area box = area_part(whole, 2, (whole.width - width) / 2, height, width);
    area_box(box, INK_CYAN, f->title, "Enter run   Tab next   Esc back");
    struct area in = area_part(box, 1, 2, box.height - 2, box.width - 4);
    int rows = in.height - 3;
    scroll_fit(&f->rows, f->n, rows > 0 ? (size_t)rows : 0);
    for (int y = 0; y < rows && f->rows.top + (size_t)y < f->n; y++)
        draw_field(app, f, area_part(in, y, 0, 1, -1), f->rows.top + (size_t)y);
    struct str command = {0};
    compose(f, &command);
    area_hline(in, in.height - 3, 0, in.width, LOOK_DIM);
    if (f->rows.cursor < f->n)
        check(f, f->rows.cursor, &err);
    if (*err.message)
        area_wrap(in, in.height - 2, 0, in.width, 2, INK_RED, err.message);
    else
        area_column(in, in.height - 2, 0, in.width, LOOK_BOLD, false, str_text(&command));
    str_free(&command);
}

static const struct overlay form_overlay = {.name = "form", .draw = draw, .key = key, .close = close};

void form_open(struct app *app, const struct form *form)
{
    struct error err;
    struct form_state *f = mem_new(1, sizeof *f, "a form", &err);
    if (!f) {
        app_fail(app, &err, NULL);
        return;
    }
    f->n = form->n;
    f->params = mem_new(form->n, sizeof *f->params, "a form", &err);
    f->fields = mem_new(form->n, sizeof *f->fields, "a form", &err);
    if (!f->params || !f->fields) {
        close(f);
        app_fail(app, &err, NULL);
        return;
    }
    memcpy(f->params, form->params, form->n * sizeof *f->params);
    snprintf(f->title, sizeof f->title, "%s", form->title);
    snprintf(f->command, sizeof f->command, "%s", form->command);
    app_push(app, &form_overlay, f);
}
