/* The manual page's part that the tables know: every command and every model. */
#ifndef TAILOR_COMMANDS_MANUAL_H
#define TAILOR_COMMANDS_MANUAL_H

#include "base/text.h"

/* Appends the sections COMMANDS and MODELS in roff (man macros). */
void manual_sections(struct str *out);

#endif
