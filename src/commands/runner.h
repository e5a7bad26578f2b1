/* The worker thread: runs one command at a time while the face goes on looking at keys and at wb->job.
 *
 * One thread serves all commands of a face, so that the OpenMP team it gathers lives on from one to the next. A handler
 * of signals may run on it: let it only raise a flag and wake the face. */
#ifndef TAILOR_COMMANDS_RUNNER_H
#define TAILOR_COMMANDS_RUNNER_H

#include "commands/command.h"

struct runner;

MUST_CHECK enum status runner_open(struct workbench *wb, struct runner **out, struct error *err);
/* Cancels and waits for what still runs; NULL is fine. */
void runner_close(struct runner *r);

/* Hands a line to the worker (text is copied); the sink's slots are called there. ST_STATE while another one runs. */
MUST_CHECK enum status runner_start(struct runner *r, const char *text, struct sink *sink, struct error *err);
/* The same with a function of the face's own instead of a line; wb->job is fresh when it is called. */
MUST_CHECK enum status runner_start_work(struct runner *r, enum status (*work)(void *context, struct error *err),
                                         void *context, struct error *err);
bool runner_busy(const struct runner *r);
/* Readable once the command has ended: for poll, beside the keyboard. */
int runner_fd(const struct runner *r);
/* Asks it to stop; returns at once. Safe in a signal handler. */
void runner_cancel(struct runner *r);
/* Waits for the end and returns what command_run, or the work, returned. Call it once for every start. */
MUST_CHECK enum status runner_wait(struct runner *r, struct error *err);

#endif
