/* Short lists of numbers in order. */
#ifndef TAILOR_BASE_NUMBERS_H
#define TAILOR_BASE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Puts x[0..n) into ascending order. */
void numbers_sort(uint32_t *x, size_t n);
/* Puts keys into the ascending order of their upper 32 bits, of which none is above `largest`; those that are alike keep
 * their order. from and to hold n each; returns the one of them that holds the result. One byte after the other, the
 * lowest first. */
uint64_t *numbers_sort_keys(uint64_t *from, uint64_t *to, size_t n, uint32_t largest);
/* Is it among x[0..n), which ascend? */
static inline bool numbers_have(const uint32_t *x, size_t n, uint32_t number)
{
    while (n > 0) {
        size_t half = n / 2;
        if (x[half] == number)
            return true;
        if (x[half] < number) {
            x += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return false;
}

#endif
