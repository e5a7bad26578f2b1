/* What the files of the protocol share: a test set on its way (eval/protocol.h). */
#ifndef TAILOR_EVAL_PROTOCOL_PARTS_H
#define TAILOR_EVAL_PROTOCOL_PARTS_H

#include "eval/protocol.h"

struct gathering {
    const struct dataset *d;
    const struct split *s;
    struct test_set *t;
    uint32_t first, end; /* the users who are asked about */
    uint32_t hides;      /* as in a query */
    int64_t moment;      /* that weights of histories decay from: that of training */
};

/* Fills g->t, of which the protocol and the items are there. No queries: there is nothing to ask. */
MUST_CHECK enum status protocol_gather(const struct gathering *g, struct error *err);

#endif
