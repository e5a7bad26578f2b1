/* The format of a chunk, little-endian:
 *
 *   byte   0      coding: PLAIN keeps each value, OFFSET its distance from `base`, DELTA its (zigzag) distance from the
 * value before it, the first one's from `base` 1      planes: bytes kept of each coded value; the higher ones are all
 * zero 2      1: distances were divided by a million (times of whole seconds) 3      1: what follows is a zstd frame,
 * 0: it is as it is 4..7   count of elements 8..15  base then planes * count bytes: the lowest bytes of all coded
 * values, then the next higher ones, and so on
 *
 * Sorted columns (users, times within a user) become small distances, and bytes of one significance lie side by side,
 * which is what zstd compresses well and fast. OFFSET or DELTA is chosen by the bits that each would need. Bytes (U8)
 * are PLAIN with one plane, floats PLAIN with all of theirs. */
#include "store/chunks.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

#include "base/mem.h"

enum { CHUNK = 1 << 16, CHUNK_BYTES = 1 << 20, HEADER = 16, LEVEL = 1, SCALE = 1000000 };
enum coding { PLAIN, OFFSET, DELTA };

struct codec {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    uint64_t wide[CHUNK];              /* the values as 64 bits */
    unsigned char planes[CHUNK_BYTES]; /* at least CHUNK * 8 */
};
_Static_assert(CHUNK_BYTES >= CHUNK * 8, "eight planes fit");

size_t element_size(enum element type)
{
    switch (type) {
    case ELEMENT_U8:
        return 1;
    case ELEMENT_U16:
        return 2;
    case ELEMENT_U32:
    case ELEMENT_F32:
        return 4;
    case ELEMENT_U64:
    case ELEMENT_I64:
    case ELEMENT_F64:
        return 8;
    }
    return 0;
}

size_t chunk_elements(enum element type)
{
    return type == ELEMENT_U8 ? CHUNK_BYTES : CHUNK;
}

size_t chunk_room(void)
{
    return HEADER + ZSTD_compressBound(CHUNK_BYTES);
}

struct codec *codec_new(struct error *err)
{
    struct codec *c = mem_new_raw(1, sizeof *c, "packing columns", err);
    if (!c)
        return NULL;
    c->pack = ZSTD_createCCtx();
    c->unpack = ZSTD_createDCtx();
    if (!c->pack || !c->unpack) {
        error_nomem(err, sizeof *c, "packing columns");
        codec_free(c);
        return NULL;
    }
    return c;
}

void codec_free(struct codec *c)
{
    if (!c)
        return;
    ZSTD_freeCCtx(c->pack);
    ZSTD_freeDCtx(c->unpack);
    mem_free(c);
}

/* ---- values to 64 bits and back ---- */

static void widen(enum element type, const void *data, size_t n, uint64_t *wide)
{
    const uint16_t *u16 = data;
    const uint32_t *u32 = data;
    switch (element_size(type)) {
    case 2:
        for (size_t i = 0; i < n; i++)
            wide[i] = u16[i];
        break;
    case 4:
        for (size_t i = 0; i < n; i++)
            wide[i] = u32[i];
        break;
    default:
        memcpy(wide, data, n * sizeof *wide);
    }
}

/* False when a value does not fit its type. */
static bool narrow(enum element type, const uint64_t *wide, size_t n, void *data)
{
    uint16_t *u16 = data;
    uint32_t *u32 = data;
    uint64_t all = 0;
    switch (element_size(type)) {
    case 2:
        for (size_t i = 0; i < n; i++) {
            u16[i] = (uint16_t)wide[i];
            all |= wide[i];
        }
        return all <= UINT16_MAX;
    case 4:
        for (size_t i = 0; i < n; i++) {
            u32[i] = (uint32_t)wide[i];
            all |= wide[i];
        }
        return all <= UINT32_MAX;
    default:
        memcpy(data, wide, n * sizeof *wide);
        return true;
    }
}

