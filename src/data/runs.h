/* Where the rows of a grown data set come from, stretch by stretch: from the base it has grown from or from the batch
 * that came to it. Its columns, ids and fields are put together by that. */
#ifndef TAILOR_DATA_RUNS_H
#define TAILOR_DATA_RUNS_H

#include "data/dataset.h"

struct run {
    bool late; /* from the batch, else from the base */
    size_t begin, end;
};

struct runs {
    struct run *run;
    size_t n, capacity, rows;
};

MUST_CHECK enum status runs_add(struct runs *r, bool late, size_t begin, size_t end, struct error *err);
void runs_clear(struct runs *r);

/* *out (a pointer to an array, for mem_free) = the rows of base and batch in the order of the runs; a side that is NULL
 * has `missing` everywhere. `size`: bytes of a cell. */
MUST_CHECK enum status runs_column(void *out, const struct runs *r, const void *base, const void *batch, size_t size,
                                   const void *missing, struct error *err);
/* to = base and what is new in batch; (*map)[code of the batch] = code of to, for mem_free. */
MUST_CHECK enum status runs_dict(struct dict *to, const struct dict *base, const struct dict *batch, uint32_t **map,
                                 struct error *err);
/* *out (n, for mem_free) = map[codes]; NO_CODE stays. */
MUST_CHECK enum status runs_codes(const uint32_t *codes, size_t n, const uint32_t *map, uint32_t **out,
                                  struct error *err);
/* Appends to `out` the field that base and batch (either may be NULL) have together, of a type that holds the values of
 * both. */
MUST_CHECK enum status runs_field(struct fields *out, const struct runs *r, const struct field *base,
                                  const struct field *batch, struct error *err);

#endif
