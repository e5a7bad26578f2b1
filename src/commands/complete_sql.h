/* What could go on a statement of SQL: tables behind FROM and JOIN, else columns of the tables it names, functions,
 * words. */
#ifndef TAILOR_COMMANDS_COMPLETE_SQL_H
#define TAILOR_COMMANDS_COMPLETE_SQL_H

#include "commands/workbench.h"

/* Calls `offer` for each word that could stand where text[0..n) ends; *start: where the word begun there begins. wb may
 * be NULL. */
void complete_sql(struct workbench *wb, const char *text, size_t n, void (*offer)(void *context, const char *word),
                  void *context, size_t *start);

#endif
