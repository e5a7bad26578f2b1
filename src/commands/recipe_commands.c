/* recipe, recipe apply, recipe save, recipe clear, undo: the steps that shape the data, seen and changed as a whole. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "commands/families.h"
#include "commands/recipe.h"

/* ---- what becomes of the split and of models ---- */

/* What was there before the recipe changed. */
struct before {
    bool split;
    size_t models;
};

static struct before look(struct workbench *wb)
{
    pthread_mutex_lock(&wb->lock);
    struct before b = {wb->split != NULL, wb->nmodels};
    pthread_mutex_unlock(&wb->lock);
    return b;
}

static void say_rest(struct workbench *wb, struct before before, bool back, struct result *out)
{
    struct split *s = workbench_split(wb);
    size_t now = look(wb).models;
    if (s)
        result_message(out, MESSAGE_INFO, "split, made anew: %s", s->description);
    else if (before.split)
        result_message(out, MESSAGE_WARNING,
                       "the split does not suit these data: models learn from all events until `split` is said again");
    if (before.models && !back)
        result_message(out, MESSAGE_INFO,
                       "%zu model%s of the data as they were wait%s in the workspace: `undo` brings %s back",
                       before.models, before.models == 1 ? "" : "s", before.models == 1 ? "s" : "",
                       before.models == 1 ? "it" : "them");
    if (now)
        result_message(out, MESSAGE_INFO, "%zu model%s of this state %s back", now, now == 1 ? "" : "s",
                       now == 1 ? "is" : "are");
    split_release(s);
}

static void say_step(const struct recipe_step *s, struct result *out)
{
    result_message(out, MESSAGE_INFO, "%.*s: %s", (int)strcspn(s->text, " "), s->text, s->said);
}

/* ---- one step more ---- */

enum status recipe_run(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct recipe *r = NULL;
    struct dataset *next = NULL, *d = workbench_data(wb);
    struct before before = look(wb);
    enum status st = workbench_recipe(wb, &r, err);
    if (!st)
        st = recipe_take(r, call, d, &wb->job, &next, err);
    dataset_release(d);
    if (st) {
        recipe_free(r);
        return st;
    }
    st = workbench_set_recipe(wb, r, next, err);
    if (st)
        return st;
    pthread_mutex_lock(&wb->lock);
    if (call->command->run == recipe_run && wb->recipe && wb->recipe->n) /* `weight` shows its table instead */
        say_step(&wb->recipe->step[wb->recipe->n - 1], out);
    pthread_mutex_unlock(&wb->lock);
    say_rest(wb, before, false, out);
    return ST_OK;
}

/* ---- recipe ---- */

/* The share of the events before the step that it took out. */
static void put_lost(struct table *t, uint64_t before, uint64_t after)
{
    if (before > after)
        table_real(t, (double)(before - after) / (double)before);
    else
        table_null(t);
}

