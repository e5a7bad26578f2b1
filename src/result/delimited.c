/* csv and tsv: one table after the other, for programs. csv quotes as RFC 4180 says, but its lines end in \n alone, as
 * those of psql and DuckDB do: a \r would stick to the last field in every Unix tool that reads on. */
#include <string.h>

#include "result/writer.h"

/* Data bytes as they are, except on a terminal. */
static void put_data(struct writer *w, const char *text, size_t n)
{
    if (w->options->terminal)
        str_put_safe(&w->text, text, n);
    else
        str_append(&w->text, text, n);
}

static void put_csv(struct writer *w, const char *text)
{
    size_t n = strlen(text);
    if (n && !text[strcspn(text, "\",\r\n")]) {
        put_data(w, text, n);
        return;
    }
    str_putc(&w->text, '"');
    for (const char *p = text; *p;) {
        size_t run = strcspn(p, "\"");
        put_data(w, p, run);
        p += run;
        if (*p) {
            str_puts(&w->text, "\"\"");
            p++;
        }
    }
    str_putc(&w->text, '"');
}

static void put_tsv(struct writer *w, const char *text)
{
    for (const char *p = text; *p;) {
        size_t run = strcspn(p, "\t\n\r\\");
        put_data(w, p, run);
        p += run;
        if (*p)
            str_puts(&w->text, *p == '\t' ? "\\t" : *p == '\n' ? "\\n" : *p == '\r' ? "\\r" : "\\\\");
        p += *p != 0;
    }
}

static enum status render(struct writer *w, struct table *t, size_t index, char delimiter,
                          void (*put)(struct writer *w, const char *text), struct error *err)
{
    struct walk walk;
    const struct value *row = NULL;
    if (index)
        str_putc(&w->text, '\n');
    for (size_t c = 0; w->options->header && c < t->ncolumns; c++) {
        if (c)
            str_putc(&w->text, delimiter);
        put(w, t->columns[c].name);
    }
    if (w->options->header)
        str_putc(&w->text, '\n');
    enum status st = walk_begin(&walk, t, w->job, err);
    while (!st && !(st = walk_next(&walk, &row, err)) && row) {
        for (size_t c = 0; c < t->ncolumns; c++) {
            if (c)
                str_putc(&w->text, delimiter);
            if (t->columns[c].type == VALUE_TEXT && !row[c].null)
                put(w, row[c].text);
            else
                cell_raw(&t->columns[c], &row[c], &w->text);
        }
        str_putc(&w->text, '\n');
        st = writer_spill(w, err);
    }
    return st;
}

enum status render_csv_table(struct writer *w, struct table *t, size_t index, struct error *err)
{
    return render(w, t, index, ',', put_csv, err);
}

enum status render_tsv_table(struct writer *w, struct table *t, size_t index, struct error *err)
{
    return render(w, t, index, '\t', put_tsv, err);
}
