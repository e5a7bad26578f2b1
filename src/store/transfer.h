/* Arrays to t_chunks and back: packed and checked on all cores, a batch at a time, while one thread talks to SQLite. */
#ifndef TAILOR_STORE_TRANSFER_H
#define TAILOR_STORE_TRANSFER_H

#include "base/job.h"
#include "store/columns.h"

/* Writes every column that is there; *bytes says how much that took in the file. */
MUST_CHECK enum status transfer_put(sqlite3 *db, int64_t dataset, const struct columns *c, struct job *job,
                                    uint64_t *bytes, struct error *err);
/* Reads all columns into fresh memory. Sizes are checked against the chunks there are before anything is allocated. */
MUST_CHECK enum status transfer_get(sqlite3 *db, int64_t dataset, struct columns *c, struct job *job,
                                    struct error *err);

#endif
