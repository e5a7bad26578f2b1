#include "plot/ticks.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
static double round_step(double least)
{
    double power = pow(10, floor(log10(least)));
    double head = least / power;
    return power * (head <= 1.0000001 ? 1 : head <= 2.0000001 ? 2 : head <= 5.0000001 ? 5 : 10);
}

static void number_label(char *out, size_t size, double v, double step, double largest)
{
    static const struct {
        double size;
        const char *suffix;
    } scales[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    const char *suffix = "";
    if (largest >= 1e15 || largest < 1e-6) {
        snprintf(out, size, "%.3g", v);
        return;
    }
    for (size_t i = 0; largest >= 1e4 && i < sizeof scales / sizeof *scales; i++)
        if (largest >= scales[i].size) {
            v /= scales[i].size;
            step /= scales[i].size;
            suffix = v != 0 ? scales[i].suffix : "";
            break;
        }
    int digits = (int)-floor(log10(step) + 1e-9);
    snprintf(out, size, "%.*f%s", digits > 0 && v != 0 ? digits : 0, v, suffix);
}

void ticks_numbers(double low, double high, size_t most, struct ticks *out)
{
    out->n = 0;
    if (most < 2)
        most = 2;
    if (most > TICKS_MOST)
        most = TICKS_MOST;
    double step = round_step((high - low) / (double)most);
    double first = ceil(low / step - 1e-9), last = floor(high / step + 1e-9);
    if (last - first + 1 > (double)most) {
        step = round_step(step * 1.5);
        first = ceil(low / step - 1e-9);
        last = floor(high / step + 1e-9);
    }
    double largest = fmax(fabs(first), fabs(last)) * step;
    for (double i = first; i <= last && out->n < most; i++) {
        out->at[out->n] = i * step + 0.0; /* no -0 */
        number_label(out->label[out->n], TICK_LABEL, i * step + 0.0, step, largest > 0 ? largest : step);
        out->n++;
    }
}

/* ---- times ---- */

#define MINUTE (60 * US_PER_SECOND)
#define HOUR (60 * MINUTE)

static const int64_t steps[] = {US_PER_SECOND, 5 * US_PER_SECOND, 15 * US_PER_SECOND, 30 * US_PER_SECOND,
                                MINUTE,        5 * MINUTE,        15 * MINUTE,        30 * MINUTE,
                                HOUR,          3 * HOUR,          6 * HOUR,           12 * HOUR,
                                US_PER_DAY,    2 * US_PER_DAY,    7 * US_PER_DAY,     14 * US_PER_DAY};
static const int month_steps[] = {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static void add(struct ticks *out, int64_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add(struct ticks *out, int64_t at, const char *format, ...)
{
    if (out->n >= TICKS_MOST)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(out->label[out->n], TICK_LABEL, format, args);
    va_end(args);
    out->at[out->n++] = (double)at;
}

static void clock_ticks(int64_t low, int64_t high, int64_t step, struct ticks *out)
{
    for (int64_t at = floor_div(low + step - 1, step) * step; at <= high && out->n < TICKS_MOST; at += step) {
        int64_t days = floor_div(at, US_PER_DAY), rest = at - days * US_PER_DAY, year;
        int month, day;
        time_civil(days, &year, &month, &day);
        if (step >= US_PER_DAY || rest == 0)
            add(out, at, "%d %s", day, months[month - 1]);
        else if (step >= MINUTE)
            add(out, at, "%02d:%02d", (int)(rest / HOUR), (int)(rest / MINUTE % 60));
        else
            add(out, at, "%02d:%02d:%02d", (int)(rest / HOUR), (int)(rest / MINUTE % 60),
                (int)(rest / US_PER_SECOND % 60));
    }
}

static void month_ticks(int64_t low, int64_t high, int step, struct ticks *out)
{
    int64_t year;
    int month, day;
    time_civil(floor_div(low, US_PER_DAY), &year, &month, &day);
    int64_t index = floor_div(year * 12 + month - 1, step) * step;
    for (; out->n < TICKS_MOST; index += step) {
        int64_t y = floor_div(index, 12);
        int m = (int)(index - y * 12);
        int64_t at = time_days(y, m + 1, 1) * US_PER_DAY;
        if (at > high)
            return;
        if (at < low)
            continue;
        if (step % 12 == 0)
            add(out, at, "%lld", (long long)y);
        else
            add(out, at, "%s %lld", months[m], (long long)y);
    }
}

void ticks_times(double low, double high, size_t most, struct ticks *out)
{
    out->n = 0;
    if (most < 2)
        most = 2;
    if (fabs(low) > 9e18 || fabs(high) > 9e18)
        return;
    double span = high - low;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (span / (double)steps[i] <= (double)most) {
            clock_ticks((int64_t)low, (int64_t)high, steps[i], out);
            return;
        }
    size_t n = sizeof month_steps / sizeof *month_steps, i = 0;
    while (i + 1 < n && span / ((double)month_steps[i] * 30.44 * (double)US_PER_DAY) > (double)most)
        i++;
    month_ticks((int64_t)low, (int64_t)high, month_steps[i], out);
}
