/* What the next session finds as it was left: which data set is open, and which models `use` has chosen. Both are notes
 * of the workspace: the name of the data set belongs to no data set, the names of the models stand one a line. A
 * read-only workspace keeps nothing, and what is not there any more is passed over. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/grow.h"
#include "commands/origin.h"
#include "commands/recipe.h"

static const char open_kind[] = "open", used_kind[] = "used", note_name[] = "current";

/* The note as text, or NULL when there is none. */
static enum status read_text(struct workbench *wb, const char *dataset, const char *kind, char **out, struct error *err)
{
    void *bytes = NULL;
    size_t n = 0;
    *out = NULL;
    enum status st = workspace_get_note(wb->space, dataset, kind, note_name, &bytes, &n, err);
    if (st)
        return st == ST_NOT_FOUND ? ST_OK : st;
    *out = mem_strndup(bytes, n, err);
    mem_free(bytes);
    return *out ? ST_OK : ST_NOMEM;
}

enum status workbench_last_open(struct workbench *wb, char **name, struct error *err)
{
    return read_text(wb, NULL, open_kind, name, err);
}

/* Writes only when it is another one: opening a workspace changes nothing in it. */
enum status workbench_keep_open(struct workbench *wb, struct error *err)
{
    char *last = NULL;
    if (!wb->data || wb->readonly)
        return ST_OK;
    const char *name = wb->data->name;
    enum status st = workbench_last_open(wb, &last, err);
    if (!st && (!last || strcmp(last, name) != 0))
        st = workspace_put_note(wb->space, NULL, open_kind, note_name, name, strlen(name), err);
    mem_free(last);
    return st;
}

