#include "base/clock.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int64_t clock_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

/* Both after Howard Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years from March. */
int64_t time_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void time_civil(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

/* Exactly `width` digits at *p. */
static bool digits(const char **p, const char *end, int width, int64_t *out)
{
    int64_t v = 0;
    if (end - *p < width)
        return false;
    for (int i = 0; i < width; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        v = v * 10 + (**p - '0');
    }
    *out = v;
    return true;
}

static bool one(const char **p, const char *end, char c)
{
    if (*p < end && **p == c) {
        (*p)++;
        return true;
    }
    return false;
}

static bool civil_ok(int64_t y, int64_t m, int64_t d)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (m < 1 || m > 12 || d < 1)
        return false;
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return d <= days[m - 1] + (m == 2 && leap);
}

/* "Z", "+02:00", "+0200", "+02" or nothing; *offset stays when there is nothing. */
static bool zone(const char **p, const char *end, int64_t *offset)
{
    if (one(p, end, 'Z') || one(p, end, 'z')) {
        *offset = 0;
        return true;
    }
    if (*p == end)
        return true;
    int64_t sign = **p == '+' ? 1 : **p == '-' ? -1 : 0, h, m = 0;
    if (!sign)
        return false;
    (*p)++;
    if (!digits(p, end, 2, &h))
        return false;
    if (*p < end) {
        one(p, end, ':');
        if (!digits(p, end, 2, &m))
            return false;
    }
    if (h > 23 || m > 59)
        return false;
    *offset = sign * (h * 3600 + m * 60) * US_PER_SECOND;
    return true;
}

static bool clock_of_day(const char **p, const char *end, int64_t *us)
{
    int64_t h, m, s = 0, fraction = 0;
    if (!digits(p, end, 2, &h) || !one(p, end, ':') || !digits(p, end, 2, &m))
        return false;
    if (one(p, end, ':')) {
        if (!digits(p, end, 2, &s))
            return false;
        if (one(p, end, '.') || one(p, end, ',')) {
            int64_t scale = 100000;
            const char *first = *p;
            for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
                fraction += (**p - '0') * scale;
            if (*p == first)
                return false;
        }
    }
    if (h > 23 || m > 59 || s > 60)
        return false;
    *us = ((h * 60 + m) * 60 + s) * US_PER_SECOND + fraction;
    return true;
}

static bool parse_iso(const char *p, const char *end, int64_t tz, int64_t *out)
{
    int64_t y, m, d, us = 0;
    if (!digits(&p, end, 4, &y))
        return false;
    char separator = p < end && (*p == '-' || *p == '/') ? *p : 0;
    if (separator)
        p++;
    if (!digits(&p, end, 2, &m) || (separator && !one(&p, end, separator)) || !digits(&p, end, 2, &d) ||
        !civil_ok(y, m, d))
        return false;
    if (p < end) {
        if (!one(&p, end, 'T') && !one(&p, end, 't') && !one(&p, end, ' '))
            return false;
        if (!clock_of_day(&p, end, &us))
            return false;
        if (end - p >= 4 && memcmp(p, " UTC", 4) == 0)
            p += 4, tz = 0;
        else if (!zone(&p, end, &tz))
            return false;
        if (p != end)
            return false;
    }
    *out = time_days(y, (int)m, (int)d) * US_PER_DAY + us - tz;
    return true;
}

static bool one_or_two(const char **p, const char *end, int64_t *out)
{
    const char *first = *p;
    if (digits(p, end, 2, out))
        return true;
    *p = first;
    return digits(p, end, 1, out);
}

