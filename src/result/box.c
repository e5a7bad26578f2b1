/* The box form: a table for people, fitted to the terminal.
 *
 * Two walks over the rows: the first measures, the second draws. When the table is too wide, columns give way by
 * the steps of `fit`: what may be cut (COLUMN_COMPACT), the widest text, headings that can stand on two lines, bars. When
 * that is not enough the COMPACT columns go, the last one first, and are named below the table; only then are headings cut
 * and text to almost nothing. What still does not fit is shown one value a line. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "result/writer.h"

enum { BAR = 12, BAR_LEAST = 6, COMPACT_LEAST = 6, TEXT_LONG = 24, TEXT_SHORT = 14, TEXT_LEAST = 8, HEADING_LEAST = 3 };

/* A shown column. Widths are in terminal columns. */
struct shape {
    size_t column;     /* in the table */
    size_t width;      /* of the text */
    size_t content;    /* of the widest value, without the heading */
    size_t shown;      /* COLUMN_WRAP: bytes of the present cell that stand already */
    size_t split;      /* bytes of the heading's first line when it stands on two; 0: it has one */
    double high, low;  /* COLUMN_BAR: largest and smallest value, 0 included */
};

struct layout {
    struct table *table;
    const struct render_options *options;
    struct shape *shapes;
    size_t n;
    size_t bar;      /* width of the bars; 0: none */
    bool two_lines;  /* some heading stands on two */
    bool more;       /* there are rows that are not shown: beyond max_rows, or set aside */
    uint64_t shown;
    uint64_t rows;   /* counted; for a cursor that has more: at least so many */
};

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

static const struct column *column_of(const struct layout *l, size_t i)
{
    return &l->table->columns[l->shapes[i].column];
}

static bool is_number(const struct column *c)
{
    return c->type == VALUE_INT || c->type == VALUE_REAL;
}

static bool has_bar(const struct layout *l, size_t i)
{
    return l->bar && column_of(l, i)->flags & COLUMN_BAR;
}

/* Columns of the terminal that cell i takes, without what stands between cells. */
static size_t cell_width(const struct layout *l, size_t i)
{
    return l->shapes[i].width + (has_bar(l, i) ? 1 + l->bar : 0);
}

static size_t total_width(const struct layout *l)
{
    size_t total = style_of(l->options)->closed ? 3 * l->n + 1 : 2 * (l->n ? l->n - 1 : 0);
    for (size_t i = 0; i < l->n; i++)
        total += cell_width(l, i);
    return total;
}

/* ---- measuring ---- */

static double bar_value(const struct column *c, const struct value *v)
{
    double x = v->null ? 0 : c->type == VALUE_INT ? (double)v->integer : v->real;
    return isfinite(x) ? x : 0;
}

static void measure_cell(struct layout *l, size_t i, const struct value *row, struct str *cell)
{
    struct shape *s = &l->shapes[i];
    const struct column *c = column_of(l, i);
    str_reuse(cell);
    cell_format(c, &row[s->column], l->options->ascii, cell);
    size_t width = text_width(str_text(cell), cell->length);
    if (width > s->content)
        s->content = width;
    if (c->flags & COLUMN_BAR && is_number(c)) {
        double x = bar_value(c, &row[s->column]);
        s->high = fmax(s->high, x);
        s->low = fmin(s->low, x);
    }
}

static enum status measure(struct layout *l, struct job *job, struct error *err)
{
    struct walk walk;
    struct str cell = {0};
    const struct value *row = NULL;
    size_t limit = l->options->max_rows;
    enum status st = walk_begin(&walk, l->table, job, err);
    walk.brief = l->options->brief;
    while (!st && !(st = walk_next(&walk, &row, err)) && row) {
        if (limit && walk.rows > limit) {
            l->more = true;
            break;
        }
        l->shown++;
        for (size_t i = 0; i < l->n; i++)
            measure_cell(l, i, row, &cell);
    }
    l->rows = l->table->next ? walk.rows : l->table->nrows;
    l->more = l->more || walk.left;
    if (!st && cell.failed)
        st = error_nomem(err, cell.capacity, "a cell");
    str_free(&cell);
    return st;
}

/* ---- fitting ---- */

static bool may_shrink(const struct layout *l, size_t i, unsigned flags, size_t least)
{
    const struct column *c = column_of(l, i);
    if (c->type != VALUE_TEXT || (flags && !(c->flags & flags)))
        return false;
    return l->shapes[i].width > least;
}

