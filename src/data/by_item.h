/* The events of each item: events are sorted by user, so an item's lie all over the columns.
 *
 * The list is made when it has become worth it and stays with the data set: four bytes an event and four an item. */
#ifndef TAILOR_DATA_BY_ITEM_H
#define TAILOR_DATA_BY_ITEM_H

#include "data/dataset.h"

struct by_item {
    uint32_t *begin; /* items.n + 1 */
    uint32_t *event; /* begin[i] .. begin[i + 1]: the events of item i, ascending */
};

/* To be asked before the events of some item are looked for. *out is NULL for the first few questions to a data set,
 * which a scan answers sooner than the list is made; where there is no memory for it; and for 2^32 events and more. Any
 * thread may ask. The list lives as long as the data set. ST_CANCELLED. */
MUST_CHECK enum status dataset_by_item(struct dataset *d, struct job *job, const struct by_item **out,
                                       struct error *err);
/* Makes the list. Free it with by_item_free. */
MUST_CHECK enum status by_item_make(const struct dataset *d, struct job *job, struct by_item **out, struct error *err);
void by_item_free(struct by_item *b); /* NULL is fine */

#endif
