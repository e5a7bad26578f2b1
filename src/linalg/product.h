/* Within this room: products of tiles of large matrices, for factor.c and inverse_update.c.
 *
 * On CPUs with AMX (bf16) a float32 is cut into three bf16, which hold all its 24 bits, and the six products of parts
 * that matter are summed in float32 by the matrix unit: errors are no larger than those of sgemm (its products are
 * exact, and the parts left out are below 2^-24), and it is the faster one. Elsewhere it is sgemm. */
#ifndef TAILOR_LINALG_PRODUCT_H
#define TAILOR_LINALG_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Room for one thread that multiplies, for tiles of at most PRODUCT_SIDE rows and columns. */
enum { PRODUCT_SIDE = 768 };
struct product_room {
    void *left, *right; /* NULL: this CPU needs none */
};
MUST_CHECK enum status product_room_new(struct product_room *room, struct error *err);
void product_room_clear(struct product_room *room);

/* An operand as it stands in memory: element (r, c) at a[r * stride + c], or transposed at a[c * stride + r]. */
struct operand {
    const float *a;
    size_t stride;
    bool transposed;
};

/* c (rows x columns, c[r * stride + c]) += left * right, or -= with `minus`; `inner` is the inner length. Runs on the
 * calling thread; its bits depend on the arguments only. */
void product_add(const struct product_room *room, size_t rows, size_t columns, size_t inner, bool minus,
                 struct operand left, struct operand right, float *c, size_t stride);

#endif
