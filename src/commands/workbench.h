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

struct sink;

struct workbench {
    struct workspace *space;
    bool readonly;
    uint64_t seed;
    struct job job;            /* the running work; faces look at it */

    /* Published pointers; take them with the functions below, swap them under `lock`. */
    pthread_mutex_t lock;
    struct dataset *data;      /* NULL: none loaded */
    struct split *split;       /* of `data`; NULL: none */
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
    size_t nsettings;
};

/* workspace path NULL: temporary. Loads the newest data set and its models when there are any. */
MUST_CHECK enum status workbench_open(const char *path, bool readonly, struct workbench **out, struct error *err);
void workbench_close(struct workbench *wb);

/* Publishing. Each takes over the caller's reference and bumps the generation. A new data set drops split and models. */
void workbench_set_data(struct workbench *wb, struct dataset *d);
void workbench_set_split(struct workbench *wb, struct split *s);
MUST_CHECK enum status workbench_add_model(struct workbench *wb, struct model *m, struct error *err); /* replaces one of the same name */
/* A counted reference for the caller (release it), or NULL. */
struct dataset *workbench_data(struct workbench *wb);
struct split *workbench_split(struct workbench *wb);
struct model *workbench_model(struct workbench *wb, const char *name);

#endif
