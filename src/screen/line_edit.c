#include "screen/line_edit.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "screen/keys.h"

/* ---- history ---- */

enum status line_history_add(struct line_history *h, const char *line, struct error *err)
{
    if (!*line || (h->n && strcmp(h->lines[h->n - 1], line) == 0))
        return ST_OK;
    if (mem_grow(&h->lines, &h->capacity, h->n + 1, sizeof *h->lines, err) != ST_OK)
        return ST_NOMEM;
    char *copy = mem_strdup(line, err);
    if (!copy)
        return ST_NOMEM;
    h->lines[h->n++] = copy;
    return ST_OK;
}

void line_history_free(struct line_history *h)
{
    for (size_t i = 0; i < h->n; i++)
        mem_free(h->lines[i]);
    mem_free(h->lines);
    memset(h, 0, sizeof *h);
}

static void history_show(struct line_edit *e, size_t place)
{
    const struct line_history *h = e->history;
    if (e->place >= h->n) {
        str_clear(&e->own);
        str_puts(&e->own, str_text(&e->text));
    }
    e->place = place;
    const char *line = place < h->n ? h->lines[place] : str_text(&e->own);
    str_clear(&e->text);
    str_puts(&e->text, line);
    e->cursor = e->text.length;
}

/* The nearest older (step -1) or newer line. */
static void history_step(struct line_edit *e, int step)
{
    if (!e->history || (step < 0 && e->place == 0) || (step > 0 && e->place >= e->history->n))
        return;
    history_show(e, step < 0 ? e->place - 1 : e->place + 1);
}

/* ---- moving ---- */

/* Start of the character before `at`, combining marks included. */
static size_t before(const struct line_edit *e, size_t at)
{
    const char *s = str_text(&e->text);
    while (at > 0) {
        do
            at--;
        while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80);
        if (text_width(s + at, e->text.length - at) == 0)
            break;
        int32_t code;
        size_t n = utf8_decode(s + at, e->text.length - at, &code);
        if (text_width(s + at, n) > 0)
            break;
    }
    return at;
}

static size_t after(const struct line_edit *e, size_t at)
{
    const char *s = str_text(&e->text);
    int32_t code;
    if (at < e->text.length)
        at += utf8_decode(s + at, e->text.length - at, &code);
    while (at < e->text.length) {
        size_t n = utf8_decode(s + at, e->text.length - at, &code);
        if (text_width(s + at, n) > 0)
            break;
        at += n;
    }
    return at;
}

static bool in_word(const struct line_edit *e, size_t at)
{
    unsigned char c = (unsigned char)e->text.data[at];
    return c >= 0x80 || isalnum(c);
}

static size_t word_before(const struct line_edit *e)
{
    size_t at = e->cursor;
    while (at > 0 && !in_word(e, at - 1))
        at--;
    while (at > 0 && in_word(e, at - 1))
        at--;
    return at;
}

static size_t word_after(const struct line_edit *e)
{
    size_t at = e->cursor;
    while (at < e->text.length && !in_word(e, at))
        at++;
    while (at < e->text.length && in_word(e, at))
        at++;
    return at;
}

/* As C-w means it: back to white space. */
static size_t blank_before(const struct line_edit *e)
{
    size_t at = e->cursor;
    while (at > 0 && e->text.data[at - 1] == ' ')
        at--;
    while (at > 0 && e->text.data[at - 1] != ' ')
        at--;
    return at;
}

/* ---- changing ---- */

void line_edit_set(struct line_edit *e, const char *text)
{
    str_clear(&e->text);
    str_puts(&e->text, text);
    e->cursor = e->text.length;
    e->place = e->history ? e->history->n : 0;
}

void line_edit_free(struct line_edit *e)
{
    str_free(&e->text);
    str_free(&e->killed);
    str_free(&e->own);
    memset(e, 0, sizeof *e);
}

static void erase(struct line_edit *e, size_t begin, size_t end, bool keep)
{
    if (begin >= end)
        return;
    if (keep) {
        str_clear(&e->killed);
        str_append(&e->killed, e->text.data + begin, end - begin);
    }
    memmove(e->text.data + begin, e->text.data + end, e->text.length - end + 1);
    e->text.length -= end - begin;
    e->cursor = begin;
}

