/* Candidates for completion, by what stands at a place. For complete.c alone. */
#ifndef TAILOR_COMMANDS_OFFER_H
#define TAILOR_COMMANDS_OFFER_H

#include "commands/command.h"

struct completer {
    struct workbench *wb;
    struct completion *out;
    const char *prefix; /* what stands before the cursor of the present word, unquoted */
    const char *before; /* what every candidate begins with ("k=" of an option value), already in place */
    enum status st;
    struct error *err;
};

/* Offers the text as it is. */
void offer_raw(struct completer *c, const char *text);
/* Offers a word when it begins with the prefix, quoted where it must be. */
void offer(struct completer *c, const char *text);
/* Offers key= for an option; no quotes, the value comes next. */
void offer_key(struct completer *c, const char *name);
void offer_paths(struct completer *c);
void offer_models(struct completer *c);
void offer_verbs(struct completer *c);
/* What an argument of a command, or the value of a parameter, could be. */
void offer_argument(struct completer *c, const struct argument *a);
void offer_value(struct completer *c, const struct param *p);

#endif
