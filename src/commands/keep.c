/* What the next session finds as it was left: which data set is open, and which models `use` has chosen. Both are notes
 * of the workspace: the name of the data set belongs to no data set, the names of the models stand one a line. A
 * read-only workspace keeps nothing, and what is not there any more is passed over. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/workbench.h"

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

static enum status put_fresh(struct workbench *wb, const struct dataset *d, bool replace, struct error *err)
{
    enum status st = workspace_put_dataset(wb->space, d, replace, &wb->job, err);
    if (!st)
        st = forget(wb, d->name, "split", err);
    if (!st)
        st = forget(wb, d->name, used_kind, err);
    return st ? st : workspace_put_note(wb->space, NULL, open_kind, note_name, d->name, strlen(d->name), err);
}

enum status workbench_keep_data(struct workbench *wb, struct dataset *d, bool replace, struct error *err)
{
    enum status st = workspace_begin(wb->space, err);
    if (!st)
        st = workspace_end(wb->space, put_fresh(wb, d, replace, err), err);
    if (st) {
        workspace_unstage_rejects(wb->space);
        dataset_release(d);
    } else {
        workbench_set_data(wb, d);
    }
    return st;
}

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
                                 : workspace_put_note(wb->space, wb->data->name, used_kind, note_name, str_text(&text), text.length, err);
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
