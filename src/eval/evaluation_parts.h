/* What the files that make evaluations share. */
#ifndef TAILOR_EVAL_EVALUATION_PARTS_H
#define TAILOR_EVAL_EVALUATION_PARTS_H

#include "eval/evaluation.h"

/* The last step of making or loading one: what is derived from the rest (ideal, count). */
MUST_CHECK enum status evaluation_prepare(struct evaluation *e, struct error *err);

#endif
