/* UTF-8: reading it, what is safe to show, and how wide it stands. */
#include "base/text.h"

#include <string.h>
#include <wchar.h>

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
    static const uint16_t high[32] = {0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
                                      0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0x8d,   0x17d,  0x8f,
                                      0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                      0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
    for (size_t i = 0; i < n; i++) {
        unsigned char b = (unsigned char)bytes[i];
        str_put_code(s, b >= 0x80 && b < 0xa0 ? high[b - 0x80] : b);
    }
}

/* Format characters and separators that change how their neighbours look, or hide. */
bool text_deceptive(int32_t c)
{
    return c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
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
