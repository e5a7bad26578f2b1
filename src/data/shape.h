/* Steps that shape a data set: each builds the next one from a published one.
 *
 * Results are unpublished and finished but for the fingerprint, which is that of the input (subset.h tells which users
 * and items are left and in which order). Feedback events are those of a type with a positive weight; the others
 * (impressions) are filtered with their user and item and by time, but never counted. All loops run in parallel, give
 * the same bits with any number of threads, and are noticed to be cancelled between passes. */
#ifndef TAILOR_DATA_SHAPE_H
#define TAILOR_DATA_SHAPE_H

#include "base/job.h"
#include "data/dataset.h"

/* Feedback events of each user and of each item before a moment (NO_TIME: all), into users[d->users.n] and
 * items[d->items.n]; either may be NULL. */
void count_feedback(const struct dataset *d, int64_t until, uint32_t *users, uint32_t *items);

/* Events with from <= time < until; NO_TIME leaves that end open. Events without a time go. ST_STATE when none has one.
 */
MUST_CHECK enum status shape_between(const struct dataset *d, int64_t from, int64_t until, struct job *job,
                                     struct dataset **out, struct error *err);

/* About this share of the users, with all their events. Who is in depends on the id and the seed alone: data that grow
 * keep the same users, and the users of a smaller share are among those of a larger one. */
MUST_CHECK enum status shape_sample_users(const struct dataset *d, double share, uint64_t seed, struct job *job,
                                          struct dataset **out, struct error *err);

/* Repeats are feedback events of one user with the same item and of the same type. FIRST and LAST keep one of them;
 * COUNT keeps the last, which then stands for all of them: the context column "repeats" has their number, and weights
 * are multiplied by it. Earlier counts are summed. ONCE keeps one of exact copies, which agree in time and value too,
 * of all types; events without a time stay, and ST_STATE when none has one. */
enum repeat_policy { REPEAT_KEEP, REPEAT_LAST, REPEAT_FIRST, REPEAT_COUNT, REPEAT_ONCE };
MUST_CHECK enum status shape_repeat(const struct dataset *d, enum repeat_policy policy, struct job *job,
                                    struct dataset **out, struct error *err);

/* The k-core of the graph of users and items, an edge for each pair with feedback: the largest part of it in which
 * every user has at least `users` items and every item at least `items` users (0: no bound). It is unique, and found by
 * peeling in time linear in the events (Batagelj and Zaversnik, An O(m) algorithm for cores decomposition of networks,
 * 2003). Users and items of the catalogue without feedback go too where there is a bound. ST_STATE when nothing would
 * be left. */
MUST_CHECK enum status shape_kcore(const struct dataset *d, uint32_t users, uint32_t items, struct job *job,
                                   struct dataset **out, struct error *err);

/* Sessions as the context column "session" (INT): 1, 2, ... over all users in their order, events of a user by time. A
 * session ends where the next event comes more than `gap` us later. Or, with a context column `by`: events of a user
 * with the same value are one session. Events without a time, or without a value, are in none. A column "session" that
 * is there already is replaced. *sessions: how many; *unplaced: events in none. */
MUST_CHECK enum status shape_sessions(const struct dataset *d, int64_t gap, const struct field *by, struct job *job,
                                      uint64_t *sessions, uint64_t *unplaced, struct dataset **out, struct error *err);

/* How hard each user works. */
struct pace {
    uint32_t busiest_hour; /* most feedback events within any 60 minutes */
    uint8_t longest_day;   /* most hours of one UTC day with feedback */
};
/* pace[d->users.n] of every user. ST_STATE when no event has a time. */
MUST_CHECK enum status measure_pace(const struct dataset *d, struct pace *pace, struct error *err);
/* Without the users for whom is_bot holds. */
static inline bool is_bot(const struct pace *p, uint32_t rate, uint8_t hours)
{
    return p->busiest_hour > rate || p->longest_day > hours;
}
MUST_CHECK enum status shape_drop_bots(const struct dataset *d, uint32_t rate, uint8_t hours, struct job *job,
                                       uint32_t *bots, struct dataset **out, struct error *err);

#endif
