#include "config.h"

#include "ingest/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

#include "base/file.h"
#include "base/text.h"

bool unpack_wanted(const char *name)
{
    static const char *const endings[] = {".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t end = strlen(endings[i]);
        if (n > end && text_same(name + n - end, endings[i]))
            return true;
    }
    return false;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

enum status remove_tree(const char *path, struct error *err)
{
    enum { OPEN_AT_ONCE = 16 };
    if (nftw(path, remove_one, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
        return error_errno(err, "remove", path);
    return ST_OK;
}

#ifdef HAVE_LIBARCHIVE

enum { ENTRIES_MOST = 100000, READ_BLOCK = 256 << 10 };

struct unpacking {
    const char *archive, *folder;
    struct archive *in;
    struct job *job;
    uint64_t left; /* bytes that may still come */
    size_t entries;
};

bool unpack_can(void)
{
    return true;
}

/* What a name must not be: it would lie outside of the folder, or be no name that people can type. */
static const char *bad_name(const char *name)
{
    if (!*name || strlen(name) > 1024)
        return "has an entry with no name or an overlong one";
    if (*name == '/')
        return "has an entry with an absolute name";
    if (strchr(name, '\\'))
        return "has an entry with a backslash in its name";
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return "has an entry with a control character in its name";
    for (const char *part = name; *part;) {
        size_t n = strcspn(part, "/");
        if (n == 2 && part[0] == '.' && part[1] == '.')
            return "has an entry that leads out of its folder (..)";
        part += n + (part[n] != 0);
    }
    return NULL;
}

static enum status refuse(const struct unpacking *u, const char *what, struct error *err)
{
    error_set(err, ST_FORMAT, "%s %s: it is not unpacked", u->archive, what);
    error_hint(err, "look into it with `unzip -l` or `tar -tf`, and unpack by hand what you trust");
    return ST_FORMAT;
}

static enum status damaged(const struct unpacking *u, struct error *err)
{
    const char *why = archive_error_string(u->in);
    error_set(err, ST_FORMAT, "%s is damaged or no archive: %s", u->archive, why ? why : "it ends too early");
    error_hint(err, "fetch it again");
    return ST_FORMAT;
}

static enum status copy_data(struct unpacking *u, int fd, const char *path, struct error *err)
{
    for (;;) {
        const void *block;
        size_t n;
        la_int64_t offset;
        int r = archive_read_data_block(u->in, &block, &n, &offset);
        if (r == ARCHIVE_EOF)
            return ST_OK;
        if (r != ARCHIVE_OK)
            return damaged(u, err);
        if (offset < 0 || n > u->left)
            return refuse(u, "is too large when unpacked", err);
        u->left -= n;
        for (size_t done = 0; done < n;) {
            ssize_t wrote = pwrite(fd, (const char *)block + done, n - done, (off_t)offset + (off_t)done);
            if (wrote < 0 && errno == EINTR)
                continue;
            if (wrote < 0)
                return error_errno(err, "write", path);
            done += (size_t)wrote;
        }
        job_set(u->job, (uint64_t)archive_filter_bytes(u->in, -1));
        enum status st = job_check(u->job, err);
        if (st)
            return st;
    }
}

static enum status write_file(struct unpacking *u, const char *path, struct error *err)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    enum status st = file_make_folder(parent, err);
    if (st)
        return st;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == EEXIST ? refuse(u, "has two entries of one name", err) : error_errno(err, "write", path);
    st = copy_data(u, fd, path, err);
    if (!st && fsync(fd))
        st = error_errno(err, "write", path);
    if (close(fd) && !st)
        st = error_errno(err, "write", path);
    return st;
}

/* What some programs put beside the files. */
static bool is_litter(const char *name)
{
    char last[256];
    file_last_part(name, last, sizeof last);
    return strncmp(name, "__MACOSX/", 9) == 0 || strcmp(last, ".DS_Store") == 0;
}

static enum status unpack_entry(struct unpacking *u, struct archive_entry *e, struct error *err)
{
    char path[PATH_MAX];
    const char *name = archive_entry_pathname(e);
    mode_t type = archive_entry_filetype(e);
    if (!name)
        name = archive_entry_pathname_utf8(e);
    const char *bad = bad_name(name ? name : "");
    if (bad)
        return refuse(u, bad, err);
    if (archive_entry_hardlink(e) || archive_entry_symlink(e) || (type != AE_IFREG && type != AE_IFDIR))
        return refuse(u, "has an entry that is neither a file nor a folder", err);
    if (++u->entries > ENTRIES_MOST)
        return refuse(u, "has more than 100,000 entries", err);
    if (is_litter(name))
        return ST_OK;
    if (snprintf(path, sizeof path, "%s/%s", u->folder, name) >= (int)sizeof path)
        return refuse(u, "has an entry with an overlong name", err);
    return type == AE_IFDIR ? file_make_folder(path, err) : write_file(u, path, err);
}

static enum status unpack_all(struct unpacking *u, struct error *err)
{
    struct archive_entry *e;
    for (;;) {
        int r = archive_read_next_header(u->in, &e);
        if (r == ARCHIVE_EOF)
            return u->entries ? ST_OK : refuse(u, "is empty", err);
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
            return damaged(u, err);
        enum status st = unpack_entry(u, e, err);
        if (!st)
            st = job_check(u->job, err);
        if (st)
            return st;
    }
}

static struct archive *open_archive(const char *path)
{
    struct archive *in = archive_read_new();
    if (!in)
        return NULL;
    archive_read_support_format_zip(in);
    archive_read_support_format_tar(in);
    archive_read_support_filter_gzip(in);
    archive_read_support_filter_bzip2(in);
    archive_read_support_filter_xz(in);
    archive_read_support_filter_zstd(in);
    /* What cannot be opened shows as damage on the first header, with the reason. */
    (void)archive_read_open_filename(in, path, READ_BLOCK);
    return in;
}

enum status unpack(const char *archive, const char *folder, uint64_t most, struct job *job, struct error *err)
{
    char making[PATH_MAX];
    struct stat info;
    if (snprintf(making, sizeof making, "%s.unpacking", folder) >= (int)sizeof making)
        return error_set(err, ST_IO, "the path is too long: %s", folder);
    if (stat(archive, &info))
        return error_errno(err, "read", archive);
    struct unpacking u = {.archive = archive, .folder = making, .job = job, .left = most};
    job_begin(job, (uint64_t)info.st_size, "B", "unpacking %s",
              strrchr(archive, '/') ? strrchr(archive, '/') + 1 : archive);
    enum status st = remove_tree(making, err);
    if (!st)
        st = file_make_folder(making, err);
    if (st)
        return st;
    u.in = open_archive(archive);
    st = u.in ? unpack_all(&u, err) : error_nomem(err, READ_BLOCK, "an archive");
    archive_read_free(u.in);
    if (!st && rename(making, folder))
        st = error_errno(err, "write", folder);
    if (st)
        (void)!remove_tree(making, NULL);
    return st;
}

#else

bool unpack_can(void)
{
    return false;
}

enum status unpack(const char *archive, const char *folder, uint64_t most, struct job *job, struct error *err)
{
    (void)most;
    (void)job;
    error_set(err, ST_UNSUPPORTED, "this tailor was built without libarchive: %s cannot be unpacked", archive);
    error_hint(err, "unpack it by hand into %s", folder);
    return ST_UNSUPPORTED;
}

#endif