/* "1:30", "01:30:05.5 PM": hours of one digit, and of half a day. */
static bool loose_clock(const char *p, const char *end, int64_t tz, int64_t *us)
{
    char padded[32] = "0";
    bool afternoon = false, half = end - p > 2 && (end[-1] == 'M' || end[-1] == 'm');
    if (half) {
        afternoon = end[-2] == 'P' || end[-2] == 'p';
        if (!afternoon && end[-2] != 'A' && end[-2] != 'a')
            return false;
        end -= 2;
        while (end > p && end[-1] == ' ')
            end--;
    }
    if (end - p < 4 || end - p > 30)
        return false;
    size_t pad = p[1] == ':', n = (size_t)(end - p) + pad;
    memcpy(padded + pad, p, (size_t)(end - p));
    const char *at = padded, *stop = padded + n;
    if (!clock_of_day(&at, stop, us) || !zone(&at, stop, &tz) || at != stop)
        return false;
    int64_t noon = US_PER_DAY / 2, hour = US_PER_DAY / 24;
    if (half && (*us < hour || *us >= noon + hour))
        return false;
    if (half && *us >= noon)
        *us -= noon;
    *us += (afternoon ? noon : 0) - tz;
    return true;
}

/* Day and month before the year. Dots say that the day comes first; other marks need to be told. */
static bool parse_dated(const char *p, const char *end, enum date_order order, int64_t tz, int64_t *out)
{
    int64_t a, b, y, us = -tz;
    if (!one_or_two(&p, end, &a) || p == end)
        return false;
    char mark = *p++;
    if (mark != '.' && (order == DATES_UNSAID || (mark != '/' && mark != '-')))
        return false;
    if (!one_or_two(&p, end, &b) || !one(&p, end, mark) || !digits(&p, end, 4, &y))
        return false;
    int64_t d = order == DATES_MDY ? b : a, m = order == DATES_MDY ? a : b;
    if (!civil_ok(y, m, d))
        return false;
    if (p < end) {
        one(&p, end, ',');
        if (!one(&p, end, ' ') && !one(&p, end, 'T'))
            return false;
        if (!loose_clock(p, end, tz, &us))
            return false;
    }
    *out = time_days(y, (int)m, (int)d) * US_PER_DAY + us;
    return true;
}

static bool parse_epoch(const char *p, const char *end, int64_t *out)
{
    bool negative = one(&p, end, '-');
    int64_t whole = 0, fraction = 0, scale = 100000;
    const char *first = p;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *p - '0', &whole))
            return false;
    if (p == first)
        return false;
    if (one(&p, end, '.'))
        for (; p < end && *p >= '0' && *p <= '9'; p++, scale /= 10)
            fraction += (*p - '0') * scale;
    if (p != end)
        return false;
    int64_t us;
    if (whole < INT64_C(100000000000))
        us = whole * US_PER_SECOND + fraction;
    else if (whole < INT64_C(100000000000000))
        us = whole * 1000 + fraction / 1000;
    else if (whole < INT64_C(100000000000000000))
        us = whole;
    else
        us = whole / 1000;
    *out = negative ? -us : us;
    return true;
}

