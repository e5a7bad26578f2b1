/* Rows of a source that is read bit by bit, as a data set of their own. */
#ifndef TAILOR_COMMANDS_BATCH_H
#define TAILOR_COMMANDS_BATCH_H

#include "commands/origin.h"

struct batch_text {
    const char *source; /* rejects are told with this name */
    struct str rows;    /* with its header, when it has one */
    bool header;
    uint64_t line;      /* of the first row in the source */
};

/* Takes what waits in the tail. */
MUST_CHECK enum status batch_take(struct tail *t, struct batch_text *b, struct error *err);
/* Reads it. Rows that cannot be used are staged as rejects; when none can, the data set has no events but counts them.
 * *out is finished. The rejects are staged in any case: workspace_unstage_rejects when it fails. */
MUST_CHECK enum status batch_read(struct workbench *wb, const struct batch_text *b, const struct mapping *mapping,
                                  size_t nmapping, struct dataset **out, struct ingest_report *report,
                                  struct error *err);

/* Pairs of `more` before those of `all` that it does not have: what is said now, then what the load said. For mem_free.
 */
MUST_CHECK enum status mapping_join(const struct mapping *more, size_t nmore, const struct mapping *all, size_t nall,
                                    struct mapping **out, size_t *n, struct error *err);

#endif
