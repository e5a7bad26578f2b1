/* A model: a function from a history (plus context) to scores over all items.
 *
 *     scores = score(model, query{ events[], user, as_of })
 *
 * Not from a user id: every model folds in a history it has never seen. What-if is the same history
 * with an event removed or added; cold start is a short one; time travel is the history as of a date.
 *
 * A model class is a const struct of functions and a table of parameters; `models/classes.h` lists them. The
 * driver (driver.h) owns the training loop: progress, cancel, early stop, learning curve, timing. */
#ifndef TAILOR_MODELS_MODEL_H
#define TAILOR_MODELS_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/job.h"
#include "base/param.h"
#include "data/dataset.h"
#include "data/interactions.h"
#include "models/snapshot.h"
#include "models/user_vectors.h"
#include "store/blob.h"

struct model;

/* One event of a history. */
struct query_event {
    uint32_t item;
    uint16_t type;
    float value;    /* rating, NaN when missing */
    float weight;   /* type weight (> 0) */
    int64_t time;   /* NO_TIME when unknown */
    uint64_t event; /* row in the data set, or UINT64_MAX for one the user made up */
};

/* An attribute of the user taken to be another than the data says. */
struct query_attribute {
    const char *field, *value;
};

/* Oldest first. Repeats of an item are allowed; models read them as interactions do (query_items). */
struct query {
    const struct query_event *events;
    size_t n;
    uint32_t user;  /* for attributes only; NO_USER for nobody */
    int64_t as_of;  /* the moment of asking; NO_TIME: after everything known */
    uint32_t
        hides; /* where seen items are hidden: 0: those of all events; else 1 + the type whose events hide theirs */
    const struct query_attribute *attributes; /* what holds in place of the user's own; NULL: nothing */
    size_t nattributes;
};
/* What is said of this attribute of the user, or NULL. */
const char *query_says(const struct query *q, const char *field);

/* What a history amounts to: distinct items in ascending order, weights summed, latest time. */
struct query_item {
    uint32_t item;
    uint32_t count;
    float weight;
    int64_t time;
};
/* Fills out[0..q->n) and returns how many; the same reading as interactions_build, to the bit. Sorts in place: no
 * memory. */
size_t query_items(const struct query *q, struct query_item *out);

/* Many histories at once: those of query q are items[begin[q] .. begin[q + 1]). */
struct folded {
    size_t n;
    size_t *begin; /* n + 1 */
    struct query_item *items;
};
MUST_CHECK enum status folded_new(struct folded *f, const struct query *queries, size_t n, struct error *err);
void folded_clear(struct folded *f);
/* The same as the rows of a matrix, n x nitems; values are the summed weights, or none unless `weigh`. Free with
 * csr_clear. */
MUST_CHECK enum status folded_rows(const struct query *queries, size_t n, size_t nitems, bool weigh, struct csr *out,
                                   struct error *err);

/* Contribution of one history item (or, for popularity, of one piece of evidence) to one score. */
struct contribution {
    uint32_t item;      /* history item, or NO_ITEM for a part with a label only */
    double value;       /* signed; all contributions and `base` sum to the score */
    char label[96];     /* "" or what the part is ("decayed count of purchases, 12 events") */
};

struct explanation {
    double score;        /* what score() gives for this query and item */
    double base;         /* part owed to no history item (bias, popularity) */
    double own;          /* of base: what sets this item apart for everybody, as its bias does */
    const char *own_is; /* what that is when it is positive, after "because": "everybody rates it highly"; NULL: nothing
                           of that kind */
    bool exact;
    const char *method;  /* "rows of B (exact)", static string */
    struct contribution *parts; /* largest |value| first; owned, mem_free */
    size_t nparts;
};
void explanation_clear(struct explanation *x);
/* For classes: an empty explanation with room for nparts; one part more; and at the end the order of size. */
MUST_CHECK enum status explanation_new(struct explanation *x, size_t nparts, struct error *err);
struct contribution *explanation_add(struct explanation *x, uint32_t item, double value);
void explanation_sort(struct explanation *x);
/* The score of an explanation that has all its parts, which stay as they are: scores[item], of all n scores of the
 * history. Those are float32 sums; one that is next to nothing beside the terms that cancelled in it has lost digits
 * that the parts, summed in double, still have (of iALS and BSPM, one pair in ten thousand). Where that is more than
 * 1e-5 of the parts' sizes, what is lost (a millionth of the largest score at most) is part of the base: it is owed to
 * no item of the history. A larger difference is no rounding, and stays to be seen. */
void explanation_score(struct explanation *x, const float *scores, size_t n, uint32_t item);