static void put_recipe(const struct dataset *d, const struct recipe *r, struct result *out)
{
    static const struct column columns[] = {
        {.name = "step", .type = VALUE_INT},
        {.name = "command", .type = VALUE_TEXT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "lost", .type = VALUE_REAL, .unit = "%", .precision = 1},
        {.name = "did", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
    };
    struct table *t = result_table(out, "recipe", result_textf(out, "recipe of %s", d->name), columns,
                                   sizeof columns / sizeof *columns);
    table_int(t, 0);
    table_textf(t, "load %s", d->source);
    table_int(t, (int64_t)(r->n ? r->base_events : d->events.n));
    table_int(t, r->n ? r->base_users : d->users.n);
    table_int(t, r->n ? r->base_items : d->items.n);
    table_null(t);
    table_null(t);
    for (size_t i = 0; i < r->n; i++) {
        const struct recipe_step *s = &r->step[i];
        table_int(t, (int64_t)i + 1);
        table_text(t, s->text);
        table_int(t, (int64_t)s->events);
        table_int(t, s->users);
        table_int(t, s->items);
        put_lost(t, i ? s[-1].events : r->base_events, s->events);
        table_text(t, s->said);
    }
}

static enum status show(struct workbench *wb, struct result *out, struct error *err)
{
    struct recipe *r = NULL;
    size_t waiting = 0, unfit = 0;
    enum status st = workbench_recipe(wb, &r, err);
    if (!st)
        st = workbench_waiting(wb, &waiting, &unfit, err);
    if (st) {
        recipe_free(r);
        return st;
    }
    struct dataset *d = workbench_data(wb);
    put_recipe(d, r, out);
    if (!r->n)
        result_message(out, MESSAGE_HINT, "no step yet: `filter`, `kcore`, `sessions`, `weight`, ... add one");
    if (waiting)
        result_message(out, MESSAGE_INFO, "%zu model%s of other states of the recipe wait%s in the workspace", waiting,
                       waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
    if (unfit)
        result_message(
            out, MESSAGE_WARNING,
            "%zu model%s of this state know%s the data as they were before an append, which the workspace cannot "
            "follow through the steps: train again",
            unfit, unfit == 1 ? "" : "s", unfit == 1 ? "s" : "");
    dataset_release(d);
    recipe_free(r);
    return ST_OK;
}

static enum status run_recipe(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    (void)call;
    return show(wb, out, err);
}

/* ---- undo, clear ---- */

/* Goes back to the first n steps. */
static enum status go_back(struct workbench *wb, size_t n, struct result *out, struct error *err)
{
    struct recipe *all = NULL, *r = NULL;
    struct dataset *base = NULL, *d = NULL;
    struct before before = look(wb);
    enum status st = workbench_recipe(wb, &all, err);
    if (!st)
        st = (r = recipe_copy(all, n, err)) ? workbench_base(wb, &base, err) : ST_NOMEM;
    if (!st)
        st = recipe_replay(r, 0, base, &wb->job, &d, err);
    dataset_release(base);
    if (st)
        recipe_free(r);
    else
        st = workbench_set_recipe(wb, r, d, err);
    for (size_t i = n; i < all->n && !st; i++)
        result_message(out, MESSAGE_INFO, "undone: %s", all->step[i].text);
    if (!st)
        say_rest(wb, before, true, out);
    recipe_free(all);
    return st ? st : show(wb, out, err);
}

static enum status steps_there(struct workbench *wb, size_t *n, struct error *err)
{
    pthread_mutex_lock(&wb->lock);
    *n = wb->recipe ? wb->recipe->n : 0;
    pthread_mutex_unlock(&wb->lock);
    if (*n)
        return ST_OK;
    error_set(err, ST_STATE, "the recipe has no step that could be undone");
    error_hint(err, "steps are `filter`, `kcore`, `sessions`, `weight`, ...: `help recipe`");
    return ST_STATE;
}

static enum status run_undo(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    size_t n;
    int64_t steps = 1;
    enum status st = steps_there(wb, &n, err);
    if (st)
        return st;
    if (call->nargs && (!text_parse_int(call->args[0].text, &steps) || steps < 1 || (uint64_t)steps > n)) {
        error_set(err, ST_USAGE, "\"%s\" is not a number of steps", call->args[0].text);
        error_hint(err, "the recipe has %zu", n);
        return error_at_word(ST_USAGE, err, &call->args[0]);
    }
    return go_back(wb, n - (size_t)steps, out, err);
}

static enum status run_clear(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    size_t n;
    (void)call;
    enum status st = steps_there(wb, &n, err);
    return st ? st : go_back(wb, 0, out, err);
}

/* ---- apply, save ---- */

enum status recipe_find(struct workbench *wb, const char *name, struct recipe **out, struct error *err)
{
    enum { LARGEST = 1 << 20 };
    struct dataset_info *list = NULL;
    size_t n = 0, length;
    bool kept = false;
    char *text = NULL;
    enum status st = workspace_list_datasets(wb->space, &list, &n, err);
    for (size_t i = 0; i < n && !st; i++)
        kept |= strcmp(list[i].name, name) == 0;
    mem_free(list);
    if (st)
        return st;
    if (kept) {
        st = recipe_load(wb->space, name, out, err);
        if (st || (*out)->n)
            return st;
        recipe_free(*out);
        *out = NULL;
        return error_set(err, ST_STATE, "the recipe of %s has no step", name);
    }
    st = file_read(name, LARGEST, &text, &length, err);
    if (st == ST_NOT_FOUND) {
        error_set(err, ST_NOT_FOUND, "neither a data set of the workspace nor a file is called \"%s\"", name);
        error_hint(err, "`datasets` lists the data sets; `recipe save FILE` makes such a file");
    }
    if (st)
        return st;
    struct recipe *r = recipe_copy(NULL, 0, err);
    st = !r                       ? ST_NOMEM
         : strlen(text) != length ? error_set(err, ST_FORMAT, "%s is no recipe: it is not text", name)
                                  : recipe_parse(r, text, err);
    if (!st && !r->n)
        st = error_set(err, ST_FORMAT, "%s has no step", name);
    mem_free(text);
    if (st)
        recipe_free(r);
    else
        *out = r;
    return st;
}

static enum status run_apply(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct recipe *more = NULL, *r = NULL;
    struct dataset *d = workbench_data(wb), *next = NULL;
    struct before before = look(wb);
    size_t had = 0;
    enum status st = recipe_find(wb, call->args[0].text, &more, err);
    if (st && err && !err->length)
        error_span(err, call->args[0].offset, call->args[0].length);
    if (!st)
        st = workbench_recipe(wb, &r, err);
    if (!st)
        had = r->n;
    for (size_t i = 0; !st && i < more->n; i++)
        st = recipe_add(r, more->step[i].text, err);
    if (!st)
        st = recipe_replay(r, had, d, &wb->job, &next, err);
    recipe_free(more);
    dataset_release(d);
    if (st) {
        recipe_free(r);
        return st;
    }
    st = workbench_set_recipe(wb, r, next, err);
    if (!st)
        say_rest(wb, before, false, out);
    return st ? st : show(wb, out, err);
}

static enum status run_save(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct recipe *r = NULL;
    struct file_draft *draft;
    struct str text = {0};
    size_t n;
    enum status st = steps_there(wb, &n, err);
    if (!st)
        st = workbench_recipe(wb, &r, err);
    if (st)
        return st;
    recipe_format(r, &text);
    recipe_free(r);
    st = text.failed ? error_nomem(err, text.length, "a recipe") : file_draft_open(call->args[0].text, &draft, err);
    if (!st) {
        bool written = fwrite(str_text(&text), 1, text.length, file_draft_stream(draft)) == text.length;
        st = written ? file_draft_commit(draft, err) : error_errno(err, "write", call->args[0].text);
        if (!written)
            file_draft_abandon(draft);
    }
    str_free(&text);
    if (st)
        return error_at_word(st, err, &call->args[0]);
    result_message(out, MESSAGE_INFO, "%zu step%s in %s: `recipe apply %s` replays %s on other data", n,
                   n == 1 ? "" : "s", call->args[0].text, call->args[0].text, n == 1 ? "it" : "them");
    return ST_OK;
}

/* ---- the table ---- */

static const struct argument undo_args[] = {
    {.name = "N", .type = ARG_TEXT, .optional = true, .doc = "how many steps, 1 without it"},
};
static const struct argument apply_args[] = {
    {.name = "NAME", .type = ARG_SOURCE, .doc = "a data set of the workspace, or a file of `recipe save`"},
};
static const struct argument save_args[] = {
    {.name = "FILE", .type = ARG_PATH, .doc = "the file to be: a command a line"},
};

static const struct command rows[] = {
    {.name = "recipe",
     .group = "shape",
     .summary = "the steps that shape the data, and what each left",
     .flags = COMMAND_NEEDS_DATA,
     .help = "Steps are weight, decay, filter, between, repeat, kcore, sample users, sessions and bots drop. What was "
             "loaded stays as it is in the workspace; the recipe is applied to it in order, again whenever it is "
             "opened. Models and the split belong to a state of the recipe: the split is made anew for each, models of "
             "other states wait and come back with theirs.",
     .examples = (const char *const[]){"recipe", NULL},
     .run = run_recipe},
    {.name = "recipe apply",
     .group = "shape",
     .summary = "replay the steps of another data set, or of a file",
     .arguments = apply_args,
     .narguments = 1,
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES,
     .help = "They come behind the steps that are there. When one does not suit the data nothing is changed. `load "
             "FILE recipe=NAME` does it at once.",
     .examples = (const char *const[]){"recipe apply shop.recipe", NULL},
     .run = run_apply},
    {.name = "recipe save",
     .group = "shape",
     .summary = "write the steps into a file, a command a line",
     .arguments = save_args,
     .narguments = 1,
     .flags = COMMAND_NEEDS_DATA,
     .help = "Lines that begin with # are comments.",
     .examples = (const char *const[]){"recipe save shop.recipe", NULL},
     .run = run_save},
    {.name = "recipe clear",
     .group = "shape",
     .summary = "undo all steps",
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES,
     .help = "The data are as they were loaded.",
     .examples = (const char *const[]){"recipe clear", NULL},
     .run = run_clear},
    {.name = "undo",
     .group = "shape",
     .summary = "take back the last step of the recipe",
     .arguments = undo_args,
     .narguments = 1,
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES,
     .help = "Or the last N. The data, and the models that were trained on them, are as before that step.",
     .examples = (const char *const[]){"undo", "undo 2", NULL},
     .run = run_undo},
};

const struct command_family recipe_commands = {rows, sizeof rows / sizeof *rows};
