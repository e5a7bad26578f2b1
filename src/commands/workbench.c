#include "commands/workbench.h"

#include <string.h>

#include "base/mem.h"
#include "commands/follow.h"
#include "commands/grow.h"
#include "commands/recipe.h"
#include "data/level_totals.h"

/* ---- publishing ---- */

static void forget_session(struct workbench *wb)
{
    mem_free(wb->made_up);
    mem_free(wb->last_list);
    wb->made_up = NULL;
    wb->last_list = NULL;
    wb->nmade_up = wb->nlast_list = 0;
    wb->user = NO_USER;
    wb->now = NO_TIME;
    for (size_t i = 0; i < wb->nused; i++)
        mem_free(wb->used[i]);
    wb->nused = 0;
}

void workbench_set_data(struct workbench *wb, struct dataset *d)
{
    workbench_set_shaped(wb, d, NULL);
}

/* What everybody likes stands beside each user who is looked at: one pass over all events, made before anybody waits
 * for it. Where memory is short it is made then. */
static void know_tastes(struct dataset *d)
{
    const struct level_totals *usual;
    const struct field *category = d ? dataset_item_category(d) : NULL;
    if (category && !dataset_level_totals(d, category, NO_TIME, &usual, NULL))
        level_totals_release(usual);
}

void workbench_set_shaped(struct workbench *wb, struct dataset *d, struct recipe *r)
{
    know_tastes(d);
    pthread_mutex_lock(&wb->lock);
    struct dataset *old = wb->data;
    struct recipe *old_recipe = wb->recipe;
    struct split *old_split = wb->split;
    size_t nmodels = wb->nmodels;
    wb->data = d;
    wb->recipe = r;
    wb->split = NULL;
    wb->nmodels = 0;
    wb->generation++;
    forget_session(wb);
    pthread_mutex_unlock(&wb->lock);
    for (size_t i = 0; i < nmodels; i++)
        model_release(wb->models[i]);
    split_release(old_split);
    recipe_free(old_recipe);
    dataset_release(old);
}

void workbench_set_split(struct workbench *wb, struct split *s)
{
    pthread_mutex_lock(&wb->lock);
    struct split *old = wb->split;
    wb->split = s;
    wb->split_of = s && wb->data ? wb->data->fingerprint : 0;
    wb->generation++;
    pthread_mutex_unlock(&wb->lock);
    split_release(old);
}

enum status workbench_room_for_model(struct workbench *wb, struct error *err)
{
    pthread_mutex_lock(&wb->lock);
    enum status st = mem_grow(&wb->models, &wb->models_capacity, wb->nmodels + 1, sizeof *wb->models, err);
    pthread_mutex_unlock(&wb->lock);
    return st;
}

enum status workbench_add_model(struct workbench *wb, struct model *m, struct error *err)
{
    struct model *old = NULL;
    enum status st = ST_OK;
    pthread_mutex_lock(&wb->lock);
    size_t i = 0;
    while (i < wb->nmodels && strcmp(wb->models[i]->name, m->name) != 0)
        i++;
    if (i == wb->nmodels)
        st = mem_grow(&wb->models, &wb->models_capacity, wb->nmodels + 1, sizeof *wb->models, err);
    else
        old = wb->models[i];
    if (!st) {
        wb->models[i] = m;
        wb->nmodels += i == wb->nmodels;
        wb->generation++;
    }
    pthread_mutex_unlock(&wb->lock);
    model_release(st ? m : old);
    return st;
}

struct dataset *workbench_data(struct workbench *wb)
{
    pthread_mutex_lock(&wb->lock);
    struct dataset *d = dataset_hold(wb->data);
    pthread_mutex_unlock(&wb->lock);
    return d;
}

struct split *workbench_split(struct workbench *wb)
{
    pthread_mutex_lock(&wb->lock);
    struct split *s = split_hold(wb->split);
    pthread_mutex_unlock(&wb->lock);
    return s;
}

uint32_t workbench_hides(struct workbench *wb)
{
    pthread_mutex_lock(&wb->lock);
    uint32_t hides = wb->data ? split_hides(wb->split, wb->data) : 0;
    pthread_mutex_unlock(&wb->lock);
    return hides;
}

/* ---- what the workspace has ---- */

enum status workbench_restore(struct workbench *wb, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    enum status st = workbench_recall_split(wb, d, err);
    if (st == ST_USAGE ||
        st == ST_STATE) /* shaped data may not be fit for it; it comes back when the recipe is undone */
        st = ST_OK;
    if (!st)
        st = workbench_restore_models(wb, d, err);
    if (!st)
        st = workbench_restore_used(wb, err);
    dataset_release(d);
    return st;
}

enum status workbench_switch(struct workbench *wb, const char *dataset, struct error *err)
{
    struct dataset *base = NULL, *d = NULL;
    struct recipe *r = NULL;
    enum status st = recipe_load(wb->space, dataset, &r, err);
    if (st)
        return st;
    st = workspace_get_dataset(wb->space, dataset, &base, &wb->job, err);
    if (!st) {
        workbench_fold(wb, base, false);
        st = recipe_replay(r, 0, base, &wb->job, &d, err);
    }
    if (!st && d != base)
        st = grow_recall_stages(wb, d, err);
    dataset_release(base);
    if (st) {
        dataset_release(d);
        recipe_free(r);
        return st;
    }
    workbench_set_shaped(wb, d, r);
    st = workbench_restore(wb, err);
    return st ? st : workbench_keep_open(wb, err);
}

/* ---- life ---- */

/* The data set that was open last; the newest one when that is not known or not there any more. */
static enum status open_last(struct workbench *wb, struct error *err)
{
    struct dataset_info *list = NULL;
    char *last = NULL;
    size_t n = 0, newest = 0, at;
    enum status st = workspace_list_datasets(wb->space, &list, &n, err);
    if (!st && n)
        st = workbench_last_open(wb, &last, err);
    for (size_t i = 1; i < n; i++)
        if (list[i].loaded > list[newest].loaded)
            newest = i;
    for (at = 0; last && at < n && strcmp(list[at].name, last) != 0;)
        at++;
    if (!st && n)
        st = workbench_switch(wb, list[last && at < n ? at : newest].name, err);
    mem_free(last);
    mem_free(list);
    return st;
}

enum status workbench_open(const char *path, bool readonly, struct workbench **out, struct error *err)
{
    struct workbench *wb = mem_new(1, sizeof *wb, "the workbench", err);
    if (!wb)
        return ST_NOMEM;
    job_init(&wb->job);
    pthread_mutex_init(&wb->lock, NULL);
    wb->seed = 42;
    wb->now = NO_TIME;
    wb->hide_seen = true;
    wb->user = NO_USER;
    wb->readonly = readonly;
    enum status st = workspace_open(path, readonly, &wb->space, err);
    if (!st)
        st = open_last(wb, err);
    if (st)
        workbench_close(wb);
    else
        *out = wb;
    return st;
}

void workbench_close(struct workbench *wb)
{
    if (!wb)
        return;
    follow_close(wb);
    workbench_set_data(wb, NULL);
    if (wb->space)
        workspace_close(wb->space);
    mem_free(wb->models);
    mem_free(wb->used);
    for (size_t i = 0; i < wb->nsettings; i++) {
        mem_free(wb->settings[i].name);
        mem_free(wb->settings[i].value);
    }
    mem_free(wb->settings);
    pthread_mutex_destroy(&wb->lock);
    job_destroy(&wb->job);
    mem_free(wb);
}
