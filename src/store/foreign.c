#include "store/foreign.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "store/sql.h"

struct foreign {
    sqlite3 *db;
    sqlite3_stmt *statement;
    struct job *job;
    char *path;
    bool begun, done;
};

bool foreign_mine(const char *path)
{
    static const char magic[] = "SQLite format 3";
    char head[sizeof magic];
    struct stat info;
    /* Of a pipe not a byte is taken: it would be gone, and a FIFO without a writer would keep us waiting. */
    FILE *f = stat(path, &info) == 0 && S_ISREG(info.st_mode) ? fopen(path, "rbe") : NULL;
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    return n == sizeof head && memcmp(head, magic, sizeof magic) == 0;
}

/* Nothing but reading. */
static int authorize(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)context;
    (void)a;
    (void)c;
    (void)d;
    if (action == SQLITE_FUNCTION)
        return b && sqlite3_stricmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE ? SQLITE_OK : SQLITE_DENY;
}

static int is_cancelled(void *context)
{
    struct foreign *f = context;
    return f->job && job_check(f->job, NULL) != ST_OK;
}

static enum status refuse(const struct foreign *f, struct error *err)
{
    int rc = sqlite3_errcode(f->db);
    if (rc == SQLITE_NOMEM)
        return error_nomem(err, 4096, "reading a database");
    if (rc == SQLITE_INTERRUPT && f->job) {
        enum status st = job_check(f->job, err);
        if (st)
            return st;
    }
    return error_set(err, rc == SQLITE_ERROR || rc == SQLITE_AUTH ? ST_USAGE : ST_FORMAT, "%s: SQLite says: %s",
                     f->path, sqlite3_errmsg(f->db));
}

static enum status harden(struct foreign *f, struct error *err)
{
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_limit(f->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(f->db, SQLITE_LIMIT_LENGTH, 64 << 20);
    sqlite3_busy_timeout(f->db, 5000);
    sqlite3_progress_handler(f->db, 10000, is_cancelled, f);
    return sqlite3_set_authorizer(f->db, authorize, f) == SQLITE_OK ? ST_OK : refuse(f, err);
}

/* The names of the tables and views, "a, b, c", and how many there are. */
static enum status list_tables(struct foreign *f, struct str *names, size_t *n, struct error *err)
{
    sqlite3_stmt *s = NULL;
    *n = 0;
    if (sqlite3_prepare_v2(
            f->db, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'", -1,
            &s, NULL))
        return refuse(f, err);
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        str_printf(names, "%s%s", *n ? ", " : "", sql_text(s, 0));
        ++*n;
    }
    enum status st = rc == SQLITE_DONE ? ST_OK : refuse(f, err);
    sqlite3_finalize(s);
    return st;
}

static enum status prepare(struct foreign *f, const char *query, struct error *err)
{
    const char *rest = NULL;
    if (sqlite3_prepare_v2(f->db, query, -1, &f->statement, &rest)) {
        enum status st = refuse(f, err);
        struct str names = {0};
        size_t n;
        if (list_tables(f, &names, &n, NULL) == ST_OK && n && !names.failed)
            error_hint(err, "one SELECT is run, for reading only; the tables are: %s", str_text(&names));
        str_free(&names);
        return st;
    }
    while (rest && *rest && strchr(" \t\r\n;", *rest))
        rest++;
    if (!f->statement || (rest && *rest) || sqlite3_column_count(f->statement) == 0 ||
        !sqlite3_stmt_readonly(f->statement)) {
        error_set(err, ST_USAGE, "%s: query= wants one SELECT", f->path);
        error_hint(err, "query='select user_id as user, product as item, at as time from orders'");
        return ST_USAGE;
    }
    return ST_OK;
}

static enum status prepare_table(struct foreign *f, const char *table, struct error *err)
{
    struct str names = {0};
    size_t n = 1;
    enum status st = table ? ST_OK : list_tables(f, &names, &n, err);
    if (!st && n != 1) {
        st = error_set(err, ST_USAGE, "%s is a database of %zu tables: which one?", f->path, n);
        error_hint(err, "table=NAME or query='select ...'; the tables are: %s", str_text(&names));
    }
    if (!st) {
        char *query = sqlite3_mprintf("SELECT * FROM \"%w\"", table ? table : str_text(&names));
        st = query ? prepare(f, query, err) : error_nomem(err, 256, "a query");
        sqlite3_free(query);
    }
    str_free(&names);
    return st;
}

enum status foreign_open(const char *path, const char *query, const char *table, struct job *job, struct foreign **out,
                         struct error *err)
{
    struct foreign *f = mem_new(1, sizeof *f, "a database", err);
    if (!f)
        return ST_NOMEM;
    f->job = job;
    f->path = mem_strdup(path, err);
    enum status st = f->path ? ST_OK : ST_NOMEM;
    if (!st && sqlite3_open_v2(path, &f->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE, NULL))
        st = f->db ? refuse(f, err) : error_nomem(err, 4096, "a database");
    if (!st)
        st = harden(f, err);
    if (!st)
        st = query ? prepare(f, query, err) : prepare_table(f, table, err);
    if (st) {
        foreign_close(f);
        return st;
    }
    *out = f;
    return ST_OK;
}

void foreign_close(struct foreign *f)
{
    if (!f)
        return;
    sqlite3_finalize(f->statement);
    sqlite3_close(f->db);
    mem_free(f->path);
    mem_free(f);
}

static void put_cell(struct str *out, const char *text, size_t n)
{
    str_putc(out, '"');
    for (const char *end = text + n; text < end;) {
        const char *quote = memchr(text, '"', (size_t)(end - text));
        size_t run = (size_t)((quote ? quote + 1 : end) - text);
        str_append(out, text, run);
        if (quote)
            str_putc(out, '"');
        text += run;
    }
    str_putc(out, '"');
}

static void put_value(struct str *out, sqlite3_stmt *s, int column)
{
    int type = sqlite3_column_type(s, column);
    if (type == SQLITE_NULL)
        return;
    const char *text = (const char *)sqlite3_column_text(s, column);
    size_t n = (size_t)sqlite3_column_bytes(s, column);
    if (!text)
        out->failed = true;
    else if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
        str_append(out, text, n);
    else
        put_cell(out, text, n);
}

enum status foreign_read(struct foreign *f, struct str *out, size_t enough, struct error *err)
{
    int n = sqlite3_column_count(f->statement);
    for (int c = 0; c < n && !f->begun; c++) {
        const char *name = sqlite3_column_name(f->statement, c);
        if (c)
            str_putc(out, ',');
        put_cell(out, name ? name : "", name ? strlen(name) : 0);
    }
    if (!f->begun)
        str_putc(out, '\n');
    f->begun = true;
    while (!f->done && out->length < enough && !out->failed) {
        int rc = sqlite3_step(f->statement);
        f->done = rc != SQLITE_ROW;
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            return refuse(f, err);
        for (int c = 0; c < n && !f->done; c++) {
            if (c)
                str_putc(out, ',');
            put_value(out, f->statement, c);
        }
        if (!f->done)
            str_putc(out, '\n');
    }
    return out->failed ? error_nomem(err, out->length, "rows of a database") : ST_OK;
}
