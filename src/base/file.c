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
    char *path, *temporary; /* temporary NULL: what is there is no file that could be replaced, and is written to */
};

static void free_draft(struct file_draft *d)
{
    mem_free(d->path);
    mem_free(d->temporary);
    mem_free(d);
}

enum status file_make_beside(const char *path, char **name, int *fd, struct error *err)
{
    static const char unique[] = ".XXXXXX";
    size_t n = strlen(path);
    char *made = mem_new(n + sizeof unique, 1, "a file name", err);
    if (!made)
        return ST_NOMEM;
    memcpy(made, path, n);
    memcpy(made + n, unique, sizeof unique);
    *fd = mkostemp(made, O_CLOEXEC);
    if (*fd < 0) {
        enum status st = error_errno(err, "write", path);
        mem_free(made);
        return st;
    }
    *name = made;
    return ST_OK;
}

/* Renaming over a device or a pipe would put a file in its place, and over a link would cut it from what it stands for.
 */
static enum status choose_target(struct file_draft *d, const char *path, int *fd, struct error *err)
{
    struct stat old;
    char real[PATH_MAX];
    bool there = stat(path, &old) == 0;
    d->path = mem_strdup(there && S_ISREG(old.st_mode) && realpath(path, real) ? real : path, err);
    if (!d->path)
        return ST_NOMEM;
    if (there && !S_ISREG(old.st_mode)) {
        *fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return *fd < 0 ? error_errno(err, "write", path) : ST_OK;
    }
    enum status st = file_make_beside(d->path, &d->temporary, fd, err);
    if (!st && there && fchmod(*fd, old.st_mode & 0777))
        st = error_errno(err, "write", path);
    return st;
}

enum status file_draft_open(const char *path, struct file_draft **out, struct error *err)
{
    int fd = -1;
    struct file_draft *d = mem_new(1, sizeof *d, "a file", err);
    if (!d)
        return ST_NOMEM;
    enum status st = choose_target(d, path, &fd, err);
    if (!st && !(d->stream = fdopen(fd, "wb")))
        st = error_errno(err, "write", path);
    if (!st) {
        *out = d;
        return ST_OK;
    }
    if (fd >= 0)
        close(fd);
    if (d->temporary)
        unlink(d->temporary);
    free_draft(d);
    return st;
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
    bool bad = ferror(d->stream) || fflush(d->stream) || (d->temporary && fsync(fileno(d->stream)));
    int saved = errno;
    bad |= fclose(d->stream) != 0;
    d->stream = NULL;
    if (bad || (d->temporary && (rename(d->temporary, d->path) || sync_folder(d->path)))) {
        if (bad && saved)
            errno = saved;
        st = error_errno(err, "write", d->path);
        if (d->temporary)
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
    if (d->temporary)
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

void file_last_part(const char *path, char *out, size_t size)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    snprintf(out, size, "%.*s", (int)(end - begin), path + begin);
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
