/* Growable strings, likeness of words, hashing. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* ---- growable strings ---- */

static bool str_room(struct str *s, size_t more)
{
    if (s->failed)
        return false;
    if (mem_grow(&s->data, &s->capacity, s->length + more + 1, 1, NULL) != ST_OK) {
        s->failed = true;
        return false;
    }
    return true;
}

void str_append(struct str *s, const char *bytes, size_t n)
{
    if (!str_room(s, n))
        return;
    memcpy(s->data + s->length, bytes, n);
    s->length += n;
    s->data[s->length] = 0;
}

void str_puts(struct str *s, const char *text)
{
    str_append(s, text, strlen(text));
}

void str_putc(struct str *s, char c)
{
    str_append(s, &c, 1);
}

void str_repeat(struct str *s, const char *text, size_t times)
{
    while (times--)
        str_puts(s, text);
}

void str_printf(struct str *s, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0 && str_room(s, (size_t)n)) {
        vsnprintf(s->data + s->length, (size_t)n + 1, format, again);
        s->length += (size_t)n;
    }
    va_end(again);
}

const char *str_text(const struct str *s)
{
    return s->data ? s->data : "";
}

void str_reuse(struct str *s)
{
    s->length = 0;
    if (s->data)
        s->data[0] = 0;
}

void str_clear(struct str *s)
{
    str_reuse(s);
    s->failed = false;
}

void str_free(struct str *s)
{
    mem_free(s->data);
    memset(s, 0, sizeof *s);
}

/* ---- likeness ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

size_t text_distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return n > m ? n : m;
    /* Three rows of the alignment table are enough for adjacent swaps. */
    size_t rows[3][LONGEST + 1];
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *up = rows[(i + 2) % 3], *upup = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = up[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) &&
                upup[j - 2] + 1 < best)
                best = upup[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t length = strlen(word), limit = length / 3 > 1 ? length / 3 : 1, best = limit + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = text_distance(word, candidates[i]);
        if (d > limit && length >= 2 && text_starts(candidates[i], word))
            d = limit;
        if (d < best && d < length) {
            best = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}

bool text_same(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b))
        a++, b++;
    return lower(*a) == lower(*b);
}

bool text_starts(const char *text, const char *prefix)
{
    while (*prefix && lower(*text) == lower(*prefix))
        text++, prefix++;
    return !*prefix;
}

bool text_ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

const char *text_find(const char *hay, const char *needle)
{
    for (;; hay++) {
        if (text_starts(hay, needle))
            return hay;
        if (!*hay)
            return NULL;
    }
}

/* ---- hashing ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 p = (unsigned __int128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* After wyhash (Wang Yi, public domain): folded 64x64 multiplications over 16-byte steps. */
uint64_t hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
    static const uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu, k2 = 0x8ebc6af09c88c6e3u;
    const unsigned char *p = bytes;
    uint64_t h = seed ^ k0, a, b;
    size_t left = n;
    for (; left > 16; left -= 16, p += 16) {
        memcpy(&a, p, 8);
        memcpy(&b, p + 8, 8);
        h = mix(a ^ k1, b ^ h);
    }
    unsigned char tail[16] = {0};
    if (left)
        memcpy(tail, p, left);
    memcpy(&a, tail, 8);
    memcpy(&b, tail + 8, 8);
    return mix(k2 ^ n, mix(a ^ k1, b ^ h));
}