/* A term of a score. */
struct score_term {
    uint32_t item, user; /* of the history; a neighbour; NO_ITEM and NO_USER: the label says what it is */
    char label[96];      /* "", or what it is, or what part of an item it is */
    double left, right;  /* value = left x right; NaN where the term is no product */
    double value;
};

/* The arithmetic of one score, with the real numbers: terms that sum to it. */
struct steps {
    const char *formula; /* static */
    struct score_term *terms;  /* largest |value| first; owned */
    size_t n;
    double sum;          /* of the terms, in their order */
    double score;        /* the float32 that lists go by */
    bool exact;
};
void steps_clear(struct steps *s);
/* For classes: no terms, with room for n; one more that is a product (for an item of the history, or NO_ITEM); and one
 * that is none. */
MUST_CHECK enum status steps_new(struct steps *s, size_t n, struct error *err);
struct score_term *steps_add(struct steps *s, uint32_t item, double left, double right);
void steps_add_plain(struct steps *s, const char *label, double value);

/* What one model of an ensemble says of an item, and what that comes to. */
struct part_share {
    double weight; /* 0: it has no say */
    float score;   /* its own; -inf: it does not know the item */
    size_t place;  /* in its list, from 1, where lists are fused; 0: not in it */
    double value;  /* what counts: its score on the ensemble's scale, or what its place in its list is worth */
    double adds;   /* to the score of the ensemble */
    char note[64]; /* "" or what is special: "not among its 500 best", "from 5 items on" */
};

/* Lists that should have been: what weights of an ensemble are fitted to. */
struct fitting {
    struct model *const *parts; /* those of the ensemble, trained without `right`; NULL: its own are */
    const struct query *queries;
    size_t n;
    const size_t *right_begin; /* n + 1 */
    const uint32_t *right;     /* ascending within a query */
    bool hide_seen;            /* what a history holds is not recommended */
    /* The metric of one list, by the ranks below k of its right items, from 0, ascending, and how many there are (> 0).
     */
    double (*judge)(const void *metric, const uint32_t *rank, size_t nhits, size_t relevant);
    const void *metric; /* whatever judge takes */
    size_t k;
};

/* What training sees. */
struct training {
    const struct selection *selection;        /* for models that read events (popularity, sequences) */
    const struct interactions *interactions;  /* for models that read the matrix */
    const struct fitting *fitting;            /* for classes that FIT_WEIGHTS, else NULL */
    uint64_t seed;
    struct job *job;
};

/* What `update` sees: a trained model and what it would be trained on now, of which the first users and items are those
 * it knows. Both trainings have the same seed and job. */
struct update {
    const struct model *from;
    const struct training *before, *after; /* what `from` was trained on, and what is there now */
    const uint32_t *users;                 /* rows whose items, weights or times differ, ascending; new ones too */
    size_t nusers;
};

/* A row of the matrix that a model learnt from, as it was and as it might have been: distinct items, ascending. */
struct row_edit {
    const struct query_item *before, *after;
    size_t nbefore, nafter;
};

enum capability {
    CAN_EPOCHS = 1,    /* learns in epochs: has a learning curve */
    CLOSED_FORM = 2,   /* nothing is drawn or cut by index: other labels of users and items permute the scores */
    CAN_RATE = 4,      /* scores are predicted ratings */
    OF_MODELS = 8,     /* is made of trained models: m->parts */
    FITS_WEIGHTS = 16, /* needs t->fitting */
    SCORES_APART = 32, /* the scores of a history cost no more alone than among others */
    ADDS_UP =
        64, /* the scores of a history are those of an empty one and what each of its items adds when it is alone */
    IGNORES_HISTORY = 256, /* for a user of the data no event of the history changes a score */
    SERVED =
        128, /* lists from outside (models/served.h): not trained, not opened, not edited; shown as they were served */
};

struct model_class {
    const char *name;      /* "ease" */
    const char *summary;   /* one line */
    const char *reference; /* authors, title, venue, year */
    const char *advice; /* which of its ways when, as measured, where parameters choose between them; NULL: nothing of
                           that kind */
    const char *fold_in;   /* how an unseen history is scored and how close that is to the native score */
    const char
        *formula; /* the score as a sum, in one line, where more can be said than its capabilities do; else NULL */
    unsigned capabilities;
    const struct param *params;
    size_t nparams;
    const char *sibling;   /* a class for when memory will not do: "sansa"; NULL: none */

