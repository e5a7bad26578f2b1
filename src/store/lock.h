/* The lock of the one process that writes to a workspace. */
#ifndef TAILOR_STORE_LOCK_H
#define TAILOR_STORE_LOCK_H

#include "base/error.h"

/* Takes FILE-lock; ST_BUSY when another process (or another workspace of this one) holds it. It ends with the process,
 * however that ends: what counts is the lock on the file, not that the file is there. */
MUST_CHECK enum status lock_take(const char *file, int *fd, struct error *err);
void lock_give(const char *file, int fd);

#endif
