/* The layouts of GroupLens:
 *
 *   ml-100k    u.data  user TAB item TAB rating TAB time      u.user  user|age|gender|occupation|zip
 *              u.item  item|title|release|video release|url|one 0/1 a genre (Latin-1)      u.genre  name|number
 *              u1.base, u1.test ... ub.test  the folds, as u.data
 *   ml-1m      ratings.dat  user::item::rating::time    movies.dat  item::title::genres    users.dat
 * user::gender::age::occupation::zip later      ratings.csv  userId,movieId,rating,timestamp    movies.csv
 * movieId,title,genres */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/load.h"

enum { GENRES_MOST = 64, ITEM_COLUMNS = 5 };

static bool stem_is(const char *path, const char *name)
{
    char stem[256];
    path_stem(path, stem, sizeof stem);
    return strcmp(stem, name) == 0;
}

static bool has_beside(const char *path, const char *file)
{
    char beside[4096];
    return path_beside(path, file, beside, sizeof beside);
}

/* u.data, u1.base, ua.test, ... */
static bool is_fold(const char *path)
{
    char stem[256];
    path_stem(path, stem, sizeof stem);
    return strcmp(stem, "u.data") == 0 || (stem[0] == 'u' && stem[1] && strchr("12345ab", stem[1]) &&
                                           (strcmp(stem + 2, ".base") == 0 || strcmp(stem + 2, ".test") == 0));
}

static enum status read_ratings(struct ingest *in, const char *path, const char *delimiter, struct error *err)
{
    static const char *const names[] = {"user", "item", "rating", "time", NULL};
    struct sheet_form form = {.delimiter = delimiter, .encoding = in->form.encoding, .no_quotes = true, .names = names};
    struct sheet t;
    enum status st = ingest_open(in, path, &form, &t, err);
    return st ? st : events_read(in, &t, err);
}

/* ---- items of ml-100k ---- */

static enum status read_genre_names(struct ingest *in, const char *path, struct dict *genres, struct error *err)
{
    static const char *const names[] = {"genre", "number", NULL};
    struct sheet_form form = {.delimiter = "|", .no_quotes = true, .names = names};
    char beside[4096];
    struct sheet t;
    if (!path_beside(path, "u.genre", beside, sizeof beside)) {
        ingest_note(in, "%s: no u.genre beside it, so genres have numbers for names", path);
        return ST_OK;
    }
    enum status st = ingest_open(in, beside, &form, &t, err);
    if (st)
        return st;
    for (bool more = true; !st && more;) {
        uint32_t code;
        st = sheet_next(&t, &more, err);
        if (!st && more && !t.bad && genres->n < GENRES_MOST)
            st = dict_add(genres, t.row.cells[0].text, t.row.cells[0].n, &code, err);
    }
    ingest_close(in, &t);
    return st;
}

/* The genres whose flag is 1, as one list. */
static void put_genres(const struct row *row, const struct dict *genres, struct str *out)
{
    str_clear(out);
    for (size_t c = ITEM_COLUMNS; c < row->n; c++) {
        if (row->cells[c].n != 1 || row->cells[c].text[0] != '1')
            continue;
        if (out->length)
            str_putc(out, LIST_MARK);
        if (c - ITEM_COLUMNS < genres->n)
            str_puts(out, dict_text(genres, (uint32_t)(c - ITEM_COLUMNS)));
        else
            str_printf(out, "%zu", c - ITEM_COLUMNS);
    }
}

static enum status read_item_rows(struct ingest *in, struct sheet *t, const struct dict *genres, struct error *err)
{
    static const char *const names[] = {"title", "release_date", "imdb_url", "genres"};
    static const size_t source[] = {1, 2, 4};
    size_t column[4];
    struct str list = {0};
    enum status st = ST_OK;
    for (size_t i = 0; i < 4 && !st; i++)
        st = raw_columns_add(&in->item_columns, names[i], &column[i], err);
    for (bool more = true; !st;) {
        uint32_t item;
        st = ingest_next(in, t, &more, err);
        if (st || !more)
            break;
        const char *bad = t->row.n < ITEM_COLUMNS ? "fewer than 5 columns" : ingest_id(in, &t->row.cells[0], "item");
        if (bad) {
            st = ingest_reject(in, t, bad, err);
            continue;
        }
        st = dict_add(&in->data->items, t->row.cells[0].text, t->row.cells[0].n, &item, err);
        for (size_t i = 0; i < 3 && !st; i++)
            st = raw_column_set(&in->item_columns.column[column[i]], item, &t->row.cells[source[i]], err);
        put_genres(&t->row, genres, &list);
        if (!st && list.failed)
            st = error_nomem(err, list.length, "genres");
        if (!st)
            st = raw_column_set(&in->item_columns.column[column[3]], item,
                                &(struct cell){.text = list.data, .n = list.length, .list = true}, err);
        in->data->rows_read += !st;
        in->data->rows_kept += !st;
    }
    str_free(&list);
    return st;
}

