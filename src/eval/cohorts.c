#include "eval/cohorts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const cohorts_built_in[] = {"history_length", "recency", "taste", "cold", NULL};

/* ---- what is known of a user ---- */

struct asking {
    const struct dataset *d;
    const struct split *s;
    enum part on;
    const struct comparison *c;
    const struct selection *selection; /* not NULL: what it has is known, whatever the split */
};

/* Calls for each event of the user's history would be much for little: callers loop over these. */
static bool known(const struct asking *a, uint32_t user, size_t e)
{
    return a->selection ? selection_has(a->selection, e) : (a->s->part[e] & split_history(a->s, user, a->on)) != 0;
}

static double history_length(const struct asking *a, uint32_t user)
{
    size_t n = 0;
    for (size_t e = a->d->user_begin[user]; e < a->d->user_begin[user + 1]; e++)
        n += known(a, user, e);
    return (double)n;
}

/* From the last known event to the moment of asking: the cut when there is one for all, else the first event judged. Seconds; NaN
 * where nothing is known or has a time. */
static double recency(const struct asking *a, uint32_t user)
{
    const int64_t *time = a->d->events.time;
    int64_t last = NO_TIME, moment = a->selection ? a->selection->until : a->on == PART_TEST ? a->s->test_from : a->s->valid_from, oldest;
    if (moment == NO_TIME && a->selection)
        dataset_time_range(a->d, &oldest, &moment);
    for (size_t e = a->d->user_begin[user]; e < a->d->user_begin[user + 1]; e++) {
        if (known(a, user, e) && time[e] != NO_TIME && (last == NO_TIME || time[e] > last))
            last = time[e];
        if (moment == NO_TIME && a->s && a->s->part[e] == a->on)
            moment = time[e];
    }
    return last == NO_TIME || moment == NO_TIME ? NAN : (double)(moment - last) / 1e6;
}

/* popular[item]: among the fifth of the items with the most train events. */
static enum status find_popular(const struct asking *a, uint8_t *popular, struct error *err)
{
    size_t items = a->d->items.n, most = 0, left = items / 5;
    uint32_t *count = mem_new(items, sizeof *count, "counts of items", err);
    if (!count)
        return ST_NOMEM;
    for (size_t e = 0; e < a->d->events.n; e++)
        if ((a->selection ? selection_has(a->selection, e) : a->s->part[e] == PART_TRAIN) && ++count[a->d->events.item[e]] > most)
            most = count[a->d->events.item[e]];
    size_t *with = mem_new(most + 2, sizeof *with, "counts of items", err);
    for (size_t i = 0; i < items && with; i++)
        with[count[i]]++;
    size_t least = most;
    for (; with && least > 0 && with[least] <= left; least--)
        left -= with[least];
    for (size_t i = 0; i < items && with; i++) /* of those as popular as the last one, the first */
        popular[i] = count[i] > least || (count[i] == least && left && left--);
    mem_free(count);
    mem_free(with);
    return with ? ST_OK : ST_NOMEM;
}

static double popular_share(const struct asking *a, uint32_t user, const uint8_t *popular)
{
    size_t n = 0, head = 0;
    for (size_t e = a->d->user_begin[user]; e < a->d->user_begin[user + 1]; e++) {
        if (known(a, user, e)) {
            n++;
            head += popular[a->d->events.item[e]];
        }
    }
    return n ? (double)head / (double)n : NAN;
}

/* ---- from numbers to segments ---- */

enum { NONE = UINT32_MAX };

static enum status add_segment(struct cohorts *s, const char *name, struct error *err)
{
    enum status st = mem_grow(&s->list, &s->capacity, s->n + 1, sizeof *s->list, err);
    char *copy = st ? NULL : mem_strdup(name, err);
    if (!copy)
        return ST_NOMEM;
    s->list[s->n++] = (struct cohort){.name = copy};
    return ST_OK;
}

