/* What the rules of splitting share. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/split_rule.h"

bool carve_counts(const struct dataset *d, size_t e)
{
    return d->type_weight[d->events.type[e]] > 0;
}

bool carve_judged(const struct carver *c, size_t e)
{
    return c->target == NO_CODE || c->d->events.type[e] == c->target;
}

bool carve_train(const struct carver *c, size_t e)
{
    return c->s->part[e] == PART_TRAIN;
}

size_t carve_share(double share, size_t n)
{
    size_t want = (size_t)floor(share * (double)n + .5);
    return want < n ? want : n ? n - 1 : 0;
}

size_t carve_tail(const struct carver *c, size_t begin, size_t end, size_t n)
{
    size_t at = end;
    while (n && at > begin) {
        at--;
        n -= carve_train(c, at) && carve_judged(c, at);
    }
    if (n)
        return end;
    for (size_t e = begin; e < at; e++)
        if (carve_train(c, e))
            return at;
    return end;
}

void carve_move(struct carver *c, size_t begin, size_t end, enum part part, enum part rest)
{
    for (size_t e = begin; e < end; e++)
        if (carve_train(c, e))
            c->s->part[e] = (uint8_t)(carve_judged(c, e) ? part : rest);
}

enum part carve_between(enum part part)
{
    return part == PART_VALID ? PART_HISTORY : PART_NONE;
}

int carve_by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

size_t carve_items(struct carver *c, size_t begin, size_t end, bool only_judged)
{
    size_t n = 0, kept = 0;
    for (size_t e = begin; e < end; e++)
        if (carve_train(c, e) && (!only_judged || carve_judged(c, e)))
            c->scratch[n++] = c->d->events.item[e];
    qsort(c->scratch, n, sizeof *c->scratch, carve_by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || c->scratch[i] != c->scratch[kept - 1])
            c->scratch[kept++] = c->scratch[i];
    return kept;
}

void carve_move_items(struct carver *c, size_t begin, size_t end, const uint32_t *items, size_t n, enum part part)
{
    const uint32_t *item = c->d->events.item;
    for (size_t e = begin; e < end; e++)
        if (carve_train(c, e) && bsearch(&item[e], items, n, sizeof *items, carve_by_number))
            carve_move(c, e, e + 1, part, PART_NONE);
}

void carve_put_percent(struct str *out, double share)
{
    char number[32];
    text_real(number, sizeof number, round(share * 1e6) / 1e4);
    str_printf(out, "%s %%", number);
}

enum status carve_check_share(double share, struct error *err)
{
    if (share > 0 && share < 1)
        return ST_OK;
    return error_set(err, ST_USAGE, "the share of a split lies between 0 and 100 %%, both excluded");
}

enum status carve_check_holdout(double holdout, struct error *err)
{
    if (holdout > 0 && holdout < 1)
        return ST_OK;
    return error_set(err, ST_USAGE, "the share of a held-out user's events that is test lies between 0 and 100 %%");
}
