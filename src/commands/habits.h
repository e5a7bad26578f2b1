/* What the fingers of psql and sqlite3 users type, in our words. */
#ifndef TAILOR_COMMANDS_HABITS_H
#define TAILOR_COMMANDS_HABITS_H

#include <stdbool.h>

#include "base/text.h"

/* `\d`, `.tables` and their like: appends the command that is meant. False when the text is none of them. */
bool habit_translate(const char *text, struct str *out);

#endif
