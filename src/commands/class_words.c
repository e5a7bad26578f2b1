#include "commands/class_words.h"

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

/* What is typed and would change nothing is refused; a default, or what a model had before, is silent. */
static enum status check_idle(const struct model_class *class, const struct call *call,
                              const struct param_value *values, struct error *err)
{
    for (size_t i = 0; i < call->nopen; i++) {
        const struct call_option *option = &call->open[i];
        size_t at = param_index(class->params, class->nparams, option->key.text);
        if (at < class->nparams &&
            param_check_idle(class->params, class->nparams, at, option->value.text, param_value_text, values, err))
            return error_at_word(ST_USAGE, err, &option->key);
    }
    return ST_OK;
}

enum status class_values_new(const struct model_class *class, const struct call *call, const struct param_value *from,
                             struct param_value **out, struct error *err)
{
    struct param_value *values = mem_new(class->nparams, sizeof *values, "model parameters", err);
    if (!values)
        return ST_NOMEM;
    enum status st = from ? ST_OK : param_defaults(class->params, class->nparams, values, err);
    for (size_t i = 0; from && i < class->nparams && !st; i++) {
        values[i] = from[i];
        values[i].text = from[i].text ? mem_strdup(from[i].text, err) : NULL;
        st = from[i].text && !values[i].text ? ST_NOMEM : ST_OK;
    }
    for (size_t i = 0; i < call->nopen && !st; i++) {
        const struct call_option *option = &call->open[i];
        size_t at = param_index(class->params, class->nparams, option->key.text);
        if (at < class->nparams)
            st = param_parse(&class->params[at], option->value.text, &values[at], err);
    }
    st = st ? st : check_idle(class, call, values, err);
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
