/* A parameter: the one description of anything a user can set with key=value, used by options of
 * commands and hyperparameters of models alike. Parsing, checking, help, completion and the man page
 * come from it. */
#ifndef TAILOR_BASE_PARAM_H
#define TAILOR_BASE_PARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum param_type {
    PARAM_BOOL,     /* yes | no */
    PARAM_INT,
    PARAM_REAL,
    PARAM_TEXT,
    PARAM_ENUM,     /* one of choices, "a|b|c" */
    PARAM_DURATION, /* 30m, 7d; microseconds */
    PARAM_TIME,     /* ISO 8601 or epoch; microseconds UTC */
    PARAM_PERCENT,  /* 20% or 0.2; a real in 0..1 */
    PARAM_PATH,
    PARAM_METRIC,   /* ndcg@20 */
    PARAM_COLUMN,   /* a column of the data */
    PARAM_MODEL,    /* a trained model */
    PARAM_USER,     /* a user of the data */
    PARAM_ITEM,     /* an item of the data */
    PARAM_EVENT,    /* a type of event: click */
    PARAM_SEGMENT,  /* what tells users apart: history_length, an attribute of theirs */
    PARAM_SEGMENTS, /* the same, or what tells items apart */
    PARAM_WEIGHTS,  /* of an ensemble: a number for each model, "0.5,0.3,0.2", or equal */
    PARAM_LENGTHS,  /* of an ensemble: ascending whole numbers, one fewer than models: "5,20" */
};

struct param {
    const char *name;
    enum param_type type;
    const char *initial; /* default as one would type it; NULL: none, the option is absent unless given */
    double min, max;     /* inclusive, for INT and REAL; both 0: no limits */
    const char *choices; /* ENUM: "box|csv|tsv" */
    const char *doc;     /* one line */
    bool log_scale;      /* tuning searches the logarithm */
    /* Sensible search range; both 0: not tuned. BOOL, ENUM: tune_max 1 tries every value. DURATION: days. WEIGHTS: of a model against the
     * first; LENGTHS: of each. */
    double tune_min, tune_max;
    const char *when;    /* "weighting=bm25|tfidf": tells nothing unless that parameter has one of these values, "by": unless it is given;
                          * NULL: always does */
};

struct param_value {
    bool given; /* said by the user, not the default */
    bool present;
    union {
        bool yes;        /* BOOL */
        int64_t integer; /* INT, DURATION, TIME, and the index of the choice for ENUM */
        double real;     /* REAL, PERCENT */
    };
    char *text; /* as typed (owned); always set when present */
};

/* Parses `text` for `p` into *out (text copied). Errors name the parameter, what was expected and the range. */
MUST_CHECK enum status param_parse(const struct param *p, const char *text, struct param_value *out, struct error *err);
/* All defaults of params[0..n) into values[0..n). */
MUST_CHECK enum status param_defaults(const struct param *params, size_t n, struct param_value *values, struct error *err);
void param_values_free(struct param_value *values, size_t n);
/* Index by name, or n. */
size_t param_index(const struct param *params, size_t n, const char *name);
/* Number of choices; the i-th into out. */
size_t param_choice_count(const struct param *p);
bool param_choice(const struct param *p, size_t i, char *out, size_t size);

#endif
