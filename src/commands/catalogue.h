/* The catalogue of well-known data sets, as this machine has it. */
#ifndef TAILOR_COMMANDS_CATALOGUE_H
#define TAILOR_COMMANDS_CATALOGUE_H

#include "ingest/known.h"

/* What lies with the program, and the user's own entries on top. known_clear it, also after an error: what stands before
 * a mistake is there. */
MUST_CHECK enum status catalogue_read(struct known *out, struct error *err);

#endif
