/* From one line of text to a checked call of a command.
 *
 *     VERB [ARGUMENT ...] [with MODEL ...] [where CONDITION] [key=value ...] [as NAME] [> FILE | | PROGRAM]
 *
 * The grammar is the same for all commands; what differs stands in the command's row of the table. */
#include <string.h>

#include "base/mem.h"
#include "commands/command.h"
#include "commands/lex.h"

struct parser {
    struct workbench *wb;
    struct lexemes words;
    size_t at, end; /* next word, and the first that belongs to the redirection */
    struct call *call;
    struct error *err;
};

/* ---- redirection ---- */

static enum status copy_word(struct word *to, const struct word *from, struct error *err)
{
    *to = *from;
    to->text = mem_strdup(from->text, err);
    return to->text ? ST_OK : ST_NOMEM;
}

/* "> FILE" as the last two words, or "| PROGRAM ..." to the end: both unquoted and standing alone. */
static enum status find_redirect(struct parser *p)
{
    struct lexemes *w = &p->words;
    p->end = w->n;
    for (size_t i = p->at; i < w->n; i++) {
        if (!lexeme_is(&w->at[i], "|"))
            continue;
        if (i + 1 == w->n)
            return error_at_word(error_set(p->err, ST_USAGE, "a program is missing behind |"), p->err, &w->at[i].word);
        size_t from = w->at[i + 1].word.offset;
        p->end = i;
        p->call->pipe = (struct word){.offset = from, .length = strlen(p->call->text + from)};
        p->call->pipe.text = mem_strdup(p->call->text + from, p->err);
        return p->call->pipe.text ? ST_OK : ST_NOMEM;
    }
    if (w->n > p->at && lexeme_is(&w->at[w->n - 1], ">"))
        return error_at_word(error_set(p->err, ST_USAGE, "a file name is missing behind >"), p->err,
                             &w->at[w->n - 1].word);
    if (w->n >= p->at + 2 && lexeme_is(&w->at[w->n - 2], ">")) {
        p->end = w->n - 2;
        return copy_word(&p->call->redirect, &w->at[w->n - 1].word, p->err);
    }
    return ST_OK;
}

static enum status check_redirect(const struct call *c, struct error *err)
{
    const struct word *to = c->redirect.text ? &c->redirect : &c->pipe;
    if (!to->text || !(c->command->flags & COMMAND_QUIET))
        return ST_OK;
    return error_at_word(error_set(err, ST_USAGE, "%s has no result that could be sent elsewhere", c->command->name),
                         err, to);
}

/* ---- options ---- */

static enum status unknown_option(const struct command *c, const struct param *const *more, size_t nmore,
                                  const struct word *key, struct error *err)
{
    const char *names[96];
    size_t n = 0;
    for (size_t i = 0; i < c->noptions && n < 96; i++)
        names[n++] = c->options[i].name;
    for (size_t i = 0, same; i < nmore && n < 96; i++) {
        for (same = 0; same < n && strcmp(names[same], more[i]->name) != 0;)
            same++;
        names[same] = more[i]->name;
        n += same == n;
    }
    enum status st = error_set(err, ST_USAGE, "%s has no option \"%s\"", c->name, key->text);
    const char *nearest = text_nearest(key->text, names, n);
    struct str list = {0};
    for (size_t i = 0; i < n; i++)
        str_printf(&list, "%s%s=", i ? " " : "", names[i]);
    if (nearest)
        error_hint(err, "did you mean %s=?", nearest);
    else if (n)
        error_hint(err, "it takes %s", str_text(&list));
    else
        error_hint(err, "it takes no options; a word with \"=\" that is no option needs quotes");
    str_free(&list);
    return error_at_word(st, err, key);
}

/* key=value split into two words, each with its own place in the line. */
static enum status split_option(const struct lexeme *l, struct call_option *out, struct error *err)
{
    const struct word *w = &l->word;
    memset(out, 0, sizeof *out);
    out->key = (struct word){.offset = w->offset, .length = l->equals};
    out->value = (struct word){.offset = w->offset + l->equals + 1, .length = w->length - l->equals - 1};
    out->key.text = mem_strndup(w->text, l->equals, err);
    out->value.text = mem_strdup(w->text + l->equals + 1, err);
    if (out->key.text && out->value.text)
        return ST_OK;
    mem_free(out->key.text);
    mem_free(out->value.text);
    return ST_NOMEM;
}

static enum status keep_open_option(struct parser *p, const struct call_option *o)
{
    struct call *c = p->call;
    size_t capacity = c->nopen;
    for (size_t i = 0; i < c->nopen; i++)
        if (strcmp(c->open[i].key.text, o->key.text) == 0)
            return error_at_word(error_set(p->err, ST_USAGE, "%s= is given twice", o->key.text), p->err, &o->key);
    enum status st = mem_grow(&c->open, &capacity, c->nopen + 1, sizeof *c->open, p->err);
    if (!st)
        c->open[c->nopen++] = *o;
    return st;
}

