/* What the files of the checks share. */
#ifndef TAILOR_EVAL_MODEL_CHECKS_PARTS_H
#define TAILOR_EVAL_MODEL_CHECKS_PARTS_H

#include "base/text.h"
#include "eval/model_checks.h"

/* Notes what came of a check, of one model or of all (NULL); takes the evidence, also when it fails. */
MUST_CHECK enum status checks_add(struct model_checks *k, const char *check, const char *model,
                                  enum check_verdict verdict, struct str *evidence, struct error *err);
/* Can the model be had again from its record? */
bool checks_trainable(const struct model *m);
/* ... and when not, that is what is noted. */
MUST_CHECK enum status checks_add_untrained(struct model_checks *k, const char *check, const struct model *m,
                                            struct error *err);
/* Trains on the train part of d, whose events stand as those of k->d. */
MUST_CHECK enum status checks_train(const struct model_checks *k, const struct model_class *class,
                                    const struct param_value *values, const struct dataset *d, uint64_t seed,
                                    struct model **out, struct error *err);
/* What it answers to these questions, as deep as the comparison has it. */
MUST_CHECK enum status checks_judge(const struct model_checks *k, const struct model *m, const struct test_set *set,
                                    struct evaluation **out, struct error *err);
/* The first measure of all warm users. */
double checks_mean(const struct model_checks *k, const struct evaluation *e);

/* The check of that name (model_checks_placebo.c). */
MUST_CHECK enum status checks_placebo(struct model_checks *k, struct error *err);

#endif
