/* Where the bundled data sets lie. */
#ifndef TAILOR_COMMANDS_PLACES_H
#define TAILOR_COMMANDS_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { PLACE_MOST = 4096 };

/* Where the bundled data set `name` (or a file of it, "tiny/items.csv") lies: in $TAILOR_DATASETS, in a folder datasets
 * above the program (a source tree), or where it was installed. False when `name` is a path that exists, or nothing
 * bundled. */
bool place_of_data(const char *name, char *out, size_t size);
/* Calls each with the name of every bundled data set, in order of the alphabet. */
MUST_CHECK enum status place_each_bundled(enum status (*each)(void *context, const char *name, const char *path,
                                                              struct error *err),
                                          void *context, struct error *err);
/* The catalogue of well-known data sets that lies with the bundled ones. */
bool place_of_catalogue(char *out, size_t size);
/* The user's own entries: $XDG_CONFIG_HOME/tailor/catalogue.txt or ~/.config/tailor/catalogue.txt. False when there is
 * none. */
bool place_of_own_catalogue(char *out, size_t size);

#endif
