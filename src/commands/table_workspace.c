/* What the workspace keeps beside the events: the tables `item_tags`, `rejects`, `datasets` and `models`. */
#include <string.h>

#include "base/mem.h"
#include "commands/held.h"

/* ---- item_tags ---- */

enum { T_ITEM, T_FIELD, T_VALUE, T_COLUMNS };

static const struct held_column tag_columns[T_COLUMNS] = {
    {"item", SQL_TEXT, SQL_PUSH, "id"},
    {"field", SQL_TEXT, SQL_PUSH, "attribute with several values: tags, genres"},
    {"value", SQL_TEXT, SQL_PUSH, "one of them"},
};

/* A piece is a field. */
static enum status begin_tags(struct held_cursor *c, size_t *pieces, struct error *err)
{
    (void)err;
    *pieces = c->pinned->data->item_fields.n;
    return ST_OK;
}

static enum status fill_tags(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    const struct dataset *d = c->pinned->data;
    const struct field *f = &d->item_fields.field[piece];
    (void)err;
    if (f->type != FIELD_LIST || !held_wants(c, T_FIELD, f->name))
        return ST_OK;
    for (size_t i = 0; i < d->items.n; i++)
        for (size_t k = f->list_begin[i]; k < f->list_begin[i + 1]; k++) {
            table_text(out, dict_text(&d->items, (uint32_t)i));
            table_text(out, f->name);
            table_text(out, dict_text(&f->levels, f->list_code[k]));
        }
    return ST_OK;
}

static const struct held tags = {.columns = tag_columns,
                                 .ncolumns = T_COLUMNS,
                                 .needs_data = true,
                                 .rows = 1e5,
                                 .user_column = SIZE_MAX,
                                 .begin = begin_tags,
                                 .fill = fill_tags};

const struct sql_table table_item_tags = {.own = &tags,
                                          .name = "item_tags",
                                          .summary = "each value of the items' lists (tags, genres)",
                                          .few = true,
                                          HELD_SLOTS};

/* ---- rejects ---- */

enum { R_FILE, R_LINE, R_REASON, R_TEXT, R_COLUMNS };

static const struct held_column reject_columns[R_COLUMNS] = {
    {"file", SQL_TEXT, SQL_PUSH, "which file"},
    {"line", SQL_INT, SQL_PUSH, "line, from 1"},
    {"reason", SQL_TEXT, SQL_PUSH, "why it could not be used"},
    {"text", SQL_TEXT, 0, "the row as it was"},
};

static enum status put_reject(void *context, const struct reject *r, struct error *err)
{
    struct table *t = context;
    (void)err;
    table_text(t, r->file);
    table_int(t, (int64_t)r->line);
    table_text(t, r->reason);
    table_textn(t, r->text, r->text_length);
    return ST_OK;
}

static enum status fill_rejects(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    (void)piece;
    return workspace_each_reject(c->pinned->wb->space, c->pinned->data->name, 0, INT64_MAX, put_reject, out, err);
}

static const struct held rejects = {.columns = reject_columns,
                                    .ncolumns = R_COLUMNS,
                                    .needs_data = true,
                                    .rows = 1e4,
                                    .user_column = SIZE_MAX,
                                    .fill = fill_rejects};

const struct sql_table table_rejects = {.own = &rejects,
                                        .name = "rejects",
                                        .summary = "rows of the files that could not be used, and why",
                                        .few = true,
                                        HELD_SLOTS};

/* ---- datasets ---- */

enum {
    D_DATASET,
    D_EVENTS,
    D_USERS,
    D_ITEMS,
    D_REJECTS,
    D_OLDEST,
    D_NEWEST,
    D_LOADED,
    D_BYTES,
    D_SOURCE,
    D_OPEN,
    D_COLUMNS
};

static const struct held_column dataset_columns[D_COLUMNS] = {
    {"dataset", SQL_TEXT, SQL_PUSH, "name"},
    {"events", SQL_INT, SQL_PUSH, "how many, as loaded"},
    {"users", SQL_INT, SQL_PUSH, "how many"},
    {"items", SQL_INT, SQL_PUSH, "how many"},
    {"rejects", SQL_INT, SQL_PUSH, "rows that could not be used"},
    {"oldest", SQL_TIME, SQL_PUSH, "time of the first event"},
    {"newest", SQL_TIME, SQL_PUSH, "time of the last event"},
    {"loaded", SQL_TIME, SQL_PUSH, "when it was loaded"},
    {"bytes", SQL_INT, SQL_PUSH, "in the workspace"},
    {"source", SQL_TEXT, SQL_PUSH, "what it was loaded from"},
    {"open", SQL_INT, SQL_PUSH, "1: the other tables are about this one"},
};

