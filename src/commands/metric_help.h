/* Help on metrics: what each means, and its arithmetic on the list of the current user. */
#ifndef TAILOR_COMMANDS_METRIC_HELP_H
#define TAILOR_COMMANDS_METRIC_HELP_H

#include "commands/command.h"
#include "eval/metric.h"

/* A line a metric. */
void metric_help_all(struct result *out);
/* Definition, source, direction. With a split, a model that was trained on it and a current user also the list that the
 * model would have given them before the test part, and the metric worked on it. */
MUST_CHECK enum status metric_help(struct workbench *wb, const struct metric_at *at, struct result *out,
                                   struct error *err);

#endif
