/* Chunks: the fast path of `load`. How a large file becomes columns on all cores:
 *
 *   text     | block of up to 16 MiB: chunk 0 | chunk 1 | chunk 2 | ...    the next block is read (and unpacked)
 * meanwhile reading    each chunk by some thread into columns of its own: rows cut, values parsed, ids looked up
 *   settling   chunk i + 1 began where chunk i ended? if not (a quoted line feed at the cut), it is read again from
 * there merging    in order of the chunks: new ids get their codes, then columns are copied to their place on all
 * threads
 *
 * Blocks and chunks are cut at fixed numbers of bytes, and ids get their codes in the order of the text, so the data
 * set does not depend on the number of threads. While chunks are read nobody changes the dictionaries of the data set:
 * a chunk looks ids up there, and those that are not in it (few, after the first blocks) get provisional codes in a
 * small dictionary of the chunk.
 *
 * A chunk works on batches of some hundred rows, and on a column of the batch at a time: first all rows are cut
 * (plain.h where rows are plain, else sheet.h), then checked, then ids are looked up with their memory latencies
 * overlapped. */
#ifndef TAILOR_INGEST_CHUNK_H
#define TAILOR_INGEST_CHUNK_H

#include "ingest/load.h"

/* What happens with a column that is no event column of its own. */
struct plan {
    uint32_t source; /* column of the file */
    enum role role;  /* ROLE_CONTEXT, ROLE_ITEM_FIELD, ROLE_USER_FIELD, ROLE_SESSION, ROLE_PRICE, ROLE_QUANTITY */
    size_t target;   /* index in in->context, in->item_columns or in->user_columns */
};

/* How the rows of a file are read: the same for all chunks of a round, and grows only between rounds. */
struct event_form {
    struct ingest *in;
    struct sheet *t;
    struct roles roles;
    const char *default_type;
    struct plan *plans;
    size_t nplans, capacity;
    uint32_t planned; /* columns of the file that have been looked at */
};

/* Columns of text are numbered: three of every event, then those of the plans. */
enum { TEXT_USER, TEXT_ITEM, TEXT_TYPE, TEXT_PLANS };
/* Bit of a code that is provisional: an index into `fresh`. NO_CODE is a missing cell. */
#define FRESH_CODE (UINT32_C(1) << 31)

/* The dictionary of the data set that a column of text is in. */
struct dict *form_texts(const struct event_form *form, size_t column);

struct text_column {
    uint32_t *code; /* one a row */
    size_t capacity;
    struct dict fresh; /* not (yet) in the dictionary of the data set */
    uint32_t *merged;  /* codes of the fresh ones there, once merged */
    size_t merged_capacity;
    bool lists, quoted; /* as in struct raw_column */
    bool packs;         /* short numbers only: `packed` holds the rows, not `code` */
    bool any;           /* a cell that is not missing */
    uint64_t *packed;
    size_t packed_capacity;
};

/* The column of the data set that a plan fills. */
struct raw_column *form_column(const struct event_form *form, const struct plan *p);

/* A row that was refused; texts are offsets into chunk.refused_text. */
struct refused {
    uint64_t line; /* counted from the begin of the chunk */
    size_t reason, text, length;
};

struct chunk {
    size_t begin, limit; /* rows that begin in text[begin..limit) of the block */
    size_t end;          /* where the last of them ended */
    bool read;           /* rows, columns and all below are there */
    bool cut;            /* the row at `end` is not complete in this block */
    bool skipping;       /* inside a line that is too long */
    uint64_t lines, converted, untimed;
    size_t rows, capacity;
    struct text_column *text;
    size_t ntext, text_capacity;
    int64_t *time;
    float *value;
    double *amount[2]; /* price, quantity; only with such a plan */
    bool timed, valued, any_amount[2];
    struct refused *refused;
    size_t nrefused, refused_capacity;
    struct str refused_text;
    struct dict new_names; /* keys of JSON lines that the form does not know */
    enum status st;
    struct error error;
};

void chunk_clear(struct chunk *c);

/* A hand reads chunks: what a thread needs for it. */
struct hand;
struct hand *hand_new(const struct event_form *form, struct error *err);
void hand_free(struct hand *h);
/* Fills c from rows at c->begin of the block text[..end); `last`: nothing comes after the block. `skipping`: the block
 * begins inside a line that is too long. What went wrong is in c->st. */
void hand_read(struct hand *h, char *text, size_t end, bool last, bool skipping, struct chunk *c);

/* Adds the chunks[0..n) to the data set, in this order. `line` is where the first one begins and is moved on. */
MUST_CHECK enum status chunks_merge(struct event_form *form, struct chunk *const *chunks, size_t n, uint64_t *line,
                                    struct error *err);

#endif
