/* Lists: a user and then the user's items on every line, blanks between, as LightGCN publishes its data. A folder has
 * train.txt and test.txt (maybe valid.txt): the split is given. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ingest/load.h"

/* A file of lists: nothing but whole numbers and blanks, and not the same number of them on every line. */
static bool looks_like_lists(const char *head, size_t n)
{
    enum { LINES = 50 };
    size_t lines = 0, first = 0;
    bool differ = false;
    for (size_t at = 0; at < n && lines < LINES;) {
        const char *end = memchr(head + at, '\n', n - at);
        if (!end && lines > 1)
            break;
        size_t stop = end ? (size_t)(end - head) : n, tokens = 0;
        for (size_t i = at; i < stop; i++) {
            bool digit = isdigit((unsigned char)head[i]);
            if (!digit && head[i] != ' ' && head[i] != '\r')
                return false;
            tokens += digit && (i == at || head[i - 1] == ' ');
        }
        if (lines++ == 0)
            first = tokens;
        differ |= tokens != first;
        at = stop + 1;
    }
    return lines > 1 && differ;
}

static int recognise(const char *path, const char *head, size_t n)
{
    char beside[4096];
    if (n)
        return looks_like_lists(head, n) ? 20 : 0;
    return path_is_folder(path) && path_beside(path, "train.txt", beside, sizeof beside) &&
                   path_beside(path, "test.txt", beside, sizeof beside)
               ? 20
               : 0;
}

static enum status read_line(struct ingest *in, const struct sheet *t, struct error *err)
{
    struct event_row row = {.user = &t->row.cells[0], .time = NO_TIME, .value = NAN, .type = "event", .type_length = 5};
    for (size_t c = 0; c < t->row.n; c++) {
        const char *bad = ingest_id(in, &t->row.cells[c], c ? "item" : "user");
        if (bad)
            return ingest_reject(in, t, bad, err);
    }
    enum status st = ST_OK;
    for (size_t c = 1; c < t->row.n && !st; c++) {
        row.item = &t->row.cells[c];
        st = ingest_add_event(in, &row, err);
    }
    return st;
}

static enum status read_file(struct ingest *in, const char *path, struct error *err)
{
    static const char *const any_width[] = {NULL};
    struct sheet_form form = {
        .delimiter = "space", .encoding = in->form.encoding, .no_quotes = true, .names = any_width};
    struct sheet t;
    size_t alone = 0;
    enum status st = ingest_open(in, path, &form, &t, err);
    if (st)
        return st;
    for (bool more = true; !st;) {
        st = ingest_next(in, &t, &more, err);
        if (st || !more)
            break;
        alone += t.row.n == 1;
        st = read_line(in, &t, err);
        if (!st)
            st = job_check(in->job, err); /* lines are long: rows do not come in steps of one */
    }
    if (alone)
        ingest_note(in, "%s: %zu line%s a user and no items", path, alone, alone == 1 ? " has" : "s have");
    ingest_close(in, &t);
    return st;
}

static enum status read_lists(struct ingest *in, const char *path, struct error *err)
{
    static const struct {
        const char *file, *part;
    } parts[] = {{"train.txt", "train"}, {"valid.txt", "valid"}, {"test.txt", "test"}};
    if (!path_is_folder(path))
        return read_file(in, path, err);
    enum status st = ST_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !st; i++) {
        char file[4096];
        if (!path_beside(path, parts[i].file, file, sizeof file))
            continue;
        st = ingest_set_part(in, parts[i].part, err);
        if (!st)
            st = read_file(in, file, err);
    }
    return st;
}

const struct reader reader_lists = {"lists", "a user and the user's items on every line", recognise, read_lists};
