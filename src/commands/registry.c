/* All commands. A family is one line of families.h; a command is one row in its family's file. */
#include <string.h>

#include "commands/command.h"
#include "commands/families.h"

#define LISTED(name) &name##_commands,
static const struct command_family *const families[] = {COMMAND_FAMILIES(LISTED)};

const struct command *command_at(size_t i)
{
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        if (i < families[f]->n)
            return &families[f]->rows[i];
        i -= families[f]->n;
    }
    return NULL;
}

const struct command *command_find(const char *name)
{
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}
