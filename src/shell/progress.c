/* The progress line: on standard error, on a terminal only, after a second; and what a job says before it is done. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shell/session.h"

enum { BAR = 20 };

static void put_bar(struct str *out, double share, bool utf8)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    size_t parts = (size_t)(share * BAR * 8), whole = utf8 ? parts / 8 : (parts + 4) / 8, part = utf8 ? parts % 8 : 0;
    str_puts(out, utf8 ? "▕" : "[");
    str_repeat(out, utf8 ? "█" : "#", whole);
    str_puts(out, eighths[part]);
    str_repeat(out, " ", BAR - whole - (part != 0));
    str_puts(out, utf8 ? "▏" : "]");
}

/* "train ials  ▕████▌     ▏ 45%  7.2 epochs/s  3 s left  loss 0.412", and behind it the part that runs. */
static void describe(const struct job_view *v, bool utf8, struct str *out)
{
    char text[64];
    str_put_safe(out, v->what, strlen(v->what));
    str_puts(out, "  ");
    if (v->total) {
        put_bar(out, v->share, utf8);
        str_printf(out, " %.0f%%", v->share * 100);
    } else if (v->done) {
        text_count(text, sizeof text, (int64_t)v->done);
        str_printf(out, "%s %s", text, v->unit);
    }
    if (*v->part && v->total) {
        str_printf(out, "  %llu/%llu %s", (unsigned long long)v->done, (unsigned long long)v->total, v->unit);
    } else if (v->rate > 0 && *v->unit) {
        text_count(text, sizeof text, (int64_t)v->rate);
        if (v->rate < 100)
            snprintf(text, sizeof text, "%.1f", v->rate);
        str_printf(out, "  %s %s/s", text, v->unit);
    }
    text_duration(text, sizeof text, v->eta > 0 && v->total ? v->eta : v->elapsed);
    str_printf(out, "  %s%s", text, v->eta > 0 && v->total ? " left" : "");
    if (*v->last.name)
        str_printf(out, "  %s %.4g", v->last.name, v->last.value);
    if (*v->part) {
        str_puts(out, utf8 ? "  · " : "  - ");
        str_put_safe(out, v->part, strlen(v->part));
    }
}

static void put(const char *bytes, size_t n)
{
    while (n) {
        ssize_t done = write(STDERR_FILENO, bytes, n);
        if (done <= 0)
            return; /* a progress line that cannot be shown is no loss */
        bytes += done;
        n -= (size_t)done;
    }
}

void progress_paint(struct session *s)
{
    struct job_view view;
    struct str line = {0}, shown = {0};
    size_t rows, columns;
    if (!s->terminal.err || s->terminal.dumb || atomic_load(&s->paging) || pthread_mutex_trylock(&s->painting))
        return;
    job_look(&s->wb->job, &view);
    if (view.running) {
        terminal_size(&rows, &columns);
        describe(&view, s->terminal.utf8, &line);
        str_puts(&shown, "\r");
        str_put_column(&shown, str_text(&line), columns - 1, false, false, !s->terminal.utf8);
        str_puts(&shown, "\033[K");
        put(str_text(&shown), shown.length);
        s->progress_shown = true;
    }
    pthread_mutex_unlock(&s->painting);
    str_free(&line);
    str_free(&shown);
}

void progress_clear(struct session *s)
{
    static const char erase[] = "\r\033[K";
    if (s->progress_shown)
        put(erase, sizeof erase - 1);
    s->progress_shown = false;
}

void progress_say(struct session *s)
{
    struct job_view view;
    struct str line = {0};
    job_look(&s->wb->job, &view);
    if (view.notes == s->notes || atomic_load(&s->paging) || pthread_mutex_trylock(&s->painting))
        return;
    s->notes = view.notes;
    progress_clear(s);
    message_format(&(struct message){MESSAGE_INFO, view.note}, 0, s->terminal.err_color, &line);
    put(str_text(&line), line.length);
    pthread_mutex_unlock(&s->painting);
    str_free(&line);
}
