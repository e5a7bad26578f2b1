#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/shortest.h"

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

/* ---- UTF-8 ---- */

size_t utf8_decode(const char *s, size_t n, int32_t *code)
{
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    *code = -1;
    if (n == 0)
        return 0;
    if (u[0] < 0x80) {
        *code = u[0];
        return 1;
    }
    size_t len = (u[0] & 0xe0) == 0xc0 ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 : (u[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (len == 0 || len > n)
        return 1;
    int32_t c = u[0] & (0x7f >> len);
    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 1;
        c = c << 6 | (u[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 1;
    *code = c;
    return len;
}

bool utf8_valid(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint64_t eight;
        int32_t c;
        if (n - i >= sizeof eight) {
            memcpy(&eight, s + i, sizeof eight);
            if (!(eight & 0x8080808080808080)) {
                i += sizeof eight;
                continue;
            }
        }
        i += utf8_decode(s + i, n - i, &c);
        if (c < 0)
            return false;
    }
    return true;
}

void str_put_code(struct str *s, int32_t c)
{
    static const int32_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    char b[4] = {(char)(lead[more] | c >> (6 * more))};
    for (int i = 1; i <= more; i++)
        b[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    str_append(s, b, (size_t)more + 1);
}

void str_put_latin1(struct str *s, const char *bytes, size_t n)
{
    /* Windows-1252 puts letters where Latin-1 has C1 controls; its five holes stay as they are. */
    static const uint16_t high[32] = {
        0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
        0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178};
    for (size_t i = 0; i < n; i++) {
        unsigned char b = (unsigned char)bytes[i];
        str_put_code(s, b >= 0x80 && b < 0xa0 ? high[b - 0x80] : b);
    }
}

/* Format characters and separators that change how their neighbours look, or hide. */
bool text_deceptive(int32_t c)
{
    return c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

void str_put_safe(struct str *s, const char *text, size_t n)
{
    int32_t before = 0;
    for (size_t i = 0; i < n;) {
        int32_t c;
        size_t len = utf8_decode(text + i, n - i, &c);
        if (c < 0)
            str_printf(s, "<%02X>", (unsigned)(unsigned char)text[i]);
        else if (c < 0x20)
            str_printf(s, "^%c", (char)(c + 0x40));
        else if (c == 0x200d && before >= 0x2190) /* the joiner inside emoji */
            str_append(s, text + i, len);
        else if (c == 0x7f)
            str_puts(s, "^?");
        else if ((c >= 0x80 && c < 0xa0) || text_deceptive(c))
            str_printf(s, "<U+%04X>", (unsigned)c);
        else
            str_append(s, text + i, len);
        before = c;
        i += len;
    }
}

static int code_width(int32_t c)
{
    int w = c < 0 ? 1 : wcwidth((wchar_t)c);
    return w > 0 ? w : 0;
}

size_t text_width(const char *s, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n;) {
        int32_t c;
        i += utf8_decode(s + i, n - i, &c);
        width += (size_t)code_width(c);
    }
    return width;
}

size_t text_fit(const char *s, size_t n, size_t columns)
{
    size_t width = 0, i = 0;
    while (i < n) {
        int32_t c;
        size_t len = utf8_decode(s + i, n - i, &c);
        width += (size_t)code_width(c);
        if (width > columns)
            break;
        i += len;
    }
    return i;
}

void str_put_column(struct str *s, const char *text, size_t columns, bool pad, bool right, bool ascii)
{
    size_t n = strlen(text), width = text_width(text, n);
    size_t blank = width < columns ? columns - width : 0;
    if (right && pad)
        str_repeat(s, " ", blank);
    if (width <= columns) {
        str_append(s, text, n);
    } else if (columns > 0) {
        size_t cut = text_fit(text, n, columns - 1);
        str_append(s, text, cut);
        str_puts(s, ascii ? "~" : "…");
        blank = columns - 1 - text_width(text, cut);
    }
    if (!right && pad)
        str_repeat(s, " ", blank);
}

/* ---- numbers and sizes as people read them ---- */

void text_bytes(char *out, size_t size, double bytes)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t u = 0;
    while (bytes >= 1024 && u + 1 < sizeof unit / sizeof *unit) {
        bytes /= 1024;
        u++;
    }
    snprintf(out, size, u && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, unit[u]);
}

void text_count(char *out, size_t size, int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
    size_t o = 0;
    for (int i = 0; i < len && o + 2 < size; i++) {
        out[o++] = digits[i];
        int left = len - 1 - i;
        if (left > 0 && left % 3 == 0 && digits[i] != '-')
            out[o++] = ',';
    }
    if (size)
        out[o] = 0;
}

void text_duration(char *out, size_t size, double s)
{
    if (s < 1e-3)
        snprintf(out, size, "%.0f us", s * 1e6);
    else if (s < 0.0995)
        snprintf(out, size, "%.1f ms", s * 1e3);
    else if (s < 0.9995)
        snprintf(out, size, "%.0f ms", s * 1e3);
    else if (s < 99.95)
        snprintf(out, size, "%.1f s", s);
    else if (s < 3600)
        snprintf(out, size, "%.0fm %02.0fs", floor(s / 60), floor(fmod(s, 60)));
    else if (s < 86400)
        snprintf(out, size, "%.0fh %02.0fm", floor(s / 3600), floor(fmod(s, 3600) / 60));
    else
        snprintf(out, size, "%.0fd %02.0fh", floor(s / 86400), floor(fmod(s, 86400) / 3600));
}

bool text_parse_int(const char *text, int64_t *out)
{
    const char *p = text + (*text == '-' || *text == '+');
    if (*p < '0' || *p > '9')
        return false;
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *out = v;
    return true;
}

bool text_parse_real(const char *text, double *out)
{
    const char *p = text + (*text == '-' || *text == '+');
    if (!((*p >= '0' && *p <= '9') || (*p == '.' && p[1] >= '0' && p[1] <= '9')))
        return false;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) /* strtod reads hexadecimal, people's files do not mean it */
        return false;
    char *end;
    double v = strtod(text, &end);
    if (*end || !isfinite(v))
        return false;
    *out = v;
    return true;
}

bool text_parse_duration(const char *text, int64_t *out_us)
{
    static const struct {
        const char *unit;
        double us;
    } units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 6e7}, {"min", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}, {"w", 6.048e11}, {"y", 3.15576e13}};
    double total = 0;
    const char *p = text;
    if (!*p)
        return false;
    while (*p) {
        char number[32];
        size_t n = strspn(p, "0123456789.");
        if (n == 0 || n >= sizeof number)
            return false;
        memcpy(number, p, n);
        number[n] = 0;
        double v;
        if (!text_parse_real(number, &v))
            return false;
        p += n;
        size_t letters = strcspn(p, "0123456789.");
        double us = 0;
        if (letters == 0 && !*p && total == 0)
            us = 1e6;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strlen(units[i].unit) == letters && letters && strncmp(p, units[i].unit, letters) == 0)
                us = units[i].us;
        if (us == 0)
            return false;
        total += v * us;
        p += letters;
    }
    if (total > 9e18)
        return false;
    *out_us = llround(total);
    return true;
}

