/* What the files of the Compare view share: its state, and what is drawn where. */
#ifndef TAILOR_SCREEN_VIEW_COMPARE_H
#define TAILOR_SCREEN_VIEW_COMPARE_H

#include "screen/compare_data.h"
#include "screen/scroll.h"
#include "screen/surface.h"

enum compare_pane { PANE_MODELS, PANE_SEGMENTS, PANE_USERS, COMPARE_PANES };

struct app;

struct compare_view {
    struct dataset *data;     /* counted; NULL: none loaded */
    size_t nmodels;           /* trained ones */
    bool split, validation;   /* there is a split; it has a validation part */
    struct compare_held *held; /* NULL: nothing was compared yet */
    const struct compare *shown; /* what it holds */
    bool stale;               /* other models, another split since */
    bool rewound;             /* the clock stands in the past, where nothing is judged */
    struct str words, notes;  /* what can be claimed; what is not in the numbers */

    /* What is asked for next, as words of the command; "": as it comes. */
    char cut[16];             /* the @20 that was typed behind a metric */
    char metric[48], baseline[64], part[8], by[COMPARE_BY];
    bool coming;              /* a comparison is on its way */
    uint64_t asked;           /* generation that was compared of its own accord */

    enum compare_pane pane;
    struct scroll rows[COMPARE_PANES];
    char chosen[64];          /* the model under the cursor, which stays under it when the order changes */
    struct compare_pair pair;
    struct compare_segments segments; /* of the pair, or of the one before while the new one is on its way */
    uint32_t *listed;         /* users on show: all of the pair, or those of one segment */
    size_t nlisted;
    size_t segment;           /* the one whose users are on show; SIZE_MAX: all */
    char wanted[128];         /* the segment to be opened once they are there; "": none */
};

/* The users of the segment under the cursor while segments have the focus, else of the one that was entered; NULL: all.
 */
const struct cohort *compare_segment(const struct compare_view *v);
bool compare_segments_fit(const struct compare_view *v); /* they are of the pair on show */

/* "compare metric=ndcg@20 baseline=pop on=valid" */
void compare_put(const struct compare_view *v, struct str *s);
/* "compare with itemknn ease metric=ndcg@20": the pair alone, by what is on show. */
void compare_put_pair(const struct compare_view *v, struct str *s);
void compare_put_option(struct str *s, const char *key, const char *value); /* nothing for "" */

/* Asks the worker for a comparison as v says; what was made is shown when it comes. */
void compare_ask(struct app *app, struct compare_view *v);
/* Segments of the pair on show, unless a comparison is on its way, which brings them along. */
void compare_ask_segments(struct app *app, struct compare_view *v);
/* Users of the pair, of the segment alone when there is one, in the order of who loses most. */
void compare_list_users(struct app *app, struct compare_view *v);
/* Opens the view at the users of a segment, named as `compare by=` names it: now, or when the segments have come. */
void compare_open_segment(struct app *app, const char *by, const char *name);
/* The pair of the row under the cursor, with its users and segments. */
void compare_choose_pair(struct app *app, struct compare_view *v);
void compare_forget(struct compare_view *v); /* shows nothing */

bool compare_key(struct app *app, void *state, int32_t key);
bool compare_back(struct app *app, void *state);

void compare_draw_models(struct compare_view *v, struct area a);
void compare_draw_scatter(const struct compare_view *v, struct area a);
void compare_draw_segments(struct compare_view *v, struct area a);
void compare_draw_users(struct compare_view *v, struct area a);

#endif
