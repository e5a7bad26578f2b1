/* SQL at the prompt: select, tables, describe. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/families.h"
#include "commands/pinned.h"

/* ---- a statement's rows as a table ---- */

/* Values looked at before the types of computed columns are settled, and handed over at a time. A result that ends
 * within the first is held; a longer one streams. */
enum { FIRST_VALUES = 1 << 18, BLOCK_VALUES = 1 << 13 };

/* Rows of the statement as they come, before the types are known. */
struct rows {
    struct sql_value *values;
    size_t n, capacity; /* values */
    struct str text;    /* of the values; they hold offsets until all are there */
};

struct statement {
    struct pinned *pinned;
    struct select *select;
    struct column *columns;
    size_t ncolumns;
    struct rows first; /* until they are handed over */
    bool ended;
    struct str text;
};

static void rows_clear(struct rows *r)
{
    mem_free(r->values);
    str_free(&r->text);
    *r = (struct rows){0};
}

static void statement_close(void *context)
{
    struct statement *s = context;
    if (!s)
        return;
    rows_clear(&s->first);
    select_close(s->select);
    pinned_free(s->pinned);
    mem_free(s->columns);
    str_free(&s->text);
    mem_free(s);
}

static enum status keep_row(struct statement *s, struct rows *r, struct error *err)
{
    enum status st = mem_grow(&r->values, &r->capacity, r->n + s->ncolumns, sizeof *r->values, err);
    for (size_t i = 0; i < s->ncolumns && !st; i++) {
        struct sql_value v = select_value(s->select, i);
        if (v.kind == SQL_IS_TEXT && !v.text)
            st = error_nomem(err, v.length, "the rows of a statement");
        if (v.kind == SQL_IS_TEXT || v.kind == SQL_IS_BYTES) {
            v.integer = (int64_t)r->text.length;
            str_append(&r->text, v.text ? v.text : "", v.length);
            str_putc(&r->text, 0);
        }
        r->values[r->n++] = v;
    }
    if (!st && r->text.failed)
        st = error_nomem(err, r->text.length, "the rows of a statement");
    return st;
}

/* Rows of `most` values or a few more. */
static enum status take_rows(struct statement *s, struct rows *r, size_t most, struct error *err)
{
    enum status st = ST_OK;
    while (!st && !s->ended && r->n < most) {
        bool row;
        st = select_next(s->select, &row, err);
        s->ended = !st && !row;
        if (!st && row)
            st = keep_row(s, r, err);
    }
    for (size_t i = 0; i < r->n && !st; i++)
        if (r->values[i].kind == SQL_IS_TEXT || r->values[i].kind == SQL_IS_BYTES)
            r->values[i].text = r->text.data + r->values[i].integer;
    return st;
}

/* ---- types of columns ---- */

/* Whole numbers, numbers, else text: by what stands in the first rows of a computed column. */
static enum value_type type_of_rows(const struct rows *r, size_t ncolumns, size_t column)
{
    bool any = false, real = false;
    for (size_t i = column; i < r->n; i += ncolumns) {
        enum sql_kind k = r->values[i].kind;
        if (k == SQL_IS_TEXT || k == SQL_IS_BYTES)
            return VALUE_TEXT;
        any |= k != SQL_NULL;
        real |= k == SQL_IS_REAL;
    }
    return !any ? VALUE_TEXT : real ? VALUE_REAL : VALUE_INT;
}

/* Columns of one name get numbers: they are the keys of a JSON object. */
static const char *own_name(struct result *out, const struct statement *s, size_t column)
{
    const char *plain = select_name(s->select, column), *name = result_text(out, plain);
    for (size_t i = 0, n = 1; i < column && out->failed.code == ST_OK; i++)
        if (strcmp(s->columns[i].name, name) == 0) {
            name = result_textf(out, "%s_%zu", plain, ++n);
            i = SIZE_MAX; /* from the first again */
        }
    return name;
}

static void settle_columns(struct statement *s, const struct rows *r, struct result *out)
{
    static const enum value_type types[] = {
        [SQL_TEXT] = VALUE_TEXT, [SQL_INT] = VALUE_INT, [SQL_REAL] = VALUE_REAL, [SQL_TIME] = VALUE_TIME};
    for (size_t i = 0; i < s->ncolumns; i++) {
        enum sql_type declared;
        bool known = select_type(s->select, i, &declared);
        s->columns[i] = (struct column){.name = own_name(out, s, i), .unit = "", .precision = -1};
        s->columns[i].type = known ? types[declared] : type_of_rows(r, s->ncolumns, i);
    }
}

/* ---- cells ---- */

