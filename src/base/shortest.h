/* The fewest digits that read back as a number; of several such, the nearest. */
#ifndef TAILOR_BASE_SHORTEST_H
#define TAILOR_BASE_SHORTEST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* value > 0 and finite is d.ddd * 10^exponent: the digits without point or end mark, at most SHORTEST_DIGITS; how many.
 */
enum { SHORTEST_DIGITS = 17 };
size_t shortest_of_double(double value, char *digits, int *exponent);
size_t shortest_of_single(float value, char *digits, int *exponent);

#ifdef __cplusplus
}
#endif

#endif
