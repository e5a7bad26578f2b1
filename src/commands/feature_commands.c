/* Features: defined once, kept in the workspace under the data set as notes of kind "feature", shown with their
 * distribution over all users or items at the present moment. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "features/feature.h"

static const char note_kind[] = "feature";
enum { LONGEST_NAME = 63, MOST_BARS = 20 };

/* ---- statistics ---- */

/* A feature's values at one moment, missing ones gone, ascending. */
struct values {
    double *value;
    size_t n, missing;
    bool counts; /* numbers of events */
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum status take_values(const struct feature *f, int64_t moment, struct job *job, struct values *v,
                               struct error *err)
{
    size_t all = feature_entities(f);
    *v = (struct values){.value = mem_new_raw(all, sizeof *v->value, "the values of a feature", err)};
    if (!v->value)
        return ST_NOMEM;
    enum status st = feature_snapshot(f, moment, job, v->value, err);
    if (st)
        return st;
    for (size_t i = 0; i < all; i++) {
        if (!isnan(v->value[i]))
            v->value[v->n++] = v->value[i];
    }
    v->missing = all - v->n;
    v->counts = strcmp(feature_unit(f), "events") == 0;
    qsort(v->value, v->n, sizeof *v->value, by_size);
    return ST_OK;
}

/* Linear between neighbours (Hyndman & Fan 1996, type 7). */
static double quantile(const struct values *v, double p)
{
    if (v->n == 0)
        return NAN;
    double at = p * (double)(v->n - 1);
    size_t low = (size_t)at, high = low + 1 < v->n ? low + 1 : low;
    return v->value[low] + (at - (double)low) * (v->value[high] - v->value[low]);
}

/* Mean and standard deviation in two passes; NaN where there are too few. */
static void moments(const struct values *v, double *mean, double *sd)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < v->n; i++)
        sum += v->value[i];
    *mean = v->n ? sum / (double)v->n : NAN;
    for (size_t i = 0; i < v->n; i++)
        squares += (v->value[i] - *mean) * (v->value[i] - *mean);
    *sd = v->n > 1 ? sqrt(squares / (double)(v->n - 1)) : NAN;
}

