#include "commands/recipe.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/lex.h"
#include "commands/shaping.h"
#include "features/condition.h"

static const char note_kind[] = "recipe", note_name[] = "current";

/* ---- lines ---- */

static void clear_step(struct recipe_step *s)
{
    mem_free(s->text);
    mem_free(s->said);
}

void recipe_free(struct recipe *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        clear_step(&r->step[i]);
    mem_free(r->step);
    mem_free(r);
}

static enum status push_step(struct recipe *r, const struct recipe_step *from, struct error *err)
{
    enum status st = mem_grow(&r->step, &r->capacity, r->n + 1, sizeof *r->step, err);
    if (st)
        return st;
    struct recipe_step *s = &r->step[r->n];
    *s = *from;
    s->text = mem_strdup(from->text, err);
    s->said = from->said ? mem_strdup(from->said, err) : NULL;
    if (!s->text || (from->said && !s->said)) {
        clear_step(s);
        return ST_NOMEM;
    }
    r->n++;
    return ST_OK;
}

struct recipe *recipe_copy(const struct recipe *r, size_t n, struct error *err)
{
    struct recipe *copy = mem_new(1, sizeof *copy, "a recipe", err);
    if (!copy || !r)
        return copy;
    copy->base_events = r->base_events;
    copy->base_users = r->base_users;
    copy->base_items = r->base_items;
    for (size_t i = 0; i < r->n && i < n; i++) {
        if (push_step(copy, &r->step[i], err)) {
            recipe_free(copy);
            return NULL;
        }
    }
    return copy;
}

/* Always in quotes, with the same blanks, so that what means the same is the same text. */
static void put_condition(const struct call *call, struct str *out)
{
    struct str tidy = {0};
    char *condition = NULL;
    size_t at;
    if (filter_condition(call, &condition, &at, NULL))
        out->failed = true;
    else
        condition_tidy(condition, &tidy);
    str_putc(out, ' ');
    lex_quote(out, str_text(&tidy));
    out->failed |= tidy.failed;
    str_free(&tidy);
    mem_free(condition);
}

