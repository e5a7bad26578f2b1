/* Events row by row, where a column is the number of the row. */
#ifndef TAILOR_INGEST_SERIAL_H
#define TAILOR_INGEST_SERIAL_H

#include "ingest/rounds.h"

/* As rounds_read. */
MUST_CHECK enum status serial_read(struct event_form *form, plan_columns plan, struct error *err);

#endif
