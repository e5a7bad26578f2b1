#include "base/parallel.h"

#include <omp.h>

int parallel_threads(void)
{
    return omp_get_max_threads();
}

int parallel_thread(void)
{
    return omp_get_thread_num();
}

void parallel_blocks(size_t n, size_t block, void (*body)(void *context, size_t i, size_t begin, size_t end),
                     void *context)
{
    size_t count = parallel_count(n, block);
#pragma omp parallel for schedule(dynamic, 1) if (count > 1)
    for (size_t i = 0; i < count; i++) {
        size_t begin = i * block;
        body(context, i, begin, begin + block < n ? begin + block : n);
    }
}
