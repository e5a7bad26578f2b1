/* Combinations that let a model know the future are refused, unless leak=allow is said. */
#ifndef TAILOR_COMMANDS_LEAK_H
#define TAILOR_COMMANDS_LEAK_H

#include "commands/workbench.h"

#define OPTION_LEAK                                                                                          \
    {                                                                                                        \
        .name = "leak", .type = PARAM_ENUM, .initial = "refuse", .choices = "refuse|allow",                  \
        .doc = "what lets models know the future is refused, or allowed"                                     \
    }

/* A model that looks at the time (a parameter that is a duration or a moment is set), on a split that is not in the
 * order of time: ST_STATE. Nothing to say without a split or without times. */
MUST_CHECK enum status leak_check_model(const struct dataset *d, const struct split *s, const struct model_class *class,
                                        const struct param_value *values, struct error *err);

#endif
