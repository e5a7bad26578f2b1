/* All commands. A family is one line here; a command is one row in its family's file. */
#include <string.h>

#include "commands/command.h"
#include "commands/families.h"

static const struct command_family *const families[] = {
    &data_commands,
    &space_commands,
    &event_commands,
    &generate_commands,
    &feature_commands,
    &split_commands,
    &train_commands,
    &model_commands,
    &compare_commands,
    &user_commands,
    &recommend_commands,
    &inspect_commands,
    &simulate_commands,
    &session_commands,
};

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
