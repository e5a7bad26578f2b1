/* Somebody else's SQLite database, read as text: the rows of one query, as CSV with a header.
 *
 * It is opened for reading only and trusted with nothing: no extensions, no attached files, nothing but one SELECT. */
#ifndef TAILOR_STORE_FOREIGN_H
#define TAILOR_STORE_FOREIGN_H

#include <stdbool.h>

#include "base/job.h"
#include "base/text.h"

struct foreign;

/* Is it an SQLite database? By its first bytes. */
bool foreign_mine(const char *path);
/* query NULL: all of `table`; both NULL: the only table there is. ST_USAGE with SQLite's own words for a bad query, and
 * with the names of the tables when none is said. The job is asked for a cancel; it must outlive f. */
MUST_CHECK enum status foreign_open(const char *path, const char *query, const char *table, struct job *job,
                                    struct foreign **out, struct error *err);
void foreign_close(struct foreign *f); /* NULL is fine */
/* Appends rows to *out until it holds `enough` bytes; appends nothing at the end. */
MUST_CHECK enum status foreign_read(struct foreign *f, struct str *out, size_t enough, struct error *err);

#endif