static void put_bytes(struct str *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        str_printf(out, "%02x", (unsigned)(unsigned char)bytes[i]);
}

static enum status wrong_type(const struct column *c, const struct sql_value *v, struct error *err)
{
    static const char *const names[] = {"nothing", "a whole number", "a fraction", "a text", "bytes"};
    enum status st = error_set(err, ST_USAGE, "column %s holds %s in its first rows and %s later", c->name,
                               c->type == VALUE_INT ? "whole numbers" : "numbers", names[v->kind]);
    error_hint(err, "say what it is: cast(... as %s)", v->kind == SQL_IS_REAL ? "real" : "text");
    return st;
}

static enum status put_cell(struct statement *s, struct table *t, const struct column *c, const struct sql_value *v,
                            struct error *err)
{
    int64_t time;
    char number[32];
    if (v->kind == SQL_NULL) {
        table_null(t);
    } else if (c->type == VALUE_TIME && v->kind == SQL_IS_TEXT && time_parse(v->text, v->length, 0, &time)) {
        table_time(t, time);
    } else if (c->type == VALUE_INT && v->kind == SQL_IS_INT) {
        table_int(t, v->integer);
    } else if (c->type == VALUE_REAL && (v->kind == SQL_IS_REAL || v->kind == SQL_IS_INT)) {
        table_real(t, v->real);
    } else if (c->type != VALUE_TEXT) {
        return wrong_type(c, v, err);
    } else if (v->kind == SQL_IS_TEXT) {
        table_textn(t, v->text, v->length);
    } else {
        str_clear(&s->text);
        if (v->kind == SQL_IS_BYTES)
            put_bytes(&s->text, v->text, v->length);
        else if (v->kind == SQL_IS_INT)
            str_printf(&s->text, "%lld", (long long)v->integer);
        else
            str_append(&s->text, number, (size_t)text_real(number, sizeof number, v->real));
        table_textn(t, str_text(&s->text), s->text.length);
    }
    return ST_OK;
}

static enum status put_rows(struct statement *s, const struct rows *r, struct table *t, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < r->n && !st; i++)
        st = put_cell(s, t, &s->columns[i % s->ncolumns], &r->values[i], err);
    return st;
}

/* ---- select ---- */

static enum status statement_next(void *context, struct table *block, struct error *err)
{
    struct statement *s = context;
    struct rows r = s->first;
    s->first = (struct rows){0};
    enum status st = r.n ? ST_OK : take_rows(s, &r, BLOCK_VALUES, err);
    if (!st)
        st = put_rows(s, &r, block, err);
    rows_clear(&r);
    return st;
}

/* Nothing to do while the first rows wait: a sort is not done twice. */
static enum status statement_rewind(void *context, struct error *err)
{
    struct statement *s = context;
    (void)err;
    if (s->first.n)
        return ST_OK;
    select_rewind(s->select);
    s->ended = false;
    return ST_OK;
}

/* `select ... > o.csv` compares with a column of that name: the file stands behind a `;`. */
static void hint_file(const char *text, struct error *err)
{
    const char *to = strrchr(text, '>');
    if (!to || to == text || to[-1] != ' ' || to[1] != ' ')
        return;
    to += 2;
    if (!to[strcspn(to, " \n")] && strpbrk(to, "./"))
        error_hint(err, "a file stands behind a `;`: select ...; > %s", to);
}

static enum status statement_open(struct workbench *wb, const struct call *call, struct statement *s, struct error *err)
{
    enum status st = pinned_new(wb, &s->pinned, err);
    if (st)
        return st;
    struct sql_scope scope = pinned_scope(s->pinned);
    st = select_open(&scope, call->rest.text, call->rest.length, &s->select, err);
    if (st) {
        hint_file(call->rest.text, err);
        return st;
    }
    s->ncolumns = select_columns(s->select);
    s->columns = mem_new(s->ncolumns, sizeof *s->columns, "columns", err);
    return s->columns ? ST_OK : ST_NOMEM;
}

/* Groups of a large log take SQLite seconds. */
static void hint_events_by(const struct statement *s, const char *text, struct result *out)
{
    enum { MANY = 5000000 };
    if (s->pinned->event_rows > MANY && strcasestr(text, "group by"))
        result_message(
            out, MESSAGE_HINT,
            "`events by=type`, by=user, by=item, by=day or any column counts all events at once: `help events`");
}

/* As far as it has been asked: of many rows the first ones. */
static void warn_of_future(const struct pinned *p, struct result *out)
{
    struct str names = {0};
    size_t n = 0;
    for (size_t i = 0; i < p->nmodels; i++)
        if (p->foresaw[i])
            str_printf(&names, "%s%s", n++ ? ", " : "", p->models[i]->name);
    if (n)
        result_message(out, MESSAGE_WARNING, "%s %s trained on events after the moments asked about: %s the future",
                       str_text(&names), n > 1 ? "were" : "was", n > 1 ? "they know" : "it knows");
    str_free(&names);
}

