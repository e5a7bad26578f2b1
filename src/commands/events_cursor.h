/* A look at the table `events`: table_events.c walks it, events_choice.c says over which events. */
#ifndef TAILOR_COMMANDS_EVENTS_CURSOR_H
#define TAILOR_COMMANDS_EVENTS_CURSOR_H

#include "commands/pinned.h"
#include "data/by_item.h"
#include "data/scan.h"

enum { EVENT, USER, ITEM, TYPE, TIME, VALUE, SEQUENCE, FIXED };

/* The events [begin, end). */
struct run {
    size_t begin, end;
};

struct events_cursor {
    struct pinned *pinned;
    const struct dataset *data;
    struct scan scan;
    uint8_t **sets; /* of the scan's tests */
    size_t nsets, sets_capacity;
    struct run *runs;
    size_t nruns, runs_capacity;
    size_t run, at;  /* next block begins at `at` of this run */
    uint16_t place[SCAN_BLOCK];
    size_t block, nplaces, nth; /* the present block and the next of its places */
    size_t event;    /* the present row */
    bool nothing;
    bool listed;           /* the rows are among these, ascending; no runs */
    const uint32_t *list;
    size_t nlist, nth_listed;
    uint32_t *merged;      /* the list of several items, owned */
    size_t merged_capacity;
    struct str text;
};

/* The part stands behind the fixed columns while there is a split. */
static inline size_t events_first_field(const struct pinned *p)
{
    return FIXED + (p->split != NULL);
}

/* The slot of the table: finds the events that pass. */
MUST_CHECK enum status events_choose(void *cursor, const struct sql_test *tests, size_t n, uint64_t used,
                                     struct error *err);
/* Forgets what was found. */
void events_nothing(struct events_cursor *c);

#endif
