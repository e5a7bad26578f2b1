/* A dense matrix of ratings: a user a row, an item a column, 0 where there is none. Users and items are numbered
 * from 1.
 *
 * Coat is a folder of them: train.ascii, test.ascii (the split is given), propensities.ascii with how likely each
 * rating was to be seen, and user_features.ascii, item_features.ascii with flags that *_features_map.txt names
 * "gender:men". */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/load.h"
#include "ingest/number.h"

enum { NARROWEST = 20, FLAGS_MOST = 256 };

/* ---- telling one ---- */

/* Nothing but small numbers and blanks, rows of one width, most of them 0. */
static bool looks_dense(const char *head, size_t n)
{
    size_t lines = 0, width = 0, zeros = 0, cells = 0, in_line = 0;
    bool inside = false;
    for (size_t i = 0; i < n; i++) {
        char c = head[i];
        bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!blank && !(c >= '0' && c <= '9') && c != '.')
            return false;
        if (!blank && !inside) {
            in_line++;
            cells++;
            zeros += c == '0';
        }
        inside = !blank;
        if (c != '\n')
            continue;
        if (lines++ && in_line != width)
            return false;
        width = in_line;
        in_line = 0;
    }
    return lines > 0 && width >= NARROWEST && zeros * 10 > cells * 8;
}

static int recognise(const char *path, const char *head, size_t n)
{
    if (n == 0)
        return folder_holds(path, "train.ascii") && folder_holds(path, "test.ascii") ? 30 : 0;
    return looks_dense(head, n) ? 25 : 0;
}

/* ---- rows of numbers ---- */

static enum status open_rows(struct ingest *in, const char *path, struct sheet *t, struct error *err)
{
    static const char *const any_width[] = {NULL};
    struct sheet_form form = {
        .delimiter = "space", .encoding = in->form.encoding, .no_quotes = true, .names = any_width};
    return ingest_open(in, path, &form, t, err);
}

struct number_text {
    char text[24];
    struct cell cell;
};

static const struct cell *number_cell(struct number_text *out, size_t number)
{
    out->cell = (struct cell){.text = out->text, .n = (size_t)snprintf(out->text, sizeof out->text, "%zu", number)};
    return &out->cell;
}

/* The propensities of the same row, where there are any. */
struct likely {
    struct sheet t;
    bool any;
    size_t column;
};

static const char *check_row(struct ingest *in, const struct sheet *t, size_t width)
{
    double value;
    if (width && t->row.n != width)
        return "not as wide as the rows before";
    for (size_t c = 0; c < t->row.n; c++)
        if (!number_real(t->row.cells[c].text, t->row.cells[c].n, &value) || fabs(value) > 3e38) {
            snprintf(in->reason, sizeof in->reason, "cell %zu is not a number", c + 1);
            return in->reason;
        }
    return NULL;
}

/* All items of the first row, so that those that nobody rated are there too, in order. */
static enum status name_items(struct ingest *in, size_t width, struct error *err)
{
    enum status st = ST_OK;
    for (size_t c = 0; c < width && !st; c++) {
        struct number_text item;
        uint32_t code;
        const struct cell *cell = number_cell(&item, c + 1);
        st = dict_add(&in->data->items, cell->text, cell->n, &code, err);
    }
    return st;
}

static enum status add_row(struct ingest *in, const struct sheet *t, struct likely *likely, size_t user,
                           struct error *err)
{
    struct number_text user_text, item_text;
    struct event_row row = {
        .user = number_cell(&user_text, user), .time = NO_TIME, .type = "rating", .type_length = 6};
    uint32_t code;
    enum status st = dict_add(&in->data->users, row.user->text, row.user->n, &code, err);
    for (size_t c = 0; c < t->row.n && !st; c++) {
        if (!number_real(t->row.cells[c].text, t->row.cells[c].n, &row.value) || row.value == 0)
            continue;
        row.item = number_cell(&item_text, c + 1);
        st = ingest_add_event(in, &row, err);
        if (!st && likely->any && c < likely->t.row.n)
            st = raw_column_set(&in->context.column[likely->column], in->data->events.n - 1, &likely->t.row.cells[c],
                                err);
    }
    return st;
}

static enum status open_likely(struct ingest *in, const char *path, struct likely *out, struct error *err)
{
    char file[4096];
    *out = (struct likely){.any = false};
    if (!path_beside(path, "propensities.ascii", file, sizeof file))
        return ST_OK;
    enum status st = raw_columns_add(&in->context, "propensity", &out->column, err);
    if (!st)
        st = open_rows(in, file, &out->t, err);
    out->any = !st;
    return st;
}

