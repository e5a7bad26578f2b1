/* A part of a data set as the next data set. */
#ifndef TAILOR_DATA_SUBSET_H
#define TAILOR_DATA_SUBSET_H

#include "base/job.h"
#include "data/dataset.h"

/* What happens to users and items that had no event before: those of the catalogue, known by their attributes alone. */
enum subset_cold { COLD_STAY, COLD_USERS_GO = 1, COLD_ITEMS_GO = 2 };

/* The events e of d with keep[e] != 0. Users and items that lost all of theirs are gone, so matrices and models shrink;
 * those that had none before stay, unless `cold` says otherwise. Types, and the levels of fields, all stay.
 *
 * The new indices are in the order of first appearance in the input among the events that are kept. So when events are
 * appended to the input and the same ones of the old are kept, all old users and items keep their indices; the cold,
 * which appear nowhere, count as appearing with the last that appeared before them in d.
 *
 * Unpublished and finished but for its fingerprint, which is that of d: the caller makes it one of its own. */
MUST_CHECK enum status dataset_subset(const struct dataset *d, const uint8_t *keep, enum subset_cold cold,
                                      struct job *job, struct dataset **out, struct error *err);

#endif
