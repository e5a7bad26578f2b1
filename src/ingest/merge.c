/* Merging: chunks, in the order of the text, into the data set. Codes are given by one thread a dictionary, columns are
 * copied by one thread a chunk. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "ingest/chunk.h"

struct merge {
    const struct event_form *form;
    struct chunk *const *chunks;
    size_t n, *first;       /* chunks; the event that each begins with, and one more */
    struct outcome {
        enum status st;
        struct error error;
    } *outcome;             /* of each column of text */
};

struct raw_column *form_column(const struct event_form *form, const struct plan *p)
{
    struct ingest *in = form->in;
    struct raw_columns *set = p->role == ROLE_ITEM_FIELD   ? &in->item_columns
                              : p->role == ROLE_USER_FIELD ? &in->user_columns
                                                           : &in->context;
    return &set->column[p->target];
}

struct dict *form_texts(const struct event_form *form, size_t column)
{
    struct dataset *d = form->in->data;
    struct dict *own[TEXT_PLANS] = {[TEXT_USER] = &d->users, [TEXT_ITEM] = &d->items, [TEXT_TYPE] = &d->types};
    return column < TEXT_PLANS ? own[column] : &form_column(form, &form->plans[column - TEXT_PLANS])->levels;
}

static bool is_amount(const struct plan *p)
{
    return p->role == ROLE_PRICE || p->role == ROLE_QUANTITY;
}

static bool is_field(const struct plan *p)
{
    return p->role == ROLE_ITEM_FIELD || p->role == ROLE_USER_FIELD;
}

/* ---- codes ---- */

/* Numbers of a chunk as codes of their texts, because there is other text in the column. */
static enum status code_numbers(struct dict *all, struct text_column *x, size_t rows, struct error *err)
{
    enum status st = mem_grow(&x->code, &x->capacity, rows, sizeof *x->code, err);
    for (size_t r = 0; r < rows && !st; r++) {
        char text[PACKED_TEXT];
        x->code[r] = NO_CODE;
        if (x->packed[r] != PACKED_MISSING)
            st = dict_add(all, text, packed_text(x->packed[r], text), &x->code[r], err);
    }
    x->packs = false;
    return st;
}

/* Do all chunks that know the column hold packed numbers? */
static bool all_pack(const struct merge *m, size_t column)
{
    for (size_t i = 0; i < m->n; i++)
        if (column < m->chunks[i]->ntext && !m->chunks[i]->text[column].packs)
            return false;
    return true;
}

static void merge_texts(void *context, size_t column, size_t begin, size_t end)
{
    struct merge *m = context;
    struct outcome *o = &m->outcome[column];
    struct dict *all = form_texts(m->form, column);
    (void)begin;
    (void)end;
    if (column >= TEXT_PLANS) {
        if (all_pack(m, column))
            return;
        o->st = raw_column_unpack(form_column(m->form, &m->form->plans[column - TEXT_PLANS]), &o->error);
    }
    for (size_t i = 0; i < m->n && !o->st; i++) {
        if (column >= m->chunks[i]->ntext)
            continue;
        struct text_column *x = &m->chunks[i]->text[column];
        if (x->packs) {
            o->st = code_numbers(all, x, m->chunks[i]->rows, &o->error);
            continue;
        }
        o->st = mem_grow(&x->merged, &x->merged_capacity, x->fresh.n, sizeof *x->merged, &o->error);
        for (uint32_t k = 0; k < x->fresh.n && !o->st; k++)
            o->st = dict_add(all, dict_text(&x->fresh, k), dict_length(&x->fresh, k), &x->merged[k], &o->error);
    }
}

static enum status merge_all_texts(struct merge *m, struct error *err)
{
    size_t columns = TEXT_PLANS + m->form->nplans;
    m->outcome = mem_new(columns, sizeof *m->outcome, "merging rows", err);
    if (!m->outcome)
        return ST_NOMEM;
    parallel_blocks(columns, 1, merge_texts, m);
    for (size_t i = 0; i < columns; i++) {
        if (!m->outcome[i].st)
            continue;
        if (err)
            *err = m->outcome[i].error;
        return m->outcome[i].st;
    }
    if (m->form->in->data->types.n <= UINT16_MAX + 1)
        return ST_OK;
    error_set(err, ST_FORMAT, "more than 65,536 types of events");
    error_hint(err, "is it the right column? type=COLUMN says which one tells what a user did");
    return ST_FORMAT;
}

