/* What `user` shows beyond attributes, tastes and history: each section adds its tables. */
#ifndef TAILOR_COMMANDS_USER_SECTIONS_H
#define TAILOR_COMMANDS_USER_SECTIONS_H

#include "commands/question.h"
#include "inspect/activity.h"

/* user_activity.c */
MUST_CHECK enum status user_put_timeline(const struct question *q, struct result *out, struct error *err);
/* The last `most` sessions: by the column "session" of the events, else by gap=. `asked`: say so where there are none.
 */
MUST_CHECK enum status user_put_sessions(const struct call *call, const struct question *q, size_t most, bool asked,
                                         struct result *out, struct error *err);

/* user_people.c: the k most similar users, by the vectors of the first named model that has any, else by their items.
 */
MUST_CHECK enum status user_put_neighbours(struct workbench *wb, const struct call *call, const struct question *q,
                                           size_t k, struct result *out, struct error *err);

/* user_lists.c: the lists of q->models side by side, how far they agree, how good each is for this user. */
MUST_CHECK enum status user_put_lists(struct workbench *wb, const struct question *q, size_t k, struct result *out,
                                      struct error *err);

#endif
