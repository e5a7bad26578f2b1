/* Bits 0..49: the digits as a whole number; 50..53: how many of them are decimals; 54: a minus. */
#include "ingest/packed.h"

enum { DIGITS = 15, DECIMALS_AT = 50, MINUS_AT = 54 };
#define DIGITS_MASK ((UINT64_C(1) << DECIMALS_AT) - 1)

static inline unsigned decimals_of(uint64_t packed)
{
    return (unsigned)(packed >> DECIMALS_AT) & 15;
}

static inline bool is_negative(uint64_t packed)
{
    return packed >> MINUS_AT & 1;
}

bool packed_from(const char *text, size_t n, uint64_t *out)
{
    size_t i = n && text[0] == '-', first = i, point = n;
    uint64_t digits = 0;
    if (n - i == 0 || n - i > DIGITS + 1)
        return false;
    for (; i < n; i++) {
        unsigned d = (unsigned char)text[i] - (unsigned)'0';
        if (d <= 9)
            digits = digits * 10 + d;
        else if (text[i] == '.' && point == n)
            point = i;
        else
            return false;
    }
    size_t whole = point - first, decimals = point < n ? n - point - 1 : 0;
    if (whole == 0 || (point < n && decimals == 0) || whole + decimals > DIGITS || (text[first] == '0' && whole > 1))
        return false;
    *out = digits | (uint64_t)decimals << DECIMALS_AT | (uint64_t)first << MINUS_AT;
    return true;
}

size_t packed_text(uint64_t packed, char *out)
{
    char back[PACKED_TEXT];
    unsigned decimals = decimals_of(packed), written = 0;
    size_t n = 0, m = 0;
    for (uint64_t digits = packed & DIGITS_MASK; digits || written <= decimals; digits /= 10, written++) {
        if (written == decimals && decimals)
            back[n++] = '.';
        back[n++] = (char)('0' + digits % 10);
    }
    if (is_negative(packed))
        out[m++] = '-';
    while (n)
        out[m++] = back[--n];
    return m;
}

bool packed_int(uint64_t packed, int64_t *out)
{
    int64_t digits = (int64_t)(packed & DIGITS_MASK);
    *out = is_negative(packed) ? -digits : digits;
    return decimals_of(packed) == 0 && (digits || !is_negative(packed));
}

/* The quotient of two exact doubles is the nearest one, as in number_real. */
double packed_real(uint64_t packed)
{
    static const double ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    double v = (double)(packed & DIGITS_MASK) / ten[decimals_of(packed)];
    return is_negative(packed) ? -v : v;
}
