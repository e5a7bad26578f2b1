#include "screen/surface.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"

enum { ARM_UP = 1, ARM_DOWN = 2, ARM_LEFT = 4, ARM_RIGHT = 8 };

static const struct surface_cell blank_cell = {.code = {' '}};

/* ---- the grid of cells ---- */

enum status surface_resize(struct surface *s, int height, int width, struct error *err)
{
    struct surface_cell *cells = mem_new_raw((size_t)height * (size_t)width, sizeof *cells, "the screen", err);
    if (!cells)
        return ST_NOMEM;
    mem_free(s->cells);
    s->cells = cells;
    s->height = height;
    s->width = width;
    surface_blank(s);
    return ST_OK;
}

void surface_free(struct surface *s)
{
    mem_free(s->cells);
    memset(s, 0, sizeof *s);
}

void surface_blank(struct surface *s)
{
    for (size_t i = 0; i < (size_t)s->height * (size_t)s->width; i++)
        s->cells[i] = blank_cell;
}

struct area surface_area(struct surface *s)
{
    return (struct area){s, 0, 0, s->height, s->width};
}

static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

struct area area_part(struct area a, int y, int x, int height, int width)
{
    y = clamp(y, 0, a.height);
    x = clamp(x, 0, a.width);
    int most_h = a.height - y, most_w = a.width - x;
    return (struct area){a.surface, a.top + y, a.left + x, height < 0 ? most_h : clamp(height, 0, most_h),
                         width < 0 ? most_w : clamp(width, 0, most_w)};
}

/* The cell at the area's (y, x), or NULL outside. */
static struct surface_cell *cell_at(struct area a, int y, int x)
{
    if (y < 0 || x < 0 || y >= a.height || x >= a.width)
        return NULL;
    y += a.top;
    x += a.left;
    if (y >= a.surface->height || x >= a.surface->width)
        return NULL;
    return &a.surface->cells[(size_t)y * (size_t)a.surface->width + (size_t)x];
}

/* Half of a wide character must not stay behind when its other half is drawn over. */
static void unpair(struct area a, int y, int x)
{
    struct surface_cell *c = cell_at(a, y, x), *before = cell_at(a, y, x - 1), *after = cell_at(a, y, x + 1);
    if (c->code[0] == 0 && before)
        before->code[0] = ' ', before->code[1] = 0;
    if (after && after->code[0] == 0 && c->code[0] != 0)
        after->code[0] = ' ';
}

void area_blank(struct area a, enum look look)
{
    for (int y = 0; y < a.height; y++)
        for (int x = 0; x < a.width; x++) {
            struct surface_cell *c = cell_at(a, y, x);
            *c = blank_cell;
            c->look = (uint8_t)look;
        }
}

const char *area_glyph(struct area a, const char *utf8, const char *ascii)
{
    return a.surface->ascii ? ascii : utf8;
}

/* ---- text ---- */

static void put_mark(struct area a, int y, int x, int32_t code)
{
    struct surface_cell *c = cell_at(a, y, x);
    if (c && c->code[0] == 0)
        c = cell_at(a, y, x - 1);
    for (int i = 1; c && i < CELL_CODES; i++)
        if (!c->code[i]) {
            c->code[i] = code;
            return;
        }
}

enum { JOINER = 0x200d, AS_EMOJI = 0xfe0f };

/* Safe text; returns the column after it. */
static int put_text(struct area a, int y, int x, unsigned look, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        int32_t code;
        i += utf8_decode(text + i, n - i, &code);
        if (code == JOINER ||
            code == AS_EMOJI) /* what they make of their neighbours is as wide as each terminal likes */
            continue;
        if (a.surface->ascii && code >= 0x80)
            code = '?';
        int w = wcwidth((wchar_t)code);
        if (w == 0) {
            put_mark(a, y, x - 1, code);
            continue;
        }
        if (w < 0)
            code = '?', w = 1;
        struct surface_cell *c = cell_at(a, y, x), *half = w == 2 ? cell_at(a, y, x + 1) : NULL;
        if (c && (w == 1 || half)) {
            unpair(a, y, x);
            if (half)
                unpair(a, y, x + 1);
            if (look & LOOK_REVERSE) /* one even bar: ink and dimness would show as patches of background */
                look &= ~(unsigned)(INK_MASK | LOOK_DIM);
            *c = (struct surface_cell){.code = {code}, .look = (uint8_t)look};
            if (half)
                *half = (struct surface_cell){.look = (uint8_t)look};
        }
        x += w;
    }
    return x;
}

