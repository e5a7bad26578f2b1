/* What `compare` found out, as tables. */
#include <math.h>

#include "commands/compare.h"

struct columns {
    struct column at[3 * MEASURES_MAX + 16];
    size_t n;
};

static void add_column(struct columns *c, const char *name, enum value_type type, const char *unit, int precision,
                       unsigned flags)
{
    c->at[c->n++] = (struct column){.name = name, .type = type, .unit = unit, .precision = precision, .flags = flags};
}

static void add_metric_columns(struct columns *columns, const struct comparison *c, size_t m, struct result *out)
{
    const struct measure *x = &c->measures[m];
    const char *name = result_text(out, x->at.name);
    bool first = m == 0;
    add_column(columns, name, VALUE_REAL, "", 4, !x->shown ? COLUMN_HIDDEN : first ? 0 : COLUMN_COMPACT);
    if (!metric_of_users(x->at.metric))
        return;
    add_column(columns, first ? "low" : result_textf(out, "%s_low", name), VALUE_REAL, "", 4,
               first ? 0 : COLUMN_HIDDEN);
    add_column(columns, first ? "high" : result_textf(out, "%s_high", name), VALUE_REAL, "", 4,
               first ? 0 : COLUMN_HIDDEN);
    if (!first)
        return;
    add_column(columns, "to_best", VALUE_REAL, "%", 1, 0);
    add_column(columns, "p", VALUE_REAL, "", 4, 0);
    add_column(columns, "difference", VALUE_REAL, "", 4, COLUMN_HIDDEN);
    add_column(columns, "difference_low", VALUE_REAL, "", 4, COLUMN_HIDDEN);
    add_column(columns, "difference_high", VALUE_REAL, "", 4, COLUMN_HIDDEN);
}

static void put_metric(struct table *t, const struct comparison *c, const struct compared *x, size_t m)
{
    table_real(t, x->mean[m]);
    if (!metric_of_users(c->measures[m].at.metric))
        return;
    table_real(t, x->interval[m].low);
    table_real(t, x->interval[m].high);
    if (m)
        return;
    table_real(t, x->to.share);
    table_real(t, x->to.adjusted);
    table_real(t, x->to.value);
    table_real(t, x->to.interval.low);
    table_real(t, x->to.interval.high);
}

static const char *title(const struct compare *c, struct result *out)
{
    char users[32], items[32];
    text_count(users, sizeof users, (int64_t)c->comparison.nwarm);
    text_count(items, sizeof items, (int64_t)c->d->items.n);
    const struct protocol *p = &c->judge.protocol;
    return result_textf(out, "%s part (%s): means over %s users, all %s items ranked, seen ones %s%s",
                        p->on == PART_TEST ? "test" : "validation", c->s->description, users, items,
                        p->hide_seen ? "hidden" : "shown", p->rolling ? ", history rolling" : "");
}

void compare_put_leaderboard(const struct compare *compare, struct result *out)
{
    const struct comparison *c = &compare->comparison;
    struct columns columns = {.n = 0};
    add_column(&columns, "model", VALUE_TEXT, "", 0, 0);
    for (size_t m = 0; m < c->nmeasures; m++)
        add_metric_columns(&columns, c, m, out);
    add_column(&columns, "users", VALUE_INT, "", 0, COLUMN_HIDDEN);
    add_column(&columns, "parameters", VALUE_TEXT, "", 0, COLUMN_HIDDEN);
    struct table *t = result_table(out, "leaderboard", title(compare, out), columns.at, columns.n);
    for (size_t i = 0; i < c->n; i++) {
        struct str parameters = {0};
        model_describe(compare->models[c->entries[i].given], false, &parameters);
        table_text(t, c->entries[i].name);
        for (size_t m = 0; m < c->nmeasures; m++)
            put_metric(t, c, &c->entries[i], m);
        table_int(t, (int64_t)c->nwarm);
        table_text(t, str_text(&parameters));
        str_free(&parameters);
    }
}

void compare_put_cold(const struct compare *compare, struct result *out)
{
    const struct comparison *c = &compare->comparison;
    struct columns columns = {.n = 0};
    char users[32];
    if (!c->ncold || !c->ncolumns)
        return;
    text_count(users, sizeof users, (int64_t)c->ncold);
    add_column(&columns, "model", VALUE_TEXT, "", 0, 0);
    for (size_t m = 0; m < c->nmeasures; m++)
        if (metric_of_users(c->measures[m].at.metric))
            add_column(&columns, result_text(out, c->measures[m].at.name), VALUE_REAL, "", 4,
                       !c->measures[m].shown ? COLUMN_HIDDEN : m ? COLUMN_COMPACT : 0);
    add_column(&columns, "users", VALUE_INT, "", 0, COLUMN_HIDDEN);
    struct table *t = result_table(
        out, "cold", result_textf(out, "apart from them: %s cold users, of whom nothing is known before", users),
        columns.at, columns.n);
    for (size_t i = 0; i < c->n; i++) {
        table_text(t, c->entries[i].name);
        for (size_t m = 0; m < c->nmeasures; m++)
            if (metric_of_users(c->measures[m].at.metric))
                table_real(t, c->entries[i].cold[m]);
        table_int(t, (int64_t)c->ncold);
    }
}
