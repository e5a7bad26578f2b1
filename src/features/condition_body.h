/* What a condition is made of, for the files that read it (condition.c) and that ask it (condition_holds.c). */
#ifndef TAILOR_FEATURES_CONDITION_BODY_H
#define TAILOR_FEATURES_CONDITION_BODY_H

#include "features/condition.h"

enum node_type { NODE_OR, NODE_AND, NODE_NOT, NODE_COMPARISON };
enum operator { IN, NOT_IN, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

/* Where the cell of an event is found: in a column that all data have, or in a field. */
enum subject {
    OF_TYPE,
    OF_VALUE,
    OF_USER,
    OF_ITEM,
    OF_TIME,
    OF_USER_EVENTS,
    OF_ITEM_EVENTS,
    OF_CONTEXT,
    OF_ITEM_FIELD,
    OF_USER_FIELD
};

struct comparison {
    enum subject subject;
    const struct field *field; /* the last three */
    enum operator operator;
    uint32_t *codes;   /* what a text is compared with, ... */
    double *numbers;   /* ... or a number or time; n of them */
    size_t n;
};

struct node {
    enum node_type type;
    size_t left, right; /* children; NOT has left only */
    struct comparison comparison;
};

/* Nodes in the order in which they were read; the last is the root. */
struct condition {
    const struct dataset *data;
    bool counted;           /* may it ask for counts over all of the data? */
    bool of_items;          /* is asked about items, not events: rows are items */
    int64_t until;          /* what counts lies before this moment; NO_TIME: all */
    uint32_t *user_events, *item_events; /* feedback events of each, when it does */
    struct node *node;
    size_t n, capacity;
};

/* Is a cell of the comparison a text, else a number or a time? */
bool condition_compares_text(const struct comparison *c);

#endif
