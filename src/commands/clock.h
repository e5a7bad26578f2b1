/* The clock of the workbench: what counts is what happened before it.
 *
 * While it stands in the past the workspace is only looked at: commands that would change it are refused (run.c).
 * Models trained anew as of then stand beside the others, in memory alone, named after both: "ease@1998-03-01". No
 * other model can have such a name, so `rewind now` finds them again to drop. Without `with` each stands in for the
 * model it is made of, and those that know what came later are not asked. */
#ifndef TAILOR_COMMANDS_CLOCK_H
#define TAILOR_COMMANDS_CLOCK_H

#include "commands/workbench.h"

/* A moment as people say it: "1998-03-01", "1998-03-01T12:00", epoch; "-30d" or "+12h" from where the clock stands,
 * which at present is at the newest event; "now" is NO_TIME. ST_STATE when no event has a time, ST_USAGE for what is no
 * moment and what is not in the past. */
MUST_CHECK enum status clock_read(struct workbench *wb, const struct dataset *d, const char *text, int64_t *out,
                                  struct error *err);
/* Moves the clock; models of an earlier `then` go, and models[0..n), which it takes over with the list, come. On
 * failure nothing has changed. */
MUST_CHECK enum status clock_set(struct workbench *wb, int64_t now, struct model **models, size_t n, struct error *err);
/* "ease@1998-03-01", for mem_free. */
char *clock_model_name(const struct model *m, int64_t now, struct error *err);
/* "1998-03-01", and with the time of day where there is one: exact, and clock_read reads it. */
int clock_short(char *out, size_t size, int64_t now);
/* "as of 1998-03-01", for prompts; "" at present. */
int clock_words(char *out, size_t size, int64_t now);

#endif
