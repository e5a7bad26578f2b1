/* Writing JSON into a string. Text is UTF-8; bad bytes become U+FFFD. */
#ifndef TAILOR_BASE_JSON_H
#define TAILOR_BASE_JSON_H

#include "base/text.h"

/* "text" with quotes and escapes; what could play tricks on a terminal (controls, bidi, invisible) is escaped too. */
void json_string(struct str *out, const char *text, size_t n);
/* A number in full precision; null for NaN and infinities. */
void json_real(struct str *out, double value);

#endif
