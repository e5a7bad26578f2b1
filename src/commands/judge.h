/* Judging trained models on the present split, with a memory: evaluations are kept in the workspace as notes of kind
 * "evaluation", named "MODEL test|valid hide|show fixed|rolling" and, where candidates are ranked, by these, so that a
 * later question needs no model. When a model is trained anew under its name, what the previous one had answered is
 * kept beside it, with " before" behind the name. */
#ifndef TAILOR_COMMANDS_JUDGE_H
#define TAILOR_COMMANDS_JUDGE_H

#include "commands/command.h"
#include "commands/workbench.h"
#include "eval/candidates.h"
#include "eval/evaluation.h"

struct judge {
    struct workbench *wb;
    struct dataset *d;
    const struct split *s;
    struct protocol protocol;
    size_t drawn;               /* candidates drawn for each query; 0: none are */
    const struct model *listed; /* borrowed: whose lists are the candidates; NULL: nobody's */
    size_t depth;
    unsigned needs;           /* of the metrics that will be taken (enum metric_needs), or-ed: made ready */
    struct test_set *set;     /* made when the first model has to be asked */
    struct candidates_left_out left_out; /* of the set, with `listed` */
    struct item_facts
        *facts; /* made when a metric needs them; evaluations point to it, so they go before judge_clear */
};

/* The evaluation of a model that was trained on this data and split: kept, or made now and kept. evaluation_free it. */
MUST_CHECK enum status judge_model(struct judge *j, const struct model *m, struct evaluation **out, struct error *err);
/* The same without asking it: NULL when none is kept, or none of its previous training beside it. */
struct evaluation *judge_kept_twice(struct judge *j, const struct model *m);
/* What seen=, history= and leak= of a call say; all items are ranked. */
struct protocol judge_protocol(const struct workbench *wb, const struct call *call, enum part on);
/* Makes j->set ready: the questions that models are judged by. */
MUST_CHECK enum status judge_questions(struct judge *j, struct error *err);
void judge_clear(struct judge *j);

/* Did it learn from the train part of this split and nothing else, or was it served? */
bool judge_can(const struct dataset *d, const struct split *s, const struct model *m);
/* The models of `with`, else those in use, that can be judged on this split: they learnt from its train part, or were
 * served. One that was named and cannot is an error; others are left out, which is said. Release them, and mem_free the
 * list, in every case. */
MUST_CHECK enum status judge_models(struct workbench *wb, const struct call *call, const struct dataset *d,
                                    const struct split *s, struct model ***models, size_t *n, struct result *out,
                                    struct error *err);

#endif