    /* Will these parameters and this data do? Says memory before it is taken. May be NULL. Also estimates: *bytes. */
    enum status (*check)(const struct model *m, const struct training *t, size_t *bytes, struct error *err);
    /* About how many seconds training takes, where that can be told before; asked when it may be worth saying. NULL: by
     * the progress of the first epochs or items, which is soon enough. */
    enum status (*estimate)(const struct model *m, double *seconds, struct error *err);
    /* begin allocates m->state and prepares; epoch is called with 0, 1, ... until it sets *done (one-shot models do
     * all their work in epoch 0); it reports a loss through *loss (NaN: none). end drops what only training needs. May
     * be NULL: end. */
    enum status (*begin)(struct model *m, const struct training *t, struct error *err);
    enum status (*epoch)(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                         struct error *err);
    enum status (*end)(struct model *m, const struct training *t, struct error *err);
    /* Between two epochs, and before m is asked there: makes what answers need and epochs do not. A model that has
     * ended, or was loaded or updated, is ready. Once more is no harm. NULL: always ready. */
    enum status (*ready)(struct model *m, struct error *err);

    /* scores[q * nitems + i] for queries[0..n); the row of a query has the same bits whatever n and its place. */
    enum status (*score)(const struct model *m, const struct query *queries, size_t n, float *scores,
                         struct error *err);
    /* The rows that scores are sums of, as sparse_sum (linalg/sparse_lists.h) makes them: lists are made of these
     * alone. *weigh: rows count as often as the weights in the history say. NULL, or NULL returned: scores are no such
     * sums. */
    const struct csr *(*rows)(const struct model *m, bool *weigh);
    /* Contributions of the history to one item; parts + base sum to the score. */
    enum status (*explain)(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                           struct error *err);
    /* The terms of that score, in any order, where there is more to tell than contributions: ratings, deviations,
     * similarities of neighbours. They follow `formula`. NULL: the products of vectors, those of ADDS_UP, or the
     * contributions. */
    enum status (*steps)(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                         struct error *err);
    /* similarity[i] of all items to `item`; -inf where there is none. NULL: derived by scoring the history {item}. */
    enum status (*similar)(const struct model *m, uint32_t item, float *similarity, struct error *err);

    /* What was learnt of each item: nitems x *width, rows one after the other, alive as long as the model. NULL: the
     * class has no vectors. */
    const float *(*vectors)(const struct model *m, size_t *width);
    /* The vectors of histories in the same space: x[q * width ...] for queries[0..n), such that the score of item i is
     * the product x . vectors(i), to the bit as dots_score makes it (linalg/dense.h): lists are made of these alone. A
     * row has the same bits whatever n and its place. NULL: the class has no such vectors. */
    enum status (*fold)(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err);
    /* Of a class whose scores are not such products: vectors of histories in the space of `vectors`, to compare
     * histories by; x[q * width ...]. NULL: those of fold, if any. */
    enum status (*project)(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err);
    /* Of a class whose `vectors` are orthonormal columns, in which one direction is as long as any other:
     * scale[0..width) to multiply the components by before items are compared, which makes them as long as they matter
     * (singular values). NULL: comparable as they are. */
    enum status (*scale)(const struct model *m, float *scale, struct error *err);
    /* scores[0..nitems) of a user of the training data by the parameters that training itself gave this user. Called
     * between the last epoch and end, when m is ready, from any thread: the driver measures with it how close folding
     * in comes (record.fold_in). NULL: the class keeps nothing of users, so that folding in is all there is. */
    enum status (*native)(const struct model *m, uint32_t user, float *scores, struct error *err);

    /* m, new and without a state, becomes what training on u->after gives, made out of u->from and the difference;
     * neither u->from nor anything it points to is changed. *worth = false, and m without a state, when training anew
     * costs less or changed more than the class can mend: the driver trains then. NULL: `update` trains anew, and says
     * so. update.h */
    enum status (*update)(struct model *m, const struct update *u, bool *worth, struct error *err);
    const char *updated; /* what update does, and how close that is to training anew; NULL: no update. OF_MODELS:
                            model_stand_on does it */

    /* Of a class that learns in epochs and can go on later. pause, between two epochs: writes what the next one needs
     * of the state and save does not write; NULL: nothing. resume, after begin: m continues where `from`, of the same
     * parameters but for `epochs` and on the same data, was when it was saved. r: what pause wrote; NULL when that is
     * not kept any more, which may be an error. *same = false: what comes of it is not what one go gives. NULL: the
     * class cannot go on. */
    enum status (*pause)(const struct model *m, struct blob_writer *w, struct error *err);
    enum status (*resume)(struct model *m, const struct model *from, const struct training *t, struct blob_reader *r,
                          bool *same, struct error *err);

