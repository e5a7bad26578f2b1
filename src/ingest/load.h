/* What the readers share: the data set under construction, and the way rows get into it or into the rejects. */
#ifndef TAILOR_INGEST_LOAD_H
#define TAILOR_INGEST_LOAD_H

#include "ingest/column.h"
#include "ingest/ingest.h"
#include "ingest/sheet.h"

enum { EVENT_ARRAYS = 6, REJECT_TEXT_MOST = 4096 };

struct ingest {
    struct dataset *data;
    struct job *job;
    struct reject_sink *rejects;
    struct ingest_report *report;
    const struct mapping *mapping;
    size_t nmapping;
    struct sheet_form form; /* what the mapping says about the files */
    enum date_order dates;  /* of times such as 3/1/2026 */
    int64_t tz;             /* us east of UTC of times that do not say */
    const char *time_form;  /* of all times (time_parse_as), or NULL: as they look */
    bool comma;             /* decimal=, */
    struct raw_columns context, item_columns, user_columns;
    size_t capacity[EVENT_ARRAYS]; /* of user, item, sequence, type, time, value */
    const char *part;    /* "train", "test", "valid" when the name of this file says so among several, or NULL */
    size_t part_column;  /* in context */
    bool will_fit;       /* that the whole fits into memory was looked at */
    struct feed *opened; /* the file being read, where it was opened to be recognised */
    uint32_t last_user, last_type; /* of the event before: the next one is often the same */
    uint64_t bytes_before;         /* of the files done, for the progress */
    uint64_t bytes_total, bytes_taken; /* of all files (0: not known); of which were read */
    uint64_t staged;               /* rejects handed to the sink */
    uint64_t row_number;           /* rows that `row` has counted */
    uint64_t untimed;              /* rows without a time in a file that has times */
    const char *const *bulky;      /* patterns of columns that this layout leaves out unless keep= names them */
    size_t nbulky;
    bool head;                /* only a look at the heads of files (preview) */
    bool known;               /* the layout knows its columns: nothing to tell about them */
    const char *default_type; /* of events of this file without a type of their own, or NULL */
    char first_reject[320];
    char reason[256];
};

/* The moment that a cell tells, NO_TIME for a cell that tells none; NULL, or what is wrong with it. */
const char *ingest_time(const struct ingest *in, const struct cell *cell, int64_t *out);
/* The value of a mapping key, or NULL. */
const char *ingest_mapped(const struct ingest *in, const char *key);
/* Is the key one that says how to read (format, delimiter, header, encoding, tz, dates, id), not a column? */
bool ingest_is_option(const char *key);
/* Events of the rows to come belong to this part of a given split (a literal); NULL: none. */
MUST_CHECK enum status ingest_set_part(struct ingest *in, const char *part, struct error *err);
/* A line of the report (the oldest win when there are too many). */
void ingest_note(struct ingest *in, const char *format, ...) PRINTF_LIKE(2, 3);

/* Opens a file, or the rows of a database, as text. database.c */
MUST_CHECK enum status ingest_feed(struct ingest *in, const char *path, struct feed **out, struct error *err);
/* The reader for a file that begins with head[0..n), or for a folder (n = 0); NULL: none. */
const struct reader *ingest_pick(const struct ingest *in, const char *path, const char *head, size_t n);
/* Understands the options of in->mapping. ingest.c */
MUST_CHECK enum status ingest_options(struct ingest *in, bool events, struct error *err);
/* Opens path (or takes the feed that is open already) as a sheet. form NULL: in->form. */
MUST_CHECK enum status ingest_open(struct ingest *in, const char *path, const struct sheet_form *form,
                                   struct sheet *out, struct error *err);
/* Closes a sheet after the last row and reports what its text was like. */
void ingest_close(struct ingest *in, struct sheet *t);
/* The next row that could be cut into cells; others go to the rejects. Keeps the progress and notices a cancel. */
MUST_CHECK enum status ingest_next(struct ingest *in, struct sheet *t, bool *more, struct error *err);
/* Tells the progress of the file being read. */
void ingest_progress(struct ingest *in, const struct sheet *t);
/* Refuses the current row. The reason may stand in in->reason. */
MUST_CHECK enum status ingest_reject(struct ingest *in, const struct sheet *t, const char *reason, struct error *err);

