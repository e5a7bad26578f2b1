/* Files of served lists as rows of models/served.h. */
#ifndef TAILOR_MODELS_SERVED_FILE_H
#define TAILOR_MODELS_SERVED_FILE_H

#include "ingest/ingest.h"
#include "models/served.h"

struct served_rows {
    struct served_row *rows; /* mem_free */
    size_t n, nkeys;
    uint64_t read, rejected;
    bool said; /* by rank= or score= */
    char ranked_by[64], scored_by[64]; /* the columns that told it, or "" */
    char rankless[64];                 /* a column called rank or the like without any number in it, or "" */
    char strange_rank[64];             /* the first of the ranks that are not numbers, cut; "" */
    char strange_user[64], strange_item[64]; /* the first id that the data does not have, cut; "" */
};

/* A table of impressions or of list places, by any reader of events. The mapping is one of events (user, item, time and
 * how to read), and rank=COLUMN, score=COLUMN, whose cells are numbers or the row is rejected; without them columns
 * called rank or position, and score, are taken, and what is no number there is no rank. */
MUST_CHECK enum status served_read_table(const struct dataset *d, const char *path, const struct mapping *mapping,
                                         size_t nmapping, struct reject_sink *rejects, struct job *job,
                                         struct served_rows *out, struct ingest_report *report, struct error *err);
/* *is: it is a run as trec_eval reads it, lines of `user Q0 item rank score tag`. What can be read once only (standard
 * input, a pipe) is none, nor is what cannot be read. */
MUST_CHECK enum status served_is_run(const char *path, struct job *job, bool *is, struct error *err);
/* A run: one list a user, by the rank that is written; it does not tell when. */
MUST_CHECK enum status served_read_run(const struct dataset *d, const char *path, struct reject_sink *rejects,
                                       struct job *job, struct served_rows *out, struct error *err);
void served_rows_clear(struct served_rows *r);

#endif
