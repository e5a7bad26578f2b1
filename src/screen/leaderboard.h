/* The leaderboard: every trained model, with what `compare` said about it. */
#ifndef TAILOR_SCREEN_LEADERBOARD_H
#define TAILOR_SCREEN_LEADERBOARD_H

#include "commands/workbench.h"
#include "result/result.h"
#include "screen/surface.h"

struct leaderboard {
    struct dataset *data;     /* counted; NULL: none */
    bool split;               /* there is something to be judged on */
    struct model **models;    /* counted; in the order of the table's rows */
    size_t nmodels;
    struct result *compared;  /* the last result of `compare`; NULL: none that still holds */
    uint64_t compared_split;  /* what it was made on */
    struct result *result;    /* owns table */
    struct table *table;
    bool judged;              /* some row has a metric */
    size_t unjudged;          /* rows that have none */
    const char *metric;       /* "ndcg@20": the interval's */
    double *mean, *low, *high; /* of it, per row; NaN: not judged */
    double left, right;       /* ends of the axis of the intervals */
    char note[160];           /* on what it was judged */
};

/* Takes the models as they are now, the judged ones first, best first. */
MUST_CHECK enum status leaderboard_fill(struct leaderboard *b, struct workbench *wb, struct error *err);
/* Keeps a copy of what `compare` said; fill after it. */
MUST_CHECK enum status leaderboard_keep(struct leaderboard *b, struct result *r, struct error *err);
void leaderboard_clear(struct leaderboard *b);
/* "├──●──┤" of a row on the common axis. */
void leaderboard_draw_interval(const struct leaderboard *b, size_t row, struct area cell, unsigned look);

/* How a row stands among the others by the metric in a column of the table. */
struct standing {
    const char *metric;
    double value, best;
    size_t place, of; /* 1: nobody has more */
};
/* False: the column is no metric, or the row was not judged. */
bool leaderboard_standing(const struct leaderboard *b, size_t row, size_t column, struct standing *out);

#endif
