/* Segments: what was appended to a data set, beside the rows and columns of the data set itself, which stay as they
 * were loaded. A segment holds a small data set of its own (the batch as it was read) and what the whole has become
 * with it.
 *
 * Reading grows the base by one segment after the other. So that they stay few, an append takes small segments before
 * it into its own; their records stay, without content: they are the stages that models and splits may belong to. */
#ifndef TAILOR_STORE_SEGMENTS_H
#define TAILOR_STORE_SEGMENTS_H

#include "store/space.h"

/* Numbers that tell what a data set holds, in the order in which they are stored and summed. */
enum { EVENTS, USERS, ITEMS, READ, KEPT, REJECTS, BYTES, FINGERPRINT, OLDEST, NEWEST, LOADED, NUMBERS };

#define NUMBER_COLUMNS "events, users, items, read, kept, rejects, bytes, fingerprint, oldest, newest, loaded"

/* The numbers of d, which takes so many bytes in the file. */
void segments_count(const struct dataset *d, uint64_t bytes, int64_t *numbers);

/* Writes the batch as the newest segment of `dataset`, which it has made `grown`; the caller's transaction. */
MUST_CHECK enum status segments_add(sqlite3 *db, int64_t dataset, const struct dataset *batch,
                                    const struct dataset *grown, struct job *job, struct error *err);
/* *d, the base as it was read, becomes what the segments make of it, with its stages. */
MUST_CHECK enum status segments_read(sqlite3 *db, int64_t dataset, struct dataset **d, struct job *job,
                                     struct error *err);
/* How many have content, and how many events that is. */
MUST_CHECK enum status segments_measure(sqlite3 *db, int64_t dataset, int64_t *n, int64_t *events, struct error *err);
/* Takes the content away, which is in the base now; the records stay. */
MUST_CHECK enum status segments_fold(sqlite3 *db, int64_t dataset, struct error *err);
/* Takes all away. */
MUST_CHECK enum status segments_drop(sqlite3 *db, int64_t dataset, struct error *err);

#endif
