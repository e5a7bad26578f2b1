/* The arrays that a data set is made of, as a list: what is written, and where it goes when it is read. */
#ifndef TAILOR_STORE_COLUMNS_H
#define TAILOR_STORE_COLUMNS_H

#include "data/dataset.h"
#include "store/chunks.h"
#include "store/sql.h"

enum owner { OWNER_EVENT, OWNER_USERS, OWNER_ITEMS, OWNER_TYPES, OWNER_CONTEXT, OWNER_USER, OWNER_ITEM, OWNERS };

struct column {
    enum owner owner;
    const char *name; /* of the field; "" for the rest */
    int kind;         /* enum field_type of the field; -1 for the rest */
    const char *part; /* "user", "time", "start", ... */
    enum element element;
    void *place;      /* address of the pointer to the array */
    size_t count;
    bool there;       /* an optional one may be absent */
    struct dict *dict;   /* of which it is a part, or NULL */
    struct field *field; /* likewise */
};

struct columns {
    struct column *column;
    size_t n, capacity;
};

void columns_clear(struct columns *c);
/* The array of a column. */
void *column_data(const struct column *c);

/* All columns of a data set with their counts; those without content (no times) have there = false. */
MUST_CHECK enum status columns_of(struct dataset *d, struct columns *out, struct error *err);

/* Writes t_columns (those that are there, numbered from 0) and adds them to the running sum. */
MUST_CHECK enum status columns_put(sqlite3 *db, int64_t dataset, const struct columns *c, uint64_t *sum,
                                   struct error *err);
/* Reads t_columns: adds the fields to the empty data set d, then fills `out` with its columns in stored order, all
 * there, with their counts and no memory yet. */
MUST_CHECK enum status columns_get(sqlite3 *db, int64_t dataset, struct dataset *d, struct columns *out, uint64_t *sum,
                                   struct error *err);
/* Makes room for count elements; count is known to be backed by chunks. */
MUST_CHECK enum status column_make_room(struct column *c, struct error *err);
/* Once all arrays are filled: counts, capacities and user_begin of d, every index and order checked. ST_CORRUPT. */
MUST_CHECK enum status columns_settle(struct dataset *d, const struct columns *c, struct error *err);

#endif
