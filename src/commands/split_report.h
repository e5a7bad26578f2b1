/* What a split is like, for `split` and `split check`. */
#ifndef TAILOR_COMMANDS_SPLIT_REPORT_H
#define TAILOR_COMMANDS_SPLIT_REPORT_H

#include "commands/command.h"
#include "commands/workbench.h"

/* The table of its parts. */
MUST_CHECK enum status split_put(const struct dataset *d, const struct split *s, struct result *out, struct error *err);

/* `split check` (split_check.c) */
MUST_CHECK enum status run_split_check(struct workbench *wb, const struct call *call, struct result *out,
                                       struct error *err);

#endif
