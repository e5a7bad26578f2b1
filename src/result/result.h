/* Results: what every command produces instead of printing.
 *
 * A result holds typed tables, series and messages. The shell renders them (box, csv, json, ...), the screen shows the
 * same in grids and plots, a test asserts on them. Building never fails half-way: a failed allocation is
 * remembered, later calls do nothing, and result_status says so once at the end. */
#ifndef TAILOR_RESULT_RESULT_H
#define TAILOR_RESULT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum value_type { VALUE_TEXT, VALUE_INT, VALUE_REAL, VALUE_TIME, VALUE_BOOL };

struct value {
    bool null;
    bool aside; /* of the first value of a row: table_aside */
    int8_t digits; /* of a REAL in a column of COLUMN_SCORE: after the point, as people see it */
    union {
        const char *text; /* owned by the table's arena; raw: renderers make it safe */
        int64_t integer;  /* INT, TIME (us UTC), BOOL */
        double real;
    };
};

enum column_flags {
    COLUMN_BAR = 1,     /* people see a bar beside the number: contributions, shares */
    COLUMN_HIDDEN = 2,  /* for programs: in json, csv, tsv and jsonl but not in box, markdown and line */
    COLUMN_COMPACT = 4, /* may be cut first, then left out, when the table is too wide for people */
    COLUMN_MOVE = 8,    /* an INT change of rank, > 0 is up: an arrow and a number; 0 is "=", null is "new" */
    COLUMN_COUNT = 16,  /* an INT that counts things: grouped from 1,000 on (a year or an id only from 10,000) */
    COLUMN_WRAP = 32,   /* TEXT that people see the whole of, on more lines when the column is narrow */
    COLUMN_SCORE = 128, /* a REAL on a model's own scale: its precision follows from its values (counts have no digits
                           after the point) */
    COLUMN_SCALE = 256, /* TEXT: whose scale that is, in a column before the scores: rows one below the other with the
                           same text share a precision */
    COLUMN_GAPS = 512,  /* a MOVE whose nulls are shown as nothing: what has no place to come from or to go to */
    COLUMN_P = 64,      /* a REAL chance: people see "<0.0001" where it is less than the digits can say */
};

struct column {
    const char *name; /* snake_case, static or in the arena */
    enum value_type type;
    const char *unit; /* "%", "s", "B", "" ; % means the value is a fraction: shown times 100, raw in json */
    int precision;    /* digits after the point that people see; -1: as short as exact */
    unsigned flags;
};

struct result;

/* Rows stand one after the other: row r, column c is values[r * ncolumns + c]. */
struct table {
    const char *name;  /* "lists": the key in JSON */
    const char *title; /* for people, may be "" */
    struct column *columns;
    size_t ncolumns;
    struct value *values;
    size_t nrows, filled, capacity; /* filled: values appended so far */
    bool prose; /* one TEXT column: people see its rows as paragraphs, filled to the width, without a frame */
    bool drawn; /* the series show it: in a box it is left out where these are drawn; dots are no words, so not in plain
                   text */
    struct result *result;          /* whose arena holds the text */
    /* A cursor instead of held rows (result_cursor); all NULL for a held table. */
    enum status (*next)(void *context, struct table *block, struct error *err);
    enum status (*rewind)(void *context, struct error *err);
    void (*close)(void *context);
    void *context;
    struct arena_block *block_text; /* a cursor's: text of the present block only */
    char scale[64]; /* of a column of COLUMN_SCALE: the text of the last row, cut, and the first row from which on it is
                       that */
    size_t scale_from;
};

/* A curve or histogram for the plots. */
struct series {
    const char *name, *title, *x_label, *y_label;
    enum value_type x_type; /* INT, REAL, TIME, or TEXT for bars with `labels` */
    const char *style;      /* "line", "bar", "points" */
    const char *
        group; /* title of the plot that this curve shares with the others of the same group; NULL: a plot of its own */
    double *x, *y;
    double *low, *high;     /* an interval a point, or NULL */
    const char **labels;    /* x_type TEXT */
    size_t n;
};