/* The code in the dictionary of the data set. */
static inline uint32_t final_code(const struct text_column *x, uint32_t code)
{
    return code == NO_CODE || !(code & FRESH_CODE) ? code : x->merged[code ^ FRESH_CODE];
}

/* ---- columns ---- */

static void copy_codes(const struct chunk *c, size_t column, uint32_t *to)
{
    const struct text_column *x = column < c->ntext ? &c->text[column] : NULL;
    for (size_t r = 0; r < c->rows; r++)
        to[r] = x ? final_code(x, x->code[r]) : NO_CODE;
}

static void copy_numbers(const struct chunk *c, size_t column, uint64_t *to)
{
    const struct text_column *x = column < c->ntext ? &c->text[column] : NULL;
    for (size_t r = 0; r < c->rows; r++)
        to[r] = x ? x->packed[r] : PACKED_MISSING;
}

static void copy_chunk(void *context, size_t i, size_t begin, size_t end)
{
    const struct merge *m = context;
    const struct chunk *c = m->chunks[i];
    const struct event_form *form = m->form;
    struct events *e = &form->in->data->events;
    size_t first = m->first[i];
    (void)begin;
    (void)end;
    if (c->rows == 0) /* its columns, or all there are, may not be made yet */
        return;
    copy_codes(c, TEXT_USER, e->user + first);
    copy_codes(c, TEXT_ITEM, e->item + first);
    for (size_t r = 0; r < c->rows; r++) {
        e->type[first + r] = (uint16_t)final_code(&c->text[TEXT_TYPE], c->text[TEXT_TYPE].code[r]);
        e->sequence[first + r] = first + r;
    }
    if (e->time && c->rows)
        memcpy(e->time + first, c->time, c->rows * sizeof *c->time);
    if (e->value && c->rows)
        memcpy(e->value + first, c->value, c->rows * sizeof *c->value);
    for (size_t p = 0; p < form->nplans; p++) {
        const struct plan *plan = &form->plans[p];
        struct raw_column *column = form_column(form, plan);
        if (is_amount(plan) && column->real && c->rows)
            memcpy(column->real + first, c->amount[plan->role - ROLE_PRICE], c->rows * sizeof *column->real);
        else if (!is_amount(plan) && column->packed)
            copy_numbers(c, TEXT_PLANS + p, column->packed + first);
        else if (!is_amount(plan) && !is_field(plan) && column->code)
            copy_codes(c, TEXT_PLANS + p, column->code + first);
    }
}

/* Has any chunk a cell of this plan? And what its cells were like. */
static bool note_cells(const struct merge *m, size_t p, struct raw_column *column)
{
    const struct plan *plan = &m->form->plans[p];
    bool any = false;
    for (size_t i = 0; i < m->n; i++) {
        const struct chunk *c = m->chunks[i];
        if (is_amount(plan)) {
            any |= c->any_amount[plan->role - ROLE_PRICE];
        } else if (TEXT_PLANS + p < c->ntext) {
            any |= c->text[TEXT_PLANS + p].any;
            column->lists |= c->text[TEXT_PLANS + p].lists;
            column->quoted |= c->text[TEXT_PLANS + p].quoted;
        }
    }
    return any || column->levels.n || column->packed;
}

static enum status make_room(struct merge *m, struct error *err)
{
    const struct event_form *form = m->form;
    bool timed = false, valued = false;
    for (size_t i = 0; i < m->n; i++) {
        timed |= m->chunks[i]->timed;
        valued |= m->chunks[i]->valued;
    }
    enum status st = ingest_room(form->in, m->first[m->n], timed, valued, err);
    for (size_t p = 0; p < form->nplans && !st; p++) {
        const struct plan *plan = &form->plans[p];
        struct raw_column *column = form_column(form, plan);
        bool any = note_cells(m, p, column);
        if (is_amount(plan) && (any || column->real))
            st = raw_column_extend_real(column, m->first[0], m->first[m->n], err);
        else if (any && !is_amount(plan) && raw_column_packs(column) && all_pack(m, TEXT_PLANS + p))
            st = raw_column_extend_packed(column, m->first[0], m->first[m->n], err);
        else if (any && !is_amount(plan) && !is_field(plan))
            st = raw_column_extend(column, m->first[0], m->first[m->n], err);
    }
    return st;
}

