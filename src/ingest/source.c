#include "ingest/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

enum { RAW_CHUNK = 256 << 10, PIPE_WAIT_MS = 50 };

enum packing { PLAIN, GZIP, ZSTD };

struct source {
    int fd;
    bool regular;
    uint64_t limit; /* bytes of a file that are read: what it gains meanwhile is for `follow` */
    enum packing packing;
    char *path;
    struct job *job;
    uint64_t taken;
    char *raw; /* RAW_CHUNK bytes as they stand in the file, raw[at..end) not yet used */
    size_t at, end;
    bool end_of_file;
    bool inside; /* a gzip member or zstd frame is begun and not yet complete */
    z_stream z;
    ZSTD_DStream *zstd;
    source_pull pull; /* NULL: a file */
    void (*close)(void *context);
    void *context;
};

uint64_t source_taken(const struct source *s)
{
    return s->taken;
}

/* A pipe may keep us waiting for ever; a cancel must be noticed all the same. */
static enum status wait_for_pipe(struct source *s, struct error *err)
{
    for (;;) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        int n = poll(&p, 1, PIPE_WAIT_MS);
        if (n > 0)
            return ST_OK;
        if (n < 0 && errno != EINTR)
            return error_errno(err, "read", s->path);
        enum status st = job_check(s->job, err);
        if (st)
            return st;
    }
}

static enum status read_raw(struct source *s, char *out, size_t room, size_t *got, struct error *err)
{
    for (;;) {
        if (!s->regular) {
            enum status st = wait_for_pipe(s, err);
            if (st)
                return st;
        }
        if (room > s->limit - s->taken)
            room = (size_t)(s->limit - s->taken);
        ssize_t n = read(s->fd, out, room);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return error_errno(err, "read", s->path);
        s->taken += (uint64_t)n;
        *got = (size_t)n;
        s->end_of_file = n == 0;
        return ST_OK;
    }
}

static enum status refill(struct source *s, struct error *err)
{
    if (s->at < s->end || s->end_of_file)
        return ST_OK;
    s->at = s->end = 0;
    return read_raw(s, s->raw, RAW_CHUNK, &s->end, err);
}

static enum status broken(const struct source *s, bool ends, struct error *err)
{
    error_set(err, ST_FORMAT, "%s %s", s->path,
              ends ? "ends in the middle of its compressed data" : "holds damaged compressed data");
    error_hint(err, "copy or download it again; `%s -t` tells whether it is whole",
               s->packing == GZIP ? "gzip" : "zstd");
    return ST_FORMAT;
}

static enum status read_gzip(struct source *s, char *out, size_t room, size_t *got, struct error *err)
{
    s->z.next_out = (Bytef *)out;
    s->z.avail_out = (uInt)(room < RAW_CHUNK ? room : RAW_CHUNK);
    uInt before = s->z.avail_out;
    while (s->z.avail_out == before) {
        enum status st = refill(s, err);
        if (st)
            return st;
        if (s->at == s->end) {
            *got = 0;
            return s->inside ? broken(s, true, err) : ST_OK;
        }
        s->inside = true;
        s->z.next_in = (Bytef *)s->raw + s->at;
        s->z.avail_in = (uInt)(s->end - s->at);
        int z = inflate(&s->z, Z_NO_FLUSH);
        s->at = s->end - s->z.avail_in;
        if (z == Z_MEM_ERROR)
            return error_nomem(err, RAW_CHUNK, "decompression");
        if (z == Z_STREAM_END) { /* another member may follow */
            s->inside = false;
            inflateReset(&s->z);
        } else if (z != Z_OK && z != Z_BUF_ERROR) {
            return broken(s, false, err);
        }
    }
    *got = before - s->z.avail_out;
    return ST_OK;
}