enum message_level { MESSAGE_INFO, MESSAGE_WARNING, MESSAGE_HINT };

struct message {
    enum message_level level;
    const char *text; /* raw: renderers make it safe */
};

struct arena_block;

struct result {
    struct table **tables;
    size_t ntables, tables_capacity;
    struct series **series;
    size_t nseries, series_capacity;
    struct message *messages;
    size_t nmessages, messages_capacity;
    char *command;   /* the command that replays this, with ids; may be NULL */
    double seconds;  /* how long it took */
    struct arena_block *arena;
    struct error failed; /* the first failure while building */
    bool several;        /* one table or several, as it comes: JSON gives them by name even when it is one */
    size_t holds;        /* besides the maker's */
};

struct result *result_new(struct error *err);
/* Gives up one hold; the last one frees. */
void result_free(struct result *r);
/* One more hold for the caller, who frees it too: a face that keeps what it was handed. Holds are not counted
 * atomically. */
struct result *result_keep(struct result *r);
/* ST_OK, or what went wrong while building. */
MUST_CHECK enum status result_status(const struct result *r, struct error *err);

/* Adds a table; columns are copied (names and units must be static or from result_text). A name that is taken gets a
 * number ("list_2"). Never NULL: after a failure it is a table that swallows everything. */
struct table *result_table(struct result *r, const char *name, const char *title, const struct column *columns,
                           size_t ncolumns);
/* Adds a table whose rows are pulled block by block, so that any number of them streams in little memory. `next`
 * appends the rows of the next block (a few thousand), none at the end; `rewind` goes back to before the first row, so
 * that a result can be shown again; `close` frees context, also when adding fails. The three are called by one thread.
 */
struct table *result_cursor(struct result *r, const char *name, const char *title, const struct column *columns,
                            size_t ncolumns, enum status (*next)(void *context, struct table *block, struct error *err),
                            enum status (*rewind)(void *context, struct error *err), void (*close)(void *context),
                            void *context);
/* Copies of text in the arena; "" after a failure. */
const char *result_text(struct result *r, const char *text);
const char *result_textf(struct result *r, const char *format, ...) PRINTF_LIKE(2, 3);
/* n elements of scratch that live as long as the result, zeroed; NULL after a failure. */
void *result_room(struct result *r, size_t count, size_t size);
/* The text of a growable string, which lives as long as that; one that failed makes the result fail, and is "": nothing
 * is told by halves. */
const char *result_str(struct result *r, const struct str *s);
void result_message(struct result *r, enum message_level level, const char *format, ...) PRINTF_LIKE(3, 4);
/* Adds a series of n points with x and y allocated (labels too when x_type is TEXT; low/high when with_interval). NULL
 * after a failure. */
struct series *result_series(struct result *r, const char *name, const char *title, enum value_type x_type, size_t n,
                             bool with_interval);

/* Cells are appended left to right, row by row. The type must be the column's. Text is copied; NULL text is null; NaN
 * is null. */
void table_text(struct table *t, const char *text);
void table_str(struct table *t, const struct str *s); /* as result_str */
void table_textn(struct table *t, const char *text, size_t n);
void table_textf(struct table *t, const char *format, ...) PRINTF_LIKE(2, 3);
void table_int(struct table *t, int64_t v);
void table_real(struct table *t, double v);
void table_time(struct table *t, int64_t us); /* NO_TIME is null */
void table_bool(struct table *t, bool v);
void table_null(struct table *t);
/* The last row, which is complete, is for programs and for who asks for all: in a box people see that there are more. A
 * table whose rows are all set aside is not drawn. */
void table_aside(struct table *t);

/* The next block of a cursor into its rows, nrows == 0 at the end. Values and text of the block before are gone. */
MUST_CHECK enum status table_next(struct table *t, struct error *err);
/* Back to before the first row of a cursor; nothing to do for a held table. */
MUST_CHECK enum status table_rewind(struct table *t, struct error *err);

const struct value *table_value(const struct table *t, size_t row, size_t column);
size_t table_column(const struct table *t, const char *name); /* or ncolumns */
struct table *result_find_table(const struct result *r, const char *name);

#endif
