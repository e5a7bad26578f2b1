/* Commands: one table drives parsing, checking, errors with a caret, completion, help, palette, man page.
 *
 *     VERB [USER] [ITEM ...] [with MODEL ...] [where CONDITION] [key=value ...] [as NAME] [> FILE | | PROGRAM]
 *
 * A command turns words into a result; it never prints. A row of the table is a const struct command; the families'
 * files export arrays of them and commands/registry.c joins these. A new command costs its row, its function and one
 * test. */
#ifndef TAILOR_COMMANDS_COMMAND_H
#define TAILOR_COMMANDS_COMMAND_H

#include "base/param.h"
#include "commands/workbench.h"
#include "result/render.h"
#include "result/result.h"

enum argument_type {
    ARG_TEXT,
    ARG_USER,
    ARG_ITEM,
    ARG_DATASET,
    ARG_MODEL,
    ARG_MODEL_CLASS,
    ARG_PATH,
    ARG_COMMAND,
    ARG_SETTING,
    ARG_FEATURE,
    ARG_CHOICE,
    ARG_SOURCE, /* a file, or a data set by its name */
    ARG_VALUE,  /* what the setting before it becomes */
    ARG_METRIC,
    ARG_TOPIC, /* of help: a command, a model class, a metric */
    ARG_KNOWN, /* a data set of the workspace or of the catalogue */
    ARG_TABLE  /* a table or a function of SQL */
};

struct argument {
    const char *name; /* as in the usage line: "USER" */
    enum argument_type type;
    bool optional, repeated; /* repeated: this and all that follow */
    const char *choices;     /* CHOICE: "items|users" */
    const char *doc;
};

enum command_flags {
    COMMAND_WITH = 1,       /* takes: with MODEL ... */
    COMMAND_WHERE = 2,      /* takes: where "CONDITION" (kept as text) */
    COMMAND_AS = 4,         /* takes: as NAME */
    COMMAND_OPEN = 8,       /* takes key=value beyond `options` (more() types them, or they stay text) */
    COMMAND_NEEDS_DATA = 16,
    COMMAND_CHANGES = 32,   /* changes the workspace: refused with --readonly */
    COMMAND_REST = 64,      /* everything after the verb is one raw text (feature define, watch); no redirection */
    COMMAND_QUIET = 128,    /* has no result of its own (source, quit): nothing is emitted, nothing can be redirected */
    COMMAND_AGAIN = 256,    /* its result is the last one of the face (last) */
    COMMAND_SPACES = 1024,  /* COMMAND_OPEN: a value may be a range or a list to search; run checks it */
    COMMAND_TIMELESS = 2048, /* looks at all events wherever the clock stands, and says so when that is in the past */
    COMMAND_PRESENT = 16384, /* judges by what came last: refused while the clock is rewound */
    COMMAND_ANYTIME = 4096,  /* COMMAND_CHANGES: but neither data nor models, and so also while the clock is rewound */
    COMMAND_EDITS = 8192,    /* takes: remove ITEM ... add ITEM ...: the same question about another history */
    COMMAND_SEVERAL = 512,  /* answers with one table or with several, as it comes: JSON names them always */
};

struct call;
struct shaping;

enum { COMMAND_MORE_MAX = 64 };

struct command {
    const char *name;    /* "train", "load items" */
    const char *group;   /* "data", "models", "inspect", "simulate", "session" */
    const char *summary; /* one line, no full stop */
    const struct argument *arguments;
    size_t narguments;
    const struct param *options;
    size_t noptions;
    unsigned flags;
    const char *help;            /* paragraphs; lines are filled by the renderer */
    const char *const *examples; /* NULL-terminated; each runs on the bundled `tiny` data set after "load tiny", "train
                                    ..." (tests run them) */
    void (*more_help)(struct result *out); /* what `help` shows behind the text: tables of its own; NULL: none */
    /* COMMAND_OPEN: parameters that depend on the words (those of the model classes of `train`) into out[0..max);
     * returns how many. A name may come several times, with other ranges: a value must suit them all. NULL: none. */
    size_t (*more)(struct workbench *wb, const struct call *call, const struct param **out, size_t max);
    /* What a step of a recipe makes of a data set (shaping.h); NULL: the command is no step. */
    enum status (*step)(const struct shaping *s, struct dataset **out, struct error *err);
    enum status (*run)(struct workbench *wb, const struct call *call, struct result *out, struct error *err);
};

