/* What is inside a workspace; for the files of the store only. */
#ifndef TAILOR_STORE_SPACE_H
#define TAILOR_STORE_SPACE_H

#include <pthread.h>

#include "store/sql.h"
#include "store/workspace.h"

/* A connection and its lock. The lock is recursive, so that a callback may ask the store something else. */
struct connection {
    sqlite3 *db;
    pthread_mutex_t lock;
    int depth; /* how often the lock is held; the transaction belongs to the outermost */
};

/* Two connections: one writes, one reads, each behind its lock. So every function may be called from any thread, and
 * the face can read while the worker writes for seconds. A read-only workspace has no writer. */
struct workspace {
    char *path; /* as it was given; NULL: temporary */
    char *file; /* where it is; of a temporary one: was */
    int lock;   /* the file that says "I write here"; -1 when read-only or temporary */
    bool readonly;
    struct connection writer, reader;
    bool large; /* what was written since is worth folding the log in */
    sqlite3_stmt *stage; /* inserts a staged reject; NULL: nothing is staged */
};

/* The name without symbolic links, so that one file has one lock. The file need not be there yet. */
MUST_CHECK enum status space_real_name(const char *path, char **out, struct error *err);
/* Opens the connections of w->file, whose lock is held; after a failure they are closed by workspace_close. */
MUST_CHECK enum status space_connect(struct workspace *w, struct error *err);
void space_disconnect(struct workspace *w);

/* Takes the writer and begins a transaction; ended by space_end with what came of it. */
MUST_CHECK enum status space_write(struct workspace *w, sqlite3 **db, struct error *err);
/* Takes the reader and begins (or joins) a transaction, so that what is read belongs together. */
MUST_CHECK enum status space_read(struct workspace *w, sqlite3 **db, struct error *err);
/* Ends either: commits when st is ST_OK, else rolls back; gives the connection free. */
MUST_CHECK enum status space_end(struct workspace *w, sqlite3 *db, enum status st, struct error *err);

/* Row of t_datasets; ST_NOT_FOUND with a hint. The empty name is 0: the workspace itself. */
MUST_CHECK enum status space_dataset(sqlite3 *db, const char *name, int64_t *id, struct error *err);
/* Deletes the models of a data set. */
MUST_CHECK enum status space_drop_models(sqlite3 *db, int64_t dataset, struct error *err);
/* Checks one thing stored, for workspace_verify. */
MUST_CHECK enum status space_verify_models(struct workspace *w, struct job *job, struct error *err);
MUST_CHECK enum status space_verify_notes(struct workspace *w, struct error *err);
/* Moves the staged rejects under a data set of which `total` rows were rejected, in the caller's transaction. Those it
 * has already stay when the total counts them too: attributes were added to it, with rejects of their own. */
MUST_CHECK enum status space_keep_rejects(struct workspace *w, sqlite3 *db, int64_t dataset, uint64_t total,
                                          struct error *err);
/* Moves the staged rejects behind those that the data set has, in the caller's transaction. */
MUST_CHECK enum status space_add_rejects(struct workspace *w, sqlite3 *db, int64_t dataset, struct error *err);
/* Ends the transaction in which rejects are staged. */
MUST_CHECK enum status space_settle_staging(struct workspace *w, struct error *err);
/* A name that can be kept: not empty, shorter than 64 bytes. */
MUST_CHECK enum status space_check_name(const char *what, const char *name, struct error *err);

#endif
