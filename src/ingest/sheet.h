/* A sheet: rows of a delimited or JSON lines file, with named columns. */
#ifndef TAILOR_INGEST_SHEET_H
#define TAILOR_INGEST_SHEET_H

#include "base/dict.h"
#include "ingest/csv.h"
#include "ingest/feed.h"
#include "ingest/jsonl.h"

/* What is known of a file beforehand; zero: find out. */
struct sheet_form {
    const char *format;    /* "csv", "tsv", "jsonl" */
    const char *delimiter; /* ";", "tab", "::", "space", ... */
    const char *header;    /* "yes", "no" */
    enum encoding encoding;
    bool no_quotes;           /* a quote is an ordinary character */
    const char *const *names; /* no header: these are the columns, NULL-terminated */
};

enum { SHEET_KEYS_MOST = 4096 }; /* different keys in a file of JSON lines */

struct sheet {
    struct feed *feed;
    struct dialect dialect;
    struct jsonl *json; /* NULL: delimited */
    struct dict names;  /* of the columns; JSON lines find new ones on the way */
    bool header;        /* the names were in the file */
    bool named;         /* the names mean something: from the file or from its known layout */
    struct row row;     /* the current row; row.n == names.n for a good one, missing cells have no text */
    uint64_t row_line;  /* where it began */
    size_t row_length;  /* bytes it takes in the window, right before feed->at */
    bool looking;       /* the window must not slide */
    bool skipping;      /* inside a line that is too long, of which the rest does not count */
    const char *bad;    /* why the current row is refused, or NULL */
    const char *text;   /* its text without the line end, for the report */
    size_t text_length;
    uint32_t next_key;     /* JSON: the column that most likely comes next */
    struct str names_note; /* columns that were renamed because another has the name, or "" */
    char reason_room[96];
};

/* Takes over the feed, also on failure. */
MUST_CHECK enum status sheet_open(struct feed *feed, const struct sheet_form *form, struct sheet *out,
                                  struct error *err);
void sheet_close(struct sheet *t);
/* The next row; *more is false at the end. Bad rows are handed out too, with t->bad set: nothing is skipped in silence.
 */
MUST_CHECK enum status sheet_next(struct sheet *t, bool *more, struct error *err);
/* Looking ahead: between mark and rewind rows come from the window that is in memory only (more is false where it
 * ends), to be read again. */
struct sheet_mark {
    size_t at;
    uint64_t line, converted;
};
struct sheet_mark sheet_look(struct sheet *t);
void sheet_rewind(struct sheet *t, const struct sheet_mark *mark);
/* The column called `name` (exactly, else without regard to case, else a 1-based number), or NO_CODE. */
uint32_t sheet_column(const struct sheet *t, const char *name);
/* "a, b, c" for messages. */
void sheet_columns(const struct sheet *t, struct str *out);

#endif
