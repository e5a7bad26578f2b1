/* Rules of splitting, for the files of this room: one rule a kind (SPLIT_RULES), one file a family.
 *
 * All carve the same way: every feedback event starts as train, the test part is cut out of it, then the validation
 * part out of what is left by the same function. */
#ifndef TAILOR_DATA_SPLIT_RULE_H
#define TAILOR_DATA_SPLIT_RULE_H

#include "data/split.h"

struct carver {
    const struct dataset *d;
    struct split *s;
    uint32_t target;   /* type that is judged, or NO_CODE: any */
    uint32_t *scratch; /* as long as the longest run of one user, at least users.n */
    size_t longest;    /* events of that run */
    struct error *err;
};

struct split_rule {
    const char *name;
    bool in_order;           /* see split_in_order */
    bool drawn, drawn_valid; /* does the seed matter: always, for a validation part */
    enum status (*check)(const struct split_spec *spec, struct error *err); /* the spec alone; may be NULL */
    enum status (*carve)(struct carver *c);
    /* Everything that decides the outcome, besides the seed, the exact cuts, validation and target. */
    void (*describe)(const struct split *s, struct str *out);
};

#define DECLARE(kind, name) extern const struct split_rule split_rule_##name;
SPLIT_RULES(DECLARE)
#undef DECLARE

/* ---- shared: split_carve.c ---- */

bool carve_counts(const struct dataset *d, size_t e); /* feedback? */
bool carve_judged(const struct carver *c, size_t e);  /* of the target type? */
bool carve_train(const struct carver *c, size_t e);   /* still train? */
/* Rounds share * n, but leaves at least one behind. */
size_t carve_share(double share, size_t n);
/* Where the last n judged train events of [begin, end) begin; `end` when there are fewer, or nothing before them. */
size_t carve_tail(const struct carver *c, size_t begin, size_t end, size_t n);
/* Train events of [begin, end): the judged ones go to `part`, the others to `rest`. */
void carve_move(struct carver *c, size_t begin, size_t end, enum part part, enum part rest);
/* What stands between the validation events without being judged is history when the test part is judged; what stands
 * between the test events is never known. */
enum part carve_between(enum part part);
/* Distinct items of the train events of [begin, end) into c->scratch, ascending. */
size_t carve_items(struct carver *c, size_t begin, size_t end, bool only_judged);
/* Train events of [begin, end) whose item is among items[0..n), ascending, to `part`. */
void carve_move_items(struct carver *c, size_t begin, size_t end, const uint32_t *items, size_t n, enum part part);
int carve_by_number(const void *a, const void *b); /* uint32_t, for qsort */
/* "20 %" */
void carve_put_percent(struct str *out, double share);
MUST_CHECK enum status carve_check_share(double share, struct error *err);
MUST_CHECK enum status carve_check_holdout(double holdout, struct error *err);

/* Rules that others use for their validation part. */
void carve_random(struct carver *c, enum part part, double share);                       /* split_random.c */
MUST_CHECK enum status carve_users(struct carver *c, enum part part, double share);      /* split_users.c */
/* Holds one user out: the last share of the judged events to `part`, what came before is history. */
void carve_hold_out(struct carver *c, uint32_t u, enum part part);
MUST_CHECK enum status carve_make_held_out(struct carver *c);

#endif
