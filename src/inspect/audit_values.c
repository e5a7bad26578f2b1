/* Checks of the numbers that events carry: values on their scale, missing ones, amounts. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "inspect/audit_parts.h"

enum { VALUE_SAMPLE = 1 << 20 };

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Known values in order; every n-th when there are very many. mem_free it. */
static float *sorted_values(const struct events *e, size_t *n, struct error *err)
{
    size_t step = e->n / VALUE_SAMPLE + 1;
    float *v = mem_new_raw(e->n / step + 1, sizeof *v, "values", err);
    *n = 0;
    for (size_t i = 0; v && i < e->n; i += step)
        if (!isnan(e->value[i]))
            v[(*n)++] = e->value[i];
    if (v)
        qsort(v, *n, sizeof *v, by_value);
    return v;
}

/* Values of ratings lie on a scale: at most 21 steps of a half or a whole have nearly all of them. */
static bool find_scale(const float *v, size_t n, float *low, float *high)
{
    size_t different = 1;
    *low = v[n / 200];
    *high = v[n - 1 - n / 200];
    for (size_t i = n / 200; i < n - n / 200; i++) {
        if (fmodf(v[i] * 2, 1) != 0)
            return false;
        different += i > n / 200 && v[i] != v[i - 1];
    }
    return different >= 2 && different <= 21 && *low >= -10 && *high <= 100;
}

static uint64_t count_values(const struct events *e, double below, double above)
{
    uint64_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        n += e->value[i] < below || e->value[i] > above;
    return n;
}

static void judge_scale(struct audit *a, const float *v, size_t n)
{
    const struct events *e = &a->data->events;
    float low, high;
    size_t zeros = 0;
    if (n < LEAST_ROWS * 10 || !find_scale(v, n, &low, &high))
        return;
    uint64_t beyond = count_values(e, (double)low, (double)high);
    while (zeros < n && v[zeros] <= 0)
        zeros++;
    if (beyond) {
        struct finding *f = audit_find(a, SEVERITY_WARNING,
                                       "%s value%s (%s) %s off the scale from %g to %g that nearly all others have",
                                       COUNT(beyond), beyond == 1 ? "" : "s", SHARE(beyond, e->n),
                                       beyond == 1 ? "lies" : "lie", (double)low, (double)high);
        finding_evidence(f, beyond, "SELECT * FROM events WHERE value < %g OR value > %g", (double)low, (double)high);
        finding_advice(f, "filter \"value >= %g and value <= %g\"", (double)low, (double)high);
    }
    if (low == 0 && high >= 4 && zeros * 20 >= n && zeros < n && v[zeros] >= 1) {
        uint64_t all = 0;
        for (size_t i = 0; i < e->n; i++)
            all += e->value[i] == 0;
        struct finding *f = audit_find(a, SEVERITY_WARNING,
                                       "%s of the values are 0 on a scale up to %g: it may stand for \"not rated\"",
                                       SHARE(all, e->n), (double)high);
        finding_evidence(f, all, "SELECT * FROM events WHERE value = 0");
        finding_advice(f, "filter \"value > 0\"");
    }
}

/* Values that are missing for some events of a type that has them. */
static enum status judge_missing_values(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    const struct events *e = &d->events;
    uint64_t *n = mem_new(d->types.n, 2 * sizeof *n, "counts of types", err);
    if (!n)
        return ST_NOMEM;
    for (size_t i = 0; i < e->n; i++) {
        n[2 * e->type[i]]++;
        n[2 * e->type[i] + 1] += isnan(e->value[i]) != 0;
    }
    for (uint32_t t = 0; t < d->types.n; t++) {
        uint64_t all = n[2 * t], missing = n[2 * t + 1];
        if (!missing || missing * 2 > all)
            continue;
        struct str type = {0};
        put_sql_text(&type, dict_text(&d->types, t));
        struct finding *f =
            audit_find(a, severity_of((double)missing / (double)all, .05, 2),
                       "%s of the events of type %s have no value", SHARE(missing, all), dict_text(&d->types, t));
        finding_evidence(f, missing, "SELECT * FROM events WHERE type = %s AND value IS NULL", str_text(&type));
        str_free(&type);
    }
    mem_free(n);
    return ST_OK;
}

