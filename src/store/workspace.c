#include "store/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/lock.h"
#include "store/schema.h"
#include "store/space.h"

enum { WAIT_MS = 5000 };

/* ---- connections ---- */

void space_disconnect(struct workspace *w)
{
    sqlite3_close(w->reader.db);
    sqlite3_close(w->writer.db);
    w->reader.db = w->writer.db = NULL;
}

/* SQLite makes files beside the workspace even to read it. Where the folder does not allow that and there is no log,
 * all that was committed is in the file itself, which can be read as one that nobody changes; should somebody do it all
 * the same, the checksums tell. */
static bool must_stand_alone(const char *file)
{
    char name[PATH_MAX];
    struct stat s;
    const char *slash = strrchr(file, '/');
    snprintf(name, sizeof name, "%s-wal", file);
    if (stat(name, &s) == 0 && s.st_size > 0)
        return false;
    snprintf(name, sizeof name, "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
    return access(name, W_OK | X_OK) != 0;
}

/* "file:NAME?immutable=1", with what a URI would take for something else spelled out. */
static int open_alone(const char *file, sqlite3 **db)
{
    struct str uri = {0};
    str_puts(&uri, "file:");
    for (const char *p = file; *p; p++)
        if (strchr("%?#", *p))
            str_printf(&uri, "%%%02X", (unsigned)(unsigned char)*p);
        else
            str_putc(&uri, *p);
    str_puts(&uri, "?immutable=1");
    int rc = uri.failed ? SQLITE_NOMEM
                        : sqlite3_open_v2(str_text(&uri), db,
                                          SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    str_free(&uri);
    return rc;
}

static enum status connect_to(const char *file, bool readonly, struct connection *c, struct error *err)
{
    int flags = (readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
    bool alone = readonly && must_stand_alone(file);
    int rc = alone ? open_alone(file, &c->db) : sqlite3_open_v2(file, &c->db, flags, NULL);
    if (!c->db)
        return error_set(err, ST_NOMEM, "not enough memory for the workspace");
    enum status st = rc == SQLITE_OK ? ST_OK : sql_error(c->db, rc, err);
    if (!st) {
        sqlite3_busy_timeout(c->db, WAIT_MS);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        st = sql_run(c->db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", err);
    }
    if (st) {
        sqlite3_close(c->db);
        c->db = NULL;
    }
    return st;
}

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static enum status enter(struct connection *c, bool write, sqlite3 **db, struct error *err)
{
    pthread_mutex_lock(&c->lock);
    enum status st = c->depth == 0 ? sql_begin(c->db, write, err) : ST_OK;
    if (st) {
        pthread_mutex_unlock(&c->lock);
        return st;
    }
    c->depth++;
    *db = c->db;
    return ST_OK;
}

enum status space_write(struct workspace *w, sqlite3 **db, struct error *err)
{
    if (w->readonly) {
        error_set(err, ST_STATE, "the workspace is open for reading only");
        error_hint(err, "open it without --readonly");
        return ST_STATE;
    }
    pthread_mutex_lock(&w->writer.lock);
    enum status st = space_settle_staging(w, err);
    if (!st)
        st = enter(&w->writer, true, db, err);
    pthread_mutex_unlock(&w->writer.lock);
    return st;
}

enum status space_read(struct workspace *w, sqlite3 **db, struct error *err)
{
    return enter(&w->reader, false, db, err);
}

enum status space_end(struct workspace *w, sqlite3 *db, enum status st, struct error *err)
{
    struct connection *c = db == w->writer.db ? &w->writer : &w->reader;
    if (--c->depth == 0)
        st = sql_end(db, st, err);
    pthread_mutex_unlock(&c->lock);
    return st;
}

/* ---- opening ---- */

enum status space_real_name(const char *path, char **out, struct error *err)
{
    char folder[PATH_MAX], real[PATH_MAX], whole[2 * PATH_MAX];
    if (realpath(path, real)) {
        *out = mem_strdup(real, err);
        return *out ? ST_OK : ST_NOMEM;
    }
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (errno != ENOENT || n >= sizeof folder)
        return error_errno(err, "open", path);
    snprintf(folder, sizeof folder, "%.*s", n ? (int)n : 1, n ? path : slash ? "/" : ".");
    if (!realpath(folder, real))
        return error_errno(err, "open", path);
    snprintf(whole, sizeof whole, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : path);
    *out = mem_strdup(whole, err);
    return *out ? ST_OK : ST_NOMEM;
}

/* Makes an empty private file unless there is one; SQLite gives its helpers the same mode. */
static enum status make_file(const char *file, struct error *err)
{
    struct stat s;
    if (stat(file, &s) == 0) {
        if (S_ISREG(s.st_mode))
            return ST_OK;
        return error_set(err, ST_FORMAT, "%s is not a file", file);
    }
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, "make the workspace", file);
    close(fd);
    return ST_OK;
}

/* SQLite's word on a file that it cannot read as a database. */
static enum status explain_format(const char *file, enum status st, struct error *err)
{
    if (st != ST_FORMAT)
        return st;
    error_set(err, ST_FORMAT, "%s is not a workspace of tailor", file);
    error_hint(err, "a data file is read with `load FILE`; a workspace is made by giving a name that is not taken");
    return st;
}

/* Models that were never finished are gone when the workspace is opened again. */
static enum status remove_pending(sqlite3 *db, struct error *err)
{
    enum status st = sql_begin(db, true, err);
    if (st)
        return st;
    st = sql_run(db,
                 "DELETE FROM t_pieces WHERE model NOT IN (SELECT id FROM t_models WHERE state = 1);"
                 "DELETE FROM t_models WHERE state <> 1",
                 err);
    return sql_end(db, st, err);
}

static enum status open_writer(struct workspace *w, struct error *err)
{
    bool empty;
    enum status st = connect_to(w->file, false, &w->writer, err);
    if (!st)
        st = schema_check(w->writer.db, &empty, err);
    if (!st && empty)
        st = sql_run(w->writer.db, "PRAGMA page_size = 16384", err);
    if (!st)
        st = sql_run(w->writer.db, "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864", err);
    /* A temporary workspace dies with the process; it need not survive a power cut. */
    if (!st)
        st = sql_run(w->writer.db, w->path ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF", err);
    if (!st)
        st = schema_migrate(w->writer.db, err);
    if (!st)
        st = remove_pending(w->writer.db, err);
    return st;
}

static enum status open_reader(struct workspace *w, struct error *err)
{
    bool empty = false;
    enum status st = connect_to(w->file, w->readonly, &w->reader, err);
    if (!st)
        st = schema_check(w->reader.db, &empty, err);
    if (!st && empty)
        st = error_set(err, ST_FORMAT, "%s is empty", w->file);
    return st ? st : schema_lend(w->reader.db, err);
}

enum status space_connect(struct workspace *w, struct error *err)
{
    enum status st = w->readonly ? ST_OK : open_writer(w, err);
    if (!st)
        st = open_reader(w, err);
    return st ? explain_format(w->path ? w->path : w->file, st, err) : ST_OK;
}

static void remove_temporary(char *file)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[PATH_MAX];
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
        unlink(name);
    }
    char *slash = strrchr(file, '/');
    snprintf(name, sizeof name, "%.*s", (int)(slash - file), file);
    rmdir(name);
}

/* A file in a folder of its own. Once both connections hold it open its names are removed: whatever becomes of the
 * process, nothing stays behind. */
static enum status open_temporary(struct workspace *w, struct error *err)
{
    const char *folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    char name[PATH_MAX] = "";
    for (size_t i = 0; i < 3 && !*name; i++) {
        if (!folders[i] || !*folders[i] || access(folders[i], W_OK | X_OK))
            continue;
        snprintf(name, sizeof name - 16, "%s/tailor-XXXXXX", folders[i]);
        if (!mkdtemp(name))
            *name = 0;
    }
    if (!*name) {
        error_set(err, ST_IO, "there is no folder for a temporary workspace");
        error_hint(err, "set TMPDIR to a folder that can be written to");
        return ST_IO;
    }
    strcat(name, "/temporary");
    w->file = mem_strdup(name, err);
    enum status st = w->file ? make_file(name, err) : ST_NOMEM;
    if (!st)
        st = space_connect(w, err);
    remove_temporary(name);
    return st;
}

static enum status open_named(struct workspace *w, const char *path, struct error *err)
{
    struct stat s;
    w->path = mem_strdup(path, err);
    enum status st = w->path ? space_real_name(path, &w->file, err) : ST_NOMEM;
    if (st)
        return st;
    if (stat(w->file, &s) == 0 && !S_ISREG(s.st_mode))
        return error_set(err, ST_FORMAT, "%s is not a file", path);
    if (w->readonly && access(w->file, R_OK))
        return error_errno(err, "read", path);
    if (!w->readonly)
        st = lock_take(w->file, &w->lock, err);
    if (!st && !w->readonly)
        st = make_file(w->file, err);
    return st ? st : space_connect(w, err);
}

enum status workspace_open(const char *path, bool readonly, struct workspace **out, struct error *err)
{
    struct workspace *w = mem_new(1, sizeof *w, "the workspace", err);
    if (!w)
        return ST_NOMEM;
    w->lock = -1;
    w->readonly = readonly && path;
    init_lock(&w->writer.lock);
    init_lock(&w->reader.lock);
    enum status st = path ? open_named(w, path, err) : open_temporary(w, err);
    if (st) {
        workspace_close(w);
        return st;
    }
    *out = w;
    return ST_OK;
}

void workspace_close(struct workspace *w)
{
    if (!w)
        return;
    workspace_unstage_rejects(w);
    space_disconnect(w);
    if (w->file)
        lock_give(w->file, w->lock);
    pthread_mutex_destroy(&w->writer.lock);
    pthread_mutex_destroy(&w->reader.lock);
    mem_free(w->path);
    mem_free(w->file);
    mem_free(w);
}

const char *workspace_path(const struct workspace *w)
{
    return w->path;
}

bool workspace_readonly(const struct workspace *w)
{
    return w->readonly;
}