static void insert(struct line_edit *e, const char *bytes, size_t n)
{
    struct str tail = {0};
    str_puts(&tail, str_text(&e->text) + e->cursor);
    if (!tail.failed) {
        e->text.length = e->cursor;
        str_append(&e->text, bytes, n);
        size_t cursor = e->text.length;
        str_append(&e->text, str_text(&tail), tail.length);
        e->cursor = cursor < e->text.length ? cursor : e->text.length;
    }
    e->text.failed = false; /* the line stays what could be kept, and may be typed on */
    str_free(&tail);
}

void line_edit_replace(struct line_edit *e, size_t begin, const char *word)
{
    erase(e, begin, e->cursor, false);
    insert(e, word, strlen(word));
}

static void insert_code(struct line_edit *e, int32_t c)
{
    struct str bytes = {0};
    str_put_code(&bytes, c);
    insert(e, str_text(&bytes), bytes.length);
    str_free(&bytes);
}

static void transpose(struct line_edit *e)
{
    size_t right = e->cursor == e->text.length ? before(e, e->cursor) : e->cursor;
    size_t left = before(e, right), end = after(e, right);
    if (left == right || right == end)
        return;
    struct str first = {0};
    str_append(&first, e->text.data + left, right - left);
    if (!first.failed) {
        memmove(e->text.data + left, e->text.data + right, end - right);
        memcpy(e->text.data + left + (end - right), first.data, first.length);
        e->cursor = end;
    }
    str_free(&first);
}

bool line_edit_key(struct line_edit *e, int32_t key)
{
    size_t end = e->text.length;
    switch (key) {
    case K_LEFT: case K_CTRL('b'): e->cursor = before(e, e->cursor); return true;
    case K_RIGHT: case K_CTRL('f'): e->cursor = after(e, e->cursor); return true;
    case K_HOME: case K_CTRL('a'): e->cursor = 0; return true;
    case K_END: case K_CTRL('e'): e->cursor = end; return true;
    case K_ALT | 'b': e->cursor = word_before(e); return true;
    case K_ALT | 'f': e->cursor = word_after(e); return true;
    case K_UP: case K_CTRL('p'): history_step(e, -1); return true;
    case K_DOWN: case K_CTRL('n'): history_step(e, 1); return true;
    case K_BACKSPACE: erase(e, before(e, e->cursor), e->cursor, false); return true;
    case K_DELETE: case K_CTRL('d'): erase(e, e->cursor, after(e, e->cursor), false); return true;
    case K_CTRL('k'): erase(e, e->cursor, end, true); return true;
    case K_CTRL('u'): erase(e, 0, e->cursor, true); return true;
    case K_CTRL('w'): erase(e, blank_before(e), e->cursor, true); return true;
    case K_ALT | 'd': erase(e, e->cursor, word_after(e), true); return true;
    case K_ALT | K_BACKSPACE: erase(e, word_before(e), e->cursor, true); return true;
    case K_CTRL('y'): insert(e, str_text(&e->killed), e->killed.length); return true;
    case K_CTRL('t'): transpose(e); return true;
    default:
        if (key < K_SPACE || key >= K_SPECIAL || (key >= 0x7f && key < 0xa0))
            return false;
        insert_code(e, key);
        return true;
    }
}

int line_edit_draw(struct line_edit *e, struct area a, int y, int x, const char *hint)
{
    struct area field = area_part(a, y, x, 1, -1);
    const char *text = str_text(&e->text);
    struct str shown = {0};
    str_put_safe(&shown, text, e->cursor);
    size_t column = text_width(str_text(&shown), shown.length), room = field.width > 2 ? (size_t)field.width - 1 : 1;
    if (column < e->scroll)
        e->scroll = column;
    if (column > e->scroll + room)
        e->scroll = column - room;
    area_blank(field, INK_DEFAULT);
    int end = area_text(field, 0, -(int)e->scroll, INK_DEFAULT, text);
    if (hint && *hint && e->cursor == e->text.length)
        area_text(field, 0, end + (e->text.length && text[e->text.length - 1] != ' '), LOOK_DIM, hint);
    str_free(&shown);
    return x + (int)(column - e->scroll);
}
