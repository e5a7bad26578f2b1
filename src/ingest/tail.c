#include "ingest/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "ingest/load.h"

enum { READ_CHUNK = 256 << 10, PATIENCE = 20 /* looks at a row whose quotes do not close */ };

struct tail {
    char *path;
    int fd;
    bool regular, standard;
    dev_t device;
    ino_t inode;
    uint64_t taken, line; /* bytes and lines before `text` begins */
    size_t partial;       /* bytes of the first row that were there, without its end, when the file was read last */
    struct str text;      /* read and not taken */
    struct str header;    /* the first line with its end, when it is a header; else empty */
    bool begun;           /* the first line was looked at: it is known whether it is a header */
    bool afresh;          /* a new writer or file begins: it may say the header again */
    bool ended, replaced; /* replaced: another file has the name, what is left of this one is all there will be */
    unsigned looks;       /* in vain, at an open quote */
};

/* ---- places ---- */

static bool is_packed(const char *head, size_t n)
{
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    return (n >= 2 && memcmp(head, gzip, 2) == 0) || (n >= 4 && memcmp(head, zstd, 4) == 0);
}

/* The first bytes of a plain file and its size; false when it is none. */
static bool read_head(const char *path, char head[TAIL_HEAD], size_t *n, uint64_t *size)
{
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
    ssize_t got = good ? pread(fd, head, TAIL_HEAD, 0) : -1;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return false;
    *n = (size_t)got;
    *size = (uint64_t)s.st_size;
    return true;
}

static uint64_t hash_head(const char *head, size_t n, uint64_t offset)
{
    return hash_bytes(head, offset < n ? (size_t)offset : n, 1);
}

bool tail_place_of(const char *path, uint64_t offset, struct tail_place *out)
{
    char head[TAIL_HEAD];
    size_t n;
    uint64_t size;
    if (!read_head(path, head, &n, &size) || is_packed(head, n) || size < offset)
        return false;
    *out = (struct tail_place){.offset = offset, .head = hash_head(head, n, offset)};
    return true;
}

bool tail_place_fits(const char *path, const struct tail_place *place)
{
    struct tail_place now;
    return tail_place_of(path, place->offset, &now) && now.head == place->head;
}

bool tail_place_now(const struct tail *t, struct tail_place *out)
{
    char head[TAIL_HEAD];
    ssize_t n = t->regular ? pread(t->fd, head, sizeof head, 0) : -1;
    uint64_t offset = t->taken + t->partial;
    *out =
        (struct tail_place){.offset = offset, .line = t->line, .head = n < 0 ? 0 : hash_head(head, (size_t)n, offset)};
    return n >= 0;
}

/* ---- opening ---- */

static enum status open_source(struct tail *t, struct error *err)
{
    struct stat s;
    t->standard = strcmp(t->path, "-") == 0;
    t->fd = t->standard ? dup(STDIN_FILENO) : open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0 || fstat(t->fd, &s))
        return error_errno(err, "read", t->path);
    if (S_ISDIR(s.st_mode))
        return error_set(err, ST_USAGE, "%s is a folder: one file, a FIFO or - can be followed", t->path);
    t->regular = S_ISREG(s.st_mode);
    t->device = s.st_dev;
    t->inode = s.st_ino;
    return ST_OK;
}

static enum status check_head(struct tail *t, struct error *err)
{
    char head[4];
    ssize_t n = t->regular ? pread(t->fd, head, sizeof head, 0) : 0;
    if (n <= 0 || !is_packed(head, (size_t)n))
        return ST_OK;
    error_set(err, ST_FORMAT, "%s is packed: it cannot be followed", t->path);
    error_hint(err, "append %s reads it whole", t->path);
    return ST_FORMAT;
}

/* The first line of a file that is not read from its beginning, and the number of lines up to `offset`. */
static enum status look_back(struct tail *t, uint64_t offset, uint64_t line, struct error *err)
{
    char *bytes = mem_new_raw(READ_CHUNK, 1, "a read buffer", err);
    if (!bytes)
        return ST_NOMEM;
    enum status st = ST_OK;
    bool first = true;
    t->line = line;
    for (uint64_t at = 0; at < offset && (first || !line) && !st;) {
        size_t want = offset - at < READ_CHUNK ? (size_t)(offset - at) : READ_CHUNK;
        ssize_t n = pread(t->fd, bytes, want, (off_t)at);
        if (n <= 0) {
            st = n < 0 ? error_errno(err, "read", t->path) : error_set(err, ST_IO, "%s has become shorter", t->path);
            break;
        }
        const char *end = memchr(bytes, '\n', (size_t)n);
        if (first)
            str_append(&t->text, bytes, end ? (size_t)(end - bytes) + 1 : (size_t)n);
        first = first && !end;
        for (const char *p = line ? NULL : end; p; p = memchr(p + 1, '\n', (size_t)(bytes + n - p - 1)))
            t->line++;
        at += (uint64_t)n;
    }
    mem_free(bytes);
    t->taken = offset;
    return st;
}