static enum status take_option(struct parser *p, const struct lexeme *l)
{
    const struct command *command = p->call->command;
    struct call_option o;
    enum status st = split_option(l, &o, p->err);
    if (st)
        return st;
    size_t i = param_index(command->options, command->noptions, o.key.text);
    if (i < command->noptions) {
        struct param_value *v = &p->call->values[i];
        if (v->given)
            st = error_at_word(error_set(p->err, ST_USAGE, "%s= is given twice", o.key.text), p->err, &o.key);
        else if ((st = param_parse(&command->options[i], o.value.text, v, p->err)))
            error_span(p->err, o.value.offset, o.value.length);
    } else if (command->flags & COMMAND_OPEN) {
        st = keep_open_option(p, &o);
        if (!st)
            return ST_OK; /* the call owns the words now */
    } else {
        st = unknown_option(command, NULL, 0, &o.key, p->err);
    }
    mem_free(o.key.text);
    mem_free(o.value.text);
    return st;
}

/* The open options of a command that can type them (train): known, and of the right type. */
static enum status check_open_options(struct parser *p)
{
    struct call *c = p->call;
    if (!c->command->more || !c->nopen)
        return ST_OK;
    const struct param *more[COMMAND_MORE_MAX];
    size_t n = c->command->more(p->wb, c, more, COMMAND_MORE_MAX);
    for (size_t i = 0; i < c->nopen; i++) {
        bool known = false;
        for (size_t j = 0; j < n; j++) {
            if (strcmp(more[j]->name, c->open[i].key.text) != 0)
                continue;
            struct param_value v = {0};
            enum status st =
                c->command->flags & COMMAND_SPACES ? ST_OK : param_parse(more[j], c->open[i].value.text, &v, p->err);
            param_values_free(&v, 1);
            if (st)
                return error_at_word(st, p->err, &c->open[i].value);
            known = true;
        }
        if (!known)
            return unknown_option(c->command, more, n, &c->open[i].key, p->err);
    }
    return ST_OK;
}

/* ---- arguments ---- */

static enum status push_word(struct word **list, size_t *n, const struct word *w, struct error *err)
{
    size_t capacity = *n;
    enum status st = mem_grow(list, &capacity, *n + 1, sizeof **list, err);
    if (!st)
        st = copy_word(&(*list)[*n], w, err);
    if (!st)
        (*n)++;
    return st;
}

static enum status bad_choice(const struct parser *p, const struct argument *a, const struct word *w)
{
    struct param as_param = {.name = "", .type = PARAM_ENUM, .choices = a->choices};
    struct param_value v = {0};
    enum status st = param_parse(&as_param, w->text, &v, p->err);
    param_values_free(&v, 1);
    return st ? error_at_word(st, p->err, w) : ST_OK;
}

/* A word too many behind an item is mostly a title without its quotes. */
static void hint_quotes(struct parser *p, const char *usage)
{
    const struct call *c = p->call;
    size_t last = c->command->narguments - 1;
    if (!c->command->narguments || c->command->arguments[last].type != ARG_ITEM) {
        error_hint(p->err, "usage: %s", usage);
        return;
    }
    struct str title = {0};
    for (size_t i = last; i < c->nargs; i++)
        str_printf(&title, "%s%s", i > last ? " " : "", c->args[i].text);
    error_hint(p->err, "several words of one title stand in quotes: \"%s\"", str_text(&title));
    str_free(&title);
}

/* `events by type`, `events 3`, `sessions 30m`: a word too many that says an option, or is what one expects. */
static bool hint_option(struct parser *p, const struct word *extra)
{
    const struct command *command = p->call->command;
    const struct word *end = p->call->args + p->call->nargs;
    int64_t number;
    bool whole = text_parse_int(extra->text, &number), duration = !whole && text_parse_duration(extra->text, &number);
    for (size_t i = 0; i < command->noptions; i++) {
        const struct param *option = &command->options[i];
        if (text_same(option->name, extra->text)) {
            error_hint(p->err, "did you mean %s=%s?", option->name, extra + 1 < end ? extra[1].text : "...");
            return true;
        }
        if ((whole && option->type == PARAM_INT) || (duration && option->type == PARAM_DURATION)) {
            error_hint(p->err, "did you mean %s=%s?", option->name, extra->text);
            return true;
        }
    }
    return false;
}