/* Members: code[i] of user member[i] (NULL: i), in order of users; only those with only[user], NULL: all. Empty segments go. */
static enum status deal_out(struct cohorts *s, const uint32_t *code, const uint32_t *member, size_t n, const uint8_t *only,
                            struct error *err)
{
    s->users = mem_new_raw(n, sizeof *s->users, "users of segments", err);
    if (!s->users)
        return ST_NOMEM;
    uint32_t *next = s->users;
    size_t kept = 0;
    for (size_t g = 0; g < s->n; g++) {
        struct cohort *x = &s->list[g];
        x->users = next;
        for (size_t i = 0; i < n; i++) {
            uint32_t user = member ? member[i] : (uint32_t)i;
            if (code[i] == g && (!only || only[user]))
                *next++ = user;
        }
        x->n = (size_t)(next - x->users);
        if (x->n)
            s->list[kept++] = *x;
        else
            mem_free(x->name);
    }
    s->n = kept;
    return ST_OK;
}

static enum status add_segments(struct cohorts *s, const char *const *names, size_t n, const char *none, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < n && !st; i++)
        st = add_segment(s, names[i], err);
    return st ? st : add_segment(s, none, err);
}

/* Segment i holds x from bound[i] on, to below the next; the one after the last holds what is NaN or below all. */
static enum status deal_by_bounds(struct cohorts *s, const double *x, size_t n, const double *bound, size_t count,
                                  const uint8_t *only, struct error *err)
{
    uint32_t *code = mem_new_raw(n, sizeof *code, "segments", err);
    enum status st = code ? ST_OK : ST_NOMEM;
    for (size_t u = 0; u < n && !st; u++) {
        code[u] = (uint32_t)count;
        for (size_t i = 0; i < count && x[u] >= bound[i]; i++)
            code[u] = (uint32_t)i;
    }
    if (!st)
        st = deal_out(s, code, NULL, n, only, err);
    mem_free(code);
    return st;
}

static int by_number(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

enum { FEW = 8, FIFTHS = 5 };

/* Where segments of numbers begin: each number when they are few, else so that each has about a fifth of the users. */
static size_t find_bounds(const double *sorted, size_t n, double bound[FEW])
{
    size_t distinct = 0, found = 0;
    for (size_t i = 0; i < n && distinct <= FEW; i++)
        if (i == 0 || sorted[i] > sorted[i - 1]) {
            if (distinct < FEW)
                bound[distinct] = sorted[i];
            distinct++;
        }
    if (distinct <= FEW)
        return distinct;
    for (size_t i = 0; i < FIFTHS; i++) {
        double x = sorted[i * n / FIFTHS];
        if (!found || x > bound[found - 1])
            bound[found++] = x;
    }
    return found;
}

/* A number as the attribute would write it. */
static void put_number(struct str *s, const struct field *f, double x)
{
    char text[64];
    if (f->type == FIELD_TIME) {
        time_iso(text, sizeof text, (int64_t)x);
        text[10] = 0; /* the date */
        str_puts(s, text);
    } else if (f->type == FIELD_INT) {
        str_printf(s, "%.0f", x);
    } else {
        str_printf(s, "%.4g", x);
    }
}

/* "18-24" by the least and the most that is in it; "-3 to 5" where a dash would be read as a sign. */
static enum status name_numbers(struct cohorts *s, const struct field *f, const double *sorted, size_t n, const double *bound,
                                size_t count, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0, at = 0; i < count && !st; i++) {
        size_t end = at;
        struct str name = {0};
        while (end < n && (i + 1 == count || sorted[end] < bound[i + 1]))
            end++;
        put_number(&name, f, sorted[at]);
        if (sorted[end - 1] > sorted[at]) {
            str_puts(&name, f->type == FIELD_INT && sorted[at] >= 0 ? "-" : " to ");
            put_number(&name, f, sorted[end - 1]);
        }
        st = name.failed ? error_nomem(err, 0, "a segment") : add_segment(s, str_text(&name), err);
        str_free(&name);
        at = end;
    }
    return st;
}

static double number_of(const struct field *f, size_t row)
{
    if (field_missing(f, row))
        return NAN;
    return f->type == FIELD_REAL ? f->real[row] : (double)f->integer[row];
}

