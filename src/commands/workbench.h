/* The workbench: the one struct that holds what is open. Nothing else is shared. */
#ifndef TAILOR_COMMANDS_WORKBENCH_H
#define TAILOR_COMMANDS_WORKBENCH_H

#include <pthread.h>

#include "base/job.h"
#include "data/dataset.h"
#include "data/interactions.h"
#include "data/split.h"
#include "models/model.h"
#include "store/workspace.h"

struct follow;
struct recipe;
struct sink;

struct workbench {
    struct workspace *space;
    bool readonly;
    uint64_t seed;
    struct job job;            /* the running work; faces look at it */

    /* Published pointers; take them with the functions below, swap them under `lock`. */
    pthread_mutex_t lock;
    struct dataset *data;      /* NULL: none loaded */
    struct recipe *recipe;     /* the steps that made it from its base (recipe.h); NULL: none */
    struct split *split;       /* of `data`; NULL: none */
    uint64_t split_of;         /* the fingerprint that the data had when it was made */
    struct model **models;     /* trained on `data`, in order of training */
    size_t nmodels, models_capacity;
    uint64_t generation;       /* goes up with every published change: faces redraw when it moved */

    int64_t now;               /* the clock of the workbench (rewind); NO_TIME: the present */
    bool hide_seen;            /* seen=hide|show */
    char **used;               /* names chosen by `use`; empty: all */
    size_t nused, used_capacity;

    uint32_t user;             /* `.`: the current user, or NO_USER */
    struct query_event *made_up; /* `user new = ...`: an ad-hoc history */
    size_t nmade_up;
    uint32_t *last_list;       /* #3: items of the last list, best first */
    size_t nlast_list;

    struct sink *sink;         /* of the running command; only session commands may use it */
    struct setting *settings;  /* `set NAME value` */
    size_t nsettings, settings_capacity;
    struct follow *follow;     /* what is followed in the background (follow.h); NULL: nothing */
    int source_depth;          /* scripts that run scripts */
};

/* One name=value of `set`: a setting of settings.c, or a variable of the user ($NAME). */
struct setting {
    char *name, *value;
};

/* workspace path NULL: temporary. Loads the data set that was open last, and its models, when there are any. */
MUST_CHECK enum status workbench_open(const char *path, bool readonly, struct workbench **out, struct error *err);
void workbench_close(struct workbench *wb);

/* Publishing. Each takes over the caller's reference and bumps the generation. A new data set drops split and models.
 */
void workbench_set_data(struct workbench *wb, struct dataset *d);
/* The same with the recipe that shaped it, which it takes over. */
void workbench_set_shaped(struct workbench *wb, struct dataset *d, struct recipe *r);
void workbench_set_split(struct workbench *wb, struct split *s);
MUST_CHECK enum status workbench_add_model(struct workbench *wb, struct model *m,
                                           struct error *err); /* replaces one of the same name */
/* After this the next workbench_add_model cannot fail. */
MUST_CHECK enum status workbench_room_for_model(struct workbench *wb, struct error *err);
/* A counted reference for the caller (release it), or NULL. */
struct dataset *workbench_data(struct workbench *wb);
struct split *workbench_split(struct workbench *wb);
struct model *workbench_model(struct workbench *wb, const char *name);
/* How many there are, without those that stand in for others as of the clock: these stand behind them. */
size_t workbench_count_models(const struct workbench *wb);
/* Was it trained anew for the moment that the clock is rewound to (clock.h)? It is kept in memory alone. */
bool workbench_is_then(const struct model *m);
/* What hides items as seen, as in a query: any event, or those of the target of the split. */
uint32_t workbench_hides(struct workbench *wb);

/* Writes the present split (or that there is none) into the workspace, so that it is there on the next open. */
MUST_CHECK enum status workbench_keep_split(struct workbench *wb, struct error *err);
/* Brings it back for d, which was just published; drops what is kept. keep_split.c */
MUST_CHECK enum status workbench_recall_split(struct workbench *wb, struct dataset *d, struct error *err);
MUST_CHECK enum status workbench_forget_split(struct workbench *wb, const char *dataset, struct error *err);
/* Brings back what the workspace has for the data that was just published: its split, models and chosen models. */
MUST_CHECK enum status workbench_restore(struct workbench *wb, struct error *err);
/* Stores a new data set and publishes it; takes over d. What is kept is kept at once: the data, that it is the one to
 * open next time, and that it has no split and no chosen models yet. keep.c */
