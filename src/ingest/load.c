#include "ingest/load.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/number.h"

enum { STAGED_MOST = 100000, ID_MOST = 4096, ROWS_A_STEP = 8192 };

const char *ingest_mapped(const struct ingest *in, const char *key)
{
    for (size_t i = 0; i < in->nmapping; i++)
        if (strcmp(in->mapping[i].key, key) == 0)
            return in->mapping[i].value;
    return NULL;
}

bool ingest_is_option(const char *key)
{
    static const char *const options[] = {"format", "delimiter", "header", "encoding", "tz",          "dates",  "id",
                                          "keep",   "skip",      "query",  "table",    "time_format", "decimal"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(key, options[i]) == 0)
            return true;
    return false;
}

enum status ingest_set_part(struct ingest *in, const char *part, struct error *err)
{
    in->part = part;
    if (!part)
        return ST_OK;
    enum status st = raw_columns_add(&in->context, "part", &in->part_column, err);
    if (!st)
        in->context.column[in->part_column].text = true;
    return st;
}

void ingest_note(struct ingest *in, const char *format, ...)
{
    struct ingest_report *r = in->report;
    if (r->nnotes == sizeof r->notes / sizeof *r->notes)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(r->notes[r->nnotes].text, sizeof r->notes[0].text, format, args);
    va_end(args);
    for (size_t i = 0; i < r->nnotes; i++)
        if (strcmp(r->notes[i].text, r->notes[r->nnotes].text) == 0)
            return;
    r->nnotes++;
}

/* ---- rows ---- */

enum status ingest_open(struct ingest *in, const char *path, const struct sheet_form *form, struct sheet *out,
                        struct error *err)
{
    struct feed *feed = in->opened;
    in->opened = NULL;
    enum status st = feed ? ST_OK : ingest_feed(in, path, &feed, err);
    if (!st)
        st = sheet_open(feed, form ? form : &in->form, out, err);
    if (!st && out->names_note.length)
        ingest_note(in, "%s: columns of the same name were renamed: %s", out->feed->path, str_text(&out->names_note));
    return st;
}

void ingest_progress(struct ingest *in, const struct sheet *t)
{
    in->bytes_taken = in->bytes_before + source_taken(t->feed->source);
    job_set(in->job, in->bytes_taken);
}

void ingest_close(struct ingest *in, struct sheet *t)
{
    if (t->feed->converted && t->feed->encoding == ENCODING_AUTO)
        ingest_note(in, "%s is not UTF-8: %llu row%s read as Latin-1 (Windows-1252) and converted", t->feed->path,
                    (unsigned long long)t->feed->converted, t->feed->converted == 1 ? "" : "s");
    ingest_progress(in, t);
    in->bytes_before = in->bytes_taken;
    sheet_close(t);
}

enum status ingest_refuse(struct ingest *in, const char *file, uint64_t line, const char *reason, const char *text,
                          size_t n, struct error *err)
{
    in->data->rows_read++;
    in->data->rows_rejected++;
    if (!in->first_reject[0])
        snprintf(in->first_reject, sizeof in->first_reject, "%s:%llu: %s", file, (unsigned long long)line, reason);
    if (!in->rejects || in->staged == STAGED_MOST)
        return ST_OK;
    in->staged++;
    return in->rejects->reject(in->rejects->context, file, line, reason, text,
                               n < REJECT_TEXT_MOST ? n : REJECT_TEXT_MOST, err);
}

enum status ingest_reject(struct ingest *in, const struct sheet *t, const char *reason, struct error *err)
{
    return ingest_refuse(in, t->feed->path, t->row_line, reason, t->text, t->text_length, err);
}