static enum status by_numbers(const struct asking *a, const struct field *f, struct cohorts *s, struct error *err)
{
    size_t n = a->c->nusers, some = 0, count = 0;
    double *x = mem_new_raw(2 * n, sizeof *x, "attributes of users", err), *sorted = x + n, bound[FEW];
    enum status st = x ? ST_OK : ST_NOMEM;
    for (size_t u = 0; u < n && !st; u++) {
        x[u] = number_of(f, a->c->user[u]);
        if (!isnan(x[u]) && a->c->warm[u])
            sorted[some++] = x[u];
    }
    if (!st) {
        qsort(sorted, some, sizeof *sorted, by_number);
        count = find_bounds(sorted, some, bound);
        st = name_numbers(s, f, sorted, some, bound, count, err);
    }
    if (!st)
        st = add_segment(s, "none", err);
    if (!st)
        st = deal_by_bounds(s, x, n, bound, count, a->c->warm, err);
    mem_free(x);
    return st;
}

/* ---- texts ---- */

/* Levels of a row: of TEXT none or one. */
static size_t levels_of(const struct field *f, size_t row, const uint32_t **levels)
{
    if (f->type == FIELD_LIST) {
        *levels = f->list_code + f->list_begin[row];
        return f->list_begin[row + 1] - f->list_begin[row];
    }
    *levels = &f->code[row];
    return !field_missing(f, row);
}

struct level {
    uint32_t level;
    size_t users;
};

static int by_size(const void *a, const void *b)
{
    const struct level *x = a, *y = b;
    return x->users != y->users ? (x->users < y->users) - (x->users > y->users) : (x->level > y->level) - (x->level < y->level);
}

/* Segment of each level: the most frequent have their own, the others share one; after them comes that of users without any. */
static enum status name_levels(const struct asking *a, const struct field *f, uint32_t *segment, struct cohorts *s, struct error *err)
{
    size_t levels = f->levels.n, some = 0;
    const uint32_t *of;
    struct level *order = mem_new(levels, sizeof *order, "levels", err);
    enum status st = order ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < levels && !st; i++)
        order[i].level = (uint32_t)i;
    for (size_t u = 0; u < a->c->nusers && !st; u++)
        for (size_t n = a->c->warm[u] ? levels_of(f, a->c->user[u], &of) : 0, i = 0; i < n; i++)
            order[of[i]].users++;
    if (!st)
        qsort(order, levels, sizeof *order, by_size);
    while (!st && some < levels && order[some].users)
        some++;
    size_t own = some <= COHORT_TEXTS ? some : COHORT_TEXTS - 1;
    for (size_t i = 0; i < levels && !st; i++) {
        segment[order[i].level] = (uint32_t)(i < own ? i : own);
        if (i < own)
            st = add_segment(s, dict_text(&f->levels, order[i].level), err);
    }
    if (!st)
        st = add_segment(s, "other", err);
    if (!st)
        st = add_segment(s, "none", err);
    mem_free(order);
    return st;
}

static enum status by_texts(const struct asking *a, const struct field *f, struct cohorts *s, struct error *err)
{
    const uint32_t *of;
    size_t members = 0, n = 0;
    for (size_t u = 0; u < a->c->nusers; u++) {
        size_t levels = levels_of(f, a->c->user[u], &of);
        members += levels ? levels : 1;
    }
    uint32_t *segment = mem_new_raw(f->levels.n, sizeof *segment, "segments", err),
             *code = mem_new_raw(2 * members, sizeof *code, "segments", err), *member = code + members;
    enum status st = segment && code ? name_levels(a, f, segment, s, err) : ST_NOMEM;
    for (uint32_t u = 0; u < a->c->nusers && !st; u++) {
        size_t levels = levels_of(f, a->c->user[u], &of), first = n;
        for (size_t i = 0; i < (levels ? levels : 1); i++) {
            uint32_t at = levels ? segment[of[i]] : (uint32_t)(s->n - 1);
            bool again = false;
            for (size_t j = first; j < n; j++)
                again |= code[j] == at;
            if (!again) {
                code[n] = at;
                member[n++] = u;
            }
        }
    }
    if (!st)
        st = deal_out(s, code, member, n, a->c->warm, err);
    mem_free(segment);
    mem_free(code);
    return st;
}

