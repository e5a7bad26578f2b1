#include "ingest/sheet.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/number.h"

void sheet_close(struct sheet *t)
{
    feed_close(t->feed);
    jsonl_free(t->json);
    dict_clear(&t->names);
    row_clear(&t->row);
    str_free(&t->names_note);
    memset(t, 0, sizeof *t);
}

uint32_t sheet_column(const struct sheet *t, const char *name)
{
    uint32_t exact = dict_find_text(&t->names, name), like = NO_CODE;
    if (exact != NO_CODE)
        return exact;
    for (uint32_t c = t->names.n; c-- > 0;)
        if (text_same(dict_text(&t->names, c), name))
            like = c;
    int64_t number;
    if (!t->header && text_starts(name, "column_")) /* what a column without a name is called in a preview */
        name += strlen("column_");
    if (like == NO_CODE && text_parse_int(name, &number) && number >= 1 && number <= t->names.n)
        return (uint32_t)(number - 1);
    return like;
}

void sheet_columns(const struct sheet *t, struct str *out)
{
    enum { ENOUGH = 300 };
    for (uint32_t c = 0; c < t->names.n; c++) {
        if (out->length > ENOUGH) {
            str_printf(out, ", and %u more", t->names.n - c);
            return;
        }
        if (c)
            str_puts(out, ", ");
        str_puts(out, dict_text(&t->names, c));
    }
}

/* ---- one row ---- */

/* Cuts a whole physical line that nobody wants to look into: at most ROW_CAP of it is ever held. A window that must not
 * slide may end first: the next one goes on with it. */
static enum status skip_line(struct sheet *t, struct error *err)
{
    struct feed *f = t->feed;
    t->skipping = true;
    for (;;) {
        const char *at = memchr(f->data + f->at, t->dialect.lone_cr ? '\r' : '\n', f->end - f->at);
        if (at) {
            f->at = (size_t)(at - f->data) + 1;
            break;
        }
        f->at = f->end;
        if (f->ended)
            break;
        if (t->looking)
            return ST_OK;
        enum status st = feed_more(f, err);
        if (st)
            return st;
    }
    f->line++;
    t->skipping = false;
    return ST_OK;
}

/* A row that is too long: keeps its first bytes for the report, skips the rest. */
static enum status too_long(struct sheet *t, struct error *err)
{
    enum { SHOWN = 512 };
    t->row_line = t->feed->line;
    t->bad = "longer than 16 MiB";
    str_clear(&t->feed->room);
    str_append(&t->feed->room, t->feed->data + t->feed->at, SHOWN);
    if (t->feed->room.failed)
        return error_nomem(err, SHOWN, "a bad row");
    t->text = t->feed->room.data;
    t->text_length = SHOWN;
    return skip_line(t, err);
}

/* Tab-separated files seldom mean a quote to quote: where it makes no sense it is an ordinary character. */
static enum scan scan_text(struct sheet *t, const char *text, size_t n, bool last, struct error *err)
{
    enum scan scan = csv_scan(&t->dialect, text, n, last, &t->row, err);
    bool hopeless = scan == SCAN_BAD || (scan == SCAN_MORE && n >= ROW_CAP && memchr(text, '\n', n));
    if (!hopeless || t->dialect.delimiter != '\t')
        return scan;
    struct dialect plain = t->dialect;
    plain.quotes = false;
    return csv_scan(&plain, text, n, last, &t->row, err);
}

