/* Test and validation events that files name: rows of user, item and, if they have one, time, in the indices of a data
 * set. Not changed once sorted; shared by reference count. */
#ifndef TAILOR_DATA_SPLIT_LIST_H
#define TAILOR_DATA_SPLIT_LIST_H

#include <stdatomic.h>

#include "data/dataset.h"

/* Rows sort by user, item, time, fold. */
struct split_row {
    uint32_t user, item;
    uint32_t fold; /* 0: validation; else the fold that tests it, from 1 */
    int64_t time;  /* NO_TIME: every event of the pair */
};

struct split_list {
    atomic_int references;
    struct split_row *rows;
    size_t n, capacity;
    size_t folds;
    char *name;           /* of the files, for people */
    uint64_t fingerprint; /* of the rows */
};

MUST_CHECK enum status split_list_new(const char *name, struct split_list **out, struct error *err);
MUST_CHECK enum status split_list_add(struct split_list *l, const struct split_row *row, struct error *err);
/* Ends building: sorted, without doubles, with its fingerprint. */
void split_list_sort(struct split_list *l);
struct split_list *split_list_hold(struct split_list *l);
void split_list_release(struct split_list *l);

/* What the list says of an event, as bits. */
enum { LIST_TESTED = 1, LIST_VALID = 2 };
unsigned split_list_find(const struct split_list *l, uint32_t user, uint32_t item, int64_t time, size_t fold);
/* Events of d that a row of the list names, and rows that name none. */
void split_list_match(const struct split_list *l, const struct dataset *d, size_t *events, size_t *strangers);

/* As bytes, and back (ST_CORRUPT): how a list is kept. */
void split_list_write(const struct split_list *l, struct str *out);
MUST_CHECK enum status split_list_read(const char *bytes, size_t n, struct split_list **out, struct error *err);

#endif
