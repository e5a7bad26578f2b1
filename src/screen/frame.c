#include "screen/frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "commands/follow.h"
#include "result/render.h"
#include "screen/app.h"

enum { HEAD_ROWS = 2, FOOT_ROWS = 2, GAUGE_WIDTH = 10 };

bool frame_too_small(struct area whole)
{
    return whole.height < LEAST_HEIGHT || whole.width < LEAST_WIDTH_OF_SCREEN;
}

void frame_draw_too_small(struct area whole)
{
    char text[80];
    snprintf(text, sizeof text, "%dx%d is too small: make it %dx%d", whole.width, whole.height, LEAST_WIDTH_OF_SCREEN,
             LEAST_HEIGHT);
    area_wrap(whole, whole.height > 2 ? 1 : 0, 0, whole.width, whole.height, INK_DEFAULT, text);
}

struct area frame_body(struct area whole)
{
    return area_part(whole, HEAD_ROWS, 0, whole.height - HEAD_ROWS - FOOT_ROWS, -1);
}

/* ---- head ---- */

/* "following events.csv: +1,204", where nothing runs. */
static int draw_idle(struct app *app, struct area row, int right)
{
    struct str text = {0};
    follow_line(app_workbench(app), &text);
    int x = area_text_right(row, 0, right, LOOK_DIM, text.length ? str_text(&text) : "idle");
    str_free(&text);
    return x;
}

/* "train ease: inverting  43 % ████▎      ETA 3.0 s", or "idle"; returns where it begins. */
static int draw_job(struct app *app, struct area row)
{
    struct job_view job;
    int right = row.width - 1;
    if (!app_running(app))
        return draw_idle(app, row, right);
    app_look(app, &job);
    char text[160], eta[32] = "";
    if (job.running && job.share >= 0) {
        double share = job.share;
        if (job.eta >= 1) /* sooner than it is read there is nothing to announce */
            text_duration(eta, sizeof eta, job.eta);
        snprintf(text, sizeof text, "%3.0f %%%s%s", floor(share * 100), *eta ? "  ETA " : "", eta);
        int x = area_text_right(row, 0, right, LOOK_BOLD, text) - GAUGE_WIDTH - 1;
        area_column(row, 0, x, GAUGE_WIDTH, LOOK_DIM, false, "");
        area_bar(row, 0, x, GAUGE_WIDTH, share, INK_CYAN);
        right = x - 1;
    }
    snprintf(text, sizeof text, "%s", job.running && *job.what ? job.what : app_running_command(app));
    int width = (int)text_width(text, strlen(text));
    if (width >= right) { /* on a narrow screen its beginning must do */
        area_column(row, 0, 0, right > 0 ? right : 0, LOOK_BOLD, false, text);
        return 0;
    }
    return area_text_right(row, 0, right, LOOK_BOLD, text);
}

/* Nothing, and nothing behind it, where it does not fit. */
static int put_count(struct area row, int x, uint64_t n, const char *unit)
{
    char number[32];
    text_count(number, sizeof number, (int64_t)n);
    if (x + (int)(strlen(number) + 1 + strlen(unit)) > row.width)
        return row.width;
    x = area_text(row, 0, x, LOOK_BOLD, number);
    return area_printf(row, 0, x, INK_DEFAULT, " %s  ", unit);
}

static int64_t find_newest(struct frame_newest *newest, const struct dataset *d)
{
    int64_t oldest;
    if (!newest->known || newest->fingerprint != d->fingerprint) {
        newest->known = true;
        newest->fingerprint = d->fingerprint;
        if (!dataset_time_range(d, &oldest, &newest->time))
            newest->time = NO_TIME;
    }
    return newest->time;
}

static void draw_data(struct app *app, struct frame_newest *known, struct area row)
{
    struct workbench *wb = app_workbench(app);
    struct dataset *d = workbench_data(wb);
    int x = area_text(row, 0, 1, LOOK_BOLD | INK_CYAN, "tailor");
    if (!d) {
        area_text(row, 0, x + 2, LOOK_DIM, "no data yet");
        return;
    }
    x = area_printf(row, 0, x + 2, LOOK_BOLD, "%s", d->name) + 2;
    x = put_count(row, x, d->users.n, "users");
    x = put_count(row, x, d->items.n, "items");
    x = put_count(row, x, d->events.n, "events");
    int64_t newest = find_newest(known, d);
    if (wb->now != NO_TIME || newest != NO_TIME) {
        char day[40];
        if (wb->now != NO_TIME)
            time_short(day, sizeof day, wb->now);
        else
            time_short(day, sizeof day, newest - (newest % US_PER_DAY + US_PER_DAY) % US_PER_DAY);
        const char *clock = wb->now != NO_TIME ? "rewound to" : "as of";
        if (x + (int)(strlen(clock) + 1 + strlen(day)) <= row.width)
            area_printf(row, 0, x, wb->now != NO_TIME ? LOOK_BOLD | INK_YELLOW : LOOK_DIM, "%s %s", clock, day);
    }
    dataset_release(d);
}

