/* A data set that grows: events that came later are added to it, and what was made of it before stays usable.
 *
 * Indices of users, items and types, and sequence numbers of events keep their meaning; new ones come after them. So a
 * model that was trained before knows the first items and users of the grown data set, and a split its events. */
#ifndef TAILOR_DATA_GROW_H
#define TAILOR_DATA_GROW_H

#include "data/dataset.h"
#include "data/split.h"

/* A new data set: `base` and, after it, `batch`, both finished. Ids are matched by their text. Where both say something
 * about a user or an item, the batch counts; a field whose types differ takes one that holds both. Name, source and
 * weights are those of the base, new types keep the weight of the batch. The runs of users are merged, nothing is
 * sorted. */
MUST_CHECK enum status dataset_grow(const struct dataset *base, const struct dataset *batch, struct dataset **out,
                                    struct error *err);

/* What d was when it had this fingerprint; NULL when it never did, or has it now. */
const struct data_stage *dataset_stage(const struct dataset *d, uint64_t fingerprint);
/* Has d this fingerprint, or has it grown from what had? */
bool dataset_descends(const struct dataset *d, uint64_t fingerprint);
/* Events that came after d had this fingerprint. */
uint64_t dataset_events_since(const struct dataset *d, uint64_t fingerprint);
/* The data set as it was at a stage of it, with the attributes and weights of today. */
MUST_CHECK enum status dataset_at_stage(const struct dataset *d, const struct data_stage *stage, struct dataset **out,
                                        struct error *err);

/* The split of `from` for the data that it has become: events are known by their sequence numbers, those that are new
 * belong to no part. The fingerprint stays: models trained on the one are judged by the other. */
MUST_CHECK enum status split_carry(const struct split *s, const struct dataset *from, const struct dataset *to,
                                   struct split **out, struct error *err);

#endif
