/* Delimited text by RFC 4180, and the looser kinds that people have: any of , ; tab | :: or runs of blanks between
 * cells, LF, CRLF or (old Mac) lone CR behind rows.
 *
 * A cell may stand in quotes, with "" for a quote and with delimiters and line ends inside. A quote inside an unquoted
 * cell is an ordinary character. Blanks around unquoted cells do not count. */
#ifndef TAILOR_INGEST_CSV_H
#define TAILOR_INGEST_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* A piece of a row. text NULL: missing. */
struct cell {
    const char *text;
    size_t n;
    bool quoted;  /* stood in quotes: text, even if it looks like a number (in JSON) */
    bool escaped; /* holds "" until csv_unescape */
    bool list;    /* several values, LIST_MARK between them */
};

enum { LIST_MARK = 0x1f, MOST_CELLS = 1 << 16 };

struct row {
    struct cell *cells;
    size_t n, capacity;
    size_t length;      /* bytes with the line end */
    size_t text_length; /* and without */
    size_t lines;       /* physical lines */
    bool any_escaped;
    const char *reason; /* SCAN_BAD: what is wrong. length and text_length then cover the first physical line only */
    struct str room;    /* unescaped cells */
};

struct dialect {
    char delimiter;             /* the (first) byte between cells; ' ' means runs of blanks */
    bool twice;                 /* the delimiter is that byte twice: "::" */
    bool quotes;                /* cells may stand in quotes */
    bool lone_cr;               /* rows end in CR without LF */
    unsigned char special[256]; /* bytes that may end an unquoted cell; from csv_dialect */
};

enum scan { SCAN_ROW, SCAN_BAD, SCAN_MORE, SCAN_NOMEM };

void csv_dialect(struct dialect *d, char delimiter, bool twice, bool quotes, bool lone_cr);
/* Guesses the dialect from the beginning of a file; whole says that there is no more. *found is false when no delimiter
 * makes two columns. */
MUST_CHECK enum status csv_sniff(struct dialect *d, const char *head, size_t n, bool whole, struct row *scratch,
                                 bool *found, struct error *err);

/* Cuts the row at text[0..n) into cells that point into it. text[n] must be a line feed. SCAN_MORE when the row does
 * not end within n (never when `last`). An empty line is a row of no cells. */
enum scan csv_scan(const struct dialect *d, const char *text, size_t n, bool last, struct row *row, struct error *err);
/* Replaces "" in escaped cells by ", in row->room. */
MUST_CHECK enum status csv_unescape(struct row *row, struct error *err);
void row_clear(struct row *row);

#endif
