#include "base/dict.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void dict_clear(struct dict *d)
{
    mem_free(d->bytes);
    mem_free(d->start);
    mem_free(d->slots);
    memset(d, 0, sizeof *d);
}

const char *dict_text(const struct dict *d, uint32_t code)
{
    return d->bytes + d->start[code];
}

size_t dict_length(const struct dict *d, uint32_t code)
{
    return d->start[code + 1] - d->start[code] - 1;
}

/* The slot that holds the text, or the free one where it belongs. */
static size_t find_slot(const struct dict *d, const char *text, size_t length)
{
    size_t mask = d->nslots - 1, i = hash_bytes(text, length, 0) & mask;
    for (;; i = (i + 1) & mask) {
        uint32_t code = d->slots[i];
        if (!code || (dict_length(d, code - 1) == length && memcmp(dict_text(d, code - 1), text, length) == 0))
            return i;
    }
}

static enum status resize_slots(struct dict *d, size_t nslots, bool distinct, struct error *err)
{
    uint32_t *old = d->slots;
    uint32_t *slots = mem_new(nslots, sizeof *slots, "a dictionary", err);
    if (!slots)
        return ST_NOMEM;
    size_t old_n = d->nslots;
    d->slots = slots;
    d->nslots = nslots;
    for (uint32_t code = 0; code < d->n; code++) {
        size_t i = find_slot(d, dict_text(d, code), dict_length(d, code));
        if (!distinct && slots[i]) {
            d->slots = old;
            d->nslots = old_n;
            mem_free(slots);
            return error_set(err, ST_CORRUPT, "a dictionary holds the same text twice");
        }
        slots[i] = code + 1;
    }
    mem_free(old);
    return ST_OK;
}

enum status dict_reindex(struct dict *d, struct error *err)
{
    size_t nslots = 16;
    while (nslots / 2 < d->n)
        nslots *= 2;
    return resize_slots(d, nslots, false, err);
}

enum status dict_add(struct dict *d, const char *text, size_t length, uint32_t *code, struct error *err)
{
    if (d->n + (size_t)1 > d->nslots / 2) {
        enum status st = resize_slots(d, d->nslots ? d->nslots * 2 : 16, true, err);
        if (st)
            return st;
    }
    size_t slot = find_slot(d, text, length);
    if (d->slots[slot]) {
        *code = d->slots[slot] - 1;
        return ST_OK;
    }
    if (d->n >= NO_CODE - 1)
        return error_set(err, ST_UNSUPPORTED, "more than %u different ids", NO_CODE - 1);
    enum status st = mem_grow(&d->bytes, &d->bytes_capacity, d->nbytes + length + 1, 1, err);
    if (!st)
        st = mem_grow(&d->start, &d->start_capacity, (size_t)d->n + 2, sizeof *d->start, err);
    if (st)
        return st;
    memcpy(d->bytes + d->nbytes, text, length);
    d->bytes[d->nbytes + length] = 0;
    d->start[d->n] = d->nbytes;
    d->nbytes += length + 1;
    d->start[d->n + 1] = d->nbytes;
    *code = d->n++;
    d->slots[slot] = *code + 1;
    return ST_OK;
}

uint32_t dict_find(const struct dict *d, const char *text, size_t length)
{
    if (!d->nslots)
        return NO_CODE;
    uint32_t code = d->slots[find_slot(d, text, length)];
    return code ? code - 1 : NO_CODE;
}

uint32_t dict_find_text(const struct dict *d, const char *text)
{
    return dict_find(d, text, strlen(text));
}
