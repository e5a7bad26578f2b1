/* Help: tables and paragraphs made from the tables of commands and models. */
#ifndef TAILOR_COMMANDS_HELP_H
#define TAILOR_COMMANDS_HELP_H

#include "commands/command.h"

enum status run_help(struct workbench *wb, const struct call *call, struct result *out, struct error *err);

#endif
