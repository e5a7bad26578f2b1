#include "sim/shopper.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static const float country_share[COUNTRIES] = {.28f, .17f, .15f, .12f, .09f, .08f, .06f, .05f};
static const uint8_t country_likes[COUNTRIES] = {FITNESS, TEA, DIY, COOKING, FASHION, COFFEE, CYCLING, HIKING};
static const float age_share[AGES] = {.14f, .25f, .22f, .17f, .13f, .09f};
static const uint8_t age_likes[AGES][3] = {
    {GAMING, MUSIC, FASHION}, {BABY, FITNESS, COFFEE},   {KIDS, OFFICE, RUNNING},
    {COOKING, CYCLING, DIY},  {GARDENING, TRAVEL, DOGS}, {GARDENING, READING, TEA},
};
static const float device_share[DEVICES] = {.6f, .32f, .08f};
/* Monday to Sunday. */
static const double weekday[7] = {.95, .9, .9, .95, 1, 1.15, 1.15};

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static unsigned draw(const float *share, unsigned n, struct rng *r)
{
    float total = 0;
    for (unsigned i = 0; i < n; i++)
        total += share[i];
    float u = (float)rng_real(r) * total;
    for (unsigned i = 0; i + 1 < n; i++) {
        if (u < share[i])
            return i;
        u -= share[i];
    }
    return n - 1;
}

enum status shopper_new(const struct world *w, struct shopper *s, struct error *err)
{
    memset(s, 0, sizeof *s);
    s->met = mem_new(w->spec.items, sizeof *s->met, "a shopper's memory", err);
    s->touched = mem_new(w->spec.items, sizeof *s->touched, "a shopper's memory", err);
    if (s->met && s->touched)
        return ST_OK;
    shopper_clear(s);
    return ST_NOMEM;
}

void shopper_clear(struct shopper *s)
{
    mem_free(s->met);
    mem_free(s->touched);
    memset(s, 0, sizeof *s);
}

/* An interest that is not in a slot yet; neighbours of the first are likelier, and what age and country lean to. */
static uint8_t draw_interest(const struct shopper *s, struct rng *r)
{
    float share[INTERESTS];
    for (unsigned t = 0; t < INTERESTS; t++)
        share[t] = catalogue_interests[t].share;
    share[country_likes[s->country]] *= 2;
    for (size_t j = 0; j < 3; j++)
        share[age_likes[s->age][j]] *= 2.5f;
    if (s->nslots)
        for (size_t j = 0; j < 3; j++)
            share[catalogue_interests[s->slot[0].interest].near[j]] *= 6;
    for (unsigned k = 0; k < s->nslots; k++)
        share[s->slot[k].interest] = share[s->slot[k].next] = 0;
    return (uint8_t)draw(share, INTERESTS, r);
}

static void forget(struct shopper *s)
{
    for (uint32_t j = 0; j < s->ntouched; j++)
        s->met[s->touched[j]] = (struct met){0};
    s->ntouched = 0;
}

static void born_interests(struct shopper *s, struct rng *r)
{
    static const float weight[SLOTS] = {1, .8f, .6f, .45f};
    static const float howmany[SLOTS] = {0, .35f, .4f, .25f};
    unsigned n = 1 + draw(howmany, SLOTS, r);
    s->nslots = 0;
    while (s->nslots < n) {
        uint8_t t = draw_interest(s, r);
        float noise = (float)(.85 + .3 * rng_real(r));
        s->slot[s->nslots] = (struct interest_slot){t, t, weight[s->nslots] * noise, 0};
        s->nslots++;
    }
}

