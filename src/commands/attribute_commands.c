/* load items, load users: what is known of items and users joins the data set that is open, or becomes one. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/loading.h"
#include "commands/mapping.h"
#include "commands/places.h"
#include "commands/recipe.h"
#include "ingest/ingest.h"

static void put_fields(const struct dataset *d, enum attribute_target target, struct result *out)
{
    static const struct column columns[] = {
        {.name = "field", .type = VALUE_TEXT},
        {.name = "type", .type = VALUE_TEXT},
        {.name = "known", .type = VALUE_INT},
        {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 0, .flags = COLUMN_BAR},
        {.name = "values", .type = VALUE_INT},
        {.name = "example", .type = VALUE_TEXT},
    };
    static const char *const types[] = {"text", "list", "real", "int", "time"};
    bool items = target == ATTRIBUTES_OF_ITEMS;
    const struct fields *set = items ? &d->item_fields : &d->user_fields;
    struct table *t =
        result_table(out, items ? "item_fields" : "user_fields", items ? "fields of items" : "fields of users", columns,
                     sizeof columns / sizeof *columns);
    struct str example = {0};
    for (size_t i = 0; i < set->n; i++) {
        const struct field *f = &set->field[i];
        size_t known = 0, first = f->n;
        for (size_t r = f->n; r-- > 0;) {
            known += !field_missing(f, r);
            first = field_missing(f, r) ? first : r;
        }
        str_reuse(&example);
        if (first < f->n)
            field_format(f, first, &example);
        table_text(t, f->name);
        table_text(t, types[f->type]);
        table_int(t, (int64_t)known);
        table_real(t, f->n ? (double)known / (double)f->n : 0);
        if (f->levels.n)
            table_int(t, f->levels.n);
        else
            table_null(t);
        table_text(t, first < f->n ? result_str(t->result, &example) : NULL);
    }
    str_free(&example);
}

/* What the attributes are joined to: the data set that is open; or, with `as NAME` or when none is open, a new one that
 * has users (or items) and no events. */
static enum status attribute_base(struct workbench *wb, const struct call *call, struct dataset **base, bool *alone,
                                  struct error *err)
{
    char name[64];
    bool found;
    struct dataset *open = workbench_data(wb);
    *alone = call->as.text || !open;
    dataset_release(open);
    if (!*alone)
        return workbench_base(wb, base, err);
    if (call->as.text && strlen(call->as.text) >= sizeof name)
        return error_at_word(error_set(err, ST_USAGE, "the name of a data set has at most 63 bytes"), err, &call->as);
    if (call->as.text)
        snprintf(name, sizeof name, "%s", call->as.text);
    else
        loading_name(call->args[0].text, name, sizeof name);
    enum status st = loading_found(wb, name, &found, err);
    if (!st && found && !call_yes(call, "replace"))
        st = loading_refuse_name(call, name, err);
    if (st)
        return st;
    *base = dataset_new(name, err);
    if (!*base)
        return ST_NOMEM;
    st = dataset_finish(*base, err);
    if (st) {
        dataset_release(*base);
        *base = NULL;
    }
    return st;
}

static enum status load_attributes(struct workbench *wb, const struct call *call, enum attribute_target target,
                                   struct result *out, struct error *err)
{
    struct reject_sink rejects = {wb, loading_reject};
    struct ingest_report report;
    struct mapping *mapping = NULL;
    size_t nmapping;
    struct dataset *base = NULL, *d = NULL;
    struct recipe *r = NULL;
    bool items = target == ATTRIBUTES_OF_ITEMS;
    char bundled[PLACE_MOST];
    const char *path = place_of_data(call->args[0].text, bundled, sizeof bundled) ? bundled : call->args[0].text;
    bool alone;
    enum status st = attribute_base(wb, call, &base, &alone, err);
    if (st)
        return st;
    uint32_t before = items ? base->items.n : base->users.n;
    st = mapping_collect(wb, call, &mapping, &nmapping, err);
    if (!st && !alone)
        st = workbench_recipe(wb, &r, err);
    else if (!st && !(r = recipe_copy(NULL, 0, err)))
        st = ST_NOMEM;
    if (!st)
        st = ingest_attributes(base, target, path, mapping, nmapping, &rejects, &wb->job, &d, &report, err);
    if (st)
        workspace_unstage_rejects(wb->space);
    if (!st) {
        size_t models = wb->nmodels;
        if (alone)
            st = loading_name_source(d, call, err);
        if (!st)
            st = loading_publish(wb, dataset_hold(d), r, !alone || call_yes(call, "replace"), NULL, err);
        r = NULL;
        if (!st) {
            uint32_t now = items ? d->items.n : d->users.n;
            uint64_t rejected = d->rows_rejected - base->rows_rejected, read = d->rows_read - base->rows_read;
            put_fields(d, target, out);
            loading_say_rows(read, read - rejected, rejected, out);
            loading_say_notes(&report, out);
            if (now > before)
                result_message(out, MESSAGE_INFO, "%u new %s%s without events", now - before, items ? "item" : "user",
                               now - before == 1 ? "" : "s");
            if (models && !alone)
                result_message(out, MESSAGE_WARNING, "models and split belonged to the data as it was: train again");
        }
        dataset_release(d);
    }
    mem_free(mapping);
    recipe_free(r);
    dataset_release(base);
    return loading_point_at(call, st, err);
}

