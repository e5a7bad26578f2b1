/* Numbers, sizes and spans of time as people read and write them. */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shortest.h"

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
    } units[] = {{"us", 1},    {"ms", 1e3},    {"s", 1e6},      {"m", 6e7},       {"min", 6e7},
                 {"h", 3.6e9}, {"d", 8.64e10}, {"w", 6.048e11}, {"y", 3.15576e13}};
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
