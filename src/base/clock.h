/* Time: event times are int64 microseconds since 1970 UTC; waiting times come from a monotonic clock. */
#ifndef TAILOR_BASE_CLOCK_H
#define TAILOR_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_TIME INT64_MIN
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_SECOND)

/* Seconds on a clock that never goes back; only differences mean anything. */
double clock_seconds(void);
/* Now, in microseconds UTC. */
int64_t clock_now_us(void);

/* How dates that begin with neither the year nor an epoch are read: "3/1/2026" says nothing by itself. */
enum date_order { DATES_UNSAID, DATES_DMY, DATES_MDY };

/* Parses text[0..n) as a time: ISO 8601 dates and date-times ("2026-05-24", "2026-05-24T10:30:00.5Z",
 * "2026-05-24 10:30:00+02:00", "20260524"), day.month.year ("24.5.2026 10:30"), or epoch seconds, milliseconds,
 * microseconds or nanoseconds, told apart by size (< 1e11, < 1e14, < 1e17, else). Eight digits are a date when they
 * make one. A time without an offset is `tz_offset_us` east of UTC. False when it is not a time or
 * does not fit. */
bool time_parse(const char *text, size_t n, int64_t tz_offset_us, int64_t *out_us);

/* The same, and dates whose order was said: "5/24/2026 1:30:00 PM", "24-05-2026". */
bool time_parse_dates(const char *text, size_t n, enum date_order order, int64_t tz_offset_us, int64_t *out_us);

/* As time_parse, of texts in a form that is told: "yymmddhh", "yyyymmddhh", or a pattern as of strptime of %Y %y %m %d
 * %e %H %I %M %S %f %b %B %a %A %p %z %%; a blank in it stands for any number of them. Years of two digits are 1969 to
 * 2068. Names of months are English. */
bool time_parse_as(const char *form, const char *text, size_t n, int64_t tz_offset_us, int64_t *out_us);
/* Is it such a form, with a year at least? */
bool time_form_ok(const char *form);

/* "2026-05-24T10:30:00Z", with a fraction only when there is one. size >= 40. Returns length. */
int time_iso(char *out, size_t size, int64_t us);
/* As people read it: "2026-05-24" for midnight, else "2026-05-24 10:30". */
int time_short(char *out, size_t size, int64_t us);
/* Civil date <-> days since 1970 (proleptic Gregorian). month 1..12, day 1..31. */
int64_t time_days(int64_t year, int month, int day);
void time_civil(int64_t days, int64_t *year, int *month, int *day);

#endif
