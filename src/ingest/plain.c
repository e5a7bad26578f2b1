#include "ingest/plain.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "ingest/feed.h"

enum { BLOCK = 64 };

/* One bit a byte of a block. */
struct masks {
    uint64_t ends; /* delimiters and line feeds */
    uint64_t odd;  /* NUL bytes and what is beyond ASCII */
};

#ifdef __SSE2__
static inline struct masks look(const char *p, char delimiter)
{
    struct masks m = {0};
    const __m128i between = _mm_set1_epi8(delimiter), feed = _mm_set1_epi8('\n'), zero = _mm_setzero_si128();
    for (int i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(v, between), _mm_cmpeq_epi8(v, feed));
        __m128i odd = _mm_or_si128(v, _mm_cmpeq_epi8(v, zero)); /* the high bit of each byte tells */
        m.ends |= (uint64_t)(uint32_t)_mm_movemask_epi8(ends) << i;
        m.odd |= (uint64_t)(uint32_t)_mm_movemask_epi8(odd) << i;
    }
    return m;
}
#else
static inline struct masks look(const char *p, char delimiter)
{
    struct masks m = {0};
    for (int i = 0; i < BLOCK; i++) {
        unsigned char c = (unsigned char)p[i];
        m.ends |= (uint64_t)(p[i] == delimiter || c == '\n') << i;
        m.odd |= (uint64_t)(c == 0 || c >= 0x80) << i;
    }
    return m;
}
#endif

bool plain_possible(const struct dialect *d)
{
    return !d->twice && !d->lone_cr && d->delimiter != ' ';
}

static inline bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

size_t plain_cut(const struct dialect *d, const char *text, size_t begin, size_t limit, size_t end, size_t width,
                 size_t rows, struct cell *cells, size_t *starts)
{
    size_t base = begin, cell_begin = begin, n = 0, c = 0;
    bool strange = false; /* an odd byte in the row, or a cell that needs a closer look */
    starts[0] = begin;
    if (rows == 0 || begin >= limit)
        return 0;
    struct masks m = look(text + base, d->delimiter);
    for (;;) {
        while (!m.ends) {
            strange |= m.odd != 0;
            base += BLOCK;
            if (base >= end)
                return n;
            m = look(text + base, d->delimiter);
        }
        uint64_t lowest = m.ends & -m.ends;
        size_t at = base + (size_t)__builtin_ctzll(m.ends);
        m.ends ^= lowest;
        if (at >= end || c == width)
            return n;
        size_t length = at - cell_begin;
        bool ends = text[at] == '\n';
        if (ends && length && text[at - 1] == '\r')
            length--;
        if (length)
            strange |= blank(text[cell_begin]) || blank(text[cell_begin + length - 1]) ||
                       (d->quotes && text[cell_begin] == '"');
        cells[c++] = (struct cell){.text = text + cell_begin, .n = length};
        cell_begin = at + 1;
        if (!ends)
            continue;
        strange |= (m.odd & (lowest - 1)) != 0;
        m.odd &= ~(lowest - 1);
        if (strange || c != width || (width == 1 && length == 0) || cell_begin - starts[n] > ROW_CAP)
            return n;
        cells += width;
        c = 0;
        starts[++n] = cell_begin;
        if (n == rows || cell_begin >= limit)
            return n;
    }
}
