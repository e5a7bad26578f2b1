/* Cohorts: users (or items) in groups, so that one may ask for whom (or where) a model is better. All that is told
 * apart by= makes its groups here, so that they are the same ones everywhere.
 *
 *   history_length  feedback events in the history
 *   recency         from the last of them to the moment of asking
 *   taste           niche, mixed or mainstream: the share of the history that is among the most popular fifth of the
 * items; the fifth of the users with the least of it is niche, that with the most mainstream (Abdollahpouri, Mansoury,
 *                   Burke and Mobasher, The unfairness of popularity bias in recommendation, RMSE 2019)
 *   cold            warm or cold: is anything known of the user at all?
 *   NAME            an attribute of users: its texts, most frequent first; numbers and times each by itself when they
 * are few, else in fifths of the users. Who has several values is in several segments
 *
 * Items are told apart by an attribute in the same way, or by
 *
 *   popularity      head, mid or tail: in order of popularity, the items with the first fifth of all (user, item) pairs
 * of the train part, those with the last fifth, and what is between (Abdollahpouri, Mansoury, Burke, Mobasher and
 * Malthouse, User-centered evaluation of popularity bias, UMAP 2021)
 *
 * Cold users are in segments of history_length and cold alone; what else differs between models is about the others.
 * Users without a value are a segment of their own. Segments are in the order of what they are about, those of texts by
 * size. */
#ifndef TAILOR_EVAL_COHORTS_H
#define TAILOR_EVAL_COHORTS_H

#include "data/split.h"
#include "eval/comparison.h"

struct cohort {
    char *name;            /* "5-9", "F" */
    union {
        const uint32_t *users; /* indices among the users of the comparison, ascending */
        const uint32_t *items; /* of cohorts_of_items: of the data */
    };
    size_t n;
};

struct cohorts {
    char *by; /* "history_length", "gender" */
    struct cohort *list;
    size_t n, capacity;
    uint32_t *users; /* of all segments, or items */
};

enum { COHORT_TEXTS = 20 }; /* texts with a segment of their own; the others are "other" */

/* What `by` may be, besides attributes of users; NULL-terminated. */
extern const char *const cohorts_built_in[];
#define COHORTS_POPULARITY "popularity"
/* What `by` may be, for the help of commands. */
#define COHORTS_BY_USERS "history_length, recency, taste, cold, or an attribute of users"
#define COHORTS_BY_ITEMS "popularity or an attribute of items"

/* The attribute of users meant by "gender" or "user.gender", or NULL; of items by "genre" or "item.genre". */
const struct field *cohorts_user_field(const struct dataset *d, const char *by);
const struct field *cohorts_item_field(const struct dataset *d, const char *by);
bool cohorts_are_of_users(const struct dataset *d, const char *by);
/* Does it tell items apart? What users have comes first. */
bool cohorts_are_of_items(const struct dataset *d, const char *by);
/* ST_USAGE with what there is instead. */
enum status cohorts_unknown(const struct dataset *d, const char *by, bool items_too, struct error *err);

/* The users of a comparison, by what was known of them when part `on` was judged. ST_USAGE names what there is;
 * ST_STATE where there are no times to be recent in. */
MUST_CHECK enum status cohorts_make(const struct dataset *d, const struct split *s, enum part on,
                                    const struct comparison *c, const char *by, struct cohorts *out, struct error *err);
/* users[0..n), who all have a history in the selection, by what it has of them; indices in users[]. */
MUST_CHECK enum status cohorts_of_users(const struct selection *known, const uint32_t *users, size_t n, const char *by,
                                        struct cohorts *out, struct error *err);
/* The same by each of a list, "country,taste": (*out)[0..*nout) for cohorts_free, in every case. */
MUST_CHECK enum status cohorts_of_users_by(const struct selection *known, const uint32_t *users, size_t n,
                                           const char *list, struct cohorts **out, size_t *nout, struct error *err);
/* The users of an evaluation, as of a comparison. */
MUST_CHECK enum status cohorts_of_evaluation(const struct dataset *d, const struct split *s, const struct evaluation *e,
                                             const char *by, struct cohorts *out, struct error *err);
/* All items of the data: by popularity or an attribute of theirs. */
MUST_CHECK enum status cohorts_of_items(struct dataset *d, const struct split *s, const struct protocol *p,
                                        const char *by, struct cohorts *out, struct error *err);
void cohorts_clear(struct cohorts *s);
void cohorts_free(struct cohorts *list, size_t n);

/* Model x less model y in every segment of list[0..n), one after the other into out[]: tested, and adjusted for all of
 * them together. */
MUST_CHECK enum status cohorts_compare(const struct comparison *c, size_t x, size_t y, const struct cohorts *list,
                                       size_t n, struct difference *out, struct error *err);

#endif
