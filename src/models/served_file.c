#include "models/served_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "ingest/source.h"
#include "ingest/trec.h"

void served_rows_clear(struct served_rows *r)
{
    mem_free(r->rows);
    *r = (struct served_rows){.n = 0};
}

/* The codes that the ids of a file have in the data; the first without one goes to strange. */
static uint32_t *codes_of(const struct dict *file, const struct dict *data, char strange[64], struct error *err)
{
    uint32_t *code = mem_new_raw(file->n, sizeof *code, "ids of served lists", err);
    for (uint32_t i = 0; code && i < file->n; i++) {
        code[i] = dict_find(data, dict_text(file, i), dict_length(file, i));
        if (code[i] == NO_CODE && !strange[0])
            snprintf(strange, 64, "%s", dict_text(file, i));
    }
    return code;
}

/* ---- tables ---- */

/* Which places of the events hold the rank and the score: their value, or a column. */
struct order_columns {
    const float *value[2]; /* rank, score */
    const struct field *field[2];
};
enum { BY_RANK, BY_SCORE };

static const char *mapped(const struct mapping *mapping, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(mapping[i].key, key) == 0)
            return mapping[i].value;
    return NULL;
}

/* What the readers are told: rank= and score= become numbers that they check row by row. Other columns are not kept,
 * unless one of them may be the rank. */
static size_t reader_mapping(const struct mapping *mapping, size_t n, struct mapping *out)
{
    const char *rank = mapped(mapping, n, "rank"), *score = mapped(mapping, n, "score");
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(mapping[i].key, "rank") != 0 && strcmp(mapping[i].key, "score") != 0)
            out[used++] = mapping[i];
    if (rank || score)
        out[used++] = (struct mapping){"value", rank ? rank : score};
    if (rank && score)
        out[used++] = (struct mapping){"price", score};
    out[used++] = (struct mapping){"keep", "rank,position,pos,place"};
    return used;
}

/* A level of a column that is text for some other cell's sake; NaN when it is no number. */
static double level_number(const struct field *f, uint32_t code)
{
    double x;
    return text_parse_real(dict_text(&f->levels, code), &x) && isfinite(x) ? x : NAN;
}

static bool holds_numbers(const struct field *f)
{
    bool any = f->type == FIELD_REAL || f->type == FIELD_INT;
    for (uint32_t i = 0; f->type == FIELD_TEXT && i < f->levels.n && !any; i++)
        any = !isnan(level_number(f, i));
    return any;
}

static const struct field *rank_column(const struct dataset *lists, char rankless[64])
{
    static const char *const names[] = {"rank", "position", "pos", "place"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t c = 0; c < lists->events.context.n; c++) {
            const struct field *f = &lists->events.context.field[c];
            if (!text_same(f->name, names[i]))
                continue;
            if (holds_numbers(f))
                return f;
            snprintf(rankless, 64, "%s", f->name);
        }
    return NULL;
}

static void find_columns(const struct dataset *lists, const struct mapping *mapping, size_t n, struct order_columns *c,
                         struct served_rows *out)
{
    const char *rank = mapped(mapping, n, "rank"), *score = mapped(mapping, n, "score");
    *c = (struct order_columns){.value = {NULL, NULL}};
    out->said = rank || score;
    if (rank) {
        c->value[BY_RANK] = lists->events.value;
        c->field[BY_SCORE] = score ? fields_find(&lists->events.context, "price") : NULL;
    } else {
        c->value[BY_SCORE] = lists->events.value;
        c->field[BY_RANK] = score ? NULL : rank_column(lists, out->rankless);
    }
    const char *found = c->field[BY_RANK] ? c->field[BY_RANK]->name : "";
    snprintf(out->ranked_by, sizeof out->ranked_by, "%s", rank ? rank : found);
    snprintf(out->scored_by, sizeof out->scored_by, "%s", score ? score : !rank && c->value[BY_SCORE] ? "score" : "");
}

static double number_of(const struct order_columns *c, int which, size_t event)
{
    if (c->value[which])
        return (double)c->value[which][event];
    const struct field *f = c->field[which];
    if (!f || field_missing(f, event))
        return NAN;
    if (f->type == FIELD_TEXT)
        return level_number(f, f->code[event]);
    return f->type == FIELD_REAL ? f->real[event] : (double)f->integer[event];
}

/* The first rank that was told and is none. */
static void find_strange_rank(const struct field *f, size_t n, char out[64])
{
    for (size_t i = 0; f && f->type == FIELD_TEXT && i < n && !*out; i++)
        if (!field_missing(f, i) && isnan(level_number(f, f->code[i])))
            snprintf(out, 64, "%s", dict_text(&f->levels, f->code[i]));
}

