#include "sim/world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

const char *const world_countries[COUNTRIES] = {"US", "GB", "DE", "FR", "ES", "IT", "NL", "SE"};
const char *const world_devices[DEVICES] = {"mobile", "desktop", "tablet"};
const char *const world_ages[AGES] = {"18-24", "25-34", "35-44", "45-54", "55-64", "65+"};

/* Price level of a brand by its place in the list of its category. */
static const double brand_level[KIND_BRANDS] = {.62, .82, .95, 1.08, 1.28, 1.65};

struct world_spec world_spec_default(void)
{
    return (struct world_spec){
        .users = 2000,
        .items = 1200,
        .days = 180,
        .slate = 8,
        .start = time_days(2025, 1, 6) * US_PER_DAY,
        .seed = 1,
        .truth =
            {
                .decay = .5,
                .click = -3.1,
                .taste = 3.4,
                .style = .8,
                .quality = .4,
                .season = .5,
                .bored = .15,
                .owned = 3,
                .price_median = .8,
                .price_sigma = .6,
                .cart = -1.6,
                .cart_taste = 1.2,
                .buy = -.4,
                .buy_price = 1.2,
                .sessions = .14,
                .activity_shape = 1.1,
                .slates = 1.6,
                .home = .3,
                .explore = .2,
                .contrast = .9,
                .return_gain = 1.5,
                .leave = .006,
                .leave_gain = 2,
                .pleasure_memory = .8,
                .drift = .0015,
                .fade = 40,
                .style_walk = .02,
                .new_items = .2,
                .new_users = .4,
            },
    };
}

static unsigned digits(uint32_t n)
{
    unsigned d = 1;
    while (n >= 10) {
        n /= 10;
        d++;
    }
    return d;
}

/* Items of one kind take its brand-and-variant pairs in shuffled order; when all are used up a next generation begins.
 */
static void item_name(struct world_item *it, uint64_t seed, uint32_t nth)
{
    enum { PAIRS = KIND_BRANDS * KIND_VARIANTS };
    uint32_t order[PAIRS];
    for (uint32_t i = 0; i < PAIRS; i++)
        order[i] = i;
    struct rng r = rng_stream(seed, "world kind", (uint64_t)(nth / PAIRS) * MAX_KINDS + it->kind);
    rng_shuffle(&r, order, PAIRS);
    uint32_t pair = order[nth % PAIRS];
    it->brand = (uint8_t)(pair / KIND_VARIANTS);
    it->variant = (uint8_t)(pair % KIND_VARIANTS);
    it->series = (uint16_t)(nth / PAIRS);
}

/* A style shared by all items of a brand, or of a kind. */
static void shared_style(uint64_t seed, const char *purpose, uint64_t which, double weight, float *style)
{
    struct rng r = rng_stream(seed, purpose, which);
    for (size_t f = 0; f < STYLES; f++)
        style[f] += (float)(weight * rng_normal(&r));
}

static float round_price(double price)
{
    /* Shops like 4.90 and 129.00. */
    double step = price < 20 ? .1 : price < 100 ? .5 : 1;
    return (float)(fmax(1, round(price / step)) * step);
}

static void item_make(const struct world_spec *spec, uint32_t i, uint32_t nth, struct world_item *it)
{
    const struct kind *kind = &catalogue_kinds[it->kind];
    const struct truth *t = &spec->truth;
    struct rng r = rng_stream(spec->seed, "world item", i);
    item_name(it, spec->seed, nth);
    double quality = rng_normal(&r), fashion = rng_normal(&r), price_noise = rng_normal(&r);
    it->category = kind->category;
    it->price = round_price(kind->price * brand_level[it->brand] * exp(.08 * price_noise));
    it->relative_price = (float)log((double)it->price / kind->price);
    /* Dearer makes are a little better: otherwise nobody with a sense of prices would ever buy them. */
    it->appeal = (float)(t->quality * (quality + 1.2 * log(brand_level[it->brand])));
    it->weight = (float)exp(t->contrast * (.7 * quality + .7 * fashion));
    const char *brand = catalogue_categories[it->category].brands[it->brand];
    shared_style(spec->seed, "world brand", hash_bytes(brand, strlen(brand), 0), .6, it->style);
    shared_style(spec->seed, "world kind style", it->kind, .5, it->style);
    shared_style(spec->seed, "world item style", i, .6, it->style);
}

