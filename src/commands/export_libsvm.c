/* libsvm lines for factorization machines, one an event: "label index:value ...", indices from 1, ascending.
 *
 *   label                the value of the event (a rating), or the weight of its type where it has none
 *   1 .. users           the user, 1
 *   then items           the item, 1
 *   then user fields     a text or list: an index for each of its values, 1; a number: one index, the number
 *   then item fields     the same
 *
 * Missing values and zeros are left out. Texts that differ for nearly every row (titles) say nothing to such a model
 * and have no index. PATH.columns.tsv names each index. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/export.h"

/* A field and where its indices begin; 0: it has none. */
struct block {
    const struct field *field;
    size_t first;
};

struct plan {
    struct block *user, *item;
    size_t nuser, nitem;
    size_t next; /* the index after the last */
};

static bool has_index(const struct field *f, size_t rows)
{
    return f->type != FIELD_TEXT || f->levels.n <= 2 || f->levels.n * 2 <= rows;
}

static void plan_blocks(struct plan *p, const struct fields *fields, size_t rows, struct block *out)
{
    for (size_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->field[i];
        bool words = f->type == FIELD_TEXT || f->type == FIELD_LIST;
        out[i] = (struct block){f, has_index(f, rows) ? p->next : 0};
        p->next += !out[i].first ? 0 : words ? f->levels.n : 1;
    }
}

static void put(FILE *f, size_t index, double value)
{
    char number[32];
    if (!isfinite(value) || !(fabs(value) > 0))
        return;
    text_real(number, sizeof number, value);
    fprintf(f, " %zu:%s", index, number);
}

static int by_code(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* codes: room for the longest list. */
static void put_block(FILE *out, const struct block *b, size_t row, uint32_t *codes)
{
    const struct field *f = b->field;
    if (!b->first || field_missing(f, row))
        return;
    switch (f->type) {
    case FIELD_TEXT:
        put(out, b->first + f->code[row], 1);
        break;
    case FIELD_LIST: {
        size_t n = f->list_begin[row + 1] - f->list_begin[row];
        memcpy(codes, f->list_code + f->list_begin[row], n * sizeof *codes);
        qsort(codes, n, sizeof *codes, by_code);
        for (size_t i = 0; i < n; i++)
            if (i == 0 || codes[i] != codes[i - 1])
                put(out, b->first + codes[i], 1);
        break;
    }
    case FIELD_REAL:
        put(out, b->first, f->real[row]);
        break;
    case FIELD_INT:
        put(out, b->first, (double)f->integer[row]);
        break;
    case FIELD_TIME:
        put(out, b->first, (double)f->integer[row] / (double)US_PER_SECOND);
        break;
    }
}

static size_t longest_list(const struct fields *fields)
{
    size_t most = 0;
    for (size_t i = 0; i < fields->n; i++)
        for (size_t r = 0; fields->field[i].type == FIELD_LIST && r < fields->field[i].n; r++) {
            size_t n = fields->field[i].list_begin[r + 1] - fields->field[i].list_begin[r];
            most = n > most ? n : most;
        }
    return most;
}

static enum status write_events(struct export *x, FILE *f, const struct plan *p, uint32_t *codes, struct error *err)
{
    const struct dataset *d = x->data;
    uint64_t *order;
    size_t n;
    enum status st = export_order(x, &order, &n, err);
    if (st)
        return st;
    job_begin(&x->wb->job, n, "events", "export %s", x->path);
    for (size_t i = 0; i < n && !st; i++) {
        size_t e = order[i];
        uint32_t user = d->events.user[e], item = d->events.item[e];
        char label[32];
        float value =
            d->events.value && !isnan(d->events.value[e]) ? d->events.value[e] : d->type_weight[d->events.type[e]];
        text_real(label, sizeof label, real_of_single(value));
        fputs(label, f);
        put(f, 1 + user, 1);
        put(f, 1 + d->users.n + item, 1);
        for (size_t b = 0; b < p->nuser; b++)
            put_block(f, &p->user[b], user, codes);
        for (size_t b = 0; b < p->nitem; b++)
            put_block(f, &p->item[b], item, codes);
        fputc('\n', f);
        x->rows++;
        if (i % 65536 == 0) {
            job_set(&x->wb->job, i);
            st = export_check(x, err);
        }
    }
    mem_free(order);
    return st ? st : export_check(x, err);
}

/* A name may hold anything; a line of the list of columns may not. */
static void put_name(FILE *f, const char *text)
{
    for (; *text; text++) {
        const char *special = strchr("\t\n\r\\", *text);
        if (special)
            fprintf(f, "\\%c", *special == '\t' ? 't' : *special == '\n' ? 'n' : *special == '\r' ? 'r' : '\\');
        else
            fputc(*text, f);
    }
}

static void name_blocks(FILE *f, const char *whose, const struct block *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct field *field = list[i].field;
        bool words = field->type == FIELD_TEXT || field->type == FIELD_LIST;
        for (uint32_t level = 0; list[i].first && level < (words ? field->levels.n : 1); level++) {
            fprintf(f, "%zu\t%s.", list[i].first + level, whose);
            put_name(f, field->name);
            fputc('\t', f);
            if (words)
                put_name(f, dict_text(&field->levels, level));
            fputc('\n', f);
        }
    }
}

