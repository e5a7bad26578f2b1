#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct file_draft {
    FILE *stream;
    char *path, *temporary;
};

static void free_draft(struct file_draft *d)
{
    mem_free(d->path);
    mem_free(d->temporary);
    mem_free(d);
}

enum status file_draft_open(const char *path, int private_mode, struct file_draft **out, struct error *err)
{
    struct file_draft *d = mem_new(1, sizeof *d, "a file", err);
    if (!d)
        return ST_NOMEM;
    size_t n = strlen(path) + 32;
    d->path = mem_strdup(path, err);
    d->temporary = mem_new(n, 1, "a file name", err);
    if (!d->path || !d->temporary) {
        free_draft(d);
        return ST_NOMEM;
    }
    snprintf(d->temporary, n, "%s.%ld.new", path, (long)getpid());
    int fd = open(d->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, private_mode ? 0600 : 0666);
    d->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!d->stream) {
        enum status st = error_errno(err, "write", path);
        if (fd >= 0) {
            close(fd);
            unlink(d->temporary);
        }
        free_draft(d);
        return st;
    }
    *out = d;
    return ST_OK;
}

FILE *file_draft_stream(struct file_draft *d)
{
    return d->stream;
}

/* A rename is only safe once the folder that holds the name is on disk too. */
static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash)
        strcpy(folder, ".");
    else if ((size_t)(slash - path) >= sizeof folder)
        return -1;
    else
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = fsync(fd);
    close(fd);
    return failed;
}

enum status file_draft_commit(struct file_draft *d, struct error *err)
{
    enum status st = ST_OK;
    bool bad = ferror(d->stream) || fflush(d->stream) || fsync(fileno(d->stream));
    int saved = errno;
    bad |= fclose(d->stream) != 0;
    d->stream = NULL;
    if (bad || rename(d->temporary, d->path) || sync_folder(d->path)) {
        if (bad && saved)
            errno = saved;
        st = error_errno(err, "write", d->path);
        unlink(d->temporary);
    }
    free_draft(d);
    return st;
}

enum status file_move(const char *from, const char *to, struct error *err)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    bool bad = fd < 0 || fsync(fd);
    enum status st = bad ? error_errno(err, "write", from) : ST_OK;
    if (fd >= 0)
        close(fd);
    if (!bad && (rename(from, to) || sync_folder(to)))
        st = error_errno(err, "write", to);
    return st;
}

void file_draft_abandon(struct file_draft *d)
{
    if (!d)
        return;
    fclose(d->stream);
    unlink(d->temporary);
    free_draft(d);
}

enum status file_read(const char *path, size_t max, char **data, size_t *n, struct error *err)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return error_errno(err, "read", path);
    enum status st = ST_OK;
    char *bytes = NULL;
    size_t length = 0, capacity = 0;
    for (;;) {
        st = mem_grow(&bytes, &capacity, length + 65537, 1, err);
        if (st)
            break;
        size_t got = fread(bytes + length, 1, capacity - length - 1, f);
        length += got;
        if (length > max) {
            st = error_set(err, ST_FORMAT, "%s is larger than %zu bytes", path, max);
            break;
        }
        if (got == 0) {
            if (ferror(f))
                st = error_errno(err, "read", path);
            break;
        }
    }
    fclose(f);
    if (st) {
        mem_free(bytes);
        return st;
    }
    bytes[length] = 0;
    *data = bytes;
    *n = length;
    return ST_OK;
}

enum status file_make_folder(const char *path, struct error *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof part)
        return error_set(err, ST_IO, "the path is too long: %s", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0700) && errno != EEXIST)
            return error_errno(err, "make the folder", part);
    }
    return ST_OK;
}
