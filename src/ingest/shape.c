#include "ingest/shape.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The first byte from p on that cannot stand in a plain string: a quote, a backslash, a control, beyond ASCII. */
static inline const char *string_end(const char *p)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');
    for (;; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, escape));
        special = _mm_or_si128(special, _mm_cmplt_epi8(v, blank)); /* signed: beyond ASCII is below zero */
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask)
            return p + __builtin_ctz(mask);
    }
#else
    while ((unsigned char)*p >= ' ' && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
#endif
}

static inline bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The end of the number at p, or NULL when it is none that a double surely holds. */
static inline const char *number_end(const char *p)
{
    enum { EXACT = 15 };
    p += *p == '-';
    const char *first = p;
    while (digit(*p))
        p++;
    if (p == first || (*first == '0' && p > first + 1))
        return NULL;
    if (*p == '.') {
        const char *decimals = ++p;
        while (digit(*p))
            p++;
        if (p == decimals)
            return NULL;
    }
    return p - first > EXACT || *p == 'e' || *p == 'E' ? NULL : p;
}

/* The value at p into a cell; returns its end, or NULL when it is not plain. */
static inline const char *read_value(const char *p, struct cell *cell)
{
    if (*p == '"') {
        const char *end = string_end(p + 1);
        *cell = (struct cell){.text = p + 1, .n = (size_t)(end - p) - 1, .quoted = true};
        return *end == '"' ? end + 1 : NULL;
    }
    if (*p == '-' || digit(*p)) {
        const char *end = number_end(p);
        *cell = (struct cell){.text = p, .n = end ? (size_t)(end - p) : 0};
        return end;
    }
    if (memcmp(p, "null", 4) == 0) {
        *cell = (struct cell){0};
        return p + 4;
    }
    size_t n = memcmp(p, "true", 4) == 0 ? 4 : memcmp(p, "false", 5) == 0 ? 5 : 0;
    *cell = (struct cell){.text = p, .n = n};
    return n ? p + n : NULL;
}

/* ---- learning ---- */

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\r')
        p++;
    return p;
}

/* Reads `{ "key" :` or `, "key" :`; returns where the value begins, or NULL. */
static const char *read_key(const char *p, char before, const struct dict *names, uint32_t *column)
{
    p = skip_blanks(p);
    if (*p != before)
        return NULL;
    p = skip_blanks(p + 1);
    if (*p != '"')
        return NULL;
    const char *end = string_end(p + 1);
    if (*end != '"')
        return NULL;
    *column = dict_find(names, p + 1, (size_t)(end - p) - 1);
    end = skip_blanks(end + 1);
    return *column != NO_CODE && *end == ':' ? skip_blanks(end + 1) : NULL;
}

static bool has_column(const struct shape *x, uint32_t column)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->column[i] == column)
            return true;
    return false;
}

static bool keep_text(struct shape *x, size_t *used, const char *text, size_t n)
{
    if (*used + n > SHAPE_TEXT)
        return false;
    memcpy(x->text + *used, text, n);
    *used += n;
    x->end[x->n] = (uint16_t)*used;
    return true;
}

static bool learn(struct shape *x, const struct dict *names, const char *text, size_t n)
{
    const char *p = text, *end = text + n;
    size_t used = 0;
    x->n = 0;
    for (;;) {
        struct cell value;
        uint32_t column;
        const char *at = read_key(p, x->n ? ',' : '{', names, &column);
        if (!at)
            break;
        if (x->n == SHAPE_MEMBERS || has_column(x, column) || !keep_text(x, &used, p, (size_t)(at - p)))
            return false;
        x->column[x->n++] = column;
        p = read_value(at, &value);
        if (!p)
            return false;
    }
    const char *close = skip_blanks(p);
    return x->n && *close == '}' && skip_blanks(close + 1) == end && keep_text(x, &used, p, (size_t)(end - p));
}

void shapes_learn(struct shapes *s, const struct dict *names, const char *text, size_t n)
{
    if (!learn(&s->shape[SHAPES], names, text, n))
        return;
    s->shape[s->next] = s->shape[SHAPES];
    s->last = s->next;
    s->next = (s->next + 1) % SHAPES;
    s->n += s->n < SHAPES;
}

/* ---- reading ---- */

static inline bool fits(const struct shape *x, const char *text, const char *end, struct cell *cells, size_t *length)
{
    const char *p = text;
    size_t at = 0;
    for (size_t i = 0; i < x->n; i++) {
        size_t n = x->end[i] - at;
        if ((size_t)(end - p) < n || memcmp(p, x->text + at, n) != 0)
            return false;
        at = x->end[i];
        p = read_value(p + n, &cells[x->column[i]]);
        if (!p)
            return false;
    }
    size_t n = x->end[x->n] - at;
    *length = (size_t)(p - text) + n;
    return (size_t)(end - p) >= n && memcmp(p, x->text + at, n) == 0 && p[n] == '\n';
}

bool shapes_read(struct shapes *s, const char *text, const char *end, struct cell *cells, size_t width, size_t *length)
{
    if (*text != '{') /* an empty line is no row, and blanks before one are seldom */
        return false;
    for (unsigned k = 0; k < s->n; k++) {
        unsigned i = (s->last + k) % SHAPES;
        if (s->shape[i].n < width)
            memset(cells, 0, width * sizeof *cells);
        if (fits(&s->shape[i], text, end, cells, length)) {
            s->last = i;
            return true;
        }
    }
    return false;
}
