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

enum { FEW = 64, SOME = 1024 };

static void sort_on_stack(uint32_t *x, size_t n)
{
    uint64_t keys[2][SOME];
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        keys[0][i] = (uint64_t)x[i] << 32;
        largest = x[i] > largest ? x[i] : largest;
    }
    const uint64_t *sorted = numbers_sort_keys(keys[0], keys[1], n, largest);
    for (size_t i = 0; i < n; i++)
        x[i] = (uint32_t)(sorted[i] >> 32);
}

/* Few numbers, which are often in order nearly, are sooner put in place one by one. */
void numbers_sort(uint32_t *x, size_t n)
{
    if (n > FEW && n <= SOME) {
        sort_on_stack(x, n);
        return;
    }
    if (n > SOME) {
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

uint64_t *numbers_sort_keys(uint64_t *from, uint64_t *to, size_t n, uint32_t largest)
{
    enum { BYTE = 256 };
    for (unsigned shift = 32; largest; shift += 8, largest >>= 8) {
        uint32_t at[BYTE] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++)
            at[from[i] >> shift & (BYTE - 1)]++;
        for (size_t b = 0; b < BYTE; b++) {
            uint32_t here = at[b];
            at[b] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++)
            to[at[from[i] >> shift & (BYTE - 1)]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}