static void make_items(struct world *w)
{
    const struct world_spec *spec = &w->spec;
    double total = 0, sum[MAX_KINDS];
    uint32_t used[MAX_KINDS] = {0};
    for (size_t k = 0; k < catalogue_nkinds; k++)
        sum[k] = total += catalogue_categories[catalogue_kinds[k].category].share;
    uint32_t first = (uint32_t)((double)spec->items * (1 - spec->truth.new_items));
    if (!first)
        first = 1;
    struct rng r = rng_stream(spec->seed, "world kinds", 0);
    for (uint32_t i = 0; i < spec->items; i++) {
        struct world_item *it = &w->item[i];
        double u = rng_real(&r) * total;
        while (it->kind + 1u < catalogue_nkinds && sum[it->kind] <= u)
            it->kind++;
        item_make(spec, i, used[it->kind]++, it);
        if (i >= first)
            it->arrives = (uint16_t)((uint64_t)(i - first + 1) * spec->days / (spec->items - first + 1));
    }
}

static void make_shelves(struct world *w)
{
    size_t filled = 0;
    for (size_t page = 0; page <= catalogue_ncategories; page++) {
        struct shelf *s = &w->shelf[page];
        s->item = w->shelf_items + filled;
        s->sum = w->shelf_sums + filled;
        double sum = 0;
        for (uint32_t i = 0; i < w->spec.items; i++) {
            if (page != HOME_PAGE && w->item[i].category != page - 1)
                continue;
            s->item[s->n] = i;
            s->sum[s->n++] = sum += (double)w->item[i].weight;
        }
        filled += s->n;
    }
}

static void make_relations(struct world *w)
{
    uint32_t kinds[MAX_CATEGORIES] = {0};
    for (size_t k = 0; k < catalogue_nkinds; k++) {
        const struct kind *kind = &catalogue_kinds[k];
        kinds[kind->category]++;
        for (size_t j = 0; j < KIND_INTERESTS; j++)
            if (kind->interest[j] < INTERESTS)
                w->relation[kind->category][kind->interest[j]] += j ? .4f : 1;
    }
    for (size_t c = 0; c < catalogue_ncategories; c++)
        for (size_t t = 0; t < INTERESTS; t++)
            w->relation[c][t] /= (float)kinds[c];
}

static double season_of(const struct world *w, unsigned category, uint32_t day)
{
    const struct category *c = &catalogue_categories[category];
    int64_t year;
    int month, d;
    int64_t today = w->spec.start / US_PER_DAY + day;
    time_civil(today, &year, &month, &d);
    double of_year = (double)(today - time_days(year, 1, 1));
    return (double)c->season * cos(2 * M_PI * (of_year - c->peak) / 365.25);
}

static enum status make_seasons(struct world *w, struct error *err)
{
    w->season = mem_new(w->spec.days, catalogue_ncategories * sizeof *w->season, "seasons", err);
    if (!w->season)
        return ST_NOMEM;
    for (uint32_t day = 0; day < w->spec.days; day++)
        for (unsigned c = 0; c < catalogue_ncategories; c++)
            w->season[day * catalogue_ncategories + c] = season_of(w, c, day);
    return ST_OK;
}

enum status world_new(const struct world_spec *spec, struct world **out, struct error *err)
{
    if (!spec->users || !spec->items || !spec->days || spec->days > UINT16_MAX - 1 || !spec->slate ||
        spec->slate > MAX_SLATE)
        return error_set(err, ST_USAGE, "a world needs users, items, 1 to 65534 days and slates of 1 to %d items",
                         MAX_SLATE);
    struct world *w = mem_new(1, sizeof *w, "world", err);
    if (!w)
        return ST_NOMEM;
    w->spec = *spec;
    w->item = mem_new(spec->items, sizeof *w->item, "items of the world", err);
    w->shelf = mem_new(catalogue_ncategories + 1, sizeof *w->shelf, "shelves", err);
    w->shelf_items = mem_new(2 * (size_t)spec->items, sizeof *w->shelf_items, "shelves", err);
    w->shelf_sums = mem_new(2 * (size_t)spec->items, sizeof *w->shelf_sums, "shelves", err);
    if (!w->item || !w->shelf || !w->shelf_items || !w->shelf_sums) {
        world_free(w);
        return ST_NOMEM;
    }
    enum status st = make_seasons(w, err);
    if (st) {
        world_free(w);
        return st;
    }
    w->days_stream = rng_purpose(spec->seed, "shopper day");
    make_items(w);
    make_shelves(w);
    make_relations(w);
    for (size_t k = 0; k < MAX_SLATE; k++)
        w->examined[k] = pow((double)k + 1, -spec->truth.decay);
    w->id_digits_user = (int)digits(spec->users);
    w->id_digits_item = (int)digits(spec->items);
    *out = w;
    return ST_OK;
}

