/* Classes of models and their parameters as the words of a command: train, backtest. */
#ifndef TAILOR_COMMANDS_CLASS_WORDS_H
#define TAILOR_COMMANDS_CLASS_WORDS_H

#include "commands/command.h"

/* For struct command.more: the parameters of all classes that the words name; and of those of the models behind `with`.
 */
size_t class_params(struct workbench *wb, const struct call *call, const struct param **out, size_t max);
size_t class_and_model_params(struct workbench *wb, const struct call *call, const struct param **out, size_t max);
/* ST_USAGE with the classes there are and a caret. */
MUST_CHECK enum status class_of_word(const struct word *w, const struct model_class **out, struct error *err);
/* What a class is trained with: its defaults (or `from`, values of a model of this class), then what the command line
 * says for it and means something to it. What means nothing to any of all that the words name is refused. Free with
 * class_values_free. */
MUST_CHECK enum status class_values_new(struct workbench *wb, const struct model_class *class, const struct call *call,
                                        const struct param_value *from, struct param_value **out, struct error *err);
void class_values_free(const struct model_class *class, struct param_value *values);

#endif