static enum status read_matrix(struct ingest *in, const char *path, struct error *err)
{
    struct sheet t;
    struct likely likely = {.any = false};
    size_t user = 0, width = 0;
    bool more = true, also = true;
    enum status st = open_rows(in, path, &t, err);
    if (st)
        return st;
    st = open_likely(in, path, &likely, err);
    while (!st) {
        st = ingest_next(in, &t, &more, err);
        if (!st && likely.any && also)
            st = sheet_next(&likely.t, &also, err);
        if (st || !more)
            break;
        user++;
        likely.t.row.n = also && !likely.t.bad ? likely.t.row.n : 0;
        const char *bad = check_row(in, &t, width);
        if (bad) {
            st = ingest_reject(in, &t, bad, err);
            continue;
        }
        if (!width)
            st = name_items(in, t.row.n, err);
        width = t.row.n;
        if (!st)
            st = add_row(in, &t, &likely, user, err);
        if (!st)
            st = job_check(in->job, err);
    }
    if (likely.any)
        ingest_close(in, &likely.t);
    ingest_close(in, &t);
    return st;
}

/* ---- the flags of users and items ---- */

struct flags {
    size_t column[FLAGS_MOST]; /* field of flag i, and what it says there */
    struct dict name;          /* "gender:men", in the order of the flags */
    size_t n;
};

static enum status read_names(struct ingest *in, const char *path, struct raw_columns *columns, struct flags *f,
                              struct error *err)
{
    static const char *const names[] = {"flag", NULL};
    struct sheet_form form = {.delimiter = "tab", .no_quotes = true, .names = names};
    struct sheet t = {0};
    bool more = true;
    enum status st = ingest_open(in, path, &form, &t, err);
    while (!st) {
        uint32_t code;
        char field[64];
        st = sheet_next(&t, &more, err);
        if (st || !more || t.bad || f->n == FLAGS_MOST)
            break;
        const struct cell *c = &t.row.cells[0];
        const char *colon = memchr(c->text, ':', c->n);
        snprintf(field, sizeof field, "%.*s", (int)(colon ? colon - c->text : (ptrdiff_t)c->n), c->text);
        st = dict_add(&f->name, c->text, c->n, &code, err);
        if (!st)
            st = raw_columns_add(columns, field, &f->column[f->n], err);
        if (!st)
            columns->column[f->column[f->n++]].text = true;
    }
    if (t.feed)
        ingest_close(in, &t);
    return st;
}

static enum status set_flags(const struct sheet *t, struct raw_columns *columns, const struct flags *f, uint32_t row,
                             struct error *err)
{
    enum status st = ST_OK;
    for (size_t c = 0; c < t->row.n && c < f->n && !st; c++) {
        if (t->row.cells[c].n != 1 || t->row.cells[c].text[0] != '1')
            continue;
        const char *name = dict_text(&f->name, (uint32_t)c), *colon = strchr(name, ':');
        const char *value = colon ? colon + 1 : "yes";
        st = raw_column_set(&columns->column[f->column[c]], row,
                            &(struct cell){.text = value, .n = strlen(value)}, err);
    }
    return st;
}

static enum status read_flags(struct ingest *in, const char *folder, const char *what, struct dict *ids,
                              struct raw_columns *columns, struct error *err)
{
    char file[4096], map[4096], name[64];
    struct flags f = {.n = 0};
    struct sheet t = {0};
    bool more = true;
    snprintf(name, sizeof name, "%s_features.ascii", what);
    if (!path_beside(folder, name, file, sizeof file))
        return ST_OK;
    snprintf(name, sizeof name, "%s_features_map.txt", what);
    if (!path_beside(folder, name, map, sizeof map))
        return ST_OK;
    enum status st = read_names(in, map, columns, &f, err);
    if (!st)
        st = open_rows(in, file, &t, err);
    for (size_t number = 1; !st; number++) {
        struct number_text text;
        uint32_t code;
        st = sheet_next(&t, &more, err);
        if (st || !more)
            break;
        const struct cell *id = number_cell(&text, number);
        st = dict_add(ids, id->text, id->n, &code, err);
        if (!st && !t.bad)
            st = set_flags(&t, columns, &f, code, err);
        in->data->rows_read++;
        in->data->rows_kept++;
    }
    if (t.feed)
        ingest_close(in, &t);
    dict_clear(&f.name);
    return st;
}

static enum status read_dense(struct ingest *in, const char *path, struct error *err)
{
    static const char *const parts[] = {"train", "test"};
    enum status st = ST_OK;
    if (!path_is_folder(path)) {
        ingest_note(in, "a dense matrix: users are its rows, items its columns, both numbered from 1");
        return read_matrix(in, path, err);
    }
    for (size_t i = 0; i < 2 && !st; i++) {
        char file[4096], name[32];
        snprintf(name, sizeof name, "%s.ascii", parts[i]);
        path_in(path, name, file, sizeof file);
        st = ingest_set_part(in, parts[i], err);
        if (!st)
            st = read_matrix(in, file, err);
    }
    if (!st)
        st = read_flags(in, path, "user", &in->data->users, &in->user_columns, err);
    if (!st)
        st = read_flags(in, path, "item", &in->data->items, &in->item_columns, err);
    return st;
}

const struct reader reader_matrix = {"matrix", "a dense matrix of ratings (Coat), 0 for none", recognise, read_dense,
                                     true};