/* The extent of a line of JSON; row.n says whether anything stands on it. */
static enum scan scan_line(struct sheet *t, const char *text, size_t n, bool last)
{
    const char *at = memchr(text, '\n', n);
    if (!at && !last)
        return SCAN_MORE;
    size_t length = at ? (size_t)(at - text) : n, i = 0;
    while (i < length && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r'))
        i++;
    t->row.n = i < length;
    t->row.text_length = length;
    t->row.length = length + (at != NULL);
    t->row.lines = 1;
    return SCAN_ROW;
}

static enum status take_member(void *context, const char *key, size_t key_length, const struct cell *cell,
                               struct error *err)
{
    struct sheet *t = context;
    uint32_t c = t->next_key;
    if (c >= t->names.n || dict_length(&t->names, c) != key_length ||
        memcmp(dict_text(&t->names, c), key, key_length) != 0) {
        c = dict_find(&t->names, key, key_length);
        if (c == NO_CODE && t->names.n < SHEET_KEYS_MOST) {
            enum status st = dict_add(&t->names, key, key_length, &c, err);
            if (st)
                return st;
        }
    }
    if (c == NO_CODE) {
        t->bad = "more than 4,096 different keys in the file";
        return ST_OK;
    }
    if (c >= t->row.capacity) {
        enum status st = mem_grow(&t->row.cells, &t->row.capacity, c + (size_t)1, sizeof *t->row.cells, err);
        if (st)
            return st;
    }
    for (; t->row.n <= c; t->row.n++)
        t->row.cells[t->row.n] = (struct cell){0};
    t->row.cells[c] = *cell;
    t->next_key = c + 1;
    return ST_OK;
}

static enum status read_json(struct sheet *t, struct error *err)
{
    const char *reason;
    t->row.n = 0;
    t->next_key = 0;
    enum status st = jsonl_read(t->json, t->text, t->text_length, take_member, t, &reason, err);
    if (st)
        return st;
    if (reason)
        t->bad = reason;
    if (t->names.n > t->row.capacity)
        st = mem_grow(&t->row.cells, &t->row.capacity, t->names.n, sizeof *t->row.cells, err);
    for (; !st && t->row.n < t->names.n; t->row.n++)
        t->row.cells[t->row.n] = (struct cell){0};
    return st;
}

/* Too few or too many cells: mostly a broken row, not one to guess about. Empty ones too many are harmless. */
static void check_width(struct sheet *t)
{
    size_t want = t->names.n;
    if (want == 0) /* rows of any width */
        return;
    while (t->row.n > want && t->row.cells[t->row.n - 1].n == 0)
        t->row.n--;
    if (t->row.n == want)
        return;
    snprintf(t->reason_room, sizeof t->reason_room, "%zu column%s where %zu were expected", t->row.n,
             t->row.n == 1 ? "" : "s", want);
    t->bad = t->reason_room;
}

/* The row was found at f->at, whole: makes its text clean and its cells final. */
static enum status take_row(struct sheet *t, enum scan scan, struct error *err)
{
    struct feed *f = t->feed;
    size_t length = t->row.length, lines = f->by_rows ? 1 : t->row.lines;
    t->row_line = f->line;
    enum status st = feed_clean(f, t->row.text_length, &t->text, &t->text_length, &t->bad, err);
    if (!st && !t->bad && t->json) {
        st = read_json(t, err);
    } else if (!st && !t->bad) {
        if (scan == SCAN_ROW && t->text != f->data + f->at) /* converted: the cells are elsewhere now */
            scan = scan_text(t, t->text, t->text_length, true, err);
        if (scan == SCAN_NOMEM)
            return ST_NOMEM;
        if (scan == SCAN_BAD)
            t->bad = t->row.reason;
        else
            st = csv_unescape(&t->row, err);
        if (!st && !t->bad)
            check_width(t);
    }
    t->row_length = length;
    f->at += length;
    f->line += lines;
    return st;
}

/* The window is as large as it may get and the row still does not end. A row that opened a quote gives up its first
 * line. */
static enum scan give_up(struct sheet *t, struct error *err)
{
    struct feed *f = t->feed;
    const char *text = f->data + f->at;
    if (t->json || !memchr(text, t->dialect.lone_cr ? '\r' : '\n', f->end - f->at))
        return SCAN_MORE;
    enum scan scan = csv_scan(&t->dialect, text, f->end - f->at, true, &t->row, err);
    if (scan == SCAN_ROW) { /* it ended with the window: cannot be known */
        t->row.reason = "longer than 16 MiB";
        scan = SCAN_BAD;
    }
    return scan;
}

enum status sheet_next(struct sheet *t, bool *more, struct error *err)
{
    struct feed *f = t->feed;
    t->bad = NULL;
    *more = true;
    if (t->skipping) {
        enum status st = skip_line(t, err);
        if (st)
            return st;
    }
    for (;;) {
        size_t n = f->end - f->at;
        if (n == 0 && (f->ended || t->looking)) {
            *more = false;
            return ST_OK;
        }
        enum scan scan =
            t->json ? scan_line(t, f->data + f->at, n, f->ended) : scan_text(t, f->data + f->at, n, f->ended, err);
        bool cut = scan == SCAN_MORE || (scan == SCAN_BAD && t->row.length == n && !f->ended) ||
                   (scan == SCAN_ROW && t->row.length > ROW_CAP);
        if (cut && n < ROW_CAP && t->looking) {
            *more = false;
            return ST_OK;
        }
        if (cut && n < ROW_CAP) {
            enum status st = feed_more(f, err);
            if (st)
                return st;
            continue;
        }
        if (cut)
            scan = give_up(t, err);
        if (scan == SCAN_NOMEM)
            return ST_NOMEM;
        if (scan == SCAN_MORE)
            return too_long(t, err);
        if (scan == SCAN_BAD || t->row.n)
            return take_row(t, scan, err);
        f->at += t->row.length; /* an empty line is no row */
        f->line += t->row.lines;
    }
}

struct sheet_mark sheet_look(struct sheet *t)
{
    t->looking = true;
    return (struct sheet_mark){t->feed->at, t->feed->line, t->feed->converted};
}

void sheet_rewind(struct sheet *t, const struct sheet_mark *mark)
{
    t->looking = false;
    t->feed->at = mark->at;
    t->feed->line = mark->line;
    t->feed->converted = mark->converted;
}

/* ---- opening: format, delimiter, header ---- */

static bool pick_delimiter(struct sheet *t, const char *text, bool quotes)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {{"tab", '\t'}, {"\\t", '\t'}, {"comma", ','}, {"semicolon", ';'}, {"pipe", '|'}, {"space", ' '}};
    struct feed *f = t->feed;
    size_t n = f->end - f->at;
    bool lone_cr = !memchr(f->data + f->at, '\n', n) && memchr(f->data + f->at, '\r', n);
    bool twice = strcmp(text, "::") == 0;
    char c = strlen(text) == 1 ? text[0] : twice ? ':' : 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_same(text, names[i].name))
            c = names[i].c;
    if (!c || c == '"' || c == '\n' || c == '\r')
        return false;
    csv_dialect(&t->dialect, c, twice, quotes, lone_cr);
    return true;
}

