/* Columns that stand in no file: what a mapping says in place of the name of a column.
 *
 *   item==cd               the same text in every row
 *   user=row               the number of the row, from 1, over all files
 *   user=device+model      several columns as one id, + between them
 *   item=isbn|title        the first of them that has text
 *
 * A column that really has such a name wins. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/load.h"

void computed_clear(struct computed *c)
{
    str_free(&c->room);
    memset(c, 0, sizeof *c);
}

static enum status find_parts(const struct sheet *t, const char *key, const char *value, struct computed *out,
                              struct error *err)
{
    enum { NAME_MOST = 256 };
    char name[NAME_MOST];
    out->ncolumns = 0;
    for (const char *p = value;; p++) {
        size_t n = strcspn(p, "+|");
        snprintf(name, sizeof name, "%.*s", (int)(n < NAME_MOST ? n : NAME_MOST - 1), p);
        uint32_t column = sheet_column(t, name);
        if (column == NO_CODE)
            return roles_missing(t, key, name, err);
        if (out->ncolumns == COMPUTED_COLUMNS) {
            error_set(err, ST_USAGE, "%s=%s names more than %d columns", key, value, COMPUTED_COLUMNS);
            return ST_USAGE;
        }
        out->instead[out->ncolumns] = p > value && p[-1] == '|';
        out->column[out->ncolumns++] = column;
        p += n;
        if (!*p)
            return ST_OK;
    }
}

enum status computed_find(const struct sheet *t, const char *key, const char *value, struct computed *out,
                          struct error *err)
{
    out->kind = COMPUTED_NOT;
    if (sheet_column(t, value) != NO_CODE)
        return ST_OK;
    if (value[0] == '=' && value[1]) {
        out->kind = COMPUTED_CONSTANT;
        str_clear(&out->room);
        str_puts(&out->room, value + 1);
        return out->room.failed ? error_nomem(err, strlen(value), "a constant") : ST_OK;
    }
    if (strcmp(value, "row") == 0) {
        out->kind = COMPUTED_ROW;
        return ST_OK;
    }
    if (!strpbrk(value, "+|"))
        return ST_OK;
    out->kind = COMPUTED_JOINED;
    return find_parts(t, key, value, out, err);
}

bool computed_join(const struct computed *c, const struct cell *cells, struct str *out)
{
    size_t begin = out->length;
    bool any = false;
    for (size_t i = 0; i < c->ncolumns; i++) {
        const struct cell *part = &cells[c->column[i]];
        if (c->instead[i] && any)
            return true;
        if (c->instead[i])
            out->length = begin;
        else if (i)
            str_putc(out, '+');
        any |= part->n > 0;
        if (part->n)
            str_append(out, part->text, part->n);
    }
    if (!any)
        out->length = begin;
    return any;
}

enum status computed_cell(struct computed *c, const struct sheet *t, uint64_t row, struct cell *out, struct error *err)
{
    bool any = true;
    if (c->kind != COMPUTED_CONSTANT)
        str_clear(&c->room);
    if (c->kind == COMPUTED_JOINED)
        any = computed_join(c, t->row.cells, &c->room);
    if (c->kind == COMPUTED_ROW)
        str_printf(&c->room, "%llu", (unsigned long long)row);
    *out = (struct cell){.text = any ? str_text(&c->room) : NULL, .n = any ? c->room.length : 0};
    return c->room.failed ? error_nomem(err, 64, "a computed id") : ST_OK;
}

/* ---- which of the columns without a role are kept ---- */

/* Is the name one of "a,b,c*"? */
static bool is_listed(const char *list, const char *name)
{
    char pattern[256];
    for (const char *p = list; *p; p += *p == ',') {
        size_t n = strcspn(p, ",");
        snprintf(pattern, sizeof pattern, "%.*s", (int)(n < sizeof pattern ? n : sizeof pattern - 1), p);
        if (fnmatch(pattern, name, 0) == 0 || text_same(pattern, name))
            return true;
        p += n;
    }
    return false;
}

bool ingest_keeps(const struct ingest *in, const char *name)
{
    const char *keep = ingest_mapped(in, "keep"), *skip = ingest_mapped(in, "skip");
    if (keep)
        return text_same(keep, "all") || is_listed(keep, name);
    if (skip)
        return !is_listed(skip, name);
    for (size_t i = 0; i < in->nbulky; i++)
        if (fnmatch(in->bulky[i], name, 0) == 0)
            return false;
    return true;
}
