/* The workspace: one SQLite file that holds data sets, models and their history.
 *
 * Own application_id, user_version migrations (a newer version is refused), WAL, mode 0600. Without a name it is a
 * private temporary file whose name is removed at once, so nothing stays behind whatever becomes of the process. A
 * second writing process is refused with a message; readers are welcome. schema.c describes the file.
 *
 * All functions but open, close and save_as may be called from any thread: one connection writes, one reads, each
 * behind its own lock, so a long write keeps nobody from reading. Callbacks may call the store again, but not write
 * from within a write. */
#ifndef TAILOR_STORE_WORKSPACE_H
#define TAILOR_STORE_WORKSPACE_H

#include <stdbool.h>

#include "base/job.h"
#include "data/dataset.h"
#include "data/split.h"
#include "store/blob.h"

struct workspace;

/* path NULL: temporary. A file that is not a workspace: ST_FORMAT; somebody writes to it: ST_BUSY; newer:
 * ST_UNSUPPORTED. */
MUST_CHECK enum status workspace_open(const char *path, bool readonly, struct workspace **out, struct error *err);
void workspace_close(struct workspace *w);
const char *workspace_path(const struct workspace *w); /* NULL when temporary */
bool workspace_readonly(const struct workspace *w);
/* Copies the whole workspace to path (atomically) and goes on with that file. */
MUST_CHECK enum status workspace_save_as(struct workspace *w, const char *path, bool replace, struct job *job,
                                         struct error *err);
/* integrity_check and every checksum. */
MUST_CHECK enum status workspace_verify(struct workspace *w, struct job *job, struct error *err);

/* Several writes as one: between begin and end all that this thread writes is kept together or, when `st` (returned,
 * unless keeping fails) is not ST_OK, not at all. */
MUST_CHECK enum status workspace_begin(struct workspace *w, struct error *err);
MUST_CHECK enum status workspace_end(struct workspace *w, enum status st, struct error *err);

/* Data sets. One transaction: after it the data set is there whole, before it not at all. Replacing one drops its
 * models, which know other data, and keeps its notes. */
struct dataset_info {
    char name[64], source[256];
    uint64_t events, users, items, rejects, bytes, fingerprint;
    int64_t oldest, newest, loaded; /* us; NO_TIME */
};
MUST_CHECK enum status workspace_put_dataset(struct workspace *w, const struct dataset *d, bool replace,
                                             struct job *job, struct error *err);
/* Adds what a data set of the workspace has grown by: `batch`, which has made it `grown` (dataset_grow). One
 * transaction that rewrites nothing of it; staged rejects come behind those it has. Models and notes stay. */
MUST_CHECK enum status workspace_append(struct workspace *w, const struct dataset *batch, const struct dataset *grown,
                                        struct job *job, struct error *err);
/* Puts what was appended to d into its own columns when that is much or in many pieces, or `always`. */
MUST_CHECK enum status workspace_fold(struct workspace *w, const struct dataset *d, bool always, struct job *job,
                                      struct error *err);
MUST_CHECK enum status workspace_get_dataset(struct workspace *w, const char *name, struct dataset **out,
                                             struct job *job, struct error *err);
MUST_CHECK enum status workspace_list_datasets(struct workspace *w, struct dataset_info **out, size_t *n,
                                               struct error *err);
MUST_CHECK enum status workspace_drop_dataset(struct workspace *w, const char *name, struct error *err);
MUST_CHECK enum status workspace_rename_dataset(struct workspace *w, const char *from, const char *to,
                                                struct error *err);

/* Rejected rows of a data set, written with it (reject_sink is handed to ingest, rows are staged until put_dataset). */
struct reject {
    const char *file;
    uint64_t line;
    const char *reason;
    const char *text;
    size_t text_length;
};
MUST_CHECK enum status workspace_stage_reject(struct workspace *w, const struct reject *r, struct error *err);
void workspace_unstage_rejects(struct workspace *w);
MUST_CHECK enum status workspace_each_reject(struct workspace *w, const char *dataset, uint64_t offset, uint64_t limit,
                                             enum status (*each)(void *context, const struct reject *r,
                                                                 struct error *err),
                                             void *context, struct error *err);

/* Models: blobs under a data set's name, written in bounded transactions under a pending record, visible only when
 * whole. */
struct model_info {
    char name[64], class[32], dataset[64];
    uint64_t bytes;
    int64_t created;
};
MUST_CHECK enum status
workspace_put_model(struct workspace *w, const char *dataset, const char *name, const char *class,
                    enum status (*write)(void *context, struct blob_writer *out, struct error *err), void *context,
                    bool replace, struct error *err);
MUST_CHECK enum status workspace_get_model(struct workspace *w, const char *dataset, const char *name,
                                           enum status (*read)(void *context, struct blob_reader *in,
                                                               struct error *err),
                                           void *context, struct error *err);
MUST_CHECK enum status workspace_list_models(struct workspace *w, const char *dataset, struct model_info **out,
                                             size_t *n, struct error *err);
MUST_CHECK enum status workspace_drop_model(struct workspace *w, const char *dataset, const char *name,
                                            struct error *err);
MUST_CHECK enum status workspace_rename_model(struct workspace *w, const char *dataset, const char *from,
                                              const char *to, struct error *err);

/* Small named documents (settings, split specs, feature definitions, evaluations per user) under (dataset, kind, name).
 * value is bytes. */
MUST_CHECK enum status workspace_put_note(struct workspace *w, const char *dataset, const char *kind, const char *name,
                                          const void *value, size_t n, struct error *err);
MUST_CHECK enum status workspace_get_note(struct workspace *w, const char *dataset, const char *kind, const char *name,
                                          void **value, size_t *n, struct error *err);
MUST_CHECK enum status workspace_list_notes(struct workspace *w, const char *dataset, const char *kind,
                                            enum status (*each)(void *context, const char *name, const void *value,
                                                                size_t n, struct error *err),
                                            void *context, struct error *err);
MUST_CHECK enum status workspace_drop_note(struct workspace *w, const char *dataset, const char *kind, const char *name,
                                           struct error *err);
/* All of a kind, if there are any. */
MUST_CHECK enum status workspace_drop_notes(struct workspace *w, const char *dataset, const char *kind,
                                            struct error *err);

#endif
