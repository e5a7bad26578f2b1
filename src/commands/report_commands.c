/* `report`: one page to send on. It is made of commands like any others: each section says the line that made it, so
 * that whoever reads it can ask the same again. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "commands/export.h"
#include "commands/families.h"
#include "commands/lex.h"
#include "commands/question.h"
#include "plot/plot.h"

enum { MOST_USERS = 20, ROWS = 40 };

struct page {
    struct sink sink; /* takes the results of the sections */
    struct workbench *wb;
    enum output_form form;
    struct str text;
    struct str line;    /* the command of the present section */
    struct str claim;   /* what can be said of the models, in the words of the comparison */
    struct str top;     /* the first item of the best model's list: "id:50" */
    struct str best[2]; /* models, as the leaderboard has them; empty before */
    bool bare;          /* the present section is its tables alone */
    size_t sections;
};

/* ---- the page ---- */

static void put_code(struct page *p, const char *line)
{
    if (p->form == OUTPUT_HTML) {
        str_puts(&p->text, "<p><code>");
        put_html(&p->text, line);
        str_puts(&p->text, "</code></p>\n");
    } else {
        str_puts(&p->text, "\n    ");
        str_put_safe(&p->text, line, strlen(line));
        str_puts(&p->text, "\n\n");
    }
}

static void put_heading(struct page *p, int level, const char *text)
{
    if (p->form == OUTPUT_HTML) {
        str_printf(&p->text, "<h%d>", level);
        put_html(&p->text, text);
        str_printf(&p->text, "</h%d>\n", level);
    } else {
        str_puts(&p->text, p->text.length ? "\n" : "");
        str_repeat(&p->text, "#", (size_t)level);
        str_putc(&p->text, ' ');
        put_markdown(&p->text, text);
        str_putc(&p->text, '\n');
    }
}

/* Markdown draws nothing: plots stand in it as they would on a terminal. */
static void put_plots(struct page *p, const struct result *r)
{
    const struct plot_options dots = {.width = 78, .kind = CANVAS_BRAILLE, .title = true};
    for (size_t i = 0; i < r->nseries; i++) {
        const struct series *one = r->series[i];
        str_puts(&p->text, "\n```text\n");
        plot_draw(&one, 1, &dots, &p->text);
        str_puts(&p->text, "```\n");
    }
}

/* The means of the leaderboard with their intervals, as a plot. */
static void plot_leaderboard(struct result *r, const struct table *t)
{
    size_t low = table_column(t, "low"), high = table_column(t, "high"), mean = low - 1;
    if (low == t->ncolumns || high == t->ncolumns || r->nseries || !t->nrows)
        return;
    const char *name = t->columns[mean].name;
    struct series *s = result_series(r, "intervals", result_textf(r, "%s, and 95 %% intervals over users", name),
                                     VALUE_TEXT, t->nrows, true);
    for (size_t i = 0; s && i < t->nrows; i++) {
        const struct value *y = table_value(t, i, mean), *from = table_value(t, i, low), *to = table_value(t, i, high);
        s->labels[i] = table_value(t, i, 0)->text;
        s->y[i] = y->null ? NAN : y->real;
        s->low[i] = from->null ? NAN : from->real;
        s->high[i] = to->null ? NAN : to->real;
    }
    if (s)
        s->style = "points";
}

static void note_best(struct page *p, struct result *r)
{
    const struct table *t = result_find_table(r, "leaderboard");
    if (!t || p->best[0].length)
        return;
    for (size_t i = 0; i < 2 && i < t->nrows; i++)
        str_puts(&p->best[i], table_value(t, i, 0)->text);
    for (size_t i = 0; i < r->nmessages && !p->claim.length; i++)
        if (r->messages[i].level == MESSAGE_INFO)
            str_puts(&p->claim, r->messages[i].text);
    plot_leaderboard(r, t);
}

