/* datasets: what there is, and what is well known. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "commands/catalogue.h"
#include "commands/families.h"
#include "commands/places.h"
#include "commands/recipe.h"
#include "ingest/load.h"

/* ---- what is here ---- */

/* The first table, while it is filled. */
struct kept {
    struct table *table;
    const struct dataset_info *list;
    size_t n, shown;
    const char *only; /* NULL: all */
    const char *open; /* NULL: none */
};

static bool wanted(const struct kept *k, const char *name)
{
    return !k->only || strcmp(k->only, name) == 0;
}

static enum status put_step_count(struct workbench *wb, const char *dataset, struct table *t, struct error *err)
{
    struct recipe *r = NULL;
    enum status st = recipe_load(wb->space, dataset, &r, err);
    if (st)
        return st;
    table_int(t, (int64_t)r->n);
    recipe_free(r);
    return ST_OK;
}

static enum status put_kept(struct workbench *wb, struct kept *k, struct error *err)
{
    struct table *t = k->table;
    enum status st = ST_OK;
    for (size_t i = 0; i < k->n && !st; i++) {
        const struct dataset_info *d = &k->list[i];
        if (!wanted(k, d->name))
            continue;
        k->shown++;
        table_text(t, d->name);
        table_text(t, d->source);
        table_int(t, (int64_t)d->users);
        table_int(t, (int64_t)d->items);
        table_int(t, (int64_t)d->events);
        table_time(t, d->oldest);
        table_time(t, d->newest);
        table_int(t, (int64_t)d->rejects);
        st = put_step_count(wb, d->name, t, err);
        table_int(t, (int64_t)d->bytes);
        table_bool(t, k->open && strcmp(k->open, d->name) == 0);
    }
    return st;
}

static enum status put_bundled(void *context, const char *name, const char *path, struct error *err)
{
    struct kept *k = context;
    struct table *t = k->table;
    (void)path;
    (void)err;
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->list[i].name, name) == 0)
            return ST_OK;
    if (!wanted(k, name))
        return ST_OK;
    k->shown++;
    table_text(t, name);
    table_text(t, "bundled");
    for (int i = 0; i < 8; i++)
        table_null(t);
    table_bool(t, false);
    return ST_OK;
}

static enum status put_here(struct workbench *wb, const char *only, struct result *out, size_t *shown,
                            struct error *err)
{
    static const struct column columns[] = {
        {.name = "dataset", .type = VALUE_TEXT},
        {.name = "source", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "oldest", .type = VALUE_TIME, .flags = COLUMN_COMPACT},
        {.name = "newest", .type = VALUE_TIME, .flags = COLUMN_COMPACT},
        {.name = "rejects", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "steps", .type = VALUE_INT},
        {.name = "bytes", .type = VALUE_INT, .unit = "B", .flags = COLUMN_HIDDEN},
        {.name = "open", .type = VALUE_BOOL},
    };
    struct dataset_info *list = NULL;
    size_t n = 0;
    enum status st = workspace_list_datasets(wb->space, &list, &n, err);
    if (st)
        return st;
    struct dataset *d = workbench_data(wb);
    struct table *t = result_table(out, "datasets", "", columns, sizeof columns / sizeof *columns);
    struct kept k = {.table = t, .list = list, .n = n, .only = only, .open = d ? d->name : NULL};
    st = put_kept(wb, &k, err);
    if (!st)
        st = place_each_bundled(put_bundled, &k, err);
    *shown = k.shown;
    dataset_release(d);
    mem_free(list);
    return st;
}

/* ---- what is well known ---- */

static void put_count(struct table *t, uint64_t n)
{
    if (n)
        table_int(t, (int64_t)n);
    else
        table_null(t);
}

static enum status put_known(struct workbench *wb, const struct known *known, struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "dataset", .type = VALUE_TEXT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "download", .type = VALUE_INT, .unit = "B"},
        {.name = "how", .type = VALUE_TEXT},
        {.name = "about", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "licence", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "citation", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
    };
    struct table *t = result_table(out, "known", "well known", columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < known->n; i++) {
        const struct known_set *s = &known->set[i];
        char folder[PATH_MAX];
        enum status st = catalogue_place(wb, "", s->name, folder, sizeof folder, err);
        if (st)
            return st;
        table_text(t, s->name);
        put_count(t, s->users);
        put_count(t, s->items);
        put_count(t, s->events);
        put_count(t, known_bytes(s));
        table_text(t, path_is_folder(folder) ? "is here" : s->by_hand ? "by hand" : "download");
        table_text(t, s->about);
        table_text(t, s->licence);
        table_text(t, s->cite);
    }
    result_message(out, MESSAGE_HINT,
                   "`load NAME` opens one of the first, `download NAME` fetches one of the well known, `datasets NAME` "
                   "says all of it");
    return ST_OK;
}

