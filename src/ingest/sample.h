/* The first rows of a file, as preview looks at them. */
#ifndef TAILOR_INGEST_SAMPLE_H
#define TAILOR_INGEST_SAMPLE_H

#include "ingest/load.h"
#include "ingest/preview.h"

enum { SAMPLE_ROWS = 20000, SAMPLE_TYPES = 12 /* more values are no kinds of actions */ };

/* What the sample says about a column. */
struct look {
    struct dict levels;
    uint32_t *code; /* one a row, NO_CODE: missing */
    size_t texts, reals, whole, times, spaces;
    size_t dates, days_first, months_first; /* 3/1/2026; of these, those that can only be 13/1 or 1/13 */
    double least, most;
};

struct sample {
    struct ingest *in;
    struct sheet t;
    struct look *look;
    size_t n, rows;
    bool converted; /* rows of it are not UTF-8 */
    struct roles roles;
    bool guessed[ROLES];
    bool no_item; /* events, but of what? */
    const char *dates; /* the value of dates= that is guessed, or NULL */
    struct preview *out;
};

/* Looks at the rows from here on; the sheet stands where it stood afterwards. */
MUST_CHECK enum status sample_take(struct sample *s, struct error *err);
/* Finds the roles of the columns by what was said, by names, then by content. guess.c */
MUST_CHECK enum status sample_guess(struct sample *s, const char *path, struct error *err);
const char *sample_name(const struct sample *s, uint32_t column);
/* Nine in ten of them, and one at least. */
bool sample_mostly(size_t part, size_t all);
/* Could it be a moment? A number could when it is one of seconds, or a date in digits. */
bool sample_is_moment(const char *text, size_t n, bool number);
/* Notes what is not sure. preview.c */
void preview_doubt(struct preview *p, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