static enum status read_items(struct ingest *in, const char *path, struct error *err)
{
    static const char *const any_width[] = {NULL};
    struct sheet_form form = {.delimiter = "|", .encoding = in->form.encoding, .no_quotes = true, .names = any_width};
    struct dict genres = {0};
    struct sheet t;
    enum status st = read_genre_names(in, path, &genres, err);
    if (!st)
        st = ingest_open(in, path, &form, &t, err);
    if (!st) {
        st = read_item_rows(in, &t, &genres, err);
        ingest_close(in, &t);
    }
    dict_clear(&genres);
    return st;
}

/* ---- tags ---- */

/* What users wrote on each item, once each. */
struct tag_lists {
    struct str *item;
    size_t n, capacity;
};

static bool has_tag(const struct str *list, const char *tag, size_t n)
{
    for (const char *p = str_text(list), *end = p + list->length; p < end;) {
        const char *mark = memchr(p, LIST_MARK, (size_t)(end - p)), *stop = mark ? mark : end;
        if ((size_t)(stop - p) == n && memcmp(p, tag, n) == 0)
            return true;
        p = stop + 1;
    }
    return false;
}

static enum status add_tag(struct tag_lists *lists, uint32_t item, const struct cell *tag, struct error *err)
{
    if (item >= lists->n) {
        enum status st = mem_grow(&lists->item, &lists->capacity, item + (size_t)1, sizeof *lists->item, err);
        if (st)
            return st;
        while (lists->n <= item)
            lists->item[lists->n++] = (struct str){0};
    }
    struct str *list = &lists->item[item];
    if (!has_tag(list, tag->text, tag->n)) {
        if (list->length)
            str_putc(list, LIST_MARK);
        str_append(list, tag->text, tag->n);
    }
    return list->failed ? error_nomem(err, list->length, "tags") : ST_OK;
}

/* userId,movieId,tag,timestamp as a list of tags an item. */
static enum status read_tags(struct ingest *in, const char *path, struct error *err)
{
    struct tag_lists lists = {0};
    struct sheet t;
    size_t column;
    uint32_t key, tag, item;
    bool more = true;
    enum status st = ingest_open(in, path, NULL, &t, err);
    if (st)
        return st;
    st = roles_find_key(in, &t, ATTRIBUTES_OF_ITEMS, &key, err);
    tag = sheet_column(&t, "tag");
    if (!st && tag == NO_CODE)
        st = roles_missing(&t, "tag", "tag", err);
    if (!st)
        st = raw_columns_add(&in->item_columns, "tags", &column, err);
    while (!st) {
        st = ingest_next(in, &t, &more, err);
        if (st || !more)
            break;
        const struct cell *id = &t.row.cells[key], *text = &t.row.cells[tag];
        const char *bad = ingest_id(in, id, "item");
        if (bad || text->n == 0) {
            st = ingest_reject(in, &t, bad ? bad : "no tag", err);
            continue;
        }
        st = dict_add(&in->data->items, id->text, id->n, &item, err);
        if (!st)
            st = add_tag(&lists, item, text, err);
        in->data->rows_read += !st;
        in->data->rows_kept += !st;
    }
    for (size_t i = 0; i < lists.n; i++) {
        struct str *s = &lists.item[i];
        if (!st && s->length)
            st = raw_column_set(&in->item_columns.column[column], i,
                                &(struct cell){.text = s->data, .n = s->length, .list = true}, err);
        str_free(s);
    }
    mem_free(lists.item);
    ingest_close(in, &t);
    return st;
}

bool known_attributes_mine(const char *path, enum attribute_target target)
{
    static const char *const of_items[] = {"u.item", "movies.dat", "movies_extrainfos.dat"}, *const of_users[] = {
                                                                                                 "u.user", "users.dat"};
    bool items = target == ATTRIBUTES_OF_ITEMS, mine = bookcrossing_mine(path, target) || recbole_mine(path, target);
    for (size_t i = 0; i < (items ? sizeof of_items : sizeof of_users) / sizeof *of_items; i++)
        mine |= stem_is(path, (items ? of_items : of_users)[i]);
    return mine;
}