/* Notes the first item of the best model's list, which the next section is about. */
static void note_top(struct page *p, const struct result *r)
{
    const struct table *t = result_find_table(r, "lists");
    struct str name = {0};
    str_printf(&name, "%s_item", str_text(&p->best[0]));
    size_t column = t && t->nrows ? table_column(t, str_text(&name)) : 0;
    if (t && t->nrows && column < t->ncolumns && !table_value(t, 0, column)->null)
        str_printf(&p->top, "id:%s", table_value(t, 0, column)->text);
    p->top.failed |= name.failed;
    str_free(&name);
}

static enum status take_result(struct sink *sink, struct result *r, struct error *err)
{
    struct page *p = sink->face;
    const struct render_options options = {
        .form = p->form, .part = true, .header = true, .messages = !p->bare, .max_rows = ROWS, .draw = plot_series};
    struct str body = {0};
    note_top(p, r);
    note_best(p, r);
    put_code(p, r->command ? r->command : str_text(&p->line));
    enum status st = result_render_text(r, &options, &body, err);
    if (!st) {
        str_append(&p->text, str_text(&body), body.length);
        if (p->form == OUTPUT_MARKDOWN)
            put_plots(p, r);
    }
    str_free(&body);
    return st;
}

/* What cannot be answered is no reason to go without the rest: the page says why it is missing. */
static enum status run_section(struct page *p, const char *heading, int level, struct error *err)
{
    struct error why = {0};
    if (p->line.failed || p->claim.failed || p->top.failed || p->best[0].failed || p->best[1].failed)
        return error_nomem(err, p->line.capacity, "a command line");
    put_heading(p, level, heading);
    enum status st = command_run(p->wb, str_text(&p->line), &p->sink, &why);
    if (st == ST_CANCELLED || st == ST_NOMEM || st == ST_IO) {
        if (err)
            *err = why;
        return st;
    }
    if (st) {
        struct str said = {0};
        put_code(p, str_text(&p->line));
        str_printf(&said, "%s%s%s%s", why.message, *why.hint ? " (" : "", why.hint, *why.hint ? ")" : "");
        put_heading(p, level + 1, str_text(&said));
        str_free(&said);
    }
    p->sections += !st;
    str_clear(&p->line);
    return p->text.failed ? error_nomem(err, p->text.capacity, "the report") : ST_OK;
}

/* ---- its sections ---- */

static void put_models(struct page *p, const struct question *q)
{
    for (size_t i = 0; i < q->nmodels; i++) {
        str_puts(&p->line, i ? " " : " with ");
        lex_quote(&p->line, q->models[i]->name);
    }
}

/* The first n of the leaderboard, or of those asked about when there is none. */
static void put_best(struct page *p, const struct question *q, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        str_puts(&p->line, i ? " " : " with ");
        lex_quote(&p->line, p->best[n - 1].length ? str_text(&p->best[i]) : q->models[i]->name);
    }
}

/* What only the machine is told, such as its memory, is left out. */
static enum status report_data(struct page *p, struct error *err)
{
    str_puts(&p->line, "status");
    p->bare = true;
    enum status st = run_section(p, "What is open", 2, err);
    p->bare = false;
    if (!st) {
        str_puts(&p->line, "events by=type");
        st = run_section(p, "Events by type", 2, err);
    }
    return st;
}

static enum status report_models(struct page *p, const struct call *call, const struct question *q, struct error *err)
{
    const char *metric = call_text(call, "metric");
    if (!q->nmodels)
        return ST_OK;
    str_puts(&p->line, "compare");
    if (metric)
        str_printf(&p->line, " metric=%s", metric);
    put_models(p, q);
    if (q->nmodels > 1) {
        str_puts(&p->line, " by=");
        lex_quote(&p->line, call_text(call, "by"));
    }
    enum status st =
        run_section(p, q->nmodels > 1 ? "Which model is better, and for whom" : "How good the model is", 2, err);
    if (!st && q->nmodels > 1) {
        str_puts(&p->line, "diff");
        put_best(p, q, 2);
        st = run_section(p, "Where the lists of the best two differ", 2, err);
    }
    return st;
}

