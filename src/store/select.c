#include "store/select.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/virtual.h"

enum {
    MOST_BYTES = 16 << 20, /* of a text or a row */
    MOST_TEXT = 1 << 20,   /* of a statement */
    MOST_DEPTH = 200,
    MOST_COLUMNS = 2000,
    STEPS_PER_LOOK = 2000, /* of SQLite's machine between two looks at the job: well under a millisecond */
};

struct select {
    struct sql_scope scope;
    struct virtual_space space;
    sqlite3_stmt *statement;
    sqlite3_stmt *quick; /* a plain count(*), answered by the table itself */
    sqlite3_stmt *present;
    bool preparing_quick;
};

/* ---- what a statement may do ---- */

static int authorize(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
    static const char *const refused[] = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"};
    const struct select *s = context;
    (void)c;
    (void)d;
    if (s->space.declaring)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        return !s->preparing_quick && a && strncmp(a, COUNT_PREFIX, strlen(COUNT_PREFIX)) == 0 ? SQLITE_DENY
                                                                                               : SQLITE_OK;
    case SQLITE_FUNCTION:
        for (size_t i = 0; b && i < sizeof refused / sizeof *refused; i++)
            if (text_same(b, refused[i]))
                return SQLITE_DENY;
        return SQLITE_OK;
    default:
        return SQLITE_DENY;
    }
}

static int look_at_job(void *context)
{
    const struct select *s = context;
    return job_cancelled(s->scope.job);
}

static void set_limits(sqlite3 *db)
{
    static const int limits[][2] = {
        {SQLITE_LIMIT_LENGTH, MOST_BYTES},     {SQLITE_LIMIT_SQL_LENGTH, MOST_TEXT},
        {SQLITE_LIMIT_EXPR_DEPTH, MOST_DEPTH}, {SQLITE_LIMIT_COLUMN, MOST_COLUMNS},
        {SQLITE_LIMIT_COMPOUND_SELECT, 100},   {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 100},   {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 0},       {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        sqlite3_limit(db, limits[i][0], limits[i][1]);
}

/* ---- errors ---- */

/* Where `name` stands in the text as a word of its own; n when it does not. */
static size_t find_word(const char *text, size_t n, const char *name)
{
    size_t length = strlen(name);
    for (size_t at = 0; at < n;) {
        size_t token = virtual_token(text, n, at);
        const char *word = text + at;
        size_t inner = token;
        if (token >= 2 && strchr("\"`[", *word)) {
            word++;
            inner -= 2;
        }
        if (inner == length && strncasecmp(word, name, length) == 0)
            return at;
        at += token;
    }
    return n;
}

static void hint_table(const struct select *s, const char *name, struct error *err)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < s->scope.ntables && n < 64; i++)
        names[n++] = s->scope.tables[i]->name;
    const char *near = text_nearest(name, names, n);
    error_hint(err, near ? "did you mean %s?" : "`tables` lists what can be asked", near);
}

/* Offers the columns of tables that the statement names to `visit`. */
static void hint_column(const struct select *s, const char *text, size_t n, const char *name, struct error *err)
{
    const char *dot = strrchr(name, '.');
    const char *best = NULL;
    char kept[96];
    size_t distance = SIZE_MAX;
    if (dot)
        name = dot + 1;
    for (size_t i = 0; i < s->scope.ntables; i++) {
        const struct sql_table *t = s->scope.tables[i];
        struct sql_columns columns = {0};
        struct error ignored;
        if (find_word(text, n, t->name) == n || t->columns(s->scope.context, t, &columns, &ignored)) {
            sql_columns_clear(&columns);
            continue;
        }
        for (size_t k = 0; k < columns.n; k++) {
            const char *one = columns.column[k].name, *near = text_nearest(name, &one, 1);
            if (near && text_distance(name, near) < distance) {
                distance = text_distance(name, near);
                snprintf(kept, sizeof kept, "%s", near);
                best = kept;
            }
        }
        sql_columns_clear(&columns);
    }
    if (best)
        error_hint(err, "did you mean %s?", best);
    else
        error_hint(err, "`describe TABLE` lists its columns; texts stand in single quotes");
}

static void hint_function(const struct select *s, const char *name, struct error *err)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < s->scope.ntables && n < 32; i++) {
        const struct sql_table *t = s->scope.tables[i];
        if (t->function && text_same(t->name, name)) {
            error_hint(err, "it gives rows: select * from %s(...)", t->name);
            return;
        }
        if (t->function)
            names[n++] = t->name;
    }
    for (size_t i = 0; i < s->scope.nfunctions && n < 64; i++)
        names[n++] = s->scope.functions[i]->name;
    const char *near = text_nearest(name, names, n);
    error_hint(err, near ? "did you mean %s()?" : "SQLite's own functions are there, and those that `tables` lists",
               near);
}

