#include "base/dict.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

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

/* ---- short strings, without calls ---- */

static inline uint64_t load8(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load4(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The first and last bytes as two words that overlap where the string is short, after wyhash (Wang Yi). Never stored,
 * so it may change. */
static inline uint64_t hash(const char *p, size_t n)
{
    static const uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu;
    uint64_t seed = k0 ^ n, a = 0, b = 0;
    if (n >= 8) {
        for (; n > 16; n -= 16, p += 16)
            seed = mix(load8(p) ^ k1, load8(p + 8) ^ seed);
        a = load8(p + n - 8); /* of a long one, what comes before the rest is there to overlap with */
        b = n >= 8 ? load8(p) : 0;
    } else if (n >= 4) {
        a = load4(p);
        b = load4(p + n - 4);
    } else if (n > 0) {
        a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1];
    }
    return mix(k1 ^ seed, mix(a ^ k1, b ^ seed));
}

static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8)
        return load8(a) == load8(b) && load8(a + n - 8) == load8(b + n - 8);
    if (n >= 4)
        return load4(a) == load4(b) && load4(a + n - 4) == load4(b + n - 4);
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* ---- slots ---- */

static inline uint64_t tag_of(uint64_t hash)
{
    return hash >> 32;
}

static inline uint32_t code_in(uint64_t slot)
{
    return (uint32_t)slot - 1;
}

static inline bool holds(const struct dict *d, uint32_t code, const char *text, size_t length)
{
    return dict_length(d, code) == length && same_bytes(dict_text(d, code), text, length);
}

/* The slot that holds the text, or the free one where it belongs. */
static inline size_t find_slot(const struct dict *d, const char *text, size_t length, uint64_t hash)
{
    size_t mask = d->nslots - 1, i = tag_of(hash) & mask;
    for (;; i = (i + 1) & mask) {
        uint64_t slot = d->slots[i];
        if (!slot || (slot >> 32 == tag_of(hash) && holds(d, code_in(slot), text, length)))
            return i;
    }
}

/* Three quarters of the slots may be taken. */
static size_t slots_for(size_t n)
{
    size_t nslots = 16;
    while (nslots / 4 * 3 < n)
        nslots *= 2;
    return nslots;
}

/* Twice as many slots; where a text goes is in its old slot. */
static enum status grow_slots(struct dict *d, struct error *err)
{
    size_t nslots = slots_for((size_t)d->n + 1), mask = nslots - 1;
    uint64_t *slots = mem_new(nslots, sizeof *slots, "a dictionary", err);
    if (!slots)
        return ST_NOMEM;
    for (size_t k = 0; k < d->nslots; k++) {
        if (!d->slots[k])
            continue;
        size_t i = d->slots[k] >> 32 & mask;
        while (slots[i])
            i = (i + 1) & mask;
        slots[i] = d->slots[k];
    }
    mem_free(d->slots);
    d->slots = slots;
    d->nslots = nslots;
    return ST_OK;
}

enum status dict_reindex(struct dict *d, struct error *err)
{
    size_t nslots = slots_for(d->n);
    uint64_t *slots = mem_new(nslots, sizeof *slots, "a dictionary", err);
    if (!slots)
        return ST_NOMEM;
    mem_free(d->slots);
    d->slots = slots;
    d->nslots = nslots;
    for (uint32_t code = 0; code < d->n; code++) {
        uint64_t h = hash(dict_text(d, code), dict_length(d, code));
        size_t i = find_slot(d, dict_text(d, code), dict_length(d, code), h);
        if (slots[i])
            return error_set(err, ST_CORRUPT, "a dictionary holds the same text twice");
        slots[i] = tag_of(h) << 32 | (code + (uint64_t)1);
    }
    return ST_OK;
}

