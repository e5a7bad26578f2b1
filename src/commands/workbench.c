#include "commands/workbench.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/follow.h"
#include "commands/grow.h"
#include "commands/parts.h"
#include "commands/recipe.h"
#include "data/grow.h"
#include "data/level_totals.h"
#include "models/driver.h"

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

/* What everybody likes stands beside each user who is looked at: one pass over all events, made before anybody waits for it.
 * Where memory is short it is made then. */
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

struct model *workbench_model(struct workbench *wb, const char *name)
{
    struct model *m = NULL;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels && !m; i++)
        if (strcmp(wb->models[i]->name, name) == 0)
            m = model_hold(wb->models[i]);
    pthread_mutex_unlock(&wb->lock);
    return m;
}

static enum status no_model(struct workbench *wb, const char *name, struct error *err)
{
    const char *names[64];
    size_t n = 0;
    enum status st = error_set(err, ST_NOT_FOUND, "no trained model \"%s\"", name);
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels && n < 64; i++)
        names[n++] = wb->models[i]->name;
    const char *nearest = text_nearest(name, names, n);
    const struct model_class *class = model_class_find(name);
    if (class)
        error_hint(err, class->capabilities & SERVED ? "`import FILE as %s` makes it" : "`train %s` makes it", name);
    else if (nearest)
        error_hint(err, "did you mean %s?", nearest);
    else
        error_hint(err, n ? "`models` lists those there are" : "train one first: `train ease`");
    pthread_mutex_unlock(&wb->lock);
    return st;
}

bool workbench_is_then(const struct model *m)
{
    return strchr(m->name, '@') != NULL;
}

/* The model as of the moment of the clock, when there is one; else itself. Takes over one hold, and gives one. */
static struct model *stand_in(struct workbench *wb, struct model *m)
{
    struct model *then = NULL;
    size_t n = m ? strlen(m->name) : 0;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; m && i < wb->nmodels && !then; i++)
        if (strncmp(wb->models[i]->name, m->name, n) == 0 && wb->models[i]->name[n] == '@')
            then = model_hold(wb->models[i]);
    pthread_mutex_unlock(&wb->lock);
    if (then)
        model_release(m);
    return then ? then : m;
}

/* How many there are, without those that stand in for others: these stand behind them. */
static size_t count_models(const struct workbench *wb)
{
    size_t n = wb->nmodels;
    while (n && workbench_is_then(wb->models[n - 1]))
        n--;
    return n;
}

enum status workbench_models(struct workbench *wb, const char *const *names, size_t n, struct model ***out,
                             size_t *count, struct error *err)
{
    bool chosen = n == 0 && wb->nused > 0;
    size_t want = n ? n : chosen ? wb->nused : count_models(wb);
    if (want == 0) {
        enum status st = error_set(err, ST_STATE, "no model is trained");
        error_hint(err, "train some: `train pop itemknn ease ials`");
        return st;
    }
    struct model **list = mem_new(want, sizeof(struct model *), "a list of models", err);
    if (!list)
        return ST_NOMEM;
    enum status st = ST_OK;
    size_t got = 0;
    for (size_t i = 0; i < want && !st; i++) {
        const char *name = n ? names[i] : chosen ? wb->used[i] : NULL;
        list[got] = name ? workbench_model(wb, name) : model_hold(wb->models[i]);
        list[got] = n ? list[got] : stand_in(wb, list[got]);
        if (list[got])
            got++;
        else
            st = no_model(wb, name, err);
    }
    if (st) {
        for (size_t i = 0; i < got; i++)
            model_release(list[i]);
        mem_free(list);
        return st;
    }
    *out = list;
    *count = got;
    return ST_OK;
}

/* ---- keeping: what the next session finds ---- */

static enum status write_model(void *context, struct blob_writer *out, struct error *err)
{
    return model_save(context, out, err);
}

/* Fourteen hexadecimal digits: with the longest name of a model just what the workspace takes. */
static void state_of(struct workbench *wb, char out[16])
{
    *out = 0;
    pthread_mutex_lock(&wb->lock);
    if (wb->recipe && wb->recipe->n) {
        uint64_t h = 0;
        for (size_t i = 0; i < wb->recipe->n; i++)
            h = hash_bytes(wb->recipe->step[i].text, strlen(wb->recipe->step[i].text), h);
        snprintf(out, 16, "@%014llx", (unsigned long long)(h & UINT64_C(0xffffffffffffff)));
    }
    pthread_mutex_unlock(&wb->lock);
}

void workbench_stored_name(struct workbench *wb, const char *model, char out[STORED_NAME_MAX])
{
    char state[16];
    state_of(wb, state);
    snprintf(out, STORED_NAME_MAX, "%s%s", model, state);
}

/* Is the model that the workspace keeps under this name one of the present state? Then `name` loses its state. */
static bool is_present(const char *state, char *name)
{
    char *at = strchr(name, '@');
    if (strcmp(at ? at : "", state) != 0)
        return false;
    if (at)
        *at = 0;
    return true;
}

