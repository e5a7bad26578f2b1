/* Users cut into segments: by an attribute, or by the length of their history. */
#ifndef TAILOR_EVAL_USER_CUT_H
#define TAILOR_EVAL_USER_CUT_H

#include "data/interactions.h"

/* by=history_length: feedback events of the selection. */
#define CUT_BY_HISTORY "history_length"

struct user_cut {
    struct dict names;   /* of the segments, in their natural order: "NO", "18 to 24", "5 to 9" */
    uint32_t *of_user;   /* a segment each, NO_CODE where nothing is known */
    size_t nusers;
};

/* By a text each value is a segment; by a list each combination of values. Numbers and times make at most five segments with
 * about as many users. ST_NOT_FOUND for a name that users have not, with those there are in the hint. Clear it in every case. */
MUST_CHECK enum status user_cut_make(const struct selection *s, const char *by, struct user_cut *out, struct error *err);
void user_cut_clear(struct user_cut *c);

/* Feedback events of each user in the selection: lengths[0..users). */
void history_lengths(const struct selection *s, uint32_t *lengths);

#endif
