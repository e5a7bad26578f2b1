/* html: a page that needs nothing beside itself, or a part of one.
 *
 * People see here what they see in a box: hidden columns are left out, bars stand beside numbers. Text of the data is
 * text: what would be a tag is spelled out, and control characters are visible as on a terminal. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "result/writer.h"

static const char style[] =
    ":root{color-scheme:light}body{font:15px/1.5 "
    "system-ui,sans-serif;color:#1f2937;background:#fff;max-width:62rem;margin:2rem auto;padding:0 "
    "1rem}h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.4rem;border-bottom:1px solid "
    "#e5e7eb}h3{font-size:1rem}.t{overflow-x:auto;margin:.8rem "
    "0}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}caption{text-align:left;font-weight:600;padding:.2rem "
    "0}th{text-align:left;border-bottom:2px solid #9ca3af}th,td{padding:.15rem .7rem .15rem "
    "0;vertical-align:top}td{border-bottom:1px solid "
    "#f3f4f6}.n{text-align:right}.b{min-width:8em}.bar{display:inline-block;height:.7em;background:#2563eb}.bar.minus{background:#dc2626}code,pre{font:.85rem/1.35 "
    "ui-monospace,monospace;background:#f6f7f9}code{padding:.1em "
    ".3em;overflow-wrap:anywhere}pre{padding:.6rem;overflow-x:auto}.warning{color:#b45309}.hint,.more{color:#6b7280}svg{max-width:100%;height:auto}@media "
    "screen and (max-width:40rem){svg{max-width:none;width:36rem}}@media "
    "print{:root{font-size:11px}body{font-size:1rem;margin:0;max-width:none}.t{overflow:visible}h2,h3,caption{break-after:avoid}tr,svg{break-inside:avoid}.bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

void put_html(struct str *out, const char *text)
{
    struct str safe = {0};
    str_put_safe(&safe, text, strlen(text));
    for (const char *p = str_text(&safe); *p; p++) {
        const char *entity = *p == '<'   ? "&lt;"
                             : *p == '>' ? "&gt;"
                             : *p == '&' ? "&amp;"
                             : *p == '"' ? "&quot;"
                                         : NULL;
        if (entity)
            str_puts(out, entity);
        else
            str_putc(out, *p);
    }
    out->failed |= safe.failed;
    str_free(&safe);
}

void put_html_head(struct str *out, const char *title)
{
    str_puts(
        out,
        "<!DOCTYPE html>\n"
        "<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
        "<title>");
    put_html(out, title);
    str_printf(out, "</title>\n<style>%s</style></head><body>\n", style);
}

void put_html_tail(struct str *out)
{
    str_puts(out, "</body></html>\n");
}

static bool is_number(const struct column *c)
{
    return c->type == VALUE_INT || c->type == VALUE_REAL;
}

static double number(const struct column *c, const struct value *v)
{
    return v->null ? 0 : c->type == VALUE_INT ? (double)v->integer : v->real;
}

enum { WIDEST = 8 }; /* of a bar, in em */

/* What the bars of a column stand for: from the least number (0 at most) to the greatest (0 at least). */
struct bars {
    double low, high;
};

/* Of each column; of a table that streams none: its rows are not known before. */
static struct bars *measure_bars(const struct table *t, struct error *err)
{
    struct bars *bars = mem_new(t->ncolumns, sizeof *bars, "the bars of a table", err);
    for (size_t c = 0; bars && !t->next && c < t->ncolumns; c++) {
        for (size_t r = 0; (t->columns[c].flags & COLUMN_BAR) && r < t->nrows; r++) {
            double x = number(&t->columns[c], &t->values[r * t->ncolumns + c]);
            if (!isfinite(x))
                continue;
            bars[c].low = fmin(bars[c].low, x);
            bars[c].high = fmax(bars[c].high, x);
        }
    }
    return bars;
}

/* Bars of one column begin at one line: those of negative numbers end there. */
static void put_bar(struct str *out, double x, const struct bars *b)
{
    double unit = b->high > b->low ? WIDEST / (b->high - b->low) : 0, width = isfinite(x) ? fabs(x) * unit : 0;
    if (width >= .01)
        str_printf(out, "<span class=\"bar%s\" style=\"margin-left:%.2fem;width:%.2fem\"></span>",
                   x < 0 ? " minus" : "", fmax(0, (fmin(x, 0) - b->low) * unit), width);
}

