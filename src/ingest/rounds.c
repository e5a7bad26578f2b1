#include "ingest/rounds.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

/* The first blocks are small: all ids are new there, and giving them codes is nobody's parallel work. */
#ifdef SMALL_PIECES /* `make fuzz`: a short text has many cuts */
enum { CHUNK_SIZE = 40, FIRST_BLOCK = 256, BLOCK_MOST = 512, HEADROOM = 64, TRIES = 3 };
#else
enum { CHUNK_SIZE = 256 << 10, FIRST_BLOCK = 1 << 20, BLOCK_MOST = 16 << 20, HEADROOM = 64 << 10, TRIES = 3 };
#endif

/* data[begin..end) is text; data[end] is a line feed and FEED_PADDING bytes follow. Text is read to data[head..), so
 * that the incomplete row at the end of the block before fits in front of it, mostly without moving anything. */
struct block {
    char *data;
    size_t head, begin, end, capacity;
    bool last;
};

struct rounds {
    struct event_form *form;
    struct block block[2], *now, *next;
    size_t want; /* bytes of the next block */
    struct chunk *chunk;
    size_t n, capacity;
    struct chunk **todo; /* to be read, or to be merged */
    size_t ntodo, todo_capacity;
    struct hand **hands; /* one a thread */
    bool fill;           /* read the next block meanwhile */
    bool skipping;
    enum status fill_status;
    struct error fill_error;
};

/* ---- blocks ---- */

static void seal(struct block *b)
{
    memset(b->data + b->end, 0, FEED_PADDING);
    b->data[b->end] = '\n';
}

/* Makes data[head .. head + n) writable; the text that is there moves with it. */
static enum status block_room(struct block *b, size_t head, size_t n, struct error *err)
{
    if (b->head >= head && b->head + n <= b->capacity)
        return ST_OK;
    size_t capacity = head + n, length = b->end - b->begin;
    char *data = mem_new_raw(capacity + FEED_PADDING, 1, "a read buffer", err);
    if (!data)
        return ST_NOMEM;
    if (length)
        memcpy(data + head, b->data + b->begin, length);
    mem_free(b->data);
    *b = (struct block){data, head, head, head + length, capacity, b->last};
    return ST_OK;
}

/* Fills the next block; it is `last` when the source ends with it. */
static enum status fill(struct rounds *r, struct error *err)
{
    struct block *b = r->next;
    b->begin = b->end = b->head;
    enum status st = block_room(b, HEADROOM, r->want, err);
    size_t got = 1;
    b->begin = b->end = b->head;
    while (!st && got && b->end - b->begin < r->want) {
        st = source_read(r->form->t->feed->source, b->data + b->end, r->want - (b->end - b->begin), &got, err);
        b->end += st ? 0 : got;
    }
    b->last = got == 0;
    if (!st)
        seal(b);
    return st;
}

/* Puts text in front of the block. */
static enum status prepend(struct block *b, const char *text, size_t n, struct error *err)
{
    if (n > b->begin) {
        enum status st = block_room(b, n + HEADROOM, b->end - b->begin, err);
        if (st)
            return st;
        seal(b);
    }
    if (n)
        memcpy(b->data + b->begin - n, text, n);
    b->begin -= n;
    return ST_OK;
}

/* The first block is what the window of the feed holds. */
static enum status take_window(struct rounds *r, struct error *err)
{
    struct feed *f = r->form->t->feed;
    size_t n = f->end - f->at;
    enum status st = block_room(r->now, HEADROOM, n, err);
    if (st)
        return st;
    memcpy(r->now->data + r->now->head, f->data + f->at, n);
    r->now->begin = r->now->head;
    r->now->end = r->now->begin + n;
    r->now->last = f->ended;
    seal(r->now);
    f->at = f->end;
    return ST_OK;
}

/* ---- chunks of a block ---- */

/* Cuts at the first line ends behind fixed distances. Whether rows begin there is seen later. */
static enum status cut_block(struct rounds *r, struct error *err)
{
    const struct block *b = r->now;
    char feed = r->form->t->dialect.lone_cr && !r->form->t->json ? '\r' : '\n';
    size_t most = (b->end - b->begin) / CHUNK_SIZE + 1, had = r->capacity;
    enum status st = mem_grow(&r->chunk, &r->capacity, most, sizeof *r->chunk, err);
    if (!st)
        memset(r->chunk + had, 0, (r->capacity - had) * sizeof *r->chunk);
    if (!st)
        st = mem_grow(&r->todo, &r->todo_capacity, most, sizeof(struct chunk *), err);
    r->n = 0;
    for (size_t at = b->begin; !st && at < b->end;) {
        const char *end =
            b->end - at <= CHUNK_SIZE ? NULL : memchr(b->data + at + CHUNK_SIZE, feed, b->end - at - CHUNK_SIZE);
        struct chunk *c = &r->chunk[r->n++];
        c->begin = at;
        c->read = false;
        at = c->limit = end ? (size_t)(end - b->data) + 1 : b->end;
    }
    return st;
}

/* Task 0 may be the next block, which takes long when it is packed; the rest are chunks. */
static void read_one(void *context, size_t i, size_t begin, size_t end)
{
    struct rounds *r = context;
    (void)begin;
    (void)end;
    if (r->fill && i-- == 0) {
        r->fill_status = fill(r, &r->fill_error);
        return;
    }
    const struct block *b = r->now;
    struct chunk *c = r->todo[i];
    hand_read(r->hands[parallel_thread()], b->data, b->end, b->last, r->skipping && c->begin == b->begin, c);
}