static enum status check_arguments(struct parser *p)
{
    const struct call *c = p->call;
    const struct command *command = c->command;
    size_t required = 0;
    bool endless = false;
    for (size_t i = 0; i < command->narguments; i++) {
        required += !command->arguments[i].optional;
        endless |= command->arguments[i].repeated;
    }
    struct str usage = {0};
    command_usage(command, &usage);
    enum status st = ST_OK;
    if (c->nargs < required) {
        st = error_set(p->err, ST_USAGE, "%s needs %s", command->name, command->arguments[c->nargs].name);
        error_hint(p->err, "usage: %s", str_text(&usage));
        error_span(p->err, strlen(c->text), 1);
    } else if (c->nargs > command->narguments && !endless) {
        const struct word *extra = &c->args[command->narguments];
        st = error_set(p->err, ST_USAGE, "%s: \"%s\" is one word too many", command->name, extra->text);
        if (!hint_option(p, extra))
            hint_quotes(p, str_text(&usage));
        error_span(p->err, extra->offset, extra->length);
    }
    str_free(&usage);
    for (size_t i = 0; i < c->nargs && i < command->narguments && !st; i++)
        if (command->arguments[i].type == ARG_CHOICE)
            st = bad_choice(p, &command->arguments[i], &c->args[i]);
    return st;
}

/* ---- the line ---- */

/* A word that names a yes/no option, where no argument is expected: minimal is minimal=yes. NULL: it does not. */
static struct param_value *bare_option(struct parser *p, const struct lexeme *l)
{
    const struct command *c = p->call->command;
    for (size_t i = 0; i < c->narguments; i++)
        if (c->arguments[i].repeated)
            return NULL;
    size_t i = l->word.quoted ? c->noptions : param_index(c->options, c->noptions, l->word.text);
    return i < c->noptions && c->options[i].type == PARAM_BOOL ? &p->call->values[i] : NULL;
}

static enum status say_yes(struct parser *p, const struct lexeme *l, struct param_value *v)
{
    size_t i = (size_t)(v - p->call->values);
    if (v->given)
        return error_at_word(error_set(p->err, ST_USAGE, "%s is given twice", l->word.text), p->err, &l->word);
    return param_parse(&p->call->command->options[i], "yes", v, p->err);
}

/* One word behind a keyword that takes one ("as NAME", "where CONDITION"). */
static enum status word_after(struct parser *p, struct word *out, const char *what)
{
    const struct word *keyword = &p->words.at[p->at].word;
    if (out->text)
        return error_at_word(error_set(p->err, ST_USAGE, "\"%s\" is given twice", keyword->text), p->err, keyword);
    if (p->at + 1 >= p->end)
        return error_at_word(error_set(p->err, ST_USAGE, "%s is missing behind \"%s\"", what, keyword->text), p->err,
                             keyword);
    p->at += 2;
    return copy_word(out, &p->words.at[p->at - 1].word, p->err);
}

static bool is_edit(const struct command *c, const struct lexeme *l)
{
    return (c->flags & COMMAND_EDITS) && (lexeme_is(l, "remove") || lexeme_is(l, "add"));
}

/* Words that one keyword is about end where the next one, or an option, stands. */
static bool ends_words(struct parser *p, const struct lexeme *l)
{
    const struct command *c = p->call->command;
    return l->equals != SIZE_MAX || bare_option(p, l) || is_edit(c, l) ||
           ((c->flags & COMMAND_WITH) && lexeme_is(l, "with")) ||
           ((c->flags & COMMAND_WHERE) && lexeme_is(l, "where")) || ((c->flags & COMMAND_AS) && lexeme_is(l, "as"));
}

/* The words behind a keyword, one at least, go to the list. */
static enum status words_after(struct parser *p, struct word **list, size_t *n, const char *what)
{
    const struct word *keyword = &p->words.at[p->at].word;
    size_t before = *n;
    for (p->at++; p->at < p->end && !ends_words(p, &p->words.at[p->at]); p->at++) {
        enum status st = push_word(list, n, &p->words.at[p->at].word, p->err);
        if (st)
            return st;
    }
    if (*n == before)
        return error_at_word(error_set(p->err, ST_USAGE, "%s is missing behind \"%s\"", what, keyword->text), p->err,
                             keyword);
    return ST_OK;
}

static enum status models_after(struct parser *p)
{
    enum status st = words_after(p, &p->call->models, &p->call->nmodels, "a model");
    return st ? st : words_differ(p->call->models, p->call->nmodels, p->err);
}

static enum status edits_after(struct parser *p)
{
    struct call *c = p->call;
    enum status st = push_word(&c->edits, &c->nedits, &p->words.at[p->at].word, p->err);
    return st ? st : words_after(p, &c->edits, &c->nedits, "an item");
}

