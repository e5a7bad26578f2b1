/* Exports: data on its way to other programs. A format is one const struct, one line of EXPORT_FORMATS.
 *
 * Everything is written beside its name first; export_close flushes all files to disk and renames them, one after the
 * other. Ids are written as they are. Where a format has no quotes, an id that would break a line is refused by name.
 */
#ifndef TAILOR_COMMANDS_EXPORT_H
#define TAILOR_COMMANDS_EXPORT_H

#include <stdio.h>

#include "base/file.h"
#include "commands/command.h"

enum { EXPORT_FILES = 8 };

struct export {
    struct workbench *wb;
    struct dataset *data;
    struct split *split;  /* NULL: none */
    unsigned parts;       /* or-ed enum part; 0: all events, in a part or not */
    bool pairs;           /* interactions: one row a (user, item), not one an event */
    bool say_part;        /* split=yes: rows or files say which part an event is in */
    bool replace;         /* what is at a path may be overwritten */
    const char *path;
    struct file_draft *draft[EXPORT_FILES];
    size_t ndrafts;
    uint64_t rows;        /* written */
    uint64_t mended;      /* texts whose tabs or line ends became blanks */
    char note[160];       /* what else is to be said, or "" */
};

struct export_format {
    const char *name;
    const char *extension; /* ".libsvm", or NULL */
    enum status (*write)(struct export *x, struct error *err);
};

#define EXPORT_FORMATS(FORMAT) \
    FORMAT(lists)              \
    FORMAT(recbole)            \
    FORMAT(libsvm)             \
    FORMAT(npy)

#define DECLARE(name) extern const struct export_format export_##name;
EXPORT_FORMATS(DECLARE)
#undef DECLARE

/* An export of the open data to the path that the call names first; export_close it. */
struct export export_begin(struct workbench *wb, const struct call *call);
/* The command's own result: what was written, `unit` saying what a row is. */
void export_say(const struct export *x, const char *format, const char *unit, struct result *out);

/* Opens the file `name` in the folder `path` (made when it is not there), or `path` itself when name is NULL. */
MUST_CHECK enum status export_file(struct export *x, const char *name, FILE **out, struct error *err);
/* What is there already is somebody's: ST_USAGE unless it may be replaced. A device or a pipe is written to. */
MUST_CHECK enum status export_check_free(const char *path, bool replace, struct error *err);
/* After writing: did all bytes of the files arrive so far? Also notices a cancel. */
MUST_CHECK enum status export_check(struct export *x, struct error *err);

/* Commits all files when st is ST_OK, else removes them; releases the data and the split. Returns st, or what failed.
 */
MUST_CHECK enum status export_close(struct export *x, enum status st, struct error *err);

/* The events that are exported, in the order of the input, so that loading gives users and items the same numbers. */
MUST_CHECK enum status export_order(struct export *x, uint64_t **order, size_t *n, struct error *err);
bool export_has(const struct export *x, size_t e);
/* The matrix of what is exported. */
MUST_CHECK enum status export_matrix(struct export *x, struct interactions *out, struct error *err);
/* Refuses an id with a byte of `forbidden` in it. */
MUST_CHECK enum status export_check_ids(const struct dict *ids, const char *what, const char *format,
                                        const char *forbidden, struct error *err);

/* The bytes before the numbers of an array in NumPy's format 1.0; returns how many (a multiple of 64), 0 when it does
 * not fit. shape: rows, and columns when > 0. export_npy.c */
size_t npy_header(char *out, size_t size, const char *type, size_t rows, size_t columns);

/* Fields as columns of tables. export_tables.c */
struct column field_column(const struct field *f);
void field_cell(struct table *t, const struct field *f, size_t row);
/* Tables of what is exported, in a result that streams it. The exporter must outlive the result. */
MUST_CHECK enum status export_events_table(struct export *x, struct result *out, struct error *err);
MUST_CHECK enum status export_pairs_table(struct export *x, struct result *out, struct error *err);
void export_entities_table(struct export *x, bool items, struct result *out);
void export_vectors_table(struct export *x, const struct model *m, const float *vectors, size_t width,
                          struct result *out);
/* Everything known of one user: attributes, events, and the lists of the models there are. export_user.c */
MUST_CHECK enum status export_user(struct workbench *wb, const struct call *call, struct result *out,
                                   struct error *err);

#endif
