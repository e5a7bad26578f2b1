/* What the commands that read files share: the words of the line as the readers want them, rejects, the report. */
#ifndef TAILOR_COMMANDS_LOADING_H
#define TAILOR_COMMANDS_LOADING_H

#include "commands/command.h"
#include "ingest/ingest.h"

/* The arguments as paths, those of bundled data resolved. */
MUST_CHECK enum status loading_paths(const struct call *call, char ***out, struct error *err);
void loading_paths_free(char **paths, size_t n); /* NULL is fine */
/* A reject_sink of the workbench. */
MUST_CHECK enum status loading_reject(void *workbench, const char *file, uint64_t line, const char *reason,
                                      const char *text, size_t n, struct error *err);
/* The caret goes under the option or the path that the message is about; returns st. */
enum status loading_point_at(const struct call *call, enum status st, struct error *err);
void loading_say_rows(uint64_t read, uint64_t kept, uint64_t rejected, struct result *out);
void loading_say_notes(const struct ingest_report *report, struct result *out);

#endif