/* As %.*g with as many digits writes them, at least 15: 0.0001, 1e-05, 100000000000000, 1e+15. */
static size_t put_digits(char *out, const char *digits, size_t n, int exponent)
{
    char *p = out;
    if (exponent < -4 || exponent >= (n > 15 ? (int)n : 15)) {
        *p++ = digits[0];
        if (n > 1)
            *p++ = '.';
        memcpy(p, digits + 1, n - 1);
        p += n - 1;
        return (size_t)(p - out) + (size_t)sprintf(p, "e%+03d", exponent);
    }
    for (int zero = exponent; zero < 0; zero++) {
        *p++ = '0';
        if (zero == exponent)
            *p++ = '.';
    }
    for (int i = 0; i < (int)n || i <= exponent; i++) {
        *p++ = i < (int)n ? digits[i] : '0';
        if (i == exponent && i + 1 < (int)n)
            *p++ = '.';
    }
    *p = 0;
    return (size_t)(p - out);
}

int text_real(char *out, size_t size, double value)
{
    char digits[SHORTEST_DIGITS], text[48], *p = text;
    int exponent;
    if (!isfinite(value) || value == 0)
        return snprintf(out, size, "%g", value + 0.0); /* + 0.0: no "-0" */
    if (value < 0)
        *p++ = '-';
    size_t n = shortest_of_double(fabs(value), digits, &exponent);
    size_t length = (size_t)(p - text) + put_digits(p, digits, n, exponent);
    if (size) {
        size_t fits = length < size ? length : size - 1;
        memcpy(out, text, fits);
        out[fits] = 0;
    }
    return (int)length;
}

double real_of_single(float value)
{
    char text[48], digits[SHORTEST_DIGITS];
    int exponent;
    if (!isfinite(value) || value == 0)
        return (double)value;
    size_t n = shortest_of_single(fabsf(value), digits, &exponent);
    put_digits(text, digits, n, exponent);
    return copysign(strtod(text, NULL), (double)value);
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
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) && upup[j - 2] + 1 < best)
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
