/* Numbers in spans of text that have no end mark. */
#ifndef TAILOR_INGEST_NUMBER_H
#define TAILOR_INGEST_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of text[0..n) as one finite number, correctly rounded. */
bool number_real(const char *text, size_t n, double *out);
/* The same of numbers as many countries write them: 3,5 and 1.234,5. */
bool number_real_comma(const char *text, size_t n, double *out);
/* All of text[0..n) as a whole number in the one way it is written: no plus, no leading zeros, at most 18 digits. */
bool number_int(const char *text, size_t n, int64_t *out);

#endif