enum status ingest_next(struct ingest *in, struct sheet *t, bool *more, struct error *err)
{
    for (;;) {
        enum status st = sheet_next(t, more, err);
        if (st || !*more)
            return st;
        if (in->data->rows_read % ROWS_A_STEP == 0) {
            ingest_progress(in, t);
            st = job_check(in->job, err);
            if (st)
                return st;
        }
        if (!t->bad)
            return ST_OK;
        st = ingest_reject(in, t, t->bad, err);
        if (st)
            return st;
    }
}

const char *cell_id(const struct cell *cell, const char *what, char *reason, size_t size)
{
    if (cell->text && cell->n && cell->n <= ID_MOST && !cell->list)
        return NULL;
    if (!cell->text || cell->n == 0)
        snprintf(reason, size, "no %s", what);
    else
        snprintf(reason, size, cell->list ? "the %s is a list" : "the %s is longer than 4,096 bytes", what);
    return reason;
}

/* Says what is wrong with a cell, quoting it. */
static const char *complain(const char *what, const struct cell *c, const char *problem, char *reason, size_t size)
{
    int shown = c->n > 60 ? 60 : (int)c->n;
    snprintf(reason, size, "%s \"%.*s\" %s", what, shown, c->text, problem);
    return reason;
}

const char *cell_time(const struct ingest *in, const struct cell *cell, int64_t *out, char *reason, size_t size)
{
    const char *problem = ingest_time(in, cell, out);
    return problem ? complain("time", cell, problem, reason, size) : NULL;
}

/* The column that was named for it, which is what people look for. */
static const char *name_of(const struct ingest *in, const char *what)
{
    const char *said = ingest_mapped(in, what);
    return said && *said != '=' ? said : what;
}

const char *cell_number(const struct ingest *in, const char *what, const struct cell *cell, double *out, char *reason,
                        size_t size)
{
    *out = NAN;
    if (!cell || !cell->text || cell->n == 0)
        return NULL;
    if (!(in->comma ? number_real_comma(cell->text, cell->n, out) : number_real(cell->text, cell->n, out)))
        return complain(name_of(in, what), cell, "is not a finite number", reason, size);
    return fabs(*out) > 3e38 ? complain(name_of(in, what), cell, "is too large", reason, size) : NULL;
}

const char *ingest_id(struct ingest *in, const struct cell *cell, const char *what)
{
    return cell_id(cell, what, in->reason, sizeof in->reason);
}

/* ---- events ---- */

/* As many events as there will be if the rest of the files is like what was read: growing moves nothing then. */
static size_t probable_events(const struct ingest *in, size_t n)
{
    enum { LEAST = 1 << 16 };
    uint64_t taken = in->bytes_taken;
    if (n < LEAST || taken == 0 || taken >= in->bytes_total)
        return n;
    double guess = 1.02 * (double)n * (double)in->bytes_total / (double)taken;
    return guess < 1e15 ? (size_t)guess : n;
}

/* What loading takes at most, an event: the columns, the order they are put in, and the copy of one of them. */
static double bytes_an_event(const struct ingest *in)
{
    const struct events *e = &in->data->events;
    double columns = sizeof *e->user + sizeof *e->item + sizeof *e->type + sizeof *e->sequence;
    columns += e->time ? sizeof *e->time : 0;
    columns += e->value ? sizeof *e->value : 0;
    columns += (double)in->context.n * sizeof *in->context.column->code;
    return columns + sizeof(uint64_t) + sizeof *e->sequence;
}

/* Once enough was read to judge by. */
static enum status check_memory(struct ingest *in, size_t events, struct error *err)
{
    enum { ENOUGH = 8 << 20 };
    if (in->will_fit || in->bytes_taken < ENOUGH)
        return ST_OK;
    in->will_fit = true;
    double need = (double)events * bytes_an_event(in), there = (double)mem_available();
    if (need <= there)
        return ST_OK;
    char count[32], needed[32], have[32];
    text_count(count, sizeof count, (int64_t)events);
    text_bytes(needed, sizeof needed, need);
    text_bytes(have, sizeof have, there);
    error_set(err, ST_NOMEM,
              "the file seems to hold about %s events, which need %s of memory; this machine has %s free", count,
              needed, have);
    error_hint(err, "load a part of it: the latest months, or the events of some of the users");
    return ST_NOMEM;
}

