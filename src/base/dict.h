/* A dictionary: strings <-> dense 32-bit codes in order of first appearance.
 *
 *   code 0 1 2 ...   ->  start[code] .. start[code + 1]  in  bytes   (each NUL-terminated)
 *   slots            ->  open addressing, a power of two; code + 1 in the low half, the hash in the high one, or 0
 *
 * Used for user ids, item ids, event types and the levels of text columns. A dictionary is built by
 * one thread and then only read, by any number. Ids are bytes: never numbers, never folded. */
#ifndef TAILOR_BASE_DICT_H
#define TAILOR_BASE_DICT_H

#include <stdint.h>

#include "base/error.h"

#define NO_CODE UINT32_MAX

struct dict {
    uint32_t n;            /* number of strings, at most INT32_MAX */
    char *bytes;           /* all strings, one after the other, each with its NUL */
    size_t nbytes, bytes_capacity;
    size_t *start;         /* n + 1 offsets into bytes */
    size_t start_capacity;
    uint64_t *slots;       /* 0 = free */
    size_t nslots;         /* a power of two, or 0 */
};

/* Zero-initialise to start. Frees the content, not the struct. */
void dict_clear(struct dict *d);
/* The code of text[0..length), added when new. */
MUST_CHECK enum status dict_add(struct dict *d, const char *text, size_t length, uint32_t *code, struct error *err);
/* The code, or NO_CODE. */
uint32_t dict_find(const struct dict *d, const char *text, size_t length);
uint32_t dict_find_text(const struct dict *d, const char *text);
/* The string of a code (NUL-terminated; length without it). */
const char *dict_text(const struct dict *d, uint32_t code);
size_t dict_length(const struct dict *d, uint32_t code);
/* Rebuilds the slots after bytes/start/n were filled from a file; ST_CORRUPT when two strings are the same. */
MUST_CHECK enum status dict_reindex(struct dict *d, struct error *err);
/* Makes the empty `to` the same as `from`: the same codes, and new ones come after. On failure what was copied is freed
 * by dict_clear. */
MUST_CHECK enum status dict_copy(struct dict *to, const struct dict *from, struct error *err);

/* Many lookups at once, for columns of ids: their trips to memory run side by side, which is several times as fast. */
struct dict_key {
    const char *text;
    size_t length;
    uint64_t hash; /* filled in */
};
enum { DICT_MANY = 256 };
/* code[i] of key[i], or NO_CODE; n <= DICT_MANY. */
void dict_find_many(const struct dict *d, struct dict_key *key, size_t n, uint32_t *code);
/* dict_add of a key whose hash is known, from dict_find_many of any dictionary. */
MUST_CHECK enum status dict_add_key(struct dict *d, const struct dict_key *key, uint32_t *code, struct error *err);

#endif
