/* markdown and line: for people, in documents and in narrow windows. */
#include <string.h>

#include "result/writer.h"

static bool right_aligned(const struct column *c)
{
    return c->type == VALUE_INT || c->type == VALUE_REAL;
}

/* ---- markdown ---- */

/* Safe text that Markdown takes as text. */
static void put_escaped(struct str *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '<' || *p == '>' || *p == '&') {
            str_puts(out, *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : "&amp;");
            continue;
        }
        if (strchr("\\`*_[]|~", *p))
            str_putc(out, '\\');
        str_putc(out, *p);
    }
}

void put_markdown(struct str *out, const char *text)
{
    struct str safe = {0};
    str_put_safe(&safe, text, strlen(text));
    put_escaped(out, str_text(&safe));
    out->failed |= safe.failed;
    str_free(&safe);
}

/* Commands stand between ` in messages, and are code here too; all else is text. */
void render_markdown_message(struct writer *w, const struct message *m)
{
    struct str line = {0}, part = {0}, *out = &w->text;
    message_format(m, 0, false, &line);
    if (line.length)
        line.data[line.length - 1] = 0; /* without its end */
    const char *text = str_text(&line), *open, *close;
    for (; (open = strchr(text, '`')) && (close = strchr(open + 1, '`')); text = close + 1) {
        str_clear(&part);
        str_append(&part, text, (size_t)(open - text));
        put_escaped(out, str_text(&part));
        str_append(out, open, (size_t)(close + 1 - open));
    }
    put_escaped(out, text);
    str_puts(out, "\n");
    out->failed |= line.failed || part.failed;
    str_free(&line);
    str_free(&part);
}

enum status render_markdown_table(struct writer *w, struct table *t, size_t index, struct error *err)
{
    struct walk walk;
    const struct value *row = NULL;
    struct str cell = {0}, *out = &w->text;
    bool prose = t->prose;
    if (index)
        str_putc(out, '\n');
    if (*t->title) {
        str_puts(out, "**");
        put_markdown(out, t->title);
        str_puts(out, "**\n\n");
    }
    for (int line = 0; !prose && line < 2; line++) {
        str_putc(out, '|');
        for (size_t c = 0; c < t->ncolumns; c++) {
            if (t->columns[c].flags & COLUMN_HIDDEN)
                continue;
            if (line == 0) {
                str_putc(out, ' ');
                put_escaped(out, t->columns[c].name);
                str_puts(out, " |");
            } else {
                str_puts(out, right_aligned(&t->columns[c]) ? "---:|" : ":---|");
            }
        }
        str_putc(out, '\n');
    }
    enum status st = walk_begin(&walk, t, w->job, err);
    while (!st && !(st = walk_next(&walk, &row, err)) && row) {
        if (!prose)
            str_putc(out, '|');
        for (size_t c = 0; c < t->ncolumns; c++) {
            if (t->columns[c].flags & COLUMN_HIDDEN)
                continue;
            str_reuse(&cell);
            cell_format(&t->columns[c], &row[c], w->options->ascii, &cell);
            str_puts(out, prose ? "" : " ");
            put_escaped(out, str_text(&cell));
            str_puts(out, prose ? "\n" : " |");
        }
        str_putc(out, '\n');
        st = writer_spill(w, err);
    }
    if (!st && cell.failed)
        st = error_nomem(err, cell.capacity, "a cell");
    str_free(&cell);
    return st;
}

/* ---- line: one value a line ---- */

enum status render_line_table(struct writer *w, struct table *t, size_t index, size_t limit, struct error *err)
{
    struct walk walk;
    const struct value *row = NULL;
    struct str cell = {0}, *out = &w->text;
    size_t names = 0;
    for (size_t c = 0; c < t->ncolumns; c++) {
        size_t width =
            t->columns[c].flags & COLUMN_HIDDEN ? 0 : text_width(t->columns[c].name, strlen(t->columns[c].name));
        names = width > names ? width : names;
    }
    if (index)
        str_putc(out, '\n');
    if (*t->title) {
        pen(out, w->options->color, PEN_BOLD);
        str_put_safe(out, t->title, strlen(t->title));
        pen(out, w->options->color, PEN_OFF);
        str_puts(out, "\n");
    }
    enum status st = walk_begin(&walk, t, w->job, err);
    walk.brief = w->options->brief;
    while (!st && (!limit || walk.rows < limit) && !(st = walk_next(&walk, &row, err)) && row) {
        if (walk.rows > 1)
            str_putc(out, '\n');
        for (size_t c = 0; c < t->ncolumns; c++) {
            if (t->columns[c].flags & COLUMN_HIDDEN)
                continue;
            str_reuse(&cell);
            cell_format(&t->columns[c], &row[c], w->options->ascii, &cell);
            pen(out, w->options->color, PEN_DIM);
            str_printf(out, "%s:", t->columns[c].name);
            pen(out, w->options->color, PEN_OFF);
            if (cell.length)
                str_repeat(out, " ", names + 1 - text_width(t->columns[c].name, strlen(t->columns[c].name)));
            put_filled(out, str_text(&cell), w->options->width, names + 2, names + 2);
            str_putc(out, '\n');
        }
        st = writer_spill(w, err);
    }
    if (!st && cell.failed)
        st = error_nomem(err, cell.capacity, "a cell");
    str_free(&cell);
    return st;
}
