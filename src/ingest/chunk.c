#include "ingest/chunk.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/number.h"
#include "ingest/plain.h"
#include "ingest/shape.h"

enum { BATCH_ROWS = DICT_MANY, BATCH_CELLS = 1 << 14, ROOM = 64 << 10 };

/* Rows that were cut and wait to be taken. */
struct batch {
    size_t width, most; /* cells a row, rows that fit */
    size_t n;
    struct cell *cells; /* most * width */
    size_t start[BATCH_ROWS + 1];     /* of plain rows, in the block */
    struct text {
        const char *text;
        size_t length;
        uint64_t line;
    } row[BATCH_ROWS];
    int64_t time[BATCH_ROWS];
    double value[BATCH_ROWS], amount[2][BATCH_ROWS];
    struct cell made[ROLES][BATCH_ROWS]; /* of roles that are computed */
    uint16_t good[BATCH_ROWS]; /* rows that passed the checks */
    size_t ngood;
    char room[ROOM]; /* texts of rows whose cells do not stay where they are */
    size_t used;
};

struct hand {
    const struct event_form *form;
    struct sheet t; /* over a feed that is the block */
    struct feed feed;
    struct batch batch;
    struct shapes shapes; /* of JSON lines */
    struct str joined;    /* texts of computed columns of the batch */
    struct chunk *chunk;
    char reason[256];
};

void chunk_clear(struct chunk *c)
{
    for (size_t i = 0; i < c->text_capacity; i++) {
        mem_free(c->text[i].code);
        mem_free(c->text[i].merged);
        mem_free(c->text[i].packed);
        dict_clear(&c->text[i].fresh);
    }
    mem_free(c->text);
    mem_free(c->time);
    mem_free(c->value);
    mem_free(c->amount[0]);
    mem_free(c->amount[1]);
    mem_free(c->refused);
    str_free(&c->refused_text);
    dict_clear(&c->new_names);
    memset(c, 0, sizeof *c);
}

/* Empties it, keeps the room. */
static enum status restart(struct chunk *c, const struct event_form *form, struct error *err)
{
    size_t had = c->text_capacity, ntext = TEXT_PLANS + form->nplans;
    enum status st = mem_grow(&c->text, &c->text_capacity, ntext, sizeof *c->text, err);
    if (st)
        return st;
    memset(c->text + had, 0, (c->text_capacity - had) * sizeof *c->text);
    c->ntext = ntext;
    for (size_t i = 0; i < ntext; i++) {
        dict_clear(&c->text[i].fresh);
        c->text[i].lists = c->text[i].quoted = c->text[i].any = false;
        c->text[i].packs = i >= TEXT_PLANS && raw_column_packs(form_column(form, &form->plans[i - TEXT_PLANS]));
    }
    c->rows = c->nrefused = 0;
    c->lines = c->converted = c->untimed = 0;
    c->read = c->cut = c->skipping = c->timed = c->valued = false;
    c->any_amount[0] = c->any_amount[1] = false;
    str_clear(&c->refused_text);
    dict_clear(&c->new_names);
    return ST_OK;
}

/* ---- hands ---- */

struct hand *hand_new(const struct event_form *form, struct error *err)
{
    struct hand *h = mem_new(1, sizeof *h, "reading rows", err);
    if (!h)
        return NULL;
    const struct sheet *t = form->t;
    h->form = form;
    h->feed = (struct feed){.path = t->feed->path, .encoding = t->feed->encoding, .by_rows = t->feed->by_rows};
    h->t = (struct sheet){
        .feed = &h->feed, .dialect = t->dialect, .header = t->header, .named = t->named, .looking = true};
    if (t->json)
        h->t.json = jsonl_new(err);
    if (t->json && !h->t.json) {
        hand_free(h);
        return NULL;
    }
    return h;
}

void hand_free(struct hand *h)
{
    if (!h)
        return;
    str_free(&h->feed.room);
    str_free(&h->joined);
    h->t.feed = NULL;
    sheet_close(&h->t);
    mem_free(h->batch.cells);
    mem_free(h);
}

