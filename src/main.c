#include "config.h"

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "commands/command.h"
#include "commands/manual.h"
#include "screen/screen.h"
#include "shell/shell.h"

static const char usage[] =
    "Usage: tailor [OPTION]... [WORKSPACE]\n"
    "A workbench for personalization: load events, train and compare recommenders, see why.\n"
    "\n"
    "Without -c, -f and --ui it opens a prompt, or runs standard input as a script when that is no terminal.\n"
    "WORKSPACE is a file that keeps data and models; without one all is gone at the end (`save FILE` keeps it).\n"
    "\n"
    "  -c COMMAND       run COMMAND and leave; may be given again\n"
    "  -f FILE          run the commands of FILE (- is standard input); may be given again\n"
    "      --output F   box, csv, tsv, json, jsonl, markdown, line or html (default: box on a terminal, else tsv)\n"
    "      --ui         open the screen\n"
    "      --readonly   look only: nothing in the workspace changes\n"
    "      --seed N     master seed of everything random (default 42)\n"
    "      --init FILE  run FILE first (default for a prompt: ~/.config/tailor/rc)\n"
    "      --no-init    do not\n"
    "      --plain      no frames, no colours, no drawing: for screen readers and dumb terminals\n"
    "      --no-color   no colours (so does NO_COLOR=1 in the environment)\n"
    "  -h, --help       this text\n"
    "      --manual     commands and models in the form of the manual page\n"
    "  -V, --version    the version\n"
    "\n"
    "Exit status: 0 done, 1 fatal, 2 usage, 3 a command failed, 130 interrupted.\n"
    "`tailor -c help` lists the commands.\n";

/* The command line, taken apart. */
struct arguments {
    struct shell_options shell;
    const char *workspace, *seed;
    bool readonly, done;
};

enum long_option {
    OPT_OUTPUT = 256,
    OPT_UI,
    OPT_READONLY,
    OPT_SEED,
    OPT_INIT,
    OPT_NO_INIT,
    OPT_PLAIN,
    OPT_NO_COLOR,
    OPT_MANUAL
};

static int wrong_usage(const char *what, const char *word)
{
    fprintf(stderr, "error: %s%s\nhint: tailor --help\n", what, word);
    return EXIT_USAGE;
}

/* A command given as the workspace would leave an empty file of that name behind. */
static bool is_command(const char *word)
{
    struct stat s;
    if (stat(word, &s) == 0)
        return false;
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++)
        if (strncmp(c->name, word, strcspn(c->name, " ")) == 0 && strlen(word) == strcspn(c->name, " "))
            return true;
    return false;
}

/* The part of man/tailor.1 that comes from the tables. */
static void print_manual(void)
{
    struct str text = {0};
    manual_sections(&text);
    fputs(str_text(&text), stdout);
    str_free(&text);
}

static int take_option(int option, struct arguments *a, struct script *scripts)
{
    struct shell_options *o = &a->shell;
    switch (option) {
    case 'c':
        scripts[o->nscripts++] = (struct script){.text = optarg};
        return EXIT_DONE;
    case 'f':
        scripts[o->nscripts++] = (struct script){.path = optarg};
        return EXIT_DONE;
    case 'h':
        fputs(usage, stdout);
        a->done = true;
        return EXIT_DONE;
    case 'V':
        puts("tailor " PACKAGE_VERSION);
        a->done = true;
        return EXIT_DONE;
    case OPT_OUTPUT:
        o->output = optarg;
        return EXIT_DONE;
    case OPT_MANUAL:
        print_manual();
        a->done = true;
        return EXIT_DONE;
    case OPT_UI:
        o->ui = true;
        return EXIT_DONE;
    case OPT_READONLY:
        a->readonly = true;
        return EXIT_DONE;
    case OPT_SEED:
        a->seed = optarg;
        return EXIT_DONE;
    case OPT_INIT:
        o->init = optarg;
        return EXIT_DONE;
    case OPT_NO_INIT:
        o->no_init = true;
        return EXIT_DONE;
    case OPT_PLAIN:
        o->plain = true;
        return EXIT_DONE;
    case OPT_NO_COLOR:
        o->no_color = true;
        return EXIT_DONE;
    default: /* getopt has said what is wrong */
        fputs("hint: tailor --help\n", stderr);
        return EXIT_USAGE;
    }
}

/* `scripts` has room for argc of them. */
static int read_arguments(int argc, char **argv, struct arguments *a, struct script *scripts)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, OPT_OUTPUT}, {"ui", no_argument, NULL, OPT_UI},
        {"readonly", no_argument, NULL, OPT_READONLY},   {"seed", required_argument, NULL, OPT_SEED},
        {"init", required_argument, NULL, OPT_INIT},     {"no-init", no_argument, NULL, OPT_NO_INIT},
        {"plain", no_argument, NULL, OPT_PLAIN},         {"no-color", no_argument, NULL, OPT_NO_COLOR},
        {"manual", no_argument, NULL, OPT_MANUAL},
        {"help", no_argument, NULL, 'h'},                {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option, code;
    a->shell.scripts = scripts;
    while ((option = getopt_long(argc, argv, "c:f:hV", options, NULL)) != -1)
        if ((code = take_option(option, a, scripts)) != EXIT_DONE || a->done)
            return code;
    if (optind < argc && is_command(argv[optind]))
        return wrong_usage("that is a command, not a workspace: tailor -c ", argv[optind]);
    if (optind < argc)
        a->workspace = argv[optind++];
    if (optind < argc)
        return wrong_usage("one workspace at a time, but there is also ", argv[optind]);
    return EXIT_DONE;
}

static int complain(const struct error *err, int code)
{
    struct str text = {0};
    error_format(err, NULL, 0, false, &text);
    fputs(str_text(&text), stderr);
    str_free(&text);
    return code;
}

static enum status open_screen(struct workbench *wb, const struct shell_options *options, struct error *err)
{
    return screen_run(
        wb, &(struct screen_options){.color = !options->no_color && !options->plain, .ascii = options->plain}, err);
}

static int run(struct arguments *a)
{
    struct workbench *wb;
    struct error err = {0};
    struct stat s;
    a->shell.new_workspace = a->workspace && !a->readonly && stat(a->workspace, &s) != 0;
    if (workbench_open(a->workspace, a->readonly, &wb, &err))
        return complain(&err, EXIT_FATAL);
    int code;
    if (a->seed && workbench_set(wb, "seed", a->seed, &err))
        code = complain(&err, EXIT_USAGE);
    else
        code = shell_run(&a->shell, wb);
    workbench_close(wb);
    return code;
}

int main(int argc, char **argv)
{
    struct arguments a = {.shell.open_screen = open_screen};
    setlocale(LC_CTYPE, "");
    umask(077);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk, not the end */
    struct script *scripts = mem_new((size_t)argc, sizeof *scripts, "the command line", NULL);
    if (!scripts)
        return EXIT_FATAL;
    int code = read_arguments(argc, argv, &a, scripts);
    if (code == EXIT_DONE && !a.done)
        code = run(&a);
    mem_free(scripts);
    return code;
}
