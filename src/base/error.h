/* Errors: what went wrong, where, and how to mend it.
 *
 * Library code never prints, exits or aborts. A function that can fail returns
 * `enum status` and fills the caller's `struct error` (which may be NULL). An
 * error needs no memory of its own, so "out of memory" can always be said. */
#ifndef TAILOR_BASE_ERROR_H
#define TAILOR_BASE_ERROR_H

#include <stddef.h>

enum status {
    ST_OK = 0,
    ST_NOMEM,       /* an allocation failed; the message names the size */
    ST_IO,          /* the operating system refused a read or a write */
    ST_FORMAT,      /* input is not what it should be */
    ST_USAGE,       /* a command or an option is wrong */
    ST_NOT_FOUND,   /* no such user, item, model, file, ... */
    ST_AMBIGUOUS,   /* a name fits several things; the hint lists them */
    ST_CANCELLED,   /* the user asked to stop */
    ST_CORRUPT,     /* a checksum or a size does not hold */
    ST_BUSY,        /* somebody else is writing */
    ST_UNSUPPORTED, /* this build or this data cannot do that */
    ST_STATE,       /* needs something first: data, a split, a model */
    ST_INTERNAL,    /* a mistake of ours */
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

struct error {
    enum status code;
    char message[640]; /* one sentence: what is wrong */
    char source[256];  /* where: "ratings.csv:1042" or "" */
    char hint[640];    /* how to go on, or "" */
    size_t offset;     /* first byte of the culprit in the command's text, ... */
    size_t length;     /* ... and its length; 0 when there is none */
};

/* Fills `err` (if not NULL), clearing source, hint and offset; returns `code`,
 * so that `return error_set(err, ST_FORMAT, "...")` reads well. */
enum status error_set(struct error *err, enum status code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds how to mend it. Does nothing when err is NULL. */
void error_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds where it happened, for example "u.data:17". */
void error_source(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Marks the culprit in the text of the command, for the caret. */
void error_span(struct error *err, size_t offset, size_t length);

/* "not enough memory: WHAT needs 1.2 GiB"; returns ST_NOMEM. */
enum status error_nomem(struct error *err, size_t bytes, const char *what);

/* The operating system's word on `path` (uses errno); returns ST_IO, or ST_NOT_FOUND for ENOENT. */
enum status error_errno(struct error *err, const char *doing, const char *path);

/* A short name of a status: "format", "not-found", ... never NULL. */
const char *status_name(enum status code);

#endif
