/* Ingest: files in, a data set out. Nothing is dropped in silence: rows read = rows kept + rows rejected. */
#ifndef TAILOR_INGEST_INGEST_H
#define TAILOR_INGEST_INGEST_H

#include "base/job.h"
#include "data/dataset.h"

/* One "key=value" of the user: user=uid, item.brand=brand, tz=+02:00, encoding=latin1, delimiter=';', format=csv. */
struct mapping {
    const char *key, *value;
};

/* Told of every bad row. */
struct reject_sink {
    void *context;
    enum status (*reject)(void *context, const char *file, uint64_t line, const char *reason, const char *text,
                          size_t n, struct error *err);
};

/* What was understood, for the report of `load`. */
struct ingest_note {
    char text[200];
};
struct ingest_report {
    const char *reader;  /* "csv", "movielens-100k", ... */
    struct ingest_note notes[16]; /* "u.item is Latin-1: converted", "no column was taken for type" */
    size_t nnotes;
};

/* Reads event file(s), a folder of a known layout, a glob pattern, or "-" into a new unpublished data set
 * (dataset_finish done). Mapping keys: user item time value type session price quantity (column names or 1-based
 * numbers), item.X user.X (attributes that ride on events), format, delimiter, header=yes|no, encoding, tz. ST_USAGE
 * when a named column is missing, with the columns there are. */
MUST_CHECK enum status ingest_events(const char *const *paths, size_t npaths, const struct mapping *mapping,
                                     size_t nmapping, const char *name, struct reject_sink *rejects, struct job *job,
                                     struct dataset **out, struct ingest_report *report, struct error *err);

/* The same, of rows to be added to `base`: users, items and types that are in base have their indices there, new ones
 * come after. The data set holds the new events only. */
MUST_CHECK enum status ingest_more(const struct dataset *base, const char *const *paths, size_t npaths,
                                   const struct mapping *mapping, size_t nmapping, struct reject_sink *rejects,
                                   struct job *job, struct dataset **out, struct ingest_report *report,
                                   struct error *err);

/* Attributes: a new data set = `base` with the fields of the file joined to its items or users (id=COLUMN says the
 * key). Ids of the file that no event has become new (cold) items or users. */
enum attribute_target { ATTRIBUTES_OF_ITEMS, ATTRIBUTES_OF_USERS };
MUST_CHECK enum status ingest_attributes(const struct dataset *base, enum attribute_target target, const char *path,
                                         const struct mapping *mapping, size_t nmapping, struct reject_sink *rejects,
                                         struct job *job, struct dataset **out, struct ingest_report *report,
                                         struct error *err);

/* As ingest_events, of the head of the file only: for a look at it. */
MUST_CHECK enum status ingest_head(const char *path, const struct mapping *mapping, size_t nmapping, struct job *job,
                                   struct dataset **out, struct ingest_report *report, struct error *err);

/* Are these keys that `load` knows, with values it can take? */
MUST_CHECK enum status ingest_check_mapping(const struct mapping *mapping, size_t nmapping, struct error *err);

/* A reader: one way files can look. readers.c lists them in the order they are asked. */
struct ingest;
struct reader {
    const char *name, *summary;
    /* 0: not mine; higher wins. `head` is the first bytes of the (decompressed) file, n = 0 for a folder. */
    int (*recognise)(const char *path, const char *head, size_t n);
    enum status (*read)(struct ingest *in, const char *path, struct error *err);
    bool fixed; /* knows its columns: where the user says user= or item= another reader is asked */
};
extern const struct reader *const readers[];

#endif
