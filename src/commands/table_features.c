/* The table `features`: the value of each defined feature for each user, or each item, at the moment of the clock. A
 * piece is a feature. */
#include <string.h>

#include "base/mem.h"
#include "commands/held.h"
#include "features/feature.h"

enum { FEATURE, USER, ITEM, VALUE, COLUMNS };

static const struct held_column columns[COLUMNS] = {
    {"feature", SQL_TEXT, SQL_PUSH, "its name"},
    {"user", SQL_TEXT, SQL_PUSH, "whose, of a feature by user"},
    {"item", SQL_TEXT, SQL_PUSH, "of what, of a feature by item"},
    {"value", SQL_REAL, SQL_PUSH, "as of the clock; null when missing"},
};

struct definition {
    char *name, *text;
};

struct definitions {
    struct definition *at;
    size_t n, capacity;
};

static enum status add_definition(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    struct definitions *all = context;
    enum status st = mem_grow(&all->at, &all->capacity, all->n + 1, sizeof *all->at, err);
    if (st)
        return st;
    struct definition *d = &all->at[all->n];
    *d = (struct definition){mem_strdup(name, err), mem_strndup(value, n, err)};
    all->n++; /* what was made is freed with the rest */
    return d->name && d->text ? ST_OK : ST_NOMEM;
}

static void end(struct held_cursor *c)
{
    struct definitions *all = c->own;
    for (size_t i = 0; all && i < all->n; i++) {
        mem_free(all->at[i].name);
        mem_free(all->at[i].text);
    }
    if (all)
        mem_free(all->at);
    mem_free(all);
}

static enum status begin(struct held_cursor *c, size_t *pieces, struct error *err)
{
    struct definitions *all = mem_new(1, sizeof *all, "features", err);
    if (!all)
        return ST_NOMEM;
    c->own = all;
    enum status st =
        workspace_list_notes(c->pinned->wb->space, c->pinned->data->name, "feature", add_definition, all, err);
    *pieces = all->n;
    return st;
}

static enum status fill(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    const struct definition *d = &((struct definitions *)c->own)->at[piece];
    struct dataset *data = c->pinned->data;
    struct feature *f = NULL;
    struct error why;
    if (!held_wants(c, FEATURE, d->name) || feature_new(data, d->text, strlen(d->text), &f, &why))
        return ST_OK; /* `features` says which do not fit the data any more */
    size_t n = feature_entities(f);
    double *values = mem_new_raw(n, sizeof *values, "the values of a feature", err);
    enum status st = values ? feature_snapshot(f, c->pinned->now, &c->pinned->wb->job, values, err) : ST_NOMEM;
    bool by_item = feature_by_item(f);
    for (size_t i = 0; i < n && !st; i++) {
        table_text(out, d->name);
        table_text(out, by_item ? NULL : dict_text(&data->users, (uint32_t)i));
        table_text(out, by_item ? dict_text(&data->items, (uint32_t)i) : NULL);
        table_real(out, values[i]);
    }
    mem_free(values);
    feature_free(f);
    return st;
}

static const struct held features = {.columns = columns,
                                     .ncolumns = COLUMNS,
                                     .needs_data = true,
                                     .rows = 1e5,
                                     .user_column = SIZE_MAX,
                                     .begin = begin,
                                     .fill = fill,
                                     .end = end};

const struct sql_table table_features = {.own = &features,
                                         .name = "features",
                                         .summary = "values of the defined features, for each user or item",
                                         HELD_SLOTS};
