/* Completion: what could stand at the cursor, from the same table that parses. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/complete_sql.h"
#include "commands/lex.h"
#include "commands/offer.h"

void completion_clear(struct completion *c)
{
    for (size_t i = 0; i < c->n; i++)
        mem_free(c->candidates[i]);
    mem_free(c->candidates);
    memset(c, 0, sizeof *c);
}

/* What the setting of that name may become. */
static void offer_setting_values(struct completer *c, const char *name)
{
    size_t i = param_index(workbench_settings, workbench_nsettings, name);
    if (i < workbench_nsettings)
        offer_value(c, &workbench_settings[i]);
}

/* ---- where the cursor stands ---- */

/* What the words before the cursor say. */
struct place {
    const struct command *command;
    size_t arguments;      /* positional words so far */
    bool after_with;       /* behind `with`: a model */
    bool after_as;         /* behind `as` */
    bool after_edit;       /* behind `remove` or `add`: an item */
    const struct lexemes *words;
    size_t first;          /* first word behind the command's name */
};

static const struct command *command_of(const struct lexemes *words, size_t n, size_t *used)
{
    char two[128];
    const struct command *c = NULL;
    *used = 0;
    if (n >= 2) {
        snprintf(two, sizeof two, "%s %s", words->at[0].word.text, words->at[1].word.text);
        c = command_find(two);
        *used = 2;
    }
    if (!c && n >= 1) {
        c = command_find(words->at[0].word.text);
        *used = 1;
    }
    return c;
}

static void walk_words(struct place *p, size_t n)
{
    for (size_t i = p->first; i < n; i++) {
        const struct lexeme *l = &p->words->at[i];
        unsigned flags = p->command->flags;
        if (p->after_as) {
            p->after_as = false;
        } else if ((flags & COMMAND_WITH) && lexeme_is(l, "with")) {
            p->after_with = true;
            p->after_edit = false;
        } else if ((flags & COMMAND_EDITS) && p->arguments && (lexeme_is(l, "remove") || lexeme_is(l, "add"))) {
            p->after_edit = true;
            p->after_with = false;
        } else if ((flags & COMMAND_AS) && lexeme_is(l, "as")) {
            p->after_as = true;
            p->after_with = false;
        } else if (l->equals != SIZE_MAX) {
            p->after_with = p->after_edit = false;
        } else if (!p->after_with && !p->after_edit) {
            p->arguments++;
        }
    }
}

/* Parameters of an open command (those of the model class of `train`), found by parsing what stands so far. */
static size_t more_params(struct workbench *wb, const struct place *p, size_t n, const struct param **more)
{
    if (!p->command->more)
        return 0;
    struct word *args = mem_new(n + 1, sizeof *args, "words", NULL);
    if (!args)
        return 0;
    struct call call = {.command = p->command, .args = args};
    for (size_t i = p->first; i < n; i++)
        if (p->words->at[i].equals == SIZE_MAX)
            args[call.nargs++] = p->words->at[i].word;
    size_t count = p->command->more(wb, &call, more, COMMAND_MORE_MAX);
    mem_free(args);
    return count;
}

/* What stands next as a word of its own; NULL: nothing. */
static const struct argument *argument_at(const struct place *p)
{
    static const struct argument edited = {.name = "remove|add ITEM", .type = ARG_ITEM};
    const struct command *c = p->command;
    size_t i = p->arguments;
    if (p->after_edit)
        return &edited;
    if (!c->narguments)
        return NULL;
    if (i < c->narguments)
        return &c->arguments[i];
    const struct argument *last = &c->arguments[c->narguments - 1];
    return last->repeated ? last : NULL;
}

static void offer_options(struct completer *c, const struct place *p, const struct param *const *more, size_t nmore)
{
    for (size_t i = 0; i < p->command->noptions; i++)
        offer_key(c, p->command->options[i].name);
    for (size_t i = 0; i < nmore; i++)
        offer_key(c, more[i]->name);
    if ((p->command->flags & COMMAND_WITH) && !p->after_with)
        offer(c, "with");
    if (p->command->flags & COMMAND_EDITS && p->arguments) {
        offer(c, "remove");
        offer(c, "add");
    }
    if (p->command->flags & COMMAND_AS)
        offer(c, "as");
}