static enum status parse_words(struct parser *p)
{
    const struct command *c = p->call->command;
    enum status st = ST_OK;
    while (p->at < p->end && !st) {
        const struct lexeme *l = &p->words.at[p->at];
        if ((c->flags & COMMAND_WITH) && lexeme_is(l, "with")) {
            st = models_after(p);
        } else if (is_edit(c, l) && p->call->nargs) {
            st = edits_after(p);
        } else if ((c->flags & COMMAND_WHERE) && lexeme_is(l, "where")) {
            st = word_after(p, &p->call->where, "a condition");
        } else if ((c->flags & COMMAND_AS) && lexeme_is(l, "as")) {
            st = word_after(p, &p->call->as, "a name");
        } else if (l->equals != SIZE_MAX) {
            st = take_option(p, l);
            p->at++;
        } else if ((p->call->nargs >= c->narguments || p->call->where.text || p->call->nmodels) && bare_option(p, l)) {
            st = say_yes(p, l, bare_option(p, l));
            p->at++;
        } else {
            st = push_word(&p->call->args, &p->call->nargs, &l->word, p->err);
            p->at++;
        }
    }
    if (!st)
        st = check_arguments(p);
    return st ? st : check_open_options(p);
}

static enum status take_rest(struct parser *p)
{
    struct call *c = p->call;
    size_t from = p->at < p->words.n ? p->words.at[p->at].word.offset : strlen(c->text);
    size_t n = strlen(c->text + from);
    while (n && strchr(" \t\r\n", c->text[from + n - 1]))
        n--;
    c->rest = (struct word){.offset = from, .length = n, .text = mem_strndup(c->text + from, n, p->err)};
    if (!c->rest.text)
        return ST_NOMEM;
    for (size_t i = 0; i < c->command->narguments; i++) {
        if (c->command->arguments[i].optional || n)
            continue;
        struct str usage = {0};
        command_usage(c->command, &usage);
        enum status st = error_set(p->err, ST_USAGE, "%s needs %s", c->command->name, c->command->arguments[i].name);
        error_hint(p->err, "usage: %s", str_text(&usage));
        error_span(p->err, strlen(c->text), 1);
        str_free(&usage);
        return st;
    }
    return ST_OK;
}

/* A statement of SQL up to its `;`, and behind that where its result goes. */
static enum status parse_sql(struct parser *p, const struct command *command)
{
    struct call *c = p->call;
    bool ended;
    size_t n = lex_sql(c->text, &ended);
    c->command = command;
    c->rest = (struct word){.length = n, .text = mem_strndup(c->text, n, p->err)};
    if (!c->rest.text)
        return ST_NOMEM;
    if (!ended)
        return ST_OK;
    enum status st = lex_line(c->text + n + 1, false, &p->words, p->err);
    if (st) {
        if (p->err && p->err->length)
            p->err->offset += n + 1;
        return st;
    }
    for (size_t i = 0; i < p->words.n; i++)
        p->words.at[i].word.offset += n + 1;
    if (p->words.n && lexeme_is(&p->words.at[0], "--"))
        return ST_OK;
    st = find_redirect(p);
    if (!st && p->end > 0) {
        st = error_set(p->err, ST_USAGE, "behind the `;` stands > FILE, | PROGRAM or nothing");
        error_at_word(st, p->err, &p->words.at[0].word);
    }
    return st;
}

enum status call_parse(struct workbench *wb, const char *text, bool abbreviations, struct call **out, struct error *err)
{
    struct parser p = {.wb = wb, .err = err};
    struct call *call = mem_new(1, sizeof *call, "a command", err);
    if (!call)
        return ST_NOMEM;
    p.call = call;
    enum status st = ST_NOMEM;
    if (!(call->text = mem_strdup(text, err)))
        goto out;
    if (lex_is_sql(text)) {
        st = parse_sql(&p, command_find("select"));
        goto out;
    }
    /* The rest of feature definitions and the like has its own grammar, so an open quote there is not ours to judge. */
    st = lex_line(text, true, &p.words, err);
    if (st)
        goto out;
    if (!p.words.n) {
        st = error_set(err, ST_USAGE, "the command is empty");
        goto out;
    }
    st = lex_verb(&p.words, abbreviations, &call->command, &p.at, err);
    if (st)
        goto out;
    if (call->command->flags & COMMAND_REST) {
        st = take_rest(&p);
        goto out;
    }
    lexemes_clear(&p.words);
    st = lex_line(text, false, &p.words, err);
    if (!st)
        st = find_redirect(&p);
    if (!st)
        st = check_redirect(call, err);
    if (st)
        goto out;
    call->values = mem_new(call->command->noptions, sizeof *call->values, "options", err);
    if (!call->values) {
        st = ST_NOMEM;
        goto out;
    }
    st = param_defaults(call->command->options, call->command->noptions, call->values, err);
    if (!st)
        st = parse_words(&p);
out:
    lexemes_clear(&p.words);
    if (st)
        call_free(call);
    else
        *out = call;
    return st;
}

/* ---- typed access ---- */