static enum status find_dialect(struct sheet *t, const struct sheet_form *form, struct error *err)
{
    const char *delimiter = form->delimiter;
    struct feed *f = t->feed;
    if (!delimiter && form->format && text_same(form->format, "tsv"))
        delimiter = "tab";
    if (delimiter) {
        if (pick_delimiter(t, delimiter, !form->no_quotes))
            return ST_OK;
        error_set(err, ST_USAGE, "\"%s\" is no delimiter", delimiter);
        error_hint(err, "one character, or tab, comma, semicolon, pipe, space, ::");
        return ST_USAGE;
    }
    bool found;
    enum status st = csv_sniff(&t->dialect, f->data + f->at, f->end - f->at, f->ended, &t->row, &found, err);
    if (st || found)
        return st;
    error_set(err, ST_FORMAT, "%s: rows have one column only, or no delimiter that all agree on", f->path);
    error_hint(err, "say it: delimiter=tab, delimiter=';', ...");
    return ST_FORMAT;
}

/* Does the text look like data rather than like the name of a column? */
static bool is_data(const char *text, size_t n)
{
    int64_t us;
    double value;
    return n == 0 || number_real(text, n, &value) || time_parse(text, n, 0, &us) ||
           time_parse_dates(text, n, DATES_DMY, 0, &us) || time_parse_dates(text, n, DATES_MDY, 0, &us) ||
           number_real_comma(text, n, &value);
}