enum status dict_add_key(struct dict *d, const struct dict_key *key, uint32_t *code, struct error *err)
{
    size_t length = key->length;
    if (d->n + (size_t)1 > d->nslots / 4 * 3) {
        enum status st = grow_slots(d, err);
        if (st)
            return st;
    }
    size_t slot = find_slot(d, key->text, length, key->hash);
    if (d->slots[slot]) {
        *code = code_in(d->slots[slot]);
        return ST_OK;
    }
    if (d->n >= INT32_MAX)
        return error_set(err, ST_UNSUPPORTED, "more than %d different ids", INT32_MAX);
    enum status st = mem_grow(&d->bytes, &d->bytes_capacity, d->nbytes + length + 1, 1, err);
    if (!st)
        st = mem_grow(&d->start, &d->start_capacity, (size_t)d->n + 2, sizeof *d->start, err);
    if (st)
        return st;
    memcpy(d->bytes + d->nbytes, key->text, length);
    d->bytes[d->nbytes + length] = 0;
    d->start[d->n] = d->nbytes;
    d->nbytes += length + 1;
    d->start[d->n + 1] = d->nbytes;
    *code = d->n++;
    d->slots[slot] = tag_of(key->hash) << 32 | (*code + (uint64_t)1);
    return ST_OK;
}

enum status dict_add(struct dict *d, const char *text, size_t length, uint32_t *code, struct error *err)
{
    const struct dict_key key = {.text = text, .length = length, .hash = hash(text, length)};
    return dict_add_key(d, &key, code, err);
}

uint32_t dict_find(const struct dict *d, const char *text, size_t length)
{
    if (!d->nslots)
        return NO_CODE;
    uint64_t slot = d->slots[find_slot(d, text, length, hash(text, length))];
    return slot ? code_in(slot) : NO_CODE;
}

uint32_t dict_find_text(const struct dict *d, const char *text)
{
    return dict_find(d, text, strlen(text));
}

/* Four passes: hash and ask for the slot; read the slot and ask for where the text starts; ask for the text; compare.
 * Each pass waits for what the one before it asked for, of all keys at once. */
void dict_find_many(const struct dict *d, struct dict_key *key, size_t n, uint32_t *code)
{
    size_t mask = d->nslots - 1;
    for (size_t i = 0; i < n; i++) {
        key[i].hash = hash(key[i].text, key[i].length);
        code[i] = NO_CODE;
        if (d->nslots)
            __builtin_prefetch(&d->slots[tag_of(key[i].hash) & mask]);
    }
    if (!d->nslots)
        return;
    for (size_t i = 0; i < n; i++) {
        size_t k = tag_of(key[i].hash) & mask;
        while (d->slots[k] && d->slots[k] >> 32 != tag_of(key[i].hash))
            k = (k + 1) & mask;
        if (!d->slots[k])
            continue;
        code[i] = code_in(d->slots[k]);
        __builtin_prefetch(&d->start[code[i]]);
    }
    for (size_t i = 0; i < n; i++)
        if (code[i] != NO_CODE)
            __builtin_prefetch(dict_text(d, code[i]));
    for (size_t i = 0; i < n; i++) {
        if (code[i] == NO_CODE || holds(d, code[i], key[i].text, key[i].length))
            continue;
        uint64_t slot = d->slots[find_slot(d, key[i].text, key[i].length, key[i].hash)]; /* two with one tag */
        code[i] = slot ? code_in(slot) : NO_CODE;
    }
}

/* ---- copies ---- */

static enum status copy_bytes(void *to, const void *from, size_t count, size_t size, struct error *err)
{
    void *p = mem_new_raw(count, size, "a copy of a dictionary", err);
    if (!p)
        return ST_NOMEM;
    memcpy(p, from, count * size);
    memcpy(to, &p, sizeof p);
    return ST_OK;
}

enum status dict_copy(struct dict *to, const struct dict *from, struct error *err)
{
    if (from->n == 0)
        return ST_OK;
    size_t starts = (size_t)from->n + 1;
    enum status st = copy_bytes(&to->bytes, from->bytes, from->nbytes, 1, err);
    if (!st)
        st = copy_bytes(&to->start, from->start, starts, sizeof *to->start, err);
    if (!st && from->nslots)
        st = copy_bytes(&to->slots, from->slots, from->nslots, sizeof *to->slots, err);
    if (st)
        return st;
    to->n = from->n;
    to->nbytes = to->bytes_capacity = from->nbytes;
    to->start_capacity = starts;
    to->nslots = from->nslots;
    return ST_OK;
}
