#include "ingest/number.h"

#include <string.h>

#include "base/text.h"

/* Up to 15 digits and 22 decimals the quotient of two exact doubles is the nearest double (Clinger 1990); anything else
 * goes the long way. */
bool number_real(const char *text, size_t n, double *out)
{
    static const double ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    enum { EXACT = 15, LONGEST = 400 };
    size_t i = n && (text[0] == '-' || text[0] == '+'), digits = 0, decimals = 0;
    int64_t m = 0;
    for (; i < n && digits <= EXACT && text[i] >= '0' && text[i] <= '9'; i++, digits++)
        m = m * 10 + (text[i] - '0');
    if (digits && i < n && text[i] == '.')
        for (i++; i < n && digits <= EXACT && text[i] >= '0' && text[i] <= '9'; i++, digits++, decimals++)
            m = m * 10 + (text[i] - '0');
    if (i == n && digits && digits <= EXACT) {
        double v = (double)m / ten[decimals];
        *out = text[0] == '-' ? -v : v;
        return true;
    }
    char copy[LONGEST + 1];
    if (n == 0 || n > LONGEST || memchr(text, 0, n))
        return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    return text_parse_real(copy, out);
}

bool number_int(const char *text, size_t n, int64_t *out)
{
    enum { MOST = 18 };
    bool negative = n && text[0] == '-';
    size_t i = negative;
    if (i == n || n - i > MOST || (text[i] == '0' && (n - i > 1 || negative)))
        return false;
    int64_t v = 0;
    for (; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = v * 10 + (text[i] - '0');
    }
    *out = negative ? -v : v;
    return true;
}

bool number_real_comma(const char *text, size_t n, double *out)
{
    enum { LONGEST = 400 };
    char copy[LONGEST];
    size_t m = 0, group = 0;
    bool grouped = false, decimals = false;
    if (n > LONGEST)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '.' && (decimals || group == 0 || group > 3 || (grouped && group != 3)))
            return false;
        if ((text[i] == ',' && decimals) || (text[i] == ',' && grouped && group != 3))
            return false;
        decimals |= text[i] == ',';
        group = text[i] >= '0' && text[i] <= '9' ? group + 1 : 0;
        if (text[i] == '.')
            grouped = true;
        else
            copy[m++] = text[i] == ',' ? '.' : text[i];
    }
    return !(grouped && !decimals && group != 3) && number_real(copy, m, out);
}