static enum status report_user(struct page *p, const struct call *call, const struct question *q, const char *user,
                               struct error *err)
{
    struct str heading = {0};
    str_printf(&heading, "User %s", user);
    str_puts(&p->line, "user ");
    lex_quote(&p->line, user);
    if (q->nmodels) {
        put_models(p, q);
        str_printf(&p->line, " k=%lld", (long long)call_int(call, "k"));
        if (!p->best[0].length) /* nothing could be judged */
            str_puts(&p->best[0], q->models[0]->name);
    }
    str_clear(&p->top);
    enum status st = run_section(p, str_text(&heading), 2, err);
    str_free(&heading);
    if (st || (!p->top.length && !p->top.failed)) /* what failed is told by the next section */
        return st;
    str_puts(&p->line, "why ");
    lex_quote(&p->line, user);
    str_putc(&p->line, ' ');
    lex_quote(&p->line, str_text(&p->top));
    str_puts(&p->line, " with ");
    lex_quote(&p->line, str_text(&p->best[0]));
    str_printf(&heading, "Why the first by %s", str_text(&p->best[0]));
    st = run_section(p, str_text(&heading), 3, err);
    str_free(&heading);
    return st;
}

/* ---- the command ---- */

static enum status read_form(const struct word *path, enum output_form *form, struct error *err)
{
    if (output_form_of_path(path->text, form) && (*form == OUTPUT_HTML || *form == OUTPUT_MARKDOWN))
        return ST_OK;
    enum status st = error_set(err, ST_USAGE, "a report is a page: %s should end in .html or .md", path->text);
    return error_at_word(st, err, path);
}

/* The users of the call, else the current one; NULL past the last. */
static const char *user_at(const struct page *p, const struct call *call, const struct dataset *d, size_t i)
{
    if (i + 1 < call->nargs)
        return call->args[i + 1].text;
    return i == 0 && p->wb->user != NO_USER ? dict_text(&d->users, p->wb->user) : NULL;
}

static enum status write_page(const struct page *p, const struct word *path, struct error *err)
{
    struct file_draft *draft = NULL;
    enum status st = file_draft_open(path->text, &draft, err);
    if (st)
        return error_at_word(st, err, path);
    if (fwrite(p->text.data, 1, p->text.length, file_draft_stream(draft)) == p->text.length)
        return file_draft_commit(draft, err);
    st = error_errno(err, "write", path->text);
    file_draft_abandon(draft);
    return st;
}

static void put_paragraph(struct page *p, const char *text)
{
    if (p->form == OUTPUT_HTML) {
        str_puts(&p->text, "<p>");
        put_html(&p->text, text);
        str_puts(&p->text, "</p>\n");
    } else {
        str_putc(&p->text, '\n');
        put_markdown(&p->text, text);
        str_putc(&p->text, '\n');
    }
}

/* First what can be claimed, which is known when all is written. */
static void put_head(struct page *p, const char *dataset)
{
    struct str sections = p->text;
    char title[160], today[40], made[120];
    snprintf(title, sizeof title, "%.100s: models and users", dataset);
    time_short(today, sizeof today, clock_now_us());
    snprintf(made, sizeof made, "Made on %s. Each section begins with the command that says the same again.", today);
    p->text = (struct str){0};
    if (p->form == OUTPUT_HTML)
        put_html_head(&p->text, title);
    put_heading(p, 1, title);
    if (p->claim.length)
        put_paragraph(p, str_text(&p->claim));
    put_paragraph(p, made);
    if (p->form == OUTPUT_MARKDOWN)
        str_putc(&p->text, '\n');
    str_append(&p->text, str_text(&sections), sections.length);
    if (p->form == OUTPUT_HTML)
        put_html_tail(&p->text);
    p->text.failed |= sections.failed;
    str_free(&sections);
}

