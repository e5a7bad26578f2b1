/* The command that the first words of a line mean. */
#include <stdio.h>
#include <string.h>

#include "commands/lex.h"

static enum status unknown_verb(const struct word *verb, bool abbreviations, struct error *err)
{
    const char *names[128];
    size_t n = 0;
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)) && n < 128; i++)
        names[n++] = c->name;
    enum status st = error_set(err, ST_USAGE, "no command \"%s\"", verb->text);
    const char *nearest = text_nearest(verb->text, names, n);
    if (nearest)
        error_hint(err, "did you mean `%s`?%s", nearest,
                   abbreviations ? "" : " (abbreviations work at the prompt only)");
    else
        error_hint(err, "`help` lists the commands, `help WORD` searches them");
    return error_at_word(st, err, verb);
}

/* The commands whose name starts with these letters; *count says how many, the last is returned. */
static const struct command *by_prefix(const char *text, size_t *count, struct str *list)
{
    const struct command *c, *found = NULL;
    *count = 0;
    for (size_t i = 0; (c = command_at(i)); i++) {
        if (strncmp(c->name, text, strlen(text)) != 0 || strchr(c->name, ' '))
            continue;
        str_printf(list, "%s%s", *count ? ", " : "", c->name);
        (*count)++;
        found = c;
    }
    return found;
}

static enum status second_word_missing(const struct word *verb, struct str *list, struct error *err)
{
    enum status st = error_set(err, ST_USAGE, "%s what?", verb->text);
    error_hint(err, "one of: %s", str_text(list));
    return error_at_word(st, err, verb);
}

enum status lex_verb(const struct lexemes *words, bool abbreviations, const struct command **out, size_t *used,
                     struct error *err)
{
    const struct word *verb = &words->at[0].word;
    if (words->n > 1 && !words->at[1].word.quoted) {
        char two[128];
        snprintf(two, sizeof two, "%s %s", verb->text, words->at[1].word.text);
        *used = 2;
        if ((*out = command_find(two)))
            return ST_OK;
    }
    *used = 1;
    if ((*out = command_find(verb->text)))
        return ST_OK;
    struct str list = {0};
    size_t count = 0;
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++) {
        size_t n = strlen(verb->text);
        if (strncmp(c->name, verb->text, n) == 0 && c->name[n] == ' ')
            str_printf(&list, "%s`%s`", count++ ? ", " : "", c->name);
    }
    enum status st;
    if (count) {
        st = second_word_missing(verb, &list, err);
    } else if (abbreviations && *verb->text && (*out = by_prefix(verb->text, &count, &list))) {
        st = ST_OK;
        if (count > 1) {
            st = error_set(err, ST_AMBIGUOUS, "\"%s\" could be %s", verb->text, str_text(&list));
            error_span(err, verb->offset, verb->length);
        }
    } else {
        st = unknown_verb(verb, abbreviations, err);
    }
    str_free(&list);
    return st;
}
