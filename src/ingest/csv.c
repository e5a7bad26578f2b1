#include "ingest/csv.h"

#include <string.h>

#include "base/mem.h"

void row_clear(struct row *row)
{
    mem_free(row->cells);
    str_free(&row->room);
    memset(row, 0, sizeof *row);
}

void csv_dialect(struct dialect *d, char delimiter, bool twice, bool quotes, bool lone_cr)
{
    memset(d, 0, sizeof *d);
    d->delimiter = delimiter;
    d->twice = twice;
    d->quotes = quotes;
    d->lone_cr = lone_cr;
    d->special[(unsigned char)delimiter] = 1;
    d->special['\n'] = 1;
    if (delimiter == ' ')
        d->special['\t'] = 1;
    if (lone_cr)
        d->special['\r'] = 1;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The row ends at `at`, the line end itself not included. */
static enum scan finish_row(struct row *row, const char *text, const char *at, const char *end)
{
    row->text_length = (size_t)(at - text);
    row->length = row->text_length + (at < end);
    if (row->text_length && text[row->text_length - 1] == '\r')
        row->text_length--;
    return SCAN_ROW;
}

/* A bad row gives up its first physical line; what follows is read afresh, so a stray quote costs one line, not the
 * file. */
static enum scan bad(const struct dialect *d, struct row *row, const char *text, const char *end, const char *reason)
{
    const char *at = memchr(text, d->lone_cr ? '\r' : '\n', (size_t)(end - text));
    finish_row(row, text, at ? at : end, end);
    row->lines = 1;
    row->reason = reason;
    return SCAN_BAD;
}

/* The byte behind the closing quote of the cell whose opening quote is *p, or NULL when there is none. */
static const char *closing_quote(const char *p, const char *end, bool *escaped)
{
    for (p++;; p += 2) {
        p = memchr(p, '"', (size_t)(end - p));
        if (!p)
            return NULL;
        if (p + 1 == end || p[1] != '"')
            return p + 1;
        *escaped = true;
    }
}

static bool is_delimiter(const struct dialect *d, const char *p)
{
    return *p == d->delimiter && (!d->twice || p[1] == d->delimiter);
}

static bool is_line_end(const struct dialect *d, const char *p)
{
    return *p == '\n' || (d->lone_cr && *p == '\r');
}

enum scan csv_scan(const struct dialect *d, const char *text, size_t n, bool last, struct row *row, struct error *err)
{
    const char *p = text, *end = text + n;
    bool runs = d->delimiter == ' ';
    row->n = 0;
    row->lines = 1;
    row->any_escaped = false;
    for (;;) {
        const char *first = p;
        while (p < end && blank(*p) && *p != (d->delimiter == '\t' ? '\t' : 0) && !(d->lone_cr && *p == '\r'))
            p++;
        struct cell cell = {.text = p};
        if (d->quotes && *p == '"' && p < end) {
            const char *close = closing_quote(p, end, &cell.escaped);
            if (!close)
                return last ? bad(d, row, text, end, "a quote is opened and never closed") : SCAN_MORE;
            if (close == end && !last) /* the other half of "" may come */
                return SCAN_MORE;
            cell.text = p + 1;
            cell.n = (size_t)(close - p) - 2;
            cell.quoted = true;
            for (const char *l = p; (l = memchr(l, '\n', (size_t)(close - l))); l++)
                row->lines++;
            row->any_escaped |= cell.escaped;
            p = close;
            while (p < end && blank(*p) && *p != d->delimiter && !(d->lone_cr && *p == '\r'))
                p++;
            if (p < end && !is_delimiter(d, p) && !is_line_end(d, p) && !(runs && p > close))
                return bad(d, row, text, end, "text behind a closing quote");
        } else {
            while (!d->special[(unsigned char)*p] || (d->twice && *p == d->delimiter && p[1] != d->delimiter))
                p++;
            const char *stop = p;
            while (stop > cell.text && blank(stop[-1]))
                stop--;
            cell.n = (size_t)(stop - cell.text);
        }
        if (p >= end && !last)
            return SCAN_MORE;
        if (p > end)
            p = end;
        bool ends = p == end || is_line_end(d, p);
        if (ends && row->n == 0 && cell.n == 0 && !cell.quoted)
            return finish_row(row, text, p, end);
        /* Blanks at the end of a row of blank-separated cells separate nothing. */
        if (!(runs && cell.n == 0 && !cell.quoted && (ends || first == text))) {
            if (row->n == MOST_CELLS)
                return bad(d, row, text, end, "more than 65,536 cells");
            if (row->n == row->capacity && mem_grow(&row->cells, &row->capacity, row->n + 1, sizeof *row->cells, err))
                return SCAN_NOMEM;
            row->cells[row->n++] = cell;
        }
        if (ends)
            return finish_row(row, text, p, end);
        if (!(runs && cell.quoted && !is_delimiter(d, p)))
            p += d->twice ? 2 : 1;
    }
}

enum status csv_unescape(struct row *row, struct error *err)
{
    if (!row->any_escaped)
        return ST_OK;
    /* All the room at once, because cells point into it: no cell gets longer. */
    size_t need = 0;
    for (size_t i = 0; i < row->n; i++)
        need += row->cells[i].escaped ? row->cells[i].n : 0;
    str_clear(&row->room);
    enum status st = mem_grow(&row->room.data, &row->room.capacity, need + 1, 1, err);
    if (st)
        return st;
    char *to = row->room.data;
    for (size_t i = 0; i < row->n; i++) {
        struct cell *c = &row->cells[i];
        if (!c->escaped)
            continue;
        char *begin = to;
        for (size_t k = 0; k < c->n; k++) {
            *to++ = c->text[k];
            k += c->text[k] == '"';
        }
        c->text = begin;
        c->n = (size_t)(to - begin);
        c->escaped = false;
    }
    return ST_OK;
}

/* ---- guessing the dialect ---- */

enum { SNIFF_ROWS = 64 };

/* How well a dialect fits: the most frequent number of cells and the share of rows that have it. */
static enum status fit(const struct dialect *d, const char *head, size_t n, bool whole, struct row *row, size_t *cells,
                       double *share, struct error *err)
{
    size_t counts[SNIFF_ROWS], rows = 0, best = 0, times = 0;
    for (size_t at = 0; at < n && rows < SNIFF_ROWS;) {
        enum scan scan = csv_scan(d, head + at, n - at, whole, row, err);
        if (scan == SCAN_NOMEM)
            return ST_NOMEM;
        if (scan == SCAN_MORE)
            break;
        if (scan == SCAN_BAD)
            counts[rows++] = 0;
        else if (row->n)
            counts[rows++] = row->n;
        at += row->length;
    }
    for (size_t i = 0; i < rows; i++) {
        size_t same = 0;
        for (size_t k = 0; k < rows; k++)
            same += counts[k] == counts[i];
        if (same > times || (same == times && counts[i] > best)) {
            times = same;
            best = counts[i];
        }
    }
    *share = rows ? (double)times / (double)rows : 0;
    *cells = best;
    return ST_OK;
}

enum status csv_sniff(struct dialect *d, const char *head, size_t n, bool whole, struct row *scratch, bool *found,
                      struct error *err)
{
    static const struct {
        char delimiter;
        bool twice;
    } kinds[] = {{',', false}, {'\t', false}, {';', false}, {'|', false}, {':', true}, {' ', false}};
    bool lone_cr = !memchr(head, '\n', n) && memchr(head, '\r', n);
    struct dialect best = {0};
    double best_score = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].delimiter == ' ' && best_score > 0)
            break; /* blanks stand in any text */
        struct dialect try;
        double share;
        csv_dialect(&try, kinds[i].delimiter, kinds[i].twice, !kinds[i].twice, lone_cr);
        size_t cells;
        enum status st = fit(&try, head, n, whole, scratch, &cells, &share, err);
        if (st)
            return st;
        /* First that rows agree, then that there are many cells. */
        double score = cells < 2 ? 0 : (share >= 0.8 ? 1e6 : share * 1e5) + (double)cells;
        if (score > best_score) {
            best_score = score;
            best = try;
        }
    }
    *d = best;
    *found = best_score > 0;
    return ST_OK;
}
