/* The grade that the last audit gave: kept as a note of the data set, with the fingerprint of what was looked at. */
#ifndef TAILOR_COMMANDS_GRADE_H
#define TAILOR_COMMANDS_GRADE_H

#include "commands/workbench.h"
#include "inspect/audit.h"

struct grade {
    char letter; /* 0: never audited, or not as it is now */
    size_t serious, warnings;
};

/* Keeps the grade and publishes it. A read-only workspace keeps nothing. */
MUST_CHECK enum status grade_keep(struct workbench *wb, const struct audit *a, struct error *err);
MUST_CHECK enum status grade_find(struct workbench *wb, const struct dataset *d, struct grade *out, struct error *err);

#endif
