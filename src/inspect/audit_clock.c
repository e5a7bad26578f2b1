/* Checks of time: copies, clocks, time zones, holes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/audit_parts.h"

/* ---- duplicates ---- */

enum { FEW = 10 };

static enum status check_duplicates(struct audit *a, struct error *err)
{
    const struct audit_facts *f = a->facts;
    size_t n = a->data->events.n;
    (void)err;
    if (!a->data->events.time) {
        audit_find(a, SEVERITY_OK, "without times a copy cannot be told from a repeat: see repeats");
        return ST_OK;
    }
    if (f->copies) {
        struct finding *x = audit_find(a, severity_of(f->copies < FEW ? 0 : (double)f->copies / (double)n, .01, .1),
                                       "%s of the events (%s) are copies of another: same user, item, type, time and "
                                       "value",
                                       SHARE(f->copies, n), COUNT(f->copies));
        finding_evidence(x, f->copy_groups,
                         "SELECT user, item, type, time, value, count(*) AS copies FROM events WHERE time IS NOT NULL "
                         "GROUP BY user, item, type, time, value HAVING count(*) > 1");
        finding_advice(x, "repeat once");
    }
    if (f->near) {
        struct finding *x = audit_find(a, severity_of(f->near < FEW ? 0 : (double)f->near / (double)n, .05, 2),
                                       "%s of the events (%s) follow the same event of the same user within a second: "
                                       "double clicks or retries",
                                       SHARE(f->near, n), COUNT(f->near));
        finding_evidence(x, f->near,
                         "SELECT user, item, type, before, time FROM (SELECT *, lag(time) OVER (PARTITION BY user, "
                         "item, type ORDER BY time, event) AS before FROM events) WHERE (julianday(time) - "
                         "julianday(before)) * 86400 BETWEEN 0.0005 AND 1.0005");
        if (f->near * 10 >= f->repeats * 8)
            finding_advice(x, "repeat first");
    }
    return ST_OK;
}

const struct audit_check audit_duplicates = {
    .name = "duplicates",
    .looks = "events that are there twice, exactly or within a second",
    .rule = "copies: info from one, with ten or more a warning from 1 %, serious from 10 % of the events (a file "
            "loaded twice is 50 %). Within a second: info, from 5 % a warning: a person does not do the same thing "
            "twice in a second, a page that retries does",
    .fine = "no event is there twice",
    .needs = NEED_RUNS,
    .run = check_duplicates,
};

/* ---- clock ---- */

enum { LEAST_TIMED = 20 };

static void judge_ranges(struct audit *a, const struct time_facts *t)
{
    if (t->future) {
        int64_t end = a->now + US_PER_DAY;
        struct finding *f = audit_find(a, severity_of((double)t->future / (double)t->timed, 0, .01),
                                       "%s of the events (%s) lie in the future, up to %s", SHARE(t->future, t->timed),
                                       COUNT(t->future), day_of(t->newest).text);
        finding_evidence(f, t->future, "SELECT * FROM events WHERE time > '%s'", time_of(end).text);
        finding_advice(f, "filter \"time <= %s\"", time_of(end).text);
    }
    uint64_t early = t->ancient + t->epoch + t->year_1970;
    if (!early)
        return;
    if (early * 2 > t->timed) {
        struct finding *f = audit_find(a, SEVERITY_WARNING,
                                       "%s of the events lie before 1971, the oldest on %s: the column may count days, "
                                       "hours or minutes, or seconds from a start of its own",
                                       SHARE(early, t->timed), day_of(t->oldest).text);
        finding_evidence(f, early, "SELECT * FROM events WHERE time < '1971-01-01'");
        return;
    }
    bool zero = t->epoch * 2 > early;
    struct finding *f =
        audit_find(a, severity_of((double)early / (double)t->timed, 0, .01),
                   zero ? "%s of the events (%s) are of 1970-01-01: a time of 0 stands for a missing one"
                        : "%s of the events (%s) lie before 1971, the oldest on %s",
                   SHARE(early, t->timed), COUNT(early), day_of(t->oldest).text);
    finding_evidence(f, early, "SELECT * FROM events WHERE time < '1971-01-01'");
    finding_advice(f, "filter \"time >= 1971-01-01\"");
}