/* Refuses a row that is not (any more) the current one of a sheet. */
MUST_CHECK enum status ingest_refuse(struct ingest *in, const char *file, uint64_t line, const char *reason,
                                     const char *text, size_t n, struct error *err);

/* One event. Cells must have been checked by ingest_id. type NULL: `type_name`. */
struct event_row {
    const struct cell *user, *item;
    int64_t time; /* NO_TIME */
    double value; /* NaN */
    const char *type;
    size_t type_length;
};
MUST_CHECK enum status ingest_add_event(struct ingest *in, const struct event_row *row, struct error *err);
/* Room for `n` events in all arrays, and at once for as many as the files will probably hold. ST_NOMEM when it is plain
 * by now that these will not fit into the memory of the machine: said before, not found out after. Times and values too
 * when they are told of, or were before. */
MUST_CHECK enum status ingest_room(struct ingest *in, size_t n, bool timed, bool valued, struct error *err);
/* What a cell says of the time (NO_TIME: nothing) and the value (NaN: nothing): NULL, or why the row is refused. */
const char *cell_time(const struct ingest *in, const struct cell *cell, int64_t *out, char *reason, size_t size);
const char *cell_number(const struct ingest *in, const char *what, const struct cell *cell, double *out, char *reason,
                        size_t size);
/* Is it an id? NULL, or why not (in in->reason). */
const char *ingest_id(struct ingest *in, const struct cell *cell, const char *what);
/* The same, with room for the reason. */
const char *cell_id(const struct cell *cell, const char *what, char *reason, size_t size);

/* ---- roles: which column is what ---- */

enum role {
    ROLE_USER,
    ROLE_ITEM,
    ROLE_TIME,
    ROLE_VALUE,
    ROLE_TYPE,
    ROLE_SESSION,
    ROLE_PRICE,
    ROLE_QUANTITY,
    ROLES,
    ROLE_CONTEXT = ROLES, /* kept as it is */
    ROLE_ITEM_FIELD,
    ROLE_USER_FIELD, /* item.X=column, user.X=column */
};

extern const char *const role_names[ROLES];

/* A column that is computed: item==cd, user=row, user=a+b, item=a|b. computed.c */
enum { COMPUTED_COLUMNS = 8 };
enum computed_kind { COMPUTED_NOT, COMPUTED_CONSTANT, COMPUTED_ROW, COMPUTED_JOINED };
struct computed {
    enum computed_kind kind;
    uint32_t column[COMPUTED_COLUMNS];
    bool
        instead[COMPUTED_COLUMNS]; /* stands in for those before it when they have no text; else it is joined to them */
    size_t ncolumns;
    struct str room;
};
/* Understands the value of a mapping key as one; kind COMPUTED_NOT when it is none. */
MUST_CHECK enum status computed_find(const struct sheet *t, const char *key, const char *value, struct computed *out,
                                     struct error *err);
/* Its cell in the current row; valid until the next call. */
MUST_CHECK enum status computed_cell(struct computed *c, const struct sheet *t, uint64_t row, struct cell *out,
                                     struct error *err);
/* Appends the text of a joined one to *out, of the cells of a row; false when it has none. */
bool computed_join(const struct computed *c, const struct cell *cells, struct str *out);
void computed_clear(struct computed *c);
/* Is a column without a role kept? By keep=, skip= and what the layout leaves out. */
bool ingest_keeps(const struct ingest *in, const char *name);

/* Columns of the roles. One that is computed has column[] NO_CODE and computed[].kind set; `made` holds its cell of the
 * current row. */
struct roles {
    uint32_t column[ROLES]; /* or NO_CODE */
    struct computed computed[ROLES];
    struct cell made[ROLES];
    bool any_computed, counts_rows; /* one is the number of the row */
    bool ratings; /* the value is a rating */
};
/* By mapping, by well-known names, else (no header) by position and look. ST_USAGE with the columns there are.
 * roles_clear also after a failure. */
