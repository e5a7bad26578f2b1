/* Compressed output: bytes in, a plain, gzip or zstd stream out. */
#ifndef TAILOR_BASE_PRESS_H
#define TAILOR_BASE_PRESS_H

#include <stdio.h>

#include "base/error.h"

enum press_form { PRESS_PLAIN, PRESS_GZIP, PRESS_ZSTD };

/* By the end of a name: .gz, .zst, else plain. */
enum press_form press_form_of(const char *path);

struct press;
/* Writes to `file`, which stays the caller's. level 0: the library's default. */
MUST_CHECK enum status press_open(FILE *file, enum press_form form, int level, struct press **out, struct error *err);
MUST_CHECK enum status press_write(struct press *p, const char *bytes, size_t n, struct error *err);
/* Ends the stream (the file is neither flushed nor closed) and frees p, also after an error. */
MUST_CHECK enum status press_close(struct press *p, struct error *err);
/* Frees p without ending the stream. */
void press_abandon(struct press *p);

#endif