static void judge_grain(struct audit *a, const struct time_facts *t)
{
    const struct audit_facts *f = a->facts;
    bool days = t->midnight == t->usual;
    if (t->usual < LEAST_TIMED)
        return;
    if (days || (double)f->ties >= .1 * (double)f->feedback) {
        struct str types = {0};
        put_feedback_types(&types, a->data);
        struct finding *x = audit_find(
            a, SEVERITY_INFO,
            "%s%s of the feedback has the same time as another of its user: the order there is that of the file",
            days                          ? "times are dates only: "
            : t->whole_minute == t->usual ? "times are whole minutes: "
                                          : "",
            SHARE(f->ties, f->feedback));
        finding_evidence(
            x, f->tie_groups,
            "SELECT user, time, count(*) AS events FROM events WHERE time IS NOT NULL AND type IN %s GROUP BY user, "
            "time HAVING count(*) > 1",
            str_text(&types));
        str_free(&types);
    }
    if (!days && t->midnight * 20 > t->usual && t->midnight > 100) {
        struct finding *x =
            audit_find(a, SEVERITY_WARNING, "%s of the events (%s) are at midnight exactly: their time of day was lost",
                       SHARE(t->midnight, t->usual), COUNT(t->midnight));
        finding_evidence(
            x, t->midnight,
            "SELECT * FROM events WHERE time >= '1971-01-01' AND time <= '%s' AND time LIKE '%%T00:00:00Z'",
            time_of(a->now + US_PER_DAY).text);
    }
}

/* Many users in one second are no users but an import. */
static void judge_batches(struct audit *a, const struct time_facts *t)
{
    if (t->busiest_events < 50 || t->busiest_users < 20 || t->busiest_events * 100 < t->usual ||
        t->whole_minute * 10 > t->usual * 9)
        return;
    struct finding *f =
        audit_find(a, SEVERITY_WARNING,
                   "%s of the events (%s), of %s users, are of one second, %s: they were imported then, not made then",
                   SHARE(t->busiest_events, t->usual), COUNT(t->busiest_events), COUNT(t->busiest_users),
                   time_of(t->busiest).text);
    finding_evidence(f, t->busiest_events, "SELECT * FROM events WHERE time >= '%s' AND time < '%s'",
                     time_of(t->busiest).text, time_of(t->busiest + US_PER_SECOND).text);
}

static enum status check_clock(struct audit *a, struct error *err)
{
    const struct time_facts *t = &a->facts->times;
    (void)err;
    if (!a->data->events.time || !t->timed) {
        audit_find(a, SEVERITY_OK, "there are no times: only the order of the file is known");
        return ST_OK;
    }
    if (t->untimed) {
        struct finding *f =
            audit_find(a, severity_of((double)t->untimed / (double)a->data->events.n, .01, .3),
                       "%s of the events (%s) have no time", SHARE(t->untimed, a->data->events.n), COUNT(t->untimed));
        finding_evidence(f, t->untimed, "SELECT * FROM events WHERE time IS NULL");
    }
    judge_ranges(a, t);
    judge_grain(a, t);
    judge_batches(a, t);
    uint64_t unordered = a->facts->unordered;
    if (unordered * 100 > t->timed)
        audit_find(
            a, SEVERITY_OK,
            "the file was not in order of time (%s of the events stood behind a later one of their user): they were "
            "sorted",
            SHARE(unordered, t->timed));
    return ST_OK;
}

const struct audit_check audit_clock = {
    .name = "clock",
    .looks = "times in the future, of 1970 or before, dates only, many events in one second, events that share their "
             "time",
    .rule = "future means more than a day after now (zones differ by less): a warning from one event, serious from 1 "
            "%, since a split by time would test on them. Times before 1971 likewise: they are a 0, or a unit taken "
            "wrongly. One second with 1 % of all events, of 20 users or more, is an import: a warning. Dates only, and "
            "10 % or more of the feedback at the same time as another of its user, are info: `split last 1` then goes "
            "by the order of the file. 5 % at midnight among others with a time of day is a warning",
    .fine = "times are plausible",
    .needs = NEED_TIMES | NEED_RUNS,
    .run = check_clock,
};

/* ---- zones ---- */

enum { LEAST_CLOCKED = 1000 };

static uint64_t sum_of(const uint64_t *hours)
{
    uint64_t n = 0;
    for (int h = 0; h < 24; h++)
        n += hours[h];
    return n;
}

/* How unlike two days are when the second is turned back by `shift` hours: the sum of (p - q)^2 / (p + q), 0 .. 2. */
static double unlike(const uint64_t *p, const uint64_t *q, int shift)
{
    double np = (double)sum_of(p), nq = (double)sum_of(q), sum = 0;
    for (int h = 0; h < 24; h++) {
        double x = (double)p[h] / np, y = (double)q[(h + shift + 24) % 24] / nq;
        sum += x + y > 0 ? (x - y) * (x - y) / (x + y) : 0;
    }
    return sum;
}

