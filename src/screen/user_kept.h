/* What was switched in the histories of the users that were looked at: who comes back to one finds them as they were
 * left. */
#ifndef TAILOR_SCREEN_USER_KEPT_H
#define TAILOR_SCREEN_USER_KEPT_H

#include "screen/user_bench.h"

enum { KEPT_USERS = 100 }; /* the one who was left longest ago goes first */

struct kept_switch {
    uint32_t item;
    bool added, on;
};

struct kept_user {
    uint32_t user;
    int64_t now;    /* the clock of the workbench */
    int64_t at;     /* as in the bench */
    size_t back;
    struct kept_switch *switches; /* in the order to make them in; owned */
    size_t n;
};

/* Zero-initialise. */
struct kept {
    struct kept_user users[KEPT_USERS]; /* the one who was left last stands last */
    size_t n;
};

/* Remembers what the bench, whose user is left, shows other than it was. Without memory it is forgotten. */
void kept_put(struct kept *k, const struct bench *b);
/* Makes the bench, which was just loaded, as it was left; *any: there was something. */
MUST_CHECK enum status kept_take(const struct kept *k, struct bench *b, bool *any, struct error *err);
/* Other data: forgets everything. */
void kept_clear(struct kept *k);

#endif
