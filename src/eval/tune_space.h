/* What a search for good parameters may choose from: an axis for each parameter that varies.
 *
 * A range becomes the unit interval, on the scale of the parameter (tune_min, tune_max, log_scale, or "low..high" as
 * typed); a list of values ("a|b|c") becomes the numbers of its values. A point has one coordinate an axis: in [0, 1]
 * on a range, the number of the value in a list, NaN where the axis is asleep: its parameter matters only with certain
 * values of another (`when` of its description), and that one has another value here. */
#ifndef TAILOR_EVAL_TUNE_SPACE_H
#define TAILOR_EVAL_TUNE_SPACE_H

#include "base/param.h"
#include "base/text.h"

enum { TUNE_AXES_MAX = 32, TUNE_VALUES_MAX = 64 };

struct tune_axis {
    const struct param *param;
    size_t index;       /* among the parameters of the class */
    bool log;           /* RANGE: the logarithm is searched */
    double low, high;   /* RANGE, as values of the parameter; INT: both ends included; DURATION: days */
    char **values;      /* LIST: as one would type them; NULL: a range */
    size_t nvalues;
};

struct tune_space {
    struct tune_axis axes[TUNE_AXES_MAX]; /* parents before children */
    size_t n;
    const struct param *params; /* as given to tune_space_new, which must stay */
    size_t nparams;
    char **typed;               /* of each, NULL: nothing; owned */
};

/* What was typed for a parameter: "10..500", "cosine|bm25", "0.5". */
struct tune_given {
    const char *name, *text;
};

/* The axes of params[0..nparams): those with a sensible range (lists and yes|no: with tune_max > 0), as narrowed by
 * `given`. A single given value fixes its parameter and so makes no axis. ST_USAGE for what is no range or list of the
 * parameter, for what was given and cannot matter beside the rest (`when`), and when nothing is left to vary. */
MUST_CHECK enum status tune_space_new(const struct param *params, size_t nparams, const struct tune_given *given,
                                      size_t ngiven, struct tune_space *out, struct error *err);
void tune_space_clear(struct tune_space *s);

/* Is the axis awake at this point? The coordinates of those before it must be there; those behind it put none to sleep.
 */
bool tune_awake(const struct tune_space *s, const double *point, size_t axis);
/* The value at a coordinate as one would type it: four digits for a real. What is trained is this text, nothing finer.
 */
void tune_text(const struct tune_axis *a, double at, char *out, size_t size);
/* The coordinate of a value, the nearest there is; NaN when it is no value of the axis. */
double tune_place(const struct tune_axis *a, const char *text);
/* The number behind a value, for charts: the number of the value in a list. */
double tune_number(const struct tune_axis *a, const char *text);
/* "1..5000", "1d..365d", "none|bm25" */
void tune_axis_describe(const struct tune_axis *a, struct str *out);
/* "lambda=1..5000 weighting=none|bm25" */
void tune_space_describe(const struct tune_space *s, struct str *out);
/* How many different settings there are; SIZE_MAX: no end of them. */
size_t tune_space_size(const struct tune_space *s);

#endif