/* A few rows are held and the statement is done with; of more, a cursor hands over a block at a time. */
static enum status run_select(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct statement *s = mem_new(1, sizeof *s, "a statement", err);
    enum status st = s ? statement_open(wb, call, s, err) : ST_NOMEM;
    if (!st)
        st = take_rows(s, &s->first, FIRST_VALUES, err);
    if (!st) {
        settle_columns(s, &s->first, out);
        warn_of_future(s->pinned, out);
        if (s->ended) {
            st = put_rows(s, &s->first, result_table(out, "rows", "", s->columns, s->ncolumns), err);
            hint_events_by(s, call->rest.text, out);
        } else {
            result_cursor(out, "rows", "", s->columns, s->ncolumns, statement_next, statement_rewind, statement_close,
                          s);
            s = NULL;
        }
    }
    statement_close(s);
    return st;
}

/* ---- tables, describe ---- */

/* Rows of a table, where that is quick to say; else null. */
static enum status put_count(struct pinned *p, const struct sql_table *t, struct table *out, struct error *err)
{
    struct sql_scope scope = pinned_scope(p);
    struct select *s = NULL;
    struct str text = {0};
    struct error why = {0};
    bool row = false, known = !t->function && (t->count || t->few) &&
                              (p->data || strcmp(t->name, "datasets") == 0 || strcmp(t->name, "models") == 0);
    str_printf(&text, "select count(*) from %s", t->name);
    enum status st = !known        ? ST_OK
                     : text.failed ? error_nomem(&why, 64, "a statement")
                                   : select_open(&scope, str_text(&text), text.length, &s, &why);
    if (!st && s)
        st = select_next(s, &row, &why);
    if (!st && row)
        table_int(out, select_value(s, 0).integer);
    else
        table_null(out);
    select_close(s);
    str_free(&text);
    if (st && err)
        *err = why;
    return st;
}

static enum status run_tables(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    static const struct column columns[] = {{.name = "table", .type = VALUE_TEXT},
                                            {.name = "rows", .type = VALUE_INT, .flags = COLUMN_COUNT},
                                            {.name = "what", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    struct pinned *p = NULL;
    (void)call;
    enum status st = pinned_new(wb, &p, err);
    struct table *t = st ? NULL : result_table(out, "tables", "", columns, 3);
    for (size_t i = 0; sql_table_at(i) && !st; i++) {
        const struct sql_table *one = sql_table_at(i);
        table_textf(t, "%s%s", one->name, one->function ? "()" : "");
        st = put_count(p, one, t, err);
        table_text(t, one->summary);
    }
    for (size_t i = 0; sql_function_at(i) && !st; i++) {
        table_textf(t, "%s()", sql_function_at(i)->name);
        table_null(t);
        table_textf(t, "%s: %s", sql_function_at(i)->usage, sql_function_at(i)->summary);
    }
    if (!st && !p->data)
        result_message(out, MESSAGE_HINT, "most tables need data: `load FILE`, or `load shop` for the bundled shop");
    else if (!st)
        result_message(out, MESSAGE_HINT, "`describe events` shows the columns of one; `help sql` has examples");
    pinned_free(p);
    return st;
}

static const struct sql_table *find_table(const char *name)
{
    size_t n = strcspn(name, "(");
    for (size_t i = 0; sql_table_at(i); i++)
        if (strlen(sql_table_at(i)->name) == n && text_starts(name, sql_table_at(i)->name))
            return sql_table_at(i);
    return NULL;
}

static enum status no_such_table(const struct word *w, struct error *err)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; sql_table_at(i) && n < 64; i++)
        names[n++] = sql_table_at(i)->name;
    const char *near = text_nearest(w->text, names, n);
    error_set(err, ST_NOT_FOUND, "there is no table \"%s\"", w->text);
    error_hint(err, near ? "did you mean %s?" : "`tables` lists them", near);
    return error_at_word(ST_NOT_FOUND, err, w);
}

static const char *asked_how(const struct sql_column *c)
{
    if (c->flags & SQL_ARGUMENT)
        return c->flags & SQL_OPTIONAL ? "argument, may be left out" : "argument";
    return c->flags & SQL_SEEK ? "goes there" : c->flags & SQL_PUSH ? "tested in place" : "row by row";
}

