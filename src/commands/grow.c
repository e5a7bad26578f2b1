#include "commands/grow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/recipe.h"
#include "data/grow.h"

/* ---- models and splits of before ---- */

enum status model_adopt(const struct dataset *d, struct model **m, struct error *err)
{
    const struct model *trained = model_trained(*m);
    uint64_t fingerprint = trained->record.data_fingerprint;
    const struct data_stage *s = fingerprint == d->fingerprint ? NULL : dataset_stage(d, fingerprint);
    bool known = s || fingerprint == d->fingerprint; /* that counts agree is not enough: indices may be others' */
    size_t users = s ? s->users : d->users.n, items = s ? s->items : d->items.n;
    if (!known || trained->nusers != users || trained->nitems != items)
        return error_set(err, ST_STATE, "model %s was trained on other data than %s", trained->name, d->name);
    if ((*m)->nusers == d->users.n && (*m)->nitems == d->items.n)
        return ST_OK;
    struct model *wide = model_widen(*m, d->users.n, d->items.n, err);
    if (!wide)
        return ST_NOMEM;
    model_release(*m);
    *m = wide;
    return ST_OK;
}

enum status split_adopt(const struct dataset *d, const struct split_spec *spec, uint64_t fingerprint,
                        struct split **out, struct error *err)
{
    const struct data_stage *s = fingerprint == d->fingerprint ? NULL : dataset_stage(d, fingerprint);
    struct dataset *early = NULL;
    struct split *split = NULL;
    if (!s)
        return split_new(d, spec, out, err);
    enum status st = dataset_at_stage(d, s, &early, err);
    if (!st)
        st = split_new(early, spec, &split, err);
    if (!st)
        st = split_carry(split, early, d, out, err);
    split_release(split);
    dataset_release(early);
    return st;
}

/* ---- stages of shaped data ----
 *
 * Those of a base are kept with it. What a recipe has made of them cannot be told without replaying it, so the stages
 * of shaped data that a model or the split belongs to are kept in a note. */

static const char stage_kind[] = "origin", stage_note[] = "stages";

static bool referred(const struct workbench *wb, uint64_t fingerprint)
{
    bool is = wb->split_of == fingerprint;
    for (size_t i = 0; i < wb->nmodels && !is; i++)
        is = wb->models[i]->record.data_fingerprint == fingerprint;
    return is;
}

static enum status keep_stages(struct workbench *wb, const struct dataset *shaped, struct error *err)
{
    struct str text = {0};
    for (size_t i = 0; i < shaped->nstages; i++) {
        const struct data_stage *s = &shaped->stages[i];
        if (referred(wb, s->fingerprint))
            str_printf(&text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
                       s->fingerprint, s->events, s->sequence, s->users, s->items, s->types);
    }
    enum status st = text.failed ? error_nomem(err, 256, "stages")
                                 : workspace_put_note(wb->space, shaped->name, stage_kind, stage_note, str_text(&text),
                                                      text.length, err);
    str_free(&text);
    return st;
}

enum status grow_recall_stages(struct workbench *wb, struct dataset *shaped, struct error *err)
{
    void *text = NULL;
    size_t n = 0, capacity = 0;
    enum status st = workspace_get_note(wb->space, shaped->name, stage_kind, stage_note, &text, &n, err);
    if (st)
        return st == ST_NOT_FOUND ? ST_OK : st;
    mem_free(shaped->stages);
    shaped->stages = NULL;
    shaped->nstages = 0;
    for (const char *at = text; *at && !st; at += strcspn(at, "\n") + 1) { /* a note is followed by a zero byte */
        struct data_stage s;
        if (sscanf(at, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNu32 " %" SCNu32, &s.fingerprint,
                   &s.events, &s.sequence, &s.users, &s.items, &s.types) != 6)
            break;
        if (s.users > shaped->users.n || s.items > shaped->items.n || s.types > shaped->types.n)
            continue; /* of a state in which others had these indices */
        st = mem_grow(&shaped->stages, &capacity, shaped->nstages + 1, sizeof s, err);
        if (!st)
            shaped->stages[shaped->nstages++] = s;
    }
    mem_free(text);
    return st;
}

/* What the open data were is a stage of what they become. */
static enum status add_stage(const struct dataset *open, const struct dataset *base, struct dataset *shaped,
                             struct error *err)
{
    struct data_stage *all = mem_new(open->nstages + 1, sizeof *all, "stages", err);
    if (!all)
        return ST_NOMEM;
    if (open->nstages)
        memcpy(all, open->stages, open->nstages * sizeof *all);
    all[open->nstages] = (struct data_stage){.fingerprint = open->fingerprint,
                                             .events = open->events.n,
                                             .sequence = base->stages[base->nstages - 1].sequence,
                                             .users = open->users.n,
                                             .items = open->items.n,
                                             .types = open->types.n};
    mem_free(shaped->stages);
    shaped->stages = all;
    shaped->nstages = open->nstages + 1;
    return ST_OK;
}

/* ---- growing ---- */

