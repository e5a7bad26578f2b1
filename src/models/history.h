/* Histories: what a user did, or what somebody made up, as the query that models answer. */
#ifndef TAILOR_MODELS_HISTORY_H
#define TAILOR_MODELS_HISTORY_H

#include "data/interactions.h"
#include "models/model.h"

/* One history that can be changed: for what-if and made-up users. Zero-initialise; oldest event first. */
struct history {
    struct query_event *events;
    size_t n, capacity;
    uint32_t user;  /* NO_USER for a made-up one */
    int64_t as_of;  /* NO_TIME: after everything known */
    uint32_t hides; /* as in a query */
};

/* The events of `user` that the selection has; as_of is the selection's `until`, and it says what hides. */
MUST_CHECK enum status history_of_user(const struct selection *s, uint32_t user, struct history *out,
                                       struct error *err);
/* A copy of events[0..n) (made up, of nobody). Any event hides. */
MUST_CHECK enum status history_of_events(const struct query_event *events, size_t n, int64_t as_of, struct history *out,
                                         struct error *err);
/* Appends an event that never happened: of the commonest type of feedback in `d` up to the moment of asking, at that
 * moment. */
MUST_CHECK enum status history_add(struct history *h, const struct dataset *d, uint32_t item, struct error *err);
/* Takes all events with this item out; returns how many. */
size_t history_remove(struct history *h, uint32_t item);
/* Weighs the events anew, as of a later moment: those of `d` and those that were added. Changes nothing without decay.
 */
void history_age(struct history *h, const struct dataset *d, int64_t moment);
void history_clear(struct history *h);
static inline struct query history_query(const struct history *h)
{
    return (struct query){.events = h->events, .n = h->n, .user = h->user, .as_of = h->as_of, .hides = h->hides};
}

/* Many users at once: queries[i] is the history of users[i]. All events stand in one array. */
struct histories {
    struct query *queries;
    size_t n;
    struct query_event *events;
};
MUST_CHECK enum status histories_of_users(const struct selection *s, const uint32_t *users, size_t n,
                                          struct histories *out, struct error *err);
void histories_clear(struct histories *h);

/* Event `e` of the data set as an event of a history, weighed from a moment of selection_moment. */
struct query_event history_event(const struct dataset *d, size_t e, int64_t moment);

#endif
