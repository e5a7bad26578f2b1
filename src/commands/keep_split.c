/* How the split is kept: what was asked for, in words, and of which state of the data; the parts are computed anew.
 * Rows that files gave are a note of their own, since the files may be gone. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/grow.h"
#include "data/grow.h"

static const char kind[] = "split", current[] = "current", list_note[] = "list";
static const char split_of[] = "\nof ";

static enum status drop(struct workbench *wb, const char *dataset, const char *name, struct error *err)
{
    enum status st = workspace_drop_note(wb->space, dataset, kind, name, err);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status workbench_forget_split(struct workbench *wb, const char *dataset, struct error *err)
{
    enum status st = drop(wb, dataset, current, err);
    return st ? st : drop(wb, dataset, list_note, err);
}

static enum status put(struct workbench *wb, const char *name, const struct str *text, struct error *err)
{
    return text->failed ? error_nomem(err, text->length, "the split")
                        : workspace_put_note(wb->space, wb->data->name, kind, name, str_text(text), text->length, err);
}

static enum status put_split(struct workbench *wb, struct error *err)
{
    const struct split_spec *spec = &wb->split->spec;
    struct str text = {0}, list = {0};
    split_spec_write(spec, &text);
    str_printf(&text, "%s%llx", split_of, (unsigned long long)wb->split_of);
    if (spec->list)
        split_list_write(spec->list, &list);
    enum status st = put(wb, current, &text, err);
    if (!st)
        st = spec->list ? put(wb, list_note, &list, err) : drop(wb, wb->data->name, list_note, err);
    str_free(&text);
    str_free(&list);
    return st;
}

enum status workbench_keep_split(struct workbench *wb, struct error *err)
{
    if (!wb->data || wb->readonly)
        return ST_OK;
    enum status st = workspace_begin(wb->space, err);
    if (st)
        return st;
    st = wb->split ? put_split(wb, err) : workbench_forget_split(wb, wb->data->name, err);
    return workspace_end(wb->space, st, err);
}

/* *out stays NULL when there is none. */
static enum status read_list(struct workbench *wb, const char *dataset, struct split_list **out, struct error *err)
{
    void *bytes;
    size_t n;
    enum status st = workspace_get_note(wb->space, dataset, kind, list_note, &bytes, &n, err);
    if (st)
        return st == ST_NOT_FOUND ? ST_OK : st;
    st = split_list_read(bytes, n, out, err);
    mem_free(bytes);
    return st;
}

static enum status read_spec(struct workbench *wb, const struct dataset *d, struct split_spec *spec,
                             unsigned long long *fingerprint, struct error *err)
{
    void *bytes;
    size_t n;
    enum status st = workspace_get_note(wb->space, d->name, kind, current, &bytes, &n, err);
    if (st)
        return st;
    char *text = mem_strndup(bytes, n, err);
    mem_free(bytes);
    if (!text)
        return ST_NOMEM;
    char *of = strstr(text, split_of);
    *fingerprint = d->fingerprint;
    if (of && sscanf(of + strlen(split_of), "%llx", fingerprint) == 1)
        *of = 0;
    st = split_spec_read(text, spec, err);
    mem_free(text);
    return st ? st : read_list(wb, d->name, &spec->list, err);
}

enum status workbench_recall_split(struct workbench *wb, struct dataset *d, struct error *err)
{
    struct split_spec spec;
    struct split *split = NULL;
    unsigned long long fingerprint;
    enum status st = read_spec(wb, d, &spec, &fingerprint, err);
    if (st)
        return st == ST_NOT_FOUND ? ST_OK : st;
    /* The rows of a list name users and items by the indices of that state. */
    if (!spec.list || fingerprint == d->fingerprint || dataset_stage(d, fingerprint))
        st = split_adopt(d, &spec, fingerprint, &split, err);
    split_list_release(spec.list);
    if (st || !split)
        return st;
    workbench_set_split(wb, split);
    if (dataset_stage(d, fingerprint))
        wb->split_of = fingerprint;
    return ST_OK;
}
