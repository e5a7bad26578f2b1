/* A field: one typed column, of events (context), users or items (attributes).
 *
 *   TEXT   code[row]                            into levels, NO_CODE = missing
 *   LIST   list_code[list_begin[row] .. [row+1]) into levels; an empty list = missing (genres)
 *   REAL   real[row]                            NaN = missing
 *   INT    integer[row]                         INT64_MIN = missing (booleans are 0 and 1)
 *   TIME   integer[row]                         microseconds UTC, NO_TIME = missing */
#ifndef TAILOR_DATA_FIELD_H
#define TAILOR_DATA_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/text.h"

enum field_type { FIELD_TEXT, FIELD_LIST, FIELD_REAL, FIELD_INT, FIELD_TIME };

#define NO_INT INT64_MIN

struct field {
    char *name;
    enum field_type type;
    size_t n, capacity;    /* rows filled, rows with room */
    struct dict levels;    /* TEXT, LIST */
    uint32_t *code;        /* TEXT */
    double *real;          /* REAL */
    int64_t *integer;      /* INT, TIME */
    size_t *list_begin;    /* LIST: n + 1 */
    uint32_t *list_code;   /* LIST */
    size_t list_capacity;
};

/* An ordered set of fields with the same number of rows. */
struct fields {
    struct field *field;
    size_t n, capacity;
};

/* Appends an empty field; *out is valid until the next fields_add. */
MUST_CHECK enum status fields_add(struct fields *set, const char *name, enum field_type type, struct field **out,
                                  struct error *err);
struct field *fields_find(const struct fields *set, const char *name); /* exact, or NULL */
void fields_clear(struct fields *set);
void field_clear(struct field *f);

/* Appends one row. Missing: NULL text, NaN, NO_INT, n = 0. */
MUST_CHECK enum status field_push_text(struct field *f, const char *text, size_t length, struct error *err);
MUST_CHECK enum status field_push_list(struct field *f, const char *const *text, const size_t *length, size_t n,
                                       struct error *err);
MUST_CHECK enum status field_push_real(struct field *f, double value, struct error *err);
MUST_CHECK enum status field_push_int(struct field *f, int64_t value, struct error *err);
/* Appends missing rows until n == rows. */
MUST_CHECK enum status field_pad(struct field *f, size_t rows, struct error *err);

/* Replaces one row by what people call its value, as field_format writes it; "" is missing. ST_USAGE when it is none of
 * the type. */
MUST_CHECK enum status field_put(struct field *f, size_t row, const char *text, struct error *err);

bool field_missing(const struct field *f, size_t row);
/* The levels of one row of a TEXT or LIST field: codes[0..n); returns n. */
size_t field_levels(const struct field *f, size_t row, const uint32_t **codes);
/* One cell as text, raw: "Drama|Comedy" for a list, ISO 8601 for a time (the date alone when it is midnight), "" when
 * missing. */
void field_format(const struct field *f, size_t row, struct str *out);
/* out = in with rows reordered: out row r = in row order[r]. Levels are kept. */
MUST_CHECK enum status field_permute(struct field *f, const uint64_t *order, size_t n, struct error *err);

#endif
