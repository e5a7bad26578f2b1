/* What training takes of the memory there is: refused when it is too much, said when it is a good deal. */
#include "base/mem.h"
#include "linalg/dense.h"
#include "models/driver.h"

/* From here on, or from a quarter of what is free, people are told before it is taken. */
static const size_t SIZEABLE = (size_t)1 << 30;

enum status model_needs(const struct model_class *class, const struct param_value *values, const struct interactions *x,
                        size_t *bytes, struct error *err)
{
    *bytes = 0;
    if (!class->check)
        return ST_OK;
    struct model *m = model_new(class, class->name, values, x->matrix.rows, x->matrix.cols, err);
    if (!m)
        return ST_NOMEM;
    struct training t = {.interactions = x};
    enum status st = class->check(m, &t, bytes, err);
    model_release(m);
    return st;
}

/* The sibling of the class, when it needs no more than `most`, and what it needs; else NULL. */
static const struct model_class *cheaper(const struct model_class *class, const struct interactions *x, size_t most,
                                         char need[32])
{
    const struct model_class *sibling = class->sibling ? model_class_find(class->sibling) : NULL;
    struct param_value *values = sibling ? mem_new(sibling->nparams, sizeof *values, "model parameters", NULL) : NULL;
    size_t bytes = 0;
    bool fits = values && !param_defaults(sibling->params, sibling->nparams, values, NULL) &&
                !model_needs(sibling, values, x, &bytes, NULL) && bytes && bytes <= most;
    text_bytes(need, 32, (double)bytes);
    if (values)
        param_values_free(values, sibling->nparams);
    mem_free(values);
    return fits ? sibling : NULL;
}

static enum status check_memory(const struct model *m, const struct interactions *x, size_t bytes, struct error *err)
{
    size_t there = mem_available();
    if (bytes <= there)
        return ST_OK;
    char need[32], have[32], items[32], users[32], less[32];
    text_bytes(need, sizeof need, (double)bytes);
    text_bytes(have, sizeof have, (double)there);
    text_count(users, sizeof users, (int64_t)m->nusers);
    text_count(items, sizeof items, (int64_t)m->nitems);
    error_set(err, ST_NOMEM, "%s on %s users and %s items needs %s; there are %s free", m->class->name, users, items,
              need, have);
    const struct model_class *other = cheaper(m->class, x, there, less);
    if (other)
        error_hint(err, "%s does it in %s", other->name, less);
    else
        error_hint(err, "filter the rare items out first, or train a model that needs less: itemknn, ials");
    return ST_NOMEM;
}

enum status driver_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    *bytes = 0;
    if (!t->interactions->events) {
        error_set(err, ST_STATE, "there is nothing to train %s on: no event with a positive weight is selected",
                  m->class->name);
        error_hint(err, "look at `events by=type` and `weight`, and at what `split` left for training");
        return ST_STATE;
    }
    if ((m->class->capabilities & FITS_WEIGHTS) && !t->fitting)
        return error_set(err, ST_STATE, "%s needs a validation part to fit its weights to", m->class->name);
    enum status st = linalg_room(err);
    if (!st && m->class->check)
        st = m->class->check(m, t, bytes, err);
    return st ? st : check_memory(m, t->interactions, *bytes, err);
}

void driver_say_memory(const struct model *m, const struct training *t, size_t bytes, double seconds)
{
    size_t there = mem_available();
    if (!t->job || (bytes < SIZEABLE && bytes < there / 4))
        return;
    char need[32], have[32], items[32], took[32], less[32];
    struct str text = {0};
    const struct model_class *other = cheaper(m->class, t->interactions, bytes / 2, less);
    text_bytes(need, sizeof need, (double)bytes);
    text_bytes(have, sizeof have, (double)there);
    text_count(items, sizeof items, (int64_t)m->nitems);
    text_duration(took, sizeof took, seconds);
    str_printf(&text, "%s on %s items takes up to %s of %s free", m->class->name, items, need, have);
    if (other)
        str_printf(&text, " (%s takes %s)", other->name, less);
    if (seconds >= 1)
        str_printf(&text, " and about %s", took);
    job_say(t->job, m->class->name, "%s", str_text(&text));
    str_free(&text);
}
