/* When a user was there: events by day, week or month; the last sessions. */
#include <math.h>

#include "base/mem.h"
#include "commands/user_sections.h"

/* ---- timeline ---- */

static const char *unit_name(enum tally_by by)
{
    return by == TALLY_DAY ? "day" : by == TALLY_WEEK ? "week" : by == TALLY_MONTH ? "month" : "year";
}

static void put_summary(const struct activity *a, struct result *out)
{
    static const struct column columns[] = {
        {.name = "first", .type = VALUE_TIME},
        {.name = "last", .type = VALUE_TIME},
        {.name = "active_days", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "of_days", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "longest_gap", .type = VALUE_TEXT},
        {.name = "from", .type = VALUE_TIME},
        {.name = "to", .type = VALUE_TIME},
        {.name = "gap_seconds", .type = VALUE_REAL, .precision = -1, .flags = COLUMN_HIDDEN},
    };
    double gap = a->gap_to == NO_TIME ? NAN : ((double)a->gap_to - (double)a->gap_from) / (double)US_PER_SECOND;
    char words[32];
    text_duration(words, sizeof words, gap);
    struct table *t = result_table(out, "activity", "activity", columns, 8);
    table_time(t, a->first);
    table_time(t, a->last);
    table_int(t, (int64_t)a->active_days);
    table_int(t, tally_number(TALLY_DAY, a->last) - tally_number(TALLY_DAY, a->first) + 1);
    table_text(t, isnan(gap) ? NULL : words);
    table_time(t, a->gap_from);
    table_time(t, a->gap_to);
    table_real(t, gap);
}

static void put_plot(const struct activity *a, struct result *out)
{
    const char *unit = unit_name(a->by);
    struct series *s = result_series(out, "timeline", result_textf(out, "events by %s", unit), VALUE_TIME, a->n, false);
    if (!s)
        return;
    s->x_label = unit;
    s->y_label = "events";
    s->style = "bar";
    for (size_t i = 0; i < a->n; i++) {
        s->x[i] = (double)tally_moment(a->by, a->begin + (int64_t)i);
        s->y[i] = (double)a->count[i];
    }
}

static void put_counts(const struct activity *a, bool drawn, struct result *out)
{
    const struct column columns[] = {
        {.name = unit_name(a->by), .type = VALUE_TIME},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT | COLUMN_BAR},
    };
    struct table *t = result_table(out, "timeline", result_textf(out, "events by %s", unit_name(a->by)), columns, 2);
    t->drawn = drawn;
    for (size_t i = 0; i < a->n; i++) {
        table_time(t, tally_moment(a->by, a->begin + (int64_t)i));
        table_int(t, (int64_t)a->count[i]);
    }
}

enum status user_put_timeline(const struct question *q, struct result *out, struct error *err)
{
    enum { LEAST_POINTS = 4 }; /* fewer are read sooner than drawn */
    struct activity a;
    struct query query = history_query(&q->history);
    enum status st = activity_make(&query, &a, err);
    if (st)
        return st;
    if (!a.events) {
        result_message(out, MESSAGE_INFO, "no timeline: no event of %s has a time", q->who);
    } else {
        bool drawn = a.n >= LEAST_POINTS;
        put_summary(&a, out);
        put_counts(&a, drawn, out);
        if (drawn)
            put_plot(&a, out);
    }
    activity_clear(&a);
    return ST_OK;
}

/* ---- sessions ---- */

/* buys[type] for the data set, or NULL when no type buys anything. */
static enum status find_buys(const struct dataset *d, uint8_t **out, struct error *err)
{
    bool any = false;
    *out = mem_new(d->types.n, 1, "types of events", err);
    if (!*out)
        return ST_NOMEM;
    for (uint32_t t = 0; t < d->types.n; t++) {
        (*out)[t] = type_buys(dict_text(&d->types, t));
        any |= (*out)[t];
    }
    if (!any) {
        mem_free(*out);
        *out = NULL;
    }
    return ST_OK;
}

/* From its first event to its last: for people, and in seconds. */
static void put_length(const struct visit *v, struct table *t)
{
    double seconds = v->from == NO_TIME ? NAN : ((double)v->to - (double)v->from) / (double)US_PER_SECOND;
    char words[32] = "0 s";
    if (seconds > 0)
        text_duration(words, sizeof words, seconds);
    table_text(t, isnan(seconds) ? NULL : words);
    table_real(t, seconds);
}

static void add_visit(const struct visit *v, size_t number, bool buys, struct table *t)
{
    table_int(t, (int64_t)number);
    table_time(t, v->from);
    put_length(v, t);
    table_int(t, (int64_t)v->events);
    table_int(t, (int64_t)v->items);
    if (buys)
        table_int(t, (int64_t)v->purchases);
    else
        table_null(t);
}

/* The newest first, as in the history. */
static void put_visits(const struct question *q, const struct visits *v, const char *how, bool buys, size_t most,
                       struct result *out)
{
    unsigned timed = q->data->events.time ? 0 : COLUMN_HIDDEN;
    const struct column columns[] = {
        {.name = "session", .type = VALUE_INT},
        {.name = "start", .type = VALUE_TIME, .flags = timed},
        {.name = "length", .type = VALUE_TEXT, .flags = timed},
        {.name = "seconds", .type = VALUE_REAL, .precision = -1, .flags = COLUMN_HIDDEN},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "purchases", .type = VALUE_INT, .flags = buys ? COLUMN_COUNT : COLUMN_HIDDEN},
    };
    size_t n = v->n < most ? v->n : most;
    const char *title = n < v->n ? result_textf(out, "sessions: the last %zu of %zu, %s", n, v->n, how)
                                 : result_textf(out, "sessions, %s", how);
    struct table *t = result_table(out, "sessions", title, columns, 7);
    for (size_t i = v->n; i-- > v->n - n;)
        add_visit(&v->list[i], i + 1, buys, t);
    if (v->apart)
        result_message(out, MESSAGE_INFO, "%zu event%s in no session", v->apart, v->apart == 1 ? " is" : "s are");
}

enum status user_put_sessions(const struct call *call, const struct question *q, size_t most, bool asked,
                              struct result *out, struct error *err)
{
    const struct dataset *d = q->data;
    const struct field *by = fields_find(&d->events.context, "session");
    struct visits v = {0};
    uint8_t *buys = NULL;
    struct query query = history_query(&q->history);
    if (by && by->type != FIELD_TEXT && by->type != FIELD_INT && by->type != FIELD_TIME)
        by = NULL;
    if (!by && !d->events.time) {
        if (asked)
            result_message(out, MESSAGE_INFO, "no sessions: events of %s have neither times nor a column \"session\"",
                           d->name);
        return ST_OK;
    }
    enum status st = find_buys(d, &buys, err);
    if (!st)
        st = visits_make(&query, by, call_int(call, "gap"), buys, &v, err);
    if (!st && !v.n && asked)
        result_message(out, MESSAGE_INFO, "no sessions: no event of %s has %s", q->who, by ? "one" : "a time");
    if (!st && v.n)
        put_visits(q, &v, by ? "by the column session" : result_textf(out, "cut by gaps of %s", call_text(call, "gap")),
                   buys != NULL, most, out);
    visits_clear(&v);
    mem_free(buys);
    return st;
}