enum status workbench_waiting(struct workbench *wb, size_t *models, size_t *unfit, struct error *err)
{
    struct model_info *list = NULL;
    size_t n = 0;
    char state[16];
    *models = *unfit = 0;
    if (!wb->data)
        return ST_OK;
    state_of(wb, state);
    enum status st = workspace_list_models(wb->space, wb->data->name, &list, &n, err);
    for (size_t i = 0; i < n && !st; i++) {
        bool present = is_present(state, list[i].name);
        struct model *m = present ? workbench_model(wb, list[i].name) : NULL;
        *models += !present;
        *unfit += present && !m;
        model_release(m);
    }
    mem_free(list);
    return st;
}

enum status workbench_keep_model(struct workbench *wb, const struct model *m, struct error *err)
{
    char name[STORED_NAME_MAX];
    workbench_stored_name(wb, m->name, name);
    /* The writer only reads the model; the blob interface passes one untyped context for both directions. */
    union {
        const struct model *in;
        void *context;
    } u = {m};
    return workspace_put_model(wb->space, wb->data->name, name, m->class->name, write_model, u.context, true, err);
}

/* Calls each for every model that the workspace does not hold. */
static enum status each_unkept(struct workbench *wb,
                               enum status (*each)(void *context, const struct model *m, struct error *err),
                               void *context, struct error *err)
{
    struct model_info *list = NULL;
    size_t n = 0;
    if (!wb->data)
        return ST_OK;
    enum status st = workspace_list_models(wb->space, wb->data->name, &list, &n, err);
    for (size_t i = 0; i < wb->nmodels && !st; i++) {
        char name[STORED_NAME_MAX];
        bool there = workbench_is_then(wb->models[i]); /* its own is, and it is made again from that */
        workbench_stored_name(wb, wb->models[i]->name, name);
        for (size_t j = 0; j < n && !there; j++)
            there = strcmp(list[j].name, name) == 0;
        if (!there)
            st = each(context, wb->models[i], err);
    }
    mem_free(list);
    return st;
}

static enum status keep_one(void *wb, const struct model *m, struct error *err)
{
    return workbench_keep_model(wb, m, err);
}

enum status workbench_keep_models(struct workbench *wb, struct error *err)
{
    return each_unkept(wb, keep_one, wb, err);
}

static enum status count_one(void *n, const struct model *m, struct error *err)
{
    (void)m;
    (void)err;
    ++*(size_t *)n;
    return ST_OK;
}

enum status workbench_unkept_models(struct workbench *wb, size_t *n, struct error *err)
{
    *n = workspace_path(wb->space) ? 0 : count_models(wb);
    return workspace_path(wb->space) && !wb->readonly ? each_unkept(wb, count_one, n, err) : ST_OK;
}

static enum status name_one(void *names, const struct model *m, struct error *err)
{
    struct str *s = names;
    (void)err;
    str_printf(s, "%s%s", s->length ? ", " : "", m->name);
    return ST_OK;
}

enum status workbench_memory_models(struct workbench *wb, struct str *names, struct error *err)
{
    return each_unkept(wb, name_one, names, err);
}

enum status workbench_model_name(const char *name, const struct model_class *class, struct error *err)
{
    enum { LONGEST = 48 };
    const struct model_class *other = model_class_find(name);
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+";
    size_t n = strlen(name);
    if (!n || n > LONGEST || strspn(name, letters) != n || name[0] == '-')
        return error_set(err, ST_USAGE, "\"%s\" cannot be the name of a model: letters, digits and . _ - + can, at most %d", name, LONGEST);
    if (text_same(name, "all") || text_same(name, "with") || text_same(name, "where") || text_same(name, "as"))
        return error_set(err, ST_USAGE, "\"%s\" has a meaning in commands, so no model can have this name", name);
    if (other && other != class)
        return error_set(err, ST_USAGE, "%s is a class of models; a model of class %s needs another name", name, class->name);
    return ST_OK;
}

static enum status read_model(void *context, struct blob_reader *in, struct error *err)
{
    return model_load(in, context, err);
}

/* A renamed model still has its first name inside; the catalogue's counts. Only before it is published. */
static enum status name_model(struct model *m, const char *name, struct error *err)
{
    if (strcmp(m->name, name) == 0)
        return ST_OK;
    char *copy = mem_strdup(name, err);
    if (!copy)
        return ST_NOMEM;
    mem_free(m->name);
    m->name = copy;
    return ST_OK;
}

static enum status restore_models(struct workbench *wb, const struct dataset *d, struct error *err)
{
    struct model_info *list = NULL;
    size_t n = 0;
    char state[16], stored[STORED_NAME_MAX];
    state_of(wb, state);
    enum status st = workspace_list_models(wb->space, d->name, &list, &n, err);
    for (size_t i = 0; i < n && !st; i++) {
        struct model *m = NULL;
        snprintf(stored, sizeof stored, "%s", list[i].name);
        if (!is_present(state, list[i].name))
            continue;
        st = workspace_get_model(wb->space, d->name, stored, read_model, &m, err);
        if (!st)
            st = model_adopt(d, &m, err);
        if (st == ST_STATE) { /* the recipe left out other users or items then */
            model_release(m);
            st = ST_OK;
            continue;
        }
        if (!st)
            st = name_model(m, list[i].name, err);
        if (st)
            model_release(m);
        else
            st = workbench_add_model(wb, m, err);
    }
    mem_free(list);
    return st ? st : workbench_attach_parts(wb, err);
}

