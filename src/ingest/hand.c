/* Taking a batch of rows that were cut: each is checked before anything of it is stored, then columns are taken one by
 * one. */
#include "ingest/hand.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* ---- checking a row ---- */

/* The computed columns of the rows of the batch. Texts move while they are joined, so cells point to them afterwards.
 */
static enum status make_cells(struct hand *h, struct error *err)
{
    const struct roles *roles = &h->form->roles;
    struct batch *b = &h->batch;
    size_t at = 0;
    str_clear(&h->joined);
    for (int i = 0; i < ROLE_SESSION; i++) {
        const struct computed *c = &roles->computed[i];
        for (size_t r = 0; r < b->n && c->kind; r++) {
            size_t begin = h->joined.length;
            b->made[i][r] = (struct cell){.text = str_text(&c->room), .n = c->room.length};
            if (c->kind == COMPUTED_JOINED)
                b->made[i][r].n = computed_join(c, &b->cells[r * b->width], &h->joined) ? h->joined.length - begin : 0;
        }
    }
    if (h->joined.failed)
        return error_nomem(err, h->joined.length, "a computed id");
    for (int i = 0; i < ROLE_SESSION; i++)
        for (size_t r = 0; r < b->n && roles->computed[i].kind == COMPUTED_JOINED; at += b->made[i][r++].n)
            b->made[i][r].text = b->made[i][r].n ? h->joined.data + at : NULL;
    return ST_OK;
}

/* The cell of a role in a row of the batch; NULL: there is no such column. */
static const struct cell *cell_of(const struct hand *h, size_t r, enum role role)
{
    const struct roles *roles = &h->form->roles;
    const struct batch *b = &h->batch;
    if (roles->computed[role].kind)
        return &b->made[role][r];
    return roles->column[role] == NO_CODE ? NULL : &b->cells[r * b->width + roles->column[role]];
}

static const char *read_number(struct hand *h, const char *what, const struct cell *c, double *out)
{
    return cell_number(h->form->in, what, c, out, h->reason, sizeof h->reason);
}

static const char *read_time(struct hand *h, const struct cell *c, int64_t *out)
{
    *out = NO_TIME;
    return c ? cell_time(h->form->in, c, out, h->reason, sizeof h->reason) : NULL;
}

/* Reads all typed cells of a row before anything of it is stored; NULL, or why the row is refused. */
static const char *check_row(struct hand *h, size_t r)
{
    struct batch *b = &h->batch;
    const struct cell *type = cell_of(h, r, ROLE_TYPE);
    const char *bad = cell_id(cell_of(h, r, ROLE_USER), "user", h->reason, sizeof h->reason);
    if (!bad)
        bad = cell_id(cell_of(h, r, ROLE_ITEM), "item", h->reason, sizeof h->reason);
    if (!bad)
        bad = read_time(h, cell_of(h, r, ROLE_TIME), &b->time[r]);
    if (!bad)
        bad = read_number(h, "value", cell_of(h, r, ROLE_VALUE), &b->value[r]);
    if (!bad)
        bad = read_number(h, "price", cell_of(h, r, ROLE_PRICE), &b->amount[0][r]);
    if (!bad)
        bad = read_number(h, "quantity", cell_of(h, r, ROLE_QUANTITY), &b->amount[1][r]);
    if (!bad && type)
        bad = !type->text || type->n == 0 ? "no event type" : cell_id(type, "event type", h->reason, sizeof h->reason);
    return bad;
}

enum status hand_refuse(struct hand *h, const struct text *row, const char *reason, struct error *err)
{
    struct chunk *c = h->chunk;
    enum status st = mem_grow(&c->refused, &c->refused_capacity, c->nrefused + 1, sizeof *c->refused, err);
    if (st)
        return st;
    size_t length = row->length < REJECT_TEXT_MOST ? row->length : REJECT_TEXT_MOST;
    struct refused *x = &c->refused[c->nrefused++];
    *x = (struct refused){.line = row->line, .reason = c->refused_text.length, .length = length};
    str_append(&c->refused_text, reason, strlen(reason) + 1);
    x->text = c->refused_text.length;
    str_append(&c->refused_text, row->text, length);
    return c->refused_text.failed ? error_nomem(err, length, "a bad row") : ST_OK;
}

/* ---- storing what is good ---- */

/* Packs the numbers of one column of the good rows; false when a cell is no short number. */
static bool pack_numbers(struct hand *h, struct text_column *x, uint32_t source)
{
    const struct batch *b = &h->batch;
    for (size_t i = 0; i < b->ngood; i++) {
        const struct cell *cell = &b->cells[b->good[i] * b->width + source];
        uint64_t *to = &x->packed[h->chunk->rows + i];
        *to = PACKED_MISSING;
        if (!cell->text || !cell->n)
            continue;
        x->any = true;
        if (cell->quoted || cell->list || !packed_from(cell->text, cell->n, to))
            return false;
    }
    return true;
}

/* The numbers so far as codes: no dictionary but that of the chunk knows any, or they would not be packed. */
static enum status unpack_numbers(struct hand *h, struct text_column *x, struct error *err)
{
    enum status st = ST_OK;
    x->packs = false;
    for (size_t r = 0; r < h->chunk->rows && !st; r++) {
        char text[PACKED_TEXT];
        x->code[r] = NO_CODE;
        if (x->packed[r] == PACKED_MISSING)
            continue;
        st = dict_add(&x->fresh, text, packed_text(x->packed[r], text), &x->code[r], err);
        x->code[r] |= FRESH_CODE;
    }
    return st;
}

