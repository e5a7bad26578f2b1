/* rejects: the rows that could not be used, counted, listed, or written to a file to be mended. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "commands/families.h"

enum { BLOCK = 2000, LISTED = 20, TEXT_CUT = 4096 };

/* ---- which of them ---- */

struct filter {
    const char *file, *reason; /* a part of it, in any case; NULL: any */
};

static struct filter read_filter(const struct call *call)
{
    return (struct filter){.file = call_text(call, "file"), .reason = call_text(call, "reason")};
}

static bool fits(const struct filter *f, const struct reject *r)
{
    return (!f->file || text_find(r->file, f->file)) && (!f->reason || text_find(r->reason, f->reason));
}

struct count {
    struct filter filter;
    uint64_t kept, fitting;
};

static enum status count_one(void *context, const struct reject *r, struct error *err)
{
    struct count *c = context;
    (void)err;
    c->kept++;
    c->fitting += fits(&c->filter, r);
    return ST_OK;
}

/* A load keeps the text of its first 100,000 rejects: what is left out must be said wherever rows are counted. */
static void say_not_kept(const struct dataset *d, uint64_t kept, struct result *out)
{
    char first[32], all[32];
    if (d->rows_rejected <= kept)
        return;
    text_count(first, sizeof first, (int64_t)kept);
    text_count(all, sizeof all, (int64_t)d->rows_rejected);
    result_message(out, MESSAGE_WARNING,
                   "%s rows were rejected, and the first %s are kept: with so many the mapping is more likely wrong "
                   "than the rows (`rejects by=reason`, then `load` again with user= item= time= value=)",
                   all, first);
}

/* ---- counted ---- */

/* "time "soon" is not a time" and "time "later" is not a time" are one reason: what is quoted is left out. */
static void fold_reason(const char *reason, struct str *out)
{
    const char *open = strchr(reason, '"'), *close = strrchr(reason, '"');
    str_clear(out);
    if (!open || open == close) {
        str_puts(out, reason);
        return;
    }
    str_append(out, reason, (size_t)(open + 1 - reason));
    str_puts(out, "…");
    str_puts(out, close);
}

struct group {
    uint64_t rows, line; /* line: of the first */
    char *file, *text;
};

struct groups {
    struct filter filter;
    bool by_file;
    struct dict names;
    struct group *at;
    size_t n, capacity;
    uint64_t kept;
    struct str name;
};

static enum status first_of_group(struct groups *g, const struct reject *r, struct error *err)
{
    enum status st = mem_grow(&g->at, &g->capacity, g->n + 1, sizeof *g->at, err);
    if (st)
        return st;
    struct group *new = &g->at[g->n++];
    *new = (struct group){.line = r->line, .file = mem_strdup(r->file, err)};
    new->text = mem_strndup(r->text, r->text_length, err);
    return new->file && new->text ? ST_OK : ST_NOMEM;
}

static enum status add_to_group(void *context, const struct reject *r, struct error *err)
{
    struct groups *g = context;
    uint32_t code;
    g->kept++;
    if (!fits(&g->filter, r))
        return ST_OK;
    if (g->by_file) {
        str_clear(&g->name);
        str_puts(&g->name, r->file);
    } else {
        fold_reason(r->reason, &g->name);
    }
    if (g->name.failed)
        return error_nomem(err, g->name.length, "reasons");
    enum status st = dict_add(&g->names, str_text(&g->name), g->name.length, &code, err);
    if (!st && code == g->n)
        st = first_of_group(g, r, err);
    if (!st)
        g->at[code].rows++;
    return st;
}