enum status known_attributes(struct ingest *in, const char *path, enum attribute_target target, bool *mine,
                                 struct error *err)
{
    static const char *const movie_names[] = {"item", "title", "genres", NULL};
    static const char *const user_names[] = {"user", "gender", "age", "occupation", "zip_code", NULL};
    static const char *const extra_names[] = {"item",         "title",       "year",     "certificate",
                                              "release_date", "imdb_genres", "director", "writers",
                                              "cast",         "plot",        "poster",   NULL};
    static const char *const u_user_names[] = {"user", "age", "gender", "occupation", "zip_code", NULL};
    bool items = target == ATTRIBUTES_OF_ITEMS;
    struct sheet_form form = {.delimiter = "::", .encoding = in->form.encoding, .no_quotes = true};
    *mine = true;
    if (bookcrossing_mine(path, target))
        return bookcrossing_attributes(in, path, target, err);
    if (items && stem_is(path, "u.item"))
        return read_items(in, path, err);
    if (!items && stem_is(path, "u.user")) {
        form.delimiter = "|";
        form.names = u_user_names;
    } else if (items && stem_is(path, "movies.dat")) {
        form.names = movie_names;
    } else if (!items && stem_is(path, "users.dat")) {
        form.names = user_names;
    } else if (items && stem_is(path, "movies_extrainfos.dat")) {
        form.names = extra_names;
    } else if (items && stem_is(path, "tags.csv")) {
        return read_tags(in, path, err);
    } else if (recbole_mine(path, target)) {
        return recbole_attributes(in, path, target, err);
    } else {
        *mine = false;
        return ST_OK;
    }
    struct sheet t;
    enum status st = ingest_open(in, path, &form, &t, err);
    return st ? st : attributes_read(in, &t, target, err);
}

/* ---- the three layouts ---- */

static int recognise_100k(const char *path, const char *head, size_t n)
{
    if (n == 0)
        return path_is_folder(path) && has_beside(path, "u.data") ? 30 : 0;
    return is_fold(path) && memchr(head, '\t', n) ? 30 : 0;
}

static enum status read_100k(struct ingest *in, const char *path, struct error *err)
{
    char data[4096];
    if (!path_is_folder(path))
        snprintf(data, sizeof data, "%s", path);
    else if (!path_beside(path, "u.data", data, sizeof data))
        return error_set(err, ST_NOT_FOUND, "%s: u.data is gone", path);
    enum status st = read_ratings(in, data, "tab", err);
    if (!st && in->item_columns.n == 0)
        st = attributes_beside(in, data, "u.item", ATTRIBUTES_OF_ITEMS, err);
    if (!st && in->user_columns.n == 0)
        st = attributes_beside(in, data, "u.user", ATTRIBUTES_OF_USERS, err);
    return st;
}

static int recognise_dat(const char *path, const char *head, size_t n)
{
    if (n == 0)
        return path_is_folder(path) && has_beside(path, "ratings.dat") ? 30 : 0;
    return stem_is(path, "ratings.dat") && memmem(head, n, "::", 2) ? 30 : 0;
}

static enum status read_dat(struct ingest *in, const char *path, struct error *err)
{
    char data[4096];
    if (!path_is_folder(path))
        snprintf(data, sizeof data, "%s", path);
    else if (!path_beside(path, "ratings.dat", data, sizeof data))
        return error_set(err, ST_NOT_FOUND, "%s: ratings.dat is gone", path);
    enum status st = read_ratings(in, data, "::", err);
    if (!st)
        st = attributes_beside(in, data, "movies.dat", ATTRIBUTES_OF_ITEMS, err);
    if (!st)
        st = attributes_beside(in, data, "users.dat", ATTRIBUTES_OF_USERS, err);
    return st;
}

static int recognise_csv(const char *path, const char *head, size_t n)
{
    static const char header[] = "userId,movieId,rating";
    if (n == 0)
        return path_is_folder(path) && has_beside(path, "ratings.csv") ? 30 : 0;
    return n >= sizeof header - 1 && memcmp(head, header, sizeof header - 1) == 0 ? 30 : 0;
}

static enum status read_csv(struct ingest *in, const char *path, struct error *err)
{
    char data[4096];
    struct sheet t;
    if (!path_is_folder(path))
        snprintf(data, sizeof data, "%s", path);
    else if (!path_beside(path, "ratings.csv", data, sizeof data))
        return error_set(err, ST_NOT_FOUND, "%s: ratings.csv is gone", path);
    enum status st = ingest_open(in, data, NULL, &t, err);
    if (!st)
        st = events_read(in, &t, err);
    if (!st)
        st = attributes_beside(in, data, "movies.csv", ATTRIBUTES_OF_ITEMS, err);
    return st;
}

const struct reader reader_movielens_100k = {"movielens-100k", "u.data with u.item and u.user", recognise_100k,
                                             read_100k, false};
const struct reader reader_movielens_dat = {"movielens-dat", "ratings.dat with movies.dat and users.dat", recognise_dat,
                                            read_dat, false};
const struct reader reader_movielens_csv = {"movielens-csv", "ratings.csv with movies.csv", recognise_csv, read_csv,
                                            false};
