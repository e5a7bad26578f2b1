/* Checks of a comparison: does it hold where evaluations are known to deceive? Each asks or trains models anew and says
 * what came of it in words; by the first measure of the comparison, which must be one of ranks or of ratings.
 *
 *   sampled   the right items among 100 sampled others instead of all: does the order of models change (Krichene and
 * Rendle, On sampled metrics for item recommendation, KDD 2020)? seed      other seeds: is the lead larger than what
 * chance in training does? For models in which nothing is drawn there is nothing to see placebo   items dealt out anew
 * among the events that are known, so that users and items keep their numbers of events but no user a taste: who then
 * still knows a user's future better than that of another user with as long a history knows what it should not future
 * all events that training must not see become others, and the models are trained again: the lists must stay */
#ifndef TAILOR_EVAL_MODEL_CHECKS_H
#define TAILOR_EVAL_MODEL_CHECKS_H

#include "eval/comparison.h"

enum check_verdict { CHECK_HOLDS, CHECK_DOUBT, CHECK_NOTHING };

/* What one check says of one model, or of all (model NULL). */
struct check_finding {
    const char *check, *model; /* static; borrowed from the comparison */
    enum check_verdict verdict;
    char *evidence; /* owned */
};

struct model_checks {
    const struct dataset *d;
    const struct split *s;
    const struct test_set *set; /* of the comparison */
    const struct comparison *c;
    struct model *const *models; /* by compared.given */
    size_t seeds;                /* other seeds to train with */
    struct job *job;
    struct check_finding *findings; /* what came of it, owned */
    size_t n, capacity;
};

/* In the order of `check=all`; NULL-terminated. */
struct model_check {
    const char *name;
    enum status (*run)(struct model_checks *k, struct error *err); /* appends findings */
    size_t (*trainings)(const struct model_checks *k, const struct model *m); /* of one model; for an estimate */
};
extern const struct model_check model_checks[];

/* Seconds that these checks will train, as the last trainings took. */
double model_checks_take(const struct model_checks *k, const struct model_check *check);
void model_checks_clear(struct model_checks *k);

#endif
