/* Preview: what a file holds, what its columns are taken for, and how to load it. Looks at the head only. */
#ifndef TAILOR_INGEST_PREVIEW_H
#define TAILOR_INGEST_PREVIEW_H

#include "ingest/ingest.h"

enum { PREVIEW_COLUMNS = 256, PREVIEW_EXAMPLES = 3, PREVIEW_DOUBTS = 8 };

struct preview_column {
    char name[128];
    char role[160];    /* "user", "item.title", "" for a column that is kept as it is */
    const char *by;    /* "said", "name", "content", or "" */
    const char *type;  /* "text", "int", "real", "time" */
    uint64_t seen, missing;
    uint32_t distinct;
    char example[PREVIEW_EXAMPLES][48];
};

struct preview {
    struct ingest_report report; /* of reading the head as events */
    const char *reader;
    char form[160];              /* "commas between columns, a header" */
    uint64_t rows;               /* looked at */
    bool whole;                  /* that is all of the file */
    uint64_t rows_guessed;       /* in the whole file, or 0 */
    struct preview_column column[PREVIEW_COLUMNS];
    size_t ncolumns;
    struct ingest_note doubt[PREVIEW_DOUBTS];
    size_t ndoubts;
    char mapping[1024];          /* what must be said to load it, each key=value as a word of the command line; "" */
    const char
        *table; /* "users", "items": it is taken for a table of them, for `load users`, `load items`; NULL: events */
    struct dataset *head;        /* the events of the head, or NULL: release it */
    char trouble[640];           /* why there are none */
};

/* `quote` appends a text as one word of the command line. */
MUST_CHECK enum status ingest_preview(const char *path, const struct mapping *mapping, size_t nmapping,
                                      void (*quote)(struct str *out, const char *text), struct job *job,
                                      struct preview *out, struct error *err);

#endif
