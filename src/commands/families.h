/* The families of commands, one a file. */
#ifndef TAILOR_COMMANDS_FAMILIES_H
#define TAILOR_COMMANDS_FAMILIES_H

#include "commands/command.h"

extern const struct command_family compare_commands;   /* compare */
extern const struct command_family data_commands;    /* load, load items, load users, weight */
extern const struct command_family event_commands;   /* events rejects */
extern const struct command_family feature_commands;   /* feature define, feature drop, features */
extern const struct command_family generate_commands;  /* generate */
extern const struct command_family inspect_commands;   /* why whatif */
extern const struct command_family model_commands;     /* models use */
extern const struct command_family recommend_commands; /* recommend similar find */
extern const struct command_family session_commands;   /* help set source watch history last output ui quit */
extern const struct command_family simulate_commands;  /* simulate */
extern const struct command_family space_commands;   /* status datasets rename drop save verify */
extern const struct command_family split_commands;     /* split */
extern const struct command_family train_commands;     /* train */
extern const struct command_family user_commands;      /* user */

#endif