/* Rows in the order of the file: ties keep it. */
static enum status rows_of(const struct dataset *lists, const struct dataset *d, const struct order_columns *c,
                           struct served_rows *out, struct error *err)
{
    const struct events *e = &lists->events;
    uint32_t *user = codes_of(&lists->users, &d->users, out->strange_user, err);
    uint32_t *item = codes_of(&lists->items, &d->items, out->strange_item, err);
    out->rows = mem_new_raw(e->n, sizeof *out->rows, "rows of served lists", err);
    enum status st = user && item && out->rows ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < e->n && !st; i++)
        out->rows[i] = (struct served_row){
            user[e->user[i]],         item[e->item[i]],         e->item[i], e->time ? e->time[i] : NO_TIME,
            number_of(c, BY_RANK, i), number_of(c, BY_SCORE, i)};
    out->n = st ? 0 : e->n;
    out->nkeys = lists->items.n;
    out->read = lists->rows_read;
    out->rejected = lists->rows_rejected;
    mem_free(user);
    mem_free(item);
    return st;
}

enum status served_read_table(const struct dataset *d, const char *path, const struct mapping *mapping, size_t nmapping,
                              struct reject_sink *rejects, struct job *job, struct served_rows *out,
                              struct ingest_report *report, struct error *err)
{
    struct order_columns columns;
    struct dataset *lists = NULL;
    *out = (struct served_rows){.n = 0};
    struct mapping *how = mem_new(nmapping + 3, sizeof *how, "a mapping", err);
    if (!how)
        return ST_NOMEM;
    enum status st = ingest_events(&path, 1, how, reader_mapping(mapping, nmapping, how), "served", rejects, job,
                                   &lists, report, err);
    if (!st) {
        find_columns(lists, mapping, nmapping, &columns, out);
        find_strange_rank(columns.field[BY_RANK], lists->events.n, out->strange_rank);
        st = rows_of(lists, d, &columns, out, err);
    }
    dataset_release(lists);
    mem_free(how);
    if (st)
        served_rows_clear(out);
    return st;
}

/* ---- runs ---- */

/* Six words, the second of which is Q0. */
static bool is_run_line(const char *line, size_t n)
{
    size_t words = 0, at = 0;
    bool q0 = false;
    while (at < n) {
        while (at < n && strchr(" \t\r", line[at]))
            at++;
        size_t begin = at;
        while (at < n && !strchr(" \t\r", line[at]))
            at++;
        if (at == begin)
            break;
        words++;
        q0 |= words == 2 && at - begin == 2 && (line[begin] | 32) == 'q' && line[begin + 1] == '0';
    }
    return words == 6 && q0;
}

enum status served_is_run(const char *path, struct job *job, bool *is, struct error *err)
{
    struct source *source = NULL;
    struct stat info;
    char head[4096];
    size_t n = 0;
    *is = false;
    if (stat(path, &info) || !S_ISREG(info.st_mode))
        return ST_OK;
    enum status st = source_open(path, job, &source, err);
    if (!st)
        st = source_read(source, head, sizeof head, &n, err);
    if (!st) {
        const char *end = memchr(head, '\n', n);
        size_t length = end ? (size_t)(end - head) : n;
        *is = !memchr(head, 0, length) && is_run_line(head, length);
    }
    source_close(source);
    return st == ST_NOMEM || st == ST_CANCELLED ? st : ST_OK; /* the reader of tables tells all else better */
}

enum status served_read_run(const struct dataset *d, const char *path, struct reject_sink *rejects, struct job *job,
                            struct served_rows *out, struct error *err)
{
    struct trec_run run;
    char first[320];
    *out = (struct served_rows){.said = true, .ranked_by = "rank"};
    enum status st = trec_run_read(path, TREC_BY_RANK, rejects, job, &run, first, err);
    if (st)
        return st;
    uint32_t *user = codes_of(&run.queries, &d->users, out->strange_user, err);
    uint32_t *item = codes_of(&run.items, &d->items, out->strange_item, err);
    out->rows = mem_new_raw(run.n, sizeof *out->rows, "rows of served lists", err);
    st = user && item && out->rows ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < run.n && !st; i++)
        out->rows[i] =
            (struct served_row){user[run.entries[i].query],  item[run.entries[i].item], run.entries[i].item, NO_TIME,
                                (double)run.entries[i].rank, run.entries[i].score};
    out->n = st ? 0 : run.n;
    out->nkeys = run.items.n;
    out->read = run.read;
    out->rejected = run.rejected;
    mem_free(user);
    mem_free(item);
    trec_run_clear(&run);
    if (st)
        served_rows_clear(out);
    return st;
}
