/* Lists that were really served: what production showed, told by a file and taken for a model.
 *
 * A user has lists, each from a moment on; the one that counts in a question is the latest that was served at or before
 * the moment of asking. It scores its items by place (-1, -2, ...), or by the scores that came with the file where
 * these fall along every list; everything else scores -inf, and so does everything for who has no list. The history
 * says nothing: lists stand as they were served, with what the user had seen, and cannot be opened. */
#ifndef TAILOR_MODELS_SERVED_H
#define TAILOR_MODELS_SERVED_H

#include "models/model.h"

extern const struct model_class model_served;

/* One row of a file. */
struct served_row {
    uint32_t user, item; /* of the data set, or NO_USER, NO_ITEM where it has none of that id */
    uint32_t key;        /* tells items apart, unknown ones too: below the `nkeys` of served_new */
    int64_t time;        /* NO_TIME: not told, older than any moment */
    double rank, score;  /* NaN: not told */
};

/* What became of the rows. */
struct served_report {
    size_t rows, lists, places;
    size_t unknown_users, unknown_items; /* rows that were left out for it */
    size_t doubles;                      /* rows of an item that the list has higher up */
    size_t unranked;                     /* rows without a rank in a file of ranks: they come last */
    size_t empty;                        /* lists of which no item is known: they are there, with nothing in them */
    bool ranked, scored; /* lists are ordered by rank, else by score, else as in the file; scores are kept */
    bool crossed;                        /* there are scores, but they do not fall along the ranks */
};

/* A model of rows[0..n), which it reorders; rows of a user and a moment are one list, equal ranks stay in the order of
 * rows. ST_STATE when no row has a known user and item. Its record is of the data set: what it was trained until is not
 * told, as lists of later than the moment of asking are never looked at. */
MUST_CHECK enum status served_new(const struct dataset *d, const char *name, struct served_row *rows, size_t n,
                                  size_t nkeys, struct model **out, struct served_report *report, struct error *err);

/* One list. */
struct served_list {
    int64_t time;          /* when it was served; NO_TIME: not told */
    const uint32_t *item;  /* best first */
    const uint32_t *place; /* from 1, as served: what the data set does not know has a place too */
    const float *score;    /* NULL: none came with it */
    size_t n;
};
/* Is m of this class? Everything that cannot be asked of lists looks at this. */
bool model_is_served(const struct model *m);
/* The list that counts at the moment; false when there was none. */
bool served_find(const struct model *m, uint32_t user, int64_t as_of, struct served_list *out);
/* The user's i-th list, oldest first; false past the last. */
bool served_at(const struct model *m, uint32_t user, size_t i, struct served_list *out);
/* When the oldest and the newest list were served; NO_TIME when not told. */
void served_span(const struct model *m, int64_t *oldest, int64_t *newest);
size_t served_count(const struct model *m);
/* A score as one shows it: NaN where m is served and knows places only, so that its scores are just these; else the
 * score. */
double model_shown_score(const struct model *m, double score);

#endif