/* SQLite's sentences that say which name is wrong. */
static bool about(const char *message, const char *prefix, char *name, size_t size)
{
    size_t n = strlen(prefix);
    if (strncmp(message, prefix, n) != 0)
        return false;
    snprintf(name, size, "%s", message + n);
    return true;
}

static enum status explain(const struct select *s, const char *text, size_t n, struct error *err)
{
    const char *message = sqlite3_errmsg(s->space.db);
    int offset = sqlite3_error_offset(s->space.db);
    size_t at = offset >= 0 ? (size_t)offset : n;
    char name[160];
    if (about(message, "no such table: ", name, sizeof name)) {
        error_set(err, ST_USAGE, "there is no table \"%s\"", name);
        hint_table(s, name, err);
        at = offset >= 0 ? at : find_word(text, n, name);
    } else if (about(message, "no such column: ", name, sizeof name)) {
        error_set(err, ST_USAGE, "there is no column \"%s\"", name);
        hint_column(s, text, n, name, err);
    } else if (about(message, "no such function: ", name, sizeof name)) {
        error_set(err, ST_USAGE, "there is no function \"%s\"", name);
        hint_function(s, name, err);
        at = offset >= 0 ? at : find_word(text, n, name);
    } else if (strcmp(message, "incomplete input") == 0) {
        error_set(err, ST_USAGE, "the statement is not complete");
        error_span(err, n, 1);
        return ST_USAGE;
    } else {
        error_set(err, ST_USAGE, "%s", message);
    }
    size_t end = at < n ? at + virtual_token(text, n, at) : at;
    while (at < n && end + 1 < n && text[end] == '.') /* table.column */
        end += 1 + virtual_token(text, n, end + 1);
    if (at < n)
        error_span(err, at, end - at);
    return ST_USAGE;
}

/* What became of a call of SQLite. `text` NULL: the statement is running. */
static enum status judge(struct select *s, int rc, const char *text, size_t n, struct error *err)
{
    rc &= 0xff;
    if (rc == SQLITE_NOMEM)
        return error_set(err, ST_NOMEM, "not enough memory for this statement");
    if (rc == SQLITE_INTERRUPT || job_cancelled(s->scope.job)) {
        enum status st = job_check(s->scope.job, err);
        return st ? st : error_set(err, ST_CANCELLED, "interrupted");
    }
    if (s->space.failed.code) {
        if (err)
            *err = s->space.failed;
        return s->space.failed.code;
    }
    if (rc == SQLITE_AUTH || strncmp(sqlite3_errmsg(s->space.db), "not authorized", 14) == 0) {
        error_set(err, ST_USAGE, "SQL only reads here: %s", sqlite3_errmsg(s->space.db));
        error_hint(err, "SELECT, WITH, VALUES and EXPLAIN are what there is; commands change things: `help`");
        return ST_USAGE;
    }
    if (rc == SQLITE_TOOBIG)
        return error_set(err, ST_UNSUPPORTED, "the statement, or a text that it makes, is larger than allowed (%d MB)",
                         text ? 1 : MOST_BYTES >> 20);
    if (rc == SQLITE_FULL || rc == SQLITE_IOERR || rc == SQLITE_CANTOPEN) {
        error_set(err, ST_IO, "sorting needs more room than there is for temporary files: %s",
                  sqlite3_errmsg(s->space.db));
        error_hint(err, "set TMPDIR to a folder with room, or sort fewer rows");
        return ST_IO;
    }
    if (text)
        return explain(s, text, n, err);
    return error_set(err, ST_USAGE, "%s", sqlite3_errmsg(s->space.db));
}

/* ---- opening ---- */

