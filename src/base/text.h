/* Text: growable strings, UTF-8, safe display, numbers and sizes as people read them.
 *
 * The program never sets LC_NUMERIC, so strtod and printf read and write "." whatever the locale. */
#ifndef TAILOR_BASE_TEXT_H
#define TAILOR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A growable string. `failed` is sticky: after a failed allocation every append does nothing, and
 * the maker checks once at the end. Zero-initialise; free with str_free. `data` is always
 * NUL-terminated once something was appended; str_text never returns NULL. */
struct str {
    char *data;
    size_t length, capacity;
    bool failed;
};

void str_append(struct str *s, const char *bytes, size_t n);
void str_puts(struct str *s, const char *text);
void str_putc(struct str *s, char c);
void str_repeat(struct str *s, const char *text, size_t times);
void str_printf(struct str *s, const char *format, ...) PRINTF_LIKE(2, 3);
const char *str_text(const struct str *s);
void str_clear(struct str *s); /* empties, keeps the room, and begins anew: what failed is forgotten */
void str_reuse(struct str *s); /* empties for the next piece of one whole: that one failed is kept */
void str_free(struct str *s);

/* Decodes one code point at s[0..n); returns bytes used (>= 1 when n > 0) and *code, or
 * *code = -1 and 1 for a byte that is not UTF-8 (overlong, surrogate and > U+10FFFF included). */
size_t utf8_decode(const char *s, size_t n, int32_t *code);

/* Is every byte of s[0..n) part of valid UTF-8? */
bool utf8_valid(const char *s, size_t n);

/* Appends one code point (0 .. U+10FFFF, no surrogate) as UTF-8. */
void str_put_code(struct str *s, int32_t code);

/* Appends Latin-1 (Windows-1252 in 0x80..0x9f) bytes as UTF-8. */
void str_put_latin1(struct str *s, const char *bytes, size_t n);

/* Makes text from data harmless for a terminal: C0, DEL, C1, bidi controls, line and paragraph
 * separators, zero-width and other format characters (variation selectors and the joiner
 * excepted only inside emoji) come out as <U+XXXX> or ^X; bad bytes as <XX>. */
void str_put_safe(struct str *s, const char *text, size_t n);

/* Is it one of the invisible or direction-changing characters that str_put_safe spells out? */
bool text_deceptive(int32_t code);

/* Columns that s[0..n) takes on a terminal (wcwidth; unprintable counts 0). Needs LC_CTYPE set. */
size_t text_width(const char *s, size_t n);

/* Bytes of the longest prefix of s[0..n) that is at most `columns` wide and ends between characters. */
size_t text_fit(const char *s, size_t n, size_t columns);

/* Appends s cut to at most `columns` columns, with "…" ("~" when ascii) as its last when cut, and
 * padded with spaces to exactly `columns` when pad is set. The text must already be safe. */
void str_put_column(struct str *s, const char *text, size_t columns, bool pad, bool right, bool ascii);

/* "1.2 GiB", "640 KiB", "17 B". */
void text_bytes(char *out, size_t size, double bytes);
/* "1,234,567". */
void text_count(char *out, size_t size, int64_t n);
/* Seconds as "3.1 ms", "12.4 s", "3m 05s", "2h 14m", "5d 03h". */
void text_duration(char *out, size_t size, double seconds);

/* Whole-string number parsers: true only when all of `text` is one finite number in range. */
bool text_parse_int(const char *text, int64_t *out);
bool text_parse_real(const char *text, double *out);
/* "30m", "7d", "1w", "90s", "1h30m", "250ms"; a bare number is seconds. Out: microseconds. */
bool text_parse_duration(const char *text, int64_t *out_us);

/* Shortest decimal that reads back to exactly this double; "nan" and "inf" never occur
 * in output documents, callers decide. Returns length. size >= 32. */
int text_real(char *out, size_t size, double value);
/* The double that is written like the float: 0.1f gives 0.1, not 0.10000000149011612. */
double real_of_single(float value);

/* Damerau-Levenshtein (adjacent swaps) without regard to ASCII case, for did-you-mean. */
size_t text_distance(const char *a, const char *b);
/* The candidate nearest to `word`, or NULL when none is near enough (<= 1/3 of its length, at least 1; or a prefix). */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);

/* ASCII-case-insensitive helpers that ignore the locale. */
bool text_same(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *end); /* exactly */
/* Position of `needle` in `hay` without regard to ASCII case, or NULL. */
const char *text_find(const char *hay, const char *needle);

/* 64-bit hash of bytes (xxhash-style mix; stable across machines of one endianness, not secret). */
uint64_t hash_bytes(const void *bytes, size_t n, uint64_t seed);

#endif
