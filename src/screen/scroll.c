#include "screen/scroll.h"

#include "screen/keys.h"

static size_t ahead(size_t at, size_t by, size_t n)
{
    return n == 0 ? 0 : at + by < n ? at + by : n - 1;
}

static size_t back(size_t at, size_t by)
{
    return at > by ? at - by : 0;
}

bool scroll_key(struct scroll *s, size_t n, int32_t key)
{
    size_t page = s->page ? s->page : 1, half = page > 1 ? page / 2 : 1;
    switch (key) {
    case 'j': case K_DOWN: s->cursor = ahead(s->cursor, 1, n); return true;
    case 'k': case K_UP: s->cursor = back(s->cursor, 1); return true;
    case K_CTRL('d'): s->cursor = ahead(s->cursor, half, n); return true;
    case K_CTRL('u'): s->cursor = back(s->cursor, half); return true;
    case K_CTRL('f'): case K_PAGE_DOWN: s->cursor = ahead(s->cursor, page, n); return true;
    case K_CTRL('b'): case K_PAGE_UP: s->cursor = back(s->cursor, page); return true;
    case 'g': case K_HOME: s->cursor = 0; return true;
    case 'G': case K_END: s->cursor = n ? n - 1 : 0; return true;
    default: return false;
    }
}

void scroll_fit(struct scroll *s, size_t n, size_t page)
{
    s->page = page;
    if (s->cursor >= n)
        s->cursor = n ? n - 1 : 0;
    if (s->cursor < s->top)
        s->top = s->cursor;
    if (page && s->cursor >= s->top + page)
        s->top = s->cursor - page + 1;
    if (n <= page)
        s->top = 0;
    else if (s->top + page > n)
        s->top = n - page;
}
