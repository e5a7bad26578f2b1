/* What a model is made of: its life, its parts, its parameters. */
#include "models/model.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

struct model *model_new(const struct model_class *class, const char *name, const struct param_value *values,
                        size_t nusers, size_t nitems, struct error *err)
{
    struct model *m = mem_new(1, sizeof *m, "a model", err);
    if (!m)
        return NULL;
    atomic_init(&m->references, 1);
    m->class = class;
    m->nusers = nusers;
    m->nitems = nitems;
    m->record.trained_until = NO_TIME;
    m->record.fold_in = NAN;
    m->name = mem_strdup(name, err);
    m->values = mem_new(class->nparams, sizeof *m->values, "model parameters", err);
    if (!m->name || !m->values)
        goto fail;
    for (size_t i = 0; i < class->nparams; i++) {
        m->values[i] = values[i];
        m->values[i].text = NULL;
    }
    for (size_t i = 0; i < class->nparams; i++) {
        if (!values[i].text)
            continue;
        m->values[i].text = mem_strdup(values[i].text, err);
        if (!m->values[i].text)
            goto fail;
    }
    return m;
fail:
    model_release(m);
    return NULL;
}

struct model *model_hold(struct model *m)
{
    if (m)
        atomic_fetch_add(&m->references, 1);
    return m;
}

void model_release(struct model *m)
{
    if (!m || atomic_fetch_sub(&m->references, 1) > 1)
        return;
    if (m->state)
        m->class->free(m);
    if (m->values)
        param_values_free(m->values, m->class->nparams);
    mem_free(m->values);
    if (!m->trained) {
        mem_free(m->record.curve);
        mem_free(m->record.watched);
    }
    model_release(m->trained);
    for (size_t i = 0; i < m->nparts; i++) {
        mem_free(m->parts[i].name);
        model_release(m->parts[i].model);
    }
    snapshot_clear(&m->paused);
    user_vectors_clear(&m->users);
    mem_free(m->parts);
    mem_free(m->later);
    mem_free(m->name);
    mem_free(m);
}

void model_forget(struct model *m, uint8_t *later)
{
    mem_free(m->later);
    m->later = later;
}

enum status model_set_parts(struct model *m, struct model *const *models, size_t n, struct error *err)
{
    m->parts = mem_new(n, sizeof *m->parts, "the models of an ensemble", err);
    if (!m->parts)
        return ST_NOMEM;
    for (; m->nparts < n; m->nparts++) {
        struct model_part *part = &m->parts[m->nparts];
        part->name = mem_strdup(models[m->nparts]->name, err);
        if (!part->name)
            return ST_NOMEM;
        part->created = models[m->nparts]->record.created;
        part->model = model_hold(models[m->nparts]);
    }
    return ST_OK;
}

bool model_is_part(const struct model *m, size_t i, const struct model *part)
{
    return m->parts[i].created == part->record.created && strcmp(m->parts[i].name, part->name) == 0;
}

enum status model_attach(struct model *m, size_t i, struct model *part, struct error *err)
{
    struct model *trained = part->trained ? part->trained : part;
    bool fits = trained->nitems == m->nitems;
    if (trained->nitems > m->nitems)
        return error_set(err, ST_STATE, "%s knows more items than %s, which is made of it", part->name, m->name);
    m->parts[i].model = fits ? model_hold(trained) : model_widen(trained, m->nusers, m->nitems, err);
    return m->parts[i].model ? ST_OK : ST_NOMEM;
}

struct model *model_widen(struct model *m, size_t nusers, size_t nitems, struct error *err)
{
    struct model *trained = m->trained ? m->trained : m;
    struct model *wide = model_new(m->class, m->name, m->values, nusers, nitems, err);
    if (!wide)
        return NULL;
    wide->trained = model_hold(trained);
    wide->record = trained->record;
    return wide;
}

const struct model *model_trained(const struct model *m)
{
    return m->trained ? m->trained : m;
}

/* ---- parameters ---- */

void values_describe(const struct model_class *class, const struct param_value *values, bool only_given,
                     struct str *out)
{
    const char *gap = "";
    for (size_t i = 0; i < class->nparams; i++) {
        const struct param_value *v = &values[i];
        if (!v->present || (only_given && !v->given) ||
            !param_matters(class->params, class->nparams, i, param_value_text, values))
            continue;
        str_printf(out, "%s%s=%s", gap, class->params[i].name, v->text);
        gap = " ";
    }
}

void model_describe(const struct model *m, bool only_given, struct str *out)
{
    const struct model *trained = model_trained(m);
    for (size_t i = 0; i < trained->nparts; i++)
        str_printf(out, "%s%s", i ? " " : "with ", trained->parts[i].name);
    struct str values = {0};
    values_describe(m->class, m->values, only_given, &values);
    str_printf(out, "%s%s", trained->nparts && values.length ? " " : "", str_text(&values));
    out->failed |= values.failed;
    str_free(&values);
}

size_t model_epochs(const struct model *m)
{
    return m->record.kept ? m->record.kept : m->record.epochs;
}

uint64_t model_bytes(const struct model *m)
{
    const struct model *trained = model_trained(m);
    uint64_t bytes = trained->record.bytes + trained->paused.n;
    for (size_t i = 0; i < trained->nparts; i++)
        bytes += trained->parts[i].model ? model_bytes(trained->parts[i].model) : 0;
    return bytes;
}

uint64_t model_vectors_bytes(const struct model *m)
{
    const struct model *trained = model_trained(m);
    uint64_t bytes = user_vectors_bytes(&trained->users);
    for (size_t i = 0; i < trained->nparts; i++)
        bytes += trained->parts[i].model ? model_vectors_bytes(trained->parts[i].model) : 0;
    return bytes;
}

static const struct param_value *value_of(const struct model *m, const char *param, enum param_type *type)
{
    size_t i = param_index(m->class->params, m->class->nparams, param);
    *type = m->class->params[i].type;
    return &m->values[i];
}

double model_real(const struct model *m, const char *param)
{
    enum param_type type;
    const struct param_value *v = value_of(m, param, &type);
    return type == PARAM_REAL || type == PARAM_PERCENT ? v->real : (double)v->integer;
}

int64_t model_int(const struct model *m, const char *param)
{
    enum param_type type;
    const struct param_value *v = value_of(m, param, &type);
    return type == PARAM_BOOL ? v->yes : v->integer;
}

const char *model_text(const struct model *m, const char *param)
{
    enum param_type type;
    return value_of(m, param, &type)->text;
}

bool model_has(const struct model *m, const char *param)
{
    enum param_type type;
    return value_of(m, param, &type)->present;
}
