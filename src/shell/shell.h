/* The shell: scripts, and the prompt. */
#ifndef TAILOR_SHELL_SHELL_H
#define TAILOR_SHELL_SHELL_H

#include "commands/workbench.h"
#include "result/render.h"

/* What a process of ours ends with. */
enum exit_code { EXIT_DONE = 0, EXIT_FATAL = 1, EXIT_USAGE = 2, EXIT_COMMAND = 3, EXIT_INTERRUPTED = 130 };

/* One -c or -f, in the order given. */
struct script {
    const char *text; /* -c: the commands; NULL: read `path` */
    const char *path; /* -f: "-" is standard input */
};

struct shell_options {
    const struct script *scripts; /* none: the prompt on a terminal, else standard input as a script */
    size_t nscripts;
    const char *output;           /* form of results; NULL: box on a terminal, tsv elsewhere */
    const char *init;             /* run this first; NULL: the user's rc file when there will be a prompt */
    bool no_init, no_color, plain;
    bool ui;                      /* open the screen after the scripts */
    bool new_workspace;           /* its file was not there before: told, since the name may be a slip */
    /* Opens the screen; the shell never sees how. */
    enum status (*open_screen)(struct workbench *wb, const struct shell_options *options, struct error *err);
};

/* Runs it all. Returns the process's exit code. */
int shell_run(const struct shell_options *options, struct workbench *wb);

#endif
