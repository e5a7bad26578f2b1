/* What the files of the User view share: its state, and what is drawn where. */
#ifndef TAILOR_SCREEN_VIEW_USER_H
#define TAILOR_SCREEN_VIEW_USER_H

#include "screen/scroll.h"
#include "screen/surface.h"
#include "screen/user_bench.h"
#include "screen/user_kept.h"
#include "screen/user_question.h"

enum { MOST_PANES = 17, SHOWN_MOVES = 6, PREVIEW_TOP = 10, UNDO_STEPS = 64 };

enum history_order { ORDER_NEWEST, ORDER_TITLE, ORDER_VALUE, ORDER_PART, ORDERS };

struct app;

struct user_view {
    struct bench bench;
    uint32_t user;                 /* what the bench was loaded for */
    size_t pane;                   /* 0: the history; 1 + l: list l */
    size_t first;                  /* first list that is drawn */
    struct scroll rows[MOST_PANES];
    enum history_order order;
    size_t *shown;                 /* rows of bench.items in the order on show */
    size_t nshown, shown_capacity;
    char first_models[2][64];      /* whose lists stand first; "": as they come */
    bool zoomed;                   /* the why pane has the room of the lists */
    char search[64];
    uint32_t undo[UNDO_STEPS];     /* items that were switched, the latest last */
    size_t nundo;
    struct kept kept;              /* what was switched of others */

    /* What the lower pane says; brought up to date after every key. */
    struct why why;                /* of the list's item under the cursor; why.item == NO_ITEM: none */
    struct move moves[MOST_PANES][SHOWN_MOVES]; /* of the history item under the cursor, per list */
    size_t nmoves[MOST_PANES];
    double why_seconds;
    struct user_question question; /* stands in the lower pane instead while it is about something */
};

size_t user_lists(const struct user_view *v); /* that have a pane */
/* The row of the history under its cursor; NULL: none. */
struct bench_item *user_history_row(const struct user_view *v);
/* The list of the focused pane and its item under the cursor; false in the history. */
bool user_list_row(const struct user_view *v, size_t *list, uint32_t *item);

/* Takes the user, the data and the models of the workbench as they are now. */
MUST_CHECK enum status user_load(struct app *app, struct user_view *v, struct error *err);
/* Puts the history into the order on show. */
MUST_CHECK enum status user_arrange(struct user_view *v, struct error *err);
/* Brings the lower pane up to date with the cursor. */
void user_ask(struct app *app, struct user_view *v);
/* Ranks every list anew after a switch. */
void user_rank(struct app *app, struct user_view *v);
void user_remember(struct user_view *v, uint32_t item); /* for user_undo */
void user_undo(struct app *app, struct user_view *v);
void user_switch(struct app *app, struct user_view *v, struct bench_item *it);
void user_add(struct app *app, struct user_view *v, uint32_t item);
/* The true history again; or, `all`, everything off, and on when all was off. */
void user_switch_all(struct app *app, struct user_view *v, bool all);

bool user_key(struct app *app, void *state, int32_t key);
bool user_back(struct app *app, void *state);

/* Shows the current user of the workbench, from now on with the lists of these two models first. */
void user_view_put_first(struct app *app, const char *model, const char *other);

void user_draw_person(const struct user_view *v, struct area row);
void user_draw_history(struct user_view *v, struct area a);
/* `before` and `behind` lists wait on either side. */
void user_draw_list(struct user_view *v, struct area a, size_t list, size_t before, size_t behind);
void user_draw_why(struct user_view *v, struct area a);

#endif