static enum status fill_datasets(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    const struct dataset *open = c->pinned->data;
    struct dataset_info *list = NULL;
    size_t n = 0;
    (void)piece;
    enum status st = workspace_list_datasets(c->pinned->wb->space, &list, &n, err);
    for (size_t i = 0; i < n && !st; i++) {
        table_text(out, list[i].name);
        table_int(out, (int64_t)list[i].events);
        table_int(out, (int64_t)list[i].users);
        table_int(out, (int64_t)list[i].items);
        table_int(out, (int64_t)list[i].rejects);
        table_time(out, list[i].oldest);
        table_time(out, list[i].newest);
        table_time(out, list[i].loaded);
        table_int(out, (int64_t)list[i].bytes);
        table_text(out, list[i].source);
        table_int(out, open && strcmp(open->name, list[i].name) == 0);
    }
    mem_free(list);
    return st;
}

static const struct held datasets = {
    .columns = dataset_columns, .ncolumns = D_COLUMNS, .rows = 10, .user_column = SIZE_MAX, .fill = fill_datasets};

const struct sql_table table_datasets = {
    .own = &datasets, .name = "datasets", .summary = "the data sets of the workspace", .few = true, HELD_SLOTS};

/* ---- models ---- */

enum {
    M_MODEL,
    M_CLASS,
    M_PARAMETERS,
    M_EVENTS,
    M_USERS,
    M_ITEMS,
    M_EPOCHS,
    M_SECONDS,
    M_BYTES,
    M_VECTORS,
    M_UNTIL,
    M_CREATED,
    M_SEED,
    M_SPLIT,
    M_COLUMNS
};

static const struct held_column model_columns[M_COLUMNS] = {
    {"model", SQL_TEXT, SQL_PUSH, "name"},
    {"class", SQL_TEXT, SQL_PUSH, "what kind: ease, itemknn, ..."},
    {"parameters", SQL_TEXT, 0, "as they would be typed"},
    {"events", SQL_INT, SQL_PUSH, "trained on so many"},
    {"users", SQL_INT, SQL_PUSH, "of so many users"},
    {"items", SQL_INT, SQL_PUSH, "with so many items"},
    {"epochs", SQL_INT, SQL_PUSH, "rounds of training"},
    {"seconds", SQL_REAL, SQL_PUSH, "that training took"},
    {"bytes", SQL_INT, SQL_PUSH, "as saved, with the models it is made of; in memory up to three times that"},
    {"vectors_bytes", SQL_INT, SQL_PUSH, "of its users' vectors, in memory only: about 64 MiB a model at most"},
    {"trained_until", SQL_TIME, SQL_PUSH, "the newest event seen"},
    {"created", SQL_TIME, SQL_PUSH, "when it was trained"},
    {"seed", SQL_INT, SQL_PUSH, "of everything random"},
    {"of_this_split", SQL_INT, SQL_PUSH, "1: trained on the train part of the present split"},
};

static enum status fill_models(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    const struct pinned *p = c->pinned;
    struct str words = {0};
    (void)piece;
    for (size_t i = 0; i < p->nmodels; i++) {
        const struct model *m = p->models[i];
        const struct model_record *r = &m->record;
        str_reuse(&words);
        model_describe(m, false, &words);
        table_text(out, m->name);
        table_text(out, m->class->name);
        table_str(out, &words);
        table_int(out, (int64_t)r->events);
        table_int(out, (int64_t)r->users);
        table_int(out, (int64_t)r->items);
        table_int(out, (int64_t)r->epochs);
        table_real(out, r->seconds);
        table_int(out, (int64_t)model_bytes(m));
        table_int(out, (int64_t)model_vectors_bytes(m));
        table_time(out, r->trained_until);
        table_time(out, r->created);
        table_int(out, (int64_t)r->seed);
        table_int(out, p->split && r->split_fingerprint == p->split->fingerprint);
    }
    enum status st = words.failed ? error_nomem(err, words.capacity, "parameters") : ST_OK;
    str_free(&words);
    return st;
}

static const struct held models = {
    .columns = model_columns, .ncolumns = M_COLUMNS, .rows = 10, .user_column = SIZE_MAX, .fill = fill_models};

const struct sql_table table_models = {
    .own = &models, .name = "models", .summary = "the trained models", .few = true, HELD_SLOTS};
