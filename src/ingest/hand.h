/* A hand from the inside: rows are cut in chunk.c and taken in hand.c. */
#ifndef TAILOR_INGEST_HAND_H
#define TAILOR_INGEST_HAND_H

#include "ingest/chunk.h"
#include "ingest/shape.h"

enum { BATCH_ROWS = DICT_MANY, BATCH_CELLS = 1 << 14, ROOM = 64 << 10 };

/* Rows that were cut and wait to be taken. */
struct batch {
    size_t width, most; /* cells a row, rows that fit */
    size_t n;
    struct cell *cells; /* most * width */
    size_t start[BATCH_ROWS + 1];     /* of plain rows, in the block */
    struct text {
        const char *text;
        size_t length;
        uint64_t line;
    } row[BATCH_ROWS];
    int64_t time[BATCH_ROWS];
    double value[BATCH_ROWS], amount[2][BATCH_ROWS];
    struct cell made[ROLES][BATCH_ROWS]; /* of roles that are computed */
    uint16_t good[BATCH_ROWS]; /* rows that passed the checks */
    size_t ngood;
    char room[ROOM]; /* texts of rows whose cells do not stay where they are */
    size_t used;
};

struct hand {
    const struct event_form *form;
    struct sheet t; /* over a feed that is the block */
    struct feed feed;
    struct batch batch;
    struct shapes shapes; /* of JSON lines */
    struct str joined;    /* texts of computed columns of the batch */
    struct chunk *chunk;
    char reason[256];
};

/* Checks the rows of the batch, stores the good ones in the chunk, empties it. */
MUST_CHECK enum status hand_take(struct hand *h, struct error *err);
/* Notes a row that cannot be used. */
MUST_CHECK enum status hand_refuse(struct hand *h, const struct text *row, const char *reason, struct error *err);

#endif
