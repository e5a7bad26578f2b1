/* Why not: what keeps an item out of the first k, and what would bring it in. */
#ifndef TAILOR_INSPECT_WHYNOT_H
#define TAILOR_INSPECT_WHYNOT_H

#include "inspect/bring.h"

/* What the model knows of the item. */
enum knowledge {
    KNOWS,         /* it learnt from events of it */
    KNOWS_NO_EVENT, /* the item was there, but no event of it was among those that the model learnt from */
    CAME_LATER,    /* the item came after the model was trained */
    GIVES_NO_SCORE /* the model knows it and yet has no score for it */
};

struct whynot_asked {
    const struct dataset *data;
    const struct split *split; /* the present one; NULL: none */
    size_t k;                  /* up to nitems */
    enum seen seen;
    double seconds;            /* for each of the two searches; < 0: do not search; 0: no limit */
    struct job *job;
};

/* One that stands above, or one of the history that keeps the item down. */
struct whynot_above {
    uint32_t item;
    float score;
};

struct whynot_pull {
    uint32_t item;
    int64_t time;        /* its latest event */
    double gap_without;  /* to the k-th, were it not in the history; < 0: then the item is in */
    size_t rank_without;
};

struct whynot {
    uint32_t item;
    enum knowledge knows;
    size_t events, learnt;  /* events of the item up to the moment of asking; among those that the model learnt from */
    bool learnt_known;      /* else the model's split is not the present one */
    bool seen;              /* the history has it, and so it is hidden */
    int64_t seen_at;
    uint32_t seen_times;
    bool shown;             /* the rank is among all items: by seen=show, or because it was seen itself */
    size_t rank, ranked, k; /* 0: it has no place; items that have one */
    float score, kth;       /* kth: score of the k-th of the others, -inf when they are fewer */
    struct whynot_above *above; /* the best of those that stand above it, at most k; owned */
    size_t nabove;
    const char *category;   /* most of those above are of it (more than half, and at least 3); NULL: none */
    size_t of_category;
    struct whynot_pull *pulls; /* events without which the gap would be smaller, the strongest first; owned */
    size_t npulls, tried;   /* items of the history that were left out, one at a time: the latest ones */
    bool ignores;           /* the model does not look at the history */
    bool searched;
    struct brought removing, adding;
};

/* Why `item` is not among the first k for this history. An item that was seen is placed among all items, shown or not.
 * Nothing is searched for when it is in, or has no score, or where every other history draws lots anew. Clear it in
 * every case. */
MUST_CHECK enum status whynot_make(const struct model *m, const struct query *q, uint32_t item,
                                   const struct whynot_asked *a, struct whynot *out, struct error *err);
void whynot_clear(struct whynot *w);
/* Has the next one on the other side of place k the same score? Then the order of the data decides. */
static inline bool whynot_tied(const struct whynot *w)
{
    return w->rank && w->score == w->kth;
}
/* Is it among the first k, and in no way hidden? */
static inline bool whynot_in(const struct whynot *w)
{
    return w->rank && w->rank <= w->k;
}

#endif
