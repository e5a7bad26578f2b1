/* Parts of data sets as copies; for the files that build the next data set from a published one. */
#ifndef TAILOR_DATA_COPY_H
#define TAILOR_DATA_COPY_H

#include "data/dataset.h"

/* *to = a copy of from[0..count), NULL when from is. `to` points to a pointer. */
MUST_CHECK enum status copy_bytes(void *to, const void *from, size_t count, size_t size, struct error *err);
/* Into an empty set; what was copied before a failure is freed with the data set that owns them. */
MUST_CHECK enum status copy_fields(struct fields *to, const struct fields *from, struct error *err);

#endif
