/* Help: tables and paragraphs made from the tables of commands and models. */
#ifndef TAILOR_COMMANDS_HELP_H
#define TAILOR_COMMANDS_HELP_H

#include "commands/command.h"

/* The groups of commands in the order of help, ended by a row of NULL. Each command is of one. */
struct help_group {
    const char *name, *about;
};

extern const struct help_group help_groups[];

enum status run_help(struct workbench *wb, const struct call *call, struct result *out, struct error *err);

#endif