    /* scores[0..nitems) of a history by the model that training would have given had one row been another: exactly,
     * though m itself stays as it is, and in far less time than training takes. NULL: it has to be trained anew. */
    enum status (*retrained)(const struct model *m, const struct row_edit *edit, const struct query *q, float *scores,
                             struct error *err);

    /* Do the scores depend on this attribute of the user? NULL: on none. */
    bool (*reads)(const struct model *m, const char *field);

    /* OF_MODELS: what each of m->parts counts for in the score, nparts of them. NULL: they are not summed. */
    const float *(*part_weights)(const struct model *m);
    /* OF_MODELS: out[0..m->nparts): how the parts make up one score, to which what they add sums; -inf where none knows
     * the item. */
    enum status (*shares)(const struct model *m, const struct query *q, uint32_t item, struct part_share *out,
                          struct error *err);

    enum status (*save)(const struct model *m, struct blob_writer *w, struct error *err);
    /* m->nitems, m->values are set; fills m->state. Must survive any bytes: sizes are checked against nitems. */
    enum status (*load)(struct model *m, struct blob_reader *r, struct error *err);
    void (*free)(struct model *m); /* frees m->state; state may be NULL */
};

/* How training ended. Numbers are kept with models: new ones go to the end. */
enum train_end {
    END_FINISHED,  /* all epochs */
    END_PATIENCE,  /* no better validation value for long enough; the best epoch is kept */
    END_CANCELLED, /* by hand; the last whole epoch is kept */
    END_TIME,      /* its time was over */
    END_HOPELESS,  /* the watcher gave it up */
    TRAIN_ENDS
};

/* What happened in training; kept with the model. */
struct model_record {
    uint64_t data_fingerprint, split_fingerprint; /* split 0: trained on everything */
    int64_t trained_until;       /* newest event seen; NO_TIME when the data has no times */
    uint64_t seed;
    int64_t created;             /* wall clock, us */
    double seconds;
    double fold_in; /* rank-biased overlap at 20 of lists folded in and native ones (models/fold_in.h); NaN: not
                       measured */
    size_t epochs;               /* 0: not trained but updated (update.h) */
    size_t events, users, items;
    uint64_t bytes;              /* of the parameters as saved */
    char kernel[64];             /* BLAS kernel and version */
    double *curve;               /* loss per epoch, NaN where none; `epochs` long; owned */
    double *watched; /* validation value per epoch, NaN where none; as long, or NULL: not validated; owned */
    char metric[32];             /* what `watched` is: "ndcg@10" */
    enum train_end ended;
    size_t kept;                 /* the epoch, from 1, whose parameters these are; 0: the last */
    size_t planned;              /* epochs there were to be; 0: unknown */
    size_t departs; /* the epoch, from 1, from which on it is not what training at one go gives; 0: it is that */
};

/* A model that another one is made of. */
struct model_part {
    char *name;
    int64_t created;     /* its record's: a model of this name that was trained anew is another one */
    struct model *model; /* held; after model_load NULL until model_attach */
};

struct model {
    atomic_int references;
    const struct model_class *class;
    char *name;                 /* "ease", "ease.2", "als128" */
    struct param_value *values; /* class->nparams */
    size_t nusers, nitems;      /* of the data set it is asked about: that it was trained on, or what it has grown to */
    struct model *trained;      /* model_widen: as it was trained; else NULL */
    uint8_t
        *later; /* items that came after it was trained and are in no list: a byte each; NULL: none (model_forget) */
    struct model_part *parts;   /* of an ensemble (OF_MODELS), in the order in which they were named */
    size_t nparts;
    struct model_record record;
    void *state;                /* the class's own */
    struct user_vectors users;  /* of the histories it was trained on: not saved, as folding in gives them again */
    struct snapshot paused;     /* what class->pause wrote, while there are epochs to come: saved with the model */
};

/* Unpublished model with one reference; values are copied. */
struct model *model_new(const struct model_class *class, const char *name, const struct param_value *values,
                        size_t nusers, size_t nitems, struct error *err);
/* The same model for a data set that has grown to so many users and items since: it knows those it was trained on,
 * which are the first ones. Later items of a history tell it nothing, and score -inf. Keeps a reference to m and no
 * copy. */
struct model *model_widen(struct model *m, size_t nusers, size_t nitems, struct error *err);
/* The model as it was trained: m itself, or what it was widened from. */
const struct model *model_trained(const struct model *m);
/* m, not yet published, scores -inf for items i with later[i] != 0 and is like none of them: for a model of the past,
 * in which nobody had met them. Takes over later[0..nitems). Such a model is for memory only: it is not saved. */
