/* Archives (zip; tar, plain or packed) into a new folder. Only this room uses libarchive. */
#ifndef TAILOR_INGEST_UNPACK_H
#define TAILOR_INGEST_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/job.h"

/* Is there a libarchive in this build? */
bool unpack_can(void);
/* By its name: is it one that must be unpacked to be read? (.csv.gz and .zst are not: the readers take them.) */
bool unpack_wanted(const char *name);

/* Unpacks into the folder, which must not be there yet; it appears when all is in it. Plain files and folders only: an
 * archive with a link, a device, an absolute name or a .. in a name is refused, and so is one of more than `most` bytes
 * or a hundred thousand entries. ST_FORMAT for those and for damage, ST_UNSUPPORTED without libarchive. */
MUST_CHECK enum status unpack(const char *archive, const char *folder, uint64_t most, struct job *job,
                              struct error *err);

/* Removes a file, or a folder with all that is in it (links are not followed); fine when there is none. */
MUST_CHECK enum status remove_tree(const char *path, struct error *err);

#endif