static enum status fill_page(struct page *p, const struct call *call, const struct question *q, struct error *err)
{
    enum status st = report_data(p, err);
    if (!st)
        st = report_models(p, call, q, err);
    for (size_t i = 0; !st && user_at(p, call, q->data, i); i++)
        st = report_user(p, call, q, user_at(p, call, q->data, i), err);
    put_head(p, q->data->name);
    return st;
}

static void put_written(const struct page *p, const char *path, struct result *out)
{
    static const struct column columns[] = {
        {.name = "file", .type = VALUE_TEXT},
        {.name = "sections", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "bytes", .type = VALUE_INT, .unit = "B", .flags = COLUMN_HIDDEN}, /* the machine is named in it */
    };
    struct table *t = result_table(out, "report", "", columns, 3);
    table_text(t, path);
    table_int(t, (int64_t)p->sections);
    table_int(t, (int64_t)p->text.length);
}

/* Sections look at users of their own; whose turn it was before is not forgotten. */
static enum status run_report(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct page p = {.sink = {.emit = take_result}, .wb = wb};
    struct question q;
    uint32_t user = wb->user;
    p.sink.face = &p;
    enum status st = question_open_data(wb, call, NULL, &q, err);
    if (!st)
        st = read_form(&call->args[0], &p.form, err);
    if (!st)
        st = error_at_word(export_check_free(call->args[0].text, call_yes(call, "replace"), err), err, &call->args[0]);
    for (size_t i = 1; i < call->nargs && !st; i++) {
        uint32_t known;
        st = dataset_find_user(q.data, call->args[i].text, &known, err);
        if (st)
            error_at_word(st, err, &call->args[i]);
    }
    if (!st && (wb->nmodels || call->nmodels)) {
        question_close(&q);
        st = question_open(wb, call, NULL, &q, err);
    }
    if (!st)
        st = fill_page(&p, call, &q, err);
    if (!st)
        st = p.text.failed ? error_nomem(err, p.text.capacity, "the report") : write_page(&p, &call->args[0], err);
    if (!st)
        put_written(&p, call->args[0].text, out);
    wb->user = user;
    str_free(&p.text);
    str_free(&p.line);
    str_free(&p.claim);
    str_free(&p.top);
    for (size_t i = 0; i < 2; i++)
        str_free(&p.best[i]);
    question_close(&q);
    return st;
}

static const struct argument report_args[] = {
    {.name = "FILE", .type = ARG_PATH, .doc = "ends in .html or .md"},
    {.name = "USER",
     .type = ARG_USER,
     .optional = true,
     .repeated = true,
     .doc = "users to be looked at; the current one when left out"},
};

static const struct param report_options[] = {
    {.name = "metric", .type = PARAM_METRIC, .doc = "what decides which model is better"},
    {.name = "by",
     .type = PARAM_TEXT,
     .initial = "history_length",
     .doc = "for whom: what `compare by=` takes, such as history_length or an attribute of users"},
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 100, .doc = "length of the lists"},
    {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "write over what is there"},
};

static const struct command rows[] = {
    {.name = "report",
     .group = "files",
     .summary = "one page to send on: data, leaderboard, chosen users",
     .arguments = report_args,
     .narguments = 2,
     .options = report_options,
     .noptions = sizeof report_options / sizeof *report_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_WITH,
     .help = "The page needs nothing beside itself: tables and plots are in it. Its sections are results of commands, "
             "whose lines stand above them: what is open, which model is better and for whom, where lists differ, and "
             "for each user their history, the lists side by side and the reason of the best model's first. What can "
             "be claimed of the models stands on top. What cannot be answered says why. Plots are drawn by gnuplot "
             "when it is installed.",
     .examples = (const char *const[]){"report page.html replace=yes",
                                       "report page.md ana chloe with ease pop k=3 replace=yes", NULL},
     .run = run_report},
};

const struct command_family report_commands = {rows, sizeof rows / sizeof *rows};
