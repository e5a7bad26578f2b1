/* What the files of `why` share. */
#ifndef TAILOR_COMMANDS_WHY_TABLES_H
#define TAILOR_COMMANDS_WHY_TABLES_H

#include "commands/question.h"

/* `why USER where CONDITION`: all models, one after the other. */
MUST_CHECK enum status why_of_group(struct workbench *wb, const struct call *call, const struct question *q,
                                    struct result *out, struct error *err);

/* `why USER ITEM minimal`. */
MUST_CHECK enum status why_of_removal(struct workbench *wb, const struct call *call, const struct question *q,
                                      uint32_t item, struct result *out, struct error *err);

/* `why USER ITEM steps`. */
MUST_CHECK enum status why_of_steps(const struct call *call, const struct question *q, uint32_t item,
                                    struct result *out, struct error *err);

/* A finding in words, behind the name of the model when there are several. */
void say_of_model(const struct question *q, const struct model *m, const char *sentence, struct result *out);

/* Cells of an item of a history, without its category: its id and its title. */
enum { REASON_COLUMNS = 2 };
void reason_columns(struct column out[REASON_COLUMNS]);
void reason_cells(const struct dataset *d, uint32_t item, const char *label, struct table *t);

#endif
