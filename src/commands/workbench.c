#include "commands/workbench.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
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
    for (size_t i = 0; i < wb->nused; i++)
        mem_free(wb->used[i]);
    wb->nused = 0;
}

void workbench_set_data(struct workbench *wb, struct dataset *d)
{
    pthread_mutex_lock(&wb->lock);
    struct dataset *old = wb->data;
    struct split *old_split = wb->split;
    size_t nmodels = wb->nmodels;
    wb->data = d;
    wb->split = NULL;
    wb->nmodels = 0;
    wb->generation++;
    forget_session(wb);
    pthread_mutex_unlock(&wb->lock);
    for (size_t i = 0; i < nmodels; i++)
        model_release(wb->models[i]);
    split_release(old_split);
    dataset_release(old);
}

void workbench_set_split(struct workbench *wb, struct split *s)
{
    pthread_mutex_lock(&wb->lock);
    struct split *old = wb->split;
    wb->split = s;
    wb->generation++;
    pthread_mutex_unlock(&wb->lock);
    split_release(old);
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
    if (model_class_find(name))
        error_hint(err, "`train %s` makes it", name);
    else if (nearest)
        error_hint(err, "did you mean %s?", nearest);
    else
        error_hint(err, n ? "`models` lists those there are" : "train one first: `train ease`");
    pthread_mutex_unlock(&wb->lock);
    return st;
}

enum status workbench_models(struct workbench *wb, const char *const *names, size_t n, struct model ***out, size_t *count, struct error *err)
{
    bool chosen = n == 0 && wb->nused > 0;
    size_t want = n ? n : chosen ? wb->nused : wb->nmodels;
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

/* The split is kept as what was asked for, in words; the parts are computed anew. */
enum status workbench_keep_split(struct workbench *wb, struct error *err)
{
    if (!wb->data || wb->readonly)
        return ST_OK;
    if (!wb->split)
        return workspace_drop_note(wb->space, wb->data->name, "split", "current", err);
    const struct split_spec *s = &wb->split->spec;
    struct str text = {0};
    str_printf(&text, "%d %zu %lld %lld %.17g %.17g %.17g %llu %s", (int)s->kind, s->last, (long long)s->at, (long long)s->duration, s->share,
               s->holdout, s->valid_share, (unsigned long long)s->seed, s->target);
    enum status st = text.failed ? error_nomem(err, 128, "the split")
                                 : workspace_put_note(wb->space, wb->data->name, "split", "current", str_text(&text), text.length, err);
    str_free(&text);
    return st;
}

static enum status restore_split(struct workbench *wb, struct dataset *d, struct error *err)
{
    void *bytes;
    size_t n;
    enum status st = workspace_get_note(wb->space, d->name, "split", "current", &bytes, &n, err);
    if (st)
        return st == ST_NOT_FOUND ? ST_OK : st;
    char *text = mem_strndup(bytes, n, err);
    mem_free(bytes);
    if (!text)
        return ST_NOMEM;
    struct split_spec s = {0};
    struct split *split = NULL;
    int kind;
    long long at, duration;
    unsigned long long seed;
    int fields = sscanf(text, "%d %zu %lld %lld %lg %lg %lg %llu %63s", &kind, &s.last, &at, &duration, &s.share, &s.holdout, &s.valid_share, &seed, s.target);
    mem_free(text);
    if (fields < 8)
        return error_set(err, ST_CORRUPT, "the split kept for %s cannot be read", d->name);
    s.kind = (enum split_kind)kind;
    s.at = at;
    s.duration = duration;
    s.seed = seed;
    st = split_new(d, &s, &split, err);
    if (!st)
        workbench_set_split(wb, split);
    return st;
}

static enum status write_model(void *context, struct blob_writer *out, struct error *err)
{
    return model_save(context, out, err);
}

enum status workbench_keep_model(struct workbench *wb, const struct model *m, struct error *err)
{
    /* The writer only reads the model; the blob interface passes one untyped context for both directions. */
    union {
        const struct model *in;
        void *context;
    } u = {m};
    return workspace_put_model(wb->space, wb->data->name, m->name, m->class->name, write_model, u.context, true, err);
}

static enum status read_model(void *context, struct blob_reader *in, struct error *err)
{
    return model_load(in, context, err);
}

static enum status restore_models(struct workbench *wb, const struct dataset *d, struct error *err)
{
    struct model_info *list = NULL;
    size_t n = 0;
    enum status st = workspace_list_models(wb->space, d->name, &list, &n, err);
    for (size_t i = 0; i < n && !st; i++) {
        struct model *m = NULL;
        st = workspace_get_model(wb->space, d->name, list[i].name, read_model, &m, err);
        if (!st && (m->nitems != d->items.n || m->nusers != d->users.n)) {
            st = error_set(err, ST_CORRUPT, "model %s was trained on other data than %s", m->name, d->name);
            model_release(m);
        } else if (!st) {
            st = workbench_add_model(wb, m, err);
        }
    }
    mem_free(list);
    return st;
}

enum status workbench_drop_model(struct workbench *wb, const char *name, struct error *err)
{
    struct model *old = NULL;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels; i++) {
        if (strcmp(wb->models[i]->name, name) != 0)
            continue;
        old = wb->models[i];
        memmove(&wb->models[i], &wb->models[i + 1], (--wb->nmodels - i) * sizeof(struct model *));
        wb->generation++;
        break;
    }
    pthread_mutex_unlock(&wb->lock);
    if (!old)
        return no_model(wb, name, err);
    model_release(old);
    enum status st = workspace_drop_model(wb->space, wb->data->name, name, err);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status workbench_switch(struct workbench *wb, const char *dataset, struct error *err)
{
    struct dataset *d = NULL;
    enum status st = workspace_get_dataset(wb->space, dataset, &d, &wb->job, err);
    if (st)
        return st;
    workbench_set_data(wb, d);
    st = restore_split(wb, d, err);
    return st ? st : restore_models(wb, d, err);
}

/* ---- life ---- */

static enum status open_newest(struct workbench *wb, struct error *err)
{
    struct dataset_info *list = NULL;
    size_t n = 0;
    enum status st = workspace_list_datasets(wb->space, &list, &n, err);
    size_t newest = 0;
    for (size_t i = 1; i < n; i++)
        if (list[i].loaded > list[newest].loaded)
            newest = i;
    if (!st && n)
        st = workbench_switch(wb, list[newest].name, err);
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
        st = open_newest(wb, err);
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