/* Codes of one column of the good rows: that of the file, or `made`, or (NO_CODE, NULL) all of them are the default
 * type. A text that is the same as in the row before, which is common, is looked up once. */
static enum status take_texts(struct hand *h, size_t column, uint32_t source, const struct cell *made,
                              struct error *err)
{
    const struct batch *b = &h->batch;
    struct text_column *x = &h->chunk->text[column];
    const struct cell type = {.text = h->form->default_type, .n = strlen(h->form->default_type)};
    struct dict_key key[BATCH_ROWS];
    uint32_t found[BATCH_ROWS];
    uint16_t which[BATCH_ROWS];
    size_t n = 0;
    if (x->packs) {
        if (pack_numbers(h, x, source))
            return ST_OK;
        enum status st = unpack_numbers(h, x, err);
        if (st)
            return st;
    }
    for (size_t i = 0; i < b->ngood; i++) {
        const struct cell *cell = made                ? &made[b->good[i]]
                                  : source == NO_CODE ? &type
                                                      : &b->cells[b->good[i] * b->width + source];
        bool there = cell->text && cell->n;
        which[i] = there ? (uint16_t)n : UINT16_MAX;
        if (!there)
            continue;
        x->any = true;
        x->lists |= cell->list;
        x->quoted |= cell->quoted;
        const char *before = n && key[n - 1].length == cell->n ? key[n - 1].text : NULL;
        if (before && before[cell->n - 1] == cell->text[cell->n - 1] && memcmp(before, cell->text, cell->n) == 0)
            which[i]--;
        else
            key[n++] = (struct dict_key){.text = cell->text, .length = cell->n};
    }
    dict_find_many(form_texts(h->form, column), key, n, found);
    for (size_t i = 0; i < n; i++) {
        if (found[i] != NO_CODE)
            continue;
        enum status st = dict_add_key(&x->fresh, &key[i], &found[i], err);
        if (st)
            return st;
        found[i] |= FRESH_CODE;
    }
    for (size_t i = 0; i < b->ngood; i++) /* x->code may be NULL as long as there are no good rows */
        x->code[h->chunk->rows + i] = which[i] == UINT16_MAX ? NO_CODE : found[which[i]];
    return ST_OK;
}

/* Room for the good rows in all columns. */
static enum status make_room(struct chunk *c, size_t rows, bool amounts, struct error *err)
{
    enum status st = ST_OK;
    if (rows > c->capacity) {
        size_t want = rows + rows / 2, capacity;
        capacity = c->capacity;
        st = mem_grow(&c->time, &capacity, want, sizeof *c->time, err);
        capacity = c->capacity;
        if (!st)
            st = mem_grow(&c->value, &capacity, want, sizeof *c->value, err);
        for (int k = 0; k < 2 && !st && amounts; k++) {
            capacity = c->capacity;
            st = mem_grow(&c->amount[k], &capacity, want, sizeof *c->amount[k], err);
        }
        if (!st)
            c->capacity = want;
    }
    for (size_t i = 0; i < c->ntext && !st; i++) {
        struct text_column *x = &c->text[i];
        st = mem_grow(&x->code, &x->capacity, rows, sizeof *x->code, err);
        if (!st && x->packs)
            st = mem_grow(&x->packed, &x->packed_capacity, rows, sizeof *x->packed, err);
    }
    return st;
}

static void take_values(struct hand *h, bool amounts)
{
    const struct batch *b = &h->batch;
    struct chunk *c = h->chunk;
    bool times = roles_has(&h->form->roles, ROLE_TIME);
    for (size_t i = 0; i < b->ngood; i++) {
        size_t r = b->good[i], to = c->rows + i;
        c->time[to] = b->time[r];
        c->value[to] = (float)b->value[r];
        c->timed |= b->time[r] != NO_TIME;
        c->untimed += times && b->time[r] == NO_TIME;
        c->valued |= !isnan(b->value[r]);
        for (int k = 0; k < 2 && amounts; k++) {
            c->amount[k][to] = b->amount[k][r];
            c->any_amount[k] |= !isnan(b->amount[k][r]);
        }
    }
}

enum status hand_take(struct hand *h, struct error *err)
{
    const struct event_form *form = h->form;
    struct batch *b = &h->batch;
    bool amounts = form->roles.column[ROLE_PRICE] != NO_CODE || form->roles.column[ROLE_QUANTITY] != NO_CODE;
    enum status st = form->roles.any_computed ? make_cells(h, err) : ST_OK;
    b->ngood = 0;
    for (size_t r = 0; r < b->n && !st; r++) {
        const char *bad = check_row(h, r);
        if (bad)
            st = hand_refuse(h, &b->row[r], bad, err);
        else
            b->good[b->ngood++] = (uint16_t)r;
    }
    if (!st)
        st = make_room(h->chunk, h->chunk->rows + b->ngood, amounts, err);
    if (!st)
        take_values(h, amounts);
    static const enum role named[] = {[TEXT_USER] = ROLE_USER, [TEXT_ITEM] = ROLE_ITEM, [TEXT_TYPE] = ROLE_TYPE};
    for (size_t i = 0; i < TEXT_PLANS && !st; i++)
        st = take_texts(h, i, form->roles.column[named[i]],
                        form->roles.computed[named[i]].kind ? b->made[named[i]] : NULL, err);
    for (size_t i = 0; i < form->nplans && !st; i++)
        if (form->plans[i].role != ROLE_PRICE && form->plans[i].role != ROLE_QUANTITY)
            st = take_texts(h, TEXT_PLANS + i, form->plans[i].source, NULL, err);
    h->chunk->rows += b->ngood;
    b->n = b->used = 0;
    return st;
}
