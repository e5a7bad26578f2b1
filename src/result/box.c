/* The box form: a table for people, fitted to the terminal.
 *
 * Two walks over the rows: the first measures, the second draws. When the table is too wide, columns give way by
 * the steps of box_fit: what may be cut (COLUMN_COMPACT), the widest text, headings that can stand on two lines, bars.
 * When that is not enough the COMPACT columns go, the last one first, and are named below the table; only then are
 * headings cut and text to almost nothing. What still does not fit is shown one value a line. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "result/box.h"

/* What the rules are drawn with: left, middle, right, line. */
struct rule {
    const char *left, *middle, *right, *line;
};

struct style {
    struct rule top, below_heading, bottom;
    const char *bar;    /* between columns, with its spaces; also at the ends when `closed` */
    bool closed;
};

static const struct style styles[] = {
    {{"╭", "┬", "╮", "─"}, {"├", "┼", "┤", "─"}, {"╰", "┴", "╯", "─"}, "│", true},
    {{"+", "+", "+", "-"}, {"+", "+", "+", "-"}, {"+", "+", "+", "-"}, "|", true},
    {{NULL, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL}, "  ", false},
};

static const struct style *style_of(const struct render_options *o)
{
    return &styles[o->plain ? 2 : o->ascii ? 1 : 0];
}

/* ---- bars ---- */

/* A bar of `size` columns for x in [low, high]. With negative values the zero stands inside: what is below grows to
 * the left, in half columns, for there are no finer blocks that stand right. */
static void put_bar(struct str *out, const struct layout *l, const struct shape *s, double x)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    size_t size = l->bar;
    double span = s->high - s->low;
    bool ascii = l->options->ascii || l->options->plain, color = l->options->color;
    size_t left = span > 0 && s->low < 0 ? (size_t)lround((double)size * -s->low / span) : 0;
    if (s->low < 0 && left == 0)
        left = 1;
    if (s->high > 0 && left == size)
        left = size - 1;
    size_t right = size - left;
    if (x < 0) {
        size_t halves = (size_t)lround(x / s->low * (double)left * 2);
        size_t whole = ascii ? (halves + 1) / 2 : halves / 2, half = ascii ? 0 : halves % 2;
        str_repeat(out, " ", left - whole - half);
        pen(out, color, PEN_RED);
        str_puts(out, half ? "▐" : "");
        str_repeat(out, ascii ? "-" : "█", whole);
        pen(out, color, PEN_OFF);
        str_repeat(out, " ", right);
        return;
    }
    size_t parts = x > 0 ? (size_t)lround(x / s->high * (double)right * 8) : 0;
    size_t whole = ascii ? (parts + 4) / 8 : parts / 8, part = ascii ? 0 : parts % 8;
    str_repeat(out, " ", left);
    pen(out, color, PEN_CYAN);
    str_repeat(out, ascii ? "#" : "█", whole);
    str_puts(out, eighths[part]);
    pen(out, color, PEN_OFF);
    str_repeat(out, " ", right - whole - (part != 0));
}

/* ---- drawing ---- */

static void put_rule(struct str *out, const struct layout *l, const struct rule *rule)
{
    if (!rule->line)
        return;
    pen(out, l->options->color, PEN_DIM);
    str_puts(out, rule->left);
    for (size_t i = 0; i < l->n; i++) {
        if (i)
            str_puts(out, rule->middle);
        str_repeat(out, rule->line, cell_width(l, i) + 2);
    }
    str_puts(out, rule->right);
    pen(out, l->options->color, PEN_OFF);
    str_putc(out, '\n');
}

/* What stands before cell i, or after the last one when i == n. */
static void put_between(struct str *out, const struct layout *l, size_t i)
{
    const struct style *style = style_of(l->options);
    if (!style->closed) {
        str_puts(out, i == l->n ? "\n" : i ? style->bar : "");
        return;
    }
    str_puts(out, i ? " " : "");
    pen(out, l->options->color, PEN_DIM);
    str_puts(out, style->bar);
    pen(out, l->options->color, PEN_OFF);
    str_puts(out, i == l->n ? "\n" : " ");
}

static enum attribute cell_pen(const struct column *c, const struct value *v)
{
    if (c->flags & COLUMN_MOVE && (v->null || v->integer > 0))
        return PEN_GREEN;
    return c->flags & COLUMN_MOVE && v->integer < 0 ? PEN_RED : PEN_OFF;
}