/* Largest first; a few reasons, so the plain way will do. */
static void put_groups(const struct groups *g, struct result *out)
{
    const struct column columns[] = {
        {.name = g->by_file ? "file" : "reason", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
        {.name = "rows", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "first_file", .type = VALUE_TEXT, .flags = g->by_file ? COLUMN_HIDDEN : COLUMN_COMPACT},
        {.name = "first_line", .type = VALUE_INT},
        {.name = "first_text", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
    };
    struct table *t = result_table(out, "rejects", "", columns, sizeof columns / sizeof *columns);
    bool *done = result_room(out, g->n, sizeof *done);
    for (size_t k = 0; done && k < g->n; k++) {
        size_t best = g->n;
        for (size_t i = 0; i < g->n; i++)
            if (!done[i] && (best == g->n || g->at[i].rows > g->at[best].rows))
                best = i;
        done[best] = true;
        table_text(t, dict_text(&g->names, (uint32_t)best));
        table_int(t, (int64_t)g->at[best].rows);
        table_text(t, g->at[best].file);
        table_int(t, (int64_t)g->at[best].line);
        table_text(t, g->at[best].text);
    }
}

static enum status count_rejects(struct workbench *wb, const struct dataset *d, const struct call *call,
                                 struct result *out, struct error *err)
{
    struct groups g = {.filter = read_filter(call), .by_file = text_same(call_text(call, "by"), "file")};
    enum status st = workspace_each_reject(wb->space, d->name, 0, UINT64_MAX, add_to_group, &g, err);
    if (!st) {
        put_groups(&g, out);
        say_not_kept(d, g.kept, out);
    }
    for (size_t i = 0; i < g.n; i++) {
        mem_free(g.at[i].file);
        mem_free(g.at[i].text);
    }
    mem_free(g.at);
    dict_clear(&g.names);
    str_free(&g.name);
    return st;
}

/* ---- listed ---- */

/* Rows are pulled from the workspace a block at a time: a hundred thousand of them go to a file in little memory. */
struct list {
    struct workspace *space;
    char *dataset, *file, *reason;
    uint64_t first, most; /* of those that fit: which to begin with, and how many */
    uint64_t number;      /* the next row of the workspace */
    uint64_t fitting, given;
    uint64_t seen;        /* rows of the present block */
    struct table *block;
};

static enum status put_reject(void *context, const struct reject *r, struct error *err)
{
    struct list *l = context;
    const struct filter f = {l->file, l->reason};
    (void)err;
    l->seen++;
    if (!fits(&f, r) || l->fitting++ < l->first || l->given == l->most)
        return ST_OK;
    l->given++;
    table_text(l->block, r->file);
    table_int(l->block, (int64_t)r->line);
    table_text(l->block, r->reason);
    table_textn(l->block, r->text, r->text_length);
    return ST_OK;
}

static enum status next_block(void *context, struct table *block, struct error *err)
{
    struct list *l = context;
    enum status st = ST_OK;
    uint64_t before = l->given;
    l->block = block;
    do {
        l->seen = 0;
        st = workspace_each_reject(l->space, l->dataset, l->number, BLOCK, put_reject, l, err);
        l->number += BLOCK;
    } while (!st && l->seen == BLOCK && l->given == before);
    return st;
}

static enum status rewind_list(void *context, struct error *err)
{
    struct list *l = context;
    (void)err;
    l->number = l->fitting = l->given = 0;
    return ST_OK;
}

static void close_list(void *context)
{
    struct list *l = context;
    mem_free(l->dataset);
    mem_free(l->file);
    mem_free(l->reason);
    mem_free(l);
}

static enum status new_list(struct workbench *wb, const struct dataset *d, const struct filter *f, struct list **out,
                            struct error *err)
{
    struct list *l = mem_new(1, sizeof *l, "rejected rows", err);
    if (!l)
        return ST_NOMEM;
    l->space = wb->space;
    l->dataset = mem_strdup(d->name, err);
    l->file = f->file ? mem_strdup(f->file, err) : NULL;
    l->reason = f->reason ? mem_strdup(f->reason, err) : NULL;
    if (!l->dataset || (f->file && !l->file) || (f->reason && !l->reason)) {
        close_list(l);
        return ST_NOMEM;
    }
    *out = l;
    return ST_OK;
}

static enum status read_limit(const struct call *call, int64_t *limit, struct error *err)
{
    if (!call->nargs || (text_parse_int(call->args[0].text, limit) && *limit > 0))
        return ST_OK;
    error_set(err, ST_USAGE, "\"%s\" is not a number of rows", call->args[0].text);
    error_hint(err, "for example: rejects 50");
    return error_at_word(ST_USAGE, err, &call->args[0]);
}

static enum status list_rejects(struct workbench *wb, const struct dataset *d, const struct call *call,
                                struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "file", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "line", .type = VALUE_INT},
        {.name = "reason", .type = VALUE_TEXT},
        {.name = "text", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
    };
    struct count c = {.filter = read_filter(call)};
    struct list *l = NULL;
    bool everything = call->redirect.text || call->pipe.text; /* a file is to have them all */
    int64_t limit = everything ? INT64_MAX : LISTED;
    enum status st = read_limit(call, &limit, err);
    if (!st)
        st = workspace_each_reject(wb->space, d->name, 0, UINT64_MAX, count_one, &c, err);
    if (!st)
        st = new_list(wb, d, &c.filter, &l, err);
    if (st)
        return st;
    bool newest = call_given(call, "last");
    l->most = newest ? (uint64_t)call_int(call, "last") : (uint64_t)limit;
    l->first = newest && c.fitting > l->most ? c.fitting - l->most : 0;
    uint64_t shown = c.fitting - l->first < l->most ? c.fitting - l->first : l->most;
    result_cursor(out, "rejects", "", columns, sizeof columns / sizeof *columns, next_block, rewind_list, close_list,
                  l);
    if (d->rows_rejected == 0)
        result_message(out, MESSAGE_INFO, "no row of %s was rejected", d->name);
    else if (c.fitting > shown)
        result_message(out, MESSAGE_INFO,
                       "the %s %llu of %llu: rejects N shows more, by=reason counts them, > bad.csv writes all",
                       newest ? "last" : "first", (unsigned long long)shown, (unsigned long long)c.fitting);
    if (everything || !c.fitting)
        say_not_kept(d, c.kept, out);
    return ST_OK;
}

/* ---- written as they stood ---- */

struct raw {
    struct filter filter;
    FILE *stream;
    uint64_t rows, cut, kept;
};

static enum status write_raw(void *context, const struct reject *r, struct error *err)
{
    struct raw *raw = context;
    raw->kept++;
    if (!fits(&raw->filter, r))
        return ST_OK;
    raw->rows++;
    raw->cut += r->text_length == TEXT_CUT;
    if (fwrite(r->text, 1, r->text_length, raw->stream) != r->text_length || putc('\n', raw->stream) == EOF)
        return error_errno(err, "write", "the rejected rows");
    return ST_OK;
}

static enum status export_raw(struct workbench *wb, const struct dataset *d, const struct call *call,
                              struct result *out, struct error *err)
{
    static const struct column columns[] = {{.name = "file", .type = VALUE_TEXT},
                                            {.name = "rows", .type = VALUE_INT, .flags = COLUMN_COUNT}};
    const char *path = call_text(call, "raw");
    struct raw raw = {.filter = read_filter(call)};
    struct file_draft *draft = NULL;
    enum status st = file_draft_open(path, &draft, err);
    if (!st) {
        raw.stream = file_draft_stream(draft);
        st = workspace_each_reject(wb->space, d->name, 0, UINT64_MAX, write_raw, &raw, err);
        if (st)
            file_draft_abandon(draft);
        else
            st = file_draft_commit(draft, err);
    }
    if (st)
        return error_at_option(st, err, call, "raw");
    struct table *t = result_table(out, "written", "", columns, 2);
    table_text(t, path);
    table_int(t, (int64_t)raw.rows);
    if (raw.cut)
        result_message(out, MESSAGE_WARNING, "%llu row%s longer than 4,096 bytes: the rest is in the file it came from",
                       (unsigned long long)raw.cut, raw.cut == 1 ? " was" : "s were");
    say_not_kept(d, raw.kept, out);
    if (raw.rows)
        result_message(out, MESSAGE_HINT,
                       "mend them there, put the header line on top if the file had one, then `append %s`", path);
    return ST_OK;
}

/* ---- the table ---- */

static enum status run_rejects(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    enum status st = call_given(call, "raw")  ? export_raw(wb, d, call, out, err)
                     : call_given(call, "by") ? count_rejects(wb, d, call, out, err)
                                              : list_rejects(wb, d, call, out, err);
    dataset_release(d);
    return st;
}

static const struct param options[] = {
    {.name = "by", .type = PARAM_ENUM, .choices = "reason|file", .doc = "count them instead, the most frequent first"},
    {.name = "last", .type = PARAM_INT, .min = 1, .max = 1e9, .doc = "the last so many, not the first"},
    {.name = "file", .type = PARAM_TEXT, .doc = "only those of files with this in their name"},
    {.name = "reason", .type = PARAM_TEXT, .doc = "only those with this in their reason"},
    {.name = "raw",
     .type = PARAM_PATH,
     .doc = "write the rows into this file as they stood, to be mended and appended"},
};

static const struct argument arguments[] = {
    {.name = "LIMIT",
     .type = ARG_TEXT,
     .optional = true,
     .doc = "how many, 20 without it; with > FILE or | PROGRAM all"},
};

static const struct command rows[] = {
    {.name = "rejects",
     .group = "explore",
     .summary = "the rows that could not be used, and why",
     .arguments = arguments,
     .narguments = sizeof arguments / sizeof *arguments,
     .options = options,
     .noptions = sizeof options / sizeof *options,
     .flags = COMMAND_NEEDS_DATA,
     .help = "Rows read are rows kept plus rows rejected. `rejects by=reason` counts them, with the first of each; "
             "`rejects > bad.csv` writes file, line, reason and text of them all; raw=bad.txt the rows alone, as they "
             "stood, to be mended and appended.\n"
             "A load keeps its first 100,000 rejected rows, 4,096 bytes of each: so many are a sign of a wrong "
             "mapping, not of rows to mend by hand. All are counted, and where some are not kept that is said.",
     .examples = (const char *const[]){"rejects", "rejects 5", "rejects by=reason", "rejects reason=time last=3", NULL},
     .run = run_rejects},
};

const struct command_family reject_commands = {rows, sizeof rows / sizeof *rows};
