/* The made-up shop, going on after its log ends. Every life is replayed to the last day of the log, with the tastes,
 * the memories and the mood that made it; then the policies take the place of the shop's own slates. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/environment.h"
#include "sim/generate.h"

struct shop {
    struct world *w;
    uint32_t *item; /* of the data set -> of the world */
    uint32_t *user;
    uint32_t *stand; /* of the world -> of the data set */
};

struct guest {
    struct shopper s;
    struct log log;
};

static enum status guest_new(const struct environment *e, struct guest **out, struct error *err)
{
    const struct shop *shop = e->state;
    struct guest *g = mem_new(1, sizeof *g, "guest", err);
    enum status st = g ? shopper_new(shop->w, &g->s, err) : ST_NOMEM;
    if (st)
        mem_free(g);
    else
        *out = g;
    return st;
}

static void guest_free(struct guest *g)
{
    if (!g)
        return;
    shopper_clear(&g->s);
    log_clear(&g->log);
    mem_free(g);
}

static enum status arrive(const struct environment *e, struct guest *g, uint32_t user, struct error *err)
{
    const struct shop *shop = e->state;
    g->log.n = 0;
    return log_life(shop->w, &g->s, shop->user[user], false, &g->log, err);
}

static uint32_t world_today(const struct shop *shop, uint32_t day)
{
    return shop->w->spec.days + day;
}

static unsigned visits(const struct environment *e, struct guest *g, uint32_t day, struct rng *r)
{
    const struct shop *shop = e->state;
    shopper_wake(shop->w, &g->s, world_today(shop, day), r);
    return g->s.left ? 0 : shopper_sessions(shop->w, &g->s, world_today(shop, day), r);
}

static unsigned slates(const struct environment *e, struct guest *g, struct rng *r)
{
    const struct shop *shop = e->state;
    (void)g;
    return shopper_slates(shop->w, r);
}

static void browse(const struct environment *e, struct guest *g, const uint32_t *item, unsigned n, uint32_t day,
                   struct rng *r, struct response *response)
{
    const struct shop *shop = e->state;
    struct slate slate = {.n = n};
    for (unsigned k = 0; k < n; k++)
        slate.item[k] = shop->item[item[k]];
    shopper_browse(shop->w, &g->s, &slate, world_today(shop, day), r, response);
}

static void leave(const struct environment *e, struct guest *g, unsigned n, unsigned clicks, struct rng *r)
{
    const struct shop *shop = e->state;
    shopper_leave(shop->w, &g->s, n, clicks, r);
}

static void attraction(const struct environment *e, struct guest *g, uint32_t day, float *out)
{
    const struct shop *shop = e->state;
    for (uint32_t i = 0; i < shop->w->spec.items; i++)
        out[shop->stand[i]] = (float)shopper_attraction(shop->w, &g->s, i, world_today(shop, day));
}

static void shop_free(struct environment *e)
{
    struct shop *shop = e->state;
    world_free(shop->w);
    mem_free(shop->item);
    mem_free(shop->user);
    mem_free(shop->stand);
    mem_free(shop);
}

static const struct environment_class shop_class = {
    .name = "shop",
    .guest_new = guest_new,
    .guest_free = guest_free,
    .arrive = arrive,
    .visits = visits,
    .slates = slates,
    .browse = browse,
    .leave = leave,
    .attraction = attraction,
    .free = shop_free,
};

static enum status not_ours(struct error *err, const char *why)
{
    error_set(err, ST_UNSUPPORTED, "the truth behind this data is not known: %s", why);
    error_hint(
        err, "the shop world goes on from `load shop` or from a data set made by `generate`, unfiltered; world=fitted "
             "fits one to any data");
    return ST_UNSUPPORTED;
}

/* Every item of the data is one of the world, title and all, and the other way round; likewise the users. */
static enum status match(struct shop *shop, const struct dataset *d, struct error *err)
{
    const struct world_spec *spec = &shop->w->spec;
    char text[256];
    if (d->items.n != spec->items || d->users.n != spec->users)
        return not_ours(err, "it has other items or users than the generator's");
    shop->item = mem_new(spec->items, sizeof *shop->item, "items of the shop", err);
    shop->stand = mem_new(spec->items, sizeof *shop->stand, "items of the shop", err);
    shop->user = mem_new(spec->users, sizeof *shop->user, "users of the shop", err);
    if (!shop->item || !shop->stand || !shop->user)
        return ST_NOMEM;
    for (uint32_t i = 0; i < spec->items; i++) {
        world_item_id(shop->w, i, text, sizeof text);
        uint32_t code = dict_find_text(&d->items, text);
        world_item_title(shop->w, i, text, sizeof text);
        if (code == NO_CODE || strcmp(dataset_item_title(d, code), text) != 0)
            return not_ours(err, "its items are not the generator's");
        shop->item[code] = i;
        shop->stand[i] = code;
    }
    for (uint32_t u = 0; u < spec->users; u++) {
        world_user_id(shop->w, u, text, sizeof text);
        uint32_t code = dict_find_text(&d->users, text);
        if (code == NO_CODE)
            return not_ours(err, "its users are not the generator's");
        shop->user[code] = u;
    }
    return ST_OK;
}

/* Do the lives that the world makes agree with what the data says they did? A few tell. */
static enum status compare_lives(const struct environment *e, struct error *err)
{
    enum { LIVES = 12 };
    const struct dataset *d = e->data;
    struct guest *g = NULL;
    enum status st = guest_new(e, &g, err);
    for (uint32_t k = 0; k < LIVES && !st; k++) {
        uint32_t user = (uint32_t)((uint64_t)k * d->users.n / LIVES);
        size_t feedback = 0;
        for (size_t i = d->user_begin[user]; i < d->user_begin[user + 1]; i++)
            feedback += strcmp(dict_text(&d->types, d->events.type[i]), log_type_names[LOG_IMPRESSION]) != 0;
        st = arrive(e, g, user, err);
        if (!st && feedback != g->log.n)
            st = not_ours(err, "users did other things than the generator's");
    }
    guest_free(g);
    return st;
}

enum status environment_shop(struct dataset *d, struct environment **out, struct error *err)
{
    struct world_spec spec = world_spec_default();
    struct environment *e = NULL;
    if (world_spec_parse(d->source, &spec, NULL) != ST_OK)
        spec = world_spec_default();
    enum status st = environment_new(&shop_class, d, &e, err);
    if (st)
        return st;
    struct shop *shop = e->state = mem_new(1, sizeof *shop, "shop", err);
    st = shop ? world_new(&spec, &shop->w, err) : ST_NOMEM;
    if (!st)
        st = match(shop, d, err);
    if (!st)
        st = compare_lives(e, err);
    if (st) {
        environment_free(e);
        return st;
    }
    e->start = world_day(shop->w, spec.days);
    e->purchases = true;
    environment_note(
        e,
        "the world is the generator's own, with known truth: the shoppers of the data, as they were on its last day");
    environment_note(
        e, "position k is examined with probability k^-%g; slates hold recommendations only, no category pages",
        spec.truth.decay);
    *out = e;
    return ST_OK;
}