/* ---- built in ---- */

static enum status by_history(const struct asking *a, double *x, struct cohorts *s, struct error *err)
{
    static const double bound[] = {1, 5, 10, 20, 50, 100, 200, 500, 1000};
    static const char *const names[] = {"1-4", "5-9", "10-19", "20-49", "50-99", "100-199", "200-499", "500-999", "1000 or more"};
    for (size_t u = 0; u < a->c->nusers; u++)
        x[u] = history_length(a, a->c->user[u]);
    enum status st = add_segments(s, names, sizeof bound / sizeof *bound, "none", err);
    return st ? st : deal_by_bounds(s, x, a->c->nusers, bound, sizeof bound / sizeof *bound, NULL, err);
}

static enum status by_recency(const struct asking *a, double *x, struct cohorts *s, struct error *err)
{
    enum { HOUR = 3600, DAY = 24 * HOUR };
    static const double bound[] = {-INFINITY, HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY};
    static const char *const names[] = {"under 1h", "1h to 1d", "1d to 7d", "7d to 30d", "30d to 90d", "90d to 1y", "1y or more"};
    if (!a->d->events.time)
        return error_set(err, ST_STATE, "by=recency: no event has a time");
    for (size_t u = 0; u < a->c->nusers; u++)
        x[u] = recency(a, a->c->user[u]);
    enum status st = add_segments(s, names, sizeof bound / sizeof *bound, "unknown", err);
    return st ? st : deal_by_bounds(s, x, a->c->nusers, bound, sizeof bound / sizeof *bound, a->c->warm, err);
}

static enum status by_taste(const struct asking *a, double *x, struct cohorts *s, struct error *err)
{
    static const char *const names[] = {"niche", "mixed", "mainstream"};
    size_t n = a->c->nusers, some = 0;
    uint8_t *popular = mem_new(a->d->items.n, sizeof *popular, "popular items", err);
    double *sorted = mem_new_raw(n, sizeof *sorted, "tastes", err);
    enum status st = popular && sorted ? find_popular(a, popular, err) : ST_NOMEM;
    for (size_t u = 0; u < n && !st; u++) {
        x[u] = popular_share(a, a->c->user[u], popular);
        if (!isnan(x[u]))
            sorted[some++] = x[u];
    }
    if (!st) {
        qsort(sorted, some, sizeof *sorted, by_number);
        double low = some ? sorted[some / 5] : 0, high = some ? sorted[some - 1 - some / 5] : 0;
        bool same = low == high; /* then those are mixed */
        double bound[] = {-INFINITY, same ? low : nextafter(low, INFINITY), same ? nextafter(high, INFINITY) : high};
        st = add_segments(s, names, 3, "unknown", err);
        if (!st)
            st = deal_by_bounds(s, x, n, bound, 3, a->c->warm, err);
    }
    mem_free(popular);
    mem_free(sorted);
    return st;
}

static enum status by_cold(const struct asking *a, double *x, struct cohorts *s, struct error *err)
{
    static const double bound[] = {1};
    static const char *const names[] = {"warm"};
    for (size_t u = 0; u < a->c->nusers; u++)
        x[u] = a->c->warm[u] != 0;
    enum status st = add_segments(s, names, 1, "cold", err);
    return st ? st : deal_by_bounds(s, x, a->c->nusers, bound, 1, NULL, err);
}

static enum status by_built_in(const struct asking *a, const char *by, struct cohorts *s, struct error *err)
{
    static enum status (*const make[])(const struct asking *, double *, struct cohorts *, struct error *) = {by_history, by_recency,
                                                                                                             by_taste, by_cold};
    double *x = mem_new_raw(a->c->nusers, sizeof *x, "segments", err);
    enum status st = x ? ST_OK : ST_NOMEM;
    for (size_t i = 0; cohorts_built_in[i] && !st; i++)
        if (strcmp(by, cohorts_built_in[i]) == 0)
            st = make[i](a, x, s, err);
    mem_free(x);
    return st;
}

