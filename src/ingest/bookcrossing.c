/* Book-Crossing: BX-Book-Ratings.csv, BX-Books.csv and BX-Users.csv, cells in quotes with ; between them, in Latin-1.
 *
 * It is not quite CSV: a quote inside a cell is written \" and NULL stands without quotes. Rating 0 says that a user
 * had the book to do with and did not rate it; such rows are events of the type "implicit", without a value.
 * (The later edition with commas, Ratings.csv with Books.csv and Users.csv, is plain CSV.) */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/load.h"
#include "ingest/number.h"

enum { CELLS_MOST = 16 };

/* A row cut into cells, which point into room. */
struct bx_row {
    struct cell cell[CELLS_MOST];
    size_t n;
    struct str room;
};

/* The quote at p ends its cell: ; and another cell, or nothing, stand behind it. */
static bool ends_cell(const char *p, const char *end)
{
    return p + 1 == end || (p[1] == ';' && p + 2 < end && (p[2] == '"' || strncmp(p + 2, "NULL", 4) == 0));
}

static bool cut(const char *text, size_t n, struct bx_row *row)
{
    const char *p = text, *end = text + n;
    size_t begin[CELLS_MOST];
    row->n = 0;
    str_clear(&row->room);
    while (p < end && row->n < CELLS_MOST && !row->room.failed) {
        bool quoted = *p == '"';
        begin[row->n] = row->room.length;
        for (p += quoted; p < end && !(quoted ? *p == '"' && ends_cell(p, end) && p[-1] != '\\' : *p == ';'); p++)
            if (!(*p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\\')))
                str_putc(&row->room, *p);
        if (quoted && p == end)
            return false;
        p += quoted;
        row->cell[row->n] = (struct cell){.n = row->room.length - begin[row->n], .quoted = quoted};
        str_putc(&row->room, 0);
        row->n++;
        if (p < end && *p++ != ';')
            return false;
    }
    for (size_t i = 0; i < row->n; i++) {
        struct cell *c = &row->cell[i];
        c->text = str_text(&row->room) + begin[i];
        if (!c->quoted && strcmp(c->text, "NULL") == 0)
            *c = (struct cell){0};
        c->quoted = false; /* all of them are: it says nothing of the type */
    }
    return p == end;
}

/* The next row with `want` cells; others go to the rejects. */
static enum status next_row(struct ingest *in, struct sheet *t, struct bx_row *row, size_t want, bool *more,
                            struct error *err)
{
    for (;;) {
        enum status st = ingest_next(in, t, more, err);
        if (st || !*more)
            return st;
        bool fine = cut(t->text, t->text_length, row) && row->n == want;
        if (row->room.failed)
            return error_nomem(err, t->text_length, "a row");
        if (fine)
            return ST_OK;
        st = ingest_reject(in, t, "not as many cells in quotes as the file has columns", err);
        if (st)
            return st;
    }
}

/* Opens the file and reads the names of its columns into *row. */
static enum status open_sheet(struct ingest *in, const char *path, struct sheet *t, struct bx_row *row,
                              struct error *err)
{
    static const char *const any_width[] = {NULL};
    struct sheet_form form = {.delimiter = ";", .encoding = in->form.encoding, .no_quotes = true, .names = any_width};
    bool more;
    enum status st = ingest_open(in, path, &form, t, err);
    if (st)
        return st;
    st = sheet_next(t, &more, err);
    if (!st && (!more || t->bad || !cut(t->text, t->text_length, row) || row->n < 2))
        st = error_set(err, ST_FORMAT, "%s: the first row does not name columns", path);
    if (st)
        ingest_close(in, t);
    return st;
}

static enum status read_ratings(struct ingest *in, const char *path, struct error *err)
{
    struct bx_row row = {0};
    struct sheet t = {0};
    bool more = true;
    enum status st = open_sheet(in, path, &t, &row, err);
    while (!st) {
        struct event_row event = {.time = NO_TIME, .type = "rating"};
        st = next_row(in, &t, &row, 3, &more, err);
        if (st || !more)
            break;
        const char *bad = ingest_id(in, &row.cell[0], "user");
        if (!bad)
            bad = ingest_id(in, &row.cell[1], "item");
        if (!bad && !number_real(row.cell[2].text ? row.cell[2].text : "", row.cell[2].n, &event.value))
            bad = "the rating is not a number";
        if (!bad && event.value == 0) {
            event.type = "implicit";
            event.value = NAN;
        }
        event.user = &row.cell[0];
        event.item = &row.cell[1];
        event.type_length = strlen(event.type);
        st = bad ? ingest_reject(in, &t, bad, err) : ingest_add_event(in, &event, err);
    }
    if (t.feed)
        ingest_close(in, &t);
    str_free(&row.room);
    return st;
}

/* What a column of books or users is called as a field. */
static const char *field_of(const char *column)
{
    static const char *const names[][2] = {{"Book-Title", "title"},
                                           {"Book-Author", "author"},
                                           {"Year-Of-Publication", "year"},
                                           {"Publisher", "publisher"},
                                           {"Location", "location"},
                                           {"Age", "age"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_same(names[i][0], column))
            return names[i][1];
    return NULL; /* pictures */
}

enum status bookcrossing_attributes(struct ingest *in, const char *path, enum attribute_target target,
                                    struct error *err)
{
    bool items = target == ATTRIBUTES_OF_ITEMS, more = true;
    struct raw_columns *columns = items ? &in->item_columns : &in->user_columns;
    struct dict *ids = items ? &in->data->items : &in->data->users;
    struct bx_row row = {0};
    struct sheet t = {0};
    size_t column[CELLS_MOST], width = 0;
    bool kept[CELLS_MOST] = {false};
    enum status st = open_sheet(in, path, &t, &row, err);
    for (width = row.n; !st && more;) {
        uint32_t id;
        for (size_t i = 1; i < width && !st && !kept[0]; i++) {
            const char *name = field_of(row.cell[i].text);
            kept[i] = name != NULL;
            if (name)
                st = raw_columns_add(columns, name, &column[i], err);
        }
        kept[0] = true;
        if (!st)
            st = next_row(in, &t, &row, width, &more, err);
        if (st || !more)
            break;
        const char *bad = ingest_id(in, &row.cell[0], items ? "item" : "user");
        if (bad) {
            st = ingest_reject(in, &t, bad, err);
            continue;
        }
        st = dict_add(ids, row.cell[0].text, row.cell[0].n, &id, err);
        for (size_t i = 1; i < width && !st; i++)
            if (kept[i])
                st = raw_column_set(&columns->column[column[i]], id, &row.cell[i], err);
        in->data->rows_read += !st;
        in->data->rows_kept += !st;
    }
    if (t.feed)
        ingest_close(in, &t);
    str_free(&row.room);
    return st;
}

bool bookcrossing_mine(const char *path, enum attribute_target target)
{
    return path_named(path, target == ATTRIBUTES_OF_ITEMS ? "BX-Books.csv" : "BX-Users.csv");
}

static enum status read_beside(struct ingest *in, const char *path, const char *file, enum attribute_target target,
                               struct error *err)
{
    char beside[4096];
    return path_beside(path, file, beside, sizeof beside) ? bookcrossing_attributes(in, beside, target, err) : ST_OK;
}

static int recognise(const char *path, const char *head, size_t n)
{
    if (n == 0)
        return folder_holds(path, "BX-Book-Ratings.csv") ? 30 : 0;
    return head_starts(head, n, "User-ID;ISBN;Book-Rating") ? 30 : 0;
}

static enum status read_books(struct ingest *in, const char *path, struct error *err)
{
    char file[4096];
    path_in(path, "BX-Book-Ratings.csv", file, sizeof file);
    enum status st = read_ratings(in, file, err);
    if (!st)
        st = read_beside(in, file, "BX-Books.csv", ATTRIBUTES_OF_ITEMS, err);
    if (!st)
        st = read_beside(in, file, "BX-Users.csv", ATTRIBUTES_OF_USERS, err);
    if (!st)
        ingest_note(in, "rating 0 says that there was no rating: events of the type implicit");
    return st;
}

const struct reader reader_bookcrossing = {"book-crossing", "BX-Book-Ratings.csv with BX-Books.csv and BX-Users.csv",
                                           recognise, read_books, true};
