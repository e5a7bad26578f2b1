#include "screen/numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void number_short(char *out, size_t size, double v, bool sign)
{
    char digits[32];
    if (isnan(v)) {
        snprintf(out, size, "%s", "");
        return;
    }
    double a = fabs(v);
    snprintf(digits, sizeof digits,
             a > 0 && a < .0995 ? "%.3f"
             : a < 9.995        ? "%.2f"
             : a < 99.95        ? "%.1f"
             : a < 1e7          ? "%.0f"
                                : "%.1e",
             a);
    snprintf(out, size, "%s%s",
             v < 0 && strpbrk(digits, "123456789") ? "-"
             : sign                                ? "+"
                                                   : "",
             digits + (digits[0] == '0' && digits[1] == '.'));
}

void number_age(char *out, size_t size, int64_t then, int64_t now)
{
    static const struct {
        double seconds;
        char unit;
    } units[] = {{31557600, 'y'}, {604800, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}};
    if (then == NO_TIME || now == NO_TIME) {
        snprintf(out, size, "%s", "");
        return;
    }
    double s = ((double)now - (double)then) / (double)US_PER_SECOND;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (s >= (units[i].unit == 'y' ? 2 : units[i].unit == 'w' ? 3 : 1) * units[i].seconds) {
            snprintf(out, size, "%.0f%c", floor(s / units[i].seconds), units[i].unit);
            return;
        }
    snprintf(out, size, "now");
}
