#include "screen/compare_data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { MOST_BY = 64, LEVELS_WORTH = 40 };

/* ---- holding ---- */

struct compare_held *compare_hold(struct compare_held *c)
{
    c->holds++;
    return c;
}

void compare_release(struct compare_held *c)
{
    if (!c || --c->holds)
        return;
    compare_close(&c->compare);
    mem_free(c);
}

/* ---- on the worker ---- */

void compare_segments_clear(struct compare_segments *s)
{
    cohorts_clear(&s->cohorts);
    mem_free(s->differences);
    s->differences = NULL;
}

void compare_asked_free(struct compare_asked *a)
{
    compare_release(a->held);
    compare_segments_clear(&a->segments);
    if (a->words)
        result_free(a->words);
    if (a->notes)
        result_free(a->notes);
    mem_free(a);
}

static enum status open_comparison(struct compare_asked *a, struct error *err)
{
    struct call *call = NULL;
    a->held = mem_new(1, sizeof *a->held, "a comparison", err);
    a->words = result_new(err);
    a->notes = result_new(err);
    if (!a->held || !a->words || !a->notes)
        return ST_NOMEM;
    a->held->holds = 1;
    enum status st = call_parse(a->wb, a->command, false, &call, err);
    if (!st)
        st = compare_open(a->wb, call, &a->held->compare, a->notes, err);
    if (!st)
        st = compare_say_claims(&a->held->compare, a->words, err);
    if (!st)
        st = compare_say_how(&a->held->compare, a->notes, err);
    if (!st)
        compare_say_limits(&a->held->compare, a->notes);
    call_free(call);
    if (!st)
        st = result_status(a->words, err);
    return st ? st : result_status(a->notes, err);
}

static enum status make_item_segments(const struct compare *c, struct compare_segments *s, struct error *err)
{
    struct item_segments of_items;
    enum status st =
        item_segments_make(c->d, c->s, &c->judge.protocol, &c->comparison, s->x, s->y, s->by, &of_items, err);
    if (st)
        return st;
    snprintf(s->recall, sizeof s->recall, "%s", of_items.at.name);
    s->cohorts = of_items.users;
    s->differences = of_items.difference;
    of_items.users = (struct cohorts){.by = NULL};
    of_items.difference = NULL;
    item_segments_clear(&of_items);
    return ST_OK;
}

static enum status make_segments(struct compare_asked *a, struct error *err)
{
    const struct compare *c = &a->held->compare;
    const struct comparison *all = &c->comparison;
    struct compare_segments *s = &a->segments;
    s->y = all->reference;
    s->x = compare_rival(all, a->x);
    if (s->x == s->y || !comparison_of_users(all) || !*s->by)
        return ST_OK;
    s->recall[0] = 0;
    if (cohorts_are_of_items(c->d, s->by))
        return make_item_segments(c, s, err);
    enum status st = cohorts_make(c->d, c->s, c->judge.protocol.on, all, s->by, &s->cohorts, err);
    if (st)
        return st;
    s->differences = mem_new(s->cohorts.n, sizeof *s->differences, "segments", err);
    return s->differences ? cohorts_compare(all, s->x, s->y, &s->cohorts, 1, s->differences, err) : ST_NOMEM;
}

enum status compare_work(void *asked, struct error *err)
{
    struct compare_asked *a = asked;
    enum status st = a->anew ? open_comparison(a, err) : ST_OK;
    return st ? st : make_segments(a, err);
}

/* ---- two of them ---- */

size_t compare_rival(const struct comparison *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (i != c->reference && strcmp(c->entries[i].name, name) == 0)
            return i;
    return c->n < 2 ? c->reference : c->reference ? 0 : 1;
}

enum status compare_pair_make(const struct comparison *c, size_t x, size_t y, struct compare_pair *out,
                              struct error *err)
{
    double sign = comparison_sign(c) < 0 ? -1 : 1;
    *out = (struct compare_pair){.x = x, .y = y, .low = INFINITY, .high = -INFINITY};
    if (x == y || !comparison_of_users(c))
        return ST_OK;
    out->order = mem_new_raw(c->nusers, sizeof *out->order, "users", err);
    enum status st = out->order ? comparison_order_users(c, x, y, out->order, &out->n, err) : ST_NOMEM;
    for (size_t i = 0; i < out->n && !st; i++) {
        double a = comparison_user(c, x, out->order[i]), b = comparison_user(c, y, out->order[i]);
        out->above += sign * (a - b) > 0;
        out->below += sign * (a - b) < 0;
        out->low = fmin(out->low, fmin(a, b));
        out->high = fmax(out->high, fmax(a, b));
    }
    return st;
}

void compare_pair_clear(struct compare_pair *p)
{
    mem_free(p->order);
    *p = (struct compare_pair){.order = NULL};
}

/* ---- by what ---- */

/* Attributes of which some have the same value; of items those whose name users do not have too. */
static size_t list_fields(const struct dataset *d, bool items, const char **names, size_t n)
{
    const struct fields *fields = items ? &d->item_fields : &d->user_fields;
    for (size_t i = 0; i < fields->n && n < MOST_BY; i++) {
        const struct field *f = &fields->field[i];
        if ((!f->levels.n || f->levels.n <= LEVELS_WORTH) && (!items || cohorts_are_of_items(d, f->name)))
            names[n++] = f->name;
    }
    return n;
}

static size_t list_by(const struct compare *c, const char **names)
{
    int64_t oldest, newest;
    size_t n = 0;
    for (size_t i = 0; cohorts_built_in[i]; i++) {
        bool cold = strcmp(cohorts_built_in[i], "cold") == 0, recency = strcmp(cohorts_built_in[i], "recency") == 0;
        if ((!cold || c->comparison.ncold) && (!recency || dataset_time_range(c->d, &oldest, &newest)))
            names[n++] = cohorts_built_in[i];
    }
    n = list_fields(c->d, false, names, n);
    if (comparison_sign(&c->comparison) <= 0 || !item_segments_measure(&c->comparison))
        return n; /* of items there is recall alone */
    if (n < MOST_BY)
        names[n++] = COHORTS_POPULARITY;
    return list_fields(c->d, true, names, n);
}

void compare_next_by(const struct compare *c, char by[COMPARE_BY], int step)
{
    const char *names[MOST_BY];
    size_t n = list_by(c, names), at = 0;
    while (at < n && strcmp(names[at], by) != 0)
        at++;
    if (n == 0)
        by[0] = 0;
    else
        snprintf(by, COMPARE_BY, "%s", names[at == n ? 0 : (at + n + (size_t)step) % n]);
}
