/* The end of each user's own history: the last n events, or the last share of them. */
#include "data/split_rule.h"

static size_t judged_events(const struct carver *c, size_t begin, size_t end)
{
    size_t n = 0;
    for (size_t e = begin; e < end; e++)
        n += carve_train(c, e) && carve_judged(c, e);
    return n;
}

/* share 0: the last n of everybody who has more. */
static void carve_last(struct carver *c, enum part part, double share)
{
    const size_t *run = c->d->user_begin;
    for (size_t u = 0; u < c->d->users.n; u++) {
        size_t want = share > 0 ? carve_share(share, judged_events(c, run[u], run[u + 1])) : c->s->spec.last;
        carve_move(c, want ? carve_tail(c, run[u], run[u + 1], want) : run[u + 1], run[u + 1], part,
                   carve_between(part));
    }
}

static enum status carve(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    carve_last(c, PART_TEST, spec->last ? 0 : spec->share);
    if (spec->valid_share > 0)
        carve_last(c, PART_VALID, spec->last ? 0 : spec->valid_share);
    return ST_OK;
}

static enum status check(const struct split_spec *spec, struct error *err)
{
    if (spec->last || (spec->share > 0 && spec->share < 1))
        return ST_OK;
    return error_set(err, ST_USAGE,
                     "a split of the last events needs at least 1 of them, or a share between 0 and 100 %%");
}

static void describe(const struct split *s, struct str *out)
{
    if (s->spec.last) {
        str_printf(out, "last %zu per user", s->spec.last);
    } else {
        str_puts(out, "last ");
        carve_put_percent(out, s->spec.share);
        str_puts(out, " of each user's events");
    }
}

const struct split_rule split_rule_last = {
    .name = "last",
    .in_order = true,
    .check = check,
    .carve = carve,
    .describe = describe,
};
