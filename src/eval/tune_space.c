#include "eval/tune_space.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { VALUE_TEXT_MAX = 64 };
static const double day = 86400e6; /* us */

/* ---- axes ---- */

static bool is_number(const struct param *p)
{
    return p->type == PARAM_INT || p->type == PARAM_REAL || p->type == PARAM_PERCENT || p->type == PARAM_DURATION;
}

static enum status add_value(struct tune_axis *a, const char *text, size_t n, struct error *err)
{
    struct param_value parsed = {0};
    char *copy = mem_strndup(text, n, err);
    if (!copy)
        return ST_NOMEM;
    enum status st = param_parse(a->param, copy, &parsed, err);
    param_values_free(&parsed, 1);
    if (!st && a->nvalues == TUNE_VALUES_MAX)
        st = error_set(err, ST_USAGE, "%s has more than %d values to choose from", a->param->name, TUNE_VALUES_MAX);
    if (st) {
        mem_free(copy);
        return st;
    }
    a->values[a->nvalues++] = copy;
    return ST_OK;
}

/* "a|b|c" */
static enum status list_axis(struct tune_axis *a, const char *list, struct error *err)
{
    enum status st = ST_OK;
    a->values = mem_new(TUNE_VALUES_MAX, sizeof *a->values, "values to choose from", err);
    if (!a->values)
        return ST_NOMEM;
    for (;;) {
        size_t n = strcspn(list, "|");
        st = add_value(a, list, n, err);
        if (st || !list[n])
            return st;
        list += n + 1;
    }
}

static enum status parse_end(const struct param *p, const char *text, size_t n, double *out, struct error *err)
{
    char end[VALUE_TEXT_MAX];
    struct param_value v = {0};
    snprintf(end, sizeof end, "%.*s", (int)n, text);
    enum status st = param_parse(p, end, &v, err);
    if (!st)
        *out = p->type == PARAM_INT ? (double)v.integer : p->type == PARAM_DURATION ? (double)v.integer / day : v.real;
    param_values_free(&v, 1);
    return st;
}

/* "low..high", where dots[0..2) is the ".." */
static enum status range_axis(struct tune_axis *a, const char *text, const char *dots, struct error *err)
{
    const struct param *p = a->param;
    if (!is_number(p)) {
        error_set(err, ST_USAGE, "%s=%s: %s has no range", p->name, text, p->name);
        error_hint(err, "a list of values can be searched: %s=%s", p->name,
                   p->type == PARAM_BOOL ? "yes|no"
                   : p->choices          ? p->choices
                                         : "a|b");
        return ST_USAGE;
    }
    enum status st = parse_end(p, text, (size_t)(dots - text), &a->low, err);
    if (!st)
        st = parse_end(p, dots + 2, strlen(dots + 2), &a->high, err);
    if (!st && !(a->low < a->high))
        st = error_set(err, ST_USAGE, "%s=%s: the low end of a range comes first", p->name, text);
    a->log = p->log_scale && a->low > 0;
    return st;
}

/* The sensible range of the table. */
static enum status own_axis(struct tune_axis *a, struct error *err)
{
    const struct param *p = a->param;
    if (p->type == PARAM_ENUM)
        return list_axis(a, p->choices, err);
    if (p->type == PARAM_BOOL)
        return list_axis(a, "no|yes", err);
    a->low = p->tune_min;
    a->high = p->tune_max;
    a->log = p->log_scale && a->low > 0;
    return ST_OK;
}

static const char *text_given(const struct tune_given *given, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(given[i].name, name) == 0)
            return given[i].text;
    return NULL;
}

static bool is_tuned(const struct param *p)
{
    return p->tune_min < p->tune_max && (is_number(p) || p->type == PARAM_ENUM || p->type == PARAM_BOOL);
}

