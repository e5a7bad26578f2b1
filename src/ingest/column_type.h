/* The type of a column and the values of its cells. For column.c and column_type.c alone. */
#ifndef TAILOR_INGEST_COLUMN_TYPE_H
#define TAILOR_INGEST_COLUMN_TYPE_H

#include "ingest/column.h"

/* By its name, then by what all of its texts could be. *boolean: true and false are its values. */
enum field_type column_infer(const struct raw_column *c, bool *boolean);
/* The same of packed numbers: those as long as a date may be one where the name speaks of time. */
enum field_type column_infer_packed(const struct raw_column *c);
/* A date as it was said, as movie files write it ("01-Jan-1995", "22 Nov 1995") or as anybody does. */
bool column_date(const struct raw_column *c, const char *text, size_t n, int64_t *us);
bool column_real(const struct raw_column *c, const char *text, size_t n, double *out);
/* Is it that word, in letters of either case? */
bool cell_says(const char *text, size_t n, const char *word);

#endif