/* Arrays in the order of capacity[]. Time and value are made when the first event has one. */
static enum status grow_events(struct ingest *in, size_t n, bool timed, bool valued, struct error *err)
{
    struct events *e = &in->data->events;
    size_t had_time = in->capacity[4], had_value = in->capacity[5];
    enum status st = mem_grow(&e->user, &in->capacity[0], n, sizeof *e->user, err);
    if (!st)
        st = mem_grow(&e->item, &in->capacity[1], n, sizeof *e->item, err);
    if (!st)
        st = mem_grow(&e->sequence, &in->capacity[2], n, sizeof *e->sequence, err);
    if (!st)
        st = mem_grow(&e->type, &in->capacity[3], n, sizeof *e->type, err);
    if (!st && (timed || e->time))
        st = mem_grow(&e->time, &in->capacity[4], n, sizeof *e->time, err);
    if (!st && (valued || e->value))
        st = mem_grow(&e->value, &in->capacity[5], n, sizeof *e->value, err);
    for (size_t i = 0; !had_time && e->time && i < e->n; i++)
        e->time[i] = NO_TIME;
    for (size_t i = 0; !had_value && e->value && i < e->n; i++)
        e->value[i] = NAN;
    return st;
}

enum status ingest_room(struct ingest *in, size_t n, bool timed, bool valued, struct error *err)
{
    size_t guess = n > in->capacity[0] || !in->will_fit ? probable_events(in, n) : n;
    enum status st = check_memory(in, guess, err);
    if (st)
        return st;
    if (guess > n && grow_events(in, guess, timed, valued, NULL) == ST_OK)
        return ST_OK;
    return grow_events(in, n, timed, valued, err);
}

/* The code of a text that is often the one before. */
static enum status same_or_add(struct dict *d, const char *text, size_t n, uint32_t *code, struct error *err)
{
    if (*code < d->n && dict_length(d, *code) == n && memcmp(dict_text(d, *code), text, n) == 0)
        return ST_OK;
    return dict_add(d, text, n, code, err);
}

static enum status type_code(struct ingest *in, const struct event_row *row, uint16_t *out, struct error *err)
{
    enum status st = same_or_add(&in->data->types, row->type, row->type_length, &in->last_type, err);
    if (!st && in->last_type > UINT16_MAX) {
        st = error_set(err, ST_FORMAT, "more than 65,536 types of events");
        error_hint(err, "is it the right column? type=COLUMN says which one tells what a user did");
    }
    *out = (uint16_t)in->last_type;
    return st;
}

enum status ingest_add_event(struct ingest *in, const struct event_row *row, struct error *err)
{
    struct dataset *d = in->data;
    struct events *e = &d->events;
    bool timed = row->time != NO_TIME, valued = !isnan(row->value);
    uint32_t item;
    uint16_t type;
    enum status st = ingest_room(in, e->n + 1, timed, valued, err);
    if (!st)
        st = same_or_add(&d->users, row->user->text, row->user->n, &in->last_user, err);
    if (!st)
        st = dict_add(&d->items, row->item->text, row->item->n, &item, err);
    if (!st)
        st = type_code(in, row, &type, err);
    if (st)
        return st;
    e->user[e->n] = in->last_user;
    e->item[e->n] = item;
    e->type[e->n] = type;
    e->sequence[e->n] = e->n;
    if (e->time)
        e->time[e->n] = row->time;
    if (e->value)
        e->value[e->n] = (float)row->value;
    e->n++;
    d->rows_read++;
    d->rows_kept++;
    if (in->part)
        st = raw_column_set(&in->context.column[in->part_column], e->n - 1,
                            &(struct cell){.text = in->part, .n = strlen(in->part)}, err);
    return st;
}