MUST_CHECK enum status workbench_keep_data(struct workbench *wb, struct dataset *d, bool replace, struct error *err);
/* Remembers that the present data set is the one to open next time; its name, or NULL, for mem_free. keep.c */
MUST_CHECK enum status workbench_keep_open(struct workbench *wb, struct error *err);
MUST_CHECK enum status workbench_last_open(struct workbench *wb, char **name, struct error *err);
/* Chooses the models that are meant without `with` (n = 0: all) and remembers it; takes over names[0..n). Each has been
 * found to be trained. */
MUST_CHECK enum status workbench_use(struct workbench *wb, char **names, size_t n, struct error *err);
/* Writes the choice after a model was renamed or dropped; reads it back, without models that are not there. */
MUST_CHECK enum status workbench_keep_used(struct workbench *wb, struct error *err);
MUST_CHECK enum status workbench_restore_used(struct workbench *wb, struct error *err);
/* Brings back the models that the workspace has for d in its present state. */
MUST_CHECK enum status workbench_restore_models(struct workbench *wb, const struct dataset *d, struct error *err);
/* The name that a model has in the workspace: its own, and behind an @ the state of the recipe when there is one, so
 * that every state has models of its own. */
enum { STORED_NAME_MAX = 64 };
void workbench_stored_name(struct workbench *wb, const char *model, char out[STORED_NAME_MAX]);
/* Writes a model into the workspace under the present data set. */
MUST_CHECK enum status workbench_keep_model(struct workbench *wb, const struct model *m, struct error *err);
/* Writes those that are in memory only: large ones are kept on `save` alone. */
MUST_CHECK enum status workbench_keep_models(struct workbench *wb, struct error *err);
/* How many models would be gone if the program ended now: those in memory only, or in a workspace without a name. */
MUST_CHECK enum status workbench_unkept_models(struct workbench *wb, size_t *n, struct error *err);
/* Appends the names of models that the workspace, named or not, does not hold: "ease, als128". */
MUST_CHECK enum status workbench_memory_models(struct workbench *wb, struct str *names, struct error *err);
/* Can a model of this class have this name? One that can be typed back without quotes, and is no other class. */
MUST_CHECK enum status workbench_model_name(const char *name, const struct model_class *class, struct error *err);
/* Forgets a model, in memory and in the workspace; ST_NOT_FOUND with a near name. */
MUST_CHECK enum status workbench_drop_model(struct workbench *wb, const char *name, struct error *err);
/* Gives a model another name, in memory and in the workspace. ST_USAGE when the name is taken, ST_BUSY while somebody
 * holds the model. */
MUST_CHECK enum status workbench_rename_model(struct workbench *wb, const char *from, const char *to,
                                              struct error *err);
/* Opens another data set of the workspace with its split and models, and publishes it. */
MUST_CHECK enum status workbench_switch(struct workbench *wb, const char *dataset, struct error *err);
/* The models meant by `with A B` (n names), else those chosen by `use`, else all; not named, each as of the moment that
 * the clock is rewound to when it was trained anew for that; where any was, those that know what came later are left
 * out. References for the caller in *out (mem_free it after releasing each). ST_STATE when none is trained,
 * ST_NOT_FOUND with a near name. */
MUST_CHECK enum status workbench_models(struct workbench *wb, const char *const *names, size_t n, struct model ***out,
                                        size_t *count, struct error *err);
/* Those without `with`, as they are at present wherever the clock stands. */
MUST_CHECK enum status workbench_models_at_present(struct workbench *wb, struct model ***out, size_t *count,
                                                   struct error *err);

/* The text of a setting or variable: as set, else its default, else NULL. */
const char *workbench_setting(const struct workbench *wb, const char *name);
/* Checks and keeps a setting; an unknown name makes a variable. */
MUST_CHECK enum status workbench_set(struct workbench *wb, const char *name, const char *value, struct error *err);
/* The known settings: settings.c. */
extern const struct param workbench_settings[];
extern const size_t workbench_nsettings;

#endif