void recipe_line(const struct call *call, struct str *out)
{
    const struct command *c = call->command;
    size_t begin = out->length;
    str_puts(out, c->name);
    for (size_t i = 0; i < call->nargs; i++) {
        str_putc(out, ' ');
        lex_quote(out, call->args[i].text);
    }
    for (size_t i = 0; call->values && i < c->noptions; i++) {
        if (!call->values[i].given)
            continue;
        str_printf(out, " %s=", c->options[i].name);
        lex_quote(out, call->values[i].text);
    }
    for (size_t i = 0; i < call->nopen; i++) {
        str_putc(out, ' ');
        lex_quote(out, call->open[i].key.text);
        str_putc(out, '=');
        lex_quote(out, call->open[i].value.text);
    }
    if (call->rest.text)
        put_condition(call, out);
    for (size_t i = begin; i < out->length; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
}

/* The call that a line of a recipe is. */
static enum status parse_step(const char *line, struct call **call, struct error *err)
{
    enum status st = call_parse(NULL, line, false, call, err);
    if (st)
        return st;
    if ((*call)->command->step)
        return ST_OK;
    call_free(*call);
    *call = NULL;
    error_set(err, ST_USAGE, "`%s` is no step of a recipe: it does not shape the data", line);
    error_hint(err, "`help recipe` lists the steps there are");
    return ST_USAGE;
}

enum status recipe_add(struct recipe *r, const char *line, struct error *err)
{
    struct call *call = NULL;
    struct str text = {0};
    enum status st = parse_step(line, &call, err);
    if (st)
        return st;
    recipe_line(call, &text);
    call_free(call);
    st = text.failed ? error_nomem(err, strlen(line), "a recipe")
                     : push_step(r, &(struct recipe_step){.text = text.data}, err);
    str_free(&text);
    return st;
}

enum status recipe_parse(struct recipe *r, const char *text, struct error *err)
{
    enum status st = ST_OK;
    size_t number = 0;
    while (*text && !st) {
        size_t n = strcspn(text, "\n");
        const char *next = text + n + (text[n] == '\n');
        while (n && strchr(" \t\r", text[n - 1]))
            n--;
        size_t blanks = strspn(text, " \t");
        number++;
        if (blanks < n && text[blanks] != '#') {
            char *line = mem_strndup(text + blanks, n - blanks, err);
            st = line ? recipe_add(r, line, err) : ST_NOMEM;
            mem_free(line);
            if (st && err && st != ST_NOMEM) {
                error_source(err, "line %zu of the recipe", number);
                err->length = 0;
            }
        }
        text = next;
    }
    return st;
}

void recipe_format(const struct recipe *r, struct str *out)
{
    for (size_t i = 0; i < r->n; i++)
        str_printf(out, "%s\n", r->step[i].text);
}

/* ---- applying ---- */

/* Applies the last step that was parsed. Its fingerprint comes from the data before it and from its line. */
static enum status apply(struct recipe_step *s, const struct call *call, const struct dataset *d,
                         struct job *job, struct dataset **out, struct error *err)
{
    struct str said = {0};
    struct shaping shaping = {.data = d, .call = call, .job = job, .said = &said};
    job_begin(job, 0, "", "%.80s", s->text);
    enum status st = call->command->step(&shaping, out, err);
    if (!st) {
        mem_free(s->said);
        s->said = mem_strdup(str_text(&said), err);
        s->events = (*out)->events.n;
        s->users = (*out)->users.n;
        s->items = (*out)->items.n;
        (*out)->fingerprint = hash_bytes(s->text, strlen(s->text), d->fingerprint);
        if (!s->said) {
            dataset_release(*out);
            st = ST_NOMEM;
        }
    }
    str_free(&said);
    return st;
}

static void note_base(struct recipe *r, const struct dataset *d)
{
    r->base_events = d->events.n;
    r->base_users = d->users.n;
    r->base_items = d->items.n;
}

enum status recipe_take(struct recipe *r, const struct call *call, const struct dataset *d, struct job *job,
                        struct dataset **out, struct error *err)
{
    struct str text = {0};
    recipe_line(call, &text);
    enum status st = text.failed ? error_nomem(err, 256, "a recipe")
                                 : push_step(r, &(struct recipe_step){.text = text.data}, err);
    str_free(&text);
    if (st)
        return st;
    if (r->n == 1)
        note_base(r, d);
    return apply(&r->step[r->n - 1], call, d, job, out, err);
}

enum status recipe_replay(struct recipe *r, size_t from, struct dataset *d, struct job *job, struct dataset **out,
                          struct error *err)
{
    struct dataset *now = dataset_hold(d);
    if (from == 0)
        note_base(r, d);
    for (size_t i = from; i < r->n; i++) {
        struct dataset *next = NULL;
        struct call *call = NULL;
            enum status st = parse_step(r->step[i].text, &call, err);
        if (!st)
            st = apply(&r->step[i], call, now, job, &next, err);
        if (call)
            call_free(call);
        dataset_release(now);
        if (st) {
            if (err && st != ST_NOMEM && st != ST_CANCELLED) {
                error_source(err, "step %zu of the recipe, `%.120s`", i + 1, r->step[i].text);
                err->length = 0; /* the place is in that line, not in the one that was typed */
            }
            return st;
        }
        now = next;
    }
    *out = now;
    return ST_OK;
}

/* ---- keeping ---- */

enum status recipe_load(struct workspace *space, const char *dataset, struct recipe **out, struct error *err)
{
    void *text = NULL;
    size_t n = 0;
    struct recipe *r = recipe_copy(NULL, 0, err);
    if (!r)
        return ST_NOMEM;
    enum status st = workspace_get_note(space, dataset, note_kind, note_name, &text, &n, err);
    if (!st)
        st = recipe_parse(r, text, err); /* a note is followed by a zero byte */
    else if (st == ST_NOT_FOUND)
        st = ST_OK;
    mem_free(text);
    if (st)
        recipe_free(r);
    else
        *out = r;
    return st;
}

enum status recipe_save(struct workspace *space, const char *dataset, const struct recipe *r, struct error *err)
{
    if (!r->n) {
        enum status gone = workspace_drop_note(space, dataset, note_kind, note_name, err);
        return gone == ST_NOT_FOUND ? ST_OK : gone;
    }
    struct str text = {0};
    recipe_format(r, &text);
    enum status st = text.failed
                         ? error_nomem(err, text.length, "a recipe")
                         : workspace_put_note(space, dataset, note_kind, note_name, text.data, text.length, err);
    str_free(&text);
    return st;
}
