/* Mappings under a name, kept in the workspace: what `mapping save` writes and map=NAME reads. */
#ifndef TAILOR_COMMANDS_MAPPING_H
#define TAILOR_COMMANDS_MAPPING_H

#include "commands/command.h"
#include "ingest/ingest.h"

/* All that the call says about columns and reading: its options but those of the command itself, what is open, and what
 * map=NAME brings (which what is typed overrides). One block for mem_free. */
MUST_CHECK enum status mapping_collect(struct workbench *wb, const struct call *call, struct mapping **out, size_t *n,
                                       struct error *err);

#endif
