/* A parsed call: where in the line an error stands, its options by name, and its end. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "commands/command.h"

enum status error_at_word(enum status st, struct error *err, const struct word *w)
{
    error_span(err, w->offset, w->length);
    return st;
}

enum status error_at_option(enum status st, struct error *err, const struct call *c, const char *key)
{
    size_t n = strlen(key);
    for (const char *p = strstr(c->text, key); p && st; p = strstr(p + n, key)) {
        if (p[n] != '=' || p == c->text || p[-1] != ' ')
            continue;
        error_span(err, (size_t)(p - c->text) + n + 1, strcspn(p + n + 1, " \t"));
        break;
    }
    return st;
}

enum status words_differ(const struct word *words, size_t n, struct error *err)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(words[i].text, words[j].text) == 0)
                return error_at_word(error_set(err, ST_USAGE, "%s is named twice", words[i].text), err, &words[i]);
    return ST_OK;
}

static const struct param_value *call_value(const struct call *c, const char *option)
{
    size_t i = param_index(c->command->options, c->command->noptions, option);
    assert(i < c->command->noptions);
    return &c->values[i];
}

bool call_given(const struct call *c, const char *option)
{
    return call_value(c, option)->given;
}

int64_t call_int(const struct call *c, const char *option)
{
    return call_value(c, option)->integer;
}

double call_real(const struct call *c, const char *option)
{
    return call_value(c, option)->real;
}

bool call_yes(const struct call *c, const char *option)
{
    return call_value(c, option)->yes;
}

const char *call_text(const struct call *c, const char *option)
{
    return call_value(c, option)->text;
}

void call_free(struct call *c)
{
    if (!c)
        return;
    mem_free(c->text);
    for (size_t i = 0; i < c->nargs; i++)
        mem_free(c->args[i].text);
    mem_free(c->args);
    for (size_t i = 0; i < c->nmodels; i++)
        mem_free(c->models[i].text);
    mem_free(c->models);
    for (size_t i = 0; i < c->nedits; i++)
        mem_free(c->edits[i].text);
    mem_free(c->edits);
    if (c->values)
        param_values_free(c->values, c->command->noptions);
    mem_free(c->values);
    for (size_t i = 0; i < c->nopen; i++) {
        mem_free(c->open[i].key.text);
        mem_free(c->open[i].value.text);
    }
    mem_free(c->open);
    mem_free(c->where.text);
    mem_free(c->as.text);
    mem_free(c->rest.text);
    mem_free(c->redirect.text);
    mem_free(c->pipe.text);
    mem_free(c);
}
