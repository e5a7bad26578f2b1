/* A model as a blob, and back: a run of blob sections:
 *
 *   model    text   "tailor model 4": the version of this layout
 *   class    text   "ease"
 *   name     text   "ease.2"
 *   nparams  u64    1; then twice as many texts: param (its name), value (as typed)
 *   given    u8     nparams: said by the user?
 *   counts   u64    users, items, data fingerprint, split fingerprint, seed, epochs, events, users and items with
 * events, bytes times    i64    trained until, created seconds  f64    training took, and the measured closeness of
 * folding in (NaN: none) kernel   text curve    f64    epochs ended    u64    how training ended, the epoch that is
 * kept, epochs there were to be metric   text   of the validation; "" watched  f64    its value an epoch: epochs or 0
 *   parts    i64    of an ensemble: when each of its models was made; then as many texts: part (its name)
 *
 * then what the class itself writes, and behind it, since version 4:
 *
 *   departs  u64    model_record
 *   paused   u8     what class->pause wrote, for a training that can go on; 0 else */
#include "models/driver.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const char layout[] = "tailor model 4", layout_unpaused[] = "tailor model 3";

enum { NAME_MAX_BYTES = 256, VALUE_MAX_BYTES = 1 << 16, EPOCHS_MAX = 1 << 20, PARAMS_MAX = 256, NPARTS_MAX = 64 };
enum { COUNT_USERS, COUNT_ITEMS, COUNT_DATA, COUNT_SPLIT, COUNT_SEED, COUNT_EPOCHS, COUNT_EVENTS, COUNT_SEEN_USERS,
       COUNT_SEEN_ITEMS, COUNT_BYTES, COUNTS };

static enum status save_params(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct model_class *class = m->class;
    uint8_t given[PARAMS_MAX] = {0};
    uint64_t n = 0;
    for (size_t i = 0; i < class->nparams; i++)
        if (m->values[i].present)
            given[n++] = m->values[i].given;
    enum status st = blob_put(w, "nparams", BLOB_U64, &n, 1, err);
    for (size_t i = 0; i < class->nparams && !st; i++) {
        if (!m->values[i].present)
            continue;
        st = blob_put_text(w, "param", class->params[i].name, err);
        if (!st)
            st = blob_put_text(w, "value", m->values[i].text, err);
    }
    return st ? st : blob_put(w, "given", BLOB_U8, given, n, err);
}

static enum status save_record(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct model_record *r = &m->record;
    uint64_t counts[COUNTS] = {
        [COUNT_USERS] = m->nusers, [COUNT_ITEMS] = m->nitems, [COUNT_DATA] = r->data_fingerprint,
        [COUNT_SPLIT] = r->split_fingerprint, [COUNT_SEED] = r->seed, [COUNT_EPOCHS] = r->epochs,
        [COUNT_EVENTS] = r->events, [COUNT_SEEN_USERS] = r->users, [COUNT_SEEN_ITEMS] = r->items,
        [COUNT_BYTES] = r->bytes};
    int64_t times[2] = {r->trained_until, r->created};
    double seconds[2] = {r->seconds, r->fold_in};
    enum status st = blob_put(w, "counts", BLOB_U64, counts, COUNTS, err);
    if (!st)
        st = blob_put(w, "times", BLOB_I64, times, 2, err);
    if (!st)
        st = blob_put(w, "seconds", BLOB_F64, seconds, 2, err);
    if (!st)
        st = blob_put_text(w, "kernel", r->kernel, err);
    if (!st)
        st = blob_put(w, "curve", BLOB_F64, r->curve, r->epochs, err);
    uint64_t ended[3] = {r->ended, r->kept, r->planned};
    if (!st)
        st = blob_put(w, "ended", BLOB_U64, ended, 3, err);
    if (!st)
        st = blob_put_text(w, "metric", r->metric, err);
    return st ? st : blob_put(w, "watched", BLOB_F64, r->watched, r->watched ? r->epochs : 0, err);
}

static enum status save_parts(const struct model *m, struct blob_writer *w, struct error *err)
{
    int64_t created[NPARTS_MAX];
    if (!(m->class->capabilities & OF_MODELS))
        return ST_OK;
    for (size_t i = 0; i < m->nparts; i++)
        created[i] = m->parts[i].created;
    enum status st = blob_put(w, "parts", BLOB_I64, created, m->nparts, err);
    for (size_t i = 0; i < m->nparts && !st; i++)
        st = blob_put_text(w, "part", m->parts[i].name, err);
    return st;
}