static enum status name_columns(struct export *x, const struct plan *p, struct error *err)
{
    const struct dataset *d = x->data;
    const char *path = x->path;
    struct str beside = {0};
    FILE *f;
    str_printf(&beside, "%s.columns.tsv", path);
    x->path = str_text(&beside);
    enum status st = beside.failed ? error_nomem(err, strlen(path), "a file name") : export_file(x, NULL, &f, err);
    if (!st) {
        fputs("index\tcolumn\tvalue\n", f);
        for (uint32_t u = 0; u < d->users.n; u++) {
            fprintf(f, "%u\tuser\t", 1 + u);
            put_name(f, dict_text(&d->users, u));
            fputc('\n', f);
        }
        for (uint32_t i = 0; i < d->items.n; i++) {
            fprintf(f, "%zu\titem\t", (size_t)1 + d->users.n + i);
            put_name(f, dict_text(&d->items, i));
            fputc('\n', f);
        }
        name_blocks(f, "user", p->user, p->nuser);
        name_blocks(f, "item", p->item, p->nitem);
        st = export_check(x, err);
    }
    x->path = path;
    str_free(&beside);
    return st;
}

static enum status write_libsvm(struct export *x, struct error *err)
{
    const struct dataset *d = x->data;
    struct plan p = {.nuser = d->user_fields.n, .nitem = d->item_fields.n, .next = (size_t)1 + d->users.n + d->items.n};
    size_t longest = longest_list(&d->user_fields), other = longest_list(&d->item_fields);
    uint32_t *codes = mem_new(longest > other ? longest : other, sizeof *codes, "a list", err);
    p.user = mem_new(p.nuser, sizeof *p.user, "columns", err);
    p.item = mem_new(p.nitem, sizeof *p.item, "columns", err);
    enum status st = codes && p.user && p.item ? ST_OK : ST_NOMEM;
    FILE *f;
    if (!st) {
        plan_blocks(&p, &d->user_fields, d->users.n, p.user);
        plan_blocks(&p, &d->item_fields, d->items.n, p.item);
        st = export_file(x, NULL, &f, err);
    }
    if (!st)
        st = write_events(x, f, &p, codes, err);
    if (!st)
        st = name_columns(x, &p, err);
    if (!st)
        snprintf(x->note, sizeof x->note, "%zu columns, named in %.100s.columns.tsv", p.next - 1, x->path);
    mem_free(codes);
    mem_free(p.user);
    mem_free(p.item);
    return st;
}

const struct export_format export_libsvm = {"libsvm", ".libsvm", write_libsvm};
