/* What the Data view shows of a data set: found in a few passes over the events when it was loaded. */
#ifndef TAILOR_SCREEN_DATA_FACTS_H
#define TAILOR_SCREEN_DATA_FACTS_H

#include "data/dataset.h"
#include "result/result.h"

enum { MOST_BARS = 12, NEWEST_EVENTS = 500 };

struct data_bar {
    char label[32];
    double n, share;
};

struct data_facts {
    int64_t oldest, newest;           /* NO_TIME: no times */
    uint64_t pairs;                   /* distinct (user, item) */
    uint32_t median_user, median_item; /* events */
    size_t half_items;                /* the most popular items that have half of all events */
    struct data_bar bars[MOST_BARS];  /* event types, or values when there is one type only */
    size_t nbars;
    const char *bars_title, *bars_note;
    struct result *result;            /* owns what follows */
    struct series *when;              /* events by day; NULL without times */
    struct series *tail;              /* events of the items, most popular first */
    struct table *newest_events;
    uint32_t *newest_users;           /* of its rows */
    const struct dataset *data;       /* not counted: the view holds it */
};

MUST_CHECK enum status data_facts_new(const struct dataset *d, struct data_facts **out, struct error *err);
void data_facts_free(struct data_facts *f);
const char *data_facts_user(const struct data_facts *f, size_t row); /* of a row of newest_events */

#endif