int area_text(struct area a, int y, int x, unsigned look, const char *text)
{
    struct str safe = {0};
    str_put_safe(&safe, text, strlen(text));
    x = put_text(a, y, x, look, str_text(&safe), safe.length);
    str_free(&safe);
    return x;
}

int area_printf(struct area a, int y, int x, unsigned look, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return area_text(a, y, x, look, text);
}

void area_column(struct area a, int y, int x, int width, unsigned look, bool right, const char *text)
{
    if (width <= 0)
        return;
    struct str safe = {0}, fitted = {0};
    str_put_safe(&safe, text, strlen(text));
    str_put_column(&fitted, str_text(&safe), (size_t)width, true, right, a.surface->ascii);
    put_text(a, y, x, look, str_text(&fitted), fitted.length);
    str_free(&fitted);
    str_free(&safe);
}

int area_text_right(struct area a, int y, int x, unsigned look, const char *text)
{
    struct str safe = {0};
    str_put_safe(&safe, text, strlen(text));
    int begin = x - (int)text_width(str_text(&safe), safe.length);
    put_text(a, y, begin, look, str_text(&safe), safe.length);
    str_free(&safe);
    return begin;
}

/* Bytes of the next line of at most `width` columns, broken at a space where there is one. */
static size_t line_length(const char *text, size_t n, size_t width)
{
    const char *newline = memchr(text, '\n', n);
    size_t all = newline ? (size_t)(newline - text) : n, fit = text_fit(text, all, width);
    if (fit == all)
        return all;
    for (size_t i = fit + 1; i-- > 1;)
        if (text[i] == ' ')
            return i;
    return fit ? fit : 1;
}

int area_wrap(struct area a, int y, int x, int width, int height, unsigned look, const char *text)
{
    if (width <= 0 || height <= 0)
        return 0;
    struct str safe = {0};
    for (const char *p = text; *p;) { /* line ends stay, the rest is made safe */
        size_t n = strcspn(p, "\n");
        str_put_safe(&safe, p, n);
        p += n;
        if (*p == '\n')
            str_putc(&safe, *p++);
    }
    const char *p = str_text(&safe);
    size_t left = safe.length;
    int lines = 0;
    while (left > 0 && lines < height) {
        size_t n = line_length(p, left, (size_t)width);
        bool cut = lines == height - 1 && n < left;
        char *line = mem_strndup(p, cut ? left : n, NULL);
        if (!line)
            break;
        if (cut)
            area_column(a, y + lines, x, width, look, false, line);
        else
            put_text(a, y + lines, x, look, line, n);
        mem_free(line);
        p += n;
        left -= n;
        if (left && (*p == ' ' || *p == '\n'))
            p++, left--;
        lines++;
    }
    str_free(&safe);
    return lines;
}

void area_relook(struct area a, int y, int x, int width, unsigned without, unsigned with)
{
    for (int i = 0; i < width; i++) {
        struct surface_cell *c = cell_at(a, y, x + i);
        if (c)
            c->look = (uint8_t)((c->look & ~without) | with);
    }
}

/* ---- lines and bars ---- */

static void put_line(struct area a, int y, int x, unsigned arms, unsigned look)
{
    static const int32_t joined[16] = {' ',    0x2502, 0x2502, 0x2502, 0x2500, 0x2518, 0x2510, 0x2524,
                                       0x2500, 0x2514, 0x250c, 0x251c, 0x2500, 0x2534, 0x252c, 0x253c};
    static const char plain[] = " |||-+++-+++-+++";
    struct surface_cell *c = cell_at(a, y, x);
    if (!c)
        return;
    unpair(a, y, x);
    arms |= c->line;
    *c = (struct surface_cell){
        .code = {a.surface->ascii ? plain[arms] : joined[arms]}, .look = (uint8_t)look, .line = (uint8_t)arms};
}

/* Is this cell one of the words on a rule, or of the blanks around them? */
static bool has_words(struct area a, int y, int x)
{
    const struct surface_cell *c = cell_at(a, y, x);
    bool words = false;
    for (int i = -1; i <= 1 && c && !c->line; i++) {
        const struct surface_cell *near = cell_at(a, y, x + i);
        words |= near && !near->line && near->code[0] != ' ';
    }
    return words;
}

/* The ends of a line reach into another that is there already, and not past it. */
static unsigned arms_at(struct area a, int y, int x, int i, int n, unsigned back, unsigned on)
{
    const struct surface_cell *c = cell_at(a, y, x);
    if (c && c->line)
        return i == 0 ? on : i == n - 1 ? back : back | on;
    return back | on;
}

void area_hline(struct area a, int y, int x, int width, unsigned look)
{
    for (int i = 0; i < width; i++)
        put_line(a, y, x + i, arms_at(a, y, x + i, i, width, ARM_LEFT, ARM_RIGHT), look);
}