/* The cursor stands in the value of key=value. */
static void complete_value(struct completer *c, const struct place *p, const struct lexeme *l,
                           const struct param *const *more, size_t nmore)
{
    char key[96];
    snprintf(key, sizeof key, "%.*s", (int)l->equals, l->word.text);
    size_t i = param_index(p->command->options, p->command->noptions, key);
    char before[100];
    snprintf(before, sizeof before, "%s=", key);
    c->before = before;
    c->prefix = l->word.text + l->equals + 1;
    if (i < p->command->noptions)
        offer_value(c, &p->command->options[i]);
    for (size_t j = 0; j < nmore; j++)
        if (strcmp(more[j]->name, key) == 0)
            offer_value(c, more[j]);
    c->before = "";
}

static void write_hint(const struct place *p, char *hint, size_t size)
{
    struct str usage = {0}, rest = {0};
    command_usage(p->command, &usage);
    const struct argument *a = argument_at(p);
    const char *from = a && !p->after_with ? text_find(str_text(&usage), a->name) : NULL;
    if (p->after_with)
        str_puts(&rest, "MODEL ...");
    else if (from)
        str_puts(&rest, from > str_text(&usage) && from[-1] == '[' ? from - 1 : from);
    snprintf(hint, size, "%s", str_text(&rest));
    str_free(&usage);
    str_free(&rest);
}

/* The second word of `load items`, `feature define`. */
static void offer_second_words(struct completer *c, const char *first)
{
    const struct command *command;
    size_t n = strlen(first);
    for (size_t i = 0; (command = command_at(i)); i++)
        if (strncmp(command->name, first, n) == 0 && command->name[n] == ' ')
            offer(c, command->name + n + 1);
}

static void complete_in_command(struct completer *c, struct place *p, const struct lexemes *words, size_t n,
                                const struct lexeme *present)
{
    if (p->command->flags & COMMAND_REST) {
        write_hint(p, c->out->hint, sizeof c->out->hint);
        return;
    }
    walk_words(p, n);
    const struct param *more[COMMAND_MORE_MAX];
    size_t nmore = more_params(c->wb, p, n, more);
    const struct argument *a = argument_at(p);
    write_hint(p, c->out->hint, sizeof c->out->hint);
    if (present && present->equals != SIZE_MAX) {
        complete_value(c, p, present, more, nmore);
        return;
    }
    if (p->after_as)
        return;
    if (n > p->first && lexeme_is(&words->at[n - 1], ">")) {
        offer_paths(c);
        return;
    }
    if (p->after_with && c->wb)
        offer_models(c);
    else if (a && a->type == ARG_VALUE)
        offer_setting_values(c, words->at[n - 1].word.text);
    else if (a)
        offer_argument(c, a);
    if (n == p->first && words->n)
        offer_second_words(c, words->at[0].word.text);
    if (!present || !present->word.quoted)
        offer_options(c, p, more, nmore);
}

static void sql_candidate(void *context, const char *word)
{
    offer_raw(context, word);
}

enum status command_complete(struct workbench *wb, const char *text, size_t cursor, struct completion *out,
                             struct error *err)
{
    memset(out, 0, sizeof *out);
    struct completer c = {.wb = wb, .out = out, .prefix = "", .before = "", .err = err};
    char *line = mem_strndup(text, cursor, err);
    if (!line)
        return ST_NOMEM;
    if (lex_is_sql(line)) {
        complete_sql(wb, line, cursor, sql_candidate, &c, &out->start);
        mem_free(line);
        if (c.st)
            completion_clear(out);
        return c.st;
    }
    struct lexemes words;
    enum status st = lex_line(line, true, &words, err);
    if (st)
        goto out;
    /* The present word touches the cursor; without one a new word begins here. */
    bool inside = words.n && words.at[words.n - 1].word.offset + words.at[words.n - 1].word.length == cursor;
    const struct lexeme *present = inside ? &words.at[words.n - 1] : NULL;
    size_t n = words.n - inside;
    out->start = present ? present->word.offset : cursor;
    c.prefix = present ? present->word.text : "";
    if (n == 0) {
        offer_verbs(&c);
        goto done;
    }
    struct place p = {.words = &words};
    p.command = command_of(&words, n, &p.first);
    if (p.command)
        complete_in_command(&c, &p, &words, n, present);
    else if (n == 1)
        offer_second_words(&c, words.at[0].word.text);
done:
    st = c.st;
    lexemes_clear(&words);
    if (st)
        completion_clear(out);
out:
    mem_free(line);
    return st;
}
