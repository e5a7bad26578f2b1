/* Queries on their way through the items, tile by tile: what the files of the way of two passes share of them
 * (linalg/rough.h). */
#ifndef TAILOR_LINALG_ROUGH_DESK_H
#define TAILOR_LINALG_ROUGH_DESK_H

#include "linalg/rough_parts.h"
#include "linalg/tiles.h"

#if KERNEL_AMX

/* Queries of one parallel piece of work; scores made together. */
enum { QUERIES = 1024, TOGETHER = 16 };
/* The parts of the bound: roundings of the bound itself, and what falls below the smallest normal number. */
#define SLACK 0x1p-20F
#define TINY  1e-30F

/* Items that may still matter to one query, in three columns. lower <= score <= upper; the same when it is known. */
struct rivals {
    float *lower, *upper;
    uint32_t *place; /* where they stand in the order of items */
    uint32_t n;
    float bar; /* at least as many reach it as the list is long; -inf before there are as many */
    /* Nothing below is asked for: the bar, or the least wanted score that is not below it, or, when there is none,
     * more than any score. */
    float floor;
    const uint32_t *hide, *shown;     /* places that are hidden, ascending: from here on, up to there */
    const float *wanted, *wanted_end; /* scores of the wanted items; NULL: whole lists are asked for */
};

/* What one thread needs for QUERIES queries, each in a seat. Those that are not there, or not for tiles, are closed. As
 * queries get done, the others move up, so that tiles are full of queries that still look for items. */
struct desk {
    size_t begin;           /* the first of the queries */
    uint32_t who[QUERIES];  /* query begin + who[i] sits in seat i */
    uint16_t *tiles;        /* QUERIES / ROWS x steps tiles */
    float *columns;         /* QUERIES x 3 x room: the rivals */
    struct scored *settled; /* room */
    bool open[QUERIES];
    struct rivals rivals[QUERIES];
    _Alignas(64) float floor[QUERIES], length[QUERIES], residue[QUERIES]; /* floor: of the rivals */
    _Alignas(64) float low[PAIR], off[PAIR];                              /* of the queries that are looked at */
    _Alignas(64) float sums[4 * SUMS];
};

struct take {
    const struct dots_lists *l;
    const float *x;
    const struct item_sets *hidden, *wanted; /* wanted: NULL: whole lists are asked for */
    uint32_t *hide;                          /* beside hidden->item: places, ascending within a query */
    float *wanted_score;                     /* beside wanted->item, from that of the first query on */
    size_t room; /* of a query's rivals, without what a whole vector may write behind them */
    struct desk *desks;
    struct scored *out;
    size_t *counts;
};

/* The first `n` of 16. */
static inline __mmask16 rest_of(uint32_t n)
{
    return (__mmask16)(n < ROWS ? (1U << n) - 1 : 0xffffU);
}

/* ---- rivals (rough_rivals.c) ---- */

/* So many rivals there is room for in lists of `length`, without what a whole vector may write behind them. */
size_t rough_room(size_t length);
/* Scores what query q wants, before it has rivals. */
void rough_want(const struct take *t, struct rivals *r, size_t q);
/* Makes room for the items of a pair: drops who has lost, or else, where bounds cannot tell them apart, all but the
 * best. */
void rough_make_room(const struct take *t, struct desk *d, struct rivals *r, size_t q);
/* The list of query q, down to its floor: of its rivals, or of all items where it was not for tiles. */
void rough_finish(const struct take *t, struct desk *d, struct rivals *r, size_t q);
void rough_serve_plainly(const struct take *t, size_t q);

#endif

#endif