void model_forget(struct model *m, uint8_t *later);
/* Makes m one of models[0..n), held, before it is trained. */
MUST_CHECK enum status model_set_parts(struct model *m, struct model *const *models, size_t n, struct error *err);
/* Is `part` the model that m->parts[i] means? */
bool model_is_part(const struct model *m, size_t i, const struct model *part);
/* Gives a loaded ensemble its i-th part back, widened to the ensemble's items where that is needed. */
MUST_CHECK enum status model_attach(struct model *m, size_t i, struct model *part, struct error *err);
struct model *model_hold(struct model *m);
void model_release(struct model *m);

/* Calls through the class, with argument checks (items in range) in one place. A query whose as_of lies before the
 * training's last event is answered; the caller flags it (model_sees_future). model_similar gives the item itself -inf.
 */
MUST_CHECK enum status model_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                   struct error *err);
/* Predicted ratings of pairs: out[j] of items[j] for query q, begin[q] <= j < begin[q + 1]; the same bits as
 * model_score. NaN for items that the model does not know. Of classes that CAN_RATE. */
MUST_CHECK enum status model_predict(const struct model *m, const struct query *queries, size_t n, const size_t *begin,
                                     const uint32_t *items, float *out, struct error *err);
MUST_CHECK enum status model_explain(const struct model *m, const struct query *q, uint32_t item,
                                     struct explanation *out, struct error *err);
/* Of a class with the slot `steps`: the terms alone. */
MUST_CHECK enum status model_steps(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                                   struct error *err);
/* Of an ensemble (its slot `shares`). */
MUST_CHECK enum status model_shares(const struct model *m, const struct query *q, uint32_t item, struct part_share *out,
                                    struct error *err);
MUST_CHECK enum status model_similar(const struct model *m, uint32_t item, float *similarity, struct error *err);
/* The vectors of histories: x[q * width ...]. Only for a class that has the slot. */
MUST_CHECK enum status model_fold(const struct model *m, const struct query *queries, size_t n, float *x,
                                  struct error *err);
/* The rows that scores are sums of (the slot `rows`), or NULL. */
const struct csr *model_rows(const struct model *m);
/* Histories as the rows of a matrix that say which of those are summed, and how often. Only for a model that has them:
 * model_rows. Free with csr_clear. */
MUST_CHECK enum status model_fold_rows(const struct model *m, const struct query *queries, size_t n,
                                       struct csr *histories, struct error *err);
/* Vectors of histories to compare them by: those of project, or of fold. Only for a model that has them:
 * model_projects. */
MUST_CHECK enum status model_project(const struct model *m, const struct query *queries, size_t n, float *x,
                                     struct error *err);
bool model_projects(const struct model *m);
/* The vectors of the items that the model was trained on, or NULL (the slot `vectors`). */
const float *model_vectors(const struct model *m, size_t *width);
/* Do its scores, or those of a model it is made of, depend on this attribute of users? */
bool model_reads(const struct model *m, const char *field);
/* Scores by the model as it would be with another row in what it learnt from. Only for a class that has the slot. */
MUST_CHECK enum status model_retrained(const struct model *m, const struct row_edit *edit, const struct query *q,
                                       float *scores, struct error *err);
/* Epochs whose parameters these are: those that are kept, else all. */
size_t model_epochs(const struct model *m);
/* As saved: its parameters, what its training goes on from, and the models it is made of. In memory it takes up to
 * three times that, as symmetric matrices are saved as triangles and others stand there transposed and packed too, and
 * beside it its vectors of users. */
uint64_t model_bytes(const struct model *m);
/* Of the vectors of users that it and the models it is made of keep in memory alone. */
uint64_t model_vectors_bytes(const struct model *m);
/* Was the model trained on something at or after as_of? */
bool model_sees_future(const struct model *m, int64_t as_of);
/* Parameters as one would type them: "lambda=500 k=20"; only_given leaves defaults out. Without those that change
 * nothing beside the rest. */
void model_describe(const struct model *m, bool only_given, struct str *out);
/* The same of a model that is yet to be trained. */
void values_describe(const struct model_class *class, const struct param_value *values, bool only_given,
                     struct str *out);
double model_real(const struct model *m, const char *param);
const char *model_text(const struct model *m, const char *param); /* as typed */
int64_t model_int(const struct model *m, const char *param); /* also BOOL, ENUM index, DURATION */
bool model_has(const struct model *m, const char *param);    /* given, or with a default */

/* models/registry.c: every class that can be trained, in the order of the leaderboard; NULL-terminated. */
extern const struct model_class *const model_classes[];
/* Any class by its name, also the one that is imported. */
const struct model_class *model_class_find(const char *name);

#endif