static uint64_t zigzag(uint64_t difference)
{
    return (difference << 1) ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unzigzag(uint64_t coded)
{
    return (coded >> 1) ^ (0 - (coded & 1));
}

/* ---- coding ---- */

struct plan {
    enum coding coding;
    unsigned planes;
    bool scaled;
    uint64_t base;
};

static unsigned bytes_of(uint64_t bits)
{
    return bits ? (unsigned)(64 - __builtin_clzll(bits) + 7) / 8 : 0;
}

/* Are all differences whole millions, and so near each other that no difference of two of them overflows? */
static bool whole_seconds(const uint64_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int64_t distance = (int64_t)(v[i] - v[0]);
        if (distance % SCALE || distance > INT64_MAX / 4 || distance < INT64_MIN / 4)
            return false;
    }
    return true;
}

/* Looks at integers v[0..n), n > 0, and says how to code them. */
static struct plan make_plan(enum element type, const uint64_t *v, size_t n)
{
    uint64_t low = v[0];
    size_t offset_bits = 0, delta_bits = 0;
    for (size_t i = 1; i < n; i++)
        low = (int64_t)v[i] < (int64_t)low ? v[i] : low;
    bool scaled = type == ELEMENT_I64 && whole_seconds(v, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t offset = v[i] - low, delta = i ? zigzag(v[i] - v[i - 1]) : 0;
        offset_bits += (size_t)(64 - __builtin_clzll(offset | 1));
        delta_bits += (size_t)(64 - __builtin_clzll(delta | 1));
    }
    bool delta = delta_bits < offset_bits;
    return (struct plan){.coding = delta ? DELTA : OFFSET, .scaled = scaled, .base = delta ? v[0] : low};
}

/* Codes v[0..n) in place and sets how many planes that needs. */
static void code_values(struct plan *p, uint64_t *v, size_t n)
{
    uint64_t all = 0, before = p->base;
    for (size_t i = 0; i < n; i++) {
        uint64_t distance = v[i] - before;
        if (p->coding == DELTA)
            before = v[i];
        if (p->scaled)
            distance = p->coding == DELTA ? (uint64_t)((int64_t)distance / SCALE) : distance / SCALE;
        v[i] = p->coding == DELTA ? zigzag(distance) : distance;
        all |= v[i];
    }
    p->planes = bytes_of(all);
}

static void decode_values(const struct plan *p, uint64_t *v, size_t n)
{
    uint64_t scale = p->scaled ? SCALE : 1, value = p->base;
    if (p->coding == DELTA) {
        for (size_t i = 0; i < n; i++) {
            value += unzigzag(v[i]) * scale;
            v[i] = value;
        }
    } else if (p->coding == OFFSET) {
        for (size_t i = 0; i < n; i++)
            v[i] = value + v[i] * scale;
    }
}

static void split_planes(const uint64_t *v, size_t n, unsigned planes, unsigned char *out)
{
    for (unsigned b = 0; b < planes; b++) {
        unsigned char *plane = out + b * n;
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            plane[i] = (unsigned char)(v[i] >> (8 * b));
    }
}

static void join_planes(const unsigned char *in, size_t n, unsigned planes, uint64_t *v)
{
    memset(v, 0, n * sizeof *v);
    for (unsigned b = 0; b < planes; b++) {
        const unsigned char *plane = in + b * n;
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            v[i] |= (uint64_t)plane[i] << (8 * b);
    }
}

/* ---- extents ---- */

static struct extent extent_of(enum element type, const void *data, const uint64_t *wide, size_t n)
{
    struct extent x = {.real = type == ELEMENT_F32 || type == ELEMENT_F64};
    for (size_t i = 0; i < n; i++) {
        if (x.real) {
            double value = type == ELEMENT_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
            if (isnan(value))
                continue;
            x.real_low = !x.any || value < x.real_low ? value : x.real_low;
            x.real_high = !x.any || value > x.real_high ? value : x.real_high;
        } else {
            int64_t value = (int64_t)wide[i];
            if ((type == ELEMENT_U32 && value == UINT32_MAX) || value == INT64_MIN)
                continue;
            x.low = !x.any || value < x.low ? value : x.low;
            x.high = !x.any || value > x.high ? value : x.high;
        }
        x.any = true;
    }
    return x;
}

