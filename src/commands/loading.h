/* What the commands that read files share: the words of the line as the readers want them, rejects, the report. */
#ifndef TAILOR_COMMANDS_LOADING_H
#define TAILOR_COMMANDS_LOADING_H

#include "commands/command.h"
#include "commands/origin.h"
#include "commands/recipe.h"
#include "ingest/ingest.h"

/* The arguments as paths, those of bundled data resolved. */
MUST_CHECK enum status loading_paths(const struct call *call, char ***out, struct error *err);
void loading_paths_free(char **paths, size_t n); /* NULL is fine */
/* The name of the data set that a path becomes (letters, digits, - _ and ., from its last part, without what tells the
 * format); whether the workspace has one of that name, and the refusal when it must not. */
void loading_name(const char *path, char *out, size_t size);
MUST_CHECK enum status loading_found(struct workbench *wb, const char *name, bool *found, struct error *err);
enum status loading_refuse_name(const struct call *call, const char *name, struct error *err);
/* The source is what was typed: the same on every machine, also for bundled data. */
MUST_CHECK enum status loading_name_source(struct dataset *d, const struct call *call, struct error *err);
/* Stores the next base, replays its recipe and opens it; takes over both. from may be NULL. */
MUST_CHECK enum status loading_publish(struct workbench *wb, struct dataset *d, struct recipe *r, bool replace,
                                       const struct origin *from, struct error *err);
/* A reject_sink of the workbench. */
MUST_CHECK enum status loading_reject(void *workbench, const char *file, uint64_t line, const char *reason,
                                      const char *text, size_t n, struct error *err);
/* The caret goes under the option or the path that the message is about; returns st. */
enum status loading_point_at(const struct call *call, enum status st, struct error *err);
void loading_say_rows(uint64_t read, uint64_t kept, uint64_t rejected, struct result *out);
void loading_say_notes(const struct ingest_report *report, struct result *out);

#endif
