/* Candidates for completion: what there is of each kind of word. */
#include "commands/offer.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "commands/catalogue.h"
#include "commands/lex.h"
#include "commands/pinned.h"
#include "commands/places.h"
#include "eval/cohorts.h"
#include "eval/metric.h"

enum { MOST = 200 };

void offer_raw(struct completer *c, const char *text)
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

void offer(struct completer *c, const char *text)
{
    if (!text_starts(text, c->prefix))
        return;
    struct str word = {0};
    str_puts(&word, c->before);
    lex_quote(&word, text);
    offer_raw(c, str_text(&word));
    str_free(&word);
}

void offer_key(struct completer *c, const char *name)
{
    char key[96];
    snprintf(key, sizeof key, "%s=", name);
    if (text_starts(key, c->prefix))
        offer_raw(c, key);
}

/* ---- of a kind ---- */

static void offer_choices(struct completer *c, const struct param *p)
{
    char choice[64];
    for (size_t i = 0; param_choice(p, i, choice, sizeof choice); i++)
        offer(c, choice);
}

void offer_paths(struct completer *c)
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

void offer_models(struct completer *c)
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

void offer_verbs(struct completer *c)
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

/* ---- at a place ---- */

void offer_argument(struct completer *c, const struct argument *a)
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

void offer_value(struct completer *c, const struct param *p)
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