/* Attributes that ride on events: what was said last holds. */
static enum status merge_fields(const struct merge *m, struct error *err)
{
    const struct events *e = &m->form->in->data->events;
    const struct dataset *d = m->form->in->data;
    for (size_t p = 0; p < m->form->nplans; p++) {
        const struct plan *plan = &m->form->plans[p];
        if (!is_field(plan))
            continue;
        bool item = plan->role == ROLE_ITEM_FIELD;
        struct raw_column *column = form_column(m->form, plan);
        size_t rows = item ? d->items.n : d->users.n;
        enum status st = raw_column_extend(column, rows, rows, err);
        if (st)
            return st;
        for (size_t i = 0; i < m->n; i++) {
            const struct chunk *c = m->chunks[i];
            const struct text_column *x = &c->text[TEXT_PLANS + p];
            const uint32_t *owner = item ? e->item : e->user; /* NULL as long as there are no events */
            for (size_t r = 0; TEXT_PLANS + p < c->ntext && r < c->rows; r++)
                if (x->code[r] != NO_CODE)
                    column->code[owner[m->first[i] + r]] = final_code(x, x->code[r]);
        }
    }
    return ST_OK;
}

/* All events of a file that its name gives to a part of a split. */
static enum status fill_part(const struct merge *m, struct error *err)
{
    struct ingest *in = m->form->in;
    uint32_t code;
    if (!in->part)
        return ST_OK;
    struct raw_column *c = &in->context.column[in->part_column];
    enum status st = dict_add(&c->levels, in->part, strlen(in->part), &code, err);
    if (!st)
        st = raw_column_extend(c, m->first[0], m->first[m->n], err);
    for (size_t e = m->first[0]; !st && e < m->first[m->n]; e++)
        c->code[e] = code;
    return st;
}

static enum status hand_out_refused(const struct merge *m, uint64_t *line, struct error *err)
{
    struct ingest *in = m->form->in;
    enum status st = ST_OK;
    for (size_t i = 0; i < m->n && !st; i++) {
        const struct chunk *c = m->chunks[i];
        const char *text = str_text(&c->refused_text);
        for (size_t k = 0; k < c->nrefused && !st; k++) {
            const struct refused *x = &c->refused[k];
            st = ingest_refuse(in, m->form->t->feed->path, *line + x->line, text + x->reason, text + x->text, x->length,
                               err);
        }
        *line += c->lines;
        m->form->t->feed->converted += c->converted;
        in->untimed += c->untimed;
    }
    return st;
}

enum status chunks_merge(struct event_form *form, struct chunk *const *chunks, size_t n, uint64_t *line,
                         struct error *err)
{
    struct dataset *d = form->in->data;
    struct merge m = {.form = form, .chunks = chunks, .n = n};
    m.first = mem_new(n + 1, sizeof *m.first, "merging rows", err);
    enum status st = m.first ? ST_OK : ST_NOMEM;
    if (!st) {
        m.first[0] = d->events.n;
        for (size_t i = 0; i < n; i++)
            m.first[i + 1] = m.first[i] + chunks[i]->rows;
        st = merge_all_texts(&m, err);
    }
    if (!st)
        st = make_room(&m, err);
    if (!st) {
        parallel_blocks(n, 1, copy_chunk, &m);
        uint64_t rows = m.first[n] - m.first[0];
        d->events.n = m.first[n];
        d->rows_read += rows;
        d->rows_kept += rows;
        st = merge_fields(&m, err);
    }
    if (!st)
        st = fill_part(&m, err);
    if (!st)
        st = hand_out_refused(&m, line, err);
    mem_free(m.outcome);
    mem_free(m.first);
    return st;
}