void area_vline(struct area a, int y, int x, int height, unsigned look)
{
    for (int i = 0; i < height; i++) {
        bool end = i == 0 || i == height - 1;
        if (!end || !has_words(a, y + i, x)) /* words on a rule stay readable */
            put_line(a, y + i, x, arms_at(a, y + i, x, i, height, ARM_UP, ARM_DOWN), look);
    }
}

void area_rule(struct area a, int y, unsigned look, const char *left, const char *right)
{
    area_hline(a, y, 0, a.width, look);
    int title = left ? (int)text_width(left, strlen(left)) : 0,
        note = right ? (int)text_width(right, strlen(right)) : 0;
    int room = a.width - 7 - title; /* what is at the right gives way first */
    if (note > room)
        note = room < 8 ? 0 : room;
    int from = a.width;
    if (note > 0) {
        from -= note + 3;
        area_text(a, y, from, look, " ");
        area_column(a, y, from + 1, note, look, false, right);
        area_text(a, y, from + 1 + note, look, " ");
    }
    if (title > from - 4)
        title = from - 4;
    if (title <= 0)
        return;
    area_text(a, y, 1, look, " ");
    area_column(a, y, 2, title, (look & ~(unsigned)LOOK_DIM) | LOOK_BOLD, false, left);
    area_text(a, y, 2 + title, look, " ");
}

void area_box(struct area a, unsigned look, const char *title, const char *foot)
{
    if (a.height < 2 || a.width < 2)
        return;
    int bottom = a.height - 1, edge = a.width - 1;
    area_blank(a, INK_DEFAULT);
    area_rule(area_part(a, 0, 0, 1, -1), 0, look, title, NULL);
    area_rule(area_part(a, bottom, 0, 1, -1), 0, look, NULL, foot);
    for (int y = 1; y < bottom; y++) {
        put_line(a, y, 0, ARM_UP | ARM_DOWN, look);
        put_line(a, y, edge, ARM_UP | ARM_DOWN, look);
    }
    static const struct {
        bool bottom, right;
        unsigned arms;
    } corners[] = {{false, false, ARM_DOWN | ARM_RIGHT}, {false, true, ARM_DOWN | ARM_LEFT},
                   {true, false, ARM_UP | ARM_RIGHT},    {true, true, ARM_UP | ARM_LEFT}};
    for (size_t i = 0; i < sizeof corners / sizeof *corners; i++) {
        int y = corners[i].bottom ? bottom : 0, x = corners[i].right ? edge : 0;
        *cell_at(a, y, x) = blank_cell;
        put_line(a, y, x, corners[i].arms, look);
    }
}

void area_bar(struct area a, int y, int x, int width, double share, unsigned look)
{
    static const char *const part[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (!(share > 0) || width <= 0)
        return;
    if (share > 1)
        share = 1;
    int eighths = (int)lround(share * width * 8);
    if (eighths == 0)
        eighths = 1;
    if (a.surface->ascii)
        eighths = (eighths + 7) / 8 * 8;
    for (; eighths >= 8; eighths -= 8)
        x = area_text(a, y, x, look, area_glyph(a, "█", "#"));
    area_text(a, y, x, look, part[eighths]);
}

/* ---- dumps ---- */

void surface_dump(const struct surface *s, struct str *out)
{
    for (int y = 0; y < s->height; y++) {
        const struct surface_cell *row = s->cells + (size_t)y * (size_t)s->width;
        int end = s->width;
        while (end > 0 && row[end - 1].code[0] == ' ')
            end--;
        for (int x = 0; x < end; x++)
            for (int i = 0; i < CELL_CODES && row[x].code[i]; i++)
                str_put_code(out, row[x].code[i]);
        str_putc(out, '\n');
    }
}

void surface_dump_looks(const struct surface *s, struct str *out)
{
    for (int y = 0; y < s->height; y++) {
        size_t begin = out->length;
        for (int x = 0; x < s->width; x++) {
            unsigned look = s->cells[(size_t)y * (size_t)s->width + (size_t)x].look & ~(unsigned)INK_MASK;
            str_putc(out, look == 0                ? ' '
                          : look == LOOK_BOLD      ? 'b'
                          : look == LOOK_DIM       ? 'd'
                          : look == LOOK_REVERSE   ? 'r'
                          : look == LOOK_UNDERLINE ? 'u'
                                                   : 'x');
        }
        while (out->length > begin && out->data[out->length - 1] == ' ')
            out->length--;
        str_putc(out, '\n');
    }
}
