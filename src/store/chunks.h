/* Chunks: pieces of an array, made small and made whole again. They hold no sums: whoever stores them does. */
#ifndef TAILOR_STORE_CHUNKS_H
#define TAILOR_STORE_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum element { ELEMENT_U8 = 1, ELEMENT_U16, ELEMENT_U32, ELEMENT_U64, ELEMENT_I64, ELEMENT_F32, ELEMENT_F64 };

/* Bytes of one element; 0 for a type that does not exist. */
size_t element_size(enum element type);
/* Elements of a full chunk: 65,536, or 1,048,576 of U8. */
size_t chunk_elements(enum element type);

/* Smallest and largest value of a chunk, missing ones (NaN, the largest U32, the smallest I64) aside. */
struct extent {
    bool any, real;
    int64_t low, high;           /* integers */
    double real_low, real_high;  /* F32, F64 */
};

/* Working memory of one thread: about 2 MiB. */
struct codec;
struct codec *codec_new(struct error *err);
void codec_free(struct codec *c);

/* Room that any encoded chunk fits into. */
size_t chunk_room(void);
/* Encodes data[0..n), n <= chunk_elements(type), into out (chunk_room() bytes); *size says how many were used. */
MUST_CHECK enum status chunk_encode(struct codec *c, enum element type, const void *data, size_t n, unsigned char *out,
                                    size_t *size, struct extent *extent, struct error *err);
/* Fills data[0..n) from what chunk_encode made of exactly n elements of this type; anything else is ST_CORRUPT. */
MUST_CHECK enum status chunk_decode(struct codec *c, enum element type, const unsigned char *bytes, size_t size,
                                    void *data, size_t n, struct error *err);

#endif
