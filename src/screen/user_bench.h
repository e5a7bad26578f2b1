/* One user under the lamp: a history whose items can be switched off, and what every model makes of it.
 *
 * The lists come from ranking/ and the contributions from the models, as `recommend`, `whatif` and `why` get them, so
 * the numbers are the same to the last bit. Everything here answers inside one frame and runs on the thread of the
 * screen. */
#ifndef TAILOR_SCREEN_USER_BENCH_H
#define TAILOR_SCREEN_USER_BENCH_H

#include "commands/workbench.h"
#include "inspect/profile.h"
#include "inspect/whatif.h"
#include "inspect/why.h"

enum { BENCH_DEPTH = 100 }; /* rows of a list */

/* A distinct item of the history. */
struct bench_item {
    uint32_t item, count;
    float value;   /* of its latest event; NaN: none */
    int64_t time;  /* of its latest event */
    uint16_t type;
    bool on;
    bool added;    /* by the user of the screen: it never happened */
    bool later;    /* all its events lie behind the moment that is looked at, or were stepped over: off, and stays so */
    double part;   /* contribution to the item in question; NaN: none was asked for */
};

struct bench_list {
    struct model *model;      /* counted */
    float *scores, *was;      /* all items, what was seen masked: of the changed history, and of the true one */
    struct scored top[BENCH_DEPTH], was_top[BENCH_DEPTH];
    size_t n, nwas;
};

struct bench {
    struct dataset *data;     /* counted; NULL: nothing loaded */
    uint32_t user;            /* NO_USER: a made-up history, or nobody */
    struct history whole;     /* all events up to the clock of the workbench */
    int64_t at;               /* the moment that is looked at; NO_TIME: that clock */
    size_t back;              /* where events have no times: so many items, those that came last, are stepped over */
    struct history truth;     /* events before that moment, or without those items */
    struct history changed;   /* without what is off, with what was added */
    struct profile profile;   /* of the true history */
    struct bench_item *items; /* newest first; added ones before them */
    size_t nitems, items_capacity;
    uint32_t *row_of;         /* per item of the data: its row of `items`, or NO_CODE */
    struct bench_list *lists;
    size_t nlists;
    double seconds;           /* the last ranking of all lists */
    bool hides_itself;        /* lists hide what was seen, as here; the workbench was set otherwise */
};

/* Takes the workbench's data, models and clock; the user's events or, with NO_USER, the made-up history. */
MUST_CHECK enum status bench_load(struct bench *b, struct workbench *wb, uint32_t user, struct error *err);
void bench_clear(struct bench *b);
/* The list of this model becomes the one at `place`; those behind it move on. Nothing happens when there is none. */
void bench_put_list(struct bench *b, const char *model, size_t place);
/* Ranks every list anew after items[].on changed. */
MUST_CHECK enum status bench_rank(struct bench *b, struct error *err);
/* Looks at the history as it was before `at` (NO_TIME: up to the clock), with the same models: what `at=` does. What
 * was switched is as it happened again; what was added stays. */
MUST_CHECK enum status bench_look_at(struct bench *b, int64_t at, struct error *err);
/* The moment one step (events of one time) before the one looked at, or after it: before = true or false. False: there
 * is none. */
bool bench_step(const struct bench *b, bool before, int64_t *at);
/* The same where only the order of events is known: without the `items` items that came last, which is what `remove`
 * does with them. */
MUST_CHECK enum status bench_look_back(struct bench *b, size_t items, struct error *err);
/* Is it looked at as it was earlier? */
bool bench_is_earlier(const struct bench *b);
/* Puts an item that never happened before the history, switched on; ranks nothing. An item that is there is switched
 * on. */
MUST_CHECK enum status bench_add(struct bench *b, uint32_t item, struct error *err);
bool bench_touched(const struct bench *b);
/* Places gained since the true history: > 0 up; INT32_MAX: was not in the list at all. */
int32_t bench_moved(const struct bench *b, size_t list, size_t place);
/* Why `item` has its place in list `l`: with the largest part taken out once. Fills items[].part too. */
MUST_CHECK enum status bench_explain(struct bench *b, size_t list, uint32_t item, struct why *out, struct error *err);
/* What switching history row `row` over would do to the first `top` of list `list`: its moves, largest first; *n of
 * them at most, and how many there are. */
MUST_CHECK enum status bench_preview(struct bench *b, size_t row, size_t list, size_t top, struct move *out, size_t *n,
                                     struct error *err);

/* "whatif 196 remove id:7 add id:12", or "recommend 196" while nothing is changed: the command with the same lists. */
void bench_command(const struct bench *b, struct str *out);
/* "id:50", quoted where an id has to be. */
void bench_put_item(const struct bench *b, uint32_t item, struct str *out);
void bench_put_user(const struct bench *b, struct str *out);
/* " remove id:7 add id:12": what was changed. */
void bench_put_edits(const struct bench *b, struct str *out);
/* " at=1997-12-04T15:00:01", nothing at the clock; and what else commands have to be told. */
void bench_put_options(const struct bench *b, struct str *out);

#endif
