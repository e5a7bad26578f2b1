#include "eval/cohorts_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- from numbers to segments ---- */

static enum status add_segment(struct cohorts *s, const char *name, struct error *err)
{
    enum status st = mem_grow(&s->list, &s->capacity, s->n + 1, sizeof *s->list, err);
    char *copy = st ? NULL : mem_strdup(name, err);
    if (!copy)
        return ST_NOMEM;
    s->list[s->n++] = (struct cohort){.name = copy};
    return ST_OK;
}

/* Members: code[i] of user member[i] (NULL: i), in order of users; only those with only[user], NULL: all. Empty
 * segments go. */
static enum status deal_out(struct cohorts *s, const uint32_t *code, const uint32_t *member, size_t n,
                            const uint8_t *only, struct error *err)
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

enum status cohorts_add_all(struct cohorts *s, const char *const *names, size_t n, const char *none, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < n && !st; i++)
        st = add_segment(s, names[i], err);
    return st ? st : add_segment(s, none, err);
}

enum status cohorts_deal(struct cohorts *s, const double *x, size_t n, const double *bound, size_t count,
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

int number_order(const void *a, const void *b)
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
static enum status name_numbers(struct cohorts *s, const struct field *f, const double *sorted, size_t n,
                                const double *bound, size_t count, struct error *err)
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
    size_t n = a->n, some = 0, count = 0;
    double *x = mem_new_raw(2 * n, sizeof *x, "attributes of users", err), *sorted = x + n, bound[FEW];
    enum status st = x ? ST_OK : ST_NOMEM;
    for (size_t u = 0; u < n && !st; u++) {
        x[u] = number_of(f, asking_row(a, u));
        if (!isnan(x[u]) && asking_counts(a, u))
            sorted[some++] = x[u];
    }
    if (!st) {
        qsort(sorted, some, sizeof *sorted, number_order);
        count = find_bounds(sorted, some, bound);
        st = name_numbers(s, f, sorted, some, bound, count, err);
    }
    if (!st)
        st = add_segment(s, "none", err);
    if (!st)
        st = cohorts_deal(s, x, n, bound, count, a->counted, err);
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
    return x->users != y->users ? (x->users < y->users) - (x->users > y->users)
                                : (x->level > y->level) - (x->level < y->level);
}

/* Segment of each level: the most frequent have their own, the others share one; after them comes that of users without
 * any. */
static enum status name_levels(const struct asking *a, const struct field *f, uint32_t *segment, struct cohorts *s,
                               struct error *err)
{
    size_t levels = f->levels.n, some = 0;
    const uint32_t *of;
    struct level *order = mem_new(levels, sizeof *order, "levels", err);
    enum status st = order ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < levels && !st; i++)
        order[i].level = (uint32_t)i;
    for (size_t u = 0; u < a->n && !st; u++)
        for (size_t n = asking_counts(a, u) ? levels_of(f, asking_row(a, u), &of) : 0, i = 0; i < n; i++)
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
    for (size_t u = 0; u < a->n; u++) {
        size_t levels = levels_of(f, asking_row(a, u), &of);
        members += levels ? levels : 1;
    }
    uint32_t *segment = mem_new_raw(f->levels.n, sizeof *segment, "segments", err),
             *code = mem_new_raw(2 * members, sizeof *code, "segments", err), *member = code + members;
    enum status st = segment && code ? name_levels(a, f, segment, s, err) : ST_NOMEM;
    for (uint32_t u = 0; u < a->n && !st; u++) {
        size_t levels = levels_of(f, asking_row(a, u), &of), first = n;
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
        st = deal_out(s, code, member, n, a->counted, err);
    mem_free(segment);
    mem_free(code);
    return st;
}

/* ---- all of it ---- */

const struct field *cohorts_user_field(const struct dataset *d, const char *by)
{
    return fields_find(&d->user_fields, text_starts(by, "user.") ? by + strlen("user.") : by);
}

const struct field *cohorts_item_field(const struct dataset *d, const char *by)
{
    return fields_find(&d->item_fields, text_starts(by, "item.") ? by + strlen("item.") : by);
}

static bool is_built_in(const char *by)
{
    bool is = false;
    for (size_t i = 0; cohorts_built_in[i]; i++)
        is |= strcmp(by, cohorts_built_in[i]) == 0;
    return is;
}

bool cohorts_are_of_users(const struct dataset *d, const char *by)
{
    return is_built_in(by) || cohorts_user_field(d, by);
}

bool cohorts_are_of_items(const struct dataset *d, const char *by)
{
    return !cohorts_are_of_users(d, by) && (strcmp(by, COHORTS_POPULARITY) == 0 || cohorts_item_field(d, by));
}