static enum status run_load_items(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return load_attributes(wb, call, ATTRIBUTES_OF_ITEMS, out, err);
}

static enum status run_load_users(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return load_attributes(wb, call, ATTRIBUTES_OF_USERS, out, err);
}

/* ---- the table ---- */

static const struct argument attribute_args[] = {
    {.name = "FILE",
     .type = ARG_PATH,
     .doc = "a file or a pattern in quotes: CSV, TSV, JSON lines, u.item, movies.dat, u.user, users.dat"},
};

static const struct param attribute_options[] = {
    {.name = "id",
     .type = PARAM_TEXT,
     .doc = "column of the id (without it: one of a well-known name); row is the number of the row"},
    {.name = "map", .type = PARAM_TEXT, .doc = "a mapping that `mapping save` keeps"},
    {.name = "query", .type = PARAM_TEXT, .doc = "of an SQLite database: the SELECT whose rows are read"},
    {.name = "table", .type = PARAM_TEXT, .doc = "of an SQLite database: the table to read"},
    {.name = "keep", .type = PARAM_TEXT, .doc = "keep these columns only: a,b,c*"},
    {.name = "skip", .type = PARAM_TEXT, .doc = "leave these columns out: a,b,c*"},
    {.name = "delimiter",
     .type = PARAM_TEXT,
     .doc = "between columns: one character, or tab, comma, semicolon, pipe, space, ::"},
    {.name = "header", .type = PARAM_ENUM, .choices = "yes|no", .doc = "is the first row a header?"},
    {.name = "encoding", .type = PARAM_TEXT, .doc = "utf-8, latin1 or auto"},
    {.name = "time_format", .type = PARAM_TEXT, .doc = "how dates are written: a pattern as '%d %b %Y'"},
    {.name = "decimal", .type = PARAM_TEXT, .doc = "the mark in numbers: . or ,"},
    {.name = "replace",
     .type = PARAM_BOOL,
     .initial = "no",
     .doc = "with as NAME: overwrite the data set of that name"},
};

static const struct command rows[] = {
    {.name = "load items",
     .group = "files",
     .summary = "join titles, categories, prices, ... to the items",
     .arguments = attribute_args,
     .narguments = 1,
     .options = attribute_options,
     .noptions = sizeof attribute_options / sizeof *attribute_options,
     .flags = COMMAND_AS | COMMAND_OPEN | COMMAND_CHANGES,
     .help = "id=COLUMN says which column is the item; NAME=COLUMN gives a column another name, as in title=label. "
             "Values like a|b|c and JSON arrays are lists. "
             "Items of the file that no event has become new, cold items. Fields that are there already keep their "
             "values where the file says nothing.",
     .examples =
         (const char *const[]){"load items tiny/items.csv", "load items tiny/items.csv id=id title=title", NULL},
     .run = run_load_items},
    {.name = "load users",
     .group = "files",
     .summary = "join country, age, ... to the users",
     .arguments = attribute_args,
     .narguments = 1,
     .options = attribute_options,
     .noptions = sizeof attribute_options / sizeof *attribute_options,
     .flags = COMMAND_AS | COMMAND_OPEN | COMMAND_CHANGES,
     .help = "As `load items`, for users.\n"
             "With `as NAME`, or when no data set is open, the table becomes a data set of its own that has users and "
             "no events; id=row makes every row a user where no column is an id.",
     .examples = (const char *const[]){"load users tiny/users.csv", "load users tiny/users.csv as people", NULL},
     .run = run_load_users},
};

const struct command_family attribute_commands = {rows, sizeof rows / sizeof *rows};