static enum status read_zstd(struct source *s, char *out, size_t room, size_t *got, struct error *err)
{
    ZSTD_outBuffer to = {.dst = out, .size = room};
    while (to.pos == 0) {
        enum status st = refill(s, err);
        if (st)
            return st;
        if (s->at == s->end && !s->inside)
            break;
        ZSTD_inBuffer from = {.src = s->raw, .size = s->end, .pos = s->at};
        bool starved = s->at == s->end;
        size_t left = ZSTD_decompressStream(s->zstd, &to, &from);
        if (ZSTD_isError(left))
            return broken(s, false, err);
        s->at = from.pos;
        s->inside = left != 0;
        if (starved && to.pos == 0 && s->inside)
            return broken(s, true, err);
    }
    *got = to.pos;
    return ST_OK;
}

enum status source_read(struct source *s, char *out, size_t room, size_t *got, struct error *err)
{
    if (s->pull) {
        enum status st = s->pull(s->context, out, room, got, err);
        s->taken += st ? 0 : *got;
        return st;
    }
    if (s->packing == GZIP)
        return read_gzip(s, out, room, got, err);
    if (s->packing == ZSTD)
        return read_zstd(s, out, room, got, err);
    if (s->at < s->end) {
        *got = s->end - s->at < room ? s->end - s->at : room;
        memcpy(out, s->raw + s->at, *got);
        s->at += *got;
        return ST_OK;
    }
    if (!s->end_of_file)
        return read_raw(s, out, room, got, err);
    *got = 0;
    return ST_OK;
}

static enum status open_file(struct source *s, struct error *err)
{
    struct stat info;
    /* Opening a FIFO would wait for a writer and hear of no cancel: the wait is in wait_for_pipe. */
    s->fd = strcmp(s->path, "-") == 0 ? dup(STDIN_FILENO) : open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->fd < 0 || fstat(s->fd, &info))
        return error_errno(err, "read", s->path);
    if (S_ISDIR(info.st_mode))
        return error_set(err, ST_USAGE, "%s is a folder", s->path);
    s->regular = S_ISREG(info.st_mode);
    s->limit = s->regular && info.st_size ? (uint64_t)info.st_size : UINT64_MAX; /* files of /proc have no size */
    return ST_OK;
}

/* The first bytes say how the file is packed. */
static enum status look_at_head(struct source *s, struct error *err)
{
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    while (s->end < sizeof zstd && !s->end_of_file) { /* a pipe may give them one by one */
        size_t got;
        enum status st = read_raw(s, s->raw + s->end, RAW_CHUNK - s->end, &got, err);
        if (st)
            return st;
        s->end += got;
    }
    if (s->end >= sizeof gzip && memcmp(s->raw, gzip, sizeof gzip) == 0) {
        s->packing = GZIP;
        if (inflateInit2(&s->z, 15 + 16) != Z_OK) {
            s->packing = PLAIN;
            return error_nomem(err, 64 << 10, "decompression");
        }
    } else if (s->end >= sizeof zstd && memcmp(s->raw, zstd, sizeof zstd) == 0) {
        s->packing = ZSTD;
        s->zstd = ZSTD_createDStream();
        if (!s->zstd)
            return error_nomem(err, 64 << 10, "decompression");
    }
    return ST_OK;
}

enum status source_open(const char *path, struct job *job, struct source **out, struct error *err)
{
    struct source *s = mem_new(1, sizeof *s, "a file to read", err);
    if (!s)
        return ST_NOMEM;
    s->fd = -1;
    s->job = job;
    enum status st = ST_NOMEM;
    s->path = mem_strdup(path, err);
    if (s->path)
        s->raw = mem_new_raw(RAW_CHUNK, 1, "a read buffer", err);
    if (s->raw)
        st = open_file(s, err);
    if (!st)
        st = look_at_head(s, err);
    if (st) {
        source_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

enum status source_pulled(source_pull pull, void (*close)(void *context), void *context, struct source **out,
                          struct error *err)
{
    struct source *s = mem_new(1, sizeof *s, "a source", err);
    if (!s)
        return ST_NOMEM;
    *s = (struct source){.fd = -1, .pull = pull, .close = close, .context = context};
    *out = s;
    return ST_OK;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    if (s->close)
        s->close(s->context);
    if (s->packing == GZIP)
        inflateEnd(&s->z);
    ZSTD_freeDStream(s->zstd);
    if (s->fd >= 0)
        close(s->fd);
    mem_free(s->raw);
    mem_free(s->path);
    mem_free(s);
}
