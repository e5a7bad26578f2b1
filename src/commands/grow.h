/* The open data set grows: kept, and published with all that was made of it before. */
#ifndef TAILOR_COMMANDS_GROW_H
#define TAILOR_COMMANDS_GROW_H

#include "commands/origin.h"

/* Adds a finished batch and the rejects that are staged to the base of the open data set: stores it, how far files were
 * read by it, replays the recipe and publishes the grown data. Models stay, widened; the split stays, the new events
 * are in no part of it; so does all that the user has chosen. Where the recipe leaves out others than before, users and
 * items have other indices: then the models go and the split is made anew. After a failure nothing has changed. Not
 * while another command runs. */
MUST_CHECK enum status workbench_append(struct workbench *wb, const struct dataset *batch,
                                        const struct origin_places *places, struct error *err);

/* Folds what was appended to a base into it when that is due, or `always`. It is a matter of speed and room: where it
 * cannot be done all stays as it is. */
void workbench_fold(struct workbench *wb, const struct dataset *base, bool always);
/* Gives data that a recipe has just made, not yet published, the stages that its models and split belong to. */
MUST_CHECK enum status grow_recall_stages(struct workbench *wb, struct dataset *shaped, struct error *err);

/* A model of the workspace for the data d it belongs to, or has belonged to before it grew: widened where it must be.
 * Takes over *m when it succeeds. ST_STATE when it was trained on other data. */
MUST_CHECK enum status model_adopt(const struct dataset *d, struct model **m, struct error *err);
/* The split of this spec, made when the data had this fingerprint. */
MUST_CHECK enum status split_adopt(const struct dataset *d, const struct split_spec *spec, uint64_t fingerprint,
                                   struct split **out, struct error *err);

#endif
