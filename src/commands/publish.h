/* A model that was just made becomes one of the workbench. */
#ifndef TAILOR_COMMANDS_PUBLISH_H
#define TAILOR_COMMANDS_PUBLISH_H

#include "commands/workbench.h"
#include "result/result.h"

/* Keeps m, in place of one of its name (small models at once, large ones on `save`, which a message says), and
 * publishes it: the last thing that a command does, when all that it tells is in `out`. On failure, also one of `out`,
 * nothing has changed. */
MUST_CHECK enum status publish_model(struct workbench *wb, const struct dataset *d, struct model *m, struct result *out,
                                     struct error *err);
/* The same for several, of which one at most has a new name: all or none. */
MUST_CHECK enum status publish_models(struct workbench *wb, const struct dataset *d, struct model *const *models,
                                      size_t n, struct result *out, struct error *err);

#endif
