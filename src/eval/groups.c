#include "eval/groups.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void grouping_clear(struct grouping *g)
{
    mem_free(g->name);
    mem_free(g->begin);
    mem_free(g->group);
    *g = (struct grouping){.n = 0};
}

/* Room for n groups and `memberships` of rows in them. */
static enum status make_room(struct grouping *g, size_t rows, size_t n, size_t memberships, struct error *err)
{
    *g = (struct grouping){.rows = rows, .n = n};
    g->name = mem_new(n, sizeof *g->name, "groups", err);
    g->begin = mem_new(rows + 1, sizeof *g->begin, "groups", err);
    g->group = mem_new_raw(memberships, sizeof *g->group, "groups", err);
    return g->name && g->begin && g->group ? ST_OK : ST_NOMEM;
}

static void join(struct grouping *g, size_t row, uint32_t group)
{
    g->group[g->begin[row + 1]++] = group;
}

/* ---- by words ---- */

static enum status by_words(const struct field *f, size_t rows, struct grouping *g, struct error *err)
{
    bool list = f->type == FIELD_LIST;
    if (f->levels.n > GROUPS_MAX) {
        error_set(err, ST_USAGE, "%s has %u values: too many groups", f->name, f->levels.n);
        error_hint(err, "group by an attribute with at most %d", GROUPS_MAX);
        return ST_USAGE;
    }
    enum status st = make_room(g, rows, f->levels.n, list ? f->list_begin[rows] : rows, err);
    for (uint32_t i = 0; i < f->levels.n && !st; i++)
        snprintf(g->name[i], sizeof g->name[i], "%s", dict_text(&f->levels, i));
    for (size_t r = 0; r < rows && !st; r++) {
        g->begin[r + 1] = g->begin[r];
        if (!list && f->code[r] != NO_CODE)
            join(g, r, f->code[r]);
        for (size_t at = list ? f->list_begin[r] : 0; list && at < f->list_begin[r + 1]; at++)
            join(g, r, f->list_code[at]);
    }
    return st;
}

/* ---- by numbers ---- */

static double number_at(const struct field *f, size_t row)
{
    return field_missing(f, row) ? NAN : f->type == FIELD_REAL ? f->real[row] : (double)f->integer[row];
}

