/* What commands say of lists that were served, where they can do no more with them. */
#ifndef TAILOR_COMMANDS_SERVED_WORDS_H
#define TAILOR_COMMANDS_SERVED_WORDS_H

#include "commands/judge.h"
#include "commands/question.h"

/* For questions that open a model or edit a history: moves the served lists from q->models to q->served and says that
 * they cannot be opened; of items[0..n), when there are any, where they stood, and in a table beside it what the others
 * that were asked think of them; where there were none, all of the session. Where q->nmodels is 0 then, the question is
 * answered. */
MUST_CHECK enum status served_aside(struct workbench *wb, struct question *q, const uint32_t *items, size_t n,
                                    struct result *out, struct error *err);

/* The items with chosen[item] that stand in the served lists among q->models, each once, into *items[0..n); mem_free
 * it. */
MUST_CHECK enum status served_chosen(const struct question *q, const uint8_t *chosen, uint32_t **items, size_t *n,
                                     struct error *err);

/* Refuses a served list where only what was trained will do: "cannot be updated". */
MUST_CHECK enum status served_refuse(const struct model *m, const char *what, struct error *err);

/* When the list was served that counts in this question, for people: "served 2025-05-08 06:00", "served nothing to
 * ana". */
void served_say_list(const struct question *q, const struct model *m, struct result *out);

/* Of a comparison: whom it had served nothing by then, and whether the lists can know the answers. */
MUST_CHECK enum status served_say_judged(struct judge *j, const struct model *m, struct result *out, struct error *err);

#endif
