/* Models that take the place of others, and the ensembles above them: all of them or none. */
#ifndef TAILOR_COMMANDS_RENEWAL_H
#define TAILOR_COMMANDS_RENEWAL_H

#include "commands/workbench.h"
#include "result/result.h"

/* Every model of the workbench, and what is to take its place. */
struct renewal {
    struct workbench *wb;
    struct dataset *d;
    struct split *s;     /* NULL: none */
    struct model **old;  /* n, held */
    struct model **new;  /* n, held; NULL: it stays */
    bool *seen;          /* n: renewal_rise has been here */
    bool *risen;         /* n: what is new is the old ensemble over new models */
    size_t n;
};

/* Close it in any case. */
MUST_CHECK enum status renewal_open(struct renewal *r, struct workbench *wb, struct error *err);
void renewal_close(struct renewal *r);
/* Its place in `old`; n when there is no such model. */
size_t renewal_find(const struct renewal *r, const char *name);
/* Marks the model at `at` and all that it is made of. marks: n. */
void renewal_mark(const struct renewal *r, size_t at, bool *marks);
/* The ensembles above what is new stand on it, bottom up, with the weights they have. ST_STATE when one would be made
 * of models that have learnt from different parts of the events. */
MUST_CHECK enum status renewal_rise(struct renewal *r, struct error *err);
/* "mix and top stand on the new ease now; their weights are as they were"; nothing when no ensemble has risen. */
void renewal_say(const struct renewal *r, struct result *out);
/* Keeps and publishes what is new, as publish_model: the last thing that a command does. */
MUST_CHECK enum status renewal_publish(struct renewal *r, struct result *out, struct error *err);
/* May a model made of parts[0..nparts) (none, for one that is no ensemble) and trained on s (NULL: all events) take the
 * place of `name`? ST_USAGE when it would be made of itself; ST_BUSY when an ensemble above would not stand on it: its
 * other models have learnt from other events. */
MUST_CHECK enum status renewal_check(struct workbench *wb, const char *name, struct model *const *parts, size_t nparts,
                                     const struct split *s, struct error *err);

#endif