void shopper_born(const struct world *w, struct shopper *s, uint32_t user)
{
    const struct truth *t = &w->spec.truth;
    struct rng r = rng_stream(w->spec.seed, "shopper", user);
    gsl_rng g = rng_gsl(&r);
    forget(s);
    s->user = user;
    s->left = false;
    s->pleasure = .5;
    s->country = (uint8_t)draw(country_share, COUNTRIES, &r);
    s->age = (uint8_t)draw(age_share, AGES, &r);
    s->device = (uint8_t)draw(device_share, DEVICES, &r);
    s->joins = rng_real(&r) < t->new_users ? (uint32_t)rng_below(&r, w->spec.days) : 0;
    s->hour = (float)(rng_real(&r) < .3 ? 11 + 2 * rng_normal(&r) : 19.5 + 2 * rng_normal(&r));
    s->rate = (float)gsl_ran_gamma(&g, t->activity_shape, t->sessions / t->activity_shape);
    s->price = (float)gsl_ran_lognormal(&g, log(t->price_median), t->price_sigma);
    for (size_t f = 0; f < STYLES; f++)
        s->style[f] = (float)rng_normal(&r);
    born_interests(s, &r);
}

void shopper_wake(const struct world *w, struct shopper *s, uint32_t day, struct rng *r)
{
    const struct truth *t = &w->spec.truth;
    for (unsigned k = 0; k < s->nslots; k++) {
        struct interest_slot *slot = &s->slot[k];
        if (slot->next == slot->interest)
            continue;
        slot->ramp += (float)(1 / t->fade);
        if (slot->ramp >= 1) {
            slot->interest = slot->next;
            slot->ramp = 0;
        }
    }
    if (rng_real(r) < t->drift) {
        struct interest_slot *slot = &s->slot[rng_below(r, s->nslots)];
        if (slot->next == slot->interest)
            slot->next = draw_interest(s, r);
    }
    if (day % 7 == 0) /* a week's worth of daily steps at once */
        for (size_t f = 0; f < STYLES; f++)
            s->style[f] += (float)(t->style_walk * sqrt(7) * rng_normal(r));
}

static void todays_mind(const struct world *w, struct shopper *s, uint32_t day)
{
    memset(s->taste, 0, sizeof s->taste);
    for (unsigned k = 0; k < s->nslots; k++) {
        const struct interest_slot *slot = &s->slot[k];
        s->taste[slot->interest] += slot->weight * (1 - slot->ramp);
        s->taste[slot->next] += slot->weight * slot->ramp;
    }
    double sum = 0;
    for (unsigned c = 0; c < catalogue_ncategories; c++) {
        double pull = .03; /* everyone browses a little outside their interests */
        for (unsigned t = 0; t < INTERESTS; t++)
            pull += (double)(s->taste[t] * w->relation[c][t]);
        if (!w->shelf[c + 1].n)
            pull = 0;
        s->pages[c] = sum += pull * (double)catalogue_categories[c].share * exp(world_season(w, c, day));
    }
}

unsigned shopper_sessions(const struct world *w, struct shopper *s, uint32_t day, struct rng *r)
{
    const struct truth *t = &w->spec.truth;
    /* 1970-01-01 was a Thursday. */
    int64_t today = w->spec.start / US_PER_DAY + day;
    double rate = (double)s->rate * weekday[(today + 3) % 7] * exp(t->return_gain * (s->pleasure - .5));
    double u = rng_real(r), p = exp(-rate), below = p;
    unsigned n = 0;
    while (u >= below && n < 8)
        below += p *= rate / ++n;
    if (n)
        todays_mind(w, s, day);
    return n;
}

unsigned shopper_slates(const struct world *w, struct rng *r)
{
    double stay = w->spec.truth.slates / (1 + w->spec.truth.slates);
    unsigned n = 1;
    while (n < 20 && rng_real(r) < stay)
        n++;
    return n;
}

unsigned shopper_page(const struct world *w, const struct shopper *s, struct rng *r)
{
    if (rng_real(r) < w->spec.truth.home)
        return HOME_PAGE;
    double u = rng_real(r) * s->pages[catalogue_ncategories - 1];
    unsigned c = 0;
    while (c + 1 < catalogue_ncategories && s->pages[c] <= u)
        c++;
    /* A category may be empty until its first item arrives. */
    return world_stocked(w, c + 1, 0) ? c + 1 : HOME_PAGE;
}

/* Match of today's interests and the item's, 0 .. about 1.3. */
static double match(const struct shopper *s, const struct world_item *item)
{
    const struct kind *kind = &catalogue_kinds[item->kind];
    float main = s->taste[kind->interest[0]];
    float other = kind->interest[1] < INTERESTS ? s->taste[kind->interest[1]] : 0;
    return (double)(main > other ? main + .3f * other : .8f * other + .3f * main);
}

