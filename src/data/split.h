/* Splits: which events a model may learn from, and which judge it. */
#ifndef TAILOR_DATA_SPLIT_H
#define TAILOR_DATA_SPLIT_H

#include <stdatomic.h>

#include "data/split_list.h"

/* Every feedback event is in exactly one part; PART_NONE is what must not be looked at (and all that is no feedback).
 */
enum part {
    PART_NONE = 0,
    PART_TRAIN = 1,
    PART_VALID = 2,
    PART_TEST = 4,
    PART_HISTORY = 8, /* never trained on or judged, but known: what held-out users did before their test events */
};

/* train, valid, test, history or none. */
const char *split_part_name(enum part part);

/* The kinds of split, one a line: their number, which workspaces keep, so that new ones go to the end; and the word that
 * is typed, which names the rule too (split_rule.h).
 *
 *   last      the last n feedback events of each user (that has more than n), or the last share of them
 *   time      one moment for all: events at or after it are test
 *   users     a share of users is held out: their last events (share `holdout`) are test, the earlier ones their
 *             history; nothing of theirs is trained on
 *   random    a share of each user's distinct items, rounded, or n of them; never all of them
 *   given     the files said it: context column "part" = train | valid | test, or a column "fold", or a list
 *   sessions  the last n sessions of each user (that has more); needs a context column "session"
 *   folds     k folds, each tested once: of every user's distinct items, or of the users, who are held out
 *   rolling   several cuts in time; between a cut and the next is test, what follows is in no part */
#define SPLIT_RULES(RULE)          \
    RULE(SPLIT_LAST, last)         \
    RULE(SPLIT_TIME, time)         \
    RULE(SPLIT_USERS, users)       \
    RULE(SPLIT_RANDOM, random)     \
    RULE(SPLIT_GIVEN, given)       \
    RULE(SPLIT_SESSIONS, sessions) \
    RULE(SPLIT_FOLDS, folds)       \
    RULE(SPLIT_ROLLING, rolling)

#define NUMBER(kind, name) kind,
enum split_kind { SPLIT_RULES(NUMBER) SPLIT_KINDS };
#undef NUMBER

struct split_spec {
    enum split_kind kind;
    size_t last;        /* LAST: n events, SESSIONS: n sessions, RANDOM: n items; LAST, RANDOM: 0 means `share` */
    int64_t at;         /* TIME: the moment; or */
    int64_t duration;   /* TIME: this long before the newest event (at == NO_TIME); ROLLING: from cut to cut; or */
    double share;       /* TIME, ROLLING: this share of the events at the end; LAST, USERS, RANDOM: share in test */
    double holdout;     /* USERS, FOLDS by users: share of a held-out user's items that is test, default .2 */
    double valid_share; /* also carve this share out of train, the same way, as PART_VALID; 0: none */
    size_t folds, fold; /* FOLDS, ROLLING: how many, and which of them this split is, from 1. GIVEN without a list: a
                           fold > 0 goes by the column "fold" */
    bool by_users;      /* FOLDS: users are dealt out, not items */
    int64_t window;     /* ROLLING: learn only from this long before the cut, earlier events are history; 0: from all */
    char target[64];    /* only events of this type count as test ("purchase"); "" = any with weight */
    uint64_t seed;
    struct split_list
        *list; /* GIVEN: what files name as test and validation events, not the columns; a split holds it */
};

enum { SPLIT_FOLDS_MAX = 1000 };

struct split {
    atomic_int references;
    struct split_spec spec;
    uint64_t fingerprint; /* of the data set and the spec: models remember it */
    uint8_t *part;        /* one enum part per event, aligned with dataset events */
    uint8_t *held_out;    /* one per user: no event of theirs is trained on (USERS, FOLDS by users); else NULL */
    size_t ntrain, nvalid, ntest, nhistory, nnone; /* feedback events in each part */
    size_t test_users, cold_users,
        cold_items; /* users with test events; of them without any history; test items without train events */
    int64_t test_from, valid_from; /* TIME, ROLLING: the cuts; else, or without a validation part, NO_TIME */
    char description[160];         /* "last 1 per user", ... */
};

/* Builds the split. What follows a user's first test event without being of the target type is in no part. A time split
 * never cuts an instant in two (a share goes to the nearer border) and leaves events without a time out; the other
 * kinds go by the order of events and need no times. A validation part is carved out of train by the same rule; for
 * GIVEN, which has none, by the rule of RANDOM when the files name no validation part of their own, and for FOLDS by
 * that of RANDOM or USERS. ST_USAGE with a hint when the data cannot be split that way (a time split without times). */
MUST_CHECK enum status split_new(const struct dataset *d, const struct split_spec *spec, struct split **out,
                                 struct error *err);
/* The parts (or-ed) that make the history of `user` when part `on` (TEST or VALID) is judged: what was known before. */
unsigned split_history(const struct split *s, uint32_t user, enum part on);
/* Does nothing that is known of a user come after what is judged of them? Then questions have a moment. */
bool split_in_order(const struct split *s);
/* What hides an item as seen, in lists and metrics alike, as in struct query: 0: any event; else 1 + the target of the
 * split. s may be NULL. */
uint32_t split_hides(const struct split *s, const struct dataset *d);
/* The same split with the validation events of every other user that has any: the first, the third, ... (half 0) or the
 * second, the fourth, ... (half 1). Those of the others are in no part. The train part is the same, and so are the
 * fingerprint and the words: what was trained on one was trained on all. ST_STATE when no user is left. */
MUST_CHECK enum status split_valid_half(const struct dataset *d, const struct split *s, unsigned half,
                                        struct split **out, struct error *err);
struct split *split_hold(struct split *s);
void split_release(struct split *s);

/* A spec as one line of text, and back (ST_CORRUPT): how a split is kept, but for its list. split_text.c */
void split_spec_write(const struct split_spec *spec, struct str *out);
MUST_CHECK enum status split_spec_read(const char *text, struct split_spec *out, struct error *err);

/* What a split lets through that could not have been known. split_leaks.c */
struct split_leaks {
    bool timed;                  /* else "later" means: later in the order of events */
    size_t late_events;          /* known events of users that come after their first test event */
    size_t late_users;           /* whose they are */
    size_t tied_events;          /* known events in the very instant of the user's first test event */
    size_t past_users;           /* test users whose first test event lies before the newest train event of anybody */
    size_t later_train;          /* train events after the first test event of all */
    size_t pairs, known_pairs;   /* distinct (user, item) of the test part; of them in the user's known history too */
    int64_t first_test, last_train; /* NO_TIME when nothing has a time */
};
MUST_CHECK enum status split_leaks_find(const struct dataset *d, const struct split *s, struct split_leaks *out,
                                        struct error *err);

/* Is an attribute made of the events themselves, those of the test part too? Numbers only. `what` is NULL when not,
 * else "number" or "mean value"; `same` of `n` values agree, to the digits they are written with. */
struct split_derived {
    const char *what;
    size_t same, n;
};
MUST_CHECK enum status split_derived_find(const struct dataset *d, const struct split *s, const struct field *f,
                                          bool of_items, struct split_derived *out, struct error *err);

#endif