/* Takes columns from the widest text column, again and again, until the table fits or all are at `least`. */
static void shrink_text(struct layout *l, unsigned flags, size_t least)
{
    for (size_t total = total_width(l); total > l->options->width; total--) {
        struct shape *widest = NULL;
        for (size_t i = 0; i < l->n; i++)
            if (may_shrink(l, i, flags, least) && (!widest || l->shapes[i].width > widest->width))
                widest = &l->shapes[i];
        if (!widest)
            return;
        widest->width--;
    }
}

/* Where a heading is best broken in two: behind a "_" or before an "@". *width is that of its wider half. 0: nowhere. */
static size_t heading_split(const char *name, size_t *width)
{
    size_t n = strlen(name), best = 0;
    *width = n;
    for (size_t i = 1; i < n; i++) {
        size_t wider = i > n - i ? i : n - i;
        if ((name[i - 1] == '_' || name[i] == '@') && wider < *width) {
            best = i;
            *width = wider;
        }
    }
    return best;
}

/* Headings wider than what stands below them give way: broken in two where they can be, then cut, the longest first. */
static void shrink_headings(struct layout *l, bool cut)
{
    while (total_width(l) > l->options->width) {
        struct shape *longest = NULL;
        size_t most = 0, to = 0, split = 0;
        for (size_t i = 0; i < l->n; i++) {
            struct shape *s = &l->shapes[i];
            size_t half, at = cut ? s->split : heading_split(column_of(l, i)->name, &half), least = s->content;
            if (!cut && half > least)
                least = half;
            least = least > HEADING_LEAST ? least : HEADING_LEAST;
            if ((cut || (at && !s->split)) && s->width > least && s->width - least > most) {
                longest = s;
                most = s->width - least;
                to = cut ? s->width - 1 : least;
                split = at;
            }
        }
        if (!longest)
            return;
        longest->width = to;
        longest->split = split;
        l->two_lines = l->two_lines || split;
    }
}

static void shrink_bars(struct layout *l, size_t least)
{
    while (l->bar > least && total_width(l) > l->options->width)
        l->bar = l->bar > BAR_LEAST ? l->bar - 1 : 0;
}

/* As wide as the content wants to be. */
static void widen(struct layout *l)
{
    l->bar = 0;
    l->two_lines = false;
    for (size_t i = 0; i < l->n; i++) {
        struct shape *s = &l->shapes[i];
        const struct column *c = column_of(l, i);
        size_t heading = text_width(c->name, strlen(c->name));
        s->split = 0;
        s->width = s->content > heading ? s->content : heading;
        if (l->options->width && c->type == VALUE_TEXT && s->width > l->options->width)
            s->width = l->options->width; /* a cell wider than the terminal is cut in any case */
        l->bar = c->flags & COLUMN_BAR ? BAR : l->bar;
    }
}

/* Lets the last COMPACT column go. */
static bool drop_compact(struct layout *l)
{
    for (size_t i = l->n; l->n > 1 && i-- > 0;) {
        if (!(column_of(l, i)->flags & COLUMN_COMPACT))
            continue;
        memmove(l->shapes + i, l->shapes + i + 1, (l->n - i - 1) * sizeof *l->shapes);
        l->n--;
        return true;
    }
    return false;
}

/* Whether the table fits now. */
static bool fit(struct layout *l)
{
    widen(l);
    if (l->options->width == 0)
        return true;
    for (;;) {
        shrink_text(l, COLUMN_COMPACT, COMPACT_LEAST);
        shrink_text(l, 0, TEXT_LONG);
        shrink_headings(l, false);
        shrink_bars(l, BAR_LEAST);
        shrink_text(l, 0, TEXT_SHORT);
        shrink_bars(l, 0);
        if (total_width(l) <= l->options->width || !drop_compact(l))
            break;
        widen(l);
    }
    shrink_text(l, 0, TEXT_LEAST);
    shrink_headings(l, true);
    return total_width(l) <= l->options->width;
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
            str_put_column(out, str_text(cell), l->shapes[i].width, padded(l, i) || is_number(c), is_number(c), l->options->ascii);
            pen(out, l->options->color, PEN_OFF);
            str_repeat(out, " ", padded(l, i) ? cell_width(l, i) - l->shapes[i].width : 0);
        }
        put_between(out, l, l->n);
    }
}

/* Bytes of the text that stand on one line of `width` columns: up to the last space that leaves room, else what fits. */
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
    enum status st = measure(&l, w->job, err);
    if (st || (!l.shown && l.more))
        goto out;
    if (index)
        str_putc(&w->text, '\n');
    if (fit(&l))
        st = draw(w, &l, err);
    else
        st = render_line_table(w, t, 0, l.more ? l.shown : 0, err);
    if (!st && l.more)
        put_more(&w->text, &l);
out:
    mem_free(l.shapes);
    return st;
}
