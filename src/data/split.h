/* Splits: which events a model may learn from, and which judge it. */
#ifndef TAILOR_DATA_SPLIT_H
#define TAILOR_DATA_SPLIT_H

#include <stdatomic.h>

#include "data/dataset.h"

enum part { PART_NONE = 0, PART_TRAIN = 1, PART_VALID = 2, PART_TEST = 4 };

enum split_kind {
    SPLIT_LAST,   /* the last n feedback events of each user (that has more than n) are test */
    SPLIT_TIME,   /* one moment for all: events at or after it are test */
    SPLIT_USERS,  /* a share of users is held out: their last events (share `holdout`) are test, the earlier ones their history; nothing of theirs is trained on */
    SPLIT_RANDOM, /* a share of each user's distinct items */
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
    uint64_t fingerprint;  /* of the data set and the spec: models remember it */
    uint8_t *part;         /* one enum part per event, aligned with dataset events */
    uint8_t *held_out;     /* one per user: no event of theirs is trained on (USERS); else NULL */
    size_t ntrain, nvalid, ntest, nnone;
    size_t test_users, cold_users, cold_items; /* users with test events; of them without train events; test items without train events */
    char description[160]; /* "last 1 per user", ... */
};

/* Builds the split; ST_USAGE with a hint when the data cannot be split that way (a time split without times). */
MUST_CHECK enum status split_new(const struct dataset *d, const struct split_spec *spec, struct split **out, struct error *err);
struct split *split_hold(struct split *s);
void split_release(struct split *s);

#endif