/* Takes over the names that the form knows by now, and makes room for rows of that many cells. */
static enum status learn_names(struct hand *h, struct error *err)
{
    const struct dict *names = &h->form->t->names;
    struct batch *b = &h->batch;
    if (h->t.names.n == names->n && b->width == names->n)
        return ST_OK;
    dict_clear(&h->t.names);
    enum status st = dict_copy(&h->t.names, names, err);
    if (st)
        return st;
    mem_free(b->cells);
    h->shapes.n = h->shapes.next = h->shapes.last = 0;
    b->width = names->n;
    b->most = b->width > BATCH_CELLS / BATCH_ROWS ? BATCH_CELLS / b->width + 1 : BATCH_ROWS;
    b->cells = mem_new_raw(b->most * b->width, sizeof *b->cells, "rows", err);
    if (!b->cells)
        b->width = 0;
    return b->cells ? ST_OK : ST_NOMEM;
}

/* ---- checking a row ---- */

/* The computed columns of the rows of the batch. Texts move while they are joined, so cells point to them afterwards. */
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

static enum status refuse(struct hand *h, const struct text *row, const char *reason, struct error *err)
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

/* ---- taking a batch ---- */

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

/* Codes of one column of the good rows: that of the file, or `made`, or (NO_CODE, NULL) all of them are the default type.
 * A text that is the same as in the row before, which is common, is looked up once. */
static enum status take_texts(struct hand *h, size_t column, uint32_t source, const struct cell *made, struct error *err)
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

/* Checks the rows of the batch, stores the good ones, empties it. */
static enum status take_batch(struct hand *h, struct error *err)
{
    const struct event_form *form = h->form;
    struct batch *b = &h->batch;
    bool amounts = form->roles.column[ROLE_PRICE] != NO_CODE || form->roles.column[ROLE_QUANTITY] != NO_CODE;
    enum status st = form->roles.any_computed ? make_cells(h, err) : ST_OK;
    b->ngood = 0;
    for (size_t r = 0; r < b->n && !st; r++) {
        const char *bad = check_row(h, r);
        if (bad)
            st = refuse(h, &b->row[r], bad, err);
        else
            b->good[b->ngood++] = (uint16_t)r;
    }
    if (!st)
        st = make_room(h->chunk, h->chunk->rows + b->ngood, amounts, err);
    if (!st)
        take_values(h, amounts);
    static const enum role named[] = {[TEXT_USER] = ROLE_USER, [TEXT_ITEM] = ROLE_ITEM, [TEXT_TYPE] = ROLE_TYPE};
    for (size_t i = 0; i < TEXT_PLANS && !st; i++)
        st = take_texts(h, i, form->roles.column[named[i]], form->roles.computed[named[i]].kind ? b->made[named[i]] : NULL, err);
    for (size_t i = 0; i < form->nplans && !st; i++)
        if (form->plans[i].role != ROLE_PRICE && form->plans[i].role != ROLE_QUANTITY)
            st = take_texts(h, TEXT_PLANS + i, form->plans[i].source, NULL, err);
    h->chunk->rows += b->ngood;
    b->n = b->used = 0;
    return st;
}

/* ---- cutting rows ---- */

/* As many plain rows as there are. */
static enum status cut_plain(struct hand *h, bool *any, struct error *err)
{
    struct batch *b = &h->batch;
    struct feed *f = &h->feed;
    size_t n = plain_cut(&h->t.dialect, f->data, f->at, h->chunk->limit, f->end, b->width, b->most - b->n,
                         b->cells + b->n * b->width, b->start);
    for (size_t i = 0; i < n; i++) {
        size_t length = b->start[i + 1] - b->start[i] - 1;
        const char *text = f->data + b->start[i];
        length -= length && text[length - 1] == '\r';
        b->row[b->n + i] = (struct text){text, length, f->line + i};
    }
    *any = n > 0;
    b->n += n;
    f->at = b->start[n];
    f->line += n;
    return b->n == b->most ? take_batch(h, err) : ST_OK;
}

/* As many JSON lines of known shape as there are. */
static enum status cut_shaped(struct hand *h, bool *any, struct error *err)
{
    struct batch *b = &h->batch;
    struct feed *f = &h->feed;
    size_t length;
    *any = false;
    while (b->n < b->most && f->at < h->chunk->limit) {
        const char *text = f->data + f->at;
        if (!shapes_read(&h->shapes, text, f->data + f->end, b->cells + b->n * b->width, b->width, &length) ||
            length > ROW_CAP || f->at + length == f->end)
            break;
        b->row[b->n++] = (struct text){text, length, f->line++};
        f->at += length + 1;
        *any = true;
    }
    return b->n == b->most ? take_batch(h, err) : ST_OK;
}

