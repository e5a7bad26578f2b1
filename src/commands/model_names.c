/* Models by name: those that a command means, the names they can have, giving another one, and forgetting. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/parts.h"

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

size_t workbench_count_models(const struct workbench *wb)
{
    size_t n = wb->nmodels;
    while (n && workbench_is_then(wb->models[n - 1]))
        n--;
    return n;
}

/* present: without stand-ins. */
static enum status gather(struct workbench *wb, const char *const *names, size_t n, bool present, struct model ***out,
                          size_t *count, struct error *err)
{
    bool chosen = n == 0 && wb->nused > 0;
    size_t want = n ? n : chosen ? wb->nused : workbench_count_models(wb);
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
        list[got] = n || present ? list[got] : stand_in(wb, list[got]);
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

/* Lets go of the models that know what came after the clock, except where no other would be left. */
static void leave_out_future(const struct workbench *wb, struct model **list, size_t *n)
{
    size_t all = *n, know = 0;
    for (size_t i = 0; i < all; i++)
        know += model_sees_future(list[i], wb->now);
    if (know == all)
        return;
    *n = 0;
    for (size_t i = 0; i < all; i++) {
        if (model_sees_future(list[i], wb->now))
            model_release(list[i]);
        else
            list[(*n)++] = list[i];
    }
}

enum status workbench_models(struct workbench *wb, const char *const *names, size_t n, struct model ***out,
                             size_t *count, struct error *err)
{
    enum status st = gather(wb, names, n, false, out, count, err);
    if (!st && n == 0 && workbench_count_models(wb) < wb->nmodels)
        leave_out_future(wb, *out, count);
    return st;
}

enum status workbench_models_at_present(struct workbench *wb, struct model ***out, size_t *count, struct error *err)
{
    return gather(wb, NULL, 0, true, out, count, err);
}

enum status workbench_model_name(const char *name, const struct model_class *class, struct error *err)
{
    enum { LONGEST = 48 };
    const struct model_class *other = model_class_find(name);
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+";
    size_t n = strlen(name);
    if (!n || n > LONGEST || strspn(name, letters) != n || name[0] == '-')
        return error_set(err, ST_USAGE,
                         "\"%s\" cannot be the name of a model: letters, digits and . _ - + can, at most %d", name,
                         LONGEST);
    if (text_same(name, "all") || text_same(name, "with") || text_same(name, "where") || text_same(name, "as"))
        return error_set(err, ST_USAGE, "\"%s\" has a meaning in commands, so no model can have this name", name);
    if (other && other != class)
        return error_set(err, ST_USAGE, "%s is a class of models; a model of class %s needs another name", name,
                         class->name);
    return ST_OK;
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