static const struct column feature_columns[] = {
    {.name = "feature", .type = VALUE_TEXT},
    {.name = "by", .type = VALUE_TEXT},
    {.name = "n", .type = VALUE_INT, .flags = COLUMN_COUNT},
    {.name = "missing", .type = VALUE_INT, .flags = COLUMN_COUNT | COLUMN_COMPACT},
    {.name = "mean", .type = VALUE_REAL, .precision = 3},
    {.name = "sd", .type = VALUE_REAL, .precision = 3, .flags = COLUMN_COMPACT},
    {.name = "min", .type = VALUE_REAL, .precision = 2},
    {.name = "q1", .type = VALUE_REAL, .precision = 2, .flags = COLUMN_COMPACT},
    {.name = "median", .type = VALUE_REAL, .precision = 2},
    {.name = "q3", .type = VALUE_REAL, .precision = 2, .flags = COLUMN_COMPACT},
    {.name = "max", .type = VALUE_REAL, .precision = 2},
    {.name = "unit", .type = VALUE_TEXT},
    {.name = "definition", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
};

static void put_row(struct table *t, const char *name, const char *text, const struct feature *f,
                    const struct values *v)
{
    static const double quartiles[] = {0, .25, .5, .75, 1};
    double mean, sd;
    moments(v, &mean, &sd);
    table_text(t, name);
    table_text(t, feature_by_item(f) ? "item" : "user");
    table_int(t, (int64_t)v->n);
    table_int(t, (int64_t)v->missing);
    table_real(t, mean);
    table_real(t, sd);
    for (size_t i = 0; i < sizeof quartiles / sizeof *quartiles; i++)
        table_real(t, quantile(v, quartiles[i]));
    table_text(t, feature_unit(f));
    table_text(t, text);
}

/* ---- histogram ---- */

/* A step of 1, 2 or 5 times a power of ten that cuts `range` into at most ten pieces or so. */
static double round_step(double range)
{
    double power = pow(10, floor(log10(range / 10)));
    for (double step = 1; step < 10; step = step == 2 ? 5 : 2 * step)
        if (range / (power * step) <= 10)
            return power * step;
    return power * 10;
}

/* Bars low[i] <= x < low[i + 1], the last one closed: one a count while there are few, doubling widths when counts
 * spread, equal round widths for what is measured. */
static size_t cut_bars(const struct values *v, double *low)
{
    double min = v->value[0], max = v->value[v->n - 1];
    size_t n = 0;
    if (v->counts && max - min < MOST_BARS) {
        for (double x = min; x <= max + 1; x++)
            low[n++] = x;
    } else if (v->counts) {
        low[n++] = 0;
        for (double x = 1; n <= MOST_BARS && low[n - 1] <= max; x *= 2)
            low[n++] = x;
        low[n - 1] = fmax(low[n - 1], max + 1);
    } else {
        double step = max > min ? round_step(max - min) : 1, first = floor(min / step);
        do
            low[n] = (first + (double)n) * step;
        while (low[n++] <= max && n <= MOST_BARS);
    }
    return n - 1;
}

static const char *bar_label(struct result *out, const struct values *v, double low, double high)
{
    if (!v->counts)
        return result_textf(out, "%.10g..%.10g", low, high);
    return high - low > 1 ? result_textf(out, "%.0f..%.0f", low, high - 1) : result_textf(out, "%.0f", low);
}

static void put_histogram(struct result *out, const char *name, const struct feature *f, const struct values *v)
{
    double low[MOST_BARS + 2];
    if (v->n == 0) {
        result_message(out, MESSAGE_INFO, "%s is missing everywhere", name);
        return;
    }
    size_t n = cut_bars(v, low);
    struct series *s =
        result_series(out, "histogram", result_textf(out, "%s by its values", feature_by_item(f) ? "items" : "users"),
                      VALUE_TEXT, n, false);
    if (!s)
        return;
    s->x_label = result_textf(out, "%s, %s", name, feature_unit(f));
    s->y_label = feature_by_item(f) ? "items" : "users";
    s->style = "bar";
    for (size_t i = 0, at = 0; i < n; i++) {
        size_t first = at;
        while (at < v->n && (i + 1 == n || v->value[at] < low[i + 1]))
            at++;
        s->x[i] = (double)i;
        s->y[i] = (double)(at - first);
        s->labels[i] = bar_label(out, v, low[i], low[i + 1]);
    }
}

/* ---- showing ---- */

struct show {
    struct workbench *wb;
    struct dataset *data;
    struct result *out;
    struct table *table; /* made with the first row */
    int64_t now;         /* the moment */
    const char *only;    /* this one, with its histogram; NULL: all */
    size_t found;
};

static struct table *table_of(struct show *s)
{
    char when[40] = "now";
    int64_t oldest, newest, moment = s->now;
    if (s->table)
        return s->table;
    if (moment != NO_TIME)
        time_short(when, sizeof when, moment);
    else if (dataset_time_range(s->data, &oldest, &newest))
        time_short(when, sizeof when, newest);
    s->table = result_table(s->out, "features", result_textf(s->out, "features as of %s", when), feature_columns,
                            sizeof feature_columns / sizeof *feature_columns);
    return s->table;
}

static enum status show_feature(struct show *s, const char *name, const char *text, const struct feature *f,
                                struct error *err)
{
    struct values v;
    enum status st = take_values(f, s->now, &s->wb->job, &v, err);
    if (!st) {
        put_row(table_of(s), name, text, f, &v);
        if (s->only)
            put_histogram(s->out, name, f, &v);
    }
    mem_free(v.value);
    return st;
}

/* A note: shown, or said to fit the data no longer. */
static enum status show_note(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    struct show *s = context;
    struct feature *f;
    struct error why;
    if (s->only && strcmp(s->only, name) != 0)
        return ST_OK;
    s->found++;
    char *text = mem_strndup(value, n, err);
    if (!text)
        return ST_NOMEM;
    enum status st = job_check(&s->wb->job, err);
    if (!st && (st = feature_new(s->data, text, n, &f, &why)) == ST_OK) {
        st = show_feature(s, name, text, f, err);
        feature_free(f);
    } else if (st == ST_USAGE || st == ST_UNSUPPORTED) {
        result_message(s->out, MESSAGE_WARNING, "%s = %s does not fit the data any more: %s", name, text, why.message);
        st = ST_OK;
    } else if (st != ST_CANCELLED && err) {
        *err = why;
    }
    mem_free(text);
    return st;
}

/* ---- names ---- */

struct names {
    const char **name;
    size_t n, capacity;
};

static enum status add_name(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    struct names *all = context;
    (void)value;
    (void)n;
    enum status st = mem_grow(&all->name, &all->capacity, all->n + 1, sizeof *all->name, err);
    if (!st && !(all->name[all->n] = mem_strdup(name, err)))
        st = ST_NOMEM;
    all->n += !st;
    return st;
}

static enum status no_such_feature(struct workbench *wb, const struct dataset *d, const struct word *w,
                                   struct error *err)
{
    struct names all = {0};
    const char *near = NULL;
    if (workspace_list_notes(wb->space, d->name, note_kind, add_name, &all, NULL) == ST_OK)
        near = text_nearest(w->text, all.name, all.n);
    error_set(err, ST_NOT_FOUND, "there is no feature \"%s\"", w->text);
    if (near)
        error_hint(err, "did you mean %s?", near);
    else
        error_hint(err, "`features` lists them; `feature define NAME = count() by user` makes one");
    for (size_t i = 0; i < all.n; i++)
        mem_free((char *)all.name[i]);
    mem_free(all.name);
    return error_at_word(ST_NOT_FOUND, err, w);
}

static enum status run_features(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    enum status st = question_open_data(wb, call, NULL, &q, err);
    struct show s = {
        .wb = wb, .data = q.data, .out = out, .now = q.history.as_of, .only = call->nargs ? call->args[0].text : NULL};
    if (!st)
        st = workspace_list_notes(wb->space, s.data->name, note_kind, show_note, &s, err);
    if (!st && s.only && !s.found)
        st = no_such_feature(wb, s.data, &call->args[0], err);
    if (!st && !s.found) {
        table_of(&s);
        result_message(out, MESSAGE_HINT,
                       "no feature is defined yet: `feature define actions_7d = count() over 7d by user`");
    }
    question_close(&q);
    return st;
}

/* ---- feature define ---- */

static bool is_name_character(char c, bool first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

/* NAME = EXPRESSION: where the expression begins in the rest. */
static enum status split_definition(const struct word *rest, char *name, size_t *at, struct error *err)
{
    size_t n = 0;
    while (is_name_character(rest->text[n], n == 0))
        n++;
    *at = n + strspn(rest->text + n, " \t");
    if (n == 0 || n > LONGEST_NAME || rest->text[*at] != '=') {
        if (n > LONGEST_NAME)
            error_set(err, ST_USAGE, "the name is longer than %d characters", LONGEST_NAME);
        else
            error_set(err, ST_USAGE, "a feature is defined as NAME = EXPRESSION");
        error_hint(err, "for example: feature define clicks_7d = count(type = 'click') over 7d by user");
        error_span(err, rest->offset + *at, 1);
        return ST_USAGE;
    }
    memcpy(name, rest->text, n);
    name[n] = 0;
    *at += 1 + strspn(rest->text + *at + 1, " \t");
    return ST_OK;
}

static enum status run_define(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    char name[LONGEST_NAME + 1];
    size_t at;
    struct feature *f = NULL;
    enum status st = split_definition(&call->rest, name, &at, err);
    if (st)
        return st;
    const char *text = call->rest.text + at;
    struct show s = {.wb = wb, .data = workbench_data(wb), .out = out, .now = wb->now, .only = name};
    st = feature_new(s.data, text, strlen(text), &f, err);
    if (st && err && err->length)
        err->offset += call->rest.offset + at;
    if (!st)
        st = show_feature(&s, name, text, f, err);
    if (!st)
        st = workspace_put_note(wb->space, s.data->name, note_kind, name, text, strlen(text), err);
    feature_free(f);
    dataset_release(s.data);
    return st;
}

static enum status run_drop(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    enum status st = workspace_drop_note(wb->space, d->name, note_kind, call->args[0].text, err);
    if (st == ST_NOT_FOUND)
        st = no_such_feature(wb, d, &call->args[0], err);
    if (!st)
        result_message(out, MESSAGE_INFO, "the feature %s is gone", call->args[0].text);
    dataset_release(d);
    return st;
}

static const struct argument define_args[] = {
    {.name = "NAME = EXPRESSION", .type = ARG_TEXT, .doc = "what to call it, and what it is"}};
static const struct argument name_args[] = {{.name = "NAME", .type = ARG_FEATURE, .doc = "a feature"}};
static const struct argument any_name_args[] = {
    {.name = "NAME", .type = ARG_FEATURE, .optional = true, .doc = "only this one, with a histogram"}};
static const struct param features_options[] = {
    {.name = "at", .type = PARAM_TIME, .doc = "as of this moment instead of the clock's"}};

static const struct command rows[] = {
    {.name = "feature define",
     .group = "explore",
     .summary = "define a number about users or items as of a moment",
     .arguments = define_args,
     .narguments = 1,
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES | COMMAND_ANYTIME | COMMAND_REST,
     .help = "EXPRESSION is FUNCTION(CONDITION) over DURATION by user, or by item; the condition and the duration may "
             "be left out. Functions: count, recency (days since the last matching event) and recency_seconds.\n"
             "\n"
             "A condition compares columns: type, value, user, item, time, any other column of the events, item.NAME "
             "and user.NAME for attributes, with = != < <= > >= and in ('a', 'b'), joined by and, or, not and "
             "parentheses. A comparison with a missing value is false.\n"
             "\n"
             "A feature is computed as of a moment from events strictly before it; events of that very instant do not "
             "count. A name that is taken is defined anew. Definitions are kept in the workspace with the data set.",
     .examples = (const char *const[]){"feature define clicks_7d = count(type = 'click') over 7d by user",
                                       "feature define last_sale = recency(type = 'purchase') by item",
                                       "feature define camping = count(item.category = 'Camping' and not type = "
                                       "'purchase') by user", NULL},
     .run = run_define},
    {.name = "feature drop",
     .group = "explore",
     .summary = "forget a feature",
     .arguments = name_args,
     .narguments = 1,
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES | COMMAND_ANYTIME,
     .help = "Removes the definition from the workspace. Nothing else is changed.",
     .examples = (const char *const[]){"feature drop clicks_7d", NULL},
     .run = run_drop},
    {.name = "features",
     .group = "explore",
     .summary = "the features with their distribution now",
     .arguments = any_name_args,
     .narguments = 1,
     .options = features_options,
     .noptions = 1,
     .flags = COMMAND_NEEDS_DATA | COMMAND_SEVERAL,
     .help = "For each feature over all users or items: how many have a value and how many none, mean, standard "
             "deviation, smallest, quartiles, largest. Values are as of at=, else the clock of the workbench "
             "(`rewind`), or after the newest event. With a NAME also a histogram.",
     .examples = (const char *const[]){"features", "features clicks_7d at=2025-05-06", NULL},
     .run = run_features},
};

const struct command_family feature_commands = {rows, sizeof rows / sizeof *rows};