/* ---- all of it ---- */

const struct field *cohorts_user_field(const struct dataset *d, const char *by)
{
    return fields_find(&d->user_fields, text_starts(by, "user.") ? by + strlen("user.") : by);
}

static bool is_built_in(const char *by)
{
    bool is = false;
    for (size_t i = 0; cohorts_built_in[i]; i++)
        is |= strcmp(by, cohorts_built_in[i]) == 0;
    return is;
}

static enum status unknown(const struct dataset *d, const char *by, struct error *err)
{
    const char *names[64];
    size_t n = 0;
    struct str list = {0};
    for (size_t i = 0; cohorts_built_in[i]; i++)
        names[n++] = cohorts_built_in[i];
    for (size_t i = 0; i < d->user_fields.n && n < 64; i++)
        names[n++] = d->user_fields.field[i].name;
    for (size_t i = 0; i < n; i++)
        str_printf(&list, "%s%s", i ? ", " : "", names[i]);
    const char *near = text_nearest(by, names, n);
    error_set(err, ST_USAGE, "users have no \"%s\" to be told apart by", by);
    error_hint(err, near ? "did you mean %s? There is %s" : "%s%s", near ? near : "there is ", str_text(&list));
    str_free(&list);
    return ST_USAGE;
}

static enum status make(const struct asking *a, const char *by, struct cohorts *out, struct error *err)
{
    const struct dataset *d = a->d;
    const struct field *f = is_built_in(by) ? NULL : cohorts_user_field(d, by);
    enum status st = ST_OK;
    *out = (struct cohorts){.by = NULL};
    if (!f && !is_built_in(by))
        return unknown(d, by, err);
    out->by = mem_strdup(f ? f->name : by, err);
    if (!out->by)
        st = ST_NOMEM;
    else if (!f)
        st = by_built_in(a, by, out, err);
    else
        st = f->type == FIELD_TEXT || f->type == FIELD_LIST ? by_texts(a, f, out, err) : by_numbers(a, f, out, err);
    if (st)
        cohorts_clear(out);
    return st;
}

enum status cohorts_make(const struct dataset *d, const struct split *s, enum part on, const struct comparison *c, const char *by,
                          struct cohorts *out, struct error *err)
{
    struct asking a = {.d = d, .s = s, .on = on, .c = c};
    return make(&a, by, out, err);
}

enum status cohorts_of_users(const struct selection *known, const uint32_t *users, size_t n, const char *by, struct cohorts *out, struct error *err)
{
    uint8_t *warm = mem_new_raw(n, sizeof *warm, "users of segments", err);
    struct comparison c = {.nusers = n, .user = users, .warm = warm};
    struct asking a = {.d = known->data, .c = &c, .selection = known};
    *out = (struct cohorts){.by = NULL};
    if (!warm)
        return ST_NOMEM;
    memset(warm, 1, n);
    enum status st = make(&a, by, out, err);
    mem_free(warm);
    return st;
}

void cohorts_clear(struct cohorts *s)
{
    for (size_t i = 0; i < s->n; i++)
        mem_free(s->list[i].name);
    mem_free(s->list);
    mem_free(s->users);
    mem_free(s->by);
    *s = (struct cohorts){.by = NULL};
}

enum status cohorts_compare(const struct comparison *c, size_t x, size_t y, const struct cohorts *list, size_t n,
                             struct difference *out, struct error *err)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        total += list[i].n;
    double *p = mem_new_raw(2 * total, sizeof *p, "p-values", err), *adjusted = p + total;
    enum status st = p ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < n && !st; i++)
        for (size_t g = 0; g < list[i].n && !st; g++, at++) {
            st = comparison_difference(c, x, y, list[i].list[g].users, list[i].list[g].n, &out[at], err);
            p[at] = out[at].p;
        }
    if (!st)
        st = adjust_p(c->adjust, p, total, 0, adjusted, err);
    for (size_t i = 0; i < total && !st; i++)
        out[i].adjusted = adjusted[i];
    mem_free(p);
    return st;
}