static enum status add_axis(struct tune_space *s, const struct param *params, size_t index, const char *text,
                            struct error *err)
{
    struct tune_axis *a = &s->axes[s->n];
    const char *dots = text ? strstr(text, "..") : NULL;
    if (s->n == TUNE_AXES_MAX)
        return error_set(err, ST_USAGE, "more than %d parameters at once", TUNE_AXES_MAX);
    *a = (struct tune_axis){.param = &params[index], .index = index};
    s->n++;
    return !text ? own_axis(a, err) : dots ? range_axis(a, text, dots, err) : list_axis(a, text, err);
}

/* ---- which axes sleep ---- */

/* The values that a parameter may have before a point is chosen. */
struct scope {
    const struct param *params;
    char *const *typed;
};

static const char *scope_text(const void *context, size_t i)
{
    const struct scope *c = context;
    const struct param *p = &c->params[i];
    if (c->typed[i])
        return c->typed[i];
    return !is_tuned(p) ? p->initial : p->type == PARAM_ENUM ? p->choices : p->type == PARAM_BOOL ? "yes|no" : "..";
}

/* What was typed for parameters that nothing here can make matter is refused. */
static enum status keep_typed(struct tune_space *s, const struct param *params, size_t nparams,
                              const struct tune_given *given, size_t ngiven, struct error *err)
{
    struct scope scope;
    s->params = params;
    if (!(s->typed = mem_new(nparams, sizeof *s->typed, "what was given", err)))
        return ST_NOMEM;
    s->nparams = nparams;
    for (size_t i = 0; i < nparams; i++) {
        const char *text = text_given(given, ngiven, params[i].name);
        if (text && !(s->typed[i] = mem_strdup(text, err)))
            return ST_NOMEM;
    }
    scope = (struct scope){params, s->typed};
    for (size_t i = 0; i < nparams; i++) {
        enum status st =
            s->typed[i] ? param_check_idle(params, nparams, i, s->typed[i], scope_text, &scope, err) : ST_OK;
        if (st)
            return st;
    }
    return ST_OK;
}

enum status tune_space_new(const struct param *params, size_t nparams, const struct tune_given *given, size_t ngiven,
                           struct tune_space *out, struct error *err)
{
    *out = (struct tune_space){.n = 0};
    enum status st = keep_typed(out, params, nparams, given, ngiven, err);
    struct scope scope = {params, out->typed};
    for (int children = 0; children < 2; children++) /* parents first */
        for (size_t i = 0; i < nparams && !st; i++) {
            const char *text = out->typed[i];
            bool varies = text ? strchr(text, '|') || strstr(text, "..") : is_tuned(&params[i]);
            if (!varies || !!params[i].when != children)
                continue;
            if (param_matters(params, nparams, i, scope_text, &scope))
                st = add_axis(out, params, i, text, err);
        }
    if (!st && !out->n) {
        st = error_set(err, ST_USAGE, "there is nothing to tune: every parameter is fixed, or has no range to search");
        error_hint(err, "give a range or a list: NAME=low..high, NAME=a|b|c");
    }
    if (st)
        tune_space_clear(out);
    return st;
}

void tune_space_clear(struct tune_space *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (size_t v = 0; v < s->axes[i].nvalues; v++)
            mem_free(s->axes[i].values[v]);
        mem_free(s->axes[i].values);
    }
    for (size_t i = 0; i < s->nparams; i++)
        mem_free(s->typed[i]);
    mem_free(s->typed);
    *s = (struct tune_space){.n = 0};
}

/* ---- points and values ---- */

struct place {
    const struct tune_space *space;
    const double *point;
    size_t axis; /* those behind it are yet to be chosen */
    char *text;  /* VALUE_TEXT_MAX, of the value asked for last */
};

