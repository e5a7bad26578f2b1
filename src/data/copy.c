/* Copies of data sets, for commands that build the next one from the one that is published. */
#include <string.h>

#include "base/mem.h"
#include "data/copy.h"

enum status copy_bytes(void *to, const void *from, size_t count, size_t size, struct error *err)
{
    if (!from)
        return ST_OK;
    void *p = mem_new_raw(count, size, "a copy of the data set", err);
    if (!p)
        return ST_NOMEM;
    memcpy(p, from, count * size);
    memcpy(to, &p, sizeof p);
    return ST_OK;
}

enum status copy_fields(struct fields *to, const struct fields *from, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < from->n && !st; i++) {
        const struct field *f = &from->field[i];
        struct field *c;
        st = fields_add(to, f->name, f->type, &c, err);
        if (st)
            break;
        st = dict_copy(&c->levels, &f->levels, err);
        if (!st)
            st = copy_bytes(&c->code, f->code, f->n, sizeof *f->code, err);
        if (!st)
            st = copy_bytes(&c->real, f->real, f->n, sizeof *f->real, err);
        if (!st)
            st = copy_bytes(&c->integer, f->integer, f->n, sizeof *f->integer, err);
        if (!st && f->list_begin) {
            mem_free(c->list_begin);
            c->list_begin = NULL;
            c->list_capacity = f->list_begin[f->n];
            st = copy_bytes(&c->list_begin, f->list_begin, f->n + 1, sizeof *f->list_begin, err);
            if (!st)
                st = copy_bytes(&c->list_code, f->list_code, c->list_capacity, sizeof *f->list_code, err);
        }
        if (!st)
            c->n = c->capacity = f->n;
    }
    return st;
}

static enum status copy_events(struct events *to, const struct events *from, struct error *err)
{
    size_t n = from->n;
    enum status st = copy_bytes(&to->user, from->user, n, sizeof *to->user, err);
    if (!st)
        st = copy_bytes(&to->item, from->item, n, sizeof *to->item, err);
    if (!st)
        st = copy_bytes(&to->time, from->time, n, sizeof *to->time, err);
    if (!st)
        st = copy_bytes(&to->sequence, from->sequence, n, sizeof *to->sequence, err);
    if (!st)
        st = copy_bytes(&to->type, from->type, n, sizeof *to->type, err);
    if (!st)
        st = copy_bytes(&to->value, from->value, n, sizeof *to->value, err);
    if (!st)
        st = copy_fields(&to->context, &from->context, err);
    to->n = n;
    return st;
}

enum status dataset_copy(const struct dataset *d, const char *name, struct dataset **out, struct error *err)
{
    struct dataset *c = dataset_new(name, err);
    if (!c)
        return ST_NOMEM;
    mem_free(c->source);
    c->source = mem_strdup(d->source, err);
    enum status st = c->source ? dict_copy(&c->users, &d->users, err) : ST_NOMEM;
    if (!st)
        st = dict_copy(&c->items, &d->items, err);
    if (!st)
        st = dict_copy(&c->types, &d->types, err);
    if (!st)
        st = copy_events(&c->events, &d->events, err);
    if (!st)
        st = copy_fields(&c->user_fields, &d->user_fields, err);
    if (!st)
        st = copy_fields(&c->item_fields, &d->item_fields, err);
    if (!st)
        st = copy_bytes(&c->type_weight, d->type_weight, d->types.n, sizeof *d->type_weight, err);
    if (st) {
        dataset_release(c);
        return st;
    }
    c->rows_read = d->rows_read;
    c->rows_kept = d->rows_kept;
    c->rows_rejected = d->rows_rejected;
    c->halflife = d->halflife;
    c->repeats = d->repeats;
    *out = c;
    return ST_OK;
}

enum status dataset_again(const struct dataset *d, struct dataset **out, struct error *err)
{
    enum status st = dataset_copy(d, d->name, out, err);
    if (st)
        return st;
    st = copy_bytes(&(*out)->user_begin, d->user_begin, (size_t)d->users.n + 1, sizeof *d->user_begin, err);
    (*out)->fingerprint = d->fingerprint;
    if (st) {
        dataset_release(*out);
        *out = NULL;
    }
    return st;
}
