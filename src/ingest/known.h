/* The catalogue of well-known data sets: facts from a text file (its head describes the format), no data. */
#ifndef TAILOR_INGEST_KNOWN_H
#define TAILOR_INGEST_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { KNOWN_FILES = 8 };

struct known_file {
    const char *url;          /* NULL: by hand only */
    const char *name;         /* what it is called on disk: the last part of the url */
    const char *sha256, *md5; /* in hexadecimal digits, or NULL */
    uint64_t bytes;           /* 0: not known */
};

/* Text points into the catalogue's own room; what the entry does not say is NULL or 0. */
struct known_set {
    const char *name, *title, *about, *licence, *cite, *page;
    const char *load, *items_from, *users_from; /* the rest of a line of `load`, `load items`, `load users` */
    uint64_t users, items, events;
    struct known_file file[KNOWN_FILES];
    size_t nfiles;
    bool by_hand; /* there is nothing to fetch */
    bool mine;    /* from the user's own file */
};

struct known {
    struct known_set *set;
    size_t n, capacity;
    char **text; /* the files, cut into words in place */
    size_t ntexts, texts_capacity;
};

/* Adds the entries of a file to *out; one of a name that is there takes its place. ST_FORMAT names the line. */
MUST_CHECK enum status known_read(const char *path, bool mine, struct known *out, struct error *err);
void known_clear(struct known *k);
/* By name, without regard to case; NULL when there is none. */
const struct known_set *known_find(const struct known *k, const char *name);
/* Bytes of all files, or 0 when one is not known. */
uint64_t known_bytes(const struct known_set *s);

#endif
