/* The models in the workspace: the names they have there, which of them are kept, and bringing them back. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/grow.h"
#include "commands/parts.h"
#include "commands/recipe.h"

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
    *n = workspace_path(wb->space) ? 0 : workbench_count_models(wb);
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

enum status workbench_restore_models(struct workbench *wb, const struct dataset *d, struct error *err)
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
