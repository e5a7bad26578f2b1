#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of its own, for closing any descriptor of the database file would drop the locks that SQLite has on it. */
static int lock_name(char *out, size_t size, const char *file)
{
    return snprintf(out, size, "%s-lock", file) < (int)size ? 0 : -1;
}

/* Is what we locked still what the name stands for? The one before us may have removed it meanwhile. */
static int same_file(int fd, const char *name)
{
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(name, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
           ours.st_dev == theirs.st_dev;
}

static enum status busy(const char *file, int fd, struct error *err)
{
    char text[16] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0)
        error_set(err, ST_BUSY, "another tailor (process %ld) is working with %s", pid, file);
    else
        error_set(err, ST_BUSY, "another tailor is working with %s", file);
    error_hint(err, "end that one, or look at the workspace with --readonly");
    return ST_BUSY;
}

enum status lock_take(const char *file, int *fd, struct error *err)
{
    char name[PATH_MAX];
    if (lock_name(name, sizeof name, file))
        return error_set(err, ST_IO, "the path is too long: %s", file);
    for (;;) {
        int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (lock < 0)
            return error_errno(err, "write", name);
        if (flock(lock, LOCK_EX | LOCK_NB)) {
            enum status st = errno == EWOULDBLOCK ? busy(file, lock, err) : error_errno(err, "lock", name);
            close(lock);
            return st;
        }
        if (same_file(lock, name)) {
            /* Only for the message above: a full disk does not matter here. */
            if (ftruncate(lock, 0) == 0)
                (void)!dprintf(lock, "%ld\n", (long)getpid());
            *fd = lock;
            return ST_OK;
        }
        close(lock);
    }
}

void lock_give(const char *file, int fd)
{
    char name[PATH_MAX];
    if (fd < 0)
        return;
    if (lock_name(name, sizeof name, file) == 0)
        unlink(name);
    close(fd);
}
