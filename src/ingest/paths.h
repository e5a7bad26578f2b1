/* The files that are loaded together. */
#ifndef TAILOR_INGEST_PATHS_H
#define TAILOR_INGEST_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct paths {
    char **path;
    size_t n, capacity;
};

/* Adds the path, or the files that it fits when it is a pattern. "-" is standard input. ST_NOT_FOUND names the nearest
 * file. */
MUST_CHECK enum status paths_expand(const char *path, struct paths *out, struct error *err);
void paths_clear(struct paths *p);
/* Bytes of all, or 0 when one of them is no file. */
uint64_t paths_size(const struct paths *p);
/* What the name of a file says about a given split: train.csv, test.txt, u1.base, valid-2.jsonl. NULL: nothing. */
const char *path_part(const char *path);
/* Among several files whose names all say train, valid or test, the split is given. */
bool paths_say_parts(const struct paths *p);

#endif
