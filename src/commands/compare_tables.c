/* What `compare` found out, as tables. */
#include "base/mem.h"
#include "commands/compare.h"
#include "commands/lex.h"

struct columns {
    struct column at[3 * MEASURES_MAX + 24];
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
    unsigned alone = c->n < 2 ? COLUMN_HIDDEN : 0; /* with nobody to compare with */
    add_column(columns, c->best ? "to_best" : "to_baseline", VALUE_REAL, "%", 1, alone);
    add_column(columns, "p", VALUE_REAL, "", 4, COLUMN_P | alone);
    add_column(columns, "effect", VALUE_REAL, "", 2, COLUMN_COMPACT | alone);
    add_column(columns, "p_alone", VALUE_REAL, "", -1, COLUMN_HIDDEN);
    add_column(columns, "rank_biserial", VALUE_REAL, "", 2, COLUMN_HIDDEN);
    add_column(columns, "users_above", VALUE_REAL, "%", 1, COLUMN_HIDDEN);
    add_column(columns, "users_below", VALUE_REAL, "%", 1, COLUMN_HIDDEN);
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
    table_real(t, x->to.effect.d);
    table_real(t, x->to.p);
    table_real(t, x->to.effect.rank_biserial);
    table_real(t, x->to.effect.above);
    table_real(t, x->to.effect.below);
    table_real(t, x->to.value);
    table_real(t, x->to.interval.low);
    table_real(t, x->to.interval.high);
}

static const char *title(const struct compare *c, struct result *out)
{
    char users[32];
    text_count(users, sizeof users, (int64_t)c->comparison.nwarm);
    const struct protocol *p = &c->judge.protocol;
    return result_textf(out, "%s part (%s): means over %s user%s, %s, seen ones %s%s",
                        p->on == PART_TEST ? "test" : "validation", c->s->description, users,
                        c->comparison.nwarm == 1 ? "" : "s", compare_ranked(c, out), p->hide_seen ? "hidden" : "shown",
                        p->rolling ? ", history rolling" : "");
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
        table_str(t, &parameters);
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
        out, "cold", result_textf(out, "apart from them: %s cold user%s, of whom nothing is known before", users,
                                  c->ncold == 1 ? "" : "s"),
        columns.at, columns.n);
    for (size_t i = 0; i < c->n; i++) {
        table_text(t, c->entries[i].name);
        for (size_t m = 0; m < c->nmeasures; m++)
            if (metric_of_users(c->measures[m].at.metric))
                table_real(t, c->entries[i].cold[m]);
        table_int(t, (int64_t)c->ncold);
    }
}

/* ---- segments ---- */

/* As many models as columns have room for, and the two in any case. */
static bool has_column(const struct compare *c, size_t model)
{
    return model < 3 * MEASURES_MAX - 2 || model == c->x || model == c->y;
}

static void put_segment(const struct compare *compare, const char *by, const struct cohort *s, const size_t *right,
                        const double *mean, const struct difference *x, struct table *t)
{
    const struct comparison *c = &compare->comparison;
    table_text(t, by);
    table_text(t, s->name);
    if (right)
        table_int(t, (int64_t)*right);
    table_int(t, (int64_t)s->n);
    for (size_t i = 0; i < c->n; i++)
        if (has_column(compare, i))
            table_real(t, mean ? mean[i] : comparison_mean(c, i, s->users, s->n));
    table_real(t, x->value);
    table_real(t, x->interval.low);
    table_real(t, x->interval.high);
    table_real(t, x->adjusted);
    table_real(t, x->p);
    table_real(t, x->share);
    table_real(t, x->effect.d);
    table_real(t, x->effect.rank_biserial);
    table_real(t, x->effect.above);
    table_real(t, x->effect.below);
}

/* Of users, or of items (their right ones are counted then): by one of them, or by several. */
static struct table *segments_table(const struct compare *compare, const char *by, const char *metric, bool items,
                                    struct result *out)
{
    const struct comparison *c = &compare->comparison;
    struct columns columns = {.n = 0};
    add_column(&columns, "by", VALUE_TEXT, "", 0, by ? COLUMN_HIDDEN : 0);
    add_column(&columns, "segment", VALUE_TEXT, "", 0, 0);
    if (items)
        add_column(&columns, "right", VALUE_INT, "", 0, COLUMN_COUNT);
    add_column(&columns, "users", VALUE_INT, "", 0, COLUMN_COUNT);
    for (size_t i = 0; i < c->n; i++)
        if (has_column(compare, i))
            add_column(&columns, result_text(out, c->entries[i].name), VALUE_REAL, "", 4,
                       i == compare->x || i == compare->y ? 0 : COLUMN_COMPACT);
    add_column(&columns, "difference", VALUE_REAL, "", 4, COLUMN_BAR);
    add_column(&columns, "low", VALUE_REAL, "", 4, 0);
    add_column(&columns, "high", VALUE_REAL, "", 4, 0);
    add_column(&columns, "p", VALUE_REAL, "", 4, COLUMN_P);
    add_column(&columns, "p_alone", VALUE_REAL, "", -1, COLUMN_HIDDEN);
    add_column(&columns, "share", VALUE_REAL, "%", 1, COLUMN_HIDDEN);
    add_column(&columns, "effect", VALUE_REAL, "", 2, COLUMN_HIDDEN);
    add_column(&columns, "rank_biserial", VALUE_REAL, "", 2, COLUMN_HIDDEN);
    add_column(&columns, "users_above", VALUE_REAL, "%", 1, COLUMN_HIDDEN);
    add_column(&columns, "users_below", VALUE_REAL, "%", 1, COLUMN_HIDDEN);
    static const char adjusted[] = "; p is adjusted for all segments, low and high are not";
    const char *what = result_textf(out, items ? "%s by %s of the items" : "%s by %s", metric, by ? by : "segments");
    return result_table(out, items ? "item_segments" : "segments",
                        result_textf(out, "%s; difference: %s less %s%s", what, c->entries[compare->x].name,
                                     c->entries[compare->y].name, c->adjust == ADJUST_NONE ? "" : adjusted),
                        columns.at, columns.n);
}

