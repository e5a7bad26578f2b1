#include "base/press.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

enum { PIECE = 1 << 17 };

struct press {
    FILE *file;
    enum press_form form;
    z_stream gzip;
    ZSTD_CCtx *zstd;
    unsigned char piece[PIECE];
};

static int ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n > k && strcmp(text + n - k, end) == 0;
}

enum press_form press_form_of(const char *path)
{
    return ends_with(path, ".gz") ? PRESS_GZIP : ends_with(path, ".zst") ? PRESS_ZSTD : PRESS_PLAIN;
}

static enum status start_gzip(struct press *p, int level, struct error *err)
{
    enum { GZIP_FRAME = 16, WINDOW = 15, MEMORY = 8 };
    if (level > Z_BEST_COMPRESSION)
        level = Z_BEST_COMPRESSION;
    if (deflateInit2(&p->gzip, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW + GZIP_FRAME, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return error_nomem(err, sizeof p->gzip, "the gzip compressor");
    return ST_OK;
}

static enum status start_zstd(struct press *p, int level, struct error *err)
{
    p->zstd = ZSTD_createCCtx();
    if (!p->zstd)
        return error_nomem(err, PIECE, "the zstd compressor");
    ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1);
    return ST_OK;
}

enum status press_open(FILE *file, enum press_form form, int level, struct press **out, struct error *err)
{
    struct press *p = mem_new(1, sizeof *p, "output buffer", err);
    if (!p)
        return ST_NOMEM;
    p->file = file;
    enum status st = form == PRESS_GZIP   ? start_gzip(p, level, err)
                     : form == PRESS_ZSTD ? start_zstd(p, level, err)
                                          : ST_OK;
    if (st) {
        mem_free(p);
        return st;
    }
    p->form = form;
    *out = p;
    return ST_OK;
}

static enum status put(struct press *p, const void *bytes, size_t n, struct error *err)
{
    return fwrite(bytes, 1, n, p->file) == n ? ST_OK : error_errno(err, "write", "the file");
}

static enum status gzip_write(struct press *p, const char *bytes, size_t n, int flush, struct error *err)
{
    enum status st = ST_OK;
    do {
        size_t part = n < PIECE ? n : PIECE;
        p->gzip.next_in = (unsigned char *)(uintptr_t)bytes;
        p->gzip.avail_in = (unsigned)part;
        do {
            p->gzip.next_out = p->piece;
            p->gzip.avail_out = PIECE;
            (void)deflate(&p->gzip, part == n ? flush : Z_NO_FLUSH);
            st = put(p, p->piece, PIECE - p->gzip.avail_out, err);
        } while (!st && !p->gzip.avail_out);
        bytes += part;
        n -= part;
    } while (n && !st);
    return st;
}

static enum status zstd_write(struct press *p, const char *bytes, size_t n, ZSTD_EndDirective end, struct error *err)
{
    ZSTD_inBuffer in = {bytes, n, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {p->piece, PIECE, 0};
        left = ZSTD_compressStream2(p->zstd, &out, &in, end);
        if (ZSTD_isError(left))
            return error_set(err, ST_INTERNAL, "compressing failed: %s", ZSTD_getErrorName(left));
        enum status st = put(p, p->piece, out.pos, err);
        if (st)
            return st;
    } while (in.pos < in.size || (end == ZSTD_e_end && left));
    return ST_OK;
}

enum status press_write(struct press *p, const char *bytes, size_t n, struct error *err)
{
    if (!n)
        return ST_OK;
    if (p->form == PRESS_GZIP)
        return gzip_write(p, bytes, n, Z_NO_FLUSH, err);
    return p->form == PRESS_ZSTD ? zstd_write(p, bytes, n, ZSTD_e_continue, err) : put(p, bytes, n, err);
}

enum status press_close(struct press *p, struct error *err)
{
    enum status st = ST_OK;
    if (p->form == PRESS_GZIP)
        st = gzip_write(p, "", 0, Z_FINISH, err);
    else if (p->form == PRESS_ZSTD)
        st = zstd_write(p, "", 0, ZSTD_e_end, err);
    press_abandon(p);
    return st;
}

void press_abandon(struct press *p)
{
    if (!p)
        return;
    if (p->form == PRESS_GZIP)
        deflateEnd(&p->gzip);
    ZSTD_freeCCtx(p->zstd);
    mem_free(p);
}
