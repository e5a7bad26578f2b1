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

#endif