void compare_put_segments(const struct compare *compare, struct result *out)
{
    const struct difference *x = compare->in_segment;
    if (!compare->nsegments)
        return;
    struct table *t = segments_table(compare, compare->nsegments > 1 ? NULL : compare->segments[0].by,
                                     compare->comparison.measures[0].at.name, false, out);
    for (size_t i = 0; i < compare->nsegments; i++)
        for (size_t g = 0; g < compare->segments[i].n; g++)
            put_segment(compare, compare->segments[i].by, &compare->segments[i].list[g], NULL, NULL, x++, t);
}

void compare_put_goods(const struct compare *compare, struct result *out)
{
    if (!compare->ngoods)
        return;
    struct table *t = segments_table(compare, compare->ngoods > 1 ? NULL : compare->goods[0].users.by,
                                     compare->goods[0].at.name, true, out);
    for (size_t i = 0; i < compare->ngoods; i++) {
        const struct item_segments *s = &compare->goods[i];
        for (size_t g = 0; g < s->users.n; g++)
            put_segment(compare, s->users.by, &s->users.list[g], &s->right[g], &s->mean[g * compare->comparison.n],
                        &s->difference[g], t);
    }
}

/* ---- users ---- */

static size_t history_events(const struct compare *c, uint32_t user)
{
    size_t n = 0;
    for (size_t e = c->d->user_begin[user]; e < c->d->user_begin[user + 1]; e++)
        n += (c->s->part[e] & split_history(c->s, user, c->judge.protocol.on)) != 0;
    return n;
}

static void put_user(const struct compare *compare, uint32_t u, struct table *t)
{
    const struct comparison *c = &compare->comparison;
    double x = comparison_user(c, compare->x, u), y = comparison_user(c, compare->y, u);
    table_text(t, dict_text(&compare->d->users, c->user[u]));
    table_int(t, (int64_t)history_events(compare, c->user[u]));
    table_real(t, x);
    table_real(t, y);
    table_real(t, x - y);
}

static struct table *users_table(const struct compare *compare, const char *name, const char *what, struct result *out)
{
    const struct comparison *c = &compare->comparison;
    const char *x = result_text(out, c->entries[compare->x].name), *y = result_text(out, c->entries[compare->y].name);
    struct columns columns = {.n = 0};
    add_column(&columns, "user", VALUE_TEXT, "", 0, 0);
    add_column(&columns, "events", VALUE_INT, "", 0, COLUMN_COUNT);
    add_column(&columns, x, VALUE_REAL, "", 4, 0);
    add_column(&columns, y, VALUE_REAL, "", 4, 0);
    add_column(&columns, "difference", VALUE_REAL, "", 4, COLUMN_BAR);
    return result_table(out, name,
                        result_textf(out, "who %s most by %s instead of %s (%s)", what, x, y, c->measures[0].at.name),
                        columns.at, columns.n);
}

/* How to open the first of them. */
static void hint_diff(const struct compare *compare, uint32_t u, struct result *out)
{
    const struct comparison *c = &compare->comparison;
    const size_t models[] = {compare->x, compare->y};
    struct str line = {0};
    str_puts(&line, "diff ");
    lex_quote(&line, dict_text(&compare->d->users, c->user[u]));
    for (size_t i = 0; i < 2; i++) {
        str_puts(&line, i ? " " : " with ");
        lex_quote(&line, c->entries[models[i]].name);
    }
    result_message(out, MESSAGE_HINT, "one of them, list beside list: `%s`", result_str(out, &line));
    str_free(&line);
}

enum status compare_put_users(const struct compare *compare, size_t most, struct result *out, struct error *err)
{
    const struct comparison *c = &compare->comparison;
    double sign = comparison_sign(c) < 0 ? -1 : 1;
    size_t n = 0;
    if (compare->x == compare->y || !most)
        return ST_OK;
    uint32_t *order = mem_new_raw(c->nusers, sizeof *order, "users", err);
    enum status st = order ? comparison_order_users(c, compare->x, compare->y, order, &n, err) : ST_NOMEM;
    for (int end = 0; end < 2 && !st; end++) { /* from the front those who lose, from the back those who win */
        struct table *t = NULL;
        for (size_t i = 0; i < n && i < most; i++) {
            uint32_t u = order[end ? n - 1 - i : i];
            double difference = sign * (comparison_user(c, compare->x, u) - comparison_user(c, compare->y, u));
            if (end ? difference <= 0 : difference >= 0)
                break;
            if (!t)
                t = users_table(compare, end ? "gained" : "worst", end ? "wins" : "loses", out);
            put_user(compare, u, t);
            if (!end && !i)
                hint_diff(compare, u, out);
        }
    }
    mem_free(order);
    return st;
}