/* Reads the chunks todo[0..ntodo). */
static enum status read_todo(struct rounds *r, struct error *err)
{
    parallel_blocks(r->ntodo + r->fill, 1, read_one, r);
    if (r->fill && r->fill_status) {
        if (err)
            *err = r->fill_error;
        return r->fill_status;
    }
    r->fill = false;
    for (size_t i = 0; i < r->ntodo; i++) {
        if (!r->todo[i]->st)
            continue;
        if (err)
            *err = r->todo[i]->error;
        return r->todo[i]->st;
    }
    return ST_OK;
}

/* Keys of JSON lines that are new, in the order of the text, become columns; chunks that saw one must be read again. */
static enum status learn_names(struct rounds *r, plan_columns plan, struct error *err)
{
    struct dict *names = &r->form->t->names;
    enum status st = ST_OK;
    for (size_t i = 0; i < r->n && !st; i++) {
        struct chunk *c = &r->chunk[i];
        uint32_t code;
        if (!c->read || c->new_names.n == 0)
            continue;
        for (uint32_t k = 0; k < c->new_names.n && names->n < SHEET_KEYS_MOST && !st; k++)
            st = dict_add(names, dict_text(&c->new_names, k), dict_length(&c->new_names, k), &code, err);
        c->read = false;
    }
    return st ? st : plan(r->form, err);
}

/* Which chunks follow one another: todo gets those that must be read (again) and true is returned, or else all that
 * hold rows. A chunk that was begun at the wrong place mostly ends at the right one, so those behind it are believed;
 * after some tries only what is certain is. */
static bool settle(struct rounds *r, unsigned try)
{
    size_t at = r->now->begin, good = 0;
    r->ntodo = 0;
    for (size_t i = 0; i < r->n; i++) {
        struct chunk *c = &r->chunk[i];
        if (at >= c->limit)
            continue;
        if (!c->read || c->begin != at) {
            c->begin = at;
            r->todo[r->ntodo++] = c;
            if (try > TRIES)
                break;
        } else if (r->ntodo == 0) {
            good++;
        }
        at = c->end;
        if (c->cut)
            break;
    }
    if (r->ntodo)
        return true;
    at = r->now->begin;
    for (size_t i = 0; r->ntodo < good; i++)
        if (at < r->chunk[i].limit) {
            r->todo[r->ntodo++] = &r->chunk[i];
            at = r->chunk[i].end;
        }
    return false;
}

static enum status read_block(struct rounds *r, plan_columns plan, struct error *err)
{
    enum status st = cut_block(r, err);
    for (r->ntodo = 0; !st && r->ntodo < r->n; r->ntodo++)
        r->todo[r->ntodo] = &r->chunk[r->ntodo];
    for (unsigned try = 0; !st; try++) {
        st = read_todo(r, err);
        if (!st)
            st = learn_names(r, plan, err);
        if (st || !settle(r, try))
            break;
    }
    return st;
}

/* ---- rounds ---- */

static enum status merge_block(struct rounds *r, struct error *err)
{
    struct feed *f = r->form->t->feed;
    const struct block *b = r->now;
    const struct chunk *end = r->ntodo ? r->todo[r->ntodo - 1] : NULL;
    enum status st = chunks_merge(r->form, r->todo, r->ntodo, &f->line, err);
    r->skipping = end && end->skipping;
    size_t at = end ? end->end : b->begin;
    return st ? st : prepend(r->next, b->data + at, b->end - at, err);
}

static enum status start(struct rounds *r, struct error *err)
{
    size_t threads = (size_t)parallel_threads();
    r->now = &r->block[0];
    r->next = &r->block[1];
    r->want = FIRST_BLOCK;
    r->hands = mem_new(threads, sizeof(struct hand *), "reading rows", err);
    enum status st = r->hands ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < threads && !st; i++)
        st = (r->hands[i] = hand_new(r->form, err)) ? ST_OK : ST_NOMEM;
    return st ? st : take_window(r, err);
}

static void finish(struct rounds *r)
{
    for (size_t i = 0; r->hands && i < (size_t)parallel_threads(); i++)
        hand_free(r->hands[i]);
    for (size_t i = 0; i < r->capacity; i++)
        chunk_clear(&r->chunk[i]);
    mem_free(r->hands);
    mem_free(r->chunk);
    mem_free(r->todo);
    mem_free(r->block[0].data);
    mem_free(r->block[1].data);
}

enum status rounds_read(struct event_form *form, plan_columns plan, struct error *err)
{
    struct rounds r = {.form = form};
    enum status st = start(&r, err);
    while (!st) {
        bool last = r.now->last;
        ingest_progress(form->in, form->t);
        r.fill = !last;
        st = read_block(&r, plan, err);
        if (!st && last)
            st = chunks_merge(form, r.todo, r.ntodo, &form->t->feed->line, err);
        if (!st && !last)
            st = merge_block(&r, err);
        if (st || last)
            break;
        struct block *before = r.now;
        r.now = r.next;
        r.next = before;
        r.want = r.want * 2 < BLOCK_MOST ? r.want * 2 : BLOCK_MOST;
    }
    finish(&r);
    return st;
}
