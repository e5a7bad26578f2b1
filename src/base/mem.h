/* Memory: every allocation of the program goes through here, so that each can
 * fail in a test and is reported with the size that was needed. */
#ifndef TAILOR_BASE_MEM_H
#define TAILOR_BASE_MEM_H

#include <stddef.h>
#include <stdbool.h>

#include "base/error.h"

/* count * size zeroed bytes, aligned for any vector register (64). The product
 * is checked for overflow. NULL and ST_NOMEM in `err` on failure; `what` names the
 * thing in the message. A zero-sized request gives a unique pointer. Free with mem_free. */
void *mem_new(size_t count, size_t size, const char *what, struct error *err);

/* As mem_new but not zeroed; from 4 MiB on it asks for huge pages. For matrices and columns. */
void *mem_new_raw(size_t count, size_t size, const char *what, struct error *err);

/* Makes room for `need` elements of `size` bytes in *array, growing by half again. *array and
 * *capacity are updated together and stay valid on failure. New bytes are not zeroed, and are huge pages where
 * mem_new_raw's are. */
MUST_CHECK enum status mem_grow(void *array, size_t *capacity, size_t need, size_t size, struct error *err);

/* A copy of a string (of its first n bytes, with an end mark). */
char *mem_strdup(const char *text, struct error *err);
char *mem_strndup(const char *text, size_t n, struct error *err);

/* Bytes that could be taken now without swapping: the least of what the machine, the control groups of this process and
 * `ulimit -v` leave; SIZE_MAX when none of them says. */
size_t mem_available(void);

/* Frees anything from above; NULL is fine. */
void mem_free(void *pointer);

/* Tests only: `hook(context, bytes)` is asked before every allocation and makes it fail by
 * returning false. NULL removes it. Not to be changed while other threads run. */
void mem_set_hook(bool (*hook)(void *context, size_t bytes), void *context);

#endif
