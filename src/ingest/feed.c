#include "ingest/feed.h"

#include <string.h>

#include "base/mem.h"

/* Neither NUL nor beyond ASCII? The loop has no branch so that the compiler makes vectors of it. */
static bool is_plain(const char *text, size_t n)
{
    unsigned char high = 0, zero = 0;
    for (size_t i = 0; i < n; i++) {
        high |= (unsigned char)text[i];
        zero |= (unsigned char)(text[i] == 0);
    }
    return !(high & 0x80) && !zero;
}

static enum status grow(struct feed *f, struct error *err)
{
    size_t capacity = f->capacity ? f->capacity * 2 : FEED_CHUNK;
    char *data = mem_new_raw(capacity + FEED_PADDING, 1, "a read buffer", err);
    if (!data)
        return ST_NOMEM;
    if (f->end > f->at)
        memcpy(data, f->data + f->at, f->end - f->at);
    mem_free(f->data);
    f->data = data;
    f->capacity = capacity;
    f->end -= f->at;
    f->at = 0;
    return ST_OK;
}

enum status feed_more(struct feed *f, struct error *err)
{
    if (f->ended)
        return ST_OK;
    if (f->at == f->end)
        f->plain = true;
    if (f->end - f->at > f->capacity / 2 || !f->data) {
        enum status st = grow(f, err);
        if (st)
            return st;
    } else {
        memmove(f->data, f->data + f->at, f->end - f->at);
        f->end -= f->at;
        f->at = 0;
    }
    size_t begin = f->end;
    while (f->end < f->capacity && !f->ended) {
        size_t got;
        enum status st = source_read(f->source, f->data + f->end, f->capacity - f->end, &got, err);
        if (st)
            return st;
        f->end += got;
        f->ended = got == 0;
    }
    memset(f->data + f->end, 0, FEED_PADDING);
    f->data[f->end] = '\n';
    f->plain = f->plain && is_plain(f->data + begin, f->end - begin);
    return ST_OK;
}

static bool starts(const struct feed *f, const char *magic, size_t n)
{
    return f->end - f->at >= n && memcmp(f->data + f->at, magic, n) == 0;
}

/* What a file is that is no text, or NULL. A few stray control bytes only cost their rows; many make a binary file. */
static const char *binary_kind(const struct feed *f)
{
    static const struct {
        const char *magic;
        size_t n;
        const char *kind;
    } kinds[] = {{"\x7f"
                  "ELF",
                  4, "a program"},
                 {"\x89PNG", 4, "a picture"},
                 {"\xff\xd8\xff", 3, "a picture"},
                 {"%PDF", 4, "a PDF document"},
                 {"PK\x03\x04", 4, "a zip archive"},
                 {"PAR1", 4, "a Parquet file"},
                 {"SQLite format 3", 15, "an SQLite database"},
                 {"BZh", 3, "a bzip2 file"},
                 {"\xfd"
                  "7zXZ",
                  5, "an xz file"},
                 {"\xff\xfe", 2, "UTF-16 text"},
                 {"\xfe\xff", 2, "UTF-16 text"}};
    enum { LOOK = 64 << 10, FEW = 8 };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (starts(f, kinds[i].magic, kinds[i].n))
            return kinds[i].kind;
    size_t n = f->end - f->at < LOOK ? f->end - f->at : LOOK, control = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)f->data[f->at + i];
        control += c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b;
    }
    return control > FEW && control > n / 20 ? "a binary file" : NULL;
}

static enum status check_head(struct feed *f, struct error *err)
{
    const char *kind = binary_kind(f);
    if (!kind) {
        if (starts(f, "\xef\xbb\xbf", 3))
            f->at += 3;
        size_t i = f->at;
        while (i < f->end && strchr(" \t\r\n", f->data[i]) && f->data[i])
            i++;
        if (i < f->end || !f->ended)
            return ST_OK;
        error_set(err, ST_FORMAT, "%s is empty", f->path);
        error_hint(err, "events are rows of at least a user and an item");
        return ST_FORMAT;
    }
    error_set(err, ST_FORMAT, "%s is %s, not text", f->path, kind);
    if (strcmp(kind, "UTF-16 text") == 0) {
        error_set(err, ST_FORMAT, "%s is UTF-16 text", f->path);
        error_hint(err, "convert it first: iconv -f UTF-16 -t UTF-8 IN > OUT");
    } else {
        error_hint(err, "CSV, TSV and JSON lines are read, plain or packed with gzip or zstd");
    }
    return ST_FORMAT;
}

enum status feed_from(struct source *source, const char *path, struct feed **out, struct error *err)
{
    struct feed *f = mem_new(1, sizeof *f, "a file to read", err);
    if (!f) {
        source_close(source);
        return ST_NOMEM;
    }
    f->line = 1;
    f->source = source;
    f->path = mem_strdup(strcmp(path, "-") == 0 ? "standard input" : path, err);
    enum status st = f->path ? feed_more(f, err) : ST_NOMEM;
    if (!st)
        st = check_head(f, err);
    if (st) {
        feed_close(f);
        return st;
    }
    *out = f;
    return ST_OK;
}

enum status feed_open(const char *path, struct job *job, struct feed **out, struct error *err)
{
    struct source *source;
    enum status st = source_open(path, job, &source, err);
    return st ? st : feed_from(source, path, out, err);
}

void feed_cut(struct feed *f)
{
    const char *last = f->ended ? NULL : memrchr(f->data + f->at, '\n', f->end - f->at);
    f->cut = !f->ended;
    f->ended = true;
    if (last) {
        f->end = (size_t)(last - f->data) + 1;
        f->data[f->end] = '\n';
    }
}

void feed_close(struct feed *f)
{
    if (!f)
        return;
    source_close(f->source);
    str_free(&f->room);
    mem_free(f->path);
    mem_free(f->data);
    mem_free(f);
}

enum status feed_clean(struct feed *f, size_t n, const char **text, size_t *m, const char **reason, struct error *err)
{
    *text = f->data + f->at;
    *m = n;
    *reason = NULL;
    if (f->plain)
        return ST_OK;
    if (memchr(*text, 0, n)) {
        *reason = "a NUL byte";
        return ST_OK;
    }
    if (f->encoding != ENCODING_LATIN1 && utf8_valid(*text, n))
        return ST_OK;
    if (f->encoding == ENCODING_UTF8) {
        *reason = "not valid UTF-8";
        return ST_OK;
    }
    static const char padding[FEED_PADDING] = {'\n'};
    str_clear(&f->room);
    str_put_latin1(&f->room, *text, n);
    *m = f->room.length;
    str_append(&f->room, padding, sizeof padding);
    if (f->room.failed)
        return error_nomem(err, 2 * n, "converting a row");
    f->converted += !is_plain(*text, n);
    *text = f->room.data;
    return ST_OK;
}