enum status cohorts_unknown(const struct dataset *d, const char *by, bool items_too, struct error *err)
{
    enum { MOST = 64 };
    const char *names[MOST] = {NULL};
    size_t n = 0;
    struct str list = {0};
    for (size_t i = 0; cohorts_built_in[i]; i++)
        names[n++] = cohorts_built_in[i];
    for (size_t i = 0; i < d->user_fields.n && n < MOST; i++)
        names[n++] = d->user_fields.field[i].name;
    if (items_too && n < MOST)
        names[n++] = COHORTS_POPULARITY;
    for (size_t i = 0; i < d->item_fields.n && n < MOST && items_too; i++)
        names[n++] = d->item_fields.field[i].name;
    for (size_t i = 0; i < n; i++)
        str_printf(&list, "%s%s", i ? ", " : "", names[i]);
    const char *near = text_nearest(by, names, n);
    error_set(err, ST_USAGE,
              items_too ? "neither users nor items have a \"%s\" to be told apart by"
                        : "users have no \"%s\" to be told apart by",
              by);
    error_hint(err, near ? "did you mean %s? There is %s" : "%s%s", near ? near : "there is ", str_text(&list));
    str_free(&list);
    return ST_USAGE;
}

static enum status by_field(const struct asking *a, const struct field *f, struct cohorts *s, struct error *err)
{
    return f->type == FIELD_TEXT || f->type == FIELD_LIST ? by_texts(a, f, s, err) : by_numbers(a, f, s, err);
}

static enum status named(struct cohorts *out, const char *by, struct error *err)
{
    *out = (struct cohorts){.by = mem_strdup(by, err)};
    return out->by ? ST_OK : ST_NOMEM;
}

static enum status make(const struct asking *a, const char *by, struct cohorts *out, struct error *err)
{
    const struct field *f = is_built_in(by) ? NULL : cohorts_user_field(a->d, by);
    *out = (struct cohorts){.by = NULL};
    if (!cohorts_are_of_users(a->d, by))
        return cohorts_unknown(a->d, by, false, err);
    enum status st = named(out, f ? f->name : by, err);
    if (!st)
        st = f ? by_field(a, f, out, err) : cohorts_by_built_in(a, by, out, err);
    if (st)
        cohorts_clear(out);
    return st;
}

enum status cohorts_make(const struct dataset *d, const struct split *s, enum part on, const struct comparison *c,
                         const char *by, struct cohorts *out, struct error *err)
{
    struct asking a = {.d = d, .s = s, .on = on, .n = c->nusers, .row = c->user, .counted = c->warm};
    return make(&a, by, out, err);
}

enum status cohorts_of_evaluation(const struct dataset *d, const struct split *s, const struct evaluation *e,
                                  const char *by, struct cohorts *out, struct error *err)
{
    struct asking a = {.d = d, .s = s, .on = e->protocol.on, .n = e->nusers, .row = e->user, .counted = e->warm};
    return make(&a, by, out, err);
}

enum status cohorts_of_users(const struct selection *known, const uint32_t *users, size_t n, const char *by,
                             struct cohorts *out, struct error *err)
{
    struct asking a = {.d = known->data, .selection = known, .n = n, .row = users};
    return make(&a, by, out, err);
}

enum status cohorts_of_users_by(const struct selection *known, const uint32_t *users, size_t n, const char *list,
                                struct cohorts **out, size_t *nout, struct error *err)
{
    size_t most = 1;
    enum status st = ST_OK;
    for (const char *p = list; *p; p++)
        most += *p == ',';
    *nout = 0;
    *out = mem_new(most, sizeof **out, "segments", err);
    if (!*out)
        return ST_NOMEM;
    for (size_t length; *list && !st; list += length + (list[length] == ',')) {
        length = strcspn(list, ",");
        char *by = mem_strndup(list, length, err);
        st = by ? cohorts_of_users(known, users, n, by, &(*out)[*nout], err) : ST_NOMEM;
        *nout += !st;
        mem_free(by);
    }
    return st;
}

enum status cohorts_of_items(struct dataset *d, const struct split *s, const struct protocol *p, const char *by,
                             struct cohorts *out, struct error *err)
{
    const struct field *f = strcmp(by, COHORTS_POPULARITY) == 0 ? NULL : cohorts_item_field(d, by);
    struct asking a = {.d = d, .n = d->items.n};
    *out = (struct cohorts){.by = NULL};
    if (!f && strcmp(by, COHORTS_POPULARITY) != 0)
        return cohorts_unknown(d, by, true, err);
    enum status st = named(out, f ? f->name : by, err);
    if (!st)
        st = f ? by_field(&a, f, out, err) : cohorts_by_popularity(d, s, p, out, err);
    if (st)
        cohorts_clear(out);
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

void cohorts_free(struct cohorts *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cohorts_clear(&list[i]);
    mem_free(list);
}

enum status cohorts_compare(const struct comparison *c, size_t x, size_t y, const struct cohorts *list, size_t n,
                             struct difference *out, struct error *err)
{
    size_t at = 0;
    enum status st = ST_OK;
    for (size_t i = 0; i < n && !st; i++)
        for (size_t g = 0; g < list[i].n && !st; g++)
            st = comparison_difference(c, x, y, list[i].list[g].users, list[i].list[g].n, &out[at++], err);
    return st ? st : differences_adjust(c, out, at, err);
}
