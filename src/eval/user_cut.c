#include "eval/user_cut.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void history_lengths(const struct selection *s, uint32_t *lengths)
{
    const struct dataset *d = s->data;
    for (size_t u = 0; u < d->users.n; u++) {
        lengths[u] = 0;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
            lengths[u] += selection_has(s, e);
    }
}

static enum status no_such_attribute(const struct dataset *d, const char *by, struct error *err)
{
    struct str all = {0};
    error_set(err, ST_NOT_FOUND, "users have no attribute \"%s\"", by);
    for (size_t i = 0; i < d->user_fields.n; i++)
        str_printf(&all, ", %s", d->user_fields.field[i].name);
    error_hint(err, "there are: " CUT_BY_HISTORY "%s", str_text(&all));
    str_free(&all);
    return ST_NOT_FOUND;
}

static enum status name_segment(struct user_cut *c, const char *name, uint32_t *code, struct error *err)
{
    return dict_add(&c->names, name, strlen(name), code, err);
}

/* ---- by length ---- */

static enum status cut_by_length(const struct selection *s, struct user_cut *c, struct error *err)
{
    static const uint32_t from[] = {0, 1, 5, 10, 20, 50, 100};
    static const char *const name[] = {"none", "1 to 4", "5 to 9", "10 to 19", "20 to 49", "50 to 99", "100 and more"};
    enum { PARTS = sizeof from / sizeof *from };
    uint32_t code, segment[PARTS];
    size_t users[PARTS] = {0};
    enum status st = ST_OK;
    history_lengths(s, c->of_user);
    for (size_t u = 0; u < c->nusers; u++) {
        size_t p = PARTS - 1;
        while (c->of_user[u] < from[p])
            p--;
        c->of_user[u] = (uint32_t)p;
        users[p]++;
    }
    for (size_t p = 0; p < PARTS && !st; p++) {
        segment[p] = NO_CODE;
        if (!users[p])
            continue;
        st = name_segment(c, name[p], &code, err);
        segment[p] = code;
    }
    for (size_t u = 0; u < c->nusers && !st; u++)
        c->of_user[u] = segment[c->of_user[u]];
    return st;
}

/* ---- by numbers ---- */

static double number_of(const struct field *f, size_t u)
{
    if (f->type == FIELD_REAL)
        return f->real[u];
    return f->integer[u] == NO_INT ? (double)NAN : (double)f->integer[u];
}

static int by_size(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void put_number(const struct field *f, double x, struct str *out)
{
    char text[40];
    if (f->type == FIELD_TIME)
        time_short(text, sizeof text, (int64_t)x);
    else
        snprintf(text, sizeof text, "%.6g", x);
    str_puts(out, text);
}

enum { PARTS_OF_NUMBERS = 5 };

/* Ends of the parts, ascending: the last value of each. Equal values stay together. */
static size_t find_ends(const double *sorted, size_t n, double ends[PARTS_OF_NUMBERS])
{
    size_t parts = 0;
    for (size_t p = 1; p <= PARTS_OF_NUMBERS && n; p++) {
        double end = sorted[p * n / PARTS_OF_NUMBERS ? p * n / PARTS_OF_NUMBERS - 1 : 0];
        if (!parts || end > ends[parts - 1])
            ends[parts++] = end;
    }
    return parts;
}

static enum status name_parts(const struct field *f, const double *sorted, size_t n, const double *ends, size_t parts, struct user_cut *c,
                              struct error *err)
{
    enum status st = ST_OK;
    size_t at = 0;
    for (size_t p = 0; p < parts && !st; p++) {
        struct str name = {0};
        uint32_t code;
        put_number(f, sorted[at], &name);
        if (ends[p] > sorted[at]) {
            str_puts(&name, " to ");
            put_number(f, ends[p], &name);
        }
        while (at < n && !(sorted[at] > ends[p]))
            at++;
        st = name.failed ? ST_NOMEM : name_segment(c, str_text(&name), &code, err);
        str_free(&name);
    }
    return st;
}

static enum status cut_by_number(const struct field *f, struct user_cut *c, struct error *err)
{
    size_t n = 0;
    double ends[PARTS_OF_NUMBERS], *sorted = mem_new_raw(c->nusers, sizeof *sorted, "values of users", err);
    if (!sorted)
        return ST_NOMEM;
    for (size_t u = 0; u < c->nusers; u++)
        if (!isnan(number_of(f, u)))
            sorted[n++] = number_of(f, u);
    qsort(sorted, n, sizeof *sorted, by_size);
    size_t parts = find_ends(sorted, n, ends);
    enum status st = name_parts(f, sorted, n, ends, parts, c, err);
    for (size_t u = 0; u < c->nusers && !st; u++) {
        double x = number_of(f, u);
        uint32_t p = 0;
        while (p < parts && x > ends[p])
            p++;
        c->of_user[u] = isnan(x) ? NO_CODE : p;
    }
    mem_free(sorted);
    return st;
}

/* ---- by words ---- */

static enum status cut_by_words(const struct field *f, struct user_cut *c, struct error *err)
{
    struct str cell = {0};
    enum status st = ST_OK;
    for (size_t u = 0; u < c->nusers && !st; u++) {
        c->of_user[u] = NO_CODE;
        if (field_missing(f, u))
            continue;
        str_clear(&cell);
        field_format(f, u, &cell);
        st = cell.failed ? error_nomem(err, cell.length, "a segment") : name_segment(c, str_text(&cell), &c->of_user[u], err);
    }
    str_free(&cell);
    return st;
}

enum status user_cut_make(const struct selection *s, const char *by, struct user_cut *out, struct error *err)
{
    const struct dataset *d = s->data;
    const struct field *f = fields_find(&d->user_fields, by);
    *out = (struct user_cut){.nusers = d->users.n};
    bool length = !f && strcmp(by, CUT_BY_HISTORY) == 0;
    if (!f && !length)
        return no_such_attribute(d, by, err);
    out->of_user = mem_new_raw(d->users.n, sizeof *out->of_user, "segments of users", err);
    if (!out->of_user)
        return ST_NOMEM;
    if (length)
        return cut_by_length(s, out, err);
    return f->type == FIELD_TEXT || f->type == FIELD_LIST ? cut_by_words(f, out, err) : cut_by_number(f, out, err);
}

void user_cut_clear(struct user_cut *c)
{
    dict_clear(&c->names);
    mem_free(c->of_user);
    *c = (struct user_cut){0};
}
