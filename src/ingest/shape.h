/* Shapes: the fast way to read JSON lines.
 *
 * Lines of a log are written by one printf: the same keys in the same order with the same blanks, and only the values
 * differ. A shape is what stays the same,
 *
 *   {"user":"u17","item":"i5","n":3}      {"user":  ,"item":  ,"n":  }
 *
 * learnt from a line that the JSON parser has read. A line that has the shape, and plain values in it (strings of ASCII
 * without escapes, short numbers, true, false, null), is read by comparing; any other goes to the parser. To both it
 * means the same. */
#ifndef TAILOR_INGEST_SHAPE_H
#define TAILOR_INGEST_SHAPE_H

#include <stdint.h>

#include "base/dict.h"
#include "ingest/csv.h"

enum { SHAPES = 8, SHAPE_MEMBERS = 64, SHAPE_TEXT = 4096 };

struct shape {
    size_t n;                              /* members */
    uint32_t column[SHAPE_MEMBERS];        /* where the value goes, into the names */
    uint16_t end[SHAPE_MEMBERS + 1];       /* in text: of what stands before value i, and behind the last */
    char text[SHAPE_TEXT];
};

struct shapes {
    struct shape shape[SHAPES + 1]; /* the last one is being learnt */
    unsigned n, next, last; /* how many, which is replaced next, which fitted last */
};

/* Takes the shape of a line that the parser found to be good: text[0..n) without the line end. Keys are looked up in
 * `names`; nothing is learnt from a line with other keys, nested values or anything unusual. */
void shapes_learn(struct shapes *s, const struct dict *names, const char *text, size_t n);
/* Reads the line at `text` into cells[0..width) (no text: not there) when it has a shape; *length is its length without
 * the line feed. *end is a line feed, and 64 readable bytes follow. */
bool shapes_read(struct shapes *s, const char *text, const char *end, struct cell *cells, size_t width, size_t *length);

#endif
