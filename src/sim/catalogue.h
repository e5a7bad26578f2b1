/* The vocabulary of the made-up shop: what it sells, to whose interests each kind of thing speaks, who makes it.
 *
 * An interest ("running", "baby") runs across categories: a runner wants shoes, a vest and energy gels. That is what
 * gives collaborative filtering something to find, and a person a reason to nod at an explanation. */
#ifndef TAILOR_SIM_CATALOGUE_H
#define TAILOR_SIM_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

enum interest {
    RUNNING, HIKING, CYCLING, YOGA, FITNESS, CAMPING, TRAVEL, BABY, KIDS, DOGS, CATS, COOKING, BAKING, COFFEE, TEA,
    GAMING, PHOTOGRAPHY, MUSIC, READING, GARDENING, DIY, OFFICE, SKINCARE, FASHION, CRAFTS, HOME, INTERESTS
};

enum { KIND_INTERESTS = 2 }; /* at most this many interests a kind; the first is the main one */

struct interest_info {
    const char *name;
    float share;      /* how common it is, relative */
    uint8_t near[3];  /* interests that people who have this one tend to have as well */
};

struct category {
    const char *name;
    float share;       /* of the catalogue and of the traffic, relative */
    float season;      /* amplitude of the yearly wave, in log demand */
    uint16_t peak;     /* day of the year on which demand is highest */
    const char *brands[6]; /* from the cheapest to the dearest */
};

struct kind {
    const char *name;
    uint8_t category;
    uint8_t interest[KIND_INTERESTS]; /* INTERESTS: none */
    uint8_t variants;                 /* index into catalogue_variants */
    uint16_t refill;                  /* days after which one buys it again; 0: one is enough for long */
    float price;                      /* of a middling brand, euros */
    const char *blurb;                /* one sentence */
};

struct variants {
    const char *name[8];
};

extern const struct interest_info catalogue_interests[INTERESTS];
extern const struct category catalogue_categories[];
extern const size_t catalogue_ncategories;
extern const struct kind catalogue_kinds[];
extern const size_t catalogue_nkinds;
extern const struct variants catalogue_variants[];

enum { MAX_CATEGORIES = 20, MAX_KINDS = 200, KIND_BRANDS = 6, KIND_VARIANTS = 8 };

#endif
