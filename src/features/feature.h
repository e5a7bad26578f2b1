/* Features: numbers about a user or an item as of a moment, from events strictly before it.
 *
 *   feature  = function "(" [ condition ] ")" [ "over" DURATION ] "by" ( "user" | "item" )
 *   function = count | recency | recency_seconds
 *
 *     count(type = 'click') over 7d by user      clicks of the user in the 7 days before the moment
 *     recency(type = 'purchase') by item         days since the item was bought last; missing when it never was
 *
 * "Before" is strict and by the clock: an event in the same microsecond as the moment does not count, so all events of
 * a tied instant see the same past (76 % of MovieLens 100K shares its second). An event without a time is in no past
 * that a clock tells. When no event of the data has a time, count without `over` counts all of them at any moment,
 * and whatever needs a clock is refused. */
#ifndef TAILOR_FEATURES_FEATURE_H
#define TAILOR_FEATURES_FEATURE_H

#include "data/dataset.h"

struct feature;

/* Parses text[0..n), binds it to the data set (of which it holds a reference) and prepares for evaluation: one pass
 * over the events. Errors mark their place in the text. */
MUST_CHECK enum status feature_new(struct dataset *d, const char *text, size_t n, struct feature **out,
                                   struct error *err);
void feature_free(struct feature *f);

bool feature_by_item(const struct feature *f);
/* Users or items of the data set: as many values as a snapshot has. */
size_t feature_entities(const struct feature *f);
/* "events", "d", "s". */
const char *feature_unit(const struct feature *f);

/* The one evaluator: out[i] = the feature of entity[i] as of moment[i], NaN when missing. NO_TIME is the moment of the
 * newest event, which then counts too. Any order, any repeats; O(log events) each. */
void feature_evaluate(const struct feature *f, const uint32_t *entity, const int64_t *moment, size_t n, double *out);
/* All entities at one moment. ST_CANCELLED. */
MUST_CHECK enum status feature_snapshot(const struct feature *f, int64_t moment, struct job *job, double *out,
                                        struct error *err);

/* Names of the functions, NULL-terminated, for completion and help. */
extern const char *const feature_functions[];

#endif
