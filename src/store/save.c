/* A workspace under another name: a compacted copy is made beside the target, flushed, and renamed over it. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/lock.h"
#include "store/space.h"

static int stop_when_cancelled(void *job)
{
    return job_cancelled(job);
}

/* Whole content of w into the empty file `copy`. */
static enum status copy_into(struct workspace *w, const char *copy, struct job *job, struct error *err)
{
    pthread_mutex_lock(&w->reader.lock);
    sqlite3_progress_handler(w->reader.db, 100, stop_when_cancelled, job);
    enum status st = sql_do(w->reader.db, err, "VACUUM INTO ?", "t", copy);
    sqlite3_progress_handler(w->reader.db, 0, NULL, NULL);
    pthread_mutex_unlock(&w->reader.lock);
    return st == ST_CANCELLED ? error_set(err, st, "saving was stopped; nothing was written") : st;
}

/* Takes the lock of a workspace that is to be replaced. Opening it proves that it is one of ours and that nobody
 * writes to it; closing it folds its log in, unless somebody reads. */
static enum status take_old(const char *file, int *lock, struct error *err)
{
    struct workspace *old;
    struct stat s;
    char log[PATH_MAX];
    enum status st = workspace_open(file, false, &old, err);
    if (st)
        return st;
    space_disconnect(old);
    snprintf(log, sizeof log, "%s-wal", file);
    if (stat(log, &s) == 0 && s.st_size > 0) {
        workspace_close(old);
        return error_set(err, ST_BUSY, "another program is reading %s", file);
    }
    *lock = old->lock;
    old->lock = -1;
    workspace_close(old);
    return ST_OK;
}

static enum status take_target(const char *file, bool replace, int *lock, struct error *err)
{
    struct stat s;
    if (stat(file, &s))
        return lock_take(file, lock, err);
    if (!replace) {
        error_set(err, ST_USAGE, "%s is there already", file);
        error_hint(err, "choose another name, or say replace=yes");
        return ST_USAGE;
    }
    return take_old(file, lock, err);
}

static enum status write_copy(struct workspace *w, const char *file, struct job *job, struct error *err)
{
    char *copy;
    int fd;
    enum status st = file_make_beside(file, &copy, &fd, err);
    if (st)
        return st;
    close(fd);
    st = copy_into(w, copy, job, err);
    if (st == ST_IO)
        error_source(err, "%s", file); /* not the file that is copied */
    if (!st)
        st = file_move(copy, file, err);
    if (st)
        unlink(copy);
    mem_free(copy);
    return st;
}

/* Goes on with the connections of `next`, which keeps nothing. */
static void move_to(struct workspace *w, struct workspace *next)
{
    workspace_unstage_rejects(w);
    space_disconnect(w);
    lock_give(w->file, w->lock);
    mem_free(w->path);
    mem_free(w->file);
    w->path = next->path;
    w->file = next->file;
    w->lock = next->lock;
    w->readonly = false;
    w->writer.db = next->writer.db;
    w->reader.db = next->reader.db;
    *next = (struct workspace){.lock = -1};
}

enum status workspace_save_as(struct workspace *w, const char *path, bool replace, struct job *job, struct error *err)
{
    struct workspace next = {.lock = -1};
    job_begin(job, 0, "", "saving %s", path);
    enum status st = space_real_name(path, &next.file, err);
    if (st)
        return st;
    if (w->path && strcmp(w->file, next.file) == 0) {
        mem_free(next.file);
        return ST_OK;
    }
    bool made = access(next.file, F_OK) != 0;
    next.path = mem_strdup(path, err);
    st = next.path ? take_target(next.file, replace, &next.lock, err) : ST_NOMEM;
    if (!st)
        st = write_copy(w, next.file, job, err);
    if (!st) {
        st = space_connect(&next, err);
        if (st && made) { /* a copy that cannot be worked with: no room for its log, say */
            space_disconnect(&next);
            unlink(next.file);
        }
    }
    if (!st)
        move_to(w, &next);
    space_disconnect(&next);
    if (next.file)
        lock_give(next.file, next.lock);
    mem_free(next.path);
    mem_free(next.file);
    return st;
}
