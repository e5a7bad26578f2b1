/* Blobs: named, typed, checksummed arrays, written and read in bounded pieces. The form in which models are kept. */
#ifndef TAILOR_STORE_BLOB_H
#define TAILOR_STORE_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum blob_type { BLOB_U8 = 1, BLOB_U32, BLOB_U64, BLOB_I64, BLOB_F32, BLOB_F64 };

/* Where bytes go to and come from: a workspace, a file, memory in tests. */
struct blob_writer {
    void *context;
    enum status (*write)(void *context, const void *bytes, size_t n, struct error *err);
};
struct blob_reader {
    void *context;
    /* exactly n bytes, or ST_CORRUPT when there are fewer */
    enum status (*read)(void *context, void *bytes, size_t n, struct error *err);
};

/* One section: header (magic, name, type, count, checksum of the data, checksum of the header), then the data. */
MUST_CHECK enum status blob_put(struct blob_writer *w, const char *name, enum blob_type type, const void *data,
                                size_t count, struct error *err);
/* Reads the next section, which must have this name and type and exactly `count` elements, into data. */
MUST_CHECK enum status blob_get(struct blob_reader *r, const char *name, enum blob_type type, void *data, size_t count,
                                struct error *err);
/* The same, allocating (mem_free); at most max_count elements, checked before any allocation. */
MUST_CHECK enum status blob_get_new(struct blob_reader *r, const char *name, enum blob_type type, size_t max_count,
                                    void **data, size_t *count, struct error *err);
/* A text section (NUL-terminated on reading, mem_free). */
MUST_CHECK enum status blob_put_text(struct blob_writer *w, const char *name, const char *text, struct error *err);
MUST_CHECK enum status blob_get_text(struct blob_reader *r, const char *name, size_t max, char **text,
                                     struct error *err);

#endif
