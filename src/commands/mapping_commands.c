/* preview, mapping, mapping save, mapping drop: how to read a strange file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/lex.h"
#include "commands/mapping.h"
#include "commands/places.h"
#include "ingest/preview.h"

/* ---- mappings under a name: key NUL value NUL ... ---- */

static const char kind[] = "mapping";

static bool is_own(const char *option)
{
    static const char *const own[] = {"replace", "map", "recipe", "again", "every", "for", "from"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(option, own[i]) == 0)
            return true;
    return false;
}

static bool has_key(const struct mapping *m, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(m[i].key, key) == 0)
            return true;
    return false;
}

/* The next pair of a kept mapping; false at its end. */
static bool next_pair(const char **at, const char *end, struct mapping *pair)
{
    if (*at >= end)
        return false;
    pair->key = *at;
    pair->value = pair->key + strlen(pair->key) + 1;
    if (pair->value >= end)
        return false;
    *at = pair->value + strlen(pair->value) + 1;
    return true;
}

struct nearest {
    const char *name;
    struct str names;
};

static enum status note_name(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    struct nearest *near = context;
    (void)value;
    (void)n;
    (void)err;
    str_printf(&near->names, "%s%s", near->names.length ? ", " : "", name);
    return ST_OK;
}

static enum status no_such_mapping(struct workbench *wb, const char *name, struct error *err)
{
    struct nearest near = {.name = name};
    enum status st = workspace_list_notes(wb->space, NULL, kind, note_name, &near, NULL);
    error_set(err, ST_NOT_FOUND, "there is no mapping \"%s\"", name);
    if (!st && near.names.length)
        error_hint(err, "there are: %s", str_text(&near.names));
    else
        error_hint(err, "`mapping save %s user=COLUMN item=COLUMN ...` makes it", name);
    str_free(&near.names);
    return ST_NOT_FOUND;
}

enum status mapping_collect(struct workbench *wb, const struct call *call, struct mapping **out, size_t *n,
                            struct error *err)
{
    const struct command *c = call->command;
    void *kept = NULL;
    size_t length = 0, most = c->noptions + call->nopen, map = c->noptions;
    enum status st = ST_OK;
    for (size_t i = 0; i < c->noptions; i++)
        if (strcmp(c->options[i].name, "map") == 0 && call->values[i].given)
            map = i;
    if (map < c->noptions) {
        st = workspace_get_note(wb->space, NULL, kind, call->values[map].text, &kept, &length, err);
        if (st == ST_NOT_FOUND)
            return error_at_option(no_such_mapping(wb, call->values[map].text, err), err, call, "map");
        if (st)
            return st;
    }
    /* The texts of the kept mapping lie behind the array, in the same block. */
    most += length / 2 + 1;
    struct mapping *m = mem_new(1, most * sizeof *m + length + 1, "a mapping", err);
    *n = 0;
    if (!m) {
        mem_free(kept);
        return ST_NOMEM;
    }
    for (size_t i = 0; i < c->noptions; i++)
        if (!is_own(c->options[i].name) && call->values[i].given)
            m[(*n)++] = (struct mapping){c->options[i].name, call->values[i].text};
    for (size_t i = 0; i < call->nopen; i++)
        m[(*n)++] = (struct mapping){call->open[i].key.text, call->open[i].value.text};
    char *texts = (char *)(m + most);
    const char *at = texts;
    if (length)
        memcpy(texts, kept, length);
    mem_free(kept);
    struct mapping pair;
    for (size_t typed = *n; next_pair(&at, texts + length, &pair);)
        if (!has_key(m, typed, pair.key))
            m[(*n)++] = pair;
    *out = m;
    return ST_OK;
}

static enum status run_save(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct mapping *m = NULL;
    struct str text = {0};
    size_t n;
    const char *name = call->args[0].text;
    enum status st = mapping_collect(wb, call, &m, &n, err);
    if (!st && (strlen(name) > 63 || !*name))
        st = error_at_word(error_set(err, ST_USAGE, "the name of a mapping has 1 to 63 bytes"), err, &call->args[0]);
    if (!st && n == 0) {
        st = error_set(err, ST_USAGE, "nothing is mapped");
        error_hint(err, "mapping save %s user=COLUMN item=COLUMN time=COLUMN; `preview FILE` proposes what to say",
                   name);
    }
    if (!st)
        st = ingest_check_mapping(m, n, err);
    for (size_t i = 0; i < n && !st; i++) {
        str_append(&text, m[i].key, strlen(m[i].key) + 1);
        str_append(&text, m[i].value, strlen(m[i].value) + 1);
    }
    if (!st && text.failed)
        st = error_nomem(err, text.length, "a mapping");
    if (!st)
        st = workspace_put_note(wb->space, NULL, kind, name, text.data, text.length, err);
    if (!st)
        result_message(out, MESSAGE_INFO, "kept: `load FILE map=%s` reads files this way", name);
    str_free(&text);
    mem_free(m);
    return st;
}

