/* Hooks for mem_set_hook. Their context is an atomic_long: how many allocations succeed before one fails. Below 0
 * afterwards: one did. */
#ifndef TAILOR_TESTS_UNIT_MEMORY_H
#define TAILOR_TESTS_UNIT_MEMORY_H

#include <stdatomic.h>

#include "base/mem.h"

/* Only that one fails. */
static inline bool fail_one(void *left, size_t bytes)
{
    (void)bytes;
    return atomic_fetch_sub((atomic_long *)left, 1) != 0;
}

/* It and all after it fail. */
static inline bool fail_from(void *left, size_t bytes)
{
    (void)bytes;
    return atomic_fetch_sub((atomic_long *)left, 1) > 0;
}

#endif
