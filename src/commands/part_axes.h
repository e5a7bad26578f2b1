/* Ensembles in a search: one parameter says a number for each model behind `with` (the weights of a blend, the lengths
 * from which a switch asks the next one), and each number is found by itself.
 *
 * Weights are those against the first model, whose own is 1, so that a mix is one point of the search only:
 * `weight.ials` from .05 to 20. Lengths are those of the histories: `from.ials` from 1 to 100; one that is not longer
 * than the one before it is one longer. */
#ifndef TAILOR_COMMANDS_PART_AXES_H
#define TAILOR_COMMANDS_PART_AXES_H

#include "commands/command.h"
#include "commands/trials.h"
#include "models/model.h"

enum { PART_NUMBERS_MAX = 256 };

struct part_axes {
    struct param
        *params; /* those of the class, and one for each part behind the first; names and defaults of these are owned */
    size_t nparams, nclass;
    size_t list;          /* the parameter of the class that has them all; SIZE_MAX: none */
};

/* Of a class without such a parameter, or where it was typed, no more than the parameters of the class. Clear it in any
 * case. */
MUST_CHECK enum status part_axes_new(const struct model_class *class, struct model *const *parts, size_t nparts,
                                     const struct call *call, struct part_axes *out, struct error *err);
void part_axes_clear(struct part_axes *a);
/* What a trial says of the parameter i of the class by its numbers: "0.25,0.75". False when it does not. */
bool part_axes_text(const struct part_axes *a, size_t i, const struct trial *t, char *out, size_t size);

#endif