/* The last cell of an open style is not padded: no spaces at the end of a line. */
static bool padded(const struct layout *l, size_t i)
{
    return i + 1 < l->n || style_of(l->options)->closed;
}

/* Line 0 or 1 of a heading; one that stands on a single line stands on the last. */
static void heading_line(const struct layout *l, size_t i, int line, struct str *out)
{
    const char *name = column_of(l, i)->name;
    size_t split = l->shapes[i].split;
    str_reuse(out);
    if (split && line == 0)
        str_append(out, name, split);
    else if (line == 1 || !l->two_lines)
        str_puts(out, name + split);
}

static void put_heading(struct str *out, const struct layout *l, struct str *cell)
{
    for (int line = 0; line < (l->two_lines ? 2 : 1); line++) {
        for (size_t i = 0; i < l->n; i++) {
            const struct column *c = column_of(l, i);
            heading_line(l, i, line, cell);
            put_between(out, l, i);
            pen(out, l->options->color, PEN_BOLD);
            str_put_column(out, str_text(cell), l->shapes[i].width, padded(l, i) || is_number(c), is_number(c),
                           l->options->ascii);
            pen(out, l->options->color, PEN_OFF);
            str_repeat(out, " ", padded(l, i) ? cell_width(l, i) - l->shapes[i].width : 0);
        }
        put_between(out, l, l->n);
    }
}

/* Bytes of the text that stand on one line of `width` columns: up to the last space that leaves room, else what fits.
 */
static size_t line_bytes(const char *text, size_t width)
{
    size_t n = strlen(text), fits = text_fit(text, n, width);
    if (fits == n || text[fits] == ' ')
        return fits;
    for (size_t i = fits; i > 0; i--)
        if (text[i - 1] == ' ')
            return i - 1;
    return fits;
}

/* Leaves in `cell` the next line of what column i has to say, and whether there is more of it. */
static bool next_line(struct layout *l, size_t i, const struct value *row, struct str *cell, struct str *line)
{
    struct shape *s = &l->shapes[i];
    const struct column *c = column_of(l, i);
    bool first = s->shown == 0;
    str_reuse(cell);
    cell_format(c, &row[s->column], l->options->ascii, cell);
    if (!(c->flags & COLUMN_WRAP)) {
        s->shown = 1;
        if (!first)
            str_reuse(cell);
        return false;
    }
    const char *rest = str_text(cell) + s->shown;
    size_t n = line_bytes(rest, s->width), skip = n + strspn(rest + n, " ");
    bool more = skip > 0 && rest[skip];
    s->shown += skip;
    str_reuse(line);
    str_append(line, rest, n);
    str_reuse(cell);
    str_append(cell, str_text(line), line->length);
    return more;
}

/* One line of a row; the first, or a later one when a wrapped cell needs more. Returns whether another is needed. */
static bool put_row_line(struct str *out, struct layout *l, const struct value *row, bool first, struct str *cell,
                         struct str *line)
{
    bool more = false;
    for (size_t i = 0; i < l->n; i++) {
        const struct shape *s = &l->shapes[i];
        const struct column *c = column_of(l, i);
        enum attribute a = cell_pen(c, &row[s->column]);
        put_between(out, l, i);
        more = next_line(l, i, row, cell, line) || more;
        pen(out, a != PEN_OFF && l->options->color, a);
        str_put_column(out, str_text(cell), s->width, padded(l, i) || is_number(c), is_number(c), l->options->ascii);
        pen(out, a != PEN_OFF && l->options->color, PEN_OFF);
        if (!has_bar(l, i))
            continue;
        str_putc(out, ' ');
        if (first)
            put_bar(out, l, s, bar_value(c, &row[s->column]));
        else
            str_repeat(out, " ", l->bar);
    }
    put_between(out, l, l->n);
    return more;
}

static void put_row(struct str *out, struct layout *l, const struct value *row, struct str *cell, struct str *line)
{
    for (size_t i = 0; i < l->n; i++)
        l->shapes[i].shown = 0;
    for (bool first = true, more = true; more; first = false)
        more = put_row_line(out, l, row, first, cell, line);
}

