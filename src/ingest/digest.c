#include "config.h"

#include "ingest/digest.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

enum { BLOCK = 256 << 10 };

/* Hands the bytes of a file to take, block by block. */
static enum status read_through(const char *path, struct job *job,
                                enum status (*take)(void *context, const char *bytes, size_t n, struct error *err),
                                void *context, struct error *err)
{
    char block[BLOCK];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "read", path);
    enum status st = ST_OK;
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0)
            st = error_errno(err, "read", path);
        if (n <= 0 || st)
            break;
        st = take(context, block, (size_t)n, err);
        job_step(job, (uint64_t)n);
        if (!st)
            st = job_check(job, err);
        if (st)
            break;
    }
    close(fd);
    return st;
}

struct sha256 {
    crypto_hash_sha256_state state;
    uint64_t bytes;
};

static enum status take_sha256(void *context, const char *bytes, size_t n, struct error *err)
{
    struct sha256 *s = context;
    (void)err;
    s->bytes += n;
    crypto_hash_sha256_update(&s->state, (const unsigned char *)bytes, n);
    return ST_OK;
}

enum status digest_sha256(const char *path, struct job *job, char out[SHA256_TEXT], uint64_t *bytes, struct error *err)
{
    struct sha256 s = {.bytes = 0};
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&s.state);
    enum status st = read_through(path, job, take_sha256, &s, err);
    crypto_hash_sha256_final(&s.state, sum);
    sodium_bin2hex(out, SHA256_TEXT, sum, sizeof sum);
    *bytes = s.bytes;
    return st;
}

#ifdef HAVE_LIBARCHIVE

static enum status take_md5(void *context, const char *bytes, size_t n, struct error *err)
{
    struct archive *listing = context;
    if (archive_write_data(listing, bytes, n) == (la_ssize_t)n)
        return ST_OK;
    return error_set(err, ST_IO, "the checksum cannot be computed: %s", archive_error_string(listing));
}

enum status digest_md5(const char *path, struct job *job, char out[MD5_TEXT], struct error *err)
{
    static const char key[] = "md5digest=";
    char text[1024] = "";
    size_t used = 0;
    struct stat info;
    if (stat(path, &info))
        return error_errno(err, "read", path);
    struct archive *listing = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    if (!listing || !entry || archive_write_set_format_mtree(listing) ||
        archive_write_set_options(listing, "!all,md5") ||
        archive_write_set_bytes_in_last_block(listing, 1) ||
        archive_write_open_memory(listing, text, sizeof text - 1, &used)) {
        archive_entry_free(entry);
        archive_write_free(listing);
        return error_nomem(err, sizeof text, "a checksum");
    }
    archive_entry_set_pathname(entry, "file");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, info.st_size);
    enum status st = archive_write_header(listing, entry) ? error_set(err, ST_IO, "no checksum of %s", path) : ST_OK;
    if (!st)
        st = read_through(path, job, take_md5, listing, err);
    if (archive_write_close(listing) && !st)
        st = error_set(err, ST_IO, "no checksum of %s", path);
    const char *found = st ? NULL : strstr(text, key);
    if (found)
        snprintf(out, MD5_TEXT, "%.32s", found + sizeof key - 1);
    else if (!st)
        st = error_set(err, ST_UNSUPPORTED, "this libarchive computes no MD5");
    archive_entry_free(entry);
    archive_write_free(listing);
    return st;
}

#else

enum status digest_md5(const char *path, struct job *job, char out[MD5_TEXT], struct error *err)
{
    (void)path;
    (void)job;
    (void)out;
    return error_set(err, ST_UNSUPPORTED, "this tailor was built without libarchive: it computes no MD5");
}

#endif
