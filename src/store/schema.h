/* Tables of a workspace and how older ones are brought up to date. */
#ifndef TAILOR_STORE_SCHEMA_H
#define TAILOR_STORE_SCHEMA_H

#include "store/sql.h"

/* Is this ours and not newer than we know? *empty: nothing is in it yet. ST_FORMAT, ST_UNSUPPORTED. */
MUST_CHECK enum status schema_check(sqlite3 *db, bool *empty, struct error *err);
/* Makes the tables, or migrates them to the newest version, in one transaction. */
/* For a reader of an older file, which must not change: what that lacks is there, empty, for this connection alone. */
MUST_CHECK enum status schema_lend(sqlite3 *db, struct error *err);
MUST_CHECK enum status schema_migrate(sqlite3 *db, struct error *err);

#endif
