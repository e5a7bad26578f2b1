/* A step of a recipe at work: what a command that shapes the data is given, and what its kind has to say. A row of
 * commands whose `run` is recipe_run has its step in the slot `step`. */
#ifndef TAILOR_COMMANDS_SHAPING_H
#define TAILOR_COMMANDS_SHAPING_H

#include "commands/command.h"

/* Flags of a step of a recipe. */
#define COMMAND_STEP (COMMAND_NEEDS_DATA | COMMAND_CHANGES)

struct shaping {
    const struct dataset *data; /* that the step is applied to */
    const struct call *call;    /* parsed again from the line when it is replayed */
    struct job *job;
    struct str *said; /* filled with one sentence: what the step did */
};

/* "kept 900 of 1,000 events; 94 of 100 users are left". */
void shaping_say_kept(const struct shaping *s, const struct dataset *next);
/* Behind a step that drops events and came back with st: says what it kept. One that would leave nothing is a slip:
 * *out is released then, and the error says when the events there are took place. */
MUST_CHECK enum status shaping_left(const struct shaping *s, enum status st, struct dataset **out, struct error *err);

#endif