/* Log odds owed to what the shopper has at home: bought things are not needed again until they run out. */
static double at_home(const struct truth *t, const struct kind *kind, const struct met *met, uint32_t day)
{
    if (!met->bought)
        return 0;
    double since = (double)day - (met->bought - 1);
    if (!kind->refill)
        return -t->owned;
    return since < kind->refill ? -t->owned * (1 - since / kind->refill) : 1;
}

double shopper_attraction(const struct world *w, const struct shopper *s, uint32_t item, uint32_t day)
{
    const struct truth *t = &w->spec.truth;
    const struct world_item *it = &w->item[item];
    const struct met *met = &s->met[item];
    float style = 0;
    for (size_t f = 0; f < STYLES; f++)
        style += s->style[f] * it->style[f];
    double odds = t->click + t->taste * match(s, it) + t->style * (double)style / sqrt(STYLES) +
                  (double)it->appeal - (double)(s->price * it->relative_price) +
                  t->season * world_season(w, it->category, day) - t->bored * met->shown +
                  at_home(t, &catalogue_kinds[it->kind], met, day);
    return logistic(odds);
}

static double cart_chance(const struct world *w, const struct shopper *s, uint32_t item)
{
    const struct truth *t = &w->spec.truth;
    const struct world_item *it = &w->item[item];
    return logistic(t->cart + t->cart_taste * match(s, it) - (double)(s->price * it->relative_price));
}

static double buy_chance(const struct world *w, const struct shopper *s, uint32_t item)
{
    const struct truth *t = &w->spec.truth;
    const struct world_item *it = &w->item[item];
    double dear = (double)it->relative_price + .25 * log((double)it->price / 30);
    return logistic(t->buy - t->buy_price * (double)s->price * dear);
}

static struct met *remember(struct shopper *s, uint32_t item)
{
    struct met *met = &s->met[item];
    if (!met->shown && !met->bought)
        s->touched[s->ntouched++] = item;
    return met;
}

void shopper_browse(const struct world *w, struct shopper *s, const struct slate *slate, uint32_t day, struct rng *r,
                    struct response *response)
{
    for (unsigned k = 0; k < slate->n; k++) {
        uint32_t item = slate->item[k];
        double look = rng_real(r), cart = rng_real(r), buy = rng_real(r), more = rng_real(r);
        struct response *a = &response[k];
        *a = (struct response){0};
        a->click = look < w->examined[k] * shopper_attraction(w, s, item, day);
        a->cart = a->click && cart < cart_chance(w, s, item);
        if (a->cart && buy < buy_chance(w, s, item))
            a->quantity = (uint8_t)(1 + (world_item_kind(w, item)->refill && more < .35) + (more < .08));
        struct met *met = remember(s, item);
        met->shown = a->click ? 1 : (uint8_t)(met->shown + (met->shown < 20));
        if (a->quantity)
            met->bought = (uint16_t)(day + 1 < UINT16_MAX ? day + 1 : UINT16_MAX);
    }
}

void shopper_leave(const struct world *w, struct shopper *s, unsigned slates, unsigned clicks, struct rng *r)
{
    const struct truth *t = &w->spec.truth;
    double pleasure = 1 - exp(-(double)clicks / slates);
    s->pleasure = t->pleasure_memory * s->pleasure + (1 - t->pleasure_memory) * pleasure;
    if (rng_real(r) < t->leave * exp(-t->leave_gain * (s->pleasure - .5)))
        s->left = true;
}

struct rng shopper_day_stream(const struct world *w, uint32_t user, uint32_t day)
{
    return rng_nth(w->days_stream, (uint64_t)user << 20 | day);
}

struct rng shopper_session_stream(const struct world *w, uint32_t user, uint32_t day, unsigned session,
                                  const char *purpose)
{
    return rng_stream(w->spec.seed, purpose, ((uint64_t)user << 20 | day) << 4 | session);
}
