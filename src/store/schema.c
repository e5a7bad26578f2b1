/* What a workspace is made of.
 *
 * One SQLite file with application_id 0x5461696c ("Tail") and user_version = the number of migrations applied. All
 * tables are prefixed t_, so that plain names stay free for virtual tables.
 *
 *   t_datasets  one row a data set: its name, where it came from, what it holds, its fingerprint, and `sum`: a hash
 * over that row and over its rows of t_columns. A data set whose sum does not hold is refused whole. t_columns   what a
 * data set is made of: one row an array, `number` is its place. Owner says of what it is a part (event, users, items,
 * types, context, user, item), name is the field's name or empty, kind the field's type or -1, part which of its arrays
 * (columns.c lists them all), element the type of one element, count how many. t_chunks    the arrays, cut into chunks
 * of 65,536 elements (1,048,576 for bytes): `data` as chunks.c describes, min and max of its values (null when it has
 * none) for whoever looks for few of them, and `sum`: a hash over the data and over which chunk of what it is, so a
 * chunk can be neither altered nor put into another's place. t_segments  what was appended to a data set, one row an
 * append, oldest first (segments.h): the numbers of the whole after it and before it (was_...). Its content stands in
 * t_columns and t_chunks under the data set number -id, unless folded = 1: then it is in a later segment or in the data
 * set itself. `sum` is over the row, over its rows of t_columns and over the sum of the segment before. t_tails     for
 * a data set that has segments the sum of the last one. t_rejects   rows that were not taken, with file, line, reason
 * and text. t_models    one row a model; state 0 while it is being written, 1 once it is whole. Only whole ones are
 * seen; those that a killed process left behind are removed by the next writer. t_pieces    the bytes of a model, in
 * pieces of 4 MiB. t_notes     small documents under (data set, kind, name): settings, splits, feature definitions.
 * Data set 0 is the workspace itself.
 *
 * Every row that carries content has a `sum` of it. SQLite itself would notice few altered bits; the sums notice all.
 */
#include "store/schema.h"

enum { APPLICATION_ID = 0x5461696c };

/* Of version 2; `temporary` for a reader of a file that has none. */
#define SEGMENT_TABLES(temporary)                                                                                       \
    "CREATE " temporary "TABLE t_segments (id INTEGER PRIMARY KEY AUTOINCREMENT, dataset INTEGER NOT NULL,"             \
    " folded INTEGER NOT NULL, events INTEGER NOT NULL, users INTEGER NOT NULL, items INTEGER NOT NULL,"                \
    " read INTEGER NOT NULL, kept INTEGER NOT NULL, rejects INTEGER NOT NULL, bytes INTEGER NOT NULL,"                  \
    " fingerprint INTEGER NOT NULL, oldest INTEGER NOT NULL, newest INTEGER NOT NULL, loaded INTEGER NOT NULL,"         \
    " was_events INTEGER NOT NULL, was_sequence INTEGER NOT NULL, was_users INTEGER NOT NULL,"                          \
    " was_items INTEGER NOT NULL, was_types INTEGER NOT NULL, was_fingerprint INTEGER NOT NULL, sum INTEGER NOT NULL);" \
    "CREATE " temporary "TABLE t_tails (dataset INTEGER PRIMARY KEY, sum INTEGER NOT NULL);"

/* migrations[v] leads from version v to v + 1. A released one is never changed. */
static const char *const migrations[] = {
    "CREATE TABLE t_datasets (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, source TEXT NOT NULL, "
    "events INTEGER NOT NULL, users INTEGER NOT NULL, items INTEGER NOT NULL, read INTEGER NOT NULL, kept INTEGER NOT "
    "NULL, rejects INTEGER NOT NULL, bytes INTEGER NOT NULL, fingerprint INTEGER NOT NULL, oldest INTEGER NOT NULL, "
    "newest INTEGER NOT NULL, loaded INTEGER NOT NULL, sum INTEGER NOT NULL);"

    "CREATE TABLE t_columns (dataset INTEGER NOT NULL, number INTEGER NOT NULL, owner TEXT NOT NULL, name TEXT NOT "
    "NULL, kind INTEGER NOT NULL, part TEXT NOT NULL, element INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY "
    "(dataset, number)) WITHOUT ROWID;"

    "CREATE TABLE t_chunks (dataset INTEGER NOT NULL, number INTEGER NOT NULL, chunk INTEGER NOT NULL, min, max,"
    " sum INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE UNIQUE INDEX t_chunks_place ON t_chunks (dataset, number, chunk);"

    "CREATE TABLE t_rejects (dataset INTEGER NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, line INTEGER NOT "
    "NULL, reason TEXT NOT NULL, text BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (dataset, number)) WITHOUT "
    "ROWID;"

    "CREATE TABLE t_models (id INTEGER PRIMARY KEY AUTOINCREMENT, dataset INTEGER NOT NULL, name TEXT NOT NULL,"
    " class TEXT NOT NULL, bytes INTEGER NOT NULL, created INTEGER NOT NULL, state INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX t_models_name ON t_models (dataset, name) WHERE state = 1;"

    "CREATE TABLE t_pieces (model INTEGER NOT NULL, piece INTEGER NOT NULL, sum INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE UNIQUE INDEX t_pieces_place ON t_pieces (model, piece);"

    "CREATE TABLE t_notes (id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
    " sum INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE (dataset, kind, name));",

    SEGMENT_TABLES("") "CREATE INDEX t_segments_dataset ON t_segments (dataset, id);",
};

enum { VERSION = sizeof migrations / sizeof *migrations };

enum status schema_check(sqlite3 *db, bool *empty, struct error *err)
{
    int64_t id, version, objects;
    enum status st = sql_int(db, &objects, NULL, err, "SELECT count(*) FROM sqlite_schema", "");
    if (!st)
        st = sql_int(db, &id, NULL, err, "PRAGMA application_id", "");
    if (!st)
        st = sql_int(db, &version, NULL, err, "PRAGMA user_version", "");
    if (st)
        return st;
    *empty = objects == 0 && id == 0 && version == 0;
    if (*empty || (id == APPLICATION_ID && version >= 1 && version <= VERSION))
        return ST_OK;
    if (id == APPLICATION_ID && version > VERSION) {
        st = error_set(err, ST_UNSUPPORTED, "the workspace has format version %lld; this tailor knows up to %d",
                       (long long)version, VERSION);
        error_hint(err, "a newer tailor made it: use that one");
        return st;
    }
    st = error_set(err, ST_FORMAT, "this is an SQLite file, but not a workspace of tailor");
    error_hint(err, "a data file is read with `load FILE`; a workspace is made by giving a name that is not taken");
    return st;
}

enum status schema_lend(sqlite3 *db, struct error *err)
{
    int64_t version;
    enum status st = sql_int(db, &version, NULL, err, "PRAGMA user_version", "");
    return !st && version < 2 ? sql_run(db, SEGMENT_TABLES("TEMP "), err) : st;
}

enum status schema_migrate(sqlite3 *db, struct error *err)
{
    int64_t version;
    enum status st = sql_int(db, &version, NULL, err, "PRAGMA user_version", "");
    if (st || version == VERSION)
        return st;
    st = sql_begin(db, true, err);
    if (st)
        return st;
    for (; !st && version < VERSION; version++)
        st = sql_run(db, migrations[version], err);
    char stamp[96];
    sqlite3_snprintf(sizeof stamp, stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
                     VERSION);
    if (!st)
        st = sql_run(db, stamp, err);
    return sql_end(db, st, err);
}
