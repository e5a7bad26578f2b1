#include "commands/part_axes.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "models/ensemble.h"

static size_t list_of(const struct model_class *class, const struct call *call)
{
    for (size_t i = 0; i < class->nparams; i++) {
        const struct param *p = &class->params[i];
        bool typed = false;
        for (size_t o = 0; o < call->nopen; o++)
            typed |= strcmp(call->open[o].key.text, p->name) == 0;
        if (!typed && (p->type == PARAM_WEIGHTS || p->type == PARAM_LENGTHS))
            return i;
    }
    return SIZE_MAX;
}

/* The default of a search: all models alike; lengths each four times the one before. */
static enum status add_part(struct part_axes *a, const struct param *list, const struct model *part, int64_t length,
                            struct error *err)
{
    bool weights = list->type == PARAM_WEIGHTS;
    char text[32];
    struct param *p = &a->params[a->nparams++];
    *p = *list;
    p->type = weights ? PARAM_REAL : PARAM_INT;
    p->min = weights ? 0 : 1;
    p->max = 1e6;
    snprintf(text, sizeof text, "%lld", weights ? 1 : (long long)length);
    p->initial = mem_strdup(text, err);
    struct str name = {0};
    str_printf(&name, "%s.%s", weights ? "weight" : list->name, part->name);
    p->name = mem_strdup(str_text(&name), err);
    bool good = p->initial && p->name && !name.failed;
    str_free(&name);
    return good ? ST_OK : ST_NOMEM;
}

enum status part_axes_new(const struct model_class *class, struct model *const *parts, size_t nparts,
                          const struct call *call, struct part_axes *out, struct error *err)
{
    int64_t length = 5;
    enum status st = ST_OK;
    *out = (struct part_axes){.nparams = class->nparams, .nclass = class->nparams, .list = list_of(class, call)};
    if (!(out->params = mem_new(class->nparams + nparts, sizeof *out->params, "parameters", err)))
        return ST_NOMEM;
    if (class->nparams)
        memcpy(out->params, class->params, class->nparams * sizeof *out->params);
    for (size_t p = 1; p < nparts && out->list != SIZE_MAX && !st; p++, length *= 4)
        st = add_part(out, &class->params[out->list], parts[p], length < 1000000 ? length : 1000000, err);
    return st;
}

void part_axes_clear(struct part_axes *a)
{
    for (size_t i = a->nclass; i < a->nparams; i++) {
        mem_free((char *)a->params[i].name);
        mem_free((char *)a->params[i].initial);
    }
    mem_free(a->params);
    *a = (struct part_axes){.list = SIZE_MAX};
}

static void add_number(struct str *out, double x)
{
    char text[32], digits[32];
    snprintf(digits, sizeof digits, "%.4g", x);
    text_real(text, sizeof text, text_parse_real(digits, &x) ? x : 0);
    str_printf(out, "%s%s", out->length ? "," : "", text);
}

bool part_axes_text(const struct part_axes *a, size_t i, const struct trial *t, char *out, size_t size)
{
    double number[PARTS_MAX] = {1}, sum = 1;
    size_t n = 1;
    char said[32];
    if (i != a->list || a->nparams == a->nclass)
        return false;
    bool weights = a->params[i].type == PARAM_WEIGHTS;
    for (; a->nclass + n - 1 < a->nparams && n < PARTS_MAX; n++) {
        if (!trial_value(t, a->params[a->nclass + n - 1].name, said, sizeof said) || !text_parse_real(said, &number[n]))
            return false;
        if (!weights && n > 1 && number[n] <= number[n - 1])
            number[n] = number[n - 1] + 1;
        sum += number[n];
    }
    struct str text = {0};
    for (size_t p = !weights; p < n; p++)
        add_number(&text, weights ? number[p] / sum : number[p]);
    bool fits = !text.failed && text.length < size;
    snprintf(out, size, "%s", str_text(&text));
    str_free(&text);
    return fits;
}
