/* Lists that somebody else made, judged like those of a model. */
#ifndef TAILOR_EVAL_FOREIGN_H
#define TAILOR_EVAL_FOREIGN_H

#include "eval/evaluation.h"
#include "ingest/trec.h"

struct foreign_report {
    size_t lists;           /* that were judged */
    size_t missing;         /* users of the test set without a list: they have found nothing, as with trec_eval -c */
    size_t strangers;       /* lists of users who are not asked about: left out */
    size_t unknown;         /* items that the data does not have: they keep their places and are never right */
};

/* The lists of a run as answers to a test set with one query a user; queries and items are matched by id. */
MUST_CHECK enum status evaluation_of_run(const struct dataset *d, const struct test_set *t, uint64_t split_fingerprint,
                                         size_t depth, const struct trec_run *run, struct evaluation **out,
                                         struct foreign_report *report, struct error *err);

#endif