/* The columns that had to go. */
static void put_dropped(struct str *out, const struct layout *l)
{
    struct str names = {0};
    for (size_t c = 0, i = 0; c < l->table->ncolumns; c++) {
        if (l->table->columns[c].flags & COLUMN_HIDDEN)
            continue;
        if (i < l->n && l->shapes[i].column == c)
            i++;
        else
            str_printf(&names, "%s %s", names.length ? "," : "no room for", l->table->columns[c].name);
    }
    if (names.length) {
        pen(out, l->options->color, PEN_DIM);
        put_filled(out, str_text(&names), l->options->width, 0, 0);
        pen(out, l->options->color, PEN_OFF);
        str_putc(out, '\n');
    }
    out->failed |= names.failed;
    str_free(&names);
}

static void put_more(struct str *out, const struct layout *l)
{
    char count[32];
    pen(out, l->options->color, PEN_DIM);
    if (l->table->next) {
        str_puts(out, "... more rows, `last` shows all");
    } else {
        uint64_t more = l->rows - l->shown;
        text_count(count, sizeof count, (int64_t)more);
        str_printf(out, "... %s more row%s, `last` shows all", count, more == 1 ? "" : "s");
    }
    pen(out, l->options->color, PEN_OFF);
    str_putc(out, '\n');
}

static void put_title(struct str *out, const struct layout *l)
{
    struct str title = {0};
    if (*l->table->title) {
        str_put_safe(&title, l->table->title, strlen(l->table->title));
        pen(out, l->options->color, PEN_BOLD);
        put_filled(out, str_text(&title), l->options->width, 0, 0);
        pen(out, l->options->color, PEN_OFF);
        str_putc(out, '\n');
    }
    out->failed |= title.failed;
    str_free(&title);
}

static enum status draw(struct writer *w, struct layout *l, struct error *err)
{
    const struct style *style = style_of(l->options);
    struct walk walk;
    struct str cell = {0}, line = {0};
    const struct value *row = NULL;
    put_title(&w->text, l);
    put_rule(&w->text, l, &style->top);
    put_heading(&w->text, l, &cell);
    put_rule(&w->text, l, &style->below_heading);
    enum status st = walk_begin(&walk, l->table, w->job, err);
    walk.brief = l->options->brief;
    while (!st && walk.rows < l->shown && !(st = walk_next(&walk, &row, err)) && row) {
        put_row(&w->text, l, row, &cell, &line);
        st = writer_spill(w, err);
    }
    put_rule(&w->text, l, &style->bottom);
    put_dropped(&w->text, l);
    if (!st && (cell.failed || line.failed))
        st = error_nomem(err, cell.capacity, "a cell");
    str_free(&cell);
    str_free(&line);
    return st;
}

/* Paragraphs; one that is indented keeps its indent when it is filled. */
static enum status draw_prose(struct writer *w, struct table *t, struct error *err)
{
    struct layout l = {.table = t, .options = w->options};
    struct walk walk;
    struct str line = {0};
    const struct value *row = NULL;
    put_title(&w->text, &l);
    enum status st = walk_begin(&walk, t, w->job, err);
    while (!st && !(st = walk_next(&walk, &row, err)) && row) {
        str_reuse(&line);
        cell_format(t->columns, row, w->options->ascii, &line);
        put_filled(&w->text, str_text(&line), w->options->width, 0, strspn(str_text(&line), " "));
        str_putc(&w->text, '\n');
        st = writer_spill(w, err);
    }
    if (!st && line.failed)
        st = error_nomem(err, line.capacity, "a paragraph");
    str_free(&line);
    return st;
}

enum status render_box_table(struct writer *w, struct table *t, size_t index, struct error *err)
{
    if (index && t->prose)
        str_putc(&w->text, '\n');
    if (t->prose)
        return draw_prose(w, t, err);
    struct layout l = {.table = t, .options = w->options};
    l.shapes = mem_new(t->ncolumns, sizeof *l.shapes, "a layout", err);
    if (!l.shapes)
        return ST_NOMEM;
    for (size_t c = 0; c < t->ncolumns; c++)
        if (!(t->columns[c].flags & COLUMN_HIDDEN))
            l.shapes[l.n++].column = c;
    enum status st = box_measure(&l, w->job, err);
    if (st || (!l.shown && l.more))
        goto out;
    if (index)
        str_putc(&w->text, '\n');
    if (box_fit(&l))
        st = draw(w, &l, err);
    else
        st = render_line_table(w, t, 0, l.more ? l.shown : 0, err);
    if (!st && l.more)
        put_more(&w->text, &l);
out:
    mem_free(l.shapes);
    return st;
}
