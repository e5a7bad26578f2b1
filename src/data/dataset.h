/* A data set in memory: who did what with which item, and when.
 *
 * Events are kept in columns, sorted by (user, time, sequence), so one user's events are one run:
 *
 *   user_begin[u] .. user_begin[u + 1]   the events of user u, oldest first
 *   user[e], item[e]   32-bit indices into `users` and `items`; the index order is the order of
 *                      first appearance in the input and does not depend on threads
 *   time[e]            microseconds UTC, NO_TIME where unknown; the column is NULL when no event has one
 *   sequence[e]        position in the input: breaks ties of time
 *   type[e]            into `types` ("rating", "click", ...)
 *   value[e]           rating or amount, NaN where missing; NULL when there is none at all
 *   context            every other column of the events (session, device, price, slate, ...)
 *
 * Once published a data set never changes: it is shared and counted. Commands that change
 * something build the next one and swap the pointer. */
#ifndef TAILOR_DATA_DATASET_H
#define TAILOR_DATA_DATASET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/dict.h"
#include "base/job.h"
#include "data/field.h"

#define NO_USER UINT32_MAX
#define NO_ITEM UINT32_MAX

struct events {
    size_t n;
    uint32_t *user, *item;
    int64_t *time;
    uint64_t *sequence;
    uint16_t *type;
    float *value;
    struct fields context;
};

/* What a data set was before one of its appends. Users, items and types that came later have higher indices, events
 * higher sequence numbers. */
struct data_stage {
    uint64_t fingerprint;
    uint64_t events, sequence; /* how many; those that came later have this sequence number or a higher one */
    uint32_t users, items, types;
};

struct by_item;
struct level_totals;

struct dataset {
    atomic_int references;
    char *name;
    char *source;           /* what it was loaded from, as typed */
    struct dict users, items, types;
    struct events events;
    size_t *user_begin;     /* users.n + 1 */
    struct fields user_fields, item_fields; /* users.n and items.n rows */
    float *type_weight;     /* types.n: what an event of this type says about liking; 0 = not feedback (impressions) */
    int64_t halflife;       /* after so long an event weighs half, us; 0: weights do not decay */
    size_t repeats; /* 1 + the context column (INT) that says for how many events one stands; 0: each for itself */
    uint64_t rows_read, rows_kept, rows_rejected; /* read = kept + rejected, summed over all files */
    uint64_t fingerprint;   /* of ids, events, attributes and weights; of a shaped data set also of its recipe */
    struct data_stage *stages;   /* what it has grown from, oldest first; data/grow.h */
    size_t nstages;
    _Atomic(struct by_item *) by_item; /* made when asked for often enough; data/by_item.h */
    atomic_uint item_questions;
    _Atomic(struct level_totals *) level_totals; /* what everybody likes, as far as it was asked; data/level_totals.h */
};

/* An empty, unpublished data set with one reference, or NULL. */
struct dataset *dataset_new(const char *name, struct error *err);
struct dataset *dataset_hold(struct dataset *d);
void dataset_release(struct dataset *d); /* NULL is fine */

/* An unpublished copy under another name, not yet finished: the start of the next data set (attributes, weights). */
MUST_CHECK enum status dataset_copy(const struct dataset *d, const char *name, struct dataset **out, struct error *err);

/* An unpublished copy, finished like the original: for a next data set that has the same events and attributes. */
MUST_CHECK enum status dataset_again(const struct dataset *d, struct dataset **out, struct error *err);

/* Last step of building: sorts events by (user, time, sequence), fills user_begin, pads the attribute fields to
 * users.n and items.n rows, computes the fingerprint, and where type_weight is NULL sets weight 0 for impression,
 * exposure, display, ad_view, shown and negative (in any case), 1 for all else. Call once, before publishing. */
MUST_CHECK enum status dataset_finish(struct dataset *d, struct error *err);
/* The same, given up when the job is cancelled. */
MUST_CHECK enum status dataset_finish_job(struct dataset *d, struct job *job, struct error *err);

/* Oldest and newest event; false when no event has a time. */
bool dataset_time_range(const struct dataset *d, int64_t *oldest, int64_t *newest);

/* The field that holds item titles ("title", else "name"), or NULL. */
const struct field *dataset_titles(const struct dataset *d);
/* Title of an item, or its id when it has none. Never NULL; raw text. */
const char *dataset_item_title(const struct dataset *d, uint32_t item);
/* The field best suited to group items for a taste summary ("category", "genres", "genre", "tags", ...), or NULL. */
const struct field *dataset_item_category(const struct dataset *d);

/* An ITEM as people type it: exact id; exact title; title without regard to case, year in brackets and
 * leading or trailing article ("Fargo", "the matrix" for "Matrix, The (1999)"); else a substring (same folding) that
 * only one title has. Prefixes id: and title: force one reading. ST_NOT_FOUND with near titles in the hint,
 * ST_AMBIGUOUS with the candidates and their ids in the hint. */
MUST_CHECK enum status dataset_find_item(const struct dataset *d, const char *text, uint32_t *item, struct error *err);
MUST_CHECK enum status dataset_find_user(const struct dataset *d, const char *text, uint32_t *user, struct error *err);

#endif
