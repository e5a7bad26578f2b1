/* The log of the world: what its shop would have written down. */
#ifndef TAILOR_SIM_GENERATE_H
#define TAILOR_SIM_GENERATE_H

#include "base/job.h"
#include "data/dataset.h"
#include "sim/shopper.h"

enum log_type { LOG_IMPRESSION, LOG_CLICK, LOG_CART, LOG_PURCHASE, LOG_TYPES };
extern const char *const log_type_names[LOG_TYPES];

/* One row. Sessions and slates count from 0 within the user until a chunk is handed over, then over all. */
struct log_row {
    uint32_t user, item;
    int64_t time; /* seconds since 1970 */
    uint64_t session, slate;
    double propensity; /* impressions; else NaN */
    float price;       /* NaN for impressions: it is in the catalogue */
    uint8_t type, position, page, device, country, quantity;
};

struct log {
    struct log_row *row;
    size_t n, capacity;
    uint64_t sessions, slates;
};

/* Appends the whole life of a user, day 0 to spec.days, oldest first; s is left as it is at the end of the last day. */
MUST_CHECK enum status log_life(const struct world *w, struct shopper *s, uint32_t user, bool impressions,
                                struct log *out, struct error *err);
void log_clear(struct log *l);

/* Lives of all users in order of the user, in chunks small enough to hold: `take` gets the rows of one block of users,
 * in order of the blocks. Lives are made on all threads; the chunks do not depend on how many there are. */
struct log_sink {
    void *context;
    /* On many threads at once: turns the rows of a block into whatever take wants. May be NULL. */
    enum status (*prepare)(void *context, size_t slot, const struct log *block, struct error *err);
    enum status (*take)(void *context, size_t slot, const struct log *block, struct error *err);
};
enum { LOG_SLOTS = 64, LOG_BLOCK_USERS = 32 }; /* blocks in flight, users a block */

MUST_CHECK enum status log_generate(const struct world *w, bool impressions, const struct log_sink *sink,
                                    struct job *job, struct error *err);

/* Sets the rate of sessions and where logs of users end so that exactly `wanted` rows come out. ST_USAGE when the
 * world cannot make so many. */
MUST_CHECK enum status world_set_rows(struct world *w, bool impressions, uint64_t wanted, struct job *job,
                                      struct error *err);

/* The world as a data set in memory, as if its files had been loaded. */
MUST_CHECK enum status world_dataset(const struct world *w, bool impressions, const char *name, struct job *job,
                                     struct dataset **out, struct error *err);

#endif
