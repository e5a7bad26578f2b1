/* Held-out users: nothing of theirs is trained on. */
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/split_rule.h"

void carve_hold_out(struct carver *c, uint32_t u, enum part part)
{
    size_t begin = c->d->user_begin[u], end = c->d->user_begin[u + 1], n = 0;
    for (size_t e = begin; e < end; e++)
        n += carve_train(c, e) && carve_judged(c, e);
    size_t want = (size_t)floor(c->s->spec.holdout * (double)n + .5);
    size_t at = carve_tail(c, begin, end, want ? want : 1);
    for (size_t e = begin; e < at; e++)
        if (carve_train(c, e))
            c->s->part[e] = PART_HISTORY;
    carve_move(c, at, end, part, PART_NONE);
    c->s->held_out[u] = 1;
}

enum status carve_make_held_out(struct carver *c)
{
    if (!c->s->held_out)
        c->s->held_out = mem_new(c->d->users.n, 1, "held-out users", c->err);
    return c->s->held_out ? ST_OK : ST_NOMEM;
}

static bool has_train(const struct carver *c, uint32_t u)
{
    for (size_t e = c->d->user_begin[u]; e < c->d->user_begin[u + 1]; e++)
        if (carve_train(c, e))
            return true;
    return false;
}

enum status carve_users(struct carver *c, enum part part, double share)
{
    uint32_t n = 0;
    for (uint32_t u = 0; u < c->d->users.n; u++)
        if (has_train(c, u))
            c->scratch[n++] = u;
    struct rng r = rng_stream(c->s->spec.seed, "split users", part);
    rng_shuffle(&r, c->scratch, n);
    size_t want = carve_share(share, n);
    enum status st = carve_make_held_out(c);
    for (size_t i = 0; !st && i < (want || n < 2 ? want : 1); i++)
        carve_hold_out(c, c->scratch[i], part);
    return st;
}

static enum status carve(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    enum status st = carve_users(c, PART_TEST, spec->share);
    return st || !(spec->valid_share > 0) ? st : carve_users(c, PART_VALID, spec->valid_share);
}

static enum status check(const struct split_spec *spec, struct error *err)
{
    enum status st = carve_check_share(spec->share, err);
    return st ? st : carve_check_holdout(spec->holdout, err);
}

static void describe(const struct split *s, struct str *out)
{
    carve_put_percent(out, s->spec.share);
    str_puts(out, " of the users held out, the last ");
    carve_put_percent(out, s->spec.holdout);
    str_puts(out, " of theirs are test");
}

const struct split_rule split_rule_users = {
    .name = "users",
    .in_order = true,
    .drawn = true,
    .check = check,
    .carve = carve,
    .describe = describe,
};
