/* Reading a chunk: rows are cut in the fastest way that they allow, and taken by batches. */
#include "ingest/hand.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/plain.h"

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
    return b->n == b->most ? hand_take(h, err) : ST_OK;
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
    return b->n == b->most ? hand_take(h, err) : ST_OK;
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

/* The current row of the sheet joins the batch. Cells that point anywhere but into the block (JSON, converted or
 * unescaped text) are gone with the next row, so they are copied; a row that is too large for that is taken at once. */
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
        st = hand_take(h, err);
    if (st)
        return st;
    struct cell *cells = &b->cells[b->n * b->width];
    struct text *row = &b->row[b->n++];
    *row = (struct text){t->text, t->text_length, t->row_line};
    memcpy(cells, t->row.cells, b->width * sizeof *cells);
    if (need > ROOM)
        return hand_take(h, err);
    if (need && !in_block(&h->feed, row->text))
        row->text = keep_text(b, row->text, row->length);
    for (size_t c = 0; need && c < b->width; c++)
        if (cells[c].text && !in_block(&h->feed, cells[c].text))
            cells[c].text = keep_text(b, cells[c].text, cells[c].n);
    return b->n == b->most ? hand_take(h, err) : ST_OK;
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
    st = hand_take(h, err);
    return st ? st : hand_refuse(h, &row, h->t.bad, err);
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
    return st ? st : hand_take(h, err);
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