static void put_fact(struct table *t, const char *what, const char *value)
{
    if (value) {
        table_text(t, what);
        table_text(t, value);
    }
}

static void put_count_fact(struct table *t, const char *what, uint64_t n, struct result *out)
{
    char count[32];
    text_count(count, sizeof count, (int64_t)n);
    put_fact(t, what, n ? result_text(out, count) : NULL);
}

static void put_files(struct table *t, const struct known_set *s, struct result *out)
{
    for (size_t i = 0; i < s->nfiles; i++) {
        const struct known_file *f = &s->file[i];
        char size[32];
        text_bytes(size, sizeof size, (double)f->bytes);
        put_fact(t, f->url ? "url" : "file", f->url ? f->url : f->name);
        put_fact(t, "size", f->bytes ? result_text(out, size) : NULL);
        put_fact(t, "sha256", f->sha256);
        put_fact(t, "md5", f->sha256 ? NULL : f->md5);
        if (f->url && !f->sha256 && !f->md5)
            put_fact(t, "checksum", "none is published: the first download records it");
    }
}

static enum status describe(struct workbench *wb, const struct known_set *s, struct result *out, struct error *err)
{
    static const struct column columns[] = {{.name = "what", .type = VALUE_TEXT},
                                            {.name = "value", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    char folder[PATH_MAX], origin[PATH_MAX + 16], *text = NULL;
    size_t n;
    enum status st = catalogue_place(wb, "", s->name, folder, sizeof folder, err);
    if (st)
        return st;
    struct table *t = result_table(out, "known", "", columns, 2);
    put_fact(t, "dataset", s->name);
    put_fact(t, "title", s->title);
    put_fact(t, "about", s->about);
    put_count_fact(t, "users", s->users, out);
    put_count_fact(t, "items", s->items, out);
    put_count_fact(t, "events", s->events, out);
    put_fact(t, "licence", s->licence);
    put_fact(t, "cite", s->cite);
    put_fact(t, "page", s->page);
    put_files(t, s, out);
    put_fact(t, "is read as", result_textf(out, "load %s", s->load));
    put_fact(t, "items", s->items_from ? result_textf(out, "load items %s", s->items_from) : NULL);
    put_fact(t, "users", s->users_from ? result_textf(out, "load users %s", s->users_from) : NULL);
    snprintf(origin, sizeof origin, "%s/.origin", folder);
    if (path_is_folder(folder)) {
        put_fact(t, "is here", folder);
        if (file_read(origin, 1 << 20, &text, &n, NULL) == ST_OK)
            put_fact(t, "came from", text);
        mem_free(text);
        return ST_OK;
    }
    put_fact(t, "by hand", result_textf(out, "get %s from %s, then: download %s from=PATH-OF-IT",
                                        s->nfiles > 1 ? "the files into one folder" : s->file[0].name,
                                        s->by_hand ? "the page" : "the url", s->name));
    return ST_OK;
}

static enum status run_datasets(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const char *only = call->nargs ? call->args[0].text : NULL;
    struct known known = {0};
    size_t shown = 0;
    enum status st = catalogue_read(&known, err);
    const struct known_set *set = only && !st ? known_find(&known, only) : NULL;
    if (!st && set)
        st = describe(wb, set, out, err);
    else if (!st)
        st = put_here(wb, only, out, &shown, err);
    if (!st && only && !set && !shown)
        st = catalogue_find(&known, &call->args[0], &set, err);
    if (!st && !only)
        st = put_known(wb, &known, out, err);
    known_clear(&known);
    return st;
}

/* ---- the table ---- */

static const struct argument datasets_args[] = {
    {.name = "NAME", .type = ARG_KNOWN, .optional = true, .doc = "one of them, with licence, citation and files"},
};

static const struct command rows[] = {
    {.name = "datasets",
     .group = "files",
     .summary = "the data sets of the workspace, the bundled and the well-known ones",
     .arguments = datasets_args,
     .narguments = 1,
     .flags = COMMAND_SEVERAL,
     .help = "Of the well-known ones: size, licence and citation. `load NAME` opens one of the workspace or a bundled "
             "one, `download NAME` fetches a well-known one.\n"
             "The catalogue is a text file, and entries of your own go into ~/.config/tailor/catalogue.txt; the head "
             "of datasets/catalogue.txt says how one is written.",
     .examples = (const char *const[]){"datasets", "datasets ml-100k", NULL},
     .run = run_datasets},
};

const struct command_family catalogue_commands = {rows, sizeof rows / sizeof *rows};
