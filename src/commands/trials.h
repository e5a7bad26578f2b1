/* Trials: the settings that `tune` has tried. Each is a note of the workspace as soon as it is done, so that nothing
 * that ended is lost with what did not. */
#ifndef TAILOR_COMMANDS_TRIALS_H
#define TAILOR_COMMANDS_TRIALS_H

#include "commands/workbench.h"
#include "eval/tune_search.h"

/* Numbers are kept: new ones go to the end. */
enum trial_status { TRIAL_COMPLETE, TRIAL_STOPPED, TRIAL_FAILED, TRIAL_STATUSES };

struct trial {
    uint64_t study; /* what is searched, for which metric, on which data: trials of one study are one search */
    size_t number;            /* from 0 */
    char class[32], metric[32];
    uint64_t split;           /* fingerprint of the split */
    bool set_aside;           /* its validation part was carved out of train for the search; else the split has one */
    enum trial_status status;
    double value;             /* of the metric on the validation part; NaN: failed */
    double rung[TUNE_RUNGS]; /* the value at each rung; NaN: not there, or did not get there */
    size_t epoch;             /* the one that has the value, from 1; 0: does not learn in epochs */
    size_t epochs, planned;
    double seconds;
    int64_t created;          /* wall clock, us */
    char *parameters;         /* "lambda=30\nvalues=yes": what was said, a parameter a line; owned */
    char *message;            /* why it failed, or ""; owned */
};

struct trials {
    struct trial *list; /* by class, study and number */
    size_t n, capacity;
};

const char *trial_status_name(enum trial_status status);
/* Takes over what t owns, also on failure. */
MUST_CHECK enum status trials_add(struct trials *list, struct trial *t, struct error *err);
void trial_clear(struct trial *t);
void trials_clear(struct trials *list);
/* "lambda=30 values=yes", as one would type it. */
void trial_describe(const struct trial *t, struct str *out);
/* The value said for a parameter into out, or false. */
bool trial_value(const struct trial *t, const char *parameter, char *out, size_t size);

/* Writes one; the trials of the data set of one class (NULL: of any) and one study (0: of any). */
MUST_CHECK enum status trial_keep(struct workbench *wb, const char *dataset, const struct trial *t, struct error *err);
MUST_CHECK enum status trials_recall(struct workbench *wb, const char *dataset, const char *class, uint64_t study,
                                     struct trials *out, struct error *err);

#endif
