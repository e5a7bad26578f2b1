/* By the draw, whatever the time: a share of each user's items, or n of them. */
#include <stdlib.h>

#include "base/rng.h"
#include "data/split_rule.h"

/* `most` of each user's items: n of those who have more, or (n 0) the share. */
static void draw(struct carver *c, enum part part, size_t n, double share)
{
    for (size_t u = 0; u < c->d->users.n; u++) {
        size_t begin = c->d->user_begin[u], end = c->d->user_begin[u + 1];
        size_t all = carve_items(c, begin, end, false), judged = carve_items(c, begin, end, true);
        size_t want = n ? n : carve_share(share, judged);
        if (want == 0 || want >= all || want > judged)
            continue;
        struct rng r = rng_stream(c->s->spec.seed, part == PART_TEST ? "split random" : "split valid", u);
        rng_shuffle(&r, c->scratch, judged);
        qsort(c->scratch, want, sizeof *c->scratch, carve_by_number);
        carve_move_items(c, begin, end, c->scratch, want, part);
    }
}

void carve_random(struct carver *c, enum part part, double share)
{
    draw(c, part, 0, share);
}

static enum status carve(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    draw(c, PART_TEST, spec->last, spec->share);
    if (spec->valid_share > 0)
        draw(c, PART_VALID, spec->last, spec->valid_share);
    return ST_OK;
}

static enum status check(const struct split_spec *spec, struct error *err)
{
    return spec->last ? ST_OK : carve_check_share(spec->share, err);
}

static void describe(const struct split *s, struct str *out)
{
    if (s->spec.last) {
        str_printf(out, "random %zu of each user's items", s->spec.last);
        return;
    }
    str_puts(out, "random ");
    carve_put_percent(out, s->spec.share);
    str_puts(out, " of each user's items");
}

const struct split_rule split_rule_random = {
    .name = "random",
    .drawn = true,
    .check = check,
    .carve = carve,
    .describe = describe,
};
