#include "commands/help.h"

#include <string.h>

#include "base/mem.h"
#include "commands/lex.h"
#include "commands/metric_help.h"

/* ---- pieces ---- */

void command_usage(const struct command *c, struct str *out)
{
    str_puts(out, c->name);
    for (size_t i = 0; i < c->narguments; i++) {
        const struct argument *a = &c->arguments[i];
        str_printf(out, a->optional ? " [%s%s]" : " %s%s", a->name, a->repeated ? " ..." : "");
    }
    if (c->flags & COMMAND_EDITS)
        str_puts(out, " [remove|add ITEM ...]");
    if (c->flags & COMMAND_WITH)
        str_puts(out, " [with MODEL ...]");
    if (c->flags & COMMAND_WHERE)
        str_puts(out, " [where \"CONDITION\"]");
    for (size_t i = 0; i < c->noptions && i < 4; i++)
        str_printf(out, " [%s=%s]", c->options[i].name, c->options[i].initial ? c->options[i].initial : "...");
    if (c->noptions > 4 || c->flags & COMMAND_OPEN)
        str_puts(out, " [key=value ...]");
    if (c->flags & COMMAND_AS)
        str_puts(out, " [as NAME]");
}

/* One row a paragraph: help texts separate them by line breaks. */
static void say(struct table *t, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        table_textn(t, text, n);
        text += n + (text[n] == '\n');
    }
}

static struct table *prose(struct result *out, const char *name, const char *title)
{
    static const struct column columns[] = {{.name = "text", .type = VALUE_TEXT}};
    struct table *t = result_table(out, name, title, columns, 1);
    t->prose = true;
    return t;
}

static const char *param_expects(const struct param *p, struct result *out)
{
    char low[32], high[32];
    if (p->choices)
        return p->choices;
    switch (p->type) {
    case PARAM_BOOL:
        return "yes|no";
    case PARAM_INT:
    case PARAM_REAL:
        if (p->min == 0 && p->max == 0)
            return p->type == PARAM_INT ? "whole number" : "number";
        text_real(low, sizeof low, p->min);
        text_real(high, sizeof high, p->max);
        return result_textf(out, "%s to %s", low, high);
    case PARAM_PERCENT:
        return "share (20% or 0.2)";
    case PARAM_DURATION:
        return "duration (30m, 7d)";
    case PARAM_TIME:
        return "time (2026-05-24)";
    case PARAM_PATH:
        return "file";
    case PARAM_METRIC:
        return "metric (ndcg@10)";
    case PARAM_USER:
        return "user";
    case PARAM_ITEM:
        return "item";
    case PARAM_EVENT:
        return "type of event";
    case PARAM_COLUMN:
    case PARAM_SEGMENT:
    case PARAM_SEGMENTS:
        return "column";
    case PARAM_MODEL:
        return "model";
    case PARAM_WEIGHTS:
        return "numbers (0.7,0.3) or equal";
    case PARAM_LENGTHS:
        return "ascending numbers (5,20)";
    case PARAM_TEXT:
    case PARAM_ENUM:
        break;
    }
    return "text";
}

