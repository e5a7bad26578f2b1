#include "eval/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/metrics.h"

#define REGISTER(name) &metric_##name,
const struct metric *const metrics[] = {METRICS(REGISTER) NULL};
#undef REGISTER

enum { NMETRICS = sizeof metrics / sizeof *metrics - 1 };

double metric_of_errors(const struct metric *m, double sum, double n)
{
    double mean = n > 0 ? sum / n : NAN;
    return m->errors == ERRORS_SQUARED ? sqrt(mean) : mean;
}

bool metric_better(const struct metric *m, double x, double y)
{
    if (isnan(x) || isnan(y))
        return isnan(y) && !isnan(x);
    return m->lower ? x < y : x > y;
}

double metric_gain(float grade)
{
    return isnan(grade) ? 1 : grade > 0 ? (double)grade : 0;
}

const struct metric *metric_find(const char *name)
{
    for (size_t i = 0; metrics[i]; i++)
        if (text_same(metrics[i]->name, name))
            return metrics[i];
    return NULL;
}

static enum status unknown(const char *name, struct error *err)
{
    const char *names[NMETRICS];
    struct str list = {0};
    for (size_t i = 0; i < NMETRICS; i++) {
        names[i] = metrics[i]->name;
        str_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *nearest = text_nearest(name, names, NMETRICS);
    error_set(err, ST_USAGE, "there is no metric \"%s\"", name);
    if (nearest)
        error_hint(err, "did you mean %s? There are %s; cut at a rank: ndcg@20", nearest, str_text(&list));
    else
        error_hint(err, "there are %s; cut at a rank: ndcg@20", str_text(&list));
    str_free(&list);
    return ST_USAGE;
}

/* ":.5" of "rbp:.5@20": *text is moved behind it. */
static enum status parse_parameter(const char *whole, const char **text, struct metric_at *out, struct error *err)
{
    const struct metric *m = out->metric;
    size_t length = strcspn(*text, "@");
    char number[24];
    if (**text != ':')
        return ST_OK;
    if (!(m->parameter > 0))
        return error_set(err, ST_USAGE, "%s: %s has no parameter", whole, m->name);
    snprintf(number, sizeof number, "%.*s", (int)length - 1, *text + 1);
    *text += length;
    if (length <= sizeof number && text_parse_real(number, &out->parameter) && out->parameter >= m->parameter_low &&
        out->parameter <= m->parameter_high)
        return ST_OK;
    error_set(err, ST_USAGE, "%s: the parameter of %s is a number from %g to %g", whole, m->name, m->parameter_low,
              m->parameter_high);
    error_hint(err, "for example %s:%g@20", m->name, m->parameter);
    return ST_USAGE;
}

static enum status parse_cut(const char *whole, const char *text, struct metric_at *out, struct error *err)
{
    const struct metric *m = out->metric;
    int64_t cut;
    if (!*text)
        return ST_OK;
    if (metric_uncut(m))
        return error_set(err, ST_USAGE, "%s: %s is taken over all %s, not cut at a rank", whole, m->name,
                         m->errors ? "ratings" : "items");
    if (!text_parse_int(text + 1, &cut) || cut < 1 || cut > METRIC_K_MAX) {
        error_set(err, ST_USAGE, "%s: a metric is cut at a rank from 1 to %d", whole, METRIC_K_MAX);
        error_hint(err, "for example %s@20", m->name);
        return ST_USAGE;
    }
    out->k = (size_t)cut;
    return ST_OK;
}

enum status metric_parse(const char *text, size_t k, struct metric_at *out, struct error *err)
{
    char name[24];
    size_t length = strcspn(text, ":@");
    const char *rest = text + length;
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), text);
    const struct metric *metric = metric_find(name);
    if (!metric || length >= sizeof name)
        return unknown(name, err);
    struct metric_at m = {.metric = metric, .k = metric_uncut(metric) ? 1 : k, .parameter = metric->parameter};
    enum status st = parse_parameter(text, &rest, &m, err);
    if (!st)
        st = parse_cut(text, rest, &m, err);
    if (st)
        return st;
    char parameter[32] = "", cut[32] = "";
    if (m.parameter != metric->parameter)
        snprintf(parameter, sizeof parameter, ":%.6g", m.parameter);
    if (!metric_uncut(metric))
        snprintf(cut, sizeof cut, "@%zu", m.k);
    snprintf(m.name, sizeof m.name, "%s%.10s%.8s", metric->name, parameter, cut);
    *out = m;
    return ST_OK;
}

double metric_at_ranks(const void *metric, const uint32_t *rank, size_t nhits, size_t relevant)
{
    const struct metric_at *m = metric;
    const struct judged_list l = {
        .k = m->k, .parameter = m->parameter, .rank = rank, .nhits = nhits, .relevant = relevant};
    return m->metric->of_list(&l);
}