static void draw_tabs(struct area row, size_t view, const char *before, const char *place)
{
    struct area tabs = area_part(row, 0, 0, 1, row.width - 8); /* help is there on any screen */
    int x = 1;
    for (size_t i = 0; views[i]; i++) {
        unsigned look = i == view ? LOOK_REVERSE | LOOK_BOLD : 0u;
        x = area_printf(tabs, 0, x, look, i == view ? "[%zu %s]" : " %zu %s ", i + 1, views[i]->title) + 1;
    }
    const char *arrow = area_glyph(row, " › ", " > ");
    struct str crumbs = {0};
    str_printf(&crumbs, "%s%s", before, views[view]->title);
    if (*place)
        str_printf(&crumbs, "%s%s", arrow, place);
    int help = area_text_right(row, 0, row.width - 1, LOOK_DIM, "? help");
    const char *words = str_text(&crumbs), *next;
    int width, room = help - 3 - x;
    while ((width = (int)text_width(words, strlen(words))) > room && (next = strstr(words, arrow)))
        words = next + strlen(arrow); /* where one is matters more than where one was */
    if (room > 8)
        area_column(row, 0, width < room ? help - 3 - width : x, width < room ? width : room, LOOK_DIM, false, words);
    str_free(&crumbs);
}

void frame_draw_head(struct app *app, struct frame_newest *newest, struct area whole, size_t view, const char *crumbs,
                     const char *place)
{
    struct area row = area_part(whole, 0, 0, 1, -1);
    int job = draw_job(app, row);
    draw_data(app, newest, area_part(row, 0, 0, 1, job > 1 ? job - 1 : 0));
    draw_tabs(area_part(whole, 1, 0, 1, -1), view, crumbs, place);
}

/* ---- foot ---- */

/* "Space switch   a add": three blanks part one from the next, the first word of each is the key. */
static int draw_keys(struct area row, int x, const char *keys)
{
    while (*keys) {
        const char *gap = strstr(keys, "   ");
        size_t n = gap ? (size_t)(gap - keys) : strlen(keys), key = strcspn(keys, " ");
        if (x + (int)text_width(keys, n) > row.width) /* half a key is none */
            return x - 3;
        x = area_printf(row, 0, x, LOOK_BOLD, "%.*s", (int)key, keys);
        if (key < n)
            x = area_printf(row, 0, x, LOOK_DIM, "%.*s", (int)(n - key), keys + key);
        keys += n + (gap ? 3 : 0);
        x += gap ? 3 : 0;
    }
    return x;
}

void frame_draw_foot(struct area whole, const struct frame_log *log, const struct frame_notice *notice,
                     const char *keys)
{
    struct area rule = area_part(whole, whole.height - 2, 0, 1, -1),
                last = area_part(whole, whole.height - 1, 0, 1, -1);
    char took[32] = "";
    if (log->seconds >= 0)
        text_duration(took, sizeof took, log->seconds);
    else if (*log->command)
        snprintf(took, sizeof took, "running");
    area_rule(rule, 0, LOOK_DIM, log->command, took);
    if (notice->kind == NOTICE_SAY) {
        area_column(last, 0, 1, last.width - 2, LOOK_BOLD, false, notice->text);
        return;
    }
    static const char *const always[] = {"q back", ": command", "? help"};
    int room = last.width - 3 - (int)strlen(always[0]) - 3 - (int)strlen(always[1]); /* these are told on any screen */
    int end = draw_keys(area_part(last, 0, 0, 1, room), 1, keys);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (end + 3 + (int)strlen(always[i]) <= last.width)
            end = draw_keys(last, end + 3, always[i]);
}

void frame_draw_error(struct area whole, const struct frame_notice *notice)
{
    if (notice->kind != NOTICE_ERROR || whole.height < 5)
        return;
    struct str text = {0};
    error_format(&notice->error, *notice->text ? notice->text : NULL, 0, false, &text);
    while (text.length && text.data[text.length - 1] == '\n')
        text.data[--text.length] = 0;
    int width = whole.width - 4, most = whole.height - 4;
    struct surface probe = {.ascii = whole.surface->ascii};
    int lines = surface_resize(&probe, most, width, NULL) == ST_OK
                    ? area_wrap(surface_area(&probe), 0, 0, width, most, INK_DEFAULT, str_text(&text))
                    : 1;
    surface_free(&probe);
    struct area box = area_part(whole, whole.height - 3 - lines, 0, lines + 2, -1);
    area_box(box, INK_RED, "it did not work", "any key goes on");
    area_wrap(box, 1, 2, width, lines, INK_DEFAULT, str_text(&text));
    str_free(&text);
}

/* ---- the dump ---- */

enum status frame_write(const struct surface *s, const char *path, struct error *err)
{
    struct str text = {0};
    struct file_draft *draft = NULL;
    struct surface bare = {.ascii = s->ascii};
    enum status st = surface_resize(&bare, s->height, s->width, err);
    if (st != ST_OK)
        return st;
    for (size_t i = 0; i < (size_t)s->height * (size_t)s->width; i++) {
        bare.cells[i] = s->cells[i];
        if (s->cells[i].line)
            bare.cells[i] = (struct surface_cell){.code = {' '}};
    }
    surface_dump(&bare, &text);
    surface_free(&bare);
    if (text.failed)
        st = error_nomem(err, text.length, "the view as text");
    if (st == ST_OK)
        st = file_draft_open(path, &draft, err);
    if (st == ST_OK && fwrite(str_text(&text), 1, text.length, file_draft_stream(draft)) != text.length) {
        st = error_errno(err, "write", path);
        file_draft_abandon(draft);
        draft = NULL;
    }
    if (st == ST_OK)
        st = file_draft_commit(draft, err);
    str_free(&text);
    return st;
}