/* Amounts must not be negative, propensities must be shares, and nothing a thousand times what is usual. */
static enum status judge_amount(struct audit *a, const struct field *field, bool propensity, struct error *err)
{
    size_t n = 0, below = 0, above = 0;
    double *v = mem_new_raw(field->n, sizeof *v, "amounts", err);
    struct str name = {0};
    if (!v)
        return ST_NOMEM;
    for (size_t r = 0; r < field->n; r++) {
        double x = field_missing(field, r)     ? NAN
                   : field->type == FIELD_REAL ? field->real[r]
                                               : (double)field->integer[r];
        if (isnan(x))
            continue;
        v[n++] = x;
        below += propensity ? x <= 0 : x < 0;
        above += propensity && x > 1;
    }
    put_sql_name(&name, field->name);
    bool one = below + above == 1;
    if (below + above) {
        struct finding *f =
            audit_find(a, propensity ? SEVERITY_SERIOUS : SEVERITY_WARNING,
                       propensity ? "%s propensit%s not in (0, 1]: no estimate from this log would hold"
                                  : "%s negative value%s in %s: returns or corrections count as interest",
                       COUNT(below + above), propensity ? (one ? "y is" : "ies are") : (one ? "" : "s"), field->name);
        if (propensity)
            finding_evidence(f, below + above, "SELECT * FROM events WHERE %s <= 0 OR %s > 1", str_text(&name),
                             str_text(&name));
        else
            finding_evidence(f, below, "SELECT * FROM events WHERE %s < 0", str_text(&name));
        if (!propensity)
            finding_advice(f, "filter \"%s >= 0\"", field->name);
    }
    str_free(&name);
    mem_free(v);
    return ST_OK;
}

static bool folds_to(const char *name, const char *const *words)
{
    for (; *words; words++)
        if (text_same(name, *words))
            return true;
    return false;
}

static enum status check_values(struct audit *a, struct error *err)
{
    static const char *const amounts[] = {"price", "quantity", "qty", "amount", "revenue", "total", NULL};
    static const char *const propensities[] = {"propensity", "propensity_score", "pscore", NULL};
    const struct events *e = &a->data->events;
    enum status st = ST_OK;
    for (size_t i = 0; i < e->context.n && !st; i++) {
        const struct field *f = &e->context.field[i];
        bool propensity = folds_to(f->name, propensities);
        if ((f->type == FIELD_REAL || f->type == FIELD_INT) && (propensity || folds_to(f->name, amounts)))
            st = judge_amount(a, f, propensity, err);
    }
    if (st || !e->value)
        return st;
    size_t n;
    float *v = sorted_values(e, &n, err);
    if (!v)
        return ST_NOMEM;
    if (n >= LEAST_ROWS && v[0] == v[n - 1] && n == e->n)
        audit_find(a, SEVERITY_INFO, "every value is %g: it says nothing", real_of_single(v[0]));
    else if (n)
        judge_scale(a, v, n);
    mem_free(v);
    return judge_missing_values(a, err);
}

const struct audit_check audit_values = {
    .name = "values",
    .looks = "ratings off their scale, zeros for \"not rated\", missing values, negative amounts, propensities that "
             "are none",
    .rule = "a scale is 2 to 21 steps of a half or a whole that hold 99 % of the values; what lies off it is a "
            "warning, since one 99 among ratings to 5 moves every mean. Zeros are a warning when 5 % of a scale up to "
            "4 or more: Book-Crossing's 0 is no bad rating. A value missing in some events of a type is info, from 5 % "
            "a warning. A propensity outside (0, 1] is serious",
    .fine = "values are within their range",
    .run = check_values,
};
