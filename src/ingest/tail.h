/* What a source gains while we look at it: a file that grows (or is cut short, or is replaced by a new one, as logs
 * are), a FIFO whose writers come and go, standard input. Whole rows only; nothing ever waits.
 *
 * A place is how far a file has been read. It is known again by its first bytes, so the file may move. */
#ifndef TAILOR_INGEST_TAIL_H
#define TAILOR_INGEST_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct tail_place {
    uint64_t offset; /* bytes that were taken in */
    uint64_t line;   /* lines of them; 0: not counted */
    uint64_t head;   /* hash of the first min(offset, TAIL_HEAD) bytes */
};

enum { TAIL_HEAD = 4096, TAIL_MOST = 8 << 20 /* bytes that wait at most */ };

/* The place after the first `offset` bytes of a plain file; false when it is none, is packed, or is not as long. */
bool tail_place_of(const char *path, uint64_t offset, struct tail_place *out);
/* Is the file at `path` the one this place is in, not shorter by now? */
bool tail_place_fits(const char *path, const struct tail_place *place);

struct tail;

/* "-" is standard input. place NULL: from the beginning. ST_FORMAT for a packed file. Opening a FIFO does not wait for
 * a writer. */
MUST_CHECK enum status tail_open(const char *path, const struct tail_place *place, struct tail **out,
                                 struct error *err);
void tail_close(struct tail *t); /* NULL is fine */
/* Reads what is there now, TAIL_MOST bytes at most. */
MUST_CHECK enum status tail_read(struct tail *t, struct error *err);
/* What is there now is all that is wanted: an unfinished last row is one. */
void tail_end_here(struct tail *t);
/* Whole rows that wait, as bytes; an unfinished last one only when nothing can follow it. */
size_t tail_waiting(struct tail *t);
/* Appends them to `out`, headed by the header where there is one; *line is the number of the line that the first row is
 * in the source, *header whether the first line of `out` is one. They are counted as taken in. */
MUST_CHECK enum status tail_take(struct tail *t, struct str *out, uint64_t *line, bool *header, struct error *err);
/* Where the next row begins; false for what is not a plain file. */
bool tail_place_now(const struct tail *t, struct tail_place *out);
/* Will nothing come any more? A FIFO: its writers have gone; standard input: it has ended. */
bool tail_ended(const struct tail *t);

/* Text in a nameless file, for readers that want a path: `path` (48 bytes) is good until `fd` is closed. */
MUST_CHECK enum status text_as_file(const char *text, size_t n, int *fd, char *path, struct error *err);

#endif