enum status text_as_file(const char *text, size_t n, int *fd, char *path, struct error *err)
{
    *fd = memfd_create("rows", MFD_CLOEXEC);
    if (*fd < 0)
        return error_errno(err, "make", "a file in memory");
    for (size_t at = 0; at < n;) {
        ssize_t done = write(*fd, text + at, n - at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            enum status st = error_errno(err, "write", "a file in memory");
            close(*fd);
            return st;
        }
        at += (size_t)done;
    }
    snprintf(path, 48, "/proc/self/fd/%d", *fd);
    return ST_OK;
}

/* Is this first line a header? As the readers would say it. */
static enum status ask_header(const char *line, size_t n, bool *header, struct error *err)
{
    const struct sheet_form form = {0};
    struct feed *feed = NULL;
    struct sheet sheet;
    char path[48];
    int fd;
    *header = false;
    if (n == 0 || line[strspn(line, " \t")] == '{')
        return ST_OK;
    enum status st = text_as_file(line, n, &fd, path, err);
    if (st)
        return st;
    st = feed_open(path, NULL, &feed, err);
    if (!st)
        st = sheet_open(feed, &form, &sheet, err);
    if (!st) {
        *header = sheet.header;
        sheet_close(&sheet);
    }
    close(fd);
    return st == ST_FORMAT ? ST_OK : st; /* no header that anybody could read */
}

/* Looks at the first line once it is whole. */
static enum status begin_text(struct tail *t, struct error *err)
{
    const char *text = str_text(&t->text), *end = memchr(text, '\n', t->text.length);
    bool header;
    if (t->begun || !end)
        return ST_OK;
    size_t n = (size_t)(end - text) + 1;
    enum status st = ask_header(text, n, &header, err);
    if (!st && header) {
        str_append(&t->header, text, n);
        t->afresh = true;
    }
    t->begun = !st;
    return st;
}

/* Was the file read in the middle of a row? Then it goes on at the begin of that row, which is taken when it has become
 * longer. */
static enum status find_stub(struct tail *t, struct error *err)
{
    char bytes[4096];
    for (uint64_t end = t->taken, want; end > 0; end -= want) {
        want = end < sizeof bytes ? end : sizeof bytes;
        ssize_t n = pread(t->fd, bytes, (size_t)want, (off_t)(end - want));
        if (n != (ssize_t)want)
            return n < 0 ? error_errno(err, "read", t->path) : error_set(err, ST_IO, "%s has become shorter", t->path);
        const char *feed = memrchr(bytes, '\n', (size_t)n);
        uint64_t begin = feed ? end - want + (uint64_t)(feed - bytes) + 1 : end - want;
        if (feed || begin == 0) {
            t->partial = (size_t)(t->taken - begin);
            t->taken = begin;
            break;
        }
    }
    return ST_OK;
}

/* Bytes at the begin of the text that were read before: the partial row, when nothing but an end came behind it. */
static size_t known_stub(const struct tail *t)
{
    const char *text = str_text(&t->text);
    size_t n = t->partial;
    if (!n || t->text.length <= n)
        return t->text.length < n ? t->text.length : n;
    n += text[n] == '\r' && n + 1 < t->text.length;
    return text[n] == '\n' ? n + 1 : 0;
}

/* What stands before `place` was read by somebody else: only its header matters. */
static enum status skip_to(struct tail *t, const struct tail_place *place, struct error *err)
{
    enum status st = look_back(t, place->offset, place->line, err);
    if (!st)
        st = find_stub(t, err);
    if (!st && lseek(t->fd, (off_t)t->taken, SEEK_SET) < 0)
        st = error_errno(err, "read", t->path);
    if (!st)
        st = begin_text(t, err);
    t->begun = true;
    t->afresh = false;
    str_clear(&t->text);
    return st;
}

enum status tail_open(const char *path, const struct tail_place *place, struct tail **out, struct error *err)
{
    struct tail *t = mem_new(1, sizeof *t, "a source to follow", err);
    if (!t)
        return ST_NOMEM;
    t->fd = -1;
    t->path = mem_strdup(path, err);
    enum status st = t->path ? open_source(t, err) : ST_NOMEM;
    if (!st)
        st = check_head(t, err);
    if (!st && place && place->offset && t->regular)
        st = skip_to(t, place, err);
    if (st)
        tail_close(t);
    else
        *out = t;
    return st;
}

void tail_close(struct tail *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    str_free(&t->text);
    str_free(&t->header);
    mem_free(t->path);
    mem_free(t);
}

/* ---- reading ---- */

/* The file that has the name now, from its beginning. */
static enum status open_again(struct tail *t, struct error *err)
{
    int fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat s;
    if (fd < 0 || fstat(fd, &s)) {
        if (fd >= 0)
            close(fd);
        return errno == ENOENT ? ST_OK : error_errno(err, "read", t->path); /* it comes back, or not */
    }
    close(t->fd);
    t->fd = fd;
    t->device = s.st_dev;
    t->inode = s.st_ino;
    t->taken = t->line = t->partial = 0;
    t->replaced = false;
    t->afresh = true;
    return check_head(t, err);
}

