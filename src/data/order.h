/* The order of events: by user, then time, then sequence, and columns put in that order. On all threads; the order is
 * unique, so it does not depend on how many there are. */
#ifndef TAILOR_DATA_ORDER_H
#define TAILOR_DATA_ORDER_H

#include "data/dataset.h"

/* Fills begin[0..users] with the runs of users in the order, and order[r] with the row that comes r-th. A cancel of the
 * job is noticed soon. */
MUST_CHECK enum status order_events(const struct events *e, uint32_t users, size_t *begin, uint64_t *order,
                                    struct job *job, struct error *err);
/* Are the rows in that order already? */
bool order_holds(const struct events *e);
/* Replaces *column, an array of n elements of 2, 4 or 8 bytes, by one whose element r is the old element order[r]. A
 * cancel is noticed soon and leaves the column without use. */
MUST_CHECK enum status order_column(void *column, size_t size, const uint64_t *order, size_t n, struct job *job,
                                    struct error *err);

#endif