/* A first row is a header when no cell of it looks like data: names are neither empty nor numbers nor times. */
static bool is_header(const struct row *row)
{
    for (size_t i = 0; i < row->n; i++)
        if (is_data(row->cells[i].text, row->cells[i].n) && !(row->cells[i].n == 0 && i == 0 && row->n > 2))
            return false;
    return row->n > 0;
}

static enum status add_name(struct sheet *t, const char *text, size_t n, struct error *err)
{
    struct str name = {0};
    uint32_t code, before = t->names.n;
    if (n)
        str_append(&name, text, n);
    else
        str_printf(&name, "column_%u", before + 1);
    for (unsigned k = 2; dict_find_text(&t->names, str_text(&name)) != NO_CODE; k++) {
        str_clear(&name);
        str_append(&name, text, n);
        str_printf(&name, ".%u", k);
    }
    if (n && name.length != n)
        str_printf(&t->names_note, "%s%s", t->names_note.length ? ", " : "", str_text(&name));
    enum status st = name.failed ? error_nomem(err, n, "a column name")
                                 : dict_add(&t->names, str_text(&name), name.length, &code, err);
    str_free(&name);
    return st;
}

/* Names the columns by the first row, which is used up when it is a header. */
static enum status name_columns(struct sheet *t, const struct sheet_form *form, struct error *err)
{
    struct feed *f = t->feed;
    bool more;
    enum status st = sheet_next(t, &more, err);
    if (st)
        return st;
    if (!more || t->bad) {
        error_set(err, ST_FORMAT, "%s: the first row cannot be read%s%s", f->path, more ? ": " : "",
                  more ? t->bad : "");
        error_source(err, "%s:%llu", f->path, (unsigned long long)t->row_line);
        return ST_FORMAT;
    }
    t->header = form->header ? text_same(form->header, "yes") : is_header(&t->row);
    for (size_t i = 0; !st && i < t->row.n; i++)
        st = add_name(t, t->row.cells[i].text, t->header ? t->row.cells[i].n : 0, err);
    if (!st && !t->header) { /* a row like any other: read it again as such */
        f->at -= t->row_length;
        f->line = t->row_line;
        f->converted = 0;
    }
    return st;
}

/* The keys of the first rows, so that there are columns to speak of. */
static enum status look_for_keys(struct sheet *t, struct error *err)
{
    enum { ROWS = 1000 };
    struct sheet_mark mark = sheet_look(t);
    enum status st = ST_OK;
    bool more = true;
    for (size_t i = 0; i < ROWS && !st && more; i++)
        st = sheet_next(t, &more, err);
    sheet_rewind(t, &mark);
    return st;
}

enum status sheet_open(struct feed *feed, const struct sheet_form *form, struct sheet *out, struct error *err)
{
    struct sheet *t = out;
    memset(t, 0, sizeof *t);
    t->feed = feed;
    feed->encoding = form->encoding;
    size_t i = feed->at;
    while (i < feed->end && strchr(" \t\r\n", feed->data[i]) && feed->data[i])
        i++;
    char first = i < feed->end ? feed->data[i] : 0;
    enum status st = ST_OK;
    if (form->format ? text_same(form->format, "jsonl") : first == '{') {
        t->header = true;
        t->json = jsonl_new(err);
        st = t->json ? look_for_keys(t, err) : ST_NOMEM;
    } else if (!form->format && first == '[') {
        st = error_set(err, ST_FORMAT, "%s is one JSON array; one object a line is expected", feed->path);
        error_hint(err, "make it lines first: jq -c '.[]' IN > OUT.jsonl");
    } else {
        st = find_dialect(t, form, err);
        for (size_t c = 0; !st && form->names && form->names[c]; c++)
            st = add_name(t, form->names[c], strlen(form->names[c]), err);
        if (!st && !form->names)
            st = name_columns(t, form, err);
    }
    t->named = t->header || form->names;
    if (st)
        sheet_close(t);
    return st;
}
