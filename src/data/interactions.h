/* Interactions: the user-item matrix that models learn from, and the same reading of one history.
 *
 * A selection says which events count: those with a positive type weight, in the wanted parts, strictly
 * before `until`. Repeats of one (user, item) pair become one entry; weight is the sum of the events' weights,
 * time the latest, count how many.
 *
 * An event weighs type_weight[type], times the number of events it stands for (repeats), times 2^-(age / halflife) when
 * weights decay. Age runs from the moment of the selection: its newest event, which is never newer than `until` or than
 * what the split lets it see, so nothing of the future leaks into a weight. Another moment would only scale all weights
 * alike. The factor of age is never below 2^-40, and 1 for an event without a time. */
#ifndef TAILOR_DATA_INTERACTIONS_H
#define TAILOR_DATA_INTERACTIONS_H

#include "data/dataset.h"
#include "data/split.h"
#include "linalg/sparse.h"

struct selection {
    const struct dataset *data;
    const struct split *split; /* NULL: all events */
    unsigned parts;            /* or-ed enum part; ignored without a split */
    int64_t until;             /* exclusive; NO_TIME: no limit. Events without a time always count. */
    uint32_t hides;            /* handed on to the histories that are made of it: split_hides */
};

/* Did event e happen before a moment? Always, when it has no time; NO_TIME is after everything. */
bool event_before(const struct dataset *d, size_t e, int64_t moment);
/* The events of a user before a moment: user_begin[user] .. this. */
size_t user_end_before(const struct dataset *d, size_t user, int64_t moment);
/* Does event e count as feedback in this selection? */
bool selection_has(const struct selection *s, size_t e);
/* Events of each user in the selection: lengths[0..users). */
void history_lengths(const struct selection *s, uint32_t *lengths);
/* The moment that the ages of events are measured from: one pass over the events. NO_TIME when weights do not decay. */
int64_t selection_moment(const struct selection *s);
/* What event e weighs, seen from a moment of selection_moment. */
/* A weight as of a moment: halved for every half-life (`decay`) that has gone by since `time`. */
float decayed_weight(const struct dataset *d, double weight, int64_t time, int64_t moment);
float event_weight(const struct dataset *d, size_t e, int64_t moment);

struct interactions {
    struct csr matrix;  /* users.n x items.n; value = summed weight */
    int64_t *time;      /* per entry: latest time, NO_TIME when unknown */
    uint32_t *count;    /* per entry: events */
    int64_t newest;     /* newest time of all, NO_TIME when none: training reaches up to here */
    size_t users, items; /* rows and columns with at least one entry */
    size_t events;
};

MUST_CHECK enum status interactions_build(const struct selection *s, struct interactions *out, struct error *err);
void interactions_clear(struct interactions *x);

#endif
