#include "base/json.h"

#include <math.h>

/* \uXXXX; two of them beyond the basic plane. */
static void put_escape(struct str *out, int32_t c)
{
    if (c < 0x10000)
        str_printf(out, "\\u%04x", (unsigned)c);
    else
        str_printf(out, "\\u%04x\\u%04x", 0xd800 + (unsigned)((c - 0x10000) >> 10),
                   0xdc00 + (unsigned)((c - 0x10000) & 0x3ff));
}

void json_string(struct str *out, const char *text, size_t n)
{
    str_putc(out, '"');
    for (size_t i = 0; i < n;) {
        int32_t c;
        size_t len = utf8_decode(text + i, n - i, &c);
        if (c < 0)
            str_puts(out, "\\ufffd");
        else if (c == '"' || c == '\\')
            str_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            str_puts(out, "\\n");
        else if (c == '\t')
            str_puts(out, "\\t");
        else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || text_deceptive(c))
            put_escape(out, c);
        else
            str_append(out, text + i, len);
        i += len;
    }
    str_putc(out, '"');
}

void json_real(struct str *out, double value)
{
    char number[32];
    if (!isfinite(value)) {
        str_puts(out, "null");
        return;
    }
    text_real(number, sizeof number, value);
    str_puts(out, number);
}