static enum status connect_space(struct select *s, struct error *err)
{
    int rc = sqlite3_open_v2(":memory:", &s->space.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                             NULL);
    if (!s->space.db)
        return error_set(err, ST_NOMEM, "not enough memory for this statement");
    s->space.scope = &s->scope;
    sqlite3_db_config(s->space.db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->space.db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(s->space.db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(s->space.db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    set_limits(s->space.db);
    if (rc == SQLITE_OK)
        rc = virtual_register(&s->space);
    if (rc != SQLITE_OK)
        return judge(s, rc, NULL, 0, err);
    sqlite3_set_authorizer(s->space.db, authorize, s);
    sqlite3_progress_handler(s->space.db, STEPS_PER_LOOK, look_at_job, s);
    return ST_OK;
}

static enum status bind_variables(struct select *s, sqlite3_stmt *statement, const char *text, size_t n,
                                  struct error *err)
{
    int count = sqlite3_bind_parameter_count(statement);
    for (int i = 1; i <= count; i++) {
        const char *name = sqlite3_bind_parameter_name(statement, i);
        const char *value =
            name && *name == '$' && s->scope.variable ? s->scope.variable(s->scope.context, name + 1) : NULL;
        if (!value) {
            const char *at = name ? memmem(text, n, name, strlen(name)) : memchr(text, '?', n);
            if (name && *name == '$')
                error_set(err, ST_USAGE, "%s is not set", name);
            else
                error_set(err, ST_USAGE, "%s: a variable is written as $NAME", name ? name : "?");
            error_hint(err, "`set NAME VALUE` sets it");
            if (at)
                error_span(err, (size_t)(at - text), name ? strlen(name) : 1);
            return ST_USAGE;
        }
        int rc = sqlite3_bind_text(statement, i, value, -1, SQLITE_TRANSIENT);
        if (rc != SQLITE_OK)
            return judge(s, rc, NULL, 0, err);
    }
    return ST_OK;
}

static enum status prepare(struct select *s, const char *text, size_t n, sqlite3_stmt **out, struct error *err)
{
    const char *tail = NULL;
    int rc = sqlite3_prepare_v2(s->space.db, text, (int)n, out, &tail);
    if (rc != SQLITE_OK)
        return judge(s, rc, text, n, err);
    if (!*out)
        return error_set(err, ST_USAGE, "there is no statement");
    while (tail < text + n && strchr(" \t\r\n;", *tail))
        tail++;
    if (tail < text + n) {
        error_set(err, ST_USAGE, "one statement at a time");
        error_span(err, (size_t)(tail - text), 1);
        return ST_USAGE;
    }
    if (!sqlite3_stmt_readonly(*out))
        return judge(s, SQLITE_AUTH, text, n, err);
    return bind_variables(s, *out, text, n, err);
}

/* Prepares the count that a table can answer by itself. That it cannot be is no error: the statement answers it. */
static void prepare_quick(struct select *s, const char *text, size_t n)
{
    struct str quick = {0};
    struct error ignored;
    s->preparing_quick = true;
    if (virtual_quick_count(&s->scope, text, n, &quick) &&
        prepare(s, str_text(&quick), quick.length, &s->quick, &ignored)) {
        sqlite3_finalize(s->quick);
        s->quick = NULL;
    }
    s->preparing_quick = false;
    s->space.failed.code = ST_OK;
    str_free(&quick);
}

enum status select_open(const struct sql_scope *scope, const char *text, size_t n, struct select **out,
                        struct error *err)
{
    struct select *s = mem_new(1, sizeof *s, "a statement", err);
    if (!s)
        return ST_NOMEM;
    s->scope = *scope;
    enum status st =
        n > MOST_TEXT ? error_set(err, ST_UNSUPPORTED, "the statement is longer than 1 MB") : connect_space(s, err);
    if (!st)
        st = prepare(s, text, n, &s->statement, err);
    if (st) {
        select_close(s);
        return st;
    }
    prepare_quick(s, text, n);
    s->present = s->quick ? s->quick : s->statement;
    *out = s;
    return ST_OK;
}

void select_close(struct select *s)
{
    if (!s)
        return;
    sqlite3_finalize(s->quick);
    sqlite3_finalize(s->statement);
    sqlite3_close(s->space.db);
    mem_free(s);
}

/* ---- rows ---- */

size_t select_columns(const struct select *s)
{
    return (size_t)sqlite3_column_count(s->statement);
}

const char *select_name(const struct select *s, size_t column)
{
    const char *name = sqlite3_column_name(s->statement, (int)column);
    return name ? name : "";
}

bool select_type(const struct select *s, size_t column, enum sql_type *type)
{
    return virtual_type(sqlite3_column_decltype(s->statement, (int)column), type);
}

enum status select_next(struct select *s, bool *row, struct error *err)
{
    s->space.failed.code = ST_OK;
    s->space.inexact = false;
    int rc = sqlite3_step(s->present);
    if (s->present == s->quick && s->space.inexact) { /* a row has to be looked at after all */
        sqlite3_reset(s->quick);
        s->space.inexact = false;
        s->space.failed.code = ST_OK;
        s->present = s->statement;
        rc = sqlite3_step(s->present);
    }
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ST_OK : judge(s, rc, NULL, 0, err);
}

struct sql_value select_value(struct select *s, size_t column)
{
    return virtual_value(sqlite3_column_value(s->present, (int)column));
}

void select_rewind(struct select *s)
{
    sqlite3_reset(s->present);
}