static void put_heading(struct str *out, const struct table *t)
{
    str_puts(out, "<div class=\"t\"><table>");
    if (*t->title) {
        str_puts(out, "<caption>");
        put_html(out, t->title);
        str_puts(out, "</caption>");
    }
    str_puts(out, "\n<thead><tr>"); /* which a printer repeats on each page */
    for (size_t c = 0; c < t->ncolumns; c++) {
        if (t->columns[c].flags & COLUMN_HIDDEN)
            continue;
        bool bar = t->columns[c].flags & COLUMN_BAR; /* a cell of its own, beside its number */
        str_puts(out, bar                         ? "<th scope=\"col\" colspan=\"2\">"
                      : is_number(&t->columns[c]) ? "<th scope=\"col\" class=\"n\">"
                                                  : "<th scope=\"col\">");
        put_html(out, t->columns[c].name);
        str_puts(out, "</th>");
    }
    str_puts(out, "</tr></thead>\n<tbody>\n");
}

static void put_row(struct writer *w, const struct table *t, const struct value *row, const struct bars *bars,
                    struct str *cell)
{
    struct str *out = &w->text;
    str_puts(out, "<tr>");
    for (size_t c = 0; c < t->ncolumns; c++) {
        const struct column *column = &t->columns[c];
        if (column->flags & COLUMN_HIDDEN)
            continue;
        bool bar = column->flags & COLUMN_BAR;
        str_reuse(cell);
        cell_format(column, &row[c], false, cell);
        str_puts(out, is_number(column) ? "<td class=\"n\">" : "<td>");
        put_html(out, str_text(cell));
        if (bar) {
            str_puts(out, "</td><td class=\"b\">");
            put_bar(out, number(column, &row[c]), &bars[c]);
        }
        str_puts(out, "</td>");
    }
    str_puts(out, "</tr>\n");
}

static enum status put_paragraphs(struct writer *w, struct table *t, struct error *err)
{
    struct walk walk;
    const struct value *row = NULL;
    enum status st = walk_begin(&walk, t, w->job, err);
    while (!st && !(st = walk_next(&walk, &row, err)) && row) {
        str_puts(&w->text, "<p>");
        put_html(&w->text, row[0].null ? "" : row[0].text);
        str_puts(&w->text, "</p>\n");
        st = writer_spill(w, err);
    }
    return st;
}

enum status render_html_table(struct writer *w, struct table *t, struct error *err)
{
    struct walk walk;
    struct str cell = {0};
    const struct value *row = NULL;
    size_t most = w->options->max_rows, left = 0;
    if (t->prose)
        return put_paragraphs(w, t, err);
    struct bars *bars = measure_bars(t, err);
    if (!bars)
        return ST_NOMEM;
    put_heading(&w->text, t);
    enum status st = walk_begin(&walk, t, w->job, err);
    while (!st && !(st = walk_next(&walk, &row, err)) && row) {
        if (most && walk.rows > most) {
            left++;
            continue;
        }
        put_row(w, t, row, bars, &cell);
        st = writer_spill(w, err);
    }
    str_puts(&w->text, "</tbody></table></div>\n");
    if (left) {
        char count[32];
        text_count(count, sizeof count, (int64_t)left);
        str_printf(&w->text, "<p class=\"more\">… %s more row%s</p>\n", count, left == 1 ? "" : "s");
    }
    if (!st && cell.failed)
        st = error_nomem(err, cell.capacity, "a cell");
    mem_free(bars);
    str_free(&cell);
    return st;
}

/* Commands stand between ` in messages. */
static void put_message(struct str *out, const char *text)
{
    const char *open, *close;
    struct str part = {0};
    while ((open = strchr(text, '`')) && (close = strchr(open + 1, '`'))) {
        str_clear(&part);
        str_append(&part, text, (size_t)(open - text));
        put_html(out, str_text(&part));
        str_clear(&part);
        str_append(&part, open + 1, (size_t)(close - open - 1));
        str_puts(out, "<code>");
        put_html(out, str_text(&part));
        str_puts(out, "</code>");
        text = close + 1;
    }
    put_html(out, text);
    out->failed |= part.failed;
    str_free(&part);
}

void render_html_message(struct writer *w, const struct message *m)
{
    static const char *const levels[] = {
        [MESSAGE_INFO] = "info", [MESSAGE_WARNING] = "warning", [MESSAGE_HINT] = "hint"};
    str_printf(&w->text, "<p class=\"%s\">", levels[m->level]);
    put_message(&w->text, m->text);
    str_puts(&w->text, "</p>\n");
}
