/* Where a data set came from: how its files were read, and how far. Kept as notes of the data set, so that an append
 * reads as the load did, and takes no row twice of a file that has grown. */
#ifndef TAILOR_COMMANDS_ORIGIN_H
#define TAILOR_COMMANDS_ORIGIN_H

#include "commands/workbench.h"
#include "ingest/ingest.h"
#include "ingest/tail.h"

/* How far plain files are there now: looked at before they are read, kept after. Patterns and folders are expanded;
 * what is no plain file, or is packed, has no place. */
struct origin_place {
    char *path; /* without links */
    struct tail_place place;
};
struct origin_places {
    struct origin_place *at;
    size_t n, capacity;
};
MUST_CHECK enum status origin_look(const char *const *paths, size_t n, struct origin_places *out, struct error *err);
MUST_CHECK enum status origin_add(struct origin_places *p, const char *path, const struct tail_place *place,
                                  struct error *err);
void origin_places_clear(struct origin_places *p);

/* How far the data set has been read from the file at path; *found = false: not at all, or it is another file now. */
MUST_CHECK enum status origin_find(struct workbench *wb, const char *dataset, const char *path, struct tail_place *out,
                                   bool *found, struct error *err);
MUST_CHECK enum status origin_keep_places(struct workbench *wb, const char *dataset, const struct origin_places *p,
                                          struct error *err);

/* The mapping of the load. */
struct origin_mapping {
    struct mapping *pair;
    size_t n;
    char *text; /* that the pairs point into */
};
/* All of it, of data that was loaded anew. */
struct origin {
    const struct mapping *pair;
    size_t n;
    const struct origin_places *places;
};
MUST_CHECK enum status origin_keep(struct workbench *wb, const char *dataset, const struct origin *from,
                                   struct error *err);
MUST_CHECK enum status origin_read_mapping(struct workbench *wb, const char *dataset, struct origin_mapping *out,
                                           struct error *err);
MUST_CHECK enum status origin_copy_mapping(const struct mapping *pair, size_t n, struct origin_mapping *out,
                                           struct error *err);
void origin_mapping_clear(struct origin_mapping *m);

#endif