/* All that is published together; made before anything is kept, so that nothing can fail after. */
struct growth {
    struct dataset *base, *data; /* the same without a recipe */
    struct recipe *recipe;
    struct split *split;
    struct model **models;
    size_t nmodels;
    bool same; /* users and items kept their indices */
};

static void free_growth(struct growth *g)
{
    for (size_t i = 0; i < g->nmodels; i++)
        model_release(g->models[i]);
    mem_free(g->models);
    split_release(g->split);
    recipe_free(g->recipe);
    dataset_release(g->data);
    dataset_release(g->base);
}

static enum status prepare_data(struct workbench *wb, const struct dataset *open, const struct dataset *batch,
                                struct growth *g, struct error *err)
{
    struct dataset *base = NULL;
    enum status st = workbench_base(wb, &base, err);
    if (!st)
        st = dataset_grow(base, batch, &g->base, err);
    dataset_release(base);
    if (!st)
        st = workbench_reshape(wb, g->base, &g->recipe, &g->data, &g->same, err);
    return !st && g->data != g->base ? add_stage(open, g->base, g->data, err) : st;
}

/* The split as it was; where a recipe gave users and items other indices it is made anew, if it can be. */
static enum status prepare_split(struct workbench *wb, const struct dataset *open, struct growth *g, struct error *err)
{
    if (!wb->split)
        return ST_OK;
    if (g->same)
        return split_carry(wb->split, open, g->data, &g->split, err);
    if (wb->split->spec.list) /* it goes by those indices */
        return ST_OK;
    enum status st = split_new(g->data, &wb->split->spec, &g->split, err);
    return st == ST_NOMEM ? st : ST_OK;
}

static enum status prepare(struct workbench *wb, const struct dataset *open, const struct dataset *batch,
                           struct growth *g, struct error *err)
{
    enum status st = prepare_data(wb, open, batch, g, err);
    if (!st)
        st = prepare_split(wb, open, g, err);
    if (!st && !(g->models = mem_new(wb->nmodels, sizeof(struct model *), "a list of models", err)))
        st = ST_NOMEM;
    for (size_t i = 0; i < wb->nmodels && g->same && !st; i++) {
        g->models[g->nmodels++] = model_hold(wb->models[i]);
        st = model_adopt(g->data, &g->models[i], err);
    }
    return st;
}

/* Models that know other indices are of no use any more. */
static enum status drop_models(struct workbench *wb, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < wb->nmodels && (!st || st == ST_NOT_FOUND); i++) {
        char name[STORED_NAME_MAX];
        workbench_stored_name(wb, wb->models[i]->name, name);
        st = workspace_drop_model(wb->space, wb->data->name, name, err);
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static enum status keep(struct workbench *wb, const struct dataset *batch, const struct growth *g,
                        const struct origin_places *places, struct error *err)
{
    enum status st = workspace_append(wb->space, batch, g->base, &wb->job, err);
    if (!st)
        st = origin_keep_places(wb, g->base->name, places, err);
    if (!st && g->data != g->base)
        st = keep_stages(wb, g->data, err);
    return st || g->same ? st : drop_models(wb, err);
}

/* Swaps; what was published before is in g then. */
static void publish(struct workbench *wb, struct growth *g)
{
    struct growth old = {.base = g->base,
                         .data = wb->data,
                         .recipe = wb->recipe,
                         .split = wb->split,
                         .models = g->models,
                         .nmodels = wb->nmodels};
    pthread_mutex_lock(&wb->lock);
    wb->data = g->data;
    wb->recipe = g->recipe;
    wb->split = g->split;
    wb->nmodels = g->nmodels;
    for (size_t i = 0; i < old.nmodels; i++) {
        struct model *m = wb->models[i];
        wb->models[i] = g->models[i];
        old.models[i] = m;
    }
    wb->generation++;
    pthread_mutex_unlock(&wb->lock);
    *g = old;
}

/* With other indices, what the session remembers is found again by its id, or forgotten. */
static void find_again(struct workbench *wb, const struct dataset *before)
{
    pthread_mutex_lock(&wb->lock);
    if (wb->user < before->users.n)
        wb->user = dict_find_text(&wb->data->users, dict_text(&before->users, wb->user));
    wb->nlast_list = wb->nmade_up = 0;
    pthread_mutex_unlock(&wb->lock);
}

enum status workbench_append(struct workbench *wb, const struct dataset *batch, const struct origin_places *places,
                             struct error *err)
{
    struct growth g = {0};
    struct dataset *open = workbench_data(wb);
    enum status st = prepare(wb, open, batch, &g, err);
    if (!st)
        st = workspace_begin(wb->space, err);
    if (!st)
        st = workspace_end(wb->space, keep(wb, batch, &g, places, err), err);
    if (!st) {
        bool same = g.same;
        publish(wb, &g);
        if (!same)
            find_again(wb, open);
    }
    workspace_unstage_rejects(wb->space);
    free_growth(&g);
    dataset_release(open);
    return st;
}

void workbench_fold(struct workbench *wb, const struct dataset *base, bool always)
{
    if (base->nstages && !wb->readonly && workspace_fold(wb->space, base, always, &wb->job, NULL))
        job_begin(&wb->job, 0, "", "opening %s", base->name); /* no room, say: it is as good unfolded */
}
