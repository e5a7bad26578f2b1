/* Plots for pages: SVG by gnuplot, when it is there; else the dots of a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plot/plot.h"

extern char **environ;

enum { WIDTH = 760, HEIGHT = 300, ROW = 24, EDGES = 90 /* pixels */ };

/* Text for a script: between single quotes gnuplot takes everything as it is but the quote itself. */
static void put_quoted(FILE *f, const char *text)
{
    struct str safe = {0};
    str_put_safe(&safe, text, strlen(text));
    fputc('\'', f);
    for (const char *p = str_text(&safe); *p; p++)
        if (*p == '\'')
            fputs("''", f);
        else
            fputc(*p, f);
    fputc('\'', f);
    str_free(&safe);
}

static void put_number(FILE *f, double x)
{
    if (isfinite(x))
        fprintf(f, " %.10g", x);
    else
        fputs(" NaN", f);
}

/* $s0, $s1 ...: x y low high; of rows x is the place from the top. */
static void put_data(FILE *f, const struct series *s, size_t index)
{
    bool rows = s->x_type == VALUE_TEXT;
    fprintf(f, "$s%zu << END\n", index);
    for (size_t i = 0; i < s->n; i++) {
        put_number(f, rows ? (double)(s->n - i) : s->x_type == VALUE_TIME ? s->x[i] / 1e6 : s->x[i]);
        put_number(f, s->y[i]);
        put_number(f, s->low ? s->low[i] : s->y[i]);
        put_number(f, s->low ? s->high[i] : s->y[i]);
        fputc('\n', f);
    }
    fputs("END\n", f);
}

static void put_label(FILE *f, const char *axis, const char *text)
{
    if (!text || !*text)
        return;
    fprintf(f, "set %s ", axis);
    put_quoted(f, text);
    fputc('\n', f);
}

/* One row a label: bars from 0, or intervals. */
static void put_rows(FILE *f, const struct series *s)
{
    fputs("set ytics (", f);
    for (size_t i = 0; i < s->n; i++) {
        fputs(i ? ", " : "", f);
        put_quoted(f, s->labels[i]);
        fprintf(f, " %zu", s->n - i);
    }
    fprintf(f, ")\nset yrange [0.3:%zu.7]\nset grid x lt 0 lc '#d1d5db'\n", s->n);
    if (s->low)
        fputs("plot $s0 using 2:1:3:4 with xerrorbars lt 1 pt 7 ps .7 lw 1.6 notitle\n", f);
    else
        fputs("set style fill solid .8 noborder\n"
              "plot $s0 using (0):1:(0):2:($1-.35):($1+.35) with boxxyerror lt 1 notitle\n", f);
}

static void put_curves(FILE *f, const struct series *const *series, size_t n)
{
    fputs("set grid lt 0 lc '#d1d5db'\n", f);
    if (series[0]->x_type == VALUE_TIME)
        fputs("set xdata time\nset timefmt '%s'\nset format x '%Y-%m-%d'\nset xtics nomirror rotate by -30\n", f);
    fputs("set style fill solid .8 noborder\nplot ", f);
    for (size_t i = 0; i < n; i++) {
        const struct series *s = series[i];
        const char *with = strcmp(s->style, "bar") == 0      ? "boxes"
                           : strcmp(s->style, "points") == 0 ? "points pt 7 ps .5"
                                                             : "lines lw 2";
        fprintf(f, "%s$s%zu using 1:2 with %s lt %zu ", i ? ", " : "", i, with, i + 1);
        if (n > 1) {
            fputs("title ", f);
            put_quoted(f, s->title);
        } else {
            fputs("notitle", f);
        }
        if (s->low)
            fprintf(f, ", $s%zu using 1:2:3:4 with yerrorbars lt %zu pt 7 ps .5 notitle", i, i + 1);
    }
    fputc('\n', f);
}

static void put_script(FILE *f, const struct series *const *series, size_t n)
{
    static const char *const colors[] = {"#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2"};
    const struct series *first = series[0];
    bool rows = first->x_type == VALUE_TEXT;
    size_t height = rows ? EDGES + ROW * first->n : HEIGHT;
    fprintf(
        f,
        "set terminal svg size %d,%zu dynamic noenhanced font 'sans-serif,12'\n"
        "set encoding utf8\n"
        "set border 3 lc '#9ca3af'\n"
        "set tics nomirror textcolor rgb '#374151'\n"
        "set key outside top right\n",
        WIDTH, height);
    for (size_t i = 0; i < sizeof colors / sizeof *colors; i++)
        fprintf(f, "set linetype %zu lc rgb '%s'\n", i + 1, colors[i]);
    put_label(f, "title", first->group ? first->group : first->title);
    put_label(f, rows ? "ylabel" : "xlabel", first->x_label);
    put_label(f, rows ? "xlabel" : "ylabel", first->y_label);
    for (size_t i = 0; i < (rows ? 1 : n); i++)
        put_data(f, series[i], i);
    if (rows)
        put_rows(f, first);
    else
        put_curves(f, series, n);
}

/* Runs gnuplot on a script; what it writes is appended to out. False when it is not there or did not draw. */
static bool run(FILE *script, struct str *out)
{
    char *const argv[] = {(char *)"gnuplot", NULL};
    posix_spawn_file_actions_t actions;
    char bytes[4096];
    int ends[2], state = -1;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC))
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (ssize_t n = 1; !failed && n;) {
        n = read(ends[0], bytes, sizeof bytes);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            str_append(out, bytes, (size_t)n);
    }
    close(ends[0]);
    while (!failed && waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    return !failed && state == 0;
}

/* Appends what is between two places but its titles, which say who drew it instead of what: those who cannot see it
 * would hear them, and a mouse shows them. */
static void put_untitled(struct str *out, const char *from, const char *end)
{
    static const char *const left_out[][2] = {{"<title>", "</title>"}, {"<desc>", "</desc>"}};
    while (from < end) {
        const char *close = NULL;
        size_t i;
        for (i = 0; i < 2 && !close; i++)
            close = strncmp(from, left_out[i][0], strlen(left_out[i][0])) == 0 ? strstr(from, left_out[i][1]) : NULL;
        if (close && close < end)
            from = close + strlen(left_out[i - 1][1]);
        else
            str_putc(out, *from++);
    }
}

static bool put_svg(const struct series *const *series, size_t n, struct str *out)
{
    struct str page = {0};
    FILE *script = tmpfile();
    bool drawn = false;
    if (script) {
        put_script(script, series, n);
        rewind(script);
        drawn = !ferror(script) && run(script, &page);
        fclose(script);
    }
    const char *begin = drawn ? strstr(str_text(&page), "<svg") : NULL, *end = begin ? strstr(begin, "</svg>") : NULL;
    if (end) {
        str_puts(out, "<div class=\"t\"><svg role=\"img\" aria-label=\"");
        put_html(out, series[0]->group ? series[0]->group : series[0]->title);
        str_putc(out, '"');
        put_untitled(out, begin + 4, end + 6);
        str_puts(out, "</div>");
    }
    out->failed |= page.failed;
    str_free(&page);
    return end != NULL;
}

void plot_page(const struct series *const *series, size_t n, struct str *out)
{
    const struct plot_options dots = {.width = 100, .kind = CANVAS_BRAILLE, .title = true};
    struct str text = {0};
    if (n && put_svg(series, n, out)) {
        str_putc(out, '\n');
        return;
    }
    plot_draw(series, n, &dots, &text);
    str_puts(out, "<pre>");
    put_html(out, str_text(&text));
    str_puts(out, "</pre>\n");
    out->failed |= text.failed;
    str_free(&text);
}
