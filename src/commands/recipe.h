/* The recipe of a data set: the steps that shape it, each the command line that made it.
 *
 * What the workspace stores is the base: what the files said, with the attributes that were joined. What is open is the
 * base with its recipe applied, step by step. The recipe is kept as a note of the data set, one step a line; it is
 * replayed when the data set is opened, when its base changes, or on another one. With no step the base and the open
 * data are one object.
 *
 * The fingerprint of shaped data comes from that of the base and the lines of the recipe, so the same recipe on the
 * same base has the same fingerprint, and undoing a step brings the earlier one back. Models and split belong to a
 * state of the recipe: models of other states wait in the workspace and come back with their state. */
#ifndef TAILOR_COMMANDS_RECIPE_H
#define TAILOR_COMMANDS_RECIPE_H

#include "commands/command.h"

struct origin;

/* One step, and what was there after it. */
struct recipe_step {
    char *text; /* as it would be typed: `filter "value >= 4"`; two lines that do the same are the same */
    char *said; /* what it did: "kept 55,375 of 100,000 events"; NULL before it was applied */
    uint64_t events;
    uint32_t users, items;
};

struct recipe {
    struct recipe_step *step;
    size_t n, capacity;
    uint64_t base_events; /* what the first step began with */
    uint32_t base_users, base_items;
};

void recipe_free(struct recipe *r); /* NULL is fine */
/* A copy of the first n steps (at most all); r may be NULL: of none. NULL without memory. */
struct recipe *recipe_copy(const struct recipe *r, size_t n, struct error *err);
/* Appends one line after checking that it is a step; its text becomes the canonical one. */
MUST_CHECK enum status recipe_add(struct recipe *r, const char *line, struct error *err);
/* Appends a step for each line of text; empty lines and those that begin with # are passed over. */
MUST_CHECK enum status recipe_parse(struct recipe *r, const char *text, struct error *err);
/* One step a line. */
void recipe_format(const struct recipe *r, struct str *out);
/* The canonical line of a call: its words, quoted where needed, options in the order of their table. */
void recipe_line(const struct call *call, struct str *out);

/* Appends the step that a command asks for and applies it to d, which all steps before it have made. */
MUST_CHECK enum status recipe_take(struct recipe *r, const struct call *call, const struct dataset *d, struct job *job,
                                   struct dataset **out, struct error *err);
/* Applies steps [from, n) to d, which the first `from` have made: *out is a counted reference, d itself when there is
 * nothing to do. Fills what the steps did. An error names the step that failed; nothing is changed then. Can be
 * cancelled. */
MUST_CHECK enum status recipe_replay(struct recipe *r, size_t from, struct dataset *d, struct job *job,
                                     struct dataset **out, struct error *err);

/* The recipe kept for a data set of the workspace; an empty one when there is none. For recipe_free. */
MUST_CHECK enum status recipe_load(struct workspace *space, const char *dataset, struct recipe **out,
                                   struct error *err);
/* Keeps it; an empty one leaves no note. */
MUST_CHECK enum status recipe_save(struct workspace *space, const char *dataset, const struct recipe *r,
                                   struct error *err);

/* The condition of a `filter` as it was typed, without quotes around all of it; *at is where it begins in the line. */
MUST_CHECK enum status filter_condition(const struct call *call, char **out, size_t *at, struct error *err);

/* What every shaping command runs: takes the step, publishes what it made, says what it did. */
enum status recipe_run(struct workbench *wb, const struct call *call, struct result *out, struct error *err);
/* The recipe of a data set of the workspace, else of a file, for recipe_free; ST_STATE when it has no step. */
MUST_CHECK enum status recipe_find(struct workbench *wb, const char *name, struct recipe **out, struct error *err);

/* ---- the workbench ---- */

/* The base of what is open, a counted reference: the open data itself when the recipe is empty, else read from the
 * workspace. */
MUST_CHECK enum status workbench_base(struct workbench *wb, struct dataset **out, struct error *err);
/* A copy of the present recipe (empty when nothing is open). For recipe_free. */
MUST_CHECK enum status workbench_recipe(struct workbench *wb, struct recipe **out, struct error *err);
/* Makes `r` the recipe and `shaped` (the base with r applied) the open data: keeps the recipe, makes the split anew,
 * brings back the models of that state. Takes over both, also when it fails. ST_STATE when models that are in memory
 * only would be lost. */
MUST_CHECK enum status workbench_set_recipe(struct workbench *wb, struct recipe *r, struct dataset *shaped,
                                            struct error *err);
/* workbench_keep_data with a recipe: replays it on the new base, stores the base and opens the shaped data. Takes over
 * both. What is known of where it came from is kept in the same transaction; NULL: nothing new. */
MUST_CHECK enum status workbench_keep_shaped(struct workbench *wb, struct dataset *base, struct recipe *r, bool replace,
                                             const struct origin *from, struct error *err);
/* Publishes a grown base that is in the workspace already: replays the present recipe on it. *same tells whether all
 * users and items of the data that were open keep their indices (new ones came behind them), so that models trained
 * before still fit. *out is a counted reference, not yet published: split and models are the caller's. */
MUST_CHECK enum status workbench_reshape(struct workbench *wb, struct dataset *base, struct recipe **recipe,
                                         struct dataset **out, bool *same, struct error *err);
/* Models that the workspace keeps for other states of the recipe, and those of this one that could not be brought back:
 * what was appended since has given users and items other indices. */
MUST_CHECK enum status workbench_waiting(struct workbench *wb, size_t *models, size_t *unfit, struct error *err);

#endif