static enum status forget(struct workbench *wb, const char *dataset, const char *kind, struct error *err)
{
    enum status st = workspace_drop_note(wb->space, dataset, kind, note_name, err);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static enum status put_fresh(struct workbench *wb, const struct dataset *d, const struct recipe *r, bool replace,
                             const struct origin *from, struct error *err)
{
    enum status st = workspace_put_dataset(wb->space, d, replace, &wb->job, err);
    if (!st)
        st = recipe_save(wb->space, d->name, r, err);
    if (!st)
        st = workbench_forget_split(wb, d->name, err);
    if (!st)
        st = forget(wb, d->name, used_kind, err);
    if (!st && from)
        st = origin_keep(wb, d->name, from, err);
    return st ? st : workspace_put_note(wb->space, NULL, open_kind, note_name, d->name, strlen(d->name), err);
}

enum status workbench_keep_shaped(struct workbench *wb, struct dataset *base, struct recipe *r, bool replace,
                                  const struct origin *from, struct error *err)
{
    struct dataset *d = NULL;
    enum status st = r ? recipe_replay(r, 0, base, &wb->job, &d, err) : ST_NOMEM;
    if (!st)
        st = workspace_begin(wb->space, err);
    if (!st)
        st = workspace_end(wb->space, put_fresh(wb, base, r, replace, from, err), err);
    dataset_release(base);
    if (st) {
        workspace_unstage_rejects(wb->space);
        dataset_release(d);
        recipe_free(r);
    } else {
        workbench_set_shaped(wb, d, r);
    }
    return st;
}

enum status workbench_keep_data(struct workbench *wb, struct dataset *d, bool replace, struct error *err)
{
    return workbench_keep_shaped(wb, d, recipe_copy(NULL, 0, err), replace, NULL, err);
}

/* ---- the recipe ---- */

enum status workbench_recipe(struct workbench *wb, struct recipe **out, struct error *err)
{
    pthread_mutex_lock(&wb->lock);
    *out = recipe_copy(wb->recipe, SIZE_MAX, err);
    pthread_mutex_unlock(&wb->lock);
    return *out ? ST_OK : ST_NOMEM;
}

enum status workbench_base(struct workbench *wb, struct dataset **out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    if (!d)
        return error_set(err, ST_STATE, "no data set is open");
    pthread_mutex_lock(&wb->lock);
    bool shaped = wb->recipe && wb->recipe->n;
    pthread_mutex_unlock(&wb->lock);
    if (!shaped) {
        *out = d;
        return ST_OK;
    }
    enum status st = workspace_get_dataset(wb->space, d->name, out, &wb->job, err);
    dataset_release(d);
    return st;
}

/* Large models are in memory only until `save`. What cannot come back is not let go without a word. */
static enum status check_unkept(struct workbench *wb, struct error *err)
{
    struct str names = {0};
    enum status st = workbench_memory_models(wb, &names, err);
    if (!st && names.length) {
        st = error_set(err, ST_STATE, "in memory only, so they would be lost: %s", str_text(&names));
        error_hint(err, "`save FILE` keeps models of this size, `drop NAME` lets go of one");
    }
    str_free(&names);
    return st;
}

enum status workbench_set_recipe(struct workbench *wb, struct recipe *r, struct dataset *shaped, struct error *err)
{
    char *user = NULL;
    enum status st = check_unkept(wb, err);
    if (!st && wb->user < wb->data->users.n && !(user = mem_strdup(dict_text(&wb->data->users, wb->user), err)))
        st = ST_NOMEM;
    if (!st)
        st = recipe_save(wb->space, wb->data->name, r, err);
    if (!st && r->n)
        st = grow_recall_stages(wb, shaped, err);
    if (st) {
        recipe_free(r);
        dataset_release(shaped);
        mem_free(user);
        return st;
    }
    workbench_set_shaped(wb, shaped, r);
    if (user)
        wb->user = dict_find_text(&wb->data->users, user); /* NO_CODE is NO_USER: the one who was looked at is gone */
    mem_free(user);
    return workbench_restore(wb, err);
}

static bool begins_with(const struct dict *d, const struct dict *old)
{
    return d->n >= old->n && d->nbytes >= old->nbytes && (!old->n || memcmp(d->bytes, old->bytes, old->nbytes) == 0);
}

enum status workbench_reshape(struct workbench *wb, struct dataset *base, struct recipe **recipe, struct dataset **out,
                              bool *same, struct error *err)
{
    struct recipe *r = NULL;
    struct dataset *old = workbench_data(wb);
    enum status st = workbench_recipe(wb, &r, err);
    if (!st)
        st = recipe_replay(r, 0, base, &wb->job, out, err);
    if (st) {
        recipe_free(r);
    } else {
        *recipe = r;
        *same = old && begins_with(&(*out)->users, &old->users) && begins_with(&(*out)->items, &old->items) &&
                begins_with(&(*out)->types, &old->types);
    }
    dataset_release(old);
    return st;
}

/* ---- chosen models ---- */

/* Takes over names[0..n). */
static void choose(struct workbench *wb, char **names, size_t n)
{
    pthread_mutex_lock(&wb->lock);
    char **old = wb->used;
    size_t nold = wb->nused;
    wb->used = names;
    wb->nused = wb->used_capacity = n;
    wb->generation++;
    pthread_mutex_unlock(&wb->lock);
    for (size_t i = 0; i < nold; i++)
        mem_free(old[i]);
    mem_free(old);
}

enum status workbench_keep_used(struct workbench *wb, struct error *err)
{
    if (!wb->data || wb->readonly)
        return ST_OK;
    if (!wb->nused)
        return forget(wb, wb->data->name, used_kind, err);
    struct str text = {0};
    for (size_t i = 0; i < wb->nused; i++)
        str_printf(&text, "%s\n", wb->used[i]);
    enum status st = text.failed ? error_nomem(err, 128, "the chosen models")
                                 : workspace_put_note(wb->space, wb->data->name, used_kind, note_name, str_text(&text),
                                                      text.length, err);
    str_free(&text);
    return st;
}

enum status workbench_use(struct workbench *wb, char **names, size_t n, struct error *err)
{
    choose(wb, names, n);
    return workbench_keep_used(wb, err);
}

enum status workbench_restore_used(struct workbench *wb, struct error *err)
{
    char *text = NULL, *rest = NULL, **names = NULL;
    size_t n = 0;
    enum status st = read_text(wb, wb->data->name, used_kind, &text, err);
    if (st || !text || !wb->nmodels)
        goto out;
    if (!(names = mem_new(wb->nmodels, sizeof *names, "names of models", err))) {
        st = ST_NOMEM;
        goto out;
    }
    for (char *name = strtok_r(text, "\n", &rest); name && n < wb->nmodels && !st; name = strtok_r(NULL, "\n", &rest)) {
        struct model *m = workbench_model(wb, name);
        if (m && !(names[n++] = mem_strdup(name, err))) {
            n--;
            st = ST_NOMEM;
        }
        model_release(m);
    }
    if (!st) {
        choose(wb, names, n);
        names = NULL;
    }
out:
    for (size_t i = 0; names && i < n; i++)
        mem_free(names[i]);
    mem_free(names);
    mem_free(text);
    return st;
}
