/* `split given FILE...`: files that name test events. */
#ifndef TAILOR_COMMANDS_GIVEN_H
#define TAILOR_COMMANDS_GIVEN_H

#include "commands/command.h"
#include "commands/workbench.h"

/* Reads files of rows (user, item and, if there is one, the time) as the data set was read; patterns are expanded. Each
 * file is a fold; the rows of `valid` (NULL: none) are validation. A message says which rows name no event of the data;
 * that none does is ST_NOT_FOUND. */
MUST_CHECK enum status given_read(struct workbench *wb, const struct dataset *d, const struct word *files, size_t n,
                                  const char *valid, struct split_list **out, struct result *report, struct error *err);

#endif
