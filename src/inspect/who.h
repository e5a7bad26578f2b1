/* Who gets it: the users whose lists have an item, or any item of a group. */
#ifndef TAILOR_INSPECT_WHO_H
#define TAILOR_INSPECT_WHO_H

#include "eval/cohorts.h"
#include "ranking/lists.h"

/* One user who gets it. */
struct who_user {
    uint32_t user;
    uint32_t item;  /* of those asked about, the one that stands highest */
    uint32_t rank;
    uint32_t count; /* how many of them the list has */
    float score;
};

struct who {
    size_t asked;       /* users with a history: a list was made for each */
    size_t had;         /* those whose history hides one of the items */
    size_t k;
    struct who_user *users; /* by rank, score and index; owned */
    size_t n;
    double mean_rank;   /* NaN when nobody gets it */
};

/* Lists of everybody with a history. chosen[0..nitems): 1 for the items asked about. The job is stepped once a user and
 * may cancel. Clear it in every case. */
MUST_CHECK enum status who_make(const struct model *m, const struct selection *s, const uint8_t *chosen, size_t k,
                                enum seen seen, struct job *job, struct who *out, struct error *err);
void who_clear(struct who *w);

/* How it falls on segments: got[0..c->n) of their users get it. c as cohorts_of_users made it of users[0..n). */
MUST_CHECK enum status who_segments(const struct who *w, const struct dataset *d, const struct cohorts *c,
                                    const uint32_t *users, size_t *got, struct error *err);

#endif
