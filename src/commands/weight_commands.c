/* weight: what each type of event says about liking; a step of a recipe. */
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/recipe.h"
#include "commands/shaping.h"

static void put_weights(const struct dataset *d, struct result *out)
{
    static const struct column columns[] = {
        {.name = "type", .type = VALUE_TEXT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "weight", .type = VALUE_REAL, .precision = -1},
    };
    struct table *t = result_table(out, "weights", "", columns, 3);
    int64_t *n = result_room(out, d->types.n, sizeof *n);
    for (size_t e = 0; n && e < d->events.n; e++)
        n[d->events.type[e]]++;
    for (uint32_t k = 0; n && k < d->types.n; k++) {
        table_text(t, dict_text(&d->types, k));
        table_int(t, n[k]);
        table_real(t, (double)d->type_weight[k]);
    }
}

static enum status no_such_type(const struct dataset *d, const struct word *w, struct error *err)
{
    enum { LOOK = 256 };
    const char *names[LOOK];
    uint32_t n = d->types.n < LOOK ? d->types.n : LOOK;
    for (uint32_t i = 0; i < n; i++)
        names[i] = dict_text(&d->types, i);
    const char *near = text_nearest(w->text, names, n);
    error_set(err, ST_NOT_FOUND, "no event is of type \"%s\"", w->text);
    error_hint(err, near ? "did you mean %s?" : "`weight` lists the types there are", near);
    return error_at_word(ST_NOT_FOUND, err, w);
}

static enum status read_weight(const struct dataset *d, const struct word *type, const struct word *weight,
                               float *weights, struct error *err)
{
    const struct param param = {.name = type->text, .type = PARAM_REAL, .min = 0, .max = 1e6};
    struct param_value v = {0};
    uint32_t code = dict_find_text(&d->types, type->text);
    if (code == NO_CODE)
        return no_such_type(d, type, err);
    enum status st = param_parse(&param, weight->text, &v, err);
    if (st)
        return error_at_word(st, err, weight);
    weights[code] = (float)v.real;
    param_values_free(&v, 1);
    return ST_OK;
}

/* A type with blanks comes in quotes, so that the grammar takes it for a word: "COMMENT CREATED=4". */
static enum status read_quoted_weight(const struct dataset *d, const struct word *w, float *weights, struct error *err)
{
    const char *equals = strrchr(w->text, '=');
    if (!equals) {
        error_set(err, ST_USAGE, "\"%s\" says no weight", w->text);
        error_hint(err, "for example: weight %s=2", d->types.n ? dict_text(&d->types, 0) : "click");
        return error_at_word(ST_USAGE, err, w);
    }
    struct word type = *w, weight = *w;
    type.text = mem_strndup(w->text, (size_t)(equals - w->text), err);
    weight.text = mem_strdup(equals + 1, err);
    enum status st = type.text && weight.text ? read_weight(d, &type, &weight, weights, err) : ST_NOMEM;
    mem_free(type.text);
    mem_free(weight.text);
    return st;
}

static enum status step_weight(const struct shaping *s, struct dataset **out, struct error *err)
{
    const struct dataset *d = s->data;
    struct dataset *next = NULL;
    if (!s->call->nopen && !s->call->nargs)
        return error_set(err, ST_USAGE, "weight changes nothing without TYPE=WEIGHT");
    enum status st = dataset_again(d, &next, err);
    for (size_t i = 0; i < s->call->nopen && !st; i++)
        st = read_weight(d, &s->call->open[i].key, &s->call->open[i].value, next->type_weight, err);
    for (size_t i = 0; i < s->call->nargs && !st; i++)
        st = read_quoted_weight(d, &s->call->args[i], next->type_weight, err);
    bool any = false;
    for (uint32_t t = 0; t < d->types.n && !st; t++)
        any |= next->type_weight[t] > 0;
    if (!st && !any) {
        st = error_set(err, ST_USAGE, "with no type above 0 there is nothing to learn from");
        error_hint(err, "give at least one type a weight");
    }
    if (st) {
        dataset_release(next);
        return st;
    }
    str_puts(s->said, "events weigh");
    for (uint32_t t = 0; t < d->types.n && s->said->length < 160; t++)
        str_printf(s->said, "%s %s=%g", t ? "," : "", dict_text(&d->types, t), (double)next->type_weight[t]);
    *out = next;
    return ST_OK;
}

static enum status run_weight(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    enum status st = ST_OK;
    bool change = call->nopen || call->nargs;
    if (change && wb->readonly)
        return error_set(err, ST_STATE, "weight would change the workspace, which is open for reading only");
    if (change)
        st = recipe_run(wb, call, out, err);
    if (st)
        return st;
    struct dataset *d = workbench_data(wb);
    put_weights(d, out);
    dataset_release(d);
    return ST_OK;
}

static const struct argument weight_args[] = {
    {.name = "TYPE=WEIGHT",
     .type = ARG_TEXT,
     .optional = true,
     .repeated = true,
     .doc = "in quotes when the type has blanks: \"add to cart=3\""},
};

static const struct command rows[] = {
    {.name = "weight",
     .group = "shape",
     .summary = "what each type of event says about liking",
     .arguments = weight_args,
     .narguments = 1,
     .flags = COMMAND_OPEN | COMMAND_NEEDS_DATA,
     .help = "weight click=1 cart=3 purchase=10: models learn from the sum of weights of a user's events with an item. "
             "Weight 0 is no feedback: such events are kept and shown but neither learnt from nor tested. Impressions "
             "begin with 0, all else with 1. A step of the recipe.",
     .examples = (const char *const[]){"weight", "weight click=1 purchase=5", NULL},
     .step = step_weight,
     .run = run_weight},
};

const struct command_family weight_commands = {rows, sizeof rows / sizeof *rows};
