#include "base/param.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

size_t param_index(const struct param *params, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(params[i].name, name) == 0)
            return i;
    return n;
}

size_t param_choice_count(const struct param *p)
{
    if (!p->choices || !*p->choices)
        return 0;
    size_t n = 1;
    for (const char *c = p->choices; *c; c++)
        n += *c == '|';
    return n;
}

bool param_choice(const struct param *p, size_t i, char *out, size_t size)
{
    if (i >= param_choice_count(p))
        return false;
    const char *c = p->choices;
    while (i--)
        c = strchr(c, '|') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(c, "|"), c);
    return true;
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"yes", "on", "true", "1"}, *const no[] = {"no", "off", "false", "0"};
    for (size_t i = 0; i < 4; i++) {
        if (text_same(text, yes[i]) || text_same(text, no[i])) {
            *out = text_same(text, yes[i]);
            return true;
        }
    }
    return false;
}

static bool parse_percent(const char *text, double *out)
{
    char number[64];
    size_t n = strlen(text);
    bool percent = n && text[n - 1] == '%';
    if (n >= sizeof number)
        return false;
    memcpy(number, text, n + 1);
    if (percent)
        number[n - 1] = 0;
    if (!text_parse_real(number, out))
        return false;
    *out /= percent ? 100 : 1;
    return *out >= 0 && *out <= 1;
}

static enum status bad_choice(const struct param *p, const char *text, struct error *err)
{
    char choices[16][64];
    const char *names[16];
    size_t n = 0;
    while (n < 16 && param_choice(p, n, choices[n], sizeof choices[n]))
        names[n] = choices[n], n++;
    const char *nearest = text_nearest(text, names, n), *equals = *p->name ? "=" : "";
    error_set(err, ST_USAGE, "%s%s%s: expected one of %s", p->name, equals, text, p->choices);
    if (nearest)
        error_hint(err, "did you mean %s%s%s?", p->name, equals, nearest);
    return ST_USAGE;
}

static enum status check_range(const struct param *p, const char *text, double v, struct error *err)
{
    if ((p->min == 0 && p->max == 0) || (v >= p->min && v <= p->max))
        return ST_OK;
    char low[32], high[32];
    text_real(low, sizeof low, p->min);
    text_real(high, sizeof high, p->max);
    return error_set(err, ST_USAGE, "%s=%s is out of range: expected %s to %s", p->name, text, low, high);
}

static enum status parse_typed(const struct param *p, const char *text, struct param_value *v, struct error *err)
{
    char choice[64];
    switch (p->type) {
    case PARAM_BOOL:
        return parse_bool(text, &v->yes) ? ST_OK : error_set(err, ST_USAGE, "%s=%s: expected yes or no", p->name, text);
    case PARAM_INT:
        if (!text_parse_int(text, &v->integer))
            return error_set(err, ST_USAGE, "%s=%s: expected a whole number", p->name, text);
        return check_range(p, text, (double)v->integer, err);
    case PARAM_REAL:
        if (!text_parse_real(text, &v->real))
            return error_set(err, ST_USAGE, "%s=%s: expected a number", p->name, text);
        return check_range(p, text, v->real, err);
    case PARAM_PERCENT:
        if (!parse_percent(text, &v->real))
            return error_set(err, ST_USAGE, "%s=%s: expected a share such as 20%% or 0.2", p->name, text);
        return check_range(p, text, v->real, err);
    case PARAM_DURATION:
        if (!text_parse_duration(text, &v->integer))
            return error_set(err, ST_USAGE, "%s=%s: expected a duration such as 30m, 7d or 2w", p->name, text);
        return ST_OK;
    case PARAM_TIME:
        if (!time_parse(text, strlen(text), 0, &v->integer))
            return error_set(err, ST_USAGE, "%s=%s: expected a time such as 2026-05-24 or 2026-05-24T10:30:00Z",
                             p->name, text);
        return ST_OK;
    case PARAM_ENUM:
        for (size_t i = 0; param_choice(p, i, choice, sizeof choice); i++) {
            if (text_same(choice, text)) {
                v->integer = (int64_t)i;
                return ST_OK;
            }
        }
        return bad_choice(p, text, err);
    case PARAM_TEXT:
    case PARAM_PATH:
    case PARAM_METRIC:
    case PARAM_COLUMN:
    case PARAM_USER:
    case PARAM_ITEM:
    case PARAM_EVENT:
    case PARAM_SEGMENT:
    case PARAM_SEGMENTS:
    case PARAM_MODEL:
    case PARAM_WEIGHTS:
    case PARAM_LENGTHS:
        return ST_OK;
    }
    return error_set(err, ST_INTERNAL, "%s has an unknown type", p->name);
}

