#include "screen/prompt.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/command.h"
#include "screen/app.h"

enum { MOST_SHOWN = 8 };

struct prompt_state {
    struct prompt spec;
    struct line_edit edit;
    struct completion found; /* candidates on show; n == 0: none */
    size_t chosen;           /* the candidate that stands in the line; found.n: none yet */
    char hint[sizeof((struct completion *)0)->hint];
};

static void close(void *state)
{
    struct prompt_state *p = state;
    line_edit_free(&p->edit);
    completion_clear(&p->found);
    mem_free(p);
}

static void tell(struct app *app, struct prompt_state *p)
{
    completion_clear(&p->found);
    p->chosen = 0;
    p->hint[0] = 0;
    if (p->spec.changed)
        p->spec.changed(app, p->spec.context, str_text(&p->edit.text));
    struct completion hint = {0};
    if (p->spec.command && p->edit.text.length > 0 &&
        command_complete(app_workbench(app), str_text(&p->edit.text), p->edit.cursor, &hint, NULL) == ST_OK)
        memcpy(p->hint, hint.hint, sizeof p->hint);
    completion_clear(&hint);
}

/* Length of the beginning that all candidates share. */
static size_t common(const struct completion *c)
{
    size_t n = strlen(c->candidates[0]);
    for (size_t i = 1; i < c->n; i++) {
        size_t same = 0;
        while (same < n && c->candidates[i][same] == c->candidates[0][same])
            same++;
        n = same;
    }
    while (n > 0 && ((unsigned char)c->candidates[0][n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void put_word(struct prompt_state *p, const char *word, size_t n, bool finished)
{
    struct str text = {0};
    str_append(&text, word, n);
    if (finished && n > 0 && word[n - 1] != '=' && word[n - 1] != '/')
        str_putc(&text, ' ');
    if (!text.failed)
        line_edit_replace(&p->edit, p->found.start, str_text(&text));
    str_free(&text);
}

/* Tab: as far as the candidates agree, then through them one by one. */
static void complete(struct app *app, struct prompt_state *p, int step)
{
    if (p->found.n > 1) {
        size_t n = p->found.n;
        p->chosen = p->chosen >= n ? (step > 0 ? 0 : n - 1) : (p->chosen + n + (size_t)step) % n;
        put_word(p, p->found.candidates[p->chosen], strlen(p->found.candidates[p->chosen]), false);
        return;
    }
    struct error err;
    completion_clear(&p->found);
    if (command_complete(app_workbench(app), str_text(&p->edit.text), p->edit.cursor, &p->found, &err) != ST_OK) {
        app_fail(app, &err, NULL);
        return;
    }
    if (p->found.n == 1) {
        put_word(p, p->found.candidates[0], strlen(p->found.candidates[0]), true);
        tell(app, p);
    } else if (p->found.n > 1) {
        size_t n = common(&p->found);
        if (n > p->edit.cursor - p->found.start)
            put_word(p, p->found.candidates[0], n, false);
        p->chosen = p->found.n;
    }
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct prompt_state *p = state;
    if (k == K_ENTER) {
        if (p->spec.command && line_history_add(app_history(app), str_text(&p->edit.text), NULL) != ST_OK)
            app_say(app, "not kept in the history: out of memory");
        p->spec.done(app, p->spec.context, str_text(&p->edit.text));
        return false;
    }
    if (k == K_ESCAPE || (k == K_BACKSPACE && p->edit.text.length == 0)) {
        p->spec.done(app, p->spec.context, NULL);
        return false;
    }
    if (p->spec.command && (k == K_TAB || k == K_BACKTAB))
        complete(app, p, k == K_TAB ? 1 : -1);
    else if (line_edit_key(&p->edit, k))
        tell(app, p);
    return true;
}

static void draw_candidates(const struct prompt_state *p, struct area whole)
{
    size_t n = p->found.n, rows = n < MOST_SHOWN ? n : MOST_SHOWN;
    size_t chosen = p->chosen < n ? p->chosen : 0, first = chosen >= rows ? chosen - rows + 1 : 0;
    int width = 12, height = (int)rows + 2;
    for (size_t i = first; i < first + rows; i++) {
        int w = (int)text_width(p->found.candidates[i], strlen(p->found.candidates[i])) + 4;
        if (w > width)
            width = w;
    }
    struct area box = area_part(whole, whole.height - 1 - height, 1, height, width);
    char foot[48] = "";
    if (n > rows)
        snprintf(foot, sizeof foot, "%zu of %zu", chosen + 1, n);
    area_box(box, LOOK_DIM, NULL, foot);
    for (size_t i = 0; i < rows; i++)
        area_column(box, (int)i + 1, 1, width - 2, first + i == p->chosen ? LOOK_REVERSE : INK_DEFAULT, false,
                    p->found.candidates[first + i]);
}

static void draw(struct app *app, void *state, struct area whole)
{
    struct prompt_state *p = state;
    if (p->found.n > 1)
        draw_candidates(p, whole);
    int y = whole.height - 1;
    area_blank(area_part(whole, y, 0, 1, -1), INK_DEFAULT);
    int x = area_text(whole, y, 0, LOOK_BOLD, p->spec.label);
    x = line_edit_draw(&p->edit, whole, y, x, p->hint);
    app_set_cursor(app, whole, y, x);
}

static const struct overlay prompt_overlay = {.name = "prompt", .draw = draw, .key = key, .close = close};

void prompt_open(struct app *app, const struct prompt *prompt)
{
    struct error err;
    struct prompt_state *p = mem_new(1, sizeof *p, "a prompt", &err);
    if (!p) {
        app_fail(app, &err, NULL);
        return;
    }
    p->spec = *prompt;
    p->edit.history = prompt->command ? app_history(app) : NULL;
    line_edit_set(&p->edit, prompt->initial ? prompt->initial : "");
    if (prompt->command)
        tell(app, p);
    app_push(app, &prompt_overlay, p);
}

static void run_line(struct app *app, void *context, const char *text)
{
    (void)context;
    if (text)
        app_run(app, text, APP_SHOW);
}

void prompt_command(struct app *app, const char *initial)
{
    prompt_open(app, &(struct prompt){.label = ":", .initial = initial, .command = true, .done = run_line});
}
