/* K folds, each tested once. Items of one user are dealt out from a random fold on, so that users with few of them do
 * not all fall into the same folds; all events of one (user, item) are in one fold. Or the users are dealt out. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/split_rule.h"

static void deal_items(struct carver *c)
{
    size_t folds = c->s->spec.folds, mine = c->s->spec.fold - 1;
    for (size_t u = 0; u < c->d->users.n; u++) {
        size_t begin = c->d->user_begin[u], end = c->d->user_begin[u + 1], n = carve_items(c, begin, end, true),
               kept = 0;
        struct rng r = rng_stream(c->s->spec.seed, "split folds", u);
        size_t first = (size_t)rng_below(&r, folds);
        rng_shuffle(&r, c->scratch, n);
        for (size_t i = 0; i < n; i++)
            if ((first + i) % folds == mine)
                c->scratch[kept++] = c->scratch[i];
        qsort(c->scratch, kept, sizeof *c->scratch, carve_by_number);
        carve_move_items(c, begin, end, c->scratch, kept, PART_TEST);
    }
}

static enum status deal_users(struct carver *c)
{
    enum status st = carve_make_held_out(c);
    uint32_t n = 0;
    for (uint32_t u = 0; u < c->d->users.n; u++) {
        bool any = false;
        for (size_t e = c->d->user_begin[u]; e < c->d->user_begin[u + 1] && !any; e++)
            any = carve_train(c, e);
        if (any)
            c->scratch[n++] = u;
    }
    struct rng r = rng_stream(c->s->spec.seed, "split folds", UINT64_MAX);
    rng_shuffle(&r, c->scratch, n);
    for (size_t i = c->s->spec.fold - 1; !st && i < n; i += c->s->spec.folds)
        carve_hold_out(c, c->scratch[i], PART_TEST);
    return st;
}

static enum status carve(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    enum status st = ST_OK;
    if (spec->by_users)
        st = deal_users(c);
    else
        deal_items(c);
    if (st || !(spec->valid_share > 0))
        return st;
    if (spec->by_users)
        return carve_users(c, PART_VALID, spec->valid_share);
    carve_random(c, PART_VALID, spec->valid_share);
    return ST_OK;
}

static enum status check(const struct split_spec *spec, struct error *err)
{
    if (spec->folds < 2 || spec->folds > SPLIT_FOLDS_MAX)
        return error_set(err, ST_USAGE, "there are 2 to %d folds", SPLIT_FOLDS_MAX);
    if (spec->fold < 1 || spec->fold > spec->folds)
        return error_set(err, ST_USAGE, "there is no fold %zu: they are 1 to %zu", spec->fold, spec->folds);
    return spec->by_users ? carve_check_holdout(spec->holdout, err) : ST_OK;
}

static void describe(const struct split *s, struct str *out)
{
    str_printf(out, "fold %zu of %zu ", s->spec.fold, s->spec.folds);
    if (!s->spec.by_users) {
        str_puts(out, "of each user's items");
        return;
    }
    str_puts(out, "of the users, the last ");
    carve_put_percent(out, s->spec.holdout);
    str_puts(out, " of theirs are test");
}

const struct split_rule split_rule_folds = {
    .name = "folds",
    .drawn = true,
    .check = check,
    .carve = carve,
    .describe = describe,
};
