/* A parameter: the one description of anything a user can set with key=value, used by options of
 * commands and hyperparameters of models alike. Parsing, checking, help, completion and the man page
 * come from it. */
#ifndef TAILOR_BASE_PARAM_H
#define TAILOR_BASE_PARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

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
    /* Sensible search range; both 0: not tuned. BOOL, ENUM: tune_max 1 tries every value. DURATION: days. WEIGHTS: of a
     * model against the first; LENGTHS: of each. */
    double tune_min, tune_max;
    const char *when; /* Where it changes anything: "weighting=bm25|tfidf", "factors>0", "by" (is given), and such
                       * joined by " and ", which binds, and " or ". NULL: always. Given where it does not, it is
                       * refused (param_check_idle). */
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
MUST_CHECK enum status param_defaults(const struct param *params, size_t n, struct param_value *values,
                                      struct error *err);
void param_values_free(struct param_value *values, size_t n);
/* Index by name, or n. */
size_t param_index(const struct param *params, size_t n, const char *name);
/* Number of choices; the i-th into out. */
size_t param_choice_count(const struct param *p);
bool param_choice(const struct param *p, size_t i, char *out, size_t size);
/* The text of parameter i as one would type it, NULL: not there. A list of values ("a|b") or a range ("1..5") may be
 * any of them. */
typedef const char *(*param_text)(const void *context, size_t i);
/* Can params[i] change anything beside those values of the others? A number that is not there is chosen by the data and
 * large enough. */
bool param_matters(const struct param *params, size_t n, size_t i, param_text text, const void *context);
/* ST_USAGE when params[i], given as `typed`, cannot. */
MUST_CHECK enum status param_check_idle(const struct param *params, size_t n, size_t i, const char *typed,
                                        param_text text, const void *context, struct error *err);
/* param_text of values[0..n). */
const char *param_value_text(const void *values, size_t i);
/* What it does and where, for help: "how slowly repeats saturate; only with weighting=bm25". */
void param_describe(const struct param *p, struct str *out);

#endif
