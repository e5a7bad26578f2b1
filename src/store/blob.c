/* The format of a section, little-endian:
 *
 *   bytes   0..3   magic "TSEC"
 *           4      version of this format, 1
 *           5      type (enum blob_type)
 *           6..7   zero
 *           8..39  name, padded with zeros, at most 31 bytes
 *          40..47  count of elements
 *          48..55  hash of the data
 *          56..63  hash of the bytes 0..55
 *   then count * size-of-type bytes of data
 *
 * A reader knows which section must come next, so a header is believed only when it is the one expected, and
 * its size is used only after its own hash holds. Data goes in pieces of at most 1 MiB: whoever stores them needs
 * no more than that at a time. */
#include "store/blob.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sections are stored as they lie in memory");

enum { SECTION_VERSION = 1, PIECE = 1 << 20 };

struct section {
    char magic[4];
    uint8_t version, type;
    uint16_t zero;
    char name[32];
    uint64_t count, data_hash, header_hash;
};
_Static_assert(sizeof(struct section) == 64, "the header has no padding");

static const char section_magic[4] = {'T', 'S', 'E', 'C'};

/* Bytes of one element; 0 for a type that does not exist. */
static size_t element_size(enum blob_type type)
{
    switch (type) {
    case BLOB_U8:
        return 1;
    case BLOB_U32:
    case BLOB_F32:
        return 4;
    case BLOB_U64:
    case BLOB_I64:
    case BLOB_F64:
        return 8;
    }
    return 0;
}

static uint64_t header_hash(const struct section *s)
{
    return hash_bytes(s, offsetof(struct section, header_hash), SECTION_VERSION);
}

enum status blob_put(struct blob_writer *w, const char *name, enum blob_type type, const void *data, size_t count,
                     struct error *err)
{
    struct section s = {.version = SECTION_VERSION, .type = (uint8_t)type, .count = count};
    size_t bytes, length = strlen(name);
    if (length >= sizeof s.name || __builtin_mul_overflow(count, element_size(type), &bytes))
        return error_set(err, ST_INTERNAL, "the section %s cannot be written", name);
    memcpy(s.magic, section_magic, sizeof s.magic);
    memcpy(s.name, name, length);
    s.data_hash = hash_bytes(data, bytes, type);
    s.header_hash = header_hash(&s);
    enum status st = w->write(w->context, &s, sizeof s, err);
    for (size_t at = 0; !st && at < bytes; at += PIECE)
        st = w->write(w->context, (const char *)data + at, bytes - at < PIECE ? bytes - at : PIECE, err);
    return st;
}

static enum status corrupt(struct error *err, const char *name, const char *what)
{
    enum status st = error_set(err, ST_CORRUPT, "the section %s is damaged: %s", name, what);
    error_hint(err, "the file was altered or cut short; make it again");
    return st;
}

/* Reads a header that must have this name and type; nothing of it is used before its hash held. */
static enum status get_header(struct blob_reader *r, const char *name, enum blob_type type, struct section *s,
                              struct error *err)
{
    enum status st = r->read(r->context, s, sizeof *s, err);
    if (st)
        return st;
    if (memcmp(s->magic, section_magic, sizeof s->magic) != 0)
        return corrupt(err, name, "no section begins here");
    if (s->header_hash != header_hash(s))
        return corrupt(err, name, "the checksum of its header does not hold");
    if (s->version != SECTION_VERSION)
        return error_set(err, ST_UNSUPPORTED, "the section %s has format version %d; this build reads %d", name,
                         s->version, SECTION_VERSION);
    if (s->name[sizeof s->name - 1] || strcmp(s->name, name) != 0)
        return corrupt(err, name, "another section stands in its place");
    if (s->type != (uint8_t)type)
        return corrupt(err, name, "it has another type");
    return ST_OK;
}

static enum status get_data(struct blob_reader *r, const struct section *s, void *data, size_t bytes, struct error *err)
{
    enum status st = ST_OK;
    for (size_t at = 0; !st && at < bytes; at += PIECE)
        st = r->read(r->context, (char *)data + at, bytes - at < PIECE ? bytes - at : PIECE, err);
    if (!st && hash_bytes(data, bytes, s->type) != s->data_hash)
        st = corrupt(err, s->name, "the checksum of its data does not hold");
    return st;
}

enum status blob_get(struct blob_reader *r, const char *name, enum blob_type type, void *data, size_t count,
                     struct error *err)
{
    struct section s;
    size_t bytes;
    if (__builtin_mul_overflow(count, element_size(type), &bytes))
        return error_set(err, ST_INTERNAL, "the section %s cannot be that long", name);
    enum status st = get_header(r, name, type, &s, err);
    if (st)
        return st;
    if (s.count != count)
        return corrupt(err, name, "it has another length");
    return get_data(r, &s, data, bytes, err);
}

/* As blob_get_new, with `extra` zero bytes behind the data. */
static enum status get_new(struct blob_reader *r, const char *name, enum blob_type type, size_t max_count, size_t extra,
                           void **data, size_t *count, struct error *err)
{
    struct section s;
    size_t bytes;
    enum status st = get_header(r, name, type, &s, err);
    if (st)
        return st;
    if (s.count > max_count || __builtin_mul_overflow((size_t)s.count, element_size(type), &bytes))
        return corrupt(err, name, "it is longer than it can be");
    void *p = mem_new_raw(bytes + extra, 1, name, err);
    if (!p)
        return ST_NOMEM;
    memset((char *)p + bytes, 0, extra);
    st = get_data(r, &s, p, bytes, err);
    if (st) {
        mem_free(p);
        return st;
    }
    *data = p;
    *count = (size_t)s.count;
    return ST_OK;
}

enum status blob_get_new(struct blob_reader *r, const char *name, enum blob_type type, size_t max_count, void **data,
                         size_t *count, struct error *err)
{
    return get_new(r, name, type, max_count, 0, data, count, err);
}

enum status blob_put_text(struct blob_writer *w, const char *name, const char *text, struct error *err)
{
    return blob_put(w, name, BLOB_U8, text, strlen(text), err);
}

enum status blob_get_text(struct blob_reader *r, const char *name, size_t max, char **text, struct error *err)
{
    void *p;
    size_t n;
    enum status st = get_new(r, name, BLOB_U8, max, 1, &p, &n, err);
    if (st)
        return st;
    if (memchr(p, 0, n)) {
        mem_free(p);
        return corrupt(err, name, "a text holds a zero byte");
    }
    *text = p;
    return ST_OK;
}
