/* The catalogue of well-known data sets, as this machine has it. */
#ifndef TAILOR_COMMANDS_CATALOGUE_H
#define TAILOR_COMMANDS_CATALOGUE_H

#include "commands/command.h"
#include "ingest/known.h"

/* What lies with the program, and the user's own entries on top. known_clear it, also after an error: what stands
 * before a mistake is there. */
MUST_CHECK enum status catalogue_read(struct known *out, struct error *err);

/* The entry that w names: *out belongs to known. An error marks w and says what is nearest. */
MUST_CHECK enum status catalogue_find(const struct known *known, const struct word *w, const struct known_set **out,
                                      struct error *err);

/* Where in the cache a set lies: CACHE/BETWEEN/NAME, between being "" or ending in a slash. */
MUST_CHECK enum status catalogue_place(struct workbench *wb, const char *between, const char *name, char *out,
                                       size_t size, struct error *err);

#endif
