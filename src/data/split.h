/* Splits: which events a model may learn from, and which judge it. */
#ifndef TAILOR_DATA_SPLIT_H
#define TAILOR_DATA_SPLIT_H

#include <stdatomic.h>

#include "data/dataset.h"

/* Every feedback event is in exactly one part; PART_NONE is what must not be looked at (and all that is no feedback).
 */
enum part {
    PART_NONE = 0,
    PART_TRAIN = 1,
    PART_VALID = 2,
    PART_TEST = 4,
    PART_HISTORY = 8, /* never trained on or judged, but known: what held-out users did before their test events */
};

enum split_kind {
    SPLIT_LAST,   /* the last n feedback events of each user (that has more than n) are test */
    SPLIT_TIME,   /* one moment for all: events at or after it are test */
    SPLIT_USERS,  /* a share of users is held out: their last events (share `holdout`) are test, the earlier ones their
                     history; nothing of theirs is trained on */
    SPLIT_RANDOM, /* a share of each user's distinct items, rounded; never all of them */
    SPLIT_GIVEN,  /* the files said it: context column "part" = train | valid | test */
};

struct split_spec {
    enum split_kind kind;
    size_t last;        /* LAST: n; also how many for validation when valid is set */
    int64_t at;         /* TIME: the moment; or */
    int64_t duration;   /* TIME: this long before the newest event (at == NO_TIME); or */
    double share;       /* TIME: this share of the events at the end; USERS, RANDOM: share in test */
    double holdout;     /* USERS: share of a held-out user's items that is test, default .2 */
    double valid_share; /* also carve this share out of train, the same way, as PART_VALID; 0: none */
    char target[64];    /* only events of this type count as test ("purchase"); "" = any with weight */
    uint64_t seed;
};

struct split {
    atomic_int references;
    struct split_spec spec;
    uint64_t fingerprint; /* of the data set and the spec: models remember it */
    uint8_t *part;        /* one enum part per event, aligned with dataset events */
    uint8_t *held_out;    /* one per user: no event of theirs is trained on (USERS); else NULL */
    size_t ntrain, nvalid, ntest, nhistory, nnone; /* feedback events in each part */
    size_t test_users, cold_users,
        cold_items; /* users with test events; of them without any history; test items without train events */
    int64_t test_from, valid_from; /* TIME: the cuts; else, or without a validation part, NO_TIME */
    char description[160];         /* "last 1 per user", ... */
};

/* Builds the split. What follows a user's first test event without being of the target type is in no part. A time split
 * never cuts an instant in two (a share goes to the nearer border) and leaves events without a time out; the other
 * kinds go by the order of events and need no times. A validation part is carved out of train by the same rule; for
 * GIVEN, which has none, by the rule of RANDOM when the files name no validation part of their own. ST_USAGE with a
 * hint when the data cannot be split that way (a time split without times). */
MUST_CHECK enum status split_new(const struct dataset *d, const struct split_spec *spec, struct split **out,
                                 struct error *err);
/* The parts (or-ed) that make the history of `user` when part `on` (TEST or VALID) is judged: what was known before. */
unsigned split_history(const struct split *s, uint32_t user, enum part on);
struct split *split_hold(struct split *s);
void split_release(struct split *s);

#endif