static int by_value(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void number_text(const struct field *f, double x, char out[24])
{
    if (f->type == FIELD_TIME)
        (void)time_iso(out, 24, (int64_t)x);
    else
        snprintf(out, 24, "%.6g", x);
}

/* The lower ends of the groups among sorted values: every value, or the quartiles. Returns how many. */
static size_t find_ends(const double *sorted, size_t n, double end[GROUP_VALUES])
{
    size_t different = 0, found = 0;
    for (size_t i = 0; i < n && different <= GROUP_VALUES; i++)
        if (!i || sorted[i] > sorted[i - 1]) {
            if (different < GROUP_VALUES)
                end[different] = sorted[i];
            different++;
        }
    if (different <= GROUP_VALUES)
        return different;
    for (size_t q = 0; q < 4; q++) {
        double x = sorted[q * n / 4];
        if (!found || x > end[found - 1])
            end[found++] = x;
    }
    return found;
}

static void name_ranges(const struct field *f, const double *end, size_t n, bool every, struct grouping *g)
{
    for (size_t i = 0; i < n; i++) {
        char low[24], high[24];
        number_text(f, end[i], low);
        if (every)
            snprintf(g->name[i], sizeof g->name[i], "%s", low);
        else if (i + 1 == n)
            snprintf(g->name[i], sizeof g->name[i], "%s and more", low);
        else {
            number_text(f, end[i + 1], high);
            snprintf(g->name[i], sizeof g->name[i], "%s to below %s", low, high);
        }
    }
}

static enum status by_numbers(const struct field *f, size_t rows, struct grouping *g, struct error *err)
{
    double *sorted = mem_new_raw(rows, sizeof *sorted, "values of an attribute", err), end[GROUP_VALUES];
    size_t n = 0, groups;
    if (!sorted)
        return ST_NOMEM;
    for (size_t r = 0; r < rows; r++)
        if (!isnan(number_at(f, r)))
            sorted[n++] = number_at(f, r);
    qsort(sorted, n, sizeof *sorted, by_value);
    groups = find_ends(sorted, n, end);
    bool every = n && sorted[n - 1] <= end[groups - 1];
    for (size_t i = 0, at = 0; i < n && every; i++) { /* is each value an end of its own? */
        at += at + 1 < groups && sorted[i] >= end[at + 1];
        every = sorted[i] <= end[at];
    }
    enum status st = make_room(g, rows, groups, rows, err);
    if (!st)
        name_ranges(f, end, groups, every, g);
    for (size_t r = 0; r < rows && !st; r++) {
        double x = number_at(f, r);
        uint32_t at = 0;
        g->begin[r + 1] = g->begin[r];
        while (at + 1 < groups && x >= end[at + 1])
            at++;
        if (!isnan(x))
            join(g, r, at);
    }
    mem_free(sorted);
    return st;
}

enum status grouping_of_field(const struct field *f, size_t rows, struct grouping *out, struct error *err)
{
    bool words = f->type == FIELD_TEXT || f->type == FIELD_LIST;
    *out = (struct grouping){.n = 0};
    enum status st = words ? by_words(f, rows, out, err) : by_numbers(f, rows, out, err);
    if (st)
        grouping_clear(out);
    return st;
}

enum status grouping_of_histories(const struct dataset *d, const struct split *s, enum part on, struct grouping *out, struct error *err)
{
    static const struct {
        size_t from;
        const char *name;
    } lengths[] = {{0, "no events"}, {1, "1 to 4 events"}, {5, "5 to 19 events"}, {20, "20 to 99 events"}, {100, "100 events and more"}};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    enum status st = make_room(out, d->users.n, LENGTHS, d->users.n, err);
    for (size_t i = 0; i < LENGTHS && !st; i++)
        snprintf(out->name[i], sizeof out->name[i], "%s", lengths[i].name);
    for (uint32_t u = 0; u < d->users.n && !st; u++) {
        unsigned parts = split_history(s, u, on);
        size_t n = 0;
        uint32_t at = LENGTHS - 1;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
            n += (s->part[e] & parts) != 0;
        while (n < lengths[at].from)
            at--;
        out->begin[u + 1] = out->begin[u];
        join(out, u, at);
    }
    if (st)
        grouping_clear(out);
    return st;
}

/* ---- how they fare ---- */

void group_means(const struct evaluation *e, const double *value, const struct grouping *g, struct group_mean *out)
{
    for (size_t i = 0; i < g->n; i++)
        out[i] = (struct group_mean){0, 0};
    for (size_t u = 0; u < e->nusers; u++) {
        if (!e->warm[u] || isnan(value[u]))
            continue;
        for (size_t at = g->begin[e->user[u]]; at < g->begin[e->user[u] + 1]; at++) {
            out[g->group[at]].users++;
            out[g->group[at]].mean += value[u];
        }
    }
    for (size_t i = 0; i < g->n; i++)
        out[i].mean = out[i].users ? out[i].mean / (double)out[i].users : NAN;
}

/* One over the groups of an item; 0 when it has none. */
static double part_of(const struct grouping *g, uint32_t item)
{
    size_t n = g->begin[item + 1] - g->begin[item];
    return n ? 1 / (double)n : 0;
}

enum share { SHARE_ITEMS, SHARE_RELEVANT, SHARE_EXPOSURE };

static void give(const struct grouping *g, uint32_t item, double amount, enum share share, struct group_exposure *out)
{
    double part = amount * part_of(g, item);
    for (size_t at = g->begin[item]; at < g->begin[item + 1]; at++) {
        struct group_exposure *x = &out[g->group[at]];
        *(share == SHARE_ITEMS ? &x->items : share == SHARE_RELEVANT ? &x->relevant : &x->exposure) += part;
    }
}

void group_exposures(const struct evaluation *e, const struct grouping *g, size_t k, struct group_exposure *out)
{
    double items = 0, relevant = 0, exposure = 0;
    memset(out, 0, g->n * sizeof *out);
    for (uint32_t i = 0; i < e->nitems; i++)
        give(g, i, 1, SHARE_ITEMS, out);
    for (size_t at = 0; at < e->right_begin[e->nqueries]; at++)
        give(g, e->right[at], 1, SHARE_RELEVANT, out);
    for (size_t q = 0; q < e->nqueries; q++)
        for (size_t r = 0; r < e->length[q] && r < k; r++)
            if (e->list[q * e->listed + r] != NO_ITEM)
                give(g, e->list[q * e->listed + r], 1 / log2((double)r + 2), SHARE_EXPOSURE, out);
    for (size_t i = 0; i < g->n; i++) {
        items += out[i].items;
        relevant += out[i].relevant;
        exposure += out[i].exposure;
    }
    for (size_t i = 0; i < g->n; i++) {
        out[i].catalogue = items > 0 ? out[i].items / items : NAN;
        out[i].relevant = relevant > 0 ? out[i].relevant / relevant : NAN;
        out[i].exposure = exposure > 0 ? out[i].exposure / exposure : NAN;
    }
}

struct group_gap group_gap_of(const double *value, size_t n)
{
    struct group_gap g = {n, n, NAN, NAN};
    for (size_t i = 0; i < n; i++) {
        if (isnan(value[i]))
            continue;
        if (g.lowest == n || value[i] < value[g.lowest])
            g.lowest = i;
        if (g.highest == n || value[i] > value[g.highest])
            g.highest = i;
    }
    if (g.lowest == n)
        return g;
    g.gap = value[g.highest] - value[g.lowest];
    g.ratio = value[g.highest] > 0 ? value[g.lowest] / value[g.highest] : NAN;
    return g;
}
