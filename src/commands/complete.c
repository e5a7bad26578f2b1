/* Completion: what could stand at the cursor, from the same table that parses. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "commands/catalogue.h"
#include "commands/command.h"
#include "commands/complete_sql.h"
#include "commands/lex.h"
#include "commands/pinned.h"
#include "commands/places.h"
#include "eval/cohorts.h"
#include "eval/metric.h"

enum { MOST = 200 };

struct completer {
    struct workbench *wb;
    struct completion *out;
    const char *prefix; /* what stands before the cursor of the present word, unquoted */
    const char *before; /* what every candidate begins with ("k=" of an option value), already in place */
    enum status st;
    struct error *err;
};

void completion_clear(struct completion *c)
{
    for (size_t i = 0; i < c->n; i++)
        mem_free(c->candidates[i]);
    mem_free(c->candidates);
    memset(c, 0, sizeof *c);
}

static void offer_raw(struct completer *c, const char *text)
{
    struct completion *out = c->out;
    if (c->st || out->n >= MOST)
        return;
    for (size_t i = 0; i < out->n; i++)
        if (strcmp(out->candidates[i], text) == 0)
            return;
    c->st = mem_grow(&out->candidates, &out->capacity, out->n + 1, sizeof *out->candidates, c->err);
    char *copy = c->st ? NULL : mem_strdup(text, c->err);
    if (copy)
        out->candidates[out->n++] = copy;
    else
        c->st = ST_NOMEM;
}

/* Offers a word when it begins with the prefix, quoted where it must be. */
static void offer(struct completer *c, const char *text)
{
    if (!text_starts(text, c->prefix))
        return;
    struct str word = {0};
    str_puts(&word, c->before);
    lex_quote(&word, text);
    offer_raw(c, str_text(&word));
    str_free(&word);
}

/* Offers key= for an option; no quotes, the value comes next. */
static void offer_key(struct completer *c, const char *name)
{
    char key[96];
    snprintf(key, sizeof key, "%s=", name);
    if (text_starts(key, c->prefix))
        offer_raw(c, key);
}

static void offer_choices(struct completer *c, const struct param *p)
{
    char choice[64];
    for (size_t i = 0; param_choice(p, i, choice, sizeof choice); i++)
        offer(c, choice);
}

static void offer_paths(struct completer *c)
{
    char folder[512], path[1024];
    const char *slash = strrchr(c->prefix, '/');
    size_t n = slash ? (size_t)(slash - c->prefix) + 1 : 0;
    if (n >= sizeof folder)
        return;
    memcpy(folder, c->prefix, n);
    folder[n] = 0;
    DIR *dir = opendir(n ? folder : ".");
    if (!dir)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.' && c->prefix[n] != '.')
            continue;
        struct stat info;
        snprintf(path, sizeof path, "%s%s", folder, entry->d_name);
        bool is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
        snprintf(path, sizeof path, "%s%s%s", folder, entry->d_name, is_folder ? "/" : "");
        offer(c, path);
    }
    closedir(dir);
}

static void offer_users(struct completer *c, const struct dataset *d)
{
    for (uint32_t u = 0; u < d->users.n && c->out->n < MOST; u++)
        offer(c, dict_text(&d->users, u));
}

/* Titles that begin with the prefix come first, then those with it inside a word's start. */
static void offer_items(struct completer *c, const struct dataset *d)
{
    for (uint32_t i = 0; i < d->items.n && c->out->n < MOST; i++)
        offer(c, dataset_item_title(d, i));
    if (c->out->n || !*c->prefix)
        return;
    for (uint32_t i = 0; i < d->items.n && c->out->n < MOST; i++) {
        const char *title = dataset_item_title(d, i), *found = text_find(title, c->prefix);
        if (!found || (found > title && found[-1] != ' '))
            continue;
        struct str word = {0};
        lex_quote(&word, title);
        offer_raw(c, str_text(&word));
        str_free(&word);
    }
}

static void offer_models(struct completer *c)
{
    pthread_mutex_lock(&c->wb->lock);
    for (size_t i = 0; i < c->wb->nmodels; i++)
        offer(c, c->wb->models[i]->name);
    pthread_mutex_unlock(&c->wb->lock);
}

static void offer_datasets(struct completer *c)
{
    struct dataset_info *list = NULL;
    size_t n = 0;
    if (workspace_list_datasets(c->wb->space, &list, &n, NULL))
        return;
    for (size_t i = 0; i < n; i++)
        offer(c, list[i].name);
    mem_free(list);
}

static enum status offer_bundled(void *context, const char *name, const char *path, struct error *err)
{
    (void)path;
    (void)err;
    offer(context, name);
    return ST_OK;
}

static void offer_sources(struct completer *c)
{
    if (c->wb)
        offer_datasets(c);
    /* Folders that cannot be read are not offered. */
    (void)!place_each_bundled(offer_bundled, c, NULL);
    offer_paths(c);
}

static void offer_known(struct completer *c)
{
    struct known known = {0};
    if (c->wb)
        offer_datasets(c);
    /* Of a catalogue with a mistake, what stands before it. */
    (void)!catalogue_read(&known, NULL);
    for (size_t i = 0; i < known.n; i++)
        offer(c, known.set[i].name);
    known_clear(&known);
}

