/* A column while it is being read: text codes for rows that may come in any order, typed at the end when all of it is
 * known.
 *
 * A column is INT when every value is a whole number as one writes it (no leading zeros: those are ids), or true or
 * false; REAL when every one is a number; TIME when every one is a date or time; LIST when values hold lists (JSON
 * arrays, or a|b|c in attributes); else TEXT. Blank cells and the usual marks of a missing number ("NA", "null", "nan",
 * ...) say nothing about the type. Columns whose name says "id" stay TEXT. */
#ifndef TAILOR_INGEST_COLUMN_H
#define TAILOR_INGEST_COLUMN_H

#include "data/field.h"
#include "ingest/csv.h"
#include "ingest/packed.h"

struct raw_column {
    char *name;
    struct dict levels;
    uint32_t *code; /* n rows, NO_CODE = missing */
    size_t n, capacity;
    bool quoted;  /* a value was a JSON string: not a number */
    bool lists;   /* a value was a JSON array */
    bool bars;    /* a|b|c is a list here (attributes) */
    bool text;    /* TEXT whatever it looks like (session, part) */
    bool comma;   /* as in the set */
    const char *time_form;
    double *real; /* a number from the start (price): REAL, code is unused */
    size_t real_capacity;
    bool numeric;
    uint64_t *packed; /* short numbers so far (packed.h): n rows, code and levels are unused; NULL otherwise */
    size_t packed_capacity;
};

struct raw_columns {
    struct raw_column *column;
    size_t n, capacity;
    bool comma;            /* numbers are written 3,5 */
    const char *time_form; /* dates may be written so (time_parse_as), or NULL */
};

/* The column of that name, added when there is none; *index stays valid, pointers do not. */
MUST_CHECK enum status raw_columns_add(struct raw_columns *set, const char *name, size_t *index, struct error *err);
void raw_columns_clear(struct raw_columns *set);
/* Sets a cell; rows between are missing. A cell without text does nothing. */
MUST_CHECK enum status raw_column_set(struct raw_column *c, size_t row, const struct cell *cell, struct error *err);
MUST_CHECK enum status raw_column_set_real(struct raw_column *c, size_t row, double value, struct error *err);
/* Room for `rows` rows, of which those from the n there are up to `filled` are missing; the caller fills in the rest.
 */
MUST_CHECK enum status raw_column_extend(struct raw_column *c, size_t filled, size_t rows, struct error *err);
MUST_CHECK enum status raw_column_extend_real(struct raw_column *c, size_t filled, size_t rows, struct error *err);
/* Can it still be a column of packed numbers? */
bool raw_column_packs(const struct raw_column *c);
/* The same as raw_column_extend, for packed numbers. */
MUST_CHECK enum status raw_column_extend_packed(struct raw_column *c, size_t filled, size_t rows, struct error *err);
/* Packed numbers become codes of their texts. */
MUST_CHECK enum status raw_column_unpack(struct raw_column *c, struct error *err);
/* Makes fields of `rows` rows of all columns, appended to `out`, and empties the set. */
MUST_CHECK enum status raw_columns_settle(struct raw_columns *set, size_t rows, struct fields *out, struct error *err);

/* One of the usual marks of a missing value: "NA", "null", "nan", ... */
bool cell_is_missing(const char *text, size_t n);

/* Does the cell say that nobody knows when? */
bool cell_untimed(const struct cell *cell);

/* Lower-case letters and digits of a name: "user_id", "userId" and "User ID" are one. Cut to size. */
void name_fold(const char *name, char *out, size_t size);

#endif