static enum status put_mapping(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    struct table *t = context;
    struct str text = {0};
    struct mapping pair;
    const char *at = value, *end = at + n;
    (void)err;
    while (next_pair(&at, end, &pair)) {
        str_printf(&text, "%s%s=", text.length ? " " : "", pair.key);
        lex_quote(&text, pair.value);
    }
    table_text(t, name);
    table_str(t, &text);
    str_free(&text);
    return ST_OK;
}

static enum status run_mapping(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    static const struct column columns[] = {{.name = "mapping", .type = VALUE_TEXT},
                                            {.name = "says", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    struct table *t = result_table(out, "mappings", "", columns, 2);
    (void)call;
    enum status st = workspace_list_notes(wb->space, NULL, kind, put_mapping, t, err);
    if (!st && t->nrows == 0)
        result_message(out, MESSAGE_HINT, "none is kept: `mapping save NAME user=COLUMN item=COLUMN ...` keeps one");
    return st;
}

static enum status run_drop(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const char *name = call->args[0].text;
    enum status st = workspace_drop_note(wb->space, NULL, kind, name, err);
    if (st == ST_NOT_FOUND)
        return error_at_word(no_such_mapping(wb, name, err), err, &call->args[0]);
    if (!st)
        result_message(out, MESSAGE_INFO, "the mapping %s is forgotten", name);
    return st;
}

/* ---- preview ---- */

static void put_columns(const struct preview *p, struct result *out)
{
    static const struct column columns[] = {
        {.name = "column", .type = VALUE_TEXT},
        {.name = "taken_for", .type = VALUE_TEXT},
        {.name = "by", .type = VALUE_TEXT},
        {.name = "type", .type = VALUE_TEXT},
        {.name = "missing", .type = VALUE_REAL, .unit = "%", .precision = 0},
        {.name = "distinct", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "examples", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
    };
    struct table *t = result_table(out, "columns", "", columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < p->ncolumns; i++) {
        const struct preview_column *c = &p->column[i];
        struct str examples = {0};
        for (size_t k = 0; k < PREVIEW_EXAMPLES && c->example[k][0]; k++)
            str_printf(&examples, "%s%s", k ? "  " : "", c->example[k]);
        table_text(t, c->name);
        table_text(t, c->role[0] ? c->role : NULL);
        table_text(t, c->by[0] ? c->by : NULL);
        table_text(t, c->type);
        table_real(t, c->seen ? (double)c->missing / (double)c->seen : 0);
        table_int(t, c->distinct);
        table_str(t, &examples);
        str_free(&examples);
    }
}

/* The first events in the order of the file; columns that hold nothing are left out. */
static void put_events(const struct dataset *d, struct result *out)
{
    enum { SHOWN = 5 };
    const struct events *e = &d->events;
    struct column columns[6] = {{.name = "user", .type = VALUE_TEXT}, {.name = "item", .type = VALUE_TEXT}};
    size_t first[SHOWN], n = e->n < SHOWN ? e->n : SHOWN, width = 2;
    if (dataset_titles(d))
        columns[width++] = (struct column){.name = "title", .type = VALUE_TEXT};
    if (e->time)
        columns[width++] = (struct column){.name = "time", .type = VALUE_TIME};
    columns[width++] = (struct column){.name = "type", .type = VALUE_TEXT};
    if (e->value)
        columns[width++] = (struct column){.name = "value", .type = VALUE_REAL, .precision = -1};
    struct table *t = result_table(out, "events", "the first rows, as events", columns, width);
    for (size_t i = 0; i < e->n; i++)
        if (e->sequence[i] < n)
            first[e->sequence[i]] = i;
    for (size_t k = 0; k < n; k++) {
        size_t i = first[k];
        table_text(t, dict_text(&d->users, e->user[i]));
        table_text(t, dict_text(&d->items, e->item[i]));
        if (dataset_titles(d))
            table_text(t, dataset_item_title(d, e->item[i]));
        if (e->time)
            table_time(t, e->time[i]);
        table_text(t, dict_text(&d->types, e->type[i]));
        if (e->value)
            table_real(t, real_of_single(e->value[i]));
    }
}

static void say_file(const struct preview *p, struct result *out)
{
    char rows[32], guessed[32];
    text_count(rows, sizeof rows, (int64_t)p->rows);
    text_count(guessed, sizeof guessed, (int64_t)p->rows_guessed);
    if (!p->ncolumns)
        result_message(out, MESSAGE_INFO, "the layout is known: %s", p->reader);
    else if (p->whole)
        result_message(out, MESSAGE_INFO, "%s: %s; %s row%s", p->reader, p->form, rows, p->rows == 1 ? "" : "s");
    else if (p->rows_guessed)
        result_message(out, MESSAGE_INFO, "%s: %s; looked at the first %s rows of about %s", p->reader, p->form, rows,
                       guessed);
    else
        result_message(out, MESSAGE_INFO, "%s: %s; looked at the first %s rows", p->reader, p->form, rows);
}

/* Are the examples of its ids all in the open data? */
static bool is_known_table(struct workbench *wb, const struct preview *p)
{
    struct dataset *d = workbench_data(wb);
    size_t looked = 0, known = 0;
    for (size_t c = 0; c < p->ncolumns && d; c++)
        for (size_t e = 0; e < PREVIEW_EXAMPLES && strcmp(p->column[c].role, "id") == 0; e++) {
            const char *id = p->column[c].example[e];
            looked += *id != 0;
            known += *id && dict_find_text(strcmp(p->table, "users") == 0 ? &d->users : &d->items, id) != NO_CODE;
        }
    dataset_release(d);
    return looked && known == looked;
}

static void say_table(struct workbench *wb, const struct preview *p, struct result *out)
{
    bool users = strcmp(p->table, "users") == 0;
    if (is_known_table(wb, p))
        result_message(out, MESSAGE_INFO, "its ids are %s of the open data", p->table);
    else
        result_message(out, MESSAGE_WARNING,
                       users
                           ? "nothing says which item: taken for a table of users (item==NAME makes events of its rows)"
                           : "nothing says who: taken for a table of items (user=COLUMN makes events of its rows)");
}

static enum status run_preview(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    static const struct column line_column = {.name = "load", .type = VALUE_TEXT};
    char bundled[PLACE_MOST];
    const char *typed = call->args[0].text, *path = place_of_data(typed, bundled, sizeof bundled) ? bundled : typed;
    struct mapping *m = NULL;
    struct str line = {0};
    size_t n;
    struct preview *p = mem_new(1, sizeof *p, "a preview", err);
    enum status st = p ? mapping_collect(wb, call, &m, &n, err) : ST_NOMEM;
    if (!st)
        st = ingest_preview(path, m, n, lex_quote, &wb->job, p, err);
    if (!st) {
        if (p->ncolumns)
            put_columns(p, out);
        if (p->head)
            put_events(p->head, out);
        say_file(p, out);
        if (p->table)
            say_table(wb, p, out);
        for (size_t i = 0; i < p->ndoubts; i++)
            result_message(out, MESSAGE_WARNING, "%s", p->doubt[i].text);
        for (size_t i = 0; i < p->report.nnotes && p->head && !p->ncolumns; i++)
            result_message(out, MESSAGE_INFO, "%s", p->report.notes[i].text);
        if (p->trouble[0])
            result_message(out, MESSAGE_WARNING, "as it stands it does not load: %s", p->trouble);
        str_printf(&line, "load %s%s", p->table ? p->table : "", p->table ? " " : "");
        lex_quote(&line, typed);
        if (p->mapping[0])
            str_printf(&line, " %s", p->mapping);
        struct table *t = result_table(out, "proposal", "", &line_column, 1);
        t->prose = true;
        table_str(t, &line);
    }
    if (p)
        dataset_release(p->head);
    str_free(&line);
    mem_free(m);
    mem_free(p);
    return st;
}

/* ---- the table ---- */

static const struct argument preview_args[] = {
    {.name = "PATH", .type = ARG_SOURCE, .doc = "a file, a folder of a known layout, an SQLite database"},
};

static const struct argument name_args[] = {
    {.name = "NAME", .type = ARG_TEXT, .doc = "of the mapping"},
};

static const struct param preview_options[] = {
    {.name = "map", .type = PARAM_TEXT, .doc = "a mapping that is kept under this name"},
};

static const struct command rows[] = {
    {.name = "preview",
     .group = "files",
     .summary = "look at a file and propose how to load it",
     .arguments = preview_args,
     .narguments = 1,
     .options = preview_options,
     .noptions = 1,
     .flags = COMMAND_OPEN | COMMAND_SEVERAL,
     .help = "Looks at the head of a file: what its columns hold and are taken for (by what was said, by their names, "
             "by what stands in them), the first rows as they would be read, what is doubtful, and the `load` line to "
             "copy. All that `load` takes (user=, item=, delimiter=, ...) can be said here too.",
     .examples = (const char *const[]){"preview tiny/events.csv", "preview tiny/events.csv user=user item=item", NULL},
     .run = run_preview},
    {.name = "mapping",
     .group = "files",
     .summary = "list the mappings that are kept",
     .help = "A mapping says how to read files of one kind; the workspace keeps it under a name for `load FILE "
             "map=NAME`.",
     .examples = (const char *const[]){"mapping", NULL},
     .run = run_mapping},
    {.name = "mapping save",
     .group = "files",
     .summary = "keep what is said of columns under a name",
     .arguments = name_args,
     .narguments = 1,
     .flags = COMMAND_OPEN | COMMAND_CHANGES,
     .help = "Takes all key=value of `load`: mapping save shop user=uid item=sku time=ts tz=+02:00. A mapping of that "
             "name is replaced.",
     .examples = (const char *const[]){"mapping save clicks user=uid item=sku time=ts", NULL},
     .run = run_save},
    {.name = "mapping drop",
     .group = "files",
     .summary = "forget a mapping",
     .arguments = name_args,
     .narguments = 1,
     .flags = COMMAND_CHANGES,
     .help = "Data sets that were loaded with it stay as they are.",
     .examples = (const char *const[]){"mapping drop shop_log", NULL},
     .run = run_drop},
};

const struct command_family mapping_commands = {rows, sizeof rows / sizeof *rows};
