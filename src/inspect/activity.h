/* When somebody was there: a history over time, and cut into sessions. */
#ifndef TAILOR_INSPECT_ACTIVITY_H
#define TAILOR_INSPECT_ACTIVITY_H

#include "data/tally.h"
#include "models/history.h"

struct activity {
    size_t events;           /* those with a time; the others are in nothing of this */
    int64_t first, last;     /* NO_TIME: none has one */
    size_t active_days;      /* days (UTC) with an event */
    int64_t gap_from,
        gap_to; /* the longest time without an event between two: the earliest of them; NO_TIME with fewer than two */
    enum tally_by by;        /* DAY, WEEK, MONTH or YEAR, by how long the history is */
    int64_t begin;           /* the number of the first of them (tally_moment) */
    size_t n;                /* first to last, quiet ones too */
    size_t *count;           /* events in each; owned */
};

MUST_CHECK enum status activity_make(const struct query *q, struct activity *out, struct error *err);
void activity_clear(struct activity *a);

struct visit {
    int64_t from, to;     /* NO_TIME: its events have no times */
    size_t events, items; /* items: distinct */
    size_t purchases;     /* events of a type that buys */
    size_t first;         /* its first event, a place in the history */
};

struct visits {
    struct visit *list; /* in the order of their first event; owned */
    size_t n;
    size_t apart;       /* events in no session: without a time, or without a value in the column */
};

/* Sessions of one history: by the column of the events `by` (TEXT, INT or TIME: equal values are a session, which may
 * be left and come back to), else where more than `gap` us lie between two events. buys[type] != 0: a purchase; NULL:
 * none is. */
MUST_CHECK enum status visits_make(const struct query *q, const struct field *by, int64_t gap, const uint8_t *buys,
                                   struct visits *out, struct error *err);
void visits_clear(struct visits *v);

/* Is it what logs call events that buy something? */
bool type_buys(const char *type);

#endif