/* The shift in hours (-11 .. 12) that makes q's day into p's, or 0 when none clearly does. */
static int find_shift(const uint64_t *p, const uint64_t *q)
{
    uint64_t np = sum_of(p), nq = sum_of(q);
    if (np < LEAST_CLOCKED || nq < LEAST_CLOCKED)
        return 0;
    double plain = unlike(p, q, 0), noise = 24. / (double)np + 24. / (double)nq;
    int best = 0;
    for (int s = -11; s <= 12; s++)
        if (unlike(p, q, s) < unlike(p, q, best))
            best = s;
    bool clear = abs(best) >= 2 && plain > .05 && plain > 20 * noise && unlike(p, q, best) * 5 < plain;
    return clear ? best : 0;
}

/* Hour by hour of the parts of a given split, which often are files. */
static enum status part_hours(const struct dataset *d, const struct field *part, uint64_t (*hours)[24], uint32_t most)
{
    for (size_t e = 0; e < d->events.n; e++) {
        uint32_t code = part->code[e];
        int64_t t = d->events.time[e];
        if (code < most && t != NO_TIME && t >= 0)
            hours[code][t % US_PER_DAY / (3600 * US_PER_SECOND)]++;
    }
    return ST_OK;
}

static uint64_t hours_with_events(const uint64_t *p, const uint64_t *q)
{
    uint64_t n = 0;
    for (int h = 0; h < 24; h++)
        n += (uint64_t)(p[h] > 0) + (uint64_t)(q[h] > 0);
    return n;
}

/* `column` has the two values whose clocks differ. Stretches of time are told by their days instead: zone_of_times. */
static void put_zone(struct audit *a, const char *column, const char *one, const char *other, int shift, uint64_t rows)
{
    struct str x = {0}, y = {0};
    put_sql_text(&x, one);
    put_sql_text(&y, other);
    struct finding *f =
        audit_find(a, SEVERITY_WARNING, "the day of %s %s is that of %s, %d hour%s %s: another time zone?", column,
                   other, one, abs(shift), abs(shift) == 1 ? "" : "s", shift > 0 ? "later" : "earlier");
    finding_evidence(
        f, rows,
        "SELECT %s, substr(time, 12, 2) AS hour, count(*) AS events FROM events WHERE %s IN (%s, %s) AND time >= "
        "'1970-01-01' GROUP BY 1, 2",
        column, column, str_text(&x), str_text(&y));
    str_free(&x);
    str_free(&y);
}

static void zone_of_types(struct audit *a, const struct time_facts *t)
{
    uint32_t n = a->data->types.n < TYPES_CLOCKED ? a->data->types.n : TYPES_CLOCKED, most = 0;
    for (uint32_t i = 1; i < n; i++)
        most = sum_of(t->type_hours[i]) > sum_of(t->type_hours[most]) ? i : most;
    for (uint32_t i = 0; i < n; i++) {
        int shift = i == most ? 0 : find_shift(t->type_hours[most], t->type_hours[i]);
        if (shift)
            put_zone(a, "type", dict_text(&a->data->types, most), dict_text(&a->data->types, i), shift,
                     hours_with_events(t->type_hours[most], t->type_hours[i]));
    }
}

static enum status zone_of_parts(struct audit *a, struct error *err)
{
    const struct field *part = fields_find(&a->data->events.context, "part");
    if (!part || part->type != FIELD_TEXT || part->levels.n < 2 || part->levels.n > TYPES_CLOCKED)
        return ST_OK;
    uint64_t(*hours)[24] = mem_new(part->levels.n, sizeof *hours, "hours of parts", err);
    if (!hours)
        return ST_NOMEM;
    enum status st = part_hours(a->data, part, hours, part->levels.n);
    for (uint32_t i = 1; i < part->levels.n && !st; i++) {
        int shift = find_shift(hours[0], hours[i]);
        if (shift)
            put_zone(a, "part", dict_text(&part->levels, 0), dict_text(&part->levels, i), shift,
                     hours_with_events(hours[0], hours[i]));
    }
    mem_free(hours);
    return st;
}

static void zone_of_times(struct audit *a, const struct time_facts *t)
{
    for (int s = 1; s < SLICES; s++) {
        int shift = find_shift(t->hours[s - 1], t->hours[s]);
        if (!shift)
            continue;
        /* Slice s holds the days for which day * SLICES / ndays is s. */
        int64_t cut[3];
        for (int k = 0; k < 3; k++)
            cut[k] = (t->first_day + ((int64_t)(s - 1 + k) * (int64_t)t->ndays + SLICES - 1) / SLICES) * US_PER_DAY;
        struct finding *f =
            audit_find(a, SEVERITY_WARNING,
                       "from about %s on the day is as before, %d hour%s %s: the time zone of the log changed?",
                       day_of(cut[1]).text, abs(shift), abs(shift) == 1 ? "" : "s", shift > 0 ? "later" : "earlier");
        finding_evidence(f, hours_with_events(t->hours[s - 1], t->hours[s]),
                         "SELECT time >= '%s' AS after, substr(time, 12, 2) AS hour, count(*) AS events FROM events "
                         "WHERE time >= '%s' AND time < '%s' GROUP BY 1, 2",
                         day_of(cut[1]).text, day_of(cut[0]).text, day_of(cut[2]).text);
    }
}

