/* Packed numbers: a short number as it is written ("12", "-3.50", "0.25") in 64 bits, from which the very text comes
 * back. Columns of numbers with millions of different values are read this way, without a dictionary of all their
 * texts, and can still become text when a word turns up in the last row. */
#ifndef TAILOR_INGEST_PACKED_H
#define TAILOR_INGEST_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKED_MISSING UINT64_MAX
enum { PACKED_TEXT = 24 };

/* Up to 15 digits, of which any may be decimals, without leading zeros, plus sign or exponent; false for anything else.
 */
bool packed_from(const char *text, size_t n, uint64_t *out);
/* The text into out[PACKED_TEXT] (no NUL); returns its length. */
size_t packed_text(uint64_t packed, char *out);
/* What number_int and number_real make of the text. */
bool packed_int(uint64_t packed, int64_t *out);
double packed_real(uint64_t packed);

#endif