enum status model_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    m = model_trained(m);
    enum status st = blob_put_text(w, "model", layout, err);
    if (!st)
        st = blob_put_text(w, "class", m->class->name, err);
    if (!st)
        st = blob_put_text(w, "name", m->name, err);
    if (!st)
        st = save_params(m, w, err);
    if (!st)
        st = save_record(m, w, err);
    if (!st)
        st = save_parts(m, w, err);
    if (!st)
        st = m->class->save(m, w, err);
    uint64_t departs = m->record.departs;
    if (!st)
        st = blob_put(w, "departs", BLOB_U64, &departs, 1, err);
    return st ? st : blob_put(w, "paused", BLOB_U8, m->paused.bytes, m->paused.n, err);
}

/* One parameter of the file into values[]; a parameter this version does not have makes the model unreadable. */
static enum status load_param(const struct model_class *class, struct blob_reader *r, struct param_value *values,
                              size_t *index, struct error *err)
{
    char *name = NULL, *text = NULL;
    enum status st = blob_get_text(r, "param", NAME_MAX_BYTES, &name, err);
    if (!st)
        st = blob_get_text(r, "value", VALUE_MAX_BYTES, &text, err);
    if (st)
        goto out;
    *index = param_index(class->params, class->nparams, name);
    if (*index == class->nparams)
        st = error_set(err, ST_UNSUPPORTED, "the saved %s has a parameter %s that this version does not know",
                       class->name, name);
    else
        st = param_parse(&class->params[*index], text, &values[*index], err);
out:
    mem_free(name);
    mem_free(text);
    return st;
}

static enum status load_params(const struct model_class *class, struct blob_reader *r, struct param_value *values,
                               struct error *err)
{
    uint64_t n = 0;
    uint8_t given[PARAMS_MAX];
    size_t index[PARAMS_MAX];
    enum status st = blob_get(r, "nparams", BLOB_U64, &n, 1, err);
    if (st)
        return st;
    if (n > PARAMS_MAX)
        return error_set(err, ST_CORRUPT, "the saved %s claims %llu parameters", class->name, (unsigned long long)n);
    for (uint64_t i = 0; i < n && !st; i++)
        st = load_param(class, r, values, &index[i], err);
    if (!st)
        st = blob_get(r, "given", BLOB_U8, given, n, err);
    for (uint64_t i = 0; i < n && !st; i++)
        values[index[i]].given = given[i];
    /* A parameter that came after the model was saved takes its default. */
    for (size_t i = 0; i < class->nparams && !st; i++)
        if (class->params[i].initial && !values[i].present)
            st = param_parse(&class->params[i], class->params[i].initial, &values[i], err);
    return st;
}

static enum status load_ended(struct model *m, struct blob_reader *r, struct error *err)
{
    struct model_record *record = &m->record;
    uint64_t ended[3];
    char *metric = NULL;
    void *watched = NULL;
    size_t n = 0;
    enum status st = blob_get(r, "ended", BLOB_U64, ended, 3, err);
    if (!st)
        st = blob_get_text(r, "metric", sizeof record->metric - 1, &metric, err);
    if (!st)
        st = blob_get_new(r, "watched", BLOB_F64, EPOCHS_MAX, &watched, &n, err);
    if (!st && ((n && n != record->epochs) || ended[0] >= TRAIN_ENDS || ended[1] > record->epochs))
        st = error_set(err, ST_CORRUPT, "model %s: how its training ended does not fit its record", m->name);
    if (!st) {
        record->ended = (enum train_end)ended[0];
        record->kept = (size_t)ended[1];
        record->planned = (size_t)ended[2];
        snprintf(record->metric, sizeof record->metric, "%s", metric);
    }
    mem_free(metric);
    if (st || !n)
        mem_free(watched);
    else
        record->watched = watched;
    return st;
}

static enum status load_record(struct model *m, const uint64_t *counts, struct blob_reader *r, struct error *err)
{
    struct model_record *record = &m->record;
    int64_t times[2];
    double seconds[2];
    char *kernel = NULL;
    void *curve = NULL;
    size_t epochs = 0;
    enum status st = blob_get(r, "times", BLOB_I64, times, 2, err);
    if (!st)
        st = blob_get(r, "seconds", BLOB_F64, seconds, 2, err);
    if (!st)
        st = blob_get_text(r, "kernel", NAME_MAX_BYTES, &kernel, err);
    if (!st)
        st = blob_get_new(r, "curve", BLOB_F64, EPOCHS_MAX, &curve, &epochs, err);
    if (!st && epochs != counts[COUNT_EPOCHS])
        st = error_set(err, ST_CORRUPT, "model %s: its learning curve does not fit its record", m->name);
    record->curve = curve;
    if (!st) {
        record->data_fingerprint = counts[COUNT_DATA];
        record->split_fingerprint = counts[COUNT_SPLIT];
        record->seed = counts[COUNT_SEED];
        record->seconds = seconds[0];
        record->fold_in = seconds[1];
        record->epochs = epochs;
        record->events = counts[COUNT_EVENTS];
        record->users = counts[COUNT_SEEN_USERS];
        record->items = counts[COUNT_SEEN_ITEMS];
        record->bytes = counts[COUNT_BYTES];
        record->trained_until = times[0];
        record->created = times[1];
        memcpy(record->kernel, kernel, strnlen(kernel, sizeof record->kernel - 1));
    }
    mem_free(kernel);
    return st;
}

