/* Retrained: what a list would be had some events of one user never been there, or others been, or had the user been
 * another (from another country), when the model learnt.
 *
 * What-if edits the history that a model is asked with; retraining also edits what it learnt from. Both are the same
 * events: those that are taken out of the history, as far as they were among those of training, and those that are put
 * in; and the same attributes, where the model reads them.
 *
 * A class with the slot `retrained` (EASE) answers by the mathematics of its own model, exactly and within
 * milliseconds. All others are trained anew on the edited events with the same parameters and seed. Of an ensemble
 * those of its models are retrained that have a say in the answer, each in its own way; it is put together again from
 * them, with what it has learnt itself (weights) as it was. */
#ifndef TAILOR_INSPECT_RETRAIN_H
#define TAILOR_INSPECT_RETRAIN_H

#include "models/history.h"

enum retrain_way {
    RETRAIN_UPDATE, /* exactly, by the slot */
    RETRAIN_ANEW,   /* trained on the edited data */
    RETRAIN_CHANCE, /* trained anew too, and other events make it draw other random numbers: part of what moves is
                       chance */
    RETRAIN_SAME    /* nothing that the model learnt from is edited: it stays as it is */
};

struct retrain {
    const struct model *m;
    const struct dataset *data;
    const struct split *split;   /* the present one; NULL: none */
    const struct query *before, *after; /* histories of one user of `data`: what differs between them is edited; and
                                           what `after` says of attributes */
    struct job *job;
};

/* One of the models of an ensemble. */
struct retrained_part {
    const char *name; /* the model's */
    enum retrain_way way;
};

struct retrained {
    enum retrain_way way;  /* of an ensemble: the least exact of its parts' */
    size_t removed, added; /* events that training lost and got */
    size_t attributes;     /* that the model reads and that are another now */
    double seconds;
    float *scores;         /* nitems of m, of the history `after`; owned */
    struct retrained_part *parts; /* of an ensemble: those that were asked, in their order; owned */
    size_t nparts, capacity;
};

/* Retrains and scores. ST_UNSUPPORTED or ST_STATE with the reason when it cannot: a made-up user, one who came later
 * than the model, another split. Clear it in every case. */
MUST_CHECK enum status retrain_make(const struct retrain *r, struct retrained *out, struct error *err);
void retrained_clear(struct retrained *r);

#endif