static void offer_metrics(struct completer *c)
{
    for (size_t i = 0; metrics[i]; i++)
        offer(c, metrics[i]->name);
}

static void offer_event_types(struct completer *c, const struct dataset *d)
{
    for (uint32_t i = 0; i < d->types.n; i++)
        offer(c, dict_text(&d->types, i));
}

/* Columns that events can be grouped by. */
static void offer_columns(struct completer *c, const struct dataset *d)
{
    for (size_t i = 0; i < d->events.context.n; i++)
        if (d->events.context.field[i].type == FIELD_TEXT)
            offer(c, d->events.context.field[i].name);
}

/* What tells users apart, and with `items` what tells items apart. */
static void offer_segments(struct completer *c, const struct dataset *d, bool items)
{
    for (size_t i = 0; cohorts_built_in[i]; i++)
        offer(c, cohorts_built_in[i]);
    for (size_t i = 0; i < d->user_fields.n; i++)
        offer(c, d->user_fields.field[i].name);
    if (items)
        offer(c, COHORTS_POPULARITY);
    for (size_t i = 0; i < d->item_fields.n && items; i++)
        if (cohorts_are_of_items(d, d->item_fields.field[i].name))
            offer(c, d->item_fields.field[i].name);
}

static enum status offer_note(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    (void)value;
    (void)n;
    (void)err;
    offer(context, name);
    return ST_OK;
}

static void offer_features(struct completer *c, const struct dataset *d)
{
    /* What cannot be read is not offered. */
    (void)!workspace_list_notes(c->wb->space, d->name, "feature", offer_note, c, NULL);
}

static void offer_verbs(struct completer *c)
{
    const struct command *command;
    for (size_t i = 0; (command = command_at(i)); i++) {
        if (!text_starts(command->name, c->prefix))
            continue;
        char first[64];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(command->name, " "), command->name);
        offer_raw(c, first);
    }
}

static void offer_classes(struct completer *c)
{
    for (size_t i = 0; model_classes[i]; i++)
        offer(c, model_classes[i]->name);
}

static void offer_argument(struct completer *c, const struct argument *a)
{
    struct dataset *d = c->wb ? workbench_data(c->wb) : NULL;
    struct param choices = {.choices = a->choices};
    switch (a->type) {
    case ARG_USER:
        if (d)
            offer_users(c, d);
        break;
    case ARG_ITEM:
        if (d)
            offer_items(c, d);
        break;
    case ARG_DATASET:
        if (c->wb)
            offer_datasets(c);
        break;
    case ARG_MODEL:
        if (c->wb)
            offer_models(c);
        break;
    case ARG_MODEL_CLASS:
        offer_classes(c);
        break;
    case ARG_PATH:
        offer_paths(c);
        break;
    case ARG_COMMAND:
        offer_verbs(c);
        break;
    case ARG_TOPIC:
        offer_verbs(c);
        offer_classes(c);
        offer_metrics(c);
        break;
    case ARG_SETTING:
        for (size_t i = 0; i < workbench_nsettings; i++)
            offer(c, workbench_settings[i].name);
        break;
    case ARG_CHOICE:
        offer_choices(c, &choices);
        break;
    case ARG_FEATURE:
        if (d)
            offer_features(c, d);
        break;
    case ARG_SOURCE:
        offer_sources(c);
        break;
    case ARG_METRIC:
        offer_metrics(c);
        break;
    case ARG_KNOWN:
        offer_known(c);
        break;
    case ARG_TABLE:
        for (size_t i = 0; sql_table_at(i); i++)
            offer(c, sql_table_at(i)->name);
        break;
    case ARG_VALUE:
    case ARG_TEXT:
        break;
    }
    dataset_release(d);
}

static void offer_value(struct completer *c, const struct param *p)
{
    static const struct param yes_no = {.choices = "yes|no"};
    if (p->choices)
        offer_choices(c, p);
    else if (p->type == PARAM_BOOL)
        offer_choices(c, &yes_no);
    else if (p->type == PARAM_PATH)
        offer_paths(c);
    else if (p->type == PARAM_MODEL && c->wb)
        offer_models(c);
    else if (p->type == PARAM_METRIC)
        offer_metrics(c);
    else if (p->initial)
        offer(c, p->initial);
    struct dataset *d = c->wb ? workbench_data(c->wb) : NULL;
    if (d && p->type == PARAM_COLUMN)
        offer_columns(c, d);
    else if (d && (p->type == PARAM_SEGMENT || p->type == PARAM_SEGMENTS))
        offer_segments(c, d, p->type == PARAM_SEGMENTS);
    else if (d && p->type == PARAM_EVENT)
        offer_event_types(c, d);
    else if (d && p->type == PARAM_USER)
        offer_users(c, d);
    else if (d && p->type == PARAM_ITEM)
        offer_items(c, d);
    dataset_release(d);
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
static void complete_value(struct completer *c, const struct place *p, const struct lexeme *l, const struct param *const *more, size_t nmore)
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

static void complete_in_command(struct completer *c, struct place *p, const struct lexemes *words, size_t n, const struct lexeme *present)
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

enum status command_complete(struct workbench *wb, const char *text, size_t cursor, struct completion *out, struct error *err)
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
