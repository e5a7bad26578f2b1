/* Parallel loops over fixed blocks.
 *
 * The cut into blocks depends only on n and `block`, never on the number of threads, so sums taken
 * per block and added in block order have the same bits with any number of threads. */
#ifndef TAILOR_BASE_PARALLEL_H
#define TAILOR_BASE_PARALLEL_H

#include <stddef.h>

/* Threads a loop may use (OMP_NUM_THREADS, else the cores). */
int parallel_threads(void);
/* Index of the calling thread inside a loop, 0 .. parallel_threads() - 1: for scratch memory. */
int parallel_thread(void);

/* Calls body(context, i, begin, end) once for each block i of [0, n), in any order, on all threads. */
void parallel_blocks(size_t n, size_t block, void (*body)(void *context, size_t i, size_t begin, size_t end),
                     void *context);
static inline size_t parallel_count(size_t n, size_t block)
{
    return (n + block - 1) / block;
}

#endif
