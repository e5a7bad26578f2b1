#include "inspect/activity.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

/* ---- over time ---- */

/* The finest unit of which there are not too many for a plot. */
static enum tally_by unit_for(int64_t first, int64_t last)
{
    enum { DAYS = 92, WEEKS = 2 * 53, MONTHS = 600 };
    if (tally_number(TALLY_DAY, last) - tally_number(TALLY_DAY, first) < DAYS)
        return TALLY_DAY;
    if (tally_number(TALLY_WEEK, last) - tally_number(TALLY_WEEK, first) < WEEKS)
        return TALLY_WEEK;
    return tally_number(TALLY_MONTH, last) - tally_number(TALLY_MONTH, first) < MONTHS ? TALLY_MONTH : TALLY_YEAR;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* time[0..a->events) ascending */
static void measure(struct activity *a, const int64_t *time)
{
    int64_t longest = -1;
    a->first = time[0];
    a->last = time[a->events - 1];
    a->active_days = 1;
    for (size_t i = 1; i < a->events; i++) {
        a->active_days += tally_number(TALLY_DAY, time[i]) != tally_number(TALLY_DAY, time[i - 1]);
        if (time[i] - time[i - 1] > longest) {
            longest = time[i] - time[i - 1];
            a->gap_from = time[i - 1];
            a->gap_to = time[i];
        }
    }
    a->by = unit_for(a->first, a->last);
    a->begin = tally_number(a->by, a->first);
    a->n = (size_t)(tally_number(a->by, a->last) - a->begin) + 1;
}

enum status activity_make(const struct query *q, struct activity *out, struct error *err)
{
    *out =
        (struct activity){.first = NO_TIME, .last = NO_TIME, .gap_from = NO_TIME, .gap_to = NO_TIME, .by = TALLY_DAY};
    int64_t *time = mem_new_raw(q->n, sizeof *time, "times of events", err);
    if (!time)
        return ST_NOMEM;
    for (size_t i = 0; i < q->n; i++)
        if (q->events[i].time != NO_TIME)
            time[out->events++] = q->events[i].time;
    enum status st = ST_OK;
    if (out->events) {
        qsort(time, out->events, sizeof *time, by_time); /* made-up events may stand anywhere */
        measure(out, time);
        out->count = mem_new(out->n, sizeof *out->count, "events by time", err);
        st = out->count ? ST_OK : ST_NOMEM;
    }
    for (size_t i = 0; i < out->events && !st; i++)
        out->count[tally_number(out->by, time[i]) - out->begin]++;
    mem_free(time);
    if (st)
        activity_clear(out);
    return st;
}

void activity_clear(struct activity *a)
{
    mem_free(a->count);
    *a = (struct activity){.first = NO_TIME, .last = NO_TIME, .gap_from = NO_TIME, .gap_to = NO_TIME, .by = TALLY_DAY};
}

/* ---- sessions ---- */

/* An event on its way into a session. */
struct step {
    uint64_t key;   /* the column's value; by gaps: the number of the session */
    uint64_t first; /* place of the session's first event */
    uint64_t place;
    uint32_t item;
};

static int by_key(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static int by_session_and_item(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static size_t key_by_column(const struct query *q, const struct field *by, struct step *step)
{
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++) {
        uint64_t event = q->events[i].event;
        if (event == UINT64_MAX || field_missing(by, event))
            continue;
        uint64_t key = by->type == FIELD_TEXT ? by->code[event] : (uint64_t)by->integer[event];
        step[n++] = (struct step){.key = key, .place = i, .item = q->events[i].item};
    }
    return n;
}

static size_t key_by_gap(const struct query *q, int64_t gap, struct step *step)
{
    size_t n = 0;
    uint64_t session = 0;
    int64_t last = NO_TIME;
    for (size_t i = 0; i < q->n; i++) {
        int64_t time = q->events[i].time;
        if (time == NO_TIME)
            continue;
        session += last == NO_TIME || time - last > gap;
        last = time;
        step[n++] = (struct step){.key = session, .place = i, .item = q->events[i].item};
    }
    return n;
}

static void add_step(struct visit *v, const struct query_event *e, bool new_item, const uint8_t *buys)
{
    v->events++;
    v->items += new_item;
    v->purchases += buys && buys[e->type];
    if (e->time == NO_TIME)
        return;
    v->from = v->from == NO_TIME || e->time < v->from ? e->time : v->from;
    v->to = e->time > v->to ? e->time : v->to;
}

enum status visits_make(const struct query *q, const struct field *by, int64_t gap, const uint8_t *buys,
                        struct visits *out, struct error *err)
{
    *out = (struct visits){0};
    struct step *step = mem_new_raw(q->n, sizeof *step, "sessions", err);
    if (!step)
        return ST_NOMEM;
    size_t n = by ? key_by_column(q, by, step) : key_by_gap(q, gap, step), sessions = 0;
    qsort(step, n, sizeof *step, by_key);
    for (size_t i = 0; i < n; i++) {
        bool opens = !i || step[i].key != step[i - 1].key;
        step[i].first = opens ? step[i].place : step[i - 1].first;
        sessions += opens;
    }
    qsort(step, n, sizeof *step, by_session_and_item);
    out->apart = q->n - n;
    out->list = mem_new(sessions, sizeof *out->list, "sessions", err);
    for (size_t i = 0; i < n && out->list; i++) {
        bool opens = !i || step[i].first != step[i - 1].first;
        if (opens)
            out->list[out->n++] = (struct visit){.from = NO_TIME, .to = NO_TIME, .first = step[i].first};
        add_step(&out->list[out->n - 1], &q->events[step[i].place], opens || step[i].item != step[i - 1].item, buys);
    }
    mem_free(step);
    return out->list ? ST_OK : ST_NOMEM;
}

void visits_clear(struct visits *v)
{
    mem_free(v->list);
    *v = (struct visits){0};
}

bool type_buys(const char *type)
{
    static const char *const buys[] = {"purchase", "transaction", "buy", "order", "bought", "purchased", "checkout"};
    for (size_t i = 0; i < sizeof buys / sizeof *buys; i++)
        if (text_same(type, buys[i]))
            return true;
    return false;
}
