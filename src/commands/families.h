/* The families of commands, one a file. */
#ifndef TAILOR_COMMANDS_FAMILIES_H
#define TAILOR_COMMANDS_FAMILIES_H

#include "commands/command.h"

extern const struct command_family session_commands; /* help set source watch history last output ui quit */

#endif
