/* Following: a source is read while the workbench is used. A thread of its own reads rows; what it has read is taken
 * into the open data set by the face, between commands, so that nobody sees the data change under a question. */
#ifndef TAILOR_COMMANDS_FOLLOW_H
#define TAILOR_COMMANDS_FOLLOW_H

#include "commands/batch.h"

struct follow_plan {
    const char *path;               /* a growing file, a FIFO, "-" */
    const struct tail_place *place; /* NULL: from the beginning */
    const struct mapping *mapping;
    size_t nmapping;
    double every; /* seconds between two batches at least; more when taking them in takes long */
};

struct follow_counts {
    uint64_t read, kept, rejected;
    uint64_t batches;
};

/* In the background, into the data set that is open now; an earlier one ends. */
MUST_CHECK enum status follow_start(struct workbench *wb, const struct follow_plan *plan, struct error *err);
/* Takes in what is there now; what cannot be stays in the source, where the next follow finds it. */
void follow_settle(struct workbench *wb);
/* Ends it. Nothing when none runs. */
void follow_close(struct workbench *wb);
/* To be called by the face about ten times a second while no command runs. True when the data has changed. */
bool follow_poll(struct workbench *wb);

struct follow_view {
    const char *path; /* good until it is stopped */
    struct follow_counts counts;
    bool ended;        /* nothing more can come */
    bool elsewhere;    /* another data set is open, or the clock is rewound: it waits */
    char dataset[64];
    char problem[640]; /* why the last batch could not be taken in: it is tried again; "" */
};
/* False: nothing is followed. */
bool follow_look(struct workbench *wb, struct follow_view *out);
/* "following events.csv: +1,204", or ""; and for a prompt "+1,204". */
void follow_line(struct workbench *wb, struct str *out);
void follow_short(struct workbench *wb, struct str *out);

/* Here and now: returns when `seconds` have passed (< 0: never), the source has ended, or the job is cancelled. */
MUST_CHECK enum status follow_run(struct workbench *wb, const struct follow_plan *plan, double seconds,
                                  struct follow_counts *counts, struct error *err);

#endif