static enum status load_parts(struct model *m, struct blob_reader *r, struct error *err)
{
    void *created = NULL;
    size_t n = 0;
    if (!(m->class->capabilities & OF_MODELS))
        return ST_OK;
    enum status st = blob_get_new(r, "parts", BLOB_I64, NPARTS_MAX, &created, &n, err);
    if (!st && !(m->parts = mem_new(n, sizeof *m->parts, "the models of an ensemble", err)))
        st = ST_NOMEM;
    for (; m->nparts < n && !st; m->nparts += !st) {
        m->parts[m->nparts].created = ((const int64_t *)created)[m->nparts];
        st = blob_get_text(r, "part", NAME_MAX_BYTES, &m->parts[m->nparts].name, err);
    }
    mem_free(created);
    return st;
}

/* How its training goes on. */
static enum status load_paused(struct model *m, struct blob_reader *r, struct error *err)
{
    enum { BYTES_A_USER = 4096, BYTES_ELSE = 4096 };
    uint64_t departs;
    void *bytes = NULL;
    enum status st = blob_get(r, "departs", BLOB_U64, &departs, 1, err);
    if (!st)
        st = blob_get_new(r, "paused", BLOB_U8, m->nusers * BYTES_A_USER + BYTES_ELSE, &bytes, &m->paused.n, err);
    if (!st && departs > m->record.epochs)
        st = error_set(err, ST_CORRUPT, "model %s: how its training was gone on with does not fit its record", m->name);
    if (!st)
        m->record.departs = (size_t)departs;
    m->paused.bytes = bytes;
    m->paused.capacity = m->paused.n;
    return st;
}

static enum status load_class(struct blob_reader *r, bool *pauses, const struct model_class **class, struct error *err)
{
    char *version = NULL, *name = NULL;
    enum status st = blob_get_text(r, "model", NAME_MAX_BYTES, &version, err);
    *pauses = !st && strcmp(version, layout) == 0;
    if (!st && !*pauses && strcmp(version, layout_unpaused) != 0)
        st = error_set(err, ST_UNSUPPORTED, "this is not a model of this version (\"%s\"; \"%s\" expected)", version,
                       layout);
    if (!st)
        st = blob_get_text(r, "class", NAME_MAX_BYTES, &name, err);
    if (!st && !(*class = model_class_find(name)))
        st = error_set(err, ST_UNSUPPORTED, "this build has no model class \"%s\"", name);
    mem_free(version);
    mem_free(name);
    return st;
}

enum status model_load(struct blob_reader *r, struct model **out, struct error *err)
{
    const struct model_class *class = NULL;
    struct param_value *values = NULL;
    struct model *m = NULL;
    char *name = NULL;
    uint64_t counts[COUNTS];
    bool pauses = false;
    enum status st = load_class(r, &pauses, &class, err);
    if (!st)
        st = blob_get_text(r, "name", NAME_MAX_BYTES, &name, err);
    if (st)
        goto out;
    values = mem_new(class->nparams, sizeof *values, "model parameters", err);
    st = values ? load_params(class, r, values, err) : ST_NOMEM;
    if (!st)
        st = blob_get(r, "counts", BLOB_U64, counts, COUNTS, err);
    if (!st && (counts[COUNT_USERS] >= NO_USER || counts[COUNT_ITEMS] >= NO_ITEM))
        st = error_set(err, ST_CORRUPT, "model %s claims more users or items than there can be", name);
    if (st)
        goto out;
    m = model_new(class, name, values, (size_t)counts[COUNT_USERS], (size_t)counts[COUNT_ITEMS], err);
    st = m ? load_record(m, counts, r, err) : ST_NOMEM;
    if (!st)
        st = load_ended(m, r, err);
    if (!st)
        st = load_parts(m, r, err);
    if (!st)
        st = class->load(m, r, err);
    if (!st && pauses)
        st = load_paused(m, r, err);
out:
    if (values)
        param_values_free(values, class->nparams);
    mem_free(values);
    mem_free(name);
    if (st)
        model_release(m);
    else
        *out = m;
    return st;
}
