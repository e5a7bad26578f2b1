#include "base/numbers.h"

#include <stdlib.h>
#include <string.h>

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Few numbers, which are often in order nearly, are sooner put in place one by one. */
void numbers_sort(uint32_t *x, size_t n)
{
    enum { FEW = 64 };
    if (n > FEW) {
        qsort(x, n, sizeof *x, by_number);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        uint32_t number = x[i];
        size_t at = i;
        for (; at > 0 && x[at - 1] > number; at--)
            x[at] = x[at - 1];
        x[at] = number;
    }
}