static size_t find_model(const struct workbench *wb, const char *name)
{
    size_t i = 0;
    while (i < wb->nmodels && strcmp(wb->models[i]->name, name) != 0)
        i++;
    return i;
}

/* `use` follows a model to its new name, and forgets one that is gone (to NULL). Under the lock. */
static void follow_name(struct workbench *wb, const char *from, char *to)
{
    size_t kept = 0;
    for (size_t i = 0; i < wb->nused; i++) {
        bool same = strcmp(wb->used[i], from) == 0;
        if (same) {
            mem_free(wb->used[i]);
            wb->used[i] = to;
        }
        if (wb->used[i])
            wb->used[kept++] = wb->used[i];
        to = same ? NULL : to;
    }
    wb->nused = kept;
    mem_free(to);
}

/* A published model never changes, so the new name goes to a new model that takes over what the old one holds; that
 * needs the old one to be nobody else's. */
static struct model *move_model(struct model *m, const char *name, struct error *err)
{
    if (atomic_load(&m->references) > 1) {
        error_set(err, ST_BUSY, "model %s is in use", m->name);
        error_hint(err, "try again in a moment");
        return NULL;
    }
    struct model *moved = model_new(m->class, name, m->values, m->nusers, m->nitems, err);
    if (!moved)
        return NULL;
    moved->record = m->record;
    moved->state = m->state;
    moved->trained = m->trained;
    moved->parts = m->parts;
    moved->nparts = m->nparts;
    moved->paused = m->paused;
    m->record.curve = m->record.watched = NULL;
    m->paused = (struct snapshot){0};
    m->state = NULL;
    m->trained = NULL;
    m->parts = NULL;
    m->nparts = 0;
    return moved;
}

static enum status rename_published(struct workbench *wb, const char *from, const char *to, char *copy,
                                    struct error *err)
{
    struct model *old = NULL, *moved = NULL;
    enum status st = ST_OK;
    pthread_mutex_lock(&wb->lock);
    size_t i = find_model(wb, from);
    if (find_model(wb, to) < wb->nmodels) {
        st = error_set(err, ST_USAGE, "there is a model %s already", to);
    } else if (i < wb->nmodels) {
        old = wb->models[i];
        moved = move_model(old, to, err);
        if (moved) {
            wb->models[i] = moved;
            wb->generation++;
            follow_name(wb, from, copy);
            copy = NULL;
        }
    }
    pthread_mutex_unlock(&wb->lock);
    mem_free(copy);
    if (st)
        return st;
    if (!old)
        return no_model(wb, from, err);
    if (!moved)
        return err ? err->code : ST_BUSY;
    model_release(old);
    return ST_OK;
}

enum status workbench_rename_model(struct workbench *wb, const char *from, const char *to, struct error *err)
{
    enum status st = workbench_check_no_part(wb, from, err);
    if (st)
        return st;
    char *copy = mem_strdup(to, err);
    st = copy ? rename_published(wb, from, to, copy, err) : ST_NOMEM;
    if (st)
        return st;
    char stored_from[STORED_NAME_MAX], stored_to[STORED_NAME_MAX];
    workbench_stored_name(wb, from, stored_from);
    workbench_stored_name(wb, to, stored_to);
    st = workspace_rename_model(wb->space, wb->data->name, stored_from, stored_to, err);
    return st && st != ST_NOT_FOUND ? st : workbench_keep_used(wb, err);
}

enum status workbench_drop_model(struct workbench *wb, const char *name, struct error *err)
{
    struct model *old = NULL;
    enum status st = workbench_check_no_part(wb, name, err);
    if (st)
        return st;
    pthread_mutex_lock(&wb->lock);
    size_t i = find_model(wb, name);
    if (i < wb->nmodels) {
        old = wb->models[i];
        memmove(&wb->models[i], &wb->models[i + 1], (--wb->nmodels - i) * sizeof(struct model *));
        wb->generation++;
        follow_name(wb, name, NULL);
    }
    pthread_mutex_unlock(&wb->lock);
    if (!old)
        return no_model(wb, name, err);
    model_release(old);
    char stored[STORED_NAME_MAX];
    workbench_stored_name(wb, name, stored);
    st = workspace_drop_model(wb->space, wb->data->name, stored, err);
    return st && st != ST_NOT_FOUND ? st : workbench_keep_used(wb, err);
}

enum status workbench_restore(struct workbench *wb, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    enum status st = workbench_recall_split(wb, d, err);
    if (st == ST_USAGE || st == ST_STATE) /* shaped data may not be fit for it; it comes back when the recipe is undone */
        st = ST_OK;
    if (!st)
        st = restore_models(wb, d, err);
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