/* Copies a text into the room of the batch, where it lies until the batch is taken. */
static const char *keep_text(struct batch *b, const char *text, size_t n)
{
    char *copy = b->room + b->used;
    memcpy(copy, text, n);
    b->used += n;
    return copy;
}

static bool in_block(const struct feed *f, const char *text)
{
    return (uintptr_t)text - (uintptr_t)f->data <= f->end;
}

/* The current row of the sheet joins the batch. Cells that point anywhere but into the block (JSON, converted or unescaped
 * text) are gone with the next row, so they are copied; a row that is too large for that is taken at once. */
static enum status keep_row(struct hand *h, struct error *err)
{
    const struct sheet *t = &h->t;
    struct batch *b = &h->batch;
    size_t need = in_block(&h->feed, t->text) ? 0 : t->text_length;
    enum status st = ST_OK;
    for (size_t c = 0; c < b->width; c++)
        if (t->row.cells[c].text && !in_block(&h->feed, t->row.cells[c].text))
            need += t->row.cells[c].n;
    if (b->used + need > ROOM)
        st = take_batch(h, err);
    if (st)
        return st;
    struct cell *cells = &b->cells[b->n * b->width];
    struct text *row = &b->row[b->n++];
    *row = (struct text){t->text, t->text_length, t->row_line};
    memcpy(cells, t->row.cells, b->width * sizeof *cells);
    if (need > ROOM)
        return take_batch(h, err);
    if (need && !in_block(&h->feed, row->text))
        row->text = keep_text(b, row->text, row->length);
    for (size_t c = 0; need && c < b->width; c++)
        if (cells[c].text && !in_block(&h->feed, cells[c].text))
            cells[c].text = keep_text(b, cells[c].text, cells[c].n);
    return b->n == b->most ? take_batch(h, err) : ST_OK;
}

/* One row of any kind. */
static enum status cut_any(struct hand *h, bool *more, struct error *err)
{
    enum status st = sheet_next(&h->t, more, err);
    if (st || !*more)
        return st;
    if (!h->t.bad && h->t.json && in_block(&h->feed, h->t.text))
        shapes_learn(&h->shapes, &h->form->t->names, h->t.text, h->t.text_length);
    if (!h->t.bad)
        return keep_row(h, err);
    const struct text row = {h->t.text, h->t.text_length, h->t.row_line};
    st = take_batch(h, err);
    return st ? st : refuse(h, &row, h->t.bad, err);
}

/* Rows by the fast way as long as that goes, then one by the slow way, and again. */
static enum status read_rows(struct hand *h, struct error *err)
{
    bool plain = plain_possible(&h->t.dialect), more = true;
    enum status st = ST_OK;
    for (unsigned row = 0; !st && more && h->feed.at < h->chunk->limit; row++) {
        bool any = false;
        if (h->t.skipping)
            ;
        else if (h->t.json)
            st = cut_shaped(h, &any, err);
        else if (plain)
            st = cut_plain(h, &any, err);
        if (!st && !any)
            st = cut_any(h, &more, err);
        if (!st && (any || row % BATCH_ROWS == 0))
            st = job_check(h->form->in->job, err);
    }
    h->chunk->cut = !more && h->feed.at < h->feed.end;
    return st ? st : take_batch(h, err);
}

/* Keys that the form does not know yet. */
static enum status note_names(struct hand *h, struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t i = h->form->t->names.n; i < h->t.names.n && !st; i++) {
        uint32_t code;
        st = dict_add(&h->chunk->new_names, dict_text(&h->t.names, i), dict_length(&h->t.names, i), &code, err);
    }
    return st;
}

void hand_read(struct hand *h, char *text, size_t end, bool last, bool skipping, struct chunk *c)
{
    struct feed *f = &h->feed;
    h->chunk = c;
    h->batch.n = h->batch.used = 0;
    f->data = text;
    f->at = c->begin;
    f->end = end;
    f->ended = last;
    f->line = f->converted = 0;
    h->t.skipping = skipping;
    c->st = restart(c, h->form, &c->error);
    if (!c->st)
        c->st = learn_names(h, &c->error);
    if (!c->st)
        c->st = read_rows(h, &c->error);
    if (!c->st)
        c->st = note_names(h, &c->error);
    c->end = f->at;
    c->lines = f->line;
    c->converted = f->converted;
    c->skipping = h->t.skipping;
    c->read = c->st == ST_OK;
}
