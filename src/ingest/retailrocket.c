/* The properties of RetailRocket's items: item_properties_part1.csv, ..._part2.csv with rows of timestamp, itemid,
 * property, value, in no order of time; and category_tree.csv with categoryid, parentid.
 *
 * The last value of a property counts. Kept are the two that have names, categoryid and available; the others are
 * hashes of numbers, and keep=790,888 keeps those. The category's parent and the root above it come from the tree. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/load.h"

/* When the value of a property that an item has was set. */
struct moments {
    int64_t *time;
    size_t n, capacity;
};

struct properties {
    struct ingest *in;
    struct moments *moments; /* one for each column that is kept */
    size_t *column;          /* in in->item_columns */
    struct dict kept;        /* names of the properties */
    size_t n, capacity, column_capacity;
    bool any;                /* keep=all */
};

static enum status keep_property(struct properties *p, const char *name, size_t n, uint32_t *code, struct error *err)
{
    *code = dict_find(&p->kept, name, n);
    if (*code != NO_CODE)
        return ST_OK;
    enum status st = dict_add(&p->kept, name, n, code, err);
    if (!st)
        st = mem_grow(&p->moments, &p->capacity, p->n + 1, sizeof *p->moments, err);
    if (!st)
        st = mem_grow(&p->column, &p->column_capacity, p->n + 1, sizeof *p->column, err);
    if (st)
        return st;
    p->moments[p->n] = (struct moments){0};
    st = raw_columns_add(&p->in->item_columns, dict_text(&p->kept, *code), &p->column[p->n], err);
    if (!st && strcmp(dict_text(&p->kept, *code), "categoryid") == 0)
        p->in->item_columns.column[p->column[p->n]].text = true;
    p->n++;
    return st;
}

/* Is this value newer than the one the item has? Remembers the time when it is. */
static enum status is_newer(struct moments *m, uint32_t item, int64_t time, bool *newer, struct error *err)
{
    if (item >= m->n) {
        enum status st = mem_grow(&m->time, &m->capacity, item + (size_t)1, sizeof *m->time, err);
        if (st)
            return st;
        while (m->n <= item)
            m->time[m->n++] = NO_TIME;
    }
    *newer = m->time[item] == NO_TIME || time >= m->time[item];
    if (*newer)
        m->time[item] = time;
    return ST_OK;
}

static enum status take_property(struct properties *p, const struct sheet *t, const char **bad, struct error *err)
{
    const struct cell *c = t->row.cells;
    int64_t time;
    uint32_t code, item;
    bool newer;
    *bad = ingest_id(p->in, &c[1], "item");
    if (!*bad && (!time_parse(c[0].text, c[0].n, 0, &time) || c[2].n == 0))
        *bad = "no time or no property";
    if (*bad)
        return ST_OK;
    code = dict_find(&p->kept, c[2].text, c[2].n);
    enum status st = ST_OK;
    if (code == NO_CODE && p->any)
        st = keep_property(p, c[2].text, c[2].n, &code, err);
    if (st || code == NO_CODE)
        return st;
    st = dict_add(&p->in->data->items, c[1].text, c[1].n, &item, err);
    if (!st)
        st = is_newer(&p->moments[code], item, time, &newer, err);
    return st || !newer ? st : raw_column_set(&p->in->item_columns.column[p->column[code]], item, &c[3], err);
}

static enum status read_part(struct properties *p, const char *path, struct error *err)
{
    struct sheet_form form = {.delimiter = ",", .header = "yes", .encoding = p->in->form.encoding};
    struct sheet t;
    bool more = true;
    enum status st = ingest_open(p->in, path, &form, &t, err);
    if (st)
        return st;
    if (t.names.n != 4) {
        st = error_set(err, ST_FORMAT, "%s does not hold timestamp,itemid,property,value", path);
        ingest_close(p->in, &t);
        return st;
    }
    while (!st) {
        const char *bad = NULL;
        st = ingest_next(p->in, &t, &more, err);
        if (st || !more)
            break;
        st = take_property(p, &t, &bad, err);
        if (!st && bad)
            st = ingest_reject(p->in, &t, bad, err);
        else if (!st) {
            p->in->data->rows_read++;
            p->in->data->rows_kept++;
        }
    }
    ingest_close(p->in, &t);
    return st;
}

/* ---- the tree of categories ---- */

struct tree {
    struct dict ids;
    uint32_t *parent; /* code of the parent, or NO_CODE */
    size_t capacity;
};

