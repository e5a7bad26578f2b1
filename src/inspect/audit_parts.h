/* What the checks of the audit share: facts gathered once, and how a finding is written down. */
#ifndef TAILOR_INSPECT_AUDIT_PARTS_H
#define TAILOR_INSPECT_AUDIT_PARTS_H

#include "inspect/audit.h"

/* ---- facts ---- */

enum audit_need {
    NEED_COUNTS = 1, /* events of users and items, distinct pairs */
    NEED_RUNS = 2,   /* what a user's run of events tells: copies, ties, pace */
    NEED_TIMES = 4,  /* histograms over time */
};

enum { SLICES = 8, MOST_DAYS = 36525, TYPES_CLOCKED = 16 };

/* When the events came. Times before 1971 or after the clock are not of the usual range and are counted apart. */
struct time_facts {
    uint64_t timed, untimed;
    uint64_t future, epoch, year_1970,
        ancient; /* after now + 1 day; the first day of 1970; the rest of 1970; before 1970 */
    uint64_t midnight, whole_minute, whole_second;
    uint64_t usual;                             /* events of the usual range, which what follows is about */
    int64_t oldest, newest;
    int64_t first_day;                          /* of days[0], since 1970 */
    size_t ndays;
    uint32_t *days;                             /* different users a day: one busy user does not make a day */
    uint64_t hours[SLICES][24];                 /* of equal stretches of days */
    uint64_t type_hours[TYPES_CLOCKED][24];
    int64_t busiest;                            /* the second with most events, in us */
    uint64_t busiest_events, busiest_users;
};

struct audit_facts {
    /* NEED_COUNTS */
    uint32_t *item_events;    /* items.n */
    uint64_t *type_events;    /* types.n */
    uint64_t pairs;           /* distinct (user, item) */
    uint64_t repeats, feedback; /* feedback events whose pair came before in the same type; all feedback events */
    uint64_t repeated;        /* different (user, item, type) that are repeated */
    uint32_t users, items;    /* with at least one event */
    uint32_t single_users, single_items; /* with exactly one */
    uint32_t median_user, median_item;   /* events, among those with any */
    uint32_t largest_user;               /* NO_USER: none */
    /* NEED_RUNS */
    uint64_t copies,
        copy_groups; /* events like one before in user, item, type, time and value; how many of them are there */
    uint64_t near;                /* events at most 1 s after one of the same user, item and type */
    uint64_t ties, tie_groups;    /* feedback events that share their user and time; how many such instants */
    uint64_t unordered;           /* events that stand in the file after a later one of their user */
    float *regular; /* users.n: median absolute deviation of the intervals over their median; NaN: under 30 intervals */
    /* NEED_TIMES */
    struct time_facts times;
};

MUST_CHECK enum status audit_gather(struct audit *a, unsigned needs, struct error *err);
MUST_CHECK enum status audit_gather_times(struct audit *a, struct error *err);
void audit_facts_free(struct audit_facts *f);

/* Events of a user. */
static inline size_t user_events(const struct dataset *d, uint32_t user)
{
    return d->user_begin[user + 1] - d->user_begin[user];
}

/* ---- findings ---- */

/* A finding of the running check. Never NULL; when there is no room for another it is the last one again. */
struct finding *audit_find(struct audit *a, enum severity severity, const char *format, ...) PRINTF_LIKE(3, 4);
void finding_evidence(struct finding *f, uint64_t rows, const char *format, ...) PRINTF_LIKE(3, 4);
void finding_advice(struct finding *f, const char *format, ...) PRINTF_LIKE(2, 3);
/* info, or worse from these shares on; above 1: never. */
enum severity severity_of(double share, double warning, double serious);

/* Numbers as a finding shows them: "1,234", "3.4 %". A few live at a time. */
struct shown {
    char text[32];
};
struct shown count_of(uint64_t n);
struct shown share_of(double part, double whole);
struct shown day_of(int64_t us);
struct shown time_of(int64_t us); /* ISO 8601, for SQL */
#define COUNT(n) (count_of((uint64_t)(n)).text)
#define SHARE(part, whole) (share_of((double)(part), (double)(whole)).text)

/* Text as an SQL literal, a name as an SQL identifier: appended with their quotes. */
void put_sql_text(struct str *out, const char *text);
void put_sql_name(struct str *out, const char *name);
/* The types of feedback events for IN: ('click', 'buy'). */
void put_feedback_types(struct str *out, const struct dataset *d);

/* A list of names for the end of a sentence, or of literals for IN (...): the first few, and how many more. */
struct name_list {
    struct str words, literals;
    size_t n;
};
enum { NAMES_SHOWN = 4, LITERALS_MOST = 100 };
void name_list_add(struct name_list *l, const char *name);
/* "a, b, c and 3 more" */
const char *name_list_words(struct name_list *l);
void name_list_clear(struct name_list *l);

/* A column of fewer rows is not judged. */
enum { LEAST_ROWS = 20 };

#endif
