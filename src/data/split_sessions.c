/* Whole sessions: the last n of each user. A session is what the context column "session" says; of sessions that
 * interleave, the one that began later is the later one, and what an earlier one does after that is in no part. */
#include <stdlib.h>

#include "base/mem.h"
#include "data/split_rule.h"

/* A session of the user at hand, and the place of its first train event in the user's run. */
struct session {
    int64_t key;
    size_t first;
};

static int by_key(const void *a, const void *b)
{
    const struct session *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static int64_t key_of(const struct field *f, size_t e)
{
    return f->type == FIELD_TEXT ? (f->code[e] == NO_CODE ? NO_INT : (int64_t)f->code[e]) : f->integer[e];
}

/* The sessions of [begin, end), ascending by key; their first places ascending in c->scratch. */
static size_t find_sessions(struct carver *c, const struct field *f, size_t begin, size_t end, struct session *list)
{
    size_t n = 0, kept = 0;
    for (size_t e = begin; e < end; e++)
        if (carve_train(c, e) && key_of(f, e) != NO_INT)
            list[n++] = (struct session){key_of(f, e), e - begin};
    qsort(list, n, sizeof *list, by_key);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || list[i].key != list[kept - 1].key)
            list[kept++] = list[i];
    for (size_t i = 0; i < kept; i++)
        c->scratch[i] = (uint32_t)list[i].first;
    qsort(c->scratch, kept, sizeof *c->scratch, carve_by_number);
    return kept;
}

static size_t first_of(const struct session *list, size_t n, int64_t key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return list[low].first;
}

static void carve_user(struct carver *c, const struct field *f, size_t u, enum part part, struct session *list)
{
    size_t begin = c->d->user_begin[u], end = c->d->user_begin[u + 1], want = c->s->spec.last;
    size_t n = find_sessions(c, f, begin, end, list);
    if (n <= want)
        return;
    size_t at = c->scratch[n - want];
    bool any = false;
    for (size_t e = begin + at; e < end; e++)
        any |=
            carve_train(c, e) && carve_judged(c, e) && key_of(f, e) != NO_INT && first_of(list, n, key_of(f, e)) >= at;
    for (size_t e = begin + at; any && e < end; e++) {
        bool late = carve_train(c, e) && key_of(f, e) != NO_INT && first_of(list, n, key_of(f, e)) >= at;
        carve_move(c, e, e + 1, late ? part : carve_between(part), carve_between(part));
    }
}

static enum status carve(struct carver *c)
{
    const struct field *f = fields_find(&c->d->events.context, "session");
    if (!f || (f->type != FIELD_TEXT && f->type != FIELD_INT)) {
        error_set(c->err, ST_USAGE, "this data has no column session, so it cannot be split by sessions");
        error_hint(c->err, "`sessions gap=30m` makes one; or try `split last 1`");
        return ST_USAGE;
    }
    struct session *list = mem_new_raw(c->longest, sizeof *list, "sessions of one user", c->err);
    if (!list)
        return ST_NOMEM;
    for (size_t u = 0; u < c->d->users.n; u++)
        carve_user(c, f, u, PART_TEST, list);
    for (size_t u = 0; c->s->spec.valid_share > 0 && u < c->d->users.n; u++)
        carve_user(c, f, u, PART_VALID, list);
    mem_free(list);
    return ST_OK;
}

static enum status check(const struct split_spec *spec, struct error *err)
{
    return spec->last ? ST_OK : error_set(err, ST_USAGE, "a split of the last sessions needs at least 1 of them");
}

static void describe(const struct split *s, struct str *out)
{
    str_printf(out, "last %zu session%s per user", s->spec.last, s->spec.last == 1 ? "" : "s");
}

const struct split_rule split_rule_sessions = {
    .name = "sessions",
    .in_order = true,
    .check = check,
    .carve = carve,
    .describe = describe,
};