/* Eight digits as a number, all at once; false when one is none. After Lemire, "Quickly parsing eight digits". */
static bool eight_digits(const char *p, uint32_t *out)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    v = le64toh(v);
    if (((v & 0xf0f0f0f0f0f0f0f0) | ((v + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4) != 0x3333333333333333)
        return false;
    v -= 0x3030303030303030;
    v = v * 10 + (v >> 8);
    *out = (uint32_t)(((v & 0x000000ff000000ff) * 0x000f424000000064 +
                       ((v >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
                      32);
    return true;
}

/* Epoch seconds of today, ten digits: what most logs hold. */
static bool ten_digits(const char *p, int64_t *out)
{
    uint32_t high;
    unsigned a = (unsigned char)p[8] - '0', b = (unsigned char)p[9] - '0';
    if (a > 9 || b > 9 || !eight_digits(p, &high))
        return false;
    *out = ((int64_t)high * 100 + a * 10 + b) * US_PER_SECOND;
    return true;
}

bool time_parse(const char *text, size_t n, int64_t tz_offset_us, int64_t *out_us)
{
    return time_parse_dates(text, n, DATES_UNSAID, tz_offset_us, out_us);
}

bool time_parse_dates(const char *text, size_t n, enum date_order order, int64_t tz_offset_us, int64_t *out_us)
{
    if (n == 10 && ten_digits(text, out_us))
        return true;
    const char *end = text + n;
    while (text < end && *text == ' ')
        text++;
    while (end > text && end[-1] == ' ')
        end--;
    size_t plain = 0;
    while (text + plain < end && text[plain] >= '0' && text[plain] <= '9')
        plain++;
    if (text + plain == end && plain != 8)
        return parse_epoch(text, end, out_us);
    return parse_iso(text, end, tz_offset_us, out_us) || parse_epoch(text, end, out_us) ||
           parse_dated(text, end, order, tz_offset_us, out_us);
}

/* ---- times in a form that is told ---- */

/* A number of `least` to `most` digits. */
static bool number(const char **p, const char *end, int least, int most, int64_t *out)
{
    int n = 0;
    while (n < most && *p + n < end && (*p)[n] >= '0' && (*p)[n] <= '9')
        n++;
    return n >= least && digits(p, end, n, out);
}

/* Two digits of a year, as POSIX has it. */
static int64_t whole_year(int64_t y)
{
    return y < 69 ? 2000 + y : 1900 + y;
}

/* "AM", "pm": hours of 12. */
static bool half_of_day(const char **p, const char *end, int64_t *hour)
{
    if (end - *p < 2 || ((*p)[1] | 32) != 'm' || (((*p)[0] | 32) != 'a' && ((*p)[0] | 32) != 'p') || *hour < 1 ||
        *hour > 12)
        return false;
    *hour = *hour % 12 + (((*p)[0] | 32) == 'p' ? 12 : 0);
    *p += 2;
    return true;
}

static bool month_name(const char **p, const char *end, int64_t *m)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12 && end - *p >= 3; i++)
        if (((*p)[0] | 32) == names[3 * i] && ((*p)[1] | 32) == names[3 * i + 1] &&
            ((*p)[2] | 32) == names[3 * i + 2]) {
            *p += 3;
            *m = i + 1;
            return true;
        }
    return false;
}

static void skip_letters(const char **p, const char *end)
{
    while (*p < end && (**p | 32) >= 'a' && (**p | 32) <= 'z')
        (*p)++;
}

struct civil {
    int64_t y, m, d, hour, minute, second, us, tz;
};

static bool civil_us_of(const struct civil *c, int64_t *out)
{
    if (!civil_ok(c->y, c->m, c->d) || c->hour > 23 || c->minute > 59 || c->second > 60)
        return false;
    *out = time_days(c->y, (int)c->m, (int)c->d) * US_PER_DAY +
           ((c->hour * 60 + c->minute) * 60 + c->second) * US_PER_SECOND + c->us - c->tz;
    return true;
}

/* One conversion of a pattern; false when the text does not fit. */
static bool convert(char what, const char **p, const char *end, struct civil *c)
{
    int64_t scale = 100000;
    const char *first = *p;
    switch (what) {
    case 'Y':
        return digits(p, end, 4, &c->y);
    case 'y':
        if (!digits(p, end, 2, &c->y))
            return false;
        c->y = whole_year(c->y);
        return true;
    case 'm':
        return number(p, end, 1, 2, &c->m);
    case 'd':
    case 'e':
        return number(p, end, 1, 2, &c->d);
    case 'H':
    case 'I':
        return number(p, end, 1, 2, &c->hour);
    case 'M':
        return digits(p, end, 2, &c->minute);
    case 'S':
        return digits(p, end, 2, &c->second);
    case 'f':
        for (c->us = 0; *p < end && **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
            c->us += (**p - '0') * scale;
        return *p > first;
    case 'b':
    case 'B':
        if (!month_name(p, end, &c->m))
            return false;
        skip_letters(p, end);
        return true;
    case 'a':
    case 'A':
        skip_letters(p, end);
        return *p > first;
    case 'p':
        return half_of_day(p, end, &c->hour);
    case 'z':
        return *p < end && zone(p, end, &c->tz);
    default:
        return what == '%' && one(p, end, '%');
    }
}

static bool parse_pattern(const char *pattern, const char *p, const char *end, int64_t tz, int64_t *out)
{
    struct civil c = {.m = 1, .d = 1, .tz = tz};
    for (; *pattern; pattern++) {
        if (*pattern == '%' && pattern[1]) {
            if (!convert(*++pattern, &p, end, &c))
                return false;
        } else if (*pattern == ' ') {
            while (p < end && *p == ' ')
                p++;
        } else if (!one(&p, end, *pattern)) {
            return false;
        }
    }
    return p == end && civil_us_of(&c, out);
}

static const struct {
    const char *name, *pattern;
    int n; /* bytes of such a text */
} time_forms[] = {{"yymmddhh", "%y%m%d%H", 8}, {"yyyymmddhh", "%Y%m%d%H", 10}};

bool time_form_ok(const char *form)
{
    bool any = false;
    for (size_t i = 0; i < sizeof time_forms / sizeof *time_forms; i++)
        if (strcmp(form, time_forms[i].name) == 0)
            return true;
    for (const char *p = form; *p; p++) {
        if (*p != '%')
            continue;
        if (!*++p || !strchr("YymdeHIMSfbBaApz%", *p))
            return false;
        any |= *p == 'Y' || *p == 'y';
    }
    return any;
}

bool time_parse_as(const char *form, const char *text, size_t n, int64_t tz_offset_us, int64_t *out_us)
{
    const char *end = text + n;
    while (text < end && *text == ' ')
        text++;
    while (end > text && end[-1] == ' ')
        end--;
    for (size_t i = 0; i < sizeof time_forms / sizeof *time_forms; i++)
        if (strcmp(form, time_forms[i].name) == 0)
            return end - text == time_forms[i].n &&
                   parse_pattern(time_forms[i].pattern, text, end, tz_offset_us, out_us);
    return parse_pattern(form, text, end, tz_offset_us, out_us);
}

static void civil_us(int64_t us, int64_t *y, int *m, int *d, int64_t *rest)
{
    int64_t days = us / US_PER_DAY;
    *rest = us % US_PER_DAY;
    if (*rest < 0) {
        *rest += US_PER_DAY;
        days--;
    }
    time_civil(days, y, m, d);
}

int time_iso(char *out, size_t size, int64_t us)
{
    int64_t y, rest;
    int m, d;
    civil_us(us, &y, &m, &d, &rest);
    int64_t s = rest / US_PER_SECOND, fraction = rest % US_PER_SECOND;
    int n = snprintf(out, size, "%04lld-%02d-%02dT%02lld:%02lld:%02lld", (long long)y, m, d, (long long)(s / 3600),
                     (long long)(s / 60 % 60), (long long)(s % 60));
    if (fraction) {
        n += snprintf(out + n, size - (size_t)n, ".%06lld", (long long)fraction);
        while (out[n - 1] == '0')
            n--;
    }
    return n + snprintf(out + n, size - (size_t)n, "Z");
}

int time_short(char *out, size_t size, int64_t us)
{
    int64_t y, rest;
    int m, d;
    civil_us(us, &y, &m, &d, &rest);
    if (rest == 0)
        return snprintf(out, size, "%04lld-%02d-%02d", (long long)y, m, d);
    int64_t minutes = rest / (60 * US_PER_SECOND);
    return snprintf(out, size, "%04lld-%02d-%02d %02lld:%02lld", (long long)y, m, d, (long long)(minutes / 60),
                    (long long)(minutes % 60));
}