static void param_table(struct result *out, const char *name, const char *title, const struct param *params, size_t n)
{
    static const struct column columns[] = {{.name = "name", .type = VALUE_TEXT},
                                            {.name = "default", .type = VALUE_TEXT},
                                            {.name = "expects", .type = VALUE_TEXT},
                                            {.name = "what", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    if (!n)
        return;
    struct table *t = result_table(out, name, title, columns, 4);
    for (size_t i = 0; i < n; i++) {
        table_text(t, params[i].name);
        table_text(t, params[i].initial);
        table_text(t, param_expects(&params[i], out));
        struct str what = {0};
        param_describe(&params[i], &what);
        table_str(t, &what);
        str_free(&what);
    }
}

/* ---- one command ---- */

static void help_command(const struct command *c, struct result *out)
{
    static const struct column argument_columns[] = {{.name = "argument", .type = VALUE_TEXT},
                                                     {.name = "what", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    struct str usage = {0};
    command_usage(c, &usage);
    struct table *t = prose(out, "help", "");
    table_textf(t, "%s: %s.", c->name, c->summary);
    table_textf(t, "    %s", str_text(&usage));
    if (c->help)
        say(t, c->help);
    str_free(&usage);
    if (c->narguments) {
        struct table *a = result_table(out, "arguments", "", argument_columns, 2);
        for (size_t i = 0; i < c->narguments; i++) {
            table_text(a, c->arguments[i].name);
            table_text(a, c->arguments[i].doc);
        }
    }
    param_table(out, "options", "", c->options, c->noptions);
    if (c->more_help)
        c->more_help(out);
    if (c->examples && c->examples[0]) {
        struct table *e = prose(out, "examples", "Examples");
        for (size_t i = 0; c->examples[i]; i++)
            table_textf(e, "    %s", c->examples[i]);
    }
}

/* ---- one model ---- */

static void help_model(const struct model_class *m, struct result *out)
{
    struct table *t = prose(out, "help", "");
    table_textf(t, "%s: %s.", m->name, m->summary);
    if (m->reference)
        table_textf(t, "Source: %s", m->reference);
    if (m->advice)
        table_textf(t, "%s.", m->advice);
    if (m->fold_in)
        table_textf(t, "A history it has never seen: %s", m->fold_in);
    if (m->capabilities & SERVED) {
        table_textf(prose(out, "examples", "Examples"), "    import FILE as prod");
        return;
    }
    table_textf(t, "`update` %s.", m->updated ? m->updated : "trains it anew: its class takes no events in");
    param_table(out, "parameters", "", m->params, m->nparams);
    struct table *e = prose(out, "examples", "Examples");
    const char *with = m->capabilities & OF_MODELS ? " with pop ease" : "";
    table_textf(e, "    train %s%s", m->name, with);
    if (m->nparams && m->params[0].initial)
        table_textf(e, "    train %s%s %s=%s as mine", m->name, with, m->params[0].name, m->params[0].initial);
}

/* ---- everything, and search ---- */

/* A thing a row and what it is. */
static struct table *topics(struct result *out, const char *name, const char *title, const char *of)
{
    const struct column columns[] = {{.name = of, .type = VALUE_TEXT},
                                     {.name = "what", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    return result_table(out, name, title, columns, 2);
}

const struct help_group help_groups[] = {
    {"files", "events in, results out"},
    {"explore", "what the data hold, and what is wrong with them"},
    {"shape", "what counts and how much, step by step"},
    {"learn", "split, train, judge"},
    {"inspect", "what a user sees, and why"},
    {"world", "a shop with known truth, and policies tried on it"},
    {"workspace", "what is open, and what is kept"},
    {"session", "the prompt"},
    {0},
};

static bool same_family(const char *a, const char *b)
{
    size_t n = strcspn(a, " ");
    return n == strcspn(b, " ") && strncmp(a, b, n) == 0;
}

/* Adds the command at *i and those after it that begin with the same word: "load [items|users]", "bots drop|show". */
static void put_family(struct str *out, size_t *i)
{
    const struct command *first = command_at(*i), *c;
    bool alone = !strchr(first->name, ' ');
    size_t n = strcspn(first->name, " ");
    str_printf(out, "%s%s", out->length ? ", " : "", first->name);
    size_t more = 0;
    for (; (c = command_at(*i + 1)) && same_family(first->name, c->name) && c->name[n]; (*i)++, more++)
        str_printf(out, "%s%s", more || !alone ? "|" : " [", c->name + n + 1);
    if (more && alone)
        str_putc(out, ']');
}

static void models_table(struct result *out)
{
    struct table *t = topics(out, "models", "", "model");
    for (size_t i = 0; model_classes[i]; i++) {
        table_text(t, model_classes[i]->name);
        table_text(t, model_classes[i]->summary);
    }
}

/* A line a group: on a small terminal, all of it is seen at once. */
static enum status help_overview(struct result *out, struct error *err)
{
    static const struct column columns[] = {{.name = "group", .type = VALUE_TEXT},
                                            {.name = "about", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
                                            {.name = "commands", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    struct table *t = result_table(out, "groups", "", columns, 3);
    const struct command *c;
    bool failed = false;
    for (const struct help_group *g = help_groups; g->name; g++) {
        struct str names = {0};
        for (size_t i = 0; (c = command_at(i)); i++)
            if (strcmp(c->group, g->name) == 0)
                put_family(&names, &i);
        table_text(t, g->name);
        table_text(t, g->about);
        table_str(t, &names);
        failed |= names.failed;
        str_free(&names);
    }
    models_table(out);
    result_message(out, MESSAGE_HINT,
                   "`help GROUP` has a line a command (`help all`: every one), `help COMMAND`, `help MODEL` or `help "
                   "METRIC` everything about one (`help metrics` lists them), `help WORD` searches");
    return failed ? error_nomem(err, 64, "help") : ST_OK;
}

/* A line a command, of one group or of all. False when there is no such group. */
static bool help_group(const char *name, struct result *out)
{
    bool all = text_same(name, "all"), known = all;
    const struct command *c;
    for (const struct help_group *g = help_groups; g->name; g++) {
        if (!all && !text_same(g->name, name))
            continue;
        known = true;
        struct table *t = topics(out, g->name, result_textf(out, "%s: %s", g->name, g->about), "command");
        for (size_t i = 0; (c = command_at(i)); i++) {
            if (strcmp(c->group, g->name))
                continue;
            table_text(t, c->name);
            table_text(t, c->summary);
        }
    }
    if (all)
        models_table(out);
    return known;
}

static bool speaks_of_params(const struct param *params, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (text_find(params[i].name, word) || (params[i].doc && text_find(params[i].doc, word)))
            return true;
    return false;
}

static bool command_speaks_of(const struct command *c, const char *word)
{
    bool found = text_find(c->name, word) || text_find(c->summary, word) || (c->help && text_find(c->help, word));
    for (size_t i = 0; i < c->narguments; i++)
        found = found || (c->arguments[i].doc && text_find(c->arguments[i].doc, word));
    return found || speaks_of_params(c->options, c->noptions, word);
}

static bool model_speaks_of(const struct model_class *m, const char *word)
{
    return text_find(m->name, word) || text_find(m->summary, word) || (m->reference && text_find(m->reference, word)) ||
           speaks_of_params(m->params, m->nparams, word);
}

static bool metric_speaks_of(const struct metric *m, const char *word)
{
    return text_find(m->name, word) || text_find(m->summary, word) || (m->source && text_find(m->source, word));
}

static enum status help_search(const char *word, struct result *out, struct error *err)
{
    const struct command *c;
    struct table *t = topics(out, "found", "", "topic");
    for (size_t i = 0; (c = command_at(i)); i++) {
        if (!command_speaks_of(c, word))
            continue;
        table_text(t, c->name);
        table_text(t, c->summary);
    }
    for (size_t i = 0; model_classes[i]; i++) {
        if (!model_speaks_of(model_classes[i], word))
            continue;
        table_text(t, model_classes[i]->name);
        table_text(t, model_classes[i]->summary);
    }
    for (size_t i = 0; metrics[i]; i++) {
        if (!metric_speaks_of(metrics[i], word))
            continue;
        table_text(t, metrics[i]->name);
        table_text(t, metrics[i]->summary);
    }
    enum status st = result_status(out, err);
    if (st || t->nrows)
        return st;
    error_set(err, ST_NOT_FOUND, "no help on \"%s\"", word);
    error_hint(err, "`help` lists everything there is");
    return ST_NOT_FOUND;
}

/* A metric may be the first word of commands: `map` is, of `map items`. */
static void say_family(const char *word, struct result *out)
{
    const struct command *c;
    struct str names = {0};
    for (size_t i = 0; (c = command_at(i)); i++)
        if (same_family(c->name, word))
            str_printf(&names, "%s`help %s`", names.length ? ", " : "", c->name);
    if (names.length)
        result_message(out, MESSAGE_HINT, "about the commands: %s", result_str(out, &names));
    str_free(&names);
}

static enum status help_metric(struct workbench *wb, const struct metric_at *at, struct result *out, struct error *err)
{
    say_family(at->metric->name, out);
    return metric_help(wb, at, out, err);
}

enum status run_help(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    if (call->nargs == 0)
        return help_overview(out, err);
    struct str topic = {0};
    for (size_t i = 0; i < call->nargs; i++)
        str_printf(&topic, "%s%s", i ? " " : "", call->args[i].text);
    enum status st = ST_OK;
    bool sql = text_same(str_text(&topic), "sql") || lex_is_sql(str_text(&topic));
    const struct command *c = command_find(sql ? "select" : str_text(&topic));
    const struct model_class *m = c ? NULL : model_class_find(str_text(&topic));
    struct metric_at at;
    bool metric = !c && metric_parse(str_text(&topic), 10, &at, NULL) == ST_OK;
    if (topic.failed)
        st = error_nomem(err, 64, "a help topic");
    else if (c)
        help_command(c, out);
    else if (metric)
        st = help_metric(wb, &at, out, err);
    else if (text_same(str_text(&topic), "metrics"))
        metric_help_all(out);
    else if (m)
        help_model(m, out);
    else if (help_group(str_text(&topic), out))
        st = ST_OK;
    else if ((st = help_search(str_text(&topic), out, err)))
        error_at_word(st, err, &call->args[0]);
    str_free(&topic);
    return st;
}
