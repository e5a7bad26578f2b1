/* A source of bytes: a plain file, a gzip or zstd file (told by the first bytes, not by the name), standard input or a
 * FIFO. Streamed: memory does not depend on the size. */
#ifndef TAILOR_INGEST_SOURCE_H
#define TAILOR_INGEST_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/job.h"

struct source;

/* path "-" is standard input. The job is asked for a cancel while a pipe keeps us waiting; it must outlive the source.
 */
MUST_CHECK enum status source_open(const char *path, struct job *job, struct source **out, struct error *err);
/* A source whose bytes are made by `pull` (*got == 0 is the end); takes over context, which `close` frees, on success.
 */
typedef enum status (*source_pull)(void *context, char *out, size_t room, size_t *got, struct error *err);
MUST_CHECK enum status source_pulled(source_pull pull, void (*close)(void *context), void *context, struct source **out,
                                     struct error *err);
void source_close(struct source *s); /* NULL is fine */
/* Reads at most `room` bytes; *got == 0 is the end. */
MUST_CHECK enum status source_read(struct source *s, char *out, size_t room, size_t *got, struct error *err);
/* Bytes taken from the file so far (before decompression). */
uint64_t source_taken(const struct source *s);

#endif
