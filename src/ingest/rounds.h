/* Rounds: a file of events, block by block, on all cores. chunk.h tells how. */
#ifndef TAILOR_INGEST_ROUNDS_H
#define TAILOR_INGEST_ROUNDS_H

#include "ingest/chunk.h"

/* Plans the columns of form->t that the form has not looked at. */
typedef enum status (*plan_columns)(struct event_form *form, struct error *err);

/* Reads all rows of form->t, from where its feed stands, into the data set of form->in. `plan` is called between
 * rounds, when JSON lines have brought new keys. */
MUST_CHECK enum status rounds_read(struct event_form *form, plan_columns plan, struct error *err);

#endif