void world_free(struct world *w)
{
    if (!w)
        return;
    mem_free(w->item);
    mem_free(w->shelf);
    mem_free(w->shelf_items);
    mem_free(w->shelf_sums);
    mem_free(w->season);
    mem_free(w->keep);
    mem_free(w);
}

int world_user_id(const struct world *w, uint32_t user, char *out, size_t size)
{
    return snprintf(out, size, "u%0*u", w->id_digits_user, user + 1);
}

int world_item_id(const struct world *w, uint32_t item, char *out, size_t size)
{
    return snprintf(out, size, "p%0*u", w->id_digits_item, item + 1);
}

const struct kind *world_item_kind(const struct world *w, uint32_t item)
{
    return &catalogue_kinds[w->item[item].kind];
}

const char *world_item_brand(const struct world *w, uint32_t item)
{
    return catalogue_categories[w->item[item].category].brands[w->item[item].brand];
}

int64_t world_day(const struct world *w, uint32_t day)
{
    return w->spec.start + (int64_t)day * US_PER_DAY;
}

int world_item_title(const struct world *w, uint32_t item, char *out, size_t size)
{
    const struct world_item *it = &w->item[item];
    const struct kind *kind = &catalogue_kinds[it->kind];
    const char *brand = world_item_brand(w, item);
    const char *variant = catalogue_variants[kind->variants].name[it->variant];
    if (!it->series)
        return snprintf(out, size, "%s, %s, %s", kind->name, brand, variant);
    return snprintf(out, size, "%s, %s %u, %s", kind->name, brand, it->series + 1u, variant);
}

const char *world_page(unsigned page)
{
    return page == HOME_PAGE ? "home" : catalogue_categories[page - 1].name;
}

double world_season(const struct world *w, unsigned category, uint32_t day)
{
    return day < w->spec.days ? w->season[day * catalogue_ncategories + category] : season_of(w, category, day);
}

/* Items stand on a shelf in the order of arrival, so what is in stock is a prefix. */
uint32_t world_stocked(const struct world *w, unsigned page, uint32_t day)
{
    const struct shelf *s = &w->shelf[page];
    uint32_t low = 0, high = s->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (w->item[s->item[mid]].arrives <= day)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool shown_above(const struct slate *slate, uint32_t item)
{
    for (unsigned j = 0; j < slate->n; j++)
        if (slate->item[j] == item)
            return true;
    return false;
}

/* Of an item among the first n of a shelf. */
static double draw_probability(const struct world *w, const struct shelf *s, uint32_t n, uint32_t item)
{
    double explore = w->spec.truth.explore;
    return explore / n + (1 - explore) * (double)w->item[item].weight / s->sum[n - 1];
}

void world_log_slate(const struct world *w, unsigned page, uint32_t day, struct rng *r, struct slate *out)
{
    const struct shelf *s = &w->shelf[page];
    uint32_t n = world_stocked(w, page, day);
    double explore = w->spec.truth.explore, left = 1;
    unsigned wanted = w->spec.slate < n ? w->spec.slate : n;
    out->page = page;
    out->n = 0;
    while (out->n < wanted) {
        uint32_t j = rng_real(r) < explore ? (uint32_t)rng_below(r, n) : rng_weighted(r, s->sum, n);
        uint32_t item = s->item[j];
        /* Drawing again after a repeat is drawing without replacement: q / (1 - q of those above). */
        if (shown_above(out, item))
            continue;
        double q = draw_probability(w, s, n, item);
        out->propensity[out->n] = out->n + 1 == n ? 1 : q / left;
        out->item[out->n++] = item;
        left -= q;
    }
}

double world_draw_probability(const struct world *w, unsigned page, uint32_t day, uint32_t item)
{
    uint32_t n = world_stocked(w, page, day);
    if (w->item[item].arrives > day || (page != HOME_PAGE && w->item[item].category != page - 1))
        return 0;
    return draw_probability(w, &w->shelf[page], n, item);
}
