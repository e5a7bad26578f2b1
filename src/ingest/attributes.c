/* Rows of delimited text or JSON lines as attributes of items or users. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/load.h"

struct attribute_reader {
    struct ingest *in;
    struct sheet *t;
    struct raw_columns *columns;
    struct dict *ids;
    const char *what; /* "item" or "user" */
    uint32_t key;
    bool by_row; /* id=row: the number of the row is the id */
    size_t *target; /* per column of the file: index in columns, or NOT_KEPT */
    size_t capacity;
    uint32_t planned;
};

enum { NOT_KEPT = -1 };

/* The name a column gets: what the mapping says (title=name), "title" for what is surely one, else its own. */
static const char *field_name(const struct attribute_reader *r, uint32_t c)
{
    static const char *const titles[] = {"title",        "movietitle",  "booktitle",    "itemtitle",
                                         "producttitle", "productname", "itemname",     "gamename",
                                         "moviename",    "bookname",    "artistname",   "tracktitle",
                                         "trackname",    "songtitle",   "articletitle", "headline"};
    const char *name = dict_text(&r->t->names, c);
    for (size_t i = 0; i < r->in->nmapping; i++)
        if (strcmp(r->in->mapping[i].key, "id") != 0 && sheet_column(r->t, r->in->mapping[i].value) == c)
            return r->in->mapping[i].key;
    if (strcmp(r->what, "item") != 0 || ingest_mapped(r->in, "title") ||
        dict_find_text(&r->t->names, "title") != NO_CODE)
        return name;
    char folded[64];
    name_fold(name, folded, sizeof folded);
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(folded, titles[i]) == 0)
            return "title";
    return name;
}

static enum status plan_columns(struct attribute_reader *r, struct error *err)
{
    enum status st = mem_grow(&r->target, &r->capacity, r->t->names.n, sizeof *r->target, err);
    for (; !st && r->planned < r->t->names.n; r->planned++) {
        uint32_t c = r->planned;
        r->target[c] = (size_t)NOT_KEPT;
        if (c == r->key || !ingest_keeps(r->in, dict_text(&r->t->names, c)))
            continue;
        st = raw_columns_add(r->columns, field_name(r, c), &r->target[c], err);
        if (!st)
            r->columns->column[r->target[c]].bars = true;
    }
    return st;
}

static enum status check_mapping(const struct attribute_reader *r, struct error *err)
{
    for (size_t i = 0; i < r->in->nmapping; i++)
        if (sheet_column(r->t, r->in->mapping[i].value) == NO_CODE && !ingest_is_option(r->in->mapping[i].key))
            return roles_missing(r->t, r->in->mapping[i].key, r->in->mapping[i].value, err);
    return ST_OK;
}

static enum status read_rows(struct attribute_reader *r, struct error *err)
{
    for (;;) {
        bool more;
        enum status st = ingest_next(r->in, r->t, &more, err);
        if (st || !more)
            return st;
        if (r->planned < r->t->names.n)
            st = plan_columns(r, err);
        if (st)
            return st;
        char number[24];
        const struct cell row_id = {
            .text = number,
            .n = (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)++r->in->row_number)};
        const struct cell *id = r->by_row ? &row_id : &r->t->row.cells[r->key];
        const char *bad = ingest_id(r->in, id, r->what);
        if (bad) {
            st = ingest_reject(r->in, r->t, bad, err);
            if (st)
                return st;
            continue;
        }
        uint32_t row;
        st = dict_add(r->ids, id->text, id->n, &row, err);
        for (uint32_t c = 0; !st && c < r->t->names.n; c++)
            if (r->target[c] != (size_t)NOT_KEPT)
                st = raw_column_set(&r->columns->column[r->target[c]], row, &r->t->row.cells[c], err);
        if (st)
            return st;
        r->in->data->rows_read++;
        r->in->data->rows_kept++;
    }
}

enum status attributes_read(struct ingest *in, struct sheet *t, enum attribute_target target, struct error *err)
{
    bool items = target == ATTRIBUTES_OF_ITEMS;
    struct attribute_reader r = {.in = in,
                                 .t = t,
                                 .columns = items ? &in->item_columns : &in->user_columns,
                                 .ids = items ? &in->data->items : &in->data->users,
                                 .what = items ? "item" : "user"};
    enum status st = check_mapping(&r, err);
    const char *id = ingest_mapped(in, "id");
    r.by_row = id && strcmp(id, "row") == 0 && sheet_column(t, id) == NO_CODE;
    r.key = NO_CODE;
    if (!st && !r.by_row)
        st = roles_find_key(in, t, target, &r.key, err);
    if (!st)
        st = plan_columns(&r, err);
    if (!st)
        st = read_rows(&r, err);
    mem_free(r.target);
    ingest_close(in, t);
    return st;
}

enum status attributes_beside(struct ingest *in, const char *path, const char *file, enum attribute_target target,
                              struct error *err)
{
    char beside[4096];
    if (!path_beside(path, file, beside, sizeof beside))
        return ST_OK;
    /* The mapping of the events says nothing about this file. */
    const size_t nmapping = in->nmapping;
    const struct sheet_form form = in->form;
    bool mine;
    in->nmapping = 0;
    in->form = (struct sheet_form){.encoding = form.encoding};
    enum status st = known_attributes(in, beside, target, &mine, err);
    if (!st && !mine) {
        struct sheet t;
        st = ingest_open(in, beside, NULL, &t, err);
        if (!st)
            st = attributes_read(in, &t, target, err);
    }
    in->nmapping = nmapping;
    in->form = form;
    return st;
}