/* ---- chunks ---- */

static void put_header(unsigned char *out, const struct plan *p, bool packed, size_t n)
{
    uint32_t count = (uint32_t)n;
    out[0] = (unsigned char)p->coding;
    out[1] = (unsigned char)p->planes;
    out[2] = p->scaled;
    out[3] = packed;
    memcpy(out + 4, &count, sizeof count);
    memcpy(out + 8, &p->base, sizeof p->base);
}

enum status chunk_encode(struct codec *c, enum element type, const void *data, size_t n, unsigned char *out,
                         size_t *size, struct extent *extent, struct error *err)
{
    struct plan plan = {.planes = (unsigned)element_size(type)};
    const unsigned char *raw = data;
    *extent = (struct extent){0};
    if (type != ELEMENT_U8) {
        widen(type, data, n, c->wide);
        *extent = extent_of(type, data, c->wide, n);
        if (n && !extent->real) {
            plan = make_plan(type, c->wide, n);
            code_values(&plan, c->wide, n);
        }
        split_planes(c->wide, n, plan.planes, c->planes);
        raw = c->planes;
    }
    size_t bytes = plan.planes * n;
    size_t packed = ZSTD_compressCCtx(c->pack, out + HEADER, chunk_room() - HEADER, raw, bytes, LEVEL);
    if (ZSTD_isError(packed))
        return error_set(err, ST_NOMEM, "cannot compress a column: %s",
                         ZSTD_getErrorName(packed));
    bool keep = packed < bytes;
    if (!keep)
        memcpy(out + HEADER, raw, bytes);
    put_header(out, &plan, keep, n);
    *size = HEADER + (keep ? packed : bytes);
    return ST_OK;
}

static enum status damaged(struct error *err, const char *what)
{
    return error_set(err, ST_CORRUPT, "a chunk of a column is damaged: %s", what);
}

/* Reads and checks the header: everything that a size is made of later. */
static enum status get_header(enum element type, const unsigned char *bytes, size_t size, size_t n, struct plan *p,
                              bool *packed, struct error *err)
{
    uint32_t count;
    if (size < HEADER || n > chunk_elements(type))
        return damaged(err, "it has no header");
    memcpy(&count, bytes + 4, sizeof count);
    p->coding = bytes[0];
    p->planes = bytes[1];
    p->scaled = bytes[2];
    *packed = bytes[3];
    memcpy(&p->base, bytes + 8, sizeof p->base);
    bool plain = p->coding == PLAIN && p->planes == element_size(type) && !p->scaled;
    bool coded = type != ELEMENT_U8 && (p->coding == OFFSET || p->coding == DELTA) && p->planes <= 8;
    if (count != n || bytes[2] > 1 || bytes[3] > 1 || !(plain || coded))
        return damaged(err, "its header makes no sense");
    return ST_OK;
}

enum status chunk_decode(struct codec *c, enum element type, const unsigned char *bytes, size_t size, void *data,
                         size_t n, struct error *err)
{
    struct plan plan = {0};
    bool packed = false;
    enum status st = get_header(type, bytes, size, n, &plan, &packed, err);
    if (st)
        return st;
    size_t want = plan.planes * n;
    const unsigned char *raw = bytes + HEADER;
    size -= HEADER;
    if (packed) {
        unsigned char *to = type == ELEMENT_U8 ? data : c->planes;
        size = ZSTD_decompressDCtx(c->unpack, to, want, raw, size);
        if (ZSTD_isError(size))
            return damaged(err, ZSTD_getErrorName(size));
        raw = to;
    }
    if (size != want)
        return damaged(err, "it has another length");
    if (type == ELEMENT_U8) {
        if (!packed)
            memcpy(data, raw, want);
        return ST_OK;
    }
    join_planes(raw, n, plan.planes, c->wide);
    decode_values(&plan, c->wide, n);
    return narrow(type, c->wide, n, data) ? ST_OK : damaged(err, "a value does not fit its type");
}
