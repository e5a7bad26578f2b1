/* The splits of neural collaborative filtering: NAME.train.rating (or .pairs) and NAME.test.rating with tabs between
 * user, item, rating, time, and NAME.test.negative with (user,item) and the 99 items that it was to be ranked among.
 *
 * A folder is the given split. The negatives are listed for an evaluation and are no events of the folder; the file
 * alone is read as events of the type "negative", which are no feedback. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ingest/load.h"

static bool find_train(const char *path, char *out, size_t size)
{
    return folder_find(path, ".train.rating", out, size) || folder_find(path, ".train.pairs", out, size);
}

/* "(12,345)" as user and item; both point into the cell. */
static bool cut_pair(const struct cell *c, struct cell *user, struct cell *item)
{
    const char *comma = c->n > 4 && c->text[0] == '(' && c->text[c->n - 1] == ')' ? memchr(c->text, ',', c->n) : NULL;
    if (!comma)
        return false;
    *user = (struct cell){.text = c->text + 1, .n = (size_t)(comma - c->text) - 1};
    *item = (struct cell){.text = comma + 1, .n = (size_t)(c->text + c->n - comma) - 2};
    return user->n && item->n;
}

static bool looks_negative(const char *head, size_t n)
{
    const char *tab = memchr(head, '\t', n);
    struct cell user, item;
    return tab && cut_pair(&(struct cell){.text = head, .n = (size_t)(tab - head)}, &user, &item);
}

static int recognise(const char *path, const char *head, size_t n)
{
    char file[4096];
    if (n)
        return looks_negative(head, n) ? 30 : 0;
    return find_train(path, file, sizeof file) && folder_find(path, ".test.rating", file, sizeof file) ? 30 : 0;
}

static enum status read_part(struct ingest *in, const char *path, const char *part, struct error *err)
{
    struct sheet_form form = {.delimiter = "tab", .header = "no", .encoding = in->form.encoding, .no_quotes = true};
    enum status st = ingest_set_part(in, part, err);
    in->default_type = "rating";
    in->known = true;
    if (!st)
        st = events_as(in, path, &form, NULL, 0, err);
    in->default_type = NULL;
    in->known = false;
    return st;
}

static enum status read_negatives(struct ingest *in, const char *path, struct error *err)
{
    static const char *const any_width[] = {NULL};
    struct sheet_form form = {.delimiter = "tab", .encoding = in->form.encoding, .no_quotes = true, .names = any_width};
    struct sheet t;
    bool more = true;
    enum status st = ingest_open(in, path, &form, &t, err);
    if (st)
        return st;
    while (!st) {
        struct cell user, item;
        st = ingest_next(in, &t, &more, err);
        if (st || !more)
            break;
        if (!cut_pair(&t.row.cells[0], &user, &item)) {
            st = ingest_reject(in, &t, "does not begin with (user,item)", err);
            continue;
        }
        for (size_t c = 0; c < t.row.n && !st; c++) {
            const char *type = c ? "negative" : "event";
            if (c && t.row.cells[c].n == 0)
                continue;
            const struct event_row row = {.user = &user,
                                          .item = c ? &t.row.cells[c] : &item,
                                          .time = NO_TIME,
                                          .value = NAN,
                                          .type = type,
                                          .type_length = strlen(type)};
            st = ingest_add_event(in, &row, err);
        }
    }
    ingest_note(in, "items to rank the one in brackets among: events of the type negative, which are no feedback");
    ingest_close(in, &t);
    return st;
}

static enum status read_ncf(struct ingest *in, const char *path, struct error *err)
{
    char file[4096];
    if (!path_is_folder(path))
        return read_negatives(in, path, err);
    if (!find_train(path, file, sizeof file))
        return error_set(err, ST_NOT_FOUND, "%s: the training pairs are gone", path);
    enum status st = read_part(in, file, "train", err);
    if (!st && folder_find(path, ".test.rating", file, sizeof file))
        st = read_part(in, file, "test", err);
    if (!st && folder_find(path, ".test.negative", file, sizeof file))
        ingest_note(in, "%s lists items for an evaluation; they are no events", file);
    return st;
}

const struct reader reader_ncf = {"ncf", "*.train.rating with *.test.rating and *.test.negative", recognise, read_ncf,
                                  true};