static enum status check_zones(struct audit *a, struct error *err)
{
    const struct time_facts *t = &a->facts->times;
    if (!a->data->events.time || t->usual < 2 * LEAST_CLOCKED || t->midnight * 2 > t->usual) {
        audit_find(a, SEVERITY_OK, "too few events with a time of day to tell zones apart");
        return ST_OK;
    }
    zone_of_types(a, t);
    zone_of_times(a, t);
    return zone_of_parts(a, err);
}

const struct audit_check audit_zones = {
    .name = "zones",
    .looks = "types, given parts or stretches of time whose day is another's, some hours later",
    .rule = "hour-of-day histograms of 1,000 events or more are compared by sum((p - q)^2 / (p + q)). A warning where "
            "they differ by .05 and by 20 times what chance does, and a shift of 2 hours or more leaves less than a "
            "fifth of that: habits differ in shape, zones only in place. One hour is summer time and is passed over",
    .fine = "all events keep the same hours of the day",
    .needs = NEED_TIMES,
    .run = check_zones,
};

/* ---- gaps ---- */

enum { WEEKS = 8, LEAST_USUAL = 20 };

static int by_count(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Median of users on the same weekday in the eight weeks on one side, days with nobody left out; 0 when two are not
 * left. */
static uint32_t usual_on_side(const struct time_facts *t, size_t day, int step)
{
    uint32_t around[WEEKS];
    size_t n = 0;
    for (int w = 1; w <= WEEKS; w++) {
        int64_t at = (int64_t)day + 7 * step * w;
        if (at >= 0 && at < (int64_t)t->ndays && t->days[at])
            around[n++] = t->days[at];
    }
    qsort(around, n, sizeof *around, by_count);
    return n < 2 ? 0 : around[(n - 1) / 2];
}

/* Both sides must have many: a log that begins or ends slowly has no hole there. */
static bool is_missing(const struct time_facts *t, size_t day)
{
    uint32_t before = usual_on_side(t, day, -1), after = usual_on_side(t, day, 1),
             usual = before < after ? before : after;
    return usual >= LEAST_USUAL && t->days[day] * 10 < usual;
}

static enum status check_gaps(struct audit *a, struct error *err)
{
    const struct time_facts *t = &a->facts->times;
    size_t holes = 0, missing = 0, longest = 0, at = 0;
    (void)err;
    for (size_t d = 1; d + 1 < t->ndays;) { /* the first and the last day are seldom whole */
        size_t n = 0;
        while (d + n + 1 < t->ndays && is_missing(t, d + n))
            n++;
        holes += n > 0;
        missing += n;
        at = n > longest ? d : at;
        longest = n > longest ? n : longest;
        d += n + 1;
    }
    if (!holes)
        return ST_OK;
    int64_t from = t->first_day + (int64_t)at, until = from + (int64_t)longest;
    uint64_t rows = 0;
    for (int64_t d = from - 7; d < until + 7; d++)
        rows += d >= t->first_day && d < t->first_day + (int64_t)t->ndays && t->days[d - t->first_day] > 0;
    struct finding *f = audit_find(a, longest >= 3 || missing * 20 > t->ndays ? SEVERITY_WARNING : SEVERITY_INFO,
                                   "%zu day%s of %zu %s nearly nobody where there usually are many; the longest hole "
                                   "is %zu day%s from %s",
                                   missing, missing == 1 ? "" : "s", t->ndays, missing == 1 ? "has" : "have", longest,
                                   longest == 1 ? "" : "s", day_of(from * US_PER_DAY).text);
    finding_evidence(
        f, rows,
        "SELECT substr(time, 1, 10) AS day, count(*) AS events FROM events WHERE time >= '%s' AND time < '%s' GROUP BY "
        "1",
        day_of((from - 7) * US_PER_DAY).text, day_of((until + 7) * US_PER_DAY).text);
    return ST_OK;
}

const struct audit_check audit_gaps = {
    .name = "gaps",
    .looks = "days on which hardly anybody is there",
    .rule = "a day is missing when it has less than a tenth of the users that the same weekday has in the eight weeks "
            "before and in those after it (medians, at least 20): a shop that rests on Sundays has no hole there, nor "
            "a log that begins slowly. The first and last day are passed over. Info; a warning from 3 days in a row, "
            "or when one day in twenty is missing",
    .fine = "no day is missing",
    .needs = NEED_TIMES,
    .run = check_gaps,
};