static enum status run_describe(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    static const struct column columns[] = {{.name = "column", .type = VALUE_TEXT},
                                            {.name = "type", .type = VALUE_TEXT},
                                            {.name = "compared", .type = VALUE_TEXT},
                                            {.name = "what", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    static const char *const types[] = {
        [SQL_TEXT] = "text", [SQL_INT] = "integer", [SQL_REAL] = "real", [SQL_TIME] = "time"};
    const struct sql_table *table = find_table(call->args[0].text);
    struct sql_columns set = {0};
    struct pinned *p = NULL;
    if (!table)
        return no_such_table(&call->args[0], err);
    enum status st = pinned_new(wb, &p, err);
    if (!st)
        st = table->columns(p, table, &set, err);
    struct table *t =
        st ? NULL : result_table(out, "columns", result_textf(out, "%s: %s", table->name, table->summary), columns, 4);
    for (size_t i = 0; i < set.n && !st; i++) {
        const struct sql_column *c = &set.column[i];
        table_text(t, c->name);
        table_text(t, types[c->type]);
        table_text(t, asked_how(c));
        table_text(t, c->doc);
    }
    if (!st && set.n >= MOST_COLUMNS)
        result_message(out, MESSAGE_WARNING,
                       "SQL shows %d columns of a table; those that come later in the files are left out",
                       MOST_COLUMNS);
    sql_columns_clear(&set);
    pinned_free(p);
    return st;
}

/* ---- the table ---- */

static const struct argument select_args[] = {
    {.name = "...", .type = ARG_TEXT, .optional = true, .doc = "the rest of the statement, up to its `;`"}};
static const struct argument describe_args[] = {{.name = "TABLE", .type = ARG_TABLE, .doc = "a table or a function"}};

static const struct command rows[] = {
    {.name = "select",
     .group = "explore",
     .summary = "ask anything in SQL",
     .arguments = select_args,
     .narguments = 1,
     .flags = COMMAND_REST,
     .help = "A text that begins with SELECT, WITH, VALUES or EXPLAIN is SQL (SQLite's): over several lines up to its "
             "`;`, or to the end of a -c. Behind the `;` stands > FILE or | PROGRAM. `tables` lists what there is to "
             "ask, `describe TABLE` its columns. It only reads.\n"
             "\n"
             "The models are part of it: recommend(model, user, k), similar(model, item, k) and explain(model, user, "
             "item) give rows, also for each row of another table; score(model, user, item) is a number, score(model, "
             "user) in FROM the scores of all items. One more argument, a time, asks all but similar() about the "
             "history before it, as at= does: recommend('ease', 'ana', 10, '2025-05-06'), or the time of an event.\n"
             "\n"
             "Ids are text: user = '42'. Times are ISO 8601 text; what a time is compared with is read as a time: "
             "'2025-03-01', '2025-03-01 14:30', or seconds since 1970. $NAME is the variable of `set NAME VALUE`. A "
             "list of values is text with bars: camping|hiking; item_tags has them one by one.\n"
             "\n"
             "`describe` says how a column is compared: one that \"goes there\" touches only the rows that fit, one "
             "\"tested in place\" is tested in a tight loop, the rest row by row. Grouping all of a very large table "
             "is faster with `events by=`.",
     .examples =
         (const char *const[]){"select type, count(*) as n from events group by type order by n desc",
                               "select * from events where user = 'ana' and time >= '2025-05-03'",
                               "select i.category, count(*) as n from events e join items i on i.item = e.item "
                               "group by i.category",
                               "select u.user, r.item, r.score from users u, recommend('ease', u.user, 2) r "
                               "where u.country = 'FR'",
                               "select item, score('ease', 'ana', item) as s from items order by s desc limit 3",
                               "select because, part from explain('ease', 'ana', 'pan')",
                               "select e.time, e.item, score('ease', e.user, e.item, e.time) as s from events "
                               "e where user = 'ana'",
                               "with last as (select user, max(time) as seen from events group by user) select "
                               "* from last where seen < '2025-05-10'",
                               "select user, start, events from sessions where seconds > 300", NULL},
     .run = run_select},
    {.name = "tables",
     .group = "explore",
     .summary = "the tables and functions of SQL",
     .help = "Rows are counted where that takes no time.",
     .examples = (const char *const[]){"tables", NULL},
     .run = run_tables},
    {.name = "describe",
     .group = "explore",
     .summary = "the columns of a table of SQL",
     .arguments = describe_args,
     .narguments = 1,
     .help = "Attributes and other columns of the data are there by their names; a name that is taken already gets _2.",
     .examples = (const char *const[]){"describe events", "describe recommend", NULL},
     .run = run_describe},
};

const struct command_family sql_commands = {rows, sizeof rows / sizeof *rows};