/* A word of the command line. */
struct word {
    char *text;            /* unquoted */
    size_t offset, length; /* in the command line, for the caret */
    bool quoted;           /* never a keyword */
};

/* One key=value as given. */
struct call_option {
    struct word key, value;
};

struct call {
    const struct command *command;
    char *text;                /* the whole line */
    struct word *args;
    size_t nargs;
    struct word *models;       /* after `with` */
    size_t nmodels;
    struct word *edits;        /* COMMAND_EDITS: `remove` and `add`, each before the items that it is about */
    size_t nedits;
    struct word where, as;     /* text NULL: not given */
    struct param_value *values; /* command->noptions, defaults applied */
    struct call_option *open;  /* COMMAND_OPEN: all key=value that `options` does not have */
    size_t nopen;
    struct word rest;          /* COMMAND_REST */
    struct word redirect;      /* > FILE */
    struct word pipe;          /* | PROGRAM */
};

/* Typed access to `options`; asking for a name the command does not have is a mistake of ours (assert). */
bool call_given(const struct call *c, const char *option);
int64_t call_int(const struct call *c, const char *option);
double call_real(const struct call *c, const char *option);
bool call_yes(const struct call *c, const char *option);
const char *call_text(const struct call *c, const char *option); /* NULL when absent */

/* Parses one line (no comment, no SQL). wb may be NULL in tests of the grammar. */
MUST_CHECK enum status call_parse(struct workbench *wb, const char *text, bool abbreviations, struct call **out,
                                  struct error *err);
void call_free(struct call *c);
/* Marks a word in err's span, so that the face can draw the caret; returns st. */
enum status error_at_word(enum status st, struct error *err, const struct word *w);
/* ST_USAGE at the first word that stands there twice: one model has one answer. */
MUST_CHECK enum status words_differ(const struct word *words, size_t n, struct error *err);
/* The same for the value of option key=; nothing when the option was not typed. */
enum status error_at_option(enum status st, struct error *err, const struct call *c, const char *key);

/* Where results go, and what only a face can do. */
struct sink {
    void *face;
    bool interactive; /* a person types: abbreviations of verbs are fine */
    /* Takes a finished result (does not own it; the caller frees it after). */
    enum status (*emit)(struct sink *s, struct result *r, struct error *err);
    /* Optional slots; NULL: the face cannot. */
    enum status (*open_screen)(struct sink *s, struct error *err);
    enum status (*set_output)(struct sink *s, enum output_form form, struct error *err);
    bool (*ask)(struct sink *s, const char *question); /* yes or no */
    struct result *(*last)(struct sink *s);            /* the last result; owned by the face */
    void (*quit)(struct sink *s);
    enum status (*history)(struct sink *s, struct result *out, struct error *err);
};

/* Runs one line: comment or empty (nothing), or a command; sends its result to the sink, or to the file or program it
 * is redirected to. Synchronous; faces call it on their worker thread and look at wb->job meanwhile. */
MUST_CHECK enum status command_run(struct workbench *wb, const char *text, struct sink *sink, struct error *err);

/* One family of commands: the array that one file of this room exports. */
struct command_family {
    const struct command *rows;
    size_t n;
};

/* commands/registry.c joins the families. The i-th command of all, in the order of `help`; NULL past the last. */
const struct command *command_at(size_t i);
const struct command *command_find(const char *name); /* exact */
/* "why USER ITEM [with MODEL ...] [k=10]" */
void command_usage(const struct command *c, struct str *out);

/* Completion: what could stand at `cursor`. Candidates are whole words, already quoted where needed. */
struct completion {
    char **candidates;
    size_t n, capacity;
    size_t start; /* the word being completed begins here */
    char hint[160]; /* what is expected here, dim after the cursor: "USER [with MODEL ...] [k=10]" */
};
MUST_CHECK enum status command_complete(struct workbench *wb, const char *text, size_t cursor, struct completion *out,
                                        struct error *err);
void completion_clear(struct completion *c);

#endif
