/* The world: a made-up shop with known truth. It writes the bundled data (generate.h) and answers the policies in a
 * simulation (simulate.h); there is only one.
 *
 * Truth. A shopper has a few interests (weights that fade into others over months), a taste in style (a slow random
 * walk in STYLES dimensions) and a price sensitivity. Looking at a slate, position k (from 1) is examined with
 * probability k^-decay, independently of what stands there; an examined item is clicked with probability
 *
 *   attraction = logistic(click + taste * T + style * <z_u, v_i> + quality * q_i - price_u * log(p_i / p_kind)
 *                         + season * s_c(day) - bored * times shown before - owned)
 *
 * T is how much the shopper's interests match the item's. A click becomes a cart with probability logistic(cart + ...),
 * a cart a purchase with logistic(buy + ...); both fall with the price. A pleasant session (clicks a slate) brings the
 * shopper back sooner and makes leaving for good less likely. All coefficients are in struct truth.
 *
 * The logging policy is known too: a shopper opens the home page or the page of a category; the slate is drawn without
 * replacement, with probabilities proportional to (1 - explore) * popularity + explore * uniform over what that page
 * offers on that day. The logged propensity is that of the item at its position given the page and the items above it.
 *
 * Everything follows from the seed; a shopper's life depends on no other's, so lives are made in any order and on any
 * number of threads, with memory for one life only. */
#ifndef TAILOR_SIM_WORLD_H
#define TAILOR_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"
#include "sim/catalogue.h"

enum { STYLES = 6, MAX_SLATE = 50, SLOTS = 4, HOME_PAGE = 0, COUNTRIES = 8, DEVICES = 3, AGES = 6 };

struct truth {
    double decay; /* position bias: examined with probability position^-decay */
    double click, taste, style, quality, season, bored, owned;
    double price_median, price_sigma; /* price_u is lognormal */
    double cart, cart_taste, buy,
        buy_price;         /* cart: + cart_taste * T - price_u * ...; buy: - buy_price * price_u * ... */
    double sessions;       /* mean sessions a day */
    double activity_shape; /* gamma shape of the rate over shoppers */
    double slates;         /* mean slates a session beyond the first */
    double home;           /* probability that a slate is the home page */
    double explore;        /* share of uniform draws in the logging policy */
    double contrast;       /* logging policy: popularity weight = exp(contrast * normal) */
    double return_gain, leave,
        leave_gain;         /* effect of pleasure on returning; hazard of leaving a session, effect of pleasure */
    double pleasure_memory; /* share of the old in the running pleasure */
    double drift;           /* chance a day that one interest begins to give way to another */
    double fade;            /* days it takes */
    double style_walk;      /* standard deviation of a day's step of the style */
    double new_items;       /* share of the catalogue that arrives after the first day */
    double new_users;       /* share of the shoppers that joins after the first day */
};

struct world_spec {
    uint32_t users, items, days;
    unsigned slate; /* items a slate */
    int64_t start;  /* first midnight, us UTC */
    uint64_t seed;
    struct truth truth;
};

/* The bundled shop: what `generate` makes when nothing else is said. */
struct world_spec world_spec_default(void);

/* The settings of a world as `generate` takes them: "users=2000 items=1200 days=180 slate=8 seed=1 start=2025-01-06
 * sessions=0.14". */
void world_spec_format(const struct world_spec *spec, struct str *out);
/* Reads "generate " and such settings, the source of data made by `generate`, so that its truth can be called back.
 * What is not named keeps its value in *spec. ST_FORMAT when it is something else. */
MUST_CHECK enum status world_spec_parse(const char *text, struct world_spec *spec, struct error *err);

struct world_item {
    uint8_t category, brand, variant;
    uint8_t kind;
    uint16_t series;      /* 0: first generation; n: "Kestrel n+1" */
    uint16_t arrives;     /* day */
    float price;          /* euros, two decimals */
    float appeal;         /* taste-free part of the attraction: quality */
    float weight;         /* popularity in the eyes of the logging policy */
    float relative_price; /* log(price / price of its kind) */
    float style[STYLES];
};

/* What one page can show: its items in the order of arrival, with running sums of their weights. */
struct shelf {
    uint32_t n;
    uint32_t *item;
    double *sum; /* sum[j] = weight of items 0 .. j */
};

struct world {
    struct world_spec spec;
    struct world_item *item; /* spec.items, in the order of arrival */
    struct shelf *shelf;     /* 1 + catalogue_ncategories; HOME_PAGE holds everything */
    uint32_t *shelf_items;
    double *shelf_sums;
    float relation[MAX_CATEGORIES][INTERESTS]; /* how much of a category speaks to an interest */
    double examined[MAX_SLATE];
    double *season;       /* of each category on each day of the log */
    uint64_t days_stream; /* purpose of the days of a life */
    uint64_t *keep;       /* rows that the log has of each block of users (generate.h); NULL: all there are */
    int id_digits_user, id_digits_item;
};

MUST_CHECK enum status world_new(const struct world_spec *spec, struct world **out, struct error *err);
void world_free(struct world *w);

/* Text of the world: ids "u0042" and "p0042", titles "Trail running shoes, Kestrel, blue". */
int world_user_id(const struct world *w, uint32_t user, char *out, size_t size);
int world_item_id(const struct world *w, uint32_t item, char *out, size_t size);
int world_item_title(const struct world *w, uint32_t item, char *out, size_t size);
const char *world_item_brand(const struct world *w, uint32_t item);
/* Midnight of a day of the world, us UTC. */
int64_t world_day(const struct world *w, uint32_t day);
/* Titles of the first n items are the same whatever else the spec says, as long as the seed is the same. */
const struct kind *world_item_kind(const struct world *w, uint32_t item);
const char *world_page(unsigned page); /* "home" or the category */
extern const char *const world_countries[COUNTRIES], *const world_devices[DEVICES], *const world_ages[AGES];

/* Yearly wave of a category (log demand), and items on a shelf by a day. */
double world_season(const struct world *w, unsigned category, uint32_t day);
uint32_t world_stocked(const struct world *w, unsigned page, uint32_t day);

struct slate {
    unsigned n, page;
    uint32_t item[MAX_SLATE];
    double propensity[MAX_SLATE]; /* NaN where the policy did not say */
};

/* Draws a slate by the logging policy. */
void world_log_slate(const struct world *w, unsigned page, uint32_t day, struct rng *r, struct slate *out);
/* Probability of `item` as the first draw on a page: what propensities are made of. */
double world_draw_probability(const struct world *w, unsigned page, uint32_t day, uint32_t item);

#endif
