/* Numbers as narrow columns show them. */
#ifndef TAILOR_SCREEN_NUMBERS_H
#define TAILOR_SCREEN_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ".034", ".83", "12.4", "583"; "+.83" with sign. */
void number_short(char *out, size_t size, double v, bool sign);
/* "3m", "5h", "2d", "7w", "3y": how long before `then` lies before `now`; "" when either is not known. */
void number_age(char *out, size_t size, int64_t then, int64_t now);

#endif
