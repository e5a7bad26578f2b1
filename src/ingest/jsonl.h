/* One line of JSON into cells, by simdjson. The only C++ of the program stands behind this. */
#ifndef TAILOR_INGEST_JSONL_H
#define TAILOR_INGEST_JSONL_H

#include <stddef.h>

#include "base/error.h"
#include "ingest/csv.h"

struct jsonl;

struct jsonl *jsonl_new(struct error *err);
void jsonl_free(struct jsonl *j); /* NULL is fine */

/* Takes one member: {"a": {"b": 1}} comes as key "a.b"; an array of scalars as one cell with LIST_MARK between its
 * values; null does not come. The cell is valid until the next jsonl_read. */
typedef enum status (*jsonl_take)(void *context, const char *key, size_t key_length, const struct cell *cell,
                                  struct error *err);

/* Reads the object in line[0..n), behind which FEED_PADDING bytes must be readable. *reason is NULL, or what is wrong
 * with the line (cells may have been taken already). */
MUST_CHECK enum status jsonl_read(struct jsonl *j, const char *line, size_t n, jsonl_take take, void *context,
                                  const char **reason, struct error *err);

#endif
