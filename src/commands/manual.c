#include "commands/manual.h"

#include <stdio.h>
#include <string.h>

#include "commands/command.h"

/* Text for roff: backslashes, hyphens and a leading dot or quote would mean something. */
static void put_roff(struct str *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        str_puts(out, "\\&");
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            str_puts(out, "\\e");
        else if (*p == '-')
            str_puts(out, "\\-");
        else if (*p == '\n')
            str_puts(out, "\n.PP\n");
        else
            str_putc(out, *p);
    }
}

static void put_line(struct str *out, const char *before, const char *text, const char *after)
{
    str_puts(out, before);
    put_roff(out, text);
    str_puts(out, after);
}

/* A summary as a sentence. */
static void put_sentence(struct str *out, const char *text)
{
    size_t n = strlen(text);
    put_line(out, "", text, n && strchr(".!?", text[n - 1]) ? "\n" : ".\n");
}

/* So many choices that no line could hold them: told as a sentence, not as the option's value. */
static bool is_long(const char *choices)
{
    return strlen(choices) > 72;
}

static void put_long_choices(struct str *out, const char *choices)
{
    char one[64];
    str_puts(out, "One of ");
    while (*choices) {
        size_t n = strcspn(choices, "|");
        snprintf(one, sizeof one, "%.*s", (int)n, choices);
        put_roff(out, one);
        choices += n + (choices[n] != 0);
        str_puts(out, *choices ? ", " : ".\n");
    }
}

static void put_params(struct str *out, const struct param *params, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct param *p = &params[i];
        str_puts(out, ".TP\n.B ");
        put_roff(out, p->name);
        put_roff(out, "=");
        str_puts(out, p->choices ? "" : p->initial ? "" : "...");
        if (p->choices && is_long(p->choices))
            str_puts(out, "...");
        else if (p->choices)
            put_roff(out, p->choices);
        else if (p->initial)
            put_roff(out, p->initial);
        str_putc(out, '\n');
        struct str what = {0};
        param_describe(p, &what);
        if (what.length)
            put_sentence(out, str_text(&what));
        out->failed |= what.failed;
        str_free(&what);
        if (p->choices && is_long(p->choices))
            put_long_choices(out, p->choices);
        if (p->choices && p->initial)
            put_line(out, "Default: ", p->initial, ".\n");
    }
}

static void put_command(struct str *out, const struct command *c)
{
    struct str usage = {0};
    command_usage(c, &usage);
    put_line(out, ".SS ", str_text(&usage), "\n");
    str_free(&usage);
    put_sentence(out, c->summary);
    if (c->help)
        put_line(out, ".PP\n", c->help, "\n");
    for (size_t i = 0; i < c->narguments; i++) {
        put_line(out, ".TP\n.I ", c->arguments[i].name, "\n");
        put_sentence(out, c->arguments[i].doc);
    }
    put_params(out, c->options, c->noptions);
    str_puts(out, ".PP\n.RS\n.nf\n");
    for (size_t i = 0; c->examples && c->examples[i]; i++)
        put_line(out, "", c->examples[i], "\n");
    str_puts(out, ".fi\n.RE\n");
}

void manual_sections(struct str *out)
{
    const struct command *c;
    str_puts(out, ".SH COMMANDS\n");
    for (size_t i = 0; (c = command_at(i)); i++)
        put_command(out, c);
    str_puts(out, ".SH MODELS\n");
    for (size_t i = 0; model_classes[i]; i++) {
        const struct model_class *m = model_classes[i];
        put_line(out, ".SS ", m->name, "\n");
        put_sentence(out, m->summary);
        if (m->reference)
            put_line(out, "Source: ", m->reference, "\n");
        if (m->advice)
            put_line(out, ".PP\n", m->advice, ".\n");
        if (m->fold_in)
            put_line(out, ".PP\nA history it has never seen: ", m->fold_in, "\n");
        if (m->updated)
            put_line(out, ".PP\n\\fBupdate\\fR ", m->updated, ".\n");
        put_params(out, m->params, m->nparams);
    }
}