static const char *place_text(const void *context, size_t i)
{
    const struct place *p = context;
    const struct tune_space *s = p->space;
    for (size_t a = 0; a < s->n; a++) {
        if (s->axes[a].index != i)
            continue;
        if (a >= p->axis)
            return "..";
        if (isnan(p->point[a]))
            break;
        tune_text(&s->axes[a], p->point[a], p->text, VALUE_TEXT_MAX);
        return p->text;
    }
    bool fixed = s->typed[i] && !strchr(s->typed[i], '|') && !strstr(s->typed[i], "..");
    return fixed ? s->typed[i] : s->params[i].initial;
}

bool tune_awake(const struct tune_space *s, const double *point, size_t axis)
{
    char text[VALUE_TEXT_MAX];
    const struct place place = {s, point, axis, text};
    return param_matters(s->params, s->nparams, s->axes[axis].index, place_text, &place);
}

/* A whole number owns the interval half a unit to both sides, so that the ends are as likely as the others. */
static double edge(const struct tune_axis *a, bool high)
{
    double half = a->param->type == PARAM_INT ? .5 : 0;
    return high ? a->high + half : a->low - half;
}

static double scaled(const struct tune_axis *a, double x)
{
    return a->log ? log(x) : x;
}

void tune_text(const struct tune_axis *a, double at, char *out, size_t size)
{
    if (a->values) {
        snprintf(out, size, "%s", a->values[(size_t)at < a->nvalues ? (size_t)at : a->nvalues - 1]);
        return;
    }
    double low = scaled(a, edge(a, false)), high = scaled(a, edge(a, true)), x = low + at * (high - low);
    x = a->log ? exp(x) : x;
    x = a->param->type == PARAM_INT ? round(x) : x;
    x = x < a->low ? a->low : x > a->high ? a->high : x;
    char digits[VALUE_TEXT_MAX];
    double rounded = x;
    snprintf(digits, sizeof digits, "%.*g", a->param->type == PARAM_INT ? 17 : 4, x);
    if (!text_parse_real(digits, &rounded))
        rounded = x;
    text_real(digits, sizeof digits, rounded);
    snprintf(out, size, "%s%s", digits, a->param->type == PARAM_DURATION ? "d" : "");
}

double tune_place(const struct tune_axis *a, const char *text)
{
    double x;
    for (size_t v = 0; v < a->nvalues; v++)
        if (strcmp(a->values[v], text) == 0)
            return (double)v;
    if (a->values || parse_end(a->param, text, strlen(text), &x, NULL) || (a->log && x <= 0))
        return NAN;
    double low = scaled(a, edge(a, false)), high = scaled(a, edge(a, true)), at = (scaled(a, x) - low) / (high - low);
    return at < 0 ? 0 : at > 1 ? 1 : at;
}

double tune_number(const struct tune_axis *a, const char *text)
{
    double x;
    if (a->values)
        return tune_place(a, text);
    return parse_end(a->param, text, strlen(text), &x, NULL) ? NAN : x;
}

void tune_axis_describe(const struct tune_axis *a, struct str *out)
{
    const char *unit = a->param->type == PARAM_DURATION ? "d" : "";
    for (size_t v = 0; v < a->nvalues; v++)
        str_printf(out, "%s%s", v ? "|" : "", a->values[v]);
    if (!a->values)
        str_printf(out, "%g%s..%g%s", a->low, unit, a->high, unit);
}

void tune_space_describe(const struct tune_space *s, struct str *out)
{
    for (size_t i = 0; i < s->n; i++) {
        str_printf(out, "%s%s=", i ? " " : "", s->axes[i].param->name);
        tune_axis_describe(&s->axes[i], out);
    }
}

size_t tune_space_size(const struct tune_space *s)
{
    size_t size = 1;
    for (size_t i = 0; i < s->n; i++) {
        const struct tune_axis *a = &s->axes[i];
        if (!a->values && a->param->type != PARAM_INT)
            return SIZE_MAX;
        size_t n = a->values ? a->nvalues : (size_t)(a->high - a->low) + 1;
        if (__builtin_mul_overflow(size, n, &size))
            return SIZE_MAX;
    }
    return size;
}