enum status param_parse(const struct param *p, const char *text, struct param_value *out, struct error *err)
{
    struct param_value v = {.given = true, .present = true};
    enum status st = parse_typed(p, text, &v, err);
    if (st)
        return st;
    v.text = mem_strdup(text, err);
    if (!v.text)
        return ST_NOMEM;
    mem_free(out->text);
    *out = v;
    return ST_OK;
}

enum status param_defaults(const struct param *params, size_t n, struct param_value *values, struct error *err)
{
    memset(values, 0, n * sizeof *values);
    for (size_t i = 0; i < n; i++) {
        if (!params[i].initial)
            continue;
        enum status st = param_parse(&params[i], params[i].initial, &values[i], err);
        if (st) {
            param_values_free(values, n);
            return st;
        }
        values[i].given = false;
    }
    return ST_OK;
}

void param_values_free(struct param_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mem_free(values[i].text);
        values[i] = (struct param_value){0};
    }
}

/* ---- where one matters ---- */

/* The next of the pieces of text[0..n) between separators: its length; *rest is what follows, or NULL. */
static size_t piece(const char *text, size_t n, const char *separator, const char **rest)
{
    size_t width = strlen(separator);
    for (size_t i = 0; i + width <= n; i++) {
        if (strncmp(text + i, separator, width) == 0) {
            *rest = text + i + width;
            return i;
        }
    }
    *rest = NULL;
    return n;
}

static bool share_value(const char *wanted, size_t nwanted, const char *values)
{
    for (const char *w = wanted, *next; w; w = next) {
        size_t n = piece(w, nwanted - (size_t)(w - wanted), "|", &next);
        for (const char *v = values, *more; v; v = more) {
            size_t length = piece(v, strlen(v), "|", &more);
            if (length == n && strncasecmp(v, w, n) == 0)
                return true;
        }
    }
    return false;
}

static bool any_above(double least, const char *values)
{
    char number[64];
    double x;
    for (const char *v = values, *more; v; v = more) {
        size_t n = piece(v, strlen(v), "|", &more);
        snprintf(number, sizeof number, "%.*s", (int)n, v);
        if (!text_parse_real(number, &x) || x > least)
            return true;
    }
    return false;
}

/* One condition: "by", "weighting=bm25|tfidf", "factors>0". */
static bool may_hold(const char *condition, size_t length, const struct param *params, size_t n, param_text text,
                     const void *context)
{
    char name[64];
    size_t end = strcspn(condition, "=> "), i;
    end = end < length ? end : length;
    snprintf(name, sizeof name, "%.*s", (int)end, condition);
    if ((i = param_index(params, n, name)) == n)
        return true;
    const char *now = text(context, i);
    if (end == length)
        return now != NULL;
    bool yes;
    if (now && strstr(now, ".."))
        return true;
    if (now && params[i].type == PARAM_BOOL && parse_bool(now, &yes))
        now = yes ? "yes" : "no";
    if (condition[end] == '=')
        return now && share_value(condition + end + 1, length - end - 1, now);
    return !now || any_above(strtod(condition + end + 1, NULL), now);
}

bool param_matters(const struct param *params, size_t n, size_t i, param_text text, const void *context)
{
    const char *when = params[i].when;
    bool matters = !when;
    for (const char *way = when, *other; way && !matters; way = other) {
        size_t length = piece(way, strlen(way), " or ", &other);
        matters = true;
        for (const char *c = way, *next; c; c = next) {
            size_t width = piece(c, length - (size_t)(c - way), " and ", &next);
            matters &= may_hold(c, width, params, n, text, context);
        }
    }
    return matters;
}

/* A parameter that only has to be given is named as it is typed. */
static const char *equals_after(const char *when)
{
    return strpbrk(when, "=>") ? "" : "=";
}

enum status param_check_idle(const struct param *params, size_t n, size_t i, const char *typed, param_text text,
                             const void *context, struct error *err)
{
    const struct param *p = &params[i];
    if (param_matters(params, n, i, text, context))
        return ST_OK;
    error_set(err, ST_USAGE, "%s=%s would change nothing: %s matters only with %s%s", p->name, typed, p->name, p->when,
              equals_after(p->when));
    error_hint(err, "leave %s= out, or change what it depends on", p->name);
    return ST_USAGE;
}

const char *param_value_text(const void *values, size_t i)
{
    const struct param_value *v = values;
    return v[i].present ? v[i].text : NULL;
}

void param_describe(const struct param *p, struct str *out)
{
    str_puts(out, p->doc ? p->doc : "");
    if (p->when)
        str_printf(out, "; only with %s%s", p->when, equals_after(p->when));
}
