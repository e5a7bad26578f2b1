/* Plain rows: the fast way to cut delimited text.
 *
 * Nearly all rows of nearly all files are plain: as many cells as there are columns, ASCII, no cell in quotes, no
 * blanks around cells, one line. Such rows need no more than the places of delimiters and line feeds, which come as bit
 * masks of 64 bytes at a time. Any other row is left to csv_scan, which knows all the rules; a plain row means the same
 * to both. */
#ifndef TAILOR_INGEST_PLAIN_H
#define TAILOR_INGEST_PLAIN_H

#include <stdbool.h>

#include "ingest/csv.h"

/* Can rows of this dialect be plain? (One byte that is no blank or a tab between cells, line feeds behind rows.) */
bool plain_possible(const struct dialect *d);

/* Cuts the plain rows at text[begin..) until `rows` of them are cut, the next one begins at `limit` or later, or is not
 * plain or not complete. Row i has its cells at cells[i * width ..) and its bytes (line end included) from text +
 * starts[i] on; starts[number of rows] is where the next one begins. Returns the number of rows. text[end] is a line
 * feed and 64 readable bytes follow. */
size_t plain_cut(const struct dialect *d, const char *text, size_t begin, size_t limit, size_t end, size_t width,
                 size_t rows, struct cell *cells, size_t *starts);

#endif
