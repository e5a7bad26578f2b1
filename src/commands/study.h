/* A search from the inside: what its opening and its trials share. For tuning.c and tune_trial.c alone. */
#ifndef TAILOR_COMMANDS_STUDY_H
#define TAILOR_COMMANDS_STUDY_H

#include "commands/tuning.h"

enum { TEXT_MAX = 64 };

/* What was typed for a parameter, or NULL. */
const char *study_given(const struct study *s, const char *name);
/* Where trial i, which is in the list, lies in the space. */
MUST_CHECK enum status study_add_point(struct study *s, size_t i, struct error *err);

#endif