static enum status tree_code(struct tree *tree, const struct cell *c, uint32_t *code, struct error *err)
{
    uint32_t before = tree->ids.n;
    enum status st = dict_add(&tree->ids, c->text, c->n, code, err);
    if (!st)
        st = mem_grow(&tree->parent, &tree->capacity, tree->ids.n, sizeof *tree->parent, err);
    if (!st && *code == before)
        tree->parent[before] = NO_CODE;
    return st;
}

static enum status read_tree(struct ingest *in, const char *path, struct tree *tree, struct error *err)
{
    struct sheet_form form = {.delimiter = ",", .header = "yes", .encoding = in->form.encoding};
    struct sheet t;
    bool more = true;
    enum status st = ingest_open(in, path, &form, &t, err);
    if (st)
        return st;
    while (!st && t.names.n == 2) {
        uint32_t child, parent;
        st = sheet_next(&t, &more, err);
        if (st || !more)
            break;
        if (t.bad || t.row.cells[0].n == 0)
            continue;
        st = tree_code(tree, &t.row.cells[0], &child, err);
        if (!st && t.row.cells[1].n)
            st = tree_code(tree, &t.row.cells[1], &parent, err);
        if (!st && t.row.cells[1].n)
            tree->parent[child] = parent;
    }
    ingest_close(in, &t);
    return st;
}

static uint32_t root_of(const struct tree *tree, uint32_t code)
{
    for (uint32_t steps = 0; steps < tree->ids.n && tree->parent[code] != NO_CODE; steps++)
        code = tree->parent[code];
    return code;
}

/* The parent and the root of every item's category as fields of the item. */
static enum status climb(struct ingest *in, const struct tree *tree, size_t category, struct error *err)
{
    size_t column[2];
    enum status st = raw_columns_add(&in->item_columns, "category_parent", &column[0], err);
    if (!st)
        st = raw_columns_add(&in->item_columns, "category_root", &column[1], err);
    if (st)
        return st;
    const struct raw_column *from = &in->item_columns.column[category];
    for (size_t i = 0; i < 2; i++)
        in->item_columns.column[column[i]].text = true;
    for (size_t item = 0; item < from->n && !st; item++) {
        if (from->code[item] == NO_CODE)
            continue;
        uint32_t code = dict_find_text(&tree->ids, dict_text(&from->levels, from->code[item]));
        if (code == NO_CODE)
            continue;
        const uint32_t up[2] = {tree->parent[code], root_of(tree, code)};
        for (size_t i = 0; i < 2 && !st; i++)
            if (up[i] != NO_CODE)
                st = raw_column_set(
                    &in->item_columns.column[column[i]], item,
                    &(struct cell){.text = dict_text(&tree->ids, up[i]), .n = dict_length(&tree->ids, up[i])}, err);
    }
    return st;
}

/* ---- both ---- */

static enum status choose(struct properties *p, struct error *err)
{
    const char *keep = ingest_mapped(p->in, "keep");
    uint32_t code;
    enum status st = keep_property(p, "categoryid", strlen("categoryid"), &code, err);
    if (!st)
        st = keep_property(p, "available", strlen("available"), &code, err);
    p->any = keep && text_same(keep, "all");
    for (const char *s = keep; s && *s && !p->any && !st; s += *s == ',') {
        size_t n = strcspn(s, ",");
        if (n)
            st = keep_property(p, s, n, &code, err);
        s += n;
    }
    return st;
}

static void clear(struct properties *p)
{
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->moments[i].time);
    mem_free(p->moments);
    mem_free(p->column);
    dict_clear(&p->kept);
}

enum status retailrocket_properties(struct ingest *in, const char *path, struct error *err)
{
    static const char *const files[] = {"item_properties.csv", "item_properties_part1.csv",
                                        "item_properties_part2.csv"};
    struct properties p = {.in = in};
    struct tree tree = {0};
    char file[4096];
    bool any = false;
    enum status st = ST_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && !st; i++) {
        if (!path_beside(path, files[i], file, sizeof file))
            continue;
        st = any ? ST_OK : choose(&p, err);
        any = true;
        if (!st)
            st = read_part(&p, file, err);
    }
    if (!st && any && path_beside(path, "category_tree.csv", file, sizeof file)) {
        st = read_tree(in, file, &tree, err);
        if (!st)
            st = climb(in, &tree, p.column[0], err);
    }
    if (!st && any)
        ingest_note(in, "of the properties the last value counts; kept: %s",
                    p.any ? "all" : "categoryid, available (keep=790,888 adds more, keep=all every one)");
    dict_clear(&tree.ids);
    mem_free(tree.parent);
    clear(&p);
    return st;
}
