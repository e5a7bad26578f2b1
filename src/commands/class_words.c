#include "commands/class_words.h"

#include <string.h>

#include "base/mem.h"

static size_t add_params(const struct model_class *class, const struct param **out, size_t n, size_t max)
{
    for (size_t i = 0; class && i < class->nparams && n < max; i++)
        out[n++] = &class->params[i];
    return n;
}

size_t class_params(struct workbench *wb, const struct call *call, const struct param **out, size_t max)
{
    size_t n = 0;
    (void)wb;
    for (size_t i = 0; i < call->nargs; i++)
        n = add_params(model_class_find(call->args[i].text), out, n, max);
    return n;
}

size_t class_and_model_params(struct workbench *wb, const struct call *call, const struct param **out, size_t max)
{
    size_t n = class_params(wb, call, out, max);
    for (size_t i = 0; wb && i < call->nmodels; i++) {
        struct model *m = workbench_model(wb, call->models[i].text);
        n = add_params(m ? m->class : NULL, out, n, max);
        model_release(m);
    }
    return n;
}

enum status class_of_word(const struct word *w, const struct model_class **out, struct error *err)
{
    const char *names[64];
    struct str list = {0};
    size_t n = 0;
    if ((*out = model_class_find(w->text)) && !((*out)->capabilities & SERVED))
        return ST_OK;
    if (*out) {
        error_set(err, ST_USAGE, "%s is not trained: it is lists that came from outside", w->text);
        error_hint(err, "`import FILE as NAME` reads them");
        return error_at_word(ST_USAGE, err, w);
    }
    for (; model_classes[n] && n < 64; n++) {
        names[n] = model_classes[n]->name;
        str_printf(&list, "%s%s", n ? ", " : "", names[n]);
    }
    const char *nearest = text_nearest(w->text, names, n);
    error_set(err, ST_USAGE, "there is no class of models \"%s\"", w->text);
    if (nearest)
        error_hint(err, "did you mean %s? There are %s", nearest, str_text(&list));
    else
        error_hint(err, "there are %s", str_text(&list));
    str_free(&list);
    return error_at_word(ST_USAGE, err, w);
}

/* ---- what is typed for several classes ---- */

/* A class as the command line would have it: values NULL: otherwise with its defaults. */
struct meant {
    const struct model_class *class;
    const struct param_value *values;
    const struct call *call;
};

static const char *meant_text(const void *context, size_t i)
{
    const struct meant *m = context;
    const struct param *p = &m->class->params[i];
    for (size_t o = 0; o < m->call->nopen; o++)
        if (strcmp(m->call->open[o].key.text, p->name) == 0)
            return m->call->open[o].value.text;
    return m->values ? param_value_text(m->values, i) : p->initial;
}

static bool matters_to(const struct meant *m, const char *key)
{
    size_t n = m->class ? m->class->nparams : 0, at = m->class ? param_index(m->class->params, n, key) : n;
    return at < n && param_matters(m->class->params, n, at, meant_text, m);
}

/* Does it change anything for one of all that the words name? */
static bool matters_to_any(struct workbench *wb, const struct call *call, const char *key)
{
    bool matters = false;
    for (size_t i = 0; i < call->nargs && !matters; i++)
        matters = matters_to(&(struct meant){.class = model_class_find(call->args[i].text), .call = call}, key);
    for (size_t i = 0; i < call->nmodels && !matters; i++) {
        struct model *m = workbench_model(wb, call->models[i].text);
        matters = m && matters_to(&(struct meant){m->class, m->values, call}, key);
        model_release(m);
    }
    return matters;
}

/* Value i as it was before anything was typed. */
static enum status set_back(const struct model_class *class, const struct param_value *from, size_t i,
                            struct param_value *values, struct error *err)
{
    const struct param *p = &class->params[i];
    param_values_free(&values[i], 1);
    if (from) {
        values[i] = from[i];
        values[i].text = from[i].text ? mem_strdup(from[i].text, err) : NULL;
        return from[i].text && !values[i].text ? ST_NOMEM : ST_OK;
    }
    enum status st = p->initial ? param_parse(p, p->initial, &values[i], err) : ST_OK;
    values[i].given = false;
    return st;
}

/* What is typed and changes nothing for this class is for another one that is named, or it is refused; a default, or
 * what a model had before, is silent. */
static enum status check_idle(struct workbench *wb, const struct model_class *class, const struct call *call,
                              const struct param_value *from, struct param_value *values, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < call->nopen && !st; i++) {
        const struct call_option *option = &call->open[i];
        size_t n = class->nparams, at = param_index(class->params, n, option->key.text);
        if (at == n || param_matters(class->params, n, at, param_value_text, values))
            continue;
        if (matters_to_any(wb, call, option->key.text))
            st = set_back(class, from, at, values, err);
        else
            st = error_at_word(param_check_idle(class->params, n, at, option->value.text, param_value_text, values, err),
                               err, &option->key);
    }
    return st;
}

enum status class_values_new(struct workbench *wb, const struct model_class *class, const struct call *call,
                             const struct param_value *from, struct param_value **out, struct error *err)
{
    struct param_value *values = mem_new(class->nparams, sizeof *values, "model parameters", err);
    if (!values)
        return ST_NOMEM;
    enum status st = ST_OK;
    for (size_t i = 0; i < class->nparams && !st; i++)
        st = set_back(class, from, i, values, err);
    for (size_t i = 0; i < call->nopen && !st; i++) {
        const struct call_option *option = &call->open[i];
        size_t at = param_index(class->params, class->nparams, option->key.text);
        if (at < class->nparams)
            st = param_parse(&class->params[at], option->value.text, &values[at], err);
    }
    st = st ? st : check_idle(wb, class, call, from, values, err);
    if (st)
        class_values_free(class, values);
    else
        *out = values;
    return st;
}

void class_values_free(const struct model_class *class, struct param_value *values)
{
    if (values)
        param_values_free(values, class->nparams);
    mem_free(values);
}