/* At the end of a plain file: was it cut short, or does another have its name? */
static enum status look_around(struct tail *t, struct error *err)
{
    struct stat here, named;
    if (fstat(t->fd, &here))
        return error_errno(err, "read", t->path);
    if ((uint64_t)here.st_size < t->taken + t->text.length) {
        str_clear(&t->text); /* the unfinished row is gone with its file */
        t->taken = t->line = t->partial = 0;
        t->afresh = true;
        return lseek(t->fd, 0, SEEK_SET) < 0 ? error_errno(err, "read", t->path) : check_head(t, err);
    }
    if (stat(t->path, &named) == 0 && (named.st_dev != t->device || named.st_ino != t->inode))
        t->replaced = true;
    if (!t->replaced || t->text.length != known_stub(t))
        return ST_OK;
    str_clear(&t->text);
    return open_again(t, err);
}

static bool has_input(const struct tail *t)
{
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    return t->regular || poll(&p, 1, 0) > 0;
}

/* One read; *got is 0 when there is nothing now. */
static enum status read_some(struct tail *t, char *bytes, size_t room, size_t *got, struct error *err)
{
    *got = 0;
    if (!has_input(t))
        return ST_OK;
    ssize_t n = read(t->fd, bytes, room);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? ST_OK : error_errno(err, "read", t->path);
    if (n == 0) { /* of a pipe: all writers have gone, another may come to a FIFO */
        t->ended = !t->regular;
        t->afresh |= !t->regular;
        return t->regular ? look_around(t, err) : ST_OK;
    }
    t->ended = false;
    *got = (size_t)n;
    return ST_OK;
}

enum status tail_read(struct tail *t, struct error *err)
{
    enum status st = ST_OK;
    size_t got = 1;
    char *bytes = t->text.length < TAIL_MOST ? mem_new_raw(READ_CHUNK, 1, "a read buffer", err) : NULL;
    if (!bytes)
        return t->text.length < TAIL_MOST ? ST_NOMEM : ST_OK;
    while (got && t->text.length < TAIL_MOST && !st) {
        st = read_some(t, bytes, READ_CHUNK, &got, err);
        if (!st && got)
            str_append(&t->text, bytes, got);
        if (t->text.failed)
            st = error_nomem(err, t->text.length + got, "rows to take in");
    }
    mem_free(bytes);
    return st ? st : begin_text(t, err);
}

bool tail_ended(const struct tail *t)
{
    return t->ended;
}

void tail_end_here(struct tail *t)
{
    t->ended = true;
}

/* ---- rows ---- */

static size_t count(const char *text, size_t n, char c)
{
    size_t found = 0;
    for (const char *p = memchr(text, c, n); p; p = memchr(p + 1, c, (size_t)(text + n - p - 1)))
        found++;
    return found;
}

/* Up to the last line end that lies outside of quotes. A quote that never closes is an ordinary character in the end.
 */
size_t tail_waiting(struct tail *t)
{
    const char *text = str_text(&t->text), *end = memrchr(text, '\n', t->text.length);
    bool nothing_follows = t->replaced || t->ended;
    if (t->text.length == known_stub(t))
        return 0;
    if (nothing_follows)
        return t->text.length;
    if (!end)
        return t->text.length < TAIL_MOST ? 0 : t->text.length;
    size_t whole = (size_t)(end - text) + 1, n = whole, quotes = text[0] == '{' ? 0 : count(text, n, '"');
    while (n && quotes % 2) {
        const char *before = memrchr(text, '\n', n - 1);
        size_t shorter = before ? (size_t)(before - text) + 1 : 0;
        quotes -= count(text + shorter, n - shorter, '"');
        n = shorter;
    }
    t->looks = n ? 0 : t->looks + 1;
    return t->looks > PATIENCE ? whole : n;
}

enum status tail_take(struct tail *t, struct str *out, uint64_t *line, bool *header, struct error *err)
{
    size_t n = tail_waiting(t), skip = 0;
    const char *text = str_text(&t->text);
    bool said = t->header.length && n >= t->header.length && memcmp(text, t->header.data, t->header.length) == 0;
    if (t->afresh && said)
        skip = t->header.length;
    if (n && t->partial) {
        skip = known_stub(t);
        t->partial = 0;
    }
    t->afresh &= n == 0;
    *line = t->line + 1 + (skip != 0);
    *header = t->header.length != 0;
    if (n > skip) {
        str_append(out, str_text(&t->header), t->header.length);
        str_append(out, text + skip, n - skip);
        if (text[n - 1] != '\n')
            str_putc(out, '\n');
    }
    if (out->failed)
        return error_nomem(err, n, "rows to take in");
    t->taken += n;
    t->line += count(text, n, '\n');
    t->looks = 0;
    memmove(t->text.data ? t->text.data : out->data, text + n, t->text.length - n);
    t->text.length -= n;
    return ST_OK;
}
