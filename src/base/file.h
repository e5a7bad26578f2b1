/* Files: written whole or not at all. */
#ifndef TAILOR_BASE_FILE_H
#define TAILOR_BASE_FILE_H

#include <stdio.h>

#include "base/error.h"

/* Opens a temporary file beside `path`, private unless it replaces one that is not. Write to it, then commit (flush,
 * fsync, rename, fsync of the folder) or abandon (removed). Both free it. A device or a pipe at `path` is written to as
 * it is; a link stays, and what it stands for is replaced. */
struct file_draft;
MUST_CHECK enum status file_draft_open(const char *path, struct file_draft **out, struct error *err);
FILE *file_draft_stream(struct file_draft *d);
MUST_CHECK enum status file_draft_commit(struct file_draft *d, struct error *err);
void file_draft_abandon(struct file_draft *d);

/* Makes an empty private file whose name is `path` and a few letters that nobody has used: what a kill has left behind
 * is in nobody's way. *name is for mem_free, *fd for close. */
MUST_CHECK enum status file_make_beside(const char *path, char **name, int *fd, struct error *err);

/* Flushes the file `from` to disk and renames it to `to`, which stays as it was when that fails. */
MUST_CHECK enum status file_move(const char *from, const char *to, struct error *err);

/* Whole file into memory (mem_free), at most max bytes. */
MUST_CHECK enum status file_read(const char *path, size_t max, char **data, size_t *n, struct error *err);
/* The last part of a path, without slashes after it; cut to size. */
void file_last_part(const char *path, char *out, size_t size);
/* mkdir -p with mode 0700. */
MUST_CHECK enum status file_make_folder(const char *path, struct error *err);

#endif
