/* Tallies: events counted by what they have in common, in one pass on all threads. */
#ifndef TAILOR_DATA_TALLY_H
#define TAILOR_DATA_TALLY_H

#include "data/scan.h"

enum tally_by {
    TALLY_TYPE,
    TALLY_USER,
    TALLY_ITEM,
    TALLY_FIELD,
    TALLY_HOUR,
    TALLY_DAY,
    TALLY_WEEK,
    TALLY_MONTH,
    TALLY_YEAR,
    TALLY_WEEKDAY
};

struct tally_group {
    uint64_t events, users;
};

struct tally {
    enum tally_by by;
    const struct field *field; /* FIELD: a TEXT or an INT column of the events */
    size_t n;                  /* groups, empty ones too */
    struct tally_group *groups;
    int64_t first;             /* the number of group 0: an hour, a day, ... since 1970; of an INT field its value */
    uint64_t all;              /* events that passed, those in no group too */
};

/* Counts the events of [begin, end) that pass. `by` of time needs a time column. ST_UNSUPPORTED when times or numbers
 * lie so far apart that there would be more than 2^22 groups. */
MUST_CHECK enum status tally_make(const struct dataset *d, enum tally_by by, const struct field *field,
                                  const struct scan *scan, size_t begin, size_t end, struct job *job, struct tally *out,
                                  struct error *err);
void tally_clear(struct tally *t);
/* The number of the HOUR, DAY, WEEK, MONTH or YEAR of a moment, since that of 1970-01-01; and the moment at which it
 * begins. */
int64_t tally_number(enum tally_by by, int64_t time);
int64_t tally_moment(enum tally_by by, int64_t number);
/* The moment at which a group of HOUR .. YEAR begins. Weeks begin on Monday; group 0 of WEEKDAY is Monday. */
int64_t tally_time(const struct tally *t, size_t group);

#endif