MUST_CHECK enum status roles_find(struct ingest *in, struct sheet *t, struct roles *out, struct error *err);
/* The same without asking that there be a user and an item. */
MUST_CHECK enum status roles_known(struct ingest *in, struct sheet *t, struct roles *out, struct error *err);
/* The computed columns of the current row, where there are any. */
MUST_CHECK enum status roles_compute(struct roles *r, struct ingest *in, const struct sheet *t, struct error *err);
bool roles_has(const struct roles *r, enum role role);
void roles_clear(struct roles *r);
/* The column for the key of items or users in a file of attributes. */
MUST_CHECK enum status roles_find_key(struct ingest *in, struct sheet *t, enum attribute_target target, uint32_t *out,
                                      struct error *err);
/* "no column X" with the columns there are and the nearest. */
enum status roles_missing(const struct sheet *t, const char *key, const char *column, struct error *err);

/* ---- readers ---- */

/* Rows of an open sheet as events, on all cores (chunk.h); closes it. */
MUST_CHECK enum status events_read(struct ingest *in, struct sheet *t, struct error *err);
/* Rows of an open sheet as attributes; closes it. */
MUST_CHECK enum status attributes_read(struct ingest *in, struct sheet *t, enum attribute_target target,
                                       struct error *err);
/* Opens and reads the file of items or users that lies beside `path` (or in the folder `path`) when it is there. */
MUST_CHECK enum status attributes_beside(struct ingest *in, const char *path, const char *file,
                                         enum attribute_target target, struct error *err);
/* The same for one file of a known layout: `form` and `mapping` say what the layout knows; what the user said wins.
 * Nothing when the file is not there. layout.c */
MUST_CHECK enum status attributes_as(struct ingest *in, const char *path, const char *file,
                                     enum attribute_target target, const struct sheet_form *form,
                                     const struct mapping *mapping, size_t nmapping, struct error *err);
MUST_CHECK enum status events_as(struct ingest *in, const char *path, const struct sheet_form *form,
                                 const struct mapping *mapping, size_t nmapping, struct error *err);
/* `path` itself, or its `file` when it is a folder, into out. */
void path_in(const char *path, const char *file, char *out, size_t size);
/* Is the last part of the path, without .gz or .zst, that name? */
bool path_named(const char *path, const char *name);
/* Does the folder hold that file? */
bool folder_holds(const char *path, const char *file);
/* The first file of the folder whose name ends so, into out. */
bool folder_find(const char *path, const char *ending, char *out, size_t size);
/* Does the text begin so, blanks, quotes and case aside? */
bool head_starts(const char *head, size_t n, const char *text);
/* Does known_attributes know the file by its name? Tags stand in a file of events of their own. */
bool known_attributes_mine(const char *path, enum attribute_target target);
/* A well-known file of attributes by its name ("u.item", "movies.dat"): true when it was read. */
MUST_CHECK enum status known_attributes(struct ingest *in, const char *path, enum attribute_target target,
                                            bool *mine, struct error *err);

/* BX-Books.csv, BX-Users.csv; NAME.item, NAME.user: is the file one of these, and its rows as attributes. */
bool bookcrossing_mine(const char *path, enum attribute_target target);
MUST_CHECK enum status bookcrossing_attributes(struct ingest *in, const char *path, enum attribute_target target,
                                               struct error *err);
bool recbole_mine(const char *path, enum attribute_target target);
MUST_CHECK enum status recbole_attributes(struct ingest *in, const char *path, enum attribute_target target,
                                          struct error *err);
/* The properties of RetailRocket's items that lie beside `path`. */
MUST_CHECK enum status retailrocket_properties(struct ingest *in, const char *path, struct error *err);

/* The readers: one a line here, in the order they are asked. */
#define READERS(READER)    \
    READER(movielens_100k) \
    READER(movielens_dat)  \
    READER(movielens_csv)  \
    READER(bookcrossing)   \
    READER(recbole)        \
    READER(openbandit)     \
    READER(layouts)        \
    READER(ncf)            \
    READER(matrix)         \
    READER(lists)          \
    READER(folder)         \
    READER(jsonl)          \
    READER(csv)

#define DECLARE(name) extern const struct reader reader_##name;
READERS(DECLARE)
#undef DECLARE

/* ---- paths ---- */

/* The last part of a path, without .gz or .zst, into out. */
void path_stem(const char *path, char *out, size_t size);
bool path_is_folder(const char *path);
/* "FOLDER/file", or the file beside `path` when that is a file; with .gz or .zst when only that is there. False when
 * there is none. */
bool path_beside(const char *path, const char *file, char *out, size_t size);

#endif
