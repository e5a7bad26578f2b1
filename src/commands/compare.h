/* A comparison of the workbench's models: which are meant, on what they are judged, and what came of it; for the command
 * `compare` and for the screen, which parses the same words (call_parse). */
#ifndef TAILOR_COMMANDS_COMPARE_H
#define TAILOR_COMMANDS_COMPARE_H

#include "commands/command.h"
#include "commands/judge.h"
#include "eval/comparison.h"

struct compare {
    struct workbench *wb;
    struct dataset *d;
    struct split *s;
    struct judge judge;
    struct model **models; /* in the order asked for; comparison.entries[i].given is a place among them */
    struct evaluation **evaluations;
    size_t nmodels;
    struct comparison comparison;
};

/* Reads the words of a call of `compare`, judges the models that have not been judged yet, and compares them. Close it in every
 * case. What the user should know of models left out goes to `notes`. */
MUST_CHECK enum status compare_open(struct workbench *wb, const struct call *call, struct compare *out, struct result *notes,
                                    struct error *err);
void compare_close(struct compare *c);

/* ---- as tables (compare_tables.c) and words (compare_words.c) ---- */

void compare_put_leaderboard(const struct compare *c, struct result *out);
void compare_put_cold(const struct compare *c, struct result *out);

/* What can be claimed of the first model. */
void compare_say_lead(const struct compare *c, struct result *out);
/* What is not in the numbers: ratings that nobody predicts, events that were not asked for. */
void compare_say_limits(const struct compare *c, struct result *out);

#endif
