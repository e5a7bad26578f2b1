/* A feed: the text of a source in one window that slides over it.
 *
 *   data[0 .. at)    used up
 *   data[at .. end)  text to come; data[end] is always a line feed (a scan may run to it unchecked) and FEED_PADDING
 *                    readable bytes follow (for simdjson)
 *
 * Text is UTF-8 for those who ask through feed_clean: a row that is not valid UTF-8 is read as Windows-1252 (the
 * superset of Latin-1), which is counted and reported; a row with a NUL byte is refused. */
#ifndef TAILOR_INGEST_FEED_H
#define TAILOR_INGEST_FEED_H

#include <stdbool.h>

#include "base/text.h"
#include "ingest/source.h"

#ifdef SMALL_PIECES /* `make fuzz`: a short text fills several windows */
enum { FEED_PADDING = 64, FEED_CHUNK = 512, ROW_CAP = 16 << 20 };
#else
enum { FEED_PADDING = 64, FEED_CHUNK = 1 << 20, ROW_CAP = 16 << 20 };
#endif

enum encoding { ENCODING_AUTO, ENCODING_UTF8, ENCODING_LATIN1 };

struct feed {
    struct source *source;
    char *path;
    char *data;
    size_t at, end, capacity;
    bool ended;    /* the source has no more */
    bool cut;      /* it has, but nobody wants it (feed_cut) */
    bool plain;    /* data[at .. end) holds neither NUL bytes nor anything beyond ASCII */
    uint64_t line; /* number of the line that begins at `at`, from 1 */
    bool by_rows;  /* line counts rows, however many lines they take: nobody ever saw these lines */
    enum encoding encoding;
    uint64_t converted; /* rows that were taken for Windows-1252 */
    struct str room;    /* the converted row */
};

/* Opens, fills the first window, skips a byte order mark. ST_FORMAT for an empty or a binary file. */
MUST_CHECK enum status feed_open(const char *path, struct job *job, struct feed **out, struct error *err);
/* The same on a source that is open; takes it over, also on failure. */
MUST_CHECK enum status feed_from(struct source *source, const char *path, struct feed **out, struct error *err);
/* Ends the feed with the last whole line that is in the window: for a look at the head of a file. */
void feed_cut(struct feed *f);
void feed_close(struct feed *f); /* NULL is fine */
/* Slides and reads more, growing the window when it is full of unused text. Pointers into data become invalid. */
MUST_CHECK enum status feed_more(struct feed *f, struct error *err);
/* The row data[at .. at + n) as valid UTF-8 into *text, *m (the same bytes, or f->room; followed by a line feed and
 * padding), or a reason why it is refused into *reason. */
MUST_CHECK enum status feed_clean(struct feed *f, size_t n, const char **text, size_t *m, const char **reason,
                                  struct error *err);

#endif
